// limbic/ops/l1_loss.hpp - absolute error
//
//   |x - t|
//
// shape   input and target alike; mean: over all elements
// adjoint x' += sign(x - t) y',  t' the opposite; 0 at x = t
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct l1_loss_op {
  static constexpr std::string_view name = "l1_loss";
  template <class V> constexpr V value(V x, V t) const { return math::abs(x - t); }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const d = math::sign(x - t);
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto l1_loss(X&& x, Y&& target, R r = {}) {
  return detail::pointwise_loss(l1_loss_op{}, r, std::forward<X>(x), std::forward<Y>(target));
}

LIMBIC_END
