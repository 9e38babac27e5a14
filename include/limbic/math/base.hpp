// limbic/math/base.hpp - the lane: what ops are written in, whether one number, a dual number or a SIMD pack of either
//
//   lane_of<V>, number_of<V>, is_pack<V>         what V holds: one lane's type, the plain number, and whether many
//   constant<V>(c)                               the double c, explicitly converted to V's number
//   broadcast<V>(x)                              one lane x in every lane of V
//   select(m, a, b)                              m ? a : b in every lane; both sides are computed
//   both(m, n) either(m, n) no(m)                and, or, not of masks (a bool, or a pack of them)
//   isnan isfinite                               masks
//   abs sign floor min max fma sqrt
//   reduce_add reduce_max reduce_min             all lanes of a pack to one, in a fixed order
//
// NaN stays NaN in every function of this file, on every backend (xsimd's min and max swallow it, std::min too).
// Comparisons are the operators <, <=, >, >=, ==: false where an operand is NaN. Do not use != on packs: xsimd's is
// false for NaN on AVX and true on SSE; no(x == y) is the same everywhere.
//
// Derivatives, where a dual number meets a point without one: abs'(0) = sign'(x) = floor'(x) = 0; min and max take the
// tangent of the operand they return, the first one at a tie. A tangent of 0 stays 0 where the slope is infinite (sqrt
// at 0): what does not vary contributes nothing, rather than 0 * inf = NaN.
#pragma once

#include <limbic/core/dual.hpp>
#include <limbic/math/bits.hpp>
#include <limbic/math/pack.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

