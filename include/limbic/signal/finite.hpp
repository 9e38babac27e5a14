// limbic/signal/finite.hpp - operands that must hold finite numbers
//
// A search over a recursion of minima would pass a NaN by, and one infinite sample would make a whole distance infinite:
// ops that cannot say which sample it was check their operands first, which costs one pass. Not checked on a GPU.
#pragma once

#include <limbic/backend/reduce.hpp>

LIMBIC_BEGIN
namespace detail {

struct difference_from_itself {
  template <class V> constexpr V operator()(V x) const { return x - x; }  // 0, or NaN
};

template <class D, class T, int R>
void require_finite(std::string_view name, std::string_view operand, view<T const, R, D> x) {
  if constexpr (is_host<D>) {
    shape<R> ones;
    for (int a = 0; a < R; ++a) ones[a] = 1;
    tensor<T, R, D> total(ones);
    reduce(D{}, total, sum_of{}, difference_from_itself{}, x);
    if (total.data()[0] == T(0)) return;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      shape<R> at;
      std::ptrdiff_t left = i, offset = 0;
      for (int a = R - 1; a >= 0; --a) {
        at[a] = left % x.extent(a);
        left /= x.extent(a);
        offset += at[a] * x.stride(a);
      }
      T const found = x.data()[offset];
      if (math::isfinite(found)) continue;
      fail<argument_error>(name, operand, " ", x.shape(), " must be finite, but is ",
                           math::isnan(found) ? "NaN" : "infinite", " at ", at);
    }
  }
}

}  // namespace detail
LIMBIC_END
