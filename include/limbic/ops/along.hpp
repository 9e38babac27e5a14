// limbic/ops/along.hpp - what sum, mean, max and their kin share: which axis they run over, and what becomes of it
//
//   sum(x, axis)              the axis is gone: rank R - 1
//   sum(x, axis, keepdim)     the axis stays with extent 1: rank R
//   sum(x)                    over all elements: rank 0
//
// An axis counts from the back when negative.
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

// Asks to keep the reduced axis, with extent 1.
struct keepdim_t {};
inline constexpr keepdim_t keepdim{};  // as in sum(x, axis, keepdim)

// What is reduced: an axis, which goes or stays, or everything.
enum class over { axis, axis_kept, all };

template <over Kind> struct along {
  int axis = 0;

  // The shape of the result; index_error where there is no such axis.
  template <int R> auto reduced(std::string_view name, shape<R> const& x) const {
    if constexpr (Kind == over::all) {
      return shape<0>();
    } else {
      int const a = normalize_axis(name, axis, R);
      shape<Kind == over::axis ? R - 1 : R> y;
      for (int i = 0, k = 0; i < R; ++i) {
        if (i != a) y[k++] = x[i];
        else if (Kind == over::axis_kept) y[k++] = 1;
      }
      return y;
    }
  }
  // How many elements make one result.
  template <int R> std::ptrdiff_t count(shape<R> const& x) const {
    return Kind == over::all ? x.size() : x[axis < 0 ? axis + R : axis];
  }
  // The result with the rank of the operand and extent 1 where that was reduced: it broadcasts against the operand.
  template <int R, class T, int S, class D> view<T, R, D> wide(view<T, S, D> const& y) const {
    if constexpr (Kind == over::axis) return y.unsqueeze(axis);
    else return detail::lead<R>(y);
  }
  template <int R, class T, int S, class D> sink<T, R, D> wide(sink<T, S, D> const& y) const {
    return {wide<R>(y.to), y.add};
  }
  // The greatest of no elements does not exist.
  template <int R> void check_not_empty(std::string_view name, shape<R> const& x) const {
    if (count(x) != 0) return;
    if (Kind == over::all || reduced(name, x).size() != 0)
      fail<argument_error>(name, "there is nothing to choose from in shape ", x,
                           Kind == over::all ? "" : " along its axis of extent 0");
  }
};

namespace detail {
// A wrong rank is to cost a line, not the whole way down.
template <class Op, operand X> auto apply_along(Op const& o, X&& x) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(o, std::forward<X>(x));
  else static_assert(fit, "limbic: a reduction along an axis takes a tensor of rank 1 or more");
}
}  // namespace detail

LIMBIC_END