LIMBIC_BEGIN
namespace math {

// ---- types -----------------------------------------------------------------------------------------------------

// What a lane type is made of; the aliases below are how to ask.
template <class V> struct lane_traits {
  // The plain number, the type of one lane, and whether there are many lanes.
  using number = V;
  using lane = V;
  static constexpr bool pack = false;
};
template <class T> struct lane_traits<dual<T>> {
  using number = typename lane_traits<T>::number;
  using lane = dual<typename lane_traits<T>::lane>;
  static constexpr bool pack = lane_traits<T>::pack;
};
#if LIMBIC_SIMD
template <class T, class A> struct lane_traits<xsimd::batch<T, A>> {
  using number = T;
  using lane = T;
  static constexpr bool pack = true;
};
#endif

template <class V> using number_of = typename lane_traits<V>::number;  // dual<batch<float>> -> float
template <class V> using lane_of = typename lane_traits<V>::lane;      // dual<batch<float>> -> dual<float>
template <class V> inline constexpr bool is_pack = lane_traits<V>::pack;

// One plain number.
template <class T> concept plain = std::is_arithmetic_v<T>;

template <class V> LIMBIC_INLINE constexpr V constant(double c) { return V(static_cast<number_of<V>>(c)); }

template <class V> LIMBIC_INLINE constexpr V broadcast(lane_of<V> x) {
  if constexpr (is_dual<V>) return V(decltype(V::value)(x.value), decltype(V::value)(x.tangent));
  else return V(x);
}

// ---- masks -----------------------------------------------------------------------------------------------------

LIMBIC_HD LIMBIC_INLINE constexpr bool both(bool m, bool n) { return m && n; }
LIMBIC_HD LIMBIC_INLINE constexpr bool either(bool m, bool n) { return m || n; }
LIMBIC_HD LIMBIC_INLINE constexpr bool no(bool m) { return !m; }

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T select(bool m, T a, T b) { return m ? a : b; }

#if LIMBIC_SIMD
// What a comparison of packs gives.
template <class T, class A> using mask = xsimd::batch_bool<T, A>;

template <class T, class A> LIMBIC_INLINE mask<T, A> both(mask<T, A> m, mask<T, A> n) { return m & n; }
template <class T, class A> LIMBIC_INLINE mask<T, A> either(mask<T, A> m, mask<T, A> n) { return m | n; }
template <class T, class A> LIMBIC_INLINE mask<T, A> no(mask<T, A> m) { return ~m; }

template <class T, class A>
LIMBIC_INLINE xsimd::batch<T, A> select(mask<T, A> m, xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return xsimd::select(m, a, b);
}
#endif

template <class M, class T> LIMBIC_INLINE constexpr dual<T> select(M m, dual<T> a, dual<T> b) {
  return {math::select(m, a.value, b.value), math::select(m, a.tangent, b.tangent)};
}

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr bool isnan(T x) {
  if constexpr (std::is_floating_point_v<T>) return !(x == x);
  else return false;
}
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr bool isfinite(T x) {
  if constexpr (std::is_floating_point_v<T>) return x - x == T(0);
  else return true;
}
#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE mask<T, A> isnan(xsimd::batch<T, A> x) { return xsimd::isnan(x); }
template <class T, class A> LIMBIC_INLINE mask<T, A> isfinite(xsimd::batch<T, A> x) {
  return x - x == xsimd::batch<T, A>(T(0));
}
#endif
template <class T> LIMBIC_INLINE constexpr auto isnan(dual<T> x) { return math::isnan(x.value); }
template <class T> LIMBIC_INLINE constexpr auto isfinite(dual<T> x) { return math::isfinite(x.value); }

// ---- a * b + c, fused where that is one instruction --------------------------------------------------------------

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T fma(T a, T b, T c) { return a * b + c; }
#if LIMBIC_SIMD
template <class T, class A>
LIMBIC_INLINE xsimd::batch<T, A> fma(xsimd::batch<T, A> a, xsimd::batch<T, A> b, xsimd::batch<T, A> c) {
  return fused(a, b, c);
}
#endif
template <class T> LIMBIC_INLINE constexpr dual<T> fma(dual<T> a, dual<T> b, dual<T> c) {
  return {math::fma(a.value, b.value, c.value),
          math::fma(a.tangent, b.value, math::fma(a.value, b.tangent, c.tangent))};
}

// c0 + c1 x + c2 x^2 + ..., by pairs: (c0 + c1 x) + x^2 ((c2 + c3 x) + x^2 (...)). Half of Horner's chain of dependent
// steps for one more product; x^2 is given, as most callers have it.
template <class V> LIMBIC_INLINE constexpr V polynomial(V, V, double c0) { return math::constant<V>(c0); }
template <class V> LIMBIC_INLINE constexpr V polynomial(V x, V, double c0, double c1) {
  return math::fma(x, math::constant<V>(c1), math::constant<V>(c0));
}
template <class V, class... C> LIMBIC_INLINE constexpr V polynomial(V x, V x2, double c0, double c1, C... c) {
  return math::fma(x2, math::polynomial(x, x2, c...), math::polynomial(x, x2, c0, c1));
}

// ---- abs, sign, floor, min, max ----------------------------------------------------------------------------------

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T abs(T x) {
  if constexpr (std::is_unsigned_v<T>) return x;
  else return x > T(0) ? x : T(0) - x;  // -0 -> 0
}
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T sign(T x) {
  if (x > T(0)) return T(1);
  if constexpr (!std::is_unsigned_v<T>) {
    if (x < T(0)) return static_cast<T>(-1);
  }
  return x;  // 0, -0, NaN
}
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T min(T a, T b) { return a <= b || math::isnan(a) ? a : b; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T max(T a, T b) { return a >= b || math::isnan(a) ? a : b; }
LIMBIC_HD LIMBIC_INLINE float floor(float x) { return ::floorf(x); }
LIMBIC_HD LIMBIC_INLINE double floor(double x) { return ::floor(x); }
LIMBIC_HD LIMBIC_INLINE float sqrt(float x) { return ::sqrtf(x); }
LIMBIC_HD LIMBIC_INLINE double sqrt(double x) { return ::sqrt(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> abs(xsimd::batch<T, A> x) { return xsimd::abs(x); }
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sign(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  return xsimd::select(x > V(T(0)), V(T(1)), xsimd::select(x < V(T(0)), V(T(-1)), x));
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> min(xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return xsimd::select((a <= b) | math::isnan(a), a, b);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> max(xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return xsimd::select((a >= b) | math::isnan(a), a, b);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> floor(xsimd::batch<T, A> x) { return xsimd::floor(x); }
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sqrt(xsimd::batch<T, A> x) { return xsimd::sqrt(x); }
#endif

// slope * tangent, but 0 where the tangent is 0
template <class T> LIMBIC_INLINE constexpr T along(T slope, T tangent) {
  return math::select(tangent == T(0), tangent, slope * tangent);
}

template <class T> LIMBIC_INLINE constexpr dual<T> abs(dual<T> x) {
  T const zero = T(0);
  T const slope = math::select(x.value > zero, T(1), math::select(x.value < zero, -T(1), zero));
  return {math::abs(x.value), slope * x.tangent};
}
template <class T> LIMBIC_INLINE constexpr dual<T> sign(dual<T> x) { return {math::sign(x.value), T(0)}; }
template <class T> LIMBIC_INLINE constexpr dual<T> floor(dual<T> x) { return {math::floor(x.value), T(0)}; }
template <class T> LIMBIC_INLINE constexpr dual<T> min(dual<T> a, dual<T> b) {
  return math::select(math::either(a.value <= b.value, math::isnan(a.value)), a, b);
}
template <class T> LIMBIC_INLINE constexpr dual<T> max(dual<T> a, dual<T> b) {
  return math::select(math::either(a.value >= b.value, math::isnan(a.value)), a, b);
}
template <class T> LIMBIC_INLINE constexpr dual<T> sqrt(dual<T> x) {
  T const y = math::sqrt(x.value);
  return {y, math::along(math::constant<T>(0.5) / y, x.tangent)};
}

// ---- reductions of a pack: halves are folded onto each other ----------------------------------------------------

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T reduce_add(T x) { return x; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T reduce_max(T x) { return x; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T reduce_min(T x) { return x; }

#if LIMBIC_SIMD
// All lanes of a pack to one number by f(a, b), by halves.
template <class T, class A, class F> LIMBIC_INLINE T fold_lanes(xsimd::batch<T, A> x, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  x.store_aligned(v);
  using half_pack = xsimd::make_sized_batch_t<T, n / 2>;
  if constexpr (!std::is_void_v<half_pack>) {
    return math::fold_lanes(f(half_pack::load_aligned(v), half_pack::load_aligned(v + n / 2)), f);
  } else {
    for (std::size_t half = n / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) v[i] = f(v[i], v[i + half]);
    return v[0];
  }
}
template <class T, class A, class F> LIMBIC_INLINE dual<T> fold_lanes(dual<xsimd::batch<T, A>> x, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  alignas(A::alignment()) T t[n];
  x.value.store_aligned(v);
  x.tangent.store_aligned(t);
  for (std::size_t half = n / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) {
      dual<T> const y = f(dual<T>(v[i], t[i]), dual<T>(v[i + half], t[i + half]));
      v[i] = y.value;
      t[i] = y.tangent;
    }
  return {v[0], t[0]};
}
template <class T, class A> LIMBIC_INLINE T reduce_add(xsimd::batch<T, A> x) {
  return math::fold_lanes(x, [](auto a, auto b) { return a + b; });
}
template <class T, class A> LIMBIC_INLINE T reduce_max(xsimd::batch<T, A> x) {
  return math::fold_lanes(x, [](auto a, auto b) { return math::max(a, b); });
}
template <class T, class A> LIMBIC_INLINE T reduce_min(xsimd::batch<T, A> x) {
  return math::fold_lanes(x, [](auto a, auto b) { return math::min(a, b); });
}
template <class T, class A> LIMBIC_INLINE dual<T> reduce_add(dual<xsimd::batch<T, A>> x) {
  return {math::reduce_add(x.value), math::reduce_add(x.tangent)};
}
template <class T, class A> LIMBIC_INLINE dual<T> reduce_max(dual<xsimd::batch<T, A>> x) {
  return math::fold_lanes(x, [](dual<T> a, dual<T> b) { return math::max(a, b); });
}
template <class T, class A> LIMBIC_INLINE dual<T> reduce_min(dual<xsimd::batch<T, A>> x) {
  return math::fold_lanes(x, [](dual<T> a, dual<T> b) { return math::min(a, b); });
}

// A function that has no pack form of its own, lane by lane.
template <class T, class A, class F> LIMBIC_INLINE xsimd::batch<T, A> each_lane(xsimd::batch<T, A> x, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  x.store_aligned(v);
  for (std::size_t i = 0; i < n; ++i) v[i] = f(v[i]);
  return xsimd::batch<T, A>::load_aligned(v);
}
template <class T, class A, class F>
LIMBIC_INLINE xsimd::batch<T, A> each_lane(xsimd::batch<T, A> x, xsimd::batch<T, A> y, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  alignas(A::alignment()) T w[n];
  x.store_aligned(v);
  y.store_aligned(w);
  for (std::size_t i = 0; i < n; ++i) v[i] = f(v[i], w[i]);
  return xsimd::batch<T, A>::load_aligned(v);
}
#endif

template <class T>
  requires(!is_pack<T>)
LIMBIC_INLINE constexpr dual<T> reduce_add(dual<T> x) {
  return x;
}
template <class T>
  requires(!is_pack<T>)
LIMBIC_INLINE constexpr dual<T> reduce_max(dual<T> x) {
  return x;
}
template <class T>
  requires(!is_pack<T>)
LIMBIC_INLINE constexpr dual<T> reduce_min(dual<T> x) {
  return x;
}

}  // namespace math
LIMBIC_END
