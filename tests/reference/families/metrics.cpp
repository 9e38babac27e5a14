// reference/families/metrics.cpp - scores of two classes, reports of several, calibration, signals
#include "support.hpp"

#include <limbic/metrics.hpp>

namespace {

using namespace reference;

template <class D> result binary_scores(call& c) {
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  auto const scores = to_tensor<double, 1, D>(c.get("scores"));
  auto const report = [&](auto const&... weights) {
    auto const roc = limbic::roc_curve(labels, scores, weights...);
    auto const curve = limbic::precision_recall_curve(labels, scores, weights...);
    result r;
    r.values["roc_auc"] = to_value(limbic::roc_auc(labels, scores, weights...));
    r.values["average_precision"] = to_value(limbic::average_precision(labels, scores, weights...));
    r.values["brier"] = to_value(limbic::brier_score(labels, scores, weights...));
    r.values["log_loss"] = to_value(limbic::log_loss(labels, scores, weights...));
    r.values["roc_fpr"] = to_value(roc.fpr);
    r.values["roc_tpr"] = to_value(roc.tpr);
    r.values["pr_precision"] = to_value(curve.precision);
    r.values["pr_recall"] = to_value(curve.recall);
    r.values["pr_thresholds"] = to_value(curve.thresholds);
    return r;
  };
  return c.flag("sample_weights") ? report(to_tensor<double, 1, D>(c.get("weights"))) : report();
}

tensor_value three(limbic::precision_recall_f1 const& m) {
  return to_value(std::vector<double>{m.precision, m.recall, m.f1});
}

template <class D> result classification_report(call& c) {
  if (c.number("zero_division") != 0) throw unsupported("0 over 0 is 0 here");
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  auto const predictions = to_tensor<std::int64_t, 1, D>(c.get("predictions"));
  auto const confusion = limbic::confusion_matrix(labels, predictions, c.integer("classes"));
  auto const report = limbic::classification_report(confusion);
  double const accuracy = limbic::accuracy(labels, predictions);
  result r;
  r.values["confusion"] = to_value(confusion);
  r.values["precision"] = to_value(report.precision);
  r.values["recall"] = to_value(report.recall);
  r.values["f1"] = to_value(report.f1);
  r.values["support"] = to_value(report.support);
  r.values["macro_precision_recall_f1"] = three(report.macro);
  r.values["weighted_precision_recall_f1"] = three(report.weighted);
  r.values["micro_precision_recall_f1"] = three({report.accuracy, report.accuracy, report.accuracy});
  r.values["accuracy"] = to_value(accuracy);
  r.values["balanced_accuracy"] = to_value(report.balanced_accuracy);
  r.values["cohen_kappa"] = to_value(report.cohen_kappa);
  return r;
}

template <class D> result calibration(call& c) {
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  auto const p = to_tensor<double, 2, D>(c.get("probabilities"));
  limbic::calibration_options const o{.bins = c.integer("bins")};
  auto const curve = limbic::reliability_curve(labels, p, o);
  result r;
  r.values["ece"] = to_value(limbic::expected_calibration_error(labels, p, o));
  r.values["mce"] = to_value(limbic::maximum_calibration_error(labels, p, o));
  r.values["bin_count"] = to_value(curve.counts);
  r.values["bin_accuracy"] = to_value(curve.accuracy);
  r.values["bin_confidence"] = to_value(curve.confidence);
  r.values["brier_multiclass"] = to_value(limbic::brier_score(labels, p));
  r.values["auc_ovr_macro"] = to_value(limbic::roc_auc_ovr(labels, p));
  return r;
}

template <class D> result signal_quality(call& c) {
  return with_rank<1, 2>(c.get("x").shape.size(), [&](auto rank) {
    auto const x = to_tensor<double, rank(), D>(c.get("x")), y = to_tensor<double, rank(), D>(c.get("y"));
    result r;
    r.values["mse"] = to_value(limbic::mean_squared_error(x, y));
    r.values["mae"] = to_value(limbic::mean_absolute_error(x, y));
    r.values["r2"] = to_value(limbic::r2_score(x, y));
    r.values["snr_db"] = to_value(limbic::snr(x, y));
    return r;
  });
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "binary_scores") return binary_scores<D>(c);
  if (op == "classification_report") return classification_report<D>(c);
  if (op == "calibration") return calibration<D>(c);
  return signal_quality<D>(c);
}

registration const here{{"metrics",
                         {"binary_scores", "classification_report", "calibration", "signal_quality"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
