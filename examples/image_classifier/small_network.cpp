// examples/image_classifier/small_network.cpp - a small convolutional network for images of 8 x 8 pixels or more
//
//   twice   two 3 x 3 convolutions with batch norm and ReLU (w channels, then 2w), 2 x 2 maximum, dropout
//   then    dense (4w), ReLU, dropout, dense (classes) or cosines
#include "networks.hpp"

#include <limbic/nn/conv_unit.hpp>
#include <limbic/nn/dropout.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/ops/max_pool.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/reshape.hpp>

namespace {

struct small_network {
  network_options options;
  limbic::conv_unit<float> c1, c2, c3, c4;
  limbic::linear<float> hidden, out;
  limbic::dropout drop{0.25};

  small_network(network_options const& o, limbic::rng& random)
      : options(o),
        c1(o.channels, o.width, 3, random, {.padding = limbic::same_padding}),
        c2(o.width, o.width, 3, random, {.padding = limbic::same_padding}),
        c3(o.width, 2 * o.width, 3, random, {.padding = limbic::same_padding}),
        c4(2 * o.width, 2 * o.width, 3, random, {.padding = limbic::same_padding}),
        hidden(2 * o.width * (o.height / 4) * (o.columns / 4), 4 * o.width, random),
        out(4 * o.width, o.classes, random, {.bias = !o.cosine()}) {}

  auto operator()(auto const& x, auto mode) const {
    auto const half = drop(limbic::max_pool2d(c2(c1(x, mode), mode), 2), mode);
    auto const quarter = drop(limbic::max_pool2d(c4(c3(half, mode), mode), 2), mode);
    auto const flat = limbic::reshape(quarter, limbic::shape{x.shape()[0], -1});
    return head_of(options, drop(limbic::relu(hidden(flat)), mode), out);
  }
  void each(auto f) { f("c1", c1), f("c2", c2), f("c3", c3), f("c4", c4), f("hidden", hidden), f("out", out); }
};

}  // namespace

std::unique_ptr<network> make_small_network(network_options const& o, limbic::rng& random) {
  if (o.height < 8 || o.columns < 8)
    limbic::fail<limbic::argument_error>("small", "images must be 8 x 8 or larger, but are ", o.height, " x ",
                                         o.columns);
  return std::make_unique<network_of<small_network>>(o, random);
}
