// 25_metrics - how good is what was found? Events, forecasts and separated sources, each by the measures that suit it
//
//   25_metrics                      shows it
//   25_metrics reliability.svg      draws how often forecasts come true, too (needs gnuplot)
//
// Ten seconds of an electrocardiogram and of a finger's pulse wave, 100 samples a second.
//
// Before: 24_lag_correlation.cpp    next: 26_spectra.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/data.hpp>
#include <limbic/io/csv.hpp>
#include <limbic/limbic.hpp>
#include <limbic/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using limbic::shape, limbic::tensor;

// The times in s of what is the greatest within a quarter of a second, and more than 0.4 of the greatest of all.
tensor<double, 1> summits(tensor<double, 1> const& x) {
  double const least = 0.4 * limbic::max(x)();
  std::vector<double> times;
  for (auto p = x.begin() + 25; p < x.end() - 25; ++p)
    if (*p > least && p == std::max_element(p - 25, p + 26)) times.push_back(0.01 * static_cast<double>(p - x.begin()));
  tensor<double, 1> found(shape{static_cast<std::ptrdiff_t>(times.size())});
  std::copy(times.begin(), times.end(), found.begin());
  return found;
}

// Logits for each window x (N, L), by a logistic regression on the other four fifths of the time.
tensor<double, 1> forecast(tensor<double, 2> const& x, tensor<std::int64_t, 1> const& label) {
  std::ptrdiff_t const n = x.extent(0);
  tensor<std::int64_t, 1> fifth(shape{n});
  for (std::ptrdiff_t i = 0; i < n; ++i) fifth(i) = 5 * i / n;
  tensor<double, 1> logits(shape{n});
  for (auto const& fold : limbic::leave_one_group_out(fifth)) {
    auto const seen = limbic::take(x, fold.train);
    tensor<double, 2> truth({seen.extent(0), 1});
    for (std::ptrdiff_t k = 0; k < truth.size(); ++k) truth(k, 0) = static_cast<double>(label(fold.train(k)));
    limbic::rng random{.seed = 25};
    limbic::linear<double> net(x.extent(1), 1, random);
    limbic::adam optimizer(net, {.learning_rate = 0.05});
    for (int step = 0; step < 400; ++step) {
      limbic::tape t;
      t.backward(limbic::binary_cross_entropy_with_logits(net(t(seen)), truth));
      optimizer.step();
    }
    auto const unseen = net(limbic::take(x, fold.test));
    for (std::ptrdiff_t k = 0; k < unseen.size(); ++k) logits(fold.test(k)) = unseen(k, 0);
  }
  return logits;
}

