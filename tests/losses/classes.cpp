// Losses of classifiers: values, extremes, errors.
#include "classes.hpp"

#include <vector>

using namespace limbic;

namespace {

// The loss of every sample in plain loops: rows of `x`, the softmax by definition.
struct plain {
  std::vector<double> loss, weight;
};
template <class D> plain by_definition(tensor<double, 2, D> const& x, tensor<labels, 1, D> const& y,
                                       std::vector<double> const& w, double e, labels ignored) {
  plain p;
  for (std::ptrdiff_t i = 0; i < x.extent(0); ++i) {
    double total = 0;
    for (std::ptrdiff_t c = 0; c < x.extent(1); ++c) total += std::exp(x(i, c));
    double loss = 0, weight = 0;
    if (y(i) != ignored) {
      weight = w[static_cast<std::size_t>(y(i))];
      loss = -(1 - e) * weight * (x(i, y(i)) - std::log(total));
      for (std::ptrdiff_t c = 0; c < x.extent(1); ++c)
        loss -= e / static_cast<double>(x.extent(1)) * w[static_cast<std::size_t>(c)] * (x(i, c) - std::log(total));
    }
    p.loss.push_back(loss);
    p.weight.push_back(weight);
  }
  return p;
}

}  // namespace

TEMPLATE_TEST_CASE("cross entropy: values", "", scalar, simd) {
  using D = TestType;
  samples<D> const s;
  auto const check = [&](auto const& weight, std::vector<double> const& w, double e) {
    auto const want = by_definition(s.x, s.y, w, e, -100);
    auto const each = cross_entropy(s.x, s.y, weight, {.label_smoothing = e}, reduction::none);
    double total = 0, weights = 0;
    for (std::size_t i = 0; i < 7; ++i) {
      CHECK(each(i) == Approx(want.loss[i]).epsilon(1e-12));
      total += want.loss[i];
      weights += want.weight[i];
    }
    CHECK(*cross_entropy(s.x, s.y, weight, {.label_smoothing = e}, reduction::sum).data() ==
          Approx(total).epsilon(1e-12));
    CHECK(*cross_entropy(s.x, s.y, weight, {.label_smoothing = e}).data() == Approx(total / weights).epsilon(1e-12));
  };
  check(no_weight, {1, 1, 1, 1, 1}, 0);
  check(no_weight, {1, 1, 1, 1, 1}, 0.1);
  check(s.w, {0.3, 1, 2, 0.5, 1.5}, 0);
  check(s.w, {0.3, 1, 2, 0.5, 1.5}, 0.2);
}

TEMPLATE_TEST_CASE("logits of any size, NaN, and samples that do not count", "", scalar, simd) {
  using D = TestType;
  constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();
  tensor<float, 2, D> const x({3, 4}, {1e4F, -1e4F, 0, 0, -1e4F, -1e4F, -1e4F, -1e4F, 1e4F, 0, 0, 0});
  tensor<labels, 1, D> const y({3}, {1, 0, 0});
  auto const each = cross_entropy(x, y, reduction::none);
  CHECK(each(0) == 2e4F);
  CHECK(each(1) == Approx(std::log(4.0)).epsilon(1e-6));
  CHECK(each(2) == 0);
  tape t;
  auto const v = t.variable(x);
  t.backward(cross_entropy(v, y, reduction::sum));
  CHECK(v.gradient()(0, 0) == 1);
  CHECK(v.gradient()(0, 1) == -1);
  CHECK(v.gradient()(1, 0) == -0.75F);
  CHECK(v.gradient()(2, 0) == 0);
  tape f;
  auto const u = f.variable(x);
  auto const loss = focal_loss(u, y, {.gamma = 0.5}, reduction::sum);
  f.backward(loss);
  CHECK(std::isfinite(loss.item()));
  for (int i = 0; i < 12; ++i) CHECK(std::isfinite(u.gradient().data()[i]));

  tensor<double, 2, D> bad({2, 2}, {0, nowhere, 1, 2});
  tensor<labels, 1, D> const z({2}, {0, 1});
  CHECK(std::isnan(cross_entropy(bad, z, reduction::none)(0)));
  CHECK_FALSE(std::isnan(cross_entropy(bad, z, reduction::none)(1)));
  CHECK(std::isnan(*cross_entropy(bad, z).data()));
  tensor<labels, 1, D> const half({2}, {7, 1});
  CHECK(*cross_entropy(bad, half, {.ignore_index = 7}).data() == Approx(std::log(1 + std::exp(-1.0))));
  tape g;
  auto const w = g.variable(bad);
  g.backward(cross_entropy(w, half, {.ignore_index = 7}));
  CHECK(w.gradient()(0, 0) == 0);
  CHECK(w.gradient()(0, 1) == 0);
  tensor<labels, 1, D> const nobody({2}, {-100, -100});
  CHECK(*cross_entropy(bad, nobody, reduction::sum).data() == 0);
  CHECK(std::isnan(*cross_entropy(bad, nobody).data()));
}

TEST_CASE("axes after the classes") {
  auto const x = random_tensor<simd>(shape{2, 3, 4, 5}, 1);
  tensor<labels, 3> y({2, 4, 5});
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) y.data()[i] = i % 3;
  auto const each = cross_entropy(x, y, reduction::none);
  REQUIRE(each.shape() == y.shape());
  tensor<double, 2> const row({1, 3}, {x(1, 0, 2, 3), x(1, 1, 2, 3), x(1, 2, 2, 3)});
  tensor<labels, 1> const label({1}, {y(1, 2, 3)});
  CHECK(each(1, 2, 3) == Approx(*cross_entropy(row, label).data()).epsilon(1e-12));
  CHECK(check_gradient([&](auto const& v) { return cross_entropy(v, y, {.label_smoothing = 0.1}); }, x).passed);
}

TEST_CASE("what the losses of classifiers refuse") {
  tensor<float, 2> const x({2, 3});
  tensor<labels, 1> const y({2}, {0, 3}), z({3});
  CHECK_THROWS_WITH(cross_entropy(x, y), "[cross_entropy] label 3 is not one of 3 classes, 0 to 2");
  CHECK_THROWS_AS(nll_loss(x, tensor<labels, 1>({2}, {0, -1})), index_error);
  CHECK_THROWS_AS(focal_loss(x, tensor<labels, 1>({2}, {0, -100})), index_error);
  CHECK_THROWS_AS(cross_entropy(x, z), shape_error);
  CHECK_THROWS_AS(cross_entropy(x, tensor<labels, 1>({2}), tensor<float, 1>({2})), shape_error);
  CHECK_THROWS_AS(cross_entropy(x, tensor<float, 2>({2, 4})), shape_error);
  CHECK_THROWS_AS(cross_entropy(x, tensor<labels, 1>({2}), {.label_smoothing = 1.5}), argument_error);
  CHECK_THROWS_AS(focal_loss(x, tensor<labels, 1>({2}), {.gamma = -1}), argument_error);
  tape t;
  auto const v = t.variable(x), w = t.variable(tensor<float, 2>({1, 3}));
  parameter<float, 1> weight({3});
  auto const loss = cross_entropy(v, tensor<labels, 1>({2}), weight);
  CHECK_THROWS_AS(t.backward(loss), tape_error);
}
