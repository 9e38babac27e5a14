// limbic/ops/avg_pool.hpp - the mean of each window
//
//   avg_pool2d(x, 2)                                          x (N, C, H, W); windows of 2 x 2, side by side
//   avg_pool2d(x, 3, {.stride = 2, .padding = 1, .count_include_pad = false})
//   avg_pool1d(x, 2)                                          x (N, C, L)
//   adaptive_avg_pool2d(x, {3, 2})                            as many windows: floor(p H / P) to ceil((p + 1) H / P)
//   adaptive_avg_pool1d(x, 3)                                 the same of signals
//   global_avg_pool(x)                                        (N, C, ...) -> (N, C)
//
//   y[n, c, p, q] = 1 / m  sum over i, j of  x[n, c, s p + i - a, s q + j - a]     stride s, padding a (zeros)
//
// m is the number of elements that the window covers, zeros of the padding among them unless count_include_pad is false,
// but never what lies beyond the padding (ceil_mode); divisor_override puts another number in its place.
//
// shape, errors   as max_pool.hpp
// adjoint         x' += y' / m for every window
//
// Options, defaults and results are those of torch.nn.functional; windows are in kernels/pool.hpp.
#pragma once

#include <limbic/ops/pooling.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/ops/sum.hpp>

LIMBIC_BEGIN

// How windows of S axes move, and what their sum is divided by.
template <int S> struct avg_pool_options {
  per_axis<S> stride = 0;  // 0: that of the kernel, windows side by side
  per_axis<S> padding = 0;
  bool ceil_mode = false;               // also a last window that reaches beyond the end
  bool count_include_pad = true;        // zeros of the padding count as elements
  std::ptrdiff_t divisor_override = 0;  // instead of the number of elements; 0: none
};

template <int S> struct avg_pool_op {
  static constexpr std::string_view name = "avg_pool";
  static constexpr keep needs = keep::nothing;
  detail::pool_rules<S> rules;  // where the windows lie
  bool count_include_pad = true;
  std::ptrdiff_t divisor_override = 0;

  shape<S + 2> shape_of(shape<S + 2> const& x) const { return rules.shape_of(name, x); }
  // A sum over the taps, and a quotient, for each window.
  double flops(shape<S + 2> const& x) const { return rules.taps(name, x); }
  template <class D, class T> void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x) const {
    auto const g = rules.geometry(x.shape());
    view<T, 4, D> const sums = detail::as_images(y);
    sum_pool(d, sums, detail::as_images(x), g);
    map(d, sums, quotient{}, sums, divisors<D, T>(g));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D>, view<T const, S + 2, D> dy,
               sink<T, S + 2, D> dx) const {
    if (!dx) return;
    auto const g = rules.geometry(x.shape());
    tensor<T, S + 2, D> share(dy.shape(), uninitialized);
    map(d, detail::as_images(share.view()), quotient{}, detail::as_images(dy), divisors<D, T>(g));
    sum_pool_gradient(d, detail::as_images(dx), detail::as_images(as_view(share)), g);
  }

  struct quotient {
    template <class V> constexpr V operator()(V sum, V count) const { return sum / count; }
  };

 private:
  // m for each window.
  template <class D, class T> tensor<T, 2, D> divisors(pool_geometry const& g) const {
    auto const covered = [&](pool_axis const& a, std::ptrdiff_t p) {
      if (a.adaptive || !count_include_pad) return a.span(p).count;
      std::ptrdiff_t const start = p * a.stride - a.padding, end = a.in + a.padding;
      return (start + a.kernel < end ? start + a.kernel : end) - start;
    };
    tensor<T, 2, scalar> m(shape<2>{{g.rows.out, g.columns.out}}, uninitialized);
    for (std::ptrdiff_t p = 0; p < g.rows.out; ++p)
      for (std::ptrdiff_t q = 0; q < g.columns.out; ++q)
        m(p, q) = math::constant<T>(
            static_cast<double>(divisor_override != 0 ? divisor_override : covered(g.rows, p) * covered(g.columns, q)));
    return detail::pool_table<D>(m);
  }
};

namespace detail {
template <int S> avg_pool_op<S> make_avg_pool(std::string_view name, per_axis<S> const& kernel,
                                              avg_pool_options<S> const& o) {
  if (o.divisor_override < 0)
    fail<argument_error>(name, "divisor_override must not be negative, but is ", o.divisor_override);
  return {window_rules(name, kernel, o.stride, o.padding, per_axis<S>(1), o.ceil_mode), o.count_include_pad,
          o.divisor_override};
}
}  // namespace detail

template <operand X> auto avg_pool1d(X&& x, per_axis<1> const& kernel, avg_pool_options<1> const& o = {}) {
  return detail::apply_pool<1>(detail::make_avg_pool("avg_pool1d", kernel, o), std::forward<X>(x));
}
template <operand X> auto avg_pool2d(X&& x, per_axis<2> const& kernel, avg_pool_options<2> const& o = {}) {
  return detail::apply_pool<2>(detail::make_avg_pool("avg_pool2d", kernel, o), std::forward<X>(x));
}
template <operand X> auto adaptive_avg_pool1d(X&& x, per_axis<1> const& windows) {
  return detail::apply_pool<1>(avg_pool_op<1>{detail::adaptive_rules("adaptive_avg_pool1d", windows)},
                               std::forward<X>(x));
}
template <operand X> auto adaptive_avg_pool2d(X&& x, per_axis<2> const& windows) {
  return detail::apply_pool<2>(avg_pool_op<2>{detail::adaptive_rules("adaptive_avg_pool2d", windows)},
                               std::forward<X>(x));
}

// The mean of each channel.
template <operand X> auto global_avg_pool(X&& x) {
  constexpr bool fit = rank_of<X> >= 3;
  if constexpr (fit) return mean(flatten<2>(std::forward<X>(x)), 2);
  else static_assert(fit, "limbic: global_avg_pool takes (N, C, L) or (N, C, H, W)");
}

LIMBIC_END
