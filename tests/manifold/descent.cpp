// manifold/descent.cpp - the Riemannian optimisers: what they find, that they stay, and that they leave the rest alone
#include "support.hpp"

#include <limbic/linalg/eigh.hpp>

#include <map>
#include <vector>

using namespace limbic;

namespace {

using matrix = tensor<double, 2, simd>;

// A parameter whose gradient is computed by hand.
template <class T, int R> void give_gradient(parameter<T, R, simd> const& p, tensor<T, R, simd> const& g) {
  copy(simd{}, p.gradient_storage(), g);
  p.set_has_gradient();
}

matrix symmetric_with(std::initializer_list<double> eigenvalues, rng& random) {
  auto const n = static_cast<std::ptrdiff_t>(eigenvalues.size());
  auto const q = stiefel().random<double, simd>(random, shape{n, n});
  return matmul(q * tensor<double, 1, simd>(shape{n}, eigenvalues), q.view().transpose());
}

// The span of the two eigenvectors of the largest eigenvalues.
matrix dominant(matrix const& a) {
  auto const [l, v] = eigh(a);
  return matrix(v.view().slice(1, a.extent(0) - 2, a.extent(0)));
}

// f(x) = -tr(x^T a x diag(weights)) / 2
template <class Optimizer, class M> void descend(Optimizer& optimizer, parameter<double, 2, simd> const& x,
                                                 matrix const& a, tensor<double, 1, simd> const& weights, int steps) {
  for (int k = 0; k < steps; ++k) {
    give_gradient(x, matmul(a, x.value) * weights * -1.0);
    optimizer.step();
  }
}

struct mixed {
  parameter<float, 2, simd> filter, plain;
  parameter<float, 1, simd> bias;
  void each(auto f) { f("filter", filter), f("plain", plain), f("bias", bias); }
};
mixed make_mixed() {
  rng random{.seed = 21};
  mixed m{parameter<float, 2, simd>(stiefel().random<float, simd>(random, shape{6, 2})),
          parameter<float, 2, simd>(shape{3, 5}), parameter<float, 1, simd>(shape{4})};
  random.normal(m.plain.value), random.normal(m.bias.value);
  return m;
}
void gradients_of(mixed const& m, int step) {
  visit_parameters(m, [&](std::string_view, auto const& p) {
    auto const g = p.gradient_storage();
    for (std::ptrdiff_t i = 0; i < p.size(); ++i)
      g.data()[i] = p.value.data()[i] * static_cast<float>(1 + i % 3) - static_cast<float>(step % 2);
    p.set_has_gradient();
  });
}
template <class Riemannian, class Plain> void same_as(typename Plain::options const& o) {
  mixed a = make_mixed(), b = make_mixed();
  Riemannian along(a, o);
  along.on(a.filter, stiefel());
  Plain flat(b, o);
  for (int k = 0; k < 20; ++k) {
    gradients_of(a, k), gradients_of(b, k);
    along.step(), flat.step();
  }
  for (std::ptrdiff_t i = 0; i < a.plain.size(); ++i) CHECK(a.plain.value.data()[i] == b.plain.value.data()[i]);
  for (std::ptrdiff_t i = 0; i < a.bias.size(); ++i) CHECK(a.bias.value.data()[i] == b.bias.value.data()[i]);
  CHECK(stiefel().residual(a.filter.value) < 2e-6);
  CHECK(stiefel().residual(b.filter.value) > 0.1);
}

}  // namespace

