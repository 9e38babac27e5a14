// Ask and tell: rounds, order, repeats, failures; each search gives the same trials whoever evaluates them.
#include <limbic/search.hpp>

#include "catch.hpp"

#include <set>

using namespace limbic;

namespace {

std::vector<std::string> points_of(searcher const& s) {
  std::vector<std::string> all;
  for (auto const& t : s.trials()) all.push_back(t.point.json());
  return all;
}

struct mixed {
  search_space space;
  search_parameter<double> x = space.real("x", -1, 1);
  search_parameter<std::int64_t> n = space.integer("n", 1, 100000);
  search_parameter<std::string> k = space.categorical("k", {"a", "b"});
  search_parameter<double> y = space.log_real("y", 1e-3, 1e3, space.when(k, "b"));

  double operator()(candidate const& c) const {
    double v = -std::pow(c[x] - 0.3, 2) - std::pow(std::log(static_cast<double>(c[n])) / 10 - 0.5, 2);
    if (c.has(y)) v += 1 - std::pow(std::log10(c[y]) - 1, 2);
    return v;
  }
};

// Evaluates a round in the order that `key` gives its trials.
template <class F> void run(searcher& s, std::size_t trials, F const& f, bool backwards) {
  while (s.told() < trials) {
    auto round = s.ask();
    if (backwards) std::reverse(round.begin(), round.end());
    for (auto const& t : round) s.tell(t.index, f(t.point));
  }
}

}  // namespace

TEST_CASE("a random search is a function of seed, round and index") {
  mixed const f;
  random_search a(f.space, {.seed = 5, .round = 3}), b(f.space, {.seed = 5, .round = 3}),
      c(f.space, {.seed = 6, .round = 3});
  run(a, 12, f, false);
  run(b, 12, [](auto const&) { return 0.0; }, true);
  run(c, 12, f, false);
  CHECK(points_of(a) == points_of(b));
  CHECK(points_of(a) != points_of(c));
  auto const texts = points_of(a);
  CHECK(std::set<std::string>(texts.begin(), texts.end()).size() == 12);
  CHECK(a.rounds() == 4);
  CHECK(a.json() == R"({"name":"random","seed":5,"round":3,"goal":"min"})");
}

TEST_CASE("a Bayesian search gives the same trials for any order of evaluation") {
  mixed const f;
  bayesian_search_options const o{.seed = 1, .round = 3, .initial = 6, .goal = goal::max};
  bayesian_search a(f.space, o), b(f.space, o);
  run(a, 18, f, false);
  run(b, 18, f, true);
  CHECK(points_of(a) == points_of(b));
  CHECK(a.trials()[17].round == 4);
  auto const texts = points_of(a);
  CHECK(std::set<std::string>(texts.begin(), texts.end()).size() == texts.size());
  CHECK(a.best().value > 0.65);  // of seeds 0 to 19 all get there, and of random searches none
  CHECK(a.best().point[f.k] == "b");
  // asking again changes nothing
  auto const once = b.ask(), twice = b.ask();
  REQUIRE(once.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(once[i].point == twice[i].point);
  b.tell(once[1].index, 0);
  REQUIRE(b.ask().size() == 2);
  CHECK(b.ask()[0].index == once[0].index);
  CHECK(b.ask()[1].index == once[2].index);
}

TEST_CASE("the first round fills space") {
  search_space s;
  auto const n = s.integer("n", 1, 64);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    bayesian_search search(s, {.seed = seed, .initial = 8});
    std::set<std::int64_t> eighths;
    for (auto const& t : search.ask()) eighths.insert((t.point[n] - 1) / 8);
    CHECK(eighths.size() == 8);
  }
}

