// limbic/ops/conv_transpose.hpp - transposed convolution: each element of x lays a scaled kernel into y
//
//   functional::conv_transpose2d(x, w, b, {.stride = 2})        x (N, C, H, W), w (C, O / groups, kh, kw), b (O) or none
//   functional::conv_transpose1d(x, w, b)                       x (N, C, L),    w (C, O / groups, k)
//
//   y[n, g O' + o, s p + d i - a, s q + d j - a] = b + the sum over c, i, j of  w[c, o, i, j] x[n, c, p, q]
//
// with stride s, dilation d, O' = O / groups; padding a leaves out so many positions of y at both ends, output_padding adds
// some at the far one. It is conv2d's gradient of the input, and conv2d its adjoint. An axis of H becomes
// (H - 1) s - 2 a + d (k - 1) + output_padding + 1.
//
// errors   channels that do not fit, a result without elements, output_padding not below stride or dilation
//
// Options and results are those of torch.nn.functional.conv_transpose1d and conv_transpose2d.
#pragma once

#include <limbic/ops/conv.hpp>

LIMBIC_BEGIN

// How a kernel of S axes is laid into a signal or an image.
template <int S> struct conv_transpose_options {
  per_axis<S> stride = 1, padding = 0, output_padding = 0, dilation = 1;  // positions of y
  std::ptrdiff_t groups = 1;                                              // of channels that do not see one another
};

template <int S> struct conv_transpose_op {
  static constexpr std::string_view name = S == 1 ? "conv_transpose1d" : "conv_transpose2d";
  static constexpr keep needs = keep::inputs(0, 1);
  conv_transpose_options<S> options;

  shape<S + 2> shape_of(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const& bias) const {
    detail::check_conv_options<S>(name, {options.stride, options.padding, options.dilation, options.groups});
    if (x[1] != w[0] || w[0] % options.groups != 0 || w[0] < 1 || w[1] < 1)
      fail<shape_error>(name, "a weight of shape ", w, " in ", options.groups, " groups does not fit x ", x,
                        ": expected (channels, output channels / groups, kernel)");
    shape<S + 2> y;
    y[0] = x[0];
    y[1] = w[1] * options.groups;
    if (bias[0] != 0 && bias[0] != y[1])
      fail<shape_error>(name, "a bias of shape ", bias, " must have an element for each of the ", y[1],
                        " output channels");
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const s = options.stride.of[i], d = options.dilation.of[i], more = options.output_padding.of[i];
      if (options.padding.of[i] < 0 || more < 0 || (more >= s && more >= d))
        fail<argument_error>(name, "output_padding ", options.output_padding.of, " must be less than stride ",
                             options.stride.of, " or dilation ", options.dilation.of, ", and padding ",
                             options.padding.of, " not negative");
      y[2 + i] = (x[2 + i] - 1) * s - 2 * options.padding.of[i] + d * (w[2 + i] - 1) + more + 1;
      if (w[2 + i] < 1 || x[2 + i] < 1 || y[2 + i] < 1)
        fail<shape_error>(name, "x ", x, " and a weight of shape ", w, " with padding ", options.padding.of,
                          " leave no element along axis ", 2 + i);
    }
    return y;
  }
  // Each element of x times a kernel, added to the result.
  double flops(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const&) const {
    return 2 * static_cast<double>(x.size()) * static_cast<double>(w.size()) / static_cast<double>(w[0]);
  }
  template <class D, class T>
  void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x, view<T const, S + 2, D> w,
               view<T const, 1, D> bias) const {
    detail::start_with_bias(d, y, bias);
    conv_input_gradient(d, sink<T, 4, D>(detail::as_images(y), static_cast<bool>(bias)), detail::as_images(x),
                        detail::as_images(w), geometry());
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D> w, view<T const, 1, D>, view<T const, S + 2, D>,
               view<T const, S + 2, D> dy, sink<T, S + 2, D> dx, sink<T, S + 2, D> dw, sink<T, 1, D> dbias) const {
    if (dx) conv(d, detail::as_images(dx), detail::as_images(dy), detail::as_images(w), geometry());
    if (dw) conv_weight_gradient(d, detail::as_images(dw), detail::as_images(dy), detail::as_images(x), geometry());
    detail::bias_gradient(d, dbias, dy);
  }

 private:
  conv_geometry geometry() const {
    return detail::image_geometry<S>({options.stride, 0, options.dilation, options.groups}, options.padding.of);
  }
};

namespace detail {
template <int S, operand X, operand W, operand B>
auto apply_conv_transpose(conv_transpose_options<S> const& o, X&& x, W&& w, B&& bias) {
  constexpr bool fit = rank_of<X> == S + 2 && rank_of<W> == S + 2 && rank_of<B> == 1;
  if constexpr (fit)
    return apply(conv_transpose_op<S>{o}, std::forward<X>(x), std::forward<W>(w), std::forward<B>(bias));
  else
    static_assert(fit,
                  "limbic: conv_transpose1d takes x and weight of rank 3, conv_transpose2d of rank 4, and a bias "
                  "of rank 1");
}
}  // namespace detail

namespace functional {

template <operand X, operand W, operand B>
auto conv_transpose1d(X&& x, W&& weight, B&& bias, conv_transpose_options<1> const& o = {}) {
  return limbic::detail::apply_conv_transpose<1>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv_transpose1d(X&& x, W&& weight, conv_transpose_options<1> const& o = {}) {
  return limbic::detail::apply_conv_transpose<1>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}
template <operand X, operand W, operand B>
auto conv_transpose2d(X&& x, W&& weight, B&& bias, conv_transpose_options<2> const& o = {}) {
  return limbic::detail::apply_conv_transpose<2>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv_transpose2d(X&& x, W&& weight, conv_transpose_options<2> const& o = {}) {
  return limbic::detail::apply_conv_transpose<2>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}

}  // namespace functional

LIMBIC_END
