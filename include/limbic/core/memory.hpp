// limbic/core/memory.hpp - where tensors and tapes get their bytes
//
//   memory         the abstract source: allocate(bytes) -> 64-byte aligned, deallocate(pointer, the same bytes)
//   host_pool()    the default: process-wide, immortal, keeps what it gets in size buckets behind a short lock, so that
//                  a training step takes nothing from the heap once its sizes have been seen
//   fixed_buffer   one buffer of the caller's, cut up and reused in the same way: no heap at all
//   use_memory     for its scope, what this thread creates comes from another memory:
//
//     fixed_buffer arena(bytes, size);
//     use_memory use(arena);
//     tape t;
#pragma once

#include <limbic/core/device.hpp>
#include <limbic/core/shape.hpp>

#include <bit>
#include <cstring>
#include <new>
#if LIMBIC_THREADS
#include <atomic>
#endif

namespace limbic {

inline constexpr std::size_t alignment = 64;  // bytes: a cache line, and the widest SIMD register

class memory {
 public:
  virtual void* allocate(std::size_t bytes) = 0;  // never null; memory_error when there is no more
  // Gives back what allocate gave for the same number of bytes.
  virtual void deallocate(void* p, std::size_t bytes) noexcept = 0;

 protected:
  ~memory() = default;
};

}  // namespace limbic

LIMBIC_BEGIN

namespace detail {

// Four sizes to each power of two, so that at most 25 % is lost: 64, 80, 96, 112 | 128, 160, 192, 224 | ...
struct size_buckets {
  static constexpr int count = 4 * static_cast<int>(sizeof(std::size_t) * 8 - 7);

  static int of(std::size_t bytes) {
    std::size_t const units = (bytes < alignment ? alignment : bytes) - 1;
    int const power = static_cast<int>(std::bit_width(units)) - 7;  // 0 for 64 < bytes <= 128; -1 up to 64
    if (power < 0) return 0;
    return 1 + 4 * power + static_cast<int>((units >> (power + 4)) & 3U);
  }
  static std::size_t bytes(int b) {
    if (b == 0) return alignment;
    std::size_t const power = static_cast<std::size_t>((b - 1) / 4), quarter = static_cast<std::size_t>((b - 1) % 4);
    return (5 + quarter) << (power + 4);
  }
};

// Held for a few instructions: spinning beats sleeping.
class short_lock {
 public:
#if LIMBIC_THREADS
  void lock() noexcept {
    while (busy_.test_and_set(std::memory_order_acquire))
      while (busy_.test(std::memory_order_relaxed)) {}
  }
  void unlock() noexcept { busy_.clear(std::memory_order_release); }

 private:
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
#else
  void lock() noexcept {}
  void unlock() noexcept {}
#endif
};

}  // namespace detail

// Blocks in buckets by size. A freed block waits in its bucket's list, whose links lie in the blocks themselves.
class bucket_memory : public memory {
 public:
  void* allocate(std::size_t bytes) final {
    int const b = detail::size_buckets::of(bytes);
    lock_.lock();
    void* p = free_[b];
    if (p != nullptr) std::memcpy(&free_[b], p, sizeof(void*));
    lock_.unlock();
    return p != nullptr ? p : grow(detail::size_buckets::bytes(b));
  }

  void deallocate(void* p, std::size_t bytes) noexcept final {
    int const b = detail::size_buckets::of(bytes);
    lock_.lock();
    std::memcpy(p, &free_[b], sizeof(void*));
    free_[b] = p;
    lock_.unlock();
  }

 protected:
  bucket_memory() = default;
  bucket_memory(bucket_memory const&) = delete;
  bucket_memory& operator=(bucket_memory const&) = delete;
  ~bucket_memory() = default;

  virtual void* grow(std::size_t bytes) = 0;

 private:
  void* free_[detail::size_buckets::count] = {};
  detail::short_lock lock_;
};

