// Matrix products of floats, beside Eigen where it is installed. One thread. `flops` is what the arithmetic needs;
// `peak` measures what this core's fused multiply-adds reach when nothing is loaded or stored: the physical limit.
#include <limbic/backend/gemm.hpp>

#include <benchmark/benchmark.h>
#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#define HAS_EIGEN 1
#else
#define HAS_EIGEN 0
#endif

#include "context.hpp"

namespace {

using limbic::shape;
using limbic::tensor;

void count(benchmark::State& state, double flops) {
  state.counters["flops"] =
      benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

template <class D> void gemm(benchmark::State& state) {
  limbic::set_threads(1);
  std::ptrdiff_t const m = state.range(0), n = state.range(1), k = state.range(2);
  tensor<float, 2, D> a(shape{m, k}, 1.0F), b(shape{k, n}, 1.0F), c(shape{m, n});
  for (auto _ : state) {
    limbic::gemm(D{}, limbic::sink<float, 2, D>(c.view()), limbic::as_view(a), limbic::as_view(b));
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  count(state, 2.0 * static_cast<double>(m * n * k));
}

#if HAS_EIGEN
void eigen(benchmark::State& state) {
  Eigen::setNbThreads(1);
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  std::ptrdiff_t const m = state.range(0), n = state.range(1), k = state.range(2);
  matrix const a = matrix::Ones(m, k), b = matrix::Ones(k, n);
  matrix c = matrix::Zero(m, n);
  for (auto _ : state) {
    if (n == 1) c.col(0).noalias() = a * b.col(0);
    else c.noalias() = a * b;
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  count(state, 2.0 * static_cast<double>(m * n * k));
}
#endif

#if LIMBIC_SIMD
void peak(benchmark::State& state) {
  using L = limbic::lanes<float>;
  using V = L::type;
  V acc[12];
  for (auto& v : acc) v = V(1.0F);
  V a(0.999F), b(0.001F);
  benchmark::DoNotOptimize(a);
  benchmark::DoNotOptimize(b);
  int const rounds = 1000;
  for (auto _ : state) {
    for (int i = 0; i < rounds; ++i)
      for (auto& v : acc) v = limbic::math::fma(v, a, b);
    for (auto& v : acc) benchmark::DoNotOptimize(v);
  }
  count(state, 2.0 * 12 * static_cast<double>(rounds * L::width));
}
BENCHMARK(peak)->Name("multiply_add/peak");
#endif

void sizes(benchmark::internal::Benchmark* b) {
  for (int n : {16, 32, 64, 128, 256, 512, 1024}) b->Args({n, n, n});
  b->Args({32, 256, 64});                         // gates of an LSTM, batch 32
  b->Args({256, 1, 256})->Args({1024, 1, 1024});  // matrix times vector
}
BENCHMARK(gemm<limbic::simd>)->Name("gemm/limbic")->Apply(sizes);
#if HAS_EIGEN
BENCHMARK(eigen)->Name("gemm/eigen")->Apply(sizes);
#endif
BENCHMARK(gemm<limbic::scalar>)->Name("gemm/scalar")->Args({128, 128, 128});

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
