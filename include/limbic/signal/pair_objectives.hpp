// limbic/signal/pair_objectives.hpp - losses over pairs of series, from their distances and whether they belong together
//
//   pair_logits(d, alpha, eta, zeta)                  alpha - w d / tau,   w = e^eta, tau = e^zeta: both stay positive
//   pairwise_logistic(d, labels, alpha, eta, zeta)    -sum_k [y_k log p_k + (1 - y_k) log(1 - p_k)],  p = sigmoid(logit)
//   contrastive_margin(d, labels, {.mu, .margin})     sum over positives of d + mu sum over negatives of max(0, margin - d)
//   combined_objective(d, labels, alpha, eta, zeta, r, {...})
//                                                     lambda_ce logistic + lambda_ctr contrastive + lambda_reg r
//
// Any distance will do: soft-DTW, its divergence, a norm. The regulariser r (one number: see regularizers.hpp) enters
// the combined objective once. Contrastive: Hadsell, Chopra and LeCun 2006, with d in place of its square.
//
// shape   d and labels alike, of any rank; alpha, eta, zeta, r one number each -> ()
// labels  integers (on a CPU), 1 for a pair that belongs together and 0 for one that does not (an error otherwise); or
//         numbers of d's own type, device and tape
// adjoint that of the formulas; the logistic loss is taken from the logits and never overflows; contrastive: 0 at d = margin
// domain  d finite (negative ones too: soft-DTW has them), e^(eta - zeta) finite; a NaN distance gives NaN. Losses are sums:
//         of no pairs 0
#pragma once

#include <limbic/core/parameter.hpp>
#include <limbic/ops/binary_cross_entropy.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/ops/where.hpp>

LIMBIC_BEGIN

struct contrastive_margin_options {
  double mu = 1;
  double margin = 1;
};
struct combined_objective_options {
  double lambda_ce = 1, lambda_ctr = 1, lambda_reg = 1;
  double mu = 1;
  double margin = 1;
};

namespace detail {

// Labels as numbers of the distances' type.
template <operand X, operand Y> decltype(auto) pair_targets(std::string_view name, X const& d, Y const& labels) {
  static_assert(rank_of<X> == rank_of<Y>, "limbic: every distance needs a label: two tensors of one rank");
  if (!(d.shape() == labels.shape()))
    fail<shape_error>(name, "distances ", d.shape(), " need labels of their shape, but came ", labels.shape());
  if constexpr (std::is_integral_v<element_of<Y>>) {
    static_assert(!recorded<Y> && is_host<device_of<Y>> && is_host<device_of<X>>,
                  "limbic: integer labels are tensors on a CPU");
    tensor<element_of<Y>, rank_of<Y>, device_of<Y>> const own(as_view(labels));
    tensor<element_of<X>, rank_of<X>, device_of<X>> y(d.shape(), uninitialized);
    for (std::ptrdiff_t k = 0; k < own.size(); ++k) {
      auto const label = own.data()[k];
      if (label != 0 && label != 1) fail<index_error>(name, "label ", label, " of pair ", k, " is neither 0 nor 1");
      y.data()[k] = element_of<X>(static_cast<base_of<element_of<X>>>(label));
    }
    return y;
  } else {
    return (labels);
  }
}

inline void check_pair_weight(std::string_view name, std::string_view option, double weight) {
  if (!(weight >= 0) || !math::isfinite(weight))
    fail<argument_error>(name, option, " must be finite and not negative, but is ", weight);
}

}  // namespace detail

// One op, so that the three parameters meet the distances on their tape: e^(eta - zeta) of parameters alone would not be
// recorded.
struct pair_logits_op {
  static constexpr std::string_view name = "pair_logits";
  static constexpr keep needs = keep::inputs(0, 2, 3);

