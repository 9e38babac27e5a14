// limbic/kernels/conv.hpp - images correlated with small kernels, and the two transposes of that, without an unfolded copy
//
//   y[n, o, p, q] = sum over c, i, j of  w[o, c, i, j] x[n, g C + c, s p + d i - a, s q + d j - a]      zeros beyond x
//
//   conv(D, y, x, w, geometry)                   the sum above
//   conv_input_gradient(D, dx, dy, w, geometry)  its transpose in x: dx from dy (also what a transposed convolution computes)
//   conv_weight_gradient(D, dw, x, dy, geometry) its transpose in w
//
// x (N, G C, H, W), w (O, C, kh, kw), y (N, O, P, Q); output channel o belongs to group g = o / (O / G); s, d and a are
// stride, dilation and padding of an axis. How many zeros follow at the far ends is what P and Q say. Results are sinks;
// operands may have any strides.
//
// On a CPU each is a matrix product whose right operand is never there as a whole: a tile of pixels, of several images where
// they are small, is gathered, 128 taps at a time, straight into the panels that gemm's micro-kernel reads (Chetlur et al. 2014, "cuDNN: efficient primitives for
// deep learning", did so on GPUs). The gradient of the input is the same product with the kernel turned round; with a
// stride, one product for each residue of the pixels modulo the stride, with the taps that meet it. Every element is
// one chain of multiply-adds in the order of (c, i, j) (weights: of the images and pixels) in blocks of 128, so its bits
// do not depend on the threads. Kernels of 3 x 3 between many channels take the shorter way of winograd.hpp; where a group has
// one channel, packs of neighbouring results are computed where they stand. Other devices unfold x and go through the verbs.
#pragma once

#include <limbic/kernels/conv_product.hpp>
#include <limbic/kernels/conv_unfolded.hpp>
#include <limbic/kernels/winograd.hpp>

#include <numeric>

LIMBIC_BEGIN

namespace detail {

template <class X, class W, class Y>
void check_conv(std::string_view name, X const& x, W const& w, Y const& y, conv_geometry const& g) {
  for (int i = 0; i < 2; ++i)
    if (g.stride[i] < 1 || g.dilation[i] < 1 || w[2 + i] < 1)
      fail<argument_error>(name, "stride ", g.stride, ", dilation ", g.dilation, " and kernel ", w,
                           " must be at least 1");
  if (g.groups < 1 || w[1] < 1 || x[1] != g.groups * w[1] || w[0] % g.groups != 0)
    fail<shape_error>(name, "x ", x, " and weight ", w, " do not fit ", g.groups, " groups");
  if (y[0] != x[0] || y[1] != w[0])
    fail<shape_error>(name, "y ", y, " must have the images of x ", x, " and the rows of the weight ", w);
}

// The taps of one axis that meet the pixels of one residue modulo the stride: i = first + m step, m = 0 .. count - 1. From
// the last to the first they are a kernel of their own, with its own dilation and padding.
struct phase_taps {
  std::ptrdiff_t first = 0, step = 1, count = 0, dilation = 1, padding = 0;
};
inline phase_taps taps_of_phase(std::ptrdiff_t phase, std::ptrdiff_t stride, std::ptrdiff_t dilation,
                                std::ptrdiff_t padding, std::ptrdiff_t kernel) {
  std::ptrdiff_t const common = std::gcd(stride, dilation);
  phase_taps t{.step = stride / common, .dilation = dilation / common};
  while (t.first < t.step && (phase + padding - dilation * t.first) % stride != 0) ++t.first;
  if (t.first == t.step || t.first >= kernel) return t;
  t.count = (kernel - t.first + t.step - 1) / t.step;
  t.padding = (t.count - 1) * t.dilation - (phase + padding - dilation * t.first) / stride;
  return t;
}

// Whether the shorter way is there: for packs of plain numbers.
template <class D, class T> inline constexpr bool has_winograd = !is_dual<T> && kernel_lanes<D, T>::width > 1;
// Whether it is open: a plain 3 x 3 kernel, many channels.
template <class D, class T>
bool takes_winograd(shape<4> const& x, shape<4> const& w, shape<4> const& y, conv_geometry const& g) {
  return w[2] == 3 && w[3] == 3 && g.groups == 1 && g.stride.size() == 1 && g.dilation.size() == 1 &&
         winograd<D, T>::pays(x, y);
}

}  // namespace detail

template <class D, class T>
void conv(D d, sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 4, D> w, conv_geometry const& g = {}) {
  if (!y) return;
  detail::check_conv("conv", x.shape(), w.shape(), y.shape(), g);
  if (y.shape().size() == 0) return;
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(x.shape(), w.shape(), y.shape(), g))
        return detail::winograd<D, T>(x.shape(), y.shape(), g.padding)
            .correlate(y, x, w.permute({{2, 3, 1, 0}}), false);
    tensor<T, 4, D> copied;
    if (!w.is_contiguous()) copied = tensor<T, 4, D>(w);
    view<T const, 4, D> const own = w.is_contiguous() ? w : as_view(copied);
    detail::conv_taps const taps{w.extent(1), w.extent(2), w.extent(3)};
    detail::correlate<D, T>(y, x, own.reshape(shape<3>{{g.groups, w.extent(0) / g.groups, taps.count()}}), taps, g);
  } else {
    detail::unfolded_conv<D, T> const by(d, x.shape(), w.shape(), y.shape(), g);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 3, D> const taps = by.unfold(x, group);
      tensor<T, 2, D> const weights = by.weights(w, group);
      tensor<T, 3, D> result(shape<3>{{x.extent(0), weights.extent(0), taps.extent(2)}}, uninitialized);
      gemm(d, as_sink(result), as_view(weights).unsqueeze(0), as_view(taps));
      by.put_results(y, result, group);
    }
  }
}

