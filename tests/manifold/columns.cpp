// manifold/columns.cpp - Stiefel and Grassmann: orthonormal columns
#include "support.hpp"

using namespace limbic;

namespace {
template <class T, class D> void every_stiefel(shape<2> const& s, double tolerance) {
  for (auto const metric : {stiefel_metric::euclidean, stiefel_metric::canonical})
    for (auto const how : {retraction::qr, retraction::polar, retraction::cayley}) {
      bool const second = how == (metric == stiefel_metric::euclidean ? retraction::polar : retraction::cayley);
      examine_manifold<T, D>(stiefel({.metric = metric, .retraction = how}), s,
                             {.order = second ? 2 : 1, .tolerance = tolerance, .log = false, .parallel = false});
    }
}
}  // namespace

TEST_CASE("stiefel: every metric and retraction, double") {
  every_stiefel<double, simd>(shape{7, 3}, 1e-14);
  every_stiefel<double, simd>(shape{4, 4}, 1e-14);  // the orthogonal matrices
  every_stiefel<double, simd>(shape{5, 1}, 1e-14);  // a sphere
  every_stiefel<double, simd>(shape{1, 1}, 1e-14);
  every_stiefel<double, simd>(shape{3, 0}, 1e-14);
}
TEST_CASE("stiefel: every metric and retraction, float") { every_stiefel<float, scalar>(shape{20, 6}, 4e-6); }

TEST_CASE("grassmann") {
  for (auto const how : {retraction::qr, retraction::polar, retraction::cayley}) {
    grassmann const m({.retraction = how});
    expected const e{.order = how == retraction::qr ? 1 : 2, .tolerance = 1e-14, .parallel = false};
    examine_manifold<double, simd>(m, shape{7, 3}, e);
    examine_manifold<double, simd>(m, shape{4, 1}, e);
    examine_manifold<double, simd>(m, shape{3, 3}, e);  // one point
  }
  examine_manifold<float, scalar>(grassmann(), shape{12, 4}, {.tolerance = 4e-6, .parallel = false});
}

TEST_CASE("grassmann: only the span counts, and right angles have a distance") {
  rng random{.seed = 5};
  auto const x = grassmann().random<double, simd>(random, shape{6, 2}),
             y = grassmann().random<double, simd>(random, shape{6, 2});
  auto const turn = stiefel().random<double, simd>(random, shape{2, 2});
  CHECK(grassmann().distance(x, matmul(x, turn)) < 1e-14);
  CHECK(grassmann().distance(matmul(x, turn), y) == Approx(grassmann().distance(x, y)));
  tensor<double, 2> const a({4, 2}, {1, 0, 0, 1, 0, 0, 0, 0}), b({4, 2}, {0, 0, 0, 0, 1, 0, 0, 1});
  CHECK(grassmann().distance(a, b) == Approx(3.14159265358979323846 / std::sqrt(2.0)));  // two angles of pi / 2
}

TEST_CASE("random orthonormal columns are spread evenly") {
  rng random{.seed = 9};
  int const n = 3000;
  double mean = 0, corner = 0, determinant = 0;
  for (int i = 0; i < n; ++i) {
    auto const q = stiefel().random<double, simd>(random, shape{2, 2});
    mean += q(0, 0) / n;
    corner += q(0, 0) * q(0, 0) / n;
    determinant += (q(0, 0) * q(1, 1) - q(0, 1) * q(1, 0)) / n;  // rotations and reflections alike
  }
  CHECK(std::abs(mean) < 4 * std::sqrt(0.5 / n));
  CHECK(corner == Approx(0.5).margin(4 * std::sqrt(0.125 / n)));
  CHECK(std::abs(determinant) < 4 / std::sqrt(n));
}

TEST_CASE("long steps still end on the manifold") {
  rng random{.seed = 6};
  auto const x = stiefel().random<double, simd>(random, shape{8, 3});
  tensor<double, 2> u({8, 3});
  random.normal(u);
  auto const v = stiefel().project(x, u) * 1e5;
  for (auto const how : {retraction::qr, retraction::polar})
    CHECK(stiefel({.retraction = how}).residual(stiefel({.retraction = how}).retract(x, v)) < 1e-13);
  CHECK(stiefel({.retraction = retraction::cayley})
            .residual(stiefel({.retraction = retraction::cayley}).retract(x, v * 1e-3)) < 1e-13);
}

TEST_CASE("matrices that are no such points") {
  rng random;
  CHECK_THROWS_WITH(stiefel().random(random, shape{2, 3}),
                    "[stiefel] random: points are matrices (n, p) with orthonormal columns, p <= n, but came (2, 3)");
  CHECK_THROWS_AS(grassmann().check(tensor<float, 2>({2, 3})), shape_error);
  tensor<double, 2> x({3, 2}, {1, 0, 0, 1, 0, 0});
  stiefel().check(x);
  x(2, 0) = 1e-4;
  CHECK_THROWS_AS(stiefel().check(x), argument_error);
  x(2, 0) = std::nan("");
  CHECK_THROWS_AS(grassmann().check(x), argument_error);
  CHECK_THROWS_AS(stiefel().retract(x, tensor<double, 2>({3, 1})), shape_error);
}
