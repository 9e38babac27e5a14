// limbic/manifold/spd.hpp - symmetric positive definite matrices with the affine-invariant metric
//
//   <u, v>_x = tr x^-1 u x^-1 v              gradient = x sym(g) x          project = sym
//   retract  = x + v + v x^-1 v / 2          agrees with exp to second order, never leaves the manifold
//   exp      = l e^(l^-1 v l^-T) l^T         log = l log(l^-1 y l^-T) l^T          x = l l^T
//   transport: sym (the identity on tangent vectors)
//   parallel_transport   e v e^T,  e = (y x^-1)^(1/2)
//   distance = |log(l^-1 y l^-T)|            Pennec, Fillard and Ayache 2006; Bhatia 2007, ch. 6
//   do_project, do_gradient, do_retract, do_exp, do_log, do_transport, do_parallel_transport   these formulas for views
//   do_inner, do_random, do_residual   terms of <u, v>, random points, what check measures: see manifold.hpp
//
// Any factor x = l l^T serves where the textbooks write x^(1/2): the metric does not change under x -> a x a^T. Here it is
// Cholesky's. Random points are e^s, s symmetric and normal with eigenvalues of the order of 1.
//
// shape   (n, n)
// domain  a matrix that is not positive definite (or holds NaN) is an argument_error here in every function that needs l
// device  CPU. exp, log and parallel_transport take work space from the heap (Eigen's eigenvalues); the others do not.
#pragma once

#include <limbic/linalg/cholesky.hpp>
#include <limbic/linalg/spectral_function.hpp>
#include <limbic/linalg/triangular.hpp>
#include <limbic/manifold/orthonormal.hpp>

LIMBIC_BEGIN

struct spd : manifold<spd> {
  // What errors call it and its points, what the metric adds up over, and the ranks that points have.
  static constexpr std::string_view name = "spd", points = "points are symmetric positive definite matrices (n, n)";
  static constexpr component metric_over = component::whole;
  static constexpr int least_rank = 2, largest_rank = 2;
  static bool fits(shape<2> const& s) { return s[0] == s[1]; }  // (n, n)

  template <class T, class D> using matrix = view<T const, 2, D>;  // a point or a vector

  template <class T, class D> auto do_project(matrix<T, D>, matrix<T, D> u) const { return detail::symmetric_part(u); }
  template <class T, class D> auto do_gradient(matrix<T, D> x, matrix<T, D> g) const {
    return symmetric(matmul(matmul(x, detail::symmetric_part(g)), x));
  }
  template <class T, class D> auto do_retract(matrix<T, D> x, matrix<T, D> v) const {
    tensor<T, 2, D> w = x + v;  // x + v + v x^-1 v / 2 = (x + w^T x^-1 w) / 2: a sum of squares
    solve_triangular(D{}, w.view(), as_view(factor(x)), triangle::lower);
    return symmetric((x + matmul(w.view().transpose(), w)) * 0.5);
  }
  template <class T, class D> auto do_exp(matrix<T, D> x, matrix<T, D> v) const {
    auto const l = factor(x);
    return spread(l, expm_symmetric(whitened(l, v)));
  }
  template <class T, class D> auto do_log(matrix<T, D> x, matrix<T, D> y) const {
    auto const l = factor(x);
    return spread(l, logm_symmetric(whitened(l, y)));
  }
  template <class T, class D> auto do_transport(matrix<T, D>, matrix<T, D>, matrix<T, D> v) const {
    return detail::symmetric_part(v);
  }
  template <class T, class D> auto do_parallel_transport(matrix<T, D> x, matrix<T, D> y, matrix<T, D> v) const {
    auto const l = factor(x);
    auto const root = sqrtm_symmetric(whitened(l, y));
    return spread(l, matmul(matmul(root, whitened(l, v)), root));
  }
  template <class T, class D> auto do_inner(matrix<T, D> x, matrix<T, D> u, matrix<T, D> v) const {
    auto const l = factor(x);
    return whitened(l, u) * whitened(l, v);
  }
  template <class T, class D> auto do_random(matrix<T, D> normal) const {
    double const scale = 1 / std::sqrt(static_cast<double>(normal.extent(0) > 0 ? normal.extent(0) : 1));
    return expm_symmetric(detail::symmetric_part(normal) * scale);
  }
  template <class T, class D> double do_residual(matrix<T, D> x) const {
    double apart = 0, largest = 0;
    for (std::ptrdiff_t i = 0; i < x.extent(0); ++i)
      for (std::ptrdiff_t j = 0; j < x.extent(1); ++j) {
        apart = math::max(apart, static_cast<double>(math::abs(x(i, j) - x(j, i))));
        largest = math::max(largest, static_cast<double>(math::abs(x(i, j))));
      }
    if (math::isnan(apart)) return apart;
    tensor<T, 2, D> l(x.shape(), uninitialized);
    if (!cholesky(l.view(), x)) return std::numeric_limits<double>::infinity();
    return apart / largest;
  }

 private:
  template <class T, class D> static tensor<T, 2, D> symmetric(tensor<T, 2, D> const& a) {
    return detail::symmetric_part(a.view());
  }
  template <class T, class D> static tensor<T, 2, D> factor(matrix<T, D> x) {
    tensor<T, 2, D> l(x.shape(), uninitialized);
    if (!cholesky(l.view(), x))
      fail<argument_error>(name, "the matrix of shape ", x.shape(), " is not positive definite: ", points);
    return l;
  }
  // l^-1 v l^-T
  template <class T, class D, class V> static tensor<T, 2, D> whitened(tensor<T, 2, D> const& l, V const& v) {
    tensor<T, 2, D> half(as_view(v));
    solve_triangular(D{}, half.view(), l.view(), triangle::lower);
    tensor<T, 2, D> all(half.view().transpose());
    solve_triangular(D{}, all.view(), l.view(), triangle::lower);
    return symmetric(all);
  }
  // l m l^T
  template <class T, class D> static tensor<T, 2, D> spread(tensor<T, 2, D> const& l, tensor<T, 2, D> const& m) {
    return symmetric(matmul(matmul(l, m), l.view().transpose()));
  }
};

LIMBIC_END
