// signal/objectives.cpp - losses over pairs and regularisers: values by hand, extremes, derivatives; what a branch costs
#include "../matrix_support.hpp"

#include <limbic/nn/linear.hpp>
#include <limbic/signal/complexity.hpp>
#include <limbic/signal/pair_objectives.hpp>
#include <limbic/signal/regularizers.hpp>

using namespace limbic;

namespace {

using numbers = tensor<double, 1, simd>;
using number = tensor<double, 0, simd>;
using label_list = tensor<std::int64_t, 1, simd>;

number one(double x) { return number(shape<0>{}, x); }

// -log sigmoid(x), -log(1 - sigmoid(x))
double minus_log_p(double x) { return x > 0 ? std::log1p(std::exp(-x)) : -x + std::log1p(std::exp(x)); }

struct combined {
  label_list const& labels;
  auto operator()(auto const& d, auto const& alpha, auto const& eta, auto const& zeta) const {
    return combined_objective(d, labels, alpha, eta, zeta, mean(d * d),
                              {.lambda_ce = 0.7, .lambda_ctr = 1.5, .lambda_reg = 0.3, .mu = 0.5, .margin = 2});
  }
};
struct regularized {
  auto operator()(auto const& z) const {
    return series_regularizer(z, {.energy_epsilon = 3, .energy = 0.5, .smoothness = 0.2, .l1_difference = 0.1});
  }
};

}  // namespace

TEST_CASE("pair objectives by hand") {
  numbers const d({4}, {0.5, 2, 0.25, 3});
  label_list const y({4}, {1, 1, 0, 0});
  double const alpha = 1, w = 2, tau = 4;
  double logistic = 0;
  for (std::ptrdiff_t k = 0; k < 4; ++k) logistic += minus_log_p((y(k) == 1 ? 1 : -1) * (alpha - w * d(k) / tau));
  number const a = one(alpha), eta = one(std::log(w)), zeta = one(std::log(tau));
  CHECK(pairwise_logistic(d, y, a, eta, zeta)() == Approx(logistic));
  CHECK(contrastive_margin(d, y, {.mu = 0.5, .margin = 1})() == Approx(2.5 + 0.5 * 0.75));
  CHECK(combined_objective(d, y, a, eta, zeta, one(7),
                           {.lambda_ce = 2, .lambda_ctr = 3, .lambda_reg = 0.5, .mu = 0.5})() ==
        Approx(2 * logistic + 3 * 2.875 + 3.5));
  tensor<bool, 1> const flags({4}, {true, true, false, false});
  CHECK(pairwise_logistic(d, flags, a, eta, zeta)() == Approx(logistic));
  numbers const as_numbers({4}, {1, 1, 0, 0});
  CHECK(pairwise_logistic(d, as_numbers, a, eta, zeta)() == Approx(logistic));
  numbers const none(shape<1>{{0}});
  CHECK(combined_objective(none, label_list(shape<1>{{0}}), a, eta, zeta, one(0))() == 0);

  logistic_pairs<double, simd> model;
  CHECK(parameter_count(model) == 3);
  CHECK(distance(model(d), pair_logits(d, one(0), one(0), one(0))) == 0);
  tape t;
  t.backward(pairwise_logistic(t.variable(d), y, model.alpha, model.eta, model.zeta));
  CHECK(model.eta.gradient()() == Approx(-model.zeta.gradient()()));
}

TEST_CASE("pair objectives: derivatives") {
  label_list const y({5}, {1, 0, 0, 1, 0});
  numbers const d({5}, {0.5, 1.5, 3, 0, -0.25});
  number const alpha = one(0.3), eta = one(0.5), zeta = one(-0.25);
  auto const report = check_gradient(combined{y}, d, alpha, eta, zeta);
  INFO(report.message.view());
  CHECK(report.passed);
  auto const of_d = [&](auto const& x) { return combined{y}(x, alpha, eta, zeta); };
  numbers const v({5}, {1, -0.5, 2, 0.25, 1});
  tangent_tape t;
  auto const x = t.variable(d, v);
  t.backward(combined{y}(x, t(alpha), t(eta), t(zeta)));
  CHECK(distance(tensor<double, 1, simd>(detail::tangents(x.gradient())), difference_of_gradients(of_d, d, v)) < 1e-8);

  // At d = margin a negative pair is at rest.
  tape u;
  auto const at = u.variable(numbers({3}, {2, 2, 1.999}));
  u.backward(contrastive_margin(at, label_list({3}, {0, 1, 0}), {.margin = 2}));
  CHECK(at.gradient()(0) == 0);
  CHECK(at.gradient()(1) == 1);
  CHECK(at.gradient()(2) == -1);
}

