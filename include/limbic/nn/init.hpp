// limbic/nn/init.hpp - how parameters start, as torch.nn.init has it
//
//   init::kaiming_uniform(layer.weight, random);      a parameter, a tensor or a contiguous view is filled
//
//   uniform, normal, constant, zeros
//   xavier_uniform, xavier_normal       variance 2 gain^2 / (in + out)         Glorot and Bengio 2010
//   kaiming_uniform, kaiming_normal     variance gain^2 / in, or / out         He et al. 2015, arXiv:1502.01852
//   orthogonal                          orthonormal rows or columns, times gain; Saxe et al. 2014, arXiv:1312.6120
//
// in and out of a weight (out, in, k...) count the k... positions of a kernel too. A uniform distribution of variance
// v reaches to +-sqrt(3 v).
#pragma once

#include <limbic/core/parameter.hpp>
#include <limbic/core/random.hpp>

LIMBIC_BEGIN

namespace init {

// What a deviation is computed from: the inputs of a unit, or its outputs.
enum class fan { in, out };
// What follows the layer.
enum class nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

// What a nonlinearity takes from the spread of its input, to be made up for. `slope` is leaky_relu's.
inline double gain(nonlinearity f, double slope = 0.01) {
  switch (f) {
    case nonlinearity::tanh:
      return 5.0 / 3.0;
    case nonlinearity::relu:
      return std::sqrt(2.0);
    case nonlinearity::leaky_relu:
      return std::sqrt(2.0 / (1.0 + slope * slope));
    case nonlinearity::selu:
      return 0.75;
    default:
      return 1.0;
  }
}

namespace detail {

template <class T, int R, class D> view<T, R, D> writable(view<T, R, D> v) { return v; }
template <class T, int R, class D> view<T, R, D> writable(tensor<T, R, D>& t) { return t.view(); }
template <class T, int R, class D> view<T, R, D> writable(parameter<T, R, D>& p) { return p.value.view(); }

struct fans {
  double in = 1, out = 1;
};
template <int R> fans fans_of(std::string_view op, shape<R> const& s) {
  static_assert(R >= 2, "limbic: this initialiser is for weights (out, in, ...), of rank 2 or more");
  double positions = 1;
  for (int a = 2; a < R; ++a) positions *= static_cast<double>(s[a]);
  fans const f{static_cast<double>(s[1]) * positions, static_cast<double>(s[0]) * positions};
  if (!(f.in > 0 && f.out > 0)) fail<shape_error>(op, "a weight of shape ", s, " has no elements");
  return f;
}

}  // namespace detail

template <class W> void uniform(W&& w, rng& random, double low = 0, double high = 1) {
  random.uniform(detail::writable(w), low, high);
}
template <class W> void normal(W&& w, rng& random, double mean = 0, double deviation = 1) {
  random.normal(detail::writable(w), mean, deviation);
}
template <class W> void constant(W&& w, double value) {
  auto const to = detail::writable(w);
  using V = std::remove_const_t<decltype(to)>;
  if (!to.is_contiguous()) fail<shape_error>("constant", "the view of shape ", to.shape(), " is not contiguous");
  fill_elements(typename V::device(), to.data(), to.size(), static_cast<typename V::value_type>(value));
}
template <class W> void zeros(W&& w) { constant(w, 0); }

template <class W> void xavier_uniform(W&& w, rng& random, double g = 1) {
  auto const f = detail::fans_of("xavier_uniform", detail::writable(w).shape());
  double const bound = g * std::sqrt(6.0 / (f.in + f.out));
  uniform(w, random, -bound, bound);
}
template <class W> void xavier_normal(W&& w, rng& random, double g = 1) {
  auto const f = detail::fans_of("xavier_normal", detail::writable(w).shape());
  normal(w, random, 0, g * std::sqrt(2.0 / (f.in + f.out)));
}

struct kaiming_options {
  double slope = 0;                                 // of leaky_relu
  fan mode = fan::in;                               // in keeps the spread of values, out that of gradients
  nonlinearity follows = nonlinearity::leaky_relu;  // what comes behind the layer
};
namespace detail {
template <class W> double kaiming_deviation(std::string_view op, W& w, kaiming_options const& o) {
  auto const f = fans_of(op, writable(w).shape());
  return gain(o.follows, o.slope) / std::sqrt(o.mode == fan::in ? f.in : f.out);
}
}  // namespace detail
template <class W> void kaiming_uniform(W&& w, rng& random, kaiming_options const& o = {}) {
  double const bound = std::sqrt(3.0) * detail::kaiming_deviation("kaiming_uniform", w, o);
  uniform(w, random, -bound, bound);
}
template <class W> void kaiming_normal(W&& w, rng& random, kaiming_options const& o = {}) {
  normal(w, random, 0, detail::kaiming_deviation("kaiming_normal", w, o));
}

// A weight (out, k...) seen as a matrix whose shorter side's vectors are orthonormal, times g. Normal numbers made
// orthogonal by Gram and Schmidt's method run twice, in double: Q of a QR decomposition with a positive diagonal, so
// that every orientation is as likely.
template <class W> void orthogonal(W&& w, rng& random, double g = 1) {
  auto const to = detail::writable(w);
  using V = std::remove_const_t<decltype(to)>;
  using T = typename V::value_type;
  static_assert(V::rank >= 2, "limbic: orthogonal is for weights of rank 2 or more");
  if (!to.is_contiguous()) fail<shape_error>("orthogonal", "the view of shape ", to.shape(), " is not contiguous");
  if (to.size() == 0) fail<shape_error>("orthogonal", "a weight of shape ", to.shape(), " has no elements");
  std::ptrdiff_t const rows = to.extent(0), columns = to.size() / rows;
  bool const wide = rows < columns;
  std::ptrdiff_t const count = wide ? rows : columns, length = wide ? columns : rows;
  tensor<double, 2, scalar> q(shape<2>{{count, length}}, uninitialized);  // the vectors, one a row
  random.normal(q);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    double* const v = q.data() + i * length;
    for (int round = 0; round < 2; ++round)  // the second takes away what rounding left of the others
      for (std::ptrdiff_t j = 0; j < i; ++j) {
        double const* const u = q.data() + j * length;
        double along = 0;
        for (std::ptrdiff_t k = 0; k < length; ++k) along += u[k] * v[k];
        for (std::ptrdiff_t k = 0; k < length; ++k) v[k] -= along * u[k];
      }
    double square = 0;
    for (std::ptrdiff_t k = 0; k < length; ++k) square += v[k] * v[k];
    double const scale = 1 / std::sqrt(square);
    for (std::ptrdiff_t k = 0; k < length; ++k) v[k] *= scale;
  }
  tensor<T, 2, scalar> result(shape<2>{{rows, columns}}, uninitialized);
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < columns; ++j) result(i, j) = static_cast<T>(g * (wide ? q(i, j) : q(j, i)));
  copy_elements(typename V::device(), to.data(), static_cast<T const*>(result.data()), to.size());
}

}  // namespace init

LIMBIC_END
