// limbic/search/bayesian_search.hpp - the next points by a Gaussian process and the improvement expected from it
//
//   search_space space;
//   auto const latent = space.integer("latent", 1, 64);
//   bayesian_search search(space, {.seed = 0, .round = 4, .initial = 8, .goal = goal::max});
//   while (search.told() < 24)
//     for (auto const& trial : search.ask()) search.tell(trial.index, f(trial.point[latent]));
//   search.best(), search.trials(), search.model().predict(space.make({{"latent", 42}}))
//
// 1. The first round fills space: of 32 Latin hypercubes the one whose nearest points are farthest apart.
// 2. Every later round fits a Gaussian process (ARD, hyperparameters by fit_gaussian_process) to the values so far, brought
//    to mean 0 and variance 1, and takes the point with the largest logarithm of expected improvement; then, for the
//    other points of the round, it believes in its own prediction there and goes on (kriging believer: Ginsbourger,
//    Le Riche and Carraro 2010). The best value so far is the best mean predicted at a point that was tried, so that
//    noise does not count as success.
// 3. A space of up to 4096 points is searched point by point. Otherwise: 1000 random points and 200 around the best ones
//    so far, of which the best are improved by a pattern search (a step along each parameter, halved where none helps).
//
// Without `repeats` a point that was tried is not suggested again as long as there are others. A failed trial takes no
// part in the fit; then it counts as a value as bad as the worst so far, so that its surroundings become unattractive.
// Values that are finite but absurd (a loss of 1e30) spoil the scale for all others: tell NaN for them, or search for the
// logarithm.
//
// A round costs a few Cholesky decompositions for each iteration of the fit: 10 to 100 ms for 20 to 60 trials.
// Jones, Schonlau and Welch 1998; integers as in Garrido-Merchan and Hernandez-Lobato 2020 (search/space.hpp).
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/search/acquisition.hpp>
#include <limbic/search/gaussian_process.hpp>
#include <limbic/search/random_search.hpp>

LIMBIC_BEGIN

struct bayesian_search_options {
  std::uint64_t seed = 0;  // of all random numbers
  int round = 1;           // trials in a round after the first: as many as there are workers
  int initial = 0;         // trials in the first round; 0: two for each parameter and two more, at least `round`
  limbic::goal goal = limbic::goal::min;
  bool noisy = false;                      // a value holds chance too: the prior of the noise is larger
  bool repeats = false;                    // a point that was tried may be tried again
  gp_kernel kernel = gp_kernel::matern52;  // of the Gaussian process
  double xi = 0;                           // improvement asked for, in standard deviations of the values so far
};

// What a search has learned: a prediction, in the values' own units, for any candidate of its space.
class search_model {
 public:
  // What is expected of a candidate.
  struct prediction {
    double mean, variance;  // of the function, without noise
  };

  // A candidate's value, in the values' own units.
  prediction predict(candidate const& c) const { return predict(std::span(&c, 1)).front(); }
  std::vector<prediction> predict(std::span<candidate const> points) const {
    auto const p = gp_.predict(features(space_, points));
    std::vector<prediction> all;
    for (std::ptrdiff_t i = 0; i < p.mean.size(); ++i)
      all.push_back({center_ + scale_ * p.mean(i), scale_ * scale_ * p.variance(i)});
    return all;
  }
  // The variance of one evaluation around the function.
  double noise() const { return scale_ * scale_ * gp_.options().noise; }
  // The process itself: of features in [0, 1], and of (value - center) / scale.
  gaussian_process const& process() const { return gp_; }
  // What is subtracted from a value, and what it is divided by, before the process sees it.
  double center() const { return center_; }
  // See center().
  double scale() const { return scale_; }

 private:
  friend class bayesian_search;
  search_model(search_space space, gaussian_process gp, double center, double scale)
      : space_(std::move(space)), gp_(std::move(gp)), center_(center), scale_(scale) {}

