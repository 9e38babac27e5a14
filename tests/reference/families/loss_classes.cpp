// reference/families/loss_classes.cpp - losses of classifiers: scores (N, C, ...) and a class for each sample
#include "loss.hpp"

#include <limbic/ops/cross_entropy.hpp>
#include <limbic/ops/focal_loss.hpp>
#include <limbic/ops/nll_loss.hpp>
#include <limbic/ops/operators.hpp>

namespace {

using namespace reference;
using label = std::int64_t;

// Calls f(logits, labels, shape of the labels). The axes after the classes are merged into one. Scores (N, C) stay a
// matrix where `Matrix` says so; else they become (N, C, 1), which spares this file some instantiations.
template <class D, bool Matrix, class F> result with_labels(call& c, recording<D>& r, std::string const& logits,
                                                            F const& f) {
  auto const& x = c.get(logits).shape;
  auto const& target = c.get("target");
  if (x.size() < 2) throw unsupported("scores of shape " + to_string(x) + " have no classes");
  auto const n = static_cast<std::ptrdiff_t>(x[0]), classes = static_cast<std::ptrdiff_t>(x[1]);
  if constexpr (Matrix)
    if (x.size() == 2)
      return f(r.template variable<2>(logits), to_tensor<label, D>(target, limbic::shape<1>{{n}}), target.shape);
  std::ptrdiff_t places = 1;
  for (std::size_t i = 2; i < x.size(); ++i) places *= static_cast<std::ptrdiff_t>(x[i]);
  return f(r.variable(logits, limbic::shape<3>{{n, classes, places}}),
           to_tensor<label, D>(target, limbic::shape<2>{{n, places}}), target.shape);
}

// Calls f(weight), with the case's class weights or with no_weight.
template <class D, class F> result with_weights(call& c, recording<D>& r, F const& f) {
  bool const weighted = c.flag("class_weights", c.find("class_weights") != nullptr);
  if (weighted) return f(r.template variable<1>("class_weights"));
  return f(limbic::no_weight);
}

template <class D> result cross_entropy(call& c) {
  recording<D> r(c);
  limbic::cross_entropy_op const o{.label_smoothing = c.number("label_smoothing", 0.0),
                                   .ignore_index = c.integer("ignore_index", -100)};
  return with_labels<D, true>(c, r, "logits", [&](auto const& x, auto const& labels, shape_type const& each) {
    return with_weights(c, r, [&](auto const& weight) {
      return with_reduction(
          c, [&](auto reduction) { return finish(r, limbic::cross_entropy(x, labels, weight, o, reduction), each); });
    });
  });
}

template <class D> result nll(call& c) {
  recording<D> r(c);
  limbic::nll_loss_op const o{.ignore_index = c.integer("ignore_index", -100)};
  return with_labels<D, false>(c, r, "log_probs", [&](auto const& x, auto const& labels, shape_type const& each) {
    return with_weights(c, r, [&](auto const& weight) {
      return with_reduction(
          c, [&](auto reduction) { return finish(r, limbic::nll_loss(x, labels, weight, o, reduction), each); });
    });
  });
}

template <class D> result focal(call& c) {
  recording<D> r(c);
  bool const per_class = c.is_text("alpha");
  if (per_class && c.text("alpha") != "per_class")
    throw unsupported("focal with alpha '" + c.text("alpha") + "' does not exist here");
  limbic::focal_loss_op const o{.gamma = c.number("gamma", 2.0), .alpha = per_class ? 1.0 : c.number("alpha", 1.0)};
  return with_labels<D, false>(c, r, "logits", [&](auto const& x, auto const& labels, shape_type const& each) {
    return with_reduction(c, [&](auto reduction) {
      if (per_class)
        return finish(r, limbic::focal_loss(x, labels, r.template variable<1>("alpha"), o, reduction), each);
      return finish(r, limbic::focal_loss(x, labels, o, reduction), each);
    });
  });
}

// The same smoothing as an option of cross_entropy, and as the targets that it stands for.
template <class D> result label_smoothing(call& c) {
  recording<D> r(c);
  double const e = c.number("label_smoothing");
  auto const& target = c.get("target");
  auto const x = r.template variable<2>("logits");
  limbic::tensor<double, 2, D> one_hot(x.shape());
  for (std::size_t i = 0; i < target.integers.size(); ++i) one_hot(i, static_cast<std::size_t>(target.integers[i])) = 1;
  r.value("smoothed_targets", one_hot * (1 - e) + e / static_cast<double>(x.extent(1)));
  auto const labels = to_tensor<label, 1, D>(target);
  return with_reduction(c, [&](auto reduction) {
    return finish(r, limbic::cross_entropy(x, labels, {.label_smoothing = e}, reduction), target.shape);
  });
}

template <class D> result soft_cross_entropy(call& c) {
  recording<D> r(c);
  auto const& shape = c.get("logits").shape;
  auto const x = r.template variable<2>("logits");
  auto const target = r.template variable<2>("target_probs");
  limbic::cross_entropy_op const o{.label_smoothing = c.number("label_smoothing", 0.0)};
  return with_reduction(
      c, [&](auto reduction) { return finish(r, limbic::cross_entropy(x, target, o, reduction), {shape[0]}); });
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "cross_entropy") return cross_entropy<D>(c);
  if (op == "nll_loss") return nll<D>(c);
  if (op == "focal") return focal<D>(c);
  if (op == "label_smoothing") return label_smoothing<D>(c);
  return soft_cross_entropy<D>(c);
}

registration const here{{"loss",
                         {"cross_entropy", "nll_loss", "focal", "label_smoothing", "soft_cross_entropy"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
