// data/pairs.cpp - balanced pairs and semi-hard triplets against enumeration
#include "../catch.hpp"

#include <limbic/data/pairs.hpp>

#include <map>
#include <set>

using namespace limbic;

namespace {

using label_list = tensor<std::int64_t, 1, scalar>;
using pair_set = std::multiset<std::pair<std::int64_t, std::int64_t>>;

label_list random_labels(std::ptrdiff_t n, std::uint64_t classes, std::uint64_t seed) {
  label_list labels(shape<1>{{n}});
  rng random{.seed = seed};
  for (std::ptrdiff_t i = 0; i < n; ++i) labels(i) = static_cast<std::int64_t>(random.below(classes)) * 10 - 5;
  return labels;
}
void collect(pair_batch const& batch, label_list const& labels, pair_set& same, pair_set& other) {
  for (std::ptrdiff_t k = 0; k < batch.labels.size(); ++k) {
    auto const i = batch.pairs(k, 0), j = batch.pairs(k, 1);
    REQUIRE((0 <= i && i < j && j < labels.size()));
    REQUIRE((labels(i) == labels(j)) == (batch.labels(k) == 1));
    (batch.labels(k) == 1 ? same : other).insert({i, j});
  }
}
std::set<std::pair<std::int64_t, std::int64_t>> distinct(pair_set const& s) { return {s.begin(), s.end()}; }

}  // namespace

TEST_CASE("batches of pairs are balanced, and every pair comes once before one comes again") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto const labels = random_labels(6 + static_cast<std::ptrdiff_t>(seed), 2 + seed % 3, seed);
    balanced_pairs source(labels, {.seed = seed});
    std::uint64_t same_count = 0;
    for (std::ptrdiff_t i = 0; i < labels.size(); ++i)
      for (std::ptrdiff_t j = 0; j < i; ++j) same_count += labels(i) == labels(j) ? 1 : 0;
    auto const n = static_cast<std::uint64_t>(labels.size());
    REQUIRE(source.positive_count() == same_count);
    REQUIRE(source.negative_count() == n * (n - 1) / 2 - same_count);

    // One by one: the first round of each kind holds every pair once.
    pair_set same, other;
    std::uint64_t const least = std::min(source.positive_count(), source.negative_count());
    for (std::uint64_t k = 0; k < least; ++k) collect(source.next(2), labels, same, other);
    CHECK((same.size() == least && distinct(same).size() == least && distinct(other).size() == least));
  }
}

TEST_CASE("a batch holds no pair twice where there are enough, and draws what there is where not") {
  auto const labels = random_labels(9, 2, 3);
  balanced_pairs source(labels, {.seed = 4});
  for (int step = 0; step < 50; ++step) {
    pair_set same, other;
    auto const batch = source.next(20);
    collect(batch, labels, same, other);
    REQUIRE((same.size() == 10 && other.size() == 10));
    CHECK((distinct(same).size() == 10 && distinct(other).size() == 10));
  }
  label_list const few({3}, {1, 1, 2});  // one positive pair, two negative ones
  balanced_pairs scarce(few, {.seed = 1});
  pair_set same, other;
  collect(scarce.next(8), few, same, other);
  CHECK((same.size() == 4 && distinct(same).size() == 1 && distinct(other).size() == 2));
}

TEST_CASE("pairs: the same seed gives the same batches, another seed others, and each() saves the place") {
  auto const labels = random_labels(40, 4, 5);
  balanced_pairs a(labels, {.seed = 7}), b(labels, {.seed = 7}), c(labels, {.seed = 8});
  auto const equal = [](pair_batch const& x, pair_batch const& y) {
    return std::equal(x.pairs.begin(), x.pairs.end(), y.pairs.begin(), y.pairs.end());
  };
  auto const first = a.next(16);
  CHECK(equal(first, b.next(16)));
  CHECK_FALSE(equal(first, c.next(16)));
  CHECK_FALSE(equal(first, a.next(16)));
  std::map<std::string, std::uint64_t> saved;
  a.each([&](std::string_view name, auto& v) { saved[std::string(name)] = v; });
  auto const next = a.next(16);
  b.each([&](std::string_view name, auto& v) { v = saved.at(std::string(name)); });
  CHECK(equal(next, b.next(16)));
}

