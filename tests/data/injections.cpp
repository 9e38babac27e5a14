// Transients laid upon recordings: where they lie, how strong they are, that they are what was added; what is refused.
#include "../catch.hpp"

#include <limbic/data/injections.hpp>
#include <limbic/metrics/events.hpp>
#include <limbic/metrics/signal_quality.hpp>

#include <set>

using namespace limbic;

namespace {

tensor<double, 1> noise(std::ptrdiff_t n) {
  tensor<double, 1> x({n});
  rng random{.seed = 4};
  random.normal(x, 100, 3);  // on an offset, which is no power
  return x;
}
std::ptrdiff_t at(double onset) { return static_cast<std::ptrdiff_t>(onset); }
double mean_square(tensor<double, 1> const& x, double from, std::ptrdiff_t n) {
  double sum = 0;
  for (std::ptrdiff_t i = 0; i < n; ++i) sum += x(at(from) + i) * x(at(from) + i);
  return sum / static_cast<double>(n);
}

}  // namespace

TEST_CASE("transients are as strong as was asked for, apart, and alone in the source") {
  auto const x = noise(5000);
  tensor<double, 1> const spike({4}, {1, 5, -3, 1});
  auto const r = inject(x, spike, {.count = 20, .level = 6, .apart = 30, .seed = 3});
  REQUIRE(r.onsets.size() == 20);
  double variance = 0;
  for (double const v : x) variance += (v - 100) * (v - 100) / 5000;
  std::ptrdiff_t touched = 0;
  for (std::ptrdiff_t k = 0; k < 20; ++k) {
    CHECK((r.onsets(k) >= 0 && r.onsets(k) + 4 <= 5000));
    if (k > 0) CHECK(r.onsets(k) - r.onsets(k - 1) >= 34);
    CHECK(10 * std::log10(mean_square(r.source, r.onsets(k), 4) / variance) == Approx(6).margin(0.02));
    CHECK(r.source(at(r.onsets(k)) + 1) == Approx(5 * r.source(at(r.onsets(k)))));
  }
  for (std::ptrdiff_t t = 0; t < 5000; ++t) {
    CHECK(r.signal(t) == x(t) + r.source(t));
    touched += r.source(t) != 0;
  }
  CHECK(touched == 80);
  // What judges them reads them as they are.
  CHECK(match_events(r.onsets, r.onsets, 0.5).f1 == 1);
  CHECK(snr(r.source, r.source) > 1e300);
  CHECK(mean_squared_error(x, r.signal) == Approx(80 * mean_square(r.source, r.onsets(0), 4) / 5000));

  auto const same = inject(x, spike, {.count = 20, .level = 6, .apart = 30, .seed = 3});
  auto const other = inject(x, spike, {.count = 20, .level = 6, .apart = 30, .seed = 4});
  CHECK(std::equal(same.onsets.begin(), same.onsets.end(), r.onsets.begin()));
  CHECK_FALSE(std::equal(other.onsets.begin(), other.onsets.end(), r.onsets.begin()));
}

TEST_CASE("transients fill a recording to its ends, and lie anywhere in it") {
  auto const x = noise(10);
  tensor<double, 1> const box({3}, {1, 1, 1});
  auto const full = inject(x, box, {.count = 2, .apart = 4});  // 3 + 4 + 3
  CHECK((full.onsets(0) == 0 && full.onsets(1) == 7));
  std::set<double> places;
  for (std::uint64_t seed = 0; seed < 200; ++seed) places.insert(inject(x, box, {.seed = seed}).onsets(0));
  CHECK(places.size() == 8);
  CHECK((*places.begin() == 0 && *places.rbegin() == 7));
}

TEST_CASE("one source in several channels") {
  tensor<float, 2> x({50, 3});
  rng random{.seed = 5};
  random.normal(x);
  tensor<float, 1> const pulse({2}, {1, 2}), mixing({3}, {1, 0, -0.5F});
  auto const r = inject(x, pulse, mixing, {.count = 3, .level = -10});
  for (std::ptrdiff_t t = 0; t < 50; ++t) {
    CHECK(r.signal(t, 0) == x(t, 0) + r.source(t));
    CHECK(r.signal(t, 1) == x(t, 1));
    CHECK(r.signal(t, 2) == x(t, 2) - 0.5F * r.source(t));
  }
}

TEST_CASE("what injections refuse") {
  auto const x = noise(10);
  tensor<double, 1> const box({3}, {1, 1, 1}), flat({10}, 0.1), silent({3}), none({0}), longer({11}, 1.0);
  CHECK_THROWS_WITH(inject(x, box, {.count = 3, .apart = 1}),
                    "[inject] 3 transients of 3 samples, 1 apart, do not fit into 10");
  CHECK(inject(x, box, {.count = 3}).onsets.size() == 3);
  CHECK_THROWS_AS(inject(x, longer), argument_error);
  CHECK_THROWS_AS(inject(x, box, {.count = 0}), argument_error);
  CHECK_THROWS_AS(inject(x, box, {.apart = -1}), argument_error);
  CHECK_THROWS_AS(inject(x, box, {.level = std::nan("")}), argument_error);
  CHECK_THROWS_WITH(inject(flat, box), "[inject] a level needs powers to compare, but x has none");
  CHECK_THROWS_AS(inject(x, silent), argument_error);
  CHECK_THROWS_AS(inject(x, none), argument_error);
  CHECK_THROWS_AS(inject(none, box), argument_error);
  auto broken = x;
  broken(4) = std::nan("");
  CHECK_THROWS_WITH(inject(broken, box), Catch::Contains("x holds nan at 4") || Catch::Contains("x holds NaN at 4"));
  tensor<double, 2> const two({5, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 0});
  CHECK_THROWS_AS(inject(two, box, box, {}), shape_error);
}
