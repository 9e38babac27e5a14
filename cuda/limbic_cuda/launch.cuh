// limbic_cuda/launch.cuh - the one place that includes CUDA and launches
//
// cuda/emulator/ has a file of this name that runs kernels on the CPU, so that what they compute can be checked without
// a GPU: put it before this folder on the include path.
#pragma once

#include <limbic/config.hpp>

#include <cuda_runtime.h>

LIMBIC_BEGIN
namespace detail {

template <class... P, class... A>
void cuda_launch(void (*kernel)(P...), unsigned blocks, unsigned threads, cudaStream_t stream, A const&... arguments) {
  kernel<<<blocks, threads, 0, stream>>>(arguments...);
}

}  // namespace detail
LIMBIC_END
