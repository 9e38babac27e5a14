// tests/math/test_dual.cpp - derivatives against central differences; what happens where there is none
#include "../catch.hpp"

#include <limbic/math/math.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace math = limbic::math;
using limbic::dual;

// Checks f'(x) on numbers, and that packs of duals (through lanes' interleaved load and store) give the same.
template <class F> void check_slope(char const* name, F f, std::vector<double> const& points) {
  for (double const x : points) {
    double const h = 1e-6 * std::max(1.0, std::abs(x));
    dual<double> const y = f(dual<double>(x, 1.0));
    INFO(name << " at " << x);
    CHECK(y.value == f(x));
    CHECK(y.tangent == Approx((f(x + h) - f(x - h)) / (2 * h)).epsilon(1e-7).margin(1e-8));
    CHECK(f(dual<double>(x, -3.0)).tangent == Approx(-3 * y.tangent));
    CHECK(f(dual<double>(x)).tangent == 0.0);
    CHECK(f(dual<float>(static_cast<float>(x), 1.0f)).tangent == Approx(y.tangent).epsilon(2e-4).margin(1e-5));
#if LIMBIC_SIMD
    using lanes = limbic::lanes<dual<double>>;
    std::vector<dual<double>> in(static_cast<std::size_t>(lanes::width)), out(in);
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = {x, static_cast<double>(i) - 1.0};
    lanes::store(out.data(), f(lanes::load(in.data())));
    for (std::size_t i = 0; i < in.size(); ++i) {
      CHECK(out[i].value == Approx(y.value).epsilon(1e-15));
      CHECK(out[i].tangent == Approx(y.tangent * in[i].tangent).epsilon(1e-13));
    }
#endif
  }
}

TEST_CASE("slopes agree with central differences", "[math][dual]") {
  std::vector<double> const any{-2.5, -1, -0.3, 0, 0.2, 0.7, 1.9, 3.1}, positive{0.01, 0.4, 1, 1.7, 5, 30};
  check_slope("exp", [](auto x) { return math::exp(x); }, any);
  check_slope("expm1", [](auto x) { return math::expm1(x); }, any);
  check_slope("tanh", [](auto x) { return math::tanh(x); }, any);
  check_slope("sigmoid", [](auto x) { return math::sigmoid(x); }, any);
  check_slope("erf", [](auto x) { return math::erf(x); }, any);
  check_slope("sin", [](auto x) { return math::sin(x); }, any);
  check_slope("cos", [](auto x) { return math::cos(x); }, any);
  check_slope("log", [](auto x) { return math::log(x); }, positive);
  check_slope("log1p", [](auto x) { return math::log1p(x); }, positive);
  check_slope("sqrt", [](auto x) { return math::sqrt(x); }, positive);
  check_slope("abs", [](auto x) { return math::abs(x); }, {-2, -0.1, 0.3, 4});
  check_slope("sign", [](auto x) { return math::sign(x); }, {-2, -0.1, 0.3, 4});
  check_slope("floor", [](auto x) { return math::floor(x); }, {-2.5, -0.1, 0.3, 4.2});
  check_slope("x^1.7", [](auto x) { return math::pow(x, math::constant<decltype(x)>(1.7)); }, positive);
  check_slope("x^2", [](auto x) { return math::pow(x, math::constant<decltype(x)>(2)); }, any);
  check_slope("1.7^x", [](auto x) { return math::pow(math::constant<decltype(x)>(1.7), x); }, any);
  check_slope("x^x", [](auto x) { return math::pow(x, x); }, {0.01, 0.4, 1, 1.7, 5});
  check_slope("min", [](auto x) { return math::min(x, math::constant<decltype(x)>(0.5)); }, any);
  check_slope("max", [](auto x) { return math::max(x * x, x); }, {-1.5, 0.3, 2});
  check_slope("fma", [](auto x) { return math::fma(x, x, math::constant<decltype(x)>(0.25)); }, any);
  check_slope("select",
              [](auto x) { return math::select(x > decltype(x)(0), x * x, math::constant<decltype(x)>(3) * x); },
              {-2, -0.5, 0.5, 2});
}

TEST_CASE("where a slope is infinite or missing", "[math][dual]") {
  using D = dual<double>;
  double const infinity = std::numeric_limits<double>::infinity();
  CHECK(math::sqrt(D(0, 1)).tangent == infinity);
  CHECK(math::sqrt(D(0, 0)).tangent == 0.0);  // what does not vary contributes nothing
  CHECK(math::log(D(0, 1)).tangent == infinity);
  CHECK(math::log(D(0, 0)).tangent == 0.0);
  CHECK(math::log1p(D(-1, 0)).tangent == 0.0);
  CHECK(math::abs(D(0, 5)).tangent == 0.0);
  CHECK(math::pow(D(0, 1), D(1)).tangent == 1.0);
  CHECK(math::pow(D(0, 1), D(2)).tangent == 0.0);
  CHECK(math::pow(D(0, 1), D(0)).tangent == 0.0);
  CHECK(math::pow(D(-3, 1), D(2)).tangent == -6.0);
  CHECK(math::pow(D(0, 1), D(0.5)).tangent == infinity);
  CHECK(math::pow(D(0), D(2, 1)).tangent == 0.0);
  CHECK(math::min(D(1, 2), D(1, 3)).tangent == 2.0);  // the first at a tie
  CHECK(math::max(D(1, 2), D(1, 3)).tangent == 2.0);
  CHECK(std::isnan(math::max(D(std::nan("")), D(1)).value));
  CHECK(std::isnan(math::max(D(1), D(std::nan(""))).value));
}

TEST_CASE("duals of duals give second derivatives", "[math][dual]") {
  using D2 = dual<dual<double>>;
  D2 const x{dual<double>(0.6, 1.0), dual<double>(1.0, 0.0)};
  double const t = std::tanh(0.6);
  CHECK(math::tanh(x).tangent.tangent == Approx(-2 * t * (1 - t * t)));
  CHECK(math::exp(x).tangent.tangent == Approx(std::exp(0.6)));
  CHECK(math::sqrt(x).tangent.tangent == Approx(-0.25 / (0.6 * std::sqrt(0.6))));
}
