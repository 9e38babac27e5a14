// limbic/kernels/conv_unfolded.hpp - correlation on devices other than a CPU: x unfolded, and the verbs
#pragma once

#include <limbic/kernels/conv_reader.hpp>

LIMBIC_BEGIN

namespace detail {

// The pixels that each tap meets: a view (N, C, kh, kw, P, Q) of one group of an image with its padding.
template <class T, class D>
view<T, 6, D> tap_windows(view<T, 4, D> const& x, conv_geometry const& g, shape<2> const& kernel,
                          shape<2> const& pixels) {
  return {x.data(), shape<6>{{x.extent(0), x.extent(1), kernel[0], kernel[1], pixels[0], pixels[1]}},
          shape<6>{{x.stride(0), x.stride(1), g.dilation[0] * x.stride(2), g.dilation[1] * x.stride(3),
                    g.stride[0] * x.stride(2), g.stride[1] * x.stride(3)}}};
}
template <class D, class T> class unfolded_conv {
 public:
  unfolded_conv(D d, shape<4> const& x, shape<4> const& w, shape<4> const& y, conv_geometry const& g)
      : d_(d),
        g_(g),
        kernel_{{w[2], w[3]}},
        pixels_{{y[2], y[3]}},
        images_(x[0]),
        channels_(w[1]),
        rows_(w[0] / g.groups) {
    for (int i = 0; i < 2; ++i) {
      std::ptrdiff_t const reach = g.stride[i] * (pixels_[i] - 1) + g.dilation[i] * (kernel_[i] - 1) + 1;
      inside_[i] = overlap_of(g.padding[i], x[2 + i], reach);
      reach_[2 + i] = reach;
    }
    reach_[0] = images_;
    reach_[1] = channels_;
  }
  // (N, taps, pixels) of one group.
  tensor<T, 3, D> unfold(view<T const, 4, D> x, std::ptrdiff_t group) const {
    tensor<T, 4, D> padded(reach_);
    fill(d_, padded.view(), T(0));
    copy(d_, inside(padded.view(), true), inside(of_group(x, group, channels_), false));
    view<T const, 6, D> const windows = tap_windows(padded.view(), g_, kernel_, pixels_);
    tensor<T, 3, D> taps(shape<3>{{images_, channels_ * kernel_.size(), pixels_.size()}}, uninitialized);
    copy(d_, taps.view().reshape(windows.shape()), windows);
    return taps;
  }
  // What each tap brings (N, taps, pixels), added up where it came from.
  void fold(sink<T, 4, D> x, tensor<T, 3, D> const& taps, std::ptrdiff_t group) const {
    tensor<T, 4, D> padded(reach_);
    fill(d_, padded.view(), T(0));
    auto const to = tap_windows(padded.view(), g_, kernel_, pixels_);
    auto const from = as_view(taps).reshape(to.shape());
    for (std::ptrdiff_t i = 0; i < kernel_[0]; ++i)
      for (std::ptrdiff_t j = 0; j < kernel_[1]; ++j)
        copy(d_, sink<T, 6, D>(to.slice(2, i, i + 1).slice(3, j, j + 1), true),
             from.slice(2, i, i + 1).slice(3, j, j + 1));
    view<T, 4, D> const mine = of_group(x.to, group, channels_);
    if (!x.add) fill(d_, mine, T(0));
    copy(d_, sink<T, 4, D>(inside(mine, false), x.add), inside(as_view(padded), true));
  }
  // y or dy: (N, R, pixels) of one group, contiguous.
  tensor<T, 3, D> results(view<T const, 4, D> y, std::ptrdiff_t group) const {
    view<T const, 4, D> const mine = of_group(y, group, rows_);
    tensor<T, 3, D> out(shape<3>{{images_, rows_, pixels_.size()}}, uninitialized);
    copy(d_, out.view().reshape(mine.shape()), mine);
    return out;
  }
  // w: (R, taps) of one group, contiguous.
  tensor<T, 2, D> weights(view<T const, 4, D> w, std::ptrdiff_t group) const {
    view<T const, 4, D> const mine = w.slice(0, group * rows_, (group + 1) * rows_);
    tensor<T, 2, D> out(shape<2>{{rows_, channels_ * kernel_.size()}}, uninitialized);
    copy(d_, out.view().reshape(mine.shape()), mine);
    return out;
  }
  void put_results(sink<T, 4, D> y, tensor<T, 3, D> const& from, std::ptrdiff_t group) const {
    view<T, 4, D> const to = of_group(y.to, group, rows_);
    copy(d_, sink<T, 4, D>(to, y.add), as_view(from).reshape(to.shape()));
  }

 private:
  template <class V> V of_group(V const& v, std::ptrdiff_t group, std::ptrdiff_t channels) const {
    return v.slice(1, group * channels, (group + 1) * channels);
  }
  template <class V> V inside(V v, bool of_padded) const {
    for (int i = 0; i < 2; ++i) {
      std::ptrdiff_t const begin = of_padded ? inside_[i].at : inside_[i].from;
      v = v.slice(2 + i, begin, begin + inside_[i].count);
    }
    return v;
  }

  D d_;
  conv_geometry g_;
  shape<2> kernel_, pixels_;
  std::ptrdiff_t images_, channels_, rows_;
  shape<4> reach_;
  overlap inside_[2];
};

}  // namespace detail

LIMBIC_END
