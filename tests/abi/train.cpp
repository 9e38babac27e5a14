// Trains a small network: the file that tools/check_symbols.py compiles for two instruction sets.
#include <limbic/core/random.hpp>
#include <limbic/ops/elu.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic/tape/record.hpp>

// Fits y = softmax(elu(x hidden) out) to the given rows; returns the mean squared error after the last step.
double LIMBIC_ABI_ENTRY(limbic::tensor<float, 2> const& x, limbic::tensor<float, 2> const& target) {
  limbic::rng random{.seed = 7};
  limbic::parameter<float, 2> hidden(limbic::shape<2>{{x.extent(1), 32}});
  limbic::parameter<float, 2> out(limbic::shape<2>{{32, target.extent(1)}});
  random.normal(hidden.value, 0, 0.5);
  random.normal(out.value, 0, 0.5);
  double error = 0;
  for (int step = 0; step < 200; ++step) {
    limbic::tape t;
    auto const y = limbic::softmax(limbic::matmul(limbic::elu(limbic::matmul(t(x), hidden)), out));
    limbic::tensor<float, 2> slope(y.value());
    error = 0;
    for (std::ptrdiff_t i = 0; i < slope.size(); ++i) {
      slope.data()[i] -= target.data()[i];
      error += static_cast<double>(slope.data()[i]) * static_cast<double>(slope.data()[i]);
    }
    t.backward(y, slope);
    for (auto* p : {&hidden, &out}) {
      for (std::ptrdiff_t i = 0; i < p->size(); ++i) p->value.data()[i] -= 0.05F * p->gradient().data()[i];
      p->clear_gradient();
    }
  }
  return error / static_cast<double>(target.size());
}
