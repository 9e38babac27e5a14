// limbic/ops/clamp.hpp - values kept between two bounds
//
//   y = min(max(x, min), max)       a bound that is not given does not bind; where min > max, max wins (as PyTorch)
//
// shape   any -> same
// adjoint x' += y' where min <= x <= max
// domain  all numbers; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct clamp_op {
  static constexpr std::string_view name = "clamp";
  static constexpr keep needs = keep::input;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();

  template <class V> constexpr V value(V x) const {
    V const low = math::constant<V>(min), high = math::constant<V>(max);
    V const above = math::select(x < low, low, x);
    return math::select(above > high, high, above);
  }
  template <class V> constexpr V slope(V x) const {
    return math::select(math::both(x >= math::constant<V>(min), x <= math::constant<V>(max)), V(1), V(0));
  }
};

template <operand X> auto clamp(X&& x, clamp_op const& bounds) {
  if (math::isnan(bounds.min) || math::isnan(bounds.max))
    fail<argument_error>("clamp", "the bounds must be numbers, but are ", bounds.min, " and ", bounds.max);
  return apply(bounds, std::forward<X>(x));
}
template <operand X> auto clamp(X&& x, double min, double max) {
  return clamp(std::forward<X>(x), clamp_op{.min = min, .max = max});
}

LIMBIC_END
