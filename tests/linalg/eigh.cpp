// linalg/eigh.cpp - symmetric eigenvalues and eigenvectors: values, gradients, dual numbers, repeated eigenvalues
#include "../matrix_support.hpp"
#include "../symmetric_eigen.hpp"

#include <limbic/linalg/eigh.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>

using namespace limbic;

namespace {

// Of a symmetric matrix that depends smoothly on x.
struct eigenvalues_of_distances {
  auto operator()(auto const& x) const { return eigenvalues_symmetric(pairwise_squared_distances(x)); }
};
struct vectors_of_distances {
  auto operator()(auto const& x) const { return eigh(pairwise_squared_distances(x)); }
};
// One number from a vector or the rows of a matrix, with no symmetry left: sum_ij w_i w_j |row_i - z_j|^2.
auto to_number(auto const& rows) {
  using X = std::remove_cvref_t<decltype(rows)>;
  using D = device_of<X>;
  std::ptrdiff_t const n = rows.shape()[0];
  // temporaries: a tape refers to named tensors, which would not outlive this function
  auto w = random_tensor<double, 2, D>(shape<2>{{1, n}}, 8);
  tensor<double, 2, D> wt(w.view().transpose());
  return matmul(
      matmul(std::move(w), pairwise_squared_distances(rows, random_tensor<double, X::rank, D>(rows.shape(), 7))),
      std::move(wt));
}
struct number_from_eigenvalues {
  auto operator()(auto const& x) const { return to_number(eigenvalues_symmetric(pairwise_squared_distances(x))); }
};
struct number_from_eigenvectors {
  auto operator()(auto const& x) const { return to_number(std::get<1>(eigh(pairwise_squared_distances(x)))); }
};

template <class D> tensor<double, 2, D> rotated(std::initializer_list<double> l, std::uint64_t seed = 3) {
  auto const n = static_cast<std::ptrdiff_t>(l.size());
  auto const x = random_tensor<double, 2, D>(shape<2>{{n, n}}, seed);
  tensor<double, 2, D> s(x.shape());
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j) s(i, j) = x(i, j) + x(j, i);
  auto const [ignored, q] = eigh(s);
  tensor<double, 2, D> a(x.shape());
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j)
      for (std::ptrdiff_t k = 0; k < n; ++k) a(i, j) += q(i, k) * l.begin()[k] * q(j, k);
  return a;
}

template <class T, class D> void check_decomposition(tensor<T, 2, D> const& a) {
  auto const n = a.extent(0);
  auto const [l, v] = eigh(a);
  auto const only = eigenvalues_symmetric(a);
  REQUIRE(l.shape() == shape<1>{{n}});
  REQUIRE(v.shape() == shape<2>{{n, n}});
  tensor<T, 2, D> back(a.shape()), one(a.shape());
  bool ascending = true;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    ascending = ascending && (i == 0 || l(i - 1) <= l(i));
    for (std::ptrdiff_t j = 0; j < n; ++j)
      for (std::ptrdiff_t k = 0; k < n; ++k) {
        back(i, j) += v(i, k) * l(k) * v(j, k);
        one(i, j) += v(k, i) * v(k, j);
      }
  }
  double const tolerance = 20 * static_cast<double>(n + 1) * static_cast<double>(std::numeric_limits<T>::epsilon());
  tensor<T, 2, D> identity(a.shape());
  for (std::ptrdiff_t i = 0; i < n; ++i) identity(i, i) = 1;
  CAPTURE(n);
  CHECK(ascending);
  CHECK(distance(back, a) < tolerance);
  CHECK(distance(one, identity) < tolerance);
  CHECK(distance(only, l) < tolerance);
}

}  // namespace

TEMPLATE_TEST_CASE("eigh: decomposition", "", scalar, simd) {
  for (std::ptrdiff_t const n : {0, 1, 2, 3, 17, 135}) {
    check_decomposition(pairwise_squared_distances(random_tensor<double, 2, TestType>(shape<2>{{n, 4}})));
    check_decomposition(pairwise_squared_distances(random_tensor<float, 2, TestType>(shape<2>{{n, 4}})));
  }
  check_decomposition(tensor<double, 2, TestType>({4, 4}));
}

TEMPLATE_TEST_CASE("eigh: gradients", "", scalar, simd) {
  for (std::ptrdiff_t const n : {0, 1, 2, 6}) {
    auto const x = random_tensor<double, 2, TestType>(shape<2>{{n, 3}});
    auto const values = check_gradient(eigenvalues_of_distances(), x);
    INFO(values.message.view());
    CHECK(values.passed);
    auto const both = check_gradient(vectors_of_distances(), x);
    INFO(both.message.view());
    CHECK(both.passed);
  }
}

