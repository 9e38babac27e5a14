// The Cholesky factor against the matrix that it is made of.
#include <limbic/core/random.hpp>
#include <limbic/linalg/cholesky.hpp>

#include "catch.hpp"

#include <limits>

using namespace limbic;

TEST_CASE("l l^T is the matrix, and the triangles are solved") {
  for (std::ptrdiff_t const n : {0, 1, 2, 7, 70}) {
    tensor<double, 2> g({n, n}), a({n, n}), l({n, n}, 9.0), b({n, 3}), x({n, 3});
    rng random{.seed = 1};
    random.normal(g);
    random.normal(b);
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = 0; j < n; ++j) {
        a(i, j) = i == j ? 1 : 0;
        for (std::ptrdiff_t k = 0; k < n; ++k) a(i, j) += g(i, k) * g(j, k) / static_cast<double>(n);
      }
    auto lower = a;  // what is above the diagonal is not read
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = i + 1; j < n; ++j) lower(i, j) = std::numeric_limits<double>::quiet_NaN();
    REQUIRE(cholesky(l.view(), lower));
    double worst = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::ptrdiff_t k = 0; k < n; ++k) sum += l(i, k) * l(j, k);
        worst = std::max(worst, std::abs(sum - a(i, j)));
        if (j > i) CHECK(l(i, j) == 0);
      }
    CHECK(worst < 1e-13);
    x = b;
    solve_lower(l, x.view());
    solve_lower_transposed(l, x.view());
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t c = 0; c < 3; ++c) {
        double sum = 0;
        for (std::ptrdiff_t k = 0; k < n; ++k) sum += a(i, k) * x(k, c);
        CHECK(sum == Approx(b(i, c)).epsilon(1e-10));
      }
  }
}

TEST_CASE("what is not positive definite is said to be so") {
  tensor<double, 2> l({2, 2});
  CHECK(!cholesky(l.view(), tensor<double, 2>({2, 2}, {1.0, 0.0, 2.0, 1.0})));
  CHECK(!cholesky(l.view(), tensor<double, 2>({2, 2}, {0.0, 0.0, 0.0, 1.0})));
  CHECK(!cholesky(l.view(), tensor<double, 2>({2, 2}, {1.0, 0.0, 0.0, std::numeric_limits<double>::quiet_NaN()})));
  CHECK(!cholesky(l.view(), tensor<double, 2>({2, 2}, {1.0, 0.0, std::numeric_limits<double>::quiet_NaN(), 1.0})));
  CHECK(!cholesky(l.view(), tensor<double, 2>({2, 2}, {std::numeric_limits<double>::infinity(), 0.0, 0.0, 1.0})));
  CHECK_THROWS_AS(cholesky(l.view(), tensor<double, 2>({2, 3})), shape_error);
  CHECK_THROWS_AS(solve_lower(l, tensor<double, 2>({3, 1}).view()), shape_error);
  CHECK_THROWS_AS(solve_lower(l.view().transpose(), tensor<double, 2>({2, 1}).view()), shape_error);
}
