// signal/lag_correlation.cpp - correlation at all lags against its definition, its derivatives, its edges; what is made of it
#include "../matrix_support.hpp"

#include <limbic/ops/exp.hpp>
#include <limbic/ops/slice.hpp>
#include <limbic/signal/correlation_objective.hpp>

using namespace limbic;

namespace {

constexpr auto overlap = lag_normalization::overlap, full = lag_normalization::full;

// The definition, in double.
double expected(view<double const, 3, scalar> a, view<double const, 3, scalar> b, std::ptrdiff_t p, std::ptrdiff_t lag,
                lag_normalization norm) {
  double product = 0, left = 0, right = 0;
  std::ptrdiff_t const n = a.extent(1);
  for (std::ptrdiff_t t = 0; t < n; ++t)
    for (std::ptrdiff_t c = 0; c < a.extent(2); ++c) {
      bool const both = t + lag >= 0 && t + lag < n;
      if (both) product += a(p, t, c) * b(p, t + lag, c);
      if (both || norm == full) left += a(p, t, c) * a(p, t, c);
      if (norm == full) right += b(p, t, c) * b(p, t, c);
      else if (both) right += b(p, t + lag, c) * b(p, t + lag, c);
    }
  return left * right == 0 ? 0 : product / (std::sqrt(left) * std::sqrt(right));
}

template <class T, class D> tensor<T, 3, D> as(tensor<double, 3, scalar> const& x) {
  tensor<T, 3, D> y(x.shape());
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) y.data()[i] = static_cast<T>(x.data()[i]);
  return y;
}

// The worst deviation over every lag of random series, some of them with silent beginnings.
template <class T, class D> double worst_deviation() {
  double worst = 0;
  for (std::ptrdiff_t const batch : {0, 1, 3})
    for (std::ptrdiff_t const steps : {1, 2, 7, 40})
      for (std::ptrdiff_t const channels : {1, 3})
        for (std::ptrdiff_t const lags : {std::ptrdiff_t{0}, steps / 2, steps - 1})
          for (auto const norm : {overlap, full}) {
            if (lags >= steps) continue;
            auto a = random_tensor<double, 3, scalar>({{batch, steps, channels}}, 1);
            auto const b = random_tensor<double, 3, scalar>({{batch, steps, channels}}, 2);
            if (batch > 1)
              for (std::ptrdiff_t t = 0; t < steps / 2; ++t)
                for (std::ptrdiff_t c = 0; c < channels; ++c) a(1, t, c) = 0;
            auto const rho = lag_correlation(as<T, D>(a), as<T, D>(b), {.max_lag = lags, .normalization = norm});
            REQUIRE(rho.shape() == shape<2>{{batch, 2 * lags + 1}});
            for (std::ptrdiff_t p = 0; p < batch; ++p)
              for (std::ptrdiff_t l = -lags; l <= lags; ++l) {
                double const off = std::abs(static_cast<double>(rho(p, l + lags)) - expected(a, b, p, l, norm));
                if (!(off <= worst)) worst = off;
              }
          }
  return worst;
}

struct correlation {
  lag_correlation_options o;
  auto operator()(auto const& a, auto const& b) const { return lag_correlation(a, b, o); }
};
// One number, not linear in rho; b comes from a, so that both sides of the op move.
struct curved {
  lag_correlation_options o;
  auto operator()(auto const& a) const { return sum(exp(lag_correlation(a, a * a - a * 0.5, o))); }
};

template <class X> bool all_finite(X const& x) {
  for (auto const v : tensor<element_of<X>, rank_of<X>, device_of<X>>(x))
    if (!std::isfinite(static_cast<double>(v))) return false;
  return true;
}

}  // namespace

TEST_CASE("lag correlation is what its definition says") {
  CHECK(worst_deviation<double, scalar>() < 1e-14);
  CHECK(worst_deviation<double, simd>() < 1e-14);
  CHECK(worst_deviation<float, scalar>() < 2e-6);
  CHECK(worst_deviation<float, simd>() < 2e-6);
}

TEST_CASE("lag correlation: first and second derivatives") {
  for (auto const norm : {overlap, full})
    for (std::ptrdiff_t const channels : {1, 2})
      for (std::ptrdiff_t const lags : {0, 3, 5}) {
        lag_correlation_options const o{.max_lag = lags, .normalization = norm};
        CAPTURE(channels, lags, norm == full);
        auto const a = random_tensor<double, 3, simd>({{2, 6, channels}}, 3);
        // At the largest lag of one channel rho is +-1 and stays there: its gradient is 0.
        auto const report = check_gradient(correlation{o}, a, random_tensor<double, 3, simd>({{2, 6, channels}}, 4));
        INFO(report.message.view());
        CHECK(report.passed);
        auto const v = random_tensor<double, 3, simd>({{2, 6, channels}}, 5);
        CHECK(distance(hessian_vector_product(curved{o}, a, v), difference_of_gradients(curved{o}, a, v)) < 1e-7);
      }
}

