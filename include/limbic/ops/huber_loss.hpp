// limbic/ops/huber_loss.hpp - quadratic near zero, linear far away
//
//   d^2 / 2                     |d| <  delta,  d = x - t      Huber 1964, Ann. Math. Stat. 35, 73
//   delta (|d| - delta / 2)     |d| >= delta
//
// shape   input and target alike; mean: over all elements
// adjoint x' += y' (|d| < delta ? d : delta sign d),  t' the opposite
// domain  delta > 0
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct huber_loss_op {
  static constexpr std::string_view name = "huber_loss";
  double delta = 1.0;

  template <class V> constexpr V value(V x, V t) const {
    V const d = math::abs(x - t), far = math::constant<V>(delta), half = math::constant<V>(0.5);
    return math::select(d < far, half * d * d, far * (d - half * far));  // NaN is not < far and stays NaN
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const far = math::constant<V>(delta);
    V const d = math::select(math::abs(x - t) < far, x - t, far * math::sign(x - t));
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto huber_loss(X&& x, Y&& target, huber_loss_op const& options = {}, R r = {}) {
  if (!(options.delta > 0)) fail<argument_error>("huber_loss", "delta must be positive, but is ", options.delta);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto huber_loss(X&& x, Y&& target, R r) {
  return huber_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
