// limbic/ops/class_loss.hpp - losses of classifiers: a row of scores for each sample, and the number of its class
//
// Such a loss says, for one sample with scores x, class c, weights w... (none, or one row of them) and the logarithm of
// sum_k e^(x_k), `norm`, where it `normalizes`,
//
//   ignores(c)                             whether the sample counts at all
//   loss(x, c, norm, w...)
//   share(c, w...)                         what it counts in a mean, where it `weighs`; else each counts 1
//   slope(dx, g, x, c, norm, w...)         writes g times the derivative by x
//
// and becomes an op that keeps the norm of each sample rather than all probabilities.
//
// One that depends on the log-probability l of the class alone, and on the class's weight w, says value(l, w) and
// slope(l, w), its derivative by l: detail::of_target makes the rest of it.
//
// shape   scores (N, C, d...), labels (N, d...) of integers in [0, C), weights (C) -> (), or (N, d...) for none
// mean    over the samples, or over their shares; over none of them it is NaN, as in PyTorch
// adjoint of the scores; labels have no gradient, and class weights refuse theirs
#pragma once

#include <limbic/ops/reduction.hpp>

LIMBIC_BEGIN

namespace detail {

// log sum_k e^(x_k) in two parts that are not added, so that large logits cost no digits.
template <class T> struct log_norm {
  T largest, log_sum;

  template <class Row> static constexpr log_norm of(Row x) {
    T const m = max(x);
    return {m, math::log(fold(sum_of{}, [m](auto v) { return math::exp(v - math::broadcast<decltype(v)>(m)); }, x))};
  }
  // As a row of two.
  template <class Row> static constexpr log_norm saved(Row norm) { return {norm[0], norm[1]}; }
  template <class Row> constexpr void save(Row norm) const {
    norm.put(0, largest);
    norm.put(1, log_sum);
  }
  // Minus the log-probability of an element of the row.
  template <class V> constexpr V surprise(V x) const {
    return math::broadcast<V>(log_sum) + (math::broadcast<V>(largest) - x);
  }
  template <class V> constexpr V probability(V x) const { return math::exp(-surprise(x)); }
  // At most 0, whatever the rounding.
  constexpr T log_probability(T x) const { return math::min(-surprise(x), T(0)); }
};

// The shape of a tensor of them.
template <int N> constexpr shape<N> norm_shape(shape<N> s) {
  s[1] = 2;
  return s;
}

// The weight of class c, 1 where none are given.
template <class T> constexpr T class_weight(std::ptrdiff_t) { return T(1); }
template <class T, class Row> constexpr T class_weight(std::ptrdiff_t c, Row w) { return w[c]; }

// One element of a row += v, whether the row assigns or adds.
template <class Row, class T> constexpr void add_at(Row to, std::ptrdiff_t i, T v) {
  to.add = true;
  to.put(i, v);
}
template <class Row, class T> constexpr void set_row(Row to, T v) {
  map(to, [](auto value) { return value; }, v);
}

// The loss of a sample whose class has the log-probability l. dl / dx_j = d_jc - p_j.
template <class Op> struct of_target {
  static constexpr std::string_view name = Op::name;
  static constexpr bool normalizes = true, weighs = false;
  Op o;

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, log_norm<T> norm, auto... w) const {
    return o.value(norm.log_probability(static_cast<T>(x[c])), class_weight<T>(c, w...));
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, log_norm<T> norm, auto... w) const {
    T const own = g * o.slope(norm.log_probability(static_cast<T>(x[c])), class_weight<T>(c, w...));
    map(dx, [norm](auto v, auto scale) { return -(scale * norm.probability(v)); }, x, own);
    add_at(dx, c, own);
  }
};