TEST_CASE("a small space is tried point by point, then again; with noise it may be at once") {
  search_space s;
  auto const n = s.integer("n", 0, 11);
  auto const f = [&](candidate const& c) { return std::sin(static_cast<double>(c[n])); };
  bayesian_search search(s, {.seed = 3, .round = 5, .initial = 4, .goal = goal::max});
  run(search, 12, f, false);
  std::set<std::string> first, all;
  for (auto const& t : search.trials()) {
    all.insert(t.point.json());
    if (t.index < 12) first.insert(t.point.json());
  }
  CHECK(first.size() == 12);
  CHECK(all.size() == 12);
  CHECK(search.trials().size() == 14);  // rounds keep their size
  CHECK(search.best().point[n] == 8);

  bayesian_search more(s, {.initial = 50});  // more than there are
  CHECK(more.ask().size() == 12);

  rng random{.seed = 8};
  bayesian_search noisy(s, {.seed = 3, .round = 2, .initial = 6, .goal = goal::max, .noisy = true, .repeats = true});
  run(noisy, 30, [&](candidate const& c) { return f(c) + 0.5 * random.normal(); }, false);
  std::set<std::string> different;
  for (auto const& t : noisy.trials()) different.insert(t.point.json());
  CHECK(different.size() < 30);
  CHECK(noisy.model().noise() == Approx(0.25).epsilon(0.7));
}

TEST_CASE("a failed trial is nowhere near the next ones, and changes no prediction") {
  search_space s;
  auto const x = s.real("x", 0, 1);
  auto const f = [&](candidate const& c) { return c[x] > 0.7 ? std::nan("") : c[x]; };
  bayesian_search search(s, {.seed = 2, .round = 1, .initial = 6, .goal = goal::max});
  run(search, 25, f, false);
  CHECK(search.best().value <= 0.7);
  CHECK(search.best().value > 0.6);
  std::size_t failed = 0;
  for (auto const& t : search.trials()) {
    failed += t.state == trial_state::failed;
    CHECK(std::isnan(t.value) == (t.state == trial_state::failed));
  }
  CHECK(failed >= 1);
  CHECK(failed < 12);
  CHECK(search.model().process().size() == static_cast<std::ptrdiff_t>(25 - failed));
  auto const p = search.model().predict(s.make({{"x", 0.5}}));
  CHECK(p.mean == Approx(0.5).margin(0.02));

  // Where all fail, space is filled further.
  bayesian_search hopeless(s, {.seed = 2, .round = 2, .initial = 3});
  run(hopeless, 9, [](auto const&) { return HUGE_VAL; }, false);
  auto const texts = points_of(hopeless);
  CHECK(std::set<std::string>(texts.begin(), texts.end()).size() == texts.size());
  CHECK_THROWS_AS(hopeless.best(), argument_error);
  CHECK_THROWS_AS(hopeless.model(), argument_error);
}

TEST_CASE("values of any scale, and all alike") {
  search_space s;
  auto const x = s.real("x", 0, 1);
  std::vector<std::string> plain;
  for (double const scale : {1.0, 0x1p-40, 0x1p900}) {
    bayesian_search search(s, {.seed = 4, .initial = 4, .goal = goal::max});
    run(search, 10, [&](candidate const& c) { return scale * std::sin(7 * c[x]); }, false);
    if (plain.empty()) plain = points_of(search);
    CHECK(points_of(search) == plain);
  }
  bayesian_search flat(s, {.seed = 4, .initial = 4});
  run(flat, 10, [](auto const&) { return 5.0; }, false);
  CHECK(flat.model().predict(s.make({{"x", 0.3}})).mean == Approx(5));
}

TEST_CASE("a search says what is wrong with a tell") {
  search_space s;
  s.real("x", 0, 1);
  random_search search(s, {.round = 2});
  CHECK_THROWS_AS(search.tell(0, 1), argument_error);
  CHECK_THROWS_AS(search.best(), argument_error);
  search.ask();
  search.tell(1, 1);
  CHECK_THROWS_WITH(search.tell(1, 1), "[search] trial 1 was told twice");
  CHECK_THROWS_WITH(search.tell(2, 1), "[search] trial 2 was told, but only 2 were asked for");
  CHECK_THROWS_AS(random_search(search_space(), {}), argument_error);
  CHECK_THROWS_AS(random_search(s, {.round = 0}), argument_error);
  CHECK_THROWS_AS(bayesian_search(s, {.round = 0}), argument_error);
  CHECK_THROWS_AS(bayesian_search(s, {.initial = -1}), argument_error);
  CHECK_THROWS_AS(bayesian_search(s, {.xi = -1}), argument_error);
}
