// limbic/ops/relu.hpp - rectified linear units
//
//   relu(x)  = max(x, 0)
//   relu6(x) = min(max(x, 0), 6)       Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10"
//
// shape   any -> same
// adjoint x' += y' where the line rises; 0 at the kinks (x = 0, x = 6), from y alone, so the tape may free x
// domain  all numbers; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct relu_op {
  static constexpr std::string_view name = "relu";
  static constexpr keep needs = keep::output;
  static constexpr bool rectifies = true;

  template <class V> constexpr V value(V x) const { return math::select(x <= V(0), V(0), x); }
  template <class V> constexpr V slope(V y) const { return math::select(y <= V(0), V(0), V(1)); }
};

struct relu6_op {
  static constexpr std::string_view name = "relu6";
  static constexpr keep needs = keep::output;
  static constexpr bool rectifies = true;

  template <class V> constexpr V value(V x) const {
    return math::select(x <= V(0), V(0), math::select(x >= V(6), V(6), x));
  }
  template <class V> constexpr V slope(V y) const {
    return math::select(math::either(y <= V(0), y >= V(6)), V(0), V(1));
  }
};

template <operand X> auto relu(X&& x) { return apply(relu_op{}, std::forward<X>(x)); }
template <operand X> auto relu6(X&& x) { return apply(relu6_op{}, std::forward<X>(x)); }

LIMBIC_END
