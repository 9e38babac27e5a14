// limbic/math/bits.hpp - what the formulas of packs are made of: fused products, limits that keep NaN, whole powers of 2
//
//   fused(a, b, c)  fused_off(a, b, c)            a b + c, c - a b
//   at_least(lo, x)  at_most(hi, x)  clamped      NaN stays NaN
//   to_bits(x)  from_bits<T, A>(u)                a float's bits as unsigned integers, and back
//   to_whole(x, factor, offset)                   round(x factor), as a float and in the low bits of a mantissa
//   power_of_two(t)  scaled(p, k)                 2^k and p 2^k from them
//   widened(x)  narrowed(w)                       a float pack as two double packs, and back
#pragma once

#include <limbic/math/pack.hpp>

#if LIMBIC_SIMD
#include <cstdint>
#include <type_traits>

LIMBIC_BEGIN
namespace math {

// An AVX-512 register.
template <class V> inline constexpr bool is_512 = XSIMD_WITH_AVX512F && sizeof(V) == 64;

// a * b + c, fused where the machine does: xsimd 8.1 has no fused form for AVX-512.
template <class V> LIMBIC_INLINE V fused(V a, V b, V c) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<V> && sizeof(typename V::value_type) == 4) return _mm512_fmadd_ps(a, b, c);
  else if constexpr (is_512<V>) return _mm512_fmadd_pd(a, b, c);
  else
#endif
    return xsimd::fma(a, b, c);
}

// c - a * b, likewise
template <class V> LIMBIC_INLINE V fused_off(V a, V b, V c) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<V> && sizeof(typename V::value_type) == 4) return _mm512_fnmadd_ps(a, b, c);
  else if constexpr (is_512<V>) return _mm512_fnmadd_pd(a, b, c);
  else
#endif
    return xsimd::fnma(a, b, c);
}

