// Percentiles through the examination; against sorting; ties, NaN, and what is refused.
#include "harness.hpp"

#include <limbic/core/random.hpp>
#include <limbic/ops/percentile.hpp>

#include <algorithm>

using namespace examination;
using namespace limbic;

TEST_CASE("percentile") {
  examine<3>("percentile of axis 1", [](auto const& x) { return percentile(x, 40, 1); },
             {{at(2, 5, 3)}, {at(1, 1, 1)}, {at(0, 2, 3)}}, {.elementwise = true});
  examine<2>("percentile of the last axis, kept", [](auto const& x) { return percentile(x, 75, -1, keepdim); },
             {{at(3, 7)}}, {.elementwise = true});
  examine<2>("percentile of all", [](auto const& x) { return percentile(x, 90); }, {{at(3, 7)}}, {.elementwise = true});
}

TEMPLATE_TEST_CASE("percentiles are what sorting gives", "", float, double) {
  for (std::ptrdiff_t const n : {1, 2, 3, 10, 101}) {
    tensor<TestType, 1> x({n});
    rng random{.seed = 5};
    random.normal(x);
    for (std::ptrdiff_t i = 0; i < n; i += 3) x(i) = std::round(x(i));  // equal ones, zeros of both signs
    std::vector<TestType> sorted(x.begin(), x.end());
    std::sort(sorted.begin(), sorted.end());
    for (std::ptrdiff_t k = 0; k < n; ++k) {
      double const q = n == 1 ? 37 : 100 * static_cast<double>(k) / static_cast<double>(n - 1);
      CHECK(percentile(x, q)() == Approx(sorted[static_cast<std::size_t>(k)]).margin(1e-6));
    }
    CHECK(percentile(x, 0)() == sorted.front());
    CHECK(percentile(x, 100)() == sorted.back());
  }
}

TEMPLATE_TEST_CASE("percentiles at ties, infinities and NaN", "", scalar, simd) {
  double const infinity = std::numeric_limits<double>::infinity();
  tensor<double, 1, TestType> const ties({5}, {2, 1, 2, 2, 3}), ends({4}, {-infinity, infinity, 1, -0.0});
  tape t;
  auto const x = t.variable(ties);
  t.backward(percentile(x, 40));  // between the first and the second of the three: p = 1.6
  CHECK(x.gradient()(0) == Approx(0.4));
  CHECK(x.gradient()(2) == Approx(0.6));
  CHECK(x.gradient()(3) == 0);
  CHECK(percentile(ties, 40)() == 2);
  CHECK(percentile(ends, 0)() == -infinity);
  CHECK(percentile(ends, 50)() == 0.5);
  CHECK(percentile(ends, 90)() == infinity);
  tensor<double, 1, TestType> const with_nan({3}, {1, std::nan(""), 2});
  CHECK(std::isnan(percentile(with_nan, 0)()));

  CHECK_THROWS_WITH(percentile(ties, 101), "[percentile] q must lie in [0, 100], but is 101");
  CHECK_THROWS_AS(percentile(ties, std::nan("")), argument_error);
  CHECK_THROWS_AS(percentile(ties, 50, 1), index_error);
  CHECK_THROWS_AS(percentile(tensor<double, 1, TestType>(limbic::shape<1>{{0}}), 50), argument_error);
}
