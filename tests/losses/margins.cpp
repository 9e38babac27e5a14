// Margins: what they come down to, the poles of the angle, zeros, extremes, and what is refused.
#include "support.hpp"

#include <limbic/losses.hpp>
#include <limbic/ops/slice.hpp>

using namespace limbic;

namespace margins {

using labels = std::int64_t;

template <class D> struct samples {
  tensor<double, 2, D> x = random_tensor<D>(shape{6, 5}, 1), w = random_tensor<D>(shape{4, 5}, 2);
  tensor<labels, 1, D> y{limbic::shape<1>{{6}}, {0, 3, 2, 2, 1, 3}};
  template <class M> tensor<double, 2, D> logits(M const& m) const { return margin_logits(x, w, y, m); }
};

template <class D, int R> void check_equal(tensor<double, R, D> const& got, tensor<double, R, D> const& want) {
  REQUIRE(got.shape() == want.shape());
  for (std::ptrdiff_t i = 0; i < got.size(); ++i)
    CHECK(got.data()[i] == Approx(want.data()[i]).epsilon(1e-11).margin(1e-13));
}

TEMPLATE_TEST_CASE("without a margin every one is the normalised softmax", "", scalar, simd) {
  using D = TestType;
  samples<D> const s;
  auto const plain = s.logits(no_margin{.scale = 7});
  for (int i = 0; i < 6; ++i)
    for (int c = 0; c < 4; ++c) {
      double dot = 0, xx = 0, ww = 0;
      for (int k = 0; k < 5; ++k) {
        dot += s.x(i, k) * s.w(c, k);
        xx += s.x(i, k) * s.x(i, k);
        ww += s.w(c, k) * s.w(c, k);
      }
      CHECK(plain(i, c) == Approx(7 * dot / std::sqrt(xx * ww)).epsilon(1e-12).margin(1e-14));
    }
  check_equal(s.logits(am_softmax_margin{.scale = 7, .margin = 0}), plain);
  check_equal(s.logits(arcface_margin{.scale = 7, .margin = 0}), plain);
  check_equal(s.logits(arcface_margin{.scale = 7, .margin = 0, .beyond_pi = beyond_pi::linear}), plain);
  check_equal(s.logits(double_additive_margin{.scale = 7, .margin = 0}), plain);
  check_equal(s.logits(dynamic_additive_margin{.scale = 7, .margin = 0}), plain);
  check_equal(s.logits(sphereface_margin{.margin = 1, .scale = 7}), plain);
  tensor<double, 2, D> const products = functional::linear(s.x, s.w);
  check_equal(s.logits(l_softmax_margin{.margin = 1}), products);
  check_equal(s.logits(soft_margin{.margin = 0}), products);
  check_equal(tensor<double, 0, D>(margin_loss(s.x, s.w, s.y, no_margin{.scale = 7})),
              tensor<double, 0, D>(cross_entropy(plain, s.y)));
  CHECK(margin_loss(s.x, s.w, s.y, arcface_margin{}, reduction::none).shape() == limbic::shape<1>{{6}});
  // a softmax does not see what all logits share
  check_equal(tensor<double, 0, D>(margin_loss(s.x, s.w, s.y, double_additive_margin{.scale = 7, .margin = 0.2})),
              tensor<double, 0, D>(margin_loss(s.x, s.w, s.y, am_softmax_margin{.scale = 7, .margin = 0.4})));
}

TEST_CASE("margins of angles are what their angle says") {
  double const pi = std::acos(-1.0);
  for (int i = 1; i < 40; ++i) {
    double const theta = pi * i / 40, c = std::cos(theta);
    for (int m = 1; m <= 6; ++m) {
      int const k = static_cast<int>(std::floor(m * theta / pi + 1e-9));
      double const psi = (k % 2 == 0 ? 1 : -1) * std::cos(m * theta) - 2 * k;
      CHECK(sphereface_margin{.margin = m}.target(c) == Approx(psi).epsilon(1e-10).margin(1e-12));
      CHECK(l_softmax_margin{.margin = m, .lambda = 3}.target(c) ==
            Approx((3 * c + psi) / 4).epsilon(1e-10).margin(1e-12));
    }
    CHECK(arcface_margin{.margin = 0.5}.target(c) == Approx(std::cos(theta + 0.5)).margin(1e-12));
  }
  // psi falls all the way, also through the steps of k and down to pi
  for (int m : {1, 2, 4, 7}) {
    CHECK(sphereface_margin{.margin = m}.target(1.0) == Approx(1));
    CHECK(sphereface_margin{.margin = m}.target(-1.0) == Approx(1 - 2 * m));
    for (int i = 0; i < 200; ++i) {
      double const a = std::cos(pi * i / 200), b = std::cos(pi * (i + 1) / 200);
      CHECK(sphereface_margin{.margin = m}.target(b) < sphereface_margin{.margin = m}.target(a));
      CHECK(sphereface_margin{.margin = m}.slope(a) >= -1e-9);
    }
  }
  // beyond pi - m the logit falls below -1 and goes on falling
  arcface_margin const linear{.margin = 0.5, .beyond_pi = beyond_pi::linear};
  CHECK(linear.target(-1.0) < linear.target(-std::cos(0.5) - 1e-9));
  CHECK(linear.slope(-1.0) == 1);
}

TEMPLATE_TEST_CASE("margins at the poles of the angle, with zeros, and far out", "", scalar, simd) {
  using D = TestType;
  // samples: on its class, opposite to it, nothing at all, huge, tiny; the last class has no weight
  tensor<float, 2, D> const x({5, 2}, {2, 0, -4, 0, 0, 0, 1e30F, 1e30F, 1e-30F, 0}), w({3, 2}, {1, 0, 0, 8, 0, 0});
  tensor<labels, 1, D> const y({5}, {0, 0, 1, 1, 2});
  auto const check = [&](auto const& m, bool at_poles) {
    tape t;
    auto const a = t.variable(x), b = t.variable(w);
    auto const loss = margin_loss(a, b, y, m, reduction::sum);
    t.backward(loss);
    CHECK(std::isfinite(loss.item()));
    for (int i = 0; i < 10; ++i) CHECK(std::isfinite(a.gradient().data()[i]));
    for (int i = 0; i < 6; ++i) CHECK(std::isfinite(b.gradient().data()[i]));
    CHECK(a.gradient()(2, 0) == 0);
    CHECK(b.gradient()(2, 1) == 0);
    if (!at_poles) return;
    CHECK(a.gradient()(0, 0) == 0);  // along the feature nothing changes
    CHECK(a.gradient()(1, 0) == 0);
  };
  check(no_margin{}, true);
  check(am_softmax_margin{}, true);
  check(arcface_margin{}, true);
  check(arcface_margin{.beyond_pi = beyond_pi::linear}, true);
  check(sphereface_margin{.scale = 30}, true);
  check(double_additive_margin{}, true);
  check(dynamic_additive_margin{.margin_gradient = margin_gradient::full}, true);
  tensor<float, 2, D> const near({2, 2}, {3, 0, -5, 0});
  tensor<labels, 1, D> const first({2}, {0, 0});
  tensor<float, 2, D> const cosines = margin_logits(near, w, first, arcface_margin{.scale = 8});
  CHECK(cosines(0, 0) == Approx(8 * std::cos(0.5)));
  CHECK(cosines(1, 0) == Approx(-8 * std::cos(0.5)));
  CHECK(cosines(0, 2) == 0);
}

TEST_CASE("cosines of the largest and the smallest numbers, NaN, and lengths") {
  tensor<double, 2> const x({3, 2}, {3e300, 4e300, 3e-310, 4e-310, std::nan(""), 1}), w({1, 2}, {1, 0});
  auto const [c, a, b] = cosines_and_lengths(x, w);
  CHECK(c(0, 0) == Approx(0.6).epsilon(1e-14));
  CHECK(c(1, 0) == Approx(0.6).epsilon(1e-10));
  CHECK(std::isnan(c(2, 0)));
  CHECK(a(0, 0) == Approx(5e300));
  CHECK(b(0, 0) == 1);
  CHECK(pairwise_cosine_similarity(w, w)(0, 0) == 1);
}

TEST_CASE("a gradient through the margin is wanted, or not") {
  samples<simd> const s;
  auto const report = check_gradient(
      [&](auto const& x, auto const& w) {
        return margin_loss(x, w, s.y, dynamic_additive_margin{.margin_gradient = margin_gradient::full});
      },
      s.x, s.w);
  INFO(report.message.view());
  CHECK(report.passed);
  // stopped: the gradient is that of am_softmax with the very margins as numbers
  tape t;
  tensor<double, 2> const x = slice(s.x, 0, 0, 1), w = s.w;
  tensor<labels, 1> const y({1}, {0});
  double const c = pairwise_cosine_similarity(x, w)(0, 0);
  auto const v = t.variable(x), u = t.variable(x);
  t.backward(margin_loss(v, w, y, dynamic_additive_margin{.scale = 5, .margin = 0.4, .lambda = 1}));
  tape other;
  auto const z = other.variable(x);
  other.backward(margin_loss(z, w, y, am_softmax_margin{.scale = 5, .margin = 0.4 * std::exp(1 - c)}));
  for (int k = 0; k < 5; ++k) CHECK(v.gradient()(0, k) == Approx(z.gradient()(0, k)).epsilon(1e-11));
}

TEST_CASE("a margin's weight is a parameter, its labels may be a temporary") {
  samples<simd> const s;
  parameter<double, 2> weight(s.w.shape());
  weight.value = s.w;
  auto const train = [&](auto const& m) {
    tape t;
    auto const loss = margin_loss(t(s.x), weight, tensor<labels, 1>({6}, {0, 3, 2, 2, 1, 3}), m);
    t.backward(loss);
    CHECK(loss.item() == *margin_loss(s.x, s.w, s.y, m).data());
    double total = 0;
    for (std::ptrdiff_t i = 0; i < weight.size(); ++i) total += std::abs(weight.gradient().data()[i]);
    CHECK(total > 1e-3);
    weight.clear_gradient();
  };
  train(arcface_margin{});
  train(sphereface_margin{});
  train(l_softmax_margin{});
  train(soft_margin{});
}

TEMPLATE_TEST_CASE("MAM-Softmax: margins, the trivial minimum, clips", "", scalar, simd) {
  using D = TestType;
  tensor<labels, 1, D> const y({1}, {1});
  auto const loss_at = [&](double shift, mam_variant variant, margin_gradient gradient) {
    tensor<double, 2, D> const z({1, 3}, {shift, shift - 0.5, shift + 0.25});
    tape t;
    auto const v = t.variable(z);
    auto const loss = mam_softmax_loss(v, y, {.variant = variant, .margin_gradient = gradient});
    t.backward(loss);
    double along = 0;  // the slope of moving all logits together
    for (int k = 0; k < 3; ++k) along += v.gradient()(0, k);
    return std::pair(loss.item(), along);
  };
  for (mam_variant const variant : {mam_variant::equations, mam_variant::figure}) {
    // far down the target keeps its distance from M and the others vanish: nothing is lost, whatever is right
    CHECK(loss_at(-60, variant, margin_gradient::full).first < 1e-20);
    CHECK(loss_at(-4, variant, margin_gradient::full).first > loss_at(-6, variant, margin_gradient::full).first);
    // there `full` pulls all logits down, while `stop` does not move them together
    CHECK(loss_at(-4, variant, margin_gradient::full).second > 0.01);
    CHECK(std::abs(loss_at(-4, variant, margin_gradient::stop).second) < 1e-14);
  }
  // by hand: top = 1.2, q = log 1.2, M = 0.5 + q
  tensor<double, 2, D> const z({1, 2}, {1, 0});
  tensor<labels, 1, D> const first({1}, {0});
  CHECK(mam_logits(z, first)(0, 0) == Approx(0.5 - std::log(1.2)).epsilon(1e-14));
  CHECK(mam_logits(z, first)(0, 1) == 0);
  double const q = std::log10(1.2);
  CHECK(mam_logits(z, first, {.variant = mam_variant::figure, .log_base = 10})(0, 0) ==
        Approx(1 - std::log((std::exp(1.0) + 1) / 2 + q)).epsilon(1e-14));
  // q is clipped to clip_max, and to 0 where the logits are low
  tensor<double, 2, D> const high({1, 2}, {1e4, -1e4}), low({1, 2}, {-1e4, -1e4});
  CHECK(mam_logits(high, first)(0, 0) == 1e4 - 4);
  CHECK(mam_logits(low, first)(0, 0) == 0);
  CHECK(mam_logits(high, first, {.variant = mam_variant::figure})(0, 0) == Approx(std::log(2.0)).margin(1e-11));
  CHECK(mam_logits(low, first, {.variant = mam_variant::figure})(0, 0) == 0);
  tape t;
  auto const v = t.variable(high);
  t.backward(mam_softmax_loss(v, first, {.variant = mam_variant::figure, .margin_gradient = margin_gradient::full}));
  for (int k = 0; k < 2; ++k) CHECK(std::isfinite(v.gradient()(0, k)));
}

TEST_CASE("what margins refuse") {
  tensor<float, 2> const x({2, 3}), w({4, 3}), z({2, 4});
  tensor<std::int64_t, 1> const y({2}, {0, 3}), wrong({2}, {0, 4}), three({3});
  CHECK_THROWS_WITH(margin_loss(x, w, wrong, arcface_margin{}),
                    "[arcface_margin] label 4 is not one of 4 classes, 0 to 3");
  CHECK_THROWS_AS(margin_loss(x, w, three, am_softmax_margin{}), shape_error);
  CHECK_THROWS_AS(margin_loss(x, z, y, am_softmax_margin{}), shape_error);
  CHECK_THROWS_WITH(margin_loss(x, w, y, no_margin{.scale = 0}), "[no_margin] scale must be positive, but is 0");
  CHECK_THROWS_AS(margin_loss(x, w, y, am_softmax_margin{.margin = -0.1}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, am_softmax_margin{.scale = -1}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, arcface_margin{.margin = std::nan("")}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, arcface_margin{.margin = 3.2}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, sphereface_margin{.margin = 0}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, sphereface_margin{.scale = -1}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, l_softmax_margin{.lambda = -1}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, soft_margin{.margin = -1}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, double_additive_margin{.scale = 0}), argument_error);
  CHECK_THROWS_AS(margin_loss(x, w, y, dynamic_additive_margin{.lambda = 0}), argument_error);
  CHECK_THROWS_AS(mam_softmax_loss(z, wrong), index_error);
  CHECK_THROWS_AS(mam_softmax_loss(z, three), shape_error);
  CHECK_THROWS_AS(mam_softmax_loss(z, y, {.epsilon = std::nan("")}), argument_error);
  CHECK_THROWS_AS(mam_softmax_loss(z, y, {.clip_max = -1}), argument_error);
  CHECK_THROWS_AS(mam_softmax_loss(z, y, {.log_base = 10}), argument_error);
  CHECK_THROWS_AS(mam_softmax_loss(z, y, {.variant = mam_variant::figure, .log_base = 1}), argument_error);
}

}  // namespace margins
