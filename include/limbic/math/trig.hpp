// limbic/math/trig.hpp - sin(x) and cos(x)
//
//   |x| = n pi/2 + r,  n whole, |r| <= pi/4
//   sin r = r + r^3 s(r^2)        cos r = 1 - r^2/2 + r^4 c(r^2)        s, c fitted for the least error (Remez)
//
//   n mod 4       0        1        2        3
//   sin |x|     sin r    cos r   -sin r   -cos r
//   cos |x|     cos r   -sin r   -cos r    sin r
//
// pi/2 is split in four (Cody and Waite), the first three so short that n times them is exact: good for |x| up to 1e4
// (float) or 1e6 (double). A pack with a larger element computes that element by the standard library; the others keep
// their bits. sin(-0) = -0, sin(+-inf) = cos(+-inf) = NaN, NaN stays NaN.
#pragma once

#include <limbic/math/base.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float sin(float x) { return ::sinf(x); }
LIMBIC_HD LIMBIC_INLINE double sin(double x) { return ::sin(x); }
LIMBIC_HD LIMBIC_INLINE float cos(float x) { return ::cosf(x); }
LIMBIC_HD LIMBIC_INLINE double cos(double x) { return ::cos(x); }

#if LIMBIC_SIMD

template <class T> struct trig_terms;
template <> struct trig_terms<float> {
  static constexpr double largest = 1e4;
  static constexpr double pi_half[] = {0x1.92p+0, 0x1.fb4p-12, 0x1.444p-24, 0x1.68c234p-39};
  template <class V> static LIMBIC_INLINE V s(V z) {
    return math::polynomial(z, z * z, -0.166666552, 0.00833217613, -0.000195169807);
  }
  template <class V> static LIMBIC_INLINE V c(V z) {
    return math::polynomial(z, z * z, 0.0416666456, -0.0013887313, 2.4432793e-05);
  }
};
template <> struct trig_terms<double> {
  static constexpr double largest = 1e6;
  static constexpr double pi_half[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
  template <class V> static LIMBIC_INLINE V s(V z) {
    return math::polynomial(z, z * z, -0.16666666666666632, 0.0083333333333223715, -0.00019841269829772099,
                            2.7557313678941751e-06, -2.5050755999279091e-08, 1.5896668469637091e-10);
  }
  template <class V> static LIMBIC_INLINE V c(V z) {
    return math::polynomial(z, z * z, 0.041666666666666595, -0.0013888888888872986, 2.4801587288806106e-05,
                            -2.7557314165515069e-07, 2.0875698895325608e-09, -1.1358432283803217e-11);
  }
};

// sin |x| for quarter = 0, cos |x| for quarter = 1: sin(|x| + quarter pi/2)
template <unsigned quarter, class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sine(xsimd::batch<T, A> a) {
  using V = xsimd::batch<T, A>;
  using c = trig_terms<T>;
  using I = xsimd::batch<bits_of_t<T>, A>;
  auto const n = math::to_whole(a, 0.63661977236758134, 0);  // 2/pi
  V r = a;
  for (double const part : c::pi_half) r = math::fused_off(n.n, math::constant<V>(part), r);
  V const z = r * r;
  V const sin_r = math::fused(r * z, c::s(z), r);
  V const cos_r = math::fused(z * z, c::c(z), V(T(1)) - math::constant<V>(0.5) * z);
  constexpr int top = sizeof(T) * 8 - 1;
  I const turn = math::to_bits(n.t) + I(quarter);
  V const odd = math::from_bits<T, A>((turn << top) | math::to_bits(V(T(1))));  // -1 or 1
  V const sign = math::from_bits<T, A>((turn >> 1) << top);
  return xsimd::select(odd < V(T(0)), cos_r, sin_r) ^ sign;
}

// y, but f(x) where |x| is too large for the split of pi/2
template <class T, class A, class F>
LIMBIC_INLINE xsimd::batch<T, A> unless_large(xsimd::batch<T, A> x, xsimd::batch<T, A> y, F f) {
  auto const large = xsimd::abs(x) > math::constant<xsimd::batch<T, A>>(trig_terms<T>::largest);
  if (xsimd::any(large)) return xsimd::select(large, math::each_lane(x, f), y);
  return y;
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sin(xsimd::batch<T, A> x) {
  auto const y = math::sine<0>(xsimd::abs(x)) ^ xsimd::bitofsign(x);
  return math::unless_large(x, y, [](T v) { return math::sin(v); });
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> cos(xsimd::batch<T, A> x) {
  return math::unless_large(x, math::sine<1>(xsimd::abs(x)), [](T v) { return math::cos(v); });
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> sin(dual<T> x) {
  return {math::sin(x.value), math::cos(x.value) * x.tangent};
}
template <class T> LIMBIC_INLINE constexpr dual<T> cos(dual<T> x) {
  return {math::cos(x.value), -(math::sin(x.value) * x.tangent)};
}

}  // namespace math
LIMBIC_END
