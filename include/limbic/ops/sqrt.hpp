// limbic/ops/sqrt.hpp - square root
//
//   y = x^(1/2)
//
// shape   any -> same
// adjoint x' += y' / (2 y)    from y alone; where y' = 0 nothing is added, at y = 0 too
// domain  x >= 0, NaN below
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct sqrt_op {
  static constexpr std::string_view name = "sqrt";
  static constexpr keep needs = keep::output;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return math::sqrt(x); }
  template <class V> constexpr V slope(V y) const { return math::constant<V>(0.5) / y; }
};

template <operand X> auto sqrt(X&& x) { return apply(sqrt_op{}, std::forward<X>(x)); }

LIMBIC_END
