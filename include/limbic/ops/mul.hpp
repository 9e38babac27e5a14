// limbic/ops/mul.hpp - products of elements
//
//   y = a b         mul_number: y = c x        square: y = x^2
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' b, b' += y' a, summed over the axes along which an operand was stretched;  x' += 2 x y'
#pragma once

#include <limbic/ops/number.hpp>

LIMBIC_BEGIN

struct mul_op {
  static constexpr std::string_view name = "mul";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V a, V b) const { return a * b; }
  template <class V> constexpr auto slopes(V a, V b) const { return results{b, a}; }
};
struct mul_number_op {
  static constexpr std::string_view name = "mul_number";
  static constexpr keep needs = keep::nothing;
  double c = 1;

  template <class V> constexpr V value(V x) const { return x * math::constant<V>(c); }
  template <class V> constexpr auto slopes() const { return results{math::constant<V>(c)}; }
};
struct square_op {
  static constexpr std::string_view name = "square";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V x) const { return x * x; }
  template <class V> constexpr V slope(V x) const { return x + x; }
};

template <operand A, operand B> auto mul(A&& a, B&& b) {
  return apply(mul_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto mul(X&& x, C c) {
  return apply(mul_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto mul(C c, X&& x) { return mul(std::forward<X>(x), c); }
template <operand X> auto square(X&& x) { return apply(square_op{}, std::forward<X>(x)); }

LIMBIC_END
