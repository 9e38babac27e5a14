// limbic/linalg/triangular.hpp - triangular systems, and the triangular factor of a positive definite matrix
//
//   solve_triangular(d, x, t, triangle::lower)     x = t^-1 x in place, by substitution; the other half of t is not read
//   factor_positive(d, l, a)                       a = l l^T, l lower triangular with a positive diagonal (Cholesky);
//                                                  only a's lower half is read. False where a is not positive definite
//
// shape   t (p, p), x (p, m) with contiguous rows; a (n, n). Rows are SIMD loops. Dual numbers run the same lines.
// These are tools for ops, without adjoints of their own.
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

enum class triangle { lower, upper };  // the half of a matrix that is read

namespace detail {

struct less_multiple {  // x - c y
  template <class V> constexpr V operator()(V x, V y, V c) const { return x - c * y; }
};
struct quotient_function {
  template <class V> constexpr V operator()(V x, V c) const { return x / c; }
};

template <class D, class T> row<T, D> row_of(view<T, 2, D> const& m, std::ptrdiff_t i, std::ptrdiff_t length) {
  return {m.data() + i * m.stride(0), length};
}
template <class D, class T> row<T, D> row_of(view<T, 2, D> const& m, std::ptrdiff_t i) {
  return row_of(m, i, m.extent(1));
}

}  // namespace detail

template <class D, class T>
  requires is_host<D>
void solve_triangular(D, view<T, 2, D> x, view<T const, 2, D> t, triangle which) {
  std::ptrdiff_t const p = t.extent(0);
  bool const lower = which == triangle::lower;
  for (std::ptrdiff_t step = 0; step < p; ++step) {
    std::ptrdiff_t const i = lower ? step : p - 1 - step;
    auto const own = detail::row_of(x, i);
    for (std::ptrdiff_t k = lower ? 0 : i + 1; k < (lower ? i : p); ++k)
      map(own, detail::less_multiple{}, own, detail::row_of(x, k), t(i, k));
    map(own, detail::quotient_function{}, own, t(i, i));
  }
}

namespace detail {

template <class D, class T> bool factor_positive(D d, view<T, 2, D> l, view<T const, 2, D> a) {
  std::ptrdiff_t const n = a.extent(0);
  fill(d, l, T(0));
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j <= i; ++j) {
      T const rest = a(i, j) - dot(row_of(l, i, j), row_of(l, j, j));
      if (i > j) l(i, j) = rest / l(j, j);
      else if (rest > T(0) && math::isfinite(rest)) l(i, i) = math::sqrt(rest);
      else return false;
    }
  return true;
}

}  // namespace detail

LIMBIC_END
