// emulator/limbic_cuda/launch.cuh - kernels on the CPU, so that what they compute is checked where there is no GPU
//
// Stands in for cuda/limbic_cuda/launch.cuh: with this folder first on the include path, an ordinary C++ compiler and
// -DLIMBIC_CUDA_EMULATED=1, the same headers and test programs run here.
//
//   blocks     one after another, in a random order
//   threads    of a block: each runs until it comes to __syncthreads, in a random order that changes at every barrier, so
//              that a missing barrier shows. A barrier that some threads never reach ends the program.
//   memory     of the "GPU" can be touched by kernels and copies only: host code that does so crashes, as it should. New
//              memory is filled with NaN.
//
// What it cannot show: how the compiler for the GPU rounds (it fuses more), and races between two barriers whose outcome
// depends on interleaving finer than whole threads.
#pragma once

#include <limbic/config.hpp>

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#define __global__
#define __device__
#define __shared__ static  // blocks run one at a time
#define __grid_constant__
#define __launch_bounds__(threads)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

// ---- the runtime ---------------------------------------------------------------------------------------------------

enum cudaError_t { cudaSuccess = 0, cudaErrorMemoryAllocation = 2 };
enum cudaMemcpyKind { cudaMemcpyDefault };
enum cudaMemoryType { cudaMemoryTypeUnregistered, cudaMemoryTypeHost, cudaMemoryTypeDevice };
struct cudaPointerAttributes {
  cudaMemoryType type;
};
using cudaStream_t = void*;

namespace cuda_emulator {

// All memory of the "GPU", closed to the host unless `open` lives.
class device_memory {
 public:
  static device_memory& get() {
    static device_memory only;
    return only;
  }
  void* take(std::size_t bytes) {
    std::size_t const rounded = (bytes + page - 1) / page * page;
    if (used_ + rounded > capacity) return nullptr;
    char* const p = base_ + used_;
    used_ += rounded;
    protect(PROT_READ | PROT_WRITE);
    std::memset(p, 0xFF, rounded);
    protect(PROT_NONE);
    return p;
  }
  bool holds(void const* p) const { return p >= base_ && p < base_ + capacity; }
  void protect(int how) {
    if (used_ > 0 && mprotect(base_, used_, how) != 0) std::abort();
  }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 30, page = 4096;
  device_memory() {
    void* const p = mmap(nullptr, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) std::abort();
    base_ = static_cast<char*>(p);
  }
  char* base_ = nullptr;
  std::size_t used_ = 0;
};
struct open {
  open() { device_memory::get().protect(PROT_READ | PROT_WRITE); }
  ~open() { device_memory::get().protect(PROT_NONE); }
  open(open const&) = delete;
  open& operator=(open const&) = delete;
};

// The threads of one block as fibers. A fiber takes one thread after another until one of them waits at a barrier; the
// next fiber then takes the rest.
class block_runner {
 public:
  static block_runner& get() {
    static block_runner only;
    return only;
  }
  void run(std::function<void()> const& kernel, unsigned threads) {
    kernel_ = &kernel;
    pending_.clear();
    for (unsigned t = 0; t < threads; ++t) pending_.push_back(t);
    shuffle(pending_);
    finished_ = 0;
    std::vector<std::size_t> waiting, next;
    while (!pending_.empty()) {  // up to the first barrier
      std::size_t const f = free_fiber();
      resume(f);
      if (fibers_[f]->waits) waiting.push_back(f);
    }
    meet(waiting.size());
    while (!waiting.empty()) {
      finished_ = 0;
      shuffle(waiting);
      next.clear();
      for (std::size_t const f : waiting) {
        resume(f);
        if (fibers_[f]->waits) next.push_back(f);
      }
      meet(next.size());
      waiting.swap(next);
    }
  }
  void barrier() {
    fiber& me = *fibers_[current_];
    me.waits = true;
    swapcontext(&me.context, &scheduler_);
    threadIdx.x = me.thread;
  }

