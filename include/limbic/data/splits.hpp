// limbic/data/splits.hpp - training, validation and test samples that share no group
//
// Windows of one recording resemble one another: a model that trained on some of them seems to know the others. So what
// is held out is a whole segment, session or subject, given as a number for each sample.
//
//   auto const s = split_groups(subject, {.validation = 0.2, .test = 0.2}, {.seed = 7});
//   take(x, s.train)                                   ... s.validation, s.test
//   for (auto const& fold : leave_one_group_out(subject)) ...                  fold.train, fold.test
//   for (auto const& fold : group_k_fold(session, 5, {.seed = 7})) ...
//   nested_groups(subject, session)                    session 1 of subject 2 is not session 1 of subject 3
//
// Fractions are of groups, rounded: groups of different sizes give other fractions of samples. group_k_fold puts one group
// after another, the largest first, into the fold with the fewest samples; the seed decides among equals. Indices within a
// part ascend. The same seed gives the same parts.
//
// domain  groups (N) of integers, any values. A part that would be empty is an error that says how many groups there are:
//         there must be one for each part wanted (a fraction of 0 wants none), one left for training, and for folds as many
//         as folds, at least 2
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/math/base.hpp>

#include <algorithm>
#include <vector>

LIMBIC_BEGIN

// Numbers of samples, ascending.
using sample_list = tensor<std::int64_t, 1, scalar>;

struct split_options {
  double validation = 0.15;  // share of the groups, rounded
  double test = 0.15;        // the same
};
// Three parts that share no group.
struct data_split {
  sample_list train, validation, test;  // the samples of each part
};
// Two parts that share no group.
struct data_fold {
  sample_list train, test;  // the samples of each part
};

namespace detail {

// The groups by number, 0 .. count-1 in ascending order of what they are called, and that number for each sample.
struct sample_groups {
  std::vector<std::int64_t> names;
  std::vector<std::ptrdiff_t> of;

  template <class I, class D> explicit sample_groups(view<I const, 1, D> groups) {
    for (std::ptrdiff_t i = 0; i < groups.size(); ++i) names.push_back(static_cast<std::int64_t>(groups(i)));
    std::vector<std::int64_t> const each = names;
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (auto const g : each) of.push_back(std::lower_bound(names.begin(), names.end(), g) - names.begin());
  }
  std::ptrdiff_t count() const { return static_cast<std::ptrdiff_t>(names.size()); }
  std::vector<std::ptrdiff_t> shuffled(rng& random) const {
    sample_list order(shape<1>{{count()}}, uninitialized);
    random.permutation(order);
    return {order.begin(), order.end()};
  }
  // The samples whose group is in part `p`.
  sample_list part(std::vector<int> const& part_of_group, int p, bool others = false) const {
    std::vector<std::int64_t> list;
    for (std::size_t i = 0; i < of.size(); ++i)
      if ((part_of_group[static_cast<std::size_t>(of[i])] == p) != others) list.push_back(static_cast<std::int64_t>(i));
    sample_list samples(shape<1>{{static_cast<std::ptrdiff_t>(list.size())}}, uninitialized);
    std::copy(list.begin(), list.end(), samples.data());
    return samples;
  }
  std::vector<data_fold> folds(std::vector<int> const& fold_of_group, int count) const {
    std::vector<data_fold> all;
    for (int k = 0; k < count; ++k) all.push_back({part(fold_of_group, k, true), part(fold_of_group, k)});
    return all;
  }
};

template <class G> concept group_list = requires(G const& g) {
  g.shape();
  requires G::rank == 1;
  requires std::is_integral_v<typename G::value_type>;
  requires is_host<typename G::device>;
};
template <class T, int R, class D> view<T const, R, D> group_view(tensor<T, R, D> const& t) { return t.view(); }
template <class T, int R, class D> view<std::remove_const_t<T> const, R, D> group_view(view<T, R, D> const& v) {
  return v;
}

}  // namespace detail

