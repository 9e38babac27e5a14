// Acquisition functions against integrals, and where their plain formulas give out.
#include <limbic/search/acquisition.hpp>

#include "catch.hpp"

#include <initializer_list>
#include <limits>

using namespace limbic;

namespace {

// E f(mean + s N), N normal, by the trapezium rule: for smooth integrands exact to rounding; kinks cost 1e-9.
template <class F> double expectation(double mean, double s, F const& f) {
  double const h = 1e-4;
  double sum = 0;
  for (int i = -120000; i <= 120000; ++i) {
    double const z = h * i;
    sum += h * 0.3989422804014327 * std::exp(-0.5 * z * z) * f(mean + s * z);
  }
  return sum;
}

}  // namespace

TEST_CASE("expected improvement is the expectation of the improvement") {
  double const best = 0.7;
  for (double const mean : {-1.0, 0.5, 0.7, 2.0})
    for (double const variance : {0.01, 0.5, 4.0})
      for (double const xi : {0.0, 0.1}) {
        double const s = std::sqrt(variance);
        double const up = expectation(mean, s, [&](double v) { return v > best + xi ? v - best - xi : 0; });
        double const down = expectation(mean, s, [&](double v) { return v < best - xi ? best - xi - v : 0; });
        acquisition_options const max{.goal = goal::max, .xi = xi}, min{.goal = goal::min, .xi = xi};
        CHECK(expected_improvement(mean, variance, best, max) == Approx(up).margin(1e-8));
        CHECK(expected_improvement(mean, variance, best, min) == Approx(down).margin(1e-8));
        double const chance = 0.5 * std::erfc((best + xi - mean) / s / std::sqrt(2.0));
        CHECK(probability_of_improvement(mean, variance, best, max) == Approx(chance).margin(1e-12));
      }
}

TEST_CASE("the logarithm agrees with the improvement, and goes on where that underflows") {
  double before = 0;
  for (int i = 0; i <= 4000; ++i) {
    double const z = 3 - 0.01 * i;
    double const log_ei = log_expected_improvement(z, 1, 0), ei = expected_improvement(z, 1, 0);
    if (ei > 1e-300) CHECK(log_ei == Approx(std::log(ei)).epsilon(1e-12).margin(1e-13));
    if (i > 0) CHECK(log_ei < before);
    before = log_ei;
  }
  // h(-x) = phi(x) (1/x^2 - 3/x^4 + 15/x^6 - ...)
  for (double const x : {40.0, 1e3, 1e8}) {
    double const q = 1 / (x * x);
    double const want = -0.5 * x * x - 0.5 * std::log(2 * 3.14159265358979323846) + std::log(q) +
                        std::log1p(-3 * q + 15 * q * q - 105 * q * q * q);
    CHECK(log_expected_improvement(-x, 1, 0) == Approx(want).epsilon(1e-11));
  }
  // Both ways of computing it meet at z = -2; h(-2) from 50 digits.
  CHECK(expected_improvement(-2.0 + 1e-13, 1, 0) == Approx(0.0084907026168296376).epsilon(1e-11));
  CHECK(expected_improvement(-2.0 - 1e-13, 1, 0) == Approx(0.0084907026168296376).epsilon(1e-11));
  CHECK(log_expected_improvement(0.3, 1e-40, 0.5, {.goal = goal::min}) == Approx(std::log(0.2)));
}

TEST_CASE("without variance there is only the difference; NaN stays NaN") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(expected_improvement(3, 0, 1) == 2);
  CHECK(expected_improvement(3, -1e-18, 1) == 2);
  CHECK(expected_improvement(1, 0, 3) == 0);
  CHECK(log_expected_improvement(1, 0, 3) == -std::numeric_limits<double>::infinity());
  CHECK(probability_of_improvement(3, 0, 1) == 1);
  CHECK(probability_of_improvement(1, 0, 1) == 0);
  CHECK(confidence_bound(1, 4, {.goal = goal::max, .kappa = 3}) == 7);
  CHECK(confidence_bound(1, 4, {.goal = goal::min, .kappa = 3}) == -5);
  CHECK(std::isnan(expected_improvement(nan, 1, 0)));
  CHECK(std::isnan(expected_improvement(1, nan, 0)));
  CHECK(std::isnan(expected_improvement(nan, 0, 0)));
  CHECK(std::isnan(log_expected_improvement(1, nan, 0)));
  CHECK(std::isnan(probability_of_improvement(nan, 1, 0)));
}
