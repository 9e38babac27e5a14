// limbic/nn/residual_shortcut.hpp - how the input of a residual block gets past its convolutions
//
//   identity      x: only where channels and extents stay as they are
//   zero_pad      every stride-th row and column of x, then channels of zeros behind those of x     option A
//   projection    a 1 x 1 convolution with the stride, batch norm                                   option B
//
// Options A and B are those of He, Zhang, Ren and Sun 2015, arXiv:1512.03385: they say what is done where the extents change. Where
// they do not, the shortcut is x itself, whatever was chosen, and has no parameters.
//
// errors  (when made) identity where the extents change, zero_pad to fewer channels
#pragma once

#include <limbic/nn/conv_unit.hpp>
#include <limbic/ops/add.hpp>
#include <limbic/ops/pad.hpp>
#include <limbic/ops/slice.hpp>

LIMBIC_BEGIN

// What leads past a residual block's convolutions where they change the extents.
enum class shortcut_kind { identity, zero_pad, projection };

struct residual_options {
  per_axis<2> stride = 1;                              // of the block
  shortcut_kind shortcut = shortcut_kind::projection;  // where the extents change
  batch_norm_layer_options norm = {};                  // of every batch norm
};

template <class T, class D = default_device> struct residual_shortcut {
  shortcut_kind kind = shortcut_kind::identity;  // what is done: identity where the extents stay
  per_axis<2> stride = 1;                        // of the block
  std::ptrdiff_t more_channels = 0;              // than x has, in the result
  conv_unit<T, D> project;                       // empty where nothing is projected

  // `name` is that of the block, for errors.
  residual_shortcut(std::string_view name, std::ptrdiff_t in, std::ptrdiff_t out, rng& random,
                    residual_options const& o)
      : stride(o.stride), more_channels(out - in) {
    if (in == out && o.stride.of[0] == 1 && o.stride.of[1] == 1) return;
    if (o.shortcut == shortcut_kind::identity)
      fail<argument_error>(name, "an identity shortcut needs as many channels and a stride of 1, but leads from ", in,
                           " to ", out, " channels with stride ", o.stride.of);
    if (o.shortcut == shortcut_kind::zero_pad && out < in)
      fail<argument_error>(name, "a padded shortcut cannot lead from ", in, " to ", out, " channels");
    kind = o.shortcut;
    if (kind == shortcut_kind::projection)
      project = conv_unit<T, D>(in, out, 1, random, {.stride = o.stride, .norm = o.norm, .relu = false});
  }

  // y + the shortcut of x.
  template <operand Y, operand X> auto add_to(Y&& y, X const& x, layer_mode auto mode) const {
    if (kind == shortcut_kind::projection) return add(std::forward<Y>(y), project(x, mode));
    if (kind == shortcut_kind::identity) return add(std::forward<Y>(y), x);
    auto const kept = slice(slice(x, 2, 0, to_the_end, stride.of[0]), 3, 0, to_the_end, stride.of[1]);
    return add(std::forward<Y>(y), pad(kept, 1, 0, more_channels));
  }

  // Names the projection's layers by their places in a torch.nn.Sequential.
  void each(auto f) {
    if (kind == shortcut_kind::projection) project.each(f, "0", "1");
  }
};

LIMBIC_END
