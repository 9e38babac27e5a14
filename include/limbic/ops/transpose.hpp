// limbic/ops/transpose.hpp - axes in another order
//
//   transpose(x)              the last two axes exchanged
//   permute(x, {2, 0, 1})     axis i of the result is axis order[i] of x
//
// shape   the extents in the new order
// adjoint x' += y' with its axes in the old order
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

struct transpose_op {
  static constexpr std::string_view name = "transpose";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }

  template <int R> shape<R> shape_of(shape<R> x) const {
    std::swap(x[R - 2], x[R - 1]);
    return x;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, x.transpose()); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { copy(d, dx, dy.transpose()); }
};

template <int R> struct permute_op {
  static constexpr std::string_view name = "permute";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<R> order;

  shape<R> shape_of(shape<R> const& x) const {
    shape<R> y;
    for (int i = 0; i < R; ++i) y[i] = x[from(i)];
    check();
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, x.permute(order)); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const {
    shape<R> inverse;
    for (int i = 0; i < R; ++i) inverse[from(i)] = i;
    copy(d, dx, dy.permute(inverse));
  }

 private:
  int from(int i) const { return normalize_axis(name, static_cast<int>(order[i]), R); }
  void check() const {
    unsigned seen = 0;
    for (int i = 0; i < R; ++i) seen |= 1U << from(i);
    if (seen != (1U << R) - 1U) fail<argument_error>(name, "order ", order, " does not name every axis once");
  }
};

template <operand X> auto transpose(X&& x) {
  constexpr bool fit = rank_of<X> >= 2;
  if constexpr (fit) return apply(transpose_op{}, std::forward<X>(x));
  else static_assert(fit, "limbic: transpose takes a tensor of rank 2 or more");
}
template <operand X> auto permute(X&& x, shape<rank_of<X>> const& order) {
  return apply(permute_op<rank_of<X>>{order}, std::forward<X>(x));
}

LIMBIC_END
