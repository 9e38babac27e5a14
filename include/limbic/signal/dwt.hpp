// limbic/signal/dwt.hpp - discrete wavelet transform along one axis, one level or many, and its inverse
//
//   auto const [cA, cD] = dwt(x, "db4")                        halves the axis: averages and details
//   auto const y = idwt(cA, cD, "db4")                         and back
//   auto const c = wavedec(x, "db4", {.level = 3})             a list (core/short_list.hpp): cA3, cD3, cD2, cD1
//   auto const y = waverec(c, "db4", {.length = n})
//   max_level(n, 8)                                            the level from which on no sample is free of the edges
//
//   cA[i] = sum_j dec_lo[j] e(2i + 1 - j),  cD likewise with dec_hi      e: x, extended beyond its ends (kernels/dwt.hpp)
//   periodization: e(2i + L/2 - j)
//
// filters a wavelet (its name will do), or an operand (4, L), rows dec_lo, dec_hi, rec_lo, rec_hi: a parameter, or what
//         lattice_filters returns. Gradients go to the signal and to the filters. L is even.
// options .mode (an extension; symmetric unless said otherwise), .axis (-1), .length (inverse: the signal's own length where it
//         was odd; 0: all that comes out), .level (-1: max_level), .beyond_max_level (allow more, as PyWavelets does with a
//         warning)
// lengths of N samples floor((N + L - 1) / 2) coefficients, ceil(N / 2) under periodization; any N >= 1. n coefficients give
//         2n - L + 2 samples, 2n under periodization: N, or N + 1 where N is odd.
// adjoint dwt and idwt are linear: their transposes, which the same loops compute. Filters: correlations of signal and gradient.
// errors  axis, even filters, empty signals, unequal coefficients, a level below 1 or beyond max_level
// NaN     reaches the coefficients whose filter meets it, and no others
//
// Mallat 1989; names, extension and lengths as in PyWavelets (Lee et al. 2019, doi:10.21105/joss.01237).
#pragma once

#include <limbic/kernels/dwt.hpp>
#include <limbic/ops/elementwise.hpp>
#include <limbic/signal/wavelet.hpp>

LIMBIC_BEGIN

// "symmetric" -> extension::symmetric, ...; an argument_error that names them all.
inline extension extension_mode(std::string_view name) {
  constexpr std::string_view names[] = {"zero",   "constant",      "symmetric",   "reflect",      "periodic",
                                        "smooth", "antisymmetric", "antireflect", "periodization"};
  for (int i = 0; i < 9; ++i)
    if (names[i] == name) return static_cast<extension>(i);
  fail<argument_error>("extension_mode", "there is no '", name,
                       "'; there are zero, constant, symmetric, reflect, periodic, smooth, antisymmetric, antireflect, "
                       "periodization");
}

struct dwt_options {
  extension mode = extension::symmetric;  // beyond the ends
  int axis = -1;
};
struct idwt_options {
  extension mode = extension::symmetric;  // beyond the ends
  int axis = -1;
  std::ptrdiff_t length = 0;
};
struct wavedec_options {
  extension mode = extension::symmetric;  // beyond the ends
  int axis = -1;
  int level = -1;
  bool beyond_max_level = false;  // allow more levels than max_level
};

// The number of coefficients of each band.
constexpr std::ptrdiff_t dwt_length(std::ptrdiff_t samples, std::ptrdiff_t filter_length, extension mode) {
  return mode == extension::periodization ? (samples + 1) / 2 : (samples + filter_length - 1) / 2;
}

// floor(log2(samples / (filter_length - 1))), at least 0: dwt_max_level of PyWavelets.
constexpr int max_level(std::ptrdiff_t samples, std::ptrdiff_t filter_length) {
  if (filter_length < 2) fail<argument_error>("max_level", "a filter has at least 2 taps, not ", filter_length);
  int level = 0;
  while ((samples >>= 1) >= filter_length - 1) ++level;
  return level;
}

