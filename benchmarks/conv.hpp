// Convolutions as networks have them: a square kernel, `same` padding, one thread. `flops` counts every tap, those that
// meet the padding too.
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/kernels/conv.hpp>

#include <benchmark/benchmark.h>

namespace bench {

enum class pass { forward, input_gradient, weight_gradient };

struct conv_case {
  std::ptrdiff_t images, in, out, size, kernel, groups;
  explicit conv_case(benchmark::State const& s)
      : images(s.range(0)), in(s.range(1)), out(s.range(2)), size(s.range(3)), kernel(s.range(4)), groups(s.range(5)) {}
  double flops() const {
    return 2.0 * static_cast<double>(images * out * size * size * (in / groups) * kernel * kernel);
  }
};
inline void conv_cases(benchmark::internal::Benchmark* b) {
  b->ArgNames({"images", "in", "out", "size", "kernel", "groups"});
  b->Args({16, 3, 32, 28, 3, 1})->Args({16, 64, 64, 28, 3, 1})->Args({16, 128, 128, 14, 3, 1});
  b->Args({16, 256, 256, 7, 3, 1})->Args({16, 512, 512, 3, 3, 1})->Args({16, 64, 96, 28, 5, 1});
  b->Args({16, 128, 192, 14, 1, 1})->Args({16, 128, 128, 14, 3, 128})->Args({1, 64, 64, 28, 3, 1});
  b->Unit(benchmark::kMicrosecond);
}
inline void count_flops(benchmark::State& state, double flops) {
  state.counters["flops"] =
      benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

template <class T, pass P> void limbic_conv(benchmark::State& state) {
  using namespace limbic;
  set_threads(1);
  conv_case const c(state);
  tensor<T, 4, simd> x(shape{c.images, c.in, c.size, c.size}), y(shape{c.images, c.out, c.size, c.size});
  tensor<T, 4, simd> w(shape{c.out, c.in / c.groups, c.kernel, c.kernel});
  rng random{.seed = 1};
  for (auto* t : {&x, &y, &w}) random.normal(*t);
  conv_geometry const g{.padding = {{c.kernel / 2, c.kernel / 2}}, .groups = c.groups};
  for (auto _ : state) {
    if constexpr (P == pass::forward) conv(simd{}, as_sink(y), as_view(x), as_view(w), g);
    else if constexpr (P == pass::input_gradient) conv_input_gradient(simd{}, as_sink(x), as_view(y), as_view(w), g);
    else conv_weight_gradient(simd{}, as_sink(w), as_view(x), as_view(y), g);
    benchmark::ClobberMemory();
  }
  count_flops(state, c.flops());
}

inline void register_limbic_convs() {
  benchmark::RegisterBenchmark("conv_forward/limbic", limbic_conv<float, pass::forward>)->Apply(conv_cases);
  benchmark::RegisterBenchmark("conv_input_gradient/limbic", limbic_conv<float, pass::input_gradient>)
      ->Apply(conv_cases);
  benchmark::RegisterBenchmark("conv_weight_gradient/limbic", limbic_conv<float, pass::weight_gradient>)
      ->Apply(conv_cases);
}

}  // namespace bench
