// tests/math/test_special.cpp - zeros, infinities, NaN and subnormal numbers; packs against numbers
#include "../catch.hpp"

#include "functions.hpp"

#include <algorithm>
#include <string>

using namespace functions;

TEMPLATE_TEST_CASE("special values: packs and numbers agree in kind and sign", "[math]", float, double) {
  using T = TestType;
  auto const x = special_values<T>();
  std::vector<T> y(x.size());
  for (auto const& f : all<T>()) {
    f.pack(x.data(), y.data(), static_cast<std::ptrdiff_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(f.name << "(" << x[i] << "): pack " << y[i] << ", number " << f.number(x[i]));
      CHECK(kind_of(y[i]) == kind_of(f.number(x[i])));
      if (std::isnan(x[i])) CHECK(std::isnan(y[i]));
    }
  }
}

TEMPLATE_TEST_CASE("special values are the ones of the standard library", "[math]", float, double) {
  using T = TestType;
  using limits = std::numeric_limits<T>;
  T const infinity = limits::infinity();
  namespace math = limbic::math;
  CHECK(math::exp(-infinity) == T(0));
  CHECK(math::expm1(-infinity) == T(-1));
  CHECK(math::log(T(0)) == -infinity);
  CHECK(std::isnan(math::log(T(-1))));
  CHECK(math::log1p(T(-1)) == -infinity);
  CHECK(math::tanh(infinity) == T(1));
  CHECK(math::tanh(-infinity) == T(-1));
  CHECK(math::sigmoid(infinity) == T(1));
  CHECK(math::sigmoid(-infinity) == T(0));
  CHECK(math::sigmoid(T(-80)) > T(0));
  CHECK(math::sigmoid(T(0)) == T(0.5));
  CHECK(math::erf(infinity) == T(1));
  CHECK(std::isnan(math::sin(infinity)));
  CHECK(std::isnan(math::cos(-infinity)));
  CHECK(math::sign(T(-3)) == T(-1));
  CHECK(std::signbit(math::sign(T(-0.0))));
  CHECK(std::isnan(math::sign(limits::quiet_NaN())));
  CHECK_FALSE(std::signbit(math::abs(T(-0.0))));
}

// Every pair of special values through the functions of two arguments.
template <class T, class F> void check_pairs(std::string const& name, F f) {
  auto const x = special_values<T>();
#if LIMBIC_SIMD
  using lanes = limbic::lanes<T>;
  std::vector<T> out(x.size());
  for (T const a : x) {
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(x.size()); i += lanes::width)
      lanes::store(out.data() + i, f(typename lanes::type(a), lanes::load(x.data() + i)));
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(name << "(" << a << ", " << x[i] << "): pack " << out[i] << ", number " << f(a, x[i]));
      CHECK(kind_of(out[i]) == kind_of(f(a, x[i])));
    }
  }
#endif
  for (T const a : x)
    for (T const b : x)
      if (name != "pow" && (std::isnan(a) || std::isnan(b))) CHECK(std::isnan(f(a, b)));
}

TEMPLATE_TEST_CASE("min, max and pow of special values", "[math]", float, double) {
  using T = TestType;
  namespace math = limbic::math;
  check_pairs<T>("min", [](auto a, auto b) { return math::min(a, b); });
  check_pairs<T>("max", [](auto a, auto b) { return math::max(a, b); });
  check_pairs<T>("pow", [](auto a, auto b) { return math::pow(a, b); });
  CHECK(math::min(T(1), T(2)) == T(1));
  CHECK(math::max(T(1), T(2)) == T(2));
  CHECK(math::min(3, -2) == -2);
  CHECK(math::max(3u, 2u) == 3u);
}

// An element's bits depend on its value alone: not on where it stands nor on what stands beside it.
TEMPLATE_TEST_CASE("an element's bits do not depend on its neighbours", "[math]", float, double) {
  using T = TestType;
  auto const special = special_values<T>();
  bits random;
  auto const w = static_cast<std::size_t>(width<T>);
  std::vector<T> mixed(w), filled(w), y(w), z(w);
  for (auto const& f : all<T>()) {
    long differ = 0;
    for (int round = 0; round < 500; ++round) {
      for (auto& x : mixed)
        x = random() % 4 == 0 ? special[random() % special.size()]
                              : static_cast<T>(random.uniform(2 * f.low, 2 * f.high));
      f.pack(mixed.data(), y.data(), static_cast<std::ptrdiff_t>(w));
      for (std::size_t i = 0; i < w; ++i) {
        std::fill(filled.begin(), filled.end(), mixed[i]);
        f.pack(filled.data(), z.data(), static_cast<std::ptrdiff_t>(w));
        for (std::size_t j = 0; j < w; ++j) differ += !std::isnan(y[i]) && !same_bits(y[i], z[j]);
      }
    }
    INFO(f.name);
    CHECK(differ == 0);
  }
}
