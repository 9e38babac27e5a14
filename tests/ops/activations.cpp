// The activations: every one through the examination, kinks and extremes against the values they must have.
#include "harness.hpp"

#include <limbic/ops/elu.hpp>
#include <limbic/ops/leaky_relu.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sigmoid.hpp>
#include <limbic/ops/tanh.hpp>

using namespace examination;
using namespace limbic;

namespace activations {

options const pointwise{.elementwise = true, .propagates = true};
std::vector<std::tuple<shape<2>>> const shapes{{at(3, 7)}, {at(1, 1)}, {at(0, 4)}, {at(2, 33)}};

TEST_CASE("activations without transcendental functions") {
  examine<2>("relu", [](auto const& x) { return relu(x); }, shapes, pointwise);
  examine<2>("relu6", [](auto const& x) { return relu6(x); }, shapes,
             {.low = -3, .high = 9, .elementwise = true, .propagates = true});
  examine<2>("leaky_relu", [](auto const& x) { return leaky_relu(x); }, shapes, pointwise);
  examine<2>("leaky_relu 0.2", [](auto const& x) { return leaky_relu(x, {.negative_slope = 0.2}); }, shapes, pointwise);
}

TEST_CASE("elu, sigmoid, tanh") {
  examine<2>("elu", [](auto const& x) { return elu(x); }, shapes, pointwise);
  examine<2>("elu 0.5", [](auto const& x) { return elu(x, {.alpha = 0.5}); }, shapes, pointwise);
  examine<2>("sigmoid", [](auto const& x) { return sigmoid(x); }, shapes, pointwise);
  examine<2>("tanh", [](auto const& x) { return limbic::tanh(x); }, shapes, pointwise);
}

}  // namespace activations
