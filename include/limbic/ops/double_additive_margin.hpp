// limbic/ops/double_additive_margin.hpp - additive margins on all cosines: off the target's, onto the others'
//
//   logit_c = s (cos_c - m),  logit_j = s (cos_j + m)          no paper was at hand; as in the reference family margin
//
// which is am_softmax_margin with twice the margin, as a softmax does not see what all logits share.
//
//   margin_loss(x, weight, labels, double_additive_margin{.scale = 30, .margin = 0.2})          see margin_loss.hpp
//
// domain  s > 0, m >= 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

struct double_additive_margin {
  static constexpr std::string_view name = "double_additive_margin";
  double scale = 30.0;
  double margin = 0.2;

  template <class T> constexpr T target(T c) const { return c - math::constant<T>(margin); }
  template <class T> constexpr T slope(T) const { return T(1); }
  constexpr double other() const { return margin; }
  void check() const {
    detail::check_scale(name, scale);
    detail::check_margin(name, margin);
  }
};

LIMBIC_END
