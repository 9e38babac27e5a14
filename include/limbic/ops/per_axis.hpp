// limbic/ops/per_axis.hpp - what ops of signals (N, C, L) and images (N, C, H, W) share: options for each axis
//
//   per_axis<2> const stride = 2;      // {2, 2}
//   {.kernel = {3, 5}}                 // rows, columns
#pragma once

#include <limbic/backend/sink.hpp>

#include <concepts>

LIMBIC_BEGIN

// One number for each of S axes: 2 stands for {2, 2}.
template <int S> struct per_axis {
  shape<S> of;  // the axes in their order
  template <std::integral I> constexpr per_axis(I all) {
    for (int i = 0; i < S; ++i) of[i] = static_cast<std::ptrdiff_t>(all);
  }
  constexpr per_axis(std::ptrdiff_t rows, std::ptrdiff_t columns)
    requires(S == 2)
      : of{{rows, columns}} {}
};

namespace detail {

// A signal (N, C, L) as images of one row.
template <class T, int R, class D> constexpr view<T, 4, D> as_images(view<T, R, D> const& v) {
  static_assert(R == 3 || R == 4);
  if constexpr (R == 4) return v;
  else return v.unsqueeze(2);
}
template <class T, int R, class D> constexpr sink<T, 4, D> as_images(sink<T, R, D> const& s) {
  return {as_images(s.to), s.add};
}

}  // namespace detail

LIMBIC_END
