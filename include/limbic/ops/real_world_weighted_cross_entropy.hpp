// limbic/ops/real_world_weighted_cross_entropy.hpp - binary cross entropy with the price of either mistake
//
//   -w_fn t log p - w_fp (1 - t) log(1 - p),   p = 1 / (1 + e^-x)          Ho and Wookey 2019, arXiv:2001.00570
//
// w_fn is what a false negative costs, w_fp a false positive.
//
// shape   input and target alike -> () for a mean or sum, the same for none; mean over all elements
// adjoint x' += (w_fp (1 - t) p - w_fn t (1 - p)) y',  t' += (w_fp log(1 - p) - w_fn log p) y'
// domain  targets in [0, 1]; w_fn, w_fp >= 0; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/binary_cross_entropy.hpp>

LIMBIC_BEGIN

struct real_world_weighted_cross_entropy_op {
  static constexpr std::string_view name = "real_world_weighted_cross_entropy";
  double w_fn = 1.0;
  double w_fp = 1.0;

  template <class V> constexpr V value(V x, V t) const {
    auto const l = detail::logistic<V>::of(x);
    return math::constant<V>(w_fn) * t * l.log_p + math::constant<V>(w_fp) * (V(1) - t) * l.log_q;
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    auto const l = detail::logistic<V>::of(x);
    V const fn = math::constant<V>(w_fn), fp = math::constant<V>(w_fp);
    return {{fp * (V(1) - t) * l.p - fn * t * l.q, fn * l.log_p - fp * l.log_q}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto real_world_weighted_cross_entropy(X&& x, Y&& target, real_world_weighted_cross_entropy_op const& options = {},
                                       R r = {}) {
  auto const& [w_fn, w_fp] = options;
  if (!(w_fn >= 0 && w_fp >= 0))
    fail<argument_error>("real_world_weighted_cross_entropy", "w_fn and w_fp must not be negative, but are ", w_fn,
                         " and ", w_fp);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto real_world_weighted_cross_entropy(X&& x, Y&& target, R r) {
  return real_world_weighted_cross_entropy(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
