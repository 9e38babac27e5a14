// Losses for hard data through the examination: gradients, SIMD, strides, dual numbers, NaN and infinities.
#include "harness.hpp"

#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/robust_losses.hpp>

using namespace examination;

namespace robust_losses_examined {

using namespace limbic;

template <class D> tensor<std::int64_t, 1, D> const& labels() {
  static tensor<std::int64_t, 1, D> const y({5}, {0, 2, 3, 2, 1});
  return y;
}
template <class T, class D> tensor<T, 1, D> const& weights() {
  static tensor<T, 1, D> const w({4}, {T(1), T(1.5), T(2.5), T(0.75)});
  return w;
}

struct every_loss_of_classes {
  template <class X> auto operator()(X const& x) const {
    using D = device_of<X>;
    auto const& y = labels<D>();
    auto constexpr none = reduction::none;
    return concatenate(
        0, generalized_cross_entropy(x, y, {.q = 0.3}, none),
        truncated_generalized_cross_entropy(x, y, {.k = 0.2}, none),
        symmetric_cross_entropy(x, y, {.alpha = 0.7}, none), active_passive_loss(x, y, {.beta = 0.5}, none),
        mixed_cross_entropy(x, y, {.iteration = 1, .total_iterations = 2}, none),
        dynamically_weighted_balanced_loss(x, y, weights<element_of<X>, D>(), none), brier_loss(x, y, none),
        wrong_norm(x, y, none), wrong_norm(x, y, {weight_form::difference}, none));
  }
};
struct sce_by_default {
  template <class X> auto operator()(X const& x) const { return sce_loss(x, labels<device_of<X>>()); }
};
struct every_loss_of_answers {
  template <class X> auto operator()(X const& x, X const& t) const {
    auto constexpr none = reduction::none;
    return concatenate(0, real_world_weighted_cross_entropy(x, t, {.w_fn = 3}, none),
                       ramp_loss(x, t, {.s = -0.5}, none), unhinged_loss(x, t, none));
  }
};

TEST_CASE("losses of classes") { examine<2>("losses of classes", every_loss_of_classes{}, {{at(5, 4)}}, {.ulps = 32}); }
TEST_CASE("SCE loss") { examine<2>("sce_loss", sce_by_default{}, {{at(5, 4)}}, {.ulps = 32}); }
TEST_CASE("losses of yes-or-no answers") {
  examine<1, 1>("losses of answers", every_loss_of_answers{}, {{at(7), at(7)}, {at(0), at(0)}}, {.ulps = 16});
}
TEST_CASE("the smallest losses") {
  examine<1>("small_loss_mean", [](auto const& x) { return small_loss_mean(x, 0.6); }, {{at(7)}, {at(1)}},
             {.ulps = 16});
}

}  // namespace robust_losses_examined
