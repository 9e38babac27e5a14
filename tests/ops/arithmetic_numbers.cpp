// Arithmetic with plain numbers, through the examination; what the operators refuse.
#include "harness.hpp"

#include <limbic/ops/operators.hpp>

using namespace examination;
using namespace limbic;

namespace arithmetic_numbers {

std::vector<std::tuple<shape<1>>> const shapes{{at(19)}, {at(1)}, {at(0)}};
options const pointwise{.elementwise = true, .propagates = true};
options const away{.low = 0.5, .high = 3, .elementwise = true, .propagates = true};  // from 0

TEST_CASE("numbers on either side") {
  examine<1>("x + c", [](auto const& x) { return x + 2; }, shapes, pointwise);
  examine<1>("c - x", [](auto const& x) { return 1.0 - x; }, shapes, pointwise);
  examine<1>("-x", [](auto const& x) { return -x; }, shapes, pointwise);
  examine<1>("x * c", [](auto const& x) { return x * 2.5f; }, shapes, pointwise);
  examine<1>("x / c", [](auto const& x) { return x / 3; }, shapes, pointwise);
  examine<1>("c / x", [](auto const& x) { return 2 / x; }, shapes, away);
  examine<1>("square", [](auto const& x) { return square(x); }, shapes, pointwise);
  examine<1>("reciprocal", [](auto const& x) { return reciprocal(x); }, shapes, away);
}

TEST_CASE("a number is an option: as if it were a tensor of it") {
  tensor<float, 2> const x({2, 3}, {1, 2, 3, 4, 5, 6}), two({2, 3}, 2.0F);
  auto const same = [](auto const& a, auto const& b) {
    return std::memcmp(a.data(), b.data(), 6 * sizeof(float)) == 0;
  };
  CHECK(same(x - 2, x - two));
  CHECK(same(2 - x, two - x));
  CHECK(same(x / 2.0, x / two));
  CHECK(same(2 / x, two / x));
  CHECK(same(2 * x, two * x));
  CHECK(same(2 + x, two + x));
}

namespace elsewhere {
struct device {};
struct looks_like_one {  // has what an operand has, but is not limbic's
  using device = limbic::scalar;
  using value_type = float;
  static constexpr int rank = 1;
};
struct sum {};
[[maybe_unused]] inline sum operator+(looks_like_one, int) { return {}; }
[[maybe_unused]] inline sum operator*(double, looks_like_one) { return {}; }
}  // namespace elsewhere

template <class A, class B> concept addable = requires(A a, B b) { a + b; };

TEST_CASE("the operators take nothing but limbic's own types") {
  STATIC_REQUIRE(addable<tensor<float, 1>, int>);
  STATIC_REQUIRE(addable<view<float const, 1>, parameter<float, 1>>);
  STATIC_REQUIRE(!addable<tensor<float, 1>, std::string>);
  STATIC_REQUIRE(!addable<tensor<float, 1>, elsewhere::looks_like_one>);
  STATIC_REQUIRE(!addable<elsewhere::looks_like_one, elsewhere::looks_like_one>);
  STATIC_REQUIRE(std::is_same_v<decltype(elsewhere::looks_like_one() + 1), elsewhere::sum>);
  STATIC_REQUIRE(std::is_same_v<decltype(2.0 * elsewhere::looks_like_one()), elsewhere::sum>);
}

}  // namespace arithmetic_numbers