TEST_CASE("lag correlation: series and batches, strided views, one operand a constant") {
  auto const a = random_tensor<double, 3, simd>({{3, 20, 2}}, 6), b = random_tensor<double, 3, simd>({{3, 20, 2}}, 7);
  auto const all = lag_correlation(a, b, {.max_lag = 4});
  CHECK(distance(lag_correlation(a.view()[1], b.view()[1], {.max_lag = 4}), all.view()[1]) == 0);
  auto const column = [](auto const& x) { return x.view()[2].transpose()[1]; };  // every second element
  tensor<double, 3, simd> const c(column(a).unsqueeze(0).unsqueeze(2)), d(column(b).unsqueeze(0).unsqueeze(2));
  CHECK(distance(lag_correlation(column(a), column(b), {.max_lag = 4}),
                 lag_correlation(c, d, {.max_lag = 4}).view()[0]) == 0);

  tape t;
  auto const x = t.variable(a.view().slice(1, 0, 20, 2));
  auto const y = t.variable(tensor<double, 3, simd>(b.view().slice(1, 0, 20, 2)));
  t.backward(sum(lag_correlation(x, b.view().slice(1, 0, 20, 2), {.max_lag = 4}) +
                 lag_correlation(tensor<double, 3, simd>(a.view().slice(1, 0, 20, 2)), y, {.max_lag = 4})));
  tape u;
  auto const p = u.variable(tensor<double, 3, simd>(a.view().slice(1, 0, 20, 2)));
  auto const q = u.variable(tensor<double, 3, simd>(b.view().slice(1, 0, 20, 2)));
  u.backward(sum(lag_correlation(p, q, {.max_lag = 4})));
  CHECK(distance(x.gradient(), p.gradient()) < 1e-15);
  CHECK(distance(y.gradient(), q.gradient()) < 1e-15);
}

TEMPLATE_TEST_CASE("lag correlation: silence, equal and opposite series, any scale", "", float, double) {
  using T = TestType;
  auto const a = as<T, simd>(random_tensor<double, 3, scalar>({{1, 12, 1}}, 8));
  double const tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  auto const gradients_of = [](auto const& l, auto const& r) {
    tape t;
    auto const x = t.variable(l), y = t.variable(r);
    auto const rho = lag_correlation(x, y, {.max_lag = 11});
    t.backward(sum(rho));
    CHECK(all_finite(rho.value()));
    CHECK(all_finite(x.gradient()));
    CHECK(all_finite(y.gradient()));
    return std::pair(tensor<T, 3, simd>(x.gradient()), tensor<T, 3, simd>(y.gradient()));
  };

  // Silent series: 0, and gradients 0 on both sides.
  tensor<T, 3, simd> const silence({1, 12, 1});
  for (T const r : lag_correlation(a, silence, {.max_lag = 11})) CHECK(r == 0);
  auto const [da, ds] = gradients_of(a, silence);
  for (std::ptrdiff_t i = 0; i < 12; ++i) CHECK((da.data()[i] == 0 && ds.data()[i] == 0));

  // rho = 1 and -1 at lag 0 and at the ends.
  CHECK(static_cast<double>(lag_correlation(a, a, {.max_lag = 11})(0, 11)) == Approx(1).epsilon(tolerance));
  CHECK(static_cast<double>(lag_correlation(a, tensor<T, 3, simd>(-a), {.max_lag = 11})(0, 11)) ==
        Approx(-1).epsilon(tolerance));
  gradients_of(a, a);
  gradients_of(a, tensor<T, 3, simd>(-a));

  // The scale does not matter, even where squares overflow or vanish; gradients scale against it.
  auto const b = as<T, simd>(random_tensor<double, 3, scalar>({{1, 12, 1}}, 9));
  auto const rho = lag_correlation(a, b, {.max_lag = 5});
  for (double const s :
       std::is_same_v<T, float> ? std::vector<double>{1e-28, 1e-10, 1e30} : std::vector<double>{1e-250, 1e-10, 1e300}) {
    tensor<T, 3, simd> const far(a * s);
    CHECK(distance(lag_correlation(far, b, {.max_lag = 5}), rho) < tolerance);
    gradients_of(far, b);
  }
  // Below what has full precision it is silence.
  tensor<T, 3, simd> const nothing(a * (std::is_same_v<T, float> ? 1e-38 : 1e-307));
  for (T const r : lag_correlation(nothing, b, {.max_lag = 5})) CHECK(r == 0);
  gradients_of(nothing, b);
  // So is an overlap whose samples vanish beside the largest.
  auto spike = b;
  for (std::ptrdiff_t t = 0; t < 6; ++t) spike(0, t, 0) *= std::is_same_v<T, float> ? T(1e-30) : T(1e-200);
  gradients_of(spike, a);
  gradients_of(a, spike);
}

