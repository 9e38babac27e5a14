// limbic/core/random.hpp - counter-based random numbers: Philox4x32-10
//
//   Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//
// Word i of a stream is a pure function of (seed, stream, i), so element i of a fill is the same on every device and for
// any number of threads. Uniforms are in [0, 1): 24 bits of one word (float) or 53 bits of two (double). Normals come
// in pairs from two uniforms (Box and Muller 1958), evaluated in double on every device.
//
//   rng random{.seed = 7};
//   random.uniform(a.view());                 each fill continues where the last one stopped
//   rng other = random.split(3);              an independent stream, e.g. one for each epoch or thread
#pragma once

#include <limbic/core/tensor.hpp>

#include <cmath>

LIMBIC_BEGIN

// Four random words.
struct philox_block {
  std::uint32_t word[4];  // any value, equally likely
};

// The four words that belong to a counter.
LIMBIC_HD constexpr philox_block philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  auto const low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  auto const high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::uint32_t c0 = low(counter), c1 = high(counter), c2 = low(stream), c3 = high(stream);
  std::uint32_t k0 = low(seed), k1 = high(seed);
  for (int round = 0; round < 10; ++round) {
    std::uint64_t const p0 = std::uint64_t{0xD2511F53U} * c0;
    std::uint64_t const p1 = std::uint64_t{0xCD9E8D57U} * c2;
    c0 = high(p1) ^ c1 ^ k0;
    c1 = low(p1);
    c2 = high(p0) ^ c3 ^ k1;
    c3 = low(p0);
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

namespace detail {
LIMBIC_HD constexpr double uniform53(std::uint32_t a, std::uint32_t b) {
  return (static_cast<double>(a >> 5) * 67108864.0 + static_cast<double>(b >> 6)) * (1.0 / 9007199254740992.0);
}
}  // namespace detail

// Element i of a fill that starts at `position`. Elements use a whole number of words, so fills can be cut anywhere.
struct uniform_element {
  std::uint64_t seed, stream, position;  // as those of rng
  double low, high;                      // of the interval
  // Element i.
  template <class T> LIMBIC_HD constexpr T at(std::ptrdiff_t i, T) const {
    double u = 0;
    if constexpr (sizeof(T) == 4) {
      auto const n = position + static_cast<std::uint64_t>(i);
      u = static_cast<double>(philox(seed, stream, n / 4).word[n % 4] >> 8) * (1.0 / 16777216.0);
      auto const x = static_cast<T>(low + (high - low) * u);
      return x < static_cast<T>(high) || !(low < high) ? x : static_cast<T>(low);  // rounding must not reach `high`
    } else {
      auto const n = position + 2 * static_cast<std::uint64_t>(i);
      auto const block = philox(seed, stream, n / 4);
      std::uint64_t const first = n % 4;
      auto const next = first < 3 ? block.word[first < 3 ? first + 1 : 0] : philox(seed, stream, n / 4 + 1).word[0];
      u = detail::uniform53(block.word[first], next);
      return low + (high - low) * u;
    }
  }
};

struct normal_element {                  // four words for a pair of elements
  std::uint64_t seed, stream, position;  // as those of rng
  double mean, deviation;                // of the distribution
  // Element i.
  template <class T> LIMBIC_HD T at(std::ptrdiff_t i, T) const {
    auto const block = philox(seed, stream, position / 4 + static_cast<std::uint64_t>(i) / 2);
    double const u = 1.0 - detail::uniform53(block.word[0], block.word[1]);  // in (0, 1]
    double const angle = 6.283185307179586476925 * detail::uniform53(block.word[2], block.word[3]);
    double const radius = ::sqrt(-2.0 * ::log(u));
    return static_cast<T>(mean + deviation * radius * (i % 2 == 0 ? ::cos(angle) : ::sin(angle)));
  }
};

// out[i] = f.at(i) over contiguous memory; a device with other memory overloads it. The generator is long: one copy will do.
template <class D, class T, class F>
  requires is_host<D>
LIMBIC_NOINLINE void generate_elements(D, T* out, std::ptrdiff_t n, F const& f) {
  for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = f.at(i, T());
}

struct rng {
  // Which numbers, which of their independent streams, and the place in it.
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t position = 0;  // words taken so far; with seed and stream, all there is to save

  template <class T, int R, class D> void uniform(view<T, R, D> out, double low = 0, double high = 1) {
    static_assert(std::is_floating_point_v<T>);
    generate_elements(D{}, contiguous("uniform", out), out.size(), uniform_element{seed, stream, position, low, high});
    advance(out.size() * static_cast<std::ptrdiff_t>(sizeof(T) / 4));
  }
  template <class T, int R, class D> void uniform(tensor<T, R, D>& out, double low = 0, double high = 1) {
    uniform(out.view(), low, high);
  }
  template <class T, int R, class D> void normal(view<T, R, D> out, double mean = 0, double deviation = 1) {
    static_assert(std::is_floating_point_v<T>);
    generate_elements(D{}, contiguous("normal", out), out.size(),
                      normal_element{seed, stream, position, mean, deviation});
    advance((out.size() + 1) / 2 * 4);
  }
  template <class T, int R, class D> void normal(tensor<T, R, D>& out, double mean = 0, double deviation = 1) {
    normal(out.view(), mean, deviation);
  }

  // A random order of 0 .. n-1 (Fisher and Yates, from the back).
  template <class I, class D>
    requires(std::is_integral_v<I> && is_host<D>)
  void permutation(view<I, 1, D> out) {
    for (std::ptrdiff_t i = 0; i < out.size(); ++i) out(i) = static_cast<I>(i);
    for (std::ptrdiff_t i = out.size() - 1; i > 0; --i) {
      auto const other = static_cast<std::ptrdiff_t>(below(static_cast<std::uint64_t>(i) + 1));
      std::swap(out(i), out(other));
    }
  }
  template <class I, class D> void permutation(tensor<I, 1, D>& out) { permutation(out.view()); }

  // One uniform integer in [0, n): the high half of a 64x64-bit product (Lemire 2019, without the rejection step: its
  // bias is below n / 2^64).
  std::uint64_t below(std::uint64_t n) {
    auto const block = philox(seed, stream, position / 4);
    advance(4);
    std::uint64_t const word = (std::uint64_t{block.word[1]} << 32) | block.word[0];
    std::uint64_t const nl = n & 0xFFFFFFFFU, nh = n >> 32, wl = word & 0xFFFFFFFFU, wh = word >> 32;
    std::uint64_t const middle = wh * nl + ((wl * nl) >> 32);
    return wh * nh + (middle >> 32) + ((wl * nh + (middle & 0xFFFFFFFFU)) >> 32);
  }
  // One uniform number in [0, 1).
  double uniform() {
    auto const block = philox(seed, stream, position / 4);
    advance(4);
    return detail::uniform53(block.word[0], block.word[1]);
  }
  // One standard normal number.
  double normal() {
    double const x = normal_element{seed, stream, position, 0, 1}.at(0, double());
    advance(4);
    return x;
  }

  // For checkpoints.
  void each(auto&& f) {
    f("seed", seed);
    f("stream", stream);
    f("position", position);
  }

  // An independent stream of the same seed. The same id gives the same stream.
  rng split(std::uint64_t id) const {
    auto const block = philox(seed ^ 0x6C696D626963ULL, stream, id);
    return {.seed = seed, .stream = (std::uint64_t{block.word[1]} << 32) | block.word[0], .position = 0};
  }

 private:
  // Positions stay multiples of four words: every fill starts at a block of its own.
  void advance(std::ptrdiff_t words) { position += (static_cast<std::uint64_t>(words) + 3) / 4 * 4; }
  template <class T, int R, class D> static T* contiguous(std::string_view op, view<T, R, D> const& out) {
    if (!out.is_contiguous()) fail<shape_error>(op, "the view of shape ", out.shape(), " is not contiguous");
    return out.data();
  }
};

LIMBIC_END
