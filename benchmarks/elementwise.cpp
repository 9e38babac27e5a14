// Elementwise functions over 4096 floats in the first cache: the SIMD backend beside the scalar one, so that SIMD is not
// scalar in disguise. `copy` moves the same bytes and computes nothing: the limit.
#include <limbic/ops/ops.hpp>

#include <benchmark/benchmark.h>

#include "context.hpp"

namespace {

using limbic::shape;
using limbic::tensor;

struct exp_of {
  template <class D> void operator()(D d, tensor<float, 1, D>& y, tensor<float, 1, D> const& x) const {
    limbic::map(d, y, limbic::detail::value_of<limbic::exp_op>{}, x);
  }
};
struct tanh_of {
  template <class D> void operator()(D d, tensor<float, 1, D>& y, tensor<float, 1, D> const& x) const {
    limbic::map(d, y, limbic::detail::value_of<limbic::tanh_op>{}, x);
  }
};
struct elu_of {
  template <class D> void operator()(D d, tensor<float, 1, D>& y, tensor<float, 1, D> const& x) const {
    limbic::map(d, y, limbic::detail::value_of<limbic::elu_op>{}, x);
  }
};
struct copy_of {
  template <class D> void operator()(D d, tensor<float, 1, D>& y, tensor<float, 1, D> const& x) const {
    limbic::copy(d, y, x);
  }
};

template <class F, class D> void elementwise(benchmark::State& state) {
  limbic::set_threads(1);
  tensor<float, 1, D> x(shape{4096}), y(shape{4096});
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) x(i) = -4.0F + 8.0F * static_cast<float>(i) / 4096.0F;
  for (auto _ : state) {
    F()(D{}, y, x);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * x.size());
}
#define BOTH(name)                                                      \
  BENCHMARK(elementwise<name##_of, limbic::simd>)->Name(#name "/simd"); \
  BENCHMARK(elementwise<name##_of, limbic::scalar>)->Name(#name "/scalar")
BOTH(exp);
BOTH(tanh);
BOTH(elu);
BOTH(copy);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
