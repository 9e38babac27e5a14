// limbic/ops/gumbel_softmax.hpp - a softened draw from a categorical distribution, differentiable in its logits
//
//   z = (x + g) / tau,   g = -log(-log noise)      so that the largest z_j is a draw with probabilities softmax(x)
//   y = softmax(z) along `axis`                     soft; as tau -> 0 it becomes one-hot
//   y = 1 at the first largest z_j, 0 elsewhere     hard: exactly one-hot, with the gradient of the soft y (straight-through)
//
//   s_j = y_j (y'_j - sum_k y_k y'_k),   x'_j += s_j / tau,   tau' -= sum_j s_j log(y_j) / tau       y: the soft one
//
// The last holds since the s_j of a row sum to 0, and keeps the adjoint from needing x or the noise. The noise is given,
// uniform in [0, 1], and gets the gradient 0. Jang, Gu and Poole 2017, arXiv:1611.01144; Maddison, Mnih and Teh 2017,
// arXiv:1611.00712 (the Concrete distribution).
//
//   functional::gumbel_softmax(x, noise, 0.5)                       tau a number ...
//   functional::gumbel_softmax(x, noise, tau, {.hard = true})       ... or of rank 0, with a gradient
//
// shape   x any of rank >= 1, noise the same, tau () -> like x; axis counts from the back when negative
// domain  tau > 0 (else an argument_error; of a tau on a GPU only a number is checked). Noise of 0 or less counts as the
//         smallest number, of 1 or more as the largest below 1: g is finite. Logits of any size; NaN spreads over its
//         row (hard: it stands where the 1 would).
#pragma once

#include <limbic/ops/op.hpp>

#include <limits>

LIMBIC_BEGIN

struct gumbel_softmax_options {
  int axis = -1;
  bool hard = false;
};

namespace detail {

struct gumbel_logit {  // (x + g) / tau
  template <class V> constexpr V operator()(V x, V noise, V tau) const {
    using limits = std::numeric_limits<math::number_of<V>>;
    V const least = math::constant<V>(static_cast<double>(limits::denorm_min()));
    V const most = math::constant<V>(1 - static_cast<double>(limits::epsilon()) / 2);
    V const u = math::select(noise <= V(0), least, math::select(noise >= V(1), most, noise));
    return (x - math::log(-math::log(u))) / tau;
  }
};
struct gumbel_soft_row {
  constexpr void operator()(auto x, auto noise, auto tau, auto y) const {
    map(y, gumbel_logit{}, x, noise, tau[0]);
    map(y, [](auto v, auto m) { return math::exp(v - m); }, y, max(y));
    map(y, [](auto v, auto s) { return v / s; }, y, sum(y));  // sum >= 1: one term is e^0
  }
};
struct gumbel_hard_row {
  constexpr void operator()(auto x, auto noise, auto tau, auto y) const {
    using T = typename decltype(y)::value_type;
    if (y.size() == 0) return;
    map(y, gumbel_logit{}, x, noise, tau[0]);
    std::ptrdiff_t const i = argmax(y);
    T const z = y[i];
    place(y, i, math::select(math::isnan(z), z, T(1)));
  }
};
struct gumbel_adjoint_row {
  constexpr void operator()(auto y, auto tau, auto dy, auto dx) const {
    auto const slope = [](auto p, auto g, auto mean, auto t) { return p * (g - mean) / t; };
    map(dx, slope, y, dy, dot(y, dy), tau[0]);
  }
};
struct gumbel_tau_row {  // a row's share of tau'
  constexpr void operator()(auto y, auto tau, auto dy, auto share) const {
    auto const mean = dot(y, dy);
    auto const term = [mean](auto p, auto g) {
      using V = decltype(p);
      auto const gone = p <= V(0);  // p log p -> 0
      return math::select(gone, V(0), p * math::log(math::select(gone, V(1), p))) * (g - math::broadcast<V>(mean));
    };
    share.put(0, -(fold(sum_of{}, term, y, dy) / tau[0]));
  }
};

// tau as a row of length 1 that every row of a tensor of rank R sees.
template <int R, class T, class D> view<T, R, D> one_for_all(view<T, 0, D> tau) {
  shape<R> ones;
  for (int a = 0; a < R; ++a) ones[a] = 1;
  return {tau.data(), ones};
}

inline void check_temperature(double tau) {
  if (!(tau > 0)) fail<argument_error>("gumbel_softmax", "the temperature must be positive, but is ", tau);
}
template <operand Tau> double plain_number_in(Tau const& tau) {
  if constexpr (recorded<Tau>) return plain_number_in(tau.value());
  else if constexpr (is_dual<element_of<Tau>>) return static_cast<double>(as_view(tau)().value);
  else return static_cast<double>(as_view(tau)());
}

}  // namespace detail

