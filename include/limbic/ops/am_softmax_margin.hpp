// limbic/ops/am_softmax_margin.hpp - additive margin on the cosine: AM-Softmax, CosFace, large margin cosine loss (LMCL)
//
//   logit_c = s (cos_c - m),  logit_j = s cos_j          Wang et al. 2018, arXiv:1801.05599; arXiv:1801.09414
//
//   margin_loss(x, weight, labels, am_softmax_margin{.scale = 30, .margin = 0.35})          see margin_loss.hpp
//
// domain  s > 0, m >= 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

struct am_softmax_margin {
  static constexpr std::string_view name = "am_softmax_margin";
  double scale = 30.0;
  double margin = 0.35;

  template <class T> constexpr T target(T c) const { return c - math::constant<T>(margin); }
  template <class T> constexpr T slope(T) const { return T(1); }
  void check() const {
    detail::check_scale(name, scale);
    detail::check_margin(name, margin);
  }
};

LIMBIC_END
