// Gradients of the losses of classifiers: cross entropy of labels and of probabilities, likelihood, focal loss.
#include "classes.hpp"

using namespace limbic;

TEMPLATE_TEST_CASE("losses of classifiers: gradients", "", scalar, simd) {
  using D = TestType;
  samples<D> const s;
  auto const passes = [](gradient_report const& report) {
    INFO(report.message.view());
    CHECK(report.passed);
  };
  passes(check_gradient(
      [&](auto const& x) {
        return std::tuple(cross_entropy(x, s.y), cross_entropy(x, s.y, s.w, {.label_smoothing = 0.2}),
                          cross_entropy(x, s.y, s.w, reduction::sum),
                          cross_entropy(x, s.y, {.label_smoothing = 0.1}, reduction::none));
      },
      s.x));
  passes(check_gradient(
      [&](auto const& x) {
        return std::tuple(nll_loss(x, s.y, s.w), nll_loss(x, s.y, reduction::sum),
                          nll_loss(x, s.all, s.w, {.ignore_index = 2}, reduction::none));
      },
      tensor<double, 2, D>(s.x.shape(), 0.5)));
}

TEMPLATE_TEST_CASE("focal loss: gradients", "", scalar, simd) {
  using D = TestType;
  samples<D> const s;
  auto const report = check_gradient(
      [&](auto const& x) {
        return std::tuple(focal_loss(x, s.all, s.w, {.gamma = 0.5}),
                          focal_loss(x, s.all, {.alpha = 0.25}, reduction::sum),
                          focal_loss(x, s.all, {.gamma = 0}, reduction::none));
      },
      s.x);
  INFO(report.message.view());
  CHECK(report.passed);
  CHECK(*focal_loss(s.x, s.all, {.gamma = 0}).data() == Approx(*cross_entropy(s.x, s.all).data()).epsilon(1e-12));
}

TEMPLATE_TEST_CASE("soft targets", "", scalar, simd) {
  using D = TestType;
  samples<D> const s;
  auto const q = random_tensor<D>(shape{7, 5}, 9, 0, 1);
  auto const report = check_gradient(
      [&](auto const& x, auto const& t) {
        return std::tuple(cross_entropy(x, t, s.w, {.label_smoothing = 0.1}), cross_entropy(x, t, reduction::sum),
                          cross_entropy(x, t, s.w, reduction::none));
      },
      s.x, q);
  INFO(report.message.view());
  CHECK(report.passed);

  // one-hot targets are labels; smoothing mixes them with 1 / C
  tensor<double, 2, D> one_hot({7, 5});
  for (int i = 0; i < 7; ++i) one_hot(i, s.all(i)) = 1;
  CHECK(*cross_entropy(s.x, one_hot).data() == Approx(*cross_entropy(s.x, s.all).data()).epsilon(1e-12));
  CHECK(*cross_entropy(s.x, one_hot, {.label_smoothing = 0.3}).data() ==
        Approx(*cross_entropy(s.x, s.all, {.label_smoothing = 0.3}).data()).epsilon(1e-12));
}
