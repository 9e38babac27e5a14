// data/splits.cpp - parts that share no group, over random groups
#include "../catch.hpp"

#include <limbic/data/splits.hpp>

#include <algorithm>
#include <set>

using namespace limbic;

namespace {

using group_ids = tensor<std::int64_t, 1, scalar>;

group_ids random_groups(std::ptrdiff_t n, std::uint64_t groups, std::uint64_t seed) {
  group_ids ids(shape<1>{{n}});
  rng random{.seed = seed};
  for (std::ptrdiff_t i = 0; i < n; ++i) ids(i) = 100 - 3 * static_cast<std::int64_t>(random.below(groups));
  return ids;
}
std::set<std::int64_t> groups_in(sample_list const& part, group_ids const& ids) {
  std::set<std::int64_t> found;
  for (auto const i : part) found.insert(ids(i));
  return found;
}
bool ascending(sample_list const& part) {
  for (std::ptrdiff_t i = 1; i < part.size(); ++i)
    if (part(i - 1) >= part(i)) return false;
  return true;
}
// The parts hold every sample once, and no group is in two of them.
template <class... Part> bool separated(group_ids const& ids, Part const&... parts) {
  std::multiset<std::int64_t> samples;
  std::size_t groups = 0;
  bool in_order = true;
  auto const enter = [&](sample_list const& part) {
    samples.insert(part.begin(), part.end());
    groups += groups_in(part, ids).size();
    in_order = in_order && ascending(part);
  };
  (enter(parts), ...);
  std::set<std::int64_t> const once(samples.begin(), samples.end()), all(ids.begin(), ids.end());
  return in_order && samples.size() == static_cast<std::size_t>(ids.size()) && once.size() == samples.size() &&
         groups == all.size();
}
bool same_list(sample_list const& a, sample_list const& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

TEST_CASE("splits never leak a group") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto const ids = random_groups(60 + static_cast<std::ptrdiff_t>(seed), 5 + seed % 20, seed);
    auto const s = split_groups(ids, {.validation = 0.2, .test = 0.25}, {.seed = seed});
    REQUIRE(separated(ids, s.train, s.validation, s.test));
    REQUIRE((s.train.size() > 0 && s.validation.size() > 0 && s.test.size() > 0));
    std::set<std::int64_t> const all(ids.begin(), ids.end());
    double const n = static_cast<double>(all.size());
    CHECK(groups_in(s.test, ids).size() == static_cast<std::size_t>(0.25 * n + 0.5));
    CHECK(groups_in(s.validation, ids).size() == static_cast<std::size_t>(0.2 * n + 0.5));

    std::multiset<std::int64_t> tested;
    for (auto const& fold : leave_one_group_out(ids)) {
      REQUIRE(separated(ids, fold.train, fold.test));
      REQUIRE(groups_in(fold.test, ids).size() == 1);
      tested.insert(fold.test.begin(), fold.test.end());
    }
    CHECK(tested.size() == static_cast<std::size_t>(ids.size()));

    tested.clear();
    std::ptrdiff_t least = ids.size(), most = 0;
    for (auto const& fold : group_k_fold(ids, 3, {.seed = seed})) {
      REQUIRE(separated(ids, fold.train, fold.test));
      tested.insert(fold.test.begin(), fold.test.end());
      least = std::min(least, fold.test.size());
      most = std::max(most, fold.test.size());
    }
    CHECK(tested.size() == static_cast<std::size_t>(ids.size()));
    // The last group put into the fullest fold found it with the fewest samples.
    std::ptrdiff_t largest = 0;
    for (auto const g : all)
      largest = std::max(largest, static_cast<std::ptrdiff_t>(std::count(ids.begin(), ids.end(), g)));
    CHECK(most - least <= largest);
  }
}

TEST_CASE("splits: the seed decides, and nothing else") {
  auto const ids = random_groups(200, 30, 1);
  auto const a = split_groups(ids, {}, {.seed = 5}), b = split_groups(ids.view(), {}, {.seed = 5}),
             c = split_groups(ids, {}, {.seed = 6});
  CHECK((same_list(a.train, b.train) && same_list(a.validation, b.validation) && same_list(a.test, b.test)));
  CHECK_FALSE(same_list(a.test, c.test));
  CHECK(same_list(group_k_fold(ids, 4, {.seed = 5})[2].test, group_k_fold(ids, 4, {.seed = 5})[2].test));
  auto const only_test = split_groups(ids, {.validation = 0, .test = 0.5}, {.seed = 5});
  CHECK((only_test.validation.size() == 0 && only_test.test.size() > 0));
}

TEST_CASE("sessions within subjects are groups of their own") {
  group_ids const subject({6}, {2, 2, 2, 9, 9, 9}), session({6}, {1, 1, 2, 1, 2, 2});
  auto const both = nested_groups(subject, session);
  CHECK(std::vector<std::int64_t>(both.begin(), both.end()) == std::vector<std::int64_t>{0, 0, 1, 2, 3, 3});
  CHECK_THROWS_AS(nested_groups(subject, group_ids({5}, {1, 1, 2, 1, 2})), shape_error);
}

TEST_CASE("splits: parts that would be empty") {
  group_ids const three({4}, {1, 2, 3, 3}), same_group({4}, {1, 1, 1, 1});
  CHECK_THROWS_WITH(split_groups(three, {.validation = 0.1, .test = 0.4}, {}),
                    "[split_groups] a fraction of 0.1 of 3 groups leaves none for the validation");
  CHECK_THROWS_WITH(split_groups(three, {.validation = 0.45, .test = 0.5}, {}),
                    "[split_groups] 1 groups for the validation and 2 for the test of 3 leave none for training");
  CHECK_THROWS_AS(split_groups(three, {.validation = 0.6, .test = 0.5}, {}), argument_error);
  CHECK_THROWS_AS(split_groups(three, {.validation = -0.1, .test = 0.5}, {}), argument_error);
  CHECK_THROWS_AS(leave_one_group_out(same_group), argument_error);
  CHECK_THROWS_WITH(group_k_fold(three, 4, {}),
                    "[group_k_fold] the number of folds must lie in [2, 3], the number of groups, but is 4");
  CHECK_THROWS_AS(group_k_fold(three, 1, {}), argument_error);
  CHECK_THROWS_AS(split_groups(group_ids(shape<1>{{0}}), {.validation = 0, .test = 0.5}, {}), argument_error);
}
