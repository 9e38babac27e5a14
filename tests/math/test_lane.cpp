// tests/math/test_lane.cpp - types, masks, constants, loads and stores, reductions of a pack
#include "../catch.hpp"

#include <limbic/math/math.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace math = limbic::math;
using limbic::dual;

static_assert(std::is_same_v<math::number_of<dual<float>>, float>);
static_assert(std::is_same_v<math::lane_of<dual<float>>, dual<float>>);
static_assert(!math::is_pack<dual<double>>);
static_assert(math::select(true, 1, 2) == 1);
static_assert(math::min(1.0, 2.0) == 1.0 && math::max(1.0, 2.0) == 2.0);
static_assert(math::constant<float>(0.1) == 0.1f);

TEST_CASE("constant and broadcast", "[math]") {
  CHECK(math::constant<double>(0.1) == 0.1);
  CHECK(math::constant<dual<double>>(0.1).value == 0.1);
  CHECK(math::constant<dual<double>>(0.1).tangent == 0.0);
  CHECK(math::constant<std::int64_t>(3.0) == 3);
  CHECK(math::broadcast<dual<float>>(dual<float>(1, 2)).tangent == 2.0f);
  CHECK(math::both(true, math::no(false)));
  CHECK_FALSE(math::either(false, false));
  CHECK(math::isnan(dual<double>(std::nan(""))));
  CHECK_FALSE(math::isfinite(std::numeric_limits<float>::infinity()));
  CHECK(math::isfinite(std::numeric_limits<double>::max()));
  CHECK_FALSE(math::isnan(7));
  CHECK(math::reduce_add(2.5f) == 2.5f);
  CHECK(math::reduce_max(dual<float>(1, 2)).tangent == 2.0f);
}

#if LIMBIC_SIMD

static_assert(std::is_same_v<math::number_of<dual<limbic::lanes<float>::type>>, float>);
static_assert(std::is_same_v<math::lane_of<limbic::lanes<dual<double>>::type>, dual<double>>);
static_assert(math::is_pack<limbic::lanes<double>::type>);
static_assert(limbic::lanes<dual<float>>::width == limbic::lanes<float>::width);
static_assert(limbic::has_lanes<dual<double>> && !limbic::has_lanes<std::int64_t>);

TEMPLATE_TEST_CASE("masks of packs", "[math]", float, double) {
  using lanes = limbic::lanes<TestType>;
  using V = typename lanes::type;
  std::vector<TestType> x(static_cast<std::size_t>(lanes::width)), y(x);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<TestType>(i % 3);
  x[0] = std::numeric_limits<TestType>::quiet_NaN();
  x[1] = std::numeric_limits<TestType>::infinity();
  V const v = lanes::load(x.data());
  auto const check = [&](auto mask, auto expected) {
    lanes::store(y.data(), math::select(mask, V(1), V(0)));
    for (std::size_t i = 0; i < x.size(); ++i) CHECK((y[i] == TestType(1)) == expected(x[i]));
  };
  check(math::isnan(v), [](auto e) { return std::isnan(e); });
  check(math::isfinite(v), [](auto e) { return std::isfinite(e); });
  check(v > V(0), [](auto e) { return e > 0; });
  check(math::no(v > V(0)), [](auto e) { return !(e > 0); });
  check(math::no(v == V(0)), [](auto e) { return e != 0; });
  check(math::both(v > V(0), v < V(2)), [](auto e) { return e > 0 && e < 2; });
  check(math::either(v == V(0), math::isnan(v)), [](auto e) { return e == 0 || std::isnan(e); });
  check(dual<V>(v) >= dual<V>(1), [](auto e) { return e >= 1; });
}

TEMPLATE_TEST_CASE("packs of duals load and store value, tangent, value, tangent", "[math]", float, double) {
  using lanes = limbic::lanes<dual<TestType>>;
  auto const n = static_cast<std::size_t>(lanes::width);
  std::vector<dual<TestType>> x(n + 1), y(n + 1);
  for (std::size_t i = 0; i < n; ++i) x[i + 1] = {static_cast<TestType>(i), static_cast<TestType>(100 + i)};
  auto const v = lanes::load(x.data() + 1);  // no alignment asked
  lanes::store(y.data() + 1, v + v);
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(y[i + 1].value == 2 * x[i + 1].value);
    CHECK(y[i + 1].tangent == 2 * x[i + 1].tangent);
  }
}

TEMPLATE_TEST_CASE("reductions of a pack", "[math]", float, double) {
  using T = TestType;
  using lanes = limbic::lanes<T>;
  using dual_lanes = limbic::lanes<dual<T>>;
  auto const n = static_cast<std::size_t>(lanes::width);
  std::vector<T> x(n);
  std::vector<dual<T>> d(n);
  T sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<T>((i * 5 + 3) % n);
    d[i] = {x[i], static_cast<T>(10 + i)};
    sum += x[i];
  }
  CHECK(math::reduce_add(lanes::load(x.data())) == sum);
  CHECK(math::reduce_max(lanes::load(x.data())) == static_cast<T>(n - 1));
  CHECK(math::reduce_min(lanes::load(x.data())) == T(0));
  CHECK(math::reduce_add(dual_lanes::load(d.data())).value == sum);
  dual<T> const largest = math::reduce_max(dual_lanes::load(d.data()));
  for (auto const& e : d)
    if (e.value == largest.value) CHECK(e.tangent == largest.tangent);
  x[n - 1] = std::numeric_limits<T>::quiet_NaN();
  CHECK(std::isnan(math::reduce_max(lanes::load(x.data()))));
  CHECK(std::isnan(math::reduce_min(lanes::load(x.data()))));
}

#endif
