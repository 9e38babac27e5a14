// limbic/ops/generalized_cross_entropy.hpp - between cross entropy and mean absolute error, for labels that may be wrong
//
//   L_q(p) = (1 - p^q) / q,   p = softmax(x)_c          Zhang and Sabuncu 2018, arXiv:1805.07836
//
// q -> 0 is cross entropy, -log p (any q that is not 0 may be given: the difference is computed without loss); q = 1 is
// 1 - p, which bears wrong labels best and learns slowest.
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint x'_j += -p^q (d_jc - p_j) y'
// domain  0 < q <= 1; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct generalized_cross_entropy_op {
  static constexpr std::string_view name = "generalized_cross_entropy";
  double q = 0.7;

  template <class T> constexpr T value(T l, T) const {
    T const power = math::constant<T>(q);
    return -(math::expm1(power * l) / power);
  }
  template <class T> constexpr T slope(T l, T) const { return -math::exp(math::constant<T>(q) * l); }
  // argument_error where an option is outside of its domain; `op` is who asks.
  void check(std::string_view op = name) const {
    if (!(q > 0 && q <= 1)) fail<argument_error>(op, "q must lie in (0, 1], but is ", q);
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto generalized_cross_entropy(X&& x, Y&& labels, generalized_cross_entropy_op const& options = {}, R r = {}) {
  options.check();
  return detail::class_loss(detail::of_target<generalized_cross_entropy_op>{options}, r, std::forward<X>(x),
                            std::forward<Y>(labels), no_weight);
}
template <operand X, operand Y, common_reduction R> auto generalized_cross_entropy(X&& x, Y&& labels, R r) {
  return generalized_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), {}, r);
}

LIMBIC_END
