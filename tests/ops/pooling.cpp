// Pooling through the examination, and against windows counted by hand.
#include "harness.hpp"

#include "../scratch.hpp"

#include <limbic/ops/avg_pool.hpp>
#include <limbic/ops/max_pool.hpp>
#include <limbic/ops/operators.hpp>

using namespace examination;
using namespace limbic;

namespace pooling {

options const sums{.ulps = 16};

TEST_CASE("max_pool: examined") {
  examine<4>("max_pool2d", [](auto const& x) { return max_pool2d(x, 2); },
             {{at(2, 3, 5, 7)}, {at(0, 3, 4, 4)}, {at(2, 0, 4, 4)}, {at(1, 2, 2, 2)}, {at(2, 1, 12, 33)}});
  examine<4>(
      "max_pool2d, overlapping",
      [](auto const& x) { return max_pool2d(x, {3, 2}, {.stride = {2, 1}, .padding = {1, 1}, .ceil_mode = true}); },
      {{at(2, 2, 6, 9)}, {at(1, 2, 11, 10)}});
  examine<4>("max_pool2d, dilated", [](auto const& x) { return max_pool2d(x, 2, {.stride = 3, .dilation = {2, 3}}); },
             {{at(2, 2, 9, 10)}, {at(1, 1, 3, 4)}});
  examine<3>("max_pool1d", [](auto const& x) { return max_pool1d(x, 3, {.stride = 2, .padding = 1}); },
             {{at(2, 3, 11)}, {at(0, 3, 5)}, {at(1, 1, 40)}});
  examine<4>("adaptive_max_pool2d", [](auto const& x) { return adaptive_max_pool2d(x, {3, 2}); },
             {{at(2, 2, 7, 5)}, {at(1, 2, 6, 8)}, {at(1, 1, 2, 1)}, {at(0, 2, 4, 4)}});
  examine<3>("global_max_pool", [](auto const& x) { return global_max_pool(x); }, {{at(2, 3, 11)}, {at(0, 3, 5)}});
}

TEST_CASE("avg_pool: examined") {
  examine<4>(
      "avg_pool2d", [](auto const& x) { return avg_pool2d(x, 2); },
      {{at(2, 3, 5, 7)}, {at(0, 3, 4, 4)}, {at(2, 0, 4, 4)}, {at(2, 1, 12, 33)}}, sums);
  examine<4>(
      "avg_pool2d, overlapping",
      [](auto const& x) {
        return avg_pool2d(x, {3, 2}, {.stride = {2, 1}, .padding = 1, .ceil_mode = true, .count_include_pad = false});
      },
      {{at(2, 2, 6, 9)}, {at(1, 2, 11, 10)}}, sums);
  examine<3>(
      "avg_pool1d", [](auto const& x) { return avg_pool1d(x, 3, {.stride = 2, .padding = 1, .divisor_override = 5}); },
      {{at(2, 3, 11)}, {at(0, 3, 5)}}, sums);
  options any_order = sums;
  any_order.ordered = false;
  examine<4>(
      "adaptive_avg_pool2d", [](auto const& x) { return adaptive_avg_pool2d(x, {3, 2}); },
      {{at(2, 2, 7, 5)}, {at(1, 2, 6, 8)}, {at(1, 1, 2, 1)}, {at(0, 2, 4, 4)}}, any_order);
  examine<3>(
      "global_avg_pool", [](auto const& x) { return global_avg_pool(x); }, {{at(2, 3, 11)}, {at(0, 3, 5)}}, any_order);
}

// Every way of computing agrees with the definition, for many windows.
using numbers = tensor<double, 4, simd>;

struct reference {
  numbers y, index, mean, dx_max, dx_mean;  // the gradients of sum (k + 1) y_k
};

reference by_definition(numbers const& x, pool_geometry const& g) {
  shape<4> const s{{x.extent(0), x.extent(1), g.rows.out, g.columns.out}};
  reference r{numbers(s, -INFINITY), numbers(s, -1), numbers(s), numbers(x.shape()), numbers(x.shape())};
  double weight = 0;
  for (std::ptrdiff_t n = 0; n < s[0]; ++n)
    for (std::ptrdiff_t c = 0; c < s[1]; ++c)
      for (std::ptrdiff_t p = 0; p < s[2]; ++p)
        for (std::ptrdiff_t q = 0; q < s[3]; ++q) {
          weight += 1;
          double* chosen = nullptr;
          for (std::ptrdiff_t i = 0; i < g.rows.kernel; ++i)
            for (std::ptrdiff_t j = 0; j < g.columns.kernel; ++j) {
              std::ptrdiff_t const h = g.rows.element(p, i), w = g.columns.element(q, j);
              if (h < 0 || w < 0 || h >= g.rows.in || w >= g.columns.in) continue;
              if (g.rows.adaptive && h >= ((p + 1) * g.rows.in + g.rows.out - 1) / g.rows.out) continue;
              if (g.columns.adaptive && w >= ((q + 1) * g.columns.in + g.columns.out - 1) / g.columns.out) continue;
              double const v = x(n, c, h, w);
              r.mean(n, c, p, q) += v;
              r.dx_mean(n, c, h, w) += weight;
              if (chosen == nullptr || v > r.y(n, c, p, q)) {
                r.y(n, c, p, q) = v;
                r.index(n, c, p, q) = static_cast<double>(i * g.columns.kernel + j);
                chosen = &r.dx_max(n, c, h, w);
              }
            }
          if (chosen != nullptr) *chosen += weight;
        }
  return r;
}

bool agree(numbers const& a, numbers const& b) {
  bool all = a.shape() == b.shape();
  for (std::ptrdiff_t i = 0; all && i < a.size(); ++i)
    all = a.data()[i] == b.data()[i] || std::abs(a.data()[i] - b.data()[i]) < 1e-12 * (1 + std::abs(b.data()[i]));
  return all;
}

TEST_CASE("pooling: planes, taps and windows agree with the definition") {
  std::size_t draws = 0;
  auto const pick = [&](int low, int high) {
    return low + static_cast<std::ptrdiff_t>(draw(++draws) * (high - low + 1));
  };
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    auto const some = [&] {
      pool_axis a;
      do {
        a = {.in = pick(1, 13), .kernel = pick(1, 4), .stride = pick(1, 4), .dilation = pick(1, 3)};
        a.padding = pick(0, static_cast<int>(a.reach() / 2));
      } while (a.reach() > a.in + 2 * a.padding);
      a.out = (a.in + 2 * a.padding - a.reach() + pick(0, 1) * (a.stride - 1)) / a.stride + 1;
      return a;
    };
    pool_geometry const g{some(), some()};
    numbers x({2, 3, g.rows.in, g.columns.in});
    for (double& v : x) v = std::floor(draw(++draws) * 6);  // with many ties
    reference const want = by_definition(x, g);
    shape<4> const s = want.y.shape();
    numbers weights(s);
    for (std::ptrdiff_t i = 0; i < s.size(); ++i) weights.data()[i] = static_cast<double>(i + 1);

    numbers y(s), index(s), sum(s), dx(x.shape()), dx_sum(x.shape());
    auto const check = [&] {
      CHECK(agree(y, want.y));
      CHECK(agree(index, want.index));
      CHECK(agree(sum, want.mean));
      CHECK(agree(dx, want.dx_max));
      CHECK(agree(dx_sum, want.dx_mean));
    };
    simd const d;
    max_pool(d, y.view(), index.view(), as_view(x), g);
    sum_pool(d, sum.view(), as_view(x), g);
    max_pool_gradient(d, as_sink(dx), as_view(weights), as_view(index), g);
    sum_pool_gradient(d, as_sink(dx_sum), as_view(weights), g);
    check();
    max_pool_gradient(d, sink<double, 4, simd>(dx.view(), true), as_view(weights), as_view(index), g);
    sum_pool_gradient(d, sink<double, 4, simd>(dx_sum.view(), true), as_view(weights), g);
    CHECK(agree(tensor<double, 4, simd>(dx * 0.5), want.dx_max));  // a second contribution adds
    CHECK(agree(tensor<double, 4, simd>(dx_sum * 0.5), want.dx_mean));
    detail::max_pool_by_taps(d, y.view(), index.view(), as_view(x), g);
    detail::sum_pool_by_taps(d, sum.view(), as_view(x), g);
    detail::max_pool_gradient_by_taps(d, as_sink(dx), as_view(weights), as_view(index), g);
    detail::sum_pool_gradient_by_taps(d, as_sink(dx_sum), as_view(weights), g);
    check();
  }
  for (std::ptrdiff_t out = 1; out < 9; ++out) {
    pool_axis const a{.in = 8, .out = out, .kernel = 8 / out + 2, .adaptive = true};
    pool_geometry const g{a, a};
    numbers x({2, 3, 8, 8});
    for (double& v : x) v = std::floor(draw(++draws) * 6);
    reference const want = by_definition(x, g);
    CHECK(agree(adaptive_max_pool2d(x, out), want.y));
    numbers y(want.y.shape()), index(y.shape());
    max_pool(simd{}, y.view(), index.view(), as_view(x), g);
    CHECK(agree(index, want.index));
  }
}

