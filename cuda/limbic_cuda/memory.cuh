// limbic_cuda/memory.cuh - where tensors on a GPU get their bytes, and how numbers get there and back
//
//   tensor<float, 2, cuda> a = to_device(b);     a copy of a host tensor or view
//   tensor<float, 2> c = to_host(a);             and back; waits until what was launched before has ended
//   upload(a.view(), b); download(b.view(), a);  the same into memory that exists
//   synchronize();                               waits for this thread's stream
//
//   device_pool     GPU memory in size buckets, kept and reused: a training step asks the driver for nothing once its
//                   sizes have been seen. The links of its lists lie on the host, as the host cannot write the blocks.
//   use_stream      for its scope, this thread launches on another stream and takes memory from the pool named with it
//
// Everything is launched on the thread's current stream (the default stream unless use_stream says otherwise). A freed
// block goes to whoever asks next, while kernels that still read it may be under way: on one stream they come first, so
// that is safe. Streams that run at the same time therefore each need a pool of their own.
//
// What the headers in core/ do to elements (fill, copy, gather, generate) is overloaded here and found through the tag.
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/core/tensor.hpp>

#include <limbic_cuda/launch.cuh>

LIMBIC_BEGIN

// Reports what a call to the CUDA runtime answered: memory_error when there is no memory left, else device_error.
inline void cuda_check(cudaError_t answer, std::string_view where) {
  if (answer == cudaSuccess) return;
  if (answer == cudaErrorMemoryAllocation) fail<memory_error>(where, "the GPU has no memory left");
  fail<device_error>(where, cudaGetErrorName(answer), ": ", cudaGetErrorString(answer));
}

// The number of GPUs that can be used: 0 without a driver.
inline int device_count() {
  int n = 0;
  if (cudaGetDeviceCount(&n) == cudaSuccess) return n;
  (void)cudaGetLastError();  // an answer, not an error to come back at the next launch
  return 0;
}

class device_pool final : public memory {
 public:
  device_pool() = default;
  device_pool(device_pool const&) = delete;
  device_pool& operator=(device_pool const&) = delete;
  // Gives everything back to the driver; no tensor made from it may be left. The process-wide pools never come here.
  ~device_pool() {
    for (entry* e = chunks_; e != nullptr; e = erase(e)) (void)cudaFree(e->block);
    for (entry* e = spare_; e != nullptr;) e = erase(e);
    for (entry* list : free_)
      for (entry* e = list; e != nullptr;) e = erase(e);
  }

  void* allocate(std::size_t bytes) override {
    int const b = detail::size_buckets::of(bytes);
    lock_.lock();
    entry* const e = free_[b];
    if (e != nullptr) {
      free_[b] = e->next;
      e->next = spare_;
      spare_ = e;
    }
    lock_.unlock();
    return e != nullptr ? e->block : grow(detail::size_buckets::bytes(b));
  }

  void deallocate(void* p, std::size_t bytes) noexcept override {
    int const b = detail::size_buckets::of(bytes);
    lock_.lock();
    entry* const e = spare_;  // there is one for every block that is not in a list
    spare_ = e->next;
    e->block = p;
    e->next = free_[b];
    free_[b] = e;
    lock_.unlock();
  }

  // Bytes taken from the driver so far.
  std::size_t taken() const { return taken_; }

 private:
  struct entry {
    void* block;
    entry* next;
  };
  static constexpr std::size_t chunk = std::size_t{1} << 21, boundary = 256;

  static entry* erase(entry* e) {
    entry* const next = e->next;
    ::operator delete(e);
    return next;
  }
  static entry* make_entry() {
    void* const p = ::operator new(sizeof(entry), std::nothrow);
    if (p == nullptr) fail<memory_error>("device_pool", "the heap has no ", sizeof(entry), " bytes");
    return ::new (p) entry{nullptr, nullptr};
  }

  // Small blocks are cut from chunks of 2 MiB, as the driver is slow and rounds up. Growing is rare: it may hold the
  // lock for long.
  void* grow(std::size_t bytes) {
    std::size_t const rounded = (bytes + boundary - 1) / boundary * boundary;
    entry* const later = make_entry();  // for the day this block comes back
    entry* const whole = make_entry();
    lock_.lock();
    void* block = nullptr;
    bool used = false;
    cudaError_t answer = cudaSuccess;
    if (rounded > chunk / 4) {
      answer = take(whole, rounded);
      block = whole->block;
      used = true;
    } else {
      if (rounded > left_) {
        answer = take(whole, chunk);
        used = true;
        if (answer == cudaSuccess) {
          next_ = static_cast<unsigned char*>(whole->block);
          left_ = chunk;
        }
      }
      if (answer == cudaSuccess) {
        block = next_;
        next_ += rounded;
        left_ -= rounded;
      }
    }
    if (answer == cudaSuccess) {
      later->next = spare_;
      spare_ = later;
    }
    lock_.unlock();
    if (answer != cudaSuccess) ::operator delete(later);
    if (!used || answer != cudaSuccess) ::operator delete(whole);
    if (answer != cudaSuccess) (void)cudaGetLastError();
    cuda_check(answer, "device_pool");
    return block;
  }
  cudaError_t take(entry* e, std::size_t bytes) {
    cudaError_t const answer = cudaMalloc(&e->block, bytes);
    if (answer == cudaSuccess) {
      e->next = chunks_;
      chunks_ = e;
      taken_ += bytes;
    }
    return answer;
  }

