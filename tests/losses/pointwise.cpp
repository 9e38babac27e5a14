// Losses between two tensors, element by element: values against the plain formula, gradients against differences.
#include "support.hpp"

using namespace limbic;

namespace {

constexpr auto mse = [](auto const& a, auto const& b, auto r) { return mse_loss(a, b, r); };
constexpr auto l1 = [](auto const& a, auto const& b, auto r) { return l1_loss(a, b, r); };
constexpr auto smooth = [](auto const& a, auto const& b, auto r) { return smooth_l1_loss(a, b, {.beta = 0.7}, r); };
constexpr auto huber = [](auto const& a, auto const& b, auto r) { return huber_loss(a, b, {.delta = 0.7}, r); };
constexpr auto kl = [](auto const& a, auto const& b, auto r) { return kl_div(a, b, {}, r); };
constexpr auto kl_log = [](auto const& a, auto const& b, auto r) { return kl_div(a, b, {.log_target = true}, r); };

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEMPLATE_TEST_CASE("distances between input and target", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<D>(shape{3, 7}, 1), t = random_tensor<D>(shape{3, 7}, 2);
  check_values(mse, [](double a, double b) { return (a - b) * (a - b); }, x, t);
  check_values(l1, [](double a, double b) { return std::abs(a - b); }, x, t);
  check_values(
      smooth,
      [](double a, double b) {
        double const d = std::abs(a - b);
        return d < 0.7 ? d * d / 1.4 : d - 0.35;
      },
      x, t);
  check_values(
      huber,
      [](double a, double b) {
        double const d = std::abs(a - b);
        return d < 0.7 ? d * d / 2 : 0.7 * (d - 0.35);
      },
      x, t);
  check_loss(mse, x, t);
  check_loss(l1, x, t);
  check_loss(smooth, x, t);
  check_loss(huber, x, t);
  auto const a = random_tensor<D>(shape{2, 1, 3, 5}, 3), b = random_tensor<D>(shape{2, 1, 3, 5}, 4);
  check_loss(mse, a, b);
  auto const one = random_tensor<D>(shape<0>{}, 5), other = random_tensor<D>(shape<0>{}, 6);
  check_loss(huber, one, other);
}

TEMPLATE_TEST_CASE("Kullback-Leibler divergence", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<D>(shape{4, 5}, 1, -3, 0), t = random_tensor<D>(shape{4, 5}, 2, 0.05, 1);
  auto const s = random_tensor<D>(shape{4, 5}, 3, -3, 0);
  check_values(kl, [](double a, double b) { return b * (std::log(b) - a); }, x, t);
  check_values(kl_log, [](double a, double b) { return std::exp(b) * (b - a); }, x, s);
  check_loss(kl, x, t);
  check_loss(kl_log, x, s);
  CHECK(*kl_div(x, t, reduction::batchmean).data() == Approx(*kl_div(x, t, reduction::sum).data() / 4));
  auto const report =
      check_gradient([](auto const& a, auto const& b) { return kl_div(a, b, reduction::batchmean); }, x, t);
  CHECK(report.passed);

  // where the target is 0 nothing is lost, not even against an impossible event; NaN stays NaN
  tensor<double, 1, D> const p({4}, {0, 0, 0.5, 0}), q({4}, {-infinity, -1, std::log(0.25), not_a_number});
  auto const each = kl_div(q, p, reduction::none);
  CHECK(each(0) == 0);
  CHECK(each(1) == 0);
  CHECK(each(2) == Approx(0.5 * std::log(2.0)));
  CHECK(std::isnan(each(3)));
  tape tp;
  auto const vq = tp.variable(q), vp = tp.variable(p);
  tp.backward(kl_div(vq, vp, reduction::sum));
  CHECK(vq.gradient()(0) == 0);
  CHECK(vq.gradient()(2) == -0.5);
  CHECK(vp.gradient()(0) == 0);
}

TEMPLATE_TEST_CASE("kinks, NaN and infinities", "", scalar, simd) {
  using D = TestType;
  tensor<double, 1, D> const x({3}, {1, not_a_number, infinity}), t({3}, {1, 0, 0});
  tape tp;
  auto const v = tp.variable(x), w = tp.variable(t);
  tp.backward(l1_loss(v, w, reduction::sum));
  CHECK(v.gradient()(0) == 0);
  CHECK(w.gradient()(0) == 0);
  CHECK(std::isnan(v.gradient()(1)));
  CHECK(v.gradient()(2) == 1);
  auto const at = [&](auto const& y) {
    CHECK(y(0) == 0);
    CHECK(std::isnan(y(1)));
    CHECK(y(2) == infinity);
  };
  at(l1_loss(x, t, reduction::none));
  at(smooth_l1_loss(x, t, reduction::none));
  at(smooth_l1_loss(x, t, {.beta = 0}, reduction::none));
  at(huber_loss(x, t, reduction::none));
  at(mse_loss(x, t, reduction::none));
  CHECK(std::isnan(*mse_loss(x, t).data()));
}

TEST_CASE("empty inputs: a sum of 0, a mean of NaN") {
  tensor<float, 2> const none({0, 3});
  CHECK(*mse_loss(none, none, reduction::sum).data() == 0);
  CHECK(std::isnan(*mse_loss(none, none).data()));
  CHECK(mse_loss(none, none, reduction::none).size() == 0);
  tape t;
  auto const v = t.variable(none);
  t.backward(mse_loss(v, none, reduction::sum));
  CHECK(v.gradient().size() == 0);
}

TEST_CASE("strided inputs") {
  auto const x = random_tensor<simd>(shape{6, 5}, 1), t = random_tensor<simd>(shape{5, 6}, 2);
  double total = 0;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 6; ++j) total += (x(j, i) - t(i, j)) * (x(j, i) - t(i, j));
  CHECK(*mse_loss(x.view().transpose(), t).data() == Approx(total / 30));
}

TEST_CASE("what a loss refuses") {
  tensor<float, 2> const a({2, 3}), b({3, 2}), c({1, 3});
  CHECK_THROWS_AS(mse_loss(a, b), shape_error);
  CHECK_THROWS_WITH(mse_loss(a, c), "[mse_loss] the input (2, 3) and the target (1, 3) must have the same shape");
  CHECK_THROWS_AS(smooth_l1_loss(a, a, {.beta = -1}), argument_error);
  CHECK_THROWS_AS(huber_loss(a, a, {.delta = 0}), argument_error);
  CHECK_THROWS_AS(huber_loss(a, a, {.delta = std::nan("")}), argument_error);
}

TEST_CASE("one variable may be both input and target") {
  auto const x = random_tensor<simd>(shape{5}, 1);
  tape t;
  auto const v = t.variable(x);
  t.backward(l1_loss(v, v));
  for (int i = 0; i < 5; ++i) CHECK(v.gradient()(i) == 0);
}
