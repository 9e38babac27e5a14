// limbic/ops/leaky_relu.hpp - rectified linear unit that leaks
//
//   y = x                    x >  0
//   y = negative_slope x     x <= 0        Maas, Hannun and Ng 2013
//
// shape   any -> same
// adjoint x' += y' (x > 0 ? 1 : negative_slope)    from x, since the sign of y says nothing for a slope <= 0
// domain  any finite slope; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct leaky_relu_op {
  static constexpr std::string_view name = "leaky_relu";
  static constexpr keep needs = keep::input;
  static constexpr bool rectifies = true;
  double negative_slope = 0.01;

  template <class V> constexpr V value(V x) const {
    return math::select(x > V(0), x, math::constant<V>(negative_slope) * x);
  }
  template <class V> constexpr V slope(V x) const {
    return math::select(x > V(0), V(1), math::constant<V>(negative_slope));
  }
};

template <operand X> auto leaky_relu(X&& x, leaky_relu_op const& options = {}) {
  if (!math::isfinite(options.negative_slope))
    fail<argument_error>("leaky_relu", "negative_slope must be finite, but is ", options.negative_slope);
  return apply(options, std::forward<X>(x));
}

LIMBIC_END
