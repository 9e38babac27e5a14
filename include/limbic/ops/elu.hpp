// limbic/ops/elu.hpp - exponential linear unit
//
//   y = x                  x >  0
//   y = alpha (e^x - 1)    x <= 0        Clevert et al. 2016, arXiv:1511.07289, eq. 15
//
// shape   any -> same
// adjoint x' += y' (y > 0 ? 1 : y + alpha)    from y alone, so the tape may free x
// domain  alpha >= 0 (else the sign of y no longer tells the branch); NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct elu_op {
  static constexpr std::string_view name = "elu";
  static constexpr keep needs = keep::output;
  static constexpr bool rectifies = true;
  double alpha = 1.0;

  template <class V> constexpr V value(V x) const {
    // expm1 sees no positive x, so it cannot overflow; NaN is not > 0 and stays NaN
    V const negative = math::constant<V>(alpha) * math::expm1(math::select(x > V(0), V(0), x));
    return math::select(x > V(0), x, negative);
  }
  template <class V> constexpr V slope(V y) const { return math::select(y > V(0), V(1), y + math::constant<V>(alpha)); }
};

template <operand X> auto elu(X&& x, elu_op const& options = {}) {
  if (!(options.alpha >= 0)) fail<argument_error>("elu", "alpha must not be negative, but is ", options.alpha);
  return apply(options, std::forward<X>(x));
}

LIMBIC_END
