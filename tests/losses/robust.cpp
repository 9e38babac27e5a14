// Losses for hard data: what they come down to, extremes, the samples they choose, and what they refuse.
#include "classes.hpp"

#include <limbic/losses.hpp>

#include <vector>

using namespace limbic;

namespace robust {

template <class X> double value(X const& x) { return *x.data(); }

TEMPLATE_TEST_CASE("losses for hard data: what they come down to", "", scalar, simd) {
  using D = TestType;
  samples<D> const s;
  double const ce = value(cross_entropy(s.x, s.all)), brier = value(brier_loss(s.x, s.all));
  CHECK(value(generalized_cross_entropy(s.x, s.all, {.q = 1e-12})) == Approx(ce).epsilon(1e-10));
  auto const each = cross_entropy(s.x, s.all, reduction::none);
  double wrong = 0, total = 0;
  for (int i = 0; i < 7; ++i) {
    wrong += 1 - std::exp(-each(i));
    total += 7 - std::exp(-each(i));
  }
  CHECK(value(generalized_cross_entropy(s.x, s.all, {.q = 1}, reduction::sum)) == Approx(wrong));
  CHECK(value(symmetric_cross_entropy(s.x, s.all, {.alpha = 0.3, .beta = 0})) == Approx(0.3 * ce));
  CHECK(value(symmetric_cross_entropy(s.x, s.all, {.alpha = 0, .beta = 1, .log_zero = -3}, reduction::sum)) ==
        Approx(3 * wrong));
  CHECK(value(active_passive_loss(s.x, s.all, {.alpha = 0, .beta = 0.5}, reduction::sum)) == Approx(wrong));
  CHECK(value(mixed_cross_entropy(s.x, s.all)) == Approx(ce));
  // at the end with m = 1 only the prediction counts
  tensor<labels, 1, D> predicted({7});
  for (int i = 0; i < 7; ++i)
    for (int c = 1; c < 5; ++c)
      if (s.x(i, c) > s.x(i, predicted(i))) predicted(i) = c;
  CHECK(value(mixed_cross_entropy(s.x, s.all, {.iteration = 9, .total_iterations = 9, .m = 1})) ==
        Approx(value(cross_entropy(s.x, predicted))));
  tensor<double, 1, D> const ones({5}, 1.0);
  CHECK(value(dynamically_weighted_balanced_loss(s.x, s.all, ones, {.penalty = 0})) == Approx(ce));
  auto const weights = dynamic_class_weights(tensor<double, 1, D>({3}, {8, 2, 8}));
  CHECK(weights(0) == 1);
  CHECK(weights(1) == Approx(1 + std::log(4.0)));
  CHECK(value(sce_loss(s.x, s.all, {.ce_balance = 1, .proposed_balance = 0})) == Approx(ce));
  CHECK(value(truncated_generalized_cross_entropy(s.x, s.all, {.k = 1e-9})) ==
        Approx(value(generalized_cross_entropy(s.x, s.all))));

  tensor<double, 1, D> const x({4}, {-1.5, 0.2, 3, -0.7}), t({4}, {0, 1, 1, 1});
  CHECK(value(real_world_weighted_cross_entropy(x, t)) == Approx(value(binary_cross_entropy_with_logits(x, t))));
  CHECK(ramp_loss(x, t, reduction::none)(0) == 0);
  CHECK(ramp_loss(x, t, {.s = -0.5}, reduction::none)(3) == 1.5);
  CHECK(unhinged_loss(x, t, reduction::none)(2) == -2);
  CHECK(brier > 0);
}

TEMPLATE_TEST_CASE("truncated generalised cross entropy: its weights, and the loss without its constant", "", scalar,
                   simd) {
  using D = TestType;
  samples<D> const s;
  truncated_generalized_cross_entropy_op const o{.q = 0.6, .k = 0.2};
  auto const v = truncation_weights(s.x, s.all, o);
  auto const p = cross_entropy(s.x, s.all, reduction::none);
  int kept = 0;
  for (int i = 0; i < 7; ++i) {
    CHECK(v(i) == (std::exp(-p(i)) > 0.2 ? 1 : 0));
    kept += v(i) > 0 ? 1 : 0;
  }
  CHECK(kept > 0);
  CHECK(kept < 7);
  double const loss = value(truncated_generalized_cross_entropy(s.x, s.all, o));
  CHECK(value(truncated_generalized_cross_entropy(s.x, s.all, v, o)) == Approx(loss));
  CHECK(value(pruned_generalized_cross_entropy(s.x, s.all, v, o)) == Approx(loss - o.pruned_loss()));
  tape t;
  auto const a = t.variable(s.x), b = t.variable(s.x);
  t.backward(truncated_generalized_cross_entropy(a, s.all, o) + pruned_generalized_cross_entropy(b, s.all, v, o));
  for (int i = 0; i < 7; ++i)
    for (int c = 0; c < 5; ++c) {
      CHECK(a.gradient()(i, c) == Approx(b.gradient()(i, c)).margin(1e-15));
      if (v(i) == 0) CHECK(a.gradient()(i, c) == 0);
    }
}

TEMPLATE_TEST_CASE("losses for hard data: logits of any size, NaN", "", scalar, simd) {
  using D = TestType;
  constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();
  tensor<float, 2, D> const x({5, 3},
                              {1e4F, -1e4F, 0, 1e4F, -1e4F, 0, -1e4F, -1e4F, -1e4F, 200, 0, -200, nowhere, 0, 1});
  tensor<labels, 1, D> const y({5}, {0, 1, 2, 2, 1});
  tensor<float, 1, D> const w({3}, {1, 2, 3});
  auto const check = [&](auto const& f) {
    tape t;
    auto const v = t.variable(x);
    auto const each = f(v);
    tensor<float, 1, D> const ones({5}, 1.0F);
    t.backward(each, ones);
    for (int i = 0; i < 4; ++i) CHECK(std::isfinite(each.value()(i)));
    for (int i = 0; i < 12; ++i) CHECK(std::isfinite(v.gradient().data()[i]));
    CHECK(std::isnan(each.value()(4)));
    CHECK(std::isnan(v.gradient()(4, 1)));
  };
  auto constexpr none = reduction::none;
  check([&](auto const& v) { return generalized_cross_entropy(v, y, none); });
  check([&](auto const& v) { return truncated_generalized_cross_entropy(v, y, none); });
  check([&](auto const& v) { return symmetric_cross_entropy(v, y, none); });
  check([&](auto const& v) { return active_passive_loss(v, y, none); });
  check([&](auto const& v) { return mixed_cross_entropy(v, y, {.iteration = 1, .total_iterations = 2}, none); });
  check([&](auto const& v) { return dynamically_weighted_balanced_loss(v, y, w, none); });
  check([&](auto const& v) { return brier_loss(v, y, none); });
  check([&](auto const& v) { return wrong_norm(v, y, none); });
  check([&](auto const& v) { return wrong_norm(v, y, {weight_form::difference}, none); });
  // two classes, certain and wrong: the difference is 0
  tensor<float, 2, D> const two({1, 2}, {-1e4F, 1e4F});
  tensor<labels, 1, D> const first({1}, {0});
  tape t;
  auto const v = t.variable(two);
  t.backward(wrong_norm(v, first, {weight_form::difference}));
  CHECK(v.gradient()(0, 0) == 0);
  CHECK(wrong_norm(tensor<float, 2, D>({1, 1}, 5.0F), first)() == 0);
}

TEMPLATE_TEST_CASE("SCE: the weight falls as confidence rises; constants where they are asked for", "", scalar, simd) {
  using D = TestType;
  tensor<labels, 1, D> const y({1}, {0});
  auto const at = [](double z) { return tensor<double, 2, D>({1, 3}, {z, 0, 0.5}); };
  double before = 1.1;
  for (double z = -5; z <= 40; z += 0.5) {
    double const w = value(wrong_norm(at(z), y));
    CHECK(w < before);
    before = w;
  }
  CHECK(before < 1e-15);
  CHECK(value(wrong_norm(at(-800), y)) == Approx(std::hypot(1, std::exp(0.5)) / (1 + std::exp(0.5))));
  CHECK(value(wrong_norm(at(3), y, {weight_form::difference})) >
        value(wrong_norm(at(0), y, {weight_form::difference})));

  samples<D> const s;
  tape t;
  auto const v = t.variable(s.x), u = t.variable(s.x);
  t.backward(sce_loss(v, s.all, {.ce_balance = 0, .proposed_balance = 1, .stop_gradient = true}) +
             sce_loss(u, s.all, {.ce_balance = 0, .proposed_balance = 1}));
  double const alpha = value(brier_loss(s.x, s.all));
  auto const w = wrong_norm(s.x, s.all, reduction::none);
  bool differ = false;
  for (int i = 0; i < 7; ++i) {
    double total = 0;
    for (int c = 0; c < 5; ++c) total += std::exp(s.x(i, c));
    for (int c = 0; c < 5; ++c) {
      double const slope = std::exp(s.x(i, c)) / total - (c == s.all(i) ? 1 : 0);
      CHECK(v.gradient()(i, c) == Approx(alpha * w(i) * slope / 7).epsilon(1e-11));
      differ = differ || std::abs(u.gradient()(i, c) - v.gradient()(i, c)) > 1e-4;
    }
  }
  CHECK(differ);
}

TEMPLATE_TEST_CASE("the samples of smallest loss", "", scalar, simd) {
  using D = TestType;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  tensor<double, 1, D> const losses({6}, {2, 0.5, infinity, 0.5, 0.5, 1});
  auto const kept = [&](double ratio) {
    std::vector<int> places;
    auto const w = small_loss_weights(losses, ratio);
    for (int i = 0; i < 6; ++i)
      if (w(i) == 1) places.push_back(i);
      else CHECK(w(i) == 0);
    return places;
  };
  CHECK(kept(1) == std::vector{0, 1, 2, 3, 4, 5});
  CHECK(kept(0.5) == std::vector{1, 3, 4});
  CHECK(kept(0.4) == std::vector{1, 3});  // a tie goes to the first
  CHECK(kept(0) == std::vector{1});       // never to nobody
  CHECK(kept(1 - 1.0 / 6) == std::vector{0, 1, 3, 4, 5});
  tape t;
  auto const v = t.variable(losses);
  auto const mean = small_loss_mean(v, 0.7);
  t.backward(mean);
  CHECK(mean.item() == Approx(2.5 / 4));
  CHECK(v.gradient()(2) == 0);
  CHECK(v.gradient()(5) == 0.25);
  tensor<double, 1, D> bad = losses;
  bad(1) = std::nan("");
  CHECK(std::isnan(value(small_loss_mean(bad, 0.5))));
  bad(1) = -std::nan("");
  CHECK(std::isnan(value(small_loss_mean(bad, 0.5))));
  CHECK(small_loss_keep_ratio({.noise_ratio = 0.4, .epoch = 0, .max_epoch = 10}) == 1);
  CHECK(small_loss_keep_ratio({.noise_ratio = 0.4, .epoch = 5, .max_epoch = 10}) == Approx(0.8));
  CHECK(small_loss_keep_ratio({.noise_ratio = 0.4, .epoch = 30, .max_epoch = 10}) == Approx(0.6));
}

TEST_CASE("what losses for hard data refuse") {
  tensor<float, 2> const x({2, 3});
  tensor<labels, 1> const y({2}, {0, 2}), wrong({2}, {0, -1});
  tensor<float, 1> const a({2}), w({3});
  CHECK_THROWS_WITH(generalized_cross_entropy(x, wrong),
                    "[generalized_cross_entropy] label -1 is not one of 3 classes, 0 to 2");
  CHECK_THROWS_AS(generalized_cross_entropy(x, y, {.q = 0}), argument_error);
  CHECK_THROWS_AS(generalized_cross_entropy(x, y, {.q = 1.1}), argument_error);
  CHECK_THROWS_WITH(truncated_generalized_cross_entropy(x, y, {.q = 2}),
                    "[truncated_generalized_cross_entropy] q must lie in (0, 1], but is 2");
  CHECK_THROWS_AS(truncated_generalized_cross_entropy(x, y, {.k = 1}), argument_error);
  CHECK_THROWS_AS(truncation_weights(x, y, {.k = 0}), argument_error);
  CHECK_THROWS_AS(truncated_generalized_cross_entropy(x, y, w), shape_error);
  CHECK_THROWS_AS(selected_mean(a, w), shape_error);
  CHECK_THROWS_AS(symmetric_cross_entropy(x, y, {.alpha = -1}), argument_error);
  CHECK_THROWS_AS(symmetric_cross_entropy(x, y, {.log_zero = 0}), argument_error);
  CHECK_THROWS_AS(symmetric_cross_entropy(x, wrong), index_error);
  CHECK_THROWS_AS(active_passive_loss(x, y, {.beta = -1}), argument_error);
  CHECK_THROWS_AS(active_passive_loss(tensor<float, 2>({2, 1}), tensor<labels, 1>({2})), shape_error);
  CHECK_THROWS_AS(mixed_cross_entropy(x, y, {.iteration = 2}), argument_error);
  CHECK_THROWS_AS(mixed_cross_entropy(x, y, {.total_iterations = 0}), argument_error);
  CHECK_THROWS_AS(mixed_cross_entropy(x, y, {.m = 1.5}), argument_error);
  CHECK_THROWS_AS(dynamically_weighted_balanced_loss(x, y, a), shape_error);
  CHECK_THROWS_AS(dynamic_class_weights(w), argument_error);
  CHECK_THROWS_AS(real_world_weighted_cross_entropy(a, a, {.w_fp = -1}), argument_error);
  CHECK_THROWS_AS(ramp_loss(a, a, {.s = 1}), argument_error);
  CHECK_THROWS_AS(unhinged_loss(a, w), shape_error);
  CHECK_THROWS_AS(sce_loss(x, wrong), index_error);
  CHECK_THROWS_AS(sce_loss(x, y, {.ce_balance = -1}), argument_error);
  CHECK_THROWS_AS(small_loss_weights(a, 1.1), argument_error);
  CHECK_THROWS_AS(small_loss_weights(tensor<float, 1>(limbic::shape<1>{{0}}), 0.5), shape_error);
  CHECK_THROWS_AS(small_loss_keep_ratio({.noise_ratio = 2}), argument_error);
  CHECK_THROWS_AS(small_loss_keep_ratio({.max_epoch = 0}), argument_error);
}

}  // namespace robust
