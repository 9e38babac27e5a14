// Variance and standard deviation through the examination.
#include "harness.hpp"

#include <limbic/ops/variance.hpp>

using namespace examination;
using namespace limbic;

namespace variances {

options const sums{.ulps = 100, .special = false, .ordered = false};
std::vector<std::tuple<shape<3>>> const boxes{{at(2, 5, 3)}, {at(3, 2, 19)}};

TEST_CASE("variance and standard deviation") {
  examine<3>("variance of all", [](auto const& x) { return variance(x); }, boxes, sums);
  examine<3>("variance of axis 1", [](auto const& x) { return variance(x, 1, {.correction = 0}); }, boxes, sums);
  examine<3>(
      "deviation of the last axis, kept", [](auto const& x) { return standard_deviation(x, -1, keepdim); }, boxes,
      sums);
  examine<3>("deviation of axis 0", [](auto const& x) { return standard_deviation(x, 0); }, boxes, sums);
}

TEMPLATE_TEST_CASE("of constants, and of too few", "", scalar, simd) {
  tensor<double, 2, TestType> const same(limbic::shape<2>{{2, 3}}, 4.0);
  tape t;
  auto const x = t.variable(same);
  auto const y = standard_deviation(x, 1);
  CHECK(y.value()(0) == 0);
  t.backward(y, tensor<double, 1, TestType>({2}, 1.0));
  for (int i = 0; i < 6; ++i) CHECK(x.gradient().data()[i] == 0);
  CHECK(std::isnan(variance(tensor<double, 1, TestType>({1}, 2.0), 0)()));
  CHECK(variance(tensor<double, 1, TestType>({1}, 2.0), 0, {.correction = 0})() == 0);
}

}  // namespace variances
