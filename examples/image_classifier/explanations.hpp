// examples/image_classifier/explanations.hpp - pictures of test images, and of what a network sees in them
//
//   std::vector<explanation> const all = explain(net, scale, d.test, {{12, 3}, {40, 3}}, "");
//   all[0].grad_cam                 a PNG file's bytes: image 12, and over it where the evidence for class 3 lies
//   gallery(all, classes)           HTML
//
// Grad-CAM is drawn over the grey image, from nothing (dark) to the most that this image has (bright); the two others show
// what speaks for the class, channel by channel, in grey where nothing does, brighter or darker by sign.
#pragma once

#include "../common/page.hpp"
#include "codecs.hpp"
#include "networks.hpp"

#include <limbic/data/channel_scaler.hpp>
#include <limbic/images.hpp>
#include <limbic/ops/interpolate.hpp>
#include <limbic/ops/operators.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

// An image, and the class it is asked about.
struct question {
  std::ptrdiff_t index = 0;  // of the test image
  std::int64_t of = 0;       // the class
};
struct explanation {
  question asked;
  std::int64_t label = 0, predicted = 0;  // to be filled in by who knows
  float probability = 0;                  // of what was predicted
  // PNG; empty where there is no encoder, or where it was not asked for.
  std::string image, grad_cam, guided, guided_grad_cam;
};

namespace drawing {

// Shades from black over red to a light yellow, of equal steps in lightness.
inline std::array<double, 3> shade(double v) {
  constexpr double stops[5][3] = {{0, 0, 4}, {87, 16, 110}, {188, 55, 84}, {249, 142, 9}, {252, 255, 164}};
  double const place = 4 * std::clamp(v, 0.0, 1.0);
  auto const k = std::min(3, static_cast<int>(place));
  std::array<double, 3> c{};
  for (std::size_t i = 0; i < 3; ++i) c[i] = stops[k][i] + (place - k) * (stops[k + 1][i] - stops[k][i]);
  return c;
}
inline std::uint8_t byte_of(double v) { return static_cast<std::uint8_t>(std::clamp(v, 0.0, 255.0) + 0.5); }

// The brightest value of all images becomes white.
inline std::string image(limbic::tensor<std::uint8_t, 4> const& images, std::ptrdiff_t i, int brightest) {
  std::ptrdiff_t const channels = images.extent(1) == 3 ? 3 : 1, height = images.extent(2), width = images.extent(3);
  std::vector<std::uint8_t> pixels;
  for (std::ptrdiff_t y = 0; y < height; ++y)
    for (std::ptrdiff_t x = 0; x < width; ++x)
      for (std::ptrdiff_t c = 0; c < channels; ++c)
        pixels.push_back(static_cast<std::uint8_t>(images(i, c, y, x) * 255 / brightest));
  return encode_png(height, width, channels, pixels);
}

// Map i, brought to the image's size and as many times enlarged as makes it easy to see, over the image.
inline std::string overlay(limbic::tensor<float, 3> const& maps, std::ptrdiff_t i,
                           limbic::tensor<std::uint8_t, 4> const& images, std::ptrdiff_t image, int brightest) {
  std::ptrdiff_t const height = images.extent(2), width = images.extent(3), channels = images.extent(1);
  std::ptrdiff_t const times = std::max<std::ptrdiff_t>(1, 112 / std::max(height, width));
  auto const wide = limbic::interpolate(maps.view().slice(0, i, i + 1).unsqueeze(1), {height * times, width * times},
                                        {limbic::interpolation::bilinear});
  auto const most = static_cast<double>(*std::max_element(wide.begin(), wide.end()));
  std::vector<std::uint8_t> pixels;
  for (std::ptrdiff_t y = 0; y < height * times; ++y)
    for (std::ptrdiff_t x = 0; x < width * times; ++x) {
      double grey = 0;
      for (std::ptrdiff_t c = 0; c < channels; ++c) grey += images(image, c, y / times, x / times);
      grey *= 255.0 / brightest / static_cast<double>(channels);
      double const v = most > 0 ? static_cast<double>(wide(0, 0, y, x)) / most : 0.0;
      for (double const c : shade(v)) pixels.push_back(byte_of(0.4 * grey + 0.6 * c));
    }
  return encode_png(height * times, width * times, 3, pixels);
}

// Image i of numbers with a sign: 0 is grey, the largest magnitude white or black.
inline std::string signed_image(limbic::tensor<float, 4> const& x, std::ptrdiff_t i) {
  std::ptrdiff_t const channels = x.extent(1) == 3 ? 3 : 1, height = x.extent(2), width = x.extent(3);
  float most = 0;
  for (std::ptrdiff_t k = 0; k < x.size() / x.extent(0); ++k)
    most = std::max(most, std::abs(x.data()[i * (x.size() / x.extent(0)) + k]));
  std::vector<std::uint8_t> pixels;
  for (std::ptrdiff_t r = 0; r < height; ++r)
    for (std::ptrdiff_t q = 0; q < width; ++q)
      for (std::ptrdiff_t c = 0; c < channels; ++c)
        pixels.push_back(byte_of(127.5 + (most > 0 ? 127.5 * static_cast<double>(x(i, c, r, q) / most) : 0.0)));
  return encode_png(height, width, channels, pixels);
}

}  // namespace drawing

// `fine`: with the two that are as fine as the image.
inline std::vector<explanation> explain(network const& net, limbic::channel_scaler const& scale,
                                        limbic::image_set const& from, std::vector<question> const& questions,
                                        std::string_view layer, bool fine = true) {
  int const brightest = std::max<int>(1, *std::max_element(from.images.begin(), from.images.end()));
  std::vector<explanation> all;
  for (auto const& q : questions) {
    limbic::tensor<float, 4> const x = scale.transform(limbic::take(from.images, limbic::sample_list({1}, {q.index})));
    limbic::tensor<std::int64_t, 1> const of({1}, q.of);
    explanation e;
    e.asked = q;
    e.label = from.labels(q.index);
    e.image = drawing::image(from.images, q.index, brightest);
    e.grad_cam = drawing::overlay(net.grad_cam(x, of, layer), 0, from.images, q.index, brightest);
    if (fine) {
      e.guided = drawing::signed_image(net.guided_backpropagation(x, of), 0);
      e.guided_grad_cam = drawing::signed_image(net.guided_grad_cam(x, of, layer), 0);
    }
    all.push_back(std::move(e));
  }
  return all;
}

inline std::string gallery(std::vector<explanation> const& all, std::vector<std::string> const& classes) {
  auto const name = [&](std::int64_t c) { return escaped(classes[static_cast<std::size_t>(c)]); };
  std::string text = "<div class=\"gallery\">\n";
  for (auto const& e : all) {
    std::string const index = std::to_string(e.asked.index);
    auto const shown = [&](std::string const& png, std::string const& what) {
      if (!png.empty())
        text += "<img alt=\"" + what + " of test image " + index + "\" title=\"" + what +
                "\" src=\"data:image/png;base64," + base64(png) + "\">";
    };
    text += "<figure>";
    shown(e.image, "pixels");
    shown(e.grad_cam, "Grad-CAM");
    shown(e.guided, "guided backpropagation");
    shown(e.guided_grad_cam, "guided Grad-CAM");
    text += "<figcaption>" + index + ": " + name(e.label);
    if (e.label != e.predicted) text += " &rarr; " + name(e.predicted);
    if (e.asked.of != e.predicted) text += ", explained " + name(e.asked.of);
    text += ", " + number("%.1f %%", 100 * static_cast<double>(e.probability)) + "</figcaption></figure>\n";
  }
  return text + "</div>\n";
}
