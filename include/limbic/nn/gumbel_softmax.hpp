// limbic/nn/gumbel_softmax.hpp - a choice among categories that can be learned: drawn while training, fixed afterwards
//
//   gumbel_softmax choose(1.0);
//   choose(logits, training{random})     a softened draw (with {.hard = true} exactly one-hot), see ops/gumbel_softmax.hpp
//   choose(logits, evaluation{})         exactly one-hot at the largest logit: the choice that training has come to
//   choose.temperature = schedule(epoch) annealed from soft to sharp: any schedule of optim/schedule.hpp, which are numbers:
//                                        exponential_lr{.learning_rate = 1, .gamma = 0.98}, linear_lr, ...
//
// In evaluation mode too, the gradient is that of the softmax at this temperature.
#pragma once

#include <limbic/nn/mode.hpp>
#include <limbic/ops/gumbel_softmax.hpp>

LIMBIC_BEGIN

struct gumbel_softmax {
  double temperature = 1;
  bool hard = false;  // one-hot draws while training
  int axis = -1;      // of the categories

  explicit gumbel_softmax(double tau = 1, gumbel_softmax_options const& o = {})
      : temperature(tau), hard(o.hard), axis(o.axis) {
    detail::check_temperature(tau);
  }

  template <operand X, layer_mode M> auto operator()(X&& x, M mode) const {
    using T = base_of<element_of<X>>;
    using D = device_of<X>;
    gumbel_softmax_options const o{.axis = axis, .hard = hard || !M::trains};
    tensor<T, rank_of<X>, D> noise(x.shape(), T(0.36787944117144233));  // e^-1: g = 0
    if constexpr (M::trains) mode.random.uniform(noise);
    return functional::gumbel_softmax(std::forward<X>(x), std::move(noise), temperature, o);
  }

  // No parameters.
  void each(auto) {}
};

LIMBIC_END