  entry* free_[detail::size_buckets::count] = {};
  entry* spare_ = nullptr;
  entry* chunks_ = nullptr;
  unsigned char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t taken_ = 0;
  detail::short_lock lock_;
};

namespace detail {
inline constexpr int most_devices = 16;

struct stream_choice {
  cudaStream_t stream = nullptr;
  memory* from = nullptr;
};
inline stream_choice& current_choice() {
#if LIMBIC_THREADS
  thread_local stream_choice chosen;
#else
  static stream_choice chosen;
#endif
  return chosen;
}
}  // namespace detail

// The pool of the GPU that is current in this thread. Never destroyed, as the host's.
inline memory& current_device_pool() {
  int device = 0;
  cuda_check(cudaGetDevice(&device), "device_pool");
  if (device >= detail::most_devices)
    fail<device_error>("device_pool", "GPU ", device, " is beyond the ", detail::most_devices, " served");
  struct pools {
    alignas(device_pool) unsigned char bytes[detail::most_devices][sizeof(device_pool)];
    device_pool* made[detail::most_devices];
    pools() {
      for (int i = 0; i < detail::most_devices; ++i) made[i] = ::new (static_cast<void*>(bytes[i])) device_pool;
    }
    // The trivial destructor leaves the pools alive.
  };
  static pools all;
  return *all.made[device];
}

inline memory& current_memory(cuda) {
  if (memory* const chosen = detail::current_choice().from) return *chosen;
  return current_device_pool();
}

// The stream in which this thread's launches run.
inline cudaStream_t current_stream() { return detail::current_choice().stream; }

class use_stream {
 public:
  use_stream(cudaStream_t stream, memory& from) : before_(detail::current_choice()) {
    detail::current_choice() = {stream, &from};
  }
  ~use_stream() { detail::current_choice() = before_; }
  use_stream(use_stream const&) = delete;
  use_stream& operator=(use_stream const&) = delete;

 private:
  detail::stream_choice before_;
};

// Waits for everything this thread's stream was given, and reports what failed in it.
inline void synchronize() { cuda_check(cudaStreamSynchronize(current_stream()), "synchronize"); }

namespace detail {

inline constexpr unsigned threads_of_block = 256;

// One kernel on this thread's stream.
template <class... P, class... A>
void launch(std::string_view where, void (*kernel)(P...), unsigned blocks, unsigned threads, A const&... arguments) {
  cuda_launch(kernel, blocks, threads, current_stream(), arguments...);
  cuda_check(cudaGetLastError(), where);
}

// Enough blocks for n items, one a thread, but no more than keep any GPU busy: kernels walk on in steps of the grid.
inline unsigned blocks_for(std::ptrdiff_t n, std::ptrdiff_t per_block = static_cast<std::ptrdiff_t>(threads_of_block)) {
  std::ptrdiff_t const blocks = (n + per_block - 1) / per_block;
  return static_cast<unsigned>(blocks<1 ? 1 : blocks>(1 << 16) ? 1 << 16 : blocks);
}

__device__ inline std::ptrdiff_t first_item() {
  return static_cast<std::ptrdiff_t>(blockIdx.x) * static_cast<std::ptrdiff_t>(blockDim.x) +
         static_cast<std::ptrdiff_t>(threadIdx.x);
}
__device__ inline std::ptrdiff_t item_step() {
  return static_cast<std::ptrdiff_t>(gridDim.x) * static_cast<std::ptrdiff_t>(blockDim.x);
}

template <class T> __global__ void fill_kernel(T* to, std::ptrdiff_t n, T value) {
  for (std::ptrdiff_t i = first_item(); i < n; i += item_step()) to[i] = value;
}

template <class T, int R> __global__ void gather_kernel(T* to, T const* from, std::ptrdiff_t n, shape<R> extents,
                                                        shape<R> strides) {
  for (std::ptrdiff_t i = first_item(); i < n; i += item_step()) {
    std::ptrdiff_t left = i, offset = 0;
    for (int a = R - 1; a >= 0; --a) {
      offset += left % extents[a] * strides[a];
      left /= extents[a];
    }
    to[i] = from[offset];
  }
}

template <class T, class F> __global__ void generate_kernel(T* to, std::ptrdiff_t n, F f) {
  for (std::ptrdiff_t i = first_item(); i < n; i += item_step()) to[i] = f.at(i, T());
}

// A copy in either direction, or within the GPU: CUDA tells by the addresses.
inline void copy_bytes(void* to, void const* from, std::size_t bytes, std::string_view where) {
  if (bytes == 0) return;
  cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, current_stream()), where);
}

