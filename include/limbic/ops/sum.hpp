// limbic/ops/sum.hpp - sums and means along an axis, or over all elements
//
//   sum: y = sum_i x_i          mean: y = sum_i x_i / n
//
// shape   see along.hpp
// adjoint x'_i += y'          x'_i += y' / n
// domain  of no elements the sum is 0 and the mean NaN
#pragma once

#include <limbic/ops/along.hpp>

LIMBIC_BEGIN

namespace detail {
struct divide_by {
  double n;
  template <class V> constexpr V operator()(V v) const { return v / math::constant<V>(n); }
};
}  // namespace detail

template <over Kind> struct sum_op : along<Kind> {
  static constexpr std::string_view name = "sum";
  static constexpr keep needs = keep::nothing;

  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
  template <class D, class X> void forward(D d, auto y, X x) const {
    reduce(d, this->template wide<X::rank>(y), sum_of{}, x);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    (void)x;
    copy(d, dx, this->template wide<X::rank>(dy));
  }
};

template <over Kind> struct mean_op : along<Kind> {
  static constexpr std::string_view name = "mean";
  static constexpr keep needs = keep::nothing;

  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
  template <class D, class X> void forward(D d, auto y, X x) const {
    reduce(d, this->template wide<X::rank>(y), sum_of{}, x);
    map(d, y, divided(x), y);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    map(d, dx, divided(x), this->template wide<X::rank>(dy));
  }

 private:
  detail::divide_by divided(auto const& x) const { return {static_cast<double>(this->count(x.shape()))}; }
};

template <operand X> auto sum(X&& x) { return apply(sum_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto sum(X&& x, int axis) {
  return detail::apply_along(sum_op<over::axis>{{axis}}, std::forward<X>(x));
}
template <operand X> auto sum(X&& x, int axis, keepdim_t) {
  return detail::apply_along(sum_op<over::axis_kept>{{axis}}, std::forward<X>(x));
}

template <operand X> auto mean(X&& x) { return apply(mean_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto mean(X&& x, int axis) {
  return detail::apply_along(mean_op<over::axis>{{axis}}, std::forward<X>(x));
}
template <operand X> auto mean(X&& x, int axis, keepdim_t) {
  return detail::apply_along(mean_op<over::axis_kept>{{axis}}, std::forward<X>(x));
}

LIMBIC_END
