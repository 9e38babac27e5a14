// limbic/ops/index_select.hpp - the slices along an axis that a list of indices names, in its order
//
//   index_select(x, 0, indices)          y[i] = x[indices(i)]: an index may come again, or not at all
//
// shape   x (any), indices (K) of integers -> the shape of x, with K along the axis
// adjoint x'[indices(i)] += y'[i], in the order of i; 0 where no index points
// domain  0 <= index < the extent (an error otherwise; on a GPU, which cannot say so, NaN)
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

namespace detail {

struct gather_row {
  constexpr void operator()(auto x, auto index, auto y) const {
    using T = typename decltype(y)::value_type;
    for (std::ptrdiff_t i = 0; i < y.size(); ++i) {
      auto const k = static_cast<std::ptrdiff_t>(index[i]);
      y.put(i, k >= 0 && k < x.size() ? T(x[k]) : math::constant<T>(std::numeric_limits<double>::quiet_NaN()));
    }
  }
};
struct scatter_row {
  constexpr void operator()(auto dy, auto index, auto dx) const {
    for (std::ptrdiff_t i = 0; i < dy.size(); ++i) {
      auto const k = static_cast<std::ptrdiff_t>(index[i]);
      if (k >= 0 && k < dx.size()) dx.put(k, dy[i]);
    }
  }
};

// (K) along `axis` of R axes.
template <int R, class T, class D> view<T, R, D> along_axis(view<T, 1, D> const& v, int axis) {
  shape<R> extents, steps;
  for (int a = 0; a < R; ++a) {
    extents[a] = a == axis ? v.extent(0) : 1;
    steps[a] = a == axis ? v.stride(0) : 0;
  }
  return {v.data(), extents, steps};
}

}  // namespace detail

struct index_select_op {
  static constexpr std::string_view name = "index_select";
  static constexpr keep needs = keep::inputs(1);
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;

  template <int R> shape<R> shape_of(shape<R> const& x, shape<1> const& indices) const {
    shape<R> y = x;
    y[normalize_axis(name, axis, R)] = indices[0];
    return y;
  }
  template <class D, class T, int R, class I>
  void forward(D d, view<T, R, D> y, view<T const, R, D> x, view<I const, 1, D> indices) const {
    int const a = normalize_axis(name, axis, R);
    if constexpr (is_host<D>) {
      for (std::ptrdiff_t i = 0; i < indices.size(); ++i) {
        auto const k = static_cast<std::ptrdiff_t>(indices(i));
        if (k < 0 || k >= x.extent(a))
          fail<index_error>(name, "index ", k, " does not lie in axis ", axis, " of ", x.shape());
        copy(d, y.slice(a, i, i + 1), x.slice(a, k, k + 1));
      }
    } else {
      for_each_row(d, a, detail::gather_row{}, x, detail::along_axis<R>(indices, a), y);
    }
  }
  template <class D, class T, int R, class I>
  void adjoint(D d, view<T const, R, D>, view<I const, 1, D> indices, view<T const, R, D>, view<T const, R, D> dy,
               sink<T, R, D> dx, auto) const {
    if (!dx) return;
    int const a = normalize_axis(name, axis, R);
    if (!dx.add) fill(d, dx.to, T(0));
    if constexpr (is_host<D>) {
      for (std::ptrdiff_t i = 0; i < indices.size(); ++i) {
        auto const k = static_cast<std::ptrdiff_t>(indices(i));
        copy(d, sink<T, R, D>(dx.to.slice(a, k, k + 1), true), dy.slice(a, i, i + 1));
      }
    } else {
      for_each_row(d, a, detail::scatter_row{}, dy, detail::along_axis<R>(indices, a), sink<T, R, D>(dx.to, true));
    }
  }
};

template <operand X, operand I> auto index_select(X&& x, int axis, I&& indices) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<I> == 1 && std::is_integral_v<element_of<I>>;
  if constexpr (fit) return apply(index_select_op{.axis = axis}, std::forward<X>(x), std::forward<I>(indices));
  else static_assert(fit, "limbic: index_select takes a tensor of rank 1 or more and a list (K) of integers");
}

LIMBIC_END
