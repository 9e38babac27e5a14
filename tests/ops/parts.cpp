// Parts of tensors, and tensors made of others, through the examination.
#include "harness.hpp"

#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/slice.hpp>

using namespace examination;
using namespace limbic;

namespace parts {

options const exact{.ulps = 0, .elementwise = true};

TEST_CASE("slice, select") {
  examine<2>(
      "slice", [](auto const& x) { return slice(x, 1, 1, -1, 2); }, {{at(3, 7)}, {at(2, 4)}, {at(0, 3)}, {at(3, 2)}},
      exact);
  examine<3>("slice of axis 0", [](auto const& x) { return slice(x, 0, -2); }, {{at(4, 2, 3)}}, exact);
  examine<3>("select", [](auto const& x) { return select(x, 1, -1); }, {{at(2, 5, 3)}, {at(2, 1, 0)}}, exact);
  examine<1>("select of a vector", [](auto const& x) { return select(x, 0, 2); }, {{at(5)}}, exact);
}

TEST_CASE("concatenate, stack") {
  examine<2, 2, 2>(
      "concatenate", [](auto const& a, auto const& b, auto const& c) { return concatenate(1, a, b, c); },
      {{at(3, 2), at(3, 5), at(3, 1)}, {at(2, 0), at(2, 3), at(2, 0)}}, exact);
  examine<3>("concatenate of one twice", [](auto const& a) { return concatenate(0, a, a); }, {{at(2, 3, 4)}}, exact);
  examine<2, 2>(
      "stack", [](auto const& a, auto const& b) { return stack(-1, a, b); },
      {{at(3, 5), at(3, 5)}, {at(0, 5), at(0, 5)}}, exact);
}

}  // namespace parts
