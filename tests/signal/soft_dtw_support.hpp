// signal/soft_dtw_support.hpp - series to warp, and every alignment of two short ones
#pragma once

#include "../catch.hpp"

#include <limbic/core/random.hpp>
#include <limbic/signal/soft_dtw.hpp>

#include <cmath>
#include <vector>

namespace warping {

template <class T, class D, int R>
limbic::tensor<T, R, D> series(limbic::shape<R> const& s, std::uint64_t seed, double low = -1, double high = 1) {
  limbic::tensor<float, R, D> f(s);
  limbic::rng{.seed = seed}.uniform(f, static_cast<float>(low), static_cast<float>(high));
  limbic::tensor<T, R, D> x(s);
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(f.data()[i]);
  return x;
}

// The costs of all alignments of x (Tx, C) and y (Ty, C), cells with |i - j| > reach forbidden.
inline std::vector<long double> all_alignments(limbic::tensor<double, 2, limbic::scalar> const& x,
                                               limbic::tensor<double, 2, limbic::scalar> const& y,
                                               std::ptrdiff_t reach) {
  std::vector<long double> costs;
  auto const walk = [&](auto const& self, std::ptrdiff_t i, std::ptrdiff_t j, long double sum) -> void {
    if (i >= x.extent(0) || j >= y.extent(0) || std::abs(i - j) > reach) return;
    for (std::ptrdiff_t c = 0; c < x.extent(1); ++c) {
      long double const difference = static_cast<long double>(x(i, c)) - static_cast<long double>(y(j, c));
      sum += difference * difference;
    }
    if (i + 1 == x.extent(0) && j + 1 == y.extent(0)) return costs.push_back(sum);
    self(self, i + 1, j + 1, sum);
    self(self, i + 1, j, sum);
    self(self, i, j + 1, sum);
  };
  walk(walk, 0, 0, 0);
  return costs;
}
inline double least(std::vector<long double> const& costs) {
  long double m = costs.front();
  for (auto const c : costs) m = c < m ? c : m;
  return static_cast<double>(m);
}
inline double soft_least(std::vector<long double> const& costs, double gamma) {
  long double const m = least(costs), g = gamma;
  long double sum = 0;
  for (auto const c : costs) sum += std::exp((m - c) / g);
  return static_cast<double>(m - g * std::log(sum));
}

}  // namespace warping
