// limbic/ops/add.hpp - sums
//
//   y = a + b       add_number: y = x + c
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y', b' += y', summed over the axes along which an operand was stretched
#pragma once

#include <limbic/ops/number.hpp>

LIMBIC_BEGIN

struct add_op {
  static constexpr std::string_view name = "add";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return a + b; }
  template <class V> constexpr auto slopes() const { return results{V(1), V(1)}; }
};
struct add_number_op {
  static constexpr std::string_view name = "add_number";
  static constexpr keep needs = keep::nothing;
  double c = 0;

  template <class V> constexpr V value(V x) const { return x + math::constant<V>(c); }
  template <class V> constexpr auto slopes() const { return results{V(1)}; }
};

template <operand A, operand B> auto add(A&& a, B&& b) {
  return apply(add_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto add(X&& x, C c) {
  return apply(add_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto add(C c, X&& x) { return add(std::forward<X>(x), c); }

LIMBIC_END
