// reference/families/margin.cpp - margins on the logits of a softmax, and the margin that the logits set themselves
#include "loss.hpp"

#include <limbic/ops/margin_losses.hpp>

namespace {

using namespace reference;
using label = std::int64_t;

// The loss and the logits it is the cross entropy of.
template <class D, class Y, class L> void outputs(call& c, recording<D>& r, Y const& logits, L const& labels,
                                                  char const* name) {
  if (c.text("reduction", "mean") != "mean") throw unsupported("only the mean");
  r.output(name, logits);
  r.output("loss", limbic::cross_entropy(logits, labels), true);
}

// What the margin took off the targets' logits.
template <class X, class Y, class L> std::vector<double> taken(X const& before, Y const& after, L const& labels,
                                                               double scale) {
  std::vector<double> margins;
  for (std::ptrdiff_t i = 0; i < labels.size(); ++i)
    margins.push_back(before.value()(i, labels(i)) - after.value()(i, labels(i)) / scale);
  return margins;
}

template <class D, class M> result margin(call& c, M const& m) {
  recording<D> r(c);
  auto const x = r.template variable<2>("features"), w = r.template variable<2>("weight");
  auto const labels = to_tensor<label, 1, D>(c.get("target"));
  auto const logits = limbic::margin_logits(x, w, labels, m);
  outputs(c, r, logits, labels, "logits");
  if constexpr (std::is_same_v<M, limbic::dynamic_additive_margin>)
    r.value("margin", taken(limbic::pairwise_cosine_similarity(x, w), logits, labels, m.scale));
  return r.finish();
}

limbic::margin_gradient gradient_through_margin(call& c) {
  auto const name = c.text("margin_gradient");
  if (name == "stop") return limbic::margin_gradient::stop;
  if (name == "full") return limbic::margin_gradient::full;
  throw unsupported("the margin gradient '" + name + "' does not exist here");
}

template <class D> result margins(call& c) {
  auto const& op = c.op();
  auto const s = [&c] { return c.number("s"); };
  auto const m = [&c] { return c.number("m"); };
  if (op == "normalized_softmax") return margin<D>(c, limbic::no_margin{s()});
  if (op == "am_softmax") return margin<D>(c, limbic::am_softmax_margin{s(), m()});
  if (op == "double_additive_margin") return margin<D>(c, limbic::double_additive_margin{s(), m()});
  if (op == "soft_margin_softmax") return margin<D>(c, limbic::soft_margin{m()});
  if (op == "dynamic_additive_margin")
    return margin<D>(c, limbic::dynamic_additive_margin{s(), m(), c.number("lambda"), gradient_through_margin(c)});
  if (op == "arcface") {
    auto const beyond = c.text("beyond_pi");
    if (beyond != "none" && beyond != "linear") throw unsupported("beyond_pi '" + beyond + "' does not exist here");
    return margin<D>(
        c, limbic::arcface_margin{s(), m(), beyond == "none" ? limbic::beyond_pi::none : limbic::beyond_pi::linear});
  }
  int const multiple = static_cast<int>(c.integer("m"));
  if (op == "l_softmax") return margin<D>(c, limbic::l_softmax_margin{multiple, c.number("lambda")});
  bool const by_length = c.is_text("scale");
  if (by_length && c.text("scale") != "feature_norm") throw unsupported("another scale than feature_norm");
  return margin<D>(c, limbic::sphereface_margin{multiple, c.number("lambda"), by_length ? 0 : c.number("scale")});
}

template <class D> result mam(call& c) {
  recording<D> r(c);
  auto const variant = c.text("variant"), input = c.text("input");
  if (variant != "equations" && variant != "figure")
    throw unsupported("the variant '" + variant + "' does not exist here");
  auto const labels = to_tensor<label, 1, D>(c.get("target"));
  limbic::mam_softmax_op const o{
      .variant = variant == "figure" ? limbic::mam_variant::figure : limbic::mam_variant::equations,
      .margin_gradient = gradient_through_margin(c),
      .epsilon = c.number("epsilon"),
      .clip_max = c.number("clip_max"),
      .log_base = c.number("log_base", 0.0)};
  auto const z = input == "logits"
                     ? r.template variable<2>("logits")
                     : limbic::functional::linear(r.template variable<2>("features"), r.template variable<2>("weight"));
  auto const logits = limbic::mam_logits(z, labels, o);
  outputs(c, r, logits, labels, "margin_logits");
  r.value("margin", taken(z, logits, labels, 1));
  return r.finish();
}

registration const margins_here{{"margin",
                                 {"normalized_softmax", "am_softmax", "double_additive_margin", "soft_margin_softmax",
                                  "dynamic_additive_margin", "arcface", "l_softmax", "sphereface"},
                                 margins<limbic::scalar>,
                                 margins<limbic::simd>}};
registration const mam_here{{"mam", {"mam_softmax"}, mam<limbic::scalar>, mam<limbic::simd>}};

}  // namespace
