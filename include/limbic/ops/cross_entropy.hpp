// limbic/ops/cross_entropy.hpp - cross entropy of a softmax, from logits
//
//   l_j = log sum_k e^(x_k) - x_j                                     minus the log-probability of class j
//   (1 - e) w_c l_c + (e / C) sum_j w_j l_j                           labels c (integers); e: label_smoothing
//   sum_j w_j q_j l_j,   q = (1 - e) t + e / C                        targets t (probabilities, of x's own type)
//
//   cross_entropy(x, labels)              cross_entropy(x, labels, weight, {.label_smoothing = 0.1}, reduction::sum)
//
// shape   logits (N, C, d...), labels (N, d...) or targets like the logits, weights (C) -> (), or (N, d...) for none
// mean    labels: over the sum of the samples' weights w_c, label smoothing or not; targets: over the samples
// adjoint x'_j += (p_j sum_k a_k - a_j) y',  a: what stands before l_j above, p = e^(-l); targets t'_j += (1 - e) w_j l_j y'
// domain  labels in [0, C), or ignore_index: such a sample counts nowhere; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/class_loss.hpp>

LIMBIC_BEGIN

struct cross_entropy_op {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr bool normalizes = true, weighs = true;
  double label_smoothing = 0.0;
  std::int64_t ignore_index = -100;

  constexpr bool ignores(std::ptrdiff_t c) const { return c == static_cast<std::ptrdiff_t>(ignore_index); }
  template <class T> constexpr T share(std::ptrdiff_t c, auto... w) const { return detail::class_weight<T>(c, w...); }

  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm, auto... w) const {
    T const own =
        math::constant<T>(1 - label_smoothing) * detail::class_weight<T>(c, w...) * norm.surprise(static_cast<T>(x[c]));
    if (!(label_smoothing > 0)) return own;  // a logit of -inf among the others is no harm then
    auto const weighted = [norm](auto v, auto... u) { return (norm.surprise(v) * ... * u); };
    return own + smooth<T>(x.size()) * fold(sum_of{}, weighted, x, w...);
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm,
                                          auto... w) const {
    T const own = g * math::constant<T>(1 - label_smoothing) * detail::class_weight<T>(c, w...);
    T const other = g * smooth<T>(x.size());
    auto const spread = [norm](auto v, auto all, auto each, auto... u) {
      return all * norm.probability(v) - (each * ... * u);
    };
    map(dx, spread, x, own + other * weight_sum<T>(x, w...), other, w...);
    detail::add_at(dx, c, -own);
  }

 private:
  template <class T> constexpr T smooth(std::ptrdiff_t classes) const {
    return math::constant<T>(label_smoothing / static_cast<double>(classes));
  }
  template <class T> static constexpr T weight_sum(auto x) { return math::constant<T>(static_cast<double>(x.size())); }
  template <class T> static constexpr T weight_sum(auto, auto w) { return sum(w); }
};

namespace detail {

// The part of soft targets that differs from labels: a row of them for each sample.
struct soft_row {
  double label_smoothing;
  // w_j q_j
  template <class V> constexpr auto target(std::ptrdiff_t classes) const {
    double const keep = 1 - label_smoothing, rest = label_smoothing / static_cast<double>(classes);
    return [keep, rest](auto t, auto... u) {
      using L = decltype(t);
      L const q = t * math::constant<L>(keep) + math::constant<L>(rest);
      return (q * ... * u);
    };
  }
};
struct soft_forward : soft_row {
  constexpr void operator()(auto x, auto t, auto loss, auto norm, auto... w) const {
    using T = typename decltype(x)::value_type;
    auto const q = target<T>(x.size());
    auto const n = log_norm<T>::of(x);
    loss.put(0, fold(sum_of{}, [q, n](auto v, auto... u) { return q(u...) * n.surprise(v); }, x, t, w...));
    if (norm) n.save(norm);
  }
};
struct soft_adjoint : soft_row {
  double samples;
  constexpr void operator()(auto x, auto t, auto norm, auto dy, auto dx, auto... w) const {
    using T = typename decltype(dx)::value_type;
    auto const q = target<T>(x.size());
    T const g = dy[0] / math::constant<T>(samples);
    T const all = g * fold(sum_of{}, q, t, w...);
    auto const n = log_norm<T>::saved(norm);
    map(
        dx, [q, n](auto v, auto scale, auto every, auto... u) { return every * n.probability(v) - scale * q(u...); }, x,
        g, all, t, w...);
  }
};
struct soft_target_adjoint : soft_row {
  double samples;
  constexpr void operator()(auto x, auto norm, auto dy, auto dt, auto... w) const {
    using T = typename decltype(dt)::value_type;
    T const g = dy[0] * math::constant<T>((1 - label_smoothing) / samples);
    auto const n = log_norm<T>::saved(norm);
    map(dt, [n](auto v, auto scale, auto... u) { return ((scale * n.surprise(v)) * ... * u); }, x, g, w...);
  }
};

}  // namespace detail

