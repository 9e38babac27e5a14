// limbic/ops/symmetric_cross_entropy.hpp - cross entropy and its reverse, for labels that may be wrong
//
//   alpha (-log p) + beta (-A (1 - p)),   p = softmax(x)_c          Wang et al. 2019, arXiv:1908.06112
//
// The second term is the reverse, -sum_j p_j log q_j, with the one-hot label q and A for log 0. (The loss of sce_loss.hpp is
// another one.)
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint x'_j += (-alpha + beta A p) (d_jc - p_j) y'
// domain  alpha, beta >= 0, A (log_zero) < 0; logits of any size; nothing is clipped; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct symmetric_cross_entropy_op {
  static constexpr std::string_view name = "symmetric_cross_entropy";
  double alpha = 0.1;
  double beta = 1.0;
  double log_zero = -4.0;

  template <class T> constexpr T value(T l, T) const {
    return math::constant<T>(beta * log_zero) * math::expm1(l) - math::constant<T>(alpha) * l;
  }
  template <class T> constexpr T slope(T l, T) const {
    return math::constant<T>(beta * log_zero) * math::exp(l) - math::constant<T>(alpha);
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto symmetric_cross_entropy(X&& x, Y&& labels, symmetric_cross_entropy_op const& options = {}, R r = {}) {
  auto const& [alpha, beta, log_zero] = options;
  if (!(alpha >= 0 && beta >= 0))
    fail<argument_error>("symmetric_cross_entropy", "alpha and beta must not be negative, but are ", alpha, " and ",
                         beta);
  if (!(log_zero < 0)) fail<argument_error>("symmetric_cross_entropy", "log_zero must be negative, but is ", log_zero);
  return detail::class_loss(detail::of_target<symmetric_cross_entropy_op>{options}, r, std::forward<X>(x),
                            std::forward<Y>(labels), no_weight);
}
template <operand X, operand Y, common_reduction R> auto symmetric_cross_entropy(X&& x, Y&& labels, R r) {
  return symmetric_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), {}, r);
}

LIMBIC_END
