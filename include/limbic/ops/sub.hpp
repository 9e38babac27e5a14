// limbic/ops/sub.hpp - differences
//
//   y = a - b       subtract_from: y = c - x       neg: y = -x       (x - c is add_number with -c)
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y', b' -= y', summed over the axes along which an operand was stretched
#pragma once

#include <limbic/ops/add.hpp>

LIMBIC_BEGIN

struct sub_op {
  static constexpr std::string_view name = "sub";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return a - b; }
  template <class V> constexpr auto slopes() const { return results{V(1), V(-1)}; }
};
struct subtract_from_op {
  static constexpr std::string_view name = "subtract_from";
  static constexpr keep needs = keep::nothing;
  double c = 0;

  template <class V> constexpr V value(V x) const { return math::constant<V>(c) - x; }
  template <class V> constexpr auto slopes() const { return results{V(-1)}; }
};
struct neg_op {
  static constexpr std::string_view name = "neg";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V x) const { return -x; }
  template <class V> constexpr auto slopes() const { return results{V(-1)}; }
};

template <operand A, operand B> auto sub(A&& a, B&& b) {
  return apply(sub_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto sub(X&& x, C c) { return add(std::forward<X>(x), -static_cast<double>(c)); }
template <operand X, plain_number C> auto sub(C c, X&& x) {
  return apply(subtract_from_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X> auto neg(X&& x) { return apply(neg_op{}, std::forward<X>(x)); }

LIMBIC_END
