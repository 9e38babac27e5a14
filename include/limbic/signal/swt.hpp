// limbic/signal/swt.hpp - stationary (undecimated) wavelet transform along one axis, and its inverse
//
//   auto const c = swt(x, "db4", 2)        a list of (cA, cD): level 2 first, then level 1, each as long as x
//   auto const y = iswt(c, "db4")          from all details and the coarsest average
//
//   cA_l[i] = sum_j dec_lo[j] cA_{l-1}[i + s (L/2 - j) mod N],  s = 2^(l-1),  cD_l likewise with dec_hi;  cA_0 = x
//   back: half the sum of both bands, filtered by rec_lo and rec_hi with the same gaps (the mean of all shifted inverses)
//
// filters as in dwt.hpp: a wavelet, or an operand (4, L). A shift of x shifts the coefficients: no level loses a sample.
// errors  level < 1, N no multiple of 2^level, unequal coefficients
//
// Nason and Silverman 1995; order and phase as in PyWavelets.
#pragma once

#include <limbic/signal/dwt.hpp>

LIMBIC_BEGIN

namespace detail {
constexpr filter_line swt_line(int axis, std::ptrdiff_t gap, std::ptrdiff_t filter_length) {
  return {.axis = axis, .stride = 1, .dilation = gap, .offset = gap * (filter_length / 2), .mode = extension::periodic};
}
}  // namespace detail

// One level; gap = 2^(level - 1).
template <bool Learns> struct swt_op {
  static constexpr std::string_view name = "swt";
  static constexpr keep needs = Learns ? keep::inputs(0, 1) : keep::inputs(1);
  int axis = -1;
  std::ptrdiff_t gap = 1;  // s of the formula: samples from tap to tap

  template <int R> std::tuple<shape<R>, shape<R>> shape_of(shape<R> const& x, shape<2> const& f) const {
    detail::check_filters(name, f);
    return {x, x};
  }
  template <class D, class T, int R>
  void forward(D d, view<T, R, D> a, view<T, R, D> b, view<T const, R, D> x, view<T const, 2, D> f) const {
    analysis(d, as_sink(a), as_sink(b), x, detail::analysis_rows(f), line(f));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, 2, D> f, view<T const, R, D>, view<T const, R, D>,
               view<T const, R, D> da, view<T const, R, D> db, sink<T, R, D> dx, sink<T, 2, D> df) const {
    detail::analysis_adjoint<Learns>(d, line(f), x, f, da, db, dx, df);
  }

 private:
  filter_line line(auto const& f) const { return detail::swt_line(axis, gap, f.extent(1)); }
};

template <bool Learns> struct iswt_op {
  static constexpr std::string_view name = "iswt";
  static constexpr keep needs = Learns ? keep::inputs(0, 1, 2) : keep::inputs(2);
  int axis = -1;
  std::ptrdiff_t gap = 1;  // s of the formula: samples from tap to tap

  template <int R> shape<R> shape_of(shape<R> const& a, shape<R> const& b, shape<2> const& f) const {
    detail::check_filters(name, f);
    if (!(a == b)) fail<shape_error>(name, "averages ", a, " and details ", b, " must have the same shape");
    return a;
  }
  template <class D, class T, int R>
  void forward(D d, view<T, R, D> x, view<T const, R, D> a, view<T const, R, D> b, view<T const, 2, D> f) const {
    tensor<T, 2, D> const rows = halved(d, f);
    synthesis(d, as_sink(x), a, b, as_view(rows), line(f));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> a, view<T const, R, D> b, view<T const, 2, D> f, view<T const, R, D>,
               view<T const, R, D> dx, sink<T, R, D> da, sink<T, R, D> db, sink<T, 2, D> df) const {
    tensor<T, 2, D> const rows = halved(d, f);
    detail::synthesis_adjoint(d, line(f), as_view(rows), dx, da, db);
    if constexpr (Learns) {
      if (!df) return;
      tensor<T, 2, D> whole(rows.shape(), uninitialized);
      filter_gradients(d, as_sink(whole), dx, a, b, line(f));
      detail::no_gradient_rows(d, df, 0);
      map(d, sink<T, 2, D>(detail::synthesis_rows(df.to), df.add), detail::weight_function{0.5}, whole);
    }
  }

 private:
  filter_line line(auto const& f) const { return detail::swt_line(axis, gap, f.extent(1)); }
  template <class D, class T> static tensor<T, 2, D> halved(D d, view<T const, 2, D> f) {
    view<T const, 2, D> const rows = detail::synthesis_rows(f);
    tensor<T, 2, D> half(rows.shape(), uninitialized);
    map(d, half, detail::weight_function{0.5}, rows);
    return half;
  }
};

