// limbic/ops/reshape.hpp - the same elements, row by row, under another shape
//
//   reshape(x, shape{2, -1})  or  reshape(x, 2, -1)      one extent may be -1: it takes what is left
//   flatten(x)  flatten<1>(x)  flatten<1, 2>(x)          axes from the first to the last given (-1 the very last) as one
//   squeeze(x, axis)                                     without an axis of extent 1
//   unsqueeze(x, axis)                                   an axis of extent 1 before `axis`; -1: at the end
//
// adjoint x' += y' under the shape of x
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

template <int S> struct reshape_op {
  static constexpr std::string_view name = "reshape";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<S> to;

  template <int R> shape<S> shape_of(shape<R> const& x) const { return resolve_reshape(x, to); }
  // Results and gradients are contiguous, operands need not be.
  void forward(auto d, auto y, auto x) const { copy(d, y.reshape(x.shape()), x); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { copy(d, dx, dy.reshape(dx.shape())); }
};

template <operand X, int S> auto reshape(X&& x, shape<S> const& to) {
  return apply(reshape_op<S>{to}, std::forward<X>(x));
}
template <operand X, class... I>
  requires(sizeof...(I) > 0 && (std::is_integral_v<I> && ...))
auto reshape(X&& x, I... extents) {
  return reshape(std::forward<X>(x), shape<static_cast<int>(sizeof...(I))>{{static_cast<std::ptrdiff_t>(extents)...}});
}

template <int First = 0, int Last = -1, operand X> auto flatten(X&& x) {
  constexpr int R = rank_of<X>, first = First < 0 ? First + R : First, last = Last < 0 ? Last + R : Last;
  constexpr bool fit = R == 0 || (0 <= first && first <= last && last < R);
  if constexpr (R == 0) {
    return reshape(std::forward<X>(x), shape<1>{{1}});
  } else if constexpr (fit) {
    auto const& from = x.shape();
    shape<R - (last - first)> to;
    to[first] = 1;
    for (int i = 0; i < R; ++i) {
      if (i < first) to[i] = from[i];
      else if (i <= last) to[first] *= from[i];
      else to[i - (last - first)] = from[i];
    }
    return reshape(std::forward<X>(x), to);
  } else {
    static_assert(fit, "limbic: flatten: these axes do not exist");
  }
}

template <operand X> auto squeeze(X&& x, int axis) {
  constexpr int R = rank_of<X>;
  if constexpr (R >= 1) {
    int const a = normalize_axis("squeeze", axis, R);
    auto const& from = x.shape();
    if (from[a] != 1) fail<shape_error>("squeeze", "axis ", axis, " of ", from, " has not extent 1");
    shape<R - 1> to;
    for (int i = 0, k = 0; i < R; ++i)
      if (i != a) to[k++] = from[i];
    return reshape(std::forward<X>(x), to);
  } else {
    static_assert(R >= 1, "limbic: squeeze takes a tensor of rank 1 or more");
  }
}

template <operand X> auto unsqueeze(X&& x, int axis) {
  constexpr int R = rank_of<X>;
  int const a = normalize_axis("unsqueeze", axis, R + 1);
  auto const& from = x.shape();
  shape<R + 1> to;
  for (int i = 0, k = 0; i <= R; ++i) to[i] = i == a ? 1 : from[k++];
  return reshape(std::forward<X>(x), to);
}

LIMBIC_END
