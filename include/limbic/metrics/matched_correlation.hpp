// limbic/metrics/matched_correlation.hpp - recovered sources against true ones, in whatever order and with whatever sign they came
//
//   auto const m = matched_correlation(sources, estimates);
//   m.mean                                  the mean correlation coefficient (MCC) of the papers on nonlinear ICA
//   m.assignment(i), m.sign(i), m.matched(i)          the estimate of source i, -1 for none; its sign and |correlation|, 0 for none
//   m.correlation(i, j)                     |correlation| of source i and estimate j, 0 where either is constant
//
// The matching takes min(n, k) pairs, each source and each estimate at most once, of the greatest summed |correlation|; the
// mean is over these pairs. With {.spearman = true} ranks are correlated (equal samples share their mean rank): any monotone
// function of a source then recovers it. Source: A. Hyvarinen and H. Morioka, Unsupervised feature extraction by
// time-contrastive learning and nonlinear ICA, NeurIPS 2016.
//
// shape   sources (T, n), estimates (T, k), time first
// domain  T >= 2, n and k >= 1, all finite
#pragma once

#include <limbic/metrics/linear_sum_assignment.hpp>

#include <algorithm>
#include <cmath>

LIMBIC_BEGIN

struct matched_correlation_options {
  bool spearman = false;  // correlate ranks
};

// How estimates fit to sources.
struct matched_correlation_result {
  tensor<double, 2, scalar> correlation;       // (n, k), magnitudes
  tensor<std::int64_t, 1, scalar> assignment;  // (n) estimate of each source, -1 for none
  tensor<std::int64_t, 1, scalar> sign;        // (n) of the pair's correlation, 0 for none
  tensor<double, 1, scalar> matched;           // (n) |correlation| of the pair, 0 for none
  double mean = 0;                             // over the pairs
};

namespace detail {

// The place of each element among all, from 1 on; equal ones share the mean of theirs.
inline number_list mean_ranks(number_list const& x) {
  std::vector<std::size_t> order(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  number_list ranks(x.size());
  for (std::size_t first = 0, end = 0; first < x.size(); first = end) {
    for (end = first + 1; end < x.size() && x[order[end]] == x[order[first]];) ++end;
    for (std::size_t k = first; k < end; ++k) ranks[order[k]] = 0.5 * to_double(first + 1 + end);
  }
  return ranks;
}

// The columns of (T, n) as lists of mean 0 and norm 1; 0 where a column is constant.
inline std::vector<number_list> normalized_columns(number_list const& x, shape<2> const& extents, bool ranks) {
  auto const length = static_cast<std::size_t>(extents[0]), count = static_cast<std::size_t>(extents[1]);
  std::vector<number_list> columns(count, number_list(length));
  for (std::size_t c = 0; c < count; ++c) {
    auto& column = columns[c];
    for (std::size_t t = 0; t < length; ++t) column[t] = x[t * count + c];
    if (ranks) column = mean_ranks(column);
    // Between -1 and 1 no square of a large or small signal leaves the range of a double.
    auto const [low, high] = std::minmax_element(column.begin(), column.end());
    double const first = column[0], scale = math::max(math::abs(*low), math::abs(*high));
    bool const constant = *low == *high;
    double mean = 0, squares = 0;
    for (double& v : column) v = constant ? 0 : v / scale - first / scale, mean += v;
    for (double& v : column) v -= mean / to_double(length), squares += v * v;
    for (double& v : column) v = ratio(v, std::sqrt(squares));
  }
  return columns;
}

inline matched_correlation_result match_columns(number_list const& sources, shape<2> const& s,
                                                number_list const& estimates, shape<2> const& e,
                                                matched_correlation_options const& o) {
  constexpr std::string_view name = "matched_correlation";
  if (s[0] != e[0] || s[0] < 2 || s[1] < 1 || e[1] < 1)
    fail<shape_error>(name, "sources must be (T, n) and estimates (T, k) with T >= 2 and n, k >= 1, but are ", s,
                      " and ", e);
  require_all_finite(name, "samples of the sources", sources);
  require_all_finite(name, "samples of the estimates", estimates);
  auto const a = normalized_columns(sources, s, o.spearman), b = normalized_columns(estimates, e, o.spearman);
  std::size_t const n = a.size(), k = b.size();
  number_list correlation(n * k, 0), cost(n * k);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < k; ++j) {
      double& r = correlation[i * k + j];
      for (std::size_t t = 0; t < a[i].size(); ++t) r += a[i][t] * b[j][t];
      r = math::max(-1.0, math::min(1.0, r));
      cost[i * k + j] = -math::abs(r);
    }
  matched_correlation_result m;
  shape<1> const each{{s[1]}};
  m.correlation = tensor<double, 2, scalar>(shape<2>{{s[1], e[1]}});
  for (std::size_t i = 0; i < n * k; ++i) m.correlation.data()[i] = math::abs(correlation[i]);
  m.assignment = from_list(assign(cost, n, k));
  m.sign = tensor<std::int64_t, 1, scalar>(each);
  m.matched = tensor<double, 1, scalar>(each);
  for (std::ptrdiff_t i = 0; i < s[1]; ++i) {
    if (m.assignment(i) < 0) continue;
    double const r = correlation[static_cast<std::size_t>(i * e[1] + m.assignment(i))];
    m.sign(i) = (r > 0) - (r < 0);
    m.matched(i) = math::abs(r);
    m.mean += m.matched(i);
  }
  m.mean /= to_double(std::min(n, k));
  return m;
}

}  // namespace detail

template <detail::metric_matrix S, detail::metric_matrix E>
matched_correlation_result matched_correlation(S const& sources, E const& estimates,
                                               matched_correlation_options const& o = {}) {
  return detail::match_columns(detail::numbers_of(sources), sources.shape(), detail::numbers_of(estimates),
                               estimates.shape(), o);
}

LIMBIC_END