// What the caller may change or read as soon as the call returns: host memory.
inline bool lies_on_gpu(void const* p) {
  cudaPointerAttributes about{};
  cuda_check(cudaPointerGetAttributes(&about, p), "copy");
  return about.type == cudaMemoryTypeDevice;
}

}  // namespace detail

template <class T> void fill_elements(cuda, T* to, std::ptrdiff_t n, T value) {
  if (n <= 0) return;
  detail::launch("fill", &detail::fill_kernel<T>, detail::blocks_for(n), detail::threads_of_block, to, n, value);
}

// `from` may lie on the host (the values of a tensor's initialiser list do).
template <class T> void copy_elements(cuda, T* to, T const* from, std::ptrdiff_t n) {
  if (n <= 0) return;
  detail::copy_bytes(to, from, static_cast<std::size_t>(n) * sizeof(T), "copy");
  if (!detail::lies_on_gpu(from)) synchronize();
}

template <class T, int R>
void gather_elements(cuda, T* to, T const* from, shape<R> const& extents, shape<R> const& strides) {
  std::ptrdiff_t const n = extents.size();
  if (n <= 0) return;
  detail::launch("gather", &detail::gather_kernel<T, R>, detail::blocks_for(n), detail::threads_of_block, to, from, n,
                 extents, strides);
}

template <class T, class F> void generate_elements(cuda, T* out, std::ptrdiff_t n, F const& f) {
  if (n <= 0) return;
  detail::launch("generate", &detail::generate_kernel<T, F>, detail::blocks_for(n), detail::threads_of_block, out, n,
                 f);
}

// Copies between host and GPU, into what exists: the GPU's side is contiguous. Both wait, so that the host's side may
// be changed or read at once.
template <class T, int R, class H>
  requires is_host<H>
void upload(view<T, R, cuda> to, view<T const, R, H> from) {
  if (!(to.shape() == from.shape()))
    fail<shape_error>("upload", "a host tensor of shape ", from.shape(), " does not fill ", to.shape());
  if (!to.is_contiguous())
    fail<shape_error>("upload", "the view of shape ", to.shape(), " on the GPU is not contiguous");
  if (!from.is_contiguous()) {
    tensor<T, R, H> const packed(from);
    return upload(to, packed.view());
  }
  detail::copy_bytes(to.data(), from.data(), static_cast<std::size_t>(to.size()) * sizeof(T), "upload");
  synchronize();
}
template <class T, int R, class H>
  requires is_host<H>
void download(view<T, R, H> to, view<T const, R, cuda> from) {
  if (!(to.shape() == from.shape()))
    fail<shape_error>("download", "a tensor of shape ", from.shape(), " on the GPU does not fill ", to.shape());
  if (!to.is_contiguous())
    fail<shape_error>("download", "the view of shape ", to.shape(), " on the host is not contiguous");
  if (!from.is_contiguous()) {
    tensor<T, R, cuda> const packed(from);
    return download(to, packed.view());
  }
  detail::copy_bytes(to.data(), from.data(), static_cast<std::size_t>(to.size()) * sizeof(T), "download");
  synchronize();
}

template <class T, int R, class H>
  requires is_host<H>
tensor<std::remove_const_t<T>, R, cuda> to_device(view<T, R, H> from) {
  using E = std::remove_const_t<T>;
  tensor<E, R, cuda> result(from.shape(), uninitialized);
  upload(result.view(), view<E const, R, H>(from));
  return result;
}
template <class T, int R, class H>
  requires is_host<H>
tensor<T, R, cuda> to_device(tensor<T, R, H> const& from) {
  return to_device(from.view());
}

template <class H = default_device, class T, int R>
  requires is_host<H>
tensor<std::remove_const_t<T>, R, H> to_host(view<T, R, cuda> from) {
  using E = std::remove_const_t<T>;
  tensor<E, R, H> result(from.shape(), uninitialized);
  download(result.view(), view<E const, R, cuda>(from));
  return result;
}
template <class H = default_device, class T, int R>
  requires is_host<H>
tensor<T, R, H> to_host(tensor<T, R, cuda> const& from) {
  return to_host<H>(from.view());
}

LIMBIC_END
