// limbic/math/extended.hpp - numbers m 2^e whose exponent is a lane of its own
//
//   extended<V>{m, e}      m 2^e, e whole; a dual number's value and tangent share one e
//   exp2(x)                2^x as such a number, for every finite x; 1 <= m < 3/2 or 3/4 < m < 1
//   shifted(m, k)          m 2^k for whole k <= 0; what falls below 2^-126 (float) or 2^-1022 (double) of m is lost
//   normalized(s)          the same number with 1 <= |m| < 2 (the value's); s.m is normal and not 0
//   natural_log(s)         log(m 2^e)
//
// Products of thousands of probabilities neither underflow nor have to become logarithms: a sum of them costs a shift
// of exponents instead of an exponential each, and every step is right to a few units of the last place, however long
// the chain. NaN in m stays NaN.
#pragma once

#include <limbic/math/log.hpp>

#include <bit>

LIMBIC_BEGIN
namespace math {

// The lane that holds an exponent: V itself, or what a dual number is made of.
template <class V> struct exponent_lane_ {
  using type = V;
};
template <class T> struct exponent_lane_<dual<T>> {
  using type = T;
};
template <class V> using exponent_lane = typename exponent_lane_<V>::type;

template <class V> struct extended {
  V m;
  exponent_lane<V> e;
};

// ---- whole powers of two -----------------------------------------------------------------------------------------

// The nearest whole number; the larger and the smaller of two numbers, b where one is NaN.
LIMBIC_HD LIMBIC_INLINE float nearest(float x) { return ::rintf(x); }
LIMBIC_HD LIMBIC_INLINE double nearest(double x) { return ::rint(x); }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T larger(T a, T b) { return a > b ? a : b; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T smaller(T a, T b) { return a < b ? a : b; }

// m 2^k.
LIMBIC_HD LIMBIC_INLINE constexpr float shifted(float m, float k) {
  auto const field = static_cast<std::uint32_t>(static_cast<std::int32_t>(larger(k, -126.0F)) + 127);
  return m * std::bit_cast<float>(field << 23);
}
LIMBIC_HD LIMBIC_INLINE constexpr double shifted(double m, double k) {
  auto const field = static_cast<std::uint64_t>(static_cast<std::int64_t>(larger(k, -1022.0)) + 1023);
  return m * std::bit_cast<double>(field << 52);
}

// floor(log2 |m|) of a normal number.
LIMBIC_HD LIMBIC_INLINE constexpr float exponent_of(float m) {
  return static_cast<float>(static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(m) << 1 >> 24) - 127);
}
LIMBIC_HD LIMBIC_INLINE constexpr double exponent_of(double m) {
  return static_cast<double>(static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(m) << 1 >> 53) - 1023);
}

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> nearest(xsimd::batch<T, A> x) {
  return xsimd::nearbyint(x);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> larger(xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return math::at_least(a, b);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> smaller(xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return math::at_most(a, b);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> shifted(xsimd::batch<T, A> m, xsimd::batch<T, A> k) {
  using V = xsimd::batch<T, A>;
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<V> && sizeof(T) == 4) return _mm512_scalef_ps(m, k);
  else if constexpr (is_512<V>) return _mm512_scalef_pd(m, k);
  else
#endif
  {
    double const bias = exp_terms<T>::bias;
    V const bounded = math::at_least(math::constant<V>(1 - bias), k);
    return m * math::power_of_two(bounded + math::constant<V>((sizeof(T) == 4 ? 0x1.8p23 : 0x1.8p52) + bias));
  }
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> exponent_of(xsimd::batch<T, A> m) {
  using V = xsimd::batch<T, A>;
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<V> && sizeof(T) == 4) return _mm512_getexp_ps(m);
  else if constexpr (is_512<V>) return _mm512_getexp_pd(m);
  else
#endif
  {
    using c = log_terms<T>;
    using I = xsimd::batch<bits_of_t<T>, A>;
    I const field = (math::to_bits(m) << 1) >> (c::mantissa + 1);
    return math::from_bits<T, A>(field | I(c::whole)) - math::constant<V>(c::unit + exp_terms<T>::bias);
  }
}
#endif

template <class T> LIMBIC_INLINE constexpr dual<T> larger(dual<T> a, dual<T> b) {
  return math::select(a.value > b.value, a, b);
}
template <class T> LIMBIC_INLINE constexpr dual<T> smaller(dual<T> a, dual<T> b) {
  return math::select(a.value < b.value, a, b);
}
template <class T> LIMBIC_INLINE constexpr dual<T> shifted(dual<T> m, T k) {
  return {math::shifted(m.value, k), math::shifted(m.tangent, k)};
}

// ---- numbers -----------------------------------------------------------------------------------------------------

template <class V> LIMBIC_INLINE constexpr extended<V> exp2(V x) {
  using c = exp_terms<number_of<V>>;
  if constexpr (is_dual<V>) {
    auto const p = math::exp2(x.value);
    using E = exponent_lane<V>;
    return {V(p.m, math::constant<E>(1 / log2_e) * p.m * x.tangent), p.e};
  } else {
    V const n = math::nearest(x);
    V const r = math::constant<V>(1 / log2_e) * (x - n);
    V const r2 = r * r;
    return {math::fma(r2, c::q(r, r2), r) + V(1), n};
  }
}

template <class V> LIMBIC_INLINE constexpr extended<V> normalized(extended<V> s) {
  if constexpr (is_dual<V>) {
    auto const k = math::exponent_of(s.m.value);
    return {math::shifted(s.m, -k), s.e + k};
#if XSIMD_WITH_AVX512F
  } else if constexpr (is_512<V>) {
    V const e = s.e + math::exponent_of(s.m);
    if constexpr (sizeof(number_of<V>) == 4) return {_mm512_getmant_ps(s.m, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src), e};
    else return {_mm512_getmant_pd(s.m, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src), e};
#endif
  } else {
    auto const k = math::exponent_of(s.m);
    return {math::shifted(s.m, -k), s.e + k};
  }
}

template <class V> LIMBIC_INLINE constexpr V natural_log(extended<V> s) {
  using E = exponent_lane<V>;
  return math::log(s.m) + V(s.e * math::constant<E>(1 / log2_e));
}

}  // namespace math
LIMBIC_END
