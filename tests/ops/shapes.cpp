// Other orders and shapes of axes, through the examination.
#include "harness.hpp"

#include <limbic/ops/reshape.hpp>
#include <limbic/ops/transpose.hpp>

using namespace examination;
using namespace limbic;

namespace shapes {

options const exact{.ulps = 0, .elementwise = true};

TEST_CASE("transpose, permute") {
  examine<2>(
      "transpose", [](auto const& x) { return transpose(x); }, {{at(3, 5)}, {at(1, 4)}, {at(0, 4)}, {at(19, 33)}},
      exact);
  examine<3>("transpose of a batch", [](auto const& x) { return transpose(x); }, {{at(2, 3, 5)}}, exact);
  examine<3>("permute", [](auto const& x) { return permute(x, {2, 0, 1}); }, {{at(2, 3, 5)}, {at(2, 0, 5)}}, exact);
}

TEST_CASE("reshape and its kin") {
  examine<2>("reshape", [](auto const& x) { return reshape(x, 2, -1, 3); }, {{at(4, 6)}, {at(0, 6)}}, exact);
  examine<3>("flatten", [](auto const& x) { return flatten(x); }, {{at(2, 3, 4)}}, exact);
  examine<3>("flatten from axis 1", [](auto const& x) { return flatten<1>(x); }, {{at(2, 3, 4)}, {at(0, 3, 4)}}, exact);
  examine<3>("squeeze", [](auto const& x) { return squeeze(x, -2); }, {{at(2, 1, 4)}}, exact);
  examine<2>("unsqueeze", [](auto const& x) { return unsqueeze(x, -1); }, {{at(2, 4)}}, exact);
}

TEST_CASE("the shapes they give") {
  tensor<float, 3> const x(limbic::shape<3>{{2, 3, 4}});
  CHECK((flatten(x).shape() == at(24)));
  CHECK((flatten<1>(x).shape() == at(2, 12)));
  CHECK((flatten<0, 1>(x).shape() == at(6, 4)));
  CHECK((flatten<-2>(x).shape() == at(2, 12)));
  CHECK((flatten(tensor<float, 0>(at())).shape() == at(1)));
  CHECK((unsqueeze(x, 0).shape() == at(1, 2, 3, 4)));
  CHECK((unsqueeze(x, -1).shape() == at(2, 3, 4, 1)));
  CHECK((permute(x, {-1, 0, 1}).shape() == at(4, 2, 3)));
  CHECK((reshape(x, limbic::shape{-1}).shape() == at(24)));
}

}  // namespace shapes
