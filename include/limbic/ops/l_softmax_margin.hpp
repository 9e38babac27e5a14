// limbic/ops/l_softmax_margin.hpp - multiplied angle without normalisation: large-margin softmax
//
//   logit_c = |x| |W_c| (lambda cos_c + psi(theta_c)) / (1 + lambda),  logit_j = x . W_j    Liu et al. 2016, arXiv:1612.02295
//   psi(theta) = (-1)^k cos(m theta) - 2 k,  k = floor(m theta / pi)                        see sphereface_margin.hpp
//
//   margin_loss(x, weight, labels, l_softmax_margin{.margin = 4, .lambda = 5})          see margin_loss.hpp
//
// domain  m = 1 (the plain softmax), 2, 3, ...; lambda >= 0
#pragma once

#include <limbic/ops/sphereface_margin.hpp>

LIMBIC_BEGIN

struct l_softmax_margin {
  static constexpr std::string_view name = "l_softmax_margin";
  int margin = 2;
  double lambda = 0.0;

  template <class T> constexpr T target(T c) const { return detail::multiplied_angle<T>::of(c, margin, lambda).value; }
  template <class T> constexpr T slope(T c) const { return detail::multiplied_angle<T>::of(c, margin, lambda).slope; }
  template <class Y> Y lengths(Y const& y, auto const& features, auto const& weights) const {
    return mul(mul(y, features), weights);
  }
  void check() const { detail::check_multiple(name, margin, lambda); }
};

LIMBIC_END
