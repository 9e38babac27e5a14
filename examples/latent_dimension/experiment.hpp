// examples/latent_dimension/experiment.hpp - train an LSTM autoencoder of one latent size, and measure it
#pragma once

#include <limbic/data.hpp>
#include <limbic/information.hpp>
#include <limbic/limbic.hpp>

#include <chrono>
#include <cmath>

struct training_options {
  std::ptrdiff_t hidden = 64;
  int layers = 1;
  std::ptrdiff_t batch = 32;
  double learning_rate = 1e-3;
  std::uint64_t seed = 0;
};

struct trial {
  std::ptrdiff_t latent = 0;
  double mutual_information = 0, mse = 0, seconds = 0;
};

using autoencoder = limbic::lstm_autoencoder<float>;

// Depends on the windows, the options, the latent size and the number of epochs alone: not on what else is trained,
// nor on threads. `on_epoch` is called after each epoch.
template <class F>
autoencoder train(limbic::tensor<float, 3> const& windows, std::ptrdiff_t latent, int epochs, training_options const& o,
                  F const& on_epoch) {
  limbic::rng const random = limbic::rng{.seed = o.seed}.split(static_cast<std::uint64_t>(latent));
  limbic::rng start = random.split(0), shuffling = random.split(1);
  autoencoder net({.input_size = windows.extent(2), .hidden_size = o.hidden, .latent_size = latent, .layers = o.layers},
                  start);
  limbic::adam optimizer(net, {.learning_rate = o.learning_rate});
  limbic::batches order(windows.extent(0), o.batch);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    order.shuffle(shuffling);
    for (auto const& chosen : order) {
      auto const x = limbic::take(windows, chosen);
      limbic::tape t;
      auto const loss = limbic::mse_loss(net(t(x)), x);
      t.backward(loss);
      optimizer.step();
    }
    on_epoch();
  }
  return net;
}

// The mean squared error over all windows.
inline double error_of(autoencoder const& net, limbic::tensor<float, 3> const& windows) {
  return static_cast<double>(limbic::mse_loss(net(windows), windows)());
}

// What the latent vectors tell of the windows: matrix-based Renyi entropy of order 2, Gaussian kernels of width 1,
// computed in double.
inline double information_of(autoencoder const& net, limbic::tensor<float, 3> const& windows) {
  auto const rows = [](auto const& x) {
    limbic::tensor<double, 2> result({x.extent(0), x.size() / x.extent(0)}, limbic::uninitialized);
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) result.data()[i] = static_cast<double>(x.data()[i]);
    return result;
  };
  return limbic::mutual_information(rows(windows), rows(net.encode(windows)), {.sigma = 1, .alpha = 2})();
}

template <class F>
trial measure(limbic::tensor<float, 3> const& windows, std::ptrdiff_t latent, int epochs, training_options const& o,
              F const& on_epoch) {
  auto const began = std::chrono::steady_clock::now();
  autoencoder const net = train(windows, latent, epochs, o, on_epoch);
  trial result{.latent = latent, .mutual_information = information_of(net, windows), .mse = error_of(net, windows)};
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return result;
}
