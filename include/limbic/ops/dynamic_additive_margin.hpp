// limbic/ops/dynamic_additive_margin.hpp - an additive margin that is larger where the sample is further off
//
//   logit_c = s (cos_c - m_c),  logit_j = s cos_j,  m_c = m e^(1 - cos_c) / lambda
//
// Zhou et al. 2020, "Dynamic margin softmax loss for speaker verification".
//
//   margin_loss(x, weight, labels, dynamic_additive_margin{.margin_gradient = margin_gradient::full})      see margin_loss.hpp
//
// The paper does not say whether gradients flow through m_c: margin_gradient::stop (a constant) or full.
//
// domain  s > 0, m >= 0, lambda > 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

// Whether gradients flow through a margin that depends on the logits.
enum class margin_gradient { stop, full };

struct dynamic_additive_margin {
  static constexpr std::string_view name = "dynamic_additive_margin";
  double scale = 30.0;
  double margin = 0.2;
  double lambda = 2.0;
  limbic::margin_gradient margin_gradient = limbic::margin_gradient::stop;

  template <class T> constexpr T target(T c) const { return c - own(c); }
  template <class T> constexpr T slope(T c) const {
    return margin_gradient == limbic::margin_gradient::full ? T(1) + own(c) : T(1);
  }
  void check() const {
    detail::check_scale(name, scale);
    detail::check_margin(name, margin);
    if (!(lambda > 0)) fail<argument_error>(name, "lambda must be positive, but is ", lambda);
  }

 private:
  // The margin of a sample whose target has the cosine c.
  template <class T> constexpr T own(T c) const { return math::constant<T>(margin / lambda) * math::exp(T(1) - c); }
};

LIMBIC_END