TEST_CASE("descent finds the dominant eigenspace, on Stiefel and on Grassmann") {
  rng random{.seed = 1};
  auto const a = symmetric_with({0.2, 0.7, 1, 1.3, 2, 3}, random);
  auto const best = dominant(a);
  parameter<double, 2, simd> x(grassmann().random<double, simd>(random, shape{6, 2}));
  tensor<double, 1, simd> const same({2}, {1, 1}), ordered({2}, {2, 1});

  riemannian_sgd first(x, {.learning_rate = 0.3, .momentum = 0.5});
  first.on(x, grassmann());
  descend<riemannian_sgd, grassmann>(first, x, a, same, 200);
  CHECK(grassmann().distance(x.value, best) < 1e-8);

  for (auto const how : {retraction::qr, retraction::polar, retraction::cayley})
    for (auto const metric : {stiefel_metric::euclidean, stiefel_metric::canonical}) {
      stiefel const m({.metric = metric, .retraction = how});
      x.value = m.random<double, simd>(random, shape{6, 2});
      riemannian_sgd second(x, {.learning_rate = 0.2});
      second.on(x, m);
      descend<riemannian_sgd, stiefel>(second, x, a, ordered, 400);
      for (int j = 0; j < 2; ++j) {  // each column is an eigenvector: the first of the largest
        double along = 0;
        for (int i = 0; i < 6; ++i) along += x.value(i, j) * best(i, 1 - j);
        CHECK(std::abs(along) == Approx(1).epsilon(1e-14));
      }
    }

  x.value = stiefel().random<double, simd>(random, shape{6, 2});
  riemannian_adam third(x, {.learning_rate = 0.05});
  third.on(x, stiefel());
  for (int k = 0; k < 26; ++k, third.learning_rate /= 2) descend<riemannian_adam, stiefel>(third, x, a, ordered, 120);
  CHECK(grassmann().distance(x.value, best) < 1e-8);
}

TEST_CASE("descent finds the Frechet mean of positive definite matrices") {
  rng random{.seed = 7};
  spd const m;
  std::vector<matrix> samples;
  for (int i = 0; i < 5; ++i) samples.push_back(m.random<double, simd>(random, shape{3, 3}));
  parameter<double, 2, simd> x(samples[0]);
  riemannian_sgd optimizer(x, {.learning_rate = 0.8, .momentum = 0.1});
  optimizer.on(x, m);
  auto const slope = [&] {  // of sum d^2 / 2n: minus the mean logarithm
    matrix sum(shape{3, 3});
    for (auto const& s : samples) sum = sum + m.log(x.value, s) * (-1.0 / 5);
    return sum;
  };
  for (int k = 0; k < 60; ++k) {
    // the Euclidean gradient of which that is the Riemannian one: x^-1 v x^-1
    auto const inverse = expm_symmetric(logm_symmetric(x.value) * -1.0);
    give_gradient(x, matmul(matmul(inverse, slope()), inverse));
    optimizer.step();
  }
  CHECK(m.norm(x.value, slope()) < 1e-10);  // so is the distance to the mean, as the sum is convex
  m.check(x.value);
}

TEST_CASE("a positive parameter, with momentum, goes the way of its logarithm") {
  parameter<double, 1, simd> w(tensor<double, 1, simd>({2}, {0.5, 40})),
      eta(tensor<double, 1, simd>({2}, {std::log(0.5), std::log(40)}));
  riemannian_sgd along(w, {.learning_rate = 0.2, .momentum = 0.8});
  along.on(w, positive());
  sgd flat(eta, {.learning_rate = 0.2, .momentum = 0.8});
  for (int k = 0; k < 30; ++k) {  // f = (log w - 1)^2 / 2
    tensor<double, 1, simd> g({2}), h({2});
    for (int i = 0; i < 2; ++i) g(i) = (std::log(w.value(i)) - 1) / w.value(i), h(i) = eta.value(i) - 1;
    give_gradient(w, g), give_gradient(eta, h);
    along.step(), flat.step();
  }
  for (int i = 0; i < 2; ++i) CHECK(w.value(i) == Approx(std::exp(eta.value(i))).epsilon(1e-12));
}

