// limbic/ops/sphereface_margin.hpp - multiplied angle: A-Softmax, SphereFace
//
//   logit_c = s (lambda cos_c + psi(theta_c)) / (1 + lambda),  logit_j = s cos_j      Liu et al. 2017, arXiv:1704.08063
//   psi(theta) = (-1)^k cos(m theta) - 2 k,  k = floor(m theta / pi)                  falls all the way from 0 to pi
//
//   margin_loss(x, weight, labels, sphereface_margin{.margin = 4, .lambda = 5})          see margin_loss.hpp
//
// s is the length of the sample's features, as in the paper, or the number `scale` where it is not 0. lambda is annealed from
// large (the plain cosine) to small by the caller. cos(m theta) is a polynomial of the cosine (Chebyshev's T_m, slope m U_m-1),
// so that no angle is computed and nothing is singular at 0 and pi; psi and its slope are continuous where k steps.
//
// domain  m = 1, 2, 3, ...; lambda >= 0; s >= 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

namespace detail {

// psi of the angle with cosine c, and its derivative by c, mixed with lambda parts of the cosine itself.
template <class T> struct multiplied_angle {
  T value, slope;
  static constexpr multiplied_angle of(T c, int m, double lambda) {
    T before(1), t = c, u_before(0), u(1);  // T_0, T_1, U_-1, U_0
    for (int i = 1; i < m; ++i) {
      T const next = (c + c) * t - before, u_next = (c + c) * u - u_before;
      before = t;
      t = next;
      u_before = u;
      u = u_next;
    }
    int k = 0;
    while (k + 1 < m && c <= math::constant<T>(math::cos(3.141592653589793 * (k + 1) / m))) ++k;
    double const sign = k % 2 == 0 ? 1 : -1;
    T const share = math::constant<T>(1 / (1 + lambda)), plain = math::constant<T>(lambda);
    return {share * (plain * c + math::constant<T>(sign) * t - math::constant<T>(2 * k)),
            share * (plain + math::constant<T>(sign * m) * u)};
  }
};

inline void check_multiple(std::string_view name, int m, double lambda) {
  if (m < 1) fail<argument_error>(name, "margin must be 1 or more, but is ", m);
  if (!(lambda >= 0)) fail<argument_error>(name, "lambda must not be negative, but is ", lambda);
}

}  // namespace detail

struct sphereface_margin {
  static constexpr std::string_view name = "sphereface_margin";
  int margin = 4;
  double lambda = 0.0;
  double scale = 0.0;  // 0 stands for the length of the features

  template <class T> constexpr T target(T c) const { return detail::multiplied_angle<T>::of(c, margin, lambda).value; }
  template <class T> constexpr T slope(T c) const { return detail::multiplied_angle<T>::of(c, margin, lambda).slope; }
  template <class Y> Y lengths(Y const& y, auto const& features, auto const&) const {
    if (scale != 0) return y;
    return mul(y, features);
  }
  void check() const {
    detail::check_multiple(name, margin, lambda);
    if (!(scale >= 0)) fail<argument_error>(name, "scale must not be negative, but is ", scale);
  }
};

LIMBIC_END
