// Sums, differences, products and quotients with broadcasting, through the examination.
#include "harness.hpp"

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

}  // namespace arithmetic
