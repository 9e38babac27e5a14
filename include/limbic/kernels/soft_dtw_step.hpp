// limbic/kernels/soft_dtw_step.hpp - what every loop of dynamic time warping shares: pairs, minima, the band
//
// kernels/soft_dtw.hpp tells what is computed.
#pragma once

#include <limbic/backend/gemm.hpp>
#include <limbic/math/extended.hpp>

LIMBIC_BEGIN

// For `band`: all cells take part.
inline constexpr std::ptrdiff_t no_band = std::numeric_limits<std::ptrdiff_t>::max();

// Pair p is series p of both; or with columns > 0 series p / columns with p % columns (a matrix of all pairs); or row p
// of a list (P, 2). `first` is the number of the first pair, so that a part of a matrix can be computed alone.
struct dtw_pairs {
  std::ptrdiff_t columns = 0, first = 0;         // M for all pairs, else 0; the first pair
  std::int64_t const* list = nullptr;            // (P, 2), or null
  std::ptrdiff_t list_row = 2, list_column = 1;  // its strides, in elements

  // The number of the series of x that pair p takes.
  constexpr std::ptrdiff_t x(std::ptrdiff_t p) const {
    p += first;
    return list != nullptr ? static_cast<std::ptrdiff_t>(list[p * list_row]) : columns > 0 ? p / columns : p;
  }
  // The number of the series of y that pair p takes.
  constexpr std::ptrdiff_t y(std::ptrdiff_t p) const {
    p += first;
    return list != nullptr ? static_cast<std::ptrdiff_t>(list[p * list_row + list_column])
           : columns > 0   ? p % columns
                           : p;
  }
};

// ---- the minimum: a cell from its three predecessors ---------------------------------------------------------------

// How much of the minimum is due to each predecessor; of the hard one, all is due to the first of the least.
template <class V> struct dtw_shares {
  V diagonal, up, left;  // R_{i-1,j-1}, R_{i-1,j}, R_{i,j-1}
};

// e^(-R / gamma) as m 2^e.
struct soft_minimum {
  double gamma = 1;  // positive; the smaller, the harder
  // What is kept of a cell.
  template <class V> using state = math::extended<V>;
  static constexpr int words = 2;  // of a state, in elements of V

  // A cost of `forbidden` gamma log 2 or more, such as inf, closes a cell.
  template <class T> static constexpr double forbidden = sizeof(T) == 4 ? 1e30 : 1e300;
  template <class V> using limits = std::numeric_limits<math::number_of<V>>;

  // The cell before the first.
  template <class V> static constexpr state<V> start() { return {V(1), math::exponent_lane<V>(0)}; }
  // A cell that no alignment reaches.
  template <class V> static constexpr state<V> border() {
    return {V(0), math::constant<math::exponent_lane<V>>(static_cast<double>(limits<V>::lowest()) / 4)};
  }
  // The factor that costs are multiplied by before they come to step.
  constexpr double cost_scale() const { return -math::log2_e / gamma; }

  // A cell from its predecessors and its scaled cost; with Shares, what is due to each of them too.
  template <bool Shares, class V>
  static LIMBIC_INLINE constexpr state<V> step(state<V> diagonal, state<V> up, state<V> left, V cost,
                                               dtw_shares<V>& shares) {
    auto const top = math::larger(math::larger(diagonal.e, up.e), left.e);
    V const a = math::shifted(diagonal.m, diagonal.e - top), b = math::shifted(up.m, up.e - top),
            c = math::shifted(left.m, left.e - top);
    V const sum = (a + b) + c;
    if constexpr (Shares) {
      V const one = V(1) / sum;
      shares = {a * one, b * one, c * one};
    }
    auto const factor = math::exp2(math::larger(math::constant<V>(-forbidden<math::number_of<V>>), cost));
    return math::normalized(state<V>{sum * factor.m, top + factor.e});
  }
  // R of a cell.
  template <class V> constexpr V value(state<V> last) const {
    using E = math::exponent_lane<V>;
    V const r = math::constant<V>(-gamma) * math::natural_log(last);
    return math::select(last.e > math::constant<E>(-forbidden<math::number_of<V>> / 2), r, V(limits<V>::infinity()));
  }
  // The words of a state lie `gap` apart.
  template <class L, class T> static LIMBIC_INLINE constexpr auto load(T const* p, std::ptrdiff_t gap = L::width) {
    using V = typename L::type;
    V const e = L::load(p + gap);
    if constexpr (is_dual<V>) return state<V>{L::load(p), e.value};
    else return state<V>{L::load(p), e};
  }
  // As load reads it.
  template <class L, class T, class S>
  static LIMBIC_INLINE constexpr void store(T* p, S const& s, std::ptrdiff_t gap = L::width) {
    using V = typename L::type;
    L::store(p, s.m);
    L::store(p + gap, V(s.e));
  }
};

// The plain minimum: R itself. Members as in soft_minimum.
struct hard_minimum {
  // What is kept of a cell.
  template <class V> struct state {
    V r;  // R
  };
  static constexpr int words = 1;  // of a state
  // The cell before the first.
  template <class V> static constexpr state<V> start() { return {V(0)}; }
  // A cell that no alignment reaches.
  template <class V> static constexpr state<V> border() {
    return {V(std::numeric_limits<math::number_of<V>>::infinity())};
  }
  // The factor that costs are multiplied by before they come to step.
  constexpr double cost_scale() const { return 1; }

  // A cell from its predecessors and its cost; with Shares, what is due to each of them too.
  template <bool Shares, class V>
  static LIMBIC_INLINE constexpr state<V> step(state<V> diagonal, state<V> up, state<V> left, V cost,
                                               dtw_shares<V>& shares) {
    V const least = math::smaller(math::smaller(diagonal.r, up.r), left.r);
    if constexpr (Shares) {
      auto const by_diagonal = diagonal.r <= least, by_up = up.r <= least;
      V const zero(0), one(1);
      shares.diagonal = math::select(by_diagonal, one, zero);
      shares.up = math::select(by_diagonal, zero, math::select(by_up, one, zero));
      shares.left = one - shares.diagonal - shares.up;
    }
    return {cost + least};
  }
  // R of a cell.
  template <class V> static constexpr V value(state<V> last) { return last.r; }
  // A state from memory, and back.
  template <class L, class T> static LIMBIC_INLINE constexpr auto load(T const* p, std::ptrdiff_t = 0) {
    return state<typename L::type>{L::load(p)};
  }
  // As load reads it.
  template <class L, class T, class S>
  static LIMBIC_INLINE constexpr void store(T* p, S const& s, std::ptrdiff_t = 0) {
    L::store(p, s.r);
  }
};

namespace detail {

inline constexpr std::ptrdiff_t shares_bytes = 4096 * 1024;  // of kept shares, about what the second cache holds

// The columns of row i that take part.
struct dtw_band {
  std::ptrdiff_t tx, ty, reach;
  dtw_band(std::ptrdiff_t x, std::ptrdiff_t y, std::ptrdiff_t band) : tx(x), ty(y), reach(x + y) {
    std::ptrdiff_t const apart = x > y ? x - y : y - x;
    if (band < reach) reach = band > apart ? band : apart;
  }
  std::ptrdiff_t begin(std::ptrdiff_t i) const { return i > reach ? i - reach : 0; }
  std::ptrdiff_t end(std::ptrdiff_t i) const { return i + reach + 1 < ty ? i + reach + 1 : ty; }
  std::ptrdiff_t width() const { return 2 * reach + 1 < ty ? 2 * reach + 1 : ty; }
};

}  // namespace detail
LIMBIC_END
