// 22_manifolds - parameters that must keep a length, an angle or a sign: descent along the surface instead of a penalty
//
// First by hand: the Rayleigh quotient x^T A x descended on the sphere, where its least value is A's least eigenvalue. Then
// with an optimiser: a model that compresses samples to two numbers and back through one matrix with orthonormal columns,
// beside an ordinary parameter. What it finds is the principal subspace, without ever being told of eigenvectors.
//
// Before: 09_fixed_buffer.cpp    next: 23_gumbel_softmax.cpp
#include "common/check.hpp"

#include <limbic/limbic.hpp>
#include <limbic/manifold.hpp>

#include <cmath>
#include <vector>

namespace {

using limbic::tensor;

// Ten features, of which two directions carry most of what varies.
tensor<double, 2> samples(limbic::rng& random) {
  auto const directions = limbic::stiefel().random<double>(random, limbic::shape{10, 10});
  tensor<double, 2> x({400, 10});
  random.normal(x);
  tensor<double, 1> const spread({10}, {3, 2, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.1});
  return limbic::matmul(x * spread, limbic::transpose(directions));
}

tensor<double, 2> covariance(tensor<double, 2> const& x) {
  return limbic::matmul(limbic::transpose(x), x) * (1.0 / static_cast<double>(x.extent(0)));
}

// The quotients of a descent with the exponential map: x <- exp(x, -rate gradient).
std::vector<double> descend_rayleigh(tensor<double, 2> const& a, limbic::rng& random) {
  limbic::sphere const sphere;
  auto x = sphere.random<double>(random, limbic::shape{10});
  std::vector<double> path;
  for (int step = 0; step < 2000; ++step) {
    limbic::tape t;
    auto const p = t.variable(x);
    auto const quotient = limbic::sum(p * limbic::functional::linear(p, a));
    path.push_back(quotient.item());
    t.backward(quotient);
    x = sphere.exp(x, sphere.gradient(x, p.gradient()) * -0.05);
  }
  check(sphere.residual(x) < 1e-14, "after 2000 steps x still has length 1");
  return path;
}

struct compressor {
  limbic::parameter<double, 2> axes;    // (10, 2), on the Stiefel manifold
  limbic::parameter<double, 1> centre;  // (10), anywhere
  explicit compressor(limbic::rng& random)
      : axes(limbic::stiefel().random<double>(random, limbic::shape{10, 2})), centre(limbic::shape{10}) {}
  auto operator()(auto const& x) const {
    auto const code = limbic::matmul(x - centre, axes);
    return limbic::functional::linear(code, axes) + centre;
  }
  void each(auto f) { f("axes", axes), f("centre", centre); }
};

}  // namespace

int main() {
  limbic::rng random{.seed = 11};
  auto const x = samples(random);
  auto const a = covariance(x);
  auto const [values, vectors] = limbic::eigh(a);

  auto const path = descend_rayleigh(a, random);
  // A picture of the descent goes here: `path`, one quotient a step, beside the least eigenvalue.
  std::printf("Rayleigh quotient: %.6f, %.6f after 100 steps, %.6f at last; least eigenvalue %.6f\n", path[0],
              path[100], path.back(), values(0));
  bool falls = true;
  for (std::size_t k = 1; k < path.size(); ++k) falls = falls && path[k] <= path[k - 1] + 1e-14;
  check(falls, "every step goes down");
  check(path.back() - values(0) < 1e-8, "and ends at the least eigenvalue");

  compressor net(random);
  limbic::riemannian_sgd optimizer(net, {.learning_rate = 0.2, .momentum = 0.8});
  optimizer.on(net.axes, limbic::stiefel());  // `centre` is an ordinary parameter
  double error = 0;
  for (int step = 0; step < 300; ++step) {
    limbic::tape t;
    auto const loss = limbic::mse_loss(net(t(x)), x);
    error = loss.item();
    t.backward(loss);
    optimizer.step();
  }
  tensor<double, 2> const principal(vectors.view().slice(1, 8, 10));
  double const angle = limbic::grassmann().distance(net.axes.value, principal);
  std::printf("reconstruction error %.6f, distance to the principal subspace %.2g\n", error, angle);
  check(limbic::stiefel().residual(net.axes.value) < 1e-14, "the axes are orthonormal");
  // The samples' mean is not exactly 0: a fitted centre takes it out, and turns the best subspace a little.
  check(angle < 0.05, "and span the principal subspace");
}
