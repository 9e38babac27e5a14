// Dense blocks and transitions: PyTorch's values and gradients, channels, costs.
#include <limbic/nn/dense_block.hpp>
#include <limbic/nn/summary.hpp>

#include "block_fixture.hpp"

using namespace limbic;

namespace {

template <class T> struct dense_net {
  dense_block<T> block;
  dense_transition<T> transition;
  auto operator()(auto const& x, layer_mode auto mode) const { return transition(block(x, mode), mode); }
  void each(auto f) { f("block", block), f("transition", transition); }
};

}  // namespace

TEST_CASE("dense blocks and transitions are PyTorch's") {
  rng random{.seed = 1};
  dense_net<double> net{dense_block<double>(3, 3, 2, random), dense_transition<double>(9, random)};
  check_block(net, "dense");
}

TEST_CASE("dense blocks: channels, costs and mistakes") {
  rng random{.seed = 2};
  dense_net<float> const net{dense_block<float>(5, 4, 3, random), dense_transition<float>(17, random, {.theta = 0.3})};
  CHECK(net.block.channels() == 17);
  CHECK(net.transition.channels() == 5);
  auto const s = summary<float>(net, shape{2, 5, 7, 6});
  CHECK(s.parameters() == parameter_count(net));
  CHECK(s.depth == 9);
  CHECK(s.rows.back().shape == std::vector<std::ptrdiff_t>{2, 5, 3, 3});
  CHECK(s.rows.front().layer == "block.denselayer1.norm1");
  CHECK(dense_transition<float>(4, random, {.theta = 1}).channels() == 4);

  CHECK_THROWS_AS((dense_block<float>(3, 0, 2, random)), argument_error);
  CHECK_THROWS_AS((dense_block<float>(3, 2, 2, random, {.bottleneck = 0})), argument_error);
  CHECK_THROWS_AS((dense_transition<float>(4, random, {.theta = 0.2})), argument_error);
  CHECK_THROWS_AS((dense_transition<float>(4, random, {.theta = 1.5})), argument_error);
  CHECK_THROWS_AS(summary<float>(net, shape{2, 4, 7, 6}), shape_error);
  CHECK_THROWS_AS(summary<float>(net, shape{2, 5, 1, 6}), shape_error);  // too small for a window
}
