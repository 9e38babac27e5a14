// limbic/ops/focal_loss.hpp - cross entropy that looks away from easy samples; Lin et al. 2017, arXiv:1708.02002, eq. 5
//
// focal_loss: classes, from logits x and a label c
//
//   -alpha w_c (1 - p)^gamma l,   l = log p,  p = softmax(x)_c
//
// shape   logits (N, C, d...), labels (N, d...), per-class weights w (C) -> (), or (N, d...) for none
// mean    over the samples, whatever their weights
// adjoint x'_j += -alpha w_c (1 - p)^gamma (1 - gamma p l / (1 - p)) (d_jc - p_j) y';  l / (1 - p) -> -1 at p = 1
//
// sigmoid_focal_loss: independent yes-or-no answers, from logits x and targets t in [0, 1]
//
//   a m^gamma c,   p = 1 / (1 + e^-x)
//   m = t (1 - p) + (1 - t) p                               how far the answer is off
//   c = -t log p - (1 - t) log(1 - p)                       its cross entropy
//   a = t alpha + (1 - t) (1 - alpha), or 1 where alpha < 0
//
// shape   input and target alike; mean: over all elements
// adjoint x' += a m^gamma (gamma p (1 - p) (1 - 2 t) c / m + (1 - t) p - t (1 - p)) y'
//         t' += (a' m^gamma c + a (gamma m^(gamma-1) (1 - 2 p) c + m^gamma (log(1 - p) - log p))) y',  a' = 2 alpha - 1
//
// domain  gamma >= 0; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/binary_cross_entropy.hpp>
#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

namespace detail {
// x^c for x >= 0 and one c for all elements; the usual ones without a logarithm.
template <class V> constexpr V power_of(V x, double c) {
  if (c == 0) return x * V(0) + V(1);
  if (c == 1) return x;
  if (c == 2) return x * x;
  return math::pow(x, math::constant<V>(c));
}
}  // namespace detail

struct focal_loss_op {
  static constexpr std::string_view name = "focal_loss";
  double gamma = 2.0;
  double alpha = 1.0;

  template <class T> constexpr T value(T l, T w) const { return -(scale(l, w) * l); }
  template <class T> constexpr T slope(T l, T w) const {
    T const miss = -math::expm1(l), ratio = miss > T(0) ? l / miss : T(-1);
    return -(scale(l, w) * (T(1) - math::constant<T>(gamma) * math::exp(l) * ratio));
  }

 private:
  // alpha w (1 - p)^gamma
  template <class T> constexpr T scale(T l, T w) const {
    return math::constant<T>(alpha) * w * detail::power_of(-math::expm1(l), gamma);
  }
};

struct sigmoid_focal_loss_op {
  static constexpr std::string_view name = "sigmoid_focal_loss";
  double gamma = 2.0;
  double alpha = 0.25;

  template <class V> constexpr V value(V x, V t) const {
    auto const l = detail::logistic<V>::of(x);
    return balance(t) * detail::power_of(miss(l, t), gamma) * entropy(l, t);
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    auto const l = detail::logistic<V>::of(x);
    V const one = V(1), zero = V(0), g = math::constant<V>(gamma);
    V const a = balance(t), m = miss(l, t), c = entropy(l, t), power = detail::power_of(m, gamma);
    // p (1 - p) / m is at most 1; where m = 0 there is no loss to change
    V const ratio = math::select(m > zero, l.p * l.q / m, zero),
            lower = math::select(m > zero, detail::power_of(m, gamma - 1), zero);
    V const dx = a * power * (g * ratio * (one - t - t) * c + (one - t) * l.p - t * l.q);
    V const da = math::constant<V>(alpha < 0 ? 0 : 2 * alpha - 1);
    V const dt = da * power * c + a * (g * lower * (l.q - l.p) * c + power * (l.log_p - l.log_q));
    return {{dx, dt}};
  }

 private:
  template <class V> constexpr V balance(V t) const {
    return alpha < 0 ? V(1) : t * math::constant<V>(alpha) + (V(1) - t) * math::constant<V>(1 - alpha);
  }
  template <class V> static constexpr V miss(detail::logistic<V> const& l, V t) { return t * l.q + (V(1) - t) * l.p; }
  template <class V> static constexpr V entropy(detail::logistic<V> const& l, V t) {
    return t * l.log_p + (V(1) - t) * l.log_q;
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto sigmoid_focal_loss(X&& x, Y&& target, sigmoid_focal_loss_op const& options = {}, R r = {}) {
  if (!(options.gamma >= 0))
    fail<argument_error>("sigmoid_focal_loss", "gamma must not be negative, but is ", options.gamma);
  if (!(options.alpha <= 1))
    fail<argument_error>("sigmoid_focal_loss", "alpha must be at most 1, but is ", options.alpha);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto sigmoid_focal_loss(X&& x, Y&& target, R r) {
  return sigmoid_focal_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto focal_loss(X&& x, Y&& labels, W&& alpha, focal_loss_op const& options = {}, R r = {}) {
  if (!(options.gamma >= 0)) fail<argument_error>("focal_loss", "gamma must not be negative, but is ", options.gamma);
  return detail::class_loss(detail::of_target<focal_loss_op>{options}, r, std::forward<X>(x), std::forward<Y>(labels),
                            std::forward<W>(alpha));
}
template <operand X, operand Y, weight_operand W, common_reduction R> auto focal_loss(X&& x, Y&& labels, W&& alpha,
                                                                                      R r) {
  return focal_loss(std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(alpha), {}, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto focal_loss(X&& x, Y&& labels, focal_loss_op const& options = {}, R r = {}) {
  return focal_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, options, r);
}
template <operand X, operand Y, common_reduction R> auto focal_loss(X&& x, Y&& labels, R r) {
  return focal_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, {}, r);
}

LIMBIC_END
