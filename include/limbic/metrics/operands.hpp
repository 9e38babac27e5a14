// limbic/metrics/operands.hpp - what the measures share: operands as plain lists, and the checks of them
//
// A measure takes tensors or views on a CPU, of any strides, and computes in double. Its operands are copied to lists
// first, so that each formula is compiled once, whatever the element types and devices are.
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/math/base.hpp>

#include <cstdint>
#include <vector>

LIMBIC_BEGIN
namespace detail {

using label_list = std::vector<std::int64_t>;
using number_list = std::vector<double>;

template <class X> concept metric_operand = requires(X const& x) {
  x.shape();
  requires is_host<typename X::device>;
};
// Whole numbers, one a sample.
template <class X> concept metric_labels =
    metric_operand<X> && X::rank == 1 && std::is_integral_v<typename X::value_type>;
// float or double.
template <class X> concept metric_signal = metric_operand<X> && std::is_floating_point_v<typename X::value_type>;
template <class X> concept metric_scores = metric_signal<X> && X::rank == 1;
template <class X> concept metric_matrix = metric_signal<X> && X::rank == 2;

// The elements in row-major order.
template <class To, class X> std::vector<To> to_list(X const& x) {
  tensor<typename X::value_type, X::rank, typename X::device> const own(x);
  std::vector<To> list;
  list.reserve(static_cast<std::size_t>(own.size()));
  for (auto const e : own) list.push_back(static_cast<To>(e));
  return list;
}
template <class X> label_list labels_of(X const& x) { return to_list<std::int64_t>(x); }
template <class X> number_list numbers_of(X const& x) { return to_list<double>(x); }
template <class T> tensor<T, 1, scalar> from_list(std::vector<T> const& list) {
  tensor<T, 1, scalar> t(shape<1>{{static_cast<std::ptrdiff_t>(list.size())}}, uninitialized);
  for (std::size_t i = 0; i < list.size(); ++i) t.data()[i] = list[i];
  return t;
}

inline double to_double(std::size_t n) { return static_cast<double>(n); }
// 0 where nothing is divided by nothing.
inline double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

inline void require_samples(std::string_view name, std::size_t n) {
  if (n == 0) fail<argument_error>(name, "at least one sample is needed, but there is none");
}
inline void require_as_many(std::string_view name, std::string_view a, std::size_t n, std::string_view b,
                            std::size_t m) {
  if (n != m) fail<shape_error>(name, a, " and ", b, " must be as many, but are ", n, " and ", m);
}
inline void require_classes(std::string_view name, std::string_view what, label_list const& labels,
                            std::ptrdiff_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      fail<index_error>(name, what, " must lie in [0, ", classes, "), but number ", i, " is ", labels[i]);
}
inline void require_not_nan(std::string_view name, std::string_view what, number_list const& x) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (math::isnan(x[i])) fail<argument_error>(name, what, " must be numbers, but number ", i, " is NaN");
}
inline void require_all_finite(std::string_view name, std::string_view what, number_list const& x) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!math::isfinite(x[i])) fail<argument_error>(name, what, " must be finite, but number ", i, " is ", x[i]);
}
inline void require_probabilities(std::string_view name, number_list const& p) {
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!(p[i] >= 0 && p[i] <= 1))
      fail<argument_error>(name, "probabilities must lie in [0, 1], but number ", i, " is ", p[i]);
}
// Weights of n samples: not negative, not all 0. Returns their sum.
inline double require_weights(std::string_view name, number_list const& weights, std::size_t n) {
  require_as_many(name, "weights", weights.size(), "labels", n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (!(weights[i] >= 0) || !math::isfinite(weights[i]))
      fail<argument_error>(name, "weights must be finite and not negative, but number ", i, " is ", weights[i]);
    sum += weights[i];
  }
  if (!(sum > 0)) fail<argument_error>(name, "weights must not all be 0");
  return sum;
}

}  // namespace detail
LIMBIC_END
