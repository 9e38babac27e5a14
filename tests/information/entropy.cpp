// information/entropy.cpp - Shannon's entropy, and Renyi's of Gram matrices
#include "../matrix_support.hpp"
#include "../symmetric_eigen.hpp"

#include <limbic/information/entropy.hpp>
#include <limbic/ops/softmax.hpp>

using namespace limbic;

namespace {

constexpr double alphas[] = {0.5, 0.99, 1.0, 1.01, 2.0, 3.0, 5.0};

struct shannon {
  auto operator()(auto const& p) const { return shannon_entropy(p); }
};
struct shannon_of_softmax {
  auto operator()(auto const& x) const { return shannon_entropy(softmax(x)); }
};
struct entropy_of {
  double alpha, sigma = 1;
  auto operator()(auto const& x) const { return renyi_entropy(normalized_rbf_gram(x, sigma), {.alpha = alpha}); }
};
// n equal eigenvalues 1/n, and one eigenvalue 1 among zeros.
template <class D> tensor<double, 2, D> uniform(std::ptrdiff_t n) {
  tensor<double, 2, D> a(shape<2>{{n, n}});
  for (std::ptrdiff_t i = 0; i < n; ++i) a(i, i) = 1 / static_cast<double>(n);
  return a;
}
template <class D> tensor<double, 2, D> concentrated(std::ptrdiff_t n) {
  return tensor<double, 2, D>(shape<2>{{n, n}}, 1 / static_cast<double>(n));
}

}  // namespace

TEMPLATE_TEST_CASE("shannon entropy", "", scalar, simd) {
  using D = TestType;
  tensor<double, 2, D> const p({3, 4}, {0.25, 0.25, 0.25, 0.25, 1, 0, 0, 0, 0.5, 0, 0.5, 0});
  auto const h = shannon_entropy(p);
  REQUIRE(h.shape() == shape<1>{{3}});
  CHECK(h(0) == Approx(std::log(4.0)));
  CHECK(h(1) == 0);
  CHECK(h(2) == Approx(std::log(2.0)));
  CHECK(shannon_entropy(tensor<float, 1, D>({2}, 0.5f))() == Approx(std::log(2.0f)));
  CHECK(std::isnan(shannon_entropy(tensor<double, 1, D>({2}, {-0.5, 1.5}))()));
  CHECK(std::isnan(shannon_entropy(tensor<double, 1, D>({2}, {std::nan(""), 0.5}))()));

  CHECK(check_gradient(shannon_of_softmax(), random_tensor<double, 2, D>({{3, 5}})).passed);
  CHECK(check_gradient(shannon(), softmax(random_tensor<double, 3, D>({{2, 3, 17}}))).passed);
  CHECK(check_gradient(shannon(), tensor<double, 2, D>({3, 0})).passed);
  tape t;
  auto const q = t.variable(p);
  t.backward(shannon_entropy(q), tensor<double, 1, D>({3}, 1.0));
  CHECK(q.gradient()(1, 0) == -1);
  CHECK(q.gradient()(1, 1) == 0);  // finite at 0
  auto const x = random_tensor<double, 1, D>({{6}}), v = random_tensor<double, 1, D>({{6}}, 2);
  CHECK(distance(hessian_vector_product(shannon_of_softmax(), x, v),
                 difference_of_gradients(shannon_of_softmax(), x, v)) < 1e-8);
}

