// limbic/manifold/manifold.hpp - what every manifold can do
//
// A manifold is a small struct, its members are its options. Points and vectors are tensors, views or parameters of the
// same shape; results are tensors. g: a Euclidean gradient, u and v: tangent vectors at x.
//
//   project(x, u)                the tangent vector nearest to u
//   gradient(x, g)               g as a tangent vector: <gradient, v>_x = sum g v for every v
//   retract(x, v)                a step from x along v that ends on the manifold; v + O(v^2)
//   exp(x, v), log(x, y)         the step along the geodesic, and its inverse               (where closed)
//   transport(x, y, v)           v as a tangent vector at y, cheap
//   parallel_transport(x, y, v)  the same along the shortest geodesic, keeping lengths and angles      (where closed)
//   inner(x, u, v), norm(x, v)   the metric
//   distance(x, y)               norm(x, log(x, y))
//   random<T, D>(random, shape)  a random point
//   residual(x)                  how far x is off, 0 on it; NaN where x holds one, infinity where nothing is near
//   check(x)                     argument_error unless residual(x) <= tolerance<T>
//   squared_norms(x, v)          for each element, inner(x, v, v) of the component that it belongs to: a matrix is one
//                                component, each row of a sphere is one, each positive number
//
// Shapes are checked everywhere, points only by `check`: the other functions assume that x lies on the manifold. Nothing
// here has an adjoint: a manifold is where an optimiser steps, not what a loss goes through.
//
// A manifold M derives from manifold<M> and says, for views of equal shape,
//
//   do_project(x, u), ...        as above; do_gradient (else do_project), do_log and do_parallel_transport where it has one
//   do_inner(x, u, v)            for each element its term: the sum over a component is <u, v>_x
//   do_random(normal)            a point from standard normal numbers
//   do_residual(x)               as above, of a point that is not empty
//   metric_over, axis            where its components lie; the axis of lines
//   least_rank, largest_rank, fits(shape)      which shapes points have
//   name, points                 what errors call it and its points
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/operators.hpp>

#include <limits>

LIMBIC_BEGIN

// What rounding may leave of a point that was computed, read from a file, or multiplied by hand.
template <class T> inline constexpr double manifold_tolerance = std::is_same_v<base_of<T>, float> ? 1e-5 : 1e-10;

// What the metric adds up over: each element is a manifold of its own, each line along an axis, or all is one.
enum class component { element, line, whole };

namespace detail {

struct line_total {  // every element becomes the sum of its line
  constexpr void operator()(auto x, auto y) const {
    map(y, [](auto, auto s) { return s; }, x, sum(x));
  }
};
// The sum, or the largest, of all elements.
template <class Combine, class D, class T, int R> double folded(D d, Combine combine, view<T const, R, D> x) {
  tensor<T, R, D> all(x.shape(), uninitialized);
  copy(d, all, x);
  tensor<T, 1, D> y(shape<1>{{1}}, uninitialized);
  reduce(d, y, combine, identity_function{}, view<T const, 1, D>(all.data(), shape<1>{{all.size()}}));
  if constexpr (is_host<D>) return static_cast<double>(*y.data());
  else return static_cast<double>(*to_host(y).data());
}

}  // namespace detail

