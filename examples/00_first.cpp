// 00_first - a network that learns exclusive or: all there is to it, on one page. Next: 01_tensor.cpp
#include <limbic/limbic.hpp>

#include <cstdio>

struct network {
  limbic::linear<float> hidden, out;
  explicit network(limbic::rng& random) : hidden(2, 8, random), out(8, 1, random) {}
  auto operator()(auto const& x) const { return out(limbic::tanh(hidden(x))); }  // (B, 2) -> (B, 1)
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

int main() {
  limbic::tensor<float, 2> const x({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1}), y({4, 1}, {0, 1, 1, 0});
  limbic::rng random{.seed = 1};
  network net(random);
  limbic::adam optimizer(net, {.learning_rate = 0.05});
  for (int step = 0; step < 300; ++step) {
    limbic::tape t;  // remembers this step
    t.backward(limbic::mse_loss(net(t(x)), y));
    optimizer.step();
  }
  auto const answer = net(x);  // tensors in, tensors out: no tape
  for (int i = 0; i < 4; ++i) std::printf("%.0f xor %.0f = %.3f\n", x(i, 0), x(i, 1), answer(i, 0));
  return answer(1, 0) > 0.9F && answer(3, 0) < 0.1F ? 0 : 1;
}
