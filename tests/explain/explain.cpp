// Grad-CAM, guided backpropagation and guided Grad-CAM: what PyTorch says of the same network; names of layers; what is left
// alone.
#include <limbic/explain.hpp>
#include <limbic/io/model.hpp>
#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/ops/elu.hpp>
#include <limbic/ops/leaky_relu.hpp>
#include <limbic/ops/max_pool.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/tape/checkpoint.hpp>

#include "../catch.hpp"

#include <cmath>

using namespace limbic;

namespace {

struct network {
  conv2d<double> c1, c2;
  batch_norm<double> norm{5};
  linear<double> hidden, out;

  explicit network(rng& random)
      : c1(2, 5, 3, random, {.padding = 1}), c2(5, 7, 3, random), hidden(7 * 3 * 2, 8, random), out(8, 4, random) {}
  auto operator()(auto const& x, auto mode) const {
    auto const y = relu(c2(max_pool2d(norm(elu(c1(x)), mode), 2)));
    return out(elu(hidden(reshape(y, shape{x.shape()[0], 42}))));
  }
  void each(auto f) { f("c1", c1), f("c2", c2), f("norm", norm), f("hidden", hidden), f("out", out); }
};

safetensors_file const& from_torch() {
  static safetensors_file const file(LIMBIC_SOURCE_DIR "/tests/explain/data/explain.safetensors");
  return file;
}
network stored_net() {
  rng random{.seed = 1};
  network net(random);
  load(net, from_torch(), {.allow_extra = true});  // images and results lie beside the parameters
  return net;
}
tensor<double, 4> images() { return from_torch().read<double, 4>("x"); }
tensor<std::int64_t, 1> classes() { return from_torch().read<std::int64_t, 1>("classes"); }

template <int R> void check_same(tensor<double, R> const& a, char const* name) {
  auto const b = from_torch().read<double, R>(name);
  REQUIRE(a.shape() == b.shape());
  double most = 0, largest = 0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
    largest = std::max(largest, std::abs(b.data()[i]));
  }
  CAPTURE(name);
  CHECK(largest > 0);
  CHECK(most <= 1e-13 * largest);
}

}  // namespace

TEST_CASE("Grad-CAM of every layer is PyTorch's") {
  auto const net = stored_net();
  for (std::string const layer : {"c1", "elu", "norm", "max_pool", "c2", "relu"})
    check_same(grad_cam(net, images(), classes(), {.layer = layer}), ("grad_cam." + layer).c_str());
  check_same(grad_cam(net, images(), classes()), "grad_cam.relu");
  check_same(grad_cam(net, images(), classes(), {.layer = "relu:0"}), "grad_cam.relu");
}

TEST_CASE("guided backpropagation and guided Grad-CAM are PyTorch's") {
  auto const net = stored_net();
  check_same(guided_backpropagation(net, images(), classes()), "guided");
  check_same(guided_grad_cam(net, images(), classes()), "guided_grad_cam");
}

TEST_CASE("explaining touches no parameter, no gradient and no running statistic") {
  auto const net = stored_net();
  {
    tape t;
    t.backward(sum(net(t(images()), evaluation{})));
  }
  tensor<double, 4> const gradient(net.c1.weight.gradient());
  tensor<double, 1> const mean = net.norm.running_mean;
  (void)guided_grad_cam(net, images(), classes());
  CHECK(std::equal(gradient.data(), gradient.data() + gradient.size(), net.c1.weight.gradient().data()));
  CHECK(std::equal(mean.data(), mean.data() + mean.size(), net.norm.running_mean.data()));
}

TEST_CASE("frozen parameters do not keep a network from being explained") {
  auto net = stored_net();
  visit_parameters(net, [](std::string_view, auto& p) { p.trainable = false; });
  check_same(grad_cam(net, images(), classes()), "grad_cam.relu");
  check_same(guided_backpropagation(net, images(), classes()), "guided");
}

TEST_CASE("no images, no maps") {
  auto const net = stored_net();
  tensor<double, 4> const none({0, 2, 10, 9});
  tensor<std::int64_t, 1> const of_none({0});
  CHECK(grad_cam(net, none, of_none).shape() == shape{0, 3, 2});
  CHECK(guided_grad_cam(net, none, of_none).shape() == shape{0, 2, 10, 9});
}

TEST_CASE("layers have the names of a summary") {
  auto const net = stored_net();
  auto const layers = image_layers_of<double>(net, shape{1, 2, 10, 9});
  std::string names;
  for (auto const& l : layers.all()) names += l.name + " ";
  CHECK(names == "c1 elu norm max_pool c2 relu ");
  CHECK(layers.find("") == layers.find("relu"));
  CHECK_THROWS_WITH(layers.find("c3"),
                    "[explain] no layer 'c3' makes images; there are c1, elu, norm, max_pool, c2, relu");
  for (char const* name : {"relu:1", "relu:", "hidden", ":0"}) CHECK_THROWS_AS(layers.find(name), argument_error);
  CHECK_THROWS_AS(grad_cam(net, images(), tensor<std::int64_t, 1>({4}, 4)), index_error);
}

TEST_CASE("a rectifier lets back what is positive on both ways") {
  tensor<double, 1> const x({4}, {-1, 2, 3, 0});
  tensor<double, 1> const dy({4}, {1, -1, 2, 1});
  auto const guided = [&](auto f) {
    tape t;
    auto const v = t.variable(x);
    return detail::gradients_by(true, sum(f(v) * t(dy)), v);
  };
  auto const check = [](tensor<double, 1> const& g) {
    CHECK(std::vector<double>(g.data(), g.data() + g.size()) == std::vector<double>{0, 0, 2, 0});
  };
  check(guided([](auto const& v) { return relu(v); }));
  check(guided([](auto const& v) { return relu6(v); }));
  check(guided([](auto const& v) { return elu(v, {.alpha = 0.5}); }));
  check(guided([](auto const& v) { return leaky_relu(v, {.negative_slope = 0.2}); }));
  check(guided([](auto const& v) { return checkpoint([](auto const& a) { return relu(a); }, v); }));
}
