// limbic/search/acquisition.hpp - how much is hoped for from a point whose value is predicted as mean +- sqrt(variance)
//
//   d = mean - best - xi when the greatest value is looked for, best - mean - xi for the least;  s = sqrt(variance)
//
//   expected_improvement          s h(d / s),  h(z) = z Phi(z) + phi(z)            E max(d + s N, 0), N normal
//   log_expected_improvement      its logarithm, finite where the improvement itself underflows
//   probability_of_improvement    Phi(d / s)
//   confidence_bound              mean + kappa s for the greatest, mean - kappa s for the least
//
// Phi and phi are the standard normal distribution and its density; xi >= 0 asks for that much improvement. Without
// variance the improvement is max(d, 0), its logarithm -infinity where that is 0. Larger is better, but for the confidence
// bound, which is a value like the mean. A negative variance counts as 0; NaN gives NaN.
//
// For z < -2, where h loses digits by cancellation, Laplace's continued fraction of Mills' ratio is used:
//   (1 - Phi(x)) / phi(x) = 1 / (x + t), t = 1/(x + 2/(x + 3/(x + ...)))      so that h(-x) = phi(x) t / (x + t)
// Mockus 1975; Jones, Schonlau and Welch 1998; its logarithm: Ament et al. 2023, arXiv:2310.20708
#pragma once

#include <limbic/optim/goal.hpp>

#include <cmath>

LIMBIC_BEGIN

struct acquisition_options {
  limbic::goal goal = goal::max;
  double xi = 0;
  double kappa = 2;
};

namespace detail {

inline double normal_density(double z) { return 0.39894228040143267794 * std::exp(-0.5 * z * z); }
inline double normal_distribution(double z) { return 0.5 * std::erfc(-0.70710678118654752440 * z); }

// t / (x + t), x >= 2: 60 terms are as good as infinitely many.
inline double mills_tail(double x) {
  double t = x;
  for (int k = 60; k >= 2; --k) t = x + k / t;
  t = 1 / t;
  return t / (x + t);
}

struct improvement {
  double d, s;
  improvement(double mean, double variance, double best, acquisition_options const& o)
      : d((o.goal == goal::max ? mean - best : best - mean) - o.xi),
        s(variance > 0 ? std::sqrt(variance) : variance * 0) {}
};

}  // namespace detail

inline double expected_improvement(double mean, double variance, double best, acquisition_options const& o = {}) {
  detail::improvement const i(mean, variance, best, o);
  if (i.s == 0) return i.d > 0 ? i.d : i.d * 0;  // NaN stays NaN
  double const z = i.d / i.s;
  if (z < -2) return i.s * detail::normal_density(z) * detail::mills_tail(-z);
  return i.d * detail::normal_distribution(z) + i.s * detail::normal_density(z);
}

inline double log_expected_improvement(double mean, double variance, double best, acquisition_options const& o = {}) {
  detail::improvement const i(mean, variance, best, o);
  if (i.s == 0) return std::log(i.d > 0 ? i.d : i.d * 0);
  double const z = i.d / i.s;
  if (z < -2) return std::log(i.s) - 0.5 * z * z - 0.91893853320467274178 + std::log(detail::mills_tail(-z));
  return std::log(i.d * detail::normal_distribution(z) + i.s * detail::normal_density(z));
}

inline double probability_of_improvement(double mean, double variance, double best, acquisition_options const& o = {}) {
  detail::improvement const i(mean, variance, best, o);
  if (i.s == 0) return i.d > 0 ? 1 : i.d * 0;
  return detail::normal_distribution(i.d / i.s);
}

inline double confidence_bound(double mean, double variance, acquisition_options const& o = {}) {
  double const s = variance > 0 ? std::sqrt(variance) : variance * 0;
  return o.goal == goal::max ? mean + o.kappa * s : mean - o.kappa * s;
}

LIMBIC_END
