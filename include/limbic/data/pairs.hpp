// limbic/data/pairs.hpp - which two samples, or three, are compared: balanced pairs, semi-hard triplets
//
//   balanced_pairs source(labels, {.seed = 7});
//   for (int step = 0; step < 1000; ++step) {
//     auto const batch = source.next(32);            batch.pairs (32, 2), batch.labels (32): 16 times 1, then 16 times 0
//   }
//
// A positive pair are two samples of one label, a negative pair two of different ones; (i, j) has i < j. Of each kind all
// pairs come in a random order before one comes again, and none twice in a batch unless there are fewer than it needs.
// That order is not stored (a hundred thousand samples have billions of pairs): it is a permutation of their numbers, a
// Feistel network with Philox as its round function, walked along until it falls into the range (Black and Rogaway 2002).
//
//   auto const triplets = semi_hard_triplets(distances, labels, margin);       triplets.indices (K, 3): anchor, positive,
//                                                                              negative; triplets.semi_hard (K)
//
// For every ordered pair (a, p) of one label the nearest n of another with d(a, p) < d(a, n) < d(a, p) + margin; where
// there is none, the hardest: the nearest n of all (Schroff, Kalenichenko and Philbin 2015, arXiv:1503.03832). Rows are in
// the order of a, then p; among equal distances the first n is taken.
//
// domain  labels (N) of integers, any values; at least one pair of each kind (an error otherwise). Batches of an even
//         size >= 2. distances (N, N) without NaN, margin > 0
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/math/base.hpp>

#include <algorithm>
#include <vector>

LIMBIC_BEGIN

// Pairs of samples to compare.
struct pair_batch {
  tensor<std::int64_t, 2, scalar> pairs;   // (P, 2): numbers of samples
  tensor<std::int64_t, 1, scalar> labels;  // (P): 1 where both have the same label, else 0
};
// An anchor, another sample of its label, and one of another label.
struct triplet_list {
  tensor<std::int64_t, 2, scalar> indices;  // (N, 3): anchor, positive, negative
  tensor<bool, 1, scalar> semi_hard;        // false: the hardest
};

namespace detail {

// 0 .. count-1 in a random order; afterwards in another one.
class endless_order {
 public:
  endless_order() = default;
  endless_order(std::uint64_t count, std::uint64_t stream) : count_(count), stream_(stream) {
    while (half_ < 31 && (std::uint64_t{1} << (2 * half_)) < count) ++half_;
  }
  std::uint64_t count() const { return count_; }
  bool begins() const { return position_ % count_ == 0; }
  std::uint64_t next(std::uint64_t seed) {
    std::uint64_t x = position_ % count_;
    std::uint64_t const round = position_++ / count_;
    do x = permuted(seed, round, x);
    while (x >= count_);
    return x;
  }
  void each(auto&& f) { f("position", position_); }

 private:
  std::uint64_t permuted(std::uint64_t seed, std::uint64_t order, std::uint64_t x) const {
    std::uint64_t const mask = (std::uint64_t{1} << half_) - 1;
    std::uint64_t left = x >> half_, right = x & mask;
    for (std::uint64_t round = 0; round < 8; ++round) {
      auto const words = philox(seed ^ (order * 0x9E3779B97F4A7C15U), stream_, (round << 32) | right);
      std::uint64_t const mixed = left ^ (words.word[0] & mask);
      left = right;
      right = mixed;
    }
    return (left << half_) | right;
  }
  std::uint64_t count_ = 0, stream_ = 0, position_ = 0;
  int half_ = 1;  // of the bits of a number
};

// The members of each class, one class after the other.
struct label_groups {
  std::vector<std::ptrdiff_t> members, first;  // first[c] .. first[c + 1]: class c

  template <class I, class D> explicit label_groups(view<I const, 1, D> labels) {
    members.resize(static_cast<std::size_t>(labels.size()));
    for (std::size_t i = 0; i < members.size(); ++i) members[i] = static_cast<std::ptrdiff_t>(i);
    std::sort(members.begin(), members.end(),
              [&](auto a, auto b) { return labels(a) != labels(b) ? labels(a) < labels(b) : a < b; });
    for (std::size_t i = 0; i < members.size(); ++i)
      if (i == 0 || labels(members[i]) != labels(members[i - 1])) first.push_back(static_cast<std::ptrdiff_t>(i));
    first.push_back(labels.size());
  }
  std::size_t count() const { return first.size() - 1; }
  std::ptrdiff_t size(std::size_t c) const { return first[c + 1] - first[c]; }
};

}  // namespace detail

