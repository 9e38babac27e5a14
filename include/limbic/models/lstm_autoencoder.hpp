// limbic/models/lstm_autoencoder.hpp - a sequence squeezed through a vector, and unfolded again
//
//   z = latent(h_n of the last layer),  h_n from encoder(x)       x (B, T, F), z (B, Z)
//   y = output(decoder(z at every step))                          y (B, T, F)
//
// Parameters: encoder.* and decoder.* as torch.nn.LSTM, latent.* and output.* as torch.nn.Linear. The decoder reads the
// same vector at every step, so it is projected once instead of being repeated.
#pragma once

#include <limbic/nn/linear.hpp>
#include <limbic/nn/lstm.hpp>

LIMBIC_BEGIN

struct lstm_autoencoder_options {
  std::ptrdiff_t input_size = 1;    // F
  std::ptrdiff_t hidden_size = 64;  // H, of both LSTMs
  std::ptrdiff_t latent_size = 42;  // Z
  int layers = 1;                   // each way
};

template <class T, class D = default_device> struct lstm_autoencoder {
  lstm<T, D> encoder;
  linear<T, D> latent;
  lstm<T, D> decoder;
  linear<T, D> output;

  lstm_autoencoder(lstm_autoencoder_options const& o, rng& random)
      : encoder(o.input_size, o.hidden_size, random, {.layers = o.layers, .batch_first = true}),
        latent(o.hidden_size, positive(o.latent_size), random),
        decoder(o.latent_size, o.hidden_size, random, {.layers = o.layers, .batch_first = true}),
        output(o.hidden_size, o.input_size, random) {}

  // (B, T, F) -> (B, Z)
  auto encode(auto const& x) const {
    auto const [y, h_n, c_n] = encoder(x);
    return latent(select(h_n, 0, h_n.extent(0) - 1));
  }
  // (B, Z) -> (B, steps, F)
  auto decode(auto const& z, std::ptrdiff_t steps) const {
    auto const [y, h_n, c_n] = decoder.repeat(z, steps);
    return output(y);
  }
  auto operator()(auto const& x) const { return decode(encode(x), x.extent(1)); }

  // Names the members as a PyTorch module does: encoder, latent, decoder, output.
  void each(auto f) {
    f("encoder", encoder);
    f("latent", latent);
    f("decoder", decoder);
    f("output", output);
  }

 private:
  static std::ptrdiff_t positive(std::ptrdiff_t latent_size) {
    if (latent_size < 1)
      fail<argument_error>("lstm_autoencoder", "the latent size must be positive, but is ", latent_size);
    return latent_size;
  }
};

LIMBIC_END
