// limbic/math/exp.hpp - exp(x) and expm1(x) = e^x - 1
//
//   x = n ln 2 + r,  n whole        e^x     = 2^n e^r
//                                   e^x - 1 = 2^n (e^r - 1) + (2^n - 1)
//   e^r = 1 + r + r^2 q(r),  q fitted for the least relative error of e^r - 1 (Remez)
//
// ln 2 is split in two (Cody and Waite), the first part so short that n times it is exact. For expm1, n is rounded such
// that -0.288 <= r < 0.406: 2^n - 1 then never cancels more than half of what it meets.
//
// exp     overflows to inf and underflows through the subnormal numbers to 0 where std::exp does
// expm1   the same upwards, -1 from about -17 (float) and -37 (double) on; x itself for tiny x, so -0 stays -0
// NaN stays NaN.
#pragma once

#include <limbic/math/base.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float exp(float x) { return ::expf(x); }
LIMBIC_HD LIMBIC_INLINE double exp(double x) { return ::exp(x); }
LIMBIC_HD LIMBIC_INLINE float expm1(float x) { return ::expm1f(x); }
LIMBIC_HD LIMBIC_INLINE double expm1(double x) { return ::expm1(x); }

// Per number type: exponent bias, the interval outside of which results no longer change, ln 2 in two parts, q.
template <class T> struct exp_terms;
template <> struct exp_terms<float> {
  static constexpr double bias = 127, lowest = -104, lowest_m1 = -20, highest = 89, tiny = 0x1p-26;
  static constexpr double ln2_high = 355.0 / 512, ln2_low = -2.12194440e-4;
  template <class V> static LIMBIC_INLINE constexpr V q(V r, V r2) {  // |r| <= 0.347
    return math::polynomial(r, r2, 0.5, 0.16666542, 0.0416662768, 0.0083667431, 0.00139467255);
  }
  template <class V> static LIMBIC_INLINE constexpr V q_m1(V r, V r2) {  // -0.288 <= r <= 0.406
    return math::polynomial(r, r2, 0.500000179, 0.166665956, 0.041658707, 0.00835723989, 0.00146711664);
  }
};
template <> struct exp_terms<double> {
  static constexpr double bias = 1023, lowest = -746, lowest_m1 = -40, highest = 710, tiny = 0x1p-55;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 1.90821492927058770002e-10;
  template <class V> static LIMBIC_INLINE constexpr V q(V r, V r2) {
    return math::polynomial(r, r2, 0.50000000000000056, 0.16666666666666685, 0.041666666666572177,
                            0.0083333333333142703, 0.001388888893292975, 0.00019841269903852647, 2.4801503714616972e-05,
                            2.755722712580007e-06, 2.7626639427658905e-07, 2.5114760433450846e-08);
  }
  template <class V> static LIMBIC_INLINE constexpr V q_m1(V r, V r2) {
    return math::polynomial(r, r2, 0.49999999999999983, 0.16666666666667337, 0.041666666666692054,
                            0.0083333333326423304, 0.0013888888880876958, 0.00019841272120298749,
                            2.4801585264592932e-05, 2.7554274542617359e-06, 2.7584602762475643e-07,
                            2.6497911304374323e-08);
  }
};

inline constexpr double log2_e = 1.4426950408889634;

#if LIMBIC_SIMD

// x - n ln 2
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> less_ln2(xsimd::batch<T, A> x, xsimd::batch<T, A> n) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  return math::fused(n, math::constant<V>(-c::ln2_low), math::fused(n, math::constant<V>(-c::ln2_high), x));
}

// exp for arguments between lowest and highest
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> exp_within(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  auto const n = math::to_whole(x, log2_e, 2 * c::bias);
  V const r = math::less_ln2(x, n.n);
  V const r2 = r * r;
  return math::scaled(math::fused(r2, c::q(r, r2), r) + V(T(1)), n);
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> exp(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  return math::exp_within(math::clamped(math::constant<V>(c::lowest), x, math::constant<V>(c::highest)));
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> expm1(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  V const a = math::clamped(math::constant<V>(c::lowest_m1), x, math::constant<V>(c::highest));
  // n may be bias + 1, one more than a power of two may have: 2 (2^(n-1) p + (2^(n-1) - 1/2))
  auto const n = math::to_whole(a - math::constant<V>(0.0589), log2_e, c::bias - 1);
  V const r = math::less_ln2(a, n.n);
  V const r2 = r * r;
  V const p = math::fused(r2, c::q_m1(r, r2), r);
  V const s = math::power_of_two(n.t);
  V const y = math::fused(s, p, s - math::constant<V>(0.5));
  return xsimd::select(xsimd::abs(x) < math::constant<V>(c::tiny), x, y + y);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> exp(dual<T> x) {
  T const y = math::exp(x.value);
  return {y, y * x.tangent};
}
template <class T> LIMBIC_INLINE constexpr dual<T> expm1(dual<T> x) {
  T const y = math::expm1(x.value);
  return {y, (y + T(1)) * x.tangent};
}

}  // namespace math
LIMBIC_END
