// tests/train_lstm_autoencoder.cu - the whole training step of the LSTM autoencoder on a GPU
//
// Two models from the same seed, one on the CPU and one on the GPU, are trained on the same windows of a sine: forward,
// backward, clipping and Adam. Losses and parameters must stay together, and from the second step on the GPU's model must take
// no more memory.
#include <limbic/core/visit.hpp>
#include <limbic/models/lstm_autoencoder.hpp>
#include <limbic/ops/mse_loss.hpp>
#include <limbic/optim/optim.hpp>
#include <limbic/tape/record.hpp>
#include <limbic_cuda/backend.cuh>
#include <limbic_cuda/model.cuh>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

using namespace limbic;

constexpr std::ptrdiff_t windows = 32, steps = 10;
constexpr int epochs = 8;
constexpr lstm_autoencoder_options size{.input_size = 1, .hidden_size = 64, .latent_size = 42};

tensor<float, 3, scalar> series() {
  tensor<float, 3, scalar> x({windows, steps, 1});
  for (std::ptrdiff_t w = 0; w < windows; ++w)
    for (std::ptrdiff_t s = 0; s < steps; ++s)
      x(w, s, 0) = static_cast<float>(0.5 + 0.4 * std::sin(0.5 * static_cast<double>(w + s)));
  return x;
}

struct history {
  bool frugal = true;  // no memory was taken from the driver after the first step
  std::vector<double> losses;
  std::vector<float> parameters;
};

template <class D> double number(view<float const, 0, D> v) {
  if constexpr (is_host<D>) return static_cast<double>(*v.data());
  else return static_cast<double>(*to_host<scalar>(v).data());
}
template <class D> tensor<float, 3, D> placed(tensor<float, 3, scalar> const& x) {
  if constexpr (is_host<D>) return tensor<float, 3, D>(x.view().on(D{}));
  else return to_device(x);
}

template <class D> history train() {
  history h;
  rng random{.seed = 7};
  lstm_autoencoder<float, D> net(size, random);
  adam optimizer(net, {.learning_rate = 1e-3});
  tensor<float, 3, D> const x = placed<D>(series());
  [[maybe_unused]] std::size_t taken = 0;
  for (int e = 0; e < epochs; ++e) {
    tape t;
    auto const batch = t(x);
    auto const loss = mse_loss(net(batch), batch);
    t.backward(loss);
    clip_gradient_norm(net, 1.0);
    optimizer.step();
    h.losses.push_back(number(loss.value()));
    if constexpr (!is_host<D>) {
      std::size_t const now = static_cast<device_pool&>(current_memory(D{})).taken();
      h.frugal = h.frugal && (e == 0 || now == taken);
      taken = now;
    }
  }
  auto const remember = [&]<int R>(std::string_view, parameter<float, R> const& p) {
    h.parameters.insert(h.parameters.end(), p.value.begin(), p.value.end());
  };
  if constexpr (is_host<D>) {
    visit_parameters(net, remember);
  } else {
    rng other{.seed = 8};
    lstm_autoencoder<float> on_host(size, other);
    download_state(on_host, net);
    visit_parameters(on_host, remember);
    upload_state(net, on_host);
    tape t;
    h.losses.push_back(number(mse_loss(net(t(x)), t(x)).value()));  // the same model still
  }
  return h;
}

}  // namespace

int main() {
  if (device_count() == 0) {
    std::puts("no CUDA device: skipped");
    return 77;
  }
  try {
    history const cpu = train<default_device>();
    history gpu = train<cuda>();
    double worst_loss = 0, worst_parameter = 0;
    for (int e = 0; e < epochs; ++e)
      worst_loss = std::fmax(worst_loss, std::abs(cpu.losses[e] - gpu.losses[e]) / cpu.losses[e]);
    double const after = gpu.losses.back();  // one step further than the last of training
    gpu.losses.pop_back();
    bool const sizes = cpu.parameters.size() == gpu.parameters.size();
    for (std::size_t i = 0; sizes && i < cpu.parameters.size(); ++i)
      worst_parameter = std::fmax(
          worst_parameter, std::abs(static_cast<double>(cpu.parameters[i]) - static_cast<double>(gpu.parameters[i])));
    std::printf("loss %.6f -> %.6f on the CPU, %.6f -> %.6f on the GPU\n", cpu.losses.front(), cpu.losses.back(),
                gpu.losses.front(), gpu.losses.back());
    std::printf("largest difference: loss %.3g (relative), parameter %.3g of %zu\n", worst_loss, worst_parameter,
                cpu.parameters.size());
    // Adam moves a parameter by up to its rate a step whatever the gradient's size, so that the sign of a gradient that is
    // nearly 0 may take two models apart by 2e-3 a step; the loss hardly sees it.
    bool const good = sizes && gpu.frugal && after < gpu.losses.back() && gpu.losses.back() < gpu.losses.front() &&
                      worst_loss < 1e-3 && worst_parameter < 1e-2;
    std::printf("memory: %s\n", gpu.frugal ? "the same from the second step on" : "grows");
    std::puts(good ? "ok" : "FAILED");
    return good ? 0 : 1;
  } catch (std::exception const& e) {
    std::printf("FAILED: %s\n", e.what());
    return 1;
  }
}
