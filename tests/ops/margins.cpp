// Cosines and margins through the examination: gradients, SIMD, strides, dual numbers, NaN and infinities.
#include "harness.hpp"

#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/margin_losses.hpp>

using namespace examination;

namespace margins_examined {

using namespace limbic;

// The classes of the samples; a tape refers to them, so they stay.
template <class D> tensor<std::int64_t, 1, D> const& labels() {
  static tensor<std::int64_t, 1, D> const y({5}, {0, 2, 3, 2, 1});
  return y;
}

// All margins on the same cosines, one below the other.
struct every_margin {
  template <class X, class W> auto operator()(X const& x, W const& w) const {
    auto const& y = labels<device_of<X>>();
    auto const with = [&](auto const& m) { return margin_logits(x, w, y, m); };
    return concatenate(0, with(am_softmax_margin{.scale = 4, .margin = 0.35}), with(arcface_margin{.scale = 4}),
                       with(arcface_margin{.scale = 4, .margin = 1.5, .beyond_pi = beyond_pi::linear}),
                       with(sphereface_margin{.margin = 4, .lambda = 0.5}),
                       with(sphereface_margin{.margin = 3, .scale = 2}), with(l_softmax_margin{.margin = 2}),
                       with(soft_margin{}), with(double_additive_margin{.scale = 4}),
                       with(dynamic_additive_margin{.scale = 4, .margin_gradient = margin_gradient::full}));
  }
};
struct every_mam {
  template <class Z> auto operator()(Z const& z) const {
    auto const& y = labels<device_of<Z>>();
    auto const with = [&](mam_softmax_op const& o) { return mam_logits(z, y, o); };
    auto constexpr full = margin_gradient::full;
    return concatenate(0, with({.margin_gradient = full}), with({.margin_gradient = full, .clip_max = 0.5}),
                       with({.variant = mam_variant::figure, .margin_gradient = full}),
                       with({.variant = mam_variant::figure, .margin_gradient = full, .log_base = 10}));
  }
};

TEST_CASE("cosines and lengths") {
  auto const f = [](auto const& x, auto const& w) {
    auto const [c, a, b] = cosines_and_lengths(x, w);
    return concatenate(0, c, b);
  };
  examine<2, 2>("cosines_and_lengths", f, {{at(3, 4), at(2, 4)}, {at(2, 1), at(3, 1)}, {at(0, 3), at(2, 3)}},
                {.ulps = 16, .ordered = false});
}
TEST_CASE("margins") {
  examine<2, 2>("margin_logits", every_margin{}, {{at(5, 6), at(4, 6)}}, {.ulps = 64, .ordered = false});
}
TEST_CASE("margins that the logits set") {
  examine<2>("mam_logits", every_mam{}, {{at(5, 4)}, {at(5, 9)}}, {.ulps = 16, .ordered = false});
}

}  // namespace margins_examined
