// Operands of different ranks, and one operand twice, through the examination.
#include "harness.hpp"

#include <limbic/ops/operators.hpp>

using namespace examination;
using namespace limbic;

namespace arithmetic_ranks {

options const pointwise{.elementwise = true};

TEST_CASE("operands of other ranks, and one operand twice") {
  examine<1, 3>(
      "add", [](auto const& a, auto const& b) { return a + b; }, {{at(5), at(2, 3, 5)}, {at(1), at(2, 0, 1)}},
      pointwise);
  examine<0, 1>("mul", [](auto const& a, auto const& b) { return a * b; }, {{at(), at(6)}}, pointwise);
  examine<2>("mul of one", [](auto const& a) { return a * a; }, {{at(3, 5)}}, pointwise);
  examine<2>("div of one", [](auto const& a) { return a / (a * a); }, {{at(3, 5)}},
             {.low = 0.5, .high = 3, .elementwise = true});
}

}  // namespace arithmetic_ranks
