// limbic/signal/distance_cache.hpp - distances of pairs that a training loop meets again
//
//   distance_cache<float> cache;
//   auto const d = cache(pairs, version, [&](auto const& missing) { return soft_dtw_pairwise(x, y, missing, o); });
//
// pairs (P, 2): whole numbers >= 0 and < 2^32 that name two series; d (P). Only pairs that are not known at this
// `version` are computed, all of them in one call and each once. Whoever changes what the numbers name (an epoch that
// trained the network before the distance, other data) comes with another version, and old distances are gone. (i, j) and
// (j, i) are two pairs. Values only: a distance to differentiate is computed anew.
#pragma once

#include <limbic/ops/op.hpp>

#include <unordered_map>
#include <vector>

LIMBIC_BEGIN

template <class T> class distance_cache {
 public:
  using pair_list = tensor<std::int64_t, 2, scalar>;

  // compute: (Q, 2) pairs -> (Q) distances, on a CPU.
  template <class F>
  tensor<T, 1, scalar> operator()(view<std::int64_t const, 2, scalar> pairs, std::uint64_t version, F const& compute) {
    if (pairs.extent(1) != 2) fail<shape_error>("distance_cache", "pairs must be (P, 2), but are ", pairs.shape());
    if (version != version_) clear();
    version_ = version;
    std::ptrdiff_t const count = pairs.extent(0);
    std::vector<std::uint64_t> keys, missing;
    for (std::ptrdiff_t p = 0; p < count; ++p) keys.push_back(key(pairs(p, 0), pairs(p, 1)));
    for (auto const k : keys)
      if (known_.try_emplace(k, T(0)).second) missing.push_back(k);
    if (!missing.empty()) learn(missing, compute);
    computed_ += static_cast<std::ptrdiff_t>(missing.size());
    found_ += count - static_cast<std::ptrdiff_t>(missing.size());
    tensor<T, 1, scalar> distances(shape<1>{{count}}, uninitialized);
    for (std::ptrdiff_t p = 0; p < count; ++p) distances(p) = known_[keys[static_cast<std::size_t>(p)]];
    return distances;
  }

  void clear() { known_.clear(); }
  std::ptrdiff_t size() const { return static_cast<std::ptrdiff_t>(known_.size()); }
  std::ptrdiff_t computed() const { return computed_; }  // distances, since the beginning
  std::ptrdiff_t found() const { return found_; }

 private:
  static std::uint64_t key(std::int64_t i, std::int64_t j) {
    if (i < 0 || j < 0 || i > 0xFFFFFFFF || j > 0xFFFFFFFF)
      fail<index_error>("distance_cache", "(", i, ", ", j, ") does not name two series");
    return static_cast<std::uint64_t>(i) << 32 | static_cast<std::uint64_t>(j);
  }
  // What a failing computation leaves unknown is forgotten.
  template <class F> void learn(std::vector<std::uint64_t> const& missing, F const& compute) {
    struct guard {
      distance_cache& cache;
      std::vector<std::uint64_t> const& keys;
      bool done = false;
      ~guard() {
        if (!done)
          for (auto const k : keys) cache.known_.erase(k);
      }
    } all{*this, missing};
    auto const count = static_cast<std::ptrdiff_t>(missing.size());
    pair_list list(shape<2>{{count, 2}}, uninitialized);
    for (std::ptrdiff_t q = 0; q < count; ++q) {
      list(q, 0) = static_cast<std::int64_t>(missing[static_cast<std::size_t>(q)] >> 32);
      list(q, 1) = static_cast<std::int64_t>(missing[static_cast<std::size_t>(q)] & 0xFFFFFFFFU);
    }
    auto const result = compute(list);
    auto const d = as_view(result);
    if (!(d.shape() == shape<1>{{count}}))
      fail<shape_error>("distance_cache", count, " distances are missing, but what came is ", d.shape());
    for (std::ptrdiff_t q = 0; q < count; ++q) known_[missing[static_cast<std::size_t>(q)]] = d(q);
    all.done = true;
  }

  std::unordered_map<std::uint64_t, T> known_;
  std::uint64_t version_ = 0;
  std::ptrdiff_t computed_ = 0, found_ = 0;
};

LIMBIC_END
