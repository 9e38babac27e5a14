// A model's parameters travel by their names, and a file that does not fit changes nothing.
#include <limbic/io/model.hpp>
#include <limbic/models/lstm_autoencoder.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <cmath>
#include <filesystem>

using namespace limbic;

namespace {

struct layer {
  parameter<float, 2> weight{{2, 3}};
  parameter<float, 1> bias{{2}};
  void each(auto f) {
    f("weight", weight);
    f("bias", bias);
  }
};

struct model {
  layer hidden, out;
  tensor<float, 1> running_mean{{4}};
  void each(auto f) {
    f("hidden", hidden);
    f("out", out);
    f("running_mean", running_mean);
  }
};

// The same, and one layer more.
struct larger_model : model {
  layer last;
  void each(auto f) {
    model::each(f);
    f("last", last);
  }
};

struct double_layer {
  parameter<double, 2> weight{{2, 3}};
  parameter<double, 1> bias{{2}};
  void each(auto f) {
    f("weight", weight);
    f("bias", bias);
  }
};

}  // namespace

TEST_CASE("a model is saved and loaded by the names of its parameters") {
  scratch const file;
  model a;
  a.out.weight.value(1, 2) = 7;
  a.hidden.bias.value(0) = -1;
  a.running_mean(3) = 5;
  save(a, file.path.string(), {{"epoch", "3"}});

  safetensors_file const f(file.path.string());
  CHECK(f.names() ==
        std::vector<std::string>{"hidden.bias", "hidden.weight", "out.bias", "out.weight", "running_mean"});
  REQUIRE(f.metadata("epoch") != nullptr);
  CHECK(*f.metadata("epoch") == "3");

  model b;
  load(b, file.path.string());
  CHECK(b.out.weight.value(1, 2) == 7);
  CHECK(b.hidden.bias.value(0) == -1);
  CHECK(b.running_mean(3) == 5);
}

TEST_CASE("a file that does not fit changes nothing") {
  scratch const file;
  larger_model large;
  large.hidden.bias.value(0) = 9;
  save(large, file.path.string());
  model small;
  CHECK_THROWS_AS(load(small, file.path.string()), io_error);
  CHECK(small.hidden.bias.value(0) == 0);
  load(small, file.path.string(), {.allow_extra = true});
  CHECK(small.hidden.bias.value(0) == 9);

  small.hidden.bias.value(0) = 4;
  save(small, file.path.string());
  CHECK_THROWS_AS(load(large, file.path.string(), {.allow_extra = true}), io_error);  // `last` is missing
  CHECK(large.hidden.bias.value(0) == 9);

  model other;
  other.out.weight = parameter<float, 2>({3, 2});
  CHECK_THROWS_AS(load(other, file.path.string()), io_error);
  CHECK(other.hidden.bias.value(0) == 0);
  CHECK_THROWS_AS(load(other, file.path.string() + ".absent"), io_error);
}

TEST_CASE("a float file loads into a model of doubles") {
  scratch const file;
  layer a;
  a.weight.value(1, 1) = 0.1F;
  save(a, file.path.string());
  double_layer b;
  load(b, file.path.string());
  CHECK(b.weight.value(1, 1) == static_cast<double>(0.1F));
}

TEST_CASE("a model that PyTorch saved gives PyTorch's outputs") {
  safetensors_file const file(LIMBIC_SOURCE_DIR "/tests/io/data/torch.safetensors");
  rng random{.seed = 3};
  lstm_autoencoder<double> net({.input_size = 2, .hidden_size = 5, .latent_size = 3, .layers = 2}, random);
  load(net, file, {.allow_extra = true});  // input and outputs lie beside the parameters
  auto const x = file.read<double, 3>("x");
  auto const z = net.encode(x), expected_z = file.read<double, 2>("z");
  auto const y = net(x), expected = file.read<double, 3>("y");
  REQUIRE(y.shape() == expected.shape());
  REQUIRE(z.shape() == expected_z.shape());
  for (std::ptrdiff_t i = 0; i < z.size(); ++i) CHECK(std::abs(z.data()[i] - expected_z.data()[i]) < 1e-14);
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) CHECK(std::abs(y.data()[i] - expected.data()[i]) < 1e-14);

  lstm_autoencoder<float> single({.input_size = 2, .hidden_size = 5, .latent_size = 3, .layers = 2}, random);
  load(single, file, {.allow_extra = true});
  auto const rounded = single(file.read<float, 3>("x"));
  for (std::ptrdiff_t i = 0; i < y.size(); ++i)
    CHECK(std::abs(static_cast<double>(rounded.data()[i]) - expected.data()[i]) < 1e-6);
}
