// limbic/ops/margin_loss.hpp - softmax losses that demand more of the target's logit than of the others
//
//   margin_loss(x, weight, labels, arcface_margin{.scale = 64, .margin = 0.5})                    a scalar
//   margin_loss(x, weight, labels, arcface_margin{}, reduction::none)                             one for each sample
//   cross_entropy(margin_logits(x, weight, labels, arcface_margin{}), labels, {.label_smoothing = 0.1})
//
// x are the features of N samples, weight a row for each class, without bias. A margin is a struct of options that says what
// becomes of the cosines c_j between them (of the products x . W_j, where it sets `cosines` to false):
//
//   name                      what errors call it
//   target(c)                 the target's ...
//   slope(c)                  ... and its derivative
//   other()                   what is added to the others (most margins: no such member)
//   cosines                   false for products that nothing normalises
//   scale                     what all are then multiplied by (1 where it is 0, or no such member)
//   lengths(y, a, b)          y times the lengths of features (N, 1) or weights (1, C), where they count
//   check()                   argument_error where an option is outside of its domain
//
// At prediction there is no target: classify by the greatest of pairwise_cosine_similarity(x, weight).
//
// shape   x (N, D), weight (C, D), labels (N) -> logits (N, C); the loss is their cross entropy: (), or (N) for none
// adjoint logit_j = s (c_j + other): c'_j += s y'_j; of the target s slope(c_c) y'_c. To x and weight both
// domain  labels in [0, C). Features or weights of zeros have the cosine 0 with everything and get no gradient. NaN stays NaN
#pragma once

#include <limbic/ops/cross_entropy.hpp>
#include <limbic/ops/linear.hpp>
#include <limbic/ops/mul.hpp>
#include <limbic/ops/pairwise_cosine_similarity.hpp>

LIMBIC_BEGIN

// Options that say what becomes of the target's cosine.
template <class M> concept softmax_margin = requires(M const& m) {
  m.check();
  m.target(1.0);
  m.slope(1.0);
};

namespace detail {

// What every margin asks of its options.
inline void check_scale(std::string_view name, double scale) {
  if (!(scale > 0)) fail<argument_error>(name, "scale must be positive, but is ", scale);
}
inline void check_margin(std::string_view name, double m) {
  if (!(m >= 0)) fail<argument_error>(name, "margin must not be negative, but is ", m);
}

template <class M> constexpr bool uses_cosines() {
  if constexpr (requires { M::cosines; }) return M::cosines;
  else return true;
}
template <class M, class Y> concept has_lengths = requires(M const& m, Y const& y) { m.lengths(y, y, y); };

template <class M> struct margin_row {
  M m;
  double scale;
  constexpr void operator()(auto c, auto label, auto y) const {
    using T = typename decltype(y)::value_type;
    T const s = math::constant<T>(scale);
    auto const k = static_cast<std::ptrdiff_t>(label[0]);
    if (k < 0 || k >= c.size()) return set_row(y, math::constant<T>(std::numeric_limits<double>::quiet_NaN()));
    T shift(0);
    if constexpr (requires { m.other(); }) shift = math::constant<T>(m.other());
    map(y, [](auto v, auto by, auto more) { return by * (v + more); }, c, s, shift);
    y.put(k, s * m.target(static_cast<T>(c[k])));
  }
};
template <class M> struct margin_row_adjoint {
  M m;
  double scale;
  constexpr void operator()(auto c, auto label, auto dy, auto dc) const {
    using T = typename decltype(dc)::value_type;
    T const s = math::constant<T>(scale);
    auto const k = static_cast<std::ptrdiff_t>(label[0]);
    if (k < 0 || k >= c.size()) return set_row(dc, T(0));
    T const g = s * dy[k];
    map(dc, [](auto v, auto by) { return v * by; }, dy, s);
    add_at(dc, k, g * m.slope(static_cast<T>(c[k])) - g);
  }
};

}  // namespace detail

template <softmax_margin M> struct margin_op {
  static constexpr std::string_view name = M::name;
  static constexpr keep needs = keep::inputs(0, 1);
  M m;               // what becomes of the target's cosine
  double scale = 1;  // of all logits

  shape<2> shape_of(shape<2> const& c, shape<1> const& label) const {
    if (label[0] != c[0]) fail<shape_error>(name, "logits ", c, " need a label for each row, but came ", label);
    return c;
  }
  constexpr bool ignores(std::ptrdiff_t) const { return false; }  // no sample
  void forward(auto d, auto y, auto c, auto label) const {
    detail::check_labels(d, *this, label, c.extent(1));
    for_each_row(d, 1, detail::margin_row<M>{m, scale}, c, label.unsqueeze(1), y);
  }
  void adjoint(auto d, auto c, auto label, auto, auto dy, auto dc, auto) const {
    if (dc) for_each_row(d, 1, detail::margin_row_adjoint<M>{m, scale}, c, label.unsqueeze(1), dy, dc);
  }
};

namespace detail {
template <class X, class W, class Y>
inline constexpr bool has_margin_operands = rank_of<W> == 2 && rank_of<X> == 2 && has_labels<X, Y>;
}

template <operand X, operand W, operand Y, softmax_margin M> auto margin_logits(X&& x, W&& weight, Y&& labels,
                                                                                M const& m) {
  constexpr bool ranks = detail::has_margin_operands<X, W, Y>;
  static_assert(ranks, "limbic: a margin takes features (N, D), weights (C, D) and integer labels (N)");
  m.check();
  if constexpr (ranks) {
    if constexpr (!detail::uses_cosines<M>()) {
      return apply(margin_op<M>{m}, functional::linear(std::forward<X>(x), std::forward<W>(weight)),
                   std::forward<Y>(labels));
    } else {
      auto const [c, lengths_x, lengths_w] = cosines_and_lengths(std::forward<X>(x), std::forward<W>(weight));
      double scale = 1;
      if constexpr (requires { m.scale; }) scale = m.scale == 0 ? 1 : m.scale;
      auto y = apply(margin_op<M>{m, scale}, c, std::forward<Y>(labels));
      if constexpr (detail::has_lengths<M, decltype(y)>) return m.lengths(y, lengths_x, lengths_w);
      else return y;
    }
  }
}

template <operand X, operand W, operand Y, softmax_margin M, common_reduction R = reduction::mean_t>
auto margin_loss(X&& x, W&& weight, Y&& labels, M const& m, R r = {}) {
  if constexpr (detail::has_margin_operands<X, W, Y>) {
    auto const y = margin_logits(std::forward<X>(x), std::forward<W>(weight), std::forward<Y>(labels), m);
    return cross_entropy(y, std::forward<Y>(labels), r);  // a temporary is copied, never moved from
  } else {
    margin_logits(std::forward<X>(x), std::forward<W>(weight), std::forward<Y>(labels), m);  // says what is wrong
  }
}

LIMBIC_END
