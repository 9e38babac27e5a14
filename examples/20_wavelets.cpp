// 20_wavelets - a heart's beats under noise, found again by thresholding wavelet coefficients
//
// 4 s of an electrocardiogram, white noise of a known level upon it. Its wavelet coefficients are few and large, those of
// the noise many and small: what lies below the universal threshold (Donoho and Johnstone 1994) is taken away. The noise is
// estimated from the finest details, as it would be where nobody knows it.
//
//   20_wavelets                 shows it
//   20_wavelets ecg.svg         draws the three signals too (needs gnuplot)
//
// Before: 12_arrays.cpp    next: 21_soft_dtw.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/io/csv.hpp>
#include <limbic/limbic.hpp>
#include <limbic/metrics.hpp>
#include <limbic/signal.hpp>

#include <cmath>
#include <vector>

using limbic::tensor;

int main(int argc, char** argv) {
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/ecg.csv");
  auto const recorded = table.numbers<double>("ECG");
  tensor<double, 1> const clean = recorded - limbic::mean(recorded);
  std::ptrdiff_t const n = clean.size();

  // Noise for a signal-to-noise ratio of 5 dB.
  double const wanted = 5, power = limbic::mean(limbic::square(clean))();
  double const sigma = std::sqrt(power / std::pow(10, wanted / 10));
  tensor<double, 1> noise(clean.shape());
  limbic::rng random{.seed = 20};
  random.normal(noise);
  tensor<double, 1> const noisy(clean + noise * sigma);

  limbic::wavelet const w("sym8");
  auto bands = limbic::wavedec(noisy, w, {.level = 4});
  double const found = limbic::noise_level(bands.back());
  double const level = limbic::universal_threshold(found, n);
  for (std::size_t k = 1; k < bands.size(); ++k) bands[k] = limbic::threshold(bands[k], level);
  auto const denoised = limbic::waverec(bands, w, {.length = n});

  std::printf("%d samples, noise %.2f, estimated as %.2f, threshold %.2f\n", static_cast<int>(n), sigma, found, level);
  double const before = limbic::snr(clean, noisy), after = limbic::snr(clean, denoised);
  std::printf("signal to noise: %.2f dB before, %.2f dB after\n", before, after);
  check(std::abs(before - wanted) < 0.5, "the noise is as strong as it was meant to be");
  check(std::abs(found - sigma) < 0.1 * sigma, "the finest details tell the noise's standard deviation");
  check(after > before + 5, "soft thresholding has taken most of it away");

  // Without a threshold nothing changes: the transform itself loses no digit.
  auto const same = limbic::waverec(limbic::wavedec(noisy, w, {.level = 4}), w, {.length = n});
  check(limbic::snr(noisy, same) > 250, "decomposed and put together again, the signal is the same");

  if (argc < 2) return 0;
  std::vector<double> seconds;
  for (std::ptrdiff_t i = 0; i < n; ++i) seconds.push_back(static_cast<double>(i) / 1000);
  plot p("An electrocardiogram under noise, denoised by wavelets", "time in s", "rows 600 converter units apart");
  auto const row = [&](tensor<double, 1> const& x, double k) {
    tensor<double, 1> const y = x + 600 * k;
    p.line("", seconds, {y.begin(), y.end()});
  };
  row(denoised, 0), row(noisy, 1), row(clean, 2);
  return p.rows({"denoised", "noisy", "clean"}, 600).save(argv[1]) ? 0 : 1;
}
