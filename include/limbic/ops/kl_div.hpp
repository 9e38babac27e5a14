// limbic/ops/kl_div.hpp - Kullback-Leibler divergence of a target from log-probabilities x
//
//   t (log t - x)        0 where t = 0
//   e^t (t - x)          log_target: the target holds logarithms too; 0 where e^t = 0
//
// shape   input and target alike; mean: over all elements; batchmean: over the first axis, the divergence proper
// adjoint x' += -t y',  t' += (log t - x + 1) y', 0 where t = 0;   log_target: x' += -e^t y',  t' += e^t (t - x + 1) y'
// domain  t >= 0 (a negative t gives NaN); x may be -inf where t = 0; NaN stays NaN
#pragma once

#include <limbic/ops/pointwise_loss.hpp>

LIMBIC_BEGIN

struct kl_div_op {
  static constexpr std::string_view name = "kl_div";
  bool log_target = false;

  template <class V> constexpr V value(V x, V t) const {
    V const p = probability(t);
    return math::select(p == V(0), nothing(x), p * (logarithm(t) - x));
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const p = probability(t), distance = logarithm(t) - x + V(1);
    return {{-p, math::select(p == V(0), nothing(x), log_target ? p * distance : distance)}};
  }

 private:
  template <class V> constexpr V probability(V t) const { return log_target ? math::exp(t) : t; }
  template <class V> constexpr V logarithm(V t) const { return log_target ? t : math::log(t); }
  // 0, but NaN where x is.
  template <class V> static constexpr V nothing(V x) { return math::select(math::isnan(x), x, V(0)); }
};

template <operand X, operand Y, any_reduction R = reduction::mean_t>
auto kl_div(X&& x, Y&& target, kl_div_op const& options = {}, R r = {}) {
  static_assert(rank_of<X> > 0 || common_reduction<R>,
                "limbic: batchmean divides by the first extent: there must be one");
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, any_reduction R> auto kl_div(X&& x, Y&& target, R r) {
  return kl_div(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
