// limbic/linalg/polar.hpp - the polar factor: the matrix with orthonormal columns that lies nearest to another
//
//   u = a (a^T a)^(-1/2) = U V^T of a's singular value decomposition
//   a' += L(u'),   L(x) = u W + (x - u u^T x) p^-1,   p W + W p = u^T x - x^T u,   p = u^T a = (a^T a)^(1/2)
//
// L is also the derivative: u moves by L(da) with a. (Higham 2008, "Functions of matrices", ch. 8; L is symmetric.)
//
// shape   (n, p) -> same;  p <= n, else a shape_error
// domain  independent columns. Otherwise u is one of several nearest matrices, and no derivative exists.
// device  singular vectors by linalg/svd.hpp; p W + W p = ... by the eigenvectors of p (linalg/eigh.hpp)
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/linalg/svd.hpp>
#include <limbic/ops/mul.hpp>

LIMBIC_BEGIN

template <class D, class T>
  requires(is_host<D> && std::is_floating_point_v<T>)
void polar_factor(D d, view<T, 2, D> u, view<T const, 2, D> a) {
  auto const parts = singular_value_decomposition(d, a);
  gemm(d, sink<T, 2, D>(u), parts.u.view(), parts.vt.view());
}

namespace detail {

struct skew_over_sum {  // (m - m^T)_ij / (l_i + l_j)
  template <class V> constexpr V operator()(V m, V transposed, V a, V b) const { return (m - transposed) / (a + b); }
};
struct minus_function {
  template <class V> constexpr V operator()(V a, V b) const { return a - b; }
};

// out (+)= L(x) at u and a.
template <class D, class T> void polar_slope(D d, sink<T, 2, D> out, view<T const, 2, D> u, view<T const, 2, D> a,
                                             view<T const, 2, D> x) {
  std::ptrdiff_t const p = u.extent(1);
  shape<2> const square{{p, p}};
  auto const product = [d](view<T const, 2, D> l, view<T const, 2, D> r) {
    tensor<T, 2, D> y(shape<2>{{l.extent(0), r.extent(1)}}, uninitialized);
    gemm(d, sink<T, 2, D>(y.view()), l, r);
    return y;
  };
  tensor<T, 2, D> root = product(u.transpose(), a), v(square, uninitialized), w(square, uninitialized);
  map(d, w, half_sum{}, root, root.view().transpose());
  tensor<T, 1, D> l(shape<1>{{p}}, uninitialized);
  symmetric_eigen(d, l.view(), v.view(), as_view(w));

  auto const inside = product(u.transpose(), x);                                       // u^T x
  auto const along = product(product(v.view().transpose(), inside).view(), v.view());  // in p's own axes
  map(d, w, skew_over_sum{}, along, along.view().transpose(), l.view().unsqueeze(1), l);
  auto const turn = product(product(v.view(), w.view()).view(), v.view().transpose());

  auto outside = product(u, inside.view());
  map(d, outside, minus_function{}, x, outside);
  auto scaled = product(outside.view(), v.view());
  map(d, scaled, quotient_function{}, scaled, l);
  gemm(d, out, u, turn.view());
  if (out) gemm(d, sink<T, 2, D>(out.to, true), as_view(scaled), as_view(v).transpose());
}

}  // namespace detail

template <class D, class T>
  requires is_host<D>
void polar_factor(D d, view<dual<T>, 2, D> u, view<dual<T> const, 2, D> a) {
  tensor<T, 2, D> const at(detail::values(a)), along(detail::tangents(a));
  tensor<T, 2, D> factor(a.shape(), uninitialized), moves(a.shape(), uninitialized);
  polar_factor(d, factor.view(), at.view());
  detail::polar_slope(d, sink<T, 2, D>(moves.view()), as_view(factor), at.view(), along.view());
  copy(d, detail::values(u), factor);
  copy(d, detail::tangents(u), moves);
}

struct polar_op {
  static constexpr std::string_view name = "polar";
  static constexpr keep needs = keep::input | keep::output;

  shape<2> shape_of(shape<2> const& a) const {
    if (a[0] < a[1]) fail<shape_error>(name, "at least as many rows as columns are needed, but came ", a);
    return a;
  }
  void forward(auto d, auto u, auto a) const { polar_factor(d, u, a); }
  void adjoint(auto d, auto a, auto u, auto du, auto da) const {
    if (da) detail::polar_slope(d, da, u, a, du);
  }
};

template <operand A> auto polar(A&& a) {
  static_assert(rank_of<A> == 2, "limbic: polar takes a matrix");
  return apply(polar_op{}, std::forward<A>(a));
}

LIMBIC_END
