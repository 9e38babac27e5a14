// limbic/ops/silu.hpp - sigmoid linear unit (swish)
//
//   y = x s,  s = 1 / (1 + e^-x)       Elfwing, Uchibe and Doya 2017, arXiv:1702.03118
//
// shape   any -> same
// adjoint x' += y' s (1 + x (1 - s))
// domain  all finite numbers (far left s underflows to 0, and y with it); NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct silu_op {
  static constexpr std::string_view name = "silu";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V x) const { return x * math::sigmoid(x); }
  template <class V> constexpr V slope(V x) const {
    V const s = math::sigmoid(x);
    return s + x * s * (V(1) - s);  // s first: at -1e4 the product is 0, never 0 times infinity
  }
};

template <operand X> auto silu(X&& x) { return apply(silu_op{}, std::forward<X>(x)); }

LIMBIC_END
