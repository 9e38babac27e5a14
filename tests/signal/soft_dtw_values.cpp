// soft-DTW and DTW: values against every alignment, bands, batches, number types, devices, errors
#include "soft_dtw_support.hpp"

#include <limbic/signal/distance_cache.hpp>
#include <limbic/signal/downsample.hpp>

#include <cstring>
#include <limits>

using namespace limbic;
using warping::series;

namespace {

template <class A, class B> bool same_bits(A const& a, B const& b) {
  using T = typename A::value_type;
  tensor<T, A::rank, typename A::device> const x(as_view(a)), y(as_view(b));
  return x.shape() == y.shape() && std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.size()) * sizeof(T)) == 0;
}

}  // namespace

TEMPLATE_TEST_CASE("soft-DTW and DTW: the sum over every alignment", "", scalar, simd) {
  using D = TestType;
  for (std::ptrdiff_t tx = 1; tx <= 5; ++tx)
    for (std::ptrdiff_t ty = 1; ty <= 4; ++ty)
      for (std::ptrdiff_t band : {std::ptrdiff_t{0}, std::ptrdiff_t{1}, no_band}) {
        auto const x = series<double, scalar>(shape{tx, std::ptrdiff_t{2}}, 1),
                   y = series<double, scalar>(shape{ty, std::ptrdiff_t{2}}, 2);
        auto const a = x.view().on(D{}), b = y.view().on(D{});
        std::ptrdiff_t const apart = std::abs(tx - ty), reach = band == no_band ? 9 : std::max(band, apart);
        auto const costs = warping::all_alignments(x, y, reach);
        CAPTURE(tx, ty, band);
        CHECK(dtw(a, b, {.band = band})() == Approx(warping::least(costs)).epsilon(1e-14));
        for (double const gamma : {1e-3, 0.1, 1.0, 10.0})
          CHECK(soft_dtw(a, b, {.gamma = gamma, .band = band})() ==
                Approx(warping::soft_least(costs, gamma)).epsilon(1e-12).margin(1e-13));
      }
}

TEST_CASE("soft-DTW: 1, 3, 13, 63, ... alignments of equal constants") {
  double const delannoy[] = {1, 3, 13, 63, 321};
  for (int n = 1; n <= 5; ++n) {
    tensor<double, 1> const x(shape{n}, 2.5);
    CHECK(soft_dtw(x, x, {.gamma = 2})() == Approx(-2 * std::log(delannoy[n - 1])).margin(1e-14));
    CHECK(dtw(x, x)() == 0);
  }
}

TEMPLATE_TEST_CASE("soft-DTW: a band is the same as forbidden costs", "", scalar, simd) {
  using D = TestType;
  std::ptrdiff_t const tx = 11, ty = 8;
  auto costs = series<double, D>(shape{3, tx, ty}, 4, 0, 3);
  for (std::ptrdiff_t band : {0, 2, 3, 5, 100}) {
    auto masked = costs;
    for (std::ptrdiff_t p = 0; p < 3; ++p)
      for (std::ptrdiff_t i = 0; i < tx; ++i)
        for (std::ptrdiff_t j = 0; j < ty; ++j)
          if (std::abs(i - j) > std::max(band, tx - ty)) masked(p, i, j) = std::numeric_limits<double>::infinity();
    CHECK(same_bits(soft_dtw_from_costs(costs, {.gamma = 0.5, .band = band}).view(),
                    soft_dtw_from_costs(masked, {.gamma = 0.5}).view()));
    CHECK(same_bits(dtw_from_costs(costs, {.band = band}).view(), dtw_from_costs(masked).view()));
  }
  // no alignment left
  tensor<double, 2, D> const wall({2, 2}, {1, 1, 1, std::numeric_limits<double>::infinity()});
  CHECK(soft_dtw_from_costs(wall)() == std::numeric_limits<double>::infinity());
  CHECK(dtw_from_costs(wall)() == std::numeric_limits<double>::infinity());
}

