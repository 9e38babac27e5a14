// Does it search? Branin and Hartmann-6, the best value found against that of a random search with as many trials.
//
// Median regret (best value found - least value) over seeds 0 to 19:
//                                            Bayesian    random
//   Branin, 25 trials, one at a time          0.021       2.04
//   Hartmann-6, 40 trials, four at a time     0.043       1.95
#include <limbic/search.hpp>

#include "catch.hpp"

#include <functional>

using namespace limbic;

namespace {

using objective = std::function<double(candidate const&)>;

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return 0.5 * (v[v.size() / 2] + v[(v.size() - 1) / 2]);
}

double regret(searcher& search, std::size_t trials, objective const& f, double least) {
  while (search.told() < trials)
    for (auto const& t : search.ask()) search.tell(t.index, f(t.point));
  return search.best().value - least;
}

struct medians {
  double bayesian, random;
};
medians compare(search_space const& space, std::size_t trials, bayesian_search_options options, objective const& f,
                double least) {
  std::vector<double> a, b;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    options.seed = seed;
    bayesian_search bayesian(space, options);
    random_search random(space, {.seed = seed});
    a.push_back(regret(bayesian, trials, f, least));
    b.push_back(regret(random, trials, f, least));
  }
  return {median(a), median(b)};
}

}  // namespace

TEST_CASE("Branin: better than a random search") {
  search_space s;
  auto const x = s.real("x", -5, 10), y = s.real("y", 0, 15);
  auto const branin = [&](candidate const& c) {
    double const pi = 3.14159265358979323846;
    double const t = c[y] - 5.1 / (4 * pi * pi) * c[x] * c[x] + 5 / pi * c[x] - 6;
    return t * t + 10 * (1 - 1 / (8 * pi)) * std::cos(c[x]) + 10;
  };
  CHECK(branin(s.make({{"x", 3.14159265358979}, {"y", 2.275}})) == Approx(0.397887).epsilon(1e-5));
  auto const m = compare(s, 25, {.round = 1, .initial = 6}, branin, 0.397887);
  CHECK(m.bayesian < 0.05);
  CHECK(m.bayesian < 0.1 * m.random);
}

TEST_CASE("Hartmann-6: better than a random search") {
  search_space s;
  std::vector<search_parameter<double>> x;
  for (int i = 0; i < 6; ++i) x.push_back(s.real("x" + std::to_string(i), 0, 1));
  auto const hartmann = [&](candidate const& c) {
    static constexpr double weight[4] = {1, 1.2, 3, 3.2};
    static constexpr double a[4][6] = {
        {10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
    static constexpr double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                       {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                       {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                       {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      double e = 0;
      for (std::size_t j = 0; j < 6; ++j) e += a[i][j] * std::pow(c[x[j]] - p[i][j], 2);
      sum -= weight[i] * std::exp(-e);
    }
    return sum;
  };
  auto const least =
      s.make({{"x0", 0.20169}, {"x1", 0.150011}, {"x2", 0.476874}, {"x3", 0.275332}, {"x4", 0.311652}, {"x5", 0.6573}});
  CHECK(hartmann(least) == Approx(-3.32237).epsilon(1e-5));
  auto const m = compare(s, 40, {.round = 4, .initial = 8}, hartmann, -3.32237);
  CHECK(m.bayesian < 0.6);
  CHECK(m.bayesian < 0.4 * m.random);
}
