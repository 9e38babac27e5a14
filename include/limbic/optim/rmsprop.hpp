// limbic/optim/rmsprop.hpp - steps scaled by the running size of the gradient, as torch.optim.RMSprop
//
//   g   = gradient + weight_decay x
//   v   = alpha v + (1 - alpha) g^2
//   d   = sqrt(v) + eps;   centered: avg = alpha avg + (1 - alpha) g,  d = sqrt(v - avg^2) + eps
//   x  -= learning_rate g / d;   momentum > 0: buf = momentum buf + g / d,  x -= learning_rate buf
//
// Tieleman and Hinton 2012, lecture 6.5; centered: Graves 2013, arXiv:1308.0850, eq. 40. Where rounding makes v less
// than avg^2, their difference is 0.
#pragma once

#include <limbic/optim/optimizer.hpp>

LIMBIC_BEGIN

struct rmsprop_options {
  double learning_rate = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
};

struct rmsprop_rule : rmsprop_options {
  using options = rmsprop_options;
  // Whether it wants room for gradients.
  static constexpr bool needs_gradient = true;
  static constexpr int states = 3;
  static constexpr std::string_view state_names[] = {"square_avg", "grad_avg", "momentum_buffer"};
  static constexpr std::string_view name = "rmsprop";

  void each(auto&& f) {
    f("learning_rate", learning_rate);
    f("alpha", std::as_const(alpha));
    f("eps", std::as_const(eps));
    f("weight_decay", std::as_const(weight_decay));
    f("momentum", std::as_const(momentum));
    f("centered", std::as_const(centered));
  }

  bool uses(int k) const { return k == 0 || (k == 1 ? centered : momentum > 0); }
  void check() const {
    detail::check_option("rmsprop", "learning_rate", learning_rate, learning_rate >= 0, "non-negative");
    detail::check_option("rmsprop", "alpha", alpha, alpha >= 0, "non-negative");
    detail::check_option("rmsprop", "eps", eps, eps >= 0, "non-negative");
    detail::check_option("rmsprop", "weight_decay", weight_decay, weight_decay >= 0, "non-negative");
    detail::check_option("rmsprop", "momentum", momentum, momentum >= 0, "non-negative");
  }

  // x and v, then avg where Centered, then buf where Momentum.
  template <bool Centered, bool Momentum> struct step_function {
    double rate, alpha, eps, decay, momentum;
    template <class V, class... S> constexpr results<V, 2 + sizeof...(S)> operator()(V x, V gradient, V square,
                                                                                     S... more) const {
      V const state[] = {square, more...};
      V const a = math::constant<V>(alpha), rest = math::constant<V>(1 - alpha);
      V const g = gradient + math::constant<V>(decay) * x;
      V const v = detail::without_subnormals(a * square + rest * g * g);
      V size = v, mean = v;
      if constexpr (Centered) {
        mean = detail::without_subnormals(a * state[1] + rest * g);
        size = math::max(v - mean * mean, V(0));
      }
      V way = g / (math::sqrt(size) + math::constant<V>(eps));
      if constexpr (Momentum)
        way = detail::without_subnormals(math::constant<V>(momentum) * state[Centered ? 2 : 1] + way);
      V const moved = x - math::constant<V>(rate) * way;
      if constexpr (Centered && Momentum) return {{moved, v, mean, way}};
      else if constexpr (Centered) return {{moved, v, mean}};
      else if constexpr (Momentum) return {{moved, v, way}};
      else return {{moved, v}};
    }
  };
  template <class D, class T>
  void update(D d, view<T, 1, D> x, view<T const, 1, D> g, tensor<T, 1, D>* state, std::int64_t) const {
    auto const run = [&]<bool C, bool M>(step_function<C, M>, auto&... s) {
      map(d, outs(x, s...), step_function<C, M>{learning_rate, alpha, eps, weight_decay, momentum}, x, g, s...);
    };
    if (centered && momentum > 0) run(step_function<true, true>(), state[0], state[1], state[2]);
    else if (centered) run(step_function<true, false>(), state[0], state[1]);
    else if (momentum > 0) run(step_function<false, true>(), state[0], state[2]);
    else run(step_function<false, false>(), state[0]);
  }
};

using rmsprop = optimizer<rmsprop_rule>;

LIMBIC_END
