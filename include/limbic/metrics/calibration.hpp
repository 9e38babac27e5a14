// limbic/metrics/calibration.hpp - whether predicted probabilities are as often right as they say
//
//   brier_score(labels, p)                 p (N): mean (p - y)^2; p (N, C): mean over samples of sum_c (p_c - [y = c])^2
//   log_loss(labels, p)                    p (N): mean -log of the probability given to the label; +inf where that is 0
//   auto const c = reliability_curve(labels, p, {.bins = 15});
//   c.counts(b), c.accuracy(b), c.confidence(b)       samples of a bin, how many are right, how sure they were
//   expected_calibration_error(labels, p, {.bins = 15})       sum_b counts_b / N |accuracy_b - confidence_b|
//   maximum_calibration_error(labels, p, {.bins = 15})        the largest of these gaps
//
// Of p (N, C) a sample's confidence is its largest probability, and it is right where that class (the lowest at a tie) is its
// label. Of p (N), probabilities of label 1, the confidence is p, and right is the label. Bin b holds confidences in
// (b/B, (b+1)/B], the first one 0 too; an empty bin has means of 0 and no gap. brier_score and log_loss of p (N) take weights
// of the samples as a third operand. Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural
// networks, ICML 2017.
//
// shape   labels (N) of integers; p (N) or (N, C); weights (N)
// domain  N >= 1; labels 0 or 1, or in [0, C); probabilities in [0, 1] (that rows add up to 1 is not asked for); bins >= 1;
//         weights finite, >= 0, not all 0
#pragma once

#include <limbic/metrics/operands.hpp>

#include <cmath>

LIMBIC_BEGIN

struct calibration_options {
  std::ptrdiff_t bins = 15;
};

// How right and how sure the samples of each bin are.
struct reliability_curve_result {
  tensor<std::int64_t, 1, scalar> counts;  // samples of each bin
  tensor<double, 1, scalar> accuracy;      // share of them that is right
  tensor<double, 1, scalar> confidence;    // mean of their confidences
};

namespace detail {

inline void require_binary(std::string_view name, label_list const& labels, number_list const& p) {
  require_as_many(name, "labels", labels.size(), "probabilities", p.size());
  require_samples(name, labels.size());
  require_classes(name, "labels", labels, 2);
  require_probabilities(name, p);
}
inline void require_multiclass(std::string_view name, label_list const& labels, number_list const& p,
                               shape<2> const& extents) {
  require_as_many(name, "labels", labels.size(), "rows of probabilities", static_cast<std::size_t>(extents[0]));
  require_samples(name, labels.size());
  require_classes(name, "labels", labels, extents[1]);
  require_probabilities(name, p);
}

// The mean of f(label, probability), weighted where there are weights.
template <class F>
double binary_mean(std::string_view name, label_list const& labels, number_list const& p, number_list const* weights,
                   F const& f) {
  require_binary(name, labels, p);
  double const total = weights != nullptr ? require_weights(name, *weights, labels.size()) : to_double(labels.size());
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    double const w = weights != nullptr ? (*weights)[i] : 1;
    if (w > 0) sum += w * f(static_cast<double>(labels[i]), p[i]);
  }
  return sum / total;
}
inline double binary_brier(label_list const& labels, number_list const& p, number_list const* weights = nullptr) {
  return binary_mean("brier_score", labels, p, weights, [](double y, double q) { return (q - y) * (q - y); });
}
inline double binary_log_loss(label_list const& labels, number_list const& p, number_list const* weights = nullptr) {
  return binary_mean("log_loss", labels, p, weights,
                     [](double y, double q) { return y > 0 ? -std::log(q) : -std::log1p(-q); });
}

inline double multiclass_brier(label_list const& labels, number_list const& p, shape<2> const& extents) {
  require_multiclass("brier_score", labels, p, extents);
  auto const classes = static_cast<std::size_t>(extents[1]);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    double const d = p[i] - (static_cast<std::size_t>(labels[i / classes]) == i % classes ? 1 : 0);
    sum += d * d;
  }
  return sum / to_double(labels.size());
}

