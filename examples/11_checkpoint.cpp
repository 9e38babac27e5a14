// 11_checkpoint - a training run that is stopped, and goes on as if it had not been
//
//   11_checkpoint                  shows it
//   11_checkpoint FILE EPOCHS      trains until EPOCHS, from where FILE has got to; kill it whenever you like, start it again
//
// Before: 10_search.cpp    next: 12_arrays.cpp
#include "common/check.hpp"

#include <limbic/data.hpp>
#include <limbic/io/checkpoint.hpp>
#include <limbic/limbic.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>

using limbic::tensor;

struct regression {
  limbic::linear<float> hidden, out;
  limbic::dropout drop{0.1};
  explicit regression(limbic::rng& random) : hidden(1, 32, random), out(32, 1, random) {}
  auto operator()(auto const& x, auto mode) const { return out(drop(limbic::tanh(hidden(x)), mode)); }
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

// Everything that changes while training lies here, and `each` names all of it.
struct training_run {
  limbic::rng random{.seed = 7};
  regression net{random};
  limbic::adamw optimizer{net, {.learning_rate = 1e-2}};
  limbic::exponential_moving_average average{net, {.decay = 0.99}};
  limbic::reduce_on_plateau plateau{1e-2, {.factor = 0.5, .patience = 5}};
  std::vector<double> losses;

  void each(auto f) {
    f("random", random);
    f("model", net);
    f("optimizer", optimizer);
    f("average", average);
    f("plateau", plateau);
    f("losses", losses);
  }

  void train_until(std::size_t epochs, std::string const& path) {
    limbic::training_state state;
    state("", *this);
    if (std::filesystem::exists(path)) state.load(path);

    tensor<float, 2> x({96, 1}), y({96, 1});
    for (std::ptrdiff_t i = 0; i < 96; ++i) {
      x(i, 0) = static_cast<float>(i) / 48 - 1;
      y(i, 0) = std::sin(3 * x(i, 0));
    }
    limbic::batches order(96, 32);
    while (losses.size() < epochs) {
      double sum = 0;
      order.shuffle(random);
      for (auto const& chosen : order) {
        limbic::tape t;
        auto const loss = limbic::mse_loss(net(t(take(x, chosen)), limbic::training{random}), take(y, chosen));
        sum += static_cast<double>(loss.item());
        t.backward(loss);
        optimizer.step();
        average.update();
      }
      losses.push_back(sum / 3);
      optimizer.learning_rate = plateau.step(losses.back());
      state.save(path);
    }
  }
};

bool same_bytes(std::string const& a, std::string const& b) {
  auto const x = limbic::read_file("example", a), y = limbic::read_file("example", b);
  return x == y;
}

int main(int argc, char** argv) {
  if (argc == 3) {
    training_run run;
    run.train_until(static_cast<std::size_t>(std::atoi(argv[2])), argv[1]);
    std::printf("%zu epochs, loss %.6f\n", run.losses.size(), run.losses.back());
    return 0;
  }
  auto const folder = std::filesystem::temp_directory_path();
  auto const whole = (folder / "limbic_11_whole.safetensors").string();
  auto const parts = (folder / "limbic_11_parts.safetensors").string();
  std::filesystem::remove(whole), std::filesystem::remove(parts);

  training_run once;
  once.train_until(40, whole);
  for (std::size_t const stop : {7U, 20U, 40U}) {
    training_run part;  // knows nothing but the file
    part.train_until(stop, parts);
    std::printf("%2zu epochs, loss %.6f\n", part.losses.size(), part.losses.back());
  }
  check(same_bytes(whole, parts), "three runs in a row end with the same bits as one");
  check(once.losses.back() < 0.5 * once.losses.front(), "and something was learned");

  // Another optimiser cannot go on from here, and nothing is half-loaded.
  limbic::rng other{.seed = 1};
  regression net(other);
  limbic::sgd optimizer(net, {.momentum = 0.9});
  limbic::training_state wrong;
  wrong("model", net)("optimizer", optimizer);
  float const before = net.out.weight.value(0, 0);
  try {
    wrong.load(whole);
    check(false, "a checkpoint of another optimiser is refused");
  } catch (limbic::io_error const& e) {
    std::printf("%s\n", e.what());
  }
  check(net.out.weight.value(0, 0) == before, "and the model is what it was");

  // The model alone, to be used: a list that names less than the file holds.
  limbic::training_state only;
  only("model", net).load(whole, {.allow_extra = true});
  check(net.out.weight.value(0, 0) == once.net.out.weight.value(0, 0), "the model alone can be taken out");
  std::filesystem::remove(whole), std::filesystem::remove(parts);
}
