// limbic/nn/batch_norm.hpp - batch normalisation layer
//
//   batch_norm<float> norm(32);                          x (N, 32), (N, 32, L) or (N, 32, H, W)
//   batch_norm<float> norm(32, batch_norm_layer_options::keras());
//   norm(x, training{random})      by the batch's statistics, which also enter the running ones
//   norm(x, evaluation{})          by the running statistics
//
// names   weight, bias, running_mean, running_var (C), num_batches_tracked: as in torch.nn.BatchNorm1d and BatchNorm2d.
//         The last three are tensors that belong to the layer: files keep them, optimisers do not see them
// start   weight 1, bias 0, running_mean 0, running_var 1
//
// A call with training changes the running statistics, though the layer is const, as it does in a const model: once for
// each batch, see ops/batch_norm.hpp. Two threads that train one layer race on them, as on its gradients.
#pragma once

#include <limbic/nn/mode.hpp>
#include <limbic/ops/batch_norm.hpp>

LIMBIC_BEGIN

struct batch_norm_layer_options {
  double eps = 1e-5;      // added to the variance
  double momentum = 0.1;  // the share of a batch in the running statistics
  bool affine = true;     // weight and bias

  // What tf.keras.layers.BatchNormalization starts with; its momentum is 1 - this one.
  static constexpr batch_norm_layer_options keras() { return {.eps = 1e-3, .momentum = 0.01}; }
};

template <class T, class D = default_device> struct batch_norm {
  parameter<T, 1, D> weight, bias;  // empty where there are none
  // Of the batches seen in training.
  mutable tensor<T, 1, D> running_mean, running_var;
  mutable tensor<std::int64_t, 0, scalar> num_batches_tracked;  // how many

  batch_norm() = default;
  // By value: as a reference g++ 12 takes what `batch_norm<float> norm{3};` in a struct copies for a dangling pointer.
  explicit batch_norm(std::ptrdiff_t features, batch_norm_layer_options options = {}) : options_(options) {
    if (features < 1) fail<argument_error>("batch_norm", "the number of features must be positive, but is ", features);
    if (!(options.eps >= 0) || !(options.momentum >= 0 && options.momentum <= 1))
      fail<argument_error>("batch_norm", "eps must not be negative and momentum must lie in [0, 1], but they are ",
                           options.eps, " and ", options.momentum);
    shape<1> const channels{{features}};
    if (options.affine) {
      weight = parameter<T, 1, D>(tensor<T, 1, D>(channels, T(1)));
      bias = parameter<T, 1, D>(channels);
    }
    running_mean = tensor<T, 1, D>(channels);
    running_var = tensor<T, 1, D>(channels, T(1));
    num_batches_tracked = tensor<std::int64_t, 0, scalar>(shape<0>{});
  }

  // What it was made with.
  batch_norm_layer_options const& options() const { return options_; }

  template <operand X, layer_mode M> auto operator()(X&& x, M) const {
    batch_norm_options const o{.training = M::trains, .momentum = options_.momentum, .eps = options_.eps};
    bool const counts = M::trains && detail::sees_batch_first(x);
    auto y = weight.size() > 0 ? functional::batch_norm(std::forward<X>(x), running_mean, running_var, weight, bias, o)
                               : functional::batch_norm(std::forward<X>(x), running_mean, running_var, o);
    if (counts) ++num_batches_tracked();
    return y;
  }

  // Names the parameters, if any, and the statistics.
  void each(auto f) {
    if (weight.size() > 0) {
      f("weight", weight);
      f("bias", bias);
    }
    f("running_mean", running_mean);
    f("running_var", running_var);
    f("num_batches_tracked", num_batches_tracked);
  }

 private:
  batch_norm_layer_options options_;
};

LIMBIC_END
