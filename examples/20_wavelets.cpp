// 20_wavelets - a heart's beats under noise, found again by thresholding wavelet coefficients
//
// 4 s of an electrocardiogram, white noise of a known level upon it. Its wavelet coefficients are few and large, those of
// the noise many and small: what lies below the universal threshold (Donoho and Johnstone 1994) is taken away. The noise is
// estimated from the finest details, as it would be where nobody knows it.
//
// Before: 09_fixed_buffer.cpp
#include "common/check.hpp"

#include <limbic/io/csv.hpp>
#include <limbic/limbic.hpp>
#include <limbic/signal.hpp>

#include <cmath>

using limbic::tensor;

// In decibels: 10 log10 of the signal's energy (about its mean) over that of the error.
static double snr(tensor<double, 1> const& clean, tensor<double, 1> const& got) {
  double const mean = limbic::mean(clean)();
  return 10 * std::log10(limbic::sum(limbic::square(clean - mean))() / limbic::sum(limbic::square(got - clean))());
}

int main() {
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/ecg.csv");
  auto const clean = table.numbers<double>("ECG");
  std::ptrdiff_t const n = clean.size();

  // Noise for a signal-to-noise ratio of 5 dB.
  double const wanted = 5, mean = limbic::mean(clean)();
  double const power = limbic::mean(limbic::square(clean - mean))();
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
  std::printf("signal to noise: %.2f dB before, %.2f dB after\n", snr(clean, noisy), snr(clean, denoised));
  check(std::abs(snr(clean, noisy) - wanted) < 0.5, "the noise is as strong as it was meant to be");
  check(std::abs(found - sigma) < 0.1 * sigma, "the finest details tell the noise's standard deviation");
  check(snr(clean, denoised) > snr(clean, noisy) + 5, "soft thresholding has taken most of it away");

  // Without a threshold nothing changes: the transform itself loses no digit.
  auto const same = limbic::waverec(limbic::wavedec(noisy, w, {.level = 4}), w, {.length = n});
  check(snr(noisy, same) > 250, "decomposed and put together again, the signal is the same");

  // The picture (clean, noisy, denoised, one below the other) goes here.
}