TEST_CASE("lag correlation: NaN and infinity stay with their pair") {
  auto a = random_tensor<double, 3, simd>({{3, 8, 1}}, 1);
  auto const b = random_tensor<double, 3, simd>({{3, 8, 1}}, 2);
  a(1, 3, 0) = std::nan("");
  a(2, 3, 0) = HUGE_VAL;
  tensor<double, 3, simd> const zero({3, 8, 1});
  auto const rho = lag_correlation(a, b, {.max_lag = 2}), silent = lag_correlation(a, zero, {.max_lag = 2});
  for (std::ptrdiff_t k = 0; k < 5; ++k) {
    CHECK(std::isfinite(rho(0, k)));
    CHECK((std::isnan(rho(1, k)) && std::isnan(rho(2, k)) && std::isnan(silent(1, k))));
  }
}

TEST_CASE("lag correlation finds a delay, and says which series is late") {
  auto const wave = random_tensor<double, 1, simd>({{300}}, 11);
  auto const early = slice(wave, 0, 7, 207), late = slice(wave, 0, 0, 200);  // late(t + 7) = early(t)
  auto const rho = lag_correlation(early, late, {.max_lag = 20});
  std::ptrdiff_t best = 0;
  for (std::ptrdiff_t k = 0; k < rho.size(); ++k)
    if (rho(k) > rho(best)) best = k;
  CHECK(best - 20 == 7);
  CHECK(rho(best) == Approx(1));
}

TEST_CASE("the soft maximum over lags") {
  tensor<double, 2> const rho({2, 3}, {0.5, 0.5, 0.5, -1, 0.25, 1});
  auto const by_sum = lag_soft_max(rho, {.beta = 4}), by_mean = lag_soft_max(rho, {.beta = 4, .mean = true});
  CHECK(by_sum(0) == Approx(0.5 + std::log(3) / 4));  // its bias
  CHECK(by_mean(0) == Approx(0.5));
  CHECK(by_sum(1) == Approx(std::log(std::exp(-4) + std::exp(1) + std::exp(4)) / 4));
  CHECK(lag_soft_max(rho, {.beta = 1e6})(1) == Approx(1));
  CHECK_THROWS_WITH(lag_soft_max(rho, {.beta = 0}), "[lag_soft_max] beta must be positive and finite, but is 0");
  CHECK_THROWS_AS(lag_soft_max(rho, {.beta = -1}), argument_error);
  CHECK_THROWS_AS(lag_soft_max(rho, {.beta = std::nan("")}), argument_error);
}

TEST_CASE("the correlation objective is the mean over its pairs") {
  auto const z = random_tensor<double, 3, simd>({{4, 10, 2}}, 12);
  tensor<std::int64_t, 2> const pairs({3, 2}, {0, 1, 2, 0, 3, 3});
  tensor<double, 0, simd> const r(shape<0>{}, 2.0);
  correlation_objective_options const o{.max_lag = 3, .beta = 5, .lambda = 0.25};
  double by_hand = -0.5;
  for (std::ptrdiff_t k = 0; k < 3; ++k)
    by_hand +=
        lag_soft_max(lag_correlation(z.view()[pairs(k, 0)], z.view()[pairs(k, 1)], {.max_lag = 3}), {.beta = 5})() / 3;
  CHECK(correlation_objective(z, pairs, r, o)() == Approx(by_hand));
  auto const report = check_gradient([&](auto const& x) { return correlation_objective(x, pairs, sum(x), o); }, z);
  INFO(report.message.view());
  CHECK(report.passed);
  tensor<std::int64_t, 2> const wrong({1, 2}, {0, 4}), triples({1, 3}, {0, 1, 2});
  CHECK_THROWS_AS(correlation_objective(z, wrong, r, o), index_error);
  CHECK_THROWS_AS(correlation_objective(z, triples, r, o), shape_error);
}

TEST_CASE("lag correlation: what is refused") {
  tensor<double, 2> const a({8, 2}), other({8, 3}), shorter({7, 2});
  CHECK_THROWS_WITH(lag_correlation(a, other, {.max_lag = 2}),
                    "[lag_correlation] series of 2 and of 3 channels cannot be compared");
  CHECK_THROWS_AS(lag_correlation(a, shorter, {.max_lag = 2}), shape_error);
  CHECK_THROWS_WITH(lag_correlation(a, a, {.max_lag = 8}),
                    "[lag_correlation] max_lag must lie in [0, 8), the length of the series, but is 8");
  CHECK_THROWS_AS(lag_correlation(a, a, {.max_lag = -1}), argument_error);
  tensor<double, 2> const none({0, 2});
  CHECK_THROWS_AS(lag_correlation(none, none, {.max_lag = 0}), argument_error);
}
