// 08_information - how much one set of numbers tells of another, from samples alone, and as something to train on
//
// Matrix-based Renyi entropy: samples become a Gram matrix, its eigenvalues play the part of probabilities.
//
// Before: 07_hessian.cpp    next: 09_fixed_buffer.cpp
#include "common/check.hpp"

#include <limbic/information.hpp>
#include <limbic/limbic.hpp>

#include <cmath>

using limbic::tensor;

// (N, 2) -> (N, 1), the coordinate along a direction of length 1.
struct projection {
  limbic::parameter<double, 2> direction{tensor<double, 2>({2, 1}, {0.3, 1.0})};
  auto operator()(auto const& x) const {
    auto const z = limbic::matmul(x, direction);
    double const squared = limbic::sum(direction * direction)();  // of a parameter alone: a number, no gradient
    return z / std::sqrt(squared);
  }
  void each(auto f) { f("direction", direction); }
};

int main() {
  limbic::rng random{.seed = 2};
  tensor<double, 2> x({100, 2}), noise({100, 2});
  random.normal(x);
  random.normal(noise);

  // z = x + more and more noise: it tells less and less.
  double before = 1e9;
  for (double const level : {0.0, 0.5, 1.0, 2.0, 8.0}) {
    double const shared = limbic::mutual_information(x, x + noise * level, {.sigma = 1, .alpha = 2})();
    std::printf("noise %3.1f: %.4f\n", level, shared);
    // Much noise also spreads the samples, which a kernel of fixed width sees as information of their own.
    if (level <= 1.0) check(shared < before, "more noise, less information");
    before = shared;
  }
  double const alone = limbic::renyi_entropy(limbic::normalized_rbf_gram(x, 1.0))();
  std::printf("entropy of x: %.4f of at most log 100 = %.4f\n", alone, std::log(100.0));
  check(alone > 0 && alone < std::log(100.0), "an entropy lies between 0 and log n");

  // It is an op like any other, so it has a gradient: turn a projection of x until it tells the most of one coordinate.
  auto const first = limbic::slice(x, 1, 0, 1);
  projection net;
  limbic::adam optimizer(net, {.learning_rate = 0.05});
  for (int step = 0; step < 200; ++step) {
    limbic::tape t;
    t.backward(-limbic::mutual_information(first, net(t(x))));
    optimizer.step();
  }
  double const angle = std::atan2(net.direction.value(1, 0), net.direction.value(0, 0)) * 180 / 3.14159265358979;
  std::printf("direction after training: %.2f degrees off the first axis, from %.0f\n", angle,
              std::atan2(1.0, 0.3) * 180 / 3.14159265358979);
  check(std::abs(angle) < 10, "the projection has found the coordinate");
}
