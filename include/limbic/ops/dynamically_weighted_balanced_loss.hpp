// limbic/ops/dynamically_weighted_balanced_loss.hpp - cross entropy for rare classes, whose weight fades with confidence
//
//   w_c^(1 - p_c) (-log p_c) + s sum_j p_j (1 - p_j),   p = softmax(x)      Fernando and Tsokos 2021, "Dynamically weighted
//   w_c = log(max_k n_k / n_c) + 1                                          balanced loss", IEEE TNNLS
//
// n_k is how often class k occurs: dynamic_class_weights(n) gives the w. s (`penalty`) is -1 as in the paper, whose second
// term is subtracted (the loss may be negative); 1 adds it, 0 leaves it out.
//
// shape   logits (N, C, d...), labels (N, d...), weights w (C) -> (), or (N, d...) for none; mean over the samples
// adjoint l = log p_c:  x'_j += (w_c^(1 - p_c) (l p_c log w_c - 1) (d_jc - p_j) + 2 s p_j (sum_k p_k^2 - p_j)) y'
//         also through the exponent; w has no gradient
// domain  w > 0; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct dynamically_weighted_balanced_loss_op {
  static constexpr std::string_view name = "dynamically_weighted_balanced_loss";
  static constexpr bool normalizes = true, weighs = false;
  double penalty = -1.0;

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm, auto w) const {
    auto const unsure = [norm](auto v) { return -(norm.probability(v) * math::expm1(-norm.surprise(v))); };
    T const l = norm.log_probability(static_cast<T>(x[c]));
    return math::constant<T>(penalty) * fold(sum_of{}, unsure, x) - balance<T>(l, w[c]) * l;
  }
  template <class T>
  constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm, auto w) const {
    T const l = norm.log_probability(static_cast<T>(x[c])), weight = w[c];
    T const own = g * balance<T>(l, weight) * (l * math::exp(l) * math::log(weight) - T(1));
    auto const square = [norm](auto v) { return norm.probability(v) * norm.probability(v); };
    T const squares = fold(sum_of{}, square, x);
    auto const spread = [norm](auto v, auto scale, auto unsure, auto all) {
      auto const p = norm.probability(v);
      return p * (unsure * (all - p) - scale);
    };
    map(dx, spread, x, own, g * math::constant<T>(2 * penalty), squares);
    detail::add_at(dx, c, own);
  }

 private:
  // w^(1 - p)
  template <class T> static constexpr T balance(T l, T w) { return math::exp(-math::expm1(l) * math::log(w)); }
};

// log(max n / n_c) + 1 for each class, from how often it occurs: 1 for the most frequent one, more for the rare.
template <operand N> auto dynamic_class_weights(N const& counts) {
  using T = element_of<N>;
  static_assert(rank_of<N> == 1 && is_host<device_of<N>> && !std::is_integral_v<T>,
                "limbic: dynamic_class_weights takes a real number for each class, on a CPU");
  auto const n = as_view(counts);
  T most(0);
  for (std::ptrdiff_t c = 0; c < n.size(); ++c) {
    if (!(n(c) > T(0)))
      fail<argument_error>("dynamic_class_weights", "every class must occur, but class ", c, " has the count ", n(c));
    most = math::max(most, T(n(c)));
  }
  tensor<T, 1, device_of<N>> w(n.shape());
  for (std::ptrdiff_t c = 0; c < n.size(); ++c) w(c) = math::log(most / n(c)) + T(1);
  return w;
}

template <operand X, operand Y, operand W, common_reduction R = reduction::mean_t>
auto dynamically_weighted_balanced_loss(X&& x, Y&& labels, W&& weight,
                                        dynamically_weighted_balanced_loss_op const& options = {}, R r = {}) {
  if (!math::isfinite(options.penalty))
    fail<argument_error>("dynamically_weighted_balanced_loss", "penalty must be finite, but is ", options.penalty);
  return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(weight));
}
template <operand X, operand Y, operand W, common_reduction R>
auto dynamically_weighted_balanced_loss(X&& x, Y&& labels, W&& weight, R r) {
  return dynamically_weighted_balanced_loss(std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(weight), {},
                                            r);
}

LIMBIC_END
