// limbic/search/random_search.hpp - points drawn evenly from the unit cube of a space
//
// Point i of round r is a function of (seed, r, i) alone. Bergstra and Bengio 2012.
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/search/searcher.hpp>

LIMBIC_BEGIN

namespace detail {

inline candidate random_candidate(search_space const& space, rng& random) {
  std::vector<double> u(space.size());
  for (double& x : u) x = random.uniform();
  return space.from_cube(u);
}

}  // namespace detail

struct random_search_options {
  std::uint64_t seed = 0;
  int round = 1;  // trials in a round
  limbic::goal goal = limbic::goal::min;
};

class random_search : public searcher {
 public:
  explicit random_search(search_space space, random_search_options const& options = {})
      : searcher(std::move(space), options.goal), options_(options) {
    if (options.round < 1) fail<argument_error>("random_search", "round must be positive, but is ", options.round);
  }

  std::string json() const override {
    return "{\"name\":\"random\",\"seed\":" + std::to_string(options_.seed) +
           ",\"round\":" + std::to_string(options_.round) + ",\"goal\":\"" +
           (options_.goal == goal::max ? "max" : "min") + "\"}";
  }

 private:
  std::size_t round_size(std::size_t) const override { return static_cast<std::size_t>(options_.round); }
  std::vector<candidate> suggest(std::size_t round) const override {
    std::vector<candidate> points;
    rng const stream = rng{.seed = options_.seed}.split(round);
    for (std::size_t i = 0; i < round_size(round); ++i) {
      rng random = stream.split(i);
      points.push_back(detail::random_candidate(space(), random));
    }
    return points;
  }

  random_search_options options_;
};

LIMBIC_END
