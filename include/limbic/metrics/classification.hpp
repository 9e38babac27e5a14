// limbic/metrics/classification.hpp - how well predicted classes agree with labels
//
//   accuracy(labels, predictions)                     share of samples whose prediction is the label
//   auto const m = confusion_matrix(labels, predictions, classes);      m(i, j): samples of label i predicted as j
//   normalize_confusion_matrix(m)                     each row over its sum: what became of the samples of one label
//   auto const r = classification_report(m);          or (labels, predictions, classes)
//   r.f1(2), r.macro.f1, r.weighted.precision, r.balanced_accuracy, r.cohen_kappa
//
// With n = m's sum, TP_c = m(c, c), label_c the sum of row c and predicted_c that of column c:
//
//   precision_c = TP_c / predicted_c      recall_c = TP_c / label_c      f1_c = 2 TP_c / (label_c + predicted_c)
//   macro: mean over all classes          weighted: mean with the weights label_c
//   balanced_accuracy = mean recall of the classes that occur as labels
//   cohen_kappa = (accuracy - e) / (1 - e),   e = sum_c label_c predicted_c / n^2
//
// 0 over 0 is 0 (scikit-learn's zero_division=0). Averages over totals ("micro") are all the accuracy. Matrices of batches
// may be added before they are reported.
//
// shape   labels, predictions (N) of integers; m (C, C)
// domain  N >= 1, classes >= 1, labels and predictions in [0, classes); counts not negative, not all 0
#pragma once

#include <limbic/metrics/operands.hpp>

LIMBIC_BEGIN

// Samples by label (row) and prediction (column).
using confusion_counts = tensor<std::int64_t, 2, scalar>;

// The three measures of one class, or their average over classes.
struct precision_recall_f1 {
  double precision = 0;  // share of what was predicted that is right
  double recall = 0;     // share of what is there that was predicted
  double f1 = 0;         // harmonic mean of both; of an average: the average of the classes' f1
};

// What classification_report says.
struct classification_report_result {
  tensor<double, 1, scalar> precision, recall, f1;  // of each class
  tensor<std::int64_t, 1, scalar> support;          // labels of each class
  precision_recall_f1 macro;                        // plain mean over all classes
  precision_recall_f1 weighted;                     // mean with the support as weights
  double accuracy = 0;                              // share of samples whose prediction is the label
  double balanced_accuracy = 0;                     // mean recall of the classes that occur
  double cohen_kappa = 0;                           // agreement beyond chance, 1 at best; 0 where only one class occurs
};

namespace detail {

inline double accuracy_of(label_list const& labels, label_list const& predictions) {
  require_as_many("accuracy", "labels", labels.size(), "predictions", predictions.size());
  require_samples("accuracy", labels.size());
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += labels[i] == predictions[i] ? 1U : 0U;
  return to_double(right) / to_double(labels.size());
}

inline confusion_counts count_confusion(label_list const& labels, label_list const& predictions,
                                        std::ptrdiff_t classes) {
  constexpr std::string_view name = "confusion_matrix";
  if (classes < 1) fail<argument_error>(name, "there must be at least one class, but classes is ", classes);
  require_as_many(name, "labels", labels.size(), "predictions", predictions.size());
  require_samples(name, labels.size());
  require_classes(name, "labels", labels, classes);
  require_classes(name, "predictions", predictions, classes);
  confusion_counts m(shape<2>{{classes, classes}});
  for (std::size_t i = 0; i < labels.size(); ++i) ++m(labels[i], predictions[i]);
  return m;
}

inline void require_confusion(std::string_view name, confusion_counts const& m) {
  if (m.extent(0) != m.extent(1)) fail<shape_error>(name, "a confusion matrix must be (C, C), but is ", m.shape());
  std::int64_t n = 0;
  for (auto const count : m) {
    if (count < 0) fail<argument_error>(name, "counts must not be negative, but one is ", count);
    n += count;
  }
  require_samples(name, static_cast<std::size_t>(n));
}

}  // namespace detail

template <detail::metric_labels L, detail::metric_labels P> double accuracy(L const& labels, P const& predictions) {
  return detail::accuracy_of(detail::labels_of(labels), detail::labels_of(predictions));
}

template <detail::metric_labels L, detail::metric_labels P>
confusion_counts confusion_matrix(L const& labels, P const& predictions, std::ptrdiff_t classes) {
  return detail::count_confusion(detail::labels_of(labels), detail::labels_of(predictions), classes);
}

// A row without samples stays 0.
inline tensor<double, 2, scalar> normalize_confusion_matrix(confusion_counts const& m) {
  detail::require_confusion("normalize_confusion_matrix", m);
  tensor<double, 2, scalar> shares(m.shape());
  for (std::ptrdiff_t i = 0; i < m.extent(0); ++i) {
    std::int64_t sum = 0;
    for (std::ptrdiff_t j = 0; j < m.extent(1); ++j) sum += m(i, j);
    for (std::ptrdiff_t j = 0; j < m.extent(1); ++j)
      shares(i, j) = detail::ratio(static_cast<double>(m(i, j)), static_cast<double>(sum));
  }
  return shares;
}

inline classification_report_result classification_report(confusion_counts const& m) {
  detail::require_confusion("classification_report", m);
  std::ptrdiff_t const classes = m.extent(0);
  shape<1> const each{{classes}};
  classification_report_result r;
  r.precision = r.recall = r.f1 = tensor<double, 1, scalar>(each);
  r.support = tensor<std::int64_t, 1, scalar>(each);
  double n = 0, right = 0, chance = 0, occurring = 0;
  for (std::ptrdiff_t c = 0; c < classes; ++c) {
    std::int64_t labels = 0, predictions = 0;
    for (std::ptrdiff_t k = 0; k < classes; ++k) labels += m(c, k), predictions += m(k, c);
    double const hits = static_cast<double>(m(c, c)), label = static_cast<double>(labels),
                 predicted = static_cast<double>(predictions);
    r.support(c) = labels;
    r.precision(c) = detail::ratio(hits, predicted);
    r.recall(c) = detail::ratio(hits, label);
    r.f1(c) = detail::ratio(2 * hits, label + predicted);
    n += label;
    right += hits;
    chance += label * predicted;
    occurring += labels > 0 ? 1 : 0;
    r.balanced_accuracy += r.recall(c);  // 0 of a class that does not occur
  }
  for (std::ptrdiff_t c = 0; c < classes; ++c) {
    auto const add = [&](precision_recall_f1& mean, double share) {
      mean.precision += share * r.precision(c);
      mean.recall += share * r.recall(c);
      mean.f1 += share * r.f1(c);
    };
    add(r.macro, 1 / static_cast<double>(classes));
    add(r.weighted, static_cast<double>(r.support(c)) / n);
  }
  r.accuracy = right / n;
  r.balanced_accuracy /= occurring;
  r.cohen_kappa = detail::ratio(right * n - chance, n * n - chance);
  return r;
}
template <detail::metric_labels L, detail::metric_labels P>
classification_report_result classification_report(L const& labels, P const& predictions, std::ptrdiff_t classes) {
  return classification_report(confusion_matrix(labels, predictions, classes));
}

LIMBIC_END
