// metrics/ranking.cpp - areas and curves against counting pairs and thresholds, with ties and weights
#include "support.hpp"

using namespace metrics_test;

namespace {

double count_pairs(labels_1d const& y, numbers_1d const& s, numbers_1d const& w) {
  double won = 0, all = 0;
  for (std::ptrdiff_t i = 0; i < y.size(); ++i)
    for (std::ptrdiff_t j = 0; j < y.size(); ++j) {
      if (y(i) != 1 || y(j) != 0) continue;
      won += w(i) * w(j) * (s(i) > s(j) ? 1 : s(i) == s(j) ? 0.5 : 0);
      all += w(i) * w(j);
    }
  return won / all;
}
// Weight of the samples of a label at or above a threshold.
double above(labels_1d const& y, numbers_1d const& s, numbers_1d const& w, int label, double threshold) {
  double sum = 0;
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) sum += y(i) == label && s(i) >= threshold ? w(i) : 0;
  return sum;
}

}  // namespace

TEST_CASE("areas and curves are what counting says") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    rng random{.seed = seed};
    std::uint64_t const steps = seed % 2 == 0 ? 4 : 1000000;
    auto y = random_labels(30, 2, random);
    y(0) = 0;
    y(1) = 1;
    auto const s = random_numbers(30, steps, random);
    numbers_1d const ones(s.shape(), 1.0);
    auto w = random_numbers(30, 10, random);
    w(0) = w(1) = 0.5;
    CHECK(roc_auc(y, s) == about(count_pairs(y, s, ones)));
    CHECK(roc_auc(y, s) == roc_auc(y, s, ones));
    CHECK(roc_auc(y, s, w) == about(count_pairs(y, s, w)));

    auto const roc = roc_curve(y, s, w);
    auto const curve = precision_recall_curve(y, s, w);
    REQUIRE(roc.fpr.size() == curve.recall.size() + 1);
    CHECK((roc.fpr(0) == 0 && roc.tpr(0) == 0 && roc.thresholds(0) == infinity));
    double average = 0, before = 0, positive = above(y, s, w, 1, -1), negative = above(y, s, w, 0, -1);
    for (std::ptrdiff_t k = 0; k < curve.recall.size(); ++k) {
      double const t = curve.thresholds(k), p = above(y, s, w, 1, t), n = above(y, s, w, 0, t);
      double const precision = p + n > 0 ? p / (p + n) : 0;
      CHECK(t == roc.thresholds(k + 1));
      CHECK(t < roc.thresholds(k));
      CHECK(roc.fpr(k + 1) == about(n / negative));
      CHECK(roc.tpr(k + 1) == about(p / positive));
      CHECK(curve.recall(k) == about(p / positive));
      CHECK(curve.precision(k) == about(precision));
      average += (p - before) / positive * precision;
      before = p;
    }
    CHECK(average_precision(y, s, w) == about(average));
  }
}

TEST_CASE("the area at its ends, at chance, and with infinite scores") {
  auto const y = labels({0, 0, 1, 1});
  CHECK(roc_auc(y, numbers({1, 2, 3, 4})) == 1);
  CHECK(roc_auc(y, numbers({4, 3, 2, 1})) == 0);
  CHECK(roc_auc(y, numbers({7, 7, 7, 7})) == 0.5);
  CHECK(roc_auc(y, numbers({-infinity, 0, 0, infinity})) == 0.875);
  CHECK(average_precision(y, numbers({7, 7, 7, 7})) == 0.5);
  CHECK(average_precision(labels({1, 1}), numbers({1, 2})) == 1);  // no negative is needed
}

TEST_CASE("the order of the samples does not matter, bit for bit without weights") {
  rng random{.seed = 3};
  auto y = random_labels(50, 2, random);
  auto s = random_numbers(50, 6, random);
  double const area = roc_auc(y, s), average = average_precision(y, s);
  std::reverse(y.begin(), y.end());
  std::reverse(s.begin(), s.end());
  CHECK(roc_auc(y, s) == area);
  CHECK(average_precision(y, s) == average);
}

TEST_CASE("one class against the rest, and pairs at a threshold") {
  rng random{.seed = 5};
  auto y = random_labels(30, 3, random);
  for (std::ptrdiff_t c = 0; c < 3; ++c) y(c) = c;
  auto const p = random_matrix(30, 3, 5, random);
  numbers_1d const ones(y.shape(), 1.0);
  double mean = 0;
  for (std::ptrdiff_t c = 0; c < 3; ++c) {
    labels_1d is(y.shape());
    numbers_1d s(y.shape());
    for (std::ptrdiff_t i = 0; i < 30; ++i) is(i) = y(i) == c ? 1 : 0, s(i) = p(i, c);
    mean += count_pairs(is, s, ones) / 3;
  }
  CHECK(roc_auc_ovr(y, p) == about(mean));
  CHECK(pair_accuracy(labels({1, 0, 1, 0}), numbers({0.5, 0.5, 0.6, 0.7}), 0.5) == 0.5);  // 0.5 is not above 0.5
}

TEST_CASE("what ranking refuses") {
  auto const y = labels({0, 1});
  auto const s = numbers({0.2, 0.3});
  CHECK_THROWS_AS(roc_auc(y, numbers({1})), shape_error);
  CHECK_THROWS_AS(roc_auc(labels({}), numbers({})), argument_error);
  CHECK_THROWS_AS(roc_auc(labels({0, 2}), s), index_error);
  CHECK_THROWS_WITH(roc_auc(labels({1, 1}), s), "[roc_auc] a sample of label 0 is needed, but there is none");
  CHECK_THROWS_AS(roc_auc(labels({0, 0}), s), argument_error);
  CHECK_THROWS_AS(average_precision(labels({0, 0}), s), argument_error);
  CHECK_THROWS_WITH(roc_curve(y, numbers({1, not_a_number})),
                    "[roc_curve] scores must be numbers, but number 1 is NaN");
  CHECK_THROWS_AS(precision_recall_curve(y, s, numbers({1})), shape_error);
  CHECK_THROWS_AS(roc_auc(y, s, numbers({1, -1})), argument_error);
  CHECK_THROWS_AS(roc_auc(y, s, numbers({1, 0})), argument_error);      // the positive has no weight
  CHECK_THROWS_AS(roc_auc_ovr(y, numbers_2d({2, 3})), argument_error);  // class 2 is missing
  CHECK_THROWS_AS(roc_auc_ovr(y, numbers_2d({1, 2})), shape_error);
  CHECK_THROWS_AS(pair_accuracy(y, s, not_a_number), argument_error);
  CHECK_THROWS_AS(pair_accuracy(y, numbers({not_a_number, 0}), 0), argument_error);
}
