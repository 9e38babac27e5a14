// limbic/data/histogram.hpp - how many elements lie in each of equally wide bins
//
//   auto const h = histogram(x, {.bins = 20});          from the least element to the greatest
//   auto const h = histogram(x, {.bins = 8, .low = -1, .high = 1});
//   h.counts(i)                                         elements in [edges(i), edges(i + 1)); the last bin holds its end too
//   h.density()                                         counts / (their sum times the width): integrates to 1
//
// As numpy.histogram: elements outside of the range are not counted; where the least and the greatest are equal the
// range is half a unit to either side; of no elements it is [0, 1]. Counting has no gradient.
//
// shape   any -> counts (bins), edges (bins + 1)
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

template <class T, int R, class D>
  requires(is_host<D> && std::is_arithmetic_v<T>)
histogram_result histogram(view<T const, R, D> const& x, histogram_options const& options = {}) {
  if (options.bins < 1) fail<argument_error>("histogram", "there must be at least one bin, but bins is ", options.bins);
  tensor<T, R, D> const own(x);
  double low = options.low, high = options.high;
  if (math::isnan(low) && math::isnan(high)) {
    low = own.size() > 0 ? static_cast<double>(own.data()[0]) : 0;
    high = own.size() > 0 ? low : 1;
    for (T const v : own) {
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

  histogram_result h{tensor<std::int64_t, 1, scalar>(shape<1>{{options.bins}}),
                     tensor<double, 1, scalar>(shape<1>{{options.bins + 1}})};
  double const bins = static_cast<double>(options.bins), width = (high - low) / bins;
  for (std::ptrdiff_t i = 0; i < options.bins; ++i) h.edges(i) = low + static_cast<double>(i) * width;
  h.edges(options.bins) = high;
  for (T const v : own) {
    double const d = static_cast<double>(v);
    if (!(d >= low && d <= high)) continue;
    // Rounding may miss by one: the edges decide.
    auto i = static_cast<std::ptrdiff_t>((d - low) / (high - low) * bins);
    if (i >= options.bins) i = options.bins - 1;
    if (d < h.edges(i)) --i;
    else if (i + 1 < options.bins && d >= h.edges(i + 1)) ++i;
    ++h.counts(i);
  }
  return h;
}
template <class T, int R, class D> auto histogram(tensor<T, R, D> const& x, histogram_options const& options = {}) {
  return histogram(x.view(), options);
}

LIMBIC_END
