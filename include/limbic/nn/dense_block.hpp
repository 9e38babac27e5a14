// limbic/nn/dense_block.hpp - layers each of which reads the results of all before it; and the transition between such blocks
//
//   dense_block<float> b(64, 6, 32, random);            64 channels, 6 layers of 32 new channels each -> 256
//   dense_transition<float> t(b.channels(), random);    256 -> 128 channels, half as many rows and columns
//
//   layer        z = conv2(relu(norm2(conv1(relu(norm1(x))))))     1 x 1 to 4 k channels, then 3 x 3 to k, without biases
//   block        x <- [x, z] for each layer: the result has what came in and what each layer adds, in this order
//   transition   y = 2 x 2 means of conv(relu(norm(x)))            1 x 1 to floor(theta in) channels
//
// shape   block (N, in, H, W) -> (N, in + layers k, H, W); transition -> (N, floor(theta in), floor(H / 2), floor(W / 2))
// names   denselayer1.norm1, .conv1, .norm2, .conv2, denselayer2.norm1, ...; norm, conv: as torchvision's
// source  Huang, Liu, van der Maaten and Weinberger 2017, arXiv:1608.06993: DenseNet-BC
#pragma once

#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/nn/layer_list.hpp>
#include <limbic/ops/avg_pool.hpp>
#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/relu.hpp>

#include <cstdio>

LIMBIC_BEGIN

struct dense_block_options {
  std::ptrdiff_t bottleneck = 4;       // channels between a layer's convolutions, for each new one
  batch_norm_layer_options norm = {};  // of every batch norm
};

// A layer of a dense block; its result is what it adds.
template <class T, class D = default_device> struct dense_layer {
  batch_norm<T, D> norm1;  // of all channels so far
  conv2d<T, D> conv1;      // 1 x 1
  batch_norm<T, D> norm2;  // of those between the convolutions
  conv2d<T, D> conv2;      // 3 x 3

  dense_layer(std::ptrdiff_t in, std::ptrdiff_t growth, rng& random, dense_block_options const& o)
      : norm1(in, o.norm),
        conv1(in, o.bottleneck * growth, 1, random, {.bias = false}),
        norm2(o.bottleneck * growth, o.norm),
        conv2(o.bottleneck * growth, growth, 3, random, {.padding = 1, .bias = false}) {}

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    return conv2(relu(norm2(conv1(relu(norm1(x, mode))), mode)));
  }
  // Names the layers.
  void each(auto f) {
    f("norm1", norm1);
    f("conv1", conv1);
    f("norm2", norm2);
    f("conv2", conv2);
  }
};

template <class T, class D = default_device> struct dense_block {
  layer_list<dense_layer<T, D>> layers;  // at least one

  dense_block(std::ptrdiff_t in, std::ptrdiff_t count, std::ptrdiff_t growth, rng& random,
              dense_block_options const& o = {}) {
    if (in < 1 || count < 1 || growth < 1 || o.bottleneck < 1)
      fail<argument_error>("dense_block", "channels, layers, growth and bottleneck must be positive, but are ", in,
                           ", ", count, ", ", growth, " and ", o.bottleneck);
    layers = {count, [&](std::ptrdiff_t i) { return dense_layer<T, D>(in + i * growth, growth, random, o); }};
  }
  // Of the result.
  std::ptrdiff_t channels() const {
    auto const& last = layers[layers.size() - 1];
    return last.conv1.weight.shape()[1] + last.conv2.weight.shape()[0];
  }

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    auto y = concatenate(1, x, layers[0](x, mode));
    for (std::ptrdiff_t i = 1; i < layers.size(); ++i) y = concatenate(1, y, layers[i](y, mode));
    return y;
  }
  // Names the layers, from denselayer1 on.
  void each(auto f) {
    char name[32];
    for (std::ptrdiff_t i = 0; i < layers.size(); ++i) {
      std::snprintf(name, sizeof name, "denselayer%td", i + 1);
      f(std::string_view(name), layers[i]);
    }
  }
};

struct dense_transition_options {
  double theta = 0.5;                  // the share of the channels that is left, in (0, 1]
  batch_norm_layer_options norm = {};  // before the convolution
};

template <class T, class D = default_device> struct dense_transition {
  batch_norm<T, D> norm;  // of all channels
  conv2d<T, D> conv;      // 1 x 1

  dense_transition(std::ptrdiff_t in, rng& random, dense_transition_options const& o = {})
      : norm(in, o.norm), conv(in, left(in, o.theta), 1, random, {.bias = false}) {}
  // Of the result.
  std::ptrdiff_t channels() const { return conv.weight.shape()[0]; }

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    return avg_pool2d(conv(relu(norm(x, mode))), 2);
  }
  // Names the layers.
  void each(auto f) {
    f("norm", norm);
    f("conv", conv);
  }

 private:
  static std::ptrdiff_t left(std::ptrdiff_t in, double theta) {
    if (!(theta > 0 && theta <= 1) || theta * static_cast<double>(in) < 1)
      fail<argument_error>("dense_transition", "theta must lie in (0, 1] and leave a channel of ", in, ", but is ",
                           theta);
    return static_cast<std::ptrdiff_t>(theta * static_cast<double>(in));
  }
};

LIMBIC_END
