// limbic/nn/fold.hpp - a batch norm that becomes part of the layer before it
//
//   conv2d<float> const both = fold(conv, norm);            both(x) is norm(conv(x), evaluation{}) but for rounding
//
//   w' = w s,   b' = (b - m) s + b_n,   s = w_n / sqrt(v + eps)     for each output channel, m and v the running statistics
//
// For convolutions, transposed ones and linear layers (on x of rank 2: of others the norm's channels are another axis). The
// result is a layer of its own, which always has a bias; neither of the two it came from changes.
//
// For use only, as the statistics are fixed in it; and only where the norm follows directly: with an activation between
// them see fused.hpp. A norm in front of a convolution doesn't fold, for the zeros of the padding aren't normalised.
//
// errors  a norm of other channels than the layer's
#pragma once

#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/nn/linear.hpp>

LIMBIC_BEGIN

namespace detail {

// layer.weight has `blocks` blocks, in each of which the output channels are the axis behind `inputs` others.
template <class Layer, class T, class D>
Layer folded(Layer layer, batch_norm<T, D> const& norm, std::ptrdiff_t blocks, std::ptrdiff_t inputs,
             std::ptrdiff_t channels) {
  if (norm.running_mean.size() != channels)
    fail<shape_error>("fold", "a batch norm of ", norm.running_mean.size(), " channels came behind a layer with ",
                      channels);
  shape<1> const all{{channels}};
  tensor<T, 1, D> scale(all, uninitialized);
  map(D{}, scale, inverse_deviation{1, norm.options().eps}, norm.running_var);
  if (norm.weight.size() > 0) map(D{}, scale, multiply_function{}, scale, norm.weight);
  view<T, 4, D> const weight = layer.weight.value.view().reshape(shape<4>{{blocks, inputs, channels / blocks, -1}});
  map(D{}, weight, multiply_function{}, weight, as_view(scale).reshape(shape<4>{{blocks, 1, channels / blocks, 1}}));
  if (layer.bias.size() == 0) layer.bias = parameter<T, 1, D>(all);
  copy(D{}, layer.bias.value.view(), norm(as_view(layer.bias).unsqueeze(0), evaluation{}).view()[0]);
  return layer;
}

}  // namespace detail

// norm(layer(x), evaluation{}) as one convolution.
template <int S, class T, class D>
conv_layer<S, T, D> fold(conv_layer<S, T, D> const& layer, batch_norm<T, D> const& norm) {
  return detail::folded(layer, norm, 1, 1, layer.weight.shape()[0]);
}
// The same of a transposed convolution.
template <int S, class T, class D>
conv_transpose_layer<S, T, D> fold(conv_transpose_layer<S, T, D> const& layer, batch_norm<T, D> const& norm) {
  std::ptrdiff_t const groups = layer.options.groups;
  return detail::folded(layer, norm, groups, layer.weight.shape()[0] / groups, layer.weight.shape()[1] * groups);
}
// The same of a linear layer.
template <class T, class D> linear<T, D> fold(linear<T, D> const& layer, batch_norm<T, D> const& norm) {
  return detail::folded(layer, norm, 1, 1, layer.weight.shape()[0]);
}

LIMBIC_END
