// limbic/ops/binary_cross_entropy.hpp - cross entropy of independent yes-or-no answers, from logits
//
//   w (-v t log p - (1 - t) log(1 - p)),   p = 1 / (1 + e^-x)
//
// w is the weight, v the pos_weight; both broadcast, both are 1 when not given. -log p = log(1 + e^-x) is computed from
// e^-|x|, so that logits of any size give a finite loss and the right gradient.
//
//   binary_cross_entropy_with_logits(x, t)                         binary_cross_entropy_with_logits(x, t, reduction::sum)
//   binary_cross_entropy_with_logits(x, t, weight)                 ... (x, t, no_weight, pos_weight)
//
// shape   input and target alike, weights broadcast to them; mean: over all elements, whatever the weights
// adjoint x' += w ((1 - t) p - v t (1 - p)) y',  t' += w (v log(1 + e^-x) - log(1 + e^x)) y', and the weights' own
// domain  targets in [0, 1]; NaN stays NaN
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

namespace detail {

// p = 1 / (1 + e^-x), 1 - p, and minus their logarithms.
template <class V> struct logistic {
  V p, q, log_p, log_q;
  static constexpr logistic of(V x) {
    auto const positive = x > V(0);
    V const e = math::exp(math::select(positive, -x, x));  // e^-|x|, with a derivative at 0 that is right for all four
    V const one = V(1), near = one / (one + e), far = e * near, small = math::log1p(e);
    return {math::select(positive, near, far), math::select(positive, far, near),
            small + math::select(positive, V(0), -x), small + math::select(positive, x, V(0))};
  }
};

}  // namespace detail

template <bool Weight, bool Positive> struct binary_cross_entropy_op {
  static constexpr std::string_view name = "binary_cross_entropy_with_logits";

  template <class V, class... W> constexpr V value(V x, V t, W... given) const {
    auto const l = detail::logistic<V>::of(x);
    auto const w = weights<V>(given...);
    return w.values[0] * (w.values[1] * t * l.log_p + (V(1) - t) * l.log_q);
  }
  template <class V, class... W> constexpr results<V, 2 + sizeof...(W)> slopes(V x, V t, W... given) const {
    auto const l = detail::logistic<V>::of(x);
    auto const [w, v] = weights<V>(given...).values;
    V const dx = w * ((V(1) - t) * l.p - v * t * l.q), dt = w * (v * l.log_p - l.log_q);
    if constexpr (Weight && Positive) return {{dx, dt, v * t * l.log_p + (V(1) - t) * l.log_q, w * t * l.log_p}};
    else if constexpr (Weight) return {{dx, dt, t * l.log_p + (V(1) - t) * l.log_q}};
    else if constexpr (Positive) return {{dx, dt, t * l.log_p}};
    else return {{dx, dt}};
  }

 private:
  template <class V> static constexpr results<V, 2> weights() { return {{V(1), V(1)}}; }
  template <class V> static constexpr results<V, 2> weights(V w) {
    return Weight ? results<V, 2>{{w, V(1)}} : results<V, 2>{{V(1), w}};
  }
  template <class V> static constexpr results<V, 2> weights(V w, V v) { return {{w, v}}; }
};

template <operand X, operand Y, weight_operand W, weight_operand P, common_reduction R = reduction::mean_t>
auto binary_cross_entropy_with_logits(X&& x, Y&& target, W&& weight, P&& pos_weight, R r = {}) {
  constexpr bool weighted = operand<W>, positive = operand<P>;
  binary_cross_entropy_op<weighted, positive> const o{};
  if constexpr (weighted && positive)
    return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight),
                                  std::forward<P>(pos_weight));
  else if constexpr (weighted)
    return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight));
  else if constexpr (positive)
    return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target), std::forward<P>(pos_weight));
  else return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto binary_cross_entropy_with_logits(X&& x, Y&& target, W&& weight, R r = {}) {
  return binary_cross_entropy_with_logits(std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight),
                                          no_weight, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto binary_cross_entropy_with_logits(X&& x, Y&& target, R r = {}) {
  return binary_cross_entropy_with_logits(std::forward<X>(x), std::forward<Y>(target), no_weight, no_weight, r);
}

LIMBIC_END
