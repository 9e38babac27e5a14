// The softened categorical draw: examination, exactly one-hot outputs, extremes of the noise, the distribution drawn.
#include "harness.hpp"

#include <limbic/nn/gumbel_softmax.hpp>

using namespace examination;
using namespace limbic;

namespace {

// Noise of x's shape, the same at every call.
template <class X> auto noise_for(X const& x) {
  tensor<element_of<X>, rank_of<X>, device_of<X>> u(x.shape());
  for (std::ptrdiff_t i = 0; i < u.size(); ++i)
    u.data()[i] = make<element_of<X>>(0.02 + 0.96 * draw(static_cast<std::uint64_t>(i) + 77), 0);
  return u;
}

std::vector<std::tuple<shape<2>, shape<0>>> const matrices{
    {at(3, 7), at()}, {at(1, 1), at()}, {at(0, 4), at()}, {at(2, 37), at()}};

}  // namespace

TEST_CASE("gumbel_softmax: logits and temperature through the examination") {
  options const o{.low = 0.4, .high = 2, .ulps = 16, .special = false};
  examine<2, 0>(
      "gumbel_softmax", [](auto const& x, auto const& tau) { return functional::gumbel_softmax(x, noise_for(x), tau); },
      matrices, o);
  examine<3>("gumbel_softmax of axis 1",
             [](auto const& x) { return functional::gumbel_softmax(x, noise_for(x), 0.7, {.axis = 1}); },
             {{at(2, 5, 3)}, {at(2, 0, 3)}}, {.ulps = 16});
}

TEMPLATE_TEST_CASE("hard: exactly one-hot, with the gradient of the soft one", "", scalar, simd) {
  using D = TestType;
  rng random{.seed = 5};
  tensor<float, 2, D> x({40, 9}), noise({40, 9}), weights({40, 9});
  random.normal(x), random.uniform(noise), random.normal(weights);
  auto const soft = functional::gumbel_softmax(x, noise, 0.5);
  auto const hard = functional::gumbel_softmax(x, noise, 0.5, {.hard = true});
  for (std::ptrdiff_t i = 0; i < 40; ++i) {
    float sum = 0;
    std::ptrdiff_t top = 0;
    for (std::ptrdiff_t j = 0; j < 9; ++j) {
      CHECK((hard(i, j) == 0 || hard(i, j) == 1));
      sum += hard(i, j);
      if (soft(i, j) > soft(i, top)) top = j;
    }
    CHECK(sum == 1);
    CHECK(hard(i, top) == 1);
  }
  tape t;
  auto const a = t.variable(x), b = t.variable(x);
  auto const ta = t.variable(tensor<float, 0, D>(shape<0>{}, 0.5F)),
             tb = t.variable(tensor<float, 0, D>(shape<0>{}, 0.5F));
  t.seed(functional::gumbel_softmax(a, noise, ta), weights);
  auto const y = functional::gumbel_softmax(b, noise, tb, {.hard = true});
  t.seed(y, weights);
  for (std::ptrdiff_t i = 0; i < hard.size(); ++i) CHECK(y.value().data()[i] == hard.data()[i]);
  t.backward();
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) CHECK(a.gradient().data()[i] == b.gradient().data()[i]);
  CHECK(ta.gradient()() == tb.gradient()());

  tensor<float, 1, D> const same({3}, 2.0F), half({3}, 0.5F);
  auto const tie = functional::gumbel_softmax(same, half, 1, {.hard = true});  // the first
  CHECK(tie(0) == 1);
  CHECK(tie(1) == 0);
}

TEMPLATE_TEST_CASE("noise of 0 and of 1, large logits, low temperatures: finite", "", float, double) {
  tensor<TestType, 1> const noise({5}, {0, 1, TestType(0.5), std::numeric_limits<TestType>::denorm_min(), 1});
  for (double const tau : {1e-3, 1.0, 100.0})
    for (double const size : {0.0, 1e4}) {
      tensor<TestType, 1> x({5});
      for (int i = 0; i < 5; ++i) x(i) = static_cast<TestType>(size * (i % 2 == 0 ? 1 : -1));
      tape t;
      auto const v = t.variable(x);
      auto const temperature = t.variable(tensor<TestType, 0>(shape<0>{}, static_cast<TestType>(tau)));
      auto const y = functional::gumbel_softmax(v, noise, temperature);
      t.backward(y, tensor<TestType, 1>({5}, {1, 2, 3, 4, 5}));
      double total = 0;
      for (int i = 0; i < 5; ++i) {
        total += static_cast<double>(y.value()(i));
        CHECK(std::isfinite(v.gradient()(i)));
      }
      CHECK(total == Approx(1));
      CHECK(std::isfinite(temperature.gradient()()));
    }
  tensor<TestType, 1> x({2}, {1, std::numeric_limits<TestType>::quiet_NaN()});
  tensor<TestType, 1> const half({2}, TestType(0.5));
  CHECK(std::isnan(functional::gumbel_softmax(x, half, 1)(0)));
  CHECK(std::isnan(functional::gumbel_softmax(x, half, 1, {.hard = true})(1)));
}

TEST_CASE("gumbel_softmax: what is refused") {
  tensor<float, 1> const x({3}), noise({3}), other({2});
  CHECK_THROWS_WITH(functional::gumbel_softmax(x, noise, 0),
                    "[gumbel_softmax] the temperature must be positive, but is 0");
  CHECK_THROWS_AS(functional::gumbel_softmax(x, noise, -1), argument_error);
  CHECK_THROWS_AS(functional::gumbel_softmax(x, noise, std::nan("")), argument_error);
  CHECK_THROWS_AS(functional::gumbel_softmax(x, noise, tensor<float, 0>(shape<0>{}, -2.0F)), argument_error);
  CHECK_THROWS_AS(functional::gumbel_softmax(x, other, 1), shape_error);
  CHECK_THROWS_AS(functional::gumbel_softmax(x, noise, 1, {.axis = 1}), index_error);
  CHECK_THROWS_AS(gumbel_softmax(0), argument_error);
}

TEST_CASE("the layer draws with the probabilities of the softmax, and settles on the largest") {
  rng random{.seed = 15};
  tensor<float, 2> x({20000, 3});
  for (std::ptrdiff_t i = 0; i < 20000; ++i) x(i, 0) = 0, x(i, 1) = std::log(2.0F), x(i, 2) = std::log(5.0F);
  gumbel_softmax choose(0.3, {.hard = true});
  auto const y = choose(x, training{random});
  double share[3] = {};
  for (std::ptrdiff_t i = 0; i < 20000; ++i)
    for (int j = 0; j < 3; ++j) share[j] += static_cast<double>(y(i, j)) / 20000;
  for (int j = 0; j < 3; ++j) {
    double const p = j == 0 ? 0.125 : j == 1 ? 0.25 : 0.625;
    CHECK(share[j] == Approx(p).margin(4 * std::sqrt(p * (1 - p) / 20000)));
  }
  choose.hard = false;
  auto const settled = choose(x, evaluation{});
  CHECK(settled(7, 0) == 0);
  CHECK(settled(7, 2) == 1);
}
