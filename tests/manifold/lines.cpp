// manifold/lines.cpp - the flat space, positive numbers, spheres and oblique matrices
#include "support.hpp"

using namespace limbic;

TEST_CASE("euclidean and positive") {
  examine_manifold<double, scalar>(euclidean(), shape{3, 4}, {.tolerance = 1e-14});
  examine_manifold<float, simd>(positive(), shape{9}, {.tolerance = 1e-5, .step = 1});
  examine_manifold<double, simd>(positive(), shape{2, 5}, {.tolerance = 2e-13, .step = 1});
  examine_manifold<double, simd>(positive(), shape{0, 5});
}

TEST_CASE("sphere and oblique") {
  examine_manifold<double, simd>(sphere(), shape{7}, {.tolerance = 2e-15});
  examine_manifold<double, scalar>(sphere(), shape{2}, {.tolerance = 2e-15});
  examine_manifold<float, simd>(sphere(), shape{3, 19}, {.tolerance = 2e-6});
  examine_manifold<double, simd>(sphere(), shape{0, 3});
  examine_manifold<double, simd>(oblique(), shape{5, 3}, {.tolerance = 2e-15});
  examine_manifold<float, scalar>(oblique(), shape{4, 1}, {.tolerance = 2e-6});
}

TEST_CASE("the sphere of one dimension less has two points and no directions") {
  rng random{.seed = 3};
  auto const x = sphere().random<double, simd>(random, shape{1});
  CHECK(std::abs(x(0)) == 1);
  CHECK(sphere().project(x, tensor<double, 1>({1}, {5}))(0) == 0);
  CHECK(sphere().retract(x, tensor<double, 1>({1}))(0) == x(0));
  auto const opposite = x * -1.0;
  CHECK(sphere().log(x, opposite)(0) == 0);  // no shortest way
}

TEST_CASE("each row of a matrix is a sphere of its own") {
  rng random{.seed = 4};
  auto const x = sphere().random<double, simd>(random, shape{4, 6}),
             y = sphere().random<double, simd>(random, shape{4, 6});
  auto const all = sphere().log(x, y);
  double square = 0;
  for (std::ptrdiff_t i = 0; i < 4; ++i) {
    tensor<double, 1> const a(x.view()[i]), b(y.view()[i]);
    CHECK(largest(sphere().log(a, b) - tensor<double, 1>(all.view()[i])) < 1e-15);
    square += std::pow(sphere().distance(a, b), 2);
  }
  CHECK(sphere().distance(x, y) == Approx(std::sqrt(square)));
  auto const squares = sphere().squared_norms(x, all);
  CHECK(squares(2, 0) ==
        Approx(std::pow(sphere().distance(tensor<double, 1>(x.view()[2]), tensor<double, 1>(y.view()[2])), 2)));
  CHECK(squares(2, 0) == squares(2, 5));
  // the transpose is oblique
  tensor<double, 2> const xt(x.view().transpose()), yt(y.view().transpose());
  CHECK(oblique().distance(xt, yt) == Approx(sphere().distance(x, y)));
}

TEST_CASE("angles near 0 and near pi keep their digits") {
  tensor<double, 1> const x({3}, {1, 0, 0});
  double const small = 1e-9;
  CHECK(sphere().distance(x, tensor<double, 1>({3}, {std::cos(small), std::sin(small), 0})) ==
        Approx(small).epsilon(1e-12));
  tensor<double, 1> const far({3}, {-std::cos(small), 0, std::sin(small)});
  CHECK(sphere().distance(x, far) == Approx(3.14159265358979323846 - small).epsilon(1e-15));
  CHECK(sphere().log(x, far)(2) == Approx(3.14159265358979323846 - small).epsilon(1e-12));
}

TEST_CASE("points off their manifold, wrong shapes, NaN") {
  double const nan = std::nan("");
  CHECK_THROWS_WITH(
      sphere().check(tensor<float, 1>({2}, {1, 1})),
      "[sphere] the point of shape (2) is off the manifold by 1, where at most 1e-5 is rounding: points have "
      "length 1 along the last axis");
  CHECK_THROWS_AS(sphere().check(tensor<double, 1>({2}, {1, nan})), argument_error);
  CHECK_THROWS_AS(positive().check(tensor<float, 1>({2}, {1, 0})), argument_error);
  CHECK_THROWS_AS(positive().check(tensor<float, 1>({2}, {1, -1})), argument_error);
  CHECK_THROWS_AS(positive().check(tensor<double, 1>({2}, {1, HUGE_VAL})), argument_error);
  CHECK_THROWS_AS(positive().check(tensor<double, 1>({2}, {nan, 1})), argument_error);
  CHECK_THROWS_AS(euclidean().check(tensor<double, 1>({2}, {nan, 1})), argument_error);
  CHECK_THROWS_AS(sphere().project(tensor<double, 1>({2}, {1, 0}), tensor<double, 1>({3})), shape_error);
  CHECK_THROWS_AS(sphere().check(tensor<double, 2>({2, 0})), shape_error);
  rng random;
  CHECK_THROWS_AS(oblique().random(random, shape{0, 3}), shape_error);
}

TEST_CASE("random points are spread evenly") {
  rng random{.seed = 8};
  std::ptrdiff_t const n = 4000;
  auto const x = sphere().random<double, simd>(random, shape{n, 3});
  double mean[3] = {}, square[3] = {}, upper = 0;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    for (int k = 0; k < 3; ++k) mean[k] += x(i, k) / n, square[k] += x(i, k) * x(i, k) / n;
    upper += x(i, 0) > 0.5;  // a cap: its share of the sphere is (1 - 1/2) / 2 (Archimedes)
  }
  for (int k = 0; k < 3; ++k) {
    CHECK(std::abs(mean[k]) < 4 / std::sqrt(3.0 * n));
    CHECK(square[k] == Approx(1.0 / 3).margin(4 * std::sqrt(4.0 / 45 / n)));
  }
  CHECK(upper / n == Approx(0.25).margin(4 * std::sqrt(0.25 * 0.75 / n)));
}
