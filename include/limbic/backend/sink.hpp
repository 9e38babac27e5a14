// limbic/backend/sink.hpp - where a verb writes: assign, add to what is there, or nowhere
//
// An adjoint writes into sinks: the first contribution to a gradient assigns, later ones add, and a gradient that
// nobody wants is a null view, on which every verb returns at once. Two sinks may be the same memory (mul(x, x)): an
// adjoint therefore writes them one verb at a time, through sink::next after the first.
#pragma once

#include <limbic/core/parameter.hpp>

namespace limbic {

template <class T, int R, class D = default_device> struct sink {
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  static constexpr int rank = R;

  limbic::view<T, R, D> to;  // null: nobody wants it
  bool add = false;          // to what is there, instead of assigning

  constexpr sink() = default;
  LIMBIC_HD LIMBIC_INLINE constexpr sink(limbic::view<T, R, D> const& v, bool accumulate = false)
      : to(v), add(accumulate) {}
  LIMBIC_HD LIMBIC_INLINE explicit constexpr operator bool() const { return static_cast<bool>(to); }
  // Extents, also where the view is null.
  LIMBIC_HD LIMBIC_INLINE constexpr limbic::shape<R> const& shape() const { return to.shape(); }
};

}  // namespace limbic

LIMBIC_BEGIN

// What may stand where a verb reads or writes: views, sinks, tensors.
template <class T, int R, class D> constexpr sink<T, R, D> as_sink(view<T, R, D> v) { return {v}; }
template <class T, int R, class D> constexpr sink<T, R, D> as_sink(sink<T, R, D> s) { return s; }
template <class T, int R, class D> sink<T, R, D> as_sink(tensor<T, R, D>& t) { return {t.view()}; }

// The elements, to be read.
template <class T, int R, class D> constexpr view<T const, R, D> as_view(view<T, R, D> v) { return v; }
template <class T, int R, class D> view<T const, R, D> as_view(tensor<T, R, D> const& t) { return t.view(); }
template <class T, int R, class D> view<T const, R, D> as_view(parameter<T, R, D> const& p) { return p.value.view(); }

LIMBIC_END
