// limbic/ops/percentile.hpp - the value below which q of a hundred elements lie, along an axis or among all elements
//
//   percentile(x, 50)         the median
//   percentile(x, 90, 0)
//
//   y = (1 - w) x_(k) + w x_(k+1),   k = floor(p),  w = p - k,  p = q / 100 (n - 1)
//
// where x_(0) <= x_(1) <= ... are the elements in order: numpy.percentile's default, Hyndman and Fan 1996, definition 7.
// NaN among the elements gives NaN.
//
// shape   see along.hpp
// adjoint x'_i += y' (1 - w) where x_(k) stands, y' w where x_(k+1) stands: a subgradient. Equal elements are in the order
//         of their places, so each of the two has one place.
// domain  0 <= q <= 100, at least one element
#pragma once

#include <limbic/ops/along.hpp>
#include <limbic/ops/reshape.hpp>

LIMBIC_BEGIN

namespace detail {

struct percentile_rows {
  double q;

  // Where the two elements stand, and the weight of the second.
  struct between {
    std::ptrdiff_t first, second;
    double weight;
  };
  constexpr between find(auto x) const {
    std::ptrdiff_t const last = x.size() - 1, greatest = argmax(x);
    if (math::isnan(x[greatest])) return {greatest, greatest, 0};
    double const p = q / 100 * static_cast<double>(last);
    auto const k = static_cast<std::ptrdiff_t>(p);
    double const w = p - static_cast<double>(k);
    std::ptrdiff_t const first = nth_place(x, k);
    return {first, w > 0 ? nth_place(x, k + 1) : first, w};
  }
};
struct percentile_forward : percentile_rows {
  constexpr void operator()(auto x, auto y) const {
    using T = typename decltype(y)::value_type;
    auto const [first, second, w] = find(x);
    T const a = x[first], b = x[second];
    y.put(0, a == b || w == 0 ? a : math::constant<T>(1 - w) * a + math::constant<T>(w) * b);
  }
};
struct percentile_adjoint : percentile_rows {
  constexpr void operator()(auto x, auto dy, auto dx) const {
    using T = typename decltype(dx)::value_type;
    auto const [first, second, w] = find(x);
    T const g = dy[0];
    place(dx, first, math::constant<T>(1 - w) * g);
    dx.add = true;
    if (w > 0) dx.put(second, math::constant<T>(w) * g);
  }
};

}  // namespace detail

template <over Kind> struct percentile_op : along<Kind> {
  static constexpr std::string_view name = "percentile";
  static constexpr keep needs = keep::input;
  double q = 50;

  template <int R> auto shape_of(shape<R> const& x) const {
    auto const y = this->reduced(name, x);
    this->check_not_empty(name, x);
    return y;
  }
  template <class D, class X> void forward(D d, auto y, X x) const {
    if (x.size() == 0) return;
    for_each_row(d, this->axis, detail::percentile_forward{{q}}, x, this->template wide<X::rank>(y));
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    if (!dx || x.size() == 0) return;
    for_each_row(d, this->axis, detail::percentile_adjoint{{q}}, x, this->template wide<X::rank>(dy), dx);
  }
};

namespace detail {
template <over Kind, operand X> auto apply_percentile(X&& x, double q, int axis) {
  if (!(q >= 0 && q <= 100)) fail<argument_error>("percentile", "q must lie in [0, 100], but is ", q);
  return apply_along(percentile_op<Kind>{{axis}, q}, std::forward<X>(x));
}
}  // namespace detail

template <operand X> auto percentile(X&& x, double q) {
  return detail::apply_percentile<over::axis>(reshape(std::forward<X>(x), shape<1>{{x.shape().size()}}), q, 0);
}
template <operand X> auto percentile(X&& x, double q, int axis) {
  return detail::apply_percentile<over::axis>(std::forward<X>(x), q, axis);
}
template <operand X> auto percentile(X&& x, double q, int axis, keepdim_t) {
  return detail::apply_percentile<over::axis_kept>(std::forward<X>(x), q, axis);
}

LIMBIC_END
