// limbic/ops/compare.hpp - comparisons as masks
//
//   equal(a, b)            y = 1 where a == b, else 0; in all of them the second may be a number
//   less(a, b)             y = 1 where a < b, else 0
//   less_equal(a, b)       y = 1 where a <= b, else 0
//   greater(a, b)          y = 1 where a > b, else 0
//   greater_equal(a, b)    y = 1 where a >= b, else 0
//
// shape   broadcast (NumPy's rule)
// adjoint 0: a step has no slope
// domain  all numbers; false where either is NaN
#pragma once

#include <limbic/ops/number.hpp>

LIMBIC_BEGIN

struct equal_op {
  static constexpr std::string_view name = "equal";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a == b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct less_op {
  static constexpr std::string_view name = "less";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a < b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct less_equal_op {
  static constexpr std::string_view name = "less_equal";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a <= b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct greater_op {
  static constexpr std::string_view name = "greater";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a > b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct greater_equal_op {
  static constexpr std::string_view name = "greater_equal";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a >= b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};

// x against a number.
template <class Op> struct compare_number_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = keep::nothing;
  double c = 0;  // the number

  template <class V> constexpr V value(V x) const { return Op{}.value(x, math::constant<V>(c)); }
  template <class V> constexpr auto slopes() const { return results{V(0)}; }
};

template <operand A, operand B> auto equal(A&& a, B&& b) {
  return apply(equal_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto equal(X&& x, C c) {
  return apply(compare_number_op<equal_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto less(A&& a, B&& b) {
  return apply(less_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto less(X&& x, C c) {
  return apply(compare_number_op<less_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto less_equal(A&& a, B&& b) {
  return apply(less_equal_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto less_equal(X&& x, C c) {
  return apply(compare_number_op<less_equal_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto greater(A&& a, B&& b) {
  return apply(greater_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto greater(X&& x, C c) {
  return apply(compare_number_op<greater_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto greater_equal(A&& a, B&& b) {
  return apply(greater_equal_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto greater_equal(X&& x, C c) {
  return apply(compare_number_op<greater_equal_op>{static_cast<double>(c)}, std::forward<X>(x));
}

LIMBIC_END
