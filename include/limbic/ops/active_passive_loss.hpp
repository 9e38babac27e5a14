// limbic/ops/active_passive_loss.hpp - a loss that fits the label and one that fits no other, both robust
//
//   alpha log p_c / sum_j log p_j + beta r (1 - p_c),   p = softmax(x)          Ma et al. 2020, arXiv:2006.13554
//
// The active part is normalised cross entropy, between 0 and 1; the passive one is mean absolute error for r (`passive`) = 2,
// reverse cross entropy with log 0 = -4 for r = 4.
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint l_j = -log p_j, s = sum_j l_j:
//         x'_j += (alpha ((p_j - d_jc) / s - l_c (C p_j - 1) / s^2) + beta r p_c (p_j - d_jc)) y'
// domain  alpha, beta, r >= 0; C >= 2; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct active_passive_loss_op {
  static constexpr std::string_view name = "active_passive_loss";
  static constexpr bool normalizes = true, weighs = false;
  double alpha = 1.0;
  double beta = 1.0;
  double passive = 2.0;

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    T const l = norm.log_probability(static_cast<T>(x[c]));
    return -(math::constant<T>(alpha) * l / all(x, norm) + math::constant<T>(beta * passive) * math::expm1(l));
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    T const l = norm.log_probability(static_cast<T>(x[c])), s = all(x, norm);
    T const active = g * math::constant<T>(alpha) / s, share = l / s;  // -1 <= share <= 0
    T const own = active + g * math::constant<T>(beta * passive) * math::exp(l);
    T const each = own + active * share * math::constant<T>(static_cast<double>(x.size()));
    map(
        dx, [norm](auto v, auto scale, auto shift) { return scale * norm.probability(v) - shift; }, x, each,
        active * share);
    detail::add_at(dx, c, -own);
  }

 private:
  template <class T> static constexpr T all(auto x, detail::log_norm<T> const& norm) {
    return fold(sum_of{}, [norm](auto v) { return norm.surprise(v); }, x);
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto active_passive_loss(X&& x, Y&& labels, active_passive_loss_op const& options = {}, R r = {}) {
  auto const& [alpha, beta, passive] = options;
  if (!(alpha >= 0 && beta >= 0 && passive >= 0))
    fail<argument_error>("active_passive_loss", "alpha, beta and passive must not be negative, but are ", alpha, ", ",
                         beta, " and ", passive);
  if constexpr (rank_of<X> >= 2)
    if (x.shape()[1] < 2) fail<shape_error>("active_passive_loss", "scores ", x.shape(), " need at least two classes");
  return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(labels), no_weight);
}
template <operand X, operand Y, common_reduction R> auto active_passive_loss(X&& x, Y&& labels, R r) {
  return active_passive_loss(std::forward<X>(x), std::forward<Y>(labels), {}, r);
}

LIMBIC_END
