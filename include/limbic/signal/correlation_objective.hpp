// limbic/signal/correlation_objective.hpp - how alike series are at their best lag, as something to be maximised
//
//   lag_soft_max(rho, {.beta = 8})                 1/beta log sum_l e^(beta rho(l))      along the last axis
//   lag_soft_max(rho, {.beta = 8, .mean = true})   1/beta log mean_l e^(beta rho(l))
//
// The sum lies above the greatest rho by up to log(#lags) / beta (so much where all lags are alike: a bias that depends
// on the number of lags); the mean lies below it by up to as much, and is exact where all are alike. Both tend to the
// maximum for a large beta, and to what favours all lags for a small one.
//
//   correlation_objective(z, pairs, r, {.max_lag = 4, .beta = 8, .lambda = 0.05})
//
//   J = mean over pairs (i, j) of lag_soft_max(lag_correlation(z_i, z_j)) - lambda r
//
// shape   rho (..., 2L + 1) -> (...);  z (N, T, C), pairs (P, 2) of integers, r one number (a regulariser) -> ()
// domain  beta > 0, finite. Of no pairs J is NaN, as every mean of nothing
#pragma once

#include <limbic/ops/index_select.hpp>
#include <limbic/ops/logsumexp.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/signal/lag_correlation.hpp>

#include <cmath>

LIMBIC_BEGIN

struct lag_soft_max_options {
  double beta = 10;
  bool mean = false;
};
struct correlation_objective_options {
  std::ptrdiff_t max_lag = 0;  // L: lags -L .. L
  double beta = 10;
  bool mean = false;
  double lambda = 0;
  lag_normalization normalization = lag_normalization::overlap;  // as in lag_correlation
};

template <operand X> auto lag_soft_max(X&& rho, lag_soft_max_options const& o = {}) {
  static_assert(rank_of<X> >= 1, "limbic: lag_soft_max takes correlations (..., lags)");
  if (!(o.beta > 0) || !math::isfinite(o.beta))
    fail<argument_error>("lag_soft_max", "beta must be positive and finite, but is ", o.beta);
  double const lags = static_cast<double>(rho.shape()[rank_of<X> - 1]);
  return (logsumexp(rho * o.beta, -1) - (o.mean ? std::log(lags) : 0)) / o.beta;
}

template <operand Z, operand P, operand R>
auto correlation_objective(Z const& z, P const& pairs, R const& regularizer, correlation_objective_options const& o) {
  static_assert(rank_of<Z> == 3 && rank_of<P> == 2 && rank_of<R> == 0 && !recorded<P>,
                "limbic: correlation_objective takes series (N, T, C), a tensor of pairs (P, 2) and one number");
  auto const list = as_view(pairs);
  if (list.extent(1) != 2) fail<shape_error>("correlation_objective", "pairs must be (P, 2), but are ", list.shape());
  auto const columns = list.transpose();
  auto const rho = lag_correlation(index_select(z, 0, columns[0]), index_select(z, 0, columns[1]),
                                   {.max_lag = o.max_lag, .normalization = o.normalization});
  return mean(lag_soft_max(rho, {.beta = o.beta, .mean = o.mean})) - o.lambda * regularizer;
}

LIMBIC_END
