// limbic/ops/softplus.hpp - smooth rectifier
//
//   y = log(1 + e^(beta x)) / beta      beta x <= threshold
//   y = x                               beta x >  threshold, where the two agree to rounding
//
// shape   any -> same
// adjoint x' += y' / (1 + e^(-beta x)), or y' beyond the threshold
// domain  beta > 0; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct softplus_op {
  static constexpr std::string_view name = "softplus";
  static constexpr keep needs = keep::input;
  double beta = 1.0;
  double threshold = 20.0;

  template <class V> constexpr V value(V x) const {
    V const z = math::constant<V>(beta) * x, limit = math::constant<V>(threshold);
    V const curve = math::log1p(math::exp(math::min(z, limit))) / math::constant<V>(beta);
    return math::select(z > limit, x, curve);
  }
  template <class V> constexpr V slope(V x) const {
    V const z = math::constant<V>(beta) * x;
    return math::select(z > math::constant<V>(threshold), V(1), math::sigmoid(z));
  }
};

template <operand X> auto softplus(X&& x, softplus_op const& options = {}) {
  if (!(options.beta > 0)) fail<argument_error>("softplus", "beta must be positive, but is ", options.beta);
  return apply(options, std::forward<X>(x));
}

LIMBIC_END
