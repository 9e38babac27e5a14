// limbic/metrics/signal_quality.hpp - how far an estimate y lies from a clean signal x, over all samples and in a frequency band
//
//   snr(x, y)                     10 log10(sum x^2 / sum (x - y)^2) in dB; +inf where y = x
//   mean_squared_error(x, y)      mean (x - y)^2
//   mean_absolute_error(x, y)     mean |x - y|
//   r2_score(x, y)                1 - sum (x - y)^2 / sum (x - mean x)^2; of a constant x: 1 where y = x, else 0
//   band_mse(x, y, {.rate = 256, .low = 8, .high = 13})       what frequencies in [low, high) add to mean_squared_error
//
// By Parseval's identity, with E the discrete Fourier transform of x - y over T samples:
//
//   band_mse = 1 / T^2 sum_{k: low <= |f_k| < high} |E_k|^2,    f_k = k rate / T,   -T/2 < k <= T/2
//
// No window is applied, so bands that meet end to end add up to mean_squared_error. The greatest frequency, rate/2, lies in a band
// that ends there. Of several channels (T, C) it is the mean over channels. Costs O(T) for each frequency in the band and
// channel.
//
// shape   x and y the same, any rank; for band_mse (T) or (T, C), time first
// domain  at least one element, all finite; x not all 0 for snr; rate > 0, 0 <= low < high, a frequency f_k in the band
#pragma once

#include <limbic/metrics/operands.hpp>

#include <cmath>
#include <limits>

LIMBIC_BEGIN

struct band_options {
  double rate = 1;  // samples a second
  double low = 0;   // Hz
  double high = std::numeric_limits<double>::infinity();
};

namespace detail {

// Two signals of one shape.
struct signal_pair {
  number_list x, y;

  template <class X, class Y> signal_pair(std::string_view name, X const& clean, Y const& estimate) {
    static_assert(X::rank == Y::rank, "limbic: the clean signal and its estimate must have as many axes");
    if (!(clean.shape() == estimate.shape()))
      fail<shape_error>(name, "the clean signal ", clean.shape(), " and the estimate ", estimate.shape(),
                        " must have the same shape");
    x = numbers_of(clean);
    y = numbers_of(estimate);
    require_samples(name, x.size());
    require_all_finite(name, "samples of the clean signal", x);
    require_all_finite(name, "samples of the estimate", y);
  }
  double squared_error() const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
  }
  // The sum of squares of x around a point.
  double energy(double around) const {
    double sum = 0;
    for (double const v : x) sum += (v - around) * (v - around);
    return sum;
  }
};

inline double snr_of(signal_pair const& s) {
  double const energy = s.energy(0);
  if (!(energy > 0)) fail<argument_error>("snr", "the clean signal must not be 0 everywhere");
  return 10 * std::log10(energy / s.squared_error());
}

inline double absolute_error_of(signal_pair const& s) {
  double sum = 0;
  for (std::size_t i = 0; i < s.x.size(); ++i) sum += math::abs(s.x[i] - s.y[i]);
  return sum / to_double(s.x.size());
}

inline double r2_of(signal_pair const& s) {
  double mean = 0;
  bool constant = true;
  for (double const v : s.x) mean += v, constant = constant && v == s.x[0];
  double const error = s.squared_error();
  if (constant) return error == 0 ? 1 : 0;
  return 1 - error / s.energy(mean / to_double(s.x.size()));
}

inline double band_mse_of(signal_pair const& s, std::size_t length, band_options const& o) {
  constexpr std::string_view name = "band_mse";
  if (!(o.rate > 0) || !math::isfinite(o.rate))
    fail<argument_error>(name, "the rate must be positive and finite, but is ", o.rate);
  if (!(o.low >= 0 && o.low < o.high))
    fail<argument_error>(name, "the band must be 0 <= low < high, but is ", o.low, " to ", o.high);
  std::size_t const channels = s.x.size() / length;
  number_list cosine(length), sine(length);  // of all angles that occur
  for (std::size_t j = 0; j < length; ++j) {
    double const angle = 6.283185307179586476925 * to_double(j) / to_double(length);
    cosine[j] = std::cos(angle);
    sine[j] = std::sin(angle);
  }
  double sum = 0;
  bool any = false;
  for (std::size_t k = 0; 2 * k <= length; ++k) {
    bool const last = 2 * k == length;
    double const f = last ? o.rate / 2 : to_double(k) * o.rate / to_double(length);
    if (!(f >= o.low && (f < o.high || (last && f == o.high)))) continue;
    any = true;
    double const both_signs = k == 0 || last ? 1 : 2;
    for (std::size_t c = 0; c < channels; ++c) {
      double re = 0, im = 0;
      for (std::size_t t = 0, j = 0; t < length; ++t, j = (j + k) % length) {
        double const e = s.x[t * channels + c] - s.y[t * channels + c];
        re += e * cosine[j];
        im += e * sine[j];
      }
      sum += both_signs * (re * re + im * im);
    }
  }
  if (!any)
    fail<argument_error>(name, "no frequency of ", length, " samples at a rate of ", o.rate, " lies in [", o.low, ", ",
                         o.high, ")");
  return sum / (to_double(length) * to_double(s.x.size()));
}

}  // namespace detail

template <detail::metric_signal X, detail::metric_signal Y> double snr(X const& x, Y const& y) {
  return detail::snr_of({"snr", x, y});
}

template <detail::metric_signal X, detail::metric_signal Y> double mean_squared_error(X const& x, Y const& y) {
  detail::signal_pair const s("mean_squared_error", x, y);
  return s.squared_error() / detail::to_double(s.x.size());
}

template <detail::metric_signal X, detail::metric_signal Y> double mean_absolute_error(X const& x, Y const& y) {
  return detail::absolute_error_of({"mean_absolute_error", x, y});
}

template <detail::metric_signal X, detail::metric_signal Y> double r2_score(X const& x, Y const& y) {
  return detail::r2_of({"r2_score", x, y});
}

template <detail::metric_signal X, detail::metric_signal Y>
  requires(X::rank == 1 || X::rank == 2)
double band_mse(X const& x, Y const& y, band_options const& o = {}) {
  return detail::band_mse_of({"band_mse", x, y}, static_cast<std::size_t>(x.shape()[0]), o);
}

LIMBIC_END
