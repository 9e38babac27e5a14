// soft-DTW: value and gradient of 64 pairs of 8 channels, and hard DTW, a ladder from one number at a time to a pack of
// pairs; one thread. The comparison with other programs is told in results/.
//
// items/s are cells, T^2 a pair. `exp_log` computes 2 exponentials and 1 logarithm an item with the library's packs: what
// a cell in the logarithmic domain would cost by those alone.
#include <limbic/core/random.hpp>
#include <limbic/kernels/soft_dtw.hpp>

#include <benchmark/benchmark.h>

#include "context.hpp"

namespace {

using limbic::shape;
using limbic::tensor;
using limbic::view;

enum class want { value, gradient, both_gradients };

template <class Rule, class T, class D> void warp(benchmark::State& state, Rule const& rule, want wanted) {
  limbic::set_threads(1);
  std::ptrdiff_t const pairs = state.range(0), length = state.range(1), channels = state.range(2);
  tensor<T, 3, D> x(shape{pairs, length, channels}), y(x.shape()), gx(x.shape()), gy(x.shape());
  tensor<T, 1, D> value(shape{pairs});
  limbic::rng random{.seed = 1};
  random.uniform(x, -1, 1);
  random.uniform(y, -1, 1);
  view<T, 3, D> const none, to_x = wanted == want::value ? none : gx.view(),
                            to_y = wanted == want::both_gradients ? gy.view() : none;
  for (auto _ : state) {
    limbic::dtw_of_series(D{}, rule, value.view(), to_x, to_y, limbic::as_view(x), limbic::as_view(y),
                          limbic::dtw_pairs{}, limbic::no_band);
    benchmark::DoNotOptimize(value.data());
    benchmark::DoNotOptimize(gx.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * pairs * length * length);
}
template <class T, class D> void soft(benchmark::State& state, want wanted) {
  warp<limbic::soft_minimum, T, D>(state, {1.0}, wanted);
}
template <class T, class D> void hard(benchmark::State& state) {
  warp<limbic::hard_minimum, T, D>(state, {}, want::value);
}

void ladder(benchmark::internal::Benchmark* b) {
  for (int length : {64, 128, 256, 512}) b->Args({64, length, 8});
}
BENCHMARK_CAPTURE((soft<double, limbic::scalar>), scalar_f64, want::gradient)
    ->Name("soft_dtw_gradient/scalar_f64")
    ->Args({64, 128, 8});
BENCHMARK_CAPTURE((soft<float, limbic::scalar>), scalar_f32, want::gradient)
    ->Name("soft_dtw_gradient/scalar_f32")
    ->Args({64, 128, 8});
BENCHMARK_CAPTURE((soft<double, limbic::simd>), simd_f64, want::gradient)
    ->Name("soft_dtw_gradient/simd_f64")
    ->Args({64, 128, 8});
BENCHMARK_CAPTURE((soft<float, limbic::simd>), simd_f32, want::gradient)
    ->Name("soft_dtw_gradient/simd_f32")
    ->Apply(ladder);
BENCHMARK_CAPTURE((soft<float, limbic::simd>), simd_f32, want::both_gradients)
    ->Name("soft_dtw_both_gradients/simd_f32")
    ->Args({64, 128, 8});
BENCHMARK_CAPTURE((soft<float, limbic::simd>), simd_f32, want::gradient)
    ->Name("soft_dtw_gradient_1_channel/simd_f32")
    ->Args({64, 128, 1});
BENCHMARK_CAPTURE((soft<float, limbic::simd>), simd_f32, want::value)
    ->Name("soft_dtw_value/simd_f32")
    ->Args({64, 128, 8})
    ->Args({64, 128, 1});
BENCHMARK_CAPTURE((soft<float, limbic::scalar>), one, want::gradient)
    ->Name("soft_dtw_gradient_1_pair/scalar_f32")
    ->Args({1, 128, 8});
BENCHMARK_CAPTURE((soft<float, limbic::simd>), one, want::gradient)
    ->Name("soft_dtw_gradient_1_pair/simd_f32")
    ->Args({1, 128, 8});
BENCHMARK(hard<float, limbic::scalar>)->Name("dtw_value/scalar_f32")->Args({64, 128, 1});
BENCHMARK(hard<float, limbic::simd>)->Name("dtw_value/simd_f32")->Args({64, 128, 1})->Args({64, 128, 8});

void exp_log(benchmark::State& state) {
  using L = limbic::kernel_lanes<limbic::simd, float>;
  tensor<float, 1> x(shape{4096}), y(x.shape());
  limbic::rng{.seed = 1}.uniform(x, -2, 0);
  for (auto _ : state) {
    for (std::ptrdiff_t i = 0; i < x.size(); i += L::width) {
      auto const v = L::load(x.data() + i);
      auto const a = limbic::math::exp(v), b = limbic::math::exp(v + v);
      L::store(y.data() + i, limbic::math::log(a + b));
    }
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * x.size());
}
BENCHMARK(exp_log);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