template <class Op> struct class_forward {
  Op o;
  constexpr void operator()(auto x, auto label, auto loss, auto norm, [[maybe_unused]] auto share, auto... w) const {
    using T = typename decltype(x)::value_type;
    auto const c = static_cast<std::ptrdiff_t>(label[0]);
    bool const counts = !o.ignores(c), known = c >= 0 && c < x.size();  // on a GPU nobody could check labels before
    log_norm<T> n{};
    if constexpr (Op::normalizes) {
      if (counts) n = log_norm<T>::of(x);
      if (norm) n.save(norm);
    }
    T const unknown = math::constant<T>(std::numeric_limits<double>::quiet_NaN());
    loss.put(0, !counts ? T(0) : !known ? unknown : o.loss(x, c, n, w...));
    if constexpr (Op::weighs)
      if (share) share.put(0, !counts ? T(0) : !known ? unknown : o.template share<T>(c, w...));
  }
};

template <class Op> struct class_adjoint {
  Op o;
  double samples;  // what a mean divides by, unless `shares` says it
  constexpr void operator()(auto x, auto label, auto norm, auto shares, auto dy, auto dx, auto... w) const {
    using T = typename decltype(dx)::value_type;
    auto const c = static_cast<std::ptrdiff_t>(label[0]);
    if (o.ignores(c) || c < 0 || c >= dx.size()) return set_row(dx, T(0));
    T g = dy[0] / math::constant<T>(samples);
    if (shares) g = g / shares[0];
    if constexpr (Op::normalizes) o.slope(dx, g, x, c, log_norm<T>::saved(norm), w...);
    else o.slope(dx, g, x, c, log_norm<T>{}, w...);
  }
};

struct divided {
  template <class V> constexpr V operator()(V a, V b) const { return a / b; }
};

// A vector as the only row along axis 1 of a tensor of rank R.
template <int R, class T, class D> constexpr view<T, R, D> along_classes(view<T, 1, D> const& w) {
  shape<R> extents, steps;
  for (int a = 0; a < R; ++a) {
    extents[a] = a == 1 ? w.extent(0) : 1;
    steps[a] = a == 1 ? w.stride(0) : 0;
  }
  return {w.data(), extents, steps};
}

template <class Op, class D, class T, int R> void check_labels(D d, Op const& o, view<T, R, D> const& labels,
                                                               std::ptrdiff_t classes) {
  if constexpr (!is_host<D>) {
    (void)labels;
  } else if constexpr (R > 0) {
    for (std::ptrdiff_t i = 0; i < labels.extent(0); ++i) check_labels(d, o, labels[i], classes);
  } else {
    auto const c = static_cast<std::ptrdiff_t>(*labels.data());
    if ((c < 0 || c >= classes) && !o.ignores(c))
      fail<index_error>(Op::name, "label ", c, " is not one of ", classes, " classes, 0 to ", classes - 1);
  }
}

}  // namespace detail