template <detail::group_list G> data_split split_groups(G const& groups, split_options const& o, rng random) {
  constexpr std::string_view name = "split_groups";
  if (!(o.validation >= 0 && o.test >= 0 && o.validation + o.test < 1))
    fail<argument_error>(name, "fractions must not be negative and leave some for training, but are ", o.validation,
                         " and ", o.test);
  detail::sample_groups const g(detail::group_view(groups));
  auto const held_out = [&](std::string_view part, double fraction) {
    auto const n = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(g.count()) + 0.5);
    if (fraction > 0 && n == 0)
      fail<argument_error>(name, "a fraction of ", fraction, " of ", g.count(), " groups leaves none for the ", part);
    return n;
  };
  std::ptrdiff_t const validation = held_out("validation", o.validation), test = held_out("test", o.test);
  if (validation + test >= g.count())
    fail<argument_error>(name, validation, " groups for the validation and ", test, " for the test of ", g.count(),
                         " leave none for training");
  auto const order = g.shuffled(random);
  std::vector<int> part(order.size(), 0);
  for (std::ptrdiff_t i = 0; i < validation + test; ++i)
    part[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = i < test ? 2 : 1;
  return {g.part(part, 0), g.part(part, 1), g.part(part, 2)};
}

// One fold for each group, in ascending order of their numbers: it is the test, all others train.
template <detail::group_list G> std::vector<data_fold> leave_one_group_out(G const& groups) {
  detail::sample_groups const g(detail::group_view(groups));
  if (g.count() < 2)
    fail<argument_error>("leave_one_group_out", "at least 2 groups are needed, but there are ", g.count());
  std::vector<int> fold;
  for (std::ptrdiff_t i = 0; i < g.count(); ++i) fold.push_back(static_cast<int>(i));
  return g.folds(fold, static_cast<int>(g.count()));
}

template <detail::group_list G> std::vector<data_fold> group_k_fold(G const& groups, int folds, rng random) {
  detail::sample_groups const g(detail::group_view(groups));
  if (folds < 2 || folds > g.count())
    fail<argument_error>("group_k_fold", "the number of folds must lie in [2, ", g.count(),
                         "], the number of groups, but is ", folds);
  std::vector<std::ptrdiff_t> sizes(g.names.size(), 0), samples(static_cast<std::size_t>(folds), 0);
  for (auto const k : g.of) ++sizes[static_cast<std::size_t>(k)];
  auto const shuffled = g.shuffled(random);
  std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;  // the largest first, equal ones as they were shuffled
  for (std::size_t i = 0; i < shuffled.size(); ++i)
    order.emplace_back(-sizes[static_cast<std::size_t>(shuffled[i])], i);
  std::sort(order.begin(), order.end());
  std::vector<int> fold(order.size(), 0);
  for (auto const& next : order) {
    auto const k = shuffled[next.second];
    auto const least = std::min_element(samples.begin(), samples.end());
    fold[static_cast<std::size_t>(k)] = static_cast<int>(least - samples.begin());
    *least += sizes[static_cast<std::size_t>(k)];
  }
  return g.folds(fold, folds);
}

// A number for each different pair (outer, inner), from 0 on in ascending order.
template <detail::group_list G, detail::group_list H> sample_list nested_groups(G const& outer, H const& inner) {
  if (!(outer.shape() == inner.shape()))
    fail<shape_error>("nested_groups", "outer groups ", outer.shape(), " and inner ones ", inner.shape(),
                      " must be as many");
  detail::sample_groups const a(detail::group_view(outer)), b(detail::group_view(inner));
  sample_list both(outer.shape(), uninitialized);
  for (std::size_t i = 0; i < a.of.size(); ++i) both.data()[i] = a.of[i] * b.count() + b.of[i];
  detail::sample_groups const c(std::as_const(both).view());
  for (std::size_t i = 0; i < c.of.size(); ++i) both.data()[i] = c.of[i];
  return both;
}

LIMBIC_END
