// limbic/nn/conv_unit.hpp - a convolution of images, batch norm and ReLU: what most blocks are made of
//
//   conv_unit<float> u(16, 32, 3, random, {.stride = 2, .padding = 1});            16 -> 32 channels
//   u(x, mode)                                                                     max(0, norm(conv(x)))
//   conv_unit<float> plain(16, 32, 1, random, {.norm = std::nullopt});             max(0, conv(x))
//   conv_unit<float> linear_one(16, 32, 1, random, {.relu = false});               norm(conv(x))
//
// The convolution has a bias where no batch norm follows, which would take it away again. In use, all is one pass over the
// convolution's result: nn/fused.hpp.
//
// names   conv, bn: as torchvision's BasicConv2d
// shape   x (N, in, H, W) -> (N, out, H', W'), see ops/conv.hpp
#pragma once

#include <limbic/nn/fused.hpp>
#include <limbic/ops/relu.hpp>

#include <optional>

LIMBIC_BEGIN

struct conv_unit_options {
  per_axis<2> stride = 1, padding = 0;                                        // of the convolution
  std::optional<batch_norm_layer_options> norm = batch_norm_layer_options{};  // or std::nullopt: none
  bool relu = true;                                                           // behind all
};

template <class T, class D = default_device> struct conv_unit {
  conv2d<T, D> conv;
  batch_norm<T, D> norm;  // empty where there is none
  bool activates = true;  // by ReLU

  conv_unit() = default;
  conv_unit(std::ptrdiff_t in, std::ptrdiff_t out, per_axis<2> const& kernel, rng& random,
            conv_unit_options const& o = {})
      : conv(in, out, kernel, random, {.stride = o.stride, .padding = o.padding, .bias = !o.norm.has_value()}),
        activates(o.relu) {
    if (o.norm.has_value()) norm = batch_norm<T, D>(out, *o.norm);
  }

  template <operand X> auto operator()(X&& x, layer_mode auto mode) const {
    bool const normalizes = norm.running_mean.size() > 0;
    if (normalizes && activates) return fused(std::forward<X>(x), mode, conv, norm, relu_op{});
    if (activates) return fused(std::forward<X>(x), conv, relu_op{});
    if (normalizes) return norm(conv(std::forward<X>(x)), mode);
    return conv(std::forward<X>(x));
  }

  // Names the layers conv and bn, or otherwise.
  void each(auto f) { each(f, "conv", "bn"); }
  void each(auto f, std::string_view conv_name, std::string_view norm_name) {
    f(conv_name, conv);
    if (norm.running_mean.size() > 0) f(norm_name, norm);
  }
};

LIMBIC_END
