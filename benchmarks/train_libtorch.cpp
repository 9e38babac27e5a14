// One training step of small models, limbic and libtorch in one run, one thread each.
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
#include "train.hpp"

namespace {

namespace nn = torch::nn;

struct torch_autoencoder : nn::Module {
  nn::LSTM encoder{nullptr}, decoder{nullptr};
  nn::Linear latent{nullptr}, output{nullptr};
  torch_autoencoder() {
    encoder = register_module("encoder", nn::LSTM(nn::LSTMOptions(1, 64).batch_first(true)));
    latent = register_module("latent", nn::Linear(64, 42));
    decoder = register_module("decoder", nn::LSTM(nn::LSTMOptions(42, 64).batch_first(true)));
    output = register_module("output", nn::Linear(64, 1));
  }
  torch::Tensor forward(torch::Tensor const& x) {
    auto const h = std::get<0>(std::get<1>(encoder->forward(x)))[-1];
    auto const z = latent->forward(h).unsqueeze(1).repeat({1, x.size(1), 1});
    return output->forward(std::get<0>(decoder->forward(z)));
  }
};

template <class Step> void torch_steps(benchmark::State& state, torch::optim::Optimizer& optimizer,
                                       Step const& loss_of) {
  float last = 0;
  for (auto _ : state) {
    optimizer.zero_grad();
    auto const loss = loss_of();
    loss.backward();
    optimizer.step();
    last = loss.template item<float>();
  }
  state.counters["loss"] = static_cast<double>(last);
}

void torch_autoencoder_step(benchmark::State& state) {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  torch_autoencoder net;
  torch::optim::Adam optimizer(net.parameters(), 1e-3);
  auto const x = torch::rand({state.range(0), 10, 1});
  torch_steps(state, optimizer, [&] { return torch::mse_loss(net.forward(x), x); });
}

void torch_mlp_step(benchmark::State& state) {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  nn::Sequential net(nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10));
  torch::optim::Adam optimizer(net->parameters(), 1e-3);
  auto const x = torch::rand({state.range(0), 64});
  auto const y = torch::arange(state.range(0)).remainder(10);
  torch_steps(state, optimizer, [&] { return nn::functional::cross_entropy(net->forward(x), y); });
}

}  // namespace

BENCHMARK(bench::lstm_autoencoder_step)
    ->Name("lstm_autoencoder/limbic")
    ->Arg(32)
    ->Arg(135)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(torch_autoencoder_step)->Name("lstm_autoencoder/libtorch")->Arg(32)->Arg(135)->Unit(benchmark::kMicrosecond);
BENCHMARK(bench::mlp_step)->Name("mlp_64_64_10/limbic")->Arg(32)->Unit(benchmark::kMicrosecond);
BENCHMARK(torch_mlp_step)->Name("mlp_64_64_10/libtorch")->Arg(32)->Unit(benchmark::kMicrosecond);

int main(int argc, char** argv) { return bench::run(argc, argv); }
