// Sums, differences, products and quotients with broadcasting, through the examination.
#include "harness.hpp"

#include <limbic/ops/hypot.hpp>
#include <limbic/ops/operators.hpp>

using namespace examination;
using namespace limbic;

namespace arithmetic {

using pair = std::tuple<shape<2>, shape<2>>;
std::vector<pair> const pairs{
    {at(3, 7), at(3, 7)}, {at(3, 1), at(1, 5)}, {at(0, 4), at(1, 4)}, {at(1, 1), at(2, 33)}, {at(0, 1), at(1, 1)}};
options const pointwise{.elementwise = true};
options const away{.low = 0.5, .high = 3, .elementwise = true};  // from 0

TEST_CASE("add, sub, mul, div") {
  examine<2, 2>("add", [](auto const& a, auto const& b) { return a + b; }, pairs, pointwise);
  examine<2, 2>("sub", [](auto const& a, auto const& b) { return a - b; }, pairs, pointwise);
  examine<2, 2>("mul", [](auto const& a, auto const& b) { return a * b; }, pairs, pointwise);
  examine<2, 2>("div", [](auto const& a, auto const& b) { return a / b; }, pairs, away);
}

TEST_CASE("hypot") {
  examine<2, 2>("hypot", [](auto const& a, auto const& b) { return limbic::hypot(a, b); }, pairs, pointwise);
  double const inf = std::numeric_limits<double>::infinity();
  tensor<double, 1, simd> const a({6}, {3, 0, 1e300, -3e-300, -inf, inf}), b({6}, {-4, 0, -1e300, 4e-300, 1, inf});
  double const want[] = {5, 0, 1.4142135623730951e300, 5e-300, inf, inf};
  auto const y = limbic::hypot(a, b);
  for (std::ptrdiff_t i = 0; i < 6; ++i) CHECK((y(i) == want[i] || y(i) == Approx(want[i]).epsilon(1e-15)));
  CHECK(hypot(3.0, 4.0) == 5.0);  // that of <math.h>
  tape t;
  auto const u = t.variable(a), v = t.variable(b);
  t.backward(limbic::hypot(u, v), tensor<double, 1, simd>({6}, 1.0));
  CHECK(u.gradient()(0) == Approx(0.6));
  CHECK(v.gradient()(0) == Approx(-0.8));
  CHECK((u.gradient()(1) == 0 && v.gradient()(1) == 0));
  CHECK(v.gradient()(3) == Approx(0.8));
}

}  // namespace arithmetic
