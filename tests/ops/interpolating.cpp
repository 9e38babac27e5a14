// Interpolation through the examination, and numbers worked out by hand.
#include "harness.hpp"

#include <limbic/ops/interpolate.hpp>

using namespace examination;
using namespace limbic;

namespace interpolating {

interpolate_options const bilinear{.mode = interpolation::bilinear};

TEST_CASE("interpolate: examined") {
  examine<4>("nearest, twice", [](auto const& x) { return upsample(x, 2); }, {{at(2, 2, 3, 5)}, {at(0, 2, 3, 3)}});
  examine<4>("bilinear, any size", [](auto const& x) { return interpolate(x, {7, 3}, bilinear); },
             {{at(2, 2, 3, 5)}, {at(1, 1, 1, 1)}, {at(1, 2, 9, 3)}, {at(2, 0, 3, 3)}}, {.ulps = 8});
  examine<3>("linear, corners aligned",
             [](auto const& x) { return interpolate(x, 9, {.mode = interpolation::bilinear, .align_corners = true}); },
             {{at(2, 3, 5)}, {at(1, 2, 1)}, {at(1, 2, 12)}, {at(0, 2, 4)}}, {.ulps = 8});
}

TEST_CASE("interpolate: values") {
  tensor<double, 3> const x({1, 1, 3}, {1, 3, 9});
  auto const is = [](tensor<double, 3> const& y, std::vector<double> const& want) {
    REQUIRE(y.size() == static_cast<std::ptrdiff_t>(want.size()));
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(y.data()[i] == Approx(want[i]));
  };
  is(upsample(x, 2), {1, 1, 3, 3, 9, 9});
  is(interpolate(x, 2), {1, 3});
  is(upsample(x, 2, bilinear), {1, 1.5, 2.5, 4.5, 7.5, 9});
  is(interpolate(x, 5, {.mode = interpolation::bilinear, .align_corners = true}), {1, 2, 3, 6, 9});
  is(interpolate(x, 1, {.mode = interpolation::bilinear, .align_corners = true}), {1});
  is(interpolate(x, 3, bilinear), {1, 3, 9});
  tensor<double, 3> const one({1, 1, 1}, {4});
  is(upsample(one, 3, bilinear), {4, 4, 4});
  // What has no weight is not read.
  tensor<double, 3> const odd({1, 1, 3}, {1, INFINITY, NAN});
  auto const y = interpolate(odd, 3, bilinear);
  CHECK(y.data()[0] == 1);
  CHECK(y.data()[1] == INFINITY);
  CHECK(std::isnan(y.data()[2]));
}

TEST_CASE("interpolate: bad input") {
  tensor<float, 4> const x({1, 1, 4, 4}), none({1, 1, 0, 4});
  CHECK_THROWS_AS(interpolate(x, {0, 4}), argument_error);
  CHECK_THROWS_AS(upsample(x, -1), argument_error);
  CHECK_THROWS_AS(interpolate(none, 4), shape_error);
  CHECK_THROWS_AS(upsample(none, 2), shape_error);
  CHECK_THROWS_AS(interpolate(x, 4, {.align_corners = true}), argument_error);
  CHECK_THROWS_AS(upsample(x, 2, {.align_corners = true}), argument_error);
}

}  // namespace interpolating