// One confidence in [0, 1] for each sample, and whether it is right.
inline reliability_curve_result count_bins(std::string_view name, label_list const& right,
                                           number_list const& confidence, calibration_options const& o) {
  if (o.bins < 1) fail<argument_error>(name, "there must be at least one bin, but bins is ", o.bins);
  shape<1> const each{{o.bins}};
  reliability_curve_result r{tensor<std::int64_t, 1, scalar>(each), tensor<double, 1, scalar>(each),
                             tensor<double, 1, scalar>(each)};
  double const bins = static_cast<double>(o.bins);
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    double const c = confidence[i];
    auto b = static_cast<std::ptrdiff_t>(c * bins);
    if (b >= o.bins) b = o.bins - 1;
    // Rounding may miss by one, and a bin does not hold its lower edge.
    if (b > 0 && c <= static_cast<double>(b) / bins) --b;
    else if (b + 1 < o.bins && c > static_cast<double>(b + 1) / bins) ++b;
    ++r.counts(b);
    r.accuracy(b) += static_cast<double>(right[i]);
    r.confidence(b) += c;
  }
  for (std::ptrdiff_t b = 0; b < o.bins; ++b) {
    r.accuracy(b) = ratio(r.accuracy(b), static_cast<double>(r.counts(b)));
    r.confidence(b) = ratio(r.confidence(b), static_cast<double>(r.counts(b)));
  }
  return r;
}
template <class L, metric_scores P>
reliability_curve_result reliability(std::string_view name, L const& labels, P const& p, calibration_options const& o) {
  auto const y = labels_of(labels);
  auto const q = numbers_of(p);
  require_binary(name, y, q);
  return count_bins(name, y, q, o);
}
inline reliability_curve_result top_reliability(std::string_view name, label_list const& labels, number_list const& p,
                                                shape<2> const& extents, calibration_options const& o) {
  require_multiclass(name, labels, p, extents);
  auto const classes = static_cast<std::size_t>(extents[1]);
  label_list right;
  number_list confidence;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::size_t best = 0;
    for (std::size_t c = 1; c < classes; ++c)
      if (p[i * classes + c] > p[i * classes + best]) best = c;
    right.push_back(static_cast<std::size_t>(labels[i]) == best ? 1 : 0);
    confidence.push_back(p[i * classes + best]);
  }
  return count_bins(name, right, confidence, o);
}
template <class L, metric_matrix P>
reliability_curve_result reliability(std::string_view name, L const& labels, P const& p, calibration_options const& o) {
  return top_reliability(name, labels_of(labels), numbers_of(p), p.shape(), o);
}

}  // namespace detail

template <detail::metric_labels L, detail::metric_scores P> double brier_score(L const& labels, P const& p) {
  return detail::binary_brier(detail::labels_of(labels), detail::numbers_of(p));
}
template <detail::metric_labels L, detail::metric_scores P, detail::metric_scores W>
double brier_score(L const& labels, P const& p, W const& weights) {
  auto const w = detail::numbers_of(weights);
  return detail::binary_brier(detail::labels_of(labels), detail::numbers_of(p), &w);
}
template <detail::metric_labels L, detail::metric_matrix P> double brier_score(L const& labels, P const& p) {
  return detail::multiclass_brier(detail::labels_of(labels), detail::numbers_of(p), p.shape());
}

template <detail::metric_labels L, detail::metric_scores P> double log_loss(L const& labels, P const& p) {
  return detail::binary_log_loss(detail::labels_of(labels), detail::numbers_of(p));
}
template <detail::metric_labels L, detail::metric_scores P, detail::metric_scores W>
double log_loss(L const& labels, P const& p, W const& weights) {
  auto const w = detail::numbers_of(weights);
  return detail::binary_log_loss(detail::labels_of(labels), detail::numbers_of(p), &w);
}

template <detail::metric_labels L, detail::metric_signal P>
reliability_curve_result reliability_curve(L const& labels, P const& p, calibration_options const& o = {}) {
  return detail::reliability("reliability_curve", labels, p, o);
}

template <detail::metric_labels L, detail::metric_signal P>
double expected_calibration_error(L const& labels, P const& p, calibration_options const& o = {}) {
  auto const r = detail::reliability("expected_calibration_error", labels, p, o);
  double sum = 0;
  for (std::ptrdiff_t b = 0; b < o.bins; ++b)
    sum += static_cast<double>(r.counts(b)) * math::abs(r.accuracy(b) - r.confidence(b));
  return sum / static_cast<double>(labels.size());
}

template <detail::metric_labels L, detail::metric_signal P>
double maximum_calibration_error(L const& labels, P const& p, calibration_options const& o = {}) {
  auto const r = detail::reliability("maximum_calibration_error", labels, p, o);
  double most = 0;
  for (std::ptrdiff_t b = 0; b < o.bins; ++b) most = math::max(most, math::abs(r.accuracy(b) - r.confidence(b)));
  return most;
}

LIMBIC_END
