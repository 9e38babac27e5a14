// limbic/signal/soft_dtw.hpp - dynamic time warping as ops: soft-DTW, its divergence, hard DTW and its path
//
//   soft_dtw(x, y, {.gamma, .band})              -gamma log sum over all alignments of e^(-cost / gamma)
//   dtw(x, y, {.band})                           the least cost of an alignment
//   soft_dtw_divergence(x, y, {...})             s(x, y) - s(x, x)/2 - s(y, y)/2
//   soft_dtw_from_costs(d, {...}), dtw_from_costs(d, {...})        any cost matrix d instead of |x_i - y_j|^2
//   soft_dtw_pairwise(x, y, {...}), dtw_pairwise(x, y, {...})      all series of x with all of y
//   soft_dtw_pairwise(x, y, pairs, {...}), dtw_pairwise(...)       the pairs of a list
//   dtw_path(x, y, {...})                        the best alignment: its cells (i, j), from (0, 0) on
//
// An alignment goes from (0, 0) to the last cell by steps (1, 1), (1, 0), (0, 1); its cost is the sum of d over its
// cells. kernels/soft_dtw.hpp has the recursion. Cuturi and Blondel 2017, arXiv:1703.01541; the divergence: Blondel,
// Mensch and Vert 2021, arXiv:2010.08354.
//
// shape   x (Tx), (Tx, C) or (B, Tx, C), y of the same rank, Tx and Ty as they like -> one number, or (B); a batch of 1
//         meets every series of the other. costs (Tx, Ty) or (B, Tx, Ty) -> one number, or (B). pairwise: (N, Tx, C),
//         (M, Ty, C) -> (N, M), or with pairs (P, 2) of int64 -> (P)
// options gamma > 0: small ones come near to dtw, large ones count all alignments alike. band w >= 0: only cells with
//         |i - j| <= max(w, |Tx - Ty|) (Sakoe and Chiba), so that unequal lengths always have an alignment
// adjoint x'_i += v' sum_j E_ij 2 (x_i - y_j), y'_j likewise, E_ij = dv / dd_ij: a recursion backward (see the kernel). A
//         recorded call computes the gradient at once and keeps it, of the operands' size. pairwise computes it when it
//         goes back. Hard dtw: E is 1 on the best path; at ties it goes back by the diagonal first, then to i - 1, then
//         to j - 1. soft_dtw is differentiable twice (dual numbers), gradients are finite for every gamma
// domain  soft_dtw may be negative, and soft_dtw(x, x) is not 0: every alignment lowers it. The divergence is >= 0, and 0
//         for equal series. x and y must be finite (an error otherwise, on a CPU); an infinite cost forbids its cell, and
//         the value is inf where no alignment is left. In float, costs below 1e30 gamma; what counts is the relative
//         precision of cost / gamma
//
// PCA or any other projection before the distance is a matrix product: soft_dtw(matmul(x, p), matmul(y, p)).
#pragma once

#include <limbic/kernels/soft_dtw.hpp>
#include <limbic/kernels/squared_distances.hpp>
#include <limbic/ops/number.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/signal/finite.hpp>

LIMBIC_BEGIN

struct soft_dtw_options {
  double gamma = 1.0;
  std::ptrdiff_t band = no_band;
};
struct dtw_options {
  std::ptrdiff_t band = no_band;
};

