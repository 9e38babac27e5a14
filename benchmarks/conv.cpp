// Convolutions; conv_libtorch.cpp measures the same beside libtorch, bench_gemm the peak of the core.
#include "context.hpp"
#include "conv.hpp"

int main(int argc, char** argv) {
  bench::register_limbic_convs();
  return bench::run(argc, argv);
}
