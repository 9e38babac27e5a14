// limbic/math/pow.hpp - pow(x, y) = x^y
//
// A float pack is served in double, e^(y log |x|), whose error then disappears in the rounding to float; a double pack
// calls the standard library lane by lane. The special values are those of std::pow: pow(x, 0) = pow(1, y) =
// pow(-1, +-inf) = 1, NaN for negative x unless y is whole, the sign of x for odd y, and so on.
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

// |x|^y through packs of double; NaN where it is 0 times inf
template <class A> LIMBIC_INLINE xsimd::batch<float, A> pow_of_abs(xsimd::batch<float, A> x, xsimd::batch<float, A> y) {
  wide<A> const a = math::widened(xsimd::abs(x));
  wide<A> const b = math::widened(y);
  return math::narrowed(wide<A>{math::exp(b.low * math::log(a.low)), math::exp(b.high * math::log(a.high))});
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> pow(xsimd::batch<T, A> x, xsimd::batch<T, A> y) {
  if constexpr (std::is_same_v<T, float> &&
                (XSIMD_WITH_SSE2 || XSIMD_WITH_NEON64)) {  // 32-bit Arm has no packs of double
    using V = xsimd::batch<T, A>;
    V const zero(0.0f), one(1.0f), largest(std::numeric_limits<float>::max());
    V const half = y * V(0.5f);
    auto const whole = xsimd::floor(y) == y;  // +-inf too
    auto const even = xsimd::floor(half) == half;
    V z = math::pow_of_abs(x, y);
    z = xsimd::select(whole & ~even, z | xsimd::bitofsign(x), z);
    z = xsimd::select((x < zero) & (x >= -largest) & ~whole, V(std::numeric_limits<float>::quiet_NaN()), z);
    auto const certain = (y == zero) | (x == one) | ((x == -one) & (xsimd::abs(y) > largest));
    return xsimd::select(certain, one, z);
  } else {
    return math::each_lane(x, y, [](T a, T b) { return math::pow(a, b); });
  }
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
