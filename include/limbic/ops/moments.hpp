// limbic/ops/moments.hpp - mean and square distances of one row, as batch_norm and layer_norm need them
//
// The mean is found twice, the second time of what is left over the first: sums of large numbers are rounded, those of
// small ones less. So a large mean costs no digits of a small variance.
#pragma once

#include <limbic/backend/row.hpp>

LIMBIC_BEGIN
namespace detail {

// The mean of a row that is not empty.
template <class R> constexpr auto row_mean(R x) {
  using T = typename R::value_type;
  T const n = static_cast<T>(static_cast<base_of<T>>(x.size())), first = sum(x) / n;
  T const rest = fold(sum_of{}, [first](auto v) { return v - math::broadcast<decltype(v)>(first); }, x) / n;
  return static_cast<T>(first + rest);
}
// The sum of square distances from m.
template <class R> constexpr auto square_distances(R x, typename R::value_type m) {
  return fold(
      sum_of{},
      [m](auto v) {
        auto const c = v - math::broadcast<decltype(v)>(m);
        return c * c;
      },
      x);
}

}  // namespace detail
LIMBIC_END
