// limbic/ops/layer_norm.hpp - the last axes of each element of a batch brought to mean 0 and variance 1
//
//   functional::layer_norm(x, shape{H, W}, weight, bias)      over the last two axes; weight and bias (H, W)
//   functional::layer_norm(x, shape{F}, {.eps = 1e-6})        over the last one, without weight and bias
//
//   y = (x - m) r w + b,  r = 1 / sqrt(v + eps)         Ba, Kiros and Hinton 2016, arXiv:1607.06450, eq. 4
//
// m, v: mean and variance (divided by their number) of the elements that one index of the leading axes has.
//
// shape   any whose last axes are the given ones -> same
// adjoint w' += sum of y' (x - m) r,   b' += the sum of y', both over the leading axes
//         x' += r (g - mean of g - (x - m) r mean of g (x - m) r),   g = w y'
// domain  as batch_norm.hpp: a large mean costs no digits of a small variance
//
// Options, defaults and results are those of torch.nn.functional.layer_norm.
#pragma once

#include <limbic/ops/moments.hpp>
#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

struct layer_norm_options {
  double eps = 1e-5;  // added to the variance
};

namespace detail {

struct layer_norm_row {
  double eps;
  constexpr void operator()(auto x, auto weight, auto bias, auto y, auto mean, auto inverse) const {
    using T = typename decltype(y)::value_type;
    T const m = row_mean(x), n = static_cast<T>(static_cast<base_of<T>>(x.size()));
    T const r = T(1) / math::sqrt(square_distances(x, m) / n + math::constant<T>(eps));
    if (mean) mean.put(0, m);
    if (inverse) inverse.put(0, r);
    if (weight && bias) {
      map(
          y, [](auto v, auto w, auto b, auto c, auto s) { return math::fma((v - c) * s, w, b); }, x, weight, bias, m,
          r);
    } else if (weight) {
      map(y, [](auto v, auto w, auto c, auto s) { return (v - c) * s * w; }, x, weight, m, r);
    } else {
      map(y, [](auto v, auto c, auto s) { return (v - c) * s; }, x, m, r);
    }
  }
};
struct layer_norm_row_back {
  constexpr void operator()(auto x, auto weight, auto mean, auto inverse, auto dy, auto dx) const {
    using T = typename decltype(dx)::value_type;
    T const m = mean[0], r = inverse[0], n = static_cast<T>(static_cast<base_of<T>>(x.size()));
    if (weight) {
      T const a = dot(dy, weight) / n;
      T const b = r * r / n *
                  fold(
                      sum_of{}, [m](auto g, auto w, auto v) { return g * w * (v - math::broadcast<decltype(v)>(m)); },
                      dy, weight, x);
      map(
          dx, [](auto g, auto w, auto v, auto s, auto c, auto p, auto q) { return s * (g * w - p - (v - c) * q); }, dy,
          weight, x, r, m, a, b);
    } else {
      T const a = sum(dy) / n;
      T const b =
          r * r / n * fold(sum_of{}, [m](auto g, auto v) { return g * (v - math::broadcast<decltype(v)>(m)); }, dy, x);
      map(
          dx, [](auto g, auto v, auto s, auto c, auto p, auto q) { return s * (g - p - (v - c) * q); }, dy, x, r, m, a,
          b);
    }
  }
};
struct normalized_times {
  template <class V> constexpr V operator()(V dy, V x, V mean, V inverse) const { return dy * ((x - mean) * inverse); }
};

}  // namespace detail

