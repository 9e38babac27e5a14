// limbic/ops/pairwise_squared_distances.hpp - squared Euclidean distances between rows
//
//   d_ij   = |x_i - y_j|^2                   x_i, y_j: rows, whatever their shape, taken as vectors
//   x'_i  += 2 sum_j d'_ij (x_i - y_j),      y'_j += 2 sum_i d'_ij (y_j - x_i)
//
//   pairwise_squared_distances(x)            y is x: x'_i += 2 sum_j (d'_ij + d'_ji) (x_i - x_j)
//   pairwise_squared_distances(x, y)
//
// shape   (N, ...) -> (N, N);  (N, ...) (M, ...) -> (N, M)
// d is never negative, exactly 0 between equal rows, and symmetric for one operand: see kernels/squared_distances.hpp.
// The root has no derivative at 0; take it, if at all, after adding something.
#pragma once

#include <limbic/kernels/squared_distances.hpp>
#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

namespace detail {

template <int R> constexpr shape<2> row_matrix_shape(shape<R> const& s) {
  std::ptrdiff_t length = 1;
  for (int i = 1; i < R; ++i) length *= s[i];
  return {{s[0], length}};
}
// Rows as vectors without a copy: one step from element to element, or 0 where the axes of a row do not merge into one.
template <class T, int R, class D> constexpr std::ptrdiff_t row_step(view<T, R, D> const& v) {
  std::ptrdiff_t step = 0, next = 0;
  for (int i = R - 1; i > 0; --i) {
    if (v.extent(i) == 1) continue;
    if (v.stride(i) == 0) return 0;
    if (step != 0 && v.stride(i) != next) return 0;
    if (step == 0) step = v.stride(i);
    next = v.stride(i) * v.extent(i);
  }
  return step == 0 ? 1 : step;
}
template <class T, int R, class D> constexpr view<T, 2, D> merged_rows(view<T, R, D> const& v) {
  return {v.data(), row_matrix_shape(v.shape()), shape<2>{{v.stride(0), row_step(v)}}};
}

// (N, ...) read as (N, F).
template <class T, int R, class D> class row_matrix {
 public:
  explicit row_matrix(view<T const, R, D> v) {
    if (row_step(v) == 0) copy_ = tensor<T, R, D>(v);
    rows_ = merged_rows(row_step(v) == 0 ? as_view(copy_) : v);
  }
  view<T const, 2, D> const& rows() const { return rows_; }

 private:
  tensor<T, R, D> copy_;
  view<T const, 2, D> rows_;
};

// f(sink of (N, F)) for a sink of (N, ...).
template <class D, class T, int R, class F> void into_rows(D d, sink<T, R, D> to, F const& f) {
  if (!to) return;
  if (row_step(to.to) != 0) return f(sink<T, 2, D>(merged_rows(to.to), to.add));
  tensor<T, R, D> dense(to.shape(), uninitialized);
  f(sink<T, 2, D>(merged_rows(dense.view())));
  copy(d, to, dense);
}

}  // namespace detail

struct pairwise_squared_distances_op {
  static constexpr std::string_view name = "pairwise_squared_distances";
  static constexpr keep needs = keep::input;

  template <int R> shape<2> shape_of(shape<R> const& x) const { return {{x[0], x[0]}}; }
  template <int R> shape<2> shape_of(shape<R> const& x, shape<R> const& y) const {
    for (int i = 1; i < R; ++i)
      if (x[i] != y[i]) fail<shape_error>(name, "rows of x ", x, " must have the shape of rows of y ", y);
    return {{x[0], y[0]}};
  }

  template <class D, class T, int R> void forward(D d, view<T, 2, D> out, view<T const, R, D> x) const {
    detail::row_matrix<T, R, D> const a(x);
    squared_distances(d, as_sink(out), a.rows(), a.rows());
  }
  template <class D, class T, int R>
  void forward(D d, view<T, 2, D> out, view<T const, R, D> x, view<T const, R, D> y) const {
    squared_distances(d, as_sink(out), detail::row_matrix<T, R, D>(x).rows(), detail::row_matrix<T, R, D>(y).rows());
  }

  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, 2, D>, view<T const, 2, D> g, sink<T, R, D> dx) const {
    detail::row_matrix<T, R, D> const a(x);
    detail::into_rows(d, dx, [&](sink<T, 2, D> da) {
      squared_distances_back(d, da, g, a.rows(), a.rows());
      squared_distances_back(d, sink<T, 2, D>(da.to, true), g.transpose(), a.rows(), a.rows());
    });
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, R, D> y, view<T const, 2, D>, view<T const, 2, D> g,
               sink<T, R, D> dx, sink<T, R, D> dy) const {
    detail::row_matrix<T, R, D> const a(x), b(y);
    detail::into_rows(d, dx, [&](sink<T, 2, D> da) { squared_distances_back(d, da, g, a.rows(), b.rows()); });
    detail::into_rows(d, dy,
                      [&](sink<T, 2, D> db) { squared_distances_back(d, db, g.transpose(), b.rows(), a.rows()); });
  }
};

template <operand X> auto pairwise_squared_distances(X&& x) {
  static_assert(rank_of<X> >= 1, "limbic: pairwise_squared_distances takes rows: a tensor of rank 1 or more");
  return apply(pairwise_squared_distances_op{}, std::forward<X>(x));
}
template <operand X, operand Y> auto pairwise_squared_distances(X&& x, Y&& y) {
  static_assert(rank_of<X> >= 1 && rank_of<X> == rank_of<Y>,
                "limbic: pairwise_squared_distances takes two tensors of one rank");
  return apply(pairwise_squared_distances_op{}, std::forward<X>(x), std::forward<Y>(y));
}

LIMBIC_END
