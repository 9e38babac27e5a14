// examples/image_classifier/losses.hpp - what may be minimised, by name
//
// Losses with a cosine head (networks.hpp) read logits s cos, so that evaluation needs nothing of them; a margin is put on the
// cosines. Two of the library's margins are not here: double_additive is am_softmax with twice the margin, and
// those of a multiplied angle need a lambda that is annealed.
#pragma once

#include <limbic/losses.hpp>
#include <limbic/tape/record.hpp>

#include <string>
#include <vector>

using logits_variable = limbic::variable<float, 2>;
using class_labels = limbic::tensor<std::int64_t, 1>;

struct loss_options {
  limbic::tensor<float, 1> weights;  // of the classes; empty: all alike
  double margin = 0;                 // where the loss has one
  double scale = 16;                 // of the cosines, where the head is one of cosines
};

struct named_loss {
  std::string name;
  limbic::variable<float, 0> (*of)(logits_variable const& x, class_labels const& y, loss_options const& o);
  bool weighs = false;  // by class
  bool cosine = false;  // needs a cosine head
  double margin = -1;   // its own; negative: it has none
};

inline auto weighted_cross_entropy(logits_variable const& x, class_labels const& y, loss_options const& o,
                                   limbic::cross_entropy_op const& options = {}) {
  return o.weights.size() > 0 ? limbic::cross_entropy(x, y, o.weights, options) : limbic::cross_entropy(x, y, options);
}
template <class Margin>
auto with_margin(logits_variable const& x, class_labels const& y, loss_options const& o, Margin const& m) {
  m.check();
  auto const c = limbic::mul(x, 1 / m.scale);
  return weighted_cross_entropy(limbic::apply(limbic::margin_op<Margin>{m, m.scale}, c, y), y, o);
}

inline std::vector<named_loss> const& losses() {
  using x_t = logits_variable const&;
  using y_t = class_labels const&;
  using o_t = loss_options const&;
  static std::vector<named_loss> const all{
      {"cross_entropy", [](x_t x, y_t y, o_t o) { return weighted_cross_entropy(x, y, o); }, true},
      {"smooth_cross_entropy",
       [](x_t x, y_t y, o_t o) { return weighted_cross_entropy(x, y, o, {.label_smoothing = 0.1}); }, true},
      {"focal",
       [](x_t x, y_t y, o_t o) {
         return o.weights.size() > 0 ? limbic::focal_loss(x, y, o.weights) : limbic::focal_loss(x, y);
       },
       true},
      {"sce", [](x_t x, y_t y, o_t) { return limbic::sce_loss(x, y); }},
      {"mam", [](x_t x, y_t y, o_t) { return limbic::mam_softmax_loss(x, y); }},
      {"mam_sce", [](x_t x, y_t y, o_t) { return limbic::sce_loss(limbic::mam_logits(x, y), y); }},
      {"generalized_cross_entropy", [](x_t x, y_t y, o_t) { return limbic::generalized_cross_entropy(x, y); }},
      {"symmetric_cross_entropy", [](x_t x, y_t y, o_t) { return limbic::symmetric_cross_entropy(x, y); }},
      {"active_passive", [](x_t x, y_t y, o_t) { return limbic::active_passive_loss(x, y); }},
      {"brier", [](x_t x, y_t y, o_t) { return limbic::brier_loss(x, y); }},
      {"soft_margin",
       [](x_t x, y_t y, o_t o) {
         limbic::soft_margin const m{.margin = o.margin};
         return weighted_cross_entropy(limbic::apply(limbic::margin_op<limbic::soft_margin>{m}, x, y), y, o);
       },
       true, false, limbic::soft_margin{}.margin},
      {"normalized_softmax", [](x_t x, y_t y, o_t o) { return weighted_cross_entropy(x, y, o); }, true, true},
      {"am_softmax",
       [](x_t x, y_t y, o_t o) {
         return with_margin(x, y, o, limbic::am_softmax_margin{.scale = o.scale, .margin = o.margin});
       },
       true, true, limbic::am_softmax_margin{}.margin},
      {"arcface",
       [](x_t x, y_t y, o_t o) {
         return with_margin(
             x, y, o,
             limbic::arcface_margin{.scale = o.scale, .margin = o.margin, .beyond_pi = limbic::beyond_pi::linear});
       },
       true, true, limbic::arcface_margin{}.margin},
      {"dynamic_additive",
       [](x_t x, y_t y, o_t o) {
         return with_margin(x, y, o, limbic::dynamic_additive_margin{.scale = o.scale, .margin = o.margin});
       },
       true, true, limbic::dynamic_additive_margin{}.margin}};
  return all;
}

inline named_loss const& find_loss(std::string const& name) {
  for (auto const& l : losses())
    if (l.name == name) return l;
  limbic::fail<limbic::argument_error>("loss", "there is none called '", name, "'");
}