// Two mixtures made uncorrelated, then turned until what they have become is least Gaussian: farthest from a kurtosis of 3.
tensor<double, 2> separated(tensor<double, 2> const& mixtures) {
  auto const scaled = [](auto const& x) { return limbic::standard_scaler(x).transform(x); };
  auto const u = scaled(tensor<double, 2>(limbic::slice(mixtures, 1, 0, 1)));
  auto const second = scaled(tensor<double, 2>(limbic::slice(mixtures, 1, 1, 2)));
  auto const v = scaled(tensor<double, 2>(second - limbic::mean(u * second) * u));
  auto const extreme = [](auto const& y) { return std::abs(limbic::mean(limbic::square(limbic::square(y)))() - 3); };
  tensor<double, 2> best;
  double most = 0;
  for (int degrees = 0; degrees < 90; ++degrees) {
    double const c = std::cos(degrees * 0.017453293), s = std::sin(degrees * 0.017453293);
    tensor<double, 2> const a = c * u + s * v, b = c * v - s * u;
    if (extreme(a) + extreme(b) <= most) continue;
    most = extreme(a) + extreme(b);
    best = limbic::concatenate(1, a, b);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/ecg-ppg.csv");
  auto const ecg = table.numbers<double>("ECG"), ppg = table.numbers<double>("PPG");

  // Events: are the beats that a finger shows those of the heart? The pulse wave is steepest 330 ms after a beat.
  auto const beats = summits(ecg), pulses = summits(limbic::slice(ppg, 0, 1) - limbic::slice(ppg, 0, 0, -1));
  auto const events = limbic::match_events(beats, pulses - 0.33, 0.05);
  std::printf("%td beats, %td pulses: precision %.3f, recall %.3f, F1 %.3f, %.0f ms apart\n", beats.size(),
              pulses.size(), events.precision, events.recall, events.f1, 1000 * events.mean_absolute_error);
  check(events.false_positives == 0, "every pulse belongs to a beat");
  check(events.false_negatives == 1, "of the last beat the recording does not hold the pulse");
  check(limbic::match_events(beats, pulses, 0.05).f1 == 0, "without the delay nothing fits");

  // Forecasts: will the heart beat in the next 100 ms? All that is known are the last 400 ms of the pulse wave.
  auto const windows = limbic::sliding_windows(limbic::standard_scaler(ppg).transform(ppg), {.length = 40});
  auto const x = limbic::slice(windows, 0, 0, -10);
  tensor<std::int64_t, 1> label(shape{x.extent(0)});
  for (std::ptrdiff_t i = 0; i < label.size(); ++i) {
    double const now = 0.01 * static_cast<double>(i + 39);
    label(i) = std::any_of(beats.begin(), beats.end(), [&](double b) { return b > now + 0.005 && b < now + 0.105; });
  }
  auto const logits = forecast(x, label);
  auto const p = limbic::sigmoid(logits), bold = limbic::sigmoid(4 * logits);  // bold: the same, four times as sure
  tensor<std::int64_t, 1> guess(label.shape());
  for (std::ptrdiff_t i = 0; i < guess.size(); ++i) guess(i) = p(i) > 0.5 ? 1 : 0;
  auto const counts = limbic::confusion_matrix(label, guess, 2);
  auto const report = limbic::classification_report(counts);
  double const never = static_cast<double>(report.support(0)) / static_cast<double>(label.size());
  std::printf("no beat: %td right, %td wrong; beat: %td right, %td wrong; accuracy %.3f (always no: %.3f), F1 %.3f\n",
              counts(0, 0), counts(0, 1), counts(1, 1), counts(1, 0), report.accuracy, never, report.f1(1));
  check(report.accuracy > never && report.f1(1) > 0.6, "forecasts are better than none");

  double const area = limbic::roc_auc(label, p), precision = limbic::average_precision(label, p);
  std::printf("ROC AUC %.3f (chance 0.5), average precision %.3f (chance %.3f)\n", area, precision, 1 - never);
  check(area > 0.9 && precision > 3 * (1 - never), "beats rank before the rest");
  check(limbic::roc_auc(label, bold) == area, "and a ranking does not change with how sure they are");

  constexpr limbic::calibration_options bins{.bins = 4};
  double const gap = limbic::expected_calibration_error(label, p, bins);
  double const bold_gap = limbic::expected_calibration_error(label, bold, bins);
  std::printf("calibration error %.3f, Brier score %.3f; four times as sure %.3f, %.3f\n", gap,
              limbic::brier_score(label, p), bold_gap, limbic::brier_score(label, bold));
  check(limbic::brier_score(label, p) < never * (1 - never), "the Brier score is below that of the mean as a forecast");
  check(2 * gap < bold_gap, "the calibration error sees what the ranking does not");

  // Sources: both channels mixed, and separated again by what is not Gaussian about them. Order and sign are lost.
  tensor<double, 2> both({ecg.size(), 2});
  for (std::ptrdiff_t i = 0; i < ecg.size(); ++i) both(i, 0) = ecg(i), both(i, 1) = ppg(i);
  auto const sources = limbic::standard_scaler(both).transform(both);
  auto const mixtures = limbic::matmul(sources, tensor<double, 2>({2, 2}, {0.6, 1, 1, -0.8}));
  auto const y = separated(mixtures);
  auto const match = limbic::matched_correlation(sources, y);
  auto const column = [](auto const& m, std::ptrdiff_t k) { return limbic::slice(m, 1, k, k + 1); };
  double const cleared = limbic::snr(column(sources, 0), column(y, match.assignment(0)) * double(match.sign(0)));
  double const mixed = limbic::matched_correlation(sources, mixtures).mean;
  std::printf("matched correlation %.3f of the mixtures, %.3f separated; SNR of the ECG %.1f dB\n", mixed, match.mean,
              cleared);
  check(match.mean > 0.98 && mixed < 0.9, "separated, each is found again");
  check(cleared > 15, "and the ECG is nearly free of the pulse wave");

  if (argc < 2) return 0;
  plot picture("Will the heart beat in the next 100 ms?", "probability that was forecast", "share that came true");
  picture.dashed("perfect", {0, 1}, {0, 1});
  auto const curve = [&](char const* name, auto const& forecasts) {
    auto const c = limbic::reliability_curve(label, forecasts, bins);
    picture.marked_line(name, {c.confidence.begin(), c.confidence.end()}, {c.accuracy.begin(), c.accuracy.end()});
  };
  curve("as trained", p), curve("four times as sure", bold);
  return picture.save(argv[1]) ? 0 : 1;
}
