// 07_hessian - second derivatives: the product of a Hessian with a vector, exactly, for a small multiple of a gradient
//
// Dual numbers run along with every value and every gradient; no matrix is ever formed. Here the sharpest direction of a
// network's loss (the largest eigenvalue of its Hessian) is found by power iteration.
//
// Before: 06_safetensors.cpp    next: 08_information.cpp
#include "common/check.hpp"

#include <limbic/limbic.hpp>

#include <cmath>

using limbic::tensor;

struct network {
  limbic::linear<double> hidden, out;
  explicit network(limbic::rng& random) : hidden(4, 8, random), out(8, 1, random) {}
  auto operator()(auto const& x) const { return out(limbic::tanh(hidden(x))); }
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

int main() {
  limbic::rng random{.seed = 11};
  network net(random);
  tensor<double, 2> x({64, 4}), target({64, 1});
  random.normal(x);
  random.normal(target);
  std::ptrdiff_t const n = limbic::parameter_count(net);

  // H v, where H belongs to the loss as a function of all parameters, one after another.
  auto const hessian_times = [&](tensor<double, 1> const& v) {
    tensor<double, 1> hv(v.shape());
    limbic::hessian_vector_product(
        net, [&](auto& t) { return limbic::mse_loss(net(t(x)), t(target)); }, v.view(), hv.view());
    return hv;
  };
  auto const dot = [](tensor<double, 1> const& a, tensor<double, 1> const& b) { return limbic::sum(a * b)(); };

  tensor<double, 1> v(limbic::shape{n});
  random.normal(v);
  double eigenvalue = 0;
  for (int i = 0; i < 60; ++i) {
    v = v / std::sqrt(dot(v, v));
    auto const hv = hessian_times(v);
    eigenvalue = dot(v, hv);
    if (i % 12 == 11) std::printf("iteration %2d: %.9f\n", i + 1, eigenvalue);
    v = hv;
  }
  v = v / std::sqrt(dot(v, v));
  auto const residual = hessian_times(v) - v * eigenvalue;
  std::printf("|H v - lambda v| = %.2g\n", std::sqrt(dot(residual, residual)));
  check(std::sqrt(dot(residual, residual)) < 1e-4 * eigenvalue, "v is an eigenvector of a matrix that nobody formed");

  // The same curvature by differences of the loss, for comparison.
  auto const loss_at = [&](double step) {
    std::ptrdiff_t at = 0;
    network moved(net);
    limbic::visit_parameters(moved, [&](std::string_view, auto& p) {
      for (auto& value : p.value) value += step * v(at++);
    });
    return limbic::mse_loss(moved(x), target)();
  };
  double const h = 1e-3, curvature = (loss_at(h) - 2 * loss_at(0) + loss_at(-h)) / (h * h);
  std::printf("curvature along v: %.9f, by differences %.9f\n", eigenvalue, curvature);
  check(std::abs(curvature - eigenvalue) < 1e-5 * eigenvalue, "differences of the loss agree, as far as they can");
}
