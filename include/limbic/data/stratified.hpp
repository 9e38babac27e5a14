// limbic/data/stratified.hpp - parts in which every class has its share
//
//   auto const s = split_classes(labels, {.validation = 0, .test = 497.0 / 1797}, {.seed = 7});
//   take(images, s.train), take(labels, s.test)                                  1300 and 497 of 1797 samples
//   for (auto const& fold : stratified_k_fold(labels, 5, {.seed = 7})) ...       fold.train, fold.test
//   auto const few = sample_classes(labels, counts, {.seed = 7});                counts(c) samples of class c
//
// Samples are put in order by class, at random within a class, and dealt out evenly along that order. A part of split_classes
// has round(fraction N) samples, and of a class its fraction of them, give or take one; folds, and the samples of a
// class in them, differ by at most one. Indices within a part ascend. The same seed gives the same parts.
//
// For samples that resemble one another in groups (frames of a video, images of a person) see splits.hpp. With all labels 0
// these are the ordinary random split and k-fold.
//
// domain  labels (N) of integers, any values; for sample_classes in [0, K) with counts (K). A part that would be empty, a
//         class with fewer samples than folds or than are asked for: argument_error
#pragma once

#include <limbic/data/splits.hpp>

LIMBIC_BEGIN

namespace detail {

// All samples: by class, in random order within a class.
template <class I, class D> std::vector<std::int64_t> by_class(view<I const, 1, D> const& labels, rng random) {
  sample_list order(labels.shape(), uninitialized);
  random.permutation(order);
  std::vector<std::pair<I, std::ptrdiff_t>> places;  // the label, and where the sample stands
  for (std::ptrdiff_t i = 0; i < order.size(); ++i) places.emplace_back(labels(order(i)), i);
  std::sort(places.begin(), places.end());
  std::vector<std::int64_t> all;
  for (auto const& p : places) all.push_back(order(p.second));
  return all;
}

// Moves `count` of the samples, evenly spread over the list, to the part, which comes back in ascending order.
inline sample_list deal_out(std::vector<std::int64_t>& from, std::ptrdiff_t count) {
  auto const n = static_cast<std::ptrdiff_t>(from.size());
  sample_list part(shape<1>{{count}}, uninitialized);
  std::vector<std::int64_t> rest;
  std::ptrdiff_t dealt = 0;
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    auto const sample = from[static_cast<std::size_t>(j)];
    if (((j + 1) * count + n / 2) / n > dealt) part(dealt++) = sample;
    else rest.push_back(sample);
  }
  std::sort(part.begin(), part.end());
  from = std::move(rest);
  return part;
}

}  // namespace detail

template <detail::group_list Labels>
data_split split_classes(Labels const& labels, split_options const& o, rng random) {
  constexpr std::string_view name = "split_classes";
  if (!(o.validation >= 0 && o.test >= 0 && o.validation + o.test < 1))
    fail<argument_error>(name, "fractions must not be negative and leave some for training, but are ", o.validation,
                         " and ", o.test);
  auto rest = detail::by_class(detail::group_view(labels), random);
  auto const n = static_cast<std::ptrdiff_t>(rest.size());
  auto const size = [&](std::string_view part, double fraction) {
    auto const count = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(n) + 0.5);
    if (fraction > 0 && count == 0)
      fail<argument_error>(name, "a fraction of ", fraction, " of ", n, " samples leaves none for the ", part);
    return count;
  };
  std::ptrdiff_t const validation = size("validation", o.validation), test = size("test", o.test);
  if (validation + test >= n)
    fail<argument_error>(name, validation, " samples for the validation and ", test, " for the test of ", n,
                         " leave none for training");
  data_split s;
  s.test = detail::deal_out(rest, test);
  s.validation = detail::deal_out(rest, validation);
  s.train = detail::deal_out(rest, n - test - validation);
  return s;
}

template <detail::group_list Labels>
std::vector<data_fold> stratified_k_fold(Labels const& labels, int folds, rng random) {
  constexpr std::string_view name = "stratified_k_fold";
  auto const v = detail::group_view(labels);
  if (folds < 2) fail<argument_error>(name, "there must be at least 2 folds, but there are ", folds);
  if (v.size() == 0) fail<argument_error>(name, "there are no samples");
  auto const order = detail::by_class(v, random);
  for (std::size_t j = 0, first = 0; j < order.size(); ++j) {
    if (v(order[first]) != v(order[j])) first = j;
    if ((j + 1 == order.size() || v(order[j + 1]) != v(order[j])) && j + 1 - first < static_cast<std::size_t>(folds))
      fail<argument_error>(name, "class ", v(order[j]), " has ", j + 1 - first, " samples, fewer than the ", folds,
                           " folds");
  }
  tensor<std::int64_t, 1, scalar> fold(v.shape(), uninitialized);
  for (std::size_t j = 0; j < order.size(); ++j)
    fold(order[j]) = static_cast<std::int64_t>(j % static_cast<std::size_t>(folds));
  return leave_one_group_out(fold);
}

template <detail::group_list Labels, detail::group_list Counts>
sample_list sample_classes(Labels const& labels, Counts const& counts, rng random) {
  constexpr std::string_view name = "sample_classes";
  auto const v = detail::group_view(labels);
  auto const wanted = detail::group_view(counts);
  std::vector<std::ptrdiff_t> left;
  for (std::ptrdiff_t c = 0; c < wanted.size(); ++c) {
    if (wanted(c) < 0) fail<argument_error>(name, "class ", c, " cannot have ", wanted(c), " samples");
    left.push_back(static_cast<std::ptrdiff_t>(wanted(c)));
  }
  std::vector<std::int64_t> chosen;
  for (auto const i : detail::by_class(v, random)) {
    auto const label = static_cast<std::ptrdiff_t>(v(i));
    if (label < 0 || label >= wanted.size())
      fail<index_error>(name, "sample ", i, " has the label ", label, ", expected 0 to ", wanted.size() - 1);
    if (left[static_cast<std::size_t>(label)]-- > 0) chosen.push_back(i);
  }
  for (std::ptrdiff_t c = 0; c < wanted.size(); ++c)
    if (auto const missing = left[static_cast<std::size_t>(c)]; missing > 0)
      fail<argument_error>(name, "class ", c, " has ", wanted(c) - missing, " samples, but ", wanted(c),
                           " are asked for");
  return detail::deal_out(chosen, static_cast<std::ptrdiff_t>(chosen.size()));
}

LIMBIC_END
