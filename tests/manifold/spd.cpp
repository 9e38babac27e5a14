// manifold/spd.cpp - symmetric positive definite matrices
#include "support.hpp"

using namespace limbic;

TEST_CASE("spd") {
  examine_manifold<double, simd>(spd(), shape{4, 4}, {.tolerance = 2e-14});
  examine_manifold<double, scalar>(spd(), shape{1, 1}, {.tolerance = 2e-14});
  examine_manifold<double, simd>(spd(), shape{0, 0});
  examine_manifold<float, simd>(spd(), shape{3, 3}, {.tolerance = 4e-6});
}

TEST_CASE("spd of one number is a positive number") {
  tensor<double, 2> const x({1, 1}, {2}), y({1, 1}, {5});
  CHECK(spd().distance(x, y) == Approx(positive().distance(x, y)));
  CHECK(spd().exp(x, y)(0, 0) == Approx(positive().exp(x, y)(0, 0)));
  CHECK(spd().parallel_transport(x, y, x)(0, 0) == Approx(5));
}

TEST_CASE("the affine-invariant distance does not see a change of axes") {
  rng random{.seed = 2};
  auto const x = spd().random<double, simd>(random, shape{4, 4}), y = spd().random<double, simd>(random, shape{4, 4});
  tensor<double, 2> a({4, 4});
  random.normal(a);
  auto const turned = [&](tensor<double, 2> const& m) { return matmul(matmul(a, m), a.view().transpose()); };
  CHECK(spd().distance(turned(x), turned(y)) == Approx(spd().distance(x, y)).epsilon(1e-10));
  auto const inverse = [](tensor<double, 2> const& m) {
    return spectral_function(m, detail::log_of_eigenvalue{}) * -1.0;  // log of the inverse
  };
  CHECK(spd().distance(expm_symmetric(inverse(x)), expm_symmetric(inverse(y))) ==
        Approx(spd().distance(x, y)).epsilon(1e-10));
}

TEST_CASE("random matrices have logarithms that are spread evenly") {
  rng random{.seed = 12};
  double mean = 0, square = 0;
  int const n = 2000;
  for (int i = 0; i < n; ++i) {  // log of the determinant: normal, of variance n / n = 1
    auto const l = logm_symmetric(spd().random<double, simd>(random, shape{3, 3}));
    double const trace = l(0, 0) + l(1, 1) + l(2, 2);
    mean += trace / n, square += trace * trace / n;
  }
  CHECK(std::abs(mean) < 4 / std::sqrt(n));
  CHECK(square == Approx(1).margin(4 * std::sqrt(2.0 / n)));
}

TEST_CASE("matrices that are not positive definite") {
  tensor<double, 2> const indefinite({2, 2}, {1, 2, 2, 1}), lopsided({2, 2}, {1, 0.5, 0, 1}),
      good({2, 2}, {2, 1, 1, 2});
  CHECK_THROWS_AS(spd().check(indefinite), argument_error);
  CHECK_THROWS_AS(spd().check(lopsided), argument_error);
  CHECK_THROWS_AS(spd().check(tensor<double, 2>({2, 3})), shape_error);
  CHECK_THROWS_AS(spd().check(tensor<double, 2>({1, 1}, {std::nan("")})), argument_error);
  CHECK_THROWS_WITH(spd().exp(indefinite, good),
                    "[spd] the matrix of shape (2, 2) is not positive definite: points are symmetric positive definite "
                    "matrices (n, n)");
  CHECK_THROWS_AS(spd().log(indefinite, good), argument_error);
  CHECK(spd().residual(good) == 0);
}