TEST_CASE("pair objectives at distances of 0, huge ones, and NaN") {
  label_list const y({4}, {1, 0, 1, 0});
  tape t;
  auto const d = t.variable(numbers({4}, {0, 0, 1e300, 1e300}));
  auto const alpha = t.variable(one(0)), eta = t.variable(one(0)), zeta = t.variable(one(0));
  auto const loss = pairwise_logistic(d, y, alpha, eta, zeta);
  CHECK(loss.item() == Approx(1e300));
  t.backward(loss);
  CHECK(d.gradient()(0) == Approx(0.5));
  CHECK(d.gradient()(1) == Approx(-0.5));
  CHECK(d.gradient()(2) == 1);
  CHECK(d.gradient()(3) == 0);
  CHECK(std::isfinite(eta.gradient()()));
  // A logit of -800: the sigmoid underflows, the loss does not.
  CHECK(pairwise_logistic(numbers({1}, {800}), label_list({1}, {1}), one(0), one(0), one(0))() == Approx(800));
  CHECK(pairwise_logistic(numbers({1}, {800}), label_list({1}, {0}), one(0), one(0), one(0))() == 0);
  CHECK(contrastive_margin(numbers({2}, {1e300, 1e300}), label_list({2}, {0, 0}))() == 0);
  numbers const nan({2}, {std::nan(""), 1});
  for (std::int64_t const label : {0, 1}) {
    CHECK(std::isnan(contrastive_margin(nan, label_list({2}, {label, 1}))()));
    CHECK(std::isnan(pairwise_logistic(nan, label_list({2}, {label, 1}), one(0), one(0), one(0))()));
  }
}

TEST_CASE("pair objectives: what is refused") {
  numbers const d({2}, {1, 2});
  CHECK_THROWS_WITH(contrastive_margin(d, label_list({2}, {1, 2})),
                    "[contrastive_margin] label 2 of pair 1 is neither 0 nor 1");
  CHECK_THROWS_AS(pairwise_logistic(d, label_list({2}, {-1, 1}), one(0), one(0), one(0)), index_error);
  CHECK_THROWS_AS(contrastive_margin(d, label_list({3}, {1, 0, 1})), shape_error);
  CHECK_THROWS_AS(contrastive_margin(d, label_list({2}, {1, 0}), {.mu = -1}), argument_error);
  CHECK_THROWS_AS(contrastive_margin(d, label_list({2}, {1, 0}), {.margin = std::nan("")}), argument_error);
}

TEST_CASE("regularisers of series") {
  tensor<double, 3, simd> const z({2, 3, 2}, {1, 0, 0, 1, 2, 2, 0, 0, 0, 0, 0, 0});
  auto const energy = energy_penalty(z, 4);
  CHECK(energy(0) == Approx(4 - 10.0 / 3));
  CHECK(energy(1) == 4);
  CHECK(energy_penalty(z, 10.0 / 3)(0) == Approx(0).margin(1e-15));
  CHECK(smoothness_penalty(z)(0) == Approx(2 + 5));
  CHECK(l1_difference_penalty(z)(0) == Approx(2 + 3));
  CHECK(regularized{}(z)() == Approx(0.5 * (0.5 * 3 + 0.2 * 0 + 0 + 0 + 0.2 * 7 + 0.1 * 5)));

  auto const x = random_tensor<double, 3, simd>({{3, 5, 2}}, 4), v = random_tensor<double, 3, simd>({{3, 5, 2}}, 5);
  auto const report = check_gradient(regularized{}, x);
  INFO(report.message.view());
  CHECK(report.passed);
  CHECK(distance(hessian_vector_product(regularized{}, x, v), difference_of_gradients(regularized{}, x, v)) < 1e-7);
  auto const strided = x.view().slice(1, 0, 5, 2);
  CHECK(distance(smoothness_penalty(strided), smoothness_penalty(tensor<double, 3, simd>(strided))) == 0);

  tensor<double, 3, simd> const short_ones({2, 1, 3}), none({2, 0, 3}), no_series({0, 4, 3});
  CHECK(smoothness_penalty(short_ones)(1) == 0);
  CHECK(l1_difference_penalty(no_series).size() == 0);
  CHECK_THROWS_WITH(energy_penalty(none, 1), "[energy_penalty] a series needs at least one step, but came (2, 0, 3)");
  CHECK_THROWS_AS(smoothness_penalty(none), shape_error);
  CHECK_THROWS_AS(energy_penalty(z, std::nan("")), argument_error);
}

