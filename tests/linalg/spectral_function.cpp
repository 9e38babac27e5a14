// linalg/spectral_function.cpp - functions of symmetric matrices: inverse to each other, gradients, repeated eigenvalues
#include "../matrix_support.hpp"

#include <limbic/linalg/matrix_exp.hpp>
#include <limbic/linalg/spectral_function.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/ops/transpose.hpp>

using namespace limbic;

namespace {

struct cube {  // without a quotient of its own
  template <class V> constexpr V value(V l) const { return l * l * l; }
  template <class V> constexpr V slope(V l) const { return V(3) * l * l; }
};

// Of a positive definite matrix that depends smoothly on x.
template <class F> struct of_gram {
  F f;
  auto operator()(auto const& x) const {
    using D = device_of<decltype(x)>;
    auto const a = matmul(transpose(x), x) + detail::identity_matrix<element_of<decltype(x)>, D>(x.shape()[1]);
    return spectral_function(a, f);
  }
};
template <class F> struct number_from {
  F f;
  auto operator()(auto const& x) const {
    using D = device_of<decltype(x)>;
    auto const n = x.shape()[1];
    return sum(of_gram<F>{f}(x)*random_tensor<double, 2, D>(shape<2>{{n, n}}, 9));
  }
};
template <class F> void check_orders(F const& f) {
  auto const x = random_tensor<double, 2, simd>(shape<2>{{5, 3}}, 2),
             v = random_tensor<double, 2, simd>(shape<2>{{5, 3}}, 3);
  CHECK(check_gradient(of_gram<F>{f}, x).passed);
  CHECK(distance(hessian_vector_product(number_from<F>{f}, x, v), difference_of_gradients(number_from<F>{f}, x, v)) <
        1e-6);
}

}  // namespace

TEMPLATE_TEST_CASE("exponential, logarithm and square root", "", scalar, simd) {
  using D = TestType;
  for (std::ptrdiff_t const n : {0, 1, 2, 9}) {
    auto const x = random_tensor<double, 2, D>(shape<2>{{n, n}}, 4);
    tensor<double, 2, D> const a = (x + x.view().transpose()) * 0.3;
    auto const e = expm_symmetric(a);
    CHECK(distance(e, matrix_exp(a)) < 1e-13);
    CHECK(distance(logm_symmetric(e), a) < 1e-12);
    auto const root = sqrtm_symmetric(e);
    CHECK(distance(matmul(root, root), e) < 1e-13);
    CHECK(distance(spectral_function(a, cube()), matmul(matmul(a, a), a)) < 1e-13);
  }
}

TEST_CASE("gradients and Hessian-vector products of matrix functions") {
  check_orders(detail::exp_of_eigenvalue());
  check_orders(detail::log_of_eigenvalue());
  check_orders(detail::sqrt_of_eigenvalue());
  check_orders(cube());
}

TEST_CASE("repeated eigenvalues: the gradient is exact") {
  auto const one = detail::identity_matrix<double, simd>(4);
  for (double const l : {0.5, 1.0, 3.0}) {
    tape t;
    auto const a = t.variable(one * l);
    auto const w = random_tensor<double, 2, simd>(shape<2>{{4, 4}}, 5);
    t.backward(sum(logm_symmetric(a) * w));
    CHECK(distance(a.gradient(), (w + w.view().transpose()) * (0.5 / l)) < 1e-15);
  }
}

TEST_CASE("matrices outside of the domain") {
  CHECK(std::isnan(logm_symmetric(tensor<double, 2>({2, 2}, {1, 0, 0, -1}))(1, 1)));
  CHECK(std::isnan(expm_symmetric(tensor<double, 2>({1, 1}, {std::nan("")}))(0, 0)));
  CHECK_THROWS_AS(expm_symmetric(tensor<double, 2>({2, 3})), shape_error);
}
