// limbic/math/exp.hpp - exp(x) and expm1(x) = e^x - 1
#pragma once

#include <limbic/math/base.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float exp(float x) { return ::expf(x); }
LIMBIC_HD LIMBIC_INLINE double exp(double x) { return ::exp(x); }
LIMBIC_HD LIMBIC_INLINE float expm1(float x) { return ::expm1f(x); }
LIMBIC_HD LIMBIC_INLINE double expm1(double x) { return ::expm1(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> exp(xsimd::batch<T, A> x) {
  return xsimd::select(math::isnan(x), x, xsimd::exp(x));
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> expm1(xsimd::batch<T, A> x) {
  return xsimd::select(math::isnan(x), x, xsimd::expm1(x));
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
