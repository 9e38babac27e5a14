// Layers: shapes, names, starts, and that a mode is a property of the call.
#include <limbic/core/visit.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/nn/dropout.hpp>
#include <limbic/nn/layer_list.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/tape/record.hpp>

#include "../catch.hpp"

#include <cmath>
#include <string>
#include <vector>

using namespace limbic;

namespace {

template <class M> std::vector<std::string> names_of(M const& model) {
  std::vector<std::string> names;
  visit_parameters(model, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  return names;
}

double mean_of(auto const& t) {
  double s = 0;
  for (auto x : t) s += static_cast<double>(x);
  return s / static_cast<double>(t.size());
}
double variance_of(auto const& t) {
  double const m = mean_of(t);
  double s = 0;
  for (auto x : t) s += (static_cast<double>(x) - m) * (static_cast<double>(x) - m);
  return s / static_cast<double>(t.size());
}

}  // namespace

TEST_CASE("linear: a layer with and without a bias") {
  rng random{.seed = 1};
  linear<double> const with(3, 2, random), without(3, 2, random, {.bias = false});
  CHECK(names_of(with) == std::vector<std::string>{"weight", "bias"});
  CHECK(names_of(without) == std::vector<std::string>{"weight"});
  CHECK(parameter_count(with) == 8);
  for (double w : with.weight.value) CHECK(std::abs(w) <= 1 / std::sqrt(3.0));
  for (double b : with.bias.value) CHECK(std::abs(b) <= 1 / std::sqrt(3.0));

  tensor<double, 3> x({2, 1, 3}, {1, 2, 3, -1, 0, 5});
  auto const y = with(x);
  auto const z = without(x);
  REQUIRE(y.shape() == shape<3>{{2, 1, 2}});
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) {
      double a = 0, b = 0;
      for (int k = 0; k < 3; ++k) {
        a += x(i, 0, k) * with.weight.value(j, k);
        b += x(i, 0, k) * without.weight.value(j, k);
      }
      CHECK(y(i, 0, j) == Approx(a + with.bias.value(j)));
      CHECK(z(i, 0, j) == Approx(b));
    }

  tape t;
  auto const v = without(t(x));
  t.backward(v, tensor<double, 3>(v.shape(), 1.0));
  CHECK(without.weight.gradient()(1, 2) == Approx(8));
  CHECK_FALSE(without.bias.has_gradient());
  CHECK_THROWS_AS(linear<float>(0, 2, random), argument_error);
  CHECK_THROWS_AS(with(tensor<double, 2>({1, 4})), shape_error);
}

TEST_CASE("convolutions: shapes, names and starts of the layers") {
  rng random{.seed = 2};
  conv2d<float> const c(4, 6, {3, 5}, random, {.stride = {2, 1}, .padding = {1, 2}, .groups = 2});
  CHECK(c.weight.shape() == shape<4>{{6, 2, 3, 5}});
  CHECK(names_of(c) == std::vector<std::string>{"weight", "bias"});
  float most = 0;
  for (float const w : c.weight.value) most = std::max(most, std::abs(w));
  CHECK(most <= 1 / std::sqrt(30.0F));
  CHECK(most > 0.9F / std::sqrt(30.0F));
  tensor<float, 4> const x(shape<4>{{2, 4, 8, 8}}, 1.0F);
  CHECK(c(x).shape() == shape<4>{{2, 6, 4, 8}});
  conv_transpose2d<float> const up(6, 4, 2, random, {.stride = 2, .bias = false});
  CHECK(up.weight.shape() == shape<4>{{6, 4, 2, 2}});
  CHECK(names_of(up) == std::vector<std::string>{"weight"});
  CHECK(up(c(x)).shape() == shape<4>{{2, 4, 8, 16}});
  conv1d<float> const s(2, 3, 5, random, {.padding = same_padding});
  CHECK(s(tensor<float, 3>(shape<3>{{1, 2, 9}}, 1.0F)).shape() == shape<3>{{1, 3, 9}});

  tape t;
  auto const y = c(t(x));
  t.backward(sum(y));
  CHECK(c.bias.gradient()(0) == Approx(64));
  CHECK_THROWS_AS((conv2d<float>(3, 6, 3, random, {.groups = 2})), argument_error);
  CHECK_THROWS_AS((conv2d<float>(2, 6, {3, 0}, random)), argument_error);
  CHECK_THROWS_AS((conv_transpose1d<float>(2, 6, 3, random, {.stride = 0})), argument_error);
}

