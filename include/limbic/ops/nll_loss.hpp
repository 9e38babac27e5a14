// limbic/ops/nll_loss.hpp - negative log likelihood, from log-probabilities
//
//   -w_c x_c        x: a sample's log-probabilities, c: its class
//
// shape   x (N, C, d...), labels (N, d...), weights (C); a mean divides by the sum of the samples' weights
// adjoint x'_c += -w_c y', 0 elsewhere; from the labels alone, so the tape may free x
// domain  labels in [0, C), or ignore_index: such a sample counts nowhere
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct nll_loss_op {
  static constexpr std::string_view name = "nll_loss";
  static constexpr bool normalizes = false, weighs = true;
  std::int64_t ignore_index = -100;

  constexpr bool ignores(std::ptrdiff_t c) const { return c == static_cast<std::ptrdiff_t>(ignore_index); }
  template <class T> constexpr T share(std::ptrdiff_t c, auto... w) const { return detail::class_weight<T>(c, w...); }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T>, auto... w) const {
    return -(detail::class_weight<T>(c, w...) * x[c]);
  }
  template <class T> constexpr void slope(auto dx, T g, auto, std::ptrdiff_t c, detail::log_norm<T>, auto... w) const {
    detail::set_row(dx, T(0));
    detail::add_at(dx, c, -(g * detail::class_weight<T>(c, w...)));
  }
};

template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto nll_loss(X&& x, Y&& labels, W&& weight, nll_loss_op const& options = {}, R r = {}) {
  return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(weight));
}
template <operand X, operand Y, weight_operand W, common_reduction R> auto nll_loss(X&& x, Y&& labels, W&& weight,
                                                                                    R r) {
  return nll_loss(std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(weight), {}, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto nll_loss(X&& x, Y&& labels, nll_loss_op const& options = {}, R r = {}) {
  return nll_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, options, r);
}
template <operand X, operand Y, common_reduction R> auto nll_loss(X&& x, Y&& labels, R r) {
  return nll_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, {}, r);
}

LIMBIC_END
