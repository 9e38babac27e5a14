// linalg/pca.cpp - principal components: against singular values, of few rows and of many; signs, gradients, refusals
#include "../matrix_support.hpp"
#include "../symmetric_eigen.hpp"

#include <limbic/linalg/pca.hpp>
#include <limbic/linalg/svd.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/signal/soft_dtw.hpp>

using namespace limbic;

namespace {

template <class T, class D> double off_orthonormal(tensor<T, 2, D> const& rows) {
  double worst = 0;
  for (std::ptrdiff_t i = 0; i < rows.extent(0); ++i)
    for (std::ptrdiff_t k = 0; k <= i; ++k) {
      double product = i == k ? -1 : 0;
      for (std::ptrdiff_t j = 0; j < rows.extent(1); ++j)
        product += static_cast<double>(rows(i, j)) * static_cast<double>(rows(k, j));
      worst = std::max(worst, std::abs(product));
    }
  return worst;
}

// What pca must be, by the formula: singular values of the centred rows.
template <class T, class D> void agree(std::ptrdiff_t n, std::ptrdiff_t d, std::ptrdiff_t k, double tolerance) {
  auto x = random_tensor<T, 2, D>(shape<2>{{n, d}}, 4);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < d; ++j) x(i, j) = x(i, j) * T(1 + j % 4) + T(3);
  pca const p(x, k);
  auto const rows = x - mean(x, 0, keepdim);
  auto const [u, s, vt] = svd(rows);
  double total = 0;
  for (T const v : rows) total += static_cast<double>(v) * static_cast<double>(v);
  REQUIRE(p.components.shape() == shape<2>{{k, d}});
  for (std::ptrdiff_t c = 0; c < k; ++c) {
    double along = 0, largest = 0;
    for (std::ptrdiff_t j = 0; j < d; ++j) {
      double const v = static_cast<double>(p.components(c, j));
      along += v * static_cast<double>(vt(c, j));
      if (std::abs(v) > std::abs(largest)) largest = v;
    }
    CHECK(std::abs(along) == Approx(1).epsilon(tolerance));
    CHECK(largest > 0);
    double const square = static_cast<double>(s(c)) * static_cast<double>(s(c));
    CHECK(p.explained_variance(c) == Approx(square / static_cast<double>(n - 1)).epsilon(tolerance));
    CHECK(p.explained_variance_ratio(c) == Approx(square / total).epsilon(tolerance));
  }
  CHECK(off_orthonormal(p.components) < tolerance);
  // Coordinates have mean 0 and the variances; with all components nothing is lost.
  auto const z = p.project(x);
  for (std::ptrdiff_t c = 0; c < k; ++c) {
    double sum = 0, squares = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      sum += static_cast<double>(z(i, c));
      squares += static_cast<double>(z(i, c)) * static_cast<double>(z(i, c));
    }
    CHECK(std::abs(sum) < 50 * tolerance);
    CHECK(squares / static_cast<double>(n - 1) == Approx(p.explained_variance(c)).epsilon(tolerance));
  }
  std::ptrdiff_t const all = n < d ? n : d;  // of n centred rows the last varies no more
  CHECK(distance(pca(x, all).reconstruct(pca(x, all).project(x)), x) < 20 * tolerance);
}

