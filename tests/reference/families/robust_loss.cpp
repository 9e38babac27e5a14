// reference/families/robust_loss.cpp - losses for rare classes, for labels that may be wrong, and for unequal mistakes
#include "loss.hpp"

#include <limbic/ops/robust_losses.hpp>

namespace {

using namespace reference;
using label = std::int64_t;

// What a case of classes has: logits (N, C) and a class for each sample.
template <class D> struct classes {
  recording<D> r;
  limbic::variable<double, 2, D> x;
  limbic::tensor<label, 1, D> y;
  explicit classes(call& c) : r(c), x(r.template variable<2>("logits")), y(to_tensor<label, 1, D>(c.get("target"))) {}
  template <class Y> result loss(Y const& value) { return finish(r, value, {}); }
};

template <class D> result truncated(call& c) {
  classes<D> s(c);
  limbic::truncated_generalized_cross_entropy_op const o{c.number("q"), c.number("k")};
  bool const given = c.text("v") == "given";
  auto v = limbic::truncation_weights(limbic::as_view(s.x.value()), s.y, o);
  if (given) {
    auto const& values = c.get("v");
    for (std::ptrdiff_t i = 0; i < v.size(); ++i)
      v(i) = values.integer ? static_cast<double>(values.integers[static_cast<std::size_t>(i)])
                            : values.data[static_cast<std::size_t>(i)];
  } else {
    s.r.value("v", v);
  }
  s.r.value("pruned", limbic::pruned_generalized_cross_entropy(s.x.value(), s.y, v, o));
  if (given) return s.loss(limbic::truncated_generalized_cross_entropy(s.x, s.y, v, o));
  return s.loss(limbic::truncated_generalized_cross_entropy(s.x, s.y, o));
}

template <class D> result active_passive(call& c) {
  classes<D> s(c);
  auto const passive = c.text("passive");
  if (c.text("active") != "nce" || (passive != "mae" && passive != "rce")) throw unsupported("another pair of losses");
  double const factor = passive == "mae" ? c.number("mae_factor") : -c.number("log_zero");
  auto const loss = [&](auto const& x, double alpha, double beta) {
    return limbic::active_passive_loss(x, s.y, {alpha, beta, factor});
  };
  s.r.value("active_loss", loss(s.x.value(), 1, 0));
  s.r.value("passive_loss", loss(s.x.value(), 0, 1));
  return s.loss(loss(s.x, c.number("alpha"), c.number("beta")));
}

template <class D> result symmetric(call& c) {
  classes<D> s(c);
  auto const loss = [&](auto const& x, double alpha, double beta) {
    return limbic::symmetric_cross_entropy(x, s.y, {alpha, beta, c.number("log_zero")});
  };
  s.r.value("cross_entropy", loss(s.x.value(), 1, 0));
  s.r.value("reverse_cross_entropy", loss(s.x.value(), 0, 1));
  return s.loss(loss(s.x, c.number("alpha"), c.number("beta")));
}

template <class D> result mixed(call& c) {
  classes<D> s(c);
  limbic::mixed_cross_entropy_op const o{c.integer("iteration"), c.integer("total_iterations"), c.number("m")};
  std::vector<double> predicted;
  for (std::ptrdiff_t i = 0; i < s.y.size(); ++i) {
    std::ptrdiff_t most = 0;
    for (std::ptrdiff_t k = 1; k < s.x.shape()[1]; ++k)
      if (s.x.value()(i, k) > s.x.value()(i, most)) most = k;
    predicted.push_back(static_cast<double>(most));
  }
  s.r.value("predicted", predicted);
  s.r.value("mixing", o.mixing());
  return s.loss(limbic::mixed_cross_entropy(s.x, s.y, o));
}

template <class D> result balanced(call& c) {
  classes<D> s(c);
  auto const penalty = c.text("penalty");
  if (penalty != "subtract" && penalty != "add") throw unsupported("penalty '" + penalty + "' does not exist here");
  auto const& n = c.get("class_counts");
  limbic::tensor<double, 1, D> counts(extents_of<1>(n.shape));
  for (std::ptrdiff_t k = 0; k < counts.size(); ++k) {
    auto const i = static_cast<std::size_t>(k);
    counts(k) = n.integer ? static_cast<double>(n.integers[i]) : n.data[i];
  }
  auto const weights = limbic::dynamic_class_weights(counts);
  s.r.value("class_weights", weights);
  return s.loss(limbic::dynamically_weighted_balanced_loss(s.x, s.y, weights, {penalty == "add" ? 1.0 : -1.0}));
}

template <class D> result small_loss(call& c) {
  classes<D> s(c);
  double const ratio =
      limbic::small_loss_keep_ratio({c.number("noise_ratio"), c.integer("epoch"), c.integer("max_epoch")});
  auto const each = limbic::cross_entropy(s.x, s.y, limbic::reduction::none);
  auto const weights = limbic::small_loss_weights(limbic::as_view(each.value()), ratio);
  std::vector<double> selected;
  for (std::ptrdiff_t i = 0; i < weights.size(); ++i)
    if (weights(i) > 0) selected.push_back(static_cast<double>(i));
  s.r.value("keep_ratio", ratio);
  s.r.value("selected", selected);
  return s.loss(limbic::small_loss_mean(each, ratio));
}

// Scores and answers of 0 or 1, whichever type these have.
template <class D, class F> result binary(call& c, F const& f) {
  recording<D> r(c);
  auto const x = r.template variable<1>("logits");
  auto const& t = c.get("target");
  limbic::tensor<double, 1, D> target(x.shape());
  for (std::size_t i = 0; i < t.data.size(); ++i)
    target.data()[i] = t.integer ? static_cast<double>(t.integers[i]) : t.data[i];
  return finish(r, f(x, target), {});
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "generalized_ce") {
    classes<D> s(c);
    return s.loss(limbic::generalized_cross_entropy(s.x, s.y, {c.number("q")}));
  }
  if (op == "truncated_generalized_ce") return truncated<D>(c);
  if (op == "active_passive") return active_passive<D>(c);
  if (op == "symmetric_ce") return symmetric<D>(c);
  if (op == "mixed_ce") return mixed<D>(c);
  if (op == "dynamically_weighted_balanced") return balanced<D>(c);
  if (op == "small_loss_selection") return small_loss<D>(c);
  if (op == "real_world_weighted_ce")
    return binary<D>(c, [&](auto const& x, auto const& t) {
      return limbic::real_world_weighted_cross_entropy(x, t, {c.number("w_fn"), c.number("w_fp")});
    });
  if (op == "ramp")
    return binary<D>(c, [&](auto const& x, auto const& t) { return limbic::ramp_loss(x, t, {c.number("s")}); });
  return binary<D>(c, [](auto const& x, auto const& t) { return limbic::unhinged_loss(x, t); });
}

