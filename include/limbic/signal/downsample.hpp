// limbic/signal/downsample.hpp - shorter sequences before a warping: means of neighbours, or every k-th sample
//
//   downsample(x, k)          y_t = mean of x_{kt} ... x_{kt+k-1}; the last mean is of what is left
//   slice(x, 1, 0, T, k)      every k-th sample (ops/slice.hpp)
//
// shape   (B, T, C) -> (B, ceil(T / k), C)
// adjoint a composition of ops
#pragma once

#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/ops/slice.hpp>
#include <limbic/ops/sum.hpp>

LIMBIC_BEGIN

template <operand X> auto downsample(X const& x, std::ptrdiff_t factor) {
  static_assert(rank_of<X> == 3, "limbic: downsample takes sequences (B, T, C)");
  auto const s = x.shape();
  if (factor < 1) fail<argument_error>("downsample", "the factor must be at least 1, but is ", factor);
  if (s[1] < 1) fail<shape_error>("downsample", "a sequence needs at least one step, but x is ", s);
  std::ptrdiff_t const groups = s[1] / factor, whole = groups * factor;
  auto const means = [&] { return mean(reshape(slice(x, 1, 0, whole), s[0], groups, factor, s[2]), 2); };
  auto const rest = [&] { return mean(slice(x, 1, whole, s[1]), 1, keepdim); };
  if (whole == s[1]) return means();
  if (groups == 0) return rest();
  return concatenate(1, means(), rest());
}

LIMBIC_END
