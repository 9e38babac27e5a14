// 05_sequence - an LSTM that continues a wave: it sees samples of sin(w t + p), and must find w and p by itself
//
// Before: 04_your_own_op.cpp    next: 06_safetensors.cpp
#include "common/check.hpp"

#include <limbic/data.hpp>
#include <limbic/limbic.hpp>

#include <cmath>

using limbic::tensor;

struct forecaster {
  limbic::lstm<float> sequence;
  limbic::linear<float> out;
  explicit forecaster(limbic::rng& random) : sequence(1, 32, random, {.batch_first = true}), out(32, 1, random) {}
  // (B, T, 1) -> (B, T, 1): at every step the sample that comes next
  auto operator()(auto const& x) const {
    auto const [y, h_n, c_n] = sequence(x);  // y: (B, T, 32); h_n, c_n: (layers, B, 32)
    return out(y);
  }
  void each(auto f) { f("sequence", sequence), f("out", out); }
};

tensor<float, 3> make_waves(std::ptrdiff_t count, std::ptrdiff_t steps, limbic::rng& random) {
  tensor<float, 3> waves({count, steps, 1});
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    double const w = 0.3 + 0.6 * random.uniform(), p = 6.2832 * random.uniform();
    for (std::ptrdiff_t k = 0; k < steps; ++k)
      waves(i, k, 0) = static_cast<float>(std::sin(w * static_cast<double>(k) + p));
  }
  return waves;
}

int main() {
  limbic::rng random{.seed = 3};
  auto const waves = make_waves(512, 25, random);
  auto const x = limbic::slice(waves, 1, 0, 24), next = limbic::slice(waves, 1, 1, 25);

  forecaster net(random);
  limbic::adam optimizer(net, {.learning_rate = 5e-3});
  limbic::batches order(x.extent(0), 32);
  for (int epoch = 0; epoch < 30; ++epoch) {
    float last = 0;
    order.shuffle(random);
    for (auto const& chosen : order) {
      auto const input = limbic::take(x, chosen), target = limbic::take(next, chosen);
      limbic::tape t;
      auto const loss = limbic::mse_loss(net(t(input)), target);
      last = loss.item();
      t.backward(loss);
      limbic::clip_gradient_norm(net, 1.0);  // recurrent gradients may explode
      optimizer.step();
    }
    if (epoch % 10 == 9) std::printf("epoch %d: loss %.5f\n", epoch + 1, static_cast<double>(last));
  }

  // Waves that training has not seen: read 20 samples, then go on from its own forecasts.
  auto const truth = make_waves(100, 26, random);
  auto seen = limbic::slice(truth, 1, 0, 20);
  double error = 0, naive = 0;
  for (std::ptrdiff_t k = 20; k < 26; ++k) {
    auto const guess = limbic::slice(net(seen), 1, -1);  // (100, 1, 1)
    std::printf("step %td: %+.3f, forecast %+.3f\n", k, static_cast<double>(truth(0, k, 0)),
                static_cast<double>(guess(0, 0, 0)));
    for (std::ptrdiff_t i = 0; i < 100; ++i) {
      error += std::abs(static_cast<double>(guess(i, 0, 0) - truth(i, k, 0))) / 600;
      naive += std::abs(static_cast<double>(truth(i, 19, 0) - truth(i, k, 0))) / 600;
    }
    seen = limbic::concatenate(1, seen, guess);
  }
  std::printf("mean error %.3f; of \"it stays where it is\": %.3f\n", error, naive);
  check(error < 0.25 * naive, "the network has understood what a wave is");
}