class balanced_pairs {
 public:
  template <class I, class D>
    requires(std::is_integral_v<I> && is_host<D>)
  balanced_pairs(view<I const, 1, D> labels, rng random) : groups_(labels), seed_(random.seed) {
    // The rows of two triangles: pairs within a class by the place of their second member, pairs across classes by a
    // member and all that lie in the classes before.
    std::uint64_t positive = 0, negative = 0;
    for (std::size_t c = 0; c < groups_.count(); ++c) {
      auto const n = static_cast<std::uint64_t>(groups_.size(c)), before = static_cast<std::uint64_t>(groups_.first[c]);
      positive_begin_.push_back(positive);
      negative_begin_.push_back(negative);
      positive += n * (n - 1) / 2;
      negative += n * before;
    }
    if (positive == 0 || negative == 0)
      fail<argument_error>("balanced_pairs", "there are ", positive, " positive and ", negative, " negative pairs of ",
                           labels.size(), " labels: some of both are needed");
    positives_ = detail::endless_order(positive, random.split(0).stream);
    negatives_ = detail::endless_order(negative, random.split(1).stream);
  }
  template <class I, class D>
  balanced_pairs(tensor<I, 1, D> const& labels, rng random) : balanced_pairs(labels.view(), random) {}

  // Pairs of samples with the same label that there are in all.
  std::uint64_t positive_count() const { return positives_.count(); }
  // Pairs with different ones.
  std::uint64_t negative_count() const { return negatives_.count(); }

  pair_batch next(std::ptrdiff_t size) {
    if (size < 2 || size % 2 != 0)
      fail<argument_error>("balanced_pairs", "a batch needs an even size of at least 2, but is ", size);
    pair_batch batch{tensor<std::int64_t, 2, scalar>(shape<2>{{size, 2}}, uninitialized),
                     tensor<std::int64_t, 1, scalar>(shape<1>{{size}})};
    std::ptrdiff_t const half = size / 2;
    auto const put = [&](std::ptrdiff_t row, std::ptrdiff_t i, std::ptrdiff_t j) {
      batch.pairs(row, 0) = i < j ? i : j;
      batch.pairs(row, 1) = i < j ? j : i;
    };
    auto row = std::ptrdiff_t{0};
    for (auto const k : draw(positives_, half)) {
      auto const [i, j] = positive(k);
      batch.labels(row) = 1;
      put(row++, i, j);
    }
    for (auto const k : draw(negatives_, half)) {
      auto const [i, j] = negative(k);
      put(row++, i, j);
    }
    return batch;
  }

  // For checkpoints.
  void each(auto&& f) {
    positives_.each([&](auto, auto& position) { f("positives", position); });
    negatives_.each([&](auto, auto& position) { f("negatives", position); });
  }

