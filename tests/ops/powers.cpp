// Powers through the examination, and at their special points.
#include "harness.hpp"

#include <limbic/ops/pow.hpp>

using namespace examination;
using namespace limbic;

namespace powers {

using pair = std::tuple<shape<2>, shape<2>>;
std::vector<pair> const pairs{{at(3, 7), at(3, 7)}, {at(3, 1), at(1, 5)}, {at(0, 4), at(1, 4)}};
std::vector<std::tuple<shape<1>>> const shapes{{at(19)}, {at(0)}};
options const positive{.low = 0.3, .high = 3, .elementwise = true};
options const any{.elementwise = true};

TEST_CASE("pow") {
  examine<2, 2>("pow", [](auto const& a, auto const& b) { return limbic::pow(a, b); }, pairs, positive);
  examine<1>("x^2", [](auto const& x) { return limbic::pow(x, 2); }, shapes, any);
  examine<1>("x^-1.5", [](auto const& x) { return limbic::pow(x, -1.5); }, shapes, positive);
  examine<1>("2^x", [](auto const& x) { return limbic::pow(2, x); }, shapes, any);
}

TEMPLATE_TEST_CASE("slopes of powers where a logarithm has none", "", scalar, simd) {
  tensor<double, 1, TestType> const base({5}, {0, 0, -2, -2, 3}), exponent({5}, {2, 0, 3, 0, 0});
  tape t;
  auto const a = t.variable(base), b = t.variable(exponent);
  auto const y = limbic::pow(a, b);
  t.backward(y, tensor<double, 1, TestType>({5}, 1.0));
  double const want[] = {0, 0, 12, 0, 0};
  for (int i = 0; i < 5; ++i) CHECK(a.gradient()(i) == want[i]);
  CHECK(b.gradient()(0) == 0);
  CHECK(b.gradient()(1) == 0);
  CHECK(std::isnan(b.gradient()(2)));  // as in PyTorch
  CHECK(b.gradient()(4) == Approx(std::log(3.0)));
  CHECK(pow(2.0, 3.0) == 8.0);  // of plain numbers: the C library's
}

}  // namespace powers