template <class M> struct manifold {
  auto project(operand auto const& x, operand auto const& u) const {
    same_shape("project", x, u);
    return self().do_project(as_view(x), as_view(u));
  }
  auto gradient(operand auto const& x, operand auto const& g) const {
    same_shape("gradient", x, g);
    if constexpr (requires(M const& m) { m.do_gradient(as_view(x), as_view(g)); })
      return self().do_gradient(as_view(x), as_view(g));
    else return self().do_project(as_view(x), as_view(g));
  }
  auto retract(operand auto const& x, operand auto const& v) const {
    same_shape("retract", x, v);
    return self().do_retract(as_view(x), as_view(v));
  }
  auto exp(operand auto const& x, operand auto const& v) const {
    same_shape("exp", x, v);
    return self().do_exp(as_view(x), as_view(v));
  }
  auto log(operand auto const& x, operand auto const& y) const {
    constexpr bool known = requires(M const& m) { m.do_log(as_view(x), as_view(y)); };
    static_assert(known, "limbic: this manifold has no logarithm (and no distance) in closed form");
    same_shape("log", x, y);
    if constexpr (known) return self().do_log(as_view(x), as_view(y));
  }
  auto transport(operand auto const& x, operand auto const& y, operand auto const& v) const {
    same_shape("transport", x, y), same_shape("transport", x, v);
    return self().do_transport(as_view(x), as_view(y), as_view(v));
  }
  auto parallel_transport(operand auto const& x, operand auto const& y, operand auto const& v) const {
    constexpr bool known = requires(M const& m) { m.do_parallel_transport(as_view(x), as_view(y), as_view(v)); };
    static_assert(known, "limbic: this manifold has no parallel transport in closed form");
    same_shape("parallel_transport", x, y), same_shape("parallel_transport", x, v);
    if constexpr (known) return self().do_parallel_transport(as_view(x), as_view(y), as_view(v));
  }

  double inner(operand auto const& x, operand auto const& u, operand auto const& v) const {
    same_shape("inner", x, u), same_shape("inner", x, v);
    auto const terms = self().do_inner(as_view(x), as_view(u), as_view(v));
    return detail::folded(device_of<decltype(terms)>{}, sum_of{}, as_view(terms));
  }
  double norm(operand auto const& x, operand auto const& v) const {
    double const square = inner(x, v, v);
    return square < 0 ? 0 : std::sqrt(square);
  }
  double distance(operand auto const& x, operand auto const& y) const { return norm(x, log(x, y)); }

  auto squared_norms(operand auto const& x, operand auto const& v) const {
    same_shape("squared_norms", x, v);
    auto terms = self().do_inner(as_view(x), as_view(v), as_view(v));
    using T = element_of<decltype(terms)>;
    using D = device_of<decltype(terms)>;
    if constexpr (M::metric_over == component::line)
      for_each_row(D{}, M::axis, detail::line_total{}, as_view(terms), terms.view());
    if constexpr (M::metric_over == component::whole)
      fill(D{}, terms.view(), static_cast<T>(detail::folded(D{}, sum_of{}, as_view(terms))));
    return terms;
  }

  template <class T = float, class D = default_device, int R> tensor<T, R, D> random(rng& from,
                                                                                     shape<R> const& s) const {
    check_shape("random", s);
    tensor<T, R, D> normal(s, uninitialized);
    from.normal(normal);
    return self().do_random(as_view(normal));
  }

  double residual(operand auto const& x) const {
    check_shape("residual", as_view(x).shape());
    return as_view(x).empty() ? 0 : self().do_residual(as_view(x));
  }
  void check(operand auto const& x) const {
    using T = element_of<decltype(x)>;
    check_shape("check", as_view(x).shape());
    double const off = residual(x);
    if (!(off <= manifold_tolerance<T>))
      fail<argument_error>(M::name, "the point of shape ", as_view(x).shape(), " is off the manifold by ", off,
                           ", where at most ", manifold_tolerance<T>, " is rounding: ", M::points);
  }

 private:
  M const& self() const { return static_cast<M const&>(*this); }
  template <int R> void check_shape(std::string_view what, shape<R> const& s) const {
    constexpr bool fit = R >= M::least_rank && R <= M::largest_rank;
    static_assert(fit, "limbic: points of this manifold have another rank");
    if (!M::fits(s)) fail<shape_error>(M::name, what, ": ", M::points, ", but came ", s);
  }
  void same_shape(std::string_view what, operand auto const& x, operand auto const& u) const {
    static_assert(rank_of<decltype(x)> == rank_of<decltype(u)>, "limbic: points and vectors have the same rank");
    check_shape(what, as_view(x).shape());
    if (!(as_view(x).shape() == as_view(u).shape()))
      fail<shape_error>(M::name, what, ": a point of shape ", as_view(x).shape(), " and ", as_view(u).shape());
  }
};

LIMBIC_END
