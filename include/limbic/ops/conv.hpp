// limbic/ops/conv.hpp - convolution of signals and images, as networks have it: the kernel is not turned round
//
//   functional::conv2d(x, w, b)                                 x (N, C, H, W), w (O, C / groups, kh, kw), b (O) or none
//   functional::conv2d(x, w, {.stride = 2, .padding = {1, 2}})
//   functional::conv1d(x, w, b, {.padding = same_padding})              x (N, C, L),    w (O, C / groups, k)
//
//   y[n, o, p, q] = b[o] + sum over c, i, j of  w[o, c, i, j] x[n, g C' + c, s p + d i - a, s q + d j - a]
//
// with stride s, dilation d, padding a (zeros), and C' = C / groups channels for each of the groups, of which o is in number
// g. An axis of H becomes floor((H + 2 a - d (k - 1) - 1) / s) + 1. `same_padding` pads so that a stride of 1 keeps the extent; of an
// odd number of zeros the larger half comes last, as in PyTorch.
//
// adjoint  x', w' by the transposed sums (kernels/conv.hpp), b' += the sum of y' over images and positions
// errors   channels that do not fit, a kernel that is longer than the padded axis, `same_padding` with a stride
//
// Options and results are those of torch.nn.functional.conv1d and conv2d. The transposed one is in conv_transpose.hpp.
#pragma once

#include <limbic/kernels/conv.hpp>
#include <limbic/ops/elementwise.hpp>
#include <limbic/ops/per_axis.hpp>

LIMBIC_BEGIN

// As padding: as many zeros as keep the extent.
inline constexpr std::ptrdiff_t same_padding = -1;

// How a kernel of S axes moves over a signal or an image.
template <int S> struct conv_options {
  per_axis<S> stride = 1, padding = 0, dilation = 1;  // padding: zeros at both ends, or `same_padding`
  std::ptrdiff_t groups = 1;                          // of channels that do not see one another
};

namespace detail {

// The geometry for images; what a signal does not have is a kernel of one row.
template <int S> conv_geometry image_geometry(conv_options<S> const& o, shape<S> const& padding) {
  conv_geometry g{.groups = o.groups};
  for (int i = 0; i < S; ++i) {
    g.stride[2 - S + i] = o.stride.of[i];
    g.padding[2 - S + i] = padding[i];
    g.dilation[2 - S + i] = o.dilation.of[i];
  }
  return g;
}

template <int S> void check_conv_options(std::string_view name, conv_options<S> const& o) {
  for (int i = 0; i < S; ++i) {
    if (o.stride.of[i] < 1 || o.dilation.of[i] < 1)
      fail<argument_error>(name, "stride and dilation must be at least 1, but are ", o.stride.of, " and ",
                           o.dilation.of);
    if (o.padding.of[i] < 0 && o.padding.of[i] != same_padding)
      fail<argument_error>(name, "padding must not be negative, but is ", o.padding.of);
    if (o.padding.of[i] == same_padding && o.stride.of[i] != 1)
      fail<argument_error>(name, "padding `same_padding` is for a stride of 1, but it is ", o.stride.of);
  }
  if (o.groups < 1) fail<argument_error>(name, "there must be at least one group, but groups is ", o.groups);
}

// y = b for each channel, to which a product is then added; nothing where there is no bias.
template <class D, class T, int R> void start_with_bias(D d, view<T, R, D> y, view<T const, 1, D> bias) {
  if (bias) copy(d, as_images(y), bias.unsqueeze(1).unsqueeze(2));
}
template <class D, class T, int R> void bias_gradient(D d, sink<T, 1, D> dbias, view<T const, R, D> dy) {
  if (dbias)
    spread_back(d, sink<T, 3, D>(dbias.to.unsqueeze(1).unsqueeze(2), dbias.add), identity_function{}, as_images(dy));
}

}  // namespace detail

