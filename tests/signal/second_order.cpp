// signal/second_order.cpp - Hessian-vector products of the transforms, distances and objectives, also at their edges
#include "../matrix_support.hpp"

#include <limbic/ops/operators.hpp>
#include <limbic/ops/slice.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/signal/correlation_objective.hpp>
#include <limbic/signal/lattice.hpp>
#include <limbic/signal/pair_objectives.hpp>
#include <limbic/signal/soft_dtw.hpp>
#include <limbic/signal/swt.hpp>
#include <limbic/signal/threshold.hpp>

#include <algorithm>
#include <cmath>

using namespace limbic;

namespace {

// Several operands of one function are parts of one tensor here, so that mixed derivatives count as well.
template <class X> auto rows(X const& p, std::ptrdiff_t begin, std::ptrdiff_t end) { return slice(p, 0, begin, end); }
template <class X> auto number(X const& p, std::ptrdiff_t i) { return sum(rows(p, i, i + 1)); }

template <class F, int R> void second_order(char const* what, F const& f, shape<R> const& s) {
  INFO(what);
  auto const p = random_tensor<double, R, simd>(s, 21), v = random_tensor<double, R, simd>(s, 22);
  auto const got = hessian_vector_product(f, p, v), want = difference_of_gradients(f, p, v);
  double size = 0;
  for (double const w : want) size = std::max(size, std::abs(w));
  CHECK(size > 1e-3);
  CHECK(distance(got, want) < 1e-7 * std::min(1.0, size));
}
template <class F, int R> void finite(char const* what, F const& f, tensor<double, R, simd> const& p) {
  INFO(what);
  bool all = true;
  for (double const h : hessian_vector_product(f, p, random_tensor<double, R, simd>(p.shape(), 23)))
    all = all && std::isfinite(h);
  CHECK(all);
}

}  // namespace

TEST_CASE("second order: wavelet transforms, in signal and filters") {
  second_order(
      "dwt and idwt",
      [](auto const& p) {
        auto const f = rows(p, 0, 4), x = rows(p, 4, 6);
        auto const [a, b] = dwt(x, f);
        return sum(square(idwt(a * a, b, f)));
      },
      shape{6, 4});
  second_order(
      "swt and iswt",
      [](auto const& p) {
        auto const f = rows(p, 0, 4), x = rows(p, 4, 6);
        auto bands = swt(x, f, 1);
        return sum(square(square(iswt(bands, f))));
      },
      shape{6, 4});
  second_order(
      "lattice filters",
      [](auto const& p) {
        auto const bands = dwt(rows(p, 0, 8), lattice_filters(rows(p, 8, 11)));
        return sum(square(square(std::get<1>(bands))));
      },
      shape{11});
  second_order(
      "thresholds",
      [](auto const& p) {
        auto const t = square(rows(p, 3, 4));
        auto const x = rows(p, 0, 3) * 3.0;
        return sum(square(threshold(x, t))) + sum(square(threshold(x, t, thresholding::garrote))) +
               sum(square(threshold(x, t, thresholding::hard)));
      },
      shape{4, 6});
}

TEST_CASE("second order: lags, pairs, warping") {
  second_order(
      "soft maxima over lags",
      [](auto const& p) {
        auto const rho = lag_correlation(rows(p, 0, 9), rows(p, 9, 18), {.max_lag = 3});
        return square(lag_soft_max(rho, {.beta = 3})) + square(lag_soft_max(rho, {.beta = 3, .mean = true}));
      },
      shape{18});
  tensor<std::int64_t, 2> const pairs({3, 2}, {0, 1, 2, 0, 1, 2});
  second_order(
      "correlation objective",
      [&](auto const& z) {
        return correlation_objective(z, pairs, sum(square(z)), {.max_lag = 2, .beta = 5, .lambda = 0.1});
      },
      shape{3, 7, 2});
  tensor<std::int64_t, 1> const labels({3}, {1, 0, 1});
  second_order(
      "logistic pairs",
      [&](auto const& p) {
        return pairwise_logistic(square(rows(p, 0, 3)), labels, number(p, 3), number(p, 4), number(p, 5));
      },
      shape{6});
  second_order(
      "soft-DTW divergence",
      [](auto const& p) { return soft_dtw_divergence(rows(p, 0, 4), rows(p, 4, 9), {.gamma = 0.5}); }, shape{9, 2});
}

TEST_CASE("second order: finite at equal series, silence, ties and small gamma") {
  auto const halves = [](auto const& p) { return sum(lag_correlation(rows(p, 0, 6), rows(p, 6, 12), {.max_lag = 5})); };
  tensor<double, 1, simd> const equal({12}, {1, -2, 3, 1, 0, 2, 1, -2, 3, 1, 0, 2});
  tensor<double, 1, simd> const opposite({12}, {1, -2, 3, 1, 0, 2, -1, 2, -3, -1, 0, -2});
  tensor<double, 1, simd> const silent({12}, {1, -2, 3, 1, 0, 2, 0, 0, 0, 0, 0, 0}), same({12}, 1.5);
  for (auto const& p : {equal, opposite, silent, same}) {
    finite("lag correlation", halves, p);
    for (double const gamma : {1e-9, 1e-3, 10.0}) {
      finite(
          "soft-DTW divergence",
          [=](auto const& q) { return soft_dtw_divergence(rows(q, 0, 6), rows(q, 6, 12), {.gamma = gamma}); }, p);
    }
  }
  finite("garrote", [](auto const& x) { return sum(threshold(x, 2, thresholding::garrote)); }, silent);
}
