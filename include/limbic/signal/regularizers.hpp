// limbic/signal/regularizers.hpp - what keeps a learned series alive and calm, one number for each series
//
//   energy_penalty(z, epsilon)      max(0, epsilon - E),  E = 1/T sum_t |z(t)|^2     it must not fade away
//   constrain_energy(z, epsilon)    sqrt(epsilon / E) z where E < epsilon, else z    it cannot: the nearest series with E >= epsilon
//   smoothness_penalty(z)           sum_t |z(t+1) - z(t)|^2
//   l1_difference_penalty(z)        sum_t sum_c |z_c(t+1) - z_c(t)|          few, but possibly large, steps
//   series_regularizer(z, {...})    mean over series of their weighted sum
//
// shape   z (B, T, C) -> (B); series_regularizer -> (); constrain_energy -> (B, T, C)
// adjoint that of their formulas; 0 at the kinks (an energy of epsilon, a difference of 0). What constrain_energy scales has
//         no gradient along itself, and finite ones elsewhere
// domain  T >= 1; epsilon finite; constrain_energy: epsilon > 0, and series grow 10^6-fold at most, so that one of zeros,
//         which has no direction to grow in, stays as it is. Differences of one sample are an empty sum: 0
#pragma once

#include <limbic/ops/abs.hpp>
#include <limbic/ops/clamp.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/ops/slice.hpp>
#include <limbic/ops/sqrt.hpp>
#include <limbic/ops/sum.hpp>

LIMBIC_BEGIN

struct series_regularizer_options {
  double energy_epsilon = 1;                             // the mean energy that is enough
  double energy = 0, smoothness = 0, l1_difference = 0;  // weights
};

namespace detail {
template <operand Z> void check_series(std::string_view name, Z const& z) {
  static_assert(rank_of<Z> == 3, "limbic: regularisers take series (B, T, C)");
  if (z.shape()[1] < 1) fail<shape_error>(name, "a series needs at least one step, but came ", z.shape());
}
// z(t+1) - z(t), (B, (T - 1) C)
template <operand Z> auto differences(std::string_view name, Z const& z) {
  check_series(name, z);
  return flatten<1, 2>(slice(z, 1, 1) - slice(z, 1, 0, z.shape()[1] - 1));
}
template <operand Z> auto mean_energy(Z const& z) {
  return sum(square(flatten<1, 2>(z)), 1) / static_cast<double>(z.shape()[1]);
}
}  // namespace detail

template <operand Z> auto energy_penalty(Z const& z, double epsilon) {
  detail::check_series("energy_penalty", z);
  if (!math::isfinite(epsilon)) fail<argument_error>("energy_penalty", "epsilon must be finite, but is ", epsilon);
  return relu(epsilon - detail::mean_energy(z));
}
template <operand Z> auto constrain_energy(Z const& z, double epsilon) {
  detail::check_series("constrain_energy", z);
  if (!(epsilon > 0) || !math::isfinite(epsilon))
    fail<argument_error>("constrain_energy", "epsilon must be positive and finite, but is ", epsilon);
  auto const factor = sqrt(epsilon / clamp(detail::mean_energy(z), 1e-12 * epsilon, epsilon));
  return z * unsqueeze(unsqueeze(factor, 1), 2);
}
template <operand Z> auto smoothness_penalty(Z const& z) {
  return sum(square(detail::differences("smoothness_penalty", z)), 1);
}
template <operand Z> auto l1_difference_penalty(Z const& z) {
  return sum(abs(detail::differences("l1_difference_penalty", z)), 1);
}
template <operand Z> auto series_regularizer(Z const& z, series_regularizer_options const& o) {
  return mean(o.energy * energy_penalty(z, o.energy_epsilon) + o.smoothness * smoothness_penalty(z) +
              o.l1_difference * l1_difference_penalty(z));
}

LIMBIC_END
