// limbic/nn/linear.hpp - affine layer: y = x W^T + b
//
//   linear<float> hidden(2, 32, random);                        linear<float> out(32, 2, random, {.bias = false});
//
// shape   x (..., in) -> (..., out); weight (out, in), bias (out), as in torch.nn.Linear
// start   weight and bias uniform in +-1 / sqrt(in), as in PyTorch
#pragma once

#include <limbic/nn/init.hpp>
#include <limbic/ops/linear.hpp>

LIMBIC_BEGIN

struct linear_options {
  bool bias = true;
};

template <class T, class D = default_device> struct linear {
  parameter<T, 2, D> weight;
  parameter<T, 1, D> bias;  // empty where there is none

  linear() = default;
  linear(std::ptrdiff_t in, std::ptrdiff_t out, rng& random, linear_options const& options = {}) {
    if (in < 1 || out < 1)
      fail<argument_error>("linear", "the numbers of inputs and outputs must be positive, but are ", in, " and ", out);
    weight = parameter<T, 2, D>(shape<2>{{out, in}});
    double const bound = 1 / std::sqrt(static_cast<double>(in));
    init::uniform(weight, random, -bound, bound);
    if (!options.bias) return;
    bias = parameter<T, 1, D>(shape<1>{{out}});
    init::uniform(bias, random, -bound, bound);
  }

  template <operand X> auto operator()(X&& x) const {
    if (bias.size() == 0) return functional::linear(std::forward<X>(x), weight);
    return functional::linear(std::forward<X>(x), weight, bias);
  }

  // Names the parameters: weight, bias.
  void each(auto f) {
    f("weight", weight);
    if (bias.size() > 0) f("bias", bias);
  }
};

LIMBIC_END
