// Softmax and its logarithm, along any axis, through the examination.
#include "harness.hpp"

#include <limbic/ops/log_softmax.hpp>
#include <limbic/ops/softmax.hpp>

using namespace examination;
using namespace limbic;

namespace activations_rows {

std::vector<std::tuple<shape<2>>> const matrices{{at(3, 7)}, {at(1, 1)}, {at(0, 4)}, {at(4, 0)}, {at(2, 37)}};
std::vector<std::tuple<shape<3>>> const boxes{{at(2, 5, 3)}, {at(2, 0, 3)}, {at(1, 3, 37)}};

TEST_CASE("softmax, log_softmax") {
  examine<2>("softmax", [](auto const& x) { return softmax(x); }, matrices, {.ulps = 8});
  examine<3>("softmax of axis 1", [](auto const& x) { return softmax(x, 1); }, boxes, {.ulps = 8});
  examine<2>("log_softmax", [](auto const& x) { return log_softmax(x); }, matrices, {.ulps = 8});
  examine<2>("log_softmax of axis 0", [](auto const& x) { return log_softmax(x, 0); }, matrices, {.ulps = 8});
}

TEMPLATE_TEST_CASE("softmax of what is masked", "", scalar, simd) {
  double const infinity = std::numeric_limits<double>::infinity();
  tensor<double, 1, TestType> const x({4}, {-infinity, 0, 1e4, -1e4});
  auto const p = softmax(x);
  auto const l = log_softmax(x);
  CHECK(p(0) == 0);
  CHECK(p(2) == 1);
  CHECK(l(0) == -infinity);
  CHECK(l(1) == -1e4);
  CHECK(l(2) == 0);
  CHECK(l(3) == -2e4);
}

}  // namespace activations_rows
