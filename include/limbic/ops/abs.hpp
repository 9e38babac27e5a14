// limbic/ops/abs.hpp - absolute value
//
//   y = |x|
//
// shape   any -> same
// adjoint x' += y' sign(x), 0 at x = 0
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct abs_op {
  static constexpr std::string_view name = "abs";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V x) const { return math::abs(x); }
  template <class V> constexpr V slope(V x) const { return math::sign(x); }
};

template <operand X> auto abs(X&& x) { return apply(abs_op{}, std::forward<X>(x)); }

LIMBIC_END
