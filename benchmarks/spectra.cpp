// Short-time spectra of 64 lines of 4096 samples, hop n_fft / 4, reflected ends, and scalograms of 4 lines of 4096 samples at 32
// scales (2 to 72, six an octave), one thread. `items` is the rate of frames, or of scales of a line. `basis` is the
// alternative of one matrix product of all frames with cosines and sines. The peers are NumPy, SciPy and PyWavelets, by
// stft_scipy.py beside this file.
#include <limbic/core/random.hpp>
#include <limbic/limbic.hpp>
#include <limbic/signal.hpp>

#include <benchmark/benchmark.h>

#include "context.hpp"

#include <cmath>

namespace {

using namespace limbic;

template <class T> tensor<T, 2, simd> signals(std::ptrdiff_t lines, std::ptrdiff_t samples) {
  tensor<T, 2, simd> x(shape{lines, samples});
  rng random{.seed = 1};
  random.normal(x);
  set_threads(1);
  return x;
}
constexpr std::ptrdiff_t frames_of(std::ptrdiff_t n) { return 64 * (4096 / (n / 4) + 1); }

template <class T> void stft_of(benchmark::State& state) {
  auto const x = signals<T>(64, 4096);
  std::ptrdiff_t const n = state.range(0);
  for (auto _ : state) {
    auto const m = stft_magnitude(x, {.n_fft = n});
    benchmark::DoNotOptimize(m.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * frames_of(n));
}
template <class T> void stft_gradient(benchmark::State& state) {
  auto const x = signals<T>(64, 4096);
  std::ptrdiff_t const n = state.range(0);
  for (auto _ : state) {
    tape t;
    auto const v = t.variable(x);
    t.backward(sum(stft_magnitude(v, {.n_fft = n})));
    benchmark::DoNotOptimize(v.gradient().data());
  }
  state.SetItemsProcessed(state.iterations() * frames_of(n));
}
template <class T> void basis(benchmark::State& state) {
  std::ptrdiff_t const n = state.range(0), frames = frames_of(n) / 64;
  auto const x = signals<T>(64, 4096 + n), b = signals<T>(n, n + 2);
  tensor<T, 3, simd> y(shape{64, frames, n + 2});
  view<T const, 3, simd> const e(x.data(), {{64, frames, n}}, {{4096 + n, n / 4, 1}});
  for (auto _ : state) {
    for (std::ptrdiff_t i = 0; i < 64; ++i) gemm(simd{}, as_sink(y.view()[i]), e[i], as_view(b));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * frames_of(n));
}
template <class T> void scalogram_of(benchmark::State& state) {
  auto const x = signals<T>(4, state.range(0));
  tensor<double, 1, scalar> scales(shape{32});
  for (std::ptrdiff_t i = 0; i < 32; ++i) scales(i) = 2 * std::pow(2.0, static_cast<double>(i) / 6);
  for (auto _ : state) {
    auto const m = scalogram(x, scales);
    benchmark::DoNotOptimize(m.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 4 * 32);
}

BENCHMARK(stft_of<float>)->Name("stft float")->Arg(64)->Arg(256)->Arg(400)->Arg(512)->Arg(1024);
BENCHMARK(stft_of<double>)->Name("stft double")->Arg(64)->Arg(256)->Arg(400)->Arg(512)->Arg(1024);
BENCHMARK(stft_gradient<float>)->Name("stft with gradient float")->Arg(512);
BENCHMARK(stft_gradient<double>)->Name("stft with gradient double")->Arg(512);
BENCHMARK(basis<float>)->Name("basis float")->Arg(64)->Arg(256)->Arg(512);
BENCHMARK(basis<double>)->Name("basis double")->Arg(64)->Arg(256)->Arg(512);
BENCHMARK(scalogram_of<float>)->Name("scalogram float")->Arg(1024)->Arg(4096)->Arg(16384);
BENCHMARK(scalogram_of<double>)->Name("scalogram double")->Arg(1024)->Arg(4096)->Arg(16384);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
