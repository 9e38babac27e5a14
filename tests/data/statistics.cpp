// Standard scaling and histograms; the values of many come from the reference runner's family `statistics`.
#include <limbic/data.hpp>

#include "catch.hpp"

#include <cmath>
#include <limits>

using namespace limbic;

TEST_CASE("columns are scaled to mean 0 and deviation 1, and back") {
  tensor<double, 2> const x({4, 3}, {1, 5, 0.1, 2, 5, 0.1, 3, 5, 0.1, 6, 5, 0.1});
  standard_scaler const scaler(x);
  CHECK(scaler.mean()(0) == Approx(3.0));
  CHECK(scaler.deviation()(0) == Approx(std::sqrt(3.5)));
  auto const y = scaler.transform(x);
  CHECK(y(3, 0) == Approx(3 / std::sqrt(3.5)));
  for (int i = 0; i < 4; ++i) {
    CHECK(y(i, 1) == 0);  // a constant column is divided by 1, also where its mean is rounded
    CHECK(std::abs(y(i, 2)) < 1e-16);
  }
  auto const back = scaler.inverse(y);
  for (int i = 0; i < 12; ++i) CHECK(back.data()[i] == Approx(x.data()[i]));

  // A small deviation beside a large mean is no constant column.
  tensor<float, 1> series({1000});
  for (int i = 0; i < 1000; ++i) series(i) = 1000 + static_cast<float>(i % 2) / 8;
  CHECK(standard_scaler(series).deviation()(0) == Approx(1.0 / 16));

  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(scaler.transform(tensor<double, 2>({1, 3}, {nan, 5, 0}))(0, 0)));
  CHECK_THROWS_WITH(standard_scaler(tensor<double, 1>({2}, {1, nan})),
                    "[standard_scaler] row 1 of column 0 is nan: not a finite number");
  CHECK_THROWS_AS(standard_scaler(tensor<double, 2>({0, 3})), argument_error);
  CHECK_THROWS_AS(scaler.transform(tensor<double, 2>({3, 2})), shape_error);
}

TEST_CASE("histograms count as NumPy does") {
  tensor<double, 1> const x({9}, {0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 1, 1});
  auto const h = histogram(x, {.bins = 10});
  std::int64_t const counts[] = {1, 1, 2, 0, 0, 1, 1, 0, 0, 3};  // NumPy's: 0.3 is less than edges(3) = 3 * 0.1
  for (int i = 0; i < 10; ++i) CHECK(h.counts(i) == counts[i]);
  CHECK(h.total() == 9);
  double whole = 0;
  for (int i = 0; i < 10; ++i) whole += h.density()(i) * (h.edges(i + 1) - h.edges(i));
  CHECK(whole == Approx(1.0));

  // The last bin holds its end; what lies outside, or is NaN, is not counted.
  tensor<double, 1> const y({6}, {-2, -1, 0, 1, 1.5, std::nan("")});
  auto const ranged = histogram(y, {.bins = 2, .low = -1, .high = 1});
  CHECK(ranged.counts(0) == 1);
  CHECK(ranged.counts(1) == 2);
  CHECK(ranged.edges(1) == 0);

  // Every element lies between the edges of its bin, also where the division is rounded.
  tensor<double, 1> edges({101});
  for (int i = 0; i <= 100; ++i) edges(i) = 0.01 * i;
  auto const fine = histogram(edges, {.bins = 100, .low = 0, .high = 1});
  for (int i = 0; i < 100; ++i) {
    std::int64_t expected = 0;
    for (double const e : edges)
      if (e >= fine.edges(i) && (e < fine.edges(i + 1) || (i == 99 && e <= 1))) ++expected;
    CHECK(fine.counts(i) == expected);
  }

  auto const same = histogram(tensor<float, 2>({2, 2}, 3.0F), {.bins = 2});
  CHECK(same.edges(0) == 2.5);
  CHECK(same.edges(2) == 3.5);
  CHECK(same.counts(1) == 4);
  auto const none = histogram(tensor<float, 1>(shape{0}));
  CHECK(none.edges(10) == 1);
  CHECK(none.total() == 0);
  CHECK(std::isnan(none.density()(0)));
  CHECK(histogram(tensor<std::int64_t, 1>({3}, {1, 2, 4}), {.bins = 3}).counts(2) == 1);

  CHECK_THROWS_AS(histogram(x, {.bins = 0}), argument_error);
  CHECK_THROWS_AS(histogram(x, {.low = 1, .high = 0}), argument_error);
  CHECK_THROWS_AS(histogram(x, {.low = 0}), argument_error);
  CHECK_THROWS_WITH(histogram(y), "[histogram] an element is nan: its range must be given by low and high");
}

TEST_CASE("histograms of lines count each line by itself") {
  tensor<double, 3> x({2, 5, 3});
  for (int i = 0; i < 30; ++i) x.data()[i] = (i * 7 % 11) / 10.0;
  histogram_options const o{.bins = 4, .low = 0, .high = 0.9};
  for (int const axis : {0, 1, 2, -2}) {
    auto const lines = histogram(x, o, axis);
    int const a = axis < 0 ? axis + 3 : axis;
    CHECK(lines.axis == a);
    REQUIRE(lines.counts.extent(a) == 4);
    // A line is what is left when the other two axes are narrowed to one place.
    int const p = a == 0 ? 1 : 0, q = a == 2 ? 1 : 2;
    for (std::ptrdiff_t i = 0; i < x.extent(p); ++i)
      for (std::ptrdiff_t k = 0; k < x.extent(q); ++k) {
        auto const one = histogram(view<double const, 3>(x.view().slice(p, i, i + 1).slice(q, k, k + 1)), o);
        auto const counts = lines.counts.view().slice(p, i, i + 1).slice(q, k, k + 1);
        tensor<std::int64_t, 3, scalar> const own(counts);
        for (int b = 0; b < 4; ++b) CHECK(own.data()[b] == one.counts(b));
      }
  }
  auto const heights = histogram(x, o, 1).heights();
  auto const counts = histogram(x, o, 1).counts;
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 3; ++k) {
      double sum = 0, all = 0;
      for (int b = 0; b < 4; ++b) sum += heights(i, b, k), all += static_cast<double>(counts(i, b, k));
      CHECK(sum == Approx(1.0));
      CHECK(heights(i, 1, k) == static_cast<double>(counts(i, 1, k)) / all);
    }
  auto const none = histogram(tensor<double, 2>({2, 0}), {.bins = 3}, 1);
  CHECK(none.counts.shape() == limbic::shape<2>{{2, 3}});
  CHECK(std::isnan(none.heights()(1, 2)));
  CHECK(histogram(tensor<double, 2>({0, 2}), {.bins = 3}, 1).counts.size() == 0);
  CHECK_THROWS_AS(histogram(x, o, 3), index_error);
}
