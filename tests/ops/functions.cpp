// Exponentials, logarithms, roots and absolute values through the examination.
#include "harness.hpp"

#include <limbic/ops/abs.hpp>
#include <limbic/ops/exp.hpp>
#include <limbic/ops/log.hpp>
#include <limbic/ops/sqrt.hpp>

using namespace examination;
using namespace limbic;

namespace functions {

options const pointwise{.elementwise = true, .propagates = true};
std::vector<std::tuple<shape<2>>> const shapes{{at(3, 7)}, {at(1, 1)}, {at(0, 4)}, {at(2, 33)}};
options const positive{.low = 0.1, .high = 4, .elementwise = true, .propagates = true};

TEST_CASE("exp, log and their kin") {
  examine<2>("exp", [](auto const& x) { return limbic::exp(x); }, shapes, pointwise);
  examine<2>("expm1", [](auto const& x) { return limbic::expm1(x); }, shapes, pointwise);
  examine<2>("log", [](auto const& x) { return limbic::log(x); }, shapes, positive);
  examine<2>("log1p", [](auto const& x) { return limbic::log1p(x); }, shapes, positive);
  examine<2>("sqrt", [](auto const& x) { return limbic::sqrt(x); }, shapes, positive);
  examine<2>("abs", [](auto const& x) { return limbic::abs(x); }, shapes, pointwise);
}

// Names that the C library has too: plain numbers go on meaning what they meant.
TEST_CASE("using namespace limbic hides no function of numbers") {
  CHECK(exp(0.0) == 1.0);
  CHECK(log(1.0) == 0.0);
  CHECK(sqrt(4.0) == 2.0);
  CHECK(abs(-3) == 3);
  CHECK(log1p(0.0) == 0.0);
  CHECK(expm1(0.0) == 0.0);
  CHECK(std::string(typeid(decltype(abs(-3))).name()) == typeid(int).name());
}

TEMPLATE_TEST_CASE("no gradient in, none out, even where the slope is infinite", "", scalar, simd) {
  tensor<double, 1, TestType> const zeros(limbic::shape<1>{{3}}), weights({3}, {0, 1, 0});
  tape t;
  auto const x = t.variable(zeros);
  t.backward(limbic::sqrt(x), weights);
  CHECK(x.gradient()(0) == 0);
  CHECK(std::isinf(x.gradient()(1)));
  auto const z = t.variable(zeros);
  t.backward(limbic::log(z), weights);
  CHECK(z.gradient()(2) == 0);
  CHECK(std::isinf(z.gradient()(1)));
}

}  // namespace functions