namespace detail {

// (T), (T, C) and (B, T, C) as (B, T, C).
template <class T, int R, class D> view<T, 3, D> as_series(view<T, R, D> v) {
  if constexpr (R == 1) return v.unsqueeze(0).unsqueeze(2);
  else if constexpr (R == 2) return v.unsqueeze(0);
  else return v;
}
template <int R> constexpr shape<3> series_shape(shape<R> const& s) {
  if constexpr (R == 1) return {{1, s[0], 1}};
  else if constexpr (R == 2) return {{1, s[0], s[1]}};
  else return s;
}
// One number, or a number for each of a batch.
template <int R> using warped_shape = shape<R == 3 ? 1 : 0>;
template <int R> warped_shape<R> shape_of_values(std::ptrdiff_t batch) {
  if constexpr (R == 3) return {{batch}};
  else return (void)batch, shape<0>{};
}
template <class T, int R, class D> view<T, 1, D> as_values(view<T, R, D> v) {
  if constexpr (R == 0) return v.unsqueeze(0);
  else return v;
}

inline void check_lengths(std::string_view name, shape<3> const& x, shape<3> const& y) {
  if (x[2] != y[2]) fail<shape_error>(name, "series of ", x[2], " and of ", y[2], " channels cannot be compared");
  if (x[1] < 1 || y[1] < 1)
    fail<shape_error>(name, "a series needs at least one step, but the lengths are ", x[1], " and ", y[1]);
}
inline void check_band(std::string_view name, std::ptrdiff_t band) {
  if (band < 0) fail<argument_error>(name, "the band must not be negative, but is ", band);
}
inline soft_minimum checked_rule(std::string_view name, soft_dtw_options const& o) {
  check_band(name, o.band);
  if (!(o.gamma > 0) || !math::isfinite(o.gamma))
    fail<argument_error>(name, "gamma must be positive and finite, but is ", o.gamma);
  return {o.gamma};
}
inline hard_minimum checked_rule(std::string_view name, dtw_options const& o) {
  check_band(name, o.band);
  return {};
}

// Results: the values, and for the adjoint their gradients.
template <class Op, class Rule> struct series_warping {
  static constexpr keep needs = keep::outputs(1, 2);
  static constexpr int visible = 1;
  Rule rule;
  std::ptrdiff_t band = no_band;

  template <int R> std::tuple<warped_shape<R>, shape<3>, shape<3>> shape_of(shape<R> const& a,
                                                                            shape<R> const& b) const {
    auto const x = series_shape(a), y = series_shape(b);
    if (x[0] != y[0] && x[0] != 1 && y[0] != 1)
      fail<shape_error>(Op::name, "batches of x ", a, " and y ", b, " must be equal, or one of them 1");
    check_lengths(Op::name, x, y);
    std::ptrdiff_t const batch = x[0] == 1 ? y[0] : x[0];
    return {shape_of_values<R>(batch), {{batch, x[1], x[2]}}, {{batch, y[1], y[2]}}};
  }
  template <class D, class T, int RV, int R>
  void forward(D d, view<T, RV, D> value, view<T, 3, D> gx, view<T, 3, D> gy, view<T const, R, D> x,
               view<T const, R, D> y) const {
    require_finite(Op::name, "x", x);
    require_finite(Op::name, "y", y);
    dtw_of_series(d, rule, as_values(value), gx, gy, as_series(x).broadcast_to(gx.shape()),
                  as_series(y).broadcast_to(gy.shape()), dtw_pairs{}, band);
  }
  template <class D, class T, int RV, int R>
  void adjoint(D d, view<T const, R, D>, view<T const, R, D>, view<T const, RV, D>, view<T const, 3, D> gx,
               view<T const, 3, D> gy, view<T const, RV, D> dv, view<T const, 3, D>, view<T const, 3, D>,
               sink<T, R, D> dx, sink<T, R, D> dy) const {
    auto const weights = as_values(dv).unsqueeze(1).unsqueeze(2);
    give(d, dx, gx, weights);
    give(d, dy, gy, weights);
  }

 private:
  template <class D, class T, int R>
  static void give(D d, sink<T, R, D> to, view<T const, 3, D> g, view<T const, 3, D> weights) {
    if (!to) return;
    sink<T, 3, D> const series(as_series(to.to), to.add);
    if (series.shape()[0] == g.extent(0)) map(d, series, multiply_function{}, g, weights);
    else reduce(d, series, sum_of{}, multiply_function{}, g, weights);
  }
};

template <class Op, class Rule> struct cost_warping {
  static constexpr keep needs = keep::outputs(1);
  static constexpr int visible = 1;
  Rule rule;
  std::ptrdiff_t band = no_band;

  template <int R> std::tuple<warped_shape<R>, shape<3>> shape_of(shape<R> const& costs) const {
    static_assert(R == 2 || R == 3);
    auto const s = series_shape(costs);
    if (s[1] < 1 || s[2] < 1) fail<shape_error>(Op::name, "a matrix of costs needs a row and a column, but is ", costs);
    return {shape_of_values<R>(s[0]), s};
  }
  template <class D, class T, int RV, int R>
  void forward(D d, view<T, RV, D> value, view<T, 3, D> e, view<T const, R, D> costs) const {
    dtw_of_costs(d, rule, as_values(value), e, as_series(costs), band);
    if constexpr (is_host<D>)
      for (std::ptrdiff_t p = 0; p < as_values(value).extent(0); ++p)
        if (math::isnan(as_values(value)(p)))
          fail<argument_error>(Op::name, "matrix ", p, " has a cost that is NaN or -inf");
  }
  template <class D, class T, int RV, int R>
  void adjoint(D d, view<T const, R, D>, view<T const, RV, D>, view<T const, 3, D> e, view<T const, RV, D> dv,
               view<T const, 3, D>, sink<T, R, D> dcosts) const {
    if (!dcosts) return;
    map(d, sink<T, 3, D>(as_series(dcosts.to), dcosts.add), multiply_function{}, e,
        as_values(dv).unsqueeze(1).unsqueeze(2));
  }
};

// Values of listed pairs, or of all with all; the gradients of some pairs at a time, computed on the way back.
template <class Op, class Rule> struct pairs_warping {
  static constexpr keep needs = keep::inputs(0, 1, 2);
  static constexpr std::ptrdiff_t some = 256;
  Rule rule;
  std::ptrdiff_t band = no_band;

  shape<1> shape_of(shape<3> const& x, shape<3> const& y, shape<2> const& pairs) const {
    check_lengths(Op::name, x, y);
    if (pairs[1] != 2 && pairs.size() != 0) fail<shape_error>(Op::name, "pairs must be (P, 2), but are ", pairs);
    return {{pairs[1] == 2 ? pairs[0] : x[0] * y[0]}};
  }
  template <class D, class T>
  void forward(D d, view<T, 1, D> value, view<T const, 3, D> x, view<T const, 3, D> y,
               view<std::int64_t const, 2, D> list) const {
    require_finite(Op::name, "x", x);
    require_finite(Op::name, "y", y);
    if constexpr (is_host<D>)
      for (std::ptrdiff_t p = 0; list && p < list.extent(0); ++p)
        if (list(p, 0) < 0 || list(p, 0) >= x.extent(0) || list(p, 1) < 0 || list(p, 1) >= y.extent(0))
          fail<index_error>(Op::name, "pair ", p, " is (", list(p, 0), ", ", list(p, 1), "), but there are ",
                            x.extent(0), " and ", y.extent(0), " series");
    dtw_of_series(d, rule, value, view<T, 3, D>(), view<T, 3, D>(), x, y, pairs_of(y, list), band);
  }
  template <class D, class T>
  void adjoint(D d, view<T const, 3, D> x, view<T const, 3, D> y, view<std::int64_t const, 2, D> list,
               view<T const, 1, D> value, view<T const, 1, D> dv, sink<T, 3, D> dx, sink<T, 3, D> dy, auto) const {
    if (dx && !dx.add) fill(d, dx.to, T(0));
    if (dy && !dy.add) fill(d, dy.to, T(0));
    std::ptrdiff_t const count = value.extent(0), most = count < some ? count : some;
    tensor<T, 1, D> values(shape<1>{{most}}, uninitialized);
    tensor<T, 3, D> gx(shape<3>{{dx ? most : 0, x.extent(1), x.extent(2)}}, uninitialized);
    tensor<T, 3, D> gy(shape<3>{{dy ? most : 0, y.extent(1), y.extent(2)}}, uninitialized);
    dtw_pairs pairs = pairs_of(y, list);
    for (; pairs.first < count; pairs.first += most) {
      std::ptrdiff_t const n = count - pairs.first < most ? count - pairs.first : most;
      auto const part = [&](bool wanted, tensor<T, 3, D>& g) {
        return wanted ? g.view().slice(0, 0, n) : view<T, 3, D>();
      };
      dtw_of_series(d, rule, values.view().slice(0, 0, n), part(bool(dx), gx), part(bool(dy), gy), x, y, pairs, band);
      auto const weights = dv.slice(0, pairs.first, pairs.first + n);
      if (dx) add_pair_gradients(d, dx.to, weights, as_view(part(true, gx)), pairs, &dtw_pairs::x);
      if (dy) add_pair_gradients(d, dy.to, weights, as_view(part(true, gy)), pairs, &dtw_pairs::y);
    }
  }

 private:
  template <class T, class D>
  static dtw_pairs pairs_of(view<T const, 3, D> y, view<std::int64_t const, 2, D> list) {
    if (list) return {.list = list.data(), .list_row = list.stride(0), .list_column = list.stride(1)};
    return {.columns = y.extent(0)};
  }
};

}  // namespace detail

