// limbic/ops/mse_loss.hpp - squared error
//
//   (x - t)^2
//
// shape   input and target alike; mean: over all elements
// adjoint x' += 2 (x - t) y',  t' the opposite
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct mse_loss_op {
  static constexpr std::string_view name = "mse_loss";
  template <class V> constexpr V value(V x, V t) const { return (x - t) * (x - t); }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const d = (x - t) + (x - t);
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto mse_loss(X&& x, Y&& target, R r = {}) {
  return detail::pointwise_loss(mse_loss_op{}, r, std::forward<X>(x), std::forward<Y>(target));
}

LIMBIC_END
