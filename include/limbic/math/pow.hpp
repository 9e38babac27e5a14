// limbic/math/pow.hpp - pow(x, y) = x^y
//
//   dx' = y x^(y-1)        0 where y = 0; finite at x = 0 for y >= 1, right at negative x for whole y
//   dy' = x^y log x        0 where x = 0 and y >= 0
#pragma once

#include <limbic/math/log.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float pow(float x, float y) { return ::powf(x, y); }
LIMBIC_HD LIMBIC_INLINE double pow(double x, double y) { return ::pow(x, y); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> pow(xsimd::batch<T, A> x, xsimd::batch<T, A> y) {
  return math::each_lane(x, y, [](T a, T b) { return math::pow(a, b); });
}
#endif

template <class T> LIMBIC_INLINE constexpr dual<T> pow(dual<T> x, dual<T> y) {
  T const zero = T(0);
  T const z = math::pow(x.value, y.value);
  T const dx = math::select(y.value == zero, zero, y.value * math::pow(x.value, y.value - T(1)));
  T const dy = math::select(math::both(x.value == zero, y.value >= zero), zero, z * math::log(x.value));
  return {z, math::along(dx, x.tangent) + math::along(dy, y.tangent)};
}

}  // namespace math
LIMBIC_END
