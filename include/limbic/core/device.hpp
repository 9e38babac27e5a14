// limbic/core/device.hpp - where numbers lie and which loops run over them
//
// A device is a tag type, part of a tensor's type, so that the verbs are chosen by overload and compile side by side:
//
//   scalar   host memory, plain C++ loops: no dependency but the standard library
//   simd     host memory, xsimd loops
//   cuda     GPU memory, launches (limbic_cuda/)
#pragma once

#include <limbic/config.hpp>

namespace limbic {

struct scalar {};
struct simd {};
struct cuda {};

// The device of tensors that name none.
using default_device = LIMBIC_DEFAULT_BACKEND;

// Whether a device computes in host memory, so that the CPU may look at elements.
template <class D> inline constexpr bool is_host = false;
template <> inline constexpr bool is_host<scalar> = true;
template <> inline constexpr bool is_host<simd> = true;

}  // namespace limbic
