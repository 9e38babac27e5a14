// 26_spectra - when did which frequency sound? A pulse read from a scalogram, a gliding hum found in a spectrogram and removed
//
//   26_spectra                    shows it
//   26_spectra spectrum.svg       draws the spectrogram too, with what was found in it (needs gnuplot)
//
// Ten seconds of a resting person, 100 samples a second. The scalogram of the pulse wave at a finger has a line at the
// heart's rate; the electrocardiogram beside it tells whether that is right. Then a hum that glides from 20 to 40 Hz is laid
// upon the electrocardiogram. Its line in the spectrogram is found and taken away by the gradient: the power along the line
// is a function of the signal, and what lowers it is to subtract the hum, whose phase nobody has to know.
//
// Before: 25_metrics.cpp    next: 27_frame_features.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/io/csv.hpp>
#include <limbic/limbic.hpp>
#include <limbic/metrics.hpp>
#include <limbic/signal.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

using limbic::tensor;

namespace {

constexpr double rate = 100;  // samples a second
constexpr limbic::stft_options frames{.n_fft = 128, .hop_length = 4};
constexpr double bin = rate / 128,
                 frame_seconds = 4 / rate;  // from row to row of a spectrogram, and from frame to frame

// Beats a minute of an electrocardiogram: from the first to the last spike above half of the greatest.
double rate_of_spikes(tensor<double, 1> const& x) {
  double const high = 0.5 * *std::max_element(x.begin(), x.end());
  std::vector<double> at;
  for (std::ptrdiff_t i = 1; i + 1 < x.size(); ++i)
    if (x(i) > high && x(i) > x(i - 1) && x(i) >= x(i + 1)) at.push_back(static_cast<double>(i) / rate);
  return 60 * static_cast<double>(at.size() - 1) / (at.back() - at.front());
}

// The row of the greatest element of each column between two rows.
std::vector<std::ptrdiff_t> ridge(tensor<double, 2> const& m, std::ptrdiff_t low, std::ptrdiff_t high) {
  std::vector<std::ptrdiff_t> rows;
  for (std::ptrdiff_t t = 0; t < m.extent(1); ++t) {
    std::ptrdiff_t best = low;
    for (std::ptrdiff_t k = low; k < high; ++k)
      if (m(k, t) > m(best, t)) best = k;
    rows.push_back(best);
  }
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/ecg-ppg.csv");
  auto const ecg = table.numbers<double>("ECG"), ppg = table.numbers<double>("PPG");
  std::ptrdiff_t const n = ecg.size();

  // The pulse: at each moment the frequency whose wavelet is the most like it; the median of the eight seconds in the middle.
  tensor<double, 1> heard(limbic::shape{101});
  for (std::ptrdiff_t k = 0; k < 101; ++k) heard(k) = 0.5 + 0.025 * static_cast<double>(k);
  limbic::cwt_options const per_second{.sampling_period = 1 / rate, .normalization = limbic::cwt_normalization::l1};
  auto const pulse = limbic::scalogram(tensor<double, 1>(ppg - limbic::mean(ppg)),
                                       limbic::morlet_scales(heard, per_second), per_second);
  tensor<double, 1> beats(limbic::shape{n - 200});
  auto const line = ridge(pulse, 0, 101);
  for (std::ptrdiff_t t = 100; t < n - 100; ++t) beats(t - 100) = 60 * heard(line[static_cast<std::size_t>(t)]);
  double const felt = limbic::percentile(beats, 50)(), counted = rate_of_spikes(ecg);
  std::printf("pulse at the finger %.1f a minute (%.1f to %.1f), spikes of the heart %.1f\n", felt,
              limbic::percentile(beats, 0)(), limbic::percentile(beats, 100)(), counted);
  check(std::abs(felt - counted) < 3, "the finger's scalogram tells the heart's rate to 3 beats a minute");

  // The hum: as strong as the electrocardiogram itself, from 20 to 40 Hz.
  tensor<double, 1> const clean = ecg - limbic::mean(ecg);
  double const loud = std::sqrt(2 * limbic::mean(limbic::square(clean))());
  tensor<double, 1> noisy(clean);
  auto const hum = [](double t) { return 20 + 2 * t; };
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    double const t = static_cast<double>(i) / rate;
    noisy(i) += loud * std::sin(2 * std::numbers::pi * (20 * t + t * t));
  }
  tensor<double, 2> const spectrum(limbic::transpose(limbic::stft_magnitude(noisy, frames)));  // frequencies, frames
  auto const found = ridge(spectrum, static_cast<std::ptrdiff_t>(15 / bin), spectrum.extent(0));
  double worst = 0;
  for (std::size_t f = 0; f < found.size(); ++f)
    worst =
        std::max(worst, std::abs(bin * static_cast<double>(found[f]) - hum(frame_seconds * static_cast<double>(f))));
  std::printf("the hum's line in the spectrogram is off by %.2f Hz at most, a bin is %.2f Hz\n", worst, bin);
  check(worst < 2 * bin, "the line is found within two bins");

  // Every sample lies in 32 frames, whose windows' squares add up to 12, and a frame's one-sided spectrum has n_fft / 2
  // times its energy: all of the spectrogram has 768 times the signal's. So one step of 1 / (2 * 768) along the gradient
  // takes away what lies on the line and leaves what lies beside it.
  tensor<double, 2> near(limbic::shape{spectrum.extent(1), spectrum.extent(0)});
  for (std::ptrdiff_t f = 0; f < near.extent(0); ++f)
    for (std::ptrdiff_t k = 0; k < near.extent(1); ++k)
      near(f, k) = std::abs(k - found[static_cast<std::size_t>(f)]) <= 2 ? 1 : 0;
  auto const on_line = [&](auto const& x) { return limbic::sum(limbic::stft_power(x, frames) * near); };
  limbic::tape t;
  auto const x = t.variable(noisy);
  auto const power = on_line(x);
  t.backward(power);
  tensor<double, 1> const cleaned = noisy - x.gradient() * (1 / (2 * 768.0));
  double const left = on_line(cleaned)() / power.item();
  double const before = limbic::snr(clean, noisy), after = limbic::snr(clean, cleaned);
  std::printf("of the power on the line %.2f %% are left; signal to noise %.2f dB before, %.2f dB after\n", 100 * left,
              before, after);
  check(left < 0.01, "one step along the gradient empties the line");
  check(before < 0.1 && after > 14, "and gives the electrocardiogram back");

  if (argc < 2) return 0;
  std::vector<double> seconds, hertz, decibels, followed;
  for (std::ptrdiff_t f = 0; f < spectrum.extent(1); ++f) {
    seconds.push_back(frame_seconds * static_cast<double>(f));
    followed.push_back(bin * static_cast<double>(found[static_cast<std::size_t>(f)]));
  }
  for (std::ptrdiff_t k = 0; k < spectrum.extent(0); ++k) hertz.push_back(bin * static_cast<double>(k));
  double const loudest = limbic::max(spectrum)();
  for (double const m : spectrum) decibels.push_back(std::max(-40.0, 20 * std::log10(m / loudest)));
  plot p("A gliding hum upon an electrocardiogram: magnitude in dB", "time in s", "frequency in Hz");
  p.image(seconds, hertz, decibels).line("the line that was found", seconds, followed);
  return p.save(argv[1]) ? 0 : 1;
}
