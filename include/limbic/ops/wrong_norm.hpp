// limbic/ops/wrong_norm.hpp - the length of what a softmax gives to the classes that are not the label
//
//   w = sqrt(sum_(j != c) p_j^2),   p = softmax(x)
//
// from 0 (certain and right) to 1 (certain and wrong); a part of sce_loss.hpp.
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint r_j = p_j / w, 0 at j = c, computed without a division by small numbers:  x'_j += p_j (r_j - w) y'
// domain  logits of any size; NaN stays NaN. A single class has w = 0
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct wrong_norm_op {
  static constexpr std::string_view name = "wrong_norm";
  static constexpr bool normalizes = true, weighs = false;

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    return x.size() == 1 ? T(0) : norm.probability(log_length<T>(x, c));
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    if (x.size() == 1) return detail::set_row(dx, T(0));
    T const length = log_length<T>(x, c), w = norm.probability(length);
    auto const spread = [norm](auto v, auto scale, auto by, auto all) {
      return scale * norm.probability(v) * (math::exp(v - by) - all);
    };
    map(dx.part(0, c), spread, x.part(0, c), g, length, w);
    map(dx.part(c + 1, x.size()), spread, x.part(c + 1, x.size()), g, length, w);
    dx.put(c, -(g * w * norm.probability(static_cast<T>(x[c]))));
  }

 private:
  // log sqrt(sum_(j != c) e^(2 x_j))
  template <class T> static constexpr T log_length(auto x, std::ptrdiff_t c) {
    auto const before = x.part(0, c), after = x.part(c + 1, x.size());
    T const most = math::max(max(before), max(after));
    auto const square = [most](auto v) {
      auto const e = math::exp(v - math::broadcast<decltype(v)>(most));
      return e * e;
    };
    T const squares = fold(sum_of{}, square, before) + fold(sum_of{}, square, after);
    return most + math::constant<T>(0.5) * math::log(squares);
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto wrong_norm(X&& x, Y&& labels, R r = {}) {
  return detail::class_loss(wrong_norm_op{}, r, std::forward<X>(x), std::forward<Y>(labels), no_weight);
}

LIMBIC_END
