// limbic/models/emosynthnet.hpp - EmoSynthNet, a convolutional network for facial expressions and other small images
//
//   emosynthnet<float> net({.channels = 1, .classes = 7, .size = {48, 48}}, random);
//   net(x, evaluation{})           x (N, channels, H, W) -> logits (N, classes)
//   net(x, training{random})
//
//   main branch   blocks b1 to b4 of 4, 4, 4, 3 units (3 x 3 convolution, ELU, batch norm) with w, 2w, 2w, 2w; 4 x 4w; 4 x 8w;
//                 3 x 16w channels (w = width, 32); in b1 and b3 the second unit's result is added to the last one's;
//                 each ends with 2 x 2 average pooling and dropout
//   side branch   two modules (below) of 14w channels each, the second reading the first; both together, averaged over
//                 7 x 7 windows, then over as many windows as the main branch has pixels
//   together      t1, a transposed 3 x 3 convolution of the main branch to 16w channels, ELU; both branches, doubled in
//                 size; t2 to 8w channels, ELU; doubled again; d1 (4w), d2 (2w), d3 (classes), ELU between
//   module        1x1 (2w) - 5x5 (3w) - 5x5 (3w);  3x3 maximum - 1x1 (2w);  1x1 (4w) - 3x3 (6w) - 3x3 (6w) plus what it reads;
//                 ReLU behind each. The second 5x5, the first, the 1x1 and the sum make the 14w channels
//
// Images may be of any size from 16 x 16 up, given when the network is made (d1 depends on it). What the thesis' text leaves
// open (where skips and side branch attach, 896 side channels instead of 640) is one complete reading of it. Parameters have
// the names and shapes of the same network in torch.nn: b1.0.0.weight, b1.0.2.running_mean, s1.a1.weight, t1.weight, ...
//
// In evaluation mode on plain tensors each convolution, its activation and its norm are one pass over the result
// (nn/fused.hpp): the logits are those of a recorded call but for rounding.
//
// shape errors  channels and sizes other than those it was made for
#pragma once

#include <limbic/nn/dropout.hpp>
#include <limbic/nn/fused.hpp>
#include <limbic/nn/layer_list.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/ops/avg_pool.hpp>
#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/elu.hpp>
#include <limbic/ops/interpolate.hpp>
#include <limbic/ops/max_pool.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/reshape.hpp>

LIMBIC_BEGIN

// What comes first behind a convolution.
enum class unit_order { activation, norm };

struct emosynthnet_options {
  std::ptrdiff_t channels = 3, classes = 10;  // of the images, of the result
  per_axis<2> size = 32;                      // of the images
  std::ptrdiff_t width = 32;                  // channels of the first unit, from which all others follow
  bool side = true;                           // with the side branch
  double dropout = 0.2;                       // behind each block and before d1
  unit_order order = unit_order::activation;  // of ELU and batch norm
  batch_norm_layer_options norm = {};         // of every batch norm
};

// A 3 x 3 convolution, ELU and batch norm, in the given order.
template <class T, class D = default_device> struct conv_elu_norm {
  conv2d<T, D> conv;                          // 3 x 3
  batch_norm<T, D> norm;                      // of its channels
  unit_order order = unit_order::activation;  // what comes first behind it

  conv_elu_norm(std::ptrdiff_t in, std::ptrdiff_t out, rng& random, emosynthnet_options const& o)
      : conv(in, out, 3, random, {.padding = same_padding}), norm(out, o.norm), order(o.order) {}

  template <operand X> auto operator()(X&& x, layer_mode auto mode) const {
    if (order == unit_order::norm) return fused(std::forward<X>(x), mode, conv, norm, elu_op{});
    return fused(std::forward<X>(x), mode, conv, elu_op{}, norm);
  }
  // Names the layers by their places in a torch.nn.Sequential.
  void each(auto f) {
    f("0", conv);
    f(order == unit_order::norm ? "1" : "2", norm);
  }
};

// The side branch's module: convolutions of three sizes beside one another.
template <class T, class D = default_device> struct emosynthnet_module {
  conv2d<T, D> a1, a2, a3, b1, c1, c2, c3;  // three ways, each from its first convolution to its last

  emosynthnet_module(std::ptrdiff_t in, std::ptrdiff_t width, rng& random)
      : a1(in, 2 * width, 1, random),
        a2(2 * width, 3 * width, 5, random, {.padding = same_padding}),
        a3(3 * width, 3 * width, 5, random, {.padding = same_padding}),
        b1(in, 2 * width, 1, random),
        c1(in, 4 * width, 1, random),
        c2(4 * width, 6 * width, 3, random, {.padding = same_padding}),
        c3(6 * width, 6 * width, 3, random, {.padding = same_padding}) {}
  // The channels of the result.
  static std::ptrdiff_t channels(std::ptrdiff_t width) { return 14 * width; }

  auto operator()(auto const& x) const {
    relu_op const f;
    auto const a = fused(fused(x, a1, f), a2, f);
    auto const c = fused(fused(x, c1, f), c2, f);
    return concatenate(1, fused(a, a3, f), a, fused(max_pool2d(x, 3, {.stride = 1, .padding = 1}), b1, f),
                       fused(c, c3, f) + c);
  }
  // Names the convolutions.
  void each(auto f) {
    f("a1", a1);
    f("a2", a2);
    f("a3", a3);
    f("b1", b1);
    f("c1", c1);
    f("c2", c2);
    f("c3", c3);
  }
};

