// limbic/ops/max.hpp - the greatest or least element along an axis, or of all elements, and where it stands
//
//   max: y = max_i x_i        min: y = min_i x_i        argmax, argmin: the first i where it is
//
// shape   see along.hpp; argmax and argmin give int64 and are never recorded
// adjoint x'_i += y' at the first i with x_i = y, nothing elsewhere
// domain  at least one element; a NaN is both the greatest and the least
#pragma once

#include <limbic/ops/along.hpp>

LIMBIC_BEGIN

namespace detail {

template <bool Greatest> struct extreme_adjoint {
  constexpr void operator()(auto x, auto dy, auto dx) const { place(dx, Greatest ? argmax(x) : argmin(x), dy[0]); }
};
template <bool Greatest> struct extreme_index {
  constexpr void operator()(auto x, auto y) const { y.put(0, Greatest ? argmax(x) : argmin(x)); }
};

template <over Kind, bool Greatest> struct extreme : along<Kind> {
  using combine = std::conditional_t<Greatest, max_of, min_of>;

  template <int R> auto extreme_shape(std::string_view op, shape<R> const& x) const {
    auto const y = this->reduced(op, x);
    this->check_not_empty(op, x);
    return y;
  }
  template <class D, class X> void forward(D d, auto y, X x) const {
    reduce(d, this->template wide<X::rank>(y), combine{}, x);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    if (!dx || x.size() == 0) return;
    if constexpr (Kind == over::all) {  // one row; what a tape holds is contiguous
      shape<1> const line{{x.size()}};
      using S = decltype(dx);
      for_each_row(d, 0, extreme_adjoint<Greatest>{}, x.reshape(line), dy.unsqueeze(0),
                   sink<typename S::value_type, 1, D>(dx.to.reshape(line), dx.add));
    } else {
      for_each_row(d, this->axis, extreme_adjoint<Greatest>{}, x, this->template wide<X::rank>(dy), dx);
    }
  }
};

template <bool Greatest, class D, class T, int R>
tensor<std::int64_t, R - 1, D> extreme_position(std::string_view op, D d, view<T const, R, D> x, int axis) {
  along<over::axis> const r{axis};
  tensor<std::int64_t, R - 1, D> y(r.reduced(op, x.shape()), uninitialized);
  r.check_not_empty(op, x.shape());
  if (x.size() > 0) for_each_row(d, axis, extreme_index<Greatest>{}, x, y.view().unsqueeze(axis));
  return y;
}

}  // namespace detail

template <over Kind> struct max_op : detail::extreme<Kind, true> {
  static constexpr std::string_view name = "max";
  static constexpr keep needs = keep::input;
  template <int R> auto shape_of(shape<R> const& x) const { return this->extreme_shape(name, x); }
};
template <over Kind> struct min_op : detail::extreme<Kind, false> {
  static constexpr std::string_view name = "min";
  static constexpr keep needs = keep::input;
  template <int R> auto shape_of(shape<R> const& x) const { return this->extreme_shape(name, x); }
};

template <operand X> auto max(X&& x) { return apply(max_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto max(X&& x, int axis) {
  return detail::apply_along(max_op<over::axis>{{{axis}}}, std::forward<X>(x));
}
template <operand X> auto max(X&& x, int axis, keepdim_t) {
  return detail::apply_along(max_op<over::axis_kept>{{{axis}}}, std::forward<X>(x));
}

template <operand X> auto min(X&& x) { return apply(min_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto min(X&& x, int axis) {
  return detail::apply_along(min_op<over::axis>{{{axis}}}, std::forward<X>(x));
}
template <operand X> auto min(X&& x, int axis, keepdim_t) {
  return detail::apply_along(min_op<over::axis_kept>{{{axis}}}, std::forward<X>(x));
}

// Tensors, views and parameters: the position is a number, not a value with a gradient.
template <operand X>
  requires(!recorded<X>)
auto argmax(X const& x, int axis = -1) {
  if constexpr (rank_of<X> >= 1) return detail::extreme_position<true>("argmax", device_of<X>{}, as_view(x), axis);
  else static_assert(rank_of<X> >= 1, "limbic: argmax takes a tensor of rank 1 or more");
}
template <operand X>
  requires(!recorded<X>)
auto argmin(X const& x, int axis = -1) {
  if constexpr (rank_of<X> >= 1) return detail::extreme_position<false>("argmin", device_of<X>{}, as_view(x), axis);
  else static_assert(rank_of<X> >= 1, "limbic: argmin takes a tensor of rank 1 or more");
}

LIMBIC_END
