// limbic/data/augment.hpp - images changed at random, so that a network sees others in every epoch
//
//   rng const root{.seed = 7};
//   tensor<float, 4> x = augment(images, chosen, {.zoom = 0.1, .flip = 0.5}, root.split(epoch));
//
// What happens to image i is a function of the random stream and of i: not of the batch it is in, nor of what was drawn
// before, so that batches can be prepared in any order and by any thread. In this order:
//
//   zoom, shear   one resampling about the centre (m, n) = ((H-1)/2, (W-1)/2). The pixel at (row, column) shows the place
//                     m + z (row - m) - sin(s) w (column - n),   n + cos(s) w (column - n)
//                 bilinearly between the four pixels around it; beyond the border the nearest pixel. z and w are uniform in
//                 [1 - zoom, 1 + zoom], each for itself (below 1 is closer), s in [-shear, shear] radians
//   flip          left and right exchanged, with this probability
//   pad           a random part of the image's size out of the image with `pad` pixels of the value `fill` on all sides
//   erase         with this probability a rectangle of the value `fill`: its area uniform in [erase_least, erase_most] of the
//                 image, its height over width log-uniform in [0.3, 1/0.3], its place uniform; ten attempts to fit
//
// The defaults, 0.2 for each of the first three, are those of EmoSynthNet's training. Zoom and shear are Keras's
// ImageDataGenerator(zoom_range, shear_range, fill_mode="nearest"), whose first versions had the angle in radians; newer ones
// read degrees, in which 0.2 changes nothing that can be seen. Keras flips with probability 0.5. Erasing: Zhong et al. 2020,
// arXiv:1708.04896, with the ranges of torchvision. pad: torchvision's RandomCrop(size, padding).
//
// shape   images (N, C, H, W) of any numbers, indices (B) -> (B, C, H, W) of float, or of double: augment<double>
// domain  finite values; zoom in [0, 1), shear in [0, 1.5], probabilities in [0, 1], pad >= 0, 0 < erase_least <= erase_most < 1
#pragma once

#include <limbic/data/batches.hpp>
#include <limbic/math/base.hpp>

#include <cmath>

LIMBIC_BEGIN

struct augment_options {
  double zoom = 0.2;
  double shear = 0.2;  // radians
  double flip = 0.2;
  std::ptrdiff_t pad = 0;  // pixels
  double erase = 0;
  double erase_least = 0.02, erase_most = 0.33;  // of the image's area
  double fill = 0;                               // in the units of the images
};

namespace detail {

inline void check_augment(augment_options const& o) {
  auto const in = [](double x, double low, double high) { return x >= low && x <= high; };
  if (!in(o.zoom, 0, 1) || o.zoom == 1 || !in(o.shear, 0, 1.5))
    fail<argument_error>("augment", "zoom must lie in [0, 1) and shear in [0, 1.5], but are ", o.zoom, " and ",
                         o.shear);
  if (!in(o.flip, 0, 1) || !in(o.erase, 0, 1))
    fail<argument_error>("augment", "flip and erase are probabilities, but are ", o.flip, " and ", o.erase);
  if (o.pad < 0 || o.pad > (1 << 24)) fail<argument_error>("augment", "pad must be a number of pixels, but is ", o.pad);
  if (!(o.erase_least > 0 && o.erase_least <= o.erase_most && o.erase_most < 1))
    fail<argument_error>("augment", "erased areas must lie between 0 and 1, but are ", o.erase_least, " to ",
                         o.erase_most);
  if (!math::isfinite(o.fill)) fail<argument_error>("augment", "fill must be finite, but is ", o.fill);
}

// What is drawn for one image. All is drawn, wanted or not: one option does not change what another one draws.
struct augment_draw {
  double zoom_rows, zoom_columns, sine, cosine;
  bool flip;
  std::ptrdiff_t down, right;               // of the part that is taken
  std::ptrdiff_t top, left, height, width;  // of the erased rectangle

