// limbic/metrics/ranking.hpp - how well scores put positive samples before negative ones
//
//   roc_auc(labels, scores)                 P(s+ > s-) + P(s+ = s-) / 2 over all pairs of a positive and a negative sample
//   average_precision(labels, scores)       sum_k (R_k - R_{k-1}) P_k over the distinct scores, descending
//   auto const c = roc_curve(labels, scores);               c.fpr(i), c.tpr(i), c.thresholds(i)
//   auto const p = precision_recall_curve(labels, scores);  p.precision(i), p.recall(i), p.thresholds(i)
//   roc_auc_ovr(labels, probabilities)      mean over the classes of roc_auc(label is c, column c)
//   pair_accuracy(labels, scores, tau)      share of samples with (score > tau) = label
//
// As scikit-learn, without its interpolation: samples of one score count at once, so ties do not depend on the order of the
// samples. Both curves go down through every distinct score (a sample is predicted when its score >= threshold); the ROC
// curve starts at (0, 0) with the threshold +inf. (scikit-learn turns its precision-recall curve around and adds (1, 0).) The
// area is computed by sorting, O(N log N). The first four take weights of the samples as a third operand.
//
// shape   labels (N) of integers, scores (N), weights (N); probabilities (N, C)
// domain  labels 0 or 1, in roc_auc_ovr [0, C); scores any number but NaN; weights finite, >= 0. Both classes must occur with
//         weight; for the precision and its average the positive one is enough
#pragma once

#include <limbic/metrics/operands.hpp>

#include <algorithm>
#include <limits>

LIMBIC_BEGIN

// Points of the ROC curve, from (0, 0) to (1, 1).
struct roc_curve_result {
  tensor<double, 1, scalar> fpr;         // negatives at or above the threshold, as a share
  tensor<double, 1, scalar> tpr;         // positives likewise
  tensor<double, 1, scalar> thresholds;  // descending, the first one +inf
};
// Points of the precision-recall curve, recall ascending to 1.
struct precision_recall_curve_result {
  tensor<double, 1, scalar> precision;   // positives among what lies at or above the threshold; 0 where weights are 0
  tensor<double, 1, scalar> recall;      // positives at or above the threshold, as a share
  tensor<double, 1, scalar> thresholds;  // the distinct scores, descending
};

namespace detail {

// The weight of the positives and negatives at or above each distinct score, descending.
struct ranked_counts {
  number_list thresholds, positives, negatives;
  double positive = 0, negative = 0;  // of all samples
};

// Without weights each sample counts 1.
inline ranked_counts rank_scores(std::string_view name, label_list const& labels, number_list const& scores,
                                 number_list const* weights, bool needs_negative = true) {
  std::size_t const n = labels.size();
  require_as_many(name, "labels", n, "scores", scores.size());
  require_samples(name, n);
  require_classes(name, "labels", labels, 2);
  require_not_nan(name, "scores", scores);
  if (weights != nullptr) require_weights(name, *weights, n);
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);  // a fixed order of summation
  });
  ranked_counts r;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t const i = order[k];
    (labels[i] == 1 ? r.positive : r.negative) += weights != nullptr ? (*weights)[i] : 1.0;
    if (k + 1 < n && scores[order[k + 1]] == scores[i]) continue;
    r.thresholds.push_back(scores[i]);
    r.positives.push_back(r.positive);
    r.negatives.push_back(r.negative);
  }
  if (!(r.positive > 0)) fail<argument_error>(name, "a sample of label 1 is needed, but there is none");
  if (needs_negative && !(r.negative > 0))
    fail<argument_error>(name, "a sample of label 0 is needed, but there is none");
  return r;
}

inline double area_of(ranked_counts const& r) {
  double twice = 0, positives = 0, negatives = 0;  // whole numbers without weights: exact
  for (std::size_t k = 0; k < r.thresholds.size(); ++k) {
    twice += (r.negatives[k] - negatives) * (r.positives[k] + positives);
    positives = r.positives[k];
    negatives = r.negatives[k];
  }
  return twice / (2 * r.positive * r.negative);
}

inline double average_precision_of(ranked_counts const& r) {
  double sum = 0, positives = 0;
  for (std::size_t k = 0; k < r.thresholds.size(); ++k) {
    sum += (r.positives[k] - positives) * ratio(r.positives[k], r.positives[k] + r.negatives[k]);
    positives = r.positives[k];
  }
  return sum / r.positive;
}

