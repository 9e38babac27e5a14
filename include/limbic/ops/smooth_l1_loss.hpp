// limbic/ops/smooth_l1_loss.hpp - absolute error, quadratic near zero
//
//   d^2 / (2 beta)      |d| <  beta,  d = x - t      Girshick 2015, arXiv:1504.08083, eq. 3 (beta = 1)
//   |d| - beta / 2      |d| >= beta
//
// shape   input and target alike; mean: over all elements
// adjoint x' += y' (|d| < beta ? d / beta : sign d),  t' the opposite
// domain  beta >= 0; 0 is l1_loss
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct smooth_l1_loss_op {
  static constexpr std::string_view name = "smooth_l1_loss";
  double beta = 1.0;

  template <class V> constexpr V value(V x, V t) const {
    V const d = math::abs(x - t), b = math::constant<V>(beta), half = math::constant<V>(0.5);
    return math::select(d < b, half * d * d / b, d - half * b);  // NaN is not < b and stays NaN
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const b = math::constant<V>(beta);
    V const d = math::select(math::abs(x - t) < b, (x - t) / b, math::sign(x - t));
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto smooth_l1_loss(X&& x, Y&& target, smooth_l1_loss_op const& options = {}, R r = {}) {
  if (!(options.beta >= 0)) fail<argument_error>("smooth_l1_loss", "beta must not be negative, but is ", options.beta);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto smooth_l1_loss(X&& x, Y&& target, R r) {
  return smooth_l1_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