TEST_CASE("orders that are not stored look random") {
  // Each pair should be first equally often: 6 positive pairs, 6000 seeds, five standard deviations.
  label_list const labels({5}, {1, 1, 1, 1, 2});
  std::map<std::pair<std::int64_t, std::int64_t>, int> counts;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    auto const batch = balanced_pairs(labels, {.seed = seed}).next(2);
    ++counts[{batch.pairs(0, 0), batch.pairs(0, 1)}];
  }
  REQUIRE(counts.size() == 6);
  for (auto const& [pair, n] : counts) CHECK(std::abs(n - 1000) < 145);
}

TEST_CASE("a hundred thousand samples") {
  auto const labels = random_labels(100000, 1000, 6);
  balanced_pairs source(labels, {.seed = 9});
  CHECK(source.negative_count() > 4'900'000'000ULL);
  pair_set same, other;
  for (int step = 0; step < 20; ++step) collect(source.next(64), labels, same, other);
  CHECK(distinct(same).size() == 640);
  CHECK(distinct(other).size() == 640);
}

TEST_CASE("semi-hard triplets") {
  // Anchor 0 with positive 1 at 1: negatives at 0.5, 1.25, 1.5.
  tensor<double, 2, scalar> d({5, 5});
  double const rows[5][5] = {
      {0, 1, 0.5, 1.5, 1.25}, {1, 0, 3, 3, 3}, {0.5, 3, 0, 2, 2}, {1.5, 3, 2, 0, 2}, {1.25, 3, 2, 2, 0}};
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) d(i, j) = rows[i][j];
  label_list const labels({5}, {7, 7, 3, 4, 5});
  auto const wide = semi_hard_triplets(d, labels, 1), narrow = semi_hard_triplets(d, labels, 0.25);
  REQUIRE(wide.indices.shape() == shape<2>{{2, 3}});  // (0, 1) and (1, 0): the others have no positive
  CHECK((wide.indices(0, 0) == 0 && wide.indices(0, 1) == 1 && wide.indices(0, 2) == 4 && wide.semi_hard(0)));
  CHECK((wide.indices(1, 0) == 1 && wide.indices(1, 2) == 2 && !wide.semi_hard(1)));  // all at 3: the first
  CHECK((narrow.indices(0, 2) == 2 && !narrow.semi_hard(0)));                         // 1.25 is not below 1 + 0.25
  CHECK(semi_hard_triplets(d, label_list({5}, {1, 2, 3, 4, 5}), 1).semi_hard.size() == 0);

  CHECK_THROWS_AS(semi_hard_triplets(d, label_list({4}, {1, 1, 2, 2}), 1), shape_error);
  CHECK_THROWS_AS(semi_hard_triplets(d, labels, 0), argument_error);
  CHECK_THROWS_WITH(semi_hard_triplets(d, label_list({5}, {1, 1, 1, 1, 1}), 1),
                    "[semi_hard_triplets] all 5 labels are equal: there is no negative");
  d(2, 3) = std::nan("");
  CHECK_THROWS_WITH(semi_hard_triplets(d, labels, 1), "[semi_hard_triplets] the distance of 2 and 3 is NaN");
}

TEST_CASE("pairs: what is refused") {
  CHECK_THROWS_WITH(balanced_pairs(label_list({3}, {1, 2, 3}), {}),
                    "[balanced_pairs] there are 0 positive and 3 negative pairs of 3 labels: some of both are needed");
  CHECK_THROWS_AS(balanced_pairs(label_list({3}, {1, 1, 1}), {}), argument_error);
  CHECK_THROWS_AS(balanced_pairs(label_list(shape<1>{{0}}), {}), argument_error);
  balanced_pairs source(label_list({3}, {1, 1, 2}), {});
  CHECK_THROWS_WITH(source.next(5), "[balanced_pairs] a batch needs an even size of at least 2, but is 5");
  CHECK_THROWS_AS(source.next(0), argument_error);
}
