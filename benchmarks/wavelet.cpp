// Wavelet transforms of 64 lines of 4096 samples: db4, five levels, symmetric extension, one thread. `samples` is the rate
// of input samples. `copy` reads and writes as many numbers, once; `peak` does as many fused multiply-adds as five levels
// need, without a load or store: what memory and arithmetic allow. The peer is PyWavelets, by its own script.
#include <limbic/core/random.hpp>
#include <limbic/signal.hpp>

#include <benchmark/benchmark.h>

#include "context.hpp"

namespace {

using limbic::shape;
using limbic::tensor;

constexpr std::ptrdiff_t lines = 64, samples = 4096;
constexpr int level = 5;

void count(benchmark::State& state) {
  state.counters["samples"] = benchmark::Counter(
      static_cast<double>(lines * samples), benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

template <class T, class D> tensor<T, 2, D> signals() {
  tensor<T, 2, D> x(shape{lines, samples});
  limbic::rng random{.seed = 1};
  random.normal(x);
  limbic::set_threads(1);
  return x;
}

template <class T, class D> void wavedec(benchmark::State& state) {
  auto const x = signals<T, D>();
  limbic::wavelet const w("db4");
  for (auto _ : state) {
    auto const bands = limbic::wavedec(x, w, {.level = level});
    benchmark::DoNotOptimize(bands[0].data());
    benchmark::ClobberMemory();
  }
  count(state);
}

template <class T, class D> void waverec(benchmark::State& state) {
  limbic::wavelet const w("db4");
  auto const bands = limbic::wavedec(signals<T, D>(), w, {.level = level});
  for (auto _ : state) {
    auto const x = limbic::waverec(bands, w);
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
  count(state);
}

template <class T> void copy(benchmark::State& state) {
  auto const x = signals<T, limbic::simd>();
  for (auto _ : state) {
    tensor<T, 2, limbic::simd> const y(x);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  count(state);
}

#if LIMBIC_SIMD
// Two filters of eight taps at each of the samples / 2 + samples / 4 + ... places.
template <class T> void peak(benchmark::State& state) {
  using L = limbic::lanes<T>;
  using V = typename L::type;
  double const needed = 8.0 * lines * samples * (2 - 2.0 / (1 << level));
  auto const rounds = static_cast<std::ptrdiff_t>(needed / (12.0 * static_cast<double>(L::width)));
  V acc[12];
  for (auto& v : acc) v = V(T(1));
  V a(T(0.999)), b(T(0.001));
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    for (std::ptrdiff_t i = 0; i < rounds; ++i)
      for (auto& v : acc) v = limbic::math::fma(v, a, b);
    for (auto& v : acc) benchmark::DoNotOptimize(v);
  }
  count(state);
}
#endif

BENCHMARK(wavedec<float, limbic::simd>)->Name("wavedec float/limbic");
BENCHMARK(wavedec<float, limbic::scalar>)->Name("wavedec float/scalar");
BENCHMARK(wavedec<double, limbic::simd>)->Name("wavedec double/limbic");
BENCHMARK(wavedec<double, limbic::scalar>)->Name("wavedec double/scalar");
BENCHMARK(waverec<float, limbic::simd>)->Name("waverec float/limbic");
BENCHMARK(waverec<double, limbic::simd>)->Name("waverec double/limbic");
BENCHMARK(copy<float>)->Name("copy float/limbic");
BENCHMARK(copy<double>)->Name("copy double/limbic");
#if LIMBIC_SIMD
BENCHMARK(peak<float>)->Name("peak float/multiply_add");
BENCHMARK(peak<double>)->Name("peak double/multiply_add");
#endif

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
