// Dropout through the examination, and against its definition.
#include "harness.hpp"

#include <limbic/ops/dropout.hpp>

using namespace examination;
using namespace limbic;

TEST_CASE("dropout") {
  // the noise is an operand too: it gets the gradient 0
  examine<2, 2>("dropout", [](auto const& x, auto const& noise) { return functional::dropout(x, noise, 0.3); },
                {{at(3, 7), at(3, 7)}, {at(0, 2), at(0, 2)}}, {.low = 0, .high = 1, .elementwise = true});
}

TEMPLATE_TEST_CASE("dropout keeps what the noise says", "", scalar, simd) {
  tensor<float, 1, TestType> const x({4}, {1, 2, 3, 4}), noise({4}, {0.1F, 0.25F, 0.5F, 0.0F});
  auto const y = functional::dropout(x, noise, 0.25);
  float const want[] = {0, 2 / 0.75F, 4, 0};
  for (int i = 0; i < 4; ++i) CHECK(y(i) == Approx(want[i]));
  auto const all = functional::dropout(x, noise, 0);
  for (int i = 0; i < 4; ++i) CHECK(all(i) == x(i));
}
