// limbic/ops/pow.hpp - powers
//
//   y = a^b         pow_number: y = x^c        number_pow: y = c^x
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' b a^(b-1)    nothing where b = 0
//         b' += y' y log a      nothing where a = 0 and b >= 0
//         summed over the axes along which an operand was stretched; where y' = 0 nothing is added
// domain  IEEE 754: NaN for a negative base and an exponent that is not whole
#pragma once

#include <limbic/ops/number.hpp>

LIMBIC_BEGIN

struct pow_op {
  static constexpr std::string_view name = "pow";
  static constexpr keep needs = keep::input | keep::output;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V a, V b) const { return math::pow(a, b); }
  template <class V> constexpr auto slopes(V a, V b, V y) const {
    V const da = math::select(b == V(0), V(0), b * math::pow(a, b - V(1)));
    V const db = math::select(math::both(a == V(0), b >= V(0)), V(0), y * math::log(a));
    return results{da, db};
  }
};
struct pow_number_op {
  static constexpr std::string_view name = "pow_number";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;
  double c = 1;

  template <class V> constexpr V value(V x) const { return power(x, c); }
  template <class V> constexpr V slope(V x) const { return c == 0 ? V(0) : math::constant<V>(c) * power(x, c - 1); }

 private:
  // The exponents that programs are full of need no logarithm.
  template <class V> static constexpr V power(V x, double c) {
    if (c == 1) return x;
    if (c == 2) return x * x;
    if (c == 3) return x * x * x;
    if (c == 0.5) return math::sqrt(x);
    if (c == -1) return V(1) / x;
    return math::pow(x, math::constant<V>(c));
  }
};
struct number_pow_op {
  static constexpr std::string_view name = "number_pow";
  static constexpr keep needs = keep::output;
  double c = 1;

  template <class V> constexpr V value(V x) const { return math::pow(math::constant<V>(c), x); }
  template <class V> constexpr V slope(V y) const { return c == 0 ? V(0) : y * math::log(math::constant<V>(c)); }
};

template <operand A, operand B> auto pow(A&& a, B&& b) {
  return apply(pow_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto pow(X&& x, C c) {
  return apply(pow_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto pow(C c, X&& x) {
  return apply(number_pow_op{static_cast<double>(c)}, std::forward<X>(x));
}

LIMBIC_END
