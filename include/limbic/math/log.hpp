// limbic/math/log.hpp - log(x) and log1p(x) = log(1 + x)
#pragma once

#include <limbic/math/base.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float log(float x) { return ::logf(x); }
LIMBIC_HD LIMBIC_INLINE double log(double x) { return ::log(x); }
LIMBIC_HD LIMBIC_INLINE float log1p(float x) { return ::log1pf(x); }
LIMBIC_HD LIMBIC_INLINE double log1p(double x) { return ::log1p(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log(xsimd::batch<T, A> x) {
  return xsimd::select(math::isnan(x), x, xsimd::log(x));
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log1p(xsimd::batch<T, A> x) {
  return math::each_lane(x, [](T v) { return math::log1p(v); });
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
