// limbic/math/tanh.hpp - tanh(x) and sigmoid(x) = 1 / (1 + e^-x)
//
//   tanh |x|   = |x| + |x|^3 p(x^2)       |x| < 0.55,  p fitted for the least relative error (Remez)
//              = 1 - 2 / (e^2|x| + 1)     else: the subtraction is from 1, what it takes off is at most 1/2
//   sigmoid(x) = s - s q                  e = e^-|x|,  q = e / (1 + e),  s = e for x < 0, else 1
//
// sigmoid's form never overflows, keeps its relative accuracy where it is tiny, and rounds 1 + e only inside of a
// correction. |tanh| <= 1 and 0 <= sigmoid <= 1, always; tanh(-0) = -0; NaN stays NaN.
//
//   tanh' = 1 - y^2        sigmoid' = y (1 - y)
#pragma once

#include <limbic/math/exp.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float tanh(float x) { return ::tanhf(x); }
LIMBIC_HD LIMBIC_INLINE double tanh(double x) { return ::tanh(x); }

#if LIMBIC_SIMD

template <class T> struct tanh_terms;
template <> struct tanh_terms<float> {
  template <class V> static LIMBIC_INLINE V p(V z, V z2) {
    return math::polynomial(z, z2, -0.333333164, 0.133325875, -0.0538524203, 0.0210720729, -0.00627474114);
  }
};
template <> struct tanh_terms<double> {
  template <class V> static LIMBIC_INLINE V p(V z, V z2) {
    return math::polynomial(z, z2, -0.33333333333332327, 0.13333333333170017, -0.053968253876581593, 0.021869485984694792,
                        -0.0088631946175088579, 0.0035917204983183094, -0.0014532202888764331, 0.00057914650026030291,
                        -0.00021031658385827046, 5.1030537978058604e-05);
  }
};

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> tanh(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  V const one(T(1));
  V const a = xsimd::abs(x);
  V const z = a * a;
  V const small = math::fused(a * z, tanh_terms<T>::p(z, z * z), a);
  V const b = math::at_most(V(T(20)), a);  // tanh is 1 from 9.1 (float), 19.1 (double) on
  V const large = one - V(T(2)) / (math::exp_within(b + b) + one);
  return xsimd::select(a < math::constant<V>(0.55), small, large) | xsimd::bitofsign(x);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> tanh(dual<T> x) {
  T const y = math::tanh(x.value);
  return {y, (T(1) - y * y) * x.tangent};
}

template <class V> LIMBIC_INLINE constexpr V sigmoid(V x) {
  V const e = math::exp(-math::abs(x));
  V const s = math::select(x < V(0), e, V(1));
  return s - s * (e / (V(1) + e));
}
template <class T> LIMBIC_INLINE constexpr dual<T> sigmoid(dual<T> x) {
  T const y = math::sigmoid(x.value);
  return {y, y * (T(1) - y) * x.tangent};
}

}  // namespace math
LIMBIC_END
