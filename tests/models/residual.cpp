// Residual and bottleneck blocks: PyTorch's values and gradients, shortcuts, names, costs.
#include <limbic/nn/bottleneck.hpp>
#include <limbic/nn/residual_block.hpp>
#include <limbic/nn/summary.hpp>

#include "../scratch.hpp"
#include "block_fixture.hpp"

using namespace limbic;

TEST_CASE("residual blocks are PyTorch's, with each shortcut") {
  rng random{.seed = 1};
  residual_block<double> same(3, 3, random);
  check_block(same, "residual.identity");
  residual_block<double> projected(3, 4, random, {.stride = 2});
  check_block(projected, "residual.projection");
  residual_block<double> padded(3, 5, random, {.stride = 2, .shortcut = shortcut_kind::zero_pad});
  check_block(padded, "residual.zero_pad");
}

TEST_CASE("a residual block in single precision, without a tape") {
  rng random{.seed = 1};
  residual_block<float> block(3, 4, random, {.stride = 2});
  load_block(block, "residual.projection");
  tensor<float, 4> const x = torch_blocks().read<float, 4>("residual.projection.x");
  tensor<float, 4> const y = block(x, evaluation{}), trained = block(x, training{random});
  auto const wanted = torch_blocks().read<float, 4>("residual.projection.eval.y");
  auto const by_batch = torch_blocks().read<float, 4>("residual.projection.train.y");
  REQUIRE(y.shape() == wanted.shape());
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) {
    CHECK(y.data()[i] == Approx(wanted.data()[i]).margin(1e-5));
    CHECK(trained.data()[i] == Approx(by_batch.data()[i]).margin(1e-5));
  }
}

TEST_CASE("bottlenecks are PyTorch's") {
  rng random{.seed = 1};
  bottleneck<double> same(8, 2, random);
  check_block(same, "bottleneck.identity");
  bottleneck<double> projected(3, 2, random, {.stride = 2});
  check_block(projected, "bottleneck.projection");
}

TEST_CASE("shortcuts: what they cannot do, and where they have no parameters") {
  rng random{.seed = 2};
  residual_options const identity{.shortcut = shortcut_kind::identity};
  CHECK_THROWS_AS((residual_block<float>(3, 4, random, identity)), argument_error);
  CHECK_THROWS_AS((residual_block<float>(3, 3, random, {.stride = {1, 2}, .shortcut = shortcut_kind::identity})),
                  argument_error);
  CHECK_THROWS_AS((bottleneck<float>(4, 4, random, identity)), argument_error);
  CHECK_THROWS_AS((residual_block<float>(4, 3, random, {.shortcut = shortcut_kind::zero_pad})), argument_error);
  CHECK_THROWS_AS((residual_block<float>(0, 3, random)), argument_error);
  CHECK_THROWS_AS((residual_block<float>(3, 3, random, {.stride = 0})), argument_error);
  try {
    residual_block<float>(3, 4, random, identity);
  } catch (argument_error const& e) {
    CHECK(mentions(e.what(), "residual_block"));
    CHECK(mentions(e.what(), "from 3 to 4 channels"));
  }
  std::ptrdiff_t const units = 2 * (4 * 4 * 9 + 8);
  CHECK(parameter_count(residual_block<float>(4, 4, random)) == units);
  CHECK(parameter_count(residual_block<float>(4, 4, random, {.stride = 2})) == units + 4 * 4 + 8);
  CHECK(parameter_count(residual_block<float>(4, 4, random, {.stride = 2, .shortcut = shortcut_kind::zero_pad})) ==
        units);
}

TEST_CASE("a summary of residual blocks") {
  rng random{.seed = 3};
  residual_block<float> const block(4, 6, random, {.stride = 2});
  auto const s = summary<float>(block, shape{2, 4, 7, 5});
  CHECK(s.parameters() == parameter_count(block));
  CHECK(s.depth == 2);
  CHECK(s.rows.back().shape == std::vector<std::ptrdiff_t>{2, 6, 4, 3});
  CHECK(s.rows.front().layer == "conv1");
  CHECK_THROWS_AS(summary<float>(block, shape{2, 3, 7, 5}), shape_error);
  bottleneck<float> const narrow(4, 2, random, {.stride = 2});
  auto const n = summary<float>(narrow, shape{1, 4, 9, 9});
  CHECK(n.parameters() == parameter_count(narrow));
  CHECK(n.depth == 3);
  CHECK(n.rows.back().shape == std::vector<std::ptrdiff_t>{1, 8, 5, 5});
}

TEST_CASE("a saved block is the same block") {
  rng random{.seed = 4};
  residual_block<double> block(3, 4, random, {.stride = 2}), again(3, 4, random, {.stride = 2});
  load_block(block, "residual.projection");
  scratch const file;
  save(block, file);
  load(again, file);
  std::vector<std::string> const names{"bn1.bias",
                                       "bn1.num_batches_tracked",
                                       "bn1.running_mean",
                                       "bn1.running_var",
                                       "bn1.weight",
                                       "bn2.bias",
                                       "bn2.num_batches_tracked",
                                       "bn2.running_mean",
                                       "bn2.running_var",
                                       "bn2.weight",
                                       "conv1.weight",
                                       "conv2.weight",
                                       "downsample.0.weight",
                                       "downsample.1.bias",
                                       "downsample.1.num_batches_tracked",
                                       "downsample.1.running_mean",
                                       "downsample.1.running_var",
                                       "downsample.1.weight"};
  CHECK(safetensors_file(file).names() == names);
  auto const x = torch_blocks().read<double, 4>("residual.projection.x");
  tensor<double, 4> const y = block(x, evaluation{});
  CHECK(block_difference<4>(again(x, evaluation{}).view(), y) == 0);
  CHECK(block_difference<4>(y.view(), torch_blocks().read<double, 4>("residual.projection.eval.y")) < 1e-12);
}
