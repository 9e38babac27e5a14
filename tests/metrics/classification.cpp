// metrics/classification.cpp - by hand, against counting class by class, and what is refused
#include "support.hpp"

using namespace metrics_test;

TEST_CASE("a confusion matrix of three classes, by hand") {
  auto const y = labels({0, 0, 0, 1, 1, 0}), p = labels({0, 0, 1, 1, 0, 0});  // class 2 neither occurs nor is predicted
  auto const m = confusion_matrix(y, p, 3);
  CHECK((m(0, 0) == 3 && m(0, 1) == 1 && m(1, 0) == 1 && m(1, 1) == 1));
  CHECK((m(0, 2) == 0 && m(2, 0) == 0 && m(2, 2) == 0));
  auto const shares = normalize_confusion_matrix(m);
  CHECK((shares(0, 0) == 0.75 && shares(0, 1) == 0.25 && shares(1, 0) == 0.5 && shares(2, 2) == 0));
  auto const r = classification_report(m);
  CHECK(equal(r.precision, {0.75, 0.5, 0}));
  CHECK(equal(r.recall, {0.75, 0.5, 0}));
  CHECK(equal(r.f1, {0.75, 0.5, 0}));
  CHECK((r.support(0) == 4 && r.support(1) == 2 && r.support(2) == 0));
  CHECK(r.macro.f1 == about(1.25 / 3));
  CHECK(r.weighted.recall == about(4.0 / 6));
  CHECK(r.accuracy == about(4.0 / 6));
  CHECK(r.accuracy == accuracy(y, p));
  CHECK(r.balanced_accuracy == about(0.625));  // of the two classes that occur
  CHECK(r.cohen_kappa == about((4.0 / 6 - 20.0 / 36) / (1 - 20.0 / 36)));
}

TEST_CASE("a report agrees with counting class by class") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    rng random{.seed = seed};
    auto const y = random_labels(40, 4, random), p = random_labels(40, 4, random);
    auto const r = classification_report(y, p, 4);
    double macro = 0, weighted = 0;
    for (std::ptrdiff_t c = 0; c < 4; ++c) {
      double both = 0, label = 0, predicted = 0;
      for (std::ptrdiff_t i = 0; i < 40; ++i) {
        both += y(i) == c && p(i) == c ? 1 : 0;
        label += y(i) == c ? 1 : 0;
        predicted += p(i) == c ? 1 : 0;
      }
      double const precision = predicted > 0 ? both / predicted : 0, recall = label > 0 ? both / label : 0;
      double const f1 = both > 0 ? 2 * precision * recall / (precision + recall) : 0;
      CHECK(r.precision(c) == about(precision));
      CHECK(r.recall(c) == about(recall));
      CHECK(r.f1(c) == about(f1));
      macro += precision / 4;
      weighted += label / 40 * f1;
    }
    CHECK(r.macro.precision == about(macro));
    CHECK(r.weighted.f1 == about(weighted));
    CHECK(r.weighted.recall == about(r.accuracy));
  }
}

TEST_CASE("one class only: agreement beyond chance is 0") {
  auto const r = classification_report(labels({1, 1}), labels({1, 1}), 2);
  CHECK((r.accuracy == 1 && r.balanced_accuracy == 1 && r.cohen_kappa == 0));
}

TEST_CASE("labels of any integer type, strided") {
  tensor<int, 2, simd> const both({3, 2}, {0, 1, 1, 1, 2, 0});
  auto const columns = both.view().transpose();
  CHECK(accuracy(columns[0], columns[1]) == about(1.0 / 3));
}

TEST_CASE("what classification refuses") {
  auto const y = labels({0, 1, 2});
  CHECK_THROWS_AS(accuracy(y, labels({0, 1})), shape_error);
  CHECK_THROWS_AS(accuracy(labels({}), labels({})), argument_error);
  CHECK_THROWS_AS(confusion_matrix(y, y, 0), argument_error);
  CHECK_THROWS_WITH(confusion_matrix(y, y, 2), "[confusion_matrix] labels must lie in [0, 2), but number 2 is 2");
  CHECK_THROWS_AS(confusion_matrix(y, labels({0, -1, 2}), 3), index_error);
  CHECK_THROWS_AS(classification_report(confusion_counts(shape<2>{{2, 3}}, 1)), shape_error);
  CHECK_THROWS_AS(classification_report(confusion_counts(shape<2>{{2, 2}})), argument_error);
  CHECK_THROWS_AS(normalize_confusion_matrix(confusion_counts({1, 2}, {3, -1})), shape_error);
  CHECK_THROWS_AS(normalize_confusion_matrix(confusion_counts({1, 1}, {-1})), argument_error);
}
