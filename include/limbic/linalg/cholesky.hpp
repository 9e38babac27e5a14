// limbic/linalg/cholesky.hpp - the lower triangle l with a = l l^T of a symmetric positive definite matrix
//
//   cholesky(l, a)              l (n, n), zeros above the diagonal; false where a is not positive definite
//   solve_lower(l, b)           b (n, m) becomes l^-1 b
//   solve_lower_transposed(l, b)   b becomes l^-T b; after solve_lower it is a^-1 b
//
// shape   a (n, n), of which the lower triangle is read; n may be 0
// domain  a pivot that is not positive, NaN or infinity gives false, and l holds nothing of use
//
// On the CPU, on plain views, without a tape: what needs derivatives (search/gaussian_process.hpp) writes them by hand.
// The solver is Eigen's; the bits do not depend on the number of threads.
#pragma once

#include <limbic/core/view.hpp>
#include <limbic/linalg/eigen.hpp>

#include <cmath>

LIMBIC_BEGIN

namespace detail {

template <class T, class D> auto eigen_map(view<T, 2, D> const& v) {
  using matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, matrix const, matrix>, 0, Eigen::OuterStride<>>(
      v.data(), v.extent(0), v.extent(1), Eigen::OuterStride<>(v.stride(0)));
}

// Rows may lie anywhere, but each must be in one piece.
template <class T, class D> void check_rows(std::string_view op, view<T, 2, D> const& v) {
  if (v.extent(1) > 1 && v.stride(1) != 1)
    fail<shape_error>(op, "the rows of a view of shape ", v.shape(), " must be contiguous");
}
inline void check_system(std::string_view op, shape<2> const& l, shape<2> const& b) {
  if (l[0] != l[1] || l[0] != b[0]) fail<shape_error>(op, "a matrix of shape ", l, " does not divide one of shape ", b);
}

}  // namespace detail

template <class T, class D>
  requires(is_host<D> && std::is_floating_point_v<T>)
bool cholesky(view<T, 2, D> l, std::type_identity_t<view<T const, 2, D>> a) {
  if (a.extent(0) != a.extent(1) || a.shape() != l.shape())
    fail<shape_error>("cholesky", "a square matrix and room for it are needed, but came ", a.shape(), " and ",
                      l.shape());
  detail::check_rows("cholesky", l);
  std::ptrdiff_t const n = a.extent(0);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j) l(i, j) = j <= i ? a(i, j) : T(0);
  if (n == 0) return true;
  auto map = detail::eigen_map(l);
  Eigen::LLT<Eigen::Ref<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0,
                        Eigen::OuterStride<>>> const solver(map);  // in place
  if (solver.info() != Eigen::Success) return false;
  for (std::ptrdiff_t i = 0; i < n; ++i)
    if (!(l(i, i) > 0) || !std::isfinite(l(i, i))) return false;  // Eigen lets NaN pass
  return true;
}

template <class T, class D>
  requires(is_host<D> && std::is_floating_point_v<T>)
void solve_lower(std::type_identity_t<view<T const, 2, D>> l, view<T, 2, D> b) {
  detail::check_system("solve_lower", l.shape(), b.shape());
  detail::check_rows("solve_lower", l), detail::check_rows("solve_lower", b);
  if (b.empty()) return;
  auto to = detail::eigen_map(b);
  detail::eigen_map(l).template triangularView<Eigen::Lower>().solveInPlace(to);
}

template <class T, class D>
  requires(is_host<D> && std::is_floating_point_v<T>)
void solve_lower_transposed(std::type_identity_t<view<T const, 2, D>> l, view<T, 2, D> b) {
  detail::check_system("solve_lower_transposed", l.shape(), b.shape());
  detail::check_rows("solve_lower_transposed", l), detail::check_rows("solve_lower_transposed", b);
  if (b.empty()) return;
  auto to = detail::eigen_map(b);
  detail::eigen_map(l).transpose().template triangularView<Eigen::Upper>().solveInPlace(to);
}

LIMBIC_END