template <int K> struct layer_norm_op {
  static constexpr std::string_view name = "layer_norm";
  static constexpr keep needs = keep::inputs(0, 1) | keep::outputs(1, 2);
  static constexpr int visible = 1;  // mean and 1 / deviation are for the adjoint
  shape<K> normalized;               // the last axes
  layer_norm_options options;

  template <int R> auto shape_of(shape<R> const& x, shape<K> const& weight, shape<K> const& bias) const {
    std::ptrdiff_t rows = 1;
    for (int a = 0; a < R - K; ++a) rows *= x[a];
    for (int a = 0; a < K; ++a)
      if (x[R - K + a] != normalized[a]) fail<shape_error>(name, "the last axes of x ", x, " must be ", normalized);
    for (auto const& s : {weight, bias})
      if (!(s == normalized) && !(s == shape<K>()))
        fail<shape_error>(name, "weight and bias must have the shape of the last axes, ", normalized, ", but came ", s);
    return std::tuple(x, shape<1>{{rows}}, shape<1>{{rows}});
  }
  // Mean and variance; subtract, multiply twice, add.
  template <int R> double flops(shape<R> const& x, shape<K> const&, shape<K> const&) const {
    return 8 * static_cast<double>(x.size());
  }

  template <class D, class T, int R>
  void forward(D d, view<T, R, D> y, view<T, 1, D> mean, view<T, 1, D> inverse, view<T const, R, D> x,
               view<T const, K, D> weight, view<T const, K, D> bias) const {
    if (x.size() == 0) return;
    tensor<T, R, D> copied_x;
    tensor<T, K, D> copied_weight, copied_bias;
    for_each_row(d, 1, detail::layer_norm_row{options.eps}, rows(whole(x, copied_x)), row(whole(weight, copied_weight)),
                 row(whole(bias, copied_bias)), rows(y), mean.unsqueeze(1), inverse.unsqueeze(1));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, K, D> weight, view<T const, K, D>, view<T const, R, D>,
               view<T const, 1, D> mean, view<T const, 1, D> inverse, view<T const, R, D> dy, view<T const, 1, D>,
               view<T const, 1, D>, sink<T, R, D> dx, sink<T, K, D> dweight, sink<T, K, D> dbias) const {
    auto const m = mean.unsqueeze(1), r = inverse.unsqueeze(1);
    if (dx && x.size() > 0)
      for_each_row(d, 1, detail::layer_norm_row_back{}, rows(x), row(weight), m, r, rows(dy),
                   sink<T, 2, D>(rows(dx.to), dx.add));
    if (dweight)
      reduce(d, sink<T, 2, D>(row(dweight.to), dweight.add), sum_of{}, detail::normalized_times{}, rows(dy), rows(x), m,
             r);
    if (dbias) reduce(d, sink<T, 2, D>(row(dbias.to), dbias.add), sum_of{}, rows(dy));
  }

 private:
  // As a matrix (rows, normalised elements); contiguous.
  template <class T, int R, class D> view<T, 2, D> rows(view<T, R, D> const& v) const {
    std::ptrdiff_t n = 1;
    for (int a = 0; a < R - K; ++a) n *= v.extent(a);
    return {v.data(), shape<2>{{n, normalized.size()}}};
  }
  template <class T, class D> view<T, 2, D> row(view<T, K, D> const& v) const {
    return {v.data(), shape<2>{{1, normalized.size()}}};
  }
  // Contiguous, if need be as a copy.
  template <class T, int R, class D> static view<T const, R, D> whole(view<T const, R, D> v, tensor<T, R, D>& copied) {
    if (!v || v.is_contiguous()) return v;
    copied = tensor<T, R, D>(v);
    return copied.view();
  }
};

namespace functional {

template <operand X, int K, operand W, operand B>
auto layer_norm(X&& x, shape<K> const& normalized, W&& weight, B&& bias, layer_norm_options const& o = {}) {
  constexpr bool fit = K >= 1 && rank_of<X> >= K && rank_of<W> == K && rank_of<B> == K;
  if constexpr (fit) {
    return apply(layer_norm_op<K>{normalized, o}, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
  } else {
    static_assert(fit, "limbic: layer_norm over k axes takes x of rank k or more, weight and bias of rank k");
  }
}
template <operand X, int K> auto layer_norm(X&& x, shape<K> const& normalized, layer_norm_options const& o = {}) {
  return layer_norm(std::forward<X>(x), normalized, absent<X, K>(), absent<X, K>(), o);
}

}  // namespace functional

LIMBIC_END
