// limbic/nn/layer_norm.hpp - layer normalisation
//
//   layer_norm<float> norm(64);                          over the last axis, of 64
//   layer_norm<float, 2> image(shape{28, 28}, {.eps = 1e-6});
//
// names   weight, bias (the normalised shape), as in torch.nn.LayerNorm
// start   weight 1, bias 0
#pragma once

#include <limbic/ops/layer_norm.hpp>

LIMBIC_BEGIN

struct layer_norm_layer_options {
  double eps = 1e-5;   // added to the variance
  bool affine = true;  // weight and bias
};

// Over the last K axes.
template <class T, int K = 1, class D = default_device> struct layer_norm {
  parameter<T, K, D> weight, bias;  // empty where there are none

  layer_norm() = default;
  explicit layer_norm(shape<K> const& normalized, layer_norm_layer_options options = {})
      : normalized_(normalized), options_(options) {
    for (int a = 0; a < K; ++a)
      if (normalized[a] < 1) fail<argument_error>("layer_norm", "extents must be positive, but are ", normalized);
    if (!(options.eps >= 0)) fail<argument_error>("layer_norm", "eps must not be negative, but is ", options.eps);
    if (!options.affine) return;
    weight = parameter<T, K, D>(tensor<T, K, D>(normalized, T(1)));
    bias = parameter<T, K, D>(normalized);
  }
  explicit layer_norm(std::ptrdiff_t features, layer_norm_layer_options options = {})
    requires(K == 1)
      : layer_norm(shape<1>{{features}}, options) {}

  // What it was made with.
  layer_norm_layer_options const& options() const { return options_; }

  template <operand X> auto operator()(X&& x) const {
    layer_norm_options const o{.eps = options_.eps};
    if (weight.size() == 0) return functional::layer_norm(std::forward<X>(x), normalized_, o);
    return functional::layer_norm(std::forward<X>(x), normalized_, weight, bias, o);
  }

  // Names the parameters, if any: weight, bias.
  void each(auto f) {
    if (weight.size() == 0) return;
    f("weight", weight);
    f("bias", bias);
  }

 private:
  shape<K> normalized_;
  layer_norm_layer_options options_;
};

LIMBIC_END
