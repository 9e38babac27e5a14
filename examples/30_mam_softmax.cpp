// 30_mam_softmax - a margin that the logits themselves set, and why it has to be a constant to the gradient
//
// MAM-Softmax takes a margin M(z) from the target's logit, about the mean of all logits, before the cross entropy. If the
// gradient also goes through M, the loss can be made small without learning anything: all logits sink together, M sinks
// with them, and z_c - M stays near 0 while the others' e^z vanish. Held constant, which is the default, M demands as much but
// offers no such way out. The same network on the same digits, once each way:
//
// Before: 29_explain.cpp
#include "common/check.hpp"

#include <limbic/images.hpp>
#include <limbic/limbic.hpp>
#include <limbic/losses.hpp>
#include <limbic/metrics/classification.hpp>

using limbic::tensor;

namespace {

struct perceptron {
  limbic::linear<float> hidden, out;
  explicit perceptron(limbic::rng& random) : hidden(64, 64, random), out(64, 10, random) {}
  auto operator()(auto const& x) const { return out(limbic::relu(hidden(x))); }
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

struct outcome {
  double accuracy, mean_logit, loss;
};
outcome train(tensor<float, 2> const& x, tensor<std::int64_t, 1> const& labels, limbic::data_split const& parts,
              limbic::mam_softmax_op const& options, std::uint64_t seed) {
  limbic::rng random{.seed = seed};
  perceptron net(random);
  limbic::adam optimizer(net, {.learning_rate = 1e-3});
  auto const own = limbic::take(x, parts.train);
  auto const own_labels = limbic::take(labels, parts.train);
  limbic::batches order(own.extent(0), 64);
  double loss = 0;
  for (int epoch = 0; epoch < 60; ++epoch) {
    order.shuffle(random);
    loss = 0;
    for (auto const& batch : order) {
      limbic::tape t;
      auto const l =
          limbic::mam_softmax_loss(net(t(limbic::take(own, batch))), limbic::take(own_labels, batch), options);
      t.backward(l);
      optimizer.step();
      loss += static_cast<double>(l.item()) / static_cast<double>(order.size());
    }
  }
  auto const logits = net(limbic::take(x, parts.test));
  return {limbic::accuracy(limbic::take(labels, parts.test), limbic::argmax(logits)),
          static_cast<double>(limbic::mean(logits)()), loss};
}

}  // namespace

int main() {
  auto const digits = limbic::read_images(LIMBIC_SOURCE_DIR "/examples/data/digits8x8", {}).train;
  auto const pixels = limbic::channel_scaler(1.0 / 16).transform(digits.images);
  tensor<float, 2> const x(pixels.view().reshape(limbic::shape{digits.size(), 64}));
  auto const parts =
      limbic::split_classes(digits.labels, {.validation = 0, .test = 497.0 / 1797}, limbic::rng{.seed = 1});

  std::printf("%-34s %10s %12s %10s\n", "gradient through the margin", "accuracy", "mean logit", "loss");
  double stopped[3], full[3];
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    for (bool const through : {false, true}) {
      auto const o =
          train(x, digits.labels, parts,
                {.margin_gradient = through ? limbic::margin_gradient::full : limbic::margin_gradient::stop}, seed);
      std::printf("%-34s %9.1f%% %12.1f %10.3f\n", through ? "yes" : "no", 100 * o.accuracy, o.mean_logit, o.loss);
      (through ? full : stopped)[seed] = o.accuracy;
    }
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    check(stopped[seed] > 0.93, "with a constant margin the digits are learned");
    check(full[seed] < stopped[seed] - 0.1, "with the gradient through it far fewer of them");
  }
}
