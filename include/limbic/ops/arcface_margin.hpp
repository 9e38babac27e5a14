// limbic/ops/arcface_margin.hpp - additive margin on the angle: AAM-Softmax, ArcFace
//
//   logit_c = s cos(theta_c + m),  logit_j = s cos_j          Deng et al. 2019, arXiv:1801.07698
//
//   margin_loss(x, weight, labels, arcface_margin{.scale = 64, .margin = 0.5})          see margin_loss.hpp
//
// cos(theta + m) = c cos m - sqrt(1 - c^2) sin m rises again where theta > pi - m. beyond_pi says what stands there:
//
//   beyond_pi::none      the same formula
//   beyond_pi::linear    s (c - m sin m), where c <= -cos m
//
// domain  s > 0, 0 <= m < pi. At c = 1 and -1 the angle has no derivative; that of the sine is taken as 0
#pragma once

#include <limbic/ops/margin_loss.hpp>

LIMBIC_BEGIN

// What the target's logit is where the angle and the margin together exceed pi.
enum class beyond_pi { none, linear };

struct arcface_margin {
  static constexpr std::string_view name = "arcface_margin";
  double scale = 64.0;
  double margin = 0.5;
  limbic::beyond_pi beyond_pi = limbic::beyond_pi::none;

  template <class T> constexpr T target(T c) const {
    T const m = math::constant<T>(margin);
    return beyond(c) ? c - m * math::sin(m) : c * math::cos(m) - sine(c) * math::sin(m);
  }
  template <class T> constexpr T slope(T c) const {
    T const m = math::constant<T>(margin), s = sine(c);
    if (beyond(c)) return T(1);
    return s > T(0) ? math::cos(m) + math::sin(m) * c / s : math::cos(m);
  }
  void check() const {
    detail::check_scale(name, scale);
    detail::check_margin(name, margin);
    if (!(margin < 3.141592653589793)) fail<argument_error>(name, "margin must be less than pi, but is ", margin);
  }

 private:
  template <class T> constexpr bool beyond(T c) const {
    return beyond_pi == limbic::beyond_pi::linear && c <= -math::cos(math::constant<T>(margin));
  }
  // Of the angle; a cosine that rounding made larger than 1 has none. NaN stays NaN.
  template <class T> static constexpr T sine(T c) {
    T const square = (T(1) - c) * (T(1) + c);
    return square <= T(0) ? T(0) : math::sqrt(square);
  }
};

LIMBIC_END
