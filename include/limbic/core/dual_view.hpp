// limbic/core/dual_view.hpp - the values, or the tangents, of a tensor of dual numbers as a strided view of plain ones
#pragma once

#include <limbic/core/dual.hpp>
#include <limbic/core/view.hpp>

LIMBIC_BEGIN
namespace detail {

template <class T, int R, class D> auto parts(view<T, R, D> const& v, int part) {
  using N =
      std::conditional_t<std::is_const_v<T>, base_of<std::remove_const_t<T>> const, base_of<std::remove_const_t<T>>>;
  shape<R> steps = v.strides();
  for (int a = 0; a < R; ++a) steps[a] *= 2;
  return view<N, R, D>(reinterpret_cast<N*>(v.data()) + part, v.shape(), steps);
}
template <class T, int R, class D> auto values(view<T, R, D> const& v) { return parts(v, 0); }
template <class T, int R, class D> auto tangents(view<T, R, D> const& v) { return parts(v, 1); }

}  // namespace detail
LIMBIC_END
