// limbic/ops/soft_margin.hpp - a margin on the plain logit
//
//   logit_c = x . W_c - m,  logit_j = x . W_j          nothing normalised; Liang et al. 2017, "Soft-margin softmax for deep
//                                                      classification"
//
//   margin_loss(x, weight, labels, soft_margin{.margin = 0.5})          see margin_loss.hpp
//
// domain  m >= 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

struct soft_margin {
  static constexpr std::string_view name = "soft_margin";
  static constexpr bool cosines = false;
  double margin = 0.5;

  template <class T> constexpr T target(T z) const { return z - math::constant<T>(margin); }
  template <class T> constexpr T slope(T) const { return T(1); }
  void check() const { detail::check_margin(name, margin); }
};

LIMBIC_END
