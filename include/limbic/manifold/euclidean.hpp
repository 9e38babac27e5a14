// limbic/manifold/euclidean.hpp - the flat space: everything is a point, every vector a tangent vector
//
//   exp = retract = x + v,   log = y - x,   <u, v> = sum u v,   transport: the identity
//   do_project, do_retract, do_exp, do_log, do_transport, do_parallel_transport   these formulas for views
//   do_inner, do_random, do_residual   terms of <u, v>, random points, what check measures: see manifold.hpp
//
// For code that is written for any manifold. A parameter that is put on none is Euclidean already.
// shape   any
#pragma once

#include <limbic/manifold/manifold.hpp>

LIMBIC_BEGIN

struct euclidean : manifold<euclidean> {
  // What errors call it and its points, what the metric adds up over, and the ranks that points have.
  static constexpr std::string_view name = "euclidean", points = "points are finite numbers";
  static constexpr component metric_over = component::element;
  static constexpr int least_rank = 0, largest_rank = detail::max_rank;
  template <int R> static bool fits(shape<R> const&) { return true; }  // any shape

  auto do_project(auto, auto u) const { return copied(u); }
  auto do_retract(auto x, auto v) const { return x + v; }
  auto do_exp(auto x, auto v) const { return x + v; }
  auto do_log(auto x, auto y) const { return y - x; }
  auto do_transport(auto, auto, auto v) const { return copied(v); }
  auto do_parallel_transport(auto, auto, auto v) const { return copied(v); }
  auto do_inner(auto, auto u, auto v) const { return u * v; }
  auto do_random(auto normal) const { return copied(normal); }
  double do_residual(auto x) const {
    return detail::folded(device_of<decltype(x)>{}, sum_of{}, as_view(x * 0));  // NaN where anything is not finite
  }

 private:
  template <class T, int R, class D> static tensor<T, R, D> copied(view<T const, R, D> u) { return tensor<T, R, D>(u); }
};

LIMBIC_END
