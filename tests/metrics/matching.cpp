// metrics/matching.cpp - assignments against all permutations, sources under order, sign and monotone functions, events
#include "support.hpp"

#include <cmath>
#include <numeric>

using namespace metrics_test;

namespace {

// The least sum over all choices of min(n, m) pairs.
double least_cost(numbers_2d const& cost) {
  std::ptrdiff_t const n = cost.extent(0), m = cost.extent(1), size = std::max(n, m);
  std::vector<std::ptrdiff_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), std::ptrdiff_t{0});
  double least = infinity;
  do {
    double sum = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i)
      if (auto const j = order[static_cast<std::size_t>(i)]; j < m) sum += cost(i, j);
    least = std::min(least, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

}  // namespace

TEST_CASE("an assignment is the best of all permutations") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    rng random{.seed = seed};
    auto const n = static_cast<std::ptrdiff_t>(1 + random.below(6)),
               m = static_cast<std::ptrdiff_t>(1 + random.below(6));
    auto cost = random_matrix(n, m, seed % 3 == 0 ? 3 : 100000, random);  // with ties, and without
    for (auto& c : cost) c -= 0.5;
    auto const column = linear_sum_assignment(cost);
    REQUIRE(column.size() == n);
    std::vector<int> used(static_cast<std::size_t>(m), 0);
    double sum = 0;
    std::ptrdiff_t pairs = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      if (column(i) < 0) continue;
      REQUIRE(column(i) < m);
      CHECK(++used[static_cast<std::size_t>(column(i))] == 1);
      sum += cost(i, column(i));
      ++pairs;
    }
    CHECK(pairs == std::min(n, m));
    CHECK(sum == about(least_cost(cost)));
  }
}

TEST_CASE("assignments at their edges") {
  CHECK(linear_sum_assignment(numbers_2d(shape<2>{{0, 3}})).size() == 0);
  auto const none = linear_sum_assignment(numbers_2d(shape<2>{{2, 0}}));
  CHECK((none(0) == -1 && none(1) == -1));
  CHECK_THROWS_AS(linear_sum_assignment(numbers_2d({1, 2}, {0, not_a_number})), argument_error);
  CHECK_THROWS_AS(linear_sum_assignment(numbers_2d({1, 2}, {0, infinity})), argument_error);
}

TEST_CASE("sources are found in any order, with any sign and scale") {
  rng random{.seed = 9};
  auto const s = random_matrix(50, 3, 100000, random);
  numbers_2d e(shape<2>{{50, 4}});
  for (std::ptrdiff_t t = 0; t < 50; ++t) {
    e(t, 0) = -2e200 * s(t, 2);
    e(t, 1) = 0.1;  // constant, though its mean is not 0.1 in every rounding
    e(t, 2) = 3e-200 * s(t, 0);
    e(t, 3) = std::exp(5 * s(t, 1)) + 7;
  }
  auto const m = matched_correlation(s, e);
  CHECK((m.assignment(0) == 2 && m.assignment(1) == 3 && m.assignment(2) == 0));
  CHECK((m.sign(0) == 1 && m.sign(1) == 1 && m.sign(2) == -1));
  CHECK(m.matched(0) == about(1));
  CHECK(m.matched(2) == about(1));
  CHECK((m.matched(1) > 0.7 && m.matched(1) < 0.99));
  CHECK(m.mean == about((m.matched(0) + m.matched(1) + m.matched(2)) / 3));
  for (std::ptrdiff_t i = 0; i < 3; ++i) CHECK(m.correlation(i, 1) == 0);
  CHECK(matched_correlation(s, e, {.spearman = true}).mean == about(1));  // the exponential keeps the order

  auto const fewer = matched_correlation(e, s);  // the constant is left over
  CHECK((fewer.assignment(1) == -1 && fewer.sign(1) == 0 && fewer.matched(1) == 0));
  CHECK(fewer.mean == about(m.mean));
}

