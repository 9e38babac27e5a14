// 24_lag_correlation - how long does a heartbeat take to the finger? The lag at which two channels are most alike
//
//   24_lag_correlation              shows it
//   24_lag_correlation lags.svg     draws the curves too (needs gnuplot)
//
// An electrocardiogram and a pulse wave of one person, 100 samples a second.
//
// Before: 23_gumbel_softmax.cpp    next: 25_metrics.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/data.hpp>
#include <limbic/io/csv.hpp>
#include <limbic/limbic.hpp>
#include <limbic/signal/correlation_objective.hpp>

#include <algorithm>
#include <cmath>

using limbic::tensor;

constexpr std::ptrdiff_t max_lag = 50;  // half a second: less than the time between two beats

// x(t + 1) - x(t), smoothed over 70 ms, without its mean.
tensor<double, 1> prepared(tensor<double, 1> const& x, bool magnitude) {
  tensor<double, 1> change = limbic::slice(x, 0, 1) - limbic::slice(x, 0, 0, -1);
  if (magnitude) change = limbic::abs(change);
  auto const smooth = limbic::mean(limbic::sliding_windows(change, {.length = 7}), 1);
  return smooth - limbic::mean(smooth);
}
std::ptrdiff_t best_lag(tensor<double, 1> const& rho) {
  return (std::max_element(rho.begin(), rho.end()) - rho.begin()) - rho.size() / 2;
}

int main(int argc, char** argv) {
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/ecg-ppg.csv");
  auto const ecg = table.numbers<double>("ECG"), ppg = table.numbers<double>("PPG");

  // As recorded, the two hardly resemble one another: one is a sharp spike, the other a slow wave. What marks a beat is
  // how fast the ECG changes, in whichever direction, and how steeply the pulse wave rises.
  auto const raw = limbic::lag_correlation(tensor<double, 1>(ecg - limbic::mean(ecg)),
                                           tensor<double, 1>(ppg - limbic::mean(ppg)), {.max_lag = max_lag});
  auto const spike = prepared(ecg, true), rise = prepared(ppg, false);
  auto const rho = limbic::lag_correlation(spike, rise, {.max_lag = max_lag});
  auto const lag = best_lag(rho);
  double const greatest = rho(lag + max_lag);
  std::printf("as recorded: at most %.2f; slopes: %.2f at a delay of %td ms\n", raw(best_lag(raw) + max_lag), greatest,
              10 * lag);
  check(greatest > 0.6 && greatest > raw(best_lag(raw) + max_lag) + 0.3, "slopes are alike where the signals are not");
  check(250 <= 10 * lag && 10 * lag <= 400, "the pulse comes a quarter to two fifths of a second after the heartbeat");
  check(best_lag(limbic::lag_correlation(rise, spike, {.max_lag = max_lag})) == -lag,
        "exchanged, the delay is negative");

  // A network cannot learn from the position of a maximum. The soft maximum has a gradient everywhere.
  limbic::tape t;
  auto const x = t.variable(spike);
  auto const alike = limbic::lag_soft_max(limbic::lag_correlation(x, rise, {.max_lag = max_lag}), {.beta = 50});
  t.backward(alike);
  std::printf("soft maximum %.3f\n", alike.item());
  check(alike.item() >= greatest && alike.item() <= greatest + std::log(2 * max_lag + 1) / 50,
        "it lies above the maximum, by no more than log(lags) / beta");
  double const step = 0.01 / std::sqrt(limbic::sum(limbic::square(x.gradient()))());
  auto const better = limbic::lag_correlation(tensor<double, 1>(spike + step * tensor<double, 1>(x.gradient())), rise,
                                              {.max_lag = max_lag});
  check(better(lag + max_lag) > greatest, "a step along the gradient makes the two more alike");

  if (argc < 2) return 0;
  std::vector<double> delays;
  for (std::ptrdiff_t l = -max_lag; l <= max_lag; ++l) delays.push_back(10.0 * static_cast<double>(l));
  plot p("From the heart to the finger", "delay of the pulse wave in ms", "correlation");
  p.line("as recorded", delays, {raw.begin(), raw.end()}).line("slopes", delays, {rho.begin(), rho.end()});
  p.vertical_line(std::to_string(10 * lag) + " ms", 10.0 * static_cast<double>(lag));
  return p.save(argv[1]) ? 0 : 1;
}
