// EmoSynthNet: what PyTorch computes with the same parameters, in both modes, and back; shapes; second training steps.
#include <limbic/io/model.hpp>
#include <limbic/models/emosynthnet.hpp>
#include <limbic/nn/summary.hpp>
#include <limbic/tape/record.hpp>

#include "../catch.hpp"
#include "../scratch.hpp"

#include <cmath>

using namespace limbic;

namespace {

safetensors_file const& from_torch() {
  static safetensors_file const file(LIMBIC_SOURCE_DIR "/tests/models/data/emosynthnet.safetensors");
  return file;
}
emosynthnet<double> stored_net() {
  rng random{.seed = 1};
  emosynthnet<double> net({.channels = 1, .classes = 3, .size = 16, .width = 1, .dropout = 0}, random);
  load(net, from_torch(), {.allow_extra = true});  // inputs and results lie beside the parameters
  return net;
}
// The largest difference, in units of the largest element (or 1).
template <class A, class B> double difference(A const& a, B const& b) {
  REQUIRE(a.shape() == b.shape());
  double most = 0, scale = 1;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
    scale = std::max(scale, std::abs(b.data()[i]));
  }
  return most / scale;
}

template <class Mode> void check_against_torch(std::string const& mode, Mode m) {
  auto const net = stored_net();
  auto const& file = from_torch();
  tape t;
  auto const x = t.variable(file.read<double, 4>("x"));
  auto const y = net(x, m);
  CHECK(difference(y.value(), file.read<double, 2>(mode + ".logits")) < 1e-12);
  t.backward(y, file.read<double, 2>("cotangent"));
  auto const gradient = [&]<int R>(std::integral_constant<int, R>, auto const& of, char const* name) {
    CAPTURE(name);
    CHECK(difference(of.gradient(), file.read<double, R>(mode + ".gradient." + name)) < 1e-11);
  };
  gradient(std::integral_constant<int, 4>(), x, "x");
  gradient(std::integral_constant<int, 4>(), net.b1[0].conv.weight, "b1.0.0.weight");
  gradient(std::integral_constant<int, 1>(), net.b3[1].norm.weight, "b3.1.2.weight");
  gradient(std::integral_constant<int, 4>(), net.s[0].c3.weight, "s1.c3.weight");
  gradient(std::integral_constant<int, 1>(), net.s[1].a1.bias, "s2.a1.bias");
  gradient(std::integral_constant<int, 4>(), net.t2.weight, "t2.weight");
}

}  // namespace

TEST_CASE("EmoSynthNet: logits and gradients are PyTorch's, by running statistics") {
  check_against_torch("eval", evaluation{});
}
TEST_CASE("EmoSynthNet: logits and gradients are PyTorch's, by the batch's statistics") {
  rng random{.seed = 1};
  check_against_torch("train", training{random});
}

TEST_CASE("EmoSynthNet: a saved network is the same network") {
  auto const net = stored_net();
  scratch const file;
  save(net, file);
  rng random{.seed = 5};
  emosynthnet<double> again({.channels = 1, .classes = 3, .size = 16, .width = 1, .dropout = 0}, random);
  load(again, file);
  auto const x = from_torch().read<double, 4>("x");
  CHECK(difference(again(x, evaluation{}), net(x, evaluation{})) == 0);
}

TEST_CASE("EmoSynthNet: sizes, widths, branches and orders") {
  rng random{.seed = 2};
  emosynthnet<float> const full({.channels = 3, .classes = 10, .size = 32}, random);
  auto const s = summary<float>(full, shape{1, 3, 32, 32});
  CHECK(s.parameters() == parameter_count(full));
  CHECK(s.parameters() == 29293002);
  CHECK(s.depth == 20);
  emosynthnet<float> const wide({.channels = 1, .classes = 7, .size = {28, 50}, .width = 2, .side = false}, random);
  CHECK(summary<float>(wide, shape{2, 1, 28, 50}).rows.back().shape == std::vector<std::ptrdiff_t>{2, 7});
  emosynthnet<float> const other({.channels = 1, .classes = 2, .size = 16, .width = 1, .order = unit_order::norm},
                                 random);
  tape t;
  tensor<float, 4> x(shape{2, 1, 16, 16});
  random.normal(x);
  auto const y = other(t(x), training{random});
  t.backward(sum(y));
  CHECK(other.b1[0].norm.num_batches_tracked() == 1);
  tensor<float, 4> const g(other.b4[2].conv.weight.gradient());
  for (float const v : g) CHECK(std::isfinite(v));

  CHECK_THROWS_AS(other(tensor<float, 4>(shape{2, 1, 16, 17}), evaluation{}), shape_error);
  CHECK_THROWS_AS(other(tensor<float, 4>(shape{2, 3, 16, 16}), evaluation{}), shape_error);
  CHECK_THROWS_AS((emosynthnet<float>({.size = {16, 15}}, random)), argument_error);
  CHECK_THROWS_AS((emosynthnet<float>({.classes = 0}, random)), argument_error);
}

TEST_CASE("EmoSynthNet: in use, unrecorded calls compute what recorded ones do, and training goes on as before") {
  for (auto const order : {unit_order::activation, unit_order::norm}) {
    auto const run = [&](bool evaluates) {
      rng random{.seed = 7};
      emosynthnet<double> net({.channels = 1, .classes = 3, .size = {17, 16}, .width = 2, .dropout = 0, .order = order},
                              random);
      tensor<double, 4> x(shape{3, 1, 17, 16});
      random.normal(x);
      for (int step = 0; step < 2; ++step) {
        if (evaluates) {
          tape t;
          CHECK(difference(net(x, evaluation{}), net(t(x), evaluation{}).value()) < 1e-12);
          CHECK(difference(net(x.view(), evaluation{}), net(x, evaluation{})) == 0);
        }
        tape t;
        t.backward(sum(net(t(x), training{random})));
      }
      CHECK(net.b1[0].norm.num_batches_tracked() == 2);
      std::vector<double> state;
      visit_state(net, [&](std::string_view, auto const& member) {
        if constexpr (is_parameter<std::remove_cvref_t<decltype(member)>>) {
          for (double const v : member.value) state.push_back(v);
          for (double const v : tensor(member.gradient())) state.push_back(v);
        } else {
          for (auto const v : member) state.push_back(static_cast<double>(v));
        }
      });
      return state;
    };
    CHECK(run(true) == run(false));
  }
}
