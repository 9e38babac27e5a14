// limbic/ops/hypot.hpp - length of the vector (a, b)
//
//   y = sqrt(a^2 + b^2), as m sqrt(1 + (n / m)^2) with m the greater and n the lesser of |a| and |b|: no square overflows,
//   or vanishes
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' a / y,  b' += y' b / y;  0 where y = 0 (of the subgradients the least), in second derivatives too
// domain  all numbers; a NaN in either gives NaN, an infinity beside a number infinity
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct hypot_op {
  static constexpr std::string_view name = "hypot";
  static constexpr keep needs = keep::input | keep::output;

  template <class V> constexpr V value(V a, V b) const {
    V const x = math::abs(a), y = math::abs(b), m = math::max(x, y), n = math::min(x, y);
    V const ratio = math::select(m == n, V(1), n / m);  // 0 / 0, inf / inf
    return m * math::sqrt(V(1) + ratio * ratio);
  }
  template <class V> constexpr auto slopes(V a, V b, V y) const {
    return results{math::select(y == V(0), V(0), a / y), math::select(y == V(0), V(0), b / y)};
  }
};

template <operand A, operand B> auto hypot(A&& a, B&& b) {
  return apply(hypot_op{}, std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
