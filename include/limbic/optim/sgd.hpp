// limbic/optim/sgd.hpp - stochastic gradient descent with momentum, as torch.optim.SGD
//
//   g   = gradient + weight_decay x
//   buf = g at the first step, then momentum buf + (1 - dampening) g
//   x  -= learning_rate (nesterov ? g + momentum buf : buf)          Sutskever et al. 2013
#pragma once

#include <limbic/optim/optimizer.hpp>

LIMBIC_BEGIN

struct sgd_options {
  double learning_rate = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

struct sgd_rule : sgd_options {
  using options = sgd_options;
  // Whether it wants room for gradients.
  static constexpr bool needs_gradient = true;
  static constexpr int states = 1;
  static constexpr std::string_view state_names[] = {"momentum_buffer"};
  static constexpr std::string_view name = "sgd";

  void each(auto&& f) {
    f("learning_rate", learning_rate);
    f("momentum", std::as_const(momentum));
    f("dampening", std::as_const(dampening));
    f("weight_decay", std::as_const(weight_decay));
    f("nesterov", std::as_const(nesterov));
  }
  bool uses(int) const { return momentum != 0; }
  void check() const {
    detail::check_option("sgd", "learning_rate", learning_rate, learning_rate >= 0, "non-negative");
    detail::check_option("sgd", "momentum", momentum, momentum >= 0, "non-negative");
    detail::check_option("sgd", "weight_decay", weight_decay, weight_decay >= 0, "non-negative");
    if (nesterov && (momentum == 0 || dampening != 0))
      fail<argument_error>("sgd", "nesterov needs a momentum and no dampening, but they are ", momentum, " and ",
                           dampening);
  }

  struct plain {
    double rate, decay;
    template <class V> constexpr V operator()(V x, V gradient) const {
      return x - math::constant<V>(rate) * (gradient + math::constant<V>(decay) * x);
    }
  };
  struct with_momentum {
    double rate, decay, keep, take, ahead;
    bool nesterov;
    template <class V> constexpr results<V, 2> operator()(V x, V gradient, V buffer) const {
      V const g = gradient + math::constant<V>(decay) * x;
      V const b = detail::without_subnormals(math::constant<V>(keep) * buffer + math::constant<V>(take) * g);
      V const way = nesterov ? g + math::constant<V>(ahead) * b : b;
      return {{x - math::constant<V>(rate) * way, b}};
    }
  };
  template <class D, class T>
  void update(D d, view<T, 1, D> x, view<T const, 1, D> g, tensor<T, 1, D>* state, std::int64_t step) const {
    if (momentum == 0) return map(d, x, plain{learning_rate, weight_decay}, x, g);
    bool const first = step == 1;
    with_momentum const f{learning_rate, weight_decay, first ? 0 : momentum, first ? 1 : 1 - dampening,
                          momentum,      nesterov};
    map(d, outs(x, state[0]), f, x, g, state[0]);
  }
};

using sgd = optimizer<sgd_rule>;

LIMBIC_END
