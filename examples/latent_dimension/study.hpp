// examples/latent_dimension/study.hpp - what the trials say: of each latent size, and of the choice among them
#pragma once

#include <limbic/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

struct trial {
  std::int64_t latent = 0;
  int repetition = 0;
  double mutual_information = 0, mse = 0, seconds = 0;
};

// The trials of one size.
struct size_result {
  std::int64_t latent = 0;
  std::vector<trial> trials;
  std::vector<std::pair<int, double>> losses;  // of the first repetition: some epochs, counted from 1, and their loss

  double mean(double trial::* what) const {
    double sum = 0;
    for (auto const& t : trials) sum += t.*what;
    return sum / static_cast<double>(trials.size());
  }
  double squares() const {  // of what the mutual information deviates from its mean
    double const m = mean(&trial::mutual_information);
    double sum = 0;
    for (auto const& t : trials) sum += (t.mutual_information - m) * (t.mutual_information - m);
    return sum;
  }
};

struct conclusion {
  std::int64_t largest = 0;       // the size whose mean mutual information is largest; of equals the smallest
  std::int64_t within_error = 0;  // the smallest size whose mean lies within one standard error of that
  double deviation = 0;  // of single seeds around their size's mean, pooled over the sizes; NaN: one seed a size
  double explained = 0;  // the share of the variance among trials that sizes account for (eta squared)
  double p_value = 1;    // of so large a share by chance: trials dealt out to sizes at random
  double standard_error(std::size_t repetitions) const {
    return deviation / std::sqrt(static_cast<double>(repetitions));
  }
};

namespace detail {
// The share of the variance that lies between groups of `group` values each.
inline double explained_share(std::vector<double> const& values, std::size_t group) {
  double total = 0, within = 0, mean = 0;
  for (double const v : values) mean += v / static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); i += group) {
    double own = 0;
    for (std::size_t j = i; j < i + group; ++j) own += values[j] / static_cast<double>(group);
    for (std::size_t j = i; j < i + group; ++j) {
      within += (values[j] - own) * (values[j] - own);
      total += (values[j] - mean) * (values[j] - mean);
    }
  }
  return total > 0 ? 1 - within / total : 0;
}
}  // namespace detail

// Every size has the same number of trials. The p-value is that of a permutation test with 9999 permutations.
inline conclusion conclude(std::vector<size_result> const& sizes, std::uint64_t seed) {
  conclusion c;
  size_result const* best = &sizes.front();
  auto const information = [](size_result const& s) { return s.mean(&trial::mutual_information); };
  for (auto const& s : sizes)
    if (information(s) > information(*best) || (information(s) >= information(*best) && s.latent < best->latent))
      best = &s;
  c.largest = c.within_error = best->latent;

  std::size_t const repetitions = best->trials.size();
  double squares = 0;
  std::vector<double> values;
  for (auto const& s : sizes) {
    squares += s.squares();
    for (auto const& t : s.trials) values.push_back(t.mutual_information);
  }
  c.deviation = std::sqrt(squares / static_cast<double>(sizes.size() * (repetitions - 1)));  // NaN for one seed
  for (auto const& s : sizes)
    if (s.latent < c.within_error && information(s) >= information(*best) - c.standard_error(repetitions))
      c.within_error = s.latent;

  if (repetitions < 2 || sizes.size() < 2) return c;
  c.explained = detail::explained_share(values, repetitions);
  limbic::rng random = limbic::rng{.seed = seed}.split(0x9E37);
  int const rounds = 9999;
  int as_large = 0;
  for (int r = 0; r < rounds; ++r) {
    for (std::size_t i = values.size() - 1; i > 0; --i)
      std::swap(values[i], values[static_cast<std::size_t>(random.below(i + 1))]);
    as_large += detail::explained_share(values, repetitions) >= c.explained;
  }
  c.p_value = (as_large + 1.0) / (rounds + 1.0);
  return c;
}
