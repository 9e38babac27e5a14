// limbic/math/trig.hpp - sin(x) and cos(x)
#pragma once

#include <limbic/math/base.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float sin(float x) { return ::sinf(x); }
LIMBIC_HD LIMBIC_INLINE double sin(double x) { return ::sin(x); }
LIMBIC_HD LIMBIC_INLINE float cos(float x) { return ::cosf(x); }
LIMBIC_HD LIMBIC_INLINE double cos(double x) { return ::cos(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sin(xsimd::batch<T, A> x) {
  return math::each_lane(x, [](T v) { return math::sin(v); });
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> cos(xsimd::batch<T, A> x) {
  return math::each_lane(x, [](T v) { return math::cos(v); });
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
