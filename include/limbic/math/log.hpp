// limbic/math/log.hpp - log(x) and log1p(x) = log(1 + x)
//
//   x = 2^k m,  sqrt(1/2) <= m < sqrt(2),  f = m - 1 (exact)        log x = k ln 2 + log(1 + f)
//   log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R))           s = f / (2 + f),  R = s^2 l(s^2)
//
// l is fitted for the least relative error (Remez). f leads, so the rounding of s only touches a correction; ln 2 is
// split in two (Cody and Waite). For log1p, what 1 + x rounds off is added to f.
//
// log(+-0) = -inf, log(x < 0) = NaN, log(inf) = inf, subnormal numbers are served; log1p(-1) = -inf, log1p(-0) = -0.
// NaN stays NaN.
#pragma once

#include <limbic/math/exp.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float log(float x) { return ::logf(x); }
LIMBIC_HD LIMBIC_INLINE double log(double x) { return ::log(x); }
LIMBIC_HD LIMBIC_INLINE float log1p(float x) { return ::log1pf(x); }
LIMBIC_HD LIMBIC_INLINE double log1p(double x) { return ::log1p(x); }

#if LIMBIC_SIMD

template <class T> struct log_terms;
template <> struct log_terms<float> {
  static constexpr int mantissa = 23;
  static constexpr std::uint32_t one = 0x3f800000, sqrt_half = 0x3f3504f3, whole = 0x4b000000;  // whole: 2^23
  static constexpr double unit = 0x1p23, lift = 0x1p25, lifted = 25;
  template <class V> static LIMBIC_INLINE V l(V z) {
    return math::polynomial(z, z * z, 0.666667759, 0.399775207, 0.298723489);
  }
};
template <> struct log_terms<double> {
  static constexpr int mantissa = 52;
  static constexpr std::uint64_t one = 0x3ff0000000000000, sqrt_half = 0x3fe6a09e667f3bcd, whole = 0x4330000000000000;
  static constexpr double unit = 0x1p52, lift = 0x1p54, lifted = 54;
  template <class V> static LIMBIC_INLINE V l(V z) {
    return math::polynomial(z, z * z, 0.6666666666666734, 0.39999999999413338, 0.28571428742739574, 0.22222198532347912,
                            0.18183566667805054, 0.15313985492257912, 0.14796648715652286);
  }
};

// x = 2^k m for a positive normal x; k is returned less `lifted`
template <class V> struct log_parts {
  V k;  // the exponent
  V m;  // in [sqrt(1/2), sqrt(2))
};
// The parts of x.
template <class T, class A>
LIMBIC_INLINE log_parts<xsimd::batch<T, A>> log_split(xsimd::batch<T, A> x, xsimd::batch<T, A> lifted) {
  using V = xsimd::batch<T, A>;
  using c = log_terms<T>;
  using I = xsimd::batch<bits_of_t<T>, A>;
  I const u = math::to_bits(x) + I(c::one - c::sqrt_half);  // now the exponent steps at sqrt(1/2) instead of 1
  V const k = math::from_bits<T, A>((u >> c::mantissa) | I(c::whole)) -
              (math::constant<V>(c::unit + exp_terms<T>::bias) + lifted);
  I const fraction = u & I((bits_of_t<T>(1) << c::mantissa) - 1);
  return {k, math::from_bits<T, A>(fraction + I(c::sqrt_half))};
}

// k ln 2 + log(1 + f)
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log_join(xsimd::batch<T, A> k, xsimd::batch<T, A> f) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  V const s = f / (f + V(T(2)));
  V const z = s * s;
  V const half = math::constant<V>(0.5) * f * f;
  V const correction = math::fused(s, math::fused(z, log_terms<T>::l(z), half), k * math::constant<V>(c::ln2_low));
  return math::fused(k, math::constant<V>(c::ln2_high), f - (half - correction));
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = log_terms<T>;
  V const zero(T(0)), infinity(std::numeric_limits<T>::infinity()), largest(std::numeric_limits<T>::max());
  auto const subnormal = x < V(std::numeric_limits<T>::min());
  auto const part = math::log_split(xsimd::select(subnormal, x * math::constant<V>(c::lift), x),
                                    xsimd::select(subnormal, math::constant<V>(c::lifted), zero));
  V const y = xsimd::select(x <= largest, math::log_join(part.k, part.m - V(T(1))), x);  // else inf, NaN
  V const edge = xsimd::select(x < zero, V(std::numeric_limits<T>::quiet_NaN()), -infinity);
  return xsimd::select(x <= zero, edge, y);
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log1p(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  V const zero(T(0)), one(T(1));
  V const infinity(std::numeric_limits<T>::infinity()), largest(std::numeric_limits<T>::max());
  V const u = x + one;
  V const v = u - one;
  V const lost = (one - (u - v)) + (x - v);  // 1 + x = u + lost, exactly
  auto const part = math::log_split(u, zero);
  // 2^(4-k) from the step between the exponents of m and u: normal for every k, as 2^-k is not
  V const scale = math::from_bits<T, A>(math::to_bits(part.m) - math::to_bits(u) + math::to_bits(V(T(16))));
  V const y = math::log_join(part.k, math::fused(lost * scale, math::constant<V>(1.0 / 16), part.m - one));
  V const edge = xsimd::select(x < -one, V(std::numeric_limits<T>::quiet_NaN()), -infinity);
  return xsimd::select(x <= -one, edge, xsimd::select((x <= largest) & (xsimd::abs(x) > zero), y, x));
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> log(dual<T> x) {
  return {math::log(x.value), math::along(T(1) / x.value, x.tangent)};
}
template <class T> LIMBIC_INLINE constexpr dual<T> log1p(dual<T> x) {
  return {math::log1p(x.value), math::along(T(1) / (T(1) + x.value), x.tangent)};
}

}  // namespace math
LIMBIC_END
