// limbic/signal/scalp_map.hpp - images of the scalp from the values of a few electrodes: a heatmap for each step
//
//   scalp_map<float> const map(electrode_positions({"AF3", "F7", "F3", "FC5"}), {.height = 32, .width = 32});
//   auto frames = map(x);                 x (T, 4) -> (T, 32, 32)
//   map.inside(i, j)                      1 where a pixel lies on the head, 0 beside it
//
// The head is seen from above, the nose at the top (row 0), the right ear on the right. Distances from the vertex are
// arcs (an azimuthal equidistant projection): a pixel's centre at u to the right and v to the top lies at the angle
// 90 sqrt(u^2 + v^2) degrees from the vertex, in the direction (u, v); the rim of the head is the circle of radius 1
// that fills the image. In between runs a spherical spline (spherical_spline.hpp), whose weights are computed once.
//
// shape   electrodes (n, 3); x (..., n) -> (..., height, width). weights (height width, n), inside (height, width)
// adjoint one product with the weights: the map must live until the backward pass. Pixels beside the head are 0
// domain  height, width >= 1; electrodes as in spherical_spline.hpp. NaN spreads over its step
#pragma once

#include <limbic/ops/linear.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/signal/electrode_positions.hpp>
#include <limbic/signal/spherical_spline.hpp>

LIMBIC_BEGIN

struct scalp_map_options {
  std::ptrdiff_t height = 32, width = 32;  // of the images, in pixels
  spherical_spline_options spline = {};    // between the electrodes
};

template <class T, class D = default_device> struct scalp_map {
  static_assert(std::is_floating_point_v<T> && is_host<D>, "limbic: a scalp_map holds real numbers on a CPU");

  tensor<T, 2, D> weights;  // (height width, electrodes)
  tensor<T, 2, D> inside;   // (height, width): 1 on the head, 0 beside it

  explicit scalp_map(tensor<double, 2, scalar> const& electrodes, scalp_map_options const& o = {}) {
    if (o.height < 1 || o.width < 1)
      fail<argument_error>("scalp_map", "height and width must be positive, but are ", o.height, " and ", o.width);
    inside = tensor<T, 2, D>(shape<2>{{o.height, o.width}});
    tensor<double, 2, scalar> places(shape<2>{{o.height * o.width, 3}});
    for (std::ptrdiff_t i = 0; i < o.height; ++i)
      for (std::ptrdiff_t j = 0; j < o.width; ++j) {
        double const u = static_cast<double>(2 * j + 1 - o.width) / static_cast<double>(o.width);
        double const v = static_cast<double>(o.height - 2 * i - 1) / static_cast<double>(o.height);
        double const angle = std::hypot(u, v) * std::numbers::pi / 2;
        double const scale = angle > 0 ? std::sin(angle) / std::hypot(u, v) : 0;
        std::ptrdiff_t const pixel = i * o.width + j;
        places(pixel, 0) = scale * u, places(pixel, 1) = scale * v, places(pixel, 2) = std::cos(angle);
        inside(i, j) = std::hypot(u, v) <= 1 ? T(1) : T(0);
      }
    auto const all = spherical_spline(electrodes, places, o.spline);
    weights = tensor<T, 2, D>(all.shape());
    for (std::ptrdiff_t k = 0; k < all.size(); ++k)
      weights.data()[k] = static_cast<T>(all.data()[k]) * inside.data()[k / all.extent(1)];
  }

  // Images of the values at the electrodes.
  template <operand X> auto operator()(X&& x) const {
    constexpr int R = rank_of<X>;
    static_assert(R >= 1, "limbic: a scalp_map takes the electrodes' values along the last axis");
    shape<R + 1> images;
    for (int a = 0; a + 1 < R; ++a) images[a] = x.shape()[a];
    images[R - 1] = inside.extent(0);
    images[R] = inside.extent(1);
    if (x.shape()[R - 1] != weights.extent(1))
      fail<shape_error>("scalp_map", "the last axis must have the ", weights.extent(1), " electrodes, but came ",
                        x.shape());
    return reshape(functional::linear(std::forward<X>(x), weights), images);
  }
};

LIMBIC_END