struct soft_dtw_op : detail::series_warping<soft_dtw_op, soft_minimum> {
  static constexpr std::string_view name = "soft_dtw";
};
struct dtw_op : detail::series_warping<dtw_op, hard_minimum> {
  static constexpr std::string_view name = "dtw";
};
struct soft_dtw_from_costs_op : detail::cost_warping<soft_dtw_from_costs_op, soft_minimum> {
  static constexpr std::string_view name = "soft_dtw_from_costs";
};
struct dtw_from_costs_op : detail::cost_warping<dtw_from_costs_op, hard_minimum> {
  static constexpr std::string_view name = "dtw_from_costs";
};
struct soft_dtw_pairwise_op : detail::pairs_warping<soft_dtw_pairwise_op, soft_minimum> {
  static constexpr std::string_view name = "soft_dtw_pairwise";
};
struct dtw_pairwise_op : detail::pairs_warping<dtw_pairwise_op, hard_minimum> {
  static constexpr std::string_view name = "dtw_pairwise";
};

namespace detail {

template <class Op, class Options> Op warping_op(Options const& o) {
  Op op;
  op.rule = checked_rule(Op::name, o);
  op.band = o.band;
  return op;
}
template <class Op, operand X, operand Y, class Options> auto warp_series(X&& x, Y&& y, Options const& o) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<X> <= 3 && rank_of<X> == rank_of<Y>;
  if constexpr (fit) return apply(warping_op<Op>(o), std::forward<X>(x), std::forward<Y>(y));
  else static_assert(fit, "limbic: dtw and soft_dtw take two series (T), (T, C) or batches (B, T, C) of one rank");
}
template <class Op, operand X, class Options> auto warp_costs(X&& costs, Options const& o) {
  constexpr bool fit = rank_of<X> == 2 || rank_of<X> == 3;
  if constexpr (fit) return apply(warping_op<Op>(o), std::forward<X>(costs));
  else static_assert(fit, "limbic: costs are a matrix (Tx, Ty) or a batch of them (B, Tx, Ty)");
}
template <class Op, operand X, operand Y, operand P, class Options>
auto warp_pairs(X&& x, Y&& y, P&& pairs, Options const& o) {
  constexpr bool fit =
      rank_of<X> == 3 && rank_of<Y> == 3 && rank_of<P> == 2 && std::is_same_v<element_of<P>, std::int64_t>;
  if constexpr (fit) return apply(warping_op<Op>(o), std::forward<X>(x), std::forward<Y>(y), std::forward<P>(pairs));
  else static_assert(fit, "limbic: pairwise takes series (N, Tx, C) and (M, Ty, C), and pairs (P, 2) of int64");
}
template <class Op, operand X, operand Y, class Options> auto warp_matrix(X&& x, Y&& y, Options const& o) {
  auto const rows = x.shape()[0], columns = y.shape()[0];
  return reshape(warp_pairs<Op>(std::forward<X>(x), std::forward<Y>(y), absent<X, 2, std::int64_t>(), o), rows,
                 columns);
}

}  // namespace detail

