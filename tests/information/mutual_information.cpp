// information/mutual_information.cpp - mutual information, joint entropy, and what they refuse
#include "../matrix_support.hpp"
#include "../symmetric_eigen.hpp"

#include <limbic/information.hpp>

using namespace limbic;

namespace {

constexpr double alphas[] = {0.5, 0.99, 1.0, 1.01, 2.0, 5.0};

struct information_of {
  double alpha;
  auto operator()(auto const& x, auto const& z) const {
    return mutual_information(x, z, {.sigma = 1.2, .alpha = alpha, .sigma_z = 0.9});
  }
};
template <class Z> struct information_beside {  // of x, beside a fixed z
  double alpha;
  Z const* z;
  auto operator()(auto const& x) const { return mutual_information(x, *z, {.sigma = 1.2, .alpha = alpha}); }
};
struct information_of_itself {
  double alpha;
  auto operator()(auto const& x) const { return mutual_information(x, x, {.alpha = alpha}); }
};

}  // namespace

TEMPLATE_TEST_CASE("mutual information: identities", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 2, D>({{15, 3}}), z = random_tensor<double, 2, D>({{15, 2}}, 2);
  tensor<double, 2, D> both({15, 5}), same({15, 2}, 0.7);
  for (std::ptrdiff_t i = 0; i < 15; ++i) {
    for (std::ptrdiff_t j = 0; j < 3; ++j) both(i, j) = x(i, j);
    for (std::ptrdiff_t j = 0; j < 2; ++j) both(i, 3 + j) = z(i, j);
  }
  auto const entropy = [&](auto const& s, double alpha) {
    return renyi_entropy(normalized_rbf_gram(s, 0.9), {.alpha = alpha})();
  };
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    double const i = mutual_information(x, z, {.sigma = 0.9, .alpha = alpha})();
    CHECK(i == Approx(entropy(x, alpha) + entropy(z, alpha) - entropy(both, alpha)));
    CHECK(i == Approx(mutual_information(z, x, {.sigma = 0.9, .alpha = alpha})()));
    CHECK(mutual_information(x, same, {.alpha = alpha})() == Approx(0).margin(1e-11));
    auto const a = normalize_gram(rbf_gram(x, 0.9)), b = normalize_gram(rbf_gram(z, 0.9));
    CHECK(i == Approx(gram_mutual_information(a, b, {.alpha = alpha})()));
    CHECK(joint_entropy(a, b, {.alpha = alpha})() == Approx(entropy(both, alpha)));
    tensor<double, 2, D> one({1, 3}, 4.0);
    CHECK(mutual_information(one, one, {.alpha = alpha})() == 0);
  }
  CHECK(mutual_information(x, z, {.sigma = 2, .sigma_z = 0.5})() ==
        Approx(gram_mutual_information(normalized_rbf_gram(x, 2.0), normalized_rbf_gram(z, 0.5))()));
  auto const windows = random_tensor<float, 3, D>({{15, 10, 1}});
  CHECK(mutual_information(windows, random_tensor<float, 2, D>({{15, 4}}))() > 0);
}

TEMPLATE_TEST_CASE("mutual information: gradients", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 3, D>({{7, 2, 2}}), z3 = random_tensor<double, 3, D>({{7, 1, 1}}, 3);
  auto const y = random_tensor<double, 2, D>({{7, 4}}), z = random_tensor<double, 2, D>({{7, 2}}, 2),
             v = random_tensor<double, 2, D>({{7, 4}}, 5);
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    auto const report = check_gradient(information_of{alpha}, x, z);
    INFO(report.message.view());
    CHECK(report.passed);
    auto const fixed = check_gradient(information_beside<decltype(z3)>{alpha, &z3}, y);
    CHECK(fixed.passed);
    information_beside<decltype(z)> const f{alpha, &z};
    CHECK(distance(hessian_vector_product(f, y, v), difference_of_gradients(f, y, v)) < 1e-6);
  }
  CHECK(check_gradient(information_of_itself{2}, y).passed);
  CHECK(check_gradient(information_of_itself{1.01}, y).passed);
}

TEMPLATE_TEST_CASE("information: errors and NaN", "", scalar, simd) {
  using D = TestType;
  auto x = random_tensor<double, 2, D>({{5, 2}});
  auto const z = random_tensor<double, 2, D>({{5, 3}}, 2);
  auto const a = normalized_rbf_gram(x, 1.0);
  for (double const alpha : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)}) {
    CHECK_THROWS_AS(renyi_entropy(a, {.alpha = alpha}), argument_error);
    CHECK_THROWS_AS(mutual_information(x, z, {.alpha = alpha}), argument_error);
  }
  CHECK_THROWS_AS(mutual_information(x, z, {.sigma = 0}), argument_error);
  CHECK_THROWS_AS(mutual_information(x, z, {.sigma_z = -1.0}), argument_error);
  CHECK_THROWS_WITH(mutual_information(x, random_tensor<double, 2, D>({{6, 3}})),
                    "[mutual_information] x (5, 2) and z (6, 3) must have the same number of rows");
  CHECK_THROWS_AS(renyi_entropy(tensor<double, 2, D>({2, 3})), shape_error);
  CHECK_THROWS_AS(renyi_entropy(tensor<double, 2, D>({0, 0})), shape_error);
  CHECK_THROWS_AS(joint_entropy(a, tensor<double, 2, D>({4, 4})), shape_error);
  x(2, 0) = std::nan("");
  for (double const alpha : alphas) {
    CHECK(std::isnan(mutual_information(x, z, {.alpha = alpha})()));
    tape t;
    auto const p = t.variable(x);
    auto const i = mutual_information(p, z, {.alpha = alpha});
    t.backward(i);
    CHECK(std::isnan(p.gradient()(2, 0)));
  }
}
