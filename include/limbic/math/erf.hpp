// limbic/math/erf.hpp - erf(x) = 2/sqrt(pi) int_0^x e^-t^2 dt
//
//   erf |x| = |x| + |x| p(x^2)     |x| < 0.75
//           = 1 - e^q(|x|)         else: q = log erfc, a smooth function; what is taken off 1 is at most 0.29
//
// p is fitted for the least relative error of erf, q for the least of e^q in 1 - e^q (Remez). erf(-0) = -0, erf is +-1
// from 3.9 (float), 5.9 (double) on, NaN stays NaN.
//
//   erf' = 2/sqrt(pi) e^-x^2
#pragma once

#include <limbic/math/exp.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float erf(float x) { return ::erff(x); }
LIMBIC_HD LIMBIC_INLINE double erf(double x) { return ::erf(x); }

#if LIMBIC_SIMD

template <class T> struct erf_terms;
template <> struct erf_terms<float> {
  static constexpr double last = 4;
  template <class V> static LIMBIC_INLINE V p(V z) {
    return math::polynomial(z, z * z, 0.128379166, -0.3761262, 0.112833768, -0.0268346239, 0.00511434581,
                            -0.000674951472);
  }
  template <class V> static LIMBIC_INLINE V q(V t) {
    return math::polynomial(t, t * t, -2.14066804e-05, -1.12843347, -0.635841608, -0.105164841, 0.0228484701,
                            -0.00320581975, 0.000213177394);
  }
};
template <> struct erf_terms<double> {
  static constexpr double last = 6;
  template <class V> static LIMBIC_INLINE V p(V z) {
    return math::polynomial(z, z * z, 0.12837916709551259, -0.37612638903183715, 0.11283791670952481,
                            -0.026866170644402474, 0.0052239776151222113, -0.00085483261690851963,
                            0.00012055288776970888, -1.4924176631220099e-05, 1.6430388134025544e-06,
                            -1.5937599418896211e-07, 1.1463755997866164e-08);
  }
  template <class V> static LIMBIC_INLINE V q(V t) {
    return math::polynomial(t, t * t, -6.4304422352187993e-09, -1.1283791063710082, -0.63661998777553108,
                            -0.10277243483593285, 0.019129904193350852, 0.00020217468485864552, -0.0016785716133549484,
                            0.00055973023611846705, 1.3160066314449682e-05, -0.00010323628866396197,
                            5.9907046574565921e-05, -2.1868520125115789e-05, 5.8503423648014842e-06,
                            -1.1882648296521772e-06, 1.8275381323798336e-07, -2.0713541003468195e-08,
                            1.6352979736705459e-09, -8.0362850334642649e-11, 1.8506489235890082e-12);
  }
};

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> erf(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = erf_terms<T>;
  V const a = math::at_most(math::constant<V>(c::last), xsimd::abs(x));
  V const small = math::fused(a, c::p(a * a), a);
  V const large = V(T(1)) - math::exp_within(c::q(a));
  return xsimd::select(a < math::constant<V>(0.75), small, large) | xsimd::bitofsign(x);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> erf(dual<T> x) {
  T const slope = math::constant<T>(1.1283791670955126) * math::exp(-(x.value * x.value));
  return {math::erf(x.value), slope * x.tangent};
}

}  // namespace math
LIMBIC_END