  static tensor<double, 2> features(search_space const& space, std::span<candidate const> points) {
    auto const width = space.features();
    tensor<double, 2> x({static_cast<std::ptrdiff_t>(points.size()), static_cast<std::ptrdiff_t>(width)},
                        uninitialized);
    for (std::size_t i = 0; i < points.size(); ++i) space.encode(points[i], std::span(x.data() + i * width, width));
    return x;
  }

  search_space space_;
  gaussian_process gp_;
  double center_, scale_;
};

class bayesian_search : public searcher {
 public:
  explicit bayesian_search(search_space with_space, bayesian_search_options const& options = {})
      : searcher(std::move(with_space), options.goal), options_(options), all_(space().enumerate(most_points)) {
    if (options.round < 1) fail<argument_error>("bayesian_search", "round must be positive, but is ", options.round);
    if (options.initial < 0)
      fail<argument_error>("bayesian_search", "initial must not be negative, but is ", options.initial);
    if (!(options.xi >= 0) || !std::isfinite(options.xi))
      fail<argument_error>("bayesian_search", "xi must be non-negative, but is ", options.xi);
    if (options_.initial == 0) options_.initial = std::max(options_.round, 2 * static_cast<int>(space().size()) + 2);
    if (all_ && !options_.repeats) options_.initial = std::min(options_.initial, static_cast<int>(all_->size()));
  }

  // What it was made with.
  bayesian_search_options const& options() const { return options_; }

  // The process that the next round would use. Needs two trials that are done.
  search_model model() const {
    std::vector<candidate> points;
    std::vector<double> values;
    for (auto const& t : trials()) {
      if (t.state != trial_state::done) continue;
      points.push_back(t.point);
      values.push_back(t.value);
    }
    auto const n = static_cast<double>(values.size());
    if (n < 2) fail<argument_error>("bayesian_search", "a model needs two trials that are done, but there are ", n);
    // Scaled down first, so that no square overflows.
    double largest = 0, mean = 0, square = 0;
    for (double const v : values) largest = std::max(largest, std::abs(v));
    if (largest == 0) largest = 1;
    for (double const v : values) mean += v / largest / n;
    for (double const v : values) square += (v / largest - mean) * (v / largest - mean) / (n - 1);
    double const deviation = std::sqrt(square);
    double const center = mean * largest, scale = deviation > 1e-12 ? deviation * largest : largest;
    tensor<double, 1> y({static_cast<std::ptrdiff_t>(values.size())});
    for (std::size_t i = 0; i < values.size(); ++i) y(static_cast<std::ptrdiff_t>(i)) = (values[i] - center) / scale;
    auto gp = fit_gaussian_process(search_model::features(space(), points), y, fit_options());
    return {space(), std::move(gp), center, scale};
  }

  std::string json() const override {
    std::string s = "{\"name\":\"bayesian\",\"seed\":" + std::to_string(options_.seed) +
                    ",\"round\":" + std::to_string(options_.round) +
                    ",\"initial\":" + std::to_string(options_.initial) + ",\"goal\":\"" +
                    (options_.goal == limbic::goal::max ? "max" : "min") +
                    "\",\"noisy\":" + (options_.noisy ? "true" : "false") +
                    ",\"repeats\":" + (options_.repeats ? "true" : "false") + ",\"kernel\":\"" +
                    (options_.kernel == gp_kernel::rbf ? "rbf" : "matern52") + "\",\"xi\":";
    append_json(s, options_.xi);
    return s + "}";
  }

 private:
  static constexpr std::size_t most_points = 4096;

  gp_fit_options fit_options() const {
    gp_fit_options o{.kernel = options_.kernel};
    if (options_.noisy) o.noise = {-3, 2};
    return o;
  }

