// limbic/ops/log.hpp - natural logarithms
//
//   log:  y = log x        log1p:  y = log(1 + x), exact for small x
//
// shape   any -> same
// adjoint x' += y' / x,  x' += y' / (1 + x); where y' = 0 nothing is added, whatever the slope
// domain  log 0 = -inf, NaN below
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct log_op {
  static constexpr std::string_view name = "log";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return math::log(x); }
  template <class V> constexpr V slope(V x) const { return V(1) / x; }
};
struct log1p_op {
  static constexpr std::string_view name = "log1p";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return math::log1p(x); }
  template <class V> constexpr V slope(V x) const { return V(1) / (V(1) + x); }
};

template <operand X> auto log(X&& x) { return apply(log_op{}, std::forward<X>(x)); }
template <operand X> auto log1p(X&& x) { return apply(log1p_op{}, std::forward<X>(x)); }

LIMBIC_END
