// limbic/core/dual.hpp - dual numbers: a value and the derivative along one direction
//
//   dual(v, t) = v + t e,  e^2 = 0        so  f(v + t e) = f(v) + f'(v) t e
//
// T is a number or a SIMD pack. The same op source run on dual<T> yields the derivative of its forward (a Jacobian
// vector product) and of its adjoint (a Hessian-vector product). Comparisons look at the value alone.
//
// Members are plain constexpr: nvcc runs them on the device too, and refuses __host__ __device__ on packs.
#pragma once

#include <limbic/config.hpp>

namespace limbic {

template <class T> struct dual {
  T value{};    // v
  T tangent{};  // t, the derivative

  constexpr dual() = default;
  LIMBIC_INLINE constexpr dual(T v) : value(v), tangent(T(0)) {}  // a constant: derivative 0
  LIMBIC_INLINE constexpr dual(T v, T t) : value(v), tangent(t) {}
  template <class U>
    requires requires(U u) { T(u); }
  LIMBIC_INLINE explicit constexpr dual(U u) : value(from(u)), tangent(T(0)) {}

  // A pack is filled with its own number type, so that dual<pack>(0) converts without a warning.
  template <class U> static LIMBIC_INLINE constexpr T from(U u) {
    if constexpr (requires { static_cast<typename T::value_type>(u); })
      return T(static_cast<typename T::value_type>(u));
    else return T(u);
  }

  friend LIMBIC_INLINE constexpr dual operator+(dual a) { return a; }
  friend LIMBIC_INLINE constexpr dual operator-(dual a) { return {-a.value, -a.tangent}; }
  friend LIMBIC_INLINE constexpr dual operator+(dual a, dual b) { return {a.value + b.value, a.tangent + b.tangent}; }
  friend LIMBIC_INLINE constexpr dual operator-(dual a, dual b) { return {a.value - b.value, a.tangent - b.tangent}; }
  friend LIMBIC_INLINE constexpr dual operator*(dual a, dual b) {
    return {a.value * b.value, a.tangent * b.value + a.value * b.tangent};
  }
  friend LIMBIC_INLINE constexpr dual operator/(dual a, dual b) {
    T const q = a.value / b.value;
    return {q, (a.tangent - q * b.tangent) / b.value};
  }
  LIMBIC_INLINE constexpr dual& operator+=(dual b) { return *this = *this + b; }
  LIMBIC_INLINE constexpr dual& operator-=(dual b) { return *this = *this - b; }
  LIMBIC_INLINE constexpr dual& operator*=(dual b) { return *this = *this * b; }
  LIMBIC_INLINE constexpr dual& operator/=(dual b) { return *this = *this / b; }

  friend LIMBIC_INLINE constexpr auto operator==(dual a, dual b) { return a.value == b.value; }
  friend LIMBIC_INLINE constexpr auto operator!=(dual a, dual b) { return a.value != b.value; }
  friend LIMBIC_INLINE constexpr auto operator<(dual a, dual b) { return a.value < b.value; }
  friend LIMBIC_INLINE constexpr auto operator<=(dual a, dual b) { return a.value <= b.value; }
  friend LIMBIC_INLINE constexpr auto operator>(dual a, dual b) { return a.value > b.value; }
  friend LIMBIC_INLINE constexpr auto operator>=(dual a, dual b) { return a.value >= b.value; }
};

// Whether T is a dual number.
template <class T> inline constexpr bool is_dual = false;
template <class T> inline constexpr bool is_dual<dual<T>> = true;

// The plain number beneath: base_of<dual<float>> is float.
template <class T> struct base_of_ {
  using type = T;
};
template <class T> struct base_of_<dual<T>> {
  using type = T;
};
// The plain number beneath: base_of<dual<float>> is float.
template <class T> using base_of = typename base_of_<T>::type;

}  // namespace limbic
