// limbic/manifold/orthonormal.hpp - what stiefel and grassmann share: matrices (n, p) with orthonormal columns
//
//   retraction::qr       Q of x + v, R with a positive diagonal             agrees with the exponential to first order
//   retraction::polar    the polar factor of x + v                          to second, of the Euclidean metric
//   retraction::cayley   (1 - W/2)^-1 (1 + W/2) x,  W = P v x^T - x (P v)^T,  P = 1 - x x^T / 2
//                                                                           to second, of the canonical metric
//
// Edelman, Arias and Smith 1998; Absil, Mahony and Sepulchre 2008, ch. 4; Wen and Yin 2013 (Cayley). W = A B^T has rank
// 2p, so Cayley solves a system of 2p by 2p (Sherman, Morrison and Woodbury). It keeps the columns orthonormal up to rounding
// only, which would add up; a step of Newton's iteration for the polar factor, x (3 - x^T x) / 2, squares that error away.
#pragma once

#include <limbic/linalg/matrix_exp.hpp>
#include <limbic/linalg/polar.hpp>
#include <limbic/manifold/manifold.hpp>
#include <limbic/ops/concatenate.hpp>

LIMBIC_BEGIN

// How a step ends on the manifold.
enum class retraction { qr, polar, cayley };

namespace detail {

template <class T, class D> tensor<T, 2, D> symmetric_part(view<T const, 2, D> a) {
  tensor<T, 2, D> y(a.shape(), uninitialized);
  map(D{}, y, half_sum{}, a, a.transpose());
  return y;
}

template <class T, class D> tensor<T, 2, D> reorthonormalized(tensor<T, 2, D> const& x) {
  return x * 1.5 - matmul(x, matmul(x.view().transpose(), x)) * 0.5;
}

// W = a b^T, the skew matrix whose exponential and Cayley transform move x along v.
template <class T, class D> struct skew_factors {
  tensor<T, 2, D> a, b;
  skew_factors(view<T const, 2, D> x, view<T const, 2, D> v) {
    auto const half = v - matmul(x, matmul(x.transpose(), v)) * 0.5;
    a = concatenate(1, half, x);
    b = concatenate(1, x, half * -1.0);
  }
};

template <class T, class D> tensor<T, 2, D> cayley(view<T const, 2, D> x, view<T const, 2, D> v) {
  skew_factors<T, D> const w(x, v);
  auto const small = identity_matrix<T, D>(w.a.extent(1)) - matmul(w.b.view().transpose(), w.a) * 0.5;
  auto const [q, r] = qr(small);
  auto solution = matmul(q.view().transpose(), matmul(w.b.view().transpose(), x));
  solve_triangular(D{}, solution.view(), r.view(), triangle::upper);
  return reorthonormalized(x + matmul(w.a, solution));
}

template <class T, class D>
tensor<T, 2, D> retract_columns(retraction how, view<T const, 2, D> x, view<T const, 2, D> v) {
  if (how == retraction::cayley) return cayley(x, v);
  tensor<T, 2, D> y = x + v;
  if (how == retraction::polar) polar_factor(D{}, y.view(), as_view(tensor<T, 2, D>(y)));
  else orthonormalize(D{}, y.view(), view<T, 2, D>(), as_view(y));
  return y;
}

template <class T, class D> double off_orthonormal(view<T const, 2, D> x) {
  auto const off = matmul(x.transpose(), x) - identity_matrix<T, D>(x.extent(1));
  double largest = 0;
  for (T const e : off) largest = math::max(largest, static_cast<double>(math::abs(e)));
  return largest;
}

inline bool tall(shape<2> const& s) { return s[0] >= s[1]; }

}  // namespace detail

LIMBIC_END
