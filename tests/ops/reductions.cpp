// Sums, means, logsumexp along axes and over all elements, through the examination.
#include "harness.hpp"

#include <limbic/ops/logsumexp.hpp>
#include <limbic/ops/sum.hpp>

using namespace examination;
using namespace limbic;

namespace reductions {

options const sums{.ulps = 100, .ordered = false};
std::vector<std::tuple<shape<3>>> const boxes{{at(2, 5, 3)}, {at(1, 1, 1)}, {at(2, 0, 3)}, {at(3, 2, 19)}};

TEST_CASE("sum and mean") {
  examine<3>("sum of all", [](auto const& x) { return sum(x); }, boxes, sums);
  examine<3>("sum of axis 1", [](auto const& x) { return sum(x, 1); }, boxes, sums);
  examine<3>("sum of the last axis, kept", [](auto const& x) { return sum(x, -1, keepdim); }, boxes, sums);
  examine<3>("mean of axis 0", [](auto const& x) { return mean(x, 0); }, boxes, sums);
  examine<3>("mean of the last axis, kept", [](auto const& x) { return mean(x, -1, keepdim); }, boxes, sums);
  examine<0>("sum of a scalar", [](auto const& x) { return sum(x); }, {{at()}});
}

TEMPLATE_TEST_CASE("of nothing, and of infinities", "", scalar, simd) {
  double const infinity = std::numeric_limits<double>::infinity();
  tensor<double, 2, TestType> const none(limbic::shape<2>{{2, 0}});
  CHECK(sum(none, 1)(0) == 0);
  CHECK(sum(none)() == 0);
  CHECK(std::isnan(mean(none, 1)(1)));
  CHECK(std::isnan(mean(none)()));
  CHECK(logsumexp(none, 1)(0) == -infinity);
  CHECK(sum(none, 0).size() == 0);

  tensor<double, 1, TestType> const lowest({3}, -infinity), mixed({3}, {1, -infinity, 1}), highest({2}, {infinity, 0});
  CHECK(logsumexp(lowest)() == -infinity);
  CHECK(logsumexp(mixed)() == Approx(1 + std::log(2.0)));
  CHECK(logsumexp(highest)() == infinity);
  tape t;
  auto const x = t.variable(lowest);
  t.backward(logsumexp(x));
  for (int i = 0; i < 3; ++i) CHECK(x.gradient()(i) == 0);
}

}  // namespace reductions
