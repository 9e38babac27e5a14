// limbic/nn/inception.hpp - convolutions of several sizes beside one another
//
//   inception<float> a(192, {64, 96, 128, 16, 32, 32}, random);                     GoogLeNet's module 3a: 192 -> 256 channels
//   inception<float> b(192, {...}, random, {.form = inception_form::two_3x3});      the 5 x 5 as two 3 x 3
//
//   branch1   1x1                     ch1x1 channels
//   branch2   1x1 - 3x3               ch3x3red, ch3x3
//   branch3   1x1 - 5x5               ch5x5red, ch5x5; as two 3 x 3: ch5x5red, ch5x5, ch5x5
//   branch4   3x3 maximum - 1x1       pool_proj
//
// Each convolution is a conv_unit, with batch norm unless .norm is std::nullopt, padded so that all maps keep their size. The result
// is [branch1, branch2, branch3, branch4].
//
// shape   x (N, in, H, W) -> (N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W)
// names   branch1.conv, branch1.bn, branch2.0.conv, ..., branch4.1.bn: as torchvision's GoogLeNet (whose "5 x 5" is a 3 x 3)
// source  Szegedy et al. 2014, arXiv:1409.4842 (without batch norm); two 3 x 3: Szegedy et al. 2015, arXiv:1512.00567, figure 5
#pragma once

#include <limbic/nn/conv_unit.hpp>
#include <limbic/nn/layer_list.hpp>
#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/max_pool.hpp>

LIMBIC_BEGIN

// What branch3 consists of behind its 1 x 1 convolution.
enum class inception_form { one_5x5, two_3x3 };

// Channels of the convolutions, as torchvision names them.
struct inception_channels {
  std::ptrdiff_t ch1x1;            // of branch1
  std::ptrdiff_t ch3x3red, ch3x3;  // of branch2, before its last convolution and behind it
  std::ptrdiff_t ch5x5red, ch5x5;  // of branch3
  std::ptrdiff_t pool_proj;        // of branch4
};

struct inception_options {
  inception_form form = inception_form::one_5x5;                                         // of branch3
  std::optional<batch_norm_layer_options> norm = batch_norm_layer_options{.eps = 1e-3};  // as torchvision; or none
};

template <class T, class D = default_device> struct inception {
  conv_unit<T, D> branch1;
  conv_unit<T, D> branch2[2];
  layer_list<conv_unit<T, D>> branch3;  // two or three
  conv_unit<T, D> branch4;

  inception(std::ptrdiff_t in, inception_channels const& c, rng& random, inception_options const& o = {})
      : branch1(in, c.ch1x1, 1, random, {.norm = o.norm}),
        branch2{conv_unit<T, D>(in, c.ch3x3red, 1, random, {.norm = o.norm}),
                conv_unit<T, D>(c.ch3x3red, c.ch3x3, 3, random, {.padding = 1, .norm = o.norm})},
        branch3(o.form == inception_form::two_3x3 ? 3 : 2,
                [&](std::ptrdiff_t i) {
                  if (i == 0) return conv_unit<T, D>(in, c.ch5x5red, 1, random, {.norm = o.norm});
                  std::ptrdiff_t const kernel = o.form == inception_form::two_3x3 ? 3 : 5;
                  return conv_unit<T, D>(i == 1 ? c.ch5x5red : c.ch5x5, c.ch5x5, kernel, random,
                                         {.padding = kernel / 2, .norm = o.norm});
                }),
        branch4(in, c.pool_proj, 1, random, {.norm = o.norm}) {}
  // Of the result.
  std::ptrdiff_t channels() const {
    return branch1.conv.weight.shape()[0] + branch2[1].conv.weight.shape()[0] + branch3[1].conv.weight.shape()[0] +
           branch4.conv.weight.shape()[0];
  }

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    auto const a = branch1(x, mode);
    auto const b = branch2[1](branch2[0](x, mode), mode);
    auto c = branch3[1](branch3[0](x, mode), mode);
    if (branch3.size() == 3) c = branch3[2](std::move(c), mode);
    auto const d = branch4(max_pool2d(x, 3, {.stride = 1, .padding = 1}), mode);
    return concatenate(1, a, b, c, d);
  }
  // Names the branches.
  void each(auto f) {
    f("branch1", branch1);
    f("branch2", branch2);
    f("branch3", branch3);
    f("branch4.1", branch4);
  }
};

LIMBIC_END