namespace detail {

template <operand X, class F> auto swt_level(X&& x, F const& filters, int axis, std::ptrdiff_t gap) {
  if constexpr (operand<F>) return apply(swt_op<true>{axis, gap}, std::forward<X>(x), filters);
  else
    return apply(swt_op<false>{axis, gap}, std::forward<X>(x), filters.template filters<element_of<X>, device_of<X>>());
}
template <operand A, operand B, class F>
auto iswt_level(A&& a, B&& b, F const& filters, int axis, std::ptrdiff_t gap) {
  if constexpr (operand<F>) return apply(iswt_op<true>{axis, gap}, std::forward<A>(a), std::forward<B>(b), filters);
  else
    return apply(iswt_op<false>{axis, gap}, std::forward<A>(a), std::forward<B>(b),
                 filters.template filters<element_of<A>, device_of<A>>());
}

template <class X> int checked_levels(std::string_view name, X const& x, int axis, std::ptrdiff_t levels) {
  int const a = normalize_axis(name, axis, X::rank);
  if (levels < 1 || levels > most_levels)
    fail<argument_error>(name, "the level must be from 1 to ", most_levels, ", but is ", levels);
  if (x[a] < 1 || x[a] % (std::ptrdiff_t{1} << levels) != 0)
    fail<shape_error>(name, "axis ", axis, " of ", x, " is no multiple of 2^level = ", std::ptrdiff_t{1} << levels);
  return a;
}

template <operand X, class F> auto swt_levels(X&& x, F const& filters, int level, int axis) {
  int const a = checked_levels("swt", x.shape(), axis, level);
  auto first = swt_level(std::forward<X>(x), filters, a, 1);
  short_list<decltype(first), most_levels> all(static_cast<std::size_t>(level));
  all[static_cast<std::size_t>(level) - 1] = std::move(first);
  for (std::size_t l = static_cast<std::size_t>(level) - 1; l > 0; --l)
    all[l - 1] = swt_level(std::get<0>(all[l]), filters, a, std::ptrdiff_t{1} << (static_cast<std::size_t>(level) - l));
  return all;
}

template <class Bands, class F> auto iswt_levels(Bands const& bands, F const& filters, int axis) {
  std::ptrdiff_t const levels = static_cast<std::ptrdiff_t>(bands.size());
  if (levels < 1) fail<argument_error>("iswt", "there are no coefficients");
  auto const& [coarsest, details] = bands[0];
  int const a = checked_levels("iswt", coarsest.shape(), axis, levels);
  auto x = iswt_level(band_beside<F>(coarsest), band_beside<F>(details), filters, a, std::ptrdiff_t{1} << (levels - 1));
  for (std::size_t l = 1; l < bands.size(); ++l)
    x = iswt_level(x, band_beside<F>(std::get<1>(bands[l])), filters, a, std::ptrdiff_t{1} << (bands.size() - 1 - l));
  return x;
}

}  // namespace detail

template <operand X> auto swt(X&& x, wavelet const& w, int level, int axis = -1) {
  return detail::swt_levels(std::forward<X>(x), w, level, axis);
}
template <operand X, operand F> auto swt(X&& x, F const& filters, int level, int axis = -1) {
  return detail::swt_levels(std::forward<X>(x), filters, level, axis);
}

template <detail::list Bands> auto iswt(Bands const& bands, wavelet const& w, int axis = -1) {
  return detail::iswt_levels(bands, w, axis);
}
template <detail::list Bands, operand F> auto iswt(Bands const& bands, F const& filters, int axis = -1) {
  return detail::iswt_levels(bands, filters, axis);
}

LIMBIC_END
