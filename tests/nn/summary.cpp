// What a model consists of and costs, from shapes alone.
#include <limbic/models/lstm_autoencoder.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/nn/dropout.hpp>
#include <limbic/nn/summary.hpp>
#include <limbic/ops/ops.hpp>

#include "../catch.hpp"

using namespace limbic;

namespace {

struct small_net {
  conv2d<float> first, second;
  linear<float> out;
  dropout drop{0.2};
  explicit small_net(rng& random)
      : first(1, 8, 3, random, {.padding = same_padding}),
        second(8, 8, 3, random, {.padding = same_padding, .bias = false}),
        out(8 * 5 * 6, 10, random) {}
  auto operator()(auto const& x, layer_mode auto mode) const {
    auto const h = relu(first(x));
    auto const skip = h + second(second(h));  // one layer, used twice
    return out(drop(reshape(skip, shape{x.shape()[0], -1}), mode));
  }
  void each(auto f) {
    f("first", first);
    f("second", second);
    f("out", out);
  }
};

}  // namespace

TEST_CASE("a summary lists ops, parameters and operations") {
  rng random{.seed = 1};
  small_net const net(random);
  auto const s = summary<float>(net, shape{2, 1, 5, 6});
  std::vector<std::string> layers;
  for (auto const& r : s.rows) layers.push_back(r.layer);
  CHECK(layers == std::vector<std::string>{"first", "relu", "second", "conv2d", "add", "reshape", "out"});
  CHECK(s.rows[0].shape == std::vector<std::ptrdiff_t>{2, 8, 5, 6});
  CHECK(s.parameters() == parameter_count(net));
  CHECK(s.megabytes == Approx(4e-6 * static_cast<double>(parameter_count(net))));
  CHECK(s.depth == 4);
  double const pixels = 2 * 8 * 5 * 6;
  CHECK(s.flops() == pixels * (2 * 9) + pixels + 2 * (pixels * (2 * 72 - 1)) + pixels + 2 * 10 * (2 * 240));
  CHECK(s.text().find("second") != std::string::npos);
  CHECK(s.text().find("reshape") == std::string::npos);  // costs nothing
  CHECK_THROWS_AS(summary<float>(net, shape{2, 2, 5, 6}), shape_error);
  CHECK_THROWS_AS(summary<float>(net, shape{2, 1, 5, 5}), shape_error);
}

TEST_CASE("a summary of a model that lies on another device") {
  rng random{.seed = 1};
  conv2d<float, scalar> const net(2, 3, 1, random);
  auto const s = summary<float>(net, shape{1, 2, 4, 4});
  CHECK(s.rows.size() == 1);
  CHECK(s.rows[0].shape == std::vector<std::ptrdiff_t>{1, 3, 4, 4});
}

TEST_CASE("a summary of a recurrent network") {
  rng random{.seed = 1};
  lstm_autoencoder<float> const net({.hidden_size = 16, .latent_size = 3}, random);
  auto const s = summary<float>(net, shape{4, 10, 1});
  CHECK(s.parameters() == parameter_count(net));
  CHECK(s.depth == 4);
  CHECK(s.rows.back().shape == std::vector<std::ptrdiff_t>{4, 10, 1});
}
