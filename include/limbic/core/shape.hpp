// limbic/core/shape.hpp - the extents of a tensor: the rank is part of the type, the extents are values
#pragma once

#include <limbic/core/check.hpp>

namespace limbic {

template <int R> struct shape {
  static constexpr int rank = R;               // the number of axes
  std::ptrdiff_t extents[R > 0 ? R : 1] = {};  // from the first axis to the last

  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t operator[](int axis) const { return extents[axis]; }
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t& operator[](int axis) { return extents[axis]; }

  // The number of elements; 1 at rank 0.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t size() const {
    std::ptrdiff_t n = 1;
    for (int i = 0; i < R; ++i) n *= extents[i];
    return n;
  }

  friend LIMBIC_HD LIMBIC_INLINE constexpr bool operator==(shape const& a, shape const& b) {
    for (int i = 0; i < R; ++i)
      if (a.extents[i] != b.extents[i]) return false;
    return true;
  }
};

template <class... I>
  requires(std::is_integral_v<I> && ...)
shape(I...) -> shape<static_cast<int>(sizeof...(I))>;

}  // namespace limbic

LIMBIC_BEGIN

// An axis counted from the front, or from the back when negative, as in PyTorch; index_error outside [-rank, rank).
constexpr int normalize_axis(std::string_view op, int axis, int rank) {
  if (axis < -rank || axis >= rank) fail<index_error>(op, "axis ", axis, " does not exist in a tensor of rank ", rank);
  return axis < 0 ? axis + rank : axis;
}

// The shape two operands broadcast to: aligned at the last axis, an extent of 1 stretches (NumPy's rule).
template <int A, int B>
constexpr shape<(A > B ? A : B)> broadcast(std::string_view op, shape<A> const& a, shape<B> const& b) {
  constexpr int R = A > B ? A : B;
  shape<R> result;
  for (int i = 0; i < R; ++i) {
    std::ptrdiff_t const m = i < R - A ? 1 : a[i - (R - A)];
    std::ptrdiff_t const n = i < R - B ? 1 : b[i - (R - B)];
    if (m != n && m != 1 && n != 1) fail<shape_error>(op, "shapes ", a, " and ", b, " do not broadcast");
    result[i] = m == 1 ? n : m;
  }
  return result;
}

// The shape a reshape means: the extent given as -1 takes what is left. shape_error when the sizes differ.
template <int R, int S> constexpr shape<S> resolve_reshape(shape<R> const& from, shape<S> to) {
  std::ptrdiff_t known = 1;
  int open = -1;
  for (int i = 0; i < S; ++i) {
    if (to[i] == -1 && open < 0) open = i;
    else if (to[i] < 0)
      fail<shape_error>("reshape", "extents must be non-negative, with at most one -1, but came ", to);
    else known *= to[i];
  }
  shape<S> const asked = to;
  if (open >= 0) to[open] = known == 0 ? 0 : from.size() / known;
  if (to.size() != from.size()) fail<shape_error>("reshape", "shape ", from, " does not have the elements of ", asked);
  return to;
}

LIMBIC_END
