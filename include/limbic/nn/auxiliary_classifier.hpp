// limbic/nn/auxiliary_classifier.hpp - a classifier of a network's middle, which brings gradients there while it is trained
//
//   auxiliary_classifier<float> aux(512, 1000, random);                  maps of 14 x 14 with 512 channels, 1000 classes
//   auxiliary_classifier<float> own(64, 10, random, {.size = {7, 9}, .channels = 16, .hidden = 32});
//
//   y = fc2(dropout(relu(fc1(conv(5 x 5 means, 3 apart)))))              conv: a 1 x 1 conv_unit
//
// GoogLeNet has two, each of which adds 0.3 times its loss to the network's while that is trained, and no part in its use:
//
//   loss = cross_entropy(net, labels) + 0.3 (cross_entropy(aux1, labels) + cross_entropy(aux2, labels))
//
// shape   x (N, in, H, W) -> logits (N, classes); H and W are given when it is made, because fc1 depends on them
// names   conv.conv, conv.bn, fc1, fc2: as torchvision's InceptionAux
// source  Szegedy et al. 2014, arXiv:1409.4842 (without batch norm)
// errors  maps of another size; (when made) maps smaller than a window
#pragma once

#include <limbic/nn/conv_unit.hpp>
#include <limbic/nn/dropout.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/ops/avg_pool.hpp>
#include <limbic/ops/reshape.hpp>

LIMBIC_BEGIN

struct auxiliary_classifier_options {
  per_axis<2> size = 14;                                                                 // of the maps
  per_axis<2> window = 5, stride = 3;                                                    // of the average pooling
  std::ptrdiff_t channels = 128;                                                         // of the convolution's result
  std::ptrdiff_t hidden = 1024;                                                          // of fc1's result
  double dropout = 0.7;                                                                  // before fc2
  std::optional<batch_norm_layer_options> norm = batch_norm_layer_options{.eps = 1e-3};  // as torchvision; or none
};

template <class T, class D = default_device> struct auxiliary_classifier {
  auxiliary_classifier_options options;  // what it was made with
  conv_unit<T, D> conv;                  // 1 x 1
  linear<T, D> fc1, fc2;
  dropout drop;  // before fc2

  auxiliary_classifier(std::ptrdiff_t in, std::ptrdiff_t classes, rng& random,
                       auxiliary_classifier_options const& o = {})
      : options(o),
        conv(in, o.channels, 1, random, {.norm = o.norm}),
        fc1(o.channels * windows(o, 0) * windows(o, 1), o.hidden, random),
        fc2(o.hidden, classes, random),
        drop(o.dropout) {}

  template <operand X> auto operator()(X const& x, layer_mode auto mode) const {
    auto const& s = options.size.of;
    if (x.shape()[2] != s[0] || x.shape()[3] != s[1])
      fail<shape_error>("auxiliary_classifier", "maps ", x.shape(), " came where (N, C, ", s[0], ", ", s[1],
                        ") are expected");
    auto const means = avg_pool2d(x, options.window, {.stride = options.stride});
    return fc2(drop(relu(fc1(flatten<1>(conv(means, mode)))), mode));
  }
  // Names the layers.
  void each(auto f) {
    f("conv", conv);
    f("fc1", fc1);
    f("fc2", fc2);
  }

 private:
  // Along an axis.
  static std::ptrdiff_t windows(auxiliary_classifier_options const& o, int axis) {
    std::ptrdiff_t const room = o.size.of[axis] - o.window.of[axis];
    if (o.window.of[axis] < 1 || o.stride.of[axis] < 1 || room < 0)
      fail<argument_error>("auxiliary_classifier", "windows of ", o.window.of, ", ", o.stride.of,
                           " apart, do not fit maps of ", o.size.of);
    return room / o.stride.of[axis] + 1;
  }
};

LIMBIC_END
