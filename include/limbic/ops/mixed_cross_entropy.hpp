// limbic/ops/mixed_cross_entropy.hpp - cross entropy that trusts its own prediction more as training goes on
//
//   (1 - a) (-log p_c) + a (-log p_g),   a = m iteration / total_iterations      Li and Lu 2021, "Mixed cross entropy loss
//                                                                                for neural machine translation"
// p = softmax(x); g is the class predicted (the first of the greatest logits), a constant to the gradient. At iteration 0 this
// is cross entropy.
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint x'_j += (p_j - (1 - a) d_jc - a d_jg) y'
// domain  0 <= iteration <= total_iterations > 0, 0 <= m <= 1; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct mixed_cross_entropy_op {
  static constexpr std::string_view name = "mixed_cross_entropy";
  static constexpr bool normalizes = true, weighs = false;
  std::int64_t iteration = 0;
  std::int64_t total_iterations = 1;
  double m = 0.5;

  // a, the part of the prediction.
  constexpr double mixing() const { return m * static_cast<double>(iteration) / static_cast<double>(total_iterations); }
  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    return math::constant<T>(1 - mixing()) * norm.surprise(static_cast<T>(x[c])) +
           math::constant<T>(mixing()) * norm.surprise(norm.largest);
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    map(dx, [norm](auto v, auto scale) { return scale * norm.probability(v); }, x, g);
    detail::add_at(dx, c, -(g * math::constant<T>(1 - mixing())));
    detail::add_at(dx, argmax(x), -(g * math::constant<T>(mixing())));
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto mixed_cross_entropy(X&& x, Y&& labels, mixed_cross_entropy_op const& options = {}, R r = {}) {
  auto const& [iteration, total, m] = options;
  if (!(total > 0 && iteration >= 0 && iteration <= total))
    fail<argument_error>("mixed_cross_entropy", "iteration must lie in 0 to total_iterations, but they are ", iteration,
                         " and ", total);
  if (!(m >= 0 && m <= 1)) fail<argument_error>("mixed_cross_entropy", "m must lie in [0, 1], but is ", m);
  return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(labels), no_weight);
}
template <operand X, operand Y, common_reduction R> auto mixed_cross_entropy(X&& x, Y&& labels, R r) {
  return mixed_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), {}, r);
}

LIMBIC_END
