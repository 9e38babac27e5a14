// limbic/manifold/grassmann.hpp - subspaces: matrices with orthonormal columns, of which only the span counts
//
//   project     u - x x^T u                             transport: project at y
//   exp         x V cos(S) V^T + U sin(S) V^T,  v = U S V^T
//   log         U T V^T,  T the principal angles between the two subspaces
//   distance    root of the sum of squared principal angles          <u, v> = tr u^T v
//   retract     see orthonormal.hpp: polar (the default: second order), qr, cayley
//   do_project, do_retract, do_exp, do_log, do_transport   these formulas for views
//   do_inner, do_random, do_residual   terms of <u, v>, random points, what check measures: see manifold.hpp
//
// Edelman, Arias and Smith 1998. log first turns y's columns towards x's (Bendokat, Zimmermann and Absil 2024, alg. 5.3):
// with U, sin T, V of the part of y that lies outside of x, and cos T of the part inside, each angle comes from both, so
// that it is exact near 0 and near pi/2; exp(x, log(x, y)) spans what y spans. Random points are uniform.
//
// shape   (n, p), p <= n
// device  CPU
#pragma once

#include <limbic/manifold/orthonormal.hpp>

LIMBIC_BEGIN

struct grassmann_options {
  limbic::retraction retraction = limbic::retraction::polar;
};

struct grassmann : manifold<grassmann>, grassmann_options {
  // What errors call it and its points, what the metric adds up over, and the ranks that points have.
  static constexpr std::string_view name = "grassmann",
                                    points = "points are matrices (n, p) with orthonormal columns, p <= n";
  static constexpr component metric_over = component::whole;
  static constexpr int least_rank = 2, largest_rank = 2;
  static bool fits(shape<2> const& s) { return detail::tall(s); }  // (n, p), p <= n

  constexpr grassmann(grassmann_options const& o = {}) : grassmann_options(o) {}

  template <class T, class D> using matrix = view<T const, 2, D>;  // a point or a vector

  template <class T, class D> auto do_project(matrix<T, D> x, matrix<T, D> u) const {
    return u - matmul(x, matmul(x.transpose(), u));
  }
  template <class T, class D> auto do_retract(matrix<T, D> x, matrix<T, D> v) const {
    return detail::retract_columns(retraction, x, v);
  }
  template <class T, class D> auto do_exp(matrix<T, D> x, matrix<T, D> v) const {
    auto const [u, s, vt] = svd(v);
    tensor<T, 1, D> cosine(s.shape(), uninitialized), sine(s.shape(), uninitialized);
    for (std::ptrdiff_t i = 0; i < s.size(); ++i) cosine(i) = math::cos(s(i)), sine(i) = math::sin(s(i));
    auto const turned = matmul(x, vt.view().transpose()) * cosine + u * sine;
    return detail::reorthonormalized(matmul(turned, vt));
  }
  template <class T, class D> auto do_log(matrix<T, D> x, matrix<T, D> y) const {
    auto const turn = polar(matmul(y.transpose(), x));
    auto const near = matmul(y, turn);  // spans the same, and x^T near is symmetric
    auto const inside = matmul(x.transpose(), near);
    auto const [u, sine, vt] = svd(do_project(x, near.view()));
    auto const along = matmul(vt, matmul(inside, vt.view().transpose()));
    tensor<T, 1, D> angle(sine.shape(), uninitialized);
    for (std::ptrdiff_t i = 0; i < angle.size(); ++i) angle(i) = static_cast<T>(std::atan2(sine(i), along(i, i)));
    return matmul(u * angle, vt);
  }
  template <class T, class D> auto do_transport(matrix<T, D>, matrix<T, D> y, matrix<T, D> v) const {
    return do_project(y, v);
  }
  template <class T, class D> auto do_inner(matrix<T, D>, matrix<T, D> u, matrix<T, D> v) const { return u * v; }
  template <class T, class D> auto do_random(matrix<T, D> normal) const { return std::get<0>(qr(normal)); }
  template <class T, class D> double do_residual(matrix<T, D> x) const { return detail::off_orthonormal(x); }
};

LIMBIC_END