TEST_CASE("pooling: how many windows, and what they are divided by") {
  tensor<float, 4> const x({1, 1, 5, 5}, 1.0F);
  CHECK(max_pool2d(x, 2).shape() == shape<4>{{1, 1, 2, 2}});
  CHECK(max_pool2d(x, 2, {.ceil_mode = true}).shape() == shape<4>{{1, 1, 3, 3}});
  // With stride 3 the third window would start in the padding behind the last element: it does not exist.
  CHECK(avg_pool2d(x, 2, {.stride = 3, .padding = 1, .ceil_mode = true}).shape() == shape<4>{{1, 1, 2, 2}});
  auto const y = avg_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true});
  REQUIRE(y.shape() == shape<4>{{1, 1, 3, 3}});
  CHECK(y(0, 0, 0, 0) == Approx(4.0 / 9));
  CHECK(y(0, 0, 1, 1) == Approx(1));
  auto const z = avg_pool2d(x, 2, {.ceil_mode = true});  // the last window has one element, not four
  CHECK(z(0, 0, 2, 2) == 1);
  CHECK(avg_pool2d(x, 2, {.divisor_override = 8})(0, 0, 0, 0) == 0.5F);
}

TEST_CASE("max_pool: places, ties, infinities and NaN") {
  float const inf = INFINITY, nan = NAN;
  tensor<float, 4> const x({1, 1, 2, 6}, {-inf, -inf, 2, 1, nan, 3, -inf, -inf, 2, 2, nan, 4});
  auto const y = max_pool2d(x, 2);
  auto const at = max_pool2d_indices(x, 2);
  CHECK(y(0, 0, 0, 0) == -inf);
  CHECK(y(0, 0, 0, 1) == 2);
  CHECK(std::isnan(y(0, 0, 0, 2)));
  CHECK(at(0, 0, 0, 0) == 0);
  CHECK(at(0, 0, 0, 1) == 2);
  CHECK(at(0, 0, 0, 2) == 4);
  CHECK(adaptive_max_pool2d_indices(x, 1)(0, 0, 0, 0) == 4);
  tape t;
  auto const v = t.variable(x);
  t.backward(max_pool2d(v, 2), tensor<float, 4>({1, 1, 1, 3}, {1, 2, 3}));
  float const want[] = {1, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 12; ++i) CHECK(v.gradient().data()[i] == want[i]);
}

TEST_CASE("pooling: bad input") {
  tensor<float, 4> const x({1, 1, 4, 4}, 1.0F), none({1, 1, 0, 4});
  CHECK_THROWS_AS(max_pool2d(x, 5), shape_error);
  CHECK_THROWS_AS(max_pool2d(none, 1), shape_error);
  CHECK_THROWS_AS(max_pool2d(x, 0), argument_error);
  CHECK_THROWS_AS(max_pool2d(x, 2, {.stride = -1}), argument_error);
  CHECK_THROWS_AS(max_pool2d(x, 2, {.padding = 2}), argument_error);
  CHECK_THROWS_AS(avg_pool2d(x, 3, {.padding = {0, 2}}), argument_error);
  CHECK_THROWS_AS(max_pool2d(x, 2, {.dilation = 0}), argument_error);
  CHECK_THROWS_AS(adaptive_avg_pool2d(x, {2, 0}), argument_error);
  CHECK_THROWS_AS(adaptive_max_pool2d(none, 1), shape_error);
  CHECK_THROWS_AS(avg_pool2d(x, 2, {.divisor_override = -1}), argument_error);
}

}  // namespace pooling