TEMPLATE_TEST_CASE("soft-DTW: a pair's bits depend on nothing but the pair", "", float, double) {
  using T = TestType;
  std::ptrdiff_t const batch = 21;  // packs of pairs, and some pairs that are left: packs of their cells
  auto const x = series<T, simd>(shape{batch, std::ptrdiff_t{20}, std::ptrdiff_t{3}}, 1);
  auto const y = series<T, simd>(shape{batch, std::ptrdiff_t{33}, std::ptrdiff_t{3}}, 2);
  auto const soft = soft_dtw(x, y, {.gamma = 0.25}), hard = dtw(x, y);
  auto const all = soft_dtw_pairwise(x, y, {.gamma = 0.25});
  auto const all_hard = dtw_pairwise(x, y);
  bool same = true;
  for (std::ptrdiff_t p = 0; p < batch; ++p) {
    same = same && soft(p) == soft_dtw(x.view()[p], y.view()[p], {.gamma = 0.25})() && soft(p) == all(p, p);
    same = same && hard(p) == dtw(x.view()[p], y.view()[p])() && hard(p) == all_hard(p, p);
  }
  CHECK(same);
  // a batch of 1 meets all
  auto const first = soft_dtw(x.view().slice(0, 0, 1), y, {.gamma = 0.25});
  CHECK(same_bits(first.view(), all.view()[0]));
  // a list, in any order
  tensor<std::int64_t, 2> const pairs({3, 2}, {20, 0, 4, 4, 4, 17});
  auto const some = soft_dtw_pairwise(x, y, pairs, {.gamma = 0.25});
  CHECK((some(0) == all(20, 0) && some(1) == all(4, 4) && some(2) == all(4, 17)));
  // views: reversed axes
  tensor<T, 3> turned(shape{3, 20, 21});
  for (std::ptrdiff_t p = 0; p < batch; ++p)
    for (std::ptrdiff_t t = 0; t < 20; ++t)
      for (std::ptrdiff_t c = 0; c < 3; ++c) turned(c, t, p) = x(p, t, c);
  CHECK(same_bits(soft_dtw(turned.view().permute({{2, 1, 0}}), y, {.gamma = 0.25}).view(), soft.view()));
}

TEST_CASE("soft-DTW: backends and number types agree") {
  for (double const gamma : {1e-3, 0.1, 1.0, 10.0}) {
    shape<3> const sx{{5, 30, 4}}, sy{{5, 26, 4}};
    auto const exact = soft_dtw(series<double, scalar>(sx, 1), series<double, scalar>(sy, 2), {.gamma = gamma});
    auto const fast = soft_dtw(series<double, simd>(sx, 1), series<double, simd>(sy, 2), {.gamma = gamma});
    auto const single = soft_dtw(series<float, simd>(sx, 1), series<float, simd>(sy, 2), {.gamma = gamma});
    auto const slow = soft_dtw(series<float, scalar>(sx, 1), series<float, scalar>(sy, 2), {.gamma = gamma});
    for (std::ptrdiff_t p = 0; p < 5; ++p) {
      CHECK(fast(p) == Approx(exact(p)).epsilon(1e-13));
      CHECK(static_cast<double>(single(p)) == Approx(exact(p)).epsilon(1e-6).margin(1e-5 * gamma));
      CHECK(static_cast<double>(slow(p)) == Approx(exact(p)).epsilon(1e-6).margin(1e-5 * gamma));
    }
  }
}

TEST_CASE("soft-DTW: nearer and nearer to DTW, and below it") {
  auto const x = series<double, simd>(shape{4, 13, 2}, 7), y = series<double, simd>(shape{4, 10, 2}, 8);
  auto const hard = dtw(x, y);
  auto const near = soft_dtw(x, y, {.gamma = 1e-9}), far = soft_dtw(x, y, {.gamma = 10});
  for (std::ptrdiff_t p = 0; p < 4; ++p) {
    CHECK(near(p) == Approx(hard(p)).epsilon(1e-8));
    CHECK((far(p) < 0 && near(p) <= hard(p)));
  }
  // costs far beyond what e^(-cost / gamma) can hold
  tensor<float, 1> const a({3}, {0, 4000, 0}), b({2}, {1000, -3000});
  CHECK(soft_dtw(a, b, {.gamma = 1e-3})() == Approx(1e6F + 9e6F + 9e6F));
}

TEST_CASE("soft-DTW divergence: 0 between equal series, never negative") {
  for (double const gamma : {1e-3, 1.0, 10.0}) {
    auto const x = series<double, simd>(shape{6, 12, 2}, 7), y = series<double, simd>(shape{6, 9, 2}, 8);
    auto const none = soft_dtw_divergence(x, x, {.gamma = gamma}), some = soft_dtw_divergence(x, y, {.gamma = gamma});
    for (std::ptrdiff_t p = 0; p < 6; ++p) {
      CHECK(none(p) == 0);
      CHECK(some(p) > 0);
    }
  }
}

TEST_CASE("DTW path: best cells, ties back by the diagonal, then up") {
  auto const cells = [](auto const& path) { return std::vector<std::int64_t>(path.begin(), path.end()); };
  tensor<double, 1> const a({4}, {0, 1, 1, 5}), b({3}, {0, 1, 5});
  CHECK(cells(dtw_path(a, b)) == std::vector<std::int64_t>{0, 0, 1, 1, 2, 1, 3, 2});
  tensor<double, 1> const same({3}, {2, 2, 2}), longer({4}, {2, 2, 2, 2});
  CHECK(cells(dtw_path(same, same)) == std::vector<std::int64_t>{0, 0, 1, 1, 2, 2});
  CHECK(cells(dtw_path(same, longer)) == std::vector<std::int64_t>{0, 0, 0, 1, 1, 2, 2, 3});
  auto const x = series<double, scalar>(shape{9, 2}, 3), y = series<double, scalar>(shape{6, 2}, 4);
  auto const path = dtw_path(x, y, {.band = 1});
  double sum = 0;
  for (std::ptrdiff_t k = 0; k < path.extent(0); ++k) {
    std::ptrdiff_t const i = path(k, 0), j = path(k, 1);
    CHECK(std::abs(i - j) <= 3);
    for (std::ptrdiff_t c = 0; c < 2; ++c) sum += (x(i, c) - y(j, c)) * (x(i, c) - y(j, c));
  }
  CHECK(sum == Approx(dtw(x, y, {.band = 1})()));
}

