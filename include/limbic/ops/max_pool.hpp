// limbic/ops/max_pool.hpp - the greatest element of each window
//
//   max_pool2d(x, 2)                                    x (N, C, H, W); windows of 2 x 2, side by side
//   max_pool2d(x, {3, 2}, {.stride = 2, .padding = 1})
//   max_pool1d(x, 2)                                    x (N, C, L)
//   max_pool2d_indices(x, 2)                            where it stands in its plane, row W + column, int64
//   adaptive_max_pool2d(x, {3, 2})                      as many windows: floor(p H / P) to ceil((p + 1) H / P)
//   adaptive_max_pool1d(x, 3)                           the same of signals
//   adaptive_max_pool2d_indices(x, {3, 2})              where they stand
//   global_max_pool(x)                                  (N, C, ...) -> (N, C)
//
//   y[n, c, p, q] = max over i, j of  x[n, c, s p + d i - a, s q + d j - a]       stride s, dilation d, padding a
//
// shape   an axis of H becomes floor((H + 2 a - d (k - 1) - 1) / s) + 1; with ceil_mode the division rounds up, but the last
//         window must start inside of the axis or of the padding before it
// adjoint x' += y' at the first of the greatest elements, row by row; nothing elsewhere. The places are kept, not x
// domain  padding is never the greatest; a NaN is greater than all
// errors  a window longer than its padded axis, a padding of more than half a window, an axis without elements
//
// Options, defaults and results are those of torch.nn.functional; windows are in kernels/pool.hpp.
#pragma once

#include <limbic/ops/max.hpp>
#include <limbic/ops/pooling.hpp>
#include <limbic/ops/reshape.hpp>

LIMBIC_BEGIN

// How windows of S axes move.
template <int S> struct max_pool_options {
  per_axis<S> stride = 0;  // 0: that of the kernel, windows side by side
  per_axis<S> padding = 0, dilation = 1;
  bool ceil_mode = false;  // also a last window that reaches beyond the end
};

template <int S> struct max_pool_op {
  static constexpr std::string_view name = "max_pool";
  static constexpr keep needs = keep::outputs(1);
  static constexpr int visible = 1;  // the taps that were chosen are for the adjoint
  detail::pool_rules<S> rules;       // where the windows lie

  auto shape_of(shape<S + 2> const& x) const {
    auto const y = rules.shape_of(name, x);
    return std::tuple(y, y);
  }
  // A comparison for every tap of every window.
  double flops(shape<S + 2> const& x) const { return rules.taps(name, x); }
  template <class D, class T>
  void forward(D d, view<T, S + 2, D> y, view<T, S + 2, D> index, view<T const, S + 2, D> x) const {
    max_pool(d, detail::as_images(y), detail::as_images(index), detail::as_images(x), rules.geometry(x.shape()));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D>, view<T const, S + 2, D> index,
               view<T const, S + 2, D> dy, view<T const, S + 2, D>, sink<T, S + 2, D> dx) const {
    if (dx)
      max_pool_gradient(d, detail::as_images(dx), detail::as_images(dy), detail::as_images(index),
                        rules.geometry(x.shape()));
  }
};

namespace detail {

template <int S> pool_rules<S> max_pool_rules(std::string_view name, per_axis<S> const& kernel,
                                              max_pool_options<S> const& o) {
  return window_rules(name, kernel, o.stride, o.padding, o.dilation, o.ceil_mode);
}

// The number of a tap becomes the place in its plane that the tap reads.
struct pool_place_row {
  pool_axis rows, columns;
  constexpr void operator()(auto at, auto row, auto place) const {
    auto const p = static_cast<std::ptrdiff_t>(row[0]);
    for (std::ptrdiff_t q = 0; q < at.size(); ++q) {
      std::ptrdiff_t const tap = pool_tap_number(at[q]);
      place.put(q, tap < 0
                       ? -1
                       : rows.element(p, tap / columns.kernel) * columns.in + columns.element(q, tap % columns.kernel));
    }
  }
};

template <int S, class D, class T>
tensor<std::int64_t, S + 2, D> pool_places(D d, pool_rules<S> const& rules, view<T const, S + 2, D> x) {
  auto const extents = rules.shape_of("max_pool", x.shape());
  auto const g = rules.geometry(x.shape());
  tensor<T, S + 2, D> y(extents, uninitialized), index(extents, uninitialized);
  tensor<std::int64_t, S + 2, D> places(extents, uninitialized);
  max_pool(d, as_images(y.view()), as_images(index.view()), as_images(x), g);
  tensor<std::int64_t, 1, scalar> count(shape<1>{{g.rows.out}}, uninitialized);
  for (std::ptrdiff_t p = 0; p < g.rows.out; ++p) count(p) = p;
  auto const numbers = pool_table<D>(count);
  view<std::int64_t const, 4, D> const row(numbers.data(), shape<4>{{1, 1, g.rows.out, 1}});
  if (y.size() > 0)
    for_each_row(d, 3, pool_place_row{g.rows, g.columns}, as_images(as_view(index)), row, as_images(places.view()));
  return places;
}

}  // namespace detail

template <operand X> auto max_pool1d(X&& x, per_axis<1> const& kernel, max_pool_options<1> const& o = {}) {
  return detail::apply_pool<1>(max_pool_op<1>{detail::max_pool_rules("max_pool1d", kernel, o)}, std::forward<X>(x));
}
template <operand X> auto max_pool2d(X&& x, per_axis<2> const& kernel, max_pool_options<2> const& o = {}) {
  return detail::apply_pool<2>(max_pool_op<2>{detail::max_pool_rules("max_pool2d", kernel, o)}, std::forward<X>(x));
}
template <operand X> auto adaptive_max_pool1d(X&& x, per_axis<1> const& windows) {
  return detail::apply_pool<1>(max_pool_op<1>{detail::adaptive_rules("adaptive_max_pool1d", windows)},
                               std::forward<X>(x));
}
template <operand X> auto adaptive_max_pool2d(X&& x, per_axis<2> const& windows) {
  return detail::apply_pool<2>(max_pool_op<2>{detail::adaptive_rules("adaptive_max_pool2d", windows)},
                               std::forward<X>(x));
}

// Tensors, views and parameters: a place is a number, not a value with a gradient. -1 where a window is empty.
template <operand X>
  requires(!recorded<X>)
auto max_pool2d_indices(X const& x, per_axis<2> const& kernel, max_pool_options<2> const& o = {}) {
  static_assert(rank_of<X> == 4, "limbic: max_pool2d_indices takes images (N, C, H, W)");
  return detail::pool_places<2>(device_of<X>{}, detail::max_pool_rules("max_pool2d_indices", kernel, o), as_view(x));
}
template <operand X>
  requires(!recorded<X>)
auto adaptive_max_pool2d_indices(X const& x, per_axis<2> const& windows) {
  static_assert(rank_of<X> == 4, "limbic: adaptive_max_pool2d_indices takes images (N, C, H, W)");
  return detail::pool_places<2>(device_of<X>{}, detail::adaptive_rules("adaptive_max_pool2d_indices", windows),
                                as_view(x));
}

// The greatest of each channel.
template <operand X> auto global_max_pool(X&& x) {
  constexpr bool fit = rank_of<X> >= 3;
  if constexpr (fit) return max(flatten<2>(std::forward<X>(x)), 2);
  else static_assert(fit, "limbic: global_max_pool takes (N, C, L) or (N, C, H, W)");
}

LIMBIC_END
