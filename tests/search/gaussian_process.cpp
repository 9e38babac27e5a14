// A Gaussian process against its formulas, written out with another algorithm; its gradient, fit and jitter.
#include <limbic/core/random.hpp>
#include <limbic/search/gaussian_process.hpp>

#include "catch.hpp"

using namespace limbic;

namespace {

using matrix = std::vector<std::vector<double>>;

tensor<double, 2> points(std::ptrdiff_t n, std::ptrdiff_t d, std::uint64_t seed) {
  tensor<double, 2> x({n, d});
  rng{.seed = seed}.uniform(x);
  return x;
}
tensor<double, 1> numbers(std::ptrdiff_t n, std::uint64_t seed) {
  tensor<double, 1> y({n});
  rng{.seed = seed}.normal(y);
  return y;
}

double covariance(gp_options const& o, double const* a, double const* b, std::size_t d) {
  double squared = 0;
  for (std::size_t c = 0; c < d; ++c) {
    double const l = o.length_scale[o.length_scale.size() == 1 ? 0 : c];
    squared += std::pow((a[c] - b[c]) / l, 2);
  }
  double const r = std::sqrt(squared);
  if (o.kernel == gp_kernel::rbf) return o.amplitude * std::exp(-squared / 2);
  return o.amplitude * (1 + std::sqrt(5.0) * r + 5 * squared / 3) * std::exp(-std::sqrt(5.0) * r);
}

// Gauss and Jordan with pivots: the inverse, and the logarithm of the determinant.
matrix inverse_of(matrix a, double& log_det) {
  std::size_t const n = a.size();
  matrix inverse(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) inverse[i][i] = 1;
  log_det = 0;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t p = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[p][k])) p = i;
    std::swap(a[p], a[k]), std::swap(inverse[p], inverse[k]);
    double const pivot = a[k][k];
    log_det += std::log(std::abs(pivot));
    for (std::size_t j = 0; j < n; ++j) a[k][j] /= pivot, inverse[k][j] /= pivot;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      double const f = a[i][k];
      for (std::size_t j = 0; j < n; ++j) a[i][j] -= f * a[k][j], inverse[i][j] -= f * inverse[k][j];
    }
  }
  return inverse;
}

std::vector<gp_options> const variants{
    {.kernel = gp_kernel::rbf, .amplitude = 1.7, .length_scale = {0.3, 0.9, 0.5}, .noise = 0.05},
    {.kernel = gp_kernel::matern52, .amplitude = 0.6, .length_scale = {0.8}, .noise = 0.2}};

}  // namespace

TEST_CASE("predictions and likelihood are those of the formulas") {
  std::size_t const n = 12, m = 7, d = 3;
  auto const x = points(n, d, 1), at = points(m, d, 2);
  auto const y = numbers(n, 3);
  for (auto const& o : variants) {
    gaussian_process const gp(x, y, o);
    matrix k(n, std::vector<double>(n));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        k[i][j] = covariance(o, x.data() + i * d, x.data() + j * d, d) + (i == j ? o.noise : 0);
    double log_det = 0, quadratic = 0;
    auto const inverse = inverse_of(k, log_det);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) quadratic += y.data()[i] * inverse[i][j] * y.data()[j];
    double const want = -0.5 * (quadratic + log_det + static_cast<double>(n) * std::log(2 * 3.14159265358979323846));
    CHECK(gp.log_marginal_likelihood() == Approx(want).epsilon(1e-11));
    CHECK(gp.jitter() == 0);

    auto const p = gp.predict(at);
    for (std::size_t a = 0; a < m; ++a) {
      double mean = 0, variance = o.amplitude;
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          double const left = covariance(o, at.data() + a * d, x.data() + i * d, d) * inverse[i][j];
          mean += left * y.data()[j];
          variance -= left * covariance(o, at.data() + a * d, x.data() + j * d, d);
        }
      CHECK(p.mean.data()[a] == Approx(mean).epsilon(1e-10));
      CHECK(p.variance.data()[a] == Approx(variance).epsilon(1e-10));
    }
  }
}

TEST_CASE("without noise the values are met, with no doubt left; far away the prior is what is left") {
  auto const x = points(8, 2, 4);
  auto const y = numbers(8, 5);
  gaussian_process const gp(x, y, {.amplitude = 2, .length_scale = {0.3}, .noise = 0});
  auto const here = gp.predict(x);
  tensor<double, 2> const far({1, 2}, 100.0);
  auto const there = gp.predict(far);
  for (std::ptrdiff_t i = 0; i < 8; ++i) {
    CHECK(here.mean(i) == Approx(y(i)).margin(1e-8));
    CHECK(here.variance(i) == Approx(0).margin(1e-8));
  }
  CHECK(there.mean(0) == 0);
  CHECK(there.variance(0) == 2);
}

TEST_CASE("the gradient of the likelihood is that of central differences") {
  auto const x = points(15, 3, 6);
  auto const y = numbers(15, 7);
  for (auto o : variants) {
    o.length_scale.resize(3, o.length_scale[0]);
    auto const g = gaussian_process(x, y, o).log_marginal_gradient();
    REQUIRE(g.size() == 5);
    auto const number = [](gp_options& of, std::size_t i) -> double& {
      return i == 0 ? of.amplitude : i == 1 ? of.noise : of.length_scale[i - 2];
    };
    for (std::size_t i = 0; i < g.size(); ++i) {
      double const h = 1e-5;
      auto up = o, down = o;
      number(up, i) *= std::exp(h), number(down, i) *= std::exp(-h);
      double const difference = (gaussian_process(x, y, up).log_marginal_likelihood() -
                                 gaussian_process(x, y, down).log_marginal_likelihood()) /
                                (2 * h);
      CHECK(g[i] == Approx(difference).epsilon(1e-7).margin(1e-7));
    }
  }
}

