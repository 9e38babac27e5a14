// reference/families/objective.cpp - losses over pairs, regularisers, their weighted sum, semi-hard triplets
#include "support.hpp"

#include <limbic/data/pairs.hpp>
#include <limbic/ops/log.hpp>
#include <limbic/ops/sigmoid.hpp>
#include <limbic/signal/pair_objectives.hpp>
#include <limbic/signal/regularizers.hpp>
#include <limbic/signal/soft_dtw.hpp>

namespace {

using namespace reference;

template <class D> result logistic(call& c) {
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  recording<D> r(c);
  auto const d = r.template variable<1>("distances");
  auto const alpha = r.template variable<0>("alpha"), eta = r.template variable<0>("eta"),
             zeta = r.template variable<0>("zeta");
  auto const logits = limbic::pair_logits(d, alpha, eta, zeta);
  r.value("logits", logits.value());
  r.value("probabilities", limbic::sigmoid(logits.value()));
  r.output("loss", limbic::pairwise_logistic(d, labels, alpha, eta, zeta), true);
  auto all = r.finish();

  // With w and tau themselves in place of their logarithms: eta = log w, zeta = log tau.
  recording<D> other(c);
  auto const w = other.template variable<0>("w"), tau = other.template variable<0>("tau");
  other.output("loss", limbic::pairwise_logistic(d.value(), labels, alpha.value(), limbic::log(w), limbic::log(tau)),
               true);
  all.grads.merge(other.finish().grads);
  return all;
}

template <class D> result contrastive(call& c) {
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  recording<D> r(c);
  auto const d = r.template variable<1>("distances");
  r.output("loss", limbic::contrastive_margin(d, labels, {.mu = c.number("mu"), .margin = c.number("margin")}), true);
  return r.finish();
}

template <class D> result regularizer(call& c) {
  recording<D> r(c);
  auto const z = r.template variable<3>("z");
  if (c.op() == "regularizer_energy") r.output("values", limbic::energy_penalty(z, c.number("epsilon")));
  else if (c.op() == "regularizer_smoothness") r.output("values", limbic::smoothness_penalty(z));
  else r.output("values", limbic::l1_difference_penalty(z));
  return r.finish();
}

template <class D> result combined(call& c) {
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  auto const pairs = to_tensor<std::int64_t, 2, D>(c.get("pairs"));
  limbic::soft_dtw_options warping{.gamma = c.number("gamma")};
  if (c.given("band")) warping.band = static_cast<std::ptrdiff_t>(c.integer("band"));
  limbic::combined_objective_options const o{.lambda_ce = c.number("lambda_ce"),
                                             .lambda_ctr = c.number("lambda_ctr"),
                                             .lambda_reg = c.number("lambda_reg"),
                                             .mu = c.number("mu"),
                                             .margin = c.number("margin")};
  recording<D> r(c);
  auto const z = r.template variable<3>("z");
  auto const alpha = r.template variable<0>("alpha"), eta = r.template variable<0>("eta"),
             zeta = r.template variable<0>("zeta");
  auto const d = limbic::soft_dtw_pairwise(z, z, pairs, warping);
  auto const reg = limbic::series_regularizer(z, {.energy_epsilon = c.number("energy_epsilon"),
                                                  .energy = c.number("energy_weight"),
                                                  .smoothness = c.number("smoothness_weight"),
                                                  .l1_difference = c.number("l1_weight")});
  r.value("distances", d.value());
  r.value("regularizer", reg.value());
  r.value("ce", limbic::pairwise_logistic(d.value(), labels, alpha.value(), eta.value(), zeta.value()));
  r.value("contrastive", limbic::contrastive_margin(d.value(), labels, {.mu = o.mu, .margin = o.margin}));
  r.output("loss", limbic::combined_objective(d, labels, alpha, eta, zeta, reg, o), true);
  return r.finish();
}

template <class D> result mining(call& c) {
  auto const d = to_tensor<double, 2, D>(c.get("distances"));
  auto const labels = to_tensor<std::int64_t, 1, D>(c.get("labels"));
  double const margin = c.number("margin");
  auto const list = limbic::semi_hard_triplets(d, labels, margin);
  std::size_t const rows = static_cast<std::size_t>(list.semi_hard.size()), n = static_cast<std::size_t>(labels.size());
  tensor_value pairs{{rows, 2}, {}}, chosen{{rows}, {}}, fallback{{rows}, {}}, marks{{rows, n}, {}};
  for (std::ptrdiff_t k = 0; k < list.semi_hard.size(); ++k) {
    auto const a = list.indices(k, 0), p = list.indices(k, 1);
    pairs.data.push_back(static_cast<double>(a));
    pairs.data.push_back(static_cast<double>(p));
    chosen.data.push_back(static_cast<double>(list.indices(k, 2)));
    fallback.data.push_back(list.semi_hard(k) ? 0 : 1);
    for (std::ptrdiff_t i = 0; i < labels.size(); ++i)
      marks.data.push_back(labels(i) != labels(a) && limbic::is_semi_hard(d(a, p), d(a, i), margin) ? 1 : 0);
  }
  result r;
  r.values = {{"pairs", pairs}, {"chosen", chosen}, {"fallback", fallback}, {"semi_hard", marks}};
  return r;
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "pairwise_logistic") return logistic<D>(c);
  if (op == "contrastive_margin") return contrastive<D>(c);
  if (op == "combined_objective") return combined<D>(c);
  if (op == "semi_hard_mining") return mining<D>(c);
  return regularizer<D>(c);
}

registration const here{{"objective",
                         {"pairwise_logistic", "contrastive_margin", "regularizer_energy", "regularizer_smoothness",
                          "regularizer_l1_difference", "combined_objective", "semi_hard_mining"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
