// limbic/manifold/positive.hpp - positive numbers, whose distances are ratios
//
//   <u, v>_x = sum u v / x^2         exp = retract = x e^(v / x)         log = x log(y / x)         gradient = x^2 g
//   transport: the identity          parallel_transport = v y / x        distance = |log(y / x)|
//   do_project, do_gradient, do_retract, do_exp, do_log, do_transport, do_parallel_transport   these formulas for views
//   do_inner, do_random, do_residual   terms of <u, v>, random points, what check measures: see manifold.hpp
//
// Each element is a manifold of its own. It is the real line seen through exp, so a positive parameter may as well be
// w = e^eta with eta a plain one, which needs no manifold: exp(eta) is an op like any other, and that is how the
// specification writes its scales (w = e^eta, tau = e^zeta). Here it is for those who want w itself to be the parameter.
//
// shape   any
// domain  a step of v / x > 88 (float) or 709 (double) overflows
#pragma once

#include <limbic/manifold/manifold.hpp>

LIMBIC_BEGIN

struct positive : manifold<positive> {
  // What errors call it and its points, what the metric adds up over, and the ranks that points have.
  static constexpr std::string_view name = "positive", points = "points are positive, finite numbers";
  static constexpr component metric_over = component::element;
  static constexpr int least_rank = 0, largest_rank = detail::max_rank;
  template <int R> static bool fits(shape<R> const&) { return true; }  // any shape

  struct exp_function {  // a step along the geodesic
    template <class V> constexpr V operator()(V x, V v) const { return x * math::exp(v / x); }
  };
  struct log_function {  // its inverse
    template <class V> constexpr V operator()(V x, V y) const { return x * math::log(y / x); }
  };
  struct exp_of {  // any number to a positive one
    template <class V> constexpr V operator()(V x) const { return math::exp(x); }
  };
  struct off {  // 0 for a positive finite number, else infinity or NaN
    template <class V> constexpr V operator()(V x) const {
      V const infinity = math::constant<V>(std::numeric_limits<double>::infinity());
      return math::select(x > V(0), x - x, math::select(x <= V(0), infinity, x));
    }
  };

  auto do_project(auto, auto u) const { return copied(u); }
  auto do_gradient(auto x, auto g) const { return x * x * g; }
  auto do_retract(auto x, auto v) const { return do_exp(x, v); }
  auto do_exp(auto x, auto v) const { return mapped(x, exp_function{}, x, v); }
  auto do_log(auto x, auto y) const { return mapped(x, log_function{}, x, y); }
  auto do_transport(auto, auto, auto v) const { return copied(v); }
  auto do_parallel_transport(auto x, auto y, auto v) const { return v * (y / x); }
  auto do_inner(auto x, auto u, auto v) const { return (u / x) * (v / x); }
  auto do_random(auto normal) const { return mapped(normal, exp_of{}, normal); }
  double do_residual(auto x) const {
    return detail::folded(device_of<decltype(x)>{}, max_of{}, as_view(mapped(x, off{}, x)));
  }

 private:
  template <class T, int R, class D> static tensor<T, R, D> copied(view<T const, R, D> u) { return tensor<T, R, D>(u); }
  template <class T, int R, class D, class F> static tensor<T, R, D> mapped(view<T const, R, D> like, F const& f,
                                                                            auto... x) {
    tensor<T, R, D> y(like.shape(), uninitialized);
    map(D{}, y, f, x...);
    return y;
  }
};

LIMBIC_END
