// limbic/data/columns.hpp - what the scalers share: the columns of a tensor (its last axis; rank 1 is one column)
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/math/base.hpp>

LIMBIC_BEGIN

namespace detail {

template <int R> std::ptrdiff_t columns_of(shape<R> const& s) { return R == 1 ? 1 : s[R - 1]; }

// A contiguous copy, in which every number is finite and there is at least one row.
template <class T, int R, class D> tensor<T, R, D> finite_columns(std::string_view op, view<T const, R, D> const& x) {
  std::ptrdiff_t const width = columns_of(x.shape());
  if (x.size() == 0) fail<argument_error>(op, "there are no rows in shape ", x.shape());
  tensor<T, R, D> own(x);
  for (std::ptrdiff_t i = 0; i < own.size(); ++i)
    if (!math::isfinite(own.data()[i]))
      fail<argument_error>(op, "row ", i / width, " of column ", i % width, " is ", own.data()[i],
                           ": not a finite number");
  return own;
}

// f(element, column) of every element.
template <class T, int R, class D, class F>
tensor<T, R, D> map_columns(std::string_view op, std::ptrdiff_t width, view<T const, R, D> const& x, F const& f) {
  if (columns_of(x.shape()) != width)
    fail<shape_error>(op, "the scaler was made from ", width, " columns, but came ", x.shape());
  tensor<T, R, D> y(x);
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) y.data()[i] = f(y.data()[i], i % width);
  return y;
}

}  // namespace detail

LIMBIC_END
