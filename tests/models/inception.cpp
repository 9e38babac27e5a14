// Inception modules of both forms and the auxiliary classifier: PyTorch's values and gradients, channels, costs.
#include <limbic/nn/auxiliary_classifier.hpp>
#include <limbic/nn/inception.hpp>
#include <limbic/nn/summary.hpp>

#include "block_fixture.hpp"

using namespace limbic;

TEST_CASE("Inception modules are PyTorch's, in both forms") {
  rng random{.seed = 1};
  inception<double> one(3, {2, 2, 3, 1, 2, 2}, random);
  check_block(one, "inception.one_5x5");
  inception<double> two(3, {2, 2, 3, 1, 2, 2}, random, {.form = inception_form::two_3x3, .norm = std::nullopt});
  check_block(two, "inception.two_3x3");
}

TEST_CASE("the auxiliary classifier is PyTorch's") {
  rng random{.seed = 1};
  auxiliary_classifier<double> aux(2, 4, random, {.size = {9, 6}, .channels = 3, .hidden = 5, .dropout = 0});
  check_block<2>(aux, "auxiliary");
}

TEST_CASE("the auxiliary classifier drops elements while it is trained, and only then") {
  rng random{.seed = 3};
  auxiliary_classifier<double> const aux(
      2, 4, random, {.size = 5, .channels = 3, .hidden = 40, .dropout = 0.7, .norm = std::nullopt});
  tensor<double, 4> x(shape{1, 2, 5, 5});
  random.normal(x);
  tape t;
  variable<double, 4> const v = t(x);
  variable<double, 2> const used = aux(v, evaluation{}), again = aux(v, evaluation{});
  variable<double, 2> const one = aux(v, training{random}), other = aux(v, training{random});
  for (std::ptrdiff_t i = 0; i < 4; ++i) {
    CHECK(used.value()(0, i) == again.value()(0, i));
    CHECK(one.value()(0, i) != used.value()(0, i));
    CHECK(one.value()(0, i) != other.value()(0, i));
  }
}

TEST_CASE("Inception modules and auxiliary classifiers: channels, costs and mistakes") {
  rng random{.seed = 2};
  inception<float> const module(192, {64, 96, 128, 16, 32, 32}, random, {.norm = std::nullopt});
  CHECK(module.channels() == 256);
  auto const s = summary<float>(module, shape{1, 192, 5, 5});
  CHECK(s.parameters() == 163696);  // 163328 weights as in GoogLeNet's 3a, 368 biases
  CHECK(s.depth == 2);
  CHECK(s.rows.back().shape == std::vector<std::ptrdiff_t>{1, 256, 5, 5});
  CHECK(summary<float>(inception<float>(4, {1, 1, 1, 1, 1, 1}, random, {.form = inception_form::two_3x3}),
                       shape{1, 4, 2, 2})
            .depth == 3);

  auxiliary_classifier<float> const aux(8, 10, random);
  CHECK(aux.fc1.weight.shape() == shape{1024, 128 * 16});
  auto const a = summary<float>(aux, shape{3, 8, 14, 14});
  CHECK(a.parameters() == parameter_count(aux));
  CHECK(a.depth == 3);
  CHECK(a.rows.back().shape == std::vector<std::ptrdiff_t>{3, 10});

  CHECK_THROWS_AS((inception<float>(4, {1, 1, 1, 0, 1, 1}, random)), argument_error);
  CHECK_THROWS_AS((auxiliary_classifier<float>(8, 10, random, {.size = {14, 4}})), argument_error);
  CHECK_THROWS_AS((auxiliary_classifier<float>(8, 10, random, {.stride = 0})), argument_error);
  CHECK_THROWS_AS(summary<float>(aux, shape{3, 8, 14, 13}), shape_error);
}
