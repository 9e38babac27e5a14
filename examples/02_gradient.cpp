// 02_gradient - a tape remembers what is computed from a variable, and walks it back
//
// Before: 01_tensor.cpp    next: 03_training_loop.cpp
#include "common/check.hpp"

#include <limbic/limbic.hpp>

#include <cmath>

using limbic::shape, limbic::tensor;

// An ordinary function. It works on tensors and on variables alike, since every op does.
auto energy(auto const& x) { return limbic::sum(limbic::exp(x) * x); }

int main() {
  tensor<double, 1> const x({3}, {-1, 0, 2});
  std::printf("without a tape: %.6f\n", energy(x)());

  limbic::tape t;
  auto const v = t.variable(x);  // t(x) would enter a constant, which gets no gradient
  auto const y = energy(v);
  std::printf("with a tape:    %.6f\n", y.item());
  check(y.item() == energy(x)(), "recording changes no bit of a result");

  t.backward(y);
  for (int i = 0; i < 3; ++i) {
    double const exact = std::exp(x(i)) * (1 + x(i));
    std::printf("d/dx%d: %.9f, by hand %.9f\n", i, v.gradient()(i), exact);
    check(std::abs(v.gradient()(i) - exact) < 1e-12, "the gradient is exact");
  }

  // A pass frees what it has used. A second one over the same nodes is an error, not a wrong number.
  try {
    t.backward(y);
    check(false, "a second pass is refused");
  } catch (limbic::tape_error const& e) {
    std::printf("%s\n", e.what());
  }

  // Where a value is used twice, its gradients add up; detach() stops one of the ways.
  limbic::tape u;
  auto const w = u.variable(x);
  u.backward(limbic::sum(w * w.detach()));
  check(w.gradient()(2) == x(2), "no gradient flows through what was detached");

  // Any function of yours can be compared with central differences.
  auto const report = limbic::check_gradient([](auto const& z) { return energy(z); }, x);
  std::printf("check_gradient: worst error %.2g of what is allowed\n", report.worst);
  check(report.passed, "gradient and differences agree");
}
