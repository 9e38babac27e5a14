// Convolutions and their gradients, limbic and libtorch (oneDNN) in one run, one thread each.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include <torch/torch.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include "context.hpp"
#include "conv.hpp"

namespace {

template <bench::pass P> void torch_conv(benchmark::State& state) {
  torch::set_num_threads(1);
  torch::NoGradGuard const no_gradient;
  bench::conv_case const c(state);
  auto const x = torch::randn({c.images, c.in, c.size, c.size}), y = torch::randn({c.images, c.out, c.size, c.size});
  auto const w = torch::randn({c.out, c.in / c.groups, c.kernel, c.kernel});
  std::int64_t const one[] = {1, 1}, none[] = {0, 0}, padding[] = {c.kernel / 2, c.kernel / 2};
  for (auto _ : state) {
    if constexpr (P == bench::pass::forward)
      benchmark::DoNotOptimize(at::convolution(x, w, {}, one, padding, one, false, none, c.groups));
    else
      benchmark::DoNotOptimize(
          at::convolution_backward(y, x, w, at::OptionalIntArrayRef(), one, padding, one, false, none, c.groups,
                                   {P == bench::pass::input_gradient, P == bench::pass::weight_gradient, false}));
  }
  bench::count_flops(state, c.flops());
}

}  // namespace

int main(int argc, char** argv) {
  using bench::pass;
  bench::register_limbic_convs();
  benchmark::RegisterBenchmark("conv_forward/libtorch", torch_conv<pass::forward>)->Apply(bench::conv_cases);
  benchmark::RegisterBenchmark("conv_input_gradient/libtorch", torch_conv<pass::input_gradient>)
      ->Apply(bench::conv_cases);
  benchmark::RegisterBenchmark("conv_weight_gradient/libtorch", torch_conv<pass::weight_gradient>)
      ->Apply(bench::conv_cases);
  return bench::run(argc, argv);
}
