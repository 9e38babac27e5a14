// Matrix products, beside Eigen where it is installed. One thread. `flops` is what the arithmetic needs;
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

enum layout { plain, left_transposed, right_transposed };  // which operand lies in memory as its transpose

template <class D, class T, layout L> void gemm(benchmark::State& state) {
  limbic::set_threads(1);
  std::ptrdiff_t const m = state.range(0), n = state.range(1), k = state.range(2);
  tensor<T, 2, D> a(L == left_transposed ? shape{k, m} : shape{m, k}, T(1));
  tensor<T, 2, D> b(L == right_transposed ? shape{n, k} : shape{k, n}, T(1)), c(shape{m, n});
  auto const left = L == left_transposed ? limbic::as_view(a).transpose() : limbic::as_view(a);
  auto const right = L == right_transposed ? limbic::as_view(b).transpose() : limbic::as_view(b);
  for (auto _ : state) {
    limbic::gemm(D{}, limbic::sink<T, 2, D>(c.view()), left, right);
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  count(state, 2.0 * static_cast<double>(m * n * k));
}

#if HAS_EIGEN
template <class T, layout L> void eigen(benchmark::State& state) {
  Eigen::setNbThreads(1);
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  std::ptrdiff_t const m = state.range(0), n = state.range(1), k = state.range(2);
  matrix const a = L == left_transposed ? matrix::Ones(k, m) : matrix::Ones(m, k);
  matrix const b = L == right_transposed ? matrix::Ones(n, k) : matrix::Ones(k, n);
  matrix c = matrix::Zero(m, n);
  auto const product = [&](auto const& left, auto const& right) {
    if (n == 1) c.col(0).noalias() = left * right.col(0);
    else if (m == 1) c.row(0).noalias() = left.row(0) * right;
    else c.noalias() = left * right;
  };
  for (auto _ : state) {
    if constexpr (L == left_transposed) product(a.transpose(), b);
    else if constexpr (L == right_transposed) product(a, b.transpose());
    else product(a, b);
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
  b->Args({100, 75, 53});                         // nothing divides
  b->Args({256, 1, 256})->Args({1024, 1, 1024});  // matrix times vector
}
void fewer(benchmark::internal::Benchmark* b) {
  b->Args({64, 64, 64})->Args({512, 512, 512})->Args({100, 75, 53});
  b->Args({256, 1, 256})->Args({1024, 1, 1024})->Args({1, 256, 256});
}
BENCHMARK(gemm<limbic::simd, float, plain>)->Name("gemm/limbic")->Apply(sizes);
BENCHMARK(gemm<limbic::scalar, float, plain>)->Name("gemm/scalar")->Args({128, 128, 128});
BENCHMARK(gemm<limbic::simd, float, left_transposed>)->Name("gemm_transposed_a/limbic")->Apply(fewer);
BENCHMARK(gemm<limbic::simd, float, right_transposed>)->Name("gemm_transposed_b/limbic")->Apply(fewer);
BENCHMARK(gemm<limbic::simd, double, plain>)->Name("gemm_double/limbic")->Apply(fewer);
#if HAS_EIGEN
BENCHMARK(eigen<float, plain>)->Name("gemm/eigen")->Apply(sizes);
BENCHMARK(eigen<float, left_transposed>)->Name("gemm_transposed_a/eigen")->Apply(fewer);
BENCHMARK(eigen<float, right_transposed>)->Name("gemm_transposed_b/eigen")->Apply(fewer);
BENCHMARK(eigen<double, plain>)->Name("gemm_double/eigen")->Apply(fewer);
#endif

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
