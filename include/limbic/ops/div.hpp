// limbic/ops/div.hpp - quotients
//
//   y = a / b       div_number: y = x / c       divide_number: y = c / x       reciprocal: y = 1 / x
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' / b, b' -= y' (a / b) / b, summed over the axes along which an operand was stretched
// domain  IEEE 754: 1 / 0 is infinite, 0 / 0 is NaN. Where y' = 0, nothing is added, whatever the slope.
#pragma once

#include <limbic/ops/number.hpp>

LIMBIC_BEGIN

struct div_op {
  static constexpr std::string_view name = "div";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V a, V b) const { return a / b; }
  template <class V> constexpr auto slopes(V a, V b) const { return results{V(1) / b, -(a / b) / b}; }
};
struct div_number_op {
  static constexpr std::string_view name = "div_number";
  static constexpr keep needs = keep::nothing;
  double c = 1;

  template <class V> constexpr V value(V x) const { return x / math::constant<V>(c); }
  template <class V> constexpr auto slopes() const { return results{V(1) / math::constant<V>(c)}; }
};
struct divide_number_op {
  static constexpr std::string_view name = "divide_number";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;
  double c = 1;

  template <class V> constexpr V value(V x) const { return math::constant<V>(c) / x; }
  template <class V> constexpr V slope(V x) const { return -(math::constant<V>(c) / x) / x; }
};
struct reciprocal_op {
  static constexpr std::string_view name = "reciprocal";
  static constexpr keep needs = keep::output;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return V(1) / x; }
  template <class V> constexpr V slope(V y) const { return -y * y; }
};

template <operand A, operand B> auto div(A&& a, B&& b) {
  return apply(div_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto div(X&& x, C c) {
  return apply(div_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto div(C c, X&& x) {
  return apply(divide_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X> auto reciprocal(X&& x) { return apply(reciprocal_op{}, std::forward<X>(x)); }

LIMBIC_END
