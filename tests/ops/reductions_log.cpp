// logsumexp along axes and over all elements, through the examination.
#include "harness.hpp"

#include <limbic/ops/logsumexp.hpp>

using namespace examination;
using namespace limbic;

namespace reductions_log {

options const sums{.ulps = 100, .ordered = false};
std::vector<std::tuple<shape<3>>> const boxes{{at(2, 5, 3)}, {at(1, 1, 1)}, {at(2, 0, 3)}, {at(3, 2, 19)}};

TEST_CASE("logsumexp") {
  examine<3>("logsumexp of all", [](auto const& x) { return logsumexp(x); }, boxes, sums);
  examine<3>("logsumexp of axis 1", [](auto const& x) { return logsumexp(x, 1); }, boxes, sums);
}

}  // namespace reductions_log
