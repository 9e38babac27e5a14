// limbic/data/channel_scaler.hpp - a factor and an offset for each channel of images
//
//   channel_scaler const scale(1.0 / 255);                       bytes to [0, 1]
//   channel_scaler const scale(1.0 / 255 / 512);                 by 1/255, then by 1/512, as EmoSynthNet was trained
//   auto const scale = channel_scaler::standard(train);          each channel to mean 0 and standard deviation 1
//   tensor<float, 4> x = scale.transform(bytes);                 from integers or real numbers
//   scale.apply(x);                                              in place
//
//   y = factor x + offset     in double, then rounded once
//
// standard takes 1 / deviation and -mean / deviation over all images and pixels (the sum of squares over their number);
// a channel that is constant keeps its scale, as in standard_scaler.
//
// shape   (N, C, H, W), with one factor for all channels or C of them
// domain  finite numbers; images to take means from are not empty
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/math/base.hpp>

#include <cmath>

LIMBIC_BEGIN

class channel_scaler {
 public:
  // What is multiplied and added: one number for all channels, or one for each.
  using numbers = tensor<double, 1, scalar>;

  explicit channel_scaler(double factor, double offset = 0)
      : channel_scaler(numbers({1}, {factor}), numbers({1}, {offset})) {}
  channel_scaler(numbers factor, numbers offset) : factor_(std::move(factor)), offset_(std::move(offset)) {
    if (factor_.size() < 1 || factor_.size() != offset_.size())
      fail<shape_error>("channel_scaler", factor_.size(), " factors and ", offset_.size(), " offsets must be as many");
    for (std::ptrdiff_t c = 0; c < factor_.size(); ++c)
      if (!math::isfinite(factor_(c)) || !math::isfinite(offset_(c)))
        fail<argument_error>("channel_scaler", "factor ", factor_(c), " and offset ", offset_(c), " of channel ", c,
                             " must be finite");
  }

  // To mean 0 and deviation 1 of what these images have.
  template <class T, class D> static channel_scaler standard(view<T const, 4, D> const& x) {
    if (x.size() == 0) fail<argument_error>("channel_scaler", "there are no images in shape ", x.shape());
    std::ptrdiff_t const channels = x.extent(1);
    double const n = static_cast<double>(x.size() / channels);
    numbers mean(shape<1>{{channels}}), square(shape<1>{{channels}});
    each_plane(x, [&](std::ptrdiff_t c, auto plane) { mean(c) += total(plane, [](double v) { return v; }) / n; });
    each_plane(x, [&](std::ptrdiff_t c, auto plane) {
      square(c) += total(plane, [m = mean(c)](double v) { return (v - m) * (v - m); }) / n;
    });
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
      double const rounding = 1e-12 * mean(c);
      double const deviation = square(c) <= rounding * rounding ? 1.0 : std::sqrt(square(c));
      mean(c) = -mean(c) / deviation;
      square(c) = 1 / deviation;
    }
    return {std::move(square), std::move(mean)};
  }
  template <class T, class D> static channel_scaler standard(tensor<T, 4, D> const& x) { return standard(x.view()); }

  // Scaled values, of the same shape.
  template <class F = float, class T, class D>
    requires(std::is_floating_point_v<F> && is_host<D>)
  tensor<F, 4, D> transform(view<T const, 4, D> const& x) const {
    check(x.shape());
    tensor<F, 4, D> y(x.shape(), uninitialized);
    F* to = y.data();
    each_plane(x, [&](std::ptrdiff_t c, auto plane) {
      double const a = factor_(c % factor_.size()), b = offset_(c % factor_.size());
      each_element(plane, [&](double v) { *to++ = static_cast<F>(a * v + b); });
    });
    return y;
  }
  template <class F = float, class T, class D> tensor<F, 4, D> transform(tensor<T, 4, D> const& x) const {
    return transform<F>(x.view());
  }

  // The same in place.
  template <class F, class D>
    requires(std::is_floating_point_v<F> && is_host<D>)
  void apply(tensor<F, 4, D>& x) const {
    check(x.shape());
    each_plane(x.view(), [&](std::ptrdiff_t c, auto plane) {
      double const a = factor_(c % factor_.size()), b = offset_(c % factor_.size());
      for (std::ptrdiff_t i = 0; i < plane.size(); ++i) {
        F& v = plane.data()[i];
        v = static_cast<F>(a * static_cast<double>(v) + b);
      }
    });
  }

  // What is multiplied: one number for all channels, or one for each.
  view<double const, 1, scalar> factor() const { return factor_.view(); }
  // What is added.
  view<double const, 1, scalar> offset() const { return offset_.view(); }

  // For checkpoints.
  void each(auto&& f) {
    f("factor", factor_);
    f("offset", offset_);
  }

 private:
  void check(shape<4> const& s) const {
    if (factor_.size() != 1 && factor_.size() != s[1])
      fail<shape_error>("channel_scaler", "images ", s, " have other channels than the ", factor_.size(), " factors");
  }
  // f(channel, its plane) of all images.
  template <class T, class D, class F> static void each_plane(view<T, 4, D> const& x, F const& f) {
    for (std::ptrdiff_t i = 0; i < x.extent(0); ++i)
      for (std::ptrdiff_t c = 0; c < x.extent(1); ++c) f(c, x[i][c]);
  }
  template <class T, class D, class F> static void each_element(view<T, 2, D> const& plane, F const& f) {
    for (std::ptrdiff_t i = 0; i < plane.extent(0); ++i)
      for (std::ptrdiff_t j = 0; j < plane.extent(1); ++j) f(static_cast<double>(plane(i, j)));
  }
  template <class T, class D, class F> static double total(view<T, 2, D> const& plane, F const& f) {
    double sum = 0;
    each_element(plane, [&](double v) { sum += f(v); });
    return sum;
  }

  numbers factor_, offset_;
};

LIMBIC_END