 private:
  struct fiber {
    ucontext_t context{};
    std::vector<char> stack = std::vector<char>(std::size_t{1} << 18);
    unsigned thread = 0;
    bool waits = false, busy = false;
  };

  std::size_t free_fiber() {
    for (std::size_t f = 0; f < fibers_.size(); ++f)
      if (!fibers_[f]->busy) return start(f);
    fibers_.push_back(new fiber);  // kept for the program's life
    return start(fibers_.size() - 1);
  }
  std::size_t start(std::size_t f) {
    fiber& it = *fibers_[f];
    it.busy = true;
    getcontext(&it.context);
    it.context.uc_stack.ss_sp = it.stack.data();
    it.context.uc_stack.ss_size = it.stack.size();
    it.context.uc_link = &scheduler_;
    makecontext(&it.context, &body, 0);
    return f;
  }
  void resume(std::size_t f) {
    current_ = f;
    fibers_[f]->waits = false;
    swapcontext(&scheduler_, &fibers_[f]->context);
    if (!fibers_[f]->waits) fibers_[f]->busy = false;
  }
  static void body() {
    block_runner& r = get();
    fiber& me = *r.fibers_[r.current_];
    bool met = false;
    while (!r.pending_.empty() && !met) {
      me.thread = r.pending_.back();
      r.pending_.pop_back();
      threadIdx.x = me.thread;
      std::size_t const before = r.rounds_;
      (*r.kernel_)();
      ++r.finished_;
      met = r.rounds_ != before;  // it waited: the rest has been taken by others
    }
  }
  void meet(std::size_t waiting) {
    ++rounds_;
    if (waiting > 0 && finished_ > 0) {
      std::fprintf(stderr, "cuda emulator: %zu threads wait at a barrier that %zu others never reach\n", waiting,
                   finished_);
      std::abort();
    }
  }
  template <class V> void shuffle(V& v) {
    for (std::size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[next() % i]);
  }
  std::size_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::size_t>(state_);
  }

  std::function<void()> const* kernel_ = nullptr;
  std::vector<fiber*> fibers_;
  std::vector<unsigned> pending_;
  ucontext_t scheduler_{};
  std::size_t current_ = 0, finished_ = 0, rounds_ = 0;
  std::uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

inline void run_grid(std::function<void()> const& kernel, unsigned blocks, unsigned threads) {
  open const memory;
  gridDim = {blocks, 1, 1};
  blockDim = {threads, 1, 1};
  for (unsigned b = 0; b < blocks; ++b) {
    blockIdx.x = b % 2 == 0 ? b / 2 : blocks - 1 - b / 2;  // from both ends: no order may be relied upon
    block_runner::get().run(kernel, threads);
  }
}

}  // namespace cuda_emulator

inline void __syncthreads() { cuda_emulator::block_runner::get().barrier(); }

inline cudaError_t cudaGetDeviceCount(int* n) { return *n = 1, cudaSuccess; }
inline cudaError_t cudaGetDevice(int* n) { return *n = 0, cudaSuccess; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline char const* cudaGetErrorName(cudaError_t) { return "cudaErrorMemoryAllocation"; }
inline char const* cudaGetErrorString(cudaError_t) { return "out of memory"; }
inline cudaError_t cudaStreamCreate(cudaStream_t* s) { return *s = nullptr, cudaSuccess; }
inline cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  *p = cuda_emulator::device_memory::get().take(bytes);
  return *p != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFree(void*) { return cudaSuccess; }
inline cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
  cuda_emulator::open const memory;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* about, void const* p) {
  about->type = cuda_emulator::device_memory::get().holds(p) ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}

LIMBIC_BEGIN
namespace detail {

template <class... P, class... A>
void cuda_launch(void (*kernel)(P...), unsigned blocks, unsigned threads, cudaStream_t, A const&... arguments) {
  cuda_emulator::run_grid([&] { kernel(arguments...); }, blocks, threads);
}

}  // namespace detail
LIMBIC_END