  augment_draw(augment_options const& o, std::ptrdiff_t rows, std::ptrdiff_t columns, rng random) {
    zoom_rows = 1 + o.zoom * (2 * random.uniform() - 1);
    zoom_columns = 1 + o.zoom * (2 * random.uniform() - 1);
    double const angle = o.shear * (2 * random.uniform() - 1);
    sine = std::sin(angle);
    cosine = std::cos(angle);
    flip = random.uniform() < o.flip;
    auto const below = [&](std::ptrdiff_t n) {
      return static_cast<std::ptrdiff_t>(random.below(static_cast<std::uint64_t>(n)));
    };
    down = below(2 * o.pad + 1) - o.pad;
    right = below(2 * o.pad + 1) - o.pad;
    top = left = height = width = 0;
    if (!(random.uniform() < o.erase)) return;
    constexpr double least_aspect = 0.3;
    for (int attempt = 0; attempt < 10; ++attempt) {
      double const share = o.erase_least + (o.erase_most - o.erase_least) * random.uniform();
      double const area = share * static_cast<double>(rows) * static_cast<double>(columns);
      double const aspect = std::exp(std::log(least_aspect) * (1 - 2 * random.uniform()));
      auto const h = static_cast<std::ptrdiff_t>(std::sqrt(area * aspect) + 0.5);
      auto const w = static_cast<std::ptrdiff_t>(std::sqrt(area / aspect) + 0.5);
      if (h < 1 || w < 1 || h >= rows || w >= columns) continue;
      top = below(rows - h + 1);
      left = below(columns - w + 1);
      height = h;
      width = w;
      return;
    }
  }
  bool erases(std::ptrdiff_t i, std::ptrdiff_t j) const {
    return i >= top && i < top + height && j >= left && j < left + width;
  }
};

// A place along one axis: between pixel `at` and the next one, or the nearest pixel beyond the border.
struct between_pixels {
  std::ptrdiff_t at, next;
  double part;  // of the next one

  between_pixels(double place, std::ptrdiff_t extent) {
    double const last = static_cast<double>(extent - 1);
    double const inside = place < 0 ? 0 : place > last ? last : place;
    at = static_cast<std::ptrdiff_t>(inside);
    next = at + 1 < extent ? at + 1 : at;
    part = inside - static_cast<double>(at);
  }
};

template <class F, class T, class D>
void augment_image(view<T const, 3, D> const& x, view<F, 3, D> const& y, augment_draw const& a, double fill) {
  std::ptrdiff_t const rows = x.extent(1), columns = x.extent(2), plane = rows * columns;
  double const m = static_cast<double>(rows - 1) / 2, n = static_cast<double>(columns - 1) / 2;
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      F* const to = y.data() + i * columns + j;
      std::ptrdiff_t const row = i + a.down, taken = j + a.right, column = a.flip ? columns - 1 - taken : taken;
      if (row < 0 || row >= rows || column < 0 || column >= columns || a.erases(i, j)) {
        for (std::ptrdiff_t c = 0; c < x.extent(0); ++c) to[c * plane] = static_cast<F>(fill);
        continue;
      }
      double const across = a.zoom_columns * (static_cast<double>(column) - n);
      between_pixels const r(m + a.zoom_rows * (static_cast<double>(row) - m) - a.sine * across, rows);
      between_pixels const s(n + a.cosine * across, columns);
      for (std::ptrdiff_t c = 0; c < x.extent(0); ++c) {
        auto const pixel = [&](std::ptrdiff_t p, std::ptrdiff_t q) { return static_cast<double>(x(c, p, q)); };
        double const upper = pixel(r.at, s.at) + s.part * (pixel(r.at, s.next) - pixel(r.at, s.at));
        double const lower = pixel(r.next, s.at) + s.part * (pixel(r.next, s.next) - pixel(r.next, s.at));
        to[c * plane] = static_cast<F>(upper + r.part * (lower - upper));
      }
    }
}

}  // namespace detail

template <class F = float, class T, class D>
  requires(std::is_floating_point_v<F> && is_host<D>)
tensor<F, 4, D> augment(view<T const, 4, D> const& images, batches::indices const& which, augment_options const& o,
                        rng const& random) {
  detail::check_augment(o);
  tensor<F, 4, D> result(shape<4>{{which.size(), images.extent(1), images.extent(2), images.extent(3)}}, uninitialized);
  for (std::ptrdiff_t i = 0; i < which.size(); ++i) {
    auto const image = static_cast<std::ptrdiff_t>(which(i));
    if (image < 0 || image >= images.extent(0))
      fail<index_error>("augment", "image ", image, " does not exist in shape ", images.shape());
    detail::augment_draw const drawn(o, images.extent(2), images.extent(3),
                                     random.split(static_cast<std::uint64_t>(image)));
    detail::augment_image(images[image], result.view()[i], drawn, o.fill);
  }
  return result;
}
template <class F = float, class T, class D>
auto augment(tensor<T, 4, D> const& images, batches::indices const& which, augment_options const& o,
             rng const& random) {
  return augment<F>(images.view(), which, o, random);
}

LIMBIC_END
