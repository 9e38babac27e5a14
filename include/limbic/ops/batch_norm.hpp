// limbic/ops/batch_norm.hpp - channels brought to mean 0 and variance 1 over a batch
//
//   functional::batch_norm(x, running_mean, running_var, weight, bias, {.training = true})
//   functional::batch_norm(x, running_mean, running_var)                 as in use, without weight and bias
//
//   y = (x - m) r w + b,  r = 1 / sqrt(v + eps)         Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1
//
// training: m, v are mean and variance (divided by n) of each channel over images and positions, n elements; then
//
//   running_mean <- (1 - momentum) running_mean + momentum m
//   running_var  <- (1 - momentum) running_var  + momentum v n / (n - 1)
//
// otherwise m, v are running_mean and running_var, which are constants.
//
// shape   x (N, C, ...) -> same; all others (C)
// adjoint w'_c += sum of y' (x - m) r,   b'_c += the sum of y'
//         x' += w r (y' - mean of y' - (x - m) r mean of y' (x - m) r)        in use: x' += w r y'
// domain  the variance is the mean square distance from the mean (of lines, then of their means), so that a large mean
//         costs no digits of a small variance
// errors  training with one element for each channel; an empty batch is no error, and changes nothing
//
// The running statistics change once for each call with training, where the batch is seen first: not when checkpoint()
// computes a segment again, and not in calls on dual numbers, which look at a loss's curvature.
//
// Options, defaults and results are those of torch.nn.functional.batch_norm.
#pragma once

#include <limbic/core/dual_view.hpp>
#include <limbic/ops/moments.hpp>
#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

struct batch_norm_options {
  bool training = false;  // the batch's own statistics
  double momentum = 0.1;  // the share of this batch in the running ones
  double eps = 1e-5;      // added to the variance
};

namespace detail {

// Of each line: its mean, and the sum of square distances from it.
struct line_moments {
  constexpr void operator()(auto x, auto mean, auto squares) const {
    auto const m = row_mean(x);
    mean.put(0, m);
    squares.put(0, square_distances(x, m));
  }
};
struct distance_from {
  template <class V> constexpr V operator()(V x, V mean) const { return x - mean; }
};
struct plus_share {
  double n;
  template <class V> constexpr V operator()(V m, V sum) const { return m + sum / math::constant<V>(n); }
};
// Sums of square distances from a line's own mean become those from the mean of all.
struct shifted_squares {
  double n;  // elements of a line
  template <class V> constexpr V operator()(V squares, V line, V mean) const {
    return squares + math::constant<V>(n) * ((line - mean) * (line - mean));
  }
};
struct share_of {
  double n;
  template <class V> constexpr V operator()(V v) const { return v / math::constant<V>(n); }
};
struct inverse_deviation {
  double n, eps;
  template <class V> constexpr V operator()(V squares) const {
    return V(1) / math::sqrt(squares / math::constant<V>(n) + math::constant<V>(eps));
  }
};
struct toward_batch {
  double momentum, n;
  template <class V> constexpr V operator()(V running, V x) const {
    return math::constant<V>(1 - momentum) * running + math::constant<V>(momentum / n) * x;
  }
};
struct leave_as_is {
  template <class V> constexpr V operator()(V x) const { return x; }
  template <class V> constexpr V operator()(V x, V) const { return x; }
};
// after((before(x, start) - m) s + b); what comes before and after is for `in_place` alone.
template <class Before = leave_as_is, class After = leave_as_is> struct normalize_element {
  Before before{};
  After after{};
  template <class V> constexpr V operator()(V x, V start, V mean, V scale, V shift) const {
    return after(math::fma(before(x, start) - mean, scale, shift));
  }
};
template <class F = normalize_element<>> struct normalize_line {
  F element{};
  constexpr void operator()(auto x, auto start, auto mean, auto inverse, auto weight, auto bias, auto y) const {
    using T = typename decltype(y)::value_type;
    T const scale = weight ? T(inverse[0] * weight[0]) : T(inverse[0]), shift = bias ? T(bias[0]) : T(0);
    map(y, element, x, start ? T(start[0]) : T(0), T(mean[0]), scale, shift);
  }
};
// Of each line: the sum of dy, and of dy (x - m).
struct line_shares {
  constexpr void operator()(auto x, auto dy, auto mean, auto total, auto product) const {
    using T = typename decltype(total)::value_type;
    T const m = mean[0];
    total.put(0, sum(dy));
    product.put(0, fold(sum_of{}, [m](auto g, auto v) { return g * (v - math::broadcast<decltype(v)>(m)); }, dy, x));
  }
};
// dx = s (dy - a - (x - m) b); in use a and b are not given: dx = s dy
struct normalize_line_back {
  double n;
  constexpr void operator()(auto x, auto dy, auto mean, auto inverse, auto weight, auto total, auto product,
                            auto dx) const {
    using T = typename decltype(dx)::value_type;
    T const r = inverse[0], scale = weight ? T(r * weight[0]) : r;
    if (!total) return map(dx, [](auto g, auto s) { return g * s; }, dy, scale);
    T const count = static_cast<T>(static_cast<base_of<T>>(n)), a = total[0] / count, b = r * r * product[0] / count;
    map(
        dx, [](auto g, auto v, auto s, auto m, auto p, auto q) { return s * (g - p - (v - m) * q); }, dy, x, scale,
        T(mean[0]), a, b);
  }
};

// On a tape, which knows whether it computes a segment again; a recording of shapes alone is none.
template <class X> concept taped = requires(X const& x) { x.owner()->recomputes(); };

// Whether a batch is seen for the first time, and so counts.
template <operand X> bool sees_batch_first([[maybe_unused]] X const& x) {
  if constexpr (is_dual<element_of<X>>) return false;
  else if constexpr (taped<X>) return x.size() > 0 && !x.owner()->recomputes();
  else return !recorded<X> && x.shape().size() > 0;
}

}  // namespace detail

