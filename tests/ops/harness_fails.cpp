// The examination itself, examined: ops with one mistake each must not pass.
#include "harness.hpp"

#include <limbic/ops/elementwise.hpp>

using namespace examination;

namespace harness_fails {

struct wrong_slope_op {  // of x^3 / 3
  static constexpr std::string_view name = "wrong_slope";
  static constexpr limbic::keep needs = limbic::keep::input;
  template <class V> constexpr V value(V x) const { return x * x * x / V(3); }
  template <class V> constexpr V slope(V x) const { return limbic::math::abs(x); }
};
struct swallows_nan_op {
  static constexpr std::string_view name = "swallows_nan";
  static constexpr limbic::keep needs = limbic::keep::output;
  template <class V> constexpr V value(V x) const { return limbic::math::select(x > V(0), x, V(0)); }
  template <class V> constexpr V slope(V y) const { return limbic::math::select(y > V(0), V(1), V(0)); }
};
struct inaccurate_pack_op {
  static constexpr std::string_view name = "inaccurate_pack";
  static constexpr limbic::keep needs = limbic::keep::nothing;
  template <class V> constexpr V value(V x) const {
    return limbic::math::is_pack<V> ? x * limbic::math::constant<V>(1 + 1e-5) : x;
  }
  template <class V> constexpr auto slopes() const { return limbic::results{V(1)}; }
};

std::vector<std::tuple<limbic::shape<1>>> const shapes{{at(20)}};

TEST_CASE("a wrong slope is found", "[!shouldfail]") {
  examine<1>("wrong slope", [](auto const& x) { return limbic::apply(wrong_slope_op{}, x); }, shapes,
             {.special = false});
}
TEST_CASE("a NaN that is swallowed is found", "[!shouldfail]") {
  examine<1>("swallows NaN", [](auto const& x) { return limbic::apply(swallows_nan_op{}, x); }, shapes,
             {.propagates = true});
}
#if LIMBIC_SIMD
TEST_CASE("a pack that differs from its scalars is found", "[!shouldfail]") {
  examine<1>("inaccurate pack", [](auto const& x) { return limbic::apply(inaccurate_pack_op{}, x); }, shapes,
             {.special = false});
}
#endif

}  // namespace harness_fails
