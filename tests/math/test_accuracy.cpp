// tests/math/test_accuracy.cpp - the errors that limbic/math/math.hpp promises, against long double
#include "../catch.hpp"

#include "functions.hpp"

#include <algorithm>

using namespace functions;

// float: every 8191th bit pattern of all 2^32. double: random arguments in the interval of interest, and random
// exponents from 2^-60 to 2^11.
template <class T> std::vector<T> arguments(entry<T> const& f) {
  std::size_t const n = 1 << 19;
  std::vector<T> x(n);
  bits random;
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) == 4) x[i] = from_bits<T>(i * 8191);
    else if (i % 2) x[i] = static_cast<T>(random.uniform(f.low, f.high));
    else x[i] = from_bits<T>((random() & 0x800fffffffffffff) | ((1023 - 60 + random() % 72) << 52));
  }
  return x;
}

TEMPLATE_TEST_CASE("functions of one argument keep the error they promise", "[math]", float, double) {
  using T = TestType;
  for (auto const& f : all<T>()) {
    auto const x = arguments(f);
    std::vector<T> y(x.size());
    f.pack(x.data(), y.data(), static_cast<std::ptrdiff_t>(x.size()));
    double worst = 0, worst_number = 0, at = 0;
    long wrong_kind = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      T const number = f.number(x[i]);
      if (kind_of(number) != kind_of(y[i])) {
        ++wrong_kind;
        at = static_cast<double>(x[i]);
      }
      long double const exact = f.exact(static_cast<long double>(x[i]));
      if (!std::isfinite(number) || !std::isfinite(y[i])) continue;
      worst_number = std::max(worst_number, error_in_ulp(number, exact));
      double const error = error_in_ulp(y[i], exact);
      if (error > worst) worst = error, at = static_cast<double>(x[i]);
    }
    INFO(f.name << (sizeof(T) == 4 ? " float" : " double") << " worst at " << at << ", the number's " << worst_number);
    CHECK(wrong_kind == 0);
    if (packs) CHECK(worst <= f.bound);
    CHECK(worst_number <= 2.5);  // the standard library's functions, and sigmoid made of them
  }
}

// Random pairs of three sorts: any bits, moderate exponents, results near the ends of the range.
TEST_CASE("pow of float packs is std::pow's in double, rounded", "[math]") {
  bits random;
  std::ptrdiff_t const w = width<float>;
  std::vector<float> x(static_cast<std::size_t>(w)), y(x), z(x);
  double worst = 0;
  long wrong_kind = 0;
  for (int i = 0; i < 30000; ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j] = from_bits<float>(random());
      y[j] = i % 3 == 0 ? from_bits<float>(random()) : static_cast<float>(random.uniform(-20, 20));
      if (i % 3 == 1) x[j] = static_cast<float>(random.uniform(0.5, 2)), y[j] *= 7;
    }
#if LIMBIC_SIMD
    using lanes = limbic::lanes<float>;
    lanes::store(z.data(), limbic::math::pow(lanes::load(x.data()), lanes::load(y.data())));
#else
    z[0] = limbic::math::pow(x[0], y[0]);
#endif
    for (std::size_t j = 0; j < x.size(); ++j) {
      float const expected = std::pow(x[j], y[j]);
      if (kind_of(expected) != kind_of(z[j])) ++wrong_kind;
      else if (std::isfinite(expected))
        worst = std::max(worst,
                         error_in_ulp(z[j], std::pow(static_cast<long double>(x[j]), static_cast<long double>(y[j]))));
    }
  }
  CHECK(wrong_kind == 0);
  CHECK(worst <= (packs ? 0.51 : 1.0));
}

TEMPLATE_TEST_CASE("exp leaves the range where std::exp does, within one number", "[math]", float, double) {
  using T = TestType;
  for (double const edge :
       {sizeof(T) == 4 ? 88.722839 : 709.782712893384, sizeof(T) == 4 ? -87.336544 : -708.3964185322641,
        sizeof(T) == 4 ? -103.97208 : -745.1332191019412}) {
    std::size_t const n = 512;
    std::vector<T> x(n), y(n), m(n);
    T v = static_cast<T>(edge);
    for (std::size_t i = 0; i < n / 2; ++i) v = std::nextafter(v, -std::numeric_limits<T>::infinity());
    for (auto& e : x) e = v = std::nextafter(v, std::numeric_limits<T>::infinity());
    auto const functions = all<T>();
    functions[0].pack(x.data(), y.data(), static_cast<std::ptrdiff_t>(n));
    functions[1].pack(x.data(), m.data(), static_cast<std::ptrdiff_t>(n));
    int differ = 0, differ_m1 = 0;
    for (std::size_t i = 0; i < n; ++i) {
      differ += kind_of(y[i]) != kind_of(std::exp(x[i]));
      differ_m1 += kind_of(m[i]) != kind_of(std::expm1(x[i]));
    }
    CHECK(differ <= 1);
    CHECK(differ_m1 <= 1);
    CHECK(std::is_sorted(y.begin(), y.end()));
  }
}
