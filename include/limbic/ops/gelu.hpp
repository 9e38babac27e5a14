// limbic/ops/gelu.hpp - Gaussian error linear unit
//
//   y = x Phi(x),  Phi(x) = (1 + erf(x / sqrt 2)) / 2         Hendrycks and Gimpel 2016, arXiv:1606.08415
//   y = x (1 + t) / 2,  t = tanh(sqrt(2/pi) (x + 0.044715 x^3))      with .approximate = gelu_form::tanh
//
// shape   any -> same
// adjoint x' += y' (Phi(x) + x phi(x)),  phi the normal density; the derivative of the second line for its form
// domain  all finite numbers; NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

// How the normal distribution is computed: exactly, or by a tanh, as PyTorch's `approximate`.
enum class gelu_form { none, tanh };

struct gelu_op {
  static constexpr std::string_view name = "gelu";
  static constexpr keep needs = keep::input;
  gelu_form approximate = gelu_form::none;  // the form

  template <class V> constexpr V value(V x) const {
    V const half = math::constant<V>(0.5);
    if (approximate == gelu_form::tanh) return half * x * (V(1) + math::tanh(inner(x)));
    return half * x * (V(1) + math::erf(x * math::constant<V>(sqrt_half)));
  }
  template <class V> constexpr V slope(V x) const {
    V const half = math::constant<V>(0.5);
    if (approximate == gelu_form::tanh) {
      V const t = math::tanh(inner(x));
      V const inner_slope = math::constant<V>(sqrt_2_over_pi) * (V(1) + math::constant<V>(3 * cubic) * x * x);
      return half * (V(1) + t) + half * x * (V(1) - t * t) * inner_slope;
    }
    V const density = math::constant<V>(inverse_sqrt_2pi) * math::exp(-half * x * x);
    return half * (V(1) + math::erf(x * math::constant<V>(sqrt_half))) + x * density;
  }

 private:
  static constexpr double sqrt_half = 0.70710678118654752, sqrt_2_over_pi = 0.79788456080286536, cubic = 0.044715,
                          inverse_sqrt_2pi = 0.39894228040143268;
  template <class V> static constexpr V inner(V x) {
    return math::constant<V>(sqrt_2_over_pi) * (x + math::constant<V>(cubic) * x * x * x);
  }
};

template <operand X> auto gelu(X&& x, gelu_op const& options = {}) { return apply(options, std::forward<X>(x)); }

LIMBIC_END
