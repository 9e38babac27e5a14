// Training steps of small models; train_libtorch.cpp measures the same beside libtorch.
#include "context.hpp"
#include "train.hpp"

BENCHMARK(bench::lstm_autoencoder_step)
    ->Name("lstm_autoencoder/limbic")
    ->Arg(32)
    ->Arg(135)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(bench::mlp_step)->Name("mlp_64_64_10/limbic")->Arg(32)->Unit(benchmark::kMicrosecond);

int main(int argc, char** argv) { return bench::run(argc, argv); }