TEMPLATE_TEST_CASE("renyi entropy: known values", "", scalar, simd) {
  using D = TestType;
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    for (std::ptrdiff_t const n : {1, 2, 7, 135}) {
      CHECK(renyi_entropy(uniform<D>(n), {.alpha = alpha})() == Approx(std::log(static_cast<double>(n))).margin(1e-12));
      CHECK(renyi_entropy(concentrated<D>(n), {.alpha = alpha})() == Approx(0).margin(1e-11));
    }
  }
  // alpha = 2 with eigenvalues is alpha = 2 without
  auto const a = normalized_rbf_gram(random_tensor<double, 2, D>({{20, 4}}), 1.5);
  double const near_two = 2 + 1e-9;
  CHECK(renyi_entropy(a, {.alpha = near_two})() == Approx(renyi_entropy(a)()).epsilon(1e-8));
  // the limit at 1 joins both sides
  CHECK(renyi_entropy(a, {.alpha = 1 + 1e-6})() == Approx(renyi_entropy(a, {.alpha = 1})()).epsilon(1e-5));
  CHECK(renyi_entropy(a, {.alpha = 1 - 1e-6})() == Approx(renyi_entropy(a, {.alpha = 1})()).epsilon(1e-5));
  // it falls with alpha
  CHECK(renyi_entropy(a, {.alpha = 0.5})() > renyi_entropy(a, {.alpha = 1})());
  CHECK(renyi_entropy(a, {.alpha = 1})() > renyi_entropy(a)());
}

TEMPLATE_TEST_CASE("renyi entropy: gradients", "", scalar, simd) {
  using D = TestType;
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    for (std::ptrdiff_t const n : {1, 2, 8}) {
      auto const report = check_gradient(entropy_of{alpha}, random_tensor<double, 2, D>(shape<2>{{n, 3}}));
      INFO(report.message.view());
      CHECK(report.passed);
    }
  }
}

TEMPLATE_TEST_CASE("renyi entropy: gradients at repeated and vanishing eigenvalues", "", scalar, simd) {
  using D = TestType;
  std::ptrdiff_t const n = 6;
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    // dS/da = alpha / (1 - alpha) n^(alpha - 1) a^(alpha - 1) = alpha / (1 - alpha) 1, -(log a + 1) = (log n - 1) 1
    double const slope = alpha == 1 ? std::log(6.0) - 1 : alpha / (1 - alpha);
    tensor<double, 2, D> expected(shape<2>{{n, n}});
    for (std::ptrdiff_t i = 0; i < n; ++i) expected(i, i) = slope;
    tape t;
    auto const p = t.variable(uniform<D>(n));
    t.backward(renyi_entropy(p, {.alpha = alpha}));
    CHECK(distance(p.gradient(), expected) < 1e-12);

    auto const q = t.variable(concentrated<D>(n));
    t.backward(renyi_entropy(q, {.alpha = alpha}));
    for (std::ptrdiff_t i = 0; i < n * n; ++i) CHECK(std::isfinite(q.gradient().data()[i]));

    // samples that coincide: equal rows and columns of the Gram matrix, so that eigenvalues vanish
    tensor<double, 2, D> x({4, 1}, {0.5, 0.5, 0.5, 2});
    auto const y = t.variable(x);
    t.backward(renyi_entropy(normalized_rbf_gram(y, 1.0), {.alpha = alpha}));
    for (std::ptrdiff_t i = 0; i < 4; ++i) CHECK(std::isfinite(y.gradient().data()[i]));
    CHECK(y.gradient()(0, 0) == Approx(y.gradient()(1, 0)));
  }
}

TEMPLATE_TEST_CASE("renyi entropy: second order", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<double, 2, D>({{7, 2}}), v = random_tensor<double, 2, D>({{7, 2}}, 2);
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    entropy_of const f{alpha, 0.6};
    CHECK(distance(hessian_vector_product(f, x, v), difference_of_gradients(f, x, v)) < 1e-6);
  }
  // corners of a square: eigenvalues repeat
  tensor<double, 2, D> const square({4, 2}, {0, 0, 1, 0, 0, 1, 1, 1}),
      w({4, 2}, {0.3, -0.2, 0.7, 0.1, -0.5, 0.4, 0.2, 0.9});
  for (double const alpha : alphas) {
    CAPTURE(alpha);
    entropy_of const f{alpha, 0.8};
    CHECK(distance(hessian_vector_product(f, square, w), difference_of_gradients(f, square, w)) < 1e-6);
  }
}
