// limbic/ops/soft_histogram.hpp - how many elements lie in each of equally wide bins, counted so that it has a gradient
//
//   soft_histogram(x, {.bins = 8, .low = -1, .high = 1})          of all elements
//   soft_histogram(x, {.bins = 8, .low = -1, .high = 1}, 1)       of each line along axis 1
//
//   h_i = sum over x of  s((x - e_i) / b) - s((x - e_{i+1}) / b),     e_i = low + i w,   w = (high - low) / bins
//       = K sum over x of  s((x - e_i) / b) s((e_{i+1} - x) / b),     K = 1 - e^(-w/b),  s the logistic sigmoid
//
// The second line is computed: nothing cancels in it. An element counts with a weight between 0 and 1 that changes over a
// few b on either side of an edge; its weights over all bins add up to s((x - low) / b) - s((x - high) / b), nearly 1
// within the range. As b goes to 0, h goes to the counts of data/histogram.hpp (but for elements on an edge, which count
// by half in both bins). The bandwidth b is a fraction of the bins' width, `bandwidth` w.
//
// shape   any -> (bins); along an axis: that axis has `bins` elements in place of its own
// adjoint x' += sum_i h'_i f_i(x) (s((e_{i+1} - x) / b) - s((x - e_i) / b)) / b,   f_i(x): what x adds to h_i
// domain  bins >= 1; low < high, both finite, and apart by a finite number; bandwidth > 0. Infinite elements count nowhere,
//         like those far outside of the range; a NaN makes all bins of its line NaN. Of no elements all heights are 0.
//         normalize divides a line's heights by their sum, so that they sum to 1; NaN where that is 0
// source  the binning of Ustinova and Lempitsky 2016, arXiv:1611.00822, with a logistic kernel
#pragma once

#include <limbic/ops/along.hpp>
#include <limbic/ops/div.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/ops/sum.hpp>

LIMBIC_BEGIN

struct soft_histogram_options {
  std::ptrdiff_t bins = 10;
  double low = 0, high = 1;  // the range, which the bins share evenly
  double bandwidth = 0.1;    // of the edges, in widths of a bin
  bool normalize = false;    // heights that sum to 1
};

namespace detail {

// A bin of soft_histogram: what an element adds to it, and the slope of that.
struct soft_bin {
  double low, high, inverse_bandwidth, scale;
  template <class V> constexpr V above(V x) const {
    return math::sigmoid((x - math::constant<V>(low)) * math::constant<V>(inverse_bandwidth));
  }
  template <class V> constexpr V below(V x) const {
    return math::sigmoid((math::constant<V>(high) - x) * math::constant<V>(inverse_bandwidth));
  }
};
struct soft_bin_height : soft_bin {
  template <class V> constexpr V operator()(V x) const { return math::constant<V>(scale) * above(x) * below(x); }
};
struct soft_bin_slope : soft_bin {
  template <class V> constexpr V operator()(V x, V dy) const {
    V const a = above(x), b = below(x);
    return dy * (math::constant<V>(scale * inverse_bandwidth) * a * b * (b - a));
  }
};

struct soft_bins {
  std::ptrdiff_t bins;
  double low, high, inverse_bandwidth, scale;

  constexpr soft_bin bin(std::ptrdiff_t i) const { return {edge(i), edge(i + 1), inverse_bandwidth, scale}; }
  constexpr double edge(std::ptrdiff_t i) const {
    return i == bins ? high : low + static_cast<double>(i) * ((high - low) / static_cast<double>(bins));
  }
};
struct soft_histogram_forward : soft_bins {
  constexpr void operator()(auto x, auto y) const {
    for (std::ptrdiff_t i = 0; i < bins; ++i) y.put(i, fold(sum_of{}, soft_bin_height{bin(i)}, x));
  }
};
struct soft_histogram_adjoint : soft_bins {
  constexpr void operator()(auto x, auto dy, auto dx) const {
    for (std::ptrdiff_t i = 0; i < bins; ++i) {
      map(dx, soft_bin_slope{bin(i)}, x, dy[i]);
      dx.add = true;
    }
  }
};

}  // namespace detail

struct soft_histogram_op {
  static constexpr std::string_view name = "soft_histogram";
  static constexpr keep needs = keep::input;
  detail::soft_bins bins;
  int axis = 0;

  template <int R> shape<R> shape_of(shape<R> x) const {
    x[normalize_axis(name, axis, R)] = bins.bins;
    return x;
  }
  template <class D, class X> void forward(D d, auto y, X x) const {
    if (x.size() == 0) return fill(d, y, typename X::value_type(0));
    for_each_row(d, axis, detail::soft_histogram_forward{bins}, x, y);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    if (!dx || x.size() == 0) return;
    for_each_row(d, axis, detail::soft_histogram_adjoint{bins}, x, dy, dx);
  }
};

namespace detail {
// T: the number in which bins are told apart.
template <class T> soft_bins make_soft_bins(soft_histogram_options const& o) {
  constexpr std::string_view name = "soft_histogram";
  if (o.bins < 1) fail<argument_error>(name, "there must be at least one bin, but bins is ", o.bins);
  if (!(o.low < o.high) || !math::isfinite(o.high - o.low))
    fail<argument_error>(name, "low must be less than high and both finite, but the range is ", o.low, " to ", o.high);
  double const inverse = static_cast<double>(o.bins) / (o.high - o.low) / o.bandwidth;
  if (!(o.bandwidth > 0) || !math::isfinite(o.bandwidth) || !math::isfinite(static_cast<T>(inverse)))
    fail<argument_error>(name, "the bandwidth must be positive and not below all numbers, but is ", o.bandwidth,
                         " of a bin's width ", (o.high - o.low) / static_cast<double>(o.bins));
  return {o.bins, o.low, o.high, inverse, -math::expm1(-1 / o.bandwidth)};
}
}  // namespace detail

template <operand X> auto soft_histogram(X&& x, soft_histogram_options const& o, int axis) {
  auto const bins = detail::make_soft_bins<base_of<element_of<X>>>(o);
  auto heights = detail::apply_along(soft_histogram_op{bins, axis}, std::forward<X>(x));
  if (!o.normalize) return heights;
  auto const total = sum(heights, axis, keepdim);
  return div(heights, total);
}
template <operand X> auto soft_histogram(X&& x, soft_histogram_options const& o) {
  return soft_histogram(reshape(std::forward<X>(x), shape<1>{{x.shape().size()}}), o, 0);
}

LIMBIC_END
