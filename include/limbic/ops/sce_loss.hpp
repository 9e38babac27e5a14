// limbic/ops/sce_loss.hpp - cross entropy that counts unsure samples more, the more the batch is off
//
//   a mean_i(l_i) + b alpha mean_i(w_i l_i)
//
//   l_i   = -log p_ic                           cross entropy; p = softmax(x)
//   w_i   = sqrt(sum_(j != c) p_ij^2)           falls as the confidence in the label rises (weight_form): wrong_norm.hpp
//   alpha = mean_i sum_j (p_ij - d_jc)^2        how far the batch is off: brier_loss.hpp
//
// Gradients flow through alpha and w too, or not (stop_gradient). Not the loss of symmetric_cross_entropy.hpp. The reference
// family sce holds its numbers, and how its source was read.
//
// shape   logits (N, C, d...), labels (N, d...) -> ()
// domain  a (ce_balance), b (proposed_balance) >= 0; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/brier_loss.hpp>
#include <limbic/ops/cross_entropy.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/ops/wrong_norm.hpp>

LIMBIC_BEGIN

struct sce_loss_options {
  double ce_balance = 0.5;                                         // a
  double proposed_balance = 0.5;                                   // b
  limbic::weight_form weight_form = limbic::weight_form::product;  // what w is
  bool stop_gradient = false;                                      // whether alpha and w are constants to the gradient
};

namespace detail {
template <class X> auto stopped(X const& x, [[maybe_unused]] bool stop) {
  if constexpr (recorded<X>) return stop ? x.detach() : x;
  else return as_view(x);
}
}  // namespace detail

template <operand X, operand Y> auto sce_loss(X&& x, Y&& labels, sce_loss_options const& options = {}) {
  constexpr bool fit = detail::has_labels<X, Y>;
  static_assert(fit, "limbic: sce_loss takes logits (N, C, d...) and integer labels (N, d...)");
  auto const& [a, b, form, stop] = options;
  if (!(a >= 0 && b >= 0))
    fail<argument_error>("sce_loss", "the balances must not be negative, but are ", a, " and ", b);
  if constexpr (fit) {
    // Temporaries are copied, never moved from.
    auto const l = cross_entropy(std::forward<X>(x), std::forward<Y>(labels), reduction::none);
    auto const w = wrong_norm(std::forward<X>(x), std::forward<Y>(labels), {form}, reduction::none);
    auto const alpha = brier_loss(std::forward<X>(x), std::forward<Y>(labels));
    return mean(l) * a + mul(detail::stopped(alpha, stop), mean(mul(detail::stopped(w, stop), l))) * b;
  }
}

LIMBIC_END
