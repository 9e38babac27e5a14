// limbic/data/grayscale.hpp - images without colour
//
//   y = 0.299 red + 0.587 green + 0.114 blue      ITU-R BT.601, as Pillow and torchvision; integers are rounded to nearest
//
// shape   (N, 3, H, W) or (N, 1, H, W) -> (N, 1, H, W); of one channel: a copy
#pragma once

#include <limbic/core/tensor.hpp>

LIMBIC_BEGIN

template <class T, class D>
  requires is_host<D>
tensor<T, 4, D> grayscale(view<T const, 4, D> const& x) {
  if (x.extent(1) == 1) return tensor<T, 4, D>(x);
  if (x.extent(1) != 3)
    fail<shape_error>("grayscale", "images (N, C, H, W) have 1 or 3 channels, but came ", x.shape());
  tensor<T, 4, D> y(shape<4>{{x.extent(0), 1, x.extent(2), x.extent(3)}}, uninitialized);
  T* to = y.data();
  for (std::ptrdiff_t n = 0; n < x.extent(0); ++n)
    for (std::ptrdiff_t i = 0; i < x.extent(2); ++i)
      for (std::ptrdiff_t j = 0; j < x.extent(3); ++j) {
        auto const channel = [&](std::ptrdiff_t c) { return static_cast<double>(x(n, c, i, j)); };
        double const grey = 0.299 * channel(0) + 0.587 * channel(1) + 0.114 * channel(2);
        *to++ = static_cast<T>(std::is_integral_v<T> ? grey + 0.5 : grey);  // of colours, which are not negative
      }
  return y;
}
template <class T, class D> auto grayscale(tensor<T, 4, D> const& x) { return grayscale(x.view()); }

LIMBIC_END
