// examples/image_classifier/emosynthnet.cpp - EmoSynthNet (limbic/models/emosynthnet.hpp), for images of 16 x 16 pixels or more
#include "networks.hpp"

#include <limbic/models/emosynthnet.hpp>

namespace {

struct emosynthnet {
  network_options options;
  limbic::emosynthnet<float> net;

  emosynthnet(network_options const& o, limbic::rng& random)
      : options(o),
        net({.channels = o.channels, .classes = o.classes, .size = {o.height, o.columns}, .width = o.width}, random) {
    if (o.cosine()) net.d3.bias = {};
  }
  auto operator()(auto const& x, auto mode) const { return head_of(options, net.features(x, mode), net.d3); }
  void each(auto f) { net.each(f); }
};

}  // namespace

std::unique_ptr<network> make_emosynthnet(network_options const& o, limbic::rng& random) {
  return std::make_unique<network_of<emosynthnet>>(o, random);
}