TEST_CASE("equal samples share their rank") {
  numbers_2d const a({4, 1}, {1, 2, 2, 3}), b({4, 1}, {1, 2, 3, 3});
  // ranks 1, 2.5, 2.5, 4 and 1, 2, 3.5, 3.5
  CHECK(matched_correlation(a, b, {.spearman = true}).mean == about(3.75 / 4.5));
}

TEST_CASE("what matched_correlation refuses") {
  CHECK_THROWS_AS(matched_correlation(numbers_2d({4, 1}), numbers_2d({3, 1})), shape_error);
  CHECK_THROWS_AS(matched_correlation(numbers_2d({1, 1}), numbers_2d({1, 1})), shape_error);
  CHECK_THROWS_AS(matched_correlation(numbers_2d({4, 0}), numbers_2d({4, 1})), shape_error);
  CHECK_THROWS_AS(matched_correlation(numbers_2d({2, 1}, {0, not_a_number}), numbers_2d({2, 1})), argument_error);
}

TEST_CASE("events agree with taking the nearest free pair again and again") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    rng random{.seed = seed};
    auto const n = static_cast<std::ptrdiff_t>(random.below(9)), m = static_cast<std::ptrdiff_t>(random.below(9));
    auto const t = random_numbers(n, 16, random), d = random_numbers(m, 16, random);  // binary fractions: many ties
    double const tolerance = 0.125;
    std::vector<std::ptrdiff_t> partner(static_cast<std::size_t>(n), -1), taken(static_cast<std::size_t>(m), 0);
    std::int64_t kept = 0;
    double late = 0, apart = 0;
    for (;;) {
      double nearest = infinity;
      std::ptrdiff_t a = -1, b = -1;
      for (std::ptrdiff_t i = 0; i < n; ++i)
        for (std::ptrdiff_t j = 0; j < m; ++j) {
          if (partner[static_cast<std::size_t>(i)] >= 0 || taken[static_cast<std::size_t>(j)] != 0) continue;
          double const distance = std::abs(t(i) - d(j));
          if (distance <= tolerance && distance < nearest) nearest = distance, a = i, b = j;
        }
      if (a < 0) break;
      partner[static_cast<std::size_t>(a)] = b;
      taken[static_cast<std::size_t>(b)] = 1;
      ++kept;
      late += d(b) - t(a);
      apart += nearest;
    }
    auto const r = match_events(t, d, tolerance);
    REQUIRE(r.true_positives == kept);
    CHECK(r.false_positives == m - kept);
    CHECK(r.false_negatives == n - kept);
    std::ptrdiff_t k = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      if (partner[static_cast<std::size_t>(i)] < 0) continue;
      CHECK(r.matches(k, 0) == i);
      CHECK(r.matches(k, 1) == partner[static_cast<std::size_t>(i)]);
      ++k;
    }
    double const found = static_cast<double>(kept), all = static_cast<double>(n + m);
    CHECK(r.precision == about(m > 0 ? found / static_cast<double>(m) : 0));
    CHECK(r.recall == about(n > 0 ? found / static_cast<double>(n) : 0));
    CHECK(r.f1 == about(all > 0 ? 2 * found / all : 0));
    CHECK(r.mean_error == about(kept > 0 ? late / found : 0));
    CHECK(r.mean_absolute_error == about(kept > 0 ? apart / found : 0));
  }
}

TEST_CASE("events: greedy, not the most pairs, and what is refused") {
  auto const r = match_events(numbers({1, 2}), numbers({1.5625, 2.5}), 0.625);
  CHECK((r.true_positives == 1 && r.matches(0, 0) == 1 && r.matches(0, 1) == 0));
  CHECK(r.mean_error == -0.4375);
  CHECK(match_events(numbers({1, 1}), numbers({1}), 0).true_positives == 1);  // a tolerance of 0 asks for the same time
  CHECK_THROWS_AS(match_events(numbers({not_a_number}), numbers({1}), 1), argument_error);
  CHECK_THROWS_AS(match_events(numbers({1}), numbers({infinity}), 1), argument_error);
  CHECK_THROWS_AS(match_events(numbers({1}), numbers({1}), -1), argument_error);
  CHECK_THROWS_AS(match_events(numbers({1}), numbers({1}), not_a_number), argument_error);
}