template <class T, class D = default_device> struct emosynthnet {
  emosynthnet_options options;                     // what it was made with
  layer_list<conv_elu_norm<T, D>> b1, b2, b3, b4;  // the main branch, block by block
  layer_list<emosynthnet_module<T, D>> s;          // two, or none
  conv_transpose2d<T, D> t1, t2;                   // to larger maps
  linear<T, D> d1, d2, d3;                         // to the logits
  dropout drop;                                    // behind blocks and before d1

  emosynthnet(emosynthnet_options const& o, rng& random)
      : options(checked(o)),
        b1(block(o, random, {o.channels, o.width, 2 * o.width, 2 * o.width, 2 * o.width})),
        b2(block(o, random, {2 * o.width, 4 * o.width, 4 * o.width, 4 * o.width, 4 * o.width})),
        b3(block(o, random, {4 * o.width, 8 * o.width, 8 * o.width, 8 * o.width, 8 * o.width})),
        b4(block(o, random, {8 * o.width, 16 * o.width, 16 * o.width, 16 * o.width})),
        s(o.side ? 2 : 0,
          [&](std::ptrdiff_t i) {
            return emosynthnet_module<T, D>(i == 0 ? o.channels : module_channels(o), o.width, random);
          }),
        t1(16 * o.width, 16 * o.width, 3, random),
        t2(16 * o.width + (o.side ? 2 * module_channels(o) : 0), 8 * o.width, 3, random),
        d1(8 * o.width * (o.size.of[0] / 16 * 4 + 12) * (o.size.of[1] / 16 * 4 + 12), 4 * o.width, random),
        d2(4 * o.width, 2 * o.width, random),
        d3(2 * o.width, o.classes, random),
        drop(o.dropout) {}

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const { return d3(features(x, mode)); }

  // What d3 reads, (N, 2 width): for a head of your own.
  template <operand X> auto features(X const& x, layer_mode auto mode) const {
    if (x.shape()[1] != options.channels || x.shape()[2] != options.size.of[0] || x.shape()[3] != options.size.of[1])
      fail<shape_error>("emosynthnet", "images ", x.shape(), " came where (N, ", options.channels, ", ",
                        options.size.of[0], ", ", options.size.of[1], ") are expected");
    auto y = pass(b1, x, true, mode);
    y = pass(b2, y, false, mode);
    y = pass(b3, y, true, mode);
    y = pass(b4, y, false, mode);
    y = fused(y, t1, elu_op{});
    if (s.size() > 0) {
      auto const first = s[0](x);
      auto const both = avg_pool2d(concatenate(1, first, s[1](first)), 7);
      y = concatenate(1, y, adaptive_avg_pool2d(both, {y.shape()[2], y.shape()[3]}));
    }
    y = upsample(fused(upsample(y, 2), t2, elu_op{}), 2);
    auto const flat = reshape(drop(std::move(y), mode), shape{x.shape()[0], -1});
    return elu(d2(elu(d1(flat))));
  }

  // Names the parts.
  void each(auto f) {
    f("b1", b1);
    f("b2", b2);
    f("b3", b3);
    f("b4", b4);
    if (s.size() > 0) {
      f("s1", s[0]);
      f("s2", s[1]);
    }
    f("t1", t1);
    f("t2", t2);
    f("d1", d1);
    f("d2", d2);
    f("d3", d3);
  }

 private:
  static std::ptrdiff_t module_channels(emosynthnet_options const& o) {
    return emosynthnet_module<T, D>::channels(o.width);
  }
  static emosynthnet_options const& checked(emosynthnet_options const& o) {
    if (o.size.of[0] < 16 || o.size.of[1] < 16)
      fail<argument_error>("emosynthnet", "images must be 16 x 16 or larger, but are ", o.size.of);
    if (o.width < 1 || o.channels < 1 || o.classes < 1)
      fail<argument_error>("emosynthnet", "width, channels and classes must be positive, but are ", o.width, ", ",
                           o.channels, " and ", o.classes);
    return o;
  }
  // Units between channels c[0], c[1], ...
  static layer_list<conv_elu_norm<T, D>> block(emosynthnet_options const& o, rng& random,
                                               std::initializer_list<std::ptrdiff_t> c) {
    return {static_cast<std::ptrdiff_t>(c.size()) - 1,
            [&](std::ptrdiff_t i) { return conv_elu_norm<T, D>(c.begin()[i], c.begin()[i + 1], random, o); }};
  }
  auto pass(layer_list<conv_elu_norm<T, D>> const& units, auto const& x, bool skip, auto mode) const {
    auto y = units[1](units[0](x, mode), mode);
    auto const second = y;
    for (std::ptrdiff_t i = 2; i < units.size(); ++i) y = units[i](y, mode);
    if (skip) y = second + y;
    return drop(avg_pool2d(y, 2), mode);
  }
};

LIMBIC_END