// T and D are those of the running statistics.
template <class T, class D> struct batch_norm_op {
  static constexpr std::string_view name = "batch_norm";
  static constexpr keep needs = keep::inputs(0, 1) | keep::outputs(1, 2);
  static constexpr int visible = 1;  // mean and 1 / deviation are for the adjoint
  batch_norm_options options;
  view<T, 1, D> running_mean, running_var;  // read in use, changed in training where they are not null

  template <int R> auto shape_of(shape<R> const& x, shape<1> const& weight, shape<1> const& bias) const {
    shape<1> const channels{{x[1]}};
    for (auto const& s : {running_mean.shape(), running_var.shape()})
      if (s[0] != x[1]) fail<shape_error>(name, "x ", x, " has ", x[1], " channels, but a running statistic is ", s);
    for (auto const& s : {weight, bias})  // what was not given has no element
      if (s[0] != x[1] && s[0] != 0)
        fail<shape_error>(name, "x ", x, " has ", x[1], " channels, but a weight or bias is ", s);
    if (options.training && x.size() == x[1] && x[1] > 0)
      fail<shape_error>(name, "in training each channel must have more than one element, but x is ", x);
    return std::tuple(x, channels, channels);
  }
  // Mean and variance, a quotient and a sum less where they are known; subtract, multiply, add.
  template <int R> double flops(shape<R> const& x, shape<1> const&, shape<1> const&) const {
    return static_cast<double>(x.size()) * (options.training ? 7 : 3);
  }

  template <class U, int R>
  void forward(D d, view<U, R, D> y, view<U, 1, D> mean, view<U, 1, D> inverse, view<U const, R, D> x,
               view<U const, 1, D> weight, view<U const, 1, D> bias) const {
    tensor<U, 2, D> own;  // without a recording nobody has room for the statistics
    if (!mean) {
      own = tensor<U, 2, D>(shape<2>{{2, x.extent(1)}}, uninitialized);
      mean = own.view()[0];
      inverse = own.view()[1];
    }
    tensor<U, R, D> copied;
    if (!x.is_contiguous()) x = (copied = tensor<U, R, D>(x)).view();
    view<U const, 3, D> const lines = by_channel(x);
    if (options.training) measure(d, lines, mean, inverse);
    else recall(d, mean, inverse);
    view<U const, 1, D> const none(nullptr, mean.shape());
    for_each_row(d, along(lines), detail::normalize_line<>{}, lines, beside(none), beside(as_view(mean)),
                 beside(as_view(inverse)), beside(weight), beside(bias), by_channel(y));
  }

  // y = after(norm(before(y, start))) in one pass over y, contiguous; norm as in use, start (C) or null. See nn/fused.hpp.
  template <int R, class Before, class After>
  void in_place(D d, view<T, R, D> y, view<T const, 1, D> start, view<T const, 1, D> weight, view<T const, 1, D> bias,
                Before const& before, After const& after) const {
    (void)shape_of(y.shape(), weight.shape(), bias.shape());
    using element = detail::normalize_element<Before, After>;
    tensor<T, 2, D> own(shape<2>{{2, y.extent(1)}}, uninitialized);
    view<T, 1, D> const mean = own.view()[0], inverse = own.view()[1];
    recall(d, mean, inverse);
    view<T const, 3, D> const lines = by_channel(as_view(y));
    if (lines.extent(2) >= 256 || lines.extent(0) < 4)
      return for_each_row(d, along(lines), detail::normalize_line<element>{{before, after}}, lines, beside(start),
                          beside(as_view(mean)), beside(as_view(inverse)), beside(weight), beside(bias), by_channel(y));
    // Short lines of several images: an image in one line, beside what each of its elements is combined with.
    if (weight) map(d, inverse, multiply_function{}, inverse, weight);
    tensor<T, 3, D> beside_each(shape<3>{{4, y.extent(1), lines.extent(2)}}, T(0));
    view<T const, 1, D> const of_channel[] = {start, as_view(mean), as_view(inverse), bias};
    for (std::ptrdiff_t i = 0; i < 4; ++i)
      if (of_channel[i]) copy(d, beside_each.view()[i], of_channel[i].unsqueeze(1));
    view<T const, 3, D> const each = as_view(beside_each);
    map(d, by_channel(y), element{before, after}, lines, each[0], each[1], each[2], each[3]);
  }

  template <class U, int R>
  void adjoint(D d, view<U const, R, D> x, view<U const, 1, D> weight, view<U const, 1, D>, view<U const, R, D>,
               view<U const, 1, D> mean, view<U const, 1, D> inverse, view<U const, R, D> dy, view<U const, 1, D>,
               view<U const, 1, D>, sink<U, R, D> dx, sink<U, 1, D> dweight, sink<U, 1, D> dbias) const {
    view<U const, 3, D> const lines = by_channel(x), dlines = by_channel(dy);
    std::ptrdiff_t const channels = x.extent(1);
    tensor<U, 2, D> sums;
    view<U const, 1, D> total(nullptr, shape<1>{{channels}}), product = total;
    if (options.training || dweight || dbias) {
      sums = tensor<U, 2, D>(shape<2>{{2, channels}}, uninitialized);
      auto const extents = per_line(lines);
      tensor<U, 3, D> totals(extents, uninitialized), products(extents, uninitialized);
      for_each_row(d, along(lines), detail::line_shares{}, lines, dlines, beside(mean), totals.view(), products.view());
      reduce(d, beside(sums.view()[0]), sum_of{}, totals);
      reduce(d, beside(sums.view()[1]), sum_of{}, products);
      total = sums.view()[0];
      product = sums.view()[1];
    }
    if (dx) {
      view<U const, 1, D> const none(nullptr, shape<1>{{channels}});
      for_each_row(d, along(lines), detail::normalize_line_back{count(lines)}, lines, dlines, beside(mean),
                   beside(inverse), beside(weight), beside(options.training ? total : none),
                   beside(options.training ? product : none), sink<U, 3, D>(by_channel(dx.to), dx.add));
    }
    if (dweight) map(d, dweight, multiply_function{}, product, inverse);
    if (dbias) copy(d, dbias, total);
  }

 private:
  // (N, C, ...) as (N, C, L); contiguous.
  template <class U, int R> static view<U, 3, D> by_channel(view<U, R, D> const& v) {
    std::ptrdiff_t positions = 1;
    for (int a = 2; a < R; ++a) positions *= v.extent(a);
    shape<3> const extents{{v.extent(0), v.extent(1), positions}};
    return v.data() == nullptr ? view<U, 3, D>(nullptr, extents) : v.reshape(extents);
  }
  // (C) as (1, C, 1).
  template <class U> static view<U, 3, D> beside(view<U, 1, D> const& v) {
    return {v.data(), shape<3>{{1, v.extent(0), 1}}};
  }
  // Lines go along the longer of the axes that are not channels.
  template <class U> static int along(view<U, 3, D> const& lines) { return lines.extent(2) >= lines.extent(0) ? 2 : 0; }
  template <class U> static shape<3> per_line(view<U, 3, D> const& lines) {
    shape<3> extents = lines.shape();
    extents[along(lines)] = 1;
    return extents;
  }
  // Elements of a channel; 1 where there are none, to divide by.
  template <class U> static double count(view<U, 3, D> const& lines) {
    std::ptrdiff_t const n = lines.extent(0) * lines.extent(2);
    return n > 0 ? static_cast<double>(n) : 1;
  }

  // The statistics of the batch; and the running ones, moved.
  template <class U>
  void measure(D d, view<U const, 3, D> const& lines, view<U, 1, D> const& mean, view<U, 1, D> const& inverse) const {
    auto const extents = per_line(lines);
    double const n = count(lines);
    tensor<U, 3, D> means(extents, uninitialized), squares(extents, uninitialized);
    if (lines.size() > 0) for_each_row(d, along(lines), detail::line_moments{}, lines, means.view(), squares.view());
    view<U, 3, D> const m = beside(mean), s = beside(inverse);
    double const number = static_cast<double>(extents[0] * extents[2]), of_lines = number > 0 ? number : 1;
    reduce(d, m, sum_of{}, means);
    map(d, m, detail::share_of{of_lines}, m);
    reduce(d, s, sum_of{}, detail::distance_from{}, means, m);
    map(d, m, detail::plus_share{of_lines}, m, s);
    reduce(d, s, sum_of{}, detail::shifted_squares{n / of_lines}, squares, means, m);
    if constexpr (std::is_same_v<T, U>) {
      if (running_mean && lines.size() > 0) {
        map(d, running_mean, detail::toward_batch{options.momentum, 1}, running_mean, mean);
        map(d, running_var, detail::toward_batch{options.momentum, n - 1}, running_var, inverse);
      }
    }
    map(d, inverse, detail::inverse_deviation{n, options.eps}, inverse);
  }
  // The running statistics, of which dual numbers have no tangent.
  template <class U> void recall(D d, view<U, 1, D> const& mean, view<U, 1, D> const& inverse) const {
    if constexpr (std::is_same_v<T, U>) {
      copy(d, mean, running_mean);
      copy(d, inverse, running_var);
    } else {
      for (auto const& v : {mean, inverse}) fill(d, v, U(0));
      copy(d, detail::values(mean), running_mean);
      copy(d, detail::values(inverse), running_var);
    }
    map(d, inverse, detail::inverse_deviation{1, options.eps}, inverse);
  }
};

namespace functional {

template <operand X, class T, class D, operand W, operand B>
auto batch_norm(X&& x, tensor<T, 1, D>& running_mean, tensor<T, 1, D>& running_var, W&& weight, B&& bias,
                batch_norm_options const& o = {}) {
  constexpr bool fit =
      rank_of<X> >= 2 && rank_of<W> == 1 && rank_of<B> == 1 && std::is_same_v<base_of<element_of<X>>, T>;
  if constexpr (fit) {
    batch_norm_op<T, D> op{o, running_mean.view(), running_var.view()};
    if (o.training && !limbic::detail::sees_batch_first(x))
      op.running_mean = view<T, 1, D>(nullptr, running_mean.shape());
    return apply(op, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
  } else {
    static_assert(fit,
                  "limbic: batch_norm takes x (N, C, ...) and statistics, weight and bias (C) of its element type");
  }
}
template <operand X, class T, class D>
auto batch_norm(X&& x, tensor<T, 1, D>& running_mean, tensor<T, 1, D>& running_var, batch_norm_options const& o = {}) {
  return batch_norm(std::forward<X>(x), running_mean, running_var, absent<X, 1>(), absent<X, 1>(), o);
}

}  // namespace functional

LIMBIC_END
