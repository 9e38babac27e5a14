// The steps of a U-Net: PyTorch's values and gradients, padded and not, crops, costs.
#include <limbic/nn/summary.hpp>
#include <limbic/nn/unet.hpp>

#include "block_fixture.hpp"

using namespace limbic;

namespace {

template <class T> struct unet_of_one_step {
  unet_down<T> down;
  double_conv<T> bottom;
  unet_up<T> up;
  unet_of_one_step(std::ptrdiff_t in, std::ptrdiff_t width, unet_options const& o, rng& random)
      : down(in, width, random, o), bottom(width, 2 * width, random, o), up(2 * width, width, width, random, o) {}
  auto operator()(auto const& x, layer_mode auto mode) const {
    auto const [skip, below] = down(x, mode);
    return up(bottom(below, mode), skip, mode);
  }
  void each(auto f) { f("down", down), f("bottom", bottom), f("up", up); }
};

}  // namespace

TEST_CASE("steps of a U-Net are PyTorch's, padded with batch norm and unpadded without") {
  rng random{.seed = 1};
  unet_of_one_step<double> same(2, 3, {.norm = batch_norm_layer_options{}}, random);
  check_block(same, "unet.same");
  unet_of_one_step<double> valid(1, 2, {.padding = 0}, random);
  check_block(valid, "unet.valid");
}

TEST_CASE("steps of a U-Net: sizes, costs and mistakes") {
  rng random{.seed = 2};
  unet_of_one_step<float> const padded(1, 4, {}, random), valid(1, 4, {.padding = 0}, random);
  auto const s = summary<float>(padded, shape{1, 1, 12, 8});
  CHECK(s.parameters() == parameter_count(padded));
  CHECK(s.depth == 7);
  CHECK(s.rows.back().shape == std::vector<std::ptrdiff_t>{1, 4, 12, 8});
  CHECK(summary<float>(padded, shape{1, 1, 13, 8}).rows.back().shape == std::vector<std::ptrdiff_t>{1, 4, 12, 8});
  // The lowest step of the paper's figure 1: 68, 66, 64; 32, 30, 28; 56, 54, 52.
  CHECK(summary<float>(valid, shape{1, 1, 68, 68}).rows.back().shape == std::vector<std::ptrdiff_t>{1, 4, 52, 52});

  CHECK_THROWS_AS(summary<float>(valid, shape{1, 1, 11, 20}), shape_error);  // no room for the bottom's kernels
  unet_up<float> const up(8, 4, 4, random);
  tensor<float, 4> const x(shape{1, 8, 3, 3});
  CHECK(up(x, tensor<float, 4>(shape{1, 4, 7, 6}), evaluation{}).shape() == shape{1, 4, 6, 6});
  CHECK_THROWS_AS(up(x, tensor<float, 4>(shape{1, 4, 6, 5}), evaluation{}), shape_error);
  CHECK_THROWS_AS(up(x, tensor<float, 4>(shape{1, 3, 6, 6}), evaluation{}), shape_error);
  CHECK_THROWS_AS((unet_up<float>(0, 4, 4, random)), argument_error);
}
