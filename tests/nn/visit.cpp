// A model's parameters are visited in order, under PyTorch's names, through arrays and optionals, const or not.
#include <limbic/core/visit.hpp>

#include "../catch.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

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

struct network {
  std::array<layer, 2> layers;
  std::vector<layer> more = std::vector<layer>(1);
  layer heads[1];
  std::optional<layer> absent, present = layer();
  tensor<float, 1> running_mean{{4}};
  parameter<double, 0> scale{shape<0>{}};
  void each(auto f) {
    f("layers", layers);
    f("more", more);
    f("heads", heads);
    f("absent", absent);
    f("present", present);
    f("running_mean", running_mean);
    f("scale", scale);
  }
};

struct wrapper {
  network inner;
  void each(auto f) { f("", inner); }
};

struct talkative {
  layer inner;
  std::string name = std::string(200, 'x');
  void each(auto f) { f(std::string_view(name), inner); }
};

std::vector<std::string> names_of(auto& model) {
  std::vector<std::string> names;
  visit_parameters(model, [&](std::string_view name, auto&) { names.emplace_back(name); });
  return names;
}

}  // namespace

TEST_CASE("parameters are visited under dotted names") {
  network net;
  std::vector<std::string> const expected{
      "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "more.0.weight", "more.0.bias",
      "heads.0.weight",  "heads.0.bias",  "present.weight",  "present.bias",  "scale"};
  CHECK(names_of(net) == expected);
  CHECK(names_of(std::as_const(net)) == expected);
  wrapper const outer;
  CHECK(names_of(outer) == expected);

  std::vector<std::string> state;
  visit_state(net, [&](std::string_view name, auto&) { state.emplace_back(name); });
  CHECK(state.size() == expected.size() + 1);
  CHECK(state[10] == "running_mean");
}

TEST_CASE("a const model gives const parameters, another gives them as they are") {
  layer l;
  visit_parameters(std::as_const(l), [](std::string_view, auto& p) {
    static_assert(std::is_const_v<std::remove_reference_t<decltype(p)>>);
  });
  visit_parameters(l, [](std::string_view, auto& p) { p.value.data()[0] = 3; });
  CHECK(l.weight.value(0, 0) == 3);
  CHECK(l.bias.value(0) == 3);
}

TEST_CASE("counting, clearing, freezing") {
  network net;
  CHECK(parameter_count(net) == 5 * 8 + 1);
  net.heads[0].bias.gradient_storage();
  net.heads[0].bias.set_has_gradient();
  clear_gradients(net);
  CHECK_FALSE(net.heads[0].bias.has_gradient());
  set_trainable(net, false);
  CHECK_FALSE(net.layers[1].weight.trainable);
  CHECK_FALSE(net.scale.trainable);
  parameter<float, 1> alone({5});
  CHECK(parameter_count(alone) == 5);
}

TEST_CASE("a name that does not fit is an error") {
  talkative model;
  CHECK_THROWS_AS(clear_gradients(model), argument_error);
}
