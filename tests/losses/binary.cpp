// Losses of independent yes-or-no answers.
#include "support.hpp"

using namespace limbic;

TEMPLATE_TEST_CASE("binary cross entropy: values and gradients, of the weights too", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<D>(shape{4, 5}, 1, -4, 4), t = random_tensor<D>(shape{4, 5}, 2, 0, 1);
  auto const w = random_tensor<D>(shape{4, 1}, 3, 0.5, 2);
  auto const v = random_tensor<D>(shape{5}, 4, 0.5, 2);
  auto const each = binary_cross_entropy_with_logits(x, t, w, v, reduction::none);
  double total = 0;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 5; ++j) {
      double const p = 1 / (1 + std::exp(-x(i, j)));
      double const want = -w(i, 0) * (v(j) * t(i, j) * std::log(p) + (1 - t(i, j)) * std::log(1 - p));
      CHECK(each(i, j) == Approx(want).epsilon(1e-12));
      total += want;
    }
  CHECK(*binary_cross_entropy_with_logits(x, t, w, v).data() == Approx(total / 20).epsilon(1e-12));
  auto const report = check_gradient(
      [](auto const& a, auto const& b, auto const& c, auto const& d) {
        return std::tuple(binary_cross_entropy_with_logits(a, b, c, d),
                          binary_cross_entropy_with_logits(a, b, no_weight, d, reduction::sum),
                          binary_cross_entropy_with_logits(a, b, c, reduction::none),
                          binary_cross_entropy_with_logits(a, b));
      },
      x, t, w, v);
  INFO(report.message.view());
  CHECK(report.passed);
}

TEMPLATE_TEST_CASE("sigmoid focal loss: gradients; without focus it is binary cross entropy", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<D>(shape{4, 5}, 1, -4, 4), t = random_tensor<D>(shape{4, 5}, 2, 0.1, 0.9);
  auto const report = check_gradient(
      [](auto const& a, auto const& b) {
        return std::tuple(sigmoid_focal_loss(a, b, {.gamma = 0.5}),
                          sigmoid_focal_loss(a, b, {.gamma = 1, .alpha = -1}, reduction::sum),
                          sigmoid_focal_loss(a, b, reduction::none));
      },
      x, t);
  INFO(report.message.view());
  CHECK(report.passed);
  CHECK(*sigmoid_focal_loss(x, t, {.gamma = 0, .alpha = -1}).data() ==
        Approx(*binary_cross_entropy_with_logits(x, t).data()).epsilon(1e-12));
}

TEMPLATE_TEST_CASE("binary losses: extreme logits, NaN", "", scalar, simd) {
  using D = TestType;
  constexpr float big = 1e4F;
  tensor<float, 1, D> const x({6}, {big, big, -big, -big, 0, std::numeric_limits<float>::quiet_NaN()}),
      t({6}, {1, 0, 1, 0, 0.5F, 0});
  auto const each = binary_cross_entropy_with_logits(x, t, reduction::none);
  CHECK(each(0) == 0);
  CHECK(each(1) == big);
  CHECK(each(2) == big);
  CHECK(each(3) == 0);
  CHECK(each(4) == Approx(std::log(2.0)));
  CHECK(std::isnan(each(5)));
  auto const check = [&](auto const& f) {
    tape tp;
    auto const v = tp.variable(x), u = tp.variable(t);
    tp.backward(f(v, u));
    for (int i = 0; i < 5; ++i) CHECK(std::isfinite(v.gradient()(i)));
    CHECK(std::isnan(v.gradient()(5)));
    return v.gradient()(1);
  };
  CHECK(check([](auto const& a, auto const& b) { return binary_cross_entropy_with_logits(a, b, reduction::sum); }) ==
        1);
  CHECK(check([](auto const& a, auto const& b) {
          return sigmoid_focal_loss(a, b, {.gamma = 0.5, .alpha = -1}, reduction::sum);
        }) == 1);
  CHECK(std::isnan(*sigmoid_focal_loss(x, t).data()));
}
