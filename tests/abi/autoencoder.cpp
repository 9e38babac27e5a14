// Trains an LSTM autoencoder on windows of a sine; the program whose size tools/check_size.py measures.
#include <limbic/limbic.hpp>
#include <limbic/models/lstm_autoencoder.hpp>

#include <cmath>

int main() {
  limbic::rng random{.seed = 1};
  limbic::lstm_autoencoder<float> net({.input_size = 1, .hidden_size = 16, .latent_size = 4}, random);
  limbic::adam optimizer(net, {.learning_rate = 1e-2});
  limbic::tensor<float, 3> x({32, 10, 1});
  for (std::ptrdiff_t i = 0; i < 32; ++i)
    for (std::ptrdiff_t j = 0; j < 10; ++j) x(i, j, 0) = std::sin(0.4F * static_cast<float>(i + j));
  float first = 0, last = 0;
  for (int step = 0; step < 100; ++step) {
    limbic::tape t;
    auto const loss = limbic::mse_loss(net(t(x)), x);
    last = loss.item();
    if (step == 0) first = last;
    t.backward(loss);
    optimizer.step();
  }
  return last < 0.5F * first ? 0 : 1;
}
