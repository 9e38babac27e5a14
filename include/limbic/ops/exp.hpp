// limbic/ops/exp.hpp - exponentials
//
//   exp:  y = e^x          expm1:  y = e^x - 1, exact for small x
//
// shape   any -> same
// adjoint x' += y' y,  x' += y' (y + 1)    from y alone, so the tape may free x
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct exp_op {
  static constexpr std::string_view name = "exp";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::exp(x); }
  template <class V> constexpr V slope(V y) const { return y; }
};
struct expm1_op {
  static constexpr std::string_view name = "expm1";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::expm1(x); }
  template <class V> constexpr V slope(V y) const { return y + V(1); }
};

template <operand X> auto exp(X&& x) { return apply(exp_op{}, std::forward<X>(x)); }
template <operand X> auto expm1(X&& x) { return apply(expm1_op{}, std::forward<X>(x)); }

LIMBIC_END