template <operand X, operand Y> auto soft_dtw(X&& x, Y&& y, soft_dtw_options const& o = {}) {
  return detail::warp_series<soft_dtw_op>(std::forward<X>(x), std::forward<Y>(y), o);
}
template <operand X, operand Y> auto dtw(X&& x, Y&& y, dtw_options const& o = {}) {
  return detail::warp_series<dtw_op>(std::forward<X>(x), std::forward<Y>(y), o);
}
template <operand X, operand Y> auto soft_dtw_divergence(X const& x, Y const& y, soft_dtw_options const& o = {}) {
  return soft_dtw(x, y, o) - 0.5 * (soft_dtw(x, x, o) + soft_dtw(y, y, o));
}
template <operand X> auto soft_dtw_from_costs(X&& costs, soft_dtw_options const& o = {}) {
  return detail::warp_costs<soft_dtw_from_costs_op>(std::forward<X>(costs), o);
}
template <operand X> auto dtw_from_costs(X&& costs, dtw_options const& o = {}) {
  return detail::warp_costs<dtw_from_costs_op>(std::forward<X>(costs), o);
}
template <operand X, operand Y> auto soft_dtw_pairwise(X&& x, Y&& y, soft_dtw_options const& o = {}) {
  return detail::warp_matrix<soft_dtw_pairwise_op>(std::forward<X>(x), std::forward<Y>(y), o);
}
template <operand X, operand Y, operand P>
auto soft_dtw_pairwise(X&& x, Y&& y, P&& pairs, soft_dtw_options const& o = {}) {
  return detail::warp_pairs<soft_dtw_pairwise_op>(std::forward<X>(x), std::forward<Y>(y), std::forward<P>(pairs), o);
}
template <operand X, operand Y> auto dtw_pairwise(X&& x, Y&& y, dtw_options const& o = {}) {
  return detail::warp_matrix<dtw_pairwise_op>(std::forward<X>(x), std::forward<Y>(y), o);
}
template <operand X, operand Y, operand P> auto dtw_pairwise(X&& x, Y&& y, P&& pairs, dtw_options const& o = {}) {
  return detail::warp_pairs<dtw_pairwise_op>(std::forward<X>(x), std::forward<Y>(y), std::forward<P>(pairs), o);
}

