// limbic/optim/gradients.hpp - what is done to the gradients of a model between backward pass and step
//
//   clip_gradient_norm(net, 1.0)       scales all gradients such that their common norm is at most 1; returns the norm before
//   clip_gradient_value(net, 0.5)      each element into [-0.5, 0.5]
//   add_gradients(net, replica)        adds the gradients of a copy that another thread trained, and clears the copy's
#pragma once

#include <limbic/backend/reduce.hpp>
#include <limbic/core/visit.hpp>

LIMBIC_BEGIN

namespace detail {

struct square_function {
  template <class V> constexpr V operator()(V x) const { return x * x; }
};
struct abs_function {
  template <class V> constexpr V operator()(V x) const { return math::abs(x); }
};
struct abs_power_function {
  double p;
  template <class V> constexpr V operator()(V x) const { return math::pow(math::abs(x), math::constant<V>(p)); }
};
struct scale_function {
  double factor;
  template <class V> constexpr V operator()(V x) const { return x * math::constant<V>(factor); }
};
struct clamp_function {
  double limit;
  template <class V> constexpr V operator()(V x) const {
    V const top = math::constant<V>(limit);
    return math::select(x > top, top, math::select(x < -top, -top, x));
  }
};

// The gradient as one line.
template <class T, int R, class D> view<T, 1, D> gradient_line(parameter<T, R, D> const& p) {
  return {p.gradient_storage().data(), shape<1>{{p.size()}}};
}

// The one element of a tensor, wherever it lies.
template <class T, class D> double only_element(tensor<T, 1, D> const& t) {
  if constexpr (is_host<D>) return static_cast<double>(*t.data());
  else return static_cast<double>(*to_host(t).data());
}

}  // namespace detail

// The norm of all gradients taken as one vector; norm_type p >= 1, infinity for the largest magnitude. 0 without gradients.
template <class Model> double gradient_norm(Model const& model, double norm_type = 2) {
  if (!(norm_type >= 1)) fail<argument_error>("gradient_norm", "norm_type must be at least 1, but is ", norm_type);
  bool const largest = norm_type == std::numeric_limits<double>::infinity();
  double total = 0;
  visit_parameters(model, [&]<class T, int R, class D>(std::string_view, parameter<T, R, D> const& p) {
    if (!p.has_gradient()) return;
    auto const g = detail::gradient_line(p);
    tensor<T, 1, D> part(shape<1>{{1}}, uninitialized);
    if (largest) reduce(D{}, part, max_of{}, detail::abs_function{}, g);
    else if (norm_type == 2) reduce(D{}, part, sum_of{}, detail::square_function{}, g);
    else reduce(D{}, part, sum_of{}, detail::abs_power_function{norm_type}, g);
    double const x = detail::only_element(part);
    total = !largest ? total + x : math::max(total, x);
  });
  return largest ? total : norm_type == 2 ? std::sqrt(total) : std::pow(total, 1 / norm_type);
}

// Every gradient times min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_; the norm before is returned.
// A norm of NaN spreads, as there.
template <class Model> double clip_gradient_norm(Model const& model, double max_norm, double norm_type = 2) {
  if (!(max_norm >= 0)) fail<argument_error>("clip_gradient_norm", "max_norm must not be negative, but is ", max_norm);
  double const norm = gradient_norm(model, norm_type);
  double const factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  visit_parameters(model, [&]<class T, int R, class D>(std::string_view, parameter<T, R, D> const& p) {
    if (!p.has_gradient()) return;
    auto const g = detail::gradient_line(p);
    map(D{}, g, detail::scale_function{factor}, g);
  });
  return norm;
}

template <class Model> void clip_gradient_value(Model const& model, double limit) {
  if (!(limit >= 0)) fail<argument_error>("clip_gradient_value", "the limit must not be negative, but is ", limit);
  visit_parameters(model, [&]<class T, int R, class D>(std::string_view, parameter<T, R, D> const& p) {
    if (!p.has_gradient()) return;
    auto const g = detail::gradient_line(p);
    map(D{}, g, detail::clamp_function{limit}, g);
  });
}

// Both models have the same parameters in the same order: one is a copy of the other.
template <class Model> void add_gradients(Model const& to, Model const& from) {
  std::ptrdiff_t count = 0;
  visit_parameters(from, [&](std::string_view, auto const&) { ++count; });
  tensor<void const*, 1, scalar> others(shape<1>{{count}}, uninitialized);
  count = 0;
  visit_parameters(from, [&](std::string_view, auto const& p) { others.data()[count++] = &p; });
  std::ptrdiff_t k = 0;
  visit_parameters(to, [&]<class T, int R, class D>(std::string_view name, parameter<T, R, D> const& p) {
    if (k == count) fail<shape_error>("add_gradients", "the other model has no parameter ", name);
    auto const& other = *static_cast<parameter<T, R, D> const*>(others.data()[k++]);
    if (!(other.shape() == p.shape()))
      fail<shape_error>("add_gradients", "parameter ", name, " is ", p.shape(), " here and ", other.shape(), " there");
    if (!other.has_gradient()) return;
    copy(D{}, sink<T, R, D>(p.gradient_storage(), p.has_gradient()), other.gradient());
    p.set_has_gradient();
    other.clear_gradient();
  });
}

LIMBIC_END