namespace detail {

// Rows of (4, L) as filters of an analysis; of a synthesis: reversed, as that is the transpose of an analysis.
template <class T, class D> view<T, 2, D> analysis_rows(view<T, 2, D> const& f) { return f.slice(0, 0, 2); }
template <class T, class D> view<T, 2, D> synthesis_rows(view<T, 2, D> const& f) {
  std::ptrdiff_t const n = f.extent(1);
  return {f.data() + 2 * f.stride(0) + (n - 1) * f.stride(1), shape<2>{{2, n}}, shape<2>{{f.stride(0), -f.stride(1)}}};
}
// What the other two rows get of a gradient.
template <class D, class T> void no_gradient_rows(D d, sink<T, 2, D> df, std::ptrdiff_t first) {
  if (df && !df.add) fill(d, df.to.slice(0, first, first + 2), T(0));
}

template <class A> void check_filters(std::string_view name, A const& f) {
  if (f[0] != 4 || f[1] < 2 || f[1] % 2 != 0)
    fail<shape_error>(name, "filters must be (4, L), rows dec_lo, dec_hi, rec_lo, rec_hi, L even, but are ", f);
}

// x' and f' of an analysis (a, b) = f x.
template <bool Learns, class D, class T, int R>
void analysis_adjoint(D d, filter_line const& line, view<T const, R, D> x, view<T const, 2, D> f,
                      view<T const, R, D> da, view<T const, R, D> db, sink<T, R, D> dx, sink<T, 2, D> df) {
  synthesis(d, dx, da, db, analysis_rows(f), line);
  if constexpr (Learns) {
    if (df) filter_gradients(d, sink<T, 2, D>(analysis_rows(df.to), df.add), x, da, db, line);
    no_gradient_rows(d, df, 2);
  }
}
// a' and b' of a synthesis: one at a time, as both may be the same memory.
template <class D, class T, int R>
void synthesis_adjoint(D d, filter_line const& line, view<T const, 2, D> rows, view<T const, R, D> dx, sink<T, R, D> da,
                       sink<T, R, D> db) {
  analysis(d, da, sink<T, R, D>(), dx, rows, line);
  analysis(d, sink<T, R, D>(), db, dx, rows, line);
}

constexpr filter_line dwt_line(extension mode, int axis, std::ptrdiff_t filter_length) {
  return {.axis = axis, .offset = mode == extension::periodization ? filter_length / 2 : 1, .mode = mode};
}

}  // namespace detail

