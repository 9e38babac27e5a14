// limbic/ops/brier_loss.hpp - squared distance of the softmax from the one-hot label
//
//   sum_j (p_j - d_jc)^2,   p = softmax(x)          Brier 1950; metrics/ has the score of probabilities that are given
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint e_j = p_j - d_jc:  x'_j += 2 p_j (e_j - sum_k p_k e_k) y'
// domain  logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct brier_loss_op {
  static constexpr std::string_view name = "brier_loss";
  static constexpr bool normalizes = true, weighs = false;

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    auto const square = [norm](auto v) { return norm.probability(v) * norm.probability(v); };
    T const miss = math::expm1(norm.log_probability(static_cast<T>(x[c])));
    return miss * miss + (fold(sum_of{}, square, x.part(0, c)) + fold(sum_of{}, square, x.part(c + 1, x.size())));
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    auto const square = [norm](auto v) { return norm.probability(v) * norm.probability(v); };
    T const p = norm.probability(static_cast<T>(x[c])), mean = fold(sum_of{}, square, x) - p;
    auto const spread = [norm](auto v, auto scale, auto all) {
      auto const q = norm.probability(v);
      return scale * q * (q - all);
    };
    map(dx, spread, x, g + g, mean);
    detail::add_at(dx, c, -((g + g) * p));
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto brier_loss(X&& x, Y&& labels, R r = {}) {
  return detail::class_loss(brier_loss_op{}, r, std::forward<X>(x), std::forward<Y>(labels), no_weight);
}

LIMBIC_END
