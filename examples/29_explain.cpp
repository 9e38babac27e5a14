// 29_explain - why a network decides as it does: Grad-CAM, guided backpropagation, and what to do about a NaN
//
// In each image of noise a ring or a cross lies somewhere. A small network learns to tell which of them it is; nobody ever
// says where. Grad-CAM finds the place in the channels of its last convolution, guided backpropagation the pixels.
//
// Before: 28_blocks.cpp    next: 30_mam_softmax.cpp
#include "common/check.hpp"

#include <limbic/explain.hpp>
#include <limbic/limbic.hpp>
#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/ops/max_pool.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

using limbic::tensor;

namespace {

constexpr std::ptrdiff_t side = 24, mark = 5;

struct picture_set {
  tensor<float, 4> images;
  tensor<std::int64_t, 1> classes;  // 0: a ring, 1: a cross
  tensor<std::int64_t, 2> places;   // row and column of the upper left corner
};
picture_set draw(std::ptrdiff_t n, limbic::rng& random) {
  picture_set s{tensor<float, 4>(limbic::shape{n, 1, side, side}), tensor<std::int64_t, 1>(limbic::shape{n}),
                tensor<std::int64_t, 2>(limbic::shape{n, 2})};
  random.normal(s.images, 0, 0.3);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    s.classes(i) = i % 2;
    for (int a = 0; a < 2; ++a) s.places(i, a) = static_cast<std::int64_t>(random.below(side - mark + 1));
    for (std::ptrdiff_t r = 0; r < mark; ++r)
      for (std::ptrdiff_t q = 0; q < mark; ++q) {
        bool const border = r == 0 || q == 0 || r == mark - 1 || q == mark - 1, diagonal = r == q || r + q == mark - 1;
        if (s.classes(i) == 0 ? border : diagonal) s.images(i, 0, s.places(i, 0) + r, s.places(i, 1) + q) += 1;
      }
  }
  return s;
}

struct network {
  limbic::conv2d<float> c1, c2;
  limbic::batch_norm<float> n1{12}, n2{24};
  limbic::linear<float> out;

  explicit network(limbic::rng& random)
      : c1(1, 12, 3, random, {.padding = limbic::same_padding}),
        c2(12, 24, 3, random, {.padding = limbic::same_padding}),
        out(24, 2, random) {}
  auto operator()(auto const& x, auto mode) const {
    auto const y = limbic::relu(n2(c2(limbic::relu(n1(c1(x), mode))), mode));
    return out(limbic::mean(limbic::mean(y, 3), 2));  // the mean over all pixels: what it says has no place
  }
  void each(auto f) { f("c1", c1), f("n1", n1), f("c2", c2), f("n2", n2), f("out", out); }
};

}  // namespace

int main() {
  limbic::rng random{.seed = 4};
  network net(random);
  limbic::adam optimizer(net, {.learning_rate = 1e-2});
  for (int step = 0; step < 120; ++step) {
    auto const batch = draw(32, random);
    limbic::tape t;
    auto const loss = limbic::cross_entropy(net(t(batch.images), limbic::training{random}), batch.classes);
    t.backward(loss);
    optimizer.step();
  }

  auto const test = draw(200, random);
  auto const said = limbic::argmax(net(test.images, limbic::evaluation{}));
  auto const maps = limbic::grad_cam(net, test.images, said);  // (200, 24, 24), of the last ReLU
  auto const pixels = limbic::guided_backpropagation(net, test.images, said);
  int right = 0, found = 0, pointed = 0;
  // Whether the largest of an image's 24 x 24 numbers lies on the mark or beside it.
  auto const on_the_mark = [&](float const* map, std::ptrdiff_t i) {
    std::ptrdiff_t const at = std::max_element(map, map + side * side) - map;
    auto const inside = [&](std::ptrdiff_t k, int axis) {
      return k >= test.places(i, axis) - 1 && k <= test.places(i, axis) + mark;
    };
    return inside(at / side, 0) && inside(at % side, 1);
  };
  for (std::ptrdiff_t i = 0; i < 200; ++i) {
    right += said(i) == test.classes(i);
    found += on_the_mark(&maps(i, 0, 0), i);
    pointed += on_the_mark(&pixels(i, 0, 0, 0), i);
  }
  std::printf("of 200 images %d are told right; the evidence lies on the mark in %d (Grad-CAM) and %d (guided)\n",
              right, found, pointed);
  check(right >= 180, "the network tells rings from crosses");
  check(found >= 180, "Grad-CAM finds the mark");
  check(pointed >= 180, "guided backpropagation finds it too");

  // The map of one image, coarsely; the mark's corners are x.
  for (std::ptrdiff_t r = 0; r < side; ++r) {
    for (std::ptrdiff_t q = 0; q < side; ++q) {
      auto const at = [&](std::ptrdiff_t k, int axis) {
        return k == test.places(0, axis) || k == test.places(0, axis) + mark - 1;
      };
      float const most = *std::max_element(&maps(0, 0, 0), &maps(0, 0, 0) + side * side);
      int const level = std::min(4, static_cast<int>(5 * maps(0, r, q) / most));
      std::putchar(at(r, 0) && at(q, 1) ? 'x' : " .:*#"[level]);
    }
    std::putchar('\n');
  }

  // A layer is named as summary() names it; a wrong name is answered with all of them.
  (void)limbic::grad_cam(net, test.images, said, {.layer = "n1"});
  try {
    (void)limbic::grad_cam(net, test.images, said, {.layer = "n3"});
  } catch (limbic::argument_error const& e) {
    std::printf("%s\n", e.what());
  }

  // Where does a NaN come from? A tape that looks at every value says it.
  net.c2.bias.value(3) = std::nanf("");
  try {
    limbic::tape t;
    t.detect_anomaly();
    (void)net(t(test.images), limbic::evaluation{});
  } catch (limbic::anomaly_error const& e) {
    std::printf("%s\n", e.what());
  }
}
