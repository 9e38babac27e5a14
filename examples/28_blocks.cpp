// 28_blocks - a network put together from blocks: a U-Net with a residual and a dense block at its bottom, which takes noise
// off handwritten digits
//
//   28_blocks                 shows it
//   28_blocks digits.svg      draws digits, with noise and without it, too (needs gnuplot)
//
// On the way down the network gives up half of the rows and columns to see more at once; on the way up, the skip beside it
// tells where everything was.
//
// Before: 27_frame_features.cpp    next: 29_explain.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/blocks.hpp>
#include <limbic/data.hpp>
#include <limbic/io/idx.hpp>
#include <limbic/limbic.hpp>
#include <limbic/nn/summary.hpp>

#include <vector>

using limbic::tensor;

namespace {

struct denoiser {
  limbic::unet_down<float> down;
  limbic::residual_block<float> wider;
  limbic::dense_block<float> dense;
  limbic::unet_up<float> up;
  limbic::conv2d<float> out;

  explicit denoiser(limbic::rng& random)
      : down(1, 8, random),
        wider(8, 16, random),
        dense(16, 2, 8, random),
        up(dense.channels(), 8, 8, random),
        out(8, 1, 1, random) {}
  // (N, 1, H, W) -> (N, 1, H, W), with even H and W
  auto operator()(auto const& x, limbic::layer_mode auto mode) const {
    auto const [skip, below] = down(x, mode);
    return out(up(dense(wider(below, mode), mode), skip, mode));
  }
  void each(auto f) { f("down", down), f("wider", wider), f("dense", dense), f("up", up), f("out", out); }
};

// Digits of 8 x 8 pixels, 0 (paper) to 1 (ink).
tensor<float, 4> digits() {
  auto const read = limbic::read_idx_images(LIMBIC_SOURCE_DIR "/examples/data/digits8x8").train;
  tensor<float, 4> x(read.images.shape());
  float most = 0;
  for (auto const v : read.images) most = v > most ? v : most;
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(read.images.data()[i]) / most;
  return x;
}
tensor<float, 4> with_noise(tensor<float, 4> const& x, limbic::rng& random) {
  tensor<float, 4> noise(x.shape());
  random.normal(noise, 0, 0.4);
  return x + noise;
}

}  // namespace

int main(int argc, char** argv) {
  limbic::rng random{.seed = 5};
  auto const all = digits();
  tensor<float, 4> const seen = limbic::slice(all, 0, 0, 1500), unseen = limbic::slice(all, 0, 1500);

  denoiser net(random);
  std::fputs(limbic::summary<float>(net, limbic::shape{1, 1, 8, 8}).text().c_str(), stdout);

  limbic::adam optimizer(net, {.learning_rate = 4e-3});
  limbic::batches order(seen.extent(0), 50);
  std::vector<double> losses;
  for (int epoch = 0; epoch < 4; ++epoch) {
    double total = 0;
    order.shuffle(random);
    for (auto const& chosen : order) {
      auto const clean = limbic::take(seen, chosen), noisy = with_noise(clean, random);
      limbic::tape t;
      auto const loss = limbic::mse_loss(net(t(noisy), limbic::training{random}), clean);
      total += static_cast<double>(loss.item());
      t.backward(loss);
      optimizer.step();
    }
    losses.push_back(total / static_cast<double>(order.size()));
    std::printf("epoch %d: loss %.4f\n", epoch + 1, losses.back());
  }
  check(losses.back() < 0.5 * losses.front(), "the loss has gone down");

  auto const noisy = with_noise(unseen, random);
  tensor<float, 4> const restored = net(noisy, limbic::evaluation{});
  double const before = limbic::mse_loss(noisy, unseen)(), after = limbic::mse_loss(restored, unseen)();
  std::printf("digits that training has not seen: mean squared error %.4f with the noise, %.4f with it taken off\n",
              before, after);
  check(after < 0.25 * before, "three quarters of the noise are gone");

  if (argc < 2) return 0;
  plot p("A U-Net takes noise off digits that it has not seen", "digit", "image");
  p.rows({"taken off", "with noise", "as it was"}, 1);
  std::ptrdiff_t const side = unseen.extent(2), shown = 8;
  int row = 0;
  for (auto const* const images : {&restored, &noisy, &unseen}) {
    for (std::ptrdiff_t k = 0; k < shown; ++k) {
      std::vector<double> across, up, pixels;
      for (std::ptrdiff_t i = 0; i < side; ++i) {
        double const at = (static_cast<double>(i) + 0.5) / static_cast<double>(side) * 0.9 - 0.45;
        across.push_back(static_cast<double>(k + 1) + at);
        up.push_back(row - at);
        for (std::ptrdiff_t j = 0; j < side; ++j) pixels.push_back(static_cast<double>((*images)(k, 0, i, j)));
      }
      p.image(across, up, pixels);
    }
    ++row;
  }
  return p.save(argv[1]) ? 0 : 1;
}
