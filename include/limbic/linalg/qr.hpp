// limbic/linalg/qr.hpp - orthonormal columns and a triangle: the QR factorisation whose R has a positive diagonal
//
//   a = Q R,   Q^T Q = 1,   R upper triangular, R_jj > 0          unique where a's columns are independent
//   a' += (Q' + Q s(M)) R^-T,   M = R R'^T - Q'^T Q,   s(M): M's lower half, mirrored to the upper      (Walter et al.)
//
//   auto const [q, r] = qr(a);
//
// shape   (n, p) -> (n, p), (p, p);  p <= n, else a shape_error; p may be 0
// domain  independent columns. Where a column depends on those before it (to n roundings), R_jj = 0 and Q's column is a
//         unit vector orthogonal to the others: no derivative there. Squares of a's elements must not overflow. NaN spreads.
//
// Gram and Schmidt's method, each column repeated until what is left of it no longer shrinks ("twice is enough": Giraud,
// Langou, Rozloznik 2005), which leaves columns as orthogonal as Householder's does. It is arithmetic alone, so dual
// numbers run the same lines; it takes its room from the current memory, and nothing from the heap once that is warm.
// source  Walter and Lehmann 2010, "Algorithmic differentiation of linear algebra functions", sec. 4
#pragma once

#include <limbic/linalg/triangular.hpp>
#include <limbic/ops/mul.hpp>

#include <limits>

LIMBIC_BEGIN

namespace detail {

struct sum_with {
  template <class V> constexpr V operator()(V x, V y) const { return x + y; }
};

// Takes from row j of w its part along the rows before it, adding the coefficients to r's column j where r is wanted.
// Returns the length that is left.
template <class D, class T>
T orthogonalize_row(view<T, 2, D> const& w, std::ptrdiff_t j, T size, view<T, 2, D> const& r) {
  auto const own = row_of(w, j);
  for (int pass = 0; pass < 4; ++pass) {  // two, as a rule
    for (std::ptrdiff_t i = 0; i < j; ++i) {
      T const along = dot(row_of(w, i), own);
      map(own, less_multiple{}, own, row_of(w, i), along);
      if (r) r(i, j) = r(i, j) + along;
    }
    T const before = size;
    size = math::sqrt(dot(own, own));
    if (!(size < T(0.5) * before)) break;
  }
  return size;
}

// Row j of w becomes a unit vector orthogonal to the rows before it: the axis that they leave the most of.
template <class D, class T> void complete_row(D d, view<T, 2, D> const& w, std::ptrdiff_t j) {
  std::ptrdiff_t best = 0;
  T most(-1);
  for (std::ptrdiff_t k = 0; k < w.extent(1); ++k) {
    T left(1);
    for (std::ptrdiff_t i = 0; i < j; ++i) left = left - w(i, k) * w(i, k);
    if (left > most) most = left, best = k;
  }
  auto const own = row_of(w, j);
  fill(d, w.slice(0, j, j + 1), T(0));
  own[best] = T(1);
  T const size = orthogonalize_row(w, j, T(1), view<T, 2, D>());
  map(own, quotient_function{}, own, size);
}

}  // namespace detail

// q (n, p) and r (p, p) or null, from a (n, p). A device with other memory overloads it by copying there and back.
template <class D, class T>
  requires is_host<D>
void orthonormalize(D d, view<T, 2, D> q, view<T, 2, D> r, view<T const, 2, D> a) {
  std::ptrdiff_t const n = a.extent(0), p = a.extent(1);
  tensor<T, 2, D> columns(shape<2>{{p, n}}, uninitialized);  // one a row
  view<T, 2, D> const w = columns.view();
  copy(d, w, a.transpose());
  if (r) fill(d, r, T(0));
  T const rounding = math::constant<T>(static_cast<double>(n) * std::numeric_limits<base_of<T>>::epsilon());
  for (std::ptrdiff_t j = 0; j < p; ++j) {
    auto const own = detail::row_of(w, j);
    T const whole = math::sqrt(dot(own, own));
    T const size = detail::orthogonalize_row(w, j, whole, r);
    bool const dependent = size <= rounding * whole;  // never with NaN
    if (dependent) detail::complete_row(d, w, j);
    else map(own, detail::quotient_function{}, own, size);
    if (r) r(j, j) = dependent ? T(0) : size;
  }
  copy(d, q, w.transpose());
}

// a' (+)= (dq + q s(m)) r^-T; null dq or dr count as zeros. Overloaded for a device with other memory, too.
template <class D, class T>
  requires is_host<D>
void orthonormalize_adjoint(D d, sink<T, 2, D> da, view<T const, 2, D> q, view<T const, 2, D> r, view<T const, 2, D> dq,
                            view<T const, 2, D> dr) {
  std::ptrdiff_t const p = r.extent(0);
  tensor<T, 2, D> m(r.shape()), other(r.shape());
  if (dr) gemm(d, sink<T, 2, D>(m.view()), r, dr.transpose());
  if (dq) gemm(d, sink<T, 2, D>(other.view()), dq.transpose(), q);
  for (std::ptrdiff_t i = 0; i < p; ++i)
    for (std::ptrdiff_t j = 0; j <= i; ++j) m(j, i) = m(i, j) = m(i, j) - other(i, j);
  tensor<T, 2, D> x(shape<2>{{p, q.extent(0)}}, uninitialized);  // transposed, as the solver wants it
  gemm(d, sink<T, 2, D>(x.view()), as_view(m), q.transpose());
  if (dq) map(d, x, detail::sum_with{}, x, dq.transpose());
  solve_triangular(d, x.view(), r, triangle::upper);
  copy(d, da, x.view().transpose());
}

struct qr_op {
  static constexpr std::string_view name = "qr";
  static constexpr keep needs = keep::output;

  std::tuple<shape<2>, shape<2>> shape_of(shape<2> const& a) const {
    if (a[0] < a[1]) fail<shape_error>(name, "at least as many rows as columns are needed, but came ", a);
    return {a, shape<2>{{a[1], a[1]}}};
  }
  void forward(auto d, auto q, auto r, auto a) const { orthonormalize(d, q, r, a); }

  void adjoint(auto d, auto, auto q, auto r, auto dq, auto dr, auto da) const {
    if (da) orthonormalize_adjoint(d, da, q, r, dq, dr);
  }
};

template <operand A> auto qr(A&& a) {
  static_assert(rank_of<A> == 2, "limbic: qr takes a matrix");
  return apply(qr_op{}, std::forward<A>(a));
}

LIMBIC_END
