// Comparisons, and the choices they make, through the examination.
#include "harness.hpp"

#include <limbic/ops/compare.hpp>
#include <limbic/ops/where.hpp>

using namespace examination;
using namespace limbic;

namespace masks {

using pair = std::tuple<shape<2>, shape<2>>;
std::vector<pair> const pairs{{at(3, 7), at(3, 7)}, {at(3, 1), at(1, 5)}, {at(0, 4), at(1, 4)}};
options const pointwise{.elementwise = true};

TEST_CASE("where, comparisons") {
  examine<2, 1, 2>(
      "where", [](auto const& x, auto const& a, auto const& b) { return where(greater(x, 0), a, b); },
      {{at(3, 5), at(5), at(1, 1)}, {at(0, 2), at(1), at(1, 2)}}, pointwise);
  examine<2, 2>("where, less", [](auto const& a, auto const& b) { return where(less(a, b), a, b); }, pairs, pointwise);
}

TEMPLATE_TEST_CASE("comparisons are masks of 0 and 1, false for NaN", "", scalar, simd) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  tensor<double, 1, TestType> const a({4}, {1, 2, 3, nan}), b({4}, {2, 2, 2, 2});
  auto const is = [](auto const& t, std::vector<double> const& want) {
    return std::vector<double>(t.begin(), t.end()) == want;
  };
  CHECK(is(less(a, b), {1, 0, 0, 0}));
  CHECK(is(less_equal(a, b), {1, 1, 0, 0}));
  CHECK(is(equal(a, b), {0, 1, 0, 0}));
  CHECK(is(greater(a, b), {0, 0, 1, 0}));
  CHECK(is(greater_equal(a, b), {0, 1, 1, 0}));
  CHECK(is(greater(a, 1.5), {0, 1, 1, 0}));
  CHECK(is(less(a, 1.5), {1, 0, 0, 0}));
  CHECK(is(equal(a, 3), {0, 0, 1, 0}));
  CHECK(is(less_equal(a, 1), {1, 0, 0, 0}));
  CHECK(is(greater_equal(a, 3), {0, 0, 1, 0}));
}

TEMPLATE_TEST_CASE("what is not chosen gets exactly nothing", "", scalar, simd) {
  double const infinity = std::numeric_limits<double>::infinity();
  tensor<double, 1, TestType> const mask({2}, {1, 0}), x({2}, {1, 2}), weights({2}, {infinity, infinity});
  tape t;
  auto const a = t.variable(x), b = t.variable(x);
  t.backward(where(t(mask), a, b), weights);
  CHECK(a.gradient()(1) == 0);
  CHECK(b.gradient()(0) == 0);
  CHECK(a.gradient()(0) == infinity);
}

}  // namespace masks
