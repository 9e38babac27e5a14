// A training step of EmoSynthNet on 28 x 28 images: forward, backward, Adam. One thread. emosynthnet_torch.py measures
// the same network in PyTorch. `images` are images a second, `megabytes` the most memory the process ever had.
//
// And the network in use, where a convolution and what follows it are one pass (nn/fused.hpp), beside the same layers one
// after another: as a tape runs them, on which nothing is recorded because all parameters are frozen. conv_unit is one of its
// units: convolution, ELU, batch norm.
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

template <bool Fused> void emosynthnet_use(benchmark::State& state) {
  using namespace limbic;
  set_threads(1);
  std::ptrdiff_t const width = state.range(0), batch = state.range(1);
  rng random{.seed = 1};
  emosynthnet<float> net({.channels = 1, .classes = 10, .size = 28, .width = width, .side = state.range(2) != 0},
                         random);
  set_trainable(net, false);
  tensor<float, 4> x(shape{batch, 1, 28, 28});
  random.normal(x);
  for (auto _ : state) {
    if constexpr (Fused) {
      benchmark::DoNotOptimize(net(x, evaluation{}).data());
    } else {
      tape t;
      benchmark::DoNotOptimize(net(t(x), evaluation{}).value().data());
    }
  }
  state.counters["images"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}
void emosynthnet_uses(benchmark::internal::Benchmark* b) {
  b->ArgNames({"width", "batch", "side"})->Args({32, 1, 1})->Args({32, 16, 1})->Args({32, 1, 0})->Args({32, 16, 0});
  b->Unit(benchmark::kMillisecond);
}
BENCHMARK_TEMPLATE(emosynthnet_use, false)->Name("emosynthnet_use/layers")->Apply(emosynthnet_uses);
BENCHMARK_TEMPLATE(emosynthnet_use, true)->Name("emosynthnet_use/fused")->Apply(emosynthnet_uses);

template <bool Fused> void conv_unit(benchmark::State& state) {
  using namespace limbic;
  set_threads(1);
  rng random{.seed = 1};
  conv_elu_norm<float> const unit(state.range(1), state.range(2), random, {});
  tensor<float, 4> x(shape{state.range(0), state.range(1), state.range(3), state.range(3)});
  random.normal(x);
  for (auto _ : state) {
    if constexpr (Fused) benchmark::DoNotOptimize(unit(x, evaluation{}).data());
    else benchmark::DoNotOptimize(unit.norm(elu(unit.conv(x)), evaluation{}).data());
  }
}
void conv_units(benchmark::internal::Benchmark* b) {
  b->ArgNames({"images", "in", "out", "size"});
  for (std::int64_t const images : {1, 16})
    b->Args({images, 1, 32, 28})
        ->Args({images, 64, 64, 28})
        ->Args({images, 128, 128, 14})
        ->Args({images, 256, 256, 7})
        ->Args({images, 512, 512, 3});
  b->Unit(benchmark::kMicrosecond);
}
BENCHMARK_TEMPLATE(conv_unit, false)->Name("conv_unit/layers")->Apply(conv_units);
BENCHMARK_TEMPLATE(conv_unit, true)->Name("conv_unit/fused")->Apply(conv_units);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
