// metrics/calibration.cpp - scores and bins against loops, edges of bins, and what is refused
#include "support.hpp"

#include <cmath>

using namespace metrics_test;

TEST_CASE("Brier score and log loss, by hand and weighted") {
  auto const y = labels({1, 0, 1});
  auto const p = numbers({0.75, 0.5, 1}), w = numbers({1, 3, 0});
  CHECK(brier_score(y, p) == about((0.0625 + 0.25) / 3));
  CHECK(brier_score(y, p, w) == about((0.0625 + 0.75) / 4));
  CHECK(log_loss(y, p) == about((-std::log(0.75) + std::log(2.0)) / 3));
  CHECK(log_loss(y, p, w) == about((-std::log(0.75) + 3 * std::log(2.0)) / 4));
  CHECK(log_loss(labels({0, 1}), numbers({1, 1})) == infinity);
  CHECK(log_loss(labels({0, 1}), numbers({1, 1}), numbers({0, 1})) == 0);  // what weighs nothing says nothing
  CHECK(log_loss(labels({0}), numbers({1e-20})) == about(1e-20));
  numbers_2d const q({2, 3}, {0.5, 0.25, 0.25, 0, 0, 1});
  CHECK(brier_score(labels({0, 1}), q) == about((0.25 + 2 * 0.0625 + 2) / 2));
}

TEST_CASE("a bin holds its upper edge, the first one 0 too") {
  for (std::ptrdiff_t const bins : {1, 3, 7, 10, 16, 49}) {
    numbers_1d edges(shape<1>{{bins + 1}});
    for (std::ptrdiff_t b = 0; b <= bins; ++b) edges(b) = static_cast<double>(b) / static_cast<double>(bins);
    auto const c = reliability_curve(labels_1d(edges.shape(), 1), edges, {.bins = bins});
    for (std::ptrdiff_t b = 0; b < bins; ++b) CHECK(c.counts(b) == (b == 0 ? 2 : 1));
    for (auto& e : edges) e = std::nextafter(e, 2.0);  // just above: one bin further
    edges(bins) = 1;
    auto const above = reliability_curve(labels_1d(edges.shape(), 1), edges, {.bins = bins});
    for (std::ptrdiff_t b = 0; b < bins; ++b) CHECK(above.counts(b) == (b == bins - 1 ? 2 : 1));
  }
}

TEST_CASE("calibration errors are what a loop over the bins says") {
  rng random{.seed = 2};
  constexpr std::ptrdiff_t n = 60, classes = 3, bins = 10;
  auto const y = random_labels(n, classes, random);
  auto const p = random_matrix(n, classes, 20, random);
  auto const c = reliability_curve(y, p, {.bins = bins});
  double expected = 0, most = 0;
  for (int b = 0; b < bins; ++b) {
    double count = 0, right = 0, sure = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      std::ptrdiff_t best = 0;
      for (std::ptrdiff_t k = 1; k < classes; ++k) best = p(i, k) > p(i, best) ? k : best;
      double const q = p(i, best);
      if (!((q > b / 10.0 || (b == 0 && q == 0)) && q <= (b + 1) / 10.0)) continue;
      ++count;
      right += y(i) == best ? 1 : 0;
      sure += q;
    }
    CHECK(static_cast<double>(c.counts(b)) == count);
    if (count == 0) {
      CHECK((c.accuracy(b) == 0 && c.confidence(b) == 0));
      continue;
    }
    CHECK(c.accuracy(b) == about(right / count));
    CHECK(c.confidence(b) == about(sure / count));
    expected += std::abs(right - sure) / static_cast<double>(n);
    most = std::max(most, std::abs(right - sure) / count);
  }
  CHECK(expected_calibration_error(y, p, {.bins = bins}) == about(expected));
  CHECK(maximum_calibration_error(y, p, {.bins = bins}) == about(most));
}

TEST_CASE("probabilities that come true as often as they say have no calibration error") {
  CHECK(expected_calibration_error(labels({1, 0, 0, 0, 1, 1, 1, 0}),
                                   numbers({.25, .25, .25, .25, .75, .75, .75, .75})) == 0);
  CHECK(expected_calibration_error(labels({0, 1}), numbers({1, 0})) == 1);
}

TEST_CASE("what calibration refuses") {
  auto const y = labels({0, 1});
  CHECK_THROWS_AS(brier_score(y, numbers({0.5})), shape_error);
  CHECK_THROWS_AS(brier_score(labels({}), numbers({})), argument_error);
  CHECK_THROWS_AS(brier_score(labels({0, 3}), numbers({0, 1})), index_error);
  CHECK_THROWS_WITH(brier_score(y, numbers({0.5, 1.5})),
                    "[brier_score] probabilities must lie in [0, 1], but number 1 is 1.5");
  CHECK_THROWS_AS(log_loss(y, numbers({not_a_number, 0})), argument_error);
  CHECK_THROWS_AS(log_loss(y, numbers({0, 1}), numbers({0, 0})), argument_error);
  CHECK_THROWS_AS(log_loss(y, numbers({0, 1}), numbers({infinity, 0})), argument_error);
  CHECK_THROWS_AS(reliability_curve(y, numbers({0, 1}), {.bins = 0}), argument_error);
  CHECK_THROWS_AS(expected_calibration_error(y, numbers_2d({3, 2})), shape_error);
  CHECK_THROWS_AS(maximum_calibration_error(y, numbers_2d({2, 1})), index_error);
}
