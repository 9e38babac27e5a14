// limbic/ops/reduced.hpp - the mean or sum of losses that other ops computed, or the losses as they are
#pragma once

#include <limbic/ops/reduction.hpp>
#include <limbic/ops/sum.hpp>

LIMBIC_BEGIN

namespace detail {

template <operand X, common_reduction R> auto reduced(X&& x, R) {
  if constexpr (keeps_elements<R>) return std::forward<X>(x);
  else if constexpr (std::is_same_v<R, reduction::mean_t>) return mean(std::forward<X>(x));
  else return sum(std::forward<X>(x));
}

}  // namespace detail

LIMBIC_END
