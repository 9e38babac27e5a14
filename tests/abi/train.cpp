// Trains an LSTM autoencoder: the file that tools/check_symbols.py compiles for two instruction sets.
#include <limbic/limbic.hpp>
#include <limbic/models/lstm_autoencoder.hpp>

// The loss after a few steps on the given windows.
double LIMBIC_ABI_ENTRY(limbic::tensor<float, 3> const& x) {
  limbic::rng random{.seed = 1};
  limbic::lstm_autoencoder<float> net({.input_size = 1, .hidden_size = 16, .latent_size = 4}, random);
  limbic::adam optimizer(net, {.learning_rate = 1e-2});
  float last = 0;
  for (int step = 0; step < 100; ++step) {
    limbic::tape t;
    auto const loss = limbic::mse_loss(net(t(x)), x);
    last = loss.item();
    t.backward(loss);
    limbic::clip_gradient_norm(net, 1.0);
    optimizer.step();
  }
  return static_cast<double>(last);
}
