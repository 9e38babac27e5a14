// limbic/ops/ramp_loss.hpp - a hinge that stops rising: an outlier costs at most 1 - s
//
//   min(1 - s, max(0, 1 - v)),   v = (2 t - 1) x          Collobert et al. 2006, "Trading convexity for scalability"
//
// shape   scores and targets alike -> () for a mean or sum, the same for none; mean over all elements
// adjoint x' += -(2 t - 1) y', t' += -2 x y' where s < v < 1, 0 elsewhere, at the kinks too
// domain  targets 0 or 1; s < 1; NaN stays NaN
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct ramp_loss_op {
  static constexpr std::string_view name = "ramp_loss";
  double s = -1.0;

  template <class V> constexpr V value(V x, V t) const {
    return math::min(math::max(V(1) - (t + t - V(1)) * x, V(0)), math::constant<V>(1 - s));
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const sign = t + t - V(1), v = sign * x, zero = V(0);
    auto const flat = math::either(v <= math::constant<V>(s), v >= V(1));
    return {{math::select(flat, zero, -sign), math::select(flat, zero, -(x + x))}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto ramp_loss(X&& x, Y&& target, ramp_loss_op const& options = {}, R r = {}) {
  if (!(options.s < 1)) fail<argument_error>("ramp_loss", "s must be less than 1, but is ", options.s);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto ramp_loss(X&& x, Y&& target, R r) {
  return ramp_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
