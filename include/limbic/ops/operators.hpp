// limbic/ops/operators.hpp - a + b, a - b, a * b, a / b, -a on tensors, views, parameters and variables
//
// One side may be a plain number. The operators take nothing but the library's own types, so that they never meet a
// type of the user's in an overload set where they would be a better match.
#pragma once

#include <limbic/ops/div.hpp>
#include <limbic/ops/mul.hpp>
#include <limbic/ops/sub.hpp>

LIMBIC_BEGIN

namespace detail {
template <class A> inline constexpr bool is_array = false;
template <class T, int R, class D> inline constexpr bool is_array<tensor<T, R, D>> = true;
template <class T, int R, class D> inline constexpr bool is_array<view<T, R, D>> = true;
template <class T, int R, class D> inline constexpr bool is_array<parameter<T, R, D>> = true;
}  // namespace detail

// What the operators take: tensors, views, parameters and variables of this library.
template <class A> concept array_operand = operand<A> && (recorded<A> || detail::is_array<std::remove_cvref_t<A>>);

template <array_operand X> auto operator-(X&& x) { return neg(std::forward<X>(x)); }

template <array_operand A, array_operand B> auto operator+(A&& a, B&& b) {
  return add(std::forward<A>(a), std::forward<B>(b));
}
template <array_operand A, array_operand B> auto operator-(A&& a, B&& b) {
  return sub(std::forward<A>(a), std::forward<B>(b));
}
template <array_operand A, array_operand B> auto operator*(A&& a, B&& b) {
  return mul(std::forward<A>(a), std::forward<B>(b));
}
template <array_operand A, array_operand B> auto operator/(A&& a, B&& b) {
  return div(std::forward<A>(a), std::forward<B>(b));
}

template <array_operand X, plain_number C> auto operator+(X&& x, C c) { return add(std::forward<X>(x), c); }
template <array_operand X, plain_number C> auto operator-(X&& x, C c) { return sub(std::forward<X>(x), c); }
template <array_operand X, plain_number C> auto operator*(X&& x, C c) { return mul(std::forward<X>(x), c); }
template <array_operand X, plain_number C> auto operator/(X&& x, C c) { return div(std::forward<X>(x), c); }

template <plain_number C, array_operand X> auto operator+(C c, X&& x) { return add(c, std::forward<X>(x)); }
template <plain_number C, array_operand X> auto operator-(C c, X&& x) { return sub(c, std::forward<X>(x)); }
template <plain_number C, array_operand X> auto operator*(C c, X&& x) { return mul(c, std::forward<X>(x)); }
template <plain_number C, array_operand X> auto operator/(C c, X&& x) { return div(c, std::forward<X>(x)); }

LIMBIC_END
