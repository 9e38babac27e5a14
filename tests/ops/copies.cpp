// Padding, repetition and broadcasting through the examination.
#include "harness.hpp"

#include <limbic/ops/pad.hpp>
#include <limbic/ops/repeat.hpp>

using namespace examination;
using namespace limbic;

namespace copies {

options const exact{.ulps = 8, .elementwise = true};

TEST_CASE("pad") {
  examine<2>("pad", [](auto const& x) { return pad(x, {1, 0}, {0, 2}, 3); }, {{at(3, 5)}, {at(0, 2)}}, exact);
  examine<3>("pad of one axis", [](auto const& x) { return pad(x, -2, 2, 1); }, {{at(2, 3, 4)}}, exact);
}

TEST_CASE("repeat, broadcast_to") {
  examine<2>("repeat", [](auto const& x) { return repeat(x, 2, 3); }, {{at(3, 5)}, {at(1, 4)}, {at(0, 4)}}, exact);
  examine<2>("repeat over time", [](auto const& x) { return repeat(x, 4, 1, 1); }, {{at(3, 5)}}, exact);
  examine<1>("repeat no times", [](auto const& x) { return repeat(x, 0); }, {{at(3)}}, exact);
  examine<2>(
      "broadcast_to", [](auto const& x) { return broadcast_to(x, 2, -1, 5); }, {{at(3, 1)}, {at(3, 5)}, {at(1, 1)}},
      exact);
}

}  // namespace copies
