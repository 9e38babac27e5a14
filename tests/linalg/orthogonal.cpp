// linalg/orthogonal.cpp - QR, singular values, polar factor: results, gradients, dual numbers, dependent columns
#include "../matrix_support.hpp"

#include <limbic/linalg/matrix_exp.hpp>
#include <limbic/linalg/polar.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/ops/transpose.hpp>

using namespace limbic;

namespace {

template <class T, class D> double off_identity(tensor<T, 2, D> const& q) {
  return distance(matmul(q.view().transpose(), q), detail::identity_matrix<T, D>(q.extent(1)));
}

template <class T, class D> void factor(std::ptrdiff_t n, std::ptrdiff_t p, double tolerance) {
  auto const a = random_tensor<T, 2, D>(shape<2>{{n, p}}, 5);
  auto const [q, r] = qr(a);
  CHECK(distance(matmul(q, r), a) < tolerance);
  CHECK(off_identity(q) < tolerance);
  for (std::ptrdiff_t i = 0; i < p; ++i) {
    CHECK(r(i, i) > 0);
    for (std::ptrdiff_t j = 0; j < i; ++j) CHECK(r(i, j) == 0);
  }
  auto const [u, s, vt] = svd(a);
  for (std::ptrdiff_t i = 1; i < s.size(); ++i) CHECK(s(i) <= s(i - 1));
  CHECK(distance(matmul(u * s, vt), a) < tolerance);
  CHECK(off_identity(u) < tolerance);
  auto const wide = svd(a.view().transpose());
  CHECK(distance(wide.s, s) < tolerance);
  CHECK(distance(matmul(wide.u * wide.s, wide.vt), a.view().transpose()) < tolerance);
  auto const w = polar(a);
  CHECK(off_identity(w) < tolerance);
  auto const root = matmul(w.view().transpose(), a);  // symmetric and positive
  CHECK(distance(root, root.view().transpose()) < 4 * tolerance);
  for (std::ptrdiff_t i = 0; i < p; ++i) CHECK(root(i, i) > 0);
}

struct number_from_qr {
  auto operator()(auto const& x) const {
    using D = device_of<decltype(x)>;
    auto const [q, r] = qr(x);
    auto y = matmul(q, r * r) + q * q * q;
    return sum(y * random_tensor<double, 2, D>(x.shape(), 8));
  }
};
struct number_from_polar {
  auto operator()(auto const& x) const {
    using D = device_of<decltype(x)>;
    auto const u = polar(x);
    return sum(u * u * u * random_tensor<double, 2, D>(x.shape(), 8));
  }
};
struct both_of_qr {
  auto operator()(auto const& x) const { return qr(x); }
};
struct polar_of {
  auto operator()(auto const& x) const { return polar(x); }
};
struct exponential {
  auto operator()(auto const& x) const { return matrix_exp(x); }
};

template <class F> void check_second_order(F const& f, shape<2> const& s) {
  auto const x = random_tensor<double, 2, simd>(s, 3), v = random_tensor<double, 2, simd>(s, 4);
  CHECK(distance(hessian_vector_product(f, x, v), difference_of_gradients(f, x, v)) < 2e-7);
}

}  // namespace

TEST_CASE("orthonormal factors") {
  factor<double, simd>(7, 3, 1e-14);
  factor<double, scalar>(4, 4, 1e-14);
  factor<double, simd>(40, 20, 4e-14);
  factor<double, simd>(1, 1, 1e-15);
  factor<double, simd>(3, 0, 1e-15);
  factor<double, simd>(0, 0, 1e-15);
  factor<float, simd>(9, 4, 4e-6);
}

TEST_CASE("gradients of qr, polar and matrix_exp") {
  for (auto const& s : {shape<2>{{5, 3}}, shape<2>{{3, 3}}, shape<2>{{4, 1}}}) {
    auto const a = random_tensor<double, 2, simd>(s, 6);
    CHECK(check_gradient(both_of_qr(), a).passed);
    CHECK(check_gradient(polar_of(), a).passed);
    check_second_order(number_from_qr(), s);
    check_second_order(number_from_polar(), s);
  }
  CHECK(check_gradient(exponential(), random_tensor<double, 2, simd>(shape<2>{{4, 4}}, 6)).passed);
}

TEST_CASE("dependent columns: Q is orthonormal all the same, R says so") {
  tensor<double, 2> const a({4, 3}, {1, 2, 0, 1, 2, 0, 1, 2, 1, 1, 2, 3});
  auto const [q, r] = qr(a);
  CHECK(off_identity(q) < 1e-15);
  CHECK(r(1, 1) == 0);
  CHECK(r(2, 2) > 0);
  CHECK(distance(matmul(q, r), a) < 1e-15);
  auto const [u, s, vt] = svd(a);
  CHECK(s(2) < 1e-15);
  CHECK(off_identity(u) < 1e-14);
  CHECK(off_identity(polar(tensor<double, 2>({3, 2}))) == 0);  // of zeros
  // nearly dependent: eleven digits are gone, but not from the right angle
  tensor<double, 2> near({3, 2}, {1, 1, 1, 1 + 1e-11, 1, 1});
  CHECK(off_identity(std::get<0>(qr(near))) < 1e-15);
}

TEST_CASE("wide matrices and NaN") {
  CHECK_THROWS_WITH(qr(tensor<double, 2>({2, 3})), "[qr] at least as many rows as columns are needed, but came (2, 3)");
  CHECK_THROWS_AS(polar(tensor<double, 2>({2, 3})), shape_error);
  tensor<double, 2> a({3, 2}, {1, 2, 3, 4, 5, 7});
  a(1, 1) = std::nan("");
  CHECK(std::isnan(std::get<0>(qr(a))(0, 1)));
  CHECK(std::isnan(svd(a).s(0)));
  CHECK(std::isnan(polar(a)(0, 0)));
  CHECK_THROWS_AS(matrix_exp(a), shape_error);
}

TEST_CASE("matrix_exp: a turn, a shear, large and small norms") {
  double const angle = 20.5;
  auto const turn = matrix_exp(tensor<double, 2>({2, 2}, {0, -angle, angle, 0}));
  CHECK(turn(0, 0) == Approx(std::cos(angle)).epsilon(1e-12));
  CHECK(turn(1, 0) == Approx(std::sin(angle)).epsilon(1e-12));
  auto const shear = matrix_exp(tensor<double, 2>({2, 2}, {0, 3, 0, 0}));
  CHECK(shear(0, 1) == Approx(3).epsilon(1e-15));
  CHECK(shear(0, 0) == 1);
  CHECK(std::isnan(matrix_exp(tensor<double, 2>({1, 1}, {HUGE_VAL}))(0, 0)));
}
