// Scaling, windows and batches.
#include <limbic/data.hpp>

#include "catch.hpp"

#include <limits>

using namespace limbic;

TEST_CASE("sliding windows are the pieces that slicing gives") {
  tensor<double, 1> x(shape{17});
  for (int i = 0; i < 17; ++i) x(i) = i;
  auto const w = sliding_windows(x, {.length = 4, .stride = 3});
  REQUIRE(w.shape() == shape{5, 4});
  for (int k = 0; k < 5; ++k)
    for (int i = 0; i < 4; ++i) CHECK(w(k, i) == x(3 * k + i));
  CHECK(sliding_windows(x, {.length = 17}).shape() == shape{1, 17});
  CHECK(sliding_windows(x, {.length = 5, .stride = 100}).shape() == shape{1, 5});

  tensor<int, 2, scalar> two({6, 2});
  for (int i = 0; i < 12; ++i) two.data()[i] = i;
  auto const channels = sliding_windows(two, {.length = 3});
  REQUIRE(channels.shape() == shape{4, 3, 2});
  for (int k = 0; k < 4; ++k)
    for (int i = 0; i < 3; ++i)
      for (int c = 0; c < 2; ++c) CHECK(channels(k, i, c) == two(k + i, c));
  auto const of_column = sliding_windows(two.view().permute({{1, 0}})[1], {.length = 2});  // a strided view
  CHECK(of_column(2, 0) == two(2, 1));
  CHECK(of_column(2, 1) == two(3, 1));

  CHECK_THROWS_WITH(sliding_windows(x, {.length = 18}),
                    "[sliding_windows] a window of 18 does not fit into a series of 17");
  CHECK_THROWS_AS(sliding_windows(x, {.length = 0}), argument_error);
  CHECK_THROWS_AS(sliding_windows(x, {.length = 2, .stride = 0}), argument_error);
}

TEST_CASE("columns are stretched to a range and back") {
  tensor<double, 2> const x({3, 3}, {1, -2, 5, 3, 0, 5, 2, 6, 5});
  min_max_scaler const scaler(x, {.low = -1, .high = 1});
  auto const y = scaler.transform(x);
  double const expected[] = {-1, -1, -1, 1, -0.5, -1, 0, 1, -1};
  for (int i = 0; i < 9; ++i) CHECK(y.data()[i] == Approx(expected[i]).margin(1e-15));
  auto const back = scaler.inverse(y);
  for (int i = 0; i < 9; ++i) CHECK(back.data()[i] == Approx(x.data()[i]));
  CHECK(scaler.minimum()(1) == -2.0);
  CHECK(scaler.maximum()(1) == 6.0);
  // What the scaler has not seen may lie outside; a constant column is divided by 1.
  tensor<double, 2> const other({1, 3}, {5, 0, 7});
  CHECK(scaler.transform(other)(0, 0) == Approx(3.0));
  CHECK(scaler.transform(other)(0, 2) == Approx(3.0));

  tensor<float, 1> const series({4}, {2, 4, 6, 10});
  min_max_scaler const unit(series);
  CHECK(unit.transform(series)(2) == 0.5F);
  CHECK(unit.transform(series)(3) == 1.0F);

  tensor<float, 1> const with_nan({2}, {2, std::numeric_limits<float>::quiet_NaN()});
  CHECK_THROWS_WITH(min_max_scaler(with_nan), "[min_max_scaler] row 1 of column 0 is nan: not a finite number");
  CHECK_THROWS_AS(min_max_scaler(tensor<float, 1>(shape{0})), argument_error);
  CHECK_THROWS_AS(min_max_scaler(series, {.low = 1, .high = 1}), argument_error);
  CHECK_THROWS_AS(scaler.transform(tensor<double, 2>({3, 2})), shape_error);
  CHECK(!(unit.transform(with_nan)(1) == unit.transform(with_nan)(1)));
}

TEST_CASE("batches cover every sample once") {
  batches order(135, 32);
  CHECK(order.size() == 5);
  rng random{.seed = 3};
  for (int epoch = 0; epoch < 3; ++epoch) {
    int seen[135] = {};
    std::ptrdiff_t count = 0, last = 0;
    for (auto const& chosen : order) {
      for (std::ptrdiff_t i = 0; i < chosen.size(); ++i) ++seen[chosen(i)];
      last = chosen.size();
      ++count;
    }
    CHECK(count == 5);
    CHECK(last == 7);
    for (int n : seen) CHECK(n == 1);
    order.shuffle(random);
  }
  CHECK(batches(135, 32, {.drop_last = true}).size() == 4);
  CHECK(batches(3, 32)[0].size() == 3);
  CHECK_THROWS_AS(batches(0, 32), argument_error);
  CHECK_THROWS_AS(batches(4, 0), argument_error);

  tensor<float, 2> const x({3, 2}, {1, 2, 3, 4, 5, 6});
  std::int64_t const wanted[] = {2, 0, 2};
  auto const taken = take(x, {wanted, shape{3}});
  REQUIRE(taken.shape() == shape{3, 2});
  CHECK(taken(0, 1) == 6.0F);
  CHECK(taken(1, 0) == 1.0F);
  auto const columns = take(x.view().transpose(), {wanted, shape{0}});
  CHECK(columns.shape() == shape{0, 3});
  std::int64_t const second[] = {1};
  CHECK(take(x.view().transpose(), {second, shape{1}})(0, 2) == 6.0F);
  std::int64_t const outside[] = {3};
  CHECK_THROWS_AS(take(x, {outside, shape{1}}), index_error);
}
