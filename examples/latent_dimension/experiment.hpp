// examples/latent_dimension/experiment.hpp - train an LSTM autoencoder of one latent size, and measure it
#pragma once

#include "../common/program.hpp"

#include <limbic/data.hpp>
#include <limbic/information.hpp>
#include <limbic/io/checkpoint.hpp>
#include <limbic/limbic.hpp>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

using autoencoder = limbic::lstm_autoencoder<float>;

struct training_options {
  std::ptrdiff_t hidden = 64;
  int layers = 1;
  std::ptrdiff_t batch = 32;
  double learning_rate = 1e-3;
  std::uint64_t seed = 0;
};

// One autoencoder in training. It depends on the windows, the options, the latent size, the repetition and the number of
// epochs alone: not on what else is trained, on threads, or on how often it was stopped and taken up again.
class training {
  using clock = std::chrono::steady_clock;

 public:
  autoencoder net;
  std::vector<double> losses;  // the mean over each epoch's batches
  double seconds = 0;

  training(limbic::tensor<float, 3> const& windows, training_options const& o, std::int64_t latent, int repetition)
      : training(windows, o, latent,
                 limbic::rng{.seed = o.seed}
                     .split(static_cast<std::uint64_t>(latent))
                     .split(static_cast<std::uint64_t>(repetition))) {}

  // Trains until `epochs` are done. About once a second, and when it is to stop, its state is written to `checkpoint`; what
  // lies there when it begins is taken up. on_epoch(n): n epochs are done that were not a moment ago.
  template <class F> void run(int epochs, std::string const& checkpoint, F const& on_epoch) {
    limbic::training_state state;
    state("model", net);
    state("optimizer", optimizer_);
    state("order", order_);
    state("shuffling", shuffling_);
    state("losses", losses);
    state("seconds", seconds);
    if (std::filesystem::exists(checkpoint)) state.load(checkpoint);
    on_epoch(static_cast<long>(losses.size()));
    auto began = clock::now();
    auto const save = [&] {
      seconds += std::chrono::duration<double>(clock::now() - began).count();
      began = clock::now();
      state.save(checkpoint);
    };
    while (losses.size() < static_cast<std::size_t>(epochs)) {
      epoch();
      on_epoch(1);
      if (stop_requested != 0) {
        save();
        throw interrupted{.resumes = true};
      }
      if (clock::now() - began > std::chrono::seconds(1)) save();
    }
    seconds += std::chrono::duration<double>(clock::now() - began).count();
  }

 private:
  training(limbic::tensor<float, 3> const& windows, training_options const& o, std::int64_t latent, limbic::rng random)
      : training(windows, o, latent, random.split(0), random.split(1)) {}
  training(limbic::tensor<float, 3> const& windows, training_options const& o, std::int64_t latent, limbic::rng start,
           limbic::rng shuffling)
      : net({.input_size = windows.extent(2), .hidden_size = o.hidden, .latent_size = latent, .layers = o.layers},
            start),
        windows_(windows),
        shuffling_(shuffling),
        optimizer_(net, {.learning_rate = o.learning_rate}),
        order_(windows.extent(0), o.batch) {}

  void epoch() {
    double sum = 0;
    order_.shuffle(shuffling_);
    for (auto const& chosen : order_) {
      auto const x = limbic::take(windows_, chosen);
      limbic::tape t;
      auto const loss = limbic::mse_loss(net(t(x)), x);
      sum += static_cast<double>(loss.value()()) * static_cast<double>(chosen.size());
      t.backward(loss);
      optimizer_.step();
    }
    losses.push_back(sum / static_cast<double>(windows_.extent(0)));
  }

  limbic::tensor<float, 3> const& windows_;
  limbic::rng shuffling_;
  limbic::adam optimizer_;
  limbic::batches order_;
};

// The mean squared error over all windows.
inline double error_of(autoencoder const& net, limbic::tensor<float, 3> const& windows) {
  return static_cast<double>(limbic::mse_loss(net(windows), windows)());
}

// What the latent vectors tell of the windows: matrix-based Renyi entropy of order 2, Gaussian kernels of width 1,
// computed in double. `repeated`: the vector is taken once for each step, as the source's code does.
inline double information_of(autoencoder const& net, limbic::tensor<float, 3> const& windows, bool repeated) {
  auto const rows = [](auto const& x, std::ptrdiff_t times) {
    std::ptrdiff_t const n = x.extent(0), width = x.size() / n;
    limbic::tensor<double, 2> result({n, width * times}, limbic::uninitialized);
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = 0; j < width * times; ++j)
        result(i, j) = static_cast<double>(x.data()[i * width + j % width]);
    return result;
  };
  return limbic::mutual_information(rows(windows, 1), rows(net.encode(windows), repeated ? windows.extent(1) : 1),
                                    {.sigma = 1, .alpha = 2})();
}
