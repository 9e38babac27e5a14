// examples/image_classifier/emosynthnet.cpp - EmoSynthNet (limbic/models/emosynthnet.hpp), for images of 16 x 16 pixels or more
#include "networks.hpp"

#include <limbic/models/emosynthnet.hpp>

std::unique_ptr<network> make_emosynthnet(network_options const& o, limbic::rng& random) {
  limbic::emosynthnet_options const own{
      .channels = o.channels, .classes = o.classes, .size = {o.height, o.columns}, .width = o.width};
  return std::make_unique<network_of<limbic::emosynthnet<float>>>(o, own, random);
}