#if LIMBIC_POOL
// The buckets of host_pool, filled from the heap.
class heap_pool final : public bucket_memory {
  void* grow(std::size_t bytes) override {
    void* const p = ::operator new(bytes, std::align_val_t(alignment), std::nothrow);
    if (p == nullptr) fail<memory_error>("memory", "the heap has no ", bytes, " bytes");
    return p;
  }
};

// Never destroyed: a tensor of static storage duration may give its bytes back after any destructor has run.
inline memory& host_pool() {
  alignas(heap_pool) static unsigned char storage[sizeof(heap_pool)];
  static memory* const pool = ::new (static_cast<void*>(storage)) heap_pool;
  return *pool;
}
#endif

class fixed_buffer final : public bucket_memory {
 public:
  // `data` must outlive every tensor and tape made from it.
  fixed_buffer(void* data, std::size_t bytes)
      : next_(static_cast<unsigned char*>(data)), end_(next_ + bytes), size_(bytes) {
    auto const rest = reinterpret_cast<std::uintptr_t>(data) % alignment;
    if (rest != 0) next_ += alignment - rest;
  }

  // The bytes that were never handed out.
  std::size_t untouched() const { return next_ < end_ ? static_cast<std::size_t>(end_ - next_) : 0; }

 private:
  void* grow(std::size_t bytes) override {
    std::size_t const rounded = (bytes + alignment - 1) / alignment * alignment;
    if (rounded > untouched())
      fail<memory_error>("memory", "a fixed_buffer of ", size_, " bytes has ", untouched(), " left, but ", rounded,
                         " are needed");
    void* const p = next_;
    next_ += rounded;
    return p;
  }
  unsigned char* next_;
  unsigned char* end_;
  std::size_t size_;
};

namespace detail {
inline memory*& chosen_memory() {
#if LIMBIC_THREADS
  thread_local memory* chosen = nullptr;
#else
  static memory* chosen = nullptr;
#endif
  return chosen;
}
}  // namespace detail

// The memory that new tensors of a device come from, in this thread.
template <class D>
  requires is_host<D>
memory& current_memory(D) {
  if (memory* const chosen = detail::chosen_memory()) return *chosen;
#if LIMBIC_POOL
  return host_pool();
#else
  fail<memory_error>("memory", "this build has no pool (LIMBIC_POOL=0): name a fixed_buffer with use_memory");
#endif
}

class use_memory {
 public:
  explicit use_memory(memory& m) : before_(detail::chosen_memory()) { detail::chosen_memory() = &m; }
  ~use_memory() { detail::chosen_memory() = before_; }
  use_memory(use_memory const&) = delete;
  use_memory& operator=(use_memory const&) = delete;

 private:
  memory* before_;
};

// What a tensor does to its own elements; a device with other memory overloads these three.
template <class D, class T>
  requires is_host<D>
LIMBIC_NOINLINE void fill_elements(D, T* to, std::ptrdiff_t n, T value) {
  for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = value;
}

// n elements to other memory of the same device.
template <class D, class T>
  requires is_host<D>
void copy_elements(D, T* to, T const* from, std::ptrdiff_t n) {
  if (n > 0) std::memcpy(static_cast<void*>(to), from, static_cast<std::size_t>(n) * sizeof(T));
}

// Row-major order of `from`'s elements into contiguous memory, whatever the strides.
template <class D, class T, int R>
  requires is_host<D>
void gather_elements(D, T* to, T const* from, shape<R> const& extents, shape<R> const& strides) {
  std::ptrdiff_t const n = extents.size();
  shape<R> at;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    std::ptrdiff_t offset = 0;
    for (int k = 0; k < R; ++k) offset += at[k] * strides[k];
    to[i] = from[offset];
    for (int k = R - 1; k >= 0 && ++at[k] == extents[k]; --k) at[k] = 0;
  }
}

LIMBIC_END