template <int S> struct conv_op {
  static constexpr std::string_view name = S == 1 ? "conv1d" : "conv2d";
  static constexpr keep needs = keep::inputs(0, 1);
  conv_options<S> options;

  shape<S + 2> shape_of(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const& bias) const {
    detail::check_conv_options(name, options);
    if (x[1] != options.groups * w[1] || w[0] % options.groups != 0 || w[0] < 1 || w[1] < 1)
      fail<shape_error>(name, "a weight of shape ", w, " in ", options.groups, " groups does not fit x ", x,
                        ": expected (a multiple of the groups, channels / groups, kernel)");
    if (bias[0] != 0 && bias[0] != w[0])
      fail<shape_error>(name, "a bias of shape ", bias, " must have an element for each row of the weight ", w);
    shape<S + 2> y;
    y[0] = x[0];
    y[1] = w[0];
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const reach = options.dilation.of[i] * (w[2 + i] - 1) + 1;
      std::ptrdiff_t const padded =
          x[2 + i] + (options.padding.of[i] == same_padding ? reach - 1 : 2 * options.padding.of[i]);
      if (w[2 + i] < 1 || reach > padded)
        fail<shape_error>(name, "a kernel of shape ", w, " reaches over ", reach, " elements, the padded axis ", 2 + i,
                          " of x ", x, " has ", padded);
      y[2 + i] = (padded - reach) / options.stride.of[i] + 1;
    }
    return y;
  }
  // For each element of the result a product and a sum of every tap but the first, and the bias.
  double flops(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const& bias) const {
    double const taps = static_cast<double>(w.size()) / static_cast<double>(w[0]);
    return static_cast<double>(shape_of(x, w, bias).size()) * (2 * taps - (bias[0] > 0 ? 0 : 1));
  }
  template <class D, class T>
  void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x, view<T const, S + 2, D> w,
               view<T const, 1, D> bias) const {
    detail::start_with_bias(d, y, bias);
    conv(d, sink<T, 4, D>(detail::as_images(y), static_cast<bool>(bias)), detail::as_images(x), detail::as_images(w),
         geometry(w.shape()));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D> w, view<T const, 1, D>, view<T const, S + 2, D>,
               view<T const, S + 2, D> dy, sink<T, S + 2, D> dx, sink<T, S + 2, D> dw, sink<T, 1, D> dbias) const {
    conv_geometry const g = geometry(w.shape());
    if (dx) conv_input_gradient(d, detail::as_images(dx), detail::as_images(dy), detail::as_images(w), g);
    if (dw) conv_weight_gradient(d, detail::as_images(dw), detail::as_images(x), detail::as_images(dy), g);
    detail::bias_gradient(d, dbias, dy);
  }

 private:
  conv_geometry geometry(shape<S + 2> const& w) const {
    shape<S> padding = options.padding.of;
    for (int i = 0; i < S; ++i)
      if (padding[i] == same_padding) padding[i] = options.dilation.of[i] * (w[2 + i] - 1) / 2;
    return detail::image_geometry(options, padding);
  }
};

namespace detail {
template <int S, operand X, operand W, operand B> auto apply_conv(conv_options<S> const& o, X&& x, W&& w, B&& bias) {
  constexpr bool fit = rank_of<X> == S + 2 && rank_of<W> == S + 2 && rank_of<B> == 1;
  if constexpr (fit) return apply(conv_op<S>{o}, std::forward<X>(x), std::forward<W>(w), std::forward<B>(bias));
  else static_assert(fit, "limbic: conv1d takes x and weight of rank 3, conv2d of rank 4, and a bias of rank 1");
}
}  // namespace detail

namespace functional {

template <operand X, operand W, operand B> auto conv1d(X&& x, W&& weight, B&& bias, conv_options<1> const& o = {}) {
  return limbic::detail::apply_conv<1>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv1d(X&& x, W&& weight, conv_options<1> const& o = {}) {
  return limbic::detail::apply_conv<1>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}
template <operand X, operand W, operand B> auto conv2d(X&& x, W&& weight, B&& bias, conv_options<2> const& o = {}) {
  return limbic::detail::apply_conv<2>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv2d(X&& x, W&& weight, conv_options<2> const& o = {}) {
  return limbic::detail::apply_conv<2>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}

}  // namespace functional

LIMBIC_END
