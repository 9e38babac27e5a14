// limbic/math/erf.hpp - erf(x) = 2/sqrt(pi) int_0^x e^-t^2 dt
#pragma once

#include <limbic/math/exp.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float erf(float x) { return ::erff(x); }
LIMBIC_HD LIMBIC_INLINE double erf(double x) { return ::erf(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> erf(xsimd::batch<T, A> x) {
  return xsimd::select(math::isnan(x), x, xsimd::erf(x));
}
#endif

template <class T> LIMBIC_INLINE constexpr dual<T> erf(dual<T> x) {
  T const slope = math::constant<T>(1.1283791670955126) * math::exp(-(x.value * x.value));
  return {math::erf(x.value), slope * x.tangent};
}

}  // namespace math
LIMBIC_END