// max(lo, x) and min(hi, x), where NaN stays NaN: x86 returns the second operand if one is NaN, and xsimd's versions
// differ in which they make the second. Elsewhere a select does it.
#if XSIMD_WITH_SSE2
LIMBIC_INLINE __m128 second_max(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
// b where an operand is NaN.
LIMBIC_INLINE __m128 second_min(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
LIMBIC_INLINE __m128d second_max(__m128d a, __m128d b) { return _mm_max_pd(a, b); }
LIMBIC_INLINE __m128d second_min(__m128d a, __m128d b) { return _mm_min_pd(a, b); }
#if XSIMD_WITH_AVX
LIMBIC_INLINE __m256 second_max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
LIMBIC_INLINE __m256 second_min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
LIMBIC_INLINE __m256d second_max(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
LIMBIC_INLINE __m256d second_min(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
#endif
#if XSIMD_WITH_AVX512F
LIMBIC_INLINE __m512 second_max(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
LIMBIC_INLINE __m512 second_min(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
LIMBIC_INLINE __m512d second_max(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
LIMBIC_INLINE __m512d second_min(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
#endif
template <class V> LIMBIC_INLINE V at_least(V lo, V x) { return math::second_max(lo.data, x.data); }
template <class V> LIMBIC_INLINE V at_most(V hi, V x) { return math::second_min(hi.data, x.data); }
#else
template <class V> LIMBIC_INLINE V at_least(V lo, V x) { return xsimd::select(x < lo, lo, x); }
template <class V> LIMBIC_INLINE V at_most(V hi, V x) { return xsimd::select(x > hi, hi, x); }
#endif
template <class V> LIMBIC_INLINE V clamped(V lo, V x, V hi) { return math::at_most(hi, math::at_least(lo, x)); }

// The bits of a float pack as unsigned integers, and back.
template <class T>
using bits_of_t = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T, class A> LIMBIC_INLINE xsimd::batch<bits_of_t<T>, A> to_bits(xsimd::batch<T, A> x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<bits_of_t<T>>(x);
#else
  return xsimd::bitwise_cast<xsimd::batch<bits_of_t<T>, A>>(x);
#endif
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> from_bits(xsimd::batch<bits_of_t<T>, A> x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<T>(x);
#else
  return xsimd::bitwise_cast<xsimd::batch<T, A>>(x);
#endif
}

// n = round(x factor), and the same n in the low bits of t's mantissa, above `offset`:
// 1.5 2^m + offset + n has no room for a fraction (m = 23 or 52), so that adding it rounds.
template <class V> struct whole {
  V n;  // the whole number
  V t;  // its bits
};
template <class T, class A>
LIMBIC_INLINE whole<xsimd::batch<T, A>> to_whole(xsimd::batch<T, A> x, double factor, double offset) {
  using V = xsimd::batch<T, A>;
  V const shift(static_cast<T>((sizeof(T) == 4 ? 0x1.8p23 : 0x1.8p52) + offset));
#if LIMBIC_ABI_FAST  // the compiler would cancel the shift
  V const n = xsimd::nearbyint(x * V(static_cast<T>(factor)));
  return {n, n + shift};
#else
  V const t = math::fused(x, V(static_cast<T>(factor)), shift);
  return {t - shift, t};
#endif
}

// 2^k from the low bits of k's t, made with offset = bias; k must be a normal number's exponent.
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> power_of_two(xsimd::batch<T, A> t) {
  return math::from_bits<T, A>(math::to_bits(t) << (sizeof(T) == 4 ? 23 : 52));
}

// p 2^k, rounded once where it leaves the normal range; k made with offset = 2 bias. In two steps, each a normal power:
// 2^floor(k/2), then 2^ceil(k/2). AVX-512 has an instruction.
template <class T, class A>
LIMBIC_INLINE xsimd::batch<T, A> scaled(xsimd::batch<T, A> p, whole<xsimd::batch<T, A>> k) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<xsimd::batch<T, A>> && sizeof(T) == 4) return _mm512_scalef_ps(p, k.n);
  else if constexpr (is_512<xsimd::batch<T, A>>) return _mm512_scalef_pd(p, k.n);
  else
#endif
  {
    int const m = sizeof(T) == 4 ? 23 : 52;
    auto const u = math::to_bits(k.t);
    auto const half = u >> 1;
    return p * math::from_bits<T, A>(half << m) * math::from_bits<T, A>((u - half) << m);
  }
}

// A float pack as two double packs, and back.
template <class A> struct wide {
  xsimd::batch<double, A> low;   // the first half of the lanes
  xsimd::batch<double, A> high;  // the second half
};
template <class A> LIMBIC_INLINE wide<A> widened(xsimd::batch<float, A> x) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<xsimd::batch<float, A>>) {
    __m512 const r = x.data;
    __m256 const high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(r), 1));
    return {_mm512_cvtps_pd(_mm512_castps512_ps256(r)), _mm512_cvtps_pd(high)};
  } else
#endif
  {
    constexpr std::size_t n = xsimd::batch<double, A>::size;
    alignas(A::alignment()) float v[2 * n];
    alignas(A::alignment()) double w[2 * n];
    x.store_aligned(v);
    for (std::size_t i = 0; i < 2 * n; ++i) w[i] = static_cast<double>(v[i]);
    return {xsimd::batch<double, A>::load_aligned(w), xsimd::batch<double, A>::load_aligned(w + n)};
  }
}
template <class A> LIMBIC_INLINE xsimd::batch<float, A> narrowed(wide<A> x) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<xsimd::batch<float, A>>) {
    __m512d const low = _mm512_castps_pd(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low.data)));
    return _mm512_castpd_ps(_mm512_insertf64x4(low, _mm256_castps_pd(_mm512_cvtpd_ps(x.high.data)), 1));
  } else
#endif
  {
    constexpr std::size_t n = xsimd::batch<double, A>::size;
    alignas(A::alignment()) float v[2 * n];
    alignas(A::alignment()) double w[2 * n];
    x.low.store_aligned(w);
    x.high.store_aligned(w + n);
    for (std::size_t i = 0; i < 2 * n; ++i) v[i] = static_cast<float>(w[i]);
    return xsimd::batch<float, A>::load_aligned(v);
  }
}

}  // namespace math
LIMBIC_END
#endif
