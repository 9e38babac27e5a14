// limbic/ops/truncated_generalized_cross_entropy.hpp - generalised cross entropy without the samples that look mislabelled
//
//   L_q(p)  p >  k          L_q(p) = (1 - p^q) / q,   p = softmax(x)_c
//   L_q(k)  p <= k          Zhang and Sabuncu 2018, arXiv:1805.07836
//
// A sample with p <= k is pruned: it costs the constant L_q(k) and has no gradient. The paper alternates: it keeps weights
// v (0 or 1 for each sample), trains a while with them fixed, and then finds them anew:
//
//   auto const v = truncation_weights(x, labels, o);                      1 where p > k
//   truncated_generalized_cross_entropy(x, labels, v, o)                  v L_q(p) + (1 - v) L_q(k)
//   truncated_generalized_cross_entropy(x, labels, o)                     the same with the v of this very x
//   pruned_generalized_cross_entropy(x, labels, v, o)                     v (L_q(p) - L_q(k)): less a constant
//
// shape   logits (N, C, d...), labels and v (N, d...) -> (), or (N, d...) for none; mean over the samples, pruned ones too
// adjoint that of L_q where v = 1; v has no gradient
// domain  0 < q <= 1, 0 < k < 1; NaN stays NaN
#pragma once

#include <limbic/ops/compare.hpp>
#include <limbic/ops/generalized_cross_entropy.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/reduced.hpp>
#include <limbic/ops/where.hpp>

LIMBIC_BEGIN

struct truncated_generalized_cross_entropy_op {
  static constexpr std::string_view name = "truncated_generalized_cross_entropy";
  double q = 0.7;
  double k = 0.5;

  template <class T> constexpr T value(T l, T w) const {
    T const least = math::log(math::constant<T>(k));
    return generalized_cross_entropy_op{q}.value(l <= least ? least : l, w);
  }
  template <class T> constexpr T slope(T l, T w) const {
    return l <= math::log(math::constant<T>(k)) ? T(0) : generalized_cross_entropy_op{q}.slope(l, w);
  }
  // L_q(k), what a pruned sample costs.
  double pruned_loss() const { return generalized_cross_entropy_op{q}.value(math::log(k), 1.0); }
  // argument_error where an option is outside of its domain.
  void check() const {
    generalized_cross_entropy_op{q}.check(name);
    if (!(k > 0 && k < 1)) fail<argument_error>(name, "k must lie in (0, 1), but is ", k);
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto truncated_generalized_cross_entropy(X&& x, Y&& labels, truncated_generalized_cross_entropy_op const& options = {},
                                         R r = {}) {
  options.check();
  return detail::class_loss(detail::of_target<truncated_generalized_cross_entropy_op>{options}, r, std::forward<X>(x),
                            std::forward<Y>(labels), no_weight);
}
template <operand X, operand Y, common_reduction R> auto truncated_generalized_cross_entropy(X&& x, Y&& labels, R r) {
  return truncated_generalized_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), {}, r);
}

// 1 for a sample with p > k, 0 for one to be pruned; without a gradient.
template <operand X, operand Y>
auto truncation_weights(X&& x, Y&& labels, truncated_generalized_cross_entropy_op const& options = {}) {
  options.check();
  return less(generalized_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), {options.q}, reduction::none),
              options.pruned_loss());
}

// v (L_q(p) - L_q(k)): what is left to minimise when v is fixed.
template <operand X, operand Y, operand V, common_reduction R = reduction::mean_t>
auto pruned_generalized_cross_entropy(X&& x, Y&& labels, V&& v,
                                      truncated_generalized_cross_entropy_op const& options = {}, R r = {}) {
  options.check();
  static_assert(rank_of<V> == rank_of<Y>, "limbic: there is one weight v for each label");
  if (!(v.shape() == labels.shape()))
    fail<shape_error>("pruned_generalized_cross_entropy", "labels ", labels.shape(), " need a weight each, but came ",
                      v.shape());
  auto const each =
      generalized_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), {options.q}, reduction::none);
  return detail::reduced(mul(each - options.pruned_loss(), std::forward<V>(v)), r);
}
template <operand X, operand Y, operand V, common_reduction R = reduction::mean_t>
auto truncated_generalized_cross_entropy(X&& x, Y&& labels, V&& v,
                                         truncated_generalized_cross_entropy_op const& options = {}, R r = {}) {
  auto const each = pruned_generalized_cross_entropy(std::forward<X>(x), std::forward<Y>(labels), std::forward<V>(v),
                                                     options, reduction::none);
  return detail::reduced(each + options.pruned_loss(), r);
}

LIMBIC_END
