// information/pairwise.cpp - squared distances of all pairs of rows
#include "../matrix_support.hpp"

#include <limbic/ops/matmul.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>

using namespace limbic;

namespace {

struct distances {
  auto operator()(auto const& x) const { return pairwise_squared_distances(x); }
  auto operator()(auto const& x, auto const& y) const { return pairwise_squared_distances(x, y); }
};
// A function that is not linear in the distances, so that its Hessian has all terms.
struct to_one_number {
  auto operator()(auto const& x) const {
    auto const d = pairwise_squared_distances(x);
    auto const e = pairwise_squared_distances(d, d);
    return pairwise_squared_distances(weighted_row(e), weighted_row(d));
  }
  template <class X> static auto weighted_row(X const& x) {
    return matmul(tensor<double, 2, device_of<X>>({1, x.shape()[0]}, {0.5, -1, 0.25}), x);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("pairwise squared distances: values", "", scalar, simd) {
  using D = TestType;
  for (std::ptrdiff_t const n : {0, 1, 2, 7, 33, 100}) {
    for (std::ptrdiff_t const f : {0, 1, 3, 10, 17, 300}) {
      auto const x = random_tensor<double, 2, D>({{n, f}}), y = random_tensor<double, 2, D>({{n + 3, f}}, 2);
      auto const d = pairwise_squared_distances(x), e = pairwise_squared_distances(x, y);
      REQUIRE(d.shape() == shape<2>{{n, n}});
      REQUIRE(e.shape() == shape<2>{{n, n + 3}});
      auto const expected = [&](auto const& b, std::ptrdiff_t i, std::ptrdiff_t j) {
        double s = 0;
        for (std::ptrdiff_t k = 0; k < f; ++k) s += (x(i, k) - b(j, k)) * (x(i, k) - b(j, k));
        return s;
      };
      bool right = true, symmetric = true;
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        for (std::ptrdiff_t j = 0; j < n; ++j) {
          right = right && std::abs(d(i, j) - expected(x, i, j)) <= 1e-13 * (1 + d(i, j));
          symmetric = symmetric && d(i, j) == d(j, i) && d(i, j) >= 0;
        }
        symmetric = symmetric && d(i, i) == 0;
        for (std::ptrdiff_t j = 0; j < n + 3; ++j)
          right = right && std::abs(e(i, j) - expected(y, i, j)) <= 1e-13 * (1 + e(i, j));
      }
      CAPTURE(n, f);
      CHECK(right);
      CHECK(symmetric);
    }
  }
}

TEMPLATE_TEST_CASE("pairwise squared distances: no cancellation between near rows far from 0", "", scalar, simd) {
  tensor<float, 2, TestType> const x({2, 2}, {1000.0f, 1000.0f, 1000.0f + 0.0625f, 1000.0f});
  CHECK(pairwise_squared_distances(x)(0, 1) == 0.0625f * 0.0625f);
}

TEMPLATE_TEST_CASE("pairwise squared distances: gradients", "", scalar, simd) {
  using D = TestType;
  for (std::ptrdiff_t const n : {0, 1, 5, 19}) {
    auto const a = random_tensor<double, 2, D>({{n, 3}}), b = random_tensor<double, 2, D>({{4, 3}}, 2);
    auto const one = check_gradient(distances(), a);
    INFO(one.message.view());
    CHECK(one.passed);
    auto const two = check_gradient(distances(), a, b);
    INFO(two.message.view());
    CHECK(two.passed);
  }
  auto const rows = check_gradient(distances(), random_tensor<double, 3, D>({{4, 5, 2}}));
  CHECK(rows.passed);
  auto const numbers = check_gradient(distances(), random_tensor<double, 1, D>({{6}}));
  CHECK(numbers.passed);
  auto const wide =
      check_gradient(distances(), random_tensor<double, 2, D>({{2, 41}}), random_tensor<double, 2, D>({{3, 41}}, 5));
  CHECK(wide.passed);
}

TEMPLATE_TEST_CASE("pairwise squared distances: one tensor as both operands", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 2, D>({{6, 4}}), c = random_tensor<double, 2, D>({{6, 6}}, 2);
  tape t;
  auto const p = t.variable(x), q = t.variable(x);
  t.backward(pairwise_squared_distances(p, p), c);
  tensor<double, 2, D> const both(p.gradient());
  t.backward(pairwise_squared_distances(q), c);
  CHECK(distance(both, q.gradient()) < 1e-14);
}

TEMPLATE_TEST_CASE("pairwise squared distances: second order", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 2, D>({{3, 3}}), v = random_tensor<double, 2, D>({{3, 3}}, 2);
  auto const hv = hessian_vector_product(to_one_number(), x, v);
  CHECK(distance(hv, difference_of_gradients(to_one_number(), x, v)) < 1e-6);
}

TEMPLATE_TEST_CASE("pairwise squared distances: views, and the reductions that other devices use", "", scalar, simd) {
  using D = TestType;
  auto const wide = random_tensor<double, 3, D>({{9, 6, 4}});
  auto const v = wide.view().slice(2, 0, 4, 2).slice(0, 1, 9, 2);  // (4, 6, 2)
  tensor<double, 3, D> const dense(v);
  CHECK(distance(pairwise_squared_distances(v), pairwise_squared_distances(dense)) == 0);
  auto const flipped = wide.view().permute(shape<3>{{2, 0, 1}});  // (4, 9, 6)
  CHECK(distance(pairwise_squared_distances(flipped), pairwise_squared_distances(tensor<double, 3, D>(flipped))) == 0);

  auto const a = random_tensor<double, 2, D>({{7, 5}}), b = random_tensor<double, 2, D>({{9, 5}}, 2),
             g = random_tensor<double, 2, D>({{7, 9}}, 3);
  tensor<double, 2, D> d({7, 9}), back({7, 5}, 1.0), back_here({7, 5}, 1.0);
  detail::reduce_squared_distances(D{}, sink<double, 2, D>(d.view()), as_view(a), as_view(b));
  CHECK(distance(d, pairwise_squared_distances(a, b)) < 1e-15);
  detail::reduce_squared_distances_back(D{}, sink<double, 2, D>(back.view(), true), as_view(g), as_view(a), as_view(b));
  squared_distances_back(D{}, sink<double, 2, D>(back_here.view(), true), as_view(g), as_view(a), as_view(b));
  CHECK(distance(back, back_here) < 1e-14);
}

TEMPLATE_TEST_CASE("pairwise squared distances: NaN stays NaN, shapes are checked", "", scalar, simd) {
  using D = TestType;
  tensor<double, 2, D> x({3, 2}, {0, 1, std::nan(""), 0, 2, 2});
  auto const d = pairwise_squared_distances(x);
  CHECK(std::isnan(d(1, 1)));
  CHECK(std::isnan(d(0, 1)));
  CHECK(d(0, 2) == 5);
  tensor<double, 2, D> const y({3, 3});
  CHECK_THROWS_AS(pairwise_squared_distances(x, y), shape_error);
}