 private:
  struct pair {
    std::ptrdiff_t i, j;
  };
  // `half` numbers; where one order ends and the next begins, those that are in the batch already are passed over.
  std::vector<std::uint64_t> draw(detail::endless_order& order, std::ptrdiff_t half) const {
    std::vector<std::uint64_t> chosen;
    std::size_t seen = 0;  // of the order before
    while (chosen.size() < static_cast<std::size_t>(half)) {
      bool const scarce = order.count() < static_cast<std::uint64_t>(half);
      if (order.begins() && !scarce) seen = chosen.size();
      auto const k = order.next(seed_);
      if (!scarce && std::find(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(seen), k) !=
                         chosen.begin() + static_cast<std::ptrdiff_t>(seen))
        continue;
      chosen.push_back(k);
    }
    return chosen;
  }
  static std::size_t class_of(std::vector<std::uint64_t> const& begin, std::uint64_t k) {
    return static_cast<std::size_t>(std::upper_bound(begin.begin(), begin.end(), k) - begin.begin()) - 1;
  }
  std::ptrdiff_t member(std::ptrdiff_t place) const { return groups_.members[static_cast<std::size_t>(place)]; }
  // Pair k of a triangle: (0, 1), (0, 2), (1, 2), (0, 3), ...
  pair positive(std::uint64_t k) const {
    std::size_t const c = class_of(positive_begin_, k);
    std::uint64_t const within = k - positive_begin_[c];
    std::uint64_t low = 1, high = static_cast<std::uint64_t>(groups_.size(c)) - 1;
    while (low < high) {  // the greatest j with j (j - 1) / 2 <= within
      std::uint64_t const j = low + (high - low + 1) / 2;
      if (j * (j - 1) / 2 <= within) low = j;
      else high = j - 1;
    }
    auto const start = groups_.first[c];
    return {member(start + static_cast<std::ptrdiff_t>(within - low * (low - 1) / 2)),
            member(start + static_cast<std::ptrdiff_t>(low))};
  }
  pair negative(std::uint64_t k) const {
    std::size_t const c = class_of(negative_begin_, k);
    auto const start = groups_.first[c];
    std::uint64_t const within = k - negative_begin_[c], before = static_cast<std::uint64_t>(start);
    return {member(static_cast<std::ptrdiff_t>(within % before)),
            member(start + static_cast<std::ptrdiff_t>(within / before))};
  }

  detail::label_groups groups_;
  std::uint64_t seed_;
  std::vector<std::uint64_t> positive_begin_, negative_begin_;
  detail::endless_order positives_, negatives_;
};

// Whether a negative at this distance is farther than the positive, but not by the margin.
template <class T> constexpr bool is_semi_hard(T positive, T negative, double margin) {
  return positive < negative && static_cast<double>(negative) < static_cast<double>(positive) + margin;
}

template <class T, class I, class D, class E>
  requires(is_host<D> && is_host<E> && std::is_integral_v<I>)
triplet_list semi_hard_triplets(view<T const, 2, D> distances, view<I const, 1, E> labels, double margin) {
  constexpr std::string_view name = "semi_hard_triplets";
  std::ptrdiff_t const n = labels.size();
  if (distances.extent(0) != n || distances.extent(1) != n)
    fail<shape_error>(name, n, " labels need distances (", n, ", ", n, "), but came ", distances.shape());
  if (!(margin > 0)) fail<argument_error>(name, "the margin must be positive, but is ", margin);
  std::vector<std::int64_t> rows;
  std::vector<bool> semi_hard;
  for (std::ptrdiff_t a = 0; a < n; ++a) {
    for (std::ptrdiff_t k = 0; k < n; ++k)
      if (math::isnan(distances(a, k))) fail<argument_error>(name, "the distance of ", a, " and ", k, " is NaN");
    for (std::ptrdiff_t p = 0; p < n; ++p) {
      if (p == a || labels(p) != labels(a)) continue;
      std::ptrdiff_t nearest = -1, hardest = -1;
      for (std::ptrdiff_t k = 0; k < n; ++k) {
        if (labels(k) == labels(a)) continue;
        auto const d = distances(a, k);
        if (hardest < 0 || d < distances(a, hardest)) hardest = k;
        if (is_semi_hard(distances(a, p), d, margin) && (nearest < 0 || d < distances(a, nearest))) nearest = k;
      }
      if (hardest < 0) fail<argument_error>(name, "all ", n, " labels are equal: there is no negative");
      rows.insert(rows.end(), {a, p, nearest < 0 ? hardest : nearest});
      semi_hard.push_back(nearest >= 0);
    }
  }
  auto const count = static_cast<std::ptrdiff_t>(semi_hard.size());
  triplet_list list{tensor<std::int64_t, 2, scalar>(shape<2>{{count, 3}}, uninitialized),
                    tensor<bool, 1, scalar>(shape<1>{{count}})};
  std::copy(rows.begin(), rows.end(), list.indices.data());
  std::copy(semi_hard.begin(), semi_hard.end(), list.semi_hard.data());
  return list;
}
template <class T, class I, class D, class E>
triplet_list semi_hard_triplets(tensor<T, 2, D> const& distances, tensor<I, 1, E> const& labels, double margin) {
  return semi_hard_triplets(distances.view(), labels.view(), margin);
}

LIMBIC_END
