// limbic/manifold/sphere.hpp - lines of length 1: `sphere` along the last axis, `oblique` along the columns of a matrix
//
//   project    u - <x, u> x                             retract   (x + v) / |x + v|          agrees with exp to v^2
//   exp        cos|v| x + sin|v| v / |v|                distance  theta = the angle between x and y
//   log        theta p / |p|,  p = y - <x, y> x         transport: project at y
//   parallel_transport   v - <y, v> / (1 + <x, y>) (x + y)
//   <u, v> = sum u v;  several lines: sums over them, distance = root of the sum of squared angles
//   do_project, do_retract, do_exp, do_log, do_transport, do_parallel_transport   these formulas for views
//   do_inner, do_random, do_residual   terms of <u, v>, random points, what check measures: see manifold.hpp
//
// A vector is one sphere; of a matrix (n, m) each row is one, of more axes each line along the last. Random points are
// uniform. The angle comes from both chords, 2 atan2(|x - y|, |x + y|), which is exact near 0 and near pi. Opposite points
// have no shortest geodesic: log is 0 there, and parallel_transport not finite.
//
// shape   rank >= 1; oblique: matrices (n, m) with m unit columns
#pragma once

#include <limbic/manifold/manifold.hpp>

LIMBIC_BEGIN

namespace detail {

LIMBIC_HD inline float angle_of(float y, float x) { return ::atan2f(y, x); }
LIMBIC_HD inline double angle_of(double y, double x) { return ::atan2(y, x); }

struct unit_line {
  constexpr void operator()(auto x, auto out) const {
    map(out, [](auto a, auto size) { return a / size; }, x, math::sqrt(dot(x, x)));
  }
};
struct tangent_to_line {
  constexpr void operator()(auto x, auto u, auto out) const {
    map(out, [](auto a, auto b, auto along) { return b - along * a; }, x, u, dot(x, u));
  }
};
struct arc_from_line {
  constexpr void operator()(auto x, auto v, auto out) const {
    using T = typename decltype(out)::value_type;
    T const angle = math::sqrt(dot(v, v));
    T const over = angle > T(0) ? math::sin(angle) / angle : T(1);
    map(out, [](auto a, auto b, auto c, auto s) { return c * a + s * b; }, x, v, math::cos(angle), over);
    unit_line()(out, out);  // what rounding adds must not add up from step to step
  }
};
struct arc_between_lines {
  constexpr void operator()(auto x, auto y, auto out) const {
    using T = typename decltype(out)::value_type;
    auto const square_of = [](auto a) { return a * a; };
    T const apart = fold(sum_of{}, [square_of](auto a, auto b) { return square_of(a - b); }, x, y);
    T const together = fold(sum_of{}, [square_of](auto a, auto b) { return square_of(a + b); }, x, y);
    T const near = apart <= together ? T(1) : T(-1);  // of x and -x the one nearer to y: the difference is exact
    map(out, [](auto a, auto b, auto sign) { return b - sign * a; }, x, y, near);
    map(out, [](auto a, auto p, auto c) { return p - c * a; }, x, out, dot(x, out));
    T const size = math::sqrt(dot(out, out));
    T const angle = T(2) * angle_of(math::sqrt(apart), math::sqrt(together));
    map(out, [](auto p, auto scale) { return p * scale; }, out, size > T(0) ? angle / size : T(0));
  }
};
struct turned_along_arc {
  constexpr void operator()(auto x, auto y, auto v, auto out) const {
    using T = typename decltype(out)::value_type;
    T const share = dot(y, v) / (T(1) + dot(x, y));
    map(out, [](auto a, auto b, auto u, auto s) { return u - s * (a + b); }, x, y, v, share);
  }
};
struct off_unit {
  constexpr void operator()(auto x, auto out) const {
    using T = typename decltype(out)::value_type;
    out.put(0, math::abs(dot(x, x) - T(1)));
  }
};

}  // namespace detail

// What both are: lines along one axis, each on a sphere of its own.
template <class M, int Axis> struct unit_lines : manifold<M> {
  // What the metric adds up over: lines along this axis.
  static constexpr component metric_over = component::line;
  static constexpr int axis = Axis;
  // Lines are not empty.
  template <int R> static bool fits(shape<R> const& s) { return s[Axis < 0 ? R - 1 : Axis] > 0; }

  auto do_project(auto x, auto u) const { return lines(detail::tangent_to_line{}, x, u); }
  auto do_retract(auto x, auto v) const { return lines(detail::unit_line{}, as_view(x + v)); }
  auto do_exp(auto x, auto v) const { return lines(detail::arc_from_line{}, x, v); }
  auto do_log(auto x, auto y) const { return lines(detail::arc_between_lines{}, x, y); }
  auto do_transport(auto, auto y, auto v) const { return do_project(y, v); }
  auto do_parallel_transport(auto x, auto y, auto v) const { return lines(detail::turned_along_arc{}, x, y, v); }
  auto do_inner(auto, auto u, auto v) const { return u * v; }
  auto do_random(auto normal) const { return lines(detail::unit_line{}, normal); }
  template <class T, int R, class D> double do_residual(view<T const, R, D> x) const {
    auto one = x.shape();
    one[axis < 0 ? R - 1 : axis] = 1;
    tensor<T, R, D> off(one, uninitialized);
    for_each_row(D{}, axis, detail::off_unit{}, x, off.view());
    return detail::folded(D{}, max_of{}, as_view(off));
  }

 private:
  template <class F, class T, int R, class D> static tensor<T, R, D> lines(F const& f, view<T const, R, D> x,
                                                                           auto... more) {
    tensor<T, R, D> y(x.shape(), uninitialized);
    for_each_row(D{}, axis, f, x, more..., y.view());
    return y;
  }
};

struct sphere : unit_lines<sphere, -1> {
  // What errors call it and its points, and the ranks that points have.
  static constexpr std::string_view name = "sphere", points = "points have length 1 along the last axis";
  static constexpr int least_rank = 1, largest_rank = detail::max_rank;
};
struct oblique : unit_lines<oblique, 0> {
  // What errors call it and its points, and the ranks that points have.
  static constexpr std::string_view name = "oblique", points = "points are matrices (n, m) with columns of length 1";
  static constexpr int least_rank = 2, largest_rank = 2;
};

LIMBIC_END