template <bool Hard> struct gumbel_softmax_op {
  static constexpr std::string_view name = "gumbel_softmax";
  static constexpr keep needs = keep::inputs(2) | keep::outputs(Hard ? 1 : 0);
  static constexpr int visible = 1;  // the soft one is there for the adjoint of the hard
  int axis = -1;

  template <int R> auto shape_of(shape<R> const& x, shape<R> const& noise, shape<0> const&) const {
    if (!(x == noise)) fail<shape_error>(name, "noise of shape ", noise, " for logits of shape ", x);
    normalize_axis(name, axis, R);
    if constexpr (Hard) return std::tuple(x, x);
    else return x;
  }

  template <class D, class T, int R>
  void forward(D d, view<T, R, D> y, view<T const, R, D> x, view<T const, R, D> noise, view<T const, 0, D> tau) const {
    for_each_row(d, axis, detail::gumbel_soft_row{}, x, noise, detail::one_for_all<R>(tau), y);
  }
  template <class D, class T, int R> void forward(D d, view<T, R, D> y, view<T, R, D> soft, view<T const, R, D> x,
                                                  view<T const, R, D> noise, view<T const, 0, D> tau) const {
    for_each_row(d, axis, detail::gumbel_hard_row{}, x, noise, detail::one_for_all<R>(tau), y);
    if (soft) forward(d, soft, x, noise, tau);
  }

  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D>, view<T const, R, D>, view<T const, 0, D> tau, view<T const, R, D> y,
               view<T const, R, D> dy, sink<T, R, D> dx, sink<T, R, D> dnoise, sink<T, 0, D> dtau) const {
    auto const t = detail::one_for_all<R>(tau);
    if (dx) for_each_row(d, axis, detail::gumbel_adjoint_row{}, y, t, dy, dx);
    no_gradient(d, dnoise);
    if (!dtau) return;
    auto rows = y.shape();
    rows[normalize_axis(name, axis, R)] = 1;
    tensor<T, R, D> share(rows, uninitialized);
    for_each_row(d, axis, detail::gumbel_tau_row{}, y, t, dy, share.view());
    reduce(d, sink<T, R, D>(detail::one_for_all<R>(dtau.to), dtau.add), sum_of{}, identity_function{}, as_view(share));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, R, D> noise, view<T const, 0, D> tau, view<T const, R, D>,
               view<T const, R, D> soft, view<T const, R, D> dy, view<T const, R, D>, sink<T, R, D> dx,
               sink<T, R, D> dnoise, sink<T, 0, D> dtau) const {
    adjoint(d, x, noise, tau, soft, dy, dx, dnoise, dtau);
  }
};

namespace functional {

template <operand X, operand N, operand Tau>
auto gumbel_softmax(X&& x, N&& noise, Tau&& tau, gumbel_softmax_options const& o = {}) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<N> == rank_of<X> && rank_of<Tau> == 0;
  static_assert(fit, "limbic: gumbel_softmax takes logits of rank >= 1, noise of their shape, and one temperature");
  if constexpr (fit) {
    if constexpr (is_host<device_of<X>>) detail::check_temperature(detail::plain_number_in(tau));
    if (o.hard)
      return apply(gumbel_softmax_op<true>{o.axis}, std::forward<X>(x), std::forward<N>(noise), std::forward<Tau>(tau));
    return apply(gumbel_softmax_op<false>{o.axis}, std::forward<X>(x), std::forward<N>(noise), std::forward<Tau>(tau));
  }
}
template <operand X, operand N>
auto gumbel_softmax(X&& x, N&& noise, double tau, gumbel_softmax_options const& o = {}) {
  detail::check_temperature(tau);
  using T = element_of<X>;
  return gumbel_softmax(std::forward<X>(x), std::forward<N>(noise),
                        tensor<T, 0, device_of<X>>(shape<0>{}, math::constant<T>(tau)), o);
}

}  // namespace functional

LIMBIC_END