struct there_and_back {
  pca<double, scalar> const& p;
  auto operator()(auto const& x) const {
    auto const z = p.project(x);
    auto const y = p.reconstruct(z * z);
    return sum(y * y);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("principal components are right singular vectors", "", scalar, simd) {
  agree<double, TestType>(30, 6, 4, 1e-10);
  agree<double, TestType>(7, 40, 5, 1e-10);
  agree<double, TestType>(6, 6, 5, 1e-10);
  agree<float, TestType>(40, 5, 5, 1e-4);
  agree<float, TestType>(5, 64, 3, 1e-4);
}

TEST_CASE("principal components known by hand") {
  // Along (3, 4) / 5 with coordinates -10, 0, 10, far from the origin; nothing across.
  tensor<double, 2> const x({3, 2}, {94, 92, 100, 100, 106, 108});
  pca const p(x, 2);
  CHECK(p.mean(0) == 100);
  CHECK(p.components(0, 0) == Approx(0.6));
  CHECK(p.components(0, 1) == Approx(0.8));
  CHECK(p.components(1, 0) == Approx(0.8));
  CHECK(p.components(1, 1) == Approx(-0.6));
  CHECK(p.explained_variance(0) == Approx(100));
  CHECK(p.explained_variance(1) == Approx(0).margin(1e-13));
  CHECK(p.explained_variance_ratio(0) == Approx(1));
  CHECK(p.project(tensor<double, 1>({2}, {103, 104}))(0) == Approx(5));
  CHECK(p.reconstruct(tensor<double, 1>({2}, {5, 0}))(1) == Approx(104));

  // Entries equal to rounding: the first is positive, though the other is larger by 1e-12.
  pca const tied(tensor<double, 2>({2, 2}, {1, -1.000000000001, -1, 1.000000000001}), 1);
  CHECK(tied.components(0, 0) > 0);
  CHECK(tied.components(0, 1) < 0);

  pca const still(tensor<double, 2>({3, 5}, 0.1), 3);  // rows that do not vary
  CHECK(still.explained_variance(0) == Approx(0).margin(1e-30));
  CHECK(off_orthonormal(still.components) < 1e-14);
}

TEST_CASE("few rows of many columns, of which some repeat, have orthonormal components") {
  tensor<double, 2> x({6, 300});
  rng random{.seed = 8};
  random.normal(x);
  for (int j = 0; j < 300; ++j) x(4, j) = x(3, j), x(5, j) = 0.5 * (x(0, j) + x(1, j));
  pca const p(x, 6);
  CHECK(off_orthonormal(p.components) < 1e-13);
  for (int k = 1; k < 6; ++k) CHECK(p.explained_variance(k) <= p.explained_variance(k - 1));
  CHECK(p.explained_variance(3) == Approx(0).margin(1e-12));
  CHECK(distance(p.reconstruct(p.project(x)), x) < 1e-12);
}

TEST_CASE("a projection has a gradient, of second order too") {
  auto const x = random_tensor<double, 2, scalar>(shape<2>{{9, 4}}, 2);
  pca const p(x, 2);
  there_and_back const f{p};
  auto const y = random_tensor<double, 3, scalar>(shape<3>{{2, 3, 4}}, 3);
  CHECK(check_gradient(f, y).passed);
  auto const direction = random_tensor<double, 3, scalar>(y.shape(), 4);
  CHECK(distance(hessian_vector_product(f, y, direction), difference_of_gradients(f, y, direction)) < 1e-7);
}

TEST_CASE("sequences are projected before they are warped") {
  // Six channels that are mixtures of two sources: two components hold all of the distances.
  auto const mixed = [](std::ptrdiff_t steps, double speed) {
    tensor<double, 2> x({steps, 6});
    for (std::ptrdiff_t t = 0; t < steps; ++t)
      for (int c = 0; c < 6; ++c)
        x(t, c) = std::sin(speed * static_cast<double>(t)) * (c + 1) + std::cos(0.3 * static_cast<double>(t)) * (5 - c);
    return x;
  };
  auto const a = mixed(20, 0.2), b = mixed(26, 0.17);
  tensor<double, 2> steps({46, 6});
  for (std::ptrdiff_t i = 0; i < 46 * 6; ++i) steps.data()[i] = i < 120 ? a.data()[i] : b.data()[i - 120];
  pca const p(steps, 2);
  CHECK(p.explained_variance_ratio(0) + p.explained_variance_ratio(1) == Approx(1).epsilon(1e-12));
  CHECK(soft_dtw(p.project(a), p.project(b), {.gamma = 0.1})() == Approx(soft_dtw(a, b, {.gamma = 0.1})()));

  tape t;
  auto const x = t.variable(a);
  t.backward(soft_dtw(p.project(x), p.project(b), {.gamma = 0.1}));
  tape u;
  auto const y = u.variable(a);
  u.backward(soft_dtw(y, b, {.gamma = 0.1}));
  CHECK(distance(tensor<double, 2>(x.gradient()), tensor<double, 2>(y.gradient())) < 1e-9);

  tensor<double, 3> const batch(steps.view().reshape(limbic::shape<3>{{2, 23, 6}}));
  CHECK(distance(pca(batch, 2).components, p.components) == 0);  // all axes but the last are rows
  CHECK(p.project(batch).shape() == limbic::shape<3>{{2, 23, 2}});
}

TEST_CASE("what pca refuses") {
  tensor<double, 2> x({3, 2}, {1, 2, 3, 5, 4, 4});
  CHECK_THROWS_WITH(pca(x, 3), "[pca] the number of components must lie between 1 and 2 for x (3, 2), but is 3");
  CHECK_THROWS_AS(pca(x, 0), argument_error);
  CHECK_THROWS_WITH(pca(tensor<double, 2>({1, 4}), 1), "[pca] a variance needs at least two rows, but x is (1, 4)");
  CHECK_THROWS_AS(pca(tensor<double, 2>({0, 4}), 1), argument_error);
  CHECK_THROWS_AS(pca(tensor<double, 2>({4, 0}), 1), argument_error);
  pca const p(x, 1);
  CHECK_THROWS_WITH(p.project(tensor<double, 2>({4, 1})),
                    "[project] the last axis must have 2 elements, but came (4, 1)");
  CHECK_THROWS_AS(p.reconstruct(tensor<double, 2>({4, 2})), shape_error);
  CHECK(p.project(tensor<double, 2>({0, 2})).shape() == limbic::shape<2>{{0, 1}});
  x(1, 1) = 1e200;
  CHECK_THROWS_AS(pca(x, 1), argument_error);
  x(1, 1) = std::nan("");
  CHECK_THROWS_WITH(pca(x, 1), "[pca] row 1 of column 1 is nan: not a finite number");
}
