// tests/metrics/support.hpp - short names for the operands, and random ones
#pragma once

#include "../catch.hpp"

#include <limbic/core/random.hpp>
#include <limbic/metrics.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace metrics_test {

using namespace limbic;
using labels_1d = tensor<std::int64_t, 1, scalar>;
using numbers_1d = tensor<double, 1, scalar>;
using numbers_2d = tensor<double, 2, scalar>;

inline labels_1d labels(std::vector<std::int64_t> const& x) {
  labels_1d t(shape<1>{{static_cast<std::ptrdiff_t>(x.size())}});
  std::copy(x.begin(), x.end(), t.data());
  return t;
}
inline numbers_1d numbers(std::vector<double> const& x) {
  numbers_1d t(shape<1>{{static_cast<std::ptrdiff_t>(x.size())}});
  std::copy(x.begin(), x.end(), t.data());
  return t;
}
inline labels_1d random_labels(std::ptrdiff_t n, std::uint64_t classes, rng& random) {
  labels_1d t(shape<1>{{n}});
  for (auto& e : t) e = static_cast<std::int64_t>(random.below(classes));
  return t;
}
// Multiples of 1/steps in [0, 1]: few steps make many ties.
inline double grid(std::uint64_t steps, rng& random) {
  return static_cast<double>(random.below(steps + 1)) / static_cast<double>(steps);
}
inline numbers_1d random_numbers(std::ptrdiff_t n, std::uint64_t steps, rng& random) {
  numbers_1d t(shape<1>{{n}});
  for (auto& e : t) e = grid(steps, random);
  return t;
}
inline numbers_2d random_matrix(std::ptrdiff_t n, std::ptrdiff_t m, std::uint64_t steps, rng& random) {
  numbers_2d t(shape<2>{{n, m}});
  for (auto& e : t) e = grid(steps, random);
  return t;
}
inline Approx about(double x) { return Approx(x).epsilon(1e-12).margin(1e-13); }
inline bool equal(numbers_1d const& a, std::vector<double> const& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

inline double const not_a_number = std::numeric_limits<double>::quiet_NaN();
inline double const infinity = std::numeric_limits<double>::infinity();

}  // namespace metrics_test
