// 03_training_loop - a model is a struct; training is a loop that you write
//
// Two half moons that no straight line separates, a network with one hidden layer, Adam.
//
// Before: 02_gradient.cpp    next: 04_your_own_op.cpp
#include "common/check.hpp"

#include <limbic/data.hpp>
#include <limbic/limbic.hpp>
#include <limbic/metrics/classification.hpp>

#include <cmath>

// Members, what is computed from them, and their names.
struct classifier {
  limbic::linear<float> hidden, out;
  explicit classifier(limbic::rng& random) : hidden(2, 32, random), out(32, 2, random) {}
  auto operator()(auto const& x) const { return out(limbic::elu(hidden(x))); }  // (B, 2) -> (B, 2) logits
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

struct moons {
  limbic::tensor<float, 2> x;
  limbic::tensor<std::int64_t, 1> label;
};

moons make_moons(std::ptrdiff_t n, limbic::rng& random) {
  moons m{limbic::tensor<float, 2>({n, 2}), limbic::tensor<std::int64_t, 1>(limbic::shape{n})};
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    double const angle = 3.14159265 * random.uniform(), side = i % 2 == 0 ? 1 : -1;
    m.x(i, 0) = static_cast<float>(side * std::cos(angle) + (i % 2 == 0 ? 0.0 : 1.0) + 0.1 * random.normal());
    m.x(i, 1) = static_cast<float>(side * std::sin(angle) + (i % 2 == 0 ? 0.0 : 0.5) + 0.1 * random.normal());
    m.label(i) = i % 2;
  }
  return m;
}

double accuracy(classifier const& net, moons const& m) {
  return limbic::accuracy(m.label, limbic::argmax(net(m.x)));  // tensors in, tensors out: no tape anywhere
}

int main() {
  limbic::rng random{.seed = 7};
  moons const train = make_moons(512, random), test = make_moons(512, random);

  classifier net(random);
  limbic::adam optimizer(net, {.learning_rate = 1e-2});
  limbic::batches order(train.x.extent(0), 32);
  std::printf("%td parameters, accuracy before: %.3f\n", limbic::parameter_count(net), accuracy(net, test));

  for (int epoch = 0; epoch < 40; ++epoch) {
    double total = 0;
    order.shuffle(random);
    for (auto const& chosen : order) {
      auto const x = limbic::take(train.x, chosen);
      auto const label = limbic::take(train.label, chosen);
      limbic::tape t;  // remembers this step, then dies; its memory is used again
      auto const loss = limbic::cross_entropy(net(t(x)), label);
      t.backward(loss);
      optimizer.step();  // reads the gradients, changes the parameters, clears the gradients
      total += static_cast<double>(loss.item());
    }
    if (epoch % 10 == 9) std::printf("epoch %2d: loss %.4f\n", epoch + 1, total / static_cast<double>(order.size()));
  }

  double const reached = accuracy(net, test);
  std::printf("accuracy after: %.3f\n", reached);
  check(reached > 0.98, "the moons are told apart");
}
