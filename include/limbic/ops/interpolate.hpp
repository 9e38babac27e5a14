// limbic/ops/interpolate.hpp - signals and images in another size
//
//   interpolate(x, {48, 64})                                           to this size; x (N, C, H, W) or (N, C, L)
//   interpolate(x, 48, {.mode = interpolation::bilinear, .align_corners = true})
//   upsample(x, 2, {.mode = interpolation::bilinear})                  so many times larger, along each axis
//
// Element q of an axis of n that becomes m is read at the place s:
//
//   nearest    s = floor(q n / m)
//   bilinear   s = max(0, (q + 1/2) n / m - 1/2)      align_corners: s = q (n - 1) / (m - 1), 0 if m = 1
//              y[q] = (1 - w) x[k] + w x[k + 1],   k = floor(s), w = s - k; beyond the last element, that one
//
// one axis after the other. An element whose weight is 0 is not read, whatever it is.
//
// adjoint x' += the transposed sums
// errors  sizes below 1, an axis without elements, align_corners without bilinear
//
// Options, defaults and results are those of torch.nn.functional.interpolate and upsample (mode linear of signals is
// called bilinear too).
#pragma once

#include <limbic/ops/op.hpp>
#include <limbic/ops/per_axis.hpp>

LIMBIC_BEGIN

// How elements between others are found.
enum class interpolation { nearest, bilinear };

struct interpolate_options {
  interpolation mode = interpolation::nearest;
  bool align_corners = false;  // of bilinear: the first and last elements stay where they are
};

namespace detail {

// Where each result reads: first[q] and the one behind it, which has the weight. Results from begin[k] to begin[k + 1] read
// at k first.
template <class D, class T> struct resampling {
  tensor<std::int64_t, 1, D> first, begin;
  tensor<T, 1, D> weight;

  resampling(std::ptrdiff_t in, std::ptrdiff_t out, interpolate_options const& o)
      : first(shape<1>{{out}}, uninitialized),
        begin(shape<1>{{in + 1}}, uninitialized),
        weight(shape<1>{{out}}, uninitialized) {
    tensor<std::int64_t, 1, scalar> k(first.shape()), b(begin.shape(), static_cast<std::int64_t>(out));
    tensor<T, 1, scalar> w(weight.shape());
    for (std::ptrdiff_t q = out - 1; q >= 0; --q) {
      double const at = place(q, in, out, o);
      k(q) = o.mode == interpolation::nearest ? q * in / out : static_cast<std::int64_t>(at);
      if (k(q) > in - 1) k(q) = in - 1;
      if (o.mode == interpolation::bilinear && k(q) < in - 1) w(q) = math::constant<T>(at - static_cast<double>(k(q)));
      for (std::ptrdiff_t i = k(q); i >= 0 && b(i) > q; --i) b(i) = q;
    }
    copy_elements(D{}, first.data(), k.data(), k.size());
    copy_elements(D{}, begin.data(), b.data(), b.size());
    copy_elements(D{}, weight.data(), w.data(), w.size());
  }

 private:
  static double place(std::ptrdiff_t q, std::ptrdiff_t in, std::ptrdiff_t out, interpolate_options const& o) {
    double const n = static_cast<double>(in), m = static_cast<double>(out), i = static_cast<double>(q);
    if (o.align_corners) return out > 1 ? i * (n - 1) / (m - 1) : 0;
    double const s = (i + 0.5) * n / m - 0.5;
    return s > 0 ? s : 0;
  }
};

struct resample_row {
  constexpr void operator()(auto x, auto first, auto weight, auto y) const {
    generate(y, [&](std::ptrdiff_t q) {
      using T = typename decltype(y)::value_type;
      auto const k = static_cast<std::ptrdiff_t>(first[q]);
      T const w = weight[q], a = x[k];
      return w == T(0) ? a : (T(1) - w) * a + w * x[k + 1];
    });
  }
};
struct resample_row_back {
  constexpr void operator()(auto begin, auto weight, auto dy, auto dx) const {
    generate(dx, [&](std::ptrdiff_t i) {
      using T = typename decltype(dx)::value_type;
      auto const limit = [&](std::ptrdiff_t k) { return static_cast<std::ptrdiff_t>(begin[k]); };
      T sum = T(0);
      for (std::ptrdiff_t q = i > 0 ? limit(i - 1) : limit(i); q < limit(i); ++q)
        if (!(weight[q] == T(0))) sum = sum + weight[q] * dy[q];
      for (std::ptrdiff_t q = limit(i); q < limit(i + 1); ++q) sum = sum + (T(1) - weight[q]) * dy[q];
      return sum;
    });
  }
};

// (K) along `axis` of R axes.
template <int R, class T, class D> view<T const, R, D> table_along(tensor<T, 1, D> const& t, int axis) {
  shape<R> extents;
  for (int a = 0; a < R; ++a) extents[a] = a == axis ? t.size() : 1;
  return {t.data(), extents};
}

}  // namespace detail

