// limbic/signal/threshold.hpp - small coefficients to zero
//
//   threshold(x, t)                           soft:     sign(x) max(|x| - t, 0)
//   threshold(x, t, thresholding::hard)       hard:     x where |x| >= t, else 0
//   threshold(x, t, thresholding::garrote)    garrote:  x - t^2 / x where |x| > t, else 0
//   noise_level(d)                            median(|d|) / 0.6745: the standard deviation of noise from its finest details
//   universal_threshold(sigma, n)             sigma sqrt(2 log n)
//
// shape   t is a number, or an operand that broadcasts against x (a threshold for each channel, learned)
// adjoint x' += y' (soft 1, garrote 1 + t^2/x^2, hard 1) where x is kept, 0 elsewhere;  t' -= y' (soft sign(x), garrote 2t/x)
// domain  t >= 0 (a number is checked); NaN stays NaN
//
// Donoho and Johnstone 1994 (soft, hard, universal threshold), Gao 1998 (garrote).
#pragma once

#include <limbic/ops/elementwise.hpp>

#include <algorithm>
#include <limits>

LIMBIC_BEGIN

enum class thresholding { soft, hard, garrote };  // which of the three formulas above

struct threshold_op {
  static constexpr std::string_view name = "threshold";
  static constexpr keep needs = keep::input;
  thresholding kind = thresholding::soft;  // the formula

  template <class V> constexpr V value(V x, V t) const {
    V const size = math::abs(x);
    if (kind == thresholding::hard) return math::select(size < t, V(0), x);
    V const less = kind == thresholding::soft ? math::sign(x) * t : t * t / x;
    return math::select(size <= t, V(0), x - less);  // NaN is not <= t
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const size = math::abs(x), zero = V(0);
    if (kind == thresholding::hard) return {{math::select(size < t, zero, V(1)), zero}};
    if (kind == thresholding::soft)
      return {{math::select(size <= t, zero, V(1)), math::select(size <= t, zero, zero - math::sign(x))}};
    V const ratio = t / x;
    return {{math::select(size <= t, zero, V(1) + ratio * ratio), math::select(size <= t, zero, zero - ratio - ratio)}};
  }
};

// The same with a number for t.
struct threshold_number_op {
  static constexpr std::string_view name = "threshold_number";
  static constexpr keep needs = keep::input;
  thresholding kind = thresholding::soft;  // the formula
  double t = 0;

  template <class V> constexpr V value(V x) const { return threshold_op{kind}.value(x, math::constant<V>(t)); }
  template <class V> constexpr V slope(V x) const {
    return threshold_op{kind}.slopes(x, math::constant<V>(t)).values[0];
  }
};

template <operand X> auto threshold(X&& x, double t, thresholding kind = thresholding::soft) {
  if (!(t >= 0)) fail<argument_error>("threshold", "the threshold must not be negative, but is ", t);
  return apply(threshold_number_op{kind, t}, std::forward<X>(x));
}
template <operand X, operand T> auto threshold(X&& x, T&& t, thresholding kind = thresholding::soft) {
  return apply(threshold_op{kind}, std::forward<X>(x), std::forward<T>(t));
}

// From all elements of a tensor or view on the CPU. Not differentiated.
template <operand X>
  requires is_host<device_of<X>>
double noise_level(X const& details) {
  auto const v = as_view(details);
  using T = element_of<X>;
  if (v.size() == 0) fail<shape_error>("noise_level", "there are no details in shape ", v.shape());
  tensor<T, std::remove_cvref_t<X>::rank, device_of<X>> sizes(v);
  for (T& x : sizes) {
    x = math::abs(x);
    if (math::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  }
  std::ptrdiff_t const n = sizes.size(), half = n / 2;
  std::nth_element(sizes.begin(), sizes.begin() + half, sizes.end());
  double median = static_cast<double>(sizes.data()[half]);
  if (n % 2 == 0) {
    T const below = *std::max_element(sizes.begin(), sizes.begin() + half);
    median = (median + static_cast<double>(below)) / 2;
  }
  return median / 0.6744897501960817;  // the median of |z|, z normal
}

inline double universal_threshold(double sigma, std::ptrdiff_t n) {
  if (n < 1) fail<argument_error>("universal_threshold", "there must be samples, but n is ", n);
  return sigma * math::sqrt(2 * math::log(static_cast<double>(n)));
}

LIMBIC_END