TEMPLATE_TEST_CASE("eigh: second order", "", scalar, simd) {
  auto const x = random_tensor<double, 2, TestType>({{4, 2}}), v = random_tensor<double, 2, TestType>({{4, 2}}, 2);
  CHECK(distance(hessian_vector_product(number_from_eigenvalues(), x, v),
                 difference_of_gradients(number_from_eigenvalues(), x, v)) < 1e-6);
  CHECK(distance(hessian_vector_product(number_from_eigenvectors(), x, v),
                 difference_of_gradients(number_from_eigenvectors(), x, v)) < 1e-6);
}

TEMPLATE_TEST_CASE("eigh: repeated eigenvalues", "", scalar, simd) {
  using D = TestType;
  for (auto const& a :
       {rotated<D>({2, 2, 5}), rotated<D>({1, 1, 1}), tensor<double, 2, D>({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1})}) {
    tape t;
    auto const p = t.variable(a);
    auto const [l, v] = eigh(p);
    // the trace, and a projector's weight: both see whole eigenspaces only
    tensor<double, 1, D> const ones({3}, 1.0);
    tensor<double, 2, D> const none({3, 3}, 0.0);
    t.seed(l, ones);
    t.seed(v, none);
    t.backward();
    tensor<double, 2, D> const identity({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
    CHECK(distance(p.gradient(), identity) < 1e-14);

    tape s;
    auto const q = s.variable(a);
    auto const [m, w] = eigh(q);
    s.backward(w, random_tensor<double, 2, D>({{3, 3}}, 9));
    for (std::ptrdiff_t i = 0; i < 9; ++i) CHECK(std::isfinite(q.gradient().data()[i]));
  }
}

TEMPLATE_TEST_CASE("eigh: where dual numbers move repeated eigenvalues", "", scalar, simd) {
  using D = TestType;
  // a has 2 twice and 5; along da the double one splits into the eigenvalues of da restricted to its eigenspace
  auto const a = rotated<D>({2, 2, 5});
  auto const da = pairwise_squared_distances(random_tensor<double, 2, D>({{3, 2}}, 8));
  tensor<dual<double>, 2, D> x({3, 3});
  for (std::ptrdiff_t i = 0; i < 9; ++i) x.data()[i] = {a.data()[i], da.data()[i]};
  auto const l = eigenvalues_symmetric(x);
  double const h = 1e-6;
  tensor<double, 2, D> moved(a);
  for (std::ptrdiff_t i = 0; i < 9; ++i) moved.data()[i] += h * da.data()[i];
  auto const there = eigenvalues_symmetric(moved), here = eigenvalues_symmetric(a);
  for (std::ptrdiff_t i = 0; i < 3; ++i) {
    CHECK(l(i).value == Approx(here(i)));
    CHECK(l(i).tangent == Approx((there(i) - here(i)) / h).epsilon(1e-4));
  }
}

TEMPLATE_TEST_CASE("eigh: reads the lower triangle, strided or not; NaN and shapes", "", scalar, simd) {
  using D = TestType;
  auto const a = rotated<D>({-1, 0.5, 3});
  tensor<double, 2, D> lower(a);
  lower(0, 1) = lower(0, 2) = lower(1, 2) = std::nan("");
  CHECK(distance(eigenvalues_symmetric(lower), eigenvalues_symmetric(a)) == 0);
  tensor<double, 2, D> wide({6, 6});
  for (std::ptrdiff_t i = 0; i < 3; ++i)
    for (std::ptrdiff_t j = 0; j < 3; ++j) wide(2 * i, 2 * j) = a(i, j);
  auto const every_second = wide.view().slice(0, 0, 6, 2).slice(1, 0, 6, 2);
  CHECK(distance(eigenvalues_symmetric(every_second), eigenvalues_symmetric(a)) == 0);

  for (double const bad : {std::nan(""), static_cast<double>(INFINITY)}) {
    tensor<double, 2, D> broken(random_tensor<double, 2, D>({{40, 40}}));
    broken(30, 3) = bad;
    auto const [l, v] = eigh(broken);
    CHECK(std::isnan(l(0)));
    CHECK(std::isnan(v(7, 7)));
  }
  CHECK_THROWS_AS(eigh(tensor<double, 2, D>({2, 3})), shape_error);
  CHECK_THROWS_AS(eigenvalues_symmetric(tensor<double, 2, D>({0, 1})), shape_error);
}
