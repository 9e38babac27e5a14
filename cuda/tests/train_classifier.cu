// tests/train_classifier.cu - the losses of classifiers, dropout, and every optimiser on a GPU
//
// A small classifier is trained on the CPU and on the GPU from the same seed, each step with another loss. Losses,
// gradient norms, gradients of the input and the parameters at the end must agree.
#include <limbic/core/visit.hpp>
#include <limbic/nn/dropout.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/ops/losses.hpp>
#include <limbic/optim/optim.hpp>
#include <limbic/tape/record.hpp>
#include <limbic_cuda/backend.cuh>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

using namespace limbic;

template <class D, class T, int R> tensor<T, R, D> placed(tensor<T, R, scalar> const& x) {
  if constexpr (is_host<D>) return tensor<T, R, D>(x.view().on(D{}));
  else return to_device(x);
}

template <class D> struct run {
  rng random{.seed = 3};
  linear<float, D> net{5, 5, random};
  dropout drop{0.3};
  adam first{net, {.amsgrad = true}};
  adamw second{net};
  rmsprop third{net, {.momentum = 0.5, .centered = true}};
  sgd fourth{net, {.momentum = 0.5, .nesterov = true}};
  exponential_moving_average average{net, {.decay = 0.5}};
  tensor<float, 2, D> x, q;
  tensor<std::int64_t, 1, D> y, all;
  tensor<float, 1, D> w;
  std::vector<double> numbers;

  run() {
    tensor<float, 2, scalar> inputs({7, 5}), targets({7, 5});
    random.uniform(inputs, -3, 3);
    random.uniform(targets);
    x = placed<D>(inputs);
    q = placed<D>(targets);
    y = placed<D>(tensor<std::int64_t, 1, scalar>({7}, {0, 4, 2, -100, 1, 1, 3}));
    all = placed<D>(tensor<std::int64_t, 1, scalar>({7}, {0, 4, 2, 2, 1, 1, 3}));
    w = placed<D>(tensor<float, 1, scalar>({5}, {0.3F, 1, 2, 0.5F, 1.5F}));
  }

  template <int R> void note(view<float const, R, D> v) {
    tensor<float, R, D> const packed(v);
    if constexpr (is_host<D>) numbers.insert(numbers.end(), packed.data(), packed.data() + packed.size());
    else if (auto const h = to_host<scalar>(packed); true) numbers.insert(numbers.end(), h.data(), h.data() + h.size());
  }

  // One step of `optimizer` on the loss f(logits).
  template <class O, class F> void step(O& optimizer, F const& f) {
    tape t;
    auto const v = t.variable(x);
    auto const loss = f(net(v));
    t.backward(loss);
    note(loss.value());
    note(v.gradient());
    numbers.push_back(clip_gradient_norm(net, 0.5));
    optimizer.step();
    average.update();
  }

  void train() {
    step(first, [&](auto const& v) { return cross_entropy(v, y); });
    step(first, [&](auto const& v) { return cross_entropy(v, y, w, {.label_smoothing = 0.2}, reduction::sum); });
    step(second, [&](auto const& v) { return cross_entropy(v, q, w, {.label_smoothing = 0.1}); });
    step(second, [&](auto const& v) { return nll_loss(v, y, w); });
    step(third, [&](auto const& v) { return focal_loss(v, all, w, {.gamma = 0.5}); });
    step(third, [&](auto const& v) { return sigmoid_focal_loss(v, q, {.gamma = 0.5}); });
    step(fourth, [&](auto const& v) { return binary_cross_entropy_with_logits(v, q, no_weight, w); });
    step(fourth, [&](auto const& v) {
      rng same{.seed = 9};
      return mse_loss(drop(v, training{same}), q);
    });
    {
      tape t;
      auto const v = t.variable(x);
      auto const each = cross_entropy(v, y, reduction::none);
      t.backward(each, w.view().slice(0, 0, 1).broadcast_to(each.shape()));
      note(each.value());
      note(v.gradient());
    }
    note(std::as_const(net).weight.value.view());
    average.swap();
    note(std::as_const(net).weight.value.view());
    note(std::as_const(net).bias.value.view());
  }
};

}  // namespace

int main() {
  if (device_count() == 0) {
    std::puts("no CUDA device: skipped");
    return 77;
  }
  run<scalar> cpu;
  run<cuda> gpu;
  cpu.train();
  gpu.train();
  std::size_t wrong = cpu.numbers.size() == gpu.numbers.size() ? 0 : 1;
  double worst = 0;
  for (std::size_t i = 0; i < cpu.numbers.size() && wrong < 10; ++i) {
    double const error = std::abs(cpu.numbers[i] - gpu.numbers[i]) / (1e-5 + 1e-4 * std::abs(cpu.numbers[i]));
    worst = std::fmax(worst, error);
    if (error <= 1) continue;
    ++wrong;
    std::printf("number %zu: %.8g on the CPU, %.8g on the GPU\n", i, cpu.numbers[i], gpu.numbers[i]);
  }
  std::printf("%zu numbers, largest difference %.3g of the tolerance: %s\n", cpu.numbers.size(), worst,
              wrong == 0 ? "passed" : "FAILED");
  return wrong == 0 ? 0 : 1;
}
