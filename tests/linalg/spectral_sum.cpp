// linalg/spectral_sum.cpp - functions of all eigenvalues: exact to second order where eigenvalues repeat
#include "../matrix_support.hpp"
#include "../symmetric_eigen.hpp"

#include <limbic/linalg/spectral_sum.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>

using namespace limbic;

namespace {

struct cube {  // tr a^3 needs no eigenvalues to be checked
  template <class V> constexpr V value(V l) const { return l * l * l; }
  template <class V> constexpr V slope(V l) const { return V(3) * l * l; }
};
struct logarithm {  // log det
  template <class V> constexpr V value(V l) const { return math::log(l); }
  template <class V> constexpr V slope(V l) const { return V(1) / l; }
};

struct sum_of_cubes {
  auto operator()(auto const& x) const { return spectral_sum(pairwise_squared_distances(x), cube()); }
};
struct on_matrix {
  auto operator()(auto const& a) const { return spectral_sum(a, cube()); }
};

template <class D> tensor<double, 2, D> product(tensor<double, 2, D> const& a, tensor<double, 2, D> const& b) {
  return matmul(a, b);
}
template <class D> tensor<double, 2, D> times(double s, tensor<double, 2, D> a) {
  for (double& v : a) v *= s;
  return a;
}
template <class D> tensor<double, 2, D> plus(tensor<double, 2, D> a, tensor<double, 2, D> const& b) {
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) a.data()[i] += b.data()[i];
  return a;
}

}  // namespace

TEMPLATE_TEST_CASE("spectral_sum: the trace of a cube", "", scalar, simd) {
  using D = TestType;
  for (std::ptrdiff_t const n : {0, 1, 2, 9, 40}) {
    auto const a = pairwise_squared_distances(random_tensor<double, 2, D>(shape<2>{{n, 3}}));
    auto const square = product(a, a), third = product(square, a);
    double trace = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) trace += third(i, i);
    CAPTURE(n);
    CHECK(spectral_sum(a, cube())() == Approx(trace).epsilon(1e-10).margin(1e-12));

    tape t;
    auto const p = t.variable(a);
    t.backward(spectral_sum(p, cube()));
    CHECK(distance(p.gradient(), times(3, square)) < 1e-12);

    // H v = 3 (a v + v a) for symmetric v, through nearly equal eigenvalues too
    auto const v = pairwise_squared_distances(random_tensor<double, 2, D>(shape<2>{{n, 2}}, 2));
    CHECK(distance(hessian_vector_product(on_matrix(), a, v), times(3, plus(product(a, v), product(v, a)))) < 1e-10);
  }
  auto const report = check_gradient(sum_of_cubes(), random_tensor<double, 2, D>({{5, 2}}));
  INFO(report.message.view());
  CHECK(report.passed);
}

TEMPLATE_TEST_CASE("spectral_sum: repeated and nearly repeated eigenvalues", "", scalar, simd) {
  using D = TestType;
  for (double const gap : {0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2}) {
    tensor<double, 2, D> a({3, 3}, {2, 0, 0, 0, 2 + gap, 0, 0, 0, 2});
    auto const v = pairwise_squared_distances(random_tensor<double, 2, D>({{3, 2}}, 4));
    tape t;
    auto const p = t.variable(a);
    t.backward(spectral_sum(p, cube()));
    CAPTURE(gap);
    CHECK(distance(p.gradient(), times(3, product(a, a))) < 1e-14);
    CHECK(distance(hessian_vector_product(on_matrix(), a, v), times(3, plus(product(a, v), product(v, a)))) < 1e-10);
  }
}

TEMPLATE_TEST_CASE("spectral_sum: log det in float, with a gradient that comes in", "", scalar, simd) {
  using D = TestType;
  tensor<float, 2, D> const a({2, 2}, {2, 1, 1, 3}), c({2, 2}, {0.6f, -0.2f, -0.2f, 0.4f});  // c is the inverse
  tape t;
  auto const p = t.variable(a);
  auto const y = spectral_sum(p, logarithm());
  CHECK(y.item() == Approx(std::log(5.0f)));
  t.backward(y, tensor<float, 0, D>(shape<0>{}, 3.0f));
  for (std::ptrdiff_t i = 0; i < 4; ++i) CHECK(p.gradient().data()[i] == Approx(3 * c.data()[i]));
}

TEMPLATE_TEST_CASE("spectral_sum: NaN and shapes", "", scalar, simd) {
  tensor<double, 2, TestType> a({3, 3}, 1.0);
  a(2, 0) = std::nan("");
  CHECK(std::isnan(spectral_sum(a, cube())()));
  CHECK_THROWS_AS(spectral_sum(tensor<double, 2, TestType>({1, 2}), cube()), shape_error);
}
