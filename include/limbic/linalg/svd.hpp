// limbic/linalg/svd.hpp - singular values and vectors
//
//   a = U diag(s) V^T,   s descending and not negative      (torch.linalg.svd, full_matrices=False)
//
//   auto const [u, s, vt] = svd(a);
//
// shape   (n, p) -> (n, k), (k), (k, p),  k = min(n, p); any of them may be 0
// domain  finite numbers whose squares do not overflow; with NaN or infinity all results are NaN. U and V^T are orthonormal also
//         where singular values are 0. Signs of vectors are what the method leaves.
//
// A helper without an adjoint: polar and the ops of linalg/eigh.hpp have one. One-sided Jacobi rotations (Hestenes 1958;
// de Rijk 1989) make a's columns orthogonal to rounding, small ones relative to their own length, in its own memory.
#pragma once

#include <limbic/linalg/qr.hpp>

LIMBIC_BEGIN

namespace detail {

template <class D, class T> void rotate(row<T, D> a, row<T, D> b, T c, T s) {
  for (std::ptrdiff_t k = 0; k < a.length; ++k) {
    T const x = a[k], y = b[k];
    a[k] = c * x - s * y;
    b[k] = s * x + c * y;
  }
}

// The rows of w (p, n), p <= n, become orthogonal; vt (p, p) or null collects the rotations.
template <class D, class T> void jacobi_rotations(view<T, 2, D> const& w, view<T, 2, D> const& vt) {
  std::ptrdiff_t const p = w.extent(0);
  T const rounding = std::numeric_limits<T>::epsilon() * math::sqrt(static_cast<T>(w.extent(1)));
  bool turned = true;
  for (int sweep = 0; turned && sweep < 60; ++sweep) {  // six to ten, as a rule
    turned = false;
    for (std::ptrdiff_t i = 0; i < p; ++i)
      for (std::ptrdiff_t j = i + 1; j < p; ++j) {
        T const a = dot(row_of(w, i), row_of(w, i)), b = dot(row_of(w, j), row_of(w, j));
        T const c = dot(row_of(w, i), row_of(w, j));
        if (!(math::abs(c) > rounding * math::sqrt(a) * math::sqrt(b))) continue;
        turned = true;
        T const zeta = (b - a) / (T(2) * c);
        T const size = math::abs(zeta);
        T const tangent =
            (zeta < T(0) ? T(-1) : T(1)) / (size > T(1e8) ? T(2) * size : size + math::sqrt(T(1) + zeta * zeta));
        T const cosine = T(1) / math::sqrt(T(1) + tangent * tangent);
        rotate(row_of(w, i), row_of(w, j), cosine, cosine * tangent);
        if (vt) rotate(row_of(vt, i), row_of(vt, j), cosine, cosine * tangent);
      }
  }
}

template <class D, class T> void swap_rows(view<T, 2, D> const& m, std::ptrdiff_t i, std::ptrdiff_t j) {
  for (std::ptrdiff_t k = 0; k < m.extent(1); ++k) std::swap(m(i, k), m(j, k));
}

}  // namespace detail

// U, s and V^T of the formula above.
template <class T, class D> struct svd_result {
  tensor<T, 2, D> u;   // (n, k), orthonormal columns
  tensor<T, 1, D> s;   // (k), descending
  tensor<T, 2, D> vt;  // (k, p), orthonormal rows
};

// svd of a view, on device d.
template <class D, class T>
  requires(is_host<D> && std::is_floating_point_v<T>)
svd_result<T, D> singular_value_decomposition(D d, view<T const, 2, D> a) {
  std::ptrdiff_t const n = a.extent(0), p = a.extent(1);
  if (n < p) {
    auto const turned = singular_value_decomposition(d, a.transpose());
    return {tensor<T, 2, D>(turned.vt.view().transpose()), turned.s, tensor<T, 2, D>(turned.u.view().transpose())};
  }
  tensor<T, 2, D> columns(a.transpose()), right(shape<2>{{p, p}});
  tensor<T, 1, D> s(shape<1>{{p}}, uninitialized);
  auto const w = columns.view(), vt = right.view();
  bool finite = true;
  for (T const x : columns) finite = finite && math::isfinite(x);
  if (!finite) {
    T const nan = std::numeric_limits<T>::quiet_NaN();
    return {tensor<T, 2, D>(a.shape(), nan), tensor<T, 1, D>(s.shape(), nan), tensor<T, 2, D>(vt.shape(), nan)};
  }
  for (std::ptrdiff_t i = 0; i < p; ++i) vt(i, i) = T(1);
  detail::jacobi_rotations(w, vt);
  for (std::ptrdiff_t i = 0; i < p; ++i) s(i) = math::sqrt(dot(detail::row_of(w, i), detail::row_of(w, i)));
  T const nothing = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();  // too small for its own digits
  for (std::ptrdiff_t i = 0; i < p; ++i) {
    std::ptrdiff_t top = i;
    for (std::ptrdiff_t k = i + 1; k < p; ++k)
      if (s(k) > s(top)) top = k;
    if (top != i) {
      std::swap(s(i), s(top));
      detail::swap_rows(w, i, top);
      detail::swap_rows(vt, i, top);
    }
    auto const own = detail::row_of(w, i);
    if (s(i) > nothing) map(own, detail::quotient_function{}, own, s(i));
    else detail::complete_row(d, w, i);
  }
  return {tensor<T, 2, D>(w.transpose()), std::move(s), std::move(right)};
}

template <operand A> auto svd(A const& a) {
  static_assert(rank_of<A> == 2, "limbic: svd takes a matrix");
  return singular_value_decomposition(device_of<A>{}, as_view(a));
}

LIMBIC_END