TEST_CASE("a fit finds which dimensions matter, and how much is noise") {
  auto const x = points(80, 3, 8);
  tensor<double, 1> y({80});
  rng random{.seed = 9};
  for (std::ptrdiff_t i = 0; i < 80; ++i) y(i) = std::sin(9 * x(i, 0)) + 0.3 * x(i, 1) + 0.1 * random.normal();
  auto const gp = fit_gaussian_process(x, y);
  auto const& o = gp.options();
  CHECK(o.length_scale[0] < 0.8);
  CHECK(o.length_scale[0] > 0.1);
  CHECK(o.length_scale[1] > 2 * o.length_scale[0]);
  CHECK(o.length_scale[2] > 4 * o.length_scale[0]);
  CHECK(std::sqrt(o.noise) == Approx(0.1).epsilon(0.3));
  // Nothing nearby is better: the gradient of likelihood and priors vanishes.
  auto const g = gp.log_marginal_gradient();
  gp_fit_options const f;
  CHECK(g[0] - (std::log(o.amplitude) - f.amplitude.mean) / std::pow(f.amplitude.deviation, 2) ==
        Approx(0).margin(0.02));
  CHECK(g[2] - (std::log(o.length_scale[0]) - f.length_scale.mean) / std::pow(f.length_scale.deviation, 2) ==
        Approx(0).margin(0.02));
}

TEST_CASE("two or three points do not make a fit degenerate") {
  for (double const second : {1.0, -1.0, 1e-9}) {
    tensor<double, 2> const x({2, 1}, {0.2, 0.7});
    tensor<double, 1> const y({2}, {1.0, second});
    auto const gp = fit_gaussian_process(x, y);
    CHECK(gp.options().length_scale[0] > 0.02);
    CHECK(gp.options().length_scale[0] < 20);
    tensor<double, 2> const middle({1, 1}, {0.45});
    CHECK(gp.predict(middle).variance(0) > 1e-6);
  }
}

TEST_CASE("repeated points: a jitter without noise, their mean with it") {
  tensor<double, 2> const x({4, 1}, {0.5, 0.5, 0.5, 0.9});
  tensor<double, 1> const y({4}, {1.0, 2.0, 3.0, 0.0});
  gaussian_process const bare(x, y, {.length_scale = {0.1}, .noise = 0});
  CHECK(bare.jitter() > 0);
  CHECK(bare.jitter() <= 1e-2);
  gaussian_process const noisy(x, y, {.length_scale = {0.1}, .noise = 1e-3});
  CHECK(noisy.jitter() == 0);
  tensor<double, 2> const at({1, 1}, {0.5});
  CHECK(bare.predict(at).mean(0) == Approx(2).epsilon(0.01));
  CHECK(noisy.predict(at).mean(0) == Approx(2).epsilon(0.01));
  CHECK(noisy.predict(at).variance(0) == Approx(1e-3 / 3).epsilon(0.02));
}

TEST_CASE("a process refuses what makes no sense") {
  auto const x = points(3, 2, 1);
  auto const y = numbers(3, 1);
  tensor<double, 1> bad({3}, {1.0, std::nan(""), 2.0});
  CHECK_THROWS_AS(gaussian_process(x, numbers(4, 1), {}), shape_error);
  CHECK_THROWS_AS(gaussian_process(x, bad, {}), argument_error);
  CHECK_THROWS_AS(gaussian_process(x, y, {.amplitude = 0}), argument_error);
  CHECK_THROWS_AS(gaussian_process(x, y, {.length_scale = {1, 2, 3}}), argument_error);
  CHECK_THROWS_AS(gaussian_process(x, y, {.length_scale = {-1}}), argument_error);
  CHECK_THROWS_AS(gaussian_process(x, y, {.noise = -1}), argument_error);
  CHECK_THROWS_AS(gaussian_process(x, y, {}).predict(points(2, 3, 1)), shape_error);
}

TEST_CASE("minimize: Rosenbrock's valley, bounds, and values that are not finite") {
  auto const rosenbrock = [](std::vector<double> const& v, std::vector<double>& g) {
    double const a = v[1] - v[0] * v[0], b = 1 - v[0];
    g = {-400 * v[0] * a - 2 * b, 200 * a};
    return 100 * a * a + b * b;
  };
  std::vector<double> v{-1.2, 1};
  CHECK(minimize(v, {-5, -5}, {5, 5}, {.iterations = 200, .tolerance = 1e-8}, rosenbrock) < 1e-12);
  CHECK(v[0] == Approx(1).epsilon(1e-5));
  v = {-1.2, 1};
  minimize(v, {-5, -5}, {0.5, 5}, {.iterations = 200, .tolerance = 1e-8}, rosenbrock);  // the least lies on the edge
  CHECK(v[0] == 0.5);
  CHECK(v[1] == Approx(0.25).epsilon(1e-5));
  v = {3};
  minimize(v, {-10}, {10}, {}, [](std::vector<double> const& at, std::vector<double>& g) {
    g = {1 - 1 / at[0]};
    return at[0] - std::log(at[0]);  // NaN below 0
  });
  CHECK(v[0] == Approx(1).epsilon(1e-4));
}
