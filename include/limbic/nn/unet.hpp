// limbic/nn/unet.hpp - the steps of a U-Net: down to smaller maps, and up again beside what was seen on the way down
//
//   unet_down<float> down(1, 16, random);           1 -> 16 channels
//   double_conv<float> bottom(16, 32, random);
//   unet_up<float> up(32, 16, 16, random);          32 channels from below, 16 beside -> 16
//
//   auto const [skip, below] = down(x, mode);       the maps, and their 2 x 2 maxima
//   auto const y = up(bottom(below, mode), skip, mode);
//
//   double_conv   two 3 x 3 conv_units
//   unet_down     skip = double_conv(x), below = 2 x 2 maxima of skip
//   unet_up       double_conv([the middle of skip, up(x)]), up: a transposed 2 x 2 convolution with stride 2
//
// Convolutions are padded so that maps keep their size; with padding 0, as in the paper, each takes two rows and columns. skip is
// cropped to the size of up(x), which is smaller after unpadded convolutions or an odd size; of an odd number of rows or
// columns the larger part is left out at the end. Batch norm, which the paper has not, is an option.
//
// shape   padded: (N, in, H, W) -> skip (N, out, H, W), below (N, out, floor(H / 2), floor(W / 2)); up: x (N, in, H, W) -> (N, out, 2 H, 2 W)
// names   conv1, bn1, conv2, bn2, of unet_up also up
// source  Ronneberger, Fischer and Brox 2015, arXiv:1505.04597
// errors  a skip that is smaller than up(x); maps that are too small for a kernel
#pragma once

#include <limbic/nn/conv_unit.hpp>
#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/max_pool.hpp>
#include <limbic/ops/slice.hpp>

LIMBIC_BEGIN

struct unet_options {
  per_axis<2> padding = same_padding;                           // of the 3 x 3 convolutions; 0 in the paper
  std::optional<batch_norm_layer_options> norm = std::nullopt;  // behind them
};

template <class T, class D = default_device> struct double_conv {
  conv_unit<T, D> unit1, unit2;  // 3 x 3

  double_conv(std::ptrdiff_t in, std::ptrdiff_t out, rng& random, unet_options const& o = {})
      : unit1(in, out, 3, random, {.padding = o.padding, .norm = o.norm}),
        unit2(out, out, 3, random, {.padding = o.padding, .norm = o.norm}) {}

  template <operand X> auto operator()(X&& x, layer_mode auto mode) const {
    return unit2(unit1(std::forward<X>(x), mode), mode);
  }
  // Names the layers.
  void each(auto f) {
    unit1.each(f, "conv1", "bn1");
    unit2.each(f, "conv2", "bn2");
  }
};

template <class T, class D = default_device> struct unet_down {
  double_conv<T, D> convs;  // whose result is the skip

  unet_down(std::ptrdiff_t in, std::ptrdiff_t out, rng& random, unet_options const& o = {})
      : convs(in, out, random, o) {}

  template <operand X> auto operator()(X&& x, layer_mode auto mode) const {
    auto skip = convs(std::forward<X>(x), mode);
    auto below = max_pool2d(skip, 2);
    return std::tuple(std::move(skip), std::move(below));
  }
  // Names the layers.
  void each(auto f) { convs.each(f); }
};

template <class T, class D = default_device> struct unet_up {
  conv_transpose2d<T, D> up;  // 2 x 2, stride 2
  double_conv<T, D> convs;    // of both together

  // Channels of x, of the skip, of the result and of up's.
  unet_up(std::ptrdiff_t in, std::ptrdiff_t skip, std::ptrdiff_t out, rng& random, unet_options const& o = {})
      : up(in, out, 2, random, {.stride = 2}), convs(skip + out, out, random, o) {}

  template <operand X, operand S> auto operator()(X&& x, S const& skip, layer_mode auto mode) const {
    auto const y = up(std::forward<X>(x));
    std::ptrdiff_t const height = y.shape()[2], width = y.shape()[3];
    std::ptrdiff_t const rows = skip.shape()[2] - height, columns = skip.shape()[3] - width;
    if (rows < 0 || columns < 0)
      fail<shape_error>("unet_up", "the skip ", skip.shape(), " is smaller than the maps beside it, ", y.shape());
    if (rows == 0 && columns == 0) return convs(concatenate(1, skip, y), mode);
    auto const middle = slice(slice(skip, 2, rows / 2, rows / 2 + height), 3, columns / 2, columns / 2 + width);
    return convs(concatenate(1, middle, y), mode);
  }
  // Names the layers.
  void each(auto f) {
    f("up", up);
    convs.each(f);
  }
};

LIMBIC_END
