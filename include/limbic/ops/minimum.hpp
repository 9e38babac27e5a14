// limbic/ops/minimum.hpp - the lesser and the greater of two
//
//   minimum: y = min(a, b)        maximum: y = max(a, b)
//
// shape   broadcast (NumPy's rule)
// adjoint to the operand that is chosen, half to each at a tie (as PyTorch); summed over the axes along which an operand
//         was stretched
// domain  all numbers; a NaN in either gives NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct minimum_op {
  static constexpr std::string_view name = "minimum";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V a, V b) const { return math::min(a, b); }
  template <class V> constexpr auto slopes(V a, V b) const {
    V const half = math::constant<V>(0.5), tie = math::select(a == b, half, V(1));
    return results{math::select(a > b, V(0), tie), math::select(a < b, V(0), tie)};
  }
};
struct maximum_op {
  static constexpr std::string_view name = "maximum";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V a, V b) const { return math::max(a, b); }
  template <class V> constexpr auto slopes(V a, V b) const {
    V const half = math::constant<V>(0.5), tie = math::select(a == b, half, V(1));
    return results{math::select(a < b, V(0), tie), math::select(a > b, V(0), tie)};
  }
};

template <operand A, operand B> auto minimum(A&& a, B&& b) {
  return apply(minimum_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand A, operand B> auto maximum(A&& a, B&& b) {
  return apply(maximum_op{}, std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
