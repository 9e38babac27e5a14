// limbic/data/histogram.hpp - how many elements lie in each of equally wide bins
//
//   auto const h = histogram(x, {.bins = 20});          from the least element to the greatest
//   auto const h = histogram(x, {.bins = 8, .low = -1, .high = 1});
//   h.counts(i)                                         elements in [edges(i), edges(i + 1)); the last bin holds its end too
//   h.density()                                         counts / (their sum times the width): integrates to 1
//
//   auto const lines = histogram(x, {.bins = 8}, 1);    each line along axis 1 by itself, all in the same bins
//   lines.heights()                                     counts / their sum in each line: frames' features
//
// As numpy.histogram: elements outside of the range are not counted; where the least and the greatest are equal the
// range is half a unit to either side; of no elements it is [0, 1]. Counting has no gradient: see ops/soft_histogram.hpp.
//
// shape   any -> counts (bins), edges (bins + 1); along an axis: in counts it has `bins` elements in place of its own
// domain  bins >= 1; finite low < high, or neither given; elements are finite where the range comes from them (outside of a
//         given range, NaN too, they are not counted)
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/math/base.hpp>

#include <limits>

LIMBIC_BEGIN

struct histogram_options {
  std::ptrdiff_t bins = 10;
  double low = std::numeric_limits<double>::quiet_NaN();  // NaN: from the elements
  double high = std::numeric_limits<double>::quiet_NaN();
};

// What was counted.
struct histogram_result {
  tensor<std::int64_t, 1, scalar> counts;  // of each bin
  tensor<double, 1, scalar> edges;         // of the bins, one more than those

  // All that was counted.
  std::int64_t total() const {
    std::int64_t n = 0;
    for (auto const c : counts) n += c;
    return n;
  }
  // Of nothing: NaN, as in NumPy.
  tensor<double, 1, scalar> density() const {
    tensor<double, 1, scalar> d(counts.shape());
    double const n = static_cast<double>(total());
    for (std::ptrdiff_t i = 0; i < d.size(); ++i) d(i) = static_cast<double>(counts(i)) / (edges(i + 1) - edges(i)) / n;
    return d;
  }
};

// What was counted in each line along an axis.
template <int R> struct line_histograms {
  tensor<std::int64_t, R, scalar> counts;  // bins in place of the axis
  tensor<double, 1, scalar> edges;         // of the bins, the same for all lines
  int axis = 0;                            // which it was, from the front

  // Counts over their sum in each line; of a line in which nothing was counted: NaN.
  tensor<double, R, scalar> heights() const {
    tensor<double, R, scalar> h(counts.shape());
    std::ptrdiff_t const bins = counts.extent(axis);
    std::ptrdiff_t step = 1;
    for (int a = axis + 1; a < R; ++a) step *= counts.extent(a);
    for (std::ptrdiff_t k = 0; k < counts.size(); ++k) {
      std::ptrdiff_t const first = k / (bins * step) * (bins * step) + k % step;
      std::int64_t n = 0;
      for (std::ptrdiff_t i = 0; i < bins; ++i) n += counts.data()[first + i * step];
      h.data()[k] = static_cast<double>(counts.data()[k]) / static_cast<double>(n);
    }
    return h;
  }
};

namespace detail {

// Where the bins of these options lie for the elements of x.
template <class T, int R, class D>
tensor<double, 1, scalar> histogram_edges(tensor<T, R, D> const& x, histogram_options const& options) {
  if (options.bins < 1) fail<argument_error>("histogram", "there must be at least one bin, but bins is ", options.bins);
  double low = options.low, high = options.high;
  if (math::isnan(low) && math::isnan(high)) {
    low = x.size() > 0 ? static_cast<double>(x.data()[0]) : 0;
    high = x.size() > 0 ? low : 1;
    for (T const v : x) {
      double const d = static_cast<double>(v);
      if (!math::isfinite(d))
        fail<argument_error>("histogram", "an element is ", d, ": its range must be given by low and high");
      low = d < low ? d : low;
      high = d > high ? d : high;
    }
    if (low == high) low -= 0.5, high += 0.5;
  }
  if (!(low < high) || !math::isfinite(low) || !math::isfinite(high))
    fail<argument_error>("histogram", "low must be less than high and both finite, but the range is ", low, " to ",
                         high);
  tensor<double, 1, scalar> edges(shape<1>{{options.bins + 1}});
  double const width = (high - low) / static_cast<double>(options.bins);
  for (std::ptrdiff_t i = 0; i < options.bins; ++i) edges(i) = low + static_cast<double>(i) * width;
  edges(options.bins) = high;
  return edges;
}

// The bin of d, or -1 for none.
inline std::ptrdiff_t histogram_bin(tensor<double, 1, scalar> const& edges, double d) {
  std::ptrdiff_t const bins = edges.size() - 1;
  double const low = edges(0), high = edges(bins);
  if (!(d >= low && d <= high)) return -1;
  // Rounding may miss by one: the edges decide.
  auto i = static_cast<std::ptrdiff_t>((d - low) / (high - low) * static_cast<double>(bins));
  if (i >= bins) i = bins - 1;
  if (d < edges(i)) return i - 1;
  return i + 1 < bins && d >= edges(i + 1) ? i + 1 : i;
}

}  // namespace detail

template <class T, int R, class D>
  requires(is_host<D> && std::is_arithmetic_v<T>)
histogram_result histogram(view<T const, R, D> const& x, histogram_options const& options = {}) {
  tensor<T, R, D> const own(x);
  auto edges = detail::histogram_edges(own, options);
  tensor<std::int64_t, 1, scalar> counts(shape<1>{{options.bins}});
  for (T const v : own)
    if (auto const i = detail::histogram_bin(edges, static_cast<double>(v)); i >= 0) ++counts(i);
  return {std::move(counts), std::move(edges)};
}
template <class T, int R, class D> auto histogram(tensor<T, R, D> const& x, histogram_options const& options = {}) {
  return histogram(x.view(), options);
}

template <class T, int R, class D>
  requires(is_host<D> && std::is_arithmetic_v<T> && R >= 1)
line_histograms<R> histogram(view<T const, R, D> const& x, histogram_options const& options, int axis) {
  axis = normalize_axis("histogram", axis, R);
  tensor<T, R, D> const own(x);
  auto edges = detail::histogram_edges(own, options);
  auto extents = own.shape();
  extents[axis] = options.bins;
  tensor<std::int64_t, R, scalar> counts(extents);
  std::ptrdiff_t const n = own.extent(axis);
  std::ptrdiff_t inner = 1;  // elements between neighbours of a line
  for (int a = axis + 1; a < R; ++a) inner *= own.extent(a);
  for (std::ptrdiff_t k = 0; k < own.size(); ++k)
    if (auto const i = detail::histogram_bin(edges, static_cast<double>(own.data()[k])); i >= 0)
      ++counts.data()[(k / (n * inner) * options.bins + i) * inner + k % inner];
  return {std::move(counts), std::move(edges), axis};
}
template <class T, int R, class D>
auto histogram(tensor<T, R, D> const& x, histogram_options const& options, int axis) {
  return histogram(x.view(), options, axis);
}

LIMBIC_END
