// Training steps measured alone (train.cpp) and beside libtorch's (train_libtorch.cpp): one full step is forward, loss,
// backward, Adam. One thread.
#pragma once

#include <limbic/limbic.hpp>

#include <benchmark/benchmark.h>

namespace bench {

struct mlp {
  limbic::linear<float> hidden, out;
  explicit mlp(limbic::rng& random) : hidden(64, 64, random), out(64, 10, random) {}
  auto operator()(auto const& x) const { return out(limbic::relu(hidden(x))); }
  void each(auto f) {
    f("hidden", hidden);
    f("out", out);
  }
};

// B = batch size; hidden 64, latent 42, T = 10 steps of one feature
inline void lstm_autoencoder_step(benchmark::State& state) {
  limbic::set_threads(1);
  limbic::rng random{.seed = 1};
  limbic::lstm_autoencoder<float> net({.input_size = 1, .hidden_size = 64, .latent_size = 42}, random);
  limbic::adam optimizer(net, {.learning_rate = 1e-3});
  limbic::tensor<float, 3> x(limbic::shape{state.range(0), 10, 1});
  random.uniform(x);
  float last = 0;
  for (auto _ : state) {
    limbic::tape t;
    auto const loss = limbic::mse_loss(net(t(x)), t(x));
    t.backward(loss);
    optimizer.step();
    last = loss.item();
  }
  state.counters["loss"] = static_cast<double>(last);
}

inline void mlp_step(benchmark::State& state) {
  limbic::set_threads(1);
  limbic::rng random{.seed = 1};
  mlp net(random);
  limbic::adam optimizer(net, {.learning_rate = 1e-3});
  limbic::tensor<float, 2> x(limbic::shape{state.range(0), 64});
  limbic::tensor<std::int64_t, 1> y(limbic::shape{state.range(0)});
  random.uniform(x);
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) y(i) = i % 10;
  float last = 0;
  for (auto _ : state) {
    limbic::tape t;
    auto const loss = limbic::cross_entropy(net(t(x)), y);
    t.backward(loss);
    optimizer.step();
    last = loss.item();
  }
  state.counters["loss"] = static_cast<double>(last);
}

}  // namespace bench