TEST_CASE("dropout: evaluation changes nothing, training keeps the mean") {
  rng random{.seed = 5};
  dropout const drop(0.25);
  tensor<float, 2> const x({100, 40}, 1.0F);
  auto const same = drop(x, evaluation{});
  for (float v : same) CHECK(v == 1);
  CHECK(drop(x.view().transpose(), evaluation{}).shape() == shape<2>{{40, 100}});

  auto const y = drop(x, training{random});  // no tape here: the mode decides, not the recording
  std::ptrdiff_t zeros = 0;
  for (float v : y) {
    zeros += v == 0;
    CHECK((v == 0 || v == Approx(1 / 0.75)));
  }
  CHECK(zeros > 900);
  CHECK(zeros < 1100);

  tape t;
  auto const v = t.variable(x);
  auto const w = drop(v, training{random});
  t.backward(w, tensor<float, 2>(x.shape(), 1.0F));
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) CHECK(v.gradient().data()[i] == w.value().data()[i]);
  auto const u = drop(v, evaluation{});
  CHECK(u.value().data() == v.value().data());

  rng first{.seed = 9}, second{.seed = 9};
  auto const a = drop(x, training{first}), b = drop(x, training{second});
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) CHECK(a.data()[i] == b.data()[i]);
  CHECK_THROWS_AS(dropout(1.0), argument_error);
}

TEST_CASE("a list whose layer cannot be made destroys those before it") {
  struct layer {
    std::ptrdiff_t& alive;
    explicit layer(std::ptrdiff_t& count) : alive(count) { ++alive; }
    layer(layer const&) = delete;
    ~layer() { --alive; }
  };
  std::ptrdiff_t alive = 0;
  auto const make = [&](std::ptrdiff_t i) {
    if (i == 2) fail<argument_error>("make", "no third");
    return layer(alive);
  };
  CHECK_THROWS_AS(layer_list<layer>(4, make), argument_error);
  CHECK(alive == 0);
  CHECK(layer_list<layer>(2, make).size() == 2);
  CHECK(alive == 0);
}

TEST_CASE("initialisers: bounds and variances") {
  rng random{.seed = 3};
  tensor<float, 4> w({64, 32, 3, 3});  // in 288, out 576
  init::kaiming_uniform(w, random, {.slope = std::sqrt(5.0)});
  for (float x : w) REQUIRE(std::abs(x) <= 1 / std::sqrt(288.0));
  CHECK(variance_of(w) == Approx(1 / (3 * 288.0)).epsilon(0.05));
  init::kaiming_normal(w, random, {.mode = init::fan::out, .follows = init::nonlinearity::relu});
  CHECK(variance_of(w) == Approx(2 / 576.0).epsilon(0.05));
  CHECK(mean_of(w) == Approx(0).margin(0.002));
  init::xavier_uniform(w, random, init::gain(init::nonlinearity::tanh));
  CHECK(variance_of(w) == Approx(25.0 / 9 * 2 / (288 + 576)).epsilon(0.05));
  init::xavier_normal(w, random);
  CHECK(variance_of(w) == Approx(2.0 / (288 + 576)).epsilon(0.05));
  init::normal(w, random, 2, 0.5);
  CHECK(mean_of(w) == Approx(2).epsilon(0.02));
  CHECK(variance_of(w) == Approx(0.25).epsilon(0.05));
  parameter<float, 1> p({4});
  init::constant(p, 3);
  CHECK(p.value(2) == 3);
  init::zeros(p.value.view());
  CHECK(p.value(2) == 0);
  tensor<float, 2> none({0, 3});
  CHECK_THROWS_AS(init::xavier_normal(none, random), shape_error);
}

TEST_CASE("orthogonal weights: the shorter side's vectors are orthonormal") {
  rng random{.seed = 4};
  for (auto const& s : {shape<2>{{7, 4}}, shape<2>{{4, 7}}, shape<2>{{30, 30}}, shape<2>{{1, 5}}}) {
    tensor<double, 2> w(s);
    init::orthogonal(w, random, 3);
    bool const wide = s[0] < s[1];
    std::ptrdiff_t const n = wide ? s[0] : s[1], length = wide ? s[1] : s[0];
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = 0; j <= i; ++j) {
        double d = 0;
        for (std::ptrdiff_t k = 0; k < length; ++k) d += wide ? w(i, k) * w(j, k) : w(k, i) * w(k, j);
        CHECK(d == Approx(i == j ? 9 : 0).margin(1e-13));
      }
  }
  parameter<float, 3> kernel({4, 2, 3});
  init::orthogonal(kernel, random);
  float d = 0;
  for (int c = 0; c < 2; ++c)
    for (int k = 0; k < 3; ++k) d += kernel.value(0, c, k) * kernel.value(3, c, k);
  CHECK(d == Approx(0).margin(1e-6));
}
