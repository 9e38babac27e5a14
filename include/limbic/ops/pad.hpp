// limbic/ops/pad.hpp - a constant around a tensor
//
//   pad(x, {before...}, {after...}, value = 0)     so many elements before and after each axis
//   pad(x, axis, before, after, value = 0)         along one axis
//
// adjoint x' += the inner part of y'
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

template <int R> struct pad_op {
  static constexpr std::string_view name = "pad";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<R> before, after;
  double value = 0;

  shape<R> shape_of(shape<R> const& x) const {
    shape<R> y;
    for (int i = 0; i < R; ++i) {
      if (before[i] < 0 || after[i] < 0)
        fail<argument_error>(name, "widths must not be negative, but are ", before, " and ", after);
      y[i] = before[i] + x[i] + after[i];
    }
    return y;
  }
  template <class D, class T> void forward(D d, view<T, R, D> y, view<T const, R, D> x) const {
    fill(d, y, math::constant<T>(value));
    copy(d, inner(y, x.shape()), x);
  }
  void adjoint(auto d, auto x, auto, auto dy, auto dx) const { copy(d, dx, inner(dy, x.shape())); }

 private:
  template <class V> V inner(V y, shape<R> const& x) const {
    for (int i = 0; i < R; ++i) y = y.slice(i, before[i], before[i] + x[i]);
    return y;
  }
};

template <operand X>
auto pad(X&& x, shape<rank_of<X>> const& before, shape<rank_of<X>> const& after, double value = 0) {
  return apply(pad_op<rank_of<X>>{before, after, value}, std::forward<X>(x));
}
template <operand X> auto pad(X&& x, int axis, std::ptrdiff_t before, std::ptrdiff_t after, double value = 0) {
  constexpr int R = rank_of<X>;
  int const a = normalize_axis("pad", axis, R);
  pad_op<R> o{.before = {}, .after = {}, .value = value};
  o.before[a] = before;
  o.after[a] = after;
  return apply(o, std::forward<X>(x));
}

LIMBIC_END