TEST_CASE("soft-DTW: nothing to do, and bad input") {
  tensor<float, 3> const none({0, 4, 2}), x({2, 4, 2}), y({2, 5, 2}), other({2, 5, 3}), three({3, 5, 2});
  CHECK(soft_dtw(none, tensor<float, 3>({0, 5, 2})).size() == 0);
  CHECK(dtw_pairwise(none, y).shape() == shape{0, 2});
  CHECK(soft_dtw(tensor<double, 3>({2, 4, 0}), tensor<double, 3>({2, 1, 0}))(1) == 0);  // no channels: all costs are 0
  CHECK_THROWS_WITH(soft_dtw(x, other), Catch::Contains("[soft_dtw]") && Catch::Contains("2 and of 3 channels"));
  CHECK_THROWS_AS(soft_dtw(x, three), shape_error);
  CHECK_THROWS_AS(dtw(x, tensor<float, 3>({2, 0, 2})), shape_error);
  CHECK_THROWS_AS(soft_dtw(x, y, {.gamma = 0}), argument_error);
  CHECK_THROWS_AS(soft_dtw(x, y, {.gamma = -1}), argument_error);
  CHECK_THROWS_AS(soft_dtw(x, y, {.gamma = std::numeric_limits<double>::quiet_NaN()}), argument_error);
  CHECK_THROWS_WITH(dtw(x, y, {.band = -1}), Catch::Contains("[dtw] the band must not be negative, but is -1"));
  auto bad = y;
  bad(1, 3, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(soft_dtw(x, bad), Catch::Contains("y (2, 5, 2) must be finite, but is NaN at (1, 3, 1)"));
  bad(1, 3, 1) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(dtw_pairwise(bad, x), Catch::Contains("infinite at (1, 3, 1)"));
  CHECK_THROWS_AS(soft_dtw_from_costs(bad.view()[0].slice(0, 0, 0)), shape_error);
  bad(1, 3, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(soft_dtw_from_costs(bad), argument_error);
  CHECK_THROWS_AS(dtw_from_costs(bad), argument_error);
  bad(1, 3, 1) = -std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(dtw_from_costs(bad), Catch::Contains("must be finite or +inf, but is infinite at (1, 3, 1)"));
  CHECK_THROWS_AS(soft_dtw_pairwise(x, y, tensor<std::int64_t, 2>({1, 2}, {0, 2})), index_error);
  CHECK_THROWS_AS(soft_dtw_pairwise(x, y, tensor<std::int64_t, 2>({1, 3}, {0, 1, 1})), shape_error);
}

TEST_CASE("distance cache: each pair once, until the version changes") {
  distance_cache<double> cache;
  auto const x = series<double, simd>(shape{4, 6, 1}, 1);
  std::ptrdiff_t asked = 0;
  auto const compute = [&](auto const& missing) {
    asked += missing.extent(0);
    return soft_dtw_pairwise(x, x, tensor<std::int64_t, 2>(missing.view().on(simd{})));
  };
  auto const all = soft_dtw_pairwise(x, x);
  tensor<std::int64_t, 2, scalar> const first({3, 2}, {0, 1, 2, 3, 0, 1}), second({2, 2}, {0, 1, 3, 2});
  auto const d = cache(first, 1, compute);
  CHECK((asked == 2 && d(0) == all(0, 1) && d(1) == all(2, 3) && d(2) == d(0)));
  auto const e = cache(second, 1, compute);
  CHECK((asked == 3 && e(1) == all(3, 2) && cache.size() == 3 && cache.found() == 2 && cache.computed() == 3));
  cache(second, 2, compute);
  CHECK((asked == 5 && cache.size() == 2));
  CHECK_THROWS_AS(cache(tensor<std::int64_t, 2, scalar>({1, 2}, {0, -1}), 2, compute), index_error);
  CHECK_THROWS_AS(cache(tensor<std::int64_t, 2, scalar>({1, 2}, {0, 9}), 2, compute), index_error);
  CHECK(cache.size() == 2);
}

TEST_CASE("downsample: means of neighbours, the last of what is left") {
  tensor<double, 3> const x({1, 5, 1}, {1, 3, 5, 7, 11});
  auto const two = downsample(x, 2), five = downsample(x, 5), nine = downsample(x, 9);
  CHECK((two.shape() == shape{1, 3, 1} && two(0, 0, 0) == 2 && two(0, 1, 0) == 6 && two(0, 2, 0) == 11));
  CHECK((five.size() == 1 && five(0, 0, 0) == Approx(5.4) && nine(0, 0, 0) == Approx(5.4)));
  CHECK_THROWS_AS(downsample(x, 0), argument_error);
}
