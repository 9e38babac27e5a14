// limbic/ops/variance.hpp - variance and standard deviation along an axis, or over all elements
//
//   m = sum_i x_i / n        variance: y = sum_i (x_i - m)^2 / (n - correction)        standard_deviation: its root
//
// shape   see along.hpp; correction is an option after the axis: variance(x, 0, {.correction = 0})
// adjoint x'_i += y' 2 (x_i - m) / (n - correction)        x'_i += y' (x_i - m) / ((n - correction) y), 0 where y = 0
// domain  n > correction, else NaN or infinite (as PyTorch); correction 1 (Bessel's) unless given
#pragma once

#include <limbic/ops/along.hpp>

LIMBIC_BEGIN

struct variance_options {
  double correction = 1;
};

namespace detail {

template <over Kind, bool Root> struct spread : along<Kind> {
  double correction = 1;

  template <class D, class X> void forward(D d, auto y, X x) const {
    auto const wide = this->template wide<X::rank>(y);
    auto const m = mean(d, x, wide.shape());
    reduce(d, wide, sum_of{}, square_distance{}, x, m);
    map(d, wide, finish{degrees(x)}, wide);
  }
  template <class D, class X> void adjoint(D d, X x, auto y, auto dy, auto dx) const {
    if (!dx) return;
    auto const wide = this->template wide<X::rank>(y);
    auto const m = mean(d, x, wide.shape());
    if constexpr (Root) map(d, dx, root_share{degrees(x)}, x, m, wide, this->template wide<X::rank>(dy));
    else map(d, dx, share{degrees(x)}, x, m, this->template wide<X::rank>(dy));
  }

  struct square_distance {
    template <class V> constexpr V operator()(V x, V m) const { return (x - m) * (x - m); }
  };
  struct divided {
    double n;
    template <class V> constexpr V operator()(V v) const { return v / math::constant<V>(n); }
  };
  struct finish {
    double n;
    template <class V> constexpr V operator()(V v) const {
      V const y = v / math::constant<V>(n);
      return Root ? math::sqrt(y) : y;
    }
  };
  struct share {
    double n;
    template <class V> constexpr V operator()(V x, V m, V dy) const {
      return dy * (math::constant<V>(2 / n) * (x - m));
    }
  };
  struct root_share {
    double n;
    template <class V> constexpr V operator()(V x, V m, V y, V dy) const {
      return math::select(y == V(0), V(0), dy * (x - m) / (math::constant<V>(n) * y));
    }
  };

 private:
  double degrees(auto const& x) const {
    double const n = static_cast<double>(this->count(x.shape())) - correction;
    return n > 0 ? n : 0;
  }
  template <class D, class X> auto mean(D d, X x, auto const& extents) const {
    tensor<typename X::value_type, X::rank, D> m(extents, uninitialized);
    reduce(d, m, sum_of{}, x);
    map(d, m, divided{static_cast<double>(this->count(x.shape()))}, m);
    return m;
  }
};

}  // namespace detail

template <over Kind> struct variance_op : detail::spread<Kind, false> {
  static constexpr std::string_view name = "variance";
  static constexpr keep needs = keep::input;
  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
};
template <over Kind> struct standard_deviation_op : detail::spread<Kind, true> {
  static constexpr std::string_view name = "standard_deviation";
  static constexpr keep needs = keep::input | keep::output;
  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
};

template <operand X> auto variance(X&& x, variance_options const& o = {}) {
  return apply(variance_op<over::all>{{{}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto variance(X&& x, int axis, variance_options const& o = {}) {
  return detail::apply_along(variance_op<over::axis>{{{axis}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto variance(X&& x, int axis, keepdim_t, variance_options const& o = {}) {
  return detail::apply_along(variance_op<over::axis_kept>{{{axis}, o.correction}}, std::forward<X>(x));
}

template <operand X> auto standard_deviation(X&& x, variance_options const& o = {}) {
  return apply(standard_deviation_op<over::all>{{{}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto standard_deviation(X&& x, int axis, variance_options const& o = {}) {
  return detail::apply_along(standard_deviation_op<over::axis>{{{axis}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto standard_deviation(X&& x, int axis, keepdim_t, variance_options const& o = {}) {
  return detail::apply_along(standard_deviation_op<over::axis_kept>{{{axis}, o.correction}}, std::forward<X>(x));
}

LIMBIC_END
