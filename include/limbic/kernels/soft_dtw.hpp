// limbic/kernels/soft_dtw.hpp - dynamic time warping, soft and hard, of many pairs of sequences; usable alone on views
//
//   R_ij = d_ij + min_gamma(R_{i-1,j-1}, R_{i-1,j}, R_{i,j-1}),   R = 0 before the first cell, +inf on its border
//   min_gamma(a...) = -gamma log sum e^(-a / gamma)  (soft),  min(a...)  (hard);   value = R of the last cell
//   Cuturi and Blondel 2017, arXiv:1703.01541;  hard: Sakoe and Chiba 1978
//
//   dtw_of_series(D, rule, value, gx, gy, x, y, pairs, band)      d_ij = |x_i - y_j|^2 (no root)
//   dtw_of_costs(D, rule, value, E, costs, band)                  d given: (P, Tx, Ty); +inf forbids a cell
//
// P pairs, Tx and Ty steps, C channels:
//   rule    soft_minimum{gamma} or hard_minimum{}
//   pairs   which series of x (N, Tx, C) and y (M, Ty, C) pair p takes: see dtw_pairs
//   band    cells with |i - j| <= max(band, |Tx - Ty|) take part (Sakoe and Chiba); no_band: all of them
//   value   (P)             may be negative when soft: it counts all alignments, each of which lowers it
//   E       (P, Tx, Ty)     d value / d d_ij: the share of the alignments that pass the cell. Hard: 1 on the best path,
//                           which at ties goes back by the diagonal first, then to i - 1, then to j - 1
//   gx, gy  (P, Tx, C), (P, Ty, C)   d value / d x and d y, pair by pair
// What is not wanted is a null view. Without E, gx and gy nothing is kept but one row.
//
// How it is computed. A soft row holds Z = e^(-R / gamma) as numbers m 2^e (math/extended.hpp): a cell is
// Z_ij = 2^(-d_ij log2(e) / gamma) (Z + Z + Z), one exponential and no logarithm, without a difference of large numbers,
// for any gamma. On the way the three terms' shares of the sum are kept; backward, a cell hands on its E by these shares.
// Each lane of a pack is a pair (soft_dtw_lanes.hpp); where too few pairs are left for that, a pack takes neighbours along
// an anti-diagonal of one (soft_dtw_diagonals.hpp). Both take the same steps in the same order: a pair's bits depend
// neither on its place, nor on its neighbours, nor on threads.
#pragma once

#include <limbic/kernels/soft_dtw_diagonals.hpp>
#include <limbic/kernels/soft_dtw_lanes.hpp>

LIMBIC_BEGIN
namespace detail {

// All pairs, W at a time, or one by one where few are left. `lanes()` and `diagonals()` give where costs come from.
template <class Rule, class D, class T, class Lanes, class Diagonals>
void dtw_all(D, Rule const& rule, view<T, 1, D> value, dtw_band const& band, bool backward, Lanes const& lanes,
             Diagonals const& diagonals) {
  constexpr std::ptrdiff_t W = kernel_lanes<D, T>::width;
  std::ptrdiff_t const count = value.extent(0), few = count % W;
  std::ptrdiff_t const packed = few <= W / 2 && dtw_diagonals<Rule, D, T>::suit(band) ? count - few : count;
  std::ptrdiff_t const cells = band.tx * band.width();
  std::ptrdiff_t const grain = cells >= parallel_grain ? 1 : parallel_grain / cells + 1;

  struct pack_room {
    decltype(lanes()) source;
    dtw_recursion<Rule, D, T> recursion;
  };
  auto const make_pack = [&] { return pack_room{lanes(), dtw_recursion<Rule, D, T>(rule, band, backward)}; };
  parallel_for((packed + W - 1) / W, grain, make_pack, [&](std::ptrdiff_t begin, std::ptrdiff_t end, pack_room& in) {
    for (std::ptrdiff_t first = begin * W; first < end * W; first += W) {
      std::ptrdiff_t const last = first + W < packed ? first + W : packed;
      in.source.load(first, last);
      T lane[W];
      kernel_lanes<D, T>::store(lane, in.recursion.forward(in.source));
      for (std::ptrdiff_t p = first; p < last; ++p) value(p) = lane[p - first];
      if (!backward) continue;
      in.recursion.backward(in.source);
      in.source.finish(first, last);
    }
  });

  struct pair_room {
    decltype(diagonals()) source;
    dtw_diagonals<Rule, D, T> recursion;
  };
  auto const make_pair = [&] { return pair_room{diagonals(), dtw_diagonals<Rule, D, T>(rule, band, backward)}; };
  parallel_for(count - packed, grain, make_pair, [&](std::ptrdiff_t begin, std::ptrdiff_t end, pair_room& in) {
    for (std::ptrdiff_t p = packed + begin; p < packed + end; ++p) {
      in.source.load(p);
      value(p) = in.recursion.forward(in.source);
      if (backward) in.recursion.backward(in.source);
    }
  });
}

}  // namespace detail

template <class Rule, class D, class T>
  requires is_host<D>
void dtw_of_series(D d, Rule const& rule, view<T, 1, D> value, view<T, 3, D> gx, view<T, 3, D> gy,
                   view<T const, 3, D> x, view<T const, 3, D> y, dtw_pairs const& pairs, std::ptrdiff_t band) {
  if (value.empty()) return;
  detail::dtw_all(
      d, rule, value, detail::dtw_band(x.extent(1), y.extent(1), band), gx || gy,
      [&] { return detail::dtw_series_source<D, T>(x, y, gx, gy, pairs); },
      [&] { return detail::dtw_series_diagonals<D, T>(x, y, gx, gy, pairs); });
}

template <class Rule, class D, class T>
  requires is_host<D>
void dtw_of_costs(D d, Rule const& rule, view<T, 1, D> value, view<T, 3, D> e, view<T const, 3, D> costs,
                  std::ptrdiff_t band) {
  if (value.empty()) return;
  detail::dtw_all(
      d, rule, value, detail::dtw_band(costs.extent(1), costs.extent(2), band), static_cast<bool>(e),
      [&] { return detail::dtw_cost_source<D, T>(costs, e); },
      [&] { return detail::dtw_cost_diagonals<D, T>(costs, e); });
}

// dx_i += sum over the pairs p of series i: weights_p gradients_p, in the order of p. `of` is &dtw_pairs::x or &dtw_pairs::y.
template <class D, class T>
  requires is_host<D>
void add_pair_gradients(D d, view<T, 3, D> dx, view<T const, 1, D> weights, view<T const, 3, D> gradients,
                        dtw_pairs const& pairs, std::ptrdiff_t (dtw_pairs::*of)(std::ptrdiff_t) const) {
  for (std::ptrdiff_t p = 0; p < weights.extent(0); ++p)
    map(d, sink<T, 2, D>(dx[(pairs.*of)(p)], true), multiply_function{}, gradients[p],
        view<T const, 2, D>(&weights(p), shape<2>{{1, 1}}));
}

LIMBIC_END
