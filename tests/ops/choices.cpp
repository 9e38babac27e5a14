// Minimum, maximum and clamp through the examination, and at ties.
#include "harness.hpp"

#include <limbic/ops/clamp.hpp>
#include <limbic/ops/minimum.hpp>

using namespace examination;
using namespace limbic;

namespace choices {

using pair = std::tuple<shape<2>, shape<2>>;
std::vector<pair> const pairs{{at(3, 7), at(3, 7)}, {at(3, 1), at(1, 5)}, {at(0, 4), at(1, 4)}};
options const pointwise{.elementwise = true};

TEST_CASE("minimum, maximum, clamp") {
  examine<2, 2>("minimum", [](auto const& a, auto const& b) { return minimum(a, b); }, pairs, pointwise);
  examine<2, 2>("maximum", [](auto const& a, auto const& b) { return maximum(a, b); }, pairs, pointwise);
  examine<2>("clamp", [](auto const& x) { return clamp(x, -0.7, 1.1); }, {{at(3, 7)}, {at(0, 4)}},
             {.elementwise = true, .propagates = true});
  examine<2>("clamp from below", [](auto const& x) { return clamp(x, {.min = 0.25}); }, {{at(3, 7)}},
             {.elementwise = true, .propagates = true});
}

TEMPLATE_TEST_CASE("ties and bounds", "", scalar, simd) {
  tensor<double, 1, TestType> const one({3}, {1, 2, 3}), two({3}, {1, 1, 4}), ones({3}, 1.0);
  tape t;
  auto const a = t.variable(one), b = t.variable(two);
  t.backward(maximum(a, b), ones);
  double const da[] = {0.5, 1, 0}, db[] = {0.5, 0, 1};
  for (int i = 0; i < 3; ++i) {
    CHECK(a.gradient()(i) == da[i]);
    CHECK(b.gradient()(i) == db[i]);
  }
  auto const c = t.variable(one);
  t.backward(clamp(c, 1, 2), ones);  // the gradient passes at the bounds
  double const dc[] = {1, 1, 0};
  for (int i = 0; i < 3; ++i) CHECK(c.gradient()(i) == dc[i]);
  CHECK(clamp(one, 5, 2)(0) == 2);  // as in PyTorch
}

}  // namespace choices
