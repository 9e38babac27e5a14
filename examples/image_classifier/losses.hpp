// examples/image_classifier/losses.hpp - what may be minimised, by name
#pragma once

#include <limbic/losses.hpp>
#include <limbic/tape/record.hpp>

#include <string>
#include <vector>

using logits_variable = limbic::variable<float, 2>;
using class_labels = limbic::tensor<std::int64_t, 1>;

struct named_loss {
  std::string name;
  limbic::variable<float, 0> (*of)(logits_variable const& x, class_labels const& y, limbic::tensor<float, 1> const& w);
  bool weighs = false;  // by class
};

inline std::vector<named_loss> const& losses() {
  using weights = limbic::tensor<float, 1>;
  using x_t = logits_variable const&;
  using y_t = class_labels const&;
  using w_t = weights const&;
  static std::vector<named_loss> const all{
      {"cross_entropy",
       [](x_t x, y_t y, w_t w) { return w.size() > 0 ? limbic::cross_entropy(x, y, w) : limbic::cross_entropy(x, y); },
       true},
      {"smooth_cross_entropy",
       [](x_t x, y_t y, w_t w) {
         limbic::cross_entropy_op const o{.label_smoothing = 0.1};
         return w.size() > 0 ? limbic::cross_entropy(x, y, w, o) : limbic::cross_entropy(x, y, o);
       },
       true},
      {"focal",
       [](x_t x, y_t y, w_t w) { return w.size() > 0 ? limbic::focal_loss(x, y, w) : limbic::focal_loss(x, y); }, true},
      {"sce", [](x_t x, y_t y, w_t) { return limbic::sce_loss(x, y); }},
      {"mam", [](x_t x, y_t y, w_t) { return limbic::mam_softmax_loss(x, y); }},
      {"mam_sce", [](x_t x, y_t y, w_t) { return limbic::sce_loss(limbic::mam_logits(x, y), y); }},
      {"generalized_cross_entropy", [](x_t x, y_t y, w_t) { return limbic::generalized_cross_entropy(x, y); }},
      {"symmetric_cross_entropy", [](x_t x, y_t y, w_t) { return limbic::symmetric_cross_entropy(x, y); }},
      {"active_passive", [](x_t x, y_t y, w_t) { return limbic::active_passive_loss(x, y); }},
      {"brier", [](x_t x, y_t y, w_t) { return limbic::brier_loss(x, y); }}};
  return all;
}

inline named_loss const& find_loss(std::string const& name) {
  for (auto const& l : losses())
    if (l.name == name) return l;
  limbic::fail<limbic::argument_error>("loss", "there is none called '", name, "'");
}

// Without weights all classes count the same.
inline auto loss_of(std::string const& name, logits_variable const& x, class_labels const& y,
                    limbic::tensor<float, 1> const& weights) {
  return find_loss(name).of(x, y, weights);
}