template <int S> struct interpolate_op {
  static constexpr std::string_view name = "interpolate";
  static constexpr keep needs = keep::nothing;
  shape<S> size;
  interpolate_options options;

  shape<S + 2> shape_of(shape<S + 2> const& x) const {
    shape<S + 2> y = x;
    for (int i = 0; i < S; ++i) {
      if (x[2 + i] < 1) fail<shape_error>(name, "axis ", 2 + i, " of x ", x, " has no elements");
      y[2 + i] = size[i];
    }
    return y;
  }
  // Two products and a sum for each axis; nothing where elements are only copied.
  double flops(shape<S + 2> const& x) const {
    return options.mode == interpolation::nearest ? 0 : 3 * S * static_cast<double>(shape_of(x).size());
  }
  template <class D, class T> void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x) const {
    if constexpr (S == 1) {
      resample(d, 2, y, x);
    } else {
      tensor<T, 4, D> rows(between(x.shape()), uninitialized);
      resample(d, 2, rows.view(), x);
      resample(d, 3, y, as_view(rows));
    }
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D>, view<T const, S + 2, D> dy,
               sink<T, S + 2, D> dx) const {
    if (!dx) return;
    if constexpr (S == 1) {
      resample_back(d, 2, dx, dy);
    } else {
      tensor<T, 4, D> rows(between(x.shape()), uninitialized);
      resample_back(d, 3, as_sink(rows), dy);
      resample_back(d, 2, dx, as_view(rows));
    }
  }

 private:
  shape<4> between(shape<4> x) const {
    x[2] = size[0];
    return x;
  }
  template <class D, class T, int R> void resample(D d, int axis, view<T, R, D> y, view<T const, R, D> x) const {
    detail::resampling<D, T> const r(x.extent(axis), y.extent(axis), options);
    for_each_row(d, axis, detail::resample_row{}, x, detail::table_along<R>(r.first, axis),
                 detail::table_along<R>(r.weight, axis), y);
  }
  template <class D, class T, int R> void resample_back(D d, int axis, sink<T, R, D> dx, view<T const, R, D> dy) const {
    detail::resampling<D, T> const r(dx.shape()[axis], dy.extent(axis), options);
    for_each_row(d, axis, detail::resample_row_back{}, detail::table_along<R>(r.begin, axis),
                 detail::table_along<R>(r.weight, axis), dy, dx);
  }
};

namespace detail {
template <int S>
interpolate_op<S> make_interpolate(std::string_view name, shape<S> const& size, interpolate_options const& o) {
  for (int i = 0; i < S; ++i)
    if (size[i] < 1) fail<argument_error>(name, "sizes must be at least 1, but are ", size);
  if (o.align_corners && o.mode == interpolation::nearest)
    fail<argument_error>(name, "align_corners is an option of bilinear interpolation");
  return {size, o};
}
// 2 for images; what is neither a signal nor an image is refused where the op is applied.
template <operand X> inline constexpr int position_axes = rank_of<X> == 3 ? 1 : 2;
template <class X, class Op> auto apply_interpolate(Op const& o, X&& x) {
  constexpr bool fit = rank_of<X> == 3 || rank_of<X> == 4;
  if constexpr (fit) return apply(o, std::forward<X>(x));
  else static_assert(fit, "limbic: interpolate takes signals (N, C, L) or images (N, C, H, W)");
}
}  // namespace detail

template <operand X>
auto interpolate(X&& x, per_axis<detail::position_axes<X>> const& size, interpolate_options const& o = {}) {
  return detail::apply_interpolate(detail::make_interpolate("interpolate", size.of, o), std::forward<X>(x));
}
template <operand X>
auto upsample(X&& x, per_axis<detail::position_axes<X>> const& scale, interpolate_options const& o = {}) {
  constexpr int S = detail::position_axes<X>;
  interpolate_op<S> op = detail::make_interpolate("upsample", scale.of, o);
  for (int i = 0; i < S; ++i)
    if constexpr (rank_of<X> == S + 2) op.size[i] *= x.shape()[2 + i];
  return detail::apply_interpolate(op, std::forward<X>(x));
}

LIMBIC_END