template <class Op, common_reduction R> struct class_loss_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = (Op::normalizes ? keep::inputs(0, 1, 2) : keep::inputs(1, 2)) | keep::outputs(1, 2);
  static constexpr int visible = 1;                                       // the loss; the rest is for the adjoint
  static constexpr bool averages = std::is_same_v<R, reduction::mean_t>;  // whether a mean is asked for
  Op o;                                                                   // what the loss is of one sample

  template <int N> auto shape_of(shape<N> const& x, shape<N - 1> const& label) const {
    bool fits = label[0] == x[0];
    for (int a = 1; a + 1 < N; ++a) fits = fits && label[a] == x[a + 1];
    if (!fits)
      fail<shape_error>(name, "scores ", x, " need labels of their shape without the classes, but came ", label);
    if constexpr (detail::keeps_elements<R>) return std::tuple(label, detail::norm_shape(x), shape<0>{});
    else return std::tuple(shape<0>{}, detail::norm_shape(x), shape<0>{});
  }
  template <int N> auto shape_of(shape<N> const& x, shape<N - 1> const& label, shape<1> const& weight) const {
    if (weight[0] != x[1]) fail<shape_error>(name, "scores ", x, " need a weight for each class, but came ", weight);
    return shape_of(x, label);
  }

  void forward(auto d, auto y, auto norm, auto shares, auto x, auto label, auto... w) const {
    using T = typename decltype(y)::value_type;
    using D = decltype(d);
    constexpr int N = decltype(x)::rank;
    detail::check_labels(d, o, label, x.extent(1));
    auto const samples = [&](view<T, N - 1, D> losses, view<T, N - 1, D> each_share) {
      for_each_row(d, 1, detail::class_forward<Op>{o}, x, label.unsqueeze(1), losses.unsqueeze(1), norm,
                   each_share.unsqueeze(1), detail::along_classes<N>(w)...);
    };
    if constexpr (detail::keeps_elements<R>) {
      samples(y, {});
    } else {
      tensor<T, N - 1, D> losses(label.shape(), uninitialized);
      if constexpr (averages && Op::weighs) {
        tensor<T, N - 1, D> each_share(label.shape(), uninitialized);
        tensor<T, 0, D> sum(shape<0>{}, uninitialized);
        view<T, 0, D> const to = shares ? shares : sum.view();
        samples(losses, each_share);
        reduce(d, detail::lead<N - 1>(y), sum_of{}, losses);
        reduce(d, detail::lead<N - 1>(to), sum_of{}, each_share);
        map(d, y, detail::divided{}, y, to);
      } else {
        samples(losses, {});
        reduce(d, detail::lead<N - 1>(y), sum_of{}, losses);
        if (averages) map(d, y, detail::divided_by{static_cast<double>(label.size())}, y);
      }
    }
  }

  // Spelled out where `auto` would do: nvcc 13 breaks off at ten `auto` parameters.
  template <class D, class T, class I, int N>
  void adjoint(D d, view<T const, N, D> x, view<I const, N - 1, D> label, auto, view<T const, N, D> norm,
               view<T const, 0, D> shares, auto dy, auto, auto, sink<T, N, D> dx, sink<I, N - 1, D>) const {
    slope(d, x, label, norm, shares, dy, dx);
  }
  template <class D, class T, class I, int N>
  void adjoint(D d, view<T const, N, D> x, view<I const, N - 1, D> label, view<T const, 1, D> w, auto,
               view<T const, N, D> norm, view<T const, 0, D> shares, auto dy, auto, auto, sink<T, N, D> dx,
               sink<I, N - 1, D>, sink<T, 1, D> dw) const {
    if (dw) fail<tape_error>(name, "class weights have no gradient: give them as a tensor, or freeze the parameter");
    slope(d, x, label, norm, shares, dy, dx, w);
  }

 private:
  template <class D, class T, int N>
  void slope(D d, view<T const, N, D> x, auto label, auto norm, auto shares, auto dy, sink<T, N, D> dx,
             auto... w) const {
    if (!dx) return;
    view<T const, N, D> each, divisor;
    if constexpr (detail::keeps_elements<R>) each = dy.unsqueeze(1);
    else each = detail::lead<N>(dy);
    if constexpr (averages && Op::weighs) divisor = detail::lead<N>(shares);
    double const samples = averages && !Op::weighs ? static_cast<double>(label.size()) : 1;
    for_each_row(d, 1, detail::class_adjoint<Op>{o, samples}, x, label.unsqueeze(1), norm, divisor, each, dx,
                 detail::along_classes<N>(w)...);
  }
};

namespace detail {
// Whether X may be the scores for labels Y.
template <class X, class Y>
inline constexpr bool has_labels = rank_of<X> >= 2 && rank_of<Y> == rank_of<X> - 1 && std::is_integral_v<element_of<Y>>;

template <class Op, class R, class X, class Y, class W> auto class_loss(Op const& o, R, X&& x, Y&& label, W&& weight) {
  constexpr bool ranks = rank_of<X> >= 2 && rank_of<Y> == rank_of<X> - 1;
  static_assert(ranks, "limbic: this loss takes scores (N, C, d...) and integer labels (N, d...)");
  static_assert(std::is_integral_v<element_of<Y>>, "limbic: labels are integers");
  if constexpr (has_labels<X, Y>) {
    if constexpr (operand<W>) {
      static_assert(rank_of<W> == 1, "limbic: there is one weight for each class: a tensor of rank 1");
      return apply(class_loss_op<Op, R>{o}, std::forward<X>(x), std::forward<Y>(label), std::forward<W>(weight));
    } else {
      return apply(class_loss_op<Op, R>{o}, std::forward<X>(x), std::forward<Y>(label));
    }
  }
}
}  // namespace detail

LIMBIC_END
