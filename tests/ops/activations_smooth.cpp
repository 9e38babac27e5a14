// The smooth activations through the examination.
#include "harness.hpp"

#include <limbic/ops/gelu.hpp>
#include <limbic/ops/silu.hpp>
#include <limbic/ops/softplus.hpp>

using namespace examination;
using namespace limbic;

namespace activations_smooth {

options const pointwise{.elementwise = true, .propagates = true};
std::vector<std::tuple<shape<2>>> const shapes{{at(3, 7)}, {at(1, 1)}, {at(0, 4)}, {at(2, 33)}};
options const loose{.ulps = 16, .propagates = true};

TEST_CASE("silu, gelu, softplus") {
  examine<2>("silu", [](auto const& x) { return silu(x); }, shapes, pointwise);
  examine<2>("gelu", [](auto const& x) { return gelu(x); }, shapes, loose);
  examine<2>("gelu tanh", [](auto const& x) { return gelu(x, {.approximate = gelu_form::tanh}); }, shapes, loose);
  examine<2>("softplus", [](auto const& x) { return softplus(x); }, shapes, pointwise);
  examine<2>("softplus 2", [](auto const& x) { return softplus(x, {.beta = 2, .threshold = 5}); }, shapes, pointwise);
}

}  // namespace activations_smooth
