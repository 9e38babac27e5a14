// limbic/ops/tanh.hpp - hyperbolic tangent
//
//   y = (e^x - e^-x) / (e^x + e^-x)
//
// shape   any -> same
// adjoint x' += y' (1 - y^2)    from y alone, so the tape may free x
// domain  all numbers, infinities too; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct tanh_op {
  static constexpr std::string_view name = "tanh";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::tanh(x); }
  template <class V> constexpr V slope(V y) const { return V(1) - y * y; }
};

template <operand X> auto tanh(X&& x) { return apply(tanh_op{}, std::forward<X>(x)); }

LIMBIC_END
