// Greatest and least elements along axes and over all elements, and where they stand.
#include "harness.hpp"

#include <limbic/ops/max.hpp>

using namespace examination;
using namespace limbic;

namespace extremes {

std::vector<std::tuple<shape<3>>> const boxes{{at(2, 5, 3)}, {at(1, 1, 1)}, {at(3, 2, 19)}};

TEST_CASE("max and min") {
  examine<3>("max of all", [](auto const& x) { return max(x); }, boxes, {.elementwise = true});
  examine<3>("max of axis 1", [](auto const& x) { return max(x, 1); }, boxes, {.elementwise = true});
  examine<3>("max of the last axis, kept", [](auto const& x) { return max(x, -1, keepdim); }, boxes,
             {.elementwise = true});
  examine<3>("min of axis 0", [](auto const& x) { return min(x, 0); }, boxes, {.elementwise = true});
  examine<2>("min of rows that are none", [](auto const& x) { return min(x, 1); }, {{at(0, 3)}});
}

TEMPLATE_TEST_CASE("the first greatest gets the gradient, a NaN is greatest and least", "", scalar, simd) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  tensor<double, 2, TestType> const x({3, 4}, {1, 3, 3, 2, 0, nan, 5, nan, -1, -1, -2, -2});
  auto const top = argmax(x), low = argmin(x);
  CHECK(std::vector<std::int64_t>(top.begin(), top.end()) == std::vector<std::int64_t>{1, 1, 0});
  CHECK(std::vector<std::int64_t>(low.begin(), low.end()) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(argmax(x, 0)(3) == 1);
  CHECK(std::isnan(max(x, 1)(1)));
  CHECK(std::isnan(max(x)()));
  tape t;
  auto const v = t.variable(x);
  auto const y = max(v, 1);
  t.backward(y, tensor<double, 1, TestType>({3}, {1, 2, 3}));
  double const want[] = {0, 1, 0, 0, 0, 2, 0, 0, 3, 0, 0, 0};
  for (int i = 0; i < 12; ++i) CHECK(v.gradient().data()[i] == want[i]);
}

TEMPLATE_TEST_CASE("the greatest of nothing does not exist", "", scalar, simd) {
  tensor<float, 2, TestType> const none(limbic::shape<2>{{2, 0}});
  CHECK_THROWS_AS(max(none), argument_error);
  CHECK_THROWS_WITH(max(none, 1), "[max] there is nothing to choose from in shape (2, 0) along its axis of extent 0");
  CHECK_THROWS_AS(argmin(none, 1), argument_error);
  CHECK(max(none, 0).size() == 0);
  CHECK(argmax(none, 0).size() == 0);
}

}  // namespace extremes
