// examples/image_classifier/fine_tuning.hpp - begin with the weights of a saved model
//
//   start_from(*net, file, false)     all of them, but for the last layer where the file has another: one of other classes,
//                                     or of another kind (cosines have no bias)
//   start_from(*net, file, true)      all but the last layer, which stays as it was drawn
//   freeze_features(*net)             from here on only the last layer is trained; running statistics still follow the images
//
// errors  io_error that names the file and the tensor, where one of another layer is missing or has another shape
#pragma once

#include "networks.hpp"

#include <limbic/io/model.hpp>

#include <algorithm>
#include <string_view>

// All of a network, or all but its last layer, as a model.
struct network_part {
  network& net;
  bool last = false;

  void each(auto f) {
    net.each([&](std::string_view name, auto& member) {
      if (last || !net.in_last_layer(name)) f(name, member);
    });
  }
};

// Whether the last layer was taken too.
inline bool start_from(network& net, limbic::safetensors_file const& file, bool new_head) {
  std::ptrdiff_t others = std::count_if(file.entries().begin(), file.entries().end(),
                                        [&](auto const& e) { return net.in_last_layer(e.name); });
  bool fits = true;
  net.each([&](std::string_view name, auto const& member) {
    if (!net.in_last_layer(name)) return;
    auto const* const e = file.find(name);
    auto const& s = member.shape();
    fits = fits && e != nullptr && std::equal(e->shape.begin(), e->shape.end(), s.extents, s.extents + s.rank);
    --others;
  });
  bool const last = !new_head && fits && others == 0;
  network_part part{net, last};
  limbic::load(part, file, {.allow_extra = !last});
  return last;
}

inline void freeze_features(network& net) {
  network_part features{net};
  limbic::set_trainable(features, false);
}