template <class D> result sce(call& c) {
  classes<D> s(c);
  auto const form = c.text("weight_form");
  if (form != "product" && form != "difference") throw unsupported("weight form '" + form + "' does not exist here");
  limbic::sce_loss_options const o{
      .ce_balance = c.number("ce_balance"),
      .proposed_balance = c.number("proposed_balance"),
      .weight_form = form == "product" ? limbic::weight_form::product : limbic::weight_form::difference,
      .stop_gradient = c.flag("stop_gradient")};
  auto const x = s.x.value();
  s.r.value("alpha", limbic::brier_loss(x, s.y));
  s.r.value("weight", limbic::wrong_norm(x, s.y, {o.weight_form}, limbic::reduction::none));
  s.r.value("cross_entropy", limbic::cross_entropy(x, s.y));
  s.r.value("proposed", limbic::sce_loss(x, s.y, {0, 1, o.weight_form}));
  return s.loss(limbic::sce_loss(s.x, s.y, o));
}

registration const robust_here{
    {"robust_loss",
     {"generalized_ce", "truncated_generalized_ce", "active_passive", "symmetric_ce", "mixed_ce",
      "dynamically_weighted_balanced", "small_loss_selection", "real_world_weighted_ce", "ramp", "unhinged"},
     run<limbic::scalar>,
     run<limbic::simd>}};
registration const sce_here{{"sce", {"sce_loss"}, sce<limbic::scalar>, sce<limbic::simd>}};

}  // namespace
