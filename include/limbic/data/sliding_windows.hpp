// limbic/data/sliding_windows.hpp - overlapping pieces of a series
//
//   windows[k] = x[k stride : k stride + length],  k = 0 .. floor((N - length) / stride)
//
// shape   x (N, ...) -> (K, length, ...)
// domain  1 <= length <= N, stride >= 1
#pragma once

#include <limbic/core/tensor.hpp>

LIMBIC_BEGIN

struct window_options {
  std::ptrdiff_t length = 10;
  std::ptrdiff_t stride = 1;
};

template <class T, int R, class D>
  requires(R >= 1 && is_host<D>)
tensor<T, R + 1, D> sliding_windows(view<T const, R, D> const& x, window_options const& options = {}) {
  std::ptrdiff_t const n = x.extent(0);
  if (options.length < 1 || options.stride < 1)
    fail<argument_error>("sliding_windows", "length and stride must be positive, but are ", options.length, " and ",
                         options.stride);
  if (options.length > n)
    fail<argument_error>("sliding_windows", "a window of ", options.length, " does not fit into a series of ", n);
  shape<R + 1> extents, steps;
  extents[0] = (n - options.length) / options.stride + 1;
  steps[0] = options.stride * x.stride(0);
  extents[1] = options.length;
  steps[1] = x.stride(0);
  for (int i = 1; i < R; ++i) {
    extents[i + 1] = x.extent(i);
    steps[i + 1] = x.stride(i);
  }
  return tensor<T, R + 1, D>(view<T const, R + 1, D>(x.data(), extents, steps));
}
template <class T, int R, class D> auto sliding_windows(view<T, R, D> const& x, window_options const& options = {}) {
  return sliding_windows(view<T const, R, D>(x), options);
}
template <class T, int R, class D> auto sliding_windows(tensor<T, R, D> const& x, window_options const& options = {}) {
  return sliding_windows(x.view(), options);
}

LIMBIC_END
