// limbic/math/tanh.hpp - tanh(x) and sigmoid(x) = 1 / (1 + e^-x)
//
//   tanh'    = 1 - y^2
//   sigmoid' = y (1 - y)
#pragma once

#include <limbic/math/exp.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float tanh(float x) { return ::tanhf(x); }
LIMBIC_HD LIMBIC_INLINE double tanh(double x) { return ::tanh(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> tanh(xsimd::batch<T, A> x) {
  return xsimd::select(math::isnan(x), x, xsimd::tanh(x));
}
#endif

template <class T> LIMBIC_INLINE constexpr dual<T> tanh(dual<T> x) {
  T const y = math::tanh(x.value);
  return {y, (T(1) - y * y) * x.tangent};
}

// e^-|x| never overflows: 1 / (1 + e^-|x|) on the right, e^-|x| / (1 + e^-|x|) on the left.
template <class V> LIMBIC_INLINE constexpr V sigmoid(V x) {
  V const e = math::exp(-math::abs(x));
  return math::select(x < V(0), e, V(1)) / (V(1) + e);
}
template <class T> LIMBIC_INLINE constexpr dual<T> sigmoid(dual<T> x) {
  T const y = math::sigmoid(x.value);
  return {y, y * (T(1) - y) * x.tangent};
}

}  // namespace math
LIMBIC_END
