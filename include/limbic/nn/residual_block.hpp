// limbic/nn/residual_block.hpp - two 3 x 3 convolutions whose result is added to what they read
//
//   residual_block<float> same(64, 64, random);
//   residual_block<float> down(64, 128, random, {.stride = 2, .shortcut = shortcut_kind::zero_pad});
//
//   y = relu(shortcut(x) + norm2(conv2(relu(norm1(conv1(x))))))        stride on conv1; shortcuts: nn/residual_shortcut.hpp
//
// shape   x (N, in, H, W) -> (N, out, ceil(H / stride), ceil(W / stride))
// names   conv1, bn1, conv2, bn2, downsample.0, downsample.1: as torchvision's BasicBlock
// source  He, Zhang, Ren and Sun 2015, arXiv:1512.03385
#pragma once

#include <limbic/nn/residual_shortcut.hpp>

LIMBIC_BEGIN

template <class T, class D = default_device> struct residual_block {
  conv_unit<T, D> unit1, unit2;        // 3 x 3; the second without ReLU
  residual_shortcut<T, D> downsample;  // from x to the sum

  residual_block(std::ptrdiff_t in, std::ptrdiff_t out, rng& random, residual_options const& o = {})
      : unit1(in, out, 3, random, {.stride = o.stride, .padding = 1, .norm = o.norm}),
        unit2(out, out, 3, random, {.padding = 1, .norm = o.norm, .relu = false}),
        downsample("residual_block", in, out, random, o) {}

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    return relu(downsample.add_to(unit2(unit1(x, mode), mode), x, mode));
  }
  // Names the layers.
  void each(auto f) {
    unit1.each(f, "conv1", "bn1");
    unit2.each(f, "conv2", "bn2");
    f("downsample", downsample);
  }
};

LIMBIC_END
