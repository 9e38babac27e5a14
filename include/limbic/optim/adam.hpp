// limbic/optim/adam.hpp - steps scaled by running moments of the gradient, as torch.optim.Adam and AdamW
//
//   g  = gradient + weight_decay x             adamw: g = gradient, and first x *= 1 - learning_rate weight_decay
//   m  = beta1 m + (1 - beta1) g
//   v  = beta2 v + (1 - beta2) g^2
//   x -= learning_rate m / (1 - beta1^t) / (sqrt(u / (1 - beta2^t)) + eps),   u = v, or its maximum so far with amsgrad
//
// Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101; Reddi et al. 2018
#pragma once

#include <limbic/optim/optimizer.hpp>

LIMBIC_BEGIN

namespace detail {

struct adam_step {
  double rate;  // learning_rate / (1 - beta1^t)
  double root;  // 1 / sqrt(1 - beta2^t)
  double beta1, beta2, eps, decay, shrink;

  template <class V> constexpr results<V, 3> operator()(V x, V gradient, V m, V v) const {
    V const g = decayed(x, gradient);
    V const first = mean(m, g), second = mean_square(v, g, g);
    return {{math::constant<V>(shrink) * x - way(first, second), first, second}};
  }
  template <class V> constexpr results<V, 4> operator()(V x, V gradient, V m, V v, V largest) const {
    V const g = decayed(x, gradient);
    V const first = mean(m, g), second = mean_square(v, g, g);
    V const top = math::max(largest, second);
    return {{math::constant<V>(shrink) * x - way(first, top), first, second, top}};
  }

  template <class V> constexpr V decayed(V x, V gradient) const { return gradient + math::constant<V>(decay) * x; }
  template <class V> constexpr V mean(V m, V g) const {
    return without_subnormals(math::constant<V>(beta1) * m + math::constant<V>(1 - beta1) * g);
  }
  template <class V> constexpr V mean_square(V v, V g, V h) const {  // g h: the square
    return without_subnormals(math::constant<V>(beta2) * v + math::constant<V>(1 - beta2) * g * h);
  }
  template <class V> constexpr V way(V m, V u) const {
    return math::constant<V>(rate) * m / (math::constant<V>(root) * math::sqrt(u) + math::constant<V>(eps));
  }
};

}  // namespace detail

struct adam_options {
  double learning_rate = 1e-3;
  double betas[2] = {0.9, 0.999};  // beta1, beta2
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
};
struct adamw_options {
  double learning_rate = 1e-3;
  double betas[2] = {0.9, 0.999};  // beta1, beta2
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
};

// What adam and adamw differ in is where the decay goes.
template <class Options, bool Decoupled> struct adam_rule : Options {
  using options = Options;
  // Whether it wants room for gradients.
  static constexpr bool needs_gradient = true;
  static constexpr int states = 3;
  static constexpr std::string_view state_names[] = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  static constexpr std::string_view name = Decoupled ? "adamw" : "adam";

  void each(auto&& f) {
    Options& o = *this;
    f("learning_rate", o.learning_rate);
    f("beta1", std::as_const(o.betas[0]));
    f("beta2", std::as_const(o.betas[1]));
    f("eps", std::as_const(o.eps));
    f("weight_decay", std::as_const(o.weight_decay));
    f("amsgrad", std::as_const(o.amsgrad));
  }

  bool uses(int k) const { return k < 2 || this->amsgrad; }
  void check() const {
    Options const& o = *this;
    detail::check_option(name, "learning_rate", o.learning_rate, o.learning_rate >= 0, "non-negative");
    detail::check_option(name, "beta1", o.betas[0], o.betas[0] >= 0 && o.betas[0] < 1, "in [0, 1)");
    detail::check_option(name, "beta2", o.betas[1], o.betas[1] >= 0 && o.betas[1] < 1, "in [0, 1)");
    detail::check_option(name, "eps", o.eps, o.eps >= 0, "non-negative");
    detail::check_option(name, "weight_decay", o.weight_decay, o.weight_decay >= 0, "non-negative");
  }
  template <class D, class T>
  void update(D d, view<T, 1, D> x, view<T const, 1, D> g, tensor<T, 1, D>* state, std::int64_t step) const {
    auto const f = at(step);
    if (this->amsgrad) map(d, outs(x, state[0], state[1], state[2]), f, x, g, state[0], state[1], state[2]);
    else map(d, outs(x, state[0], state[1]), f, x, g, state[0], state[1]);
  }
  // The formula with the numbers of step t, counted from 1.
  detail::adam_step at(std::int64_t step) const {
    Options const& o = *this;
    double const t = static_cast<double>(step);
    return {.rate = o.learning_rate / (1 - std::pow(o.betas[0], t)),
            .root = 1 / std::sqrt(1 - std::pow(o.betas[1], t)),
            .beta1 = o.betas[0],
            .beta2 = o.betas[1],
            .eps = o.eps,
            .decay = Decoupled ? 0 : o.weight_decay,
            .shrink = Decoupled ? 1 - o.learning_rate * o.weight_decay : 1};
  }
};

using adam = optimizer<adam_rule<adam_options, false>>;
// Adam whose decay does not pass through the moments.
using adamw = optimizer<adam_rule<adamw_options, true>>;

LIMBIC_END
