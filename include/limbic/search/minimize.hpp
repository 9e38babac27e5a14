// limbic/search/minimize.hpp - the least value of a smooth function of a few numbers, each within bounds
//
//   double const least = minimize(x, low, high, {.iterations = 60}, [&](auto const& at, auto& gradient) { return ...; });
//
// Projected BFGS (Bertsekas 1982): what lies at a bound and is pushed against it stands still, the others take a
// quasi-Newton step, cut at the bounds and halved until the value falls enough. x becomes the best point found. A value
// that is not finite is a place to step back from; at the start it ends the search. Deterministic.
#pragma once

#include <limbic/config.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

LIMBIC_BEGIN

struct minimize_options {
  int iterations = 100;     // at most
  double tolerance = 1e-5;  // ends where no component of the projected gradient is larger
};

template <class F> double minimize(std::vector<double>& x, std::vector<double> const& low,
                                   std::vector<double> const& high, minimize_options const& options, F const& f) {
  std::size_t const n = x.size();
  auto const clamp = [&](std::size_t i, double v) { return v < low[i] ? low[i] : v > high[i] ? high[i] : v; };
  for (std::size_t i = 0; i < n; ++i) x[i] = clamp(i, x[i]);
  std::vector<double> g(n), next(n), next_g(n), direction(n), s(n), y(n), hy(n), h(n * n);
  auto const reset = [&] {
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) h[i * n + j] = i == j ? 1 : 0;
  };
  reset();
  bool fresh = true;
  double value = f(x, g);
  for (int iteration = 0; iteration < options.iterations && std::isfinite(value); ++iteration) {
    auto const stands = [&](std::size_t i) { return (x[i] <= low[i] && g[i] > 0) || (x[i] >= high[i] && g[i] < 0); };
    double largest = 0, descent = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (!stands(i)) largest = std::max(largest, std::abs(g[i]));
    if (largest <= options.tolerance) break;
    for (std::size_t i = 0; i < n; ++i) {
      direction[i] = 0;
      if (stands(i)) continue;
      for (std::size_t j = 0; j < n; ++j)
        if (!stands(j)) direction[i] -= h[i * n + j] * g[j];
      descent += direction[i] * g[i];
    }
    if (!(descent < 0)) {
      if (fresh) break;
      reset(), fresh = true;
      continue;
    }
    double step = fresh ? std::min(1.0, 1 / largest) : 1, next_value = value;
    bool found = false;
    for (int halving = 0; halving < 30 && !found; ++halving, step *= 0.5) {
      double expected = 0;
      for (std::size_t i = 0; i < n; ++i) {
        next[i] = clamp(i, x[i] + step * direction[i]);
        expected += g[i] * (next[i] - x[i]);
      }
      next_value = f(next, next_g);
      found = next_value <= value + 1e-4 * expected && expected < 0;
    }
    if (!found) {
      if (fresh) break;
      reset(), fresh = true;
      continue;
    }
    double sy = 0, yhy = 0, yy = 0;
    for (std::size_t i = 0; i < n; ++i) s[i] = next[i] - x[i], y[i] = next_g[i] - g[i];
    for (std::size_t i = 0; i < n; ++i) sy += s[i] * y[i], yy += y[i] * y[i];
    x.swap(next), g.swap(next_g);
    bool const still = value - next_value <= 1e-14 * (1 + std::abs(value));
    value = next_value;
    if (still) break;
    if (!(sy > 1e-12 * yy)) continue;
    if (fresh)  // the scale of the first curvature seen
      for (std::size_t i = 0; i < n; ++i) h[i * n + i] = sy / yy;
    fresh = false;
    for (std::size_t i = 0; i < n; ++i) {
      hy[i] = 0;
      for (std::size_t j = 0; j < n; ++j) hy[i] += h[i * n + j] * y[j];
      yhy += y[i] * hy[i];
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        h[i * n + j] += (1 + yhy / sy) * s[i] * s[j] / sy - (hy[i] * s[j] + s[i] * hy[j]) / sy;
  }
  return value;
}

LIMBIC_END
