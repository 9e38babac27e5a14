// limbic/ops/no_margin.hpp - a softmax of cosines, without a margin
//
//   logit_j = s cos_j          the normalised softmax loss (NSL); Wang et al. 2018, arXiv:1801.09414
//
//   margin_loss(x, weight, labels, no_margin{.scale = 30})          see margin_loss.hpp
//
// domain  s > 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

struct no_margin {
  static constexpr std::string_view name = "no_margin";
  double scale = 30.0;

  template <class T> constexpr T target(T c) const { return c; }
  template <class T> constexpr T slope(T) const { return T(1); }
  void check() const { detail::check_scale(name, scale); }
};

LIMBIC_END
