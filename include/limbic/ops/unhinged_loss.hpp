// limbic/ops/unhinged_loss.hpp - the hinge without its kink: convex, and indifferent to symmetric noise in the labels
//
//   1 - (2 t - 1) x          van Rooyen et al. 2015, arXiv:1505.07634
//
// Unbounded below: it needs bounded scores, or a penalty on the weights.
//
// shape   scores and targets alike -> () for a mean or sum, the same for none; mean over all elements
// adjoint x' += -(2 t - 1) y',  t' += -2 x y'
// domain  targets 0 or 1; NaN stays NaN
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct unhinged_loss_op {
  static constexpr std::string_view name = "unhinged_loss";

  template <class V> constexpr V value(V x, V t) const { return V(1) - (t + t - V(1)) * x; }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const { return {{V(1) - t - t, -(x + x)}}; }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto unhinged_loss(X&& x, Y&& target,
                                                                                           R r = {}) {
  return detail::pointwise_loss(unhinged_loss_op{}, r, std::forward<X>(x), std::forward<Y>(target));
}

LIMBIC_END