TEST_CASE("the energy of a series cannot fall below a bound") {
  tensor<double, 3, simd> const z({3, 2, 2}, {1, 0, 0, 1, 3, 0, 0, 4, 0, 0, 0, 0});  // energies 1, 12.5, 0
  auto const y = constrain_energy(z, 4);
  for (std::ptrdiff_t k = 0; k < 4; ++k) CHECK(y.data()[k] == Approx(2 * z.data()[k]));
  for (std::ptrdiff_t k = 4; k < 12; ++k) CHECK(y.data()[k] == z.data()[k]);  // to the bit
  CHECK(distance(constrain_energy(y, 4), y) < 1e-15);
  CHECK(energy_penalty(y, 4)(0) == Approx(0).margin(1e-15));

  auto const x = random_tensor<double, 3, simd>({{3, 5, 2}}, 4), v = random_tensor<double, 3, simd>({{3, 5, 2}}, 5);
  for (double const epsilon : {1e-3, 2.0}) {  // nothing is scaled; everything is
    auto const f = [=](auto const& s) { return sum(square(square(constrain_energy(s, epsilon)))); };
    auto const report = check_gradient(f, x);
    INFO(report.message.view());
    CHECK(report.passed);
    CHECK(distance(hessian_vector_product(f, x, v), difference_of_gradients(f, x, v)) < 1e-7);
  }
  // Silence, whose squares vanish too: finite, and no more than 10^6-fold.
  for (float const size : {0.0F, 1e-30F, 1e-12F}) {
    tape t;
    auto const quiet = t.variable(tensor<float, 3>({1, 2, 1}, {size, -size}));
    auto const grown = constrain_energy(quiet, 1);
    t.backward(sum(grown * tensor<float, 3>({1, 2, 1}, {1, 2})));
    for (int k = 0; k < 2; ++k) {
      CHECK(std::abs(grown.value().data()[k]) <= 1.0001e6F * size);
      CHECK(std::abs(quiet.gradient().data()[k]) <= 2.001e6F);
    }
  }
  tensor<float, 3> const none({2, 0, 3}), one_of_nan({1, 2, 1}, {1, std::nanf("")});
  CHECK(std::isnan(constrain_energy(one_of_nan, 1)(0, 0, 0)));
  CHECK_THROWS_WITH(constrain_energy(z, 0), "[constrain_energy] epsilon must be positive and finite, but is 0");
  CHECK_THROWS_AS(constrain_energy(z, -1), argument_error);
  CHECK_THROWS_AS(constrain_energy(z, HUGE_VAL), argument_error);
  CHECK_THROWS_AS(constrain_energy(none, 1), shape_error);
}

TEST_CASE("what a branch costs is counted") {
  // By loops over the formulas, an addition or a product at a time.
  auto const dense = [](std::ptrdiff_t rows, std::ptrdiff_t in, std::ptrdiff_t out, bool bias) {
    double n = 0;
    for (std::ptrdiff_t i = 0; i < rows * out; ++i) {
      for (std::ptrdiff_t k = 0; k < in; ++k) n += k == 0 ? 1 : 2;
      n += bias ? 1 : 0;
    }
    return n;
  };
  CHECK(count_linear(5, 3, 2).flops == dense(5, 3, 2, true));
  CHECK(count_linear(5, 3, 2, false).flops == dense(5, 3, 2, false));
  // A gate is two products with biases, and their sum; then sigmoid or tanh of four, f c + i g, o tanh(c).
  double const gates = dense(4 * 7, 3, 4 * 6, true) + dense(4 * 7, 6, 4 * 6, true) + 4 * 7 * 4 * 6;
  CHECK(count_lstm(4, 7, 3, 6).flops == gates + 4 * 7 * 6 * (4 + 3 + 2));
  CHECK(count_lstm(4, 7, 3, 6, {.layers = 2, .bidirectional = true, .bias = false}).flops ==
        2 * (count_lstm(4, 7, 3, 6, {.bias = false}).flops + count_lstm(4, 7, 12, 6, {.bias = false}).flops));
  // 13 samples, 4 taps: 8, then 5 coefficients of each kind.
  CHECK(count_dwt(13, 4, {.levels = 2, .series = 3}).flops == 3 * 2 * (8 + 5) * 7);
  CHECK(count_dwt(13, 4, {.levels = 2, .periodization = true}).flops == 2 * (7 + 4) * 7);
  CHECK(count_dwt(12, 4, {.levels = 2, .stationary = true}).flops == 2 * (12 + 12) * 7);

  rng random{.seed = 1};
  linear<double> const layer(3, 2, random);
  complexity const c = count_parameters(layer) + count_linear(5, 3, 2) + count_dwt(13, 4) + count_dwt(8, 6);
  CHECK(c.parameters == 8);
  CHECK(c.filter_length == 10);
  CHECK(complexity_penalty(c, {.flops = 0.5, .parameters = 2, .filter_length = 3}) == 0.5 * c.flops + 16 + 30);
  CHECK_THROWS_WITH(count_dwt(13, 0), "[count_dwt] sizes must be positive, but one is 0");
  CHECK_THROWS_AS(count_lstm(1, 1, 1, 1, {.layers = 0}), argument_error);
}
