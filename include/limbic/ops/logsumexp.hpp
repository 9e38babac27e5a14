// limbic/ops/logsumexp.hpp - the logarithm of a sum of exponentials along an axis, or over all elements
//
//   y = m + log sum_i e^(x_i - m),  m = max_i x_i     (m cancels; it prevents overflow)
//
// shape   see along.hpp
// adjoint x'_i += y' e^(x_i - y)
// domain  all numbers: of nothing but -inf (or of no elements) it is -inf, with gradient 0; NaN stays NaN
#pragma once

#include <limbic/ops/along.hpp>

LIMBIC_BEGIN

template <over Kind> struct logsumexp_op : along<Kind> {
  static constexpr std::string_view name = "logsumexp";
  static constexpr keep needs = keep::input | keep::output;

  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }

  template <class D, class X> void forward(D d, auto y, X x) const {
    auto const wide = this->template wide<X::rank>(y);
    tensor<typename X::value_type, X::rank, D> largest(wide.shape(), uninitialized);
    reduce(d, largest, max_of{}, x);
    map(d, largest, finite_part{}, largest);
    reduce(d, wide, sum_of{}, shifted_exp{}, x, largest);
    map(d, wide, shifted_log{}, wide, largest);
  }
  template <class D, class X> void adjoint(D d, X x, auto y, auto dy, auto dx) const {
    map(d, dx, share{}, x, this->template wide<X::rank>(y), this->template wide<X::rank>(dy));
  }

  struct finite_part {  // inf - inf would be NaN
    template <class V> constexpr V operator()(V m) const {
      return math::select(math::either(math::isfinite(m), math::isnan(m)), m, V(0));
    }
  };
  struct shifted_exp {
    template <class V> constexpr V operator()(V x, V m) const { return math::exp(x - m); }
  };
  struct shifted_log {
    template <class V> constexpr V operator()(V total, V m) const { return m + math::log(total); }
  };
  struct share {
    template <class V> constexpr V operator()(V x, V y, V dy) const {
      V const lowest = math::constant<V>(-std::numeric_limits<double>::infinity());
      return dy * math::exp(x - math::select(y == lowest, V(0), y));
    }
  };
};

template <operand X> auto logsumexp(X&& x) { return apply(logsumexp_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto logsumexp(X&& x, int axis) {
  return detail::apply_along(logsumexp_op<over::axis>{{axis}}, std::forward<X>(x));
}
template <operand X> auto logsumexp(X&& x, int axis, keepdim_t) {
  return detail::apply_along(logsumexp_op<over::axis_kept>{{axis}}, std::forward<X>(x));
}

LIMBIC_END
