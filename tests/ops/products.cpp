// Matrix products and linear layers through the examination.
#include "harness.hpp"

#include <limbic/ops/linear.hpp>
#include <limbic/ops/matmul.hpp>

using namespace examination;
using namespace limbic;

namespace products {

// Products with one row or column add in an order that depends on how their operands lie.
options const sums{.ulps = 32, .ordered = false};

TEST_CASE("matmul") {
  examine<2, 2>(
      "matmul", [](auto const& a, auto const& b) { return matmul(a, b); },
      {{at(3, 5), at(5, 7)}, {at(1, 4), at(4, 1)}, {at(0, 3), at(3, 2)}, {at(2, 0), at(0, 3)}, {at(5, 3), at(3, 19)}},
      sums);
  examine<3, 3>(
      "matmul of batches", [](auto const& a, auto const& b) { return matmul(a, b); },
      {{at(2, 3, 5), at(2, 5, 4)}, {at(2, 3, 5), at(1, 5, 4)}, {at(1, 3, 5), at(2, 5, 4)}, {at(0, 3, 5), at(0, 5, 4)}},
      sums);
}

TEST_CASE("linear") {
  examine<2, 2, 1>(
      "linear", [](auto const& x, auto const& w, auto const& b) { return functional::linear(x, w, b); },
      {{at(5, 3), at(4, 3), at(4)},
       {at(1, 3), at(1, 3), at(1)},
       {at(0, 3), at(2, 3), at(2)},
       {at(2, 0), at(3, 0), at(3)}},
      sums);
  examine<3, 2>(
      "linear of rank 3, no bias", [](auto const& x, auto const& w) { return functional::linear(x, w); },
      {{at(2, 3, 5), at(4, 5)}, {at(2, 0, 5), at(4, 5)}}, sums);
  examine<1, 2, 1>(
      "linear of a vector", [](auto const& x, auto const& w, auto const& b) { return functional::linear(x, w, b); },
      {{at(5), at(4, 5), at(4)}}, sums);
}

}  // namespace products
