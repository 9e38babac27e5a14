// Batch and layer normalisation through the examination, and what it does not see: statistics, small variances, errors.
#include "harness.hpp"

#include <limbic/ops/batch_norm.hpp>
#include <limbic/ops/layer_norm.hpp>
#include <limbic/ops/sum.hpp>

using namespace examination;
using namespace limbic;

namespace normalizing {

options const sums{.ulps = 256, .ordered = false, .tolerance = 1e-5};

// Statistics of the type and on the device of x.
template <class X> auto statistic(X const& x, double first) {
  using T = base_of<element_of<X>>;
  tensor<T, 1, device_of<X>> s(shape<1>{{x.shape()[1]}});
  for (std::ptrdiff_t i = 0; i < s.size(); ++i) s.data()[i] = static_cast<T>(first + 0.25 * static_cast<double>(i));
  return s;
}
template <bool Training> struct normalize {
  template <class X, class... P> auto operator()(X const& x, P const&... p) const {
    auto mean = statistic(x, -0.5), var = statistic(x, 0.75);
    return functional::batch_norm(x, mean, var, p..., {.training = Training, .eps = 1e-3});
  }
};

TEST_CASE("batch_norm: examined") {
  examine<4, 1, 1>("batch_norm, training", normalize<true>(),
                   {{at(3, 2, 3, 5), at(2), at(2)}, {at(7, 3, 1, 2), at(3), at(3)}, {at(0, 2, 3, 3), at(2), at(2)}},
                   sums);
  examine<2>("batch_norm, training without weight", normalize<true>(), {{at(9, 3)}, {at(5, 1)}}, sums);
  examine<3, 1, 1>("batch_norm, in use", normalize<false>(),
                   {{at(2, 3, 7), at(3), at(3)}, {at(1, 2, 1), at(2), at(2)}, {at(0, 2, 3), at(2), at(2)}}, sums);
}

TEST_CASE("batch_norm: a small variance beside a large mean") {
  tensor<float, 2> x({1000, 1});
  for (std::ptrdiff_t i = 0; i < 1000; ++i) x(i, 0) = 4096 + static_cast<float>(i % 2) * 0x1p-10F;
  tensor<float, 1> mean({1}), var({1}, 1.0F);
  auto const y = functional::batch_norm(x, mean, var, {.training = true, .momentum = 1, .eps = 0});
  CHECK(y(0, 0) == Approx(-1));
  CHECK(y(1, 0) == Approx(1));
  CHECK(mean(0) == Approx(4096 + 0x1p-11));
  CHECK(var(0) == Approx(0x1p-22 * 1000 / 999));
  tensor<float, 2> const constant({5, 1}, 1e30F);
  auto const z = functional::batch_norm(constant, mean, var, {.training = true});
  for (float v : z) CHECK(v == 0);
}

TEST_CASE("batch_norm: bad input") {
  tensor<float, 1> mean({2}), var({2}, 1.0F), three({3}, 1.0F), two({2}, 1.0F);
  tensor<float, 3> const x({2, 2, 3}), one({1, 2, 1});
  CHECK_THROWS_AS(functional::batch_norm(x, three, var), shape_error);
  CHECK_THROWS_AS(functional::batch_norm(x, mean, three), shape_error);
  CHECK_THROWS_AS(functional::batch_norm(x, mean, var, three, two), shape_error);
  CHECK_THROWS_AS(functional::batch_norm(x, mean, var, two, three), shape_error);
  CHECK_THROWS_AS(functional::batch_norm(one, mean, var, {.training = true}), shape_error);
  CHECK(functional::batch_norm(one, mean, var).size() == 2);
  tensor<float, 3> const none({0, 2, 3});
  CHECK(functional::batch_norm(none, mean, var, {.training = true}).size() == 0);
  CHECK(mean(0) == 0);
  CHECK(var(0) == 1);
}

TEST_CASE("layer_norm: examined") {
  examine<3, 2, 2>(
      "layer_norm, two axes",
      [](auto const& x, auto const& w, auto const& b) {
        return functional::layer_norm(x, w.shape(), w, b, {.eps = 1e-3});
      },
      {{at(3, 2, 5), at(2, 5), at(2, 5)}, {at(0, 2, 3), at(2, 3), at(2, 3)}}, sums);
  examine<2>(
      "layer_norm, without weight",
      [](auto const& x) { return functional::layer_norm(x, shape{x.shape()[1]}, {.eps = 1e-3}); },
      {{at(4, 9)}, {at(1, 5)}, {at(3, 40)}}, sums);
}

TEST_CASE("layer_norm of one element is its bias, whose gradient alone is not 0") {
  tape t;
  auto const x = t.variable(tensor<double, 2>({2, 1}, {3, -4}));
  auto const weight = t.variable(tensor<double, 1>({1}, {2})), bias = t.variable(tensor<double, 1>({1}, {0.5}));
  auto const y = functional::layer_norm(x, shape{1}, weight, bias);
  for (double const v : tensor<double, 2>(y.value())) CHECK(v == 0.5);
  t.backward(sum(y));
  for (double const g : tensor<double, 2>(x.gradient())) CHECK(std::abs(g) < 1e-10);
  CHECK(weight.gradient()(0) == 0);
  CHECK(bias.gradient()(0) == 2);
}

TEST_CASE("layer_norm: a small variance beside a large mean, and bad input") {
  tensor<float, 1> x({1000});
  for (std::ptrdiff_t i = 0; i < 1000; ++i) x(i) = 4096 + static_cast<float>(i % 2) * 0x1p-10F;
  auto const y = functional::layer_norm(x, shape{1000}, {.eps = 0});
  CHECK(y(0) == Approx(-1));
  CHECK(y(1) == Approx(1));
  tensor<float, 2> const z({3, 4}), w({3, 4}), v({4, 3});
  CHECK_THROWS_AS(functional::layer_norm(z, shape{3}), shape_error);
  CHECK_THROWS_AS(functional::layer_norm(z, shape{3, 4}, w, v), shape_error);
  CHECK_THROWS_AS(functional::layer_norm(z, shape{3, 4}, v, w), shape_error);
}

}  // namespace normalizing
