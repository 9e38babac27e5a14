// 23_gumbel_softmax - learning a choice: which of several filters denoises best, by gradient descent over all of them
//
// A choice among categories has no gradient. Softened by Gumbel noise and a temperature it has one: while training the
// choices are drawn, at first blurred and later, as the temperature falls, nearly one-hot, and logits and filters learn together.
// At the end the largest logit is taken for good, and the model is evaluated again with exactly that choice.
//
//   23_gumbel_softmax                 shows it
//   23_gumbel_softmax choice.svg      draws how the choice is learned, too (needs gnuplot)
//
// Before: 22_manifolds.cpp    next: 24_lag_correlation.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/limbic.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace {

using limbic::tensor;

constexpr int kinds = 4;
constexpr char const* names[kinds] = {"nothing", "difference", "mean of 9", "mean of 33"};

// What each of the filters makes of a signal, as rows: (kinds, n). The signal goes round.
tensor<float, 2> filtered(tensor<float, 1> const& x) {
  auto const n = x.extent(0);
  auto const at = [&](std::ptrdiff_t i) { return x((i % n + n) % n); };
  auto const mean = [&](std::ptrdiff_t i, int reach) {
    float sum = 0;
    for (int k = -reach; k <= reach; ++k) sum += at(i + k);
    return sum / static_cast<float>(2 * reach + 1);
  };
  tensor<float, 2> y({kinds, n});
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    y(0, i) = x(i);
    y(1, i) = at(i + 1) - at(i);
    y(2, i) = mean(i, 4);
    y(3, i) = mean(i, 16);
  }
  return y;
}

struct denoiser {
  limbic::parameter<float, 2> logits{limbic::shape{1, kinds}};  // all alike to begin with
  limbic::parameter<float, 1> gain{tensor<float, 1>({1}, {0.5F})};
  limbic::gumbel_softmax choose{2.0};
  // (kinds, n), one: (1, 1) -> (1, n). Multiplied by a number that is on the tape, the logits are on it, too.
  auto operator()(auto const& choices, auto const& one, auto mode) const {
    return limbic::matmul(choose(one * logits, mode), choices) * gain;
  }
  void each(auto f) { f("logits", logits), f("gain", gain); }
};

}  // namespace

int main(int argc, char** argv) {
  limbic::rng random{.seed = 6};
  std::ptrdiff_t const n = 256;
  tensor<float, 1> clean(limbic::shape{n}), noise(limbic::shape{n});
  random.normal(noise);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    clean(i) = std::sin(static_cast<float>(i) * 6.2831853F * 6 / static_cast<float>(n));
  auto const choices = filtered(clean + noise * 0.5F);
  auto const target = limbic::reshape(clean, 1, n);
  tensor<float, 2> const one({1, 1}, 1.0F);

  denoiser net;
  limbic::adam optimizer(net, {.learning_rate = 0.05});
  limbic::exponential_lr const annealed{.learning_rate = 2, .gamma = 0.99};
  std::vector<double> probabilities[kinds], draws;  // step by step, for the picture
  limbic::rng onlooker{.seed = 7};
  for (int step = 0; step < 400; ++step) {
    net.choose.temperature = std::max(0.2, annealed(step));
    limbic::tape t;
    t.backward(limbic::mse_loss(net(t(choices), t(one), limbic::training{random}), target));
    optimizer.step();
    auto const p = limbic::softmax(net.logits);
    for (int k = 0; k < kinds; ++k) probabilities[k].push_back(static_cast<double>(p(0, k)));
    draws.push_back(static_cast<double>(net.choose(net.logits, limbic::training{onlooker})(0, 2)));
  }

  auto const probability = limbic::softmax(net.logits);
  for (int k = 0; k < kinds; ++k) std::printf("%-11s %.3f\n", names[k], static_cast<double>(probability(0, k)));

  // Discretised: one filter alone, the same at every call.
  double const error = limbic::mse_loss(net(choices, one, limbic::evaluation{}), target)();
  auto const error_of = [&](int k) {
    auto const row = limbic::slice(choices, 0, k, k + 1) * net.gain.value;
    return static_cast<double>(limbic::mse_loss(row, target)());
  };
  std::printf("gain %.3f, error with the choice %.4f; with", static_cast<double>(net.gain.value(0)), error);
  for (int k = 0; k < kinds; ++k) std::printf(" %s %.4f", names[k], error_of(k));
  std::printf("\n");
  check(probability(0, 2) > 0.9F, "the mean of 9 samples has won");
  check(std::abs(error - error_of(2)) < 1e-6, "evaluation uses exactly the filter that was chosen");
  for (int k = 0; k < kinds; ++k) check(error <= error_of(k) + 1e-6, "no other filter does better");
  // What the temperature does by itself, where all categories are alike.
  tensor<float, 2> const undecided({1000, kinds});
  auto const largest = [&](double temperature) {
    limbic::gumbel_softmax const choose(temperature);
    return limbic::mean(limbic::max(choose(undecided, limbic::training{random}), 1))();
  };
  std::printf("largest weight of a draw: %.2f at temperature 2, %.2f at 0.1\n", static_cast<double>(largest(2)),
              static_cast<double>(largest(0.1)));
  check(largest(2) < 0.6F && largest(0.1) > 0.9F, "hot draws are blurred, cold ones nearly one-hot");

  if (argc < 2) return 0;
  std::vector<double> steps(draws.size());
  std::iota(steps.begin(), steps.end(), 0.0);
  plot p("A choice among four filters is learned", "step", "probability; weight in a draw");
  p.points("mean of 9, drawn", steps, draws);
  for (int k = 0; k < kinds; ++k) p.line(names[k], probabilities[k]);
  return p.save(argv[1]) ? 0 : 1;
}
