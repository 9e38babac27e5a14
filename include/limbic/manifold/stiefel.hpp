// limbic/manifold/stiefel.hpp - matrices with orthonormal columns: x^T x = 1
//
//   project     u - x sym(x^T u)                        transport: project at y
//   stiefel_metric::euclidean   <u, v> = tr u^T v                       gradient = project
//   stiefel_metric::canonical   <u, v> = tr u^T (1 - x x^T / 2) v       gradient = g - x g^T x
//   exp         geodesics of the metric (Edelman, Arias and Smith 1998, sec. 2.2 and 2.4)
//   retract     see orthonormal.hpp: qr, polar, cayley
//   do_project, do_gradient, do_retract, do_exp, do_transport   these formulas for views
//   do_inner, do_random, do_residual   terms of <u, v>, random points, what check measures: see manifold.hpp
//
//   stiefel({.metric = stiefel_metric::canonical, .retraction = retraction::cayley})
//
// Logarithm and distance have no closed form. Random points are uniform (Haar). p = n gives the orthogonal matrices,
// p = 1 a sphere. For wide weights put the transpose on the manifold.
//
// shape   (n, p), p <= n
// device  CPU
#pragma once

#include <limbic/manifold/orthonormal.hpp>

LIMBIC_BEGIN

// The inner product of tangent vectors.
enum class stiefel_metric { euclidean, canonical };

struct stiefel_options {
  stiefel_metric metric = stiefel_metric::euclidean;
  limbic::retraction retraction = limbic::retraction::qr;
};

struct stiefel : manifold<stiefel>, stiefel_options {
  // What errors call it and its points, what the metric adds up over, and the ranks that points have.
  static constexpr std::string_view name = "stiefel",
                                    points = "points are matrices (n, p) with orthonormal columns, p <= n";
  static constexpr component metric_over = component::whole;
  static constexpr int least_rank = 2, largest_rank = 2;
  static bool fits(shape<2> const& s) { return detail::tall(s); }  // (n, p), p <= n

  constexpr stiefel(stiefel_options const& o = {}) : stiefel_options(o) {}

  template <class T, class D> using matrix = view<T const, 2, D>;  // a point or a vector

  template <class T, class D> auto do_project(matrix<T, D> x, matrix<T, D> u) const {
    return u - matmul(x, detail::symmetric_part(as_view(matmul(x.transpose(), u))));
  }
  template <class T, class D> auto do_gradient(matrix<T, D> x, matrix<T, D> g) const {
    if (metric == stiefel_metric::euclidean) return do_project(x, g);
    return g - matmul(x, matmul(g.transpose(), x));
  }
  template <class T, class D> auto do_retract(matrix<T, D> x, matrix<T, D> v) const {
    return detail::retract_columns(retraction, x, v);
  }
  template <class T, class D> auto do_exp(matrix<T, D> x, matrix<T, D> v) const {
    auto const p = x.extent(1);
    if (metric == stiefel_metric::canonical) {  // e^W x = x + a phi(b^T a) b^T x,  phi(z) = (e^z - 1) / z
      detail::skew_factors<T, D> const w(x, v);
      tensor<T, 2, D> z(shape<2>{{4 * p, 4 * p}});  // e^[z 1; 0 0] holds phi(z) in its upper right quarter
      auto const top = z.view().slice(0, 0, 2 * p);
      copy(D{}, top.slice(1, 0, 2 * p), matmul(w.b.view().transpose(), w.a));
      fill(D{}, detail::diagonal(top.slice(1, 2 * p, 4 * p)), T(1));
      auto const e = matrix_exp(z);
      auto const phi = e.view().slice(0, 0, 2 * p).slice(1, 2 * p, 4 * p);
      return detail::reorthonormalized(x + matmul(w.a, matmul(phi, matmul(w.b.view().transpose(), x))));
    }
    auto const k = matmul(x.transpose(), v);  // [x v] e^[k -v^T v; 1 k] e^-k, of e the left half
    tensor<T, 2, D> m(shape<2>{{2 * p, 2 * p}});
    auto const upper = m.view().slice(0, 0, p), lower = m.view().slice(0, p, 2 * p);
    copy(D{}, upper.slice(1, 0, p), k);
    copy(D{}, lower.slice(1, p, 2 * p), k);
    copy(D{}, upper.slice(1, p, 2 * p), matmul(v.transpose(), v) * -1.0);
    fill(D{}, detail::diagonal(lower.slice(1, 0, p)), T(1));
    auto const e = matrix_exp(m);
    auto const left = matmul(concatenate(1, x, v), e.view().slice(1, 0, p));
    return detail::reorthonormalized(matmul(left, matrix_exp(k * -1.0)));
  }
  template <class T, class D> auto do_transport(matrix<T, D>, matrix<T, D> y, matrix<T, D> v) const {
    return do_project(y, v);
  }
  template <class T, class D> auto do_inner(matrix<T, D> x, matrix<T, D> u, matrix<T, D> v) const {
    if (metric == stiefel_metric::euclidean) return u * v;
    return u * (v - matmul(x, matmul(x.transpose(), v)) * 0.5);
  }
  template <class T, class D> auto do_random(matrix<T, D> normal) const { return std::get<0>(qr(normal)); }
  template <class T, class D> double do_residual(matrix<T, D> x) const { return detail::off_orthonormal(x); }
};

LIMBIC_END
