// limbic/ops/log_softmax.hpp - logarithm of the softmax along one axis
//
//   y_j   = x_j - m - log sum_k e^(x_k - m),  m = max_k x_k     (m cancels; it prevents overflow)
//   x'_j += y'_j - e^(y_j) sum_k y'_k
//
// shape   any of rank >= 1 -> same; axis counts from the back when negative
// domain  all finite numbers; -inf beside finite numbers gives -inf; NaN spreads over its row
#pragma once

#include <limbic/ops/rowwise.hpp>

LIMBIC_BEGIN

struct log_softmax_op {
  static constexpr std::string_view name = "log_softmax";
  static constexpr keep needs = keep::output;
  int axis = -1;

  constexpr void forward_row(auto x, auto y) const {
    auto const m = max(x);
    auto const total = fold(sum_of{}, [m](auto v) { return math::exp(v - math::broadcast<decltype(v)>(m)); }, x);
    map(y, [](auto v, auto largest, auto log_total) { return v - largest - log_total; }, x, m, math::log(total));
  }
  constexpr void adjoint_row(auto, auto y, auto dy, auto dx) const {
    map(dx, [](auto v, auto g, auto total) { return g - math::exp(v) * total; }, y, dy, sum(dy));
  }
};

template <operand X> auto log_softmax(X&& x, int axis = -1) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(log_softmax_op{.axis = axis}, std::forward<X>(x));
  else static_assert(fit, "limbic: log_softmax takes a tensor of rank 1 or more");
}

LIMBIC_END
