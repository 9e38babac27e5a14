// limbic/linalg/triangular.hpp - triangular systems, for ops
//
//   solve_triangular(d, x, t, triangle::lower)     x = t^-1 x in place, by substitution; the other half of t is not read
//
// shape   t (p, p), x (p, m) with contiguous rows. Rows are SIMD loops. Dual numbers run the same lines, and nothing is
//         allocated; for large systems of plain numbers Eigen's solver is faster (linalg/cholesky.hpp).
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

LIMBIC_END
