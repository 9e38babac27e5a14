// limbic/ops/pooling.hpp - what max_pool and avg_pool share: how many windows there are, and where
//
// The rule of ceil_mode is PyTorch's: rounded up, the last window may reach beyond the padding, but it must start inside
// of the axis or of the padding before it.
#pragma once

#include <limbic/kernels/pool.hpp>
#include <limbic/ops/op.hpp>
#include <limbic/ops/per_axis.hpp>

LIMBIC_BEGIN
namespace detail {

// What was asked for, before an operand is seen.
template <int S> struct pool_rules {
  pool_axis axes[S];  // adaptive ones know `out`
  bool ceil_mode = false;

  shape<S + 2> shape_of(std::string_view name, shape<S + 2> x) const {
    shape<S + 2> const from = x;
    for (int i = 0; i < S; ++i) {
      pool_axis const a = axis(i, from);
      if (a.in < 1) fail<shape_error>(name, "axis ", 2 + i, " of x ", from, " has no elements to choose from");
      if (!axes[i].adaptive && a.reach() > a.in + 2 * a.padding)
        fail<shape_error>(name, "a window reaches over ", a.reach(), " elements, the padded axis ", 2 + i, " of x ",
                          from, " has ", a.in + 2 * a.padding);
      x[2 + i] = a.out;
    }
    return x;
  }
  // Taps of all windows, those outside of the image too.
  double taps(std::string_view name, shape<S + 2> const& x) const {
    double n = static_cast<double>(shape_of(name, x).size());
    for (int i = 0; i < S; ++i) n *= static_cast<double>(axis(i, x).kernel);
    return n;
  }
  // For images; a signal is an image of one row.
  pool_geometry geometry(shape<S + 2> const& x) const {
    if constexpr (S == 1) return {pool_axis{}, axis(0, x)};
    else return {axis(0, x), axis(1, x)};
  }

 private:
  pool_axis axis(int i, shape<S + 2> const& x) const {
    pool_axis a = axes[i];
    a.in = x[2 + i];
    if (!a.adaptive) {
      std::ptrdiff_t const last = a.in + 2 * a.padding - a.reach();  // where the last window may start
      a.out = (last + (ceil_mode ? a.stride - 1 : 0)) / a.stride + 1;
      if (ceil_mode && (a.out - 1) * a.stride >= a.in + a.padding) --a.out;
    } else if (a.in % a.out == 0) {  // windows of one extent, side by side
      a.adaptive = false;
      a.kernel = a.stride = a.in / a.out;
    } else {
      a.kernel = a.in / a.out + 2;
    }
    return a;
  }
};

template <int S>
pool_rules<S> window_rules(std::string_view name, per_axis<S> const& kernel, per_axis<S> const& stride,
                           per_axis<S> const& padding, per_axis<S> const& dilation, bool ceil_mode) {
  pool_rules<S> r;
  r.ceil_mode = ceil_mode;
  for (int i = 0; i < S; ++i) {
    pool_axis& a = r.axes[i];
    a.kernel = kernel.of[i];
    a.stride = stride.of[i] == 0 ? kernel.of[i] : stride.of[i];
    a.padding = padding.of[i];
    a.dilation = dilation.of[i];
    if (a.kernel < 1 || a.stride < 1 || a.dilation < 1)
      fail<argument_error>(name, "kernel, stride and dilation must be at least 1, but are ", kernel.of, ", ", stride.of,
                           " and ", dilation.of);
    if (a.padding < 0 || a.padding > a.reach() / 2)
      fail<argument_error>(name, "padding must lie between 0 and half a window of ", a.reach(), ", but is ", a.padding);
  }
  return r;
}

template <int S> pool_rules<S> adaptive_rules(std::string_view name, per_axis<S> const& windows) {
  pool_rules<S> r;
  for (int i = 0; i < S; ++i) {
    if (windows.of[i] < 1) fail<argument_error>(name, "the number of windows must be at least 1, but is ", windows.of);
    r.axes[i].out = windows.of[i];
    r.axes[i].adaptive = true;
  }
  return r;
}

template <int S, class Op, operand X> auto apply_pool(Op const& o, X&& x) {
  constexpr bool fit = rank_of<X> == S + 2;
  if constexpr (fit) return apply(o, std::forward<X>(x));
  else static_assert(fit, "limbic: pooling in 1d takes signals (N, C, L), in 2d images (N, C, H, W)");
}

}  // namespace detail
LIMBIC_END