template <class D, class T>
void conv_input_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> w,
                         conv_geometry const& g = {}) {
  if (!dx) return;
  detail::check_conv("conv_input_gradient", dx.shape(), w.shape(), dy.shape(), g);
  if (dx.shape().size() == 0) return;
  if (dy.size() == 0) {
    if (!dx.add) fill(d, dx.to, T(0));
    return;
  }
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(dy.shape(), w.shape(), dx.shape(), g))
        return detail::winograd<D, T>(dy.shape(), dx.shape(), shape<2>{{2 - g.padding[0], 2 - g.padding[1]}})
            .correlate(dx, dy, w.permute({{2, 3, 0, 1}}), true);
    std::ptrdiff_t const rows = w.extent(1), channels = w.extent(0) / g.groups;
    for (std::ptrdiff_t y = 0; y < g.stride[0] && y < dx.shape()[2]; ++y)
      for (std::ptrdiff_t x = 0; x < g.stride[1] && x < dx.shape()[3]; ++x) {
        auto const v = detail::taps_of_phase(y, g.stride[0], g.dilation[0], g.padding[0], w.extent(2));
        auto const h = detail::taps_of_phase(x, g.stride[1], g.dilation[1], g.padding[1], w.extent(3));
        view<T, 4, D> const to = dx.to.slice(2, y, dx.shape()[2], g.stride[0]).slice(3, x, dx.shape()[3], g.stride[1]);
        if (v.count == 0 || h.count == 0) {
          if (!dx.add) fill(d, to, T(0));
          continue;
        }
        // The kernel turned round, from output to input channels.
        detail::conv_taps const taps{channels, v.count, h.count};
        tensor<T, 3, D> turned(shape<3>{{g.groups, rows, taps.count()}}, uninitialized);
        T* at = turned.data();
        for (std::ptrdiff_t group = 0; group < g.groups; ++group)
          for (std::ptrdiff_t r = 0; r < rows; ++r)
            for (std::ptrdiff_t c = 0; c < channels; ++c)
              for (std::ptrdiff_t i = v.count - 1; i >= 0; --i)
                for (std::ptrdiff_t j = h.count - 1; j >= 0; --j)
                  *at++ = w(group * channels + c, r, v.first + i * v.step, h.first + j * h.step);
        detail::correlate<D, T>(
            sink<T, 4, D>(to, dx.add), dy, as_view(turned), taps,
            {.padding = {{v.padding, h.padding}}, .dilation = {{v.dilation, h.dilation}}, .groups = g.groups});
      }
  } else {
    detail::unfolded_conv<D, T> const by(d, dx.shape(), w.shape(), dy.shape(), g);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 2, D> const weights = by.weights(w, group);
      tensor<T, 3, D> const results = by.results(dy, group);
      tensor<T, 3, D> taps(shape<3>{{dx.shape()[0], weights.extent(1), results.extent(2)}}, uninitialized);
      gemm(d, as_sink(taps), as_view(weights).transpose().unsqueeze(0), as_view(results));
      by.fold(dx, taps, group);
    }
  }
}

template <class D, class T>
void conv_weight_gradient(D d, sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy,
                          conv_geometry const& g = {}) {
  if (!dw) return;
  detail::check_conv("conv_weight_gradient", x.shape(), dw.shape(), dy.shape(), g);
  if (dw.shape().size() == 0) return;
  if (dy.size() == 0) {
    if (!dw.add) fill(d, dw.to, T(0));
    return;
  }
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(x.shape(), dw.shape(), dy.shape(), g))
        return detail::winograd<D, T>(x.shape(), dy.shape(), g.padding).weight_gradient(dw, x, dy);
    detail::correlate_weights<D, T>(dw, x, dy, g);
  } else {
    detail::unfolded_conv<D, T> const by(d, x.shape(), dw.shape(), dy.shape(), g);
    std::ptrdiff_t const rows = dw.shape()[0] / g.groups;
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 3, D> const taps = by.unfold(x, group), results = by.results(dy, group);
      tensor<T, 2, D> sum(shape<2>{{rows, taps.extent(1)}}, uninitialized);
      for (std::ptrdiff_t n = 0; n < x.extent(0); ++n)
        gemm(d, sink<T, 2, D>(sum.view(), n > 0), as_view(results)[n], as_view(taps)[n].transpose());
      view<T, 4, D> const to = dw.to.slice(0, group * rows, (group + 1) * rows);
      copy(d, sink<T, 4, D>(to, dw.add), as_view(sum).reshape(to.shape()));
    }
  }
}

LIMBIC_END
