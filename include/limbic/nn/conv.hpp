// limbic/nn/conv.hpp - convolution layers of signals and images, and the transposed ones
//
//   conv2d<float> c(3, 32, 3, random, {.padding = same_padding});          3 -> 32 channels, kernel 3 x 3
//   conv2d<float> wide(32, 32, {1, 7}, random, {.stride = {1, 2}});
//   conv1d<float> s(2, 8, 5, random, {.bias = false});
//   conv_transpose2d<float> up(32, 16, 2, random, {.stride = 2});
//
// shape   x (N, in, H, W) -> (N, out, H', W'), see ops/conv.hpp and ops/conv_transpose.hpp; weight (out, in / groups, kh,
//         kw), transposed (in, out / groups, kh, kw); bias (out): as in torch.nn.Conv2d and torch.nn.ConvTranspose2d
// start   weight and bias uniform in +-1 / sqrt(f), f = weight.extent(1) kh kw, as in PyTorch
#pragma once

#include <limbic/nn/init.hpp>
#include <limbic/ops/conv_transpose.hpp>

LIMBIC_BEGIN

// How a layer's kernel moves, as in conv_options.
template <int S> struct conv_layer_options {
  per_axis<S> stride = 1, padding = 0, dilation = 1;  // padding: zeros at both ends, or `same_padding`
  std::ptrdiff_t groups = 1;                          // of channels that do not see one another
  bool bias = true;
};
// How a layer's kernel is laid, as in conv_transpose_options.
template <int S> struct conv_transpose_layer_options {
  per_axis<S> stride = 1, padding = 0, output_padding = 0, dilation = 1;  // positions of y
  std::ptrdiff_t groups = 1;                                              // of channels that do not see one another
  bool bias = true;
};

namespace detail {

// What both kinds of layers own.
template <int S, class T, class D> struct kernel_and_bias {
  parameter<T, S + 2, D> weight;
  parameter<T, 1, D> bias;  // empty where there is none

  // Names the parameters: weight, bias.
  void each(auto f) {
    f("weight", weight);
    if (bias.size() > 0) f("bias", bias);
  }

 protected:
  kernel_and_bias() = default;
  kernel_and_bias(std::string_view name, std::ptrdiff_t in, std::ptrdiff_t out, std::ptrdiff_t groups, bool transposed,
                  per_axis<S> const& kernel, bool biased, rng& random) {
    if (in < 1 || out < 1 || groups < 1 || in % groups != 0 || out % groups != 0)
      fail<argument_error>(name, "channels must be positive multiples of the groups, but are ", in, " and ", out,
                           " in ", groups, " groups");
    shape<S + 2> extents;
    extents[0] = transposed ? in : out;
    extents[1] = (transposed ? out : in) / groups;
    double fan = static_cast<double>(extents[1]);
    for (int i = 0; i < S; ++i) {
      if (kernel.of[i] < 1) fail<argument_error>(name, "a kernel must be at least 1 long, but is ", kernel.of);
      extents[2 + i] = kernel.of[i];
      fan *= static_cast<double>(kernel.of[i]);
    }
    weight = parameter<T, S + 2, D>(extents);
    init::uniform(weight, random, -1 / std::sqrt(fan), 1 / std::sqrt(fan));
    if (!biased) return;
    bias = parameter<T, 1, D>(shape<1>{{out}});
    init::uniform(bias, random, -1 / std::sqrt(fan), 1 / std::sqrt(fan));
  }
};

}  // namespace detail

// A convolution over S axes: conv1d, conv2d.
template <int S, class T, class D = default_device> struct conv_layer : detail::kernel_and_bias<S, T, D> {
  conv_options<S> options;  // how the kernel moves

  conv_layer() = default;
  conv_layer(std::ptrdiff_t in, std::ptrdiff_t out, per_axis<S> const& kernel, rng& random,
             conv_layer_options<S> const& o = {})
      : detail::kernel_and_bias<S, T, D>(conv_op<S>::name, in, out, o.groups, false, kernel, o.bias, random),
        options{o.stride, o.padding, o.dilation, o.groups} {
    detail::check_conv_options(conv_op<S>::name, options);
  }
  template <operand X> auto operator()(X&& x) const {
    if (this->bias.size() > 0) return detail::apply_conv<S>(options, std::forward<X>(x), this->weight, this->bias);
    return detail::apply_conv<S>(options, std::forward<X>(x), this->weight, absent<X, 1, T>());
  }
};
// A convolution of signals (N, in, L).
template <class T, class D = default_device> using conv1d = conv_layer<1, T, D>;
// A convolution of images (N, in, H, W).
template <class T, class D = default_device> using conv2d = conv_layer<2, T, D>;

// A transposed convolution over S axes: conv_transpose1d, conv_transpose2d.
template <int S, class T, class D = default_device> struct conv_transpose_layer : detail::kernel_and_bias<S, T, D> {
  conv_transpose_options<S> options;  // how the kernel is laid

  conv_transpose_layer() = default;
  conv_transpose_layer(std::ptrdiff_t in, std::ptrdiff_t out, per_axis<S> const& kernel, rng& random,
                       conv_transpose_layer_options<S> const& o = {})
      : detail::kernel_and_bias<S, T, D>(conv_transpose_op<S>::name, in, out, o.groups, true, kernel, o.bias, random),
        options{o.stride, o.padding, o.output_padding, o.dilation, o.groups} {
    detail::check_conv_options<S>(conv_transpose_op<S>::name, {o.stride, o.padding, o.dilation, o.groups});
  }
  template <operand X> auto operator()(X&& x) const {
    if (this->bias.size() > 0)
      return detail::apply_conv_transpose<S>(options, std::forward<X>(x), this->weight, this->bias);
    return detail::apply_conv_transpose<S>(options, std::forward<X>(x), this->weight, absent<X, 1, T>());
  }
};
// A transposed convolution of signals (N, in, L).
template <class T, class D = default_device> using conv_transpose1d = conv_transpose_layer<1, T, D>;
// A transposed convolution of images (N, in, H, W).
template <class T, class D = default_device> using conv_transpose2d = conv_transpose_layer<2, T, D>;

LIMBIC_END