inline roc_curve_result roc_of(ranked_counts const& r) {
  number_list fpr{0}, tpr{0}, thresholds{std::numeric_limits<double>::infinity()};
  for (std::size_t k = 0; k < r.thresholds.size(); ++k) {
    fpr.push_back(r.negatives[k] / r.negative);
    tpr.push_back(r.positives[k] / r.positive);
    thresholds.push_back(r.thresholds[k]);
  }
  return {from_list(fpr), from_list(tpr), from_list(thresholds)};
}

inline precision_recall_curve_result precision_recall_of(ranked_counts const& r) {
  number_list precision, recall;
  for (std::size_t k = 0; k < r.thresholds.size(); ++k) {
    precision.push_back(ratio(r.positives[k], r.positives[k] + r.negatives[k]));
    recall.push_back(r.positives[k] / r.positive);
  }
  return {from_list(precision), from_list(recall), from_list(r.thresholds)};
}

inline double ovr_of(label_list const& labels, number_list const& probabilities, std::ptrdiff_t rows,
                     std::ptrdiff_t columns) {
  constexpr std::string_view name = "roc_auc_ovr";
  require_as_many(name, "labels", labels.size(), "rows of probabilities", static_cast<std::size_t>(rows));
  require_classes(name, "labels", labels, columns);
  if (columns < 2) fail<shape_error>(name, "probabilities must have at least 2 columns, but have ", columns);
  double sum = 0;
  for (std::ptrdiff_t c = 0; c < columns; ++c) {
    label_list is_class;
    number_list scores;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      is_class.push_back(labels[i] == c ? 1 : 0);
      scores.push_back(probabilities[i * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)]);
    }
    sum += area_of(rank_scores(name, is_class, scores, nullptr));
  }
  return sum / static_cast<double>(columns);
}

inline double pair_accuracy_of(label_list const& labels, number_list const& scores, double threshold) {
  constexpr std::string_view name = "pair_accuracy";
  require_as_many(name, "labels", labels.size(), "scores", scores.size());
  require_samples(name, labels.size());
  require_classes(name, "labels", labels, 2);
  require_not_nan(name, "scores", scores);
  if (math::isnan(threshold)) fail<argument_error>(name, "the threshold must be a number, but is NaN");
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += (scores[i] > threshold) == (labels[i] == 1) ? 1U : 0U;
  return to_double(right) / to_double(labels.size());
}

template <class L, class S>
ranked_counts rank_operands(std::string_view name, L const& labels, S const& scores, bool needs_negative = true) {
  return rank_scores(name, labels_of(labels), numbers_of(scores), nullptr, needs_negative);
}
template <class L, class S, class W>
ranked_counts rank_operands(std::string_view name, L const& labels, S const& scores, W const& weights,
                            bool needs_negative = true)
  requires metric_scores<W>
{
  auto const w = numbers_of(weights);
  return rank_scores(name, labels_of(labels), numbers_of(scores), &w, needs_negative);
}

}  // namespace detail

template <detail::metric_labels L, detail::metric_scores S, detail::metric_scores... W>
  requires(sizeof...(W) <= 1)
double roc_auc(L const& labels, S const& scores, W const&... weights) {
  return detail::area_of(detail::rank_operands("roc_auc", labels, scores, weights...));
}

template <detail::metric_labels L, detail::metric_scores S, detail::metric_scores... W>
  requires(sizeof...(W) <= 1)
double average_precision(L const& labels, S const& scores, W const&... weights) {
  return detail::average_precision_of(detail::rank_operands("average_precision", labels, scores, weights..., false));
}

template <detail::metric_labels L, detail::metric_scores S, detail::metric_scores... W>
  requires(sizeof...(W) <= 1)
roc_curve_result roc_curve(L const& labels, S const& scores, W const&... weights) {
  return detail::roc_of(detail::rank_operands("roc_curve", labels, scores, weights...));
}

template <detail::metric_labels L, detail::metric_scores S, detail::metric_scores... W>
  requires(sizeof...(W) <= 1)
precision_recall_curve_result precision_recall_curve(L const& labels, S const& scores, W const&... weights) {
  return detail::precision_recall_of(
      detail::rank_operands("precision_recall_curve", labels, scores, weights..., false));
}

// Every class must occur, and another one beside it.
template <detail::metric_labels L, detail::metric_matrix P>
double roc_auc_ovr(L const& labels, P const& probabilities) {
  return detail::ovr_of(detail::labels_of(labels), detail::numbers_of(probabilities), probabilities.shape()[0],
                        probabilities.shape()[1]);
}

template <detail::metric_labels L, detail::metric_scores S>
double pair_accuracy(L const& labels, S const& scores, double threshold) {
  return detail::pair_accuracy_of(detail::labels_of(labels), detail::numbers_of(scores), threshold);
}

LIMBIC_END
