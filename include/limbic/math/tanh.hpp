// limbic/math/tanh.hpp - tanh(x) and sigmoid(x) = 1 / (1 + e^-x)
//
//   h = (1 - u) / 2,  u = e^-2|x| = 2^n e^r,   by e^r - 1 as in expm1, so that nothing cancels
//   tanh |x|   = h / (1 - h) = h + h q        q = h / (1/2 + u/2): the quotient only corrects h
//   sigmoid(x) = s / (1 + e) = s - s q        e = e^-|x|,  q = e / (1 + e),  s = e for x < 0, else 1
//
// Nothing overflows, and sigmoid keeps its relative accuracy where it is tiny. |tanh| <= 1 and 0 <= sigmoid <= 1,
// always; tanh(-0) = -0; NaN stays NaN.
//
//   tanh' = 1 - y^2        sigmoid' = y (1 - y)
#pragma once

#include <limbic/math/exp.hpp>

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float tanh(float x) { return ::tanhf(x); }
LIMBIC_HD LIMBIC_INLINE double tanh(double x) { return ::tanh(x); }

#if LIMBIC_SIMD

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> tanh(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  V const half(T(0.5));
  V const a = math::at_most(V(T(20)), xsimd::abs(x)) * V(T(-2));  // tanh is 1 from 9.1 (float), 19.1 (double) on
  auto const n = math::to_whole(a, log2_e, c::bias - 1);
  V const r = math::less_ln2(a, n.n);
  V const r2 = r * r;
  V const p = math::fused(r2, c::q(r, r2), r);
  V const s = math::power_of_two(n.t);  // 2^(n-1), so u/2 = s (1 + p)
  V const h = math::fused_off(s, p, half - s);
  V const q = h / math::fused(s, p, half + s);
  // In double, and where products may round (SSE), with what h rounded off: 2.2 ulp become 1.9.
  if constexpr (sizeof(T) == 4 && sizeof(V) > 16) return math::fused(h, q, h) | xsimd::bitofsign(x);
  else return (h + math::fused(h, q, math::fused_off(s, p, half - s - h))) | xsimd::bitofsign(x);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> tanh(dual<T> x) {
  T const y = math::tanh(x.value);
  return {y, (T(1) - y * y) * x.tangent};
}

template <class V> LIMBIC_INLINE constexpr V sigmoid(V x) {
  V const e = math::exp(-math::abs(x));
  V const s = math::select(x < V(0), e, V(1));
  return math::fma(s, e / (V(-1) - e), s);
}
template <class T> LIMBIC_INLINE constexpr dual<T> sigmoid(dual<T> x) {
  T const y = math::sigmoid(x.value);
  return {y, y * (T(1) - y) * x.tangent};
}

}  // namespace math
LIMBIC_END
