// limbic/ops/sigmoid.hpp - logistic function
//
//   y = 1 / (1 + e^-x)
//
// shape   any -> same
// adjoint x' += y' y (1 - y)    from y alone, so the tape may free x
// domain  all numbers, infinities too; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct sigmoid_op {
  static constexpr std::string_view name = "sigmoid";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::sigmoid(x); }
  template <class V> constexpr V slope(V y) const { return y * (V(1) - y); }
};

template <operand X> auto sigmoid(X&& x) { return apply(sigmoid_op{}, std::forward<X>(x)); }

LIMBIC_END