// x (Tx) or (Tx, C), y of the same rank -> (L, 2). Tensors and views on a CPU.
template <operand X, operand Y> tensor<std::int64_t, 2, scalar> dtw_path(X const& x, Y const& y,
                                                                         dtw_options const& o = {}) {
  using T = element_of<X>;
  using D = device_of<X>;
  static_assert(!recorded<X> && rank_of<X> <= 2 && rank_of<X> == rank_of<Y> && is_host<D>,
                "limbic: dtw_path takes two series (T) or (T, C) on a CPU");
  std::string_view const name = "dtw_path";
  detail::check_band(name, o.band);
  auto const a = detail::as_series(as_view(x)), b = detail::as_series(as_view(y));
  detail::check_lengths(name, a.shape(), b.shape());
  detail::require_finite(name, "x", as_view(x));
  detail::require_finite(name, "y", as_view(y));
  tensor<T, 3, D> costs(shape<3>{{1, a.extent(1), b.extent(1)}}, uninitialized), e(costs.shape(), uninitialized);
  tensor<T, 1, D> value(shape<1>{{1}}, uninitialized);
  squared_distances(D{}, sink<T, 2, D>(costs.view()[0]), a[0], b[0]);
  dtw_of_costs(D{}, hard_minimum{}, value.view(), e.view(), as_view(costs), o.band);
  std::ptrdiff_t length = 0;
  for (T const share : e) length += share == T(1) ? 1 : 0;
  tensor<std::int64_t, 2, scalar> path(shape<2>{{length, 2}}, uninitialized);
  std::int64_t* to = path.data();
  for (std::ptrdiff_t i = 0; i < e.extent(1); ++i)  // a path never goes back, so rows and columns give its order
    for (std::ptrdiff_t j = 0; j < e.extent(2); ++j)
      if (e(0, i, j) == T(1)) *to++ = i, *to++ = j;
  return path;
}

LIMBIC_END