// Cross entropy with probabilities as targets.
template <common_reduction R> struct soft_cross_entropy_op {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr keep needs = keep::input | keep::outputs(1);
  static constexpr int visible = 1;  // the loss; the rest is for the adjoint
  double label_smoothing = 0.0;

  template <int N> auto shape_of(shape<N> const& x, shape<N> const& target) const {
    if (!(x == target))
      fail<shape_error>(name, "the logits ", x, " and the target probabilities ", target, " must have the same shape");
    if constexpr (detail::keeps_elements<R>) return std::tuple(samples_of(x), detail::norm_shape(x));
    else return std::tuple(shape<0>{}, detail::norm_shape(x));
  }
  template <int N> auto shape_of(shape<N> const& x, shape<N> const& target, shape<1> const& weight) const {
    if (weight[0] != x[1]) fail<shape_error>(name, "logits ", x, " need a weight for each class, but came ", weight);
    return shape_of(x, target);
  }

  void forward(auto d, auto y, auto norm, auto x, auto t, auto... w) const {
    using T = typename decltype(y)::value_type;
    using D = decltype(d);
    constexpr int N = decltype(x)::rank;
    auto const samples = [&](view<T, N - 1, D> losses) {
      for_each_row(d, 1, detail::soft_forward{{label_smoothing}}, x, t, losses.unsqueeze(1), norm,
                   detail::along_classes<N>(w)...);
    };
    if constexpr (detail::keeps_elements<R>) {
      samples(y);
    } else {
      tensor<T, N - 1, D> losses(samples_of(x.shape()), uninitialized);
      samples(losses);
      reduce(d, detail::lead<N - 1>(y), sum_of{}, losses);
      if (std::is_same_v<R, reduction::mean_t>) map(d, y, detail::divided_by{count(norm)}, y);
    }
  }

  template <class D, class T, int N>  // fewer than ten `auto`: see class_loss.hpp
  void adjoint(D d, view<T const, N, D> x, view<T const, N, D> t, auto, view<T const, N, D> norm, auto dy, auto,
               sink<T, N, D> dx, sink<T, N, D> dt) const {
    slopes(d, x, t, norm, dy, dx, dt);
  }
  template <class D, class T, int N>
  void adjoint(D d, view<T const, N, D> x, view<T const, N, D> t, view<T const, 1, D> w, auto, view<T const, N, D> norm,
               auto dy, auto, sink<T, N, D> dx, sink<T, N, D> dt, sink<T, 1, D> dw) const {
    if (dw) fail<tape_error>(name, "class weights have no gradient: give them as a tensor, or freeze the parameter");
    slopes(d, x, t, norm, dy, dx, dt, w);
  }

 private:
  template <int N> static shape<N - 1> samples_of(shape<N> const& x) {
    shape<N - 1> samples;
    for (int a = 0; a + 1 < N; ++a) samples[a] = x[a == 0 ? 0 : a + 1];
    return samples;
  }
  static double count(auto norm) {
    return std::is_same_v<R, reduction::mean_t> ? static_cast<double>(norm.size() / 2) : 1;
  }
  void slopes(auto d, auto x, auto t, auto norm, auto dy, auto dx, auto dt, auto... w) const {
    constexpr int N = decltype(x)::rank;
    decltype(x) each;
    if constexpr (detail::keeps_elements<R>) each = dy.unsqueeze(1);
    else each = detail::lead<N>(dy);
    detail::soft_row const base{label_smoothing};
    if (dx)
      for_each_row(d, 1, detail::soft_adjoint{base, count(norm)}, x, t, norm, each, dx, detail::along_classes<N>(w)...);
    if (dt)
      for_each_row(d, 1, detail::soft_target_adjoint{base, count(norm)}, x, norm, each, dt,
                   detail::along_classes<N>(w)...);
  }
};

template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto cross_entropy(X&& x, Y&& target, W&& weight, cross_entropy_op const& options = {}, R r = {}) {
  double const e = options.label_smoothing;
  if (!(e >= 0 && e <= 1)) fail<argument_error>("cross_entropy", "label_smoothing must lie in [0, 1], but is ", e);
  if constexpr (std::is_integral_v<element_of<Y>>) {
    return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight));
  } else {
    constexpr bool ranks = rank_of<X> >= 2 && rank_of<Y> == rank_of<X>;
    static_assert(ranks,
                  "limbic: cross_entropy takes logits (N, C, d...) and labels (N, d...) of integers, or probabilities "
                  "(N, C, d...)");
    if constexpr (ranks && operand<W>)
      return apply(soft_cross_entropy_op<R>{e}, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight));
    else if constexpr (ranks) return apply(soft_cross_entropy_op<R>{e}, std::forward<X>(x), std::forward<Y>(target));
  }
}
template <operand X, operand Y, weight_operand W, common_reduction R> auto cross_entropy(X&& x, Y&& target, W&& weight,
                                                                                         R r) {
  return cross_entropy(std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight), {}, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto cross_entropy(X&& x, Y&& target, cross_entropy_op const& options = {}, R r = {}) {
  return cross_entropy(std::forward<X>(x), std::forward<Y>(target), no_weight, options, r);
}
template <operand X, operand Y, common_reduction R> auto cross_entropy(X&& x, Y&& target, R r) {
  return cross_entropy(std::forward<X>(x), std::forward<Y>(target), no_weight, {}, r);
}

LIMBIC_END
