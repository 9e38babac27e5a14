// Soft histograms through the examination; against closed forms and hard counts; extremes, and what is refused.
#include "harness.hpp"

#include <limbic/core/random.hpp>
#include <limbic/data/histogram.hpp>
#include <limbic/ops/soft_histogram.hpp>

using namespace examination;
using namespace limbic;

TEST_CASE("soft_histogram") {
  soft_histogram_options const o{.bins = 5, .low = -1.5, .high = 1, .bandwidth = 0.4};
  examine<3>("soft_histogram of axis 1", [o](auto const& x) { return soft_histogram(x, o, 1); },
             {{at(2, 17, 3)}, {at(1, 1, 1)}, {at(2, 0, 3)}}, {.ulps = 16});
  examine<2>("soft_histogram of all, normalised",
             [](auto const& x) {
               return soft_histogram(x, {.bins = 3, .low = -2, .high = 2, .bandwidth = 0.3, .normalize = true});
             },
             {{at(3, 7)}}, {.ulps = 16});
}

TEMPLATE_TEST_CASE("soft heights have a closed form", "", scalar, simd) {
  auto const s = [](double x) { return 1 / (1 + std::exp(-x)); };
  tensor<double, 1, TestType> const x({3}, {-0.2, 0.35, 0.9});
  auto const h = soft_histogram(x, {.bins = 4, .low = -1, .high = 1, .bandwidth = 0.25});
  double const b = 0.125;
  REQUIRE(h.shape() == limbic::shape<1>{{4}});
  for (int i = 0; i < 4; ++i) {
    double want = 0;
    for (double const v : x) want += s((v + 1 - 0.5 * i) / b) - s((v + 0.5 - 0.5 * i) / b);
    CHECK(h(i) == Approx(want).epsilon(1e-13));
  }
  // Far from a bin both sigmoids are 1 to all digits; their difference e^-(x - e_i)/b - ... is not lost.
  tensor<double, 1, TestType> const far({1}, {9});
  CHECK(soft_histogram(far, {.bins = 1, .low = -1, .high = 0, .bandwidth = 0.2})(0) ==
        Approx(std::exp(-45) - std::exp(-50)).epsilon(1e-12));
}

TEMPLATE_TEST_CASE("soft heights become counts as the bandwidth goes to 0", "", float, double) {
  tensor<TestType, 2> x({7, 200});
  rng random{.seed = 3};
  random.normal(x);
  histogram_options const hard{.bins = 9, .low = -1.5, .high = 2};
  auto const counts = histogram(x, hard, 1).counts;
  auto const soft = soft_histogram(x, {.bins = 9, .low = -1.5, .high = 2, .bandwidth = 1e-6}, 1);
  auto const all = soft_histogram(x, {.bins = 9, .low = -1.5, .high = 2, .bandwidth = 1e-6});
  for (int i = 0; i < 9; ++i) {
    for (int r = 0; r < 7; ++r) CHECK(soft(r, i) == Approx(static_cast<double>(counts(r, i))).margin(1e-3));
    CHECK(all(i) == Approx(static_cast<double>(histogram(x, hard).counts(i))).margin(1e-3));
  }
  // Wider ones come closer as they shrink, and all bins together hold what lies within.
  auto const error = [&](double bandwidth) {
    auto const h = soft_histogram(x, {.bins = 9, .low = -1.5, .high = 2, .bandwidth = bandwidth});
    double e = 0;
    for (int i = 0; i < 9; ++i) e += std::abs(static_cast<double>(h(i)) - static_cast<double>(all(i)));
    return e;
  };
  CHECK(error(0.5) > error(0.1));
  CHECK(error(0.1) > error(0.01));
  tensor<TestType, 1> const inside({3}, {0.1F, 0.5F, 0.77F});
  auto const h = soft_histogram(inside, {.bins = 50, .bandwidth = 0.5});
  double total = 0;
  for (TestType const v : h) total += static_cast<double>(v);
  CHECK(total == Approx(3).epsilon(1e-4));
}

TEMPLATE_TEST_CASE("soft heights of extreme elements", "", scalar, simd) {
  float const infinity = std::numeric_limits<float>::infinity();
  tensor<float, 1, TestType> const x({6}, {-1e30F, 1e30F, -infinity, infinity, 0.25F, 3e38F});
  tape t;
  auto const v = t.variable(x);
  auto const h = soft_histogram(v, {.bins = 2, .bandwidth = 0.5});
  CHECK(h.value()(0) == Approx(std::tanh(0.5)).epsilon(1e-6));  // s(1) - s(-1), of the one in the middle
  t.backward(sum(h));
  for (int i = 0; i < 6; ++i) CHECK(v.gradient()(i) == Approx(0).margin(i == 4 ? 1 : 0));
  tensor<double, 2, TestType> const with_nan({2, 2}, {0.5, std::nan(""), 0.5, 0.75});
  auto const lines = soft_histogram(with_nan, {.bins = 2, .bandwidth = 0.02}, 1);
  CHECK(std::isnan(lines(0, 0)));
  CHECK(std::isnan(lines(0, 1)));
  CHECK(lines(1, 1) == Approx(1.5).margin(1e-2));
  auto const none = soft_histogram(tensor<double, 2, TestType>(limbic::shape<2>{{0, 3}}), {.bins = 2}, 0);
  REQUIRE(none.shape() == limbic::shape<2>{{2, 3}});
  for (double const height : none) CHECK(height == 0);
  auto const normal = soft_histogram(with_nan, {.bins = 7, .normalize = true}, -1);
  double total = 0;
  for (int i = 0; i < 7; ++i) total += normal(1, i);
  CHECK(total == Approx(1).epsilon(1e-14));
}

TEST_CASE("what soft_histogram refuses") {
  tensor<double, 1> const x({2});
  CHECK_THROWS_WITH(soft_histogram(x, {.bins = 0}), "[soft_histogram] there must be at least one bin, but bins is 0");
  CHECK_THROWS_WITH(soft_histogram(x, {.low = 2, .high = 1}),
                    "[soft_histogram] low must be less than high and both finite, but the range is 2 to 1");
  CHECK_THROWS_AS(soft_histogram(x, {.low = std::nan("")}), argument_error);
  CHECK_THROWS_AS(soft_histogram(x, {.low = -1e308, .high = 1e308}), argument_error);
  CHECK_THROWS_AS(soft_histogram(x, {.bandwidth = 0}), argument_error);
  CHECK_THROWS_AS(soft_histogram(x, {.bandwidth = std::nan("")}), argument_error);
  CHECK_THROWS_AS(soft_histogram(tensor<float, 1>({2}), {.bandwidth = 1e-40}), argument_error);
  CHECK_THROWS_AS(soft_histogram(x, {}, 1), index_error);
}
