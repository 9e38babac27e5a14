// limbic/nn/bottleneck.hpp - a residual block whose 3 x 3 convolution stands between two of 1 x 1 and sees fewer channels
//
//   bottleneck<float> b(256, 64, random);                            256 -> 64 -> 64 -> 256 channels
//   bottleneck<float> down(256, 128, random, {.stride = 2});         256 -> 128 -> 128 -> 512
//
//   y = relu(shortcut(x) + norm3(conv3(relu(norm2(conv2(relu(norm1(conv1(x)))))))))      shortcuts: nn/residual_shortcut.hpp
//
// The result has 4 times as many channels as the 3 x 3 convolution, and that has the stride, as in torchvision; the paper has it
// on the first.
//
// shape   x (N, in, H, W) -> (N, 4 width, ceil(H / stride), ceil(W / stride))
// names   conv1, bn1, ..., conv3, bn3, downsample.0, downsample.1: as torchvision's Bottleneck
// source  He, Zhang, Ren and Sun 2015, arXiv:1512.03385
#pragma once

#include <limbic/nn/residual_shortcut.hpp>

LIMBIC_BEGIN

template <class T, class D = default_device> struct bottleneck {
  static constexpr std::ptrdiff_t expansion = 4;  // channels of the result for each of the 3 x 3 convolution's
  conv_unit<T, D> unit1, unit2, unit3;            // 1 x 1, 3 x 3, 1 x 1; the last without ReLU
  residual_shortcut<T, D> downsample;             // from x to the sum

  bottleneck(std::ptrdiff_t in, std::ptrdiff_t width, rng& random, residual_options const& o = {})
      : unit1(in, width, 1, random, {.norm = o.norm}),
        unit2(width, width, 3, random, {.stride = o.stride, .padding = 1, .norm = o.norm}),
        unit3(width, expansion * width, 1, random, {.norm = o.norm, .relu = false}),
        downsample("bottleneck", in, expansion * width, random, o) {}

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    return relu(downsample.add_to(unit3(unit2(unit1(x, mode), mode), mode), x, mode));
  }
  // Names the layers.
  void each(auto f) {
    unit1.each(f, "conv1", "bn1");
    unit2.each(f, "conv2", "bn2");
    unit3.each(f, "conv3", "bn3");
    f("downsample", downsample);
  }
};

LIMBIC_END
