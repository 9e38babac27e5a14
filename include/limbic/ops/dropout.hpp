// limbic/ops/dropout.hpp - elements left out at random, the others scaled up
//
//   y = x / (1 - p)    noise >= p          Srivastava et al. 2014
//   y = 0              noise <  p
//
// The noise is given: uniform in [0, 1), of x's shape, so that the op is a function and its adjoint can be checked.
//
// shape   any, noise the same -> same
// adjoint x' += y' / (1 - p) where kept, nothing elsewhere; from the noise alone. The noise gets 0.
// domain  0 <= p < 1
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

struct dropout_op {
  static constexpr std::string_view name = "dropout";
  static constexpr keep needs = keep::inputs(1);
  double p = 0.5;

  template <int R> shape<R> shape_of(shape<R> const& x, shape<R> const& noise) const {
    if (!(x == noise)) fail<shape_error>(name, "noise of shape ", noise, " for x of shape ", x);
    return x;
  }
  void forward(auto d, auto y, auto x, auto noise) const { map(d, y, scaled_where_kept{p}, x, noise); }
  void adjoint(auto d, auto, auto noise, auto, auto dy, auto dx, auto dnoise) const {
    map(d, dx, scaled_where_kept{p}, dy, noise);
    no_gradient(d, dnoise);
  }

  struct scaled_where_kept {
    double p;
    template <class V> constexpr V operator()(V x, V noise) const {
      return math::select(noise >= math::constant<V>(p), x * math::constant<V>(1 / (1 - p)), V(0));
    }
  };
};

namespace functional {

template <operand X, operand N> auto dropout(X&& x, N&& noise, double p = 0.5) {
  constexpr bool fit = rank_of<X> == rank_of<N>;
  if (!(p >= 0 && p < 1)) fail<argument_error>("dropout", "p must lie in [0, 1), but is ", p);
  if constexpr (fit) return apply(dropout_op{.p = p}, std::forward<X>(x), std::forward<N>(noise));
  else static_assert(fit, "limbic: dropout takes noise of the shape of x");
}

}  // namespace functional

LIMBIC_END
