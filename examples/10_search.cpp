// 10_search - let a Gaussian process choose the settings of a training, and survive being killed
//
// A small network learns the spiral of two classes. How wide it is, how fast it learns and by which optimiser, one of which
// has a momentum to choose as well, is a space of typed parameters with a branch. A Bayesian search tries 16 settings in
// rounds of 4, which four workers could train side by side: the trials would be the same. What is measured goes to a log
// of one line a trial. Then the run is "killed" in the middle of a line, and goes on from the log to the same result.
//
// Before: 09_fixed_buffer.cpp    next: 11_checkpoint.cpp
#include "common/check.hpp"

#include <limbic/limbic.hpp>
#include <limbic/search.hpp>

#include <cmath>
#include <filesystem>

namespace {

using limbic::tensor;

struct network {
  limbic::linear<float> hidden, out;
  network(std::ptrdiff_t width, limbic::rng& random) : hidden(2, width, random), out(width, 2, random) {}
  auto operator()(auto const& x) const { return out(limbic::tanh(hidden(x))); }
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

struct spiral {
  tensor<float, 2> x{{100, 2}};
  tensor<std::int64_t, 1> label{limbic::shape<1>{{100}}};
  spiral() {
    for (int i = 0; i < 100; ++i) {
      double const turn = 0.5 + 0.04 * (i / 2), angle = 4 * turn + (i % 2 == 0 ? 0 : 3.14159265);
      x(i, 0) = static_cast<float>(turn * std::cos(angle));
      x(i, 1) = static_cast<float>(turn * std::sin(angle));
      label(i) = i % 2;
    }
  }
};

struct experiment {
  spiral data;
  limbic::search_space space;
  limbic::search_parameter<std::int64_t> width = space.log_integer("width", 2, 32);
  limbic::search_parameter<double> rate = space.log_real("rate", 1e-4, 1);
  limbic::search_parameter<std::string> method = space.categorical("method", {"adam", "sgd"});
  limbic::search_parameter<double> momentum = space.real("momentum", 0, 0.95, space.when(method, "sgd"));

  // The loss after 60 steps: NaN or infinity where training diverges, which the search takes as a failed trial.
  double operator()(limbic::candidate const& c) const {
    limbic::rng random{.seed = 1};
    network net(c[width], random);
    if (c[method] == "adam") return train(net, limbic::adam(net, {.learning_rate = c[rate]}));
    return train(net, limbic::sgd(net, {.learning_rate = c[rate], .momentum = c[momentum]}));
  }
  double train(network& net, auto optimizer) const {
    float last = 0;
    for (int step = 0; step < 60; ++step) {
      limbic::tape t;
      auto const loss = limbic::cross_entropy(net(t(data.x)), data.label);
      last = loss.item();
      t.backward(loss);
      optimizer.step();
    }
    return static_cast<double>(last);
  }
};

constexpr std::size_t trials = 16;
constexpr limbic::bayesian_search_options options{.seed = 3, .round = 4, .initial = 8};

}  // namespace

int main() {
  auto const path = (std::filesystem::temp_directory_path() / "limbic_10.jsonl").string();
  std::filesystem::remove(path);
  experiment const train;

  limbic::bayesian_search search(train.space, options);
  {
    limbic::search_log log(path, search);
    while (search.told() < trials)
      for (auto const& trial : search.ask()) {
        double const loss = train(trial.point);
        std::printf("%2zu  loss %.4f  %s\n", trial.index, loss, trial.point.json().c_str());
        log.tell(trial.index, loss);
      }
  }
  std::printf("best: %s\n", search.best().point.json().c_str());

  // The model of what was learned answers for settings that were never tried.
  auto const model = search.model();
  for (double const rate : {1e-4, 1e-2, 1.0}) {
    auto const p = model.predict(train.space.make({{"width", 32}, {"rate", rate}, {"method", "adam"}}));
    std::printf("adam, width 32, rate %g: loss %.3f +- %.3f expected\n", rate, p.mean, std::sqrt(p.variance));
  }

  // As many settings by chance alone.
  limbic::random_search chance(train.space, {.seed = 3});
  while (chance.told() < trials)
    for (auto const& trial : chance.ask()) chance.tell(trial.index, train(trial.point));
  std::printf("loss %.4f, by chance %.4f\n", search.best().value, chance.best().value);
  check(search.best().value < chance.best().value, "the search is better than chance");

  // Killed in the middle of a line, and started again.
  std::filesystem::resize_file(path, std::filesystem::file_size(path) * 6 / 10);
  limbic::bayesian_search again(train.space, options);
  {
    limbic::search_log log(path, again);
    std::printf("resumed after %zu trials\n", log.resumed());
    check(log.resumed() > 0 && log.resumed() < trials, "the whole lines are there");
    while (again.told() < trials)
      for (auto const& trial : again.ask()) log.tell(trial.index, train(trial.point));
  }
  check(again.best().value == search.best().value && again.best().point == search.best().point,
        "the run that was killed has come to the same bits");
  std::filesystem::remove(path);
}