  std::size_t round_size(std::size_t round) const override {
    return static_cast<std::size_t>(round == 0 ? options_.initial : options_.round);
  }
  std::vector<candidate> suggest(std::size_t round) const override {
    rng const stream = rng{.seed = options_.seed}.split(round);
    std::size_t done = 0;
    for (auto const& t : trials()) done += t.state == trial_state::done;
    if (done < 2) return fill_space(round_size(round), stream);
    return improve(round_size(round), stream);
  }

  // May a point be suggested beside those of this round and all that were tried?
  bool fresh(candidate const& c, std::vector<candidate> const& points) const {
    return std::find(points.begin(), points.end(), c) == points.end() && !tried(c);
  }
  bool exhausted(std::vector<candidate> const& points) const {
    return all_ && std::none_of(all_->begin(), all_->end(), [&](auto const& c) { return fresh(c, points); });
  }

  std::vector<candidate> fill_space(std::size_t count, rng const& stream) const {
    std::size_t const d = space().size();
    std::vector<double> best, u(count * d);
    double widest = -1;
    tensor<std::int64_t, 1> order({static_cast<std::ptrdiff_t>(count)});
    for (std::uint64_t k = 0; k < 32; ++k) {
      rng random = stream.split(k);
      for (std::size_t c = 0; c < d; ++c) {
        random.permutation(order);
        for (std::size_t i = 0; i < count; ++i)
          u[i * d + c] = (static_cast<double>(order(static_cast<std::ptrdiff_t>(i))) + random.uniform()) /
                         static_cast<double>(count);
      }
      double nearest = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < i; ++j) {
          double squared = 0;
          for (std::size_t c = 0; c < d; ++c) squared += (u[i * d + c] - u[j * d + c]) * (u[i * d + c] - u[j * d + c]);
          nearest = std::min(nearest, squared);
        }
      if (nearest > widest) widest = nearest, best = u;
    }
    std::vector<candidate> points;
    rng random = stream.split(32);
    for (std::size_t i = 0; i < count; ++i) {
      candidate c = space().from_cube(std::span(best).subspan(i * d, d));
      // Cells of integers and categories may coincide.
      if (!options_.repeats && !fresh(c, points) && !exhausted(points)) {
        for (int attempt = 0; attempt < 1000 && !fresh(c, points); ++attempt)
          c = detail::random_candidate(space(), random);
        if (all_ && !fresh(c, points))
          c = *std::find_if(all_->begin(), all_->end(), [&](auto const& other) { return fresh(other, points); });
      }
      points.push_back(std::move(c));
    }
    return points;
  }

  struct scored {
    candidate point;
    double score;
  };

  // Chooses one point after the other for what the process, told of those before, expects of it.
  struct chooser {
    bayesian_search const& search;
    gaussian_process gp;
    double best;
    std::vector<candidate> points;  // of this round so far
    bool repeats = false;

    std::vector<double> score(std::vector<candidate> const& at) const {
      auto const p = gp.predict(search_model::features(search.space(), at));
      std::vector<double> all;
      for (std::size_t i = 0; i < at.size(); ++i) {
        auto const k = static_cast<std::ptrdiff_t>(i);
        bool const allowed = repeats || search.fresh(at[i], points);
        all.push_back(allowed ? log_expected_improvement(p.mean(k), p.variance(k), best,
                                                         {.goal = search.options_.goal, .xi = search.options_.xi})
                              : -std::numeric_limits<double>::infinity());
      }
      return all;
    }
    // The process with one more value at a point that has none: the one given, or the one predicted, which then counts
    // among the best. Hyperparameters stay.
    void believe(candidate const& c, double const* value = nullptr) {
      auto const at = search_model::features(search.space(), std::span(&c, 1));
      std::ptrdiff_t const n = gp.size(), d = gp.dimensions();
      tensor<double, 2> x({n + 1, d}, uninitialized);
      tensor<double, 1> y({n + 1}, uninitialized);
      std::copy(gp.points().begin(), gp.points().end(), x.begin());
      std::copy(at.begin(), at.end(), x.begin() + n * d);
      std::copy(gp.values().begin(), gp.values().end(), y.begin());
      y(n) = value != nullptr ? *value : gp.predict(at).mean(0);
      if (search.better(y(n), best)) best = y(n);
      gp = gaussian_process(x, y, gp.options());
    }
  };

  std::vector<candidate> improve(std::size_t count, rng const& stream) const {
    search_model const learned = model();
    auto const& gp = learned.process();
    auto const means = gp.predict(gp.points()).mean;
    bool const up = options_.goal == limbic::goal::max;
    double best = means(0), worst = gp.values()(0);
    for (double const m : means) best = up ? std::max(best, m) : std::min(best, m);
    for (double const v : gp.values()) worst = up ? std::min(worst, v) : std::max(worst, v);
    chooser chosen{*this, gp, best, {}, options_.repeats};
    for (auto const& t : trials())
      if (t.state == trial_state::failed) chosen.believe(t.point, &worst);
    while (chosen.points.size() < count) {
      chosen.repeats = options_.repeats || exhausted(chosen.points);
      candidate c = all_ ? best_of(chosen, *all_).point : best_around(chosen, stream.split(chosen.points.size()));
      if (chosen.points.size() + 1 < count) chosen.believe(c);
      chosen.points.push_back(std::move(c));
    }
    return std::move(chosen.points);
  }

  // The first of those with the largest score.
  static scored best_of(chooser const& chosen, std::vector<candidate> const& at) {
    auto const s = chosen.score(at);
    std::size_t best = 0;
    for (std::size_t i = 1; i < s.size(); ++i)
      if (s[i] > s[best]) best = i;
    return {at[best], s[best]};
  }

  candidate best_around(chooser const& chosen, rng random) const {
    std::vector<candidate> start;
    for (int i = 0; i < 1000; ++i) start.push_back(detail::random_candidate(space(), random));
    auto const leaders = best_trials(5);
    for (std::size_t i = 0; i < 200 && !leaders.empty(); ++i) {
      auto u = space().to_cube(leaders[i % leaders.size()]->point);
      double const width = i % 2 == 0 ? 0.1 : 0.01;
      for (double& x : u) x = std::clamp(x + width * random.normal(), 0.0, 1.0);
      start.push_back(space().from_cube(u));
    }
    auto const score = chosen.score(start);
    std::vector<std::size_t> order(start.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
    scored best{start[order[0]], score[order[0]]};
    for (std::size_t k = 0; k < 4; ++k) {
      scored const walked = walk(chosen, {start[order[k]], score[order[k]]});
      if (walked.score > best.score) best = walked;
    }
    return best.point;
  }

  scored walk(chooser const& chosen, scored at) const {
    double step = 0.1;
    for (int i = 0; i < 100 && step > 5e-4; ++i) {
      auto u = space().to_cube(at.point);
      std::vector<candidate> around;
      for (std::size_t c = 0; c < u.size(); ++c) {
        double const here = u[c];
        for (double const place : space().neighbours(at.point, u, c, step)) {
          u[c] = place;
          around.push_back(space().from_cube(u));
        }
        u[c] = here;
      }
      if (around.empty()) break;
      scored const next = best_of(chosen, around);
      if (next.score > at.score) at = next;
      else step *= 0.5;
    }
    return at;
  }

  std::vector<search_trial const*> best_trials(std::size_t most) const {
    std::vector<search_trial const*> done;
    for (auto const& t : trials())
      if (t.state == trial_state::done) done.push_back(&t);
    std::sort(done.begin(), done.end(), [&](auto const* a, auto const* b) {
      return a->value != b->value ? better(a->value, b->value) : a->index < b->index;
    });
    if (done.size() > most) done.resize(most);
    return done;
  }

  bayesian_search_options options_;
  std::optional<std::vector<candidate>> all_;  // the space, where it is small
};

LIMBIC_END
