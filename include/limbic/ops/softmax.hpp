// limbic/ops/softmax.hpp - softmax along one axis
//
//   y_j   = e^(x_j - m) / sum_k e^(x_k - m),  m = max_k x_k   (m cancels; it prevents overflow)
//   x'_j += y_j (y'_j - sum_k y_k y'_k)
//
// shape   any of rank >= 1 -> same; axis counts from the back when negative
#pragma once

#include <limbic/ops/rowwise.hpp>

LIMBIC_BEGIN

struct softmax_op {
  static constexpr std::string_view name = "softmax";
  static constexpr keep needs = keep::output;
  int axis = -1;

  constexpr void forward_row(auto x, auto y) const {
    map(y, [](auto v, auto m) { return math::exp(v - m); }, x, max(x));
    map(y, [](auto v, auto s) { return v / s; }, y, sum(y));  // sum >= 1: one term is e^0
  }
  constexpr void adjoint_row(auto, auto y, auto dy, auto dx) const {
    map(dx, [](auto p, auto g, auto mean) { return p * (g - mean); }, y, dy, dot(y, dy));
  }
};

template <operand X> auto softmax(X&& x, int axis = -1) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(softmax_op{.axis = axis}, std::forward<X>(x));
  else static_assert(fit, "limbic: softmax takes a tensor of rank 1 or more");
}

LIMBIC_END