  template <int R>
  shape<R> shape_of(shape<R> const& d, shape<0> const&, shape<0> const&, shape<0> const&) const {
    return d;
  }
  void forward(auto device, auto y, auto d, auto alpha, auto eta, auto zeta) const {
    map(device, y, logit{}, d, alpha, eta, zeta);
  }
  template <class D, class T, int R>
  void adjoint(D device, view<T const, R, D> d, view<T const, 0, D>, view<T const, 0, D> eta, view<T const, 0, D> zeta,
               view<T const, R, D>, view<T const, R, D> dy, sink<T, R, D> dd, sink<T, 0, D> dalpha, sink<T, 0, D> deta,
               sink<T, 0, D> dzeta) const {
    detail::spread_back(device, dd, by_distance{}, dy, eta, zeta);
    detail::spread_back(device, dalpha, identity_function{}, dy);
    detail::spread_back(device, deta, by_eta<1>{}, dy, d, eta, zeta);
    detail::spread_back(device, dzeta, by_eta<-1>{}, dy, d, eta, zeta);
  }

  struct logit {
    template <class V> constexpr V operator()(V d, V alpha, V eta, V zeta) const {
      return alpha - math::exp(eta - zeta) * d;
    }
  };
  struct by_distance {
    template <class V> constexpr V operator()(V dy, V eta, V zeta) const { return -(dy * math::exp(eta - zeta)); }
  };
  template <int Sign> struct by_eta {
    template <class V> constexpr V operator()(V dy, V d, V eta, V zeta) const {
      V const slope = dy * math::exp(eta - zeta) * d;
      return Sign > 0 ? -slope : slope;
    }
  };
};

template <operand X, operand A, operand E, operand Z>
auto pair_logits(X&& d, A&& alpha, E&& eta, Z&& zeta) {
  constexpr bool fit = rank_of<A> == 0 && rank_of<E> == 0 && rank_of<Z> == 0;
  if constexpr (fit)
    return apply(pair_logits_op{}, std::forward<X>(d), std::forward<A>(alpha), std::forward<E>(eta),
                 std::forward<Z>(zeta));
  else static_assert(fit, "limbic: alpha, eta and zeta are one number each (rank 0)");
}

// The model's parameters, for optimisers and files: model(d) are the logits. It starts at alpha = 0, w = tau = 1.
template <class T, class D = default_device> struct logistic_pairs {
  parameter<T, 0, D> alpha{shape<0>{}}, eta{shape<0>{}}, zeta{shape<0>{}};  // offset, log w, log tau

  template <operand X> auto operator()(X const& d) const { return pair_logits(d, alpha, eta, zeta); }
  // The parameters, by name.
  void each(auto f) { f("alpha", alpha), f("eta", eta), f("zeta", zeta); }
};

template <operand X, operand Y, operand A, operand E, operand Z>
auto pairwise_logistic(X const& d, Y const& labels, A const& alpha, E const& eta, Z const& zeta) {
  // Forwarded, so that a tape keeps targets made here.
  auto&& y = detail::pair_targets("pairwise_logistic", d, labels);
  return binary_cross_entropy_with_logits(pair_logits(d, alpha, eta, zeta), std::forward<decltype(y)>(y),
                                          reduction::sum);
}

template <operand X, operand Y>
auto contrastive_margin(X const& d, Y const& labels, contrastive_margin_options const& o = {}) {
  detail::check_pair_weight("contrastive_margin", "mu", o.mu);
  detail::check_pair_weight("contrastive_margin", "margin", o.margin);
  auto&& y = detail::pair_targets("contrastive_margin", d, labels);
  return sum(where(std::forward<decltype(y)>(y), d, o.mu * relu(o.margin - d)));
}

template <operand X, operand Y, operand A, operand E, operand Z, operand R>
auto combined_objective(X const& d, Y const& labels, A const& alpha, E const& eta, Z const& zeta, R const& regularizer,
                        combined_objective_options const& o = {}) {
  static_assert(rank_of<R> == 0, "limbic: combined_objective takes the regulariser as one number");
  return o.lambda_ce * pairwise_logistic(d, labels, alpha, eta, zeta) +
         o.lambda_ctr * contrastive_margin(d, labels, {.mu = o.mu, .margin = o.margin}) + o.lambda_reg * regularizer;
}

LIMBIC_END