TEST_CASE("parameters on no manifold get the plain optimiser's step, to the bit") {
  same_as<riemannian_sgd, sgd>({.learning_rate = 0.05});
  same_as<riemannian_sgd, sgd>({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  same_as<riemannian_adam, adam>({.learning_rate = 0.05});
  same_as<riemannian_adam, adam>({.learning_rate = 0.05, .weight_decay = 0.1, .amsgrad = true});
}

TEST_CASE("on the flat manifold the steps are the plain ones, but for rounding") {
  mixed a = make_mixed(), b = make_mixed();
  riemannian_adam along(a, {.learning_rate = 0.05, .weight_decay = 0.1});
  along.on(a.plain, euclidean()).on(a.bias, euclidean());
  adam flat(b, {.learning_rate = 0.05, .weight_decay = 0.1});
  for (int k = 0; k < 20; ++k) {
    gradients_of(a, k), gradients_of(b, k);
    along.step(), flat.step();
  }
  CHECK(largest(a.plain.value - b.plain.value) < 2e-6);
  CHECK(largest(a.bias.value - b.bias.value) < 2e-6);
}

TEST_CASE("the second moment is one number for a matrix, and one for each row of a sphere") {
  rng random{.seed = 30};
  parameter<double, 2, simd> x(sphere().random<double, simd>(random, shape{3, 4}));
  tensor<double, 2, simd> g({3, 4});
  random.normal(g);
  riemannian_adam optimizer(x, {.learning_rate = 0.1});
  optimizer.on(x, sphere());
  auto const tangent = sphere().gradient(x.value, g);
  auto const norms = sphere().squared_norms(x.value, tangent);
  give_gradient(x, g);
  optimizer.step();
  optimizer.each_state([&](std::string_view, auto&&... rest) {
    if constexpr (sizeof...(rest) == 2)
      [&](std::string_view name, auto& t) {
        if (name == "exp_avg_sq")
          for (std::ptrdiff_t i = 0; i < t.size(); ++i) CHECK(t(i) == Approx(1e-3 * norms.data()[i]));
      }(rest...);
  });
}

TEST_CASE("states are saved and brought back as those of the plain optimisers") {
  mixed a = make_mixed(), b = make_mixed();
  riemannian_adam first(a, {.learning_rate = 0.05});
  first.on(a.filter, stiefel());
  for (int k = 0; k < 5; ++k) gradients_of(a, k), first.step();
  std::map<std::string, std::vector<float>> saved;
  std::map<std::string, std::int64_t> steps;
  auto const visit = [](auto& optimizer, auto const& on_steps, auto const& on_tensor) {
    optimizer.each_state([&](std::string_view name, auto&&... rest) {
      if constexpr (sizeof...(rest) == 1) (on_steps(std::string(name), rest), ...);
      else
        [&](std::string_view state, auto& t) { on_tensor(std::string(name) + "." + std::string(state), t); }(rest...);
    });
  };
  visit(
      first, [&](std::string const& n, std::int64_t& s) { steps[n] = s; },
      [&](std::string const& n, auto& t) { saved[n].assign(t.begin(), t.end()); });
  CHECK(saved.count("filter.exp_avg") == 1);
  CHECK(steps["filter"] == 5);
  b = a;
  riemannian_adam second(b, {.learning_rate = 0.05});
  second.on(b.filter, stiefel());
  visit(
      second, [&](std::string const& n, std::int64_t& s) { s = steps[n]; },
      [&](std::string const& n, auto& t) { std::copy(saved[n].begin(), saved[n].end(), t.begin()); });
  for (int k = 5; k < 8; ++k) {
    gradients_of(a, k), first.step();
    gradients_of(b, k), second.step();
  }
  CHECK(largest(a.filter.value - b.filter.value) == 0);
  CHECK(largest(a.plain.value - b.plain.value) == 0);
}

TEST_CASE("what cannot be put on a manifold") {
  mixed a = make_mixed();
  riemannian_sgd optimizer(a, {.learning_rate = 0.1});
  parameter<float, 2, simd> other(shape{2, 2});
  CHECK_THROWS_WITH(
      optimizer.on(other, stiefel()),
      "[riemannian] a parameter of shape (2, 2) to be put on stiefel does not belong to the optimiser's model");
  CHECK_THROWS_AS(optimizer.on(a.plain, stiefel()), shape_error);
  CHECK_THROWS_AS(optimizer.on(a.plain, sphere()), argument_error);
  CHECK_THROWS_AS(riemannian_sgd(a, {.learning_rate = -1}), argument_error);
}
