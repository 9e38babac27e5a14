// limbic/ops/wrong_norm.hpp - the length of what a softmax gives to the classes that are not the label
//
//   w = sqrt(sum_(j != c) p_j^2),   p = softmax(x)                          weight_form::product, |(1 - Y) p|
//   w = sqrt(p_c^2 + sum_(j != c) (1 - p_j)^2)                              weight_form::difference, |(1 - Y) - p|
//
// with the one-hot label Y. The product goes from 0 (certain and right) to 1 (certain and wrong): what sce_loss.hpp asks for.
// The difference is the other reading of its source, and falls where the product rises.
//
// shape   logits (N, C, d...), labels (N, d...) -> (), or (N, d...) for none; mean over the samples
// adjoint product: r_j = p_j / w, 0 at j = c, computed without a division by small numbers:  x'_j += p_j (r_j - w) y'
//         difference: r_j = -(1 - p_j) / w, r_c = p_c / w:  x'_j += p_j (r_j - sum_k p_k r_k) y';  0 where w is 0
// domain  logits of any size; NaN stays NaN. The product of a single class is 0
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

// Which length.
enum class weight_form { product, difference };

struct wrong_norm_op {
  static constexpr std::string_view name = "wrong_norm";
  static constexpr bool normalizes = true, weighs = false;
  weight_form form = weight_form::product;  // of which length

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    if (form == weight_form::difference) return distance(x, c, norm);
    return x.size() == 1 ? T(0) : norm.probability(log_length<T>(x, c));
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm) const {
    if (form == weight_form::difference) return distance_slope(dx, g, x, c, norm);
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
  // The difference: its greatest part is taken out, so that small ones keep their squares.
  template <class T> static constexpr T distance(auto x, std::ptrdiff_t c, detail::log_norm<T> const& norm) {
    auto const rest = [norm](auto v) { return -math::expm1(-norm.surprise(v)); };
    auto const before = x.part(0, c), after = x.part(c + 1, x.size());
    T const own = norm.probability(static_cast<T>(x[c]));
    T const most = math::max(own, math::max(fold(max_of{}, rest, before), fold(max_of{}, rest, after)));
    if (most == T(0)) return most;
    auto const square = [rest, most](auto v) {
      auto const part = rest(v) / math::broadcast<decltype(v)>(most);
      return part * part;
    };
    return most *
           math::sqrt(own / most * (own / most) + fold(sum_of{}, square, before) + fold(sum_of{}, square, after));
  }
  template <class T>
  static constexpr void distance_slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> const& norm) {
    T const w = distance(x, c, norm), p = norm.probability(static_cast<T>(x[c]));
    if (w == T(0)) return detail::set_row(dx, T(0));
    auto const pull = [norm](auto v) { return norm.probability(v) * math::expm1(-norm.surprise(v)); };  // -p (1 - p)
    auto const before = x.part(0, c), after = x.part(c + 1, x.size());
    T const all = p * p + fold(sum_of{}, pull, before) + fold(sum_of{}, pull, after);
    auto const spread = [norm](auto v, auto scale, auto sum_of_all) {
      return scale * norm.probability(v) * (math::expm1(-norm.surprise(v)) - sum_of_all);
    };
    map(dx.part(0, c), spread, before, g / w, all);
    map(dx.part(c + 1, x.size()), spread, after, g / w, all);
    dx.put(c, g / w * p * (p - all));
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto wrong_norm(
    X&& x, Y&& labels, wrong_norm_op const& options = {}, R r = {}) {
  return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(labels), no_weight);
}
template <operand X, operand Y, common_reduction R> auto wrong_norm(X&& x, Y&& labels, R r) {
  return wrong_norm(std::forward<X>(x), std::forward<Y>(labels), {}, r);
}

LIMBIC_END
