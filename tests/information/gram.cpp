// information/gram.cpp - Gram matrices: kernels, trace 1, joints
#include "../matrix_support.hpp"

#include <limbic/information/gram.hpp>
#include <limbic/ops/matmul.hpp>

using namespace limbic;

namespace {

struct gram {
  double sigma = 0.8;
  auto operator()(auto const& x) const { return rbf_gram(x, sigma); }
  auto operator()(auto const& x, auto const& y) const { return rbf_gram(x, y, sigma); }
};
struct unit_gram {
  auto operator()(auto const& x) const { return normalized_rbf_gram(x, 1.3); }
};
struct normalized {
  auto operator()(auto const& k) const { return normalize_gram(k); }
};
struct joined {
  auto operator()(auto const& a, auto const& b) const { return joint(a, b); }
  auto operator()(auto const& a) const { return joint(a, a); }
};
// One number through everything here.
struct number {
  auto operator()(auto const& x) const {
    auto const k = rbf_gram(x, 1.1);
    auto const a = normalize_gram(joint(normalize_gram(k), k));
    using D = device_of<decltype(a)>;
    auto const n = a.shape()[0];
    auto w = random_tensor<double, 2, D>(shape<2>{{1, n}}, 8);
    tensor<double, 2, D> wt(w.view().transpose());
    return matmul(matmul(std::move(w), rbf_gram(joint(a, k), a, 1.0)), std::move(wt));
  }
};

template <class D> tensor<double, 2, D> positive(std::ptrdiff_t n, std::uint64_t seed) {
  auto x = random_tensor<double, 2, D>(shape<2>{{n, n}}, seed);
  for (double& v : x) v = 0.5 + v * v;
  return x;
}

}  // namespace

TEMPLATE_TEST_CASE("gram: values", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 3, D>({{9, 3, 2}});
  auto const k = rbf_gram(x, 0.7), a = normalize_gram(k), b = normalized_rbf_gram(x, 0.7);
  for (std::ptrdiff_t i = 0; i < 9; ++i) {
    CHECK(k(i, i) == 1);
    for (std::ptrdiff_t j = 0; j < 9; ++j) {
      double s = 0;
      for (std::ptrdiff_t l = 0; l < 6; ++l) s += std::pow(x.data()[i * 6 + l] - x.data()[j * 6 + l], 2);
      CHECK(k(i, j) == Approx(std::exp(-s / (2 * 0.49))));
      CHECK(a(i, j) == Approx(k(i, j) / 9));
      CHECK(b(i, j) == Approx(k(i, j) / 9));
    }
  }
  auto const two = rbf_gram(x, x, 0.7);
  CHECK(distance(two, k) < 1e-15);
  // float: far rows are 0, near ones far from 0 are not lost
  tensor<float, 2, D> const y({3, 1}, {1000.0f, 1000.5f, 5000.0f});
  auto const f = rbf_gram(y, 0.5);
  CHECK(f(0, 1) == Approx(std::exp(-0.5f)));
  CHECK(f(0, 2) == 0);
}

TEMPLATE_TEST_CASE("gram: gradients", "", scalar, simd) {
  using D = TestType;
  for (std::ptrdiff_t const n : {0, 1, 2, 11}) {
    auto const x = random_tensor<double, 2, D>(shape<2>{{n, 3}}), y = random_tensor<double, 2, D>({{4, 3}}, 2);
    auto const k = positive<D>(n, 3), b = positive<D>(n, 4);
    CAPTURE(n);
    CHECK(check_gradient(gram(), x).passed);
    CHECK(check_gradient(gram(), x, y).passed);
    CHECK(check_gradient(unit_gram(), x).passed);
    CHECK(check_gradient(normalized(), k).passed);
    CHECK(check_gradient(joined(), k, b).passed);
    CHECK(check_gradient(joined(), k).passed);  // one matrix as both operands
  }
}

TEMPLATE_TEST_CASE("gram: second order", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 2, D>({{5, 2}}), v = random_tensor<double, 2, D>({{5, 2}}, 2);
  CHECK(distance(hessian_vector_product(number(), x, v), difference_of_gradients(number(), x, v)) < 1e-7);
}

TEMPLATE_TEST_CASE("gram: the joint of Gaussian kernels is the kernel of concatenated rows", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 2, D>({{12, 3}}), z = random_tensor<double, 2, D>({{12, 2}}, 2);
  tensor<double, 2, D> both({12, 5});
  for (std::ptrdiff_t i = 0; i < 12; ++i) {
    for (std::ptrdiff_t j = 0; j < 3; ++j) both(i, j) = x(i, j);
    for (std::ptrdiff_t j = 0; j < 2; ++j) both(i, 3 + j) = z(i, j);
  }
  auto const joined_gram = joint(normalize_gram(rbf_gram(x, 0.9)), normalize_gram(rbf_gram(z, 0.9)));
  CHECK(distance(joined_gram, normalize_gram(rbf_gram(both, 0.9))) < 1e-16);
}

TEMPLATE_TEST_CASE("gram: errors and NaN", "", scalar, simd) {
  using D = TestType;
  auto x = random_tensor<double, 2, D>({{4, 2}});
  for (double const sigma : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY), 1e-200}) {
    CHECK_THROWS_AS(rbf_gram(x, sigma), argument_error);
    CHECK_THROWS_AS(normalized_rbf_gram(x, sigma), argument_error);
  }
  CHECK_THROWS_AS(rbf_gram(random_tensor<float, 2, D>({{4, 2}}), 1e-30), argument_error);
  CHECK_THROWS_WITH(rbf_gram(x, -1.0), "[rbf_gram] sigma must be positive and finite, but is -1");
  CHECK_THROWS_AS(normalize_gram(tensor<double, 2, D>({2, 3})), shape_error);
  CHECK_THROWS_AS(joint(tensor<double, 2, D>({2, 3}), tensor<double, 2, D>({2, 3})), shape_error);
  CHECK_THROWS_AS(joint(tensor<double, 2, D>({2, 2}), tensor<double, 2, D>({3, 3})), shape_error);
  x(1, 1) = std::nan("");
  auto const k = normalized_rbf_gram(x, 1.0);
  CHECK(std::isnan(k(1, 3)));
  CHECK(!std::isnan(k(0, 3)));
}
