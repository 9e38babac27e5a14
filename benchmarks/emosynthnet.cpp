// A training step of EmoSynthNet on 28 x 28 images: forward, backward, Adam. One thread. emosynthnet_torch.py measures
// the same network in PyTorch. `images` are images a second, `megabytes` the most memory the process ever had.
#include "context.hpp"

#include <limbic/limbic.hpp>
#include <limbic/models/emosynthnet.hpp>

#include <sys/resource.h>

namespace {

void emosynthnet_step(benchmark::State& state) {
  using namespace limbic;
  set_threads(1);
  std::ptrdiff_t const width = state.range(0), batch = state.range(1);
  rng random{.seed = 1};
  emosynthnet<float> net({.channels = 1, .classes = 10, .size = 28, .width = width, .dropout = 0}, random);
  adam optimizer(net, {.learning_rate = 1e-3});
  tensor<float, 4> x(shape{batch, 1, 28, 28});
  random.normal(x);
  tensor<std::int64_t, 1> labels(shape{batch});
  for (std::ptrdiff_t i = 0; i < batch; ++i) labels(i) = i % 10;
  double last = 0;
  auto const step = [&] {
    tape t;
    auto const loss = cross_entropy(net(t(x), training{random}), labels);
    t.backward(loss);
    optimizer.step();
    last = static_cast<double>(loss.item());
  };
  step();  // the first one fetches memory
  for (auto _ : state) step();
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  state.counters["images"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["megabytes"] = static_cast<double>(used.ru_maxrss) / 1024;
  state.counters["loss"] = last;
}
BENCHMARK(emosynthnet_step)
    ->ArgNames({"width", "batch"})
    ->Args({8, 16})
    ->Args({32, 16})
    ->Args({32, 64})
    ->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
