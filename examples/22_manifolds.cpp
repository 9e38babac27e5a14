// 22_manifolds - parameters that must keep a length, an angle or a sign: descent along the surface instead of a penalty
//
// First the Rayleigh quotient x^T A x on the sphere, where its least value is A's least eigenvalue: descended by hand, and by
// an optimiser whose momentum is carried along the surface. Then a model that compresses samples to two numbers and back
// through one matrix with orthonormal columns, beside an ordinary parameter. What it finds is the principal subspace,
// without ever being told of eigenvectors.
//
//   22_manifolds                  shows it
//   22_manifolds descent.svg      draws both descents too (needs gnuplot)
//
// Before: 21_soft_dtw.cpp    next: 23_gumbel_softmax.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

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

constexpr int steps = 1200;
constexpr limbic::sphere sphere;

// The quotients of a descent with the exponential map: x <- exp(x, -rate gradient).
std::vector<double> descend(tensor<double, 2> const& a, tensor<double, 1> x) {
  std::vector<double> path;
  for (int step = 0; step < steps; ++step) {
    limbic::tape t;
    auto const p = t.variable(x);
    auto const quotient = limbic::sum(p * limbic::functional::linear(p, a));
    path.push_back(quotient.item());
    t.backward(quotient);
    x = sphere.exp(x, sphere.gradient(x, p.gradient()) * -0.05);
  }
  check(sphere.residual(x) < 1e-14, "after 1200 steps x still has length 1");
  return path;
}

struct direction {
  limbic::parameter<double, 1> x;
  auto operator()(auto const& a) const { return limbic::sum(x * limbic::functional::linear(x, a)); }
  void each(auto f) { f("x", x); }
};

// The same by an optimiser with momentum.
std::vector<double> descend_with_momentum(tensor<double, 2> const& a, tensor<double, 1> const& x) {
  direction net{.x = limbic::parameter<double, 1>(x)};
  limbic::riemannian_sgd optimizer(net, {.learning_rate = 0.05, .momentum = 0.8});
  optimizer.on(net.x, sphere);
  std::vector<double> path;
  for (int step = 0; step < steps; ++step) {
    limbic::tape t;
    auto const quotient = net(t(a));
    path.push_back(quotient.item());
    t.backward(quotient);
    optimizer.step();
  }
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

int main(int argc, char** argv) {
  limbic::rng random{.seed = 11};
  auto const x = samples(random);
  auto const a = covariance(x);
  auto const [values, vectors] = limbic::eigh(a);

  auto const start = sphere.random<double>(random, limbic::shape{10});
  auto const path = descend(a, start), faster = descend_with_momentum(a, start);
  std::printf("Rayleigh quotient %.6f; after 200 steps %.6f, with momentum %.6f; at last %.6f; least eigenvalue %.6f\n",
              path[0], path[200], faster[200], path.back(), values(0));
  bool falls = true;
  for (std::size_t k = 1; k < path.size(); ++k) falls = falls && path[k] <= path[k - 1] + 1e-14;
  check(falls, "every step goes down");
  check(path.back() - values(0) < 1e-8, "and ends at the least eigenvalue");
  check(faster[200] - values(0) < 1e-3 * (path[200] - values(0)), "momentum gets there sooner");

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

  if (argc < 2) return 0;
  auto const above_least = [least = values(0)](std::vector<double> const& quotients) {
    std::vector<double> above;
    for (double const q : quotients) {
      if (q - least < 1e-15) break;  // from here on it is rounding
      above.push_back(q - least);
    }
    return above;
  };
  plot p("Rayleigh quotient descended on the sphere", "step", "quotient minus least eigenvalue");
  p.log_y().line("by hand", above_least(path)).line("with momentum", above_least(faster));
  return p.save(argv[1]) ? 0 : 1;
}