// Learns: the filters want a gradient, and the adjoint needs the signal for it.
template <bool Learns> struct dwt_op {
  static constexpr std::string_view name = "dwt";
  static constexpr keep needs = Learns ? keep::inputs(0, 1) : keep::inputs(1);
  extension mode = extension::symmetric;  // beyond the ends
  int axis = -1;

  template <int R> std::tuple<shape<R>, shape<R>> shape_of(shape<R> const& x, shape<2> const& f) const {
    int const a = normalize_axis(name, axis, R);
    detail::check_filters(name, f);
    if (x[a] < 1) fail<shape_error>(name, "a signal needs at least one sample along axis ", axis, ", but is ", x);
    shape<R> c = x;
    c[a] = dwt_length(x[a], f[1], mode);
    return {c, c};
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
  filter_line line(auto const& f) const { return detail::dwt_line(mode, axis, f.extent(1)); }
};

template <bool Learns> struct idwt_op {
  static constexpr std::string_view name = "idwt";
  static constexpr keep needs = Learns ? keep::inputs(0, 1, 2) : keep::inputs(2);
  extension mode = extension::symmetric;  // beyond the ends
  int axis = -1;
  std::ptrdiff_t length = 0;  // 0: all samples; or one less

  template <int R> shape<R> shape_of(shape<R> const& a, shape<R> const& b, shape<2> const& f) const {
    int const k = normalize_axis(name, axis, R);
    detail::check_filters(name, f);
    if (!(a == b)) fail<shape_error>(name, "averages ", a, " and details ", b, " must have the same shape");
    std::ptrdiff_t const whole = mode == extension::periodization ? 2 * a[k] : 2 * a[k] - f[1] + 2;
    if (whole < 1)
      fail<shape_error>(name, "coefficients ", a, " along axis ", axis, " are too few for filters of ", f[1], " taps");
    if (length != 0 && length != whole && length != whole - 1)
      fail<argument_error>(name, "coefficients ", a, " belong to ", whole, " samples or one less, not to ", length);
    shape<R> x = a;
    x[k] = length != 0 ? length : whole;
    return x;
  }
  template <class D, class T, int R>
  void forward(D d, view<T, R, D> x, view<T const, R, D> a, view<T const, R, D> b, view<T const, 2, D> f) const {
    synthesis(d, as_sink(x), a, b, detail::synthesis_rows(f), line(f));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> a, view<T const, R, D> b, view<T const, 2, D> f, view<T const, R, D>,
               view<T const, R, D> dx, sink<T, R, D> da, sink<T, R, D> db, sink<T, 2, D> df) const {
    detail::synthesis_adjoint(d, line(f), detail::synthesis_rows(f), dx, da, db);
    if constexpr (Learns) {
      detail::no_gradient_rows(d, df, 0);
      if (df) filter_gradients(d, sink<T, 2, D>(detail::synthesis_rows(df.to), df.add), dx, a, b, line(f));
    }
  }

 private:
  filter_line line(auto const& f) const {
    bool const periodic = mode == extension::periodization;
    filter_line l = detail::dwt_line(periodic ? mode : extension::zero, axis, f.extent(1));
    l.repeat_last = false;
    return l;
  }
};

template <operand X> auto dwt(X&& x, wavelet const& w, dwt_options const& o = {}) {
  return apply(dwt_op<false>{o.mode, o.axis}, std::forward<X>(x), w.filters<element_of<X>, device_of<X>>());
}
template <operand X, operand F> auto dwt(X&& x, F&& filters, dwt_options const& o = {}) {
  return apply(dwt_op<true>{o.mode, o.axis}, std::forward<X>(x), std::forward<F>(filters));
}

template <operand A, operand B> auto idwt(A&& a, B&& b, wavelet const& w, idwt_options const& o = {}) {
  return apply(idwt_op<false>{o.mode, o.axis, o.length}, std::forward<A>(a), std::forward<B>(b),
               w.filters<element_of<A>, device_of<A>>());
}
template <operand A, operand B, operand F> auto idwt(A&& a, B&& b, F&& filters, idwt_options const& o = {}) {
  return apply(idwt_op<true>{o.mode, o.axis, o.length}, std::forward<A>(a), std::forward<B>(b),
               std::forward<F>(filters));
}

namespace detail {

template <class F> std::ptrdiff_t filter_length(F const& f) { return f.shape()[1]; }
inline std::ptrdiff_t filter_length(wavelet const& w) { return w.length(); }

inline constexpr int most_levels = 62;

// The level that was asked for, or the deepest.
inline int checked_level(wavedec_options const& o, std::ptrdiff_t samples, std::ptrdiff_t filter_length) {
  int const most = max_level(samples, filter_length);
  int const level = o.level == -1 ? most : o.level;
  if (level < 1 && o.level != -1) fail<argument_error>("wavedec", "the level must be at least 1, but is ", o.level);
  if (level < 1 || (level > most && !o.beyond_max_level))
    fail<argument_error>("wavedec", samples, " samples and ", filter_length, " taps allow for ", most, " levels, not ",
                         level < 1 ? 1 : level, " (.beyond_max_level allows more)");
  if (level > most_levels)
    fail<argument_error>("wavedec", "the level must be at most ", most_levels, ", but is ", level);
  return level;
}

// Level by level, each an op.
template <class X, class F> auto decompose_by_levels(X&& x, F const& filters, dwt_options const& each, int level) {
  auto bands = dwt(std::forward<X>(x), filters, each);
  using Y = std::remove_cvref_t<decltype(std::get<0>(bands))>;
  short_list<Y, most_levels + 1> all(static_cast<std::size_t>(level) + 1);
  for (int l = level; l > 1; --l) {
    all[static_cast<std::size_t>(l)] = std::move(std::get<1>(bands));
    Y const average = std::move(std::get<0>(bands));
    bands = dwt(average, filters, each);
  }
  all[1] = std::move(std::get<1>(bands));
  all[0] = std::move(std::get<0>(bands));
  return all;
}
// The same bits, line by line: what nobody records needs no average but the last.
template <class D, class T, int R>
auto decompose_by_lines(view<T const, R, D> x, view<T const, 2, D> f, dwt_options const& o, int level) {
  short_list<shape<R>, most_levels> shapes;
  for (int l = 0; l < level; ++l)
    shapes.emplace_back(
        std::get<0>(dwt_op<false>{o.mode, o.axis}.shape_of(l == 0 ? x.shape() : shapes.back(), f.shape())));
  short_list<tensor<T, R, D>, most_levels + 1> bands;
  bands.emplace_back(shapes.back(), uninitialized);
  while (!shapes.empty()) {
    bands.emplace_back(shapes.back(), uninitialized);
    shapes.pop_back();
  }
  short_list<view<T, R, D>, most_levels + 1> to;
  for (auto& band : bands) to.emplace_back(band.view());
  analysis_levels(D{}, std::span<view<T, R, D> const>(to.data(), to.size()), x, analysis_rows(f),
                  dwt_line(o.mode, o.axis, f.extent(1)));
  return bands;
}

template <class X, class F> auto decompose(X&& x, F const& filters, wavedec_options const& o) {
  int const axis = normalize_axis("wavedec", o.axis, rank_of<X>);
  int const level = checked_level(o, x.shape()[axis], filter_length(filters));
  dwt_options const each{.mode = o.mode, .axis = axis};
  if constexpr (recorded<X> || recorded<F> || !is_host<device_of<X>>) {
    return decompose_by_levels(std::forward<X>(x), filters, each, level);
  } else if constexpr (operand<F>) {
    return decompose_by_lines(as_view(x), as_view(filters), each, level);
  } else {
    auto const f = filters.template filters<element_of<X>, device_of<X>>();
    return decompose_by_lines(as_view(x), as_view(f), each, level);
  }
}

// A band as an operand: where only the filters are on a tape, a plain tensor is copied there.
template <class F, class X> decltype(auto) band_beside(X const& band) {
  if constexpr (recorded<F> && !recorded<X>) return X(band);
  else return (band);
}

// A short_list, a std::vector, ...
template <class B> concept list = !operand<B> && requires(B const& b) { b.size(), b[0]; };

template <class Bands, class F> auto recompose(Bands const& bands, F const& filters, idwt_options const& o) {
  using X = std::remove_cvref_t<decltype(bands[0])>;
  if (bands.size() < 2) fail<argument_error>("waverec", "averages and at least one band of details are needed");
  int const axis = normalize_axis("waverec", o.axis, rank_of<X>);
  auto const step = [&](auto const& a, std::size_t band) {
    // An average is one longer than the details of its level where the signal above was odd: it is made to fit.
    std::ptrdiff_t const length = band + 1 < bands.size() ? bands[band + 1].shape()[axis] : o.length;
    return idwt(band_beside<F>(a), band_beside<F>(bands[band]), filters,
                {.mode = o.mode, .axis = axis, .length = length});
  };
  auto a = step(bands[0], 1);
  for (std::size_t band = 2; band < bands.size(); ++band) a = step(a, band);
  return a;
}

}  // namespace detail

template <operand X> auto wavedec(X&& x, wavelet const& w, wavedec_options const& o = {}) {
  return detail::decompose(std::forward<X>(x), w, o);
}
template <operand X, operand F> auto wavedec(X&& x, F const& filters, wavedec_options const& o = {}) {
  return detail::decompose(std::forward<X>(x), filters, o);
}

// Bands as wavedec returns them: tensors, views or variables, the coarsest average first.
template <detail::list Bands> auto waverec(Bands const& bands, wavelet const& w, idwt_options const& o = {}) {
  return detail::recompose(bands, w, o);
}
template <detail::list Bands, operand F>
auto waverec(Bands const& bands, F const& filters, idwt_options const& o = {}) {
  return detail::recompose(bands, filters, o);
}

LIMBIC_END
