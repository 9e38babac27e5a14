// limbic/infer.hpp in one file, written by tools/amalgamate.py from include/limbic/infer.hpp.
// Do not edit: change the headers and run the tool.
//
// MIT License
//
// Copyright (c) 2026 The limbic authors
//
// Permission is hereby granted, free of charge, to any person obtaining a copy
// of this software and associated documentation files (the "Software"), to deal
// in the Software without restriction, including without limitation the rights
// to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
// copies of the Software, and to permit persons to whom the Software is
// furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all
// copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
// IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
// FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
// AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
// LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
// OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
// SOFTWARE.
#pragma once

// ---- limbic/config.hpp -------------------------------------------------------------------------------------------
// limbic/config.hpp - the only reader of compiler macros and of the LIMBIC_* options
//
// Options a user may define before the first include (or on the command line), each 0 or 1 unless said otherwise:
//
//   LIMBIC_SIMD             use xsimd                           default: 1 where <xsimd/xsimd.hpp> is found
//   LIMBIC_OPENMP           threads through OpenMP              default: 1 where the compiler has it on
//   LIMBIC_THREADS          the program may have threads        default: 1; 0 drops locks and thread_local (firmware)
//   LIMBIC_EXCEPTIONS       errors are thrown                   default: 1 where the compiler has exceptions
//   LIMBIC_CHECK            2: elements are bounds-checked too, 1: shapes and arguments are checked     default: 1
//   LIMBIC_DEFAULT_BACKEND  the device of tensors that name none: simd or scalar      default: simd where LIMBIC_SIMD
//   LIMBIC_POOL             tensors come from a pool on the heap  default: 1; 0: from the caller's fixed_buffer only
//   LIMBIC_FORCE_INLINE     small members are always inlined    default: 1; 0: the compiler decides, so that code without
//                           optimisation compiles faster and can be stepped through; all objects of a program agree

#include <cstddef>
#include <cstdint>

// The version, to be compared: LIMBIC_VERSION >= 100 is 0.1.0 or newer.
#define LIMBIC_VERSION_MAJOR 0
#define LIMBIC_VERSION_MINOR 1
#define LIMBIC_VERSION_PATCH 0
#define LIMBIC_VERSION (LIMBIC_VERSION_MAJOR * 10000 + LIMBIC_VERSION_MINOR * 100 + LIMBIC_VERSION_PATCH)

#ifndef LIMBIC_SIMD
#if defined(__has_include)
#if __has_include(<xsimd/xsimd.hpp>)
#define LIMBIC_SIMD 1
#endif
#endif
#endif
#ifndef LIMBIC_SIMD
#define LIMBIC_SIMD 0
#endif

#ifndef LIMBIC_OPENMP
#ifdef _OPENMP
#define LIMBIC_OPENMP 1
#else
#define LIMBIC_OPENMP 0
#endif
#endif

#ifndef LIMBIC_THREADS
#define LIMBIC_THREADS 1
#endif

#ifndef LIMBIC_EXCEPTIONS
#ifdef __cpp_exceptions
#define LIMBIC_EXCEPTIONS 1
#else
#define LIMBIC_EXCEPTIONS 0
#endif
#endif

#ifndef LIMBIC_CHECK
#define LIMBIC_CHECK 1
#endif

#ifndef LIMBIC_POOL
#define LIMBIC_POOL 1
#endif

#ifndef LIMBIC_FORCE_INLINE
#define LIMBIC_FORCE_INLINE 1
#endif

#ifndef LIMBIC_DEFAULT_BACKEND
#if LIMBIC_SIMD
#define LIMBIC_DEFAULT_BACKEND simd
#else
#define LIMBIC_DEFAULT_BACKEND scalar
#endif
#endif

// A function that runs on the CPU and, under nvcc, on the GPU too. Where cuda/emulator/ stands in for a GPU, all runs on
// the CPU, and device code is all there is.
#ifdef __CUDACC__
#define LIMBIC_CUDA 1
#define LIMBIC_HD __host__ __device__
#elif defined(LIMBIC_CUDA_EMULATED)
#define LIMBIC_CUDA 1
#define LIMBIC_HD
#else
#define LIMBIC_CUDA 0
#define LIMBIC_HD
#endif

// True while the device half of a .cu file is compiled.
#if defined(__CUDA_ARCH__) || defined(LIMBIC_CUDA_EMULATED)
#define LIMBIC_ON_GPU 1
#else
#define LIMBIC_ON_GPU 0
#endif

// A function that is inlined always, unless LIMBIC_FORCE_INLINE is 0.
#if !LIMBIC_FORCE_INLINE
#define LIMBIC_INLINE inline
#elif defined(__GNUC__)
#define LIMBIC_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define LIMBIC_INLINE __forceinline
#else
#define LIMBIC_INLINE inline
#endif

// What compilers call: never inlined, and rarely run; never inlined; the only pointer to its elements.
#if defined(__GNUC__)
#define LIMBIC_COLD __attribute__((noinline, cold))
#define LIMBIC_NOINLINE __attribute__((noinline))
#define LIMBIC_RESTRICT __restrict__
#elif defined(_MSC_VER)
#define LIMBIC_COLD __declspec(noinline)
#define LIMBIC_NOINLINE __declspec(noinline)
#define LIMBIC_RESTRICT __restrict
#else
#define LIMBIC_COLD
#define LIMBIC_NOINLINE
#define LIMBIC_RESTRICT
#endif

// A system where a file's data can be forced to the disk before the file is renamed.
#if defined(__unix__) || defined(__APPLE__)
#define LIMBIC_POSIX 1
#else
#define LIMBIC_POSIX 0
#endif

// The register file a GEMM micro-kernel may plan with: 32 SIMD registers on AVX-512 and on 64-bit Arm, else 16.
#if defined(__AVX512F__) || defined(__aarch64__)
#define LIMBIC_SIMD_REGISTERS 32
#else
#define LIMBIC_SIMD_REGISTERS 16
#endif

// xsimd 8.1 has no fused multiply-add for AVX-512, and clang does not contract x * y + z by itself.
#if defined(__AVX512F__) && defined(__clang__)
#define LIMBIC_AVX512_FMA_BY_HAND 1
#else
#define LIMBIC_AVX512_FMA_BY_HAND 0
#endif

// g++ on x86 takes a loaded pack apart again: see in_register in math/pack.hpp.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define LIMBIC_KEEP_IN_REGISTER(x) asm("" : "+v"(x))
#else
#define LIMBIC_KEEP_IN_REGISTER(x) static_cast<void>(x)
#endif

// Whether a third party's warnings can be switched off by `#pragma GCC diagnostic`.
#if defined(__GNUC__) && !defined(__clang__)
#define LIMBIC_GCC_PRAGMAS 1
#else
#define LIMBIC_GCC_PRAGMAS 0
#endif

// Before a loop of few and constant rounds over an array that is to live in registers. Without it g++ 12 unrolls such
// loops at -O3 alone, and clang 14 unrolls long ones too late for the array to leave memory. nvcc knows no such pragma.
#if defined(__CUDACC__)
#define LIMBIC_UNROLL
#elif defined(__clang__)
#define LIMBIC_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define LIMBIC_UNROLL _Pragma("GCC unroll 16")
#else
#define LIMBIC_UNROLL
#endif

// Everything that holds code lives in an inline namespace that names how it was compiled, so that translation units
// built with different flags link safely. Only plain data (shape, view, tensor, parameter, dual, memory, the error
// types), whose members are always inlined, stays outside and crosses from one to the other.
#if defined(__AVX512FP16__)
#define LIMBIC_ABI_ISA avx512fp16
#elif defined(__AVX512F__)
#define LIMBIC_ABI_ISA avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define LIMBIC_ABI_ISA avx2fma
#elif defined(__AVX2__)
#define LIMBIC_ABI_ISA avx2
#elif defined(__AVX__)
#define LIMBIC_ABI_ISA avx
#elif defined(__SSE4_1__)
#define LIMBIC_ABI_ISA sse41
#elif defined(__SSE2__)
#define LIMBIC_ABI_ISA sse2
#elif defined(__ARM_FEATURE_SVE)
#define LIMBIC_ABI_ISA sve
#elif defined(__ARM_NEON)
#define LIMBIC_ABI_ISA neon
#else
#define LIMBIC_ABI_ISA generic
#endif
#ifdef __FAST_MATH__
#define LIMBIC_ABI_FAST 1
#else
#define LIMBIC_ABI_FAST 0
#endif
#define LIMBIC_PASTE_(isa, simd, omp, thr, exc, chk, fast) \
  v1_##isa##_simd##simd##_omp##omp##_thr##thr##_exc##exc##_chk##chk##_fast##fast
#define LIMBIC_PASTE(isa, simd, omp, thr, exc, chk, fast) LIMBIC_PASTE_(isa, simd, omp, thr, exc, chk, fast)
#define LIMBIC_ABI                                                                                          \
  LIMBIC_PASTE(LIMBIC_ABI_ISA, LIMBIC_SIMD, LIMBIC_OPENMP, LIMBIC_THREADS, LIMBIC_EXCEPTIONS, LIMBIC_CHECK, \
               LIMBIC_ABI_FAST)

// Around everything that holds code.
#define LIMBIC_BEGIN \
  namespace limbic { \
  inline namespace LIMBIC_ABI {
#define LIMBIC_END \
  }                \
  }
// ---- limbic/core/device.hpp --------------------------------------------------------------------------------------
// limbic/core/device.hpp - where numbers lie and which loops run over them
//
// A device is a tag type, part of a tensor's type, so that the verbs are chosen by overload and compile side by side:
//
//   scalar   host memory, plain C++ loops: no dependency but the standard library
//   simd     host memory, xsimd loops
//   cuda     GPU memory, launches (limbic_cuda/)

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
// ---- limbic/core/check.hpp ---------------------------------------------------------------------------------------
// limbic/core/check.hpp - errors: what was expected, what came, and which op says so
//
//   fail<shape_error>("matmul", "columns of a ", a.shape(), " must equal rows of b ", b.shape());
//   -> shape_error: [matmul] columns of a (32, 64) must equal rows of b (128, 10)
//
// With exceptions the error is thrown. Without them (-fno-exceptions, firmware) the same text reaches the handler set
// by set_error_handler, then the program aborts. Messages are built in a fixed buffer: failing allocates nothing here.
//
//   name      of each type of error, what the handler is told: "shape_error"

#include <cstdlib>
#include <exception>
#include <string_view>
#include <type_traits>

namespace limbic {

// The text of an error, cut at its capacity.
class text {
 public:
  LIMBIC_INLINE constexpr text() = default;
  // What was added so far, ended by a zero.
  LIMBIC_INLINE constexpr char const* c_str() const { return data_; }
  // The same as a view.
  LIMBIC_INLINE constexpr std::string_view view() const { return {data_, size_}; }

  // At the end; what has no room is dropped.
  LIMBIC_INLINE constexpr text& add(char c) {
    if (size_ + 1 < capacity) data_[size_++] = c;
    return *this;
  }
  LIMBIC_INLINE constexpr text& add(std::string_view s) {
    for (char c : s) add(c);
    return *this;
  }

 private:
  static constexpr std::size_t capacity = 480;
  char data_[capacity] = {};
  std::size_t size_ = 0;
};

// The base of every error limbic reports. The types are shared by all translation units, however they were compiled.
class error : public std::exception {
 public:
  LIMBIC_INLINE explicit error(text const& t) : text_(t) {}
  char const* what() const noexcept override { return text_.c_str(); }

 private:
  text text_;
};

struct shape_error : error {  // extents that do not fit together
  static constexpr std::string_view name = "shape_error";
  using error::error;
};
struct argument_error : error {  // an option or an argument outside its domain
  static constexpr std::string_view name = "argument_error";
  using error::error;
};
struct index_error : error {  // an index, a label or an axis out of range
  static constexpr std::string_view name = "index_error";
  using error::error;
};
struct tape_error : error {  // a use that the tape's state does not allow
  static constexpr std::string_view name = "tape_error";
  using error::error;
};
struct anomaly_error : error {  // a value or a gradient that is not finite, where a tape was told to look for them
  static constexpr std::string_view name = "anomaly_error";
  using error::error;
};
struct memory_error : error {  // no memory left
  static constexpr std::string_view name = "memory_error";
  using error::error;
};
struct device_error : error {  // a GPU that is missing, or that refused or failed what it was asked to do
  static constexpr std::string_view name = "device_error";
  using error::error;
};
struct io_error : error {  // a file that can't be read, written or understood
  static constexpr std::string_view name = "io_error";
  using error::error;
};

// What set_error_handler takes: a function of the name of the error type and of the message.
using error_handler = void (*)(char const* kind, char const* message);

}  // namespace limbic

LIMBIC_BEGIN

namespace detail {

template <class T> concept has_extents = requires(T const& s) {
  T::rank;
  s[0];
};

template <class I> void append_integer(text& t, I value) {
  char digits[24];
  int n = 0;
  bool negative = false;
  if constexpr (std::is_signed_v<I>) negative = value < 0;
  auto left = negative ? 0ULL - static_cast<unsigned long long>(value) : static_cast<unsigned long long>(value);
  do {
    digits[n++] = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (negative) t.add('-');
  while (n > 0) t.add(digits[--n]);
}

// Six significant digits are enough for a message; <cstdio> would cost firmware more than this loop.
inline void append_real(text& t, double value) {
  if (value != value) {
    t.add("nan");
    return;
  }
  if (value < 0) t.add('-');
  double left = value < 0 ? -value : value;
  if (left > 1.7976931348623157e308) {
    t.add("inf");
    return;
  }
  int exponent = 0;
  if (left >= 1e6 || (left > 0 && left < 1e-4)) {
    while (left >= 10) left /= 10, ++exponent;
    while (left < 1) left *= 10, --exponent;
    if (left > 9.9999995) left = 1, ++exponent;  // 1e-9 must not come out as 9.999999e-10
  }
  auto const whole = static_cast<unsigned long long>(left);
  append_integer(t, whole);
  auto fraction = static_cast<unsigned long long>((left - static_cast<double>(whole)) * 1e6 + 0.5);
  if (fraction >= 1000000) fraction = 999999;
  if (fraction > 0) {
    t.add('.');
    for (unsigned long long scale = 100000; scale > 0 && fraction > 0; scale /= 10) {
      t.add(static_cast<char>('0' + fraction / scale));
      fraction %= scale;
    }
  }
  if (exponent != 0) {
    t.add('e');
    append_integer(t, exponent);
  }
}

// Text and shapes are most of what messages are made of: one copy of each loop, not one for each message.
LIMBIC_COLD inline void append_text(text& t, std::string_view s) { t.add(s); }
template <class T> LIMBIC_COLD void append_extents(text& t, T const& extents) {
  t.add('(');
  for (int i = 0; i < T::rank; ++i) {
    if (i > 0) append_text(t, ", ");
    append_integer(t, extents[i]);
  }
  t.add(')');
}

template <class T> void append(text& t, T const& part) {
  if constexpr (std::is_same_v<T, bool>) {
    append_text(t, part ? "true" : "false");
  } else if constexpr (std::is_same_v<T, char>) {
    t.add(part);
  } else if constexpr (std::is_integral_v<T>) {
    append_integer(t, part);
  } else if constexpr (std::is_floating_point_v<T>) {
    append_real(t, static_cast<double>(part));
  } else if constexpr (has_extents<T>) {
    append_extents(t, part);
  } else {
    append_text(t, part);
  }
}

inline error_handler& current_error_handler() {
  static error_handler handler = nullptr;
  return handler;
}

template <class Error> [[noreturn]] LIMBIC_COLD void raise(text const& t) {
#if LIMBIC_EXCEPTIONS
  throw Error(t);
#else
  if (auto const handler = current_error_handler()) handler(Error::name.data(), t.c_str());
  std::abort();
#endif
}

}  // namespace detail

// Where errors go when exceptions are off; a null pointer restores a plain abort. Returns the handler before.
inline error_handler set_error_handler(error_handler handler) {
  error_handler const before = detail::current_error_handler();
  detail::current_error_handler() = handler;
  return before;
}

// Reports an error of the given type: "[op] parts...". Parts are text, numbers and shapes.
template <class Error, class... Parts>
[[noreturn]] LIMBIC_COLD void fail(std::string_view op, Parts const&... parts) {
  text t;
  t.add('[');
  detail::append_text(t, op);
  detail::append_text(t, "] ");
  (detail::append(t, parts), ...);
  detail::raise<Error>(t);
}

LIMBIC_END
// ---- limbic/core/shape.hpp ---------------------------------------------------------------------------------------
// limbic/core/shape.hpp - the extents of a tensor: the rank is part of the type, the extents are values

namespace limbic {

template <int R> struct shape {
  static constexpr int rank = R;               // the number of axes
  std::ptrdiff_t extents[R > 0 ? R : 1] = {};  // from the first axis to the last

  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t operator[](int axis) const { return extents[axis]; }
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t& operator[](int axis) { return extents[axis]; }

  // The number of elements; 1 at rank 0.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t size() const {
    std::ptrdiff_t n = 1;
    for (int i = 0; i < R; ++i) n *= extents[i];
    return n;
  }

  friend LIMBIC_HD LIMBIC_INLINE constexpr bool operator==(shape const& a, shape const& b) {
    for (int i = 0; i < R; ++i)
      if (a.extents[i] != b.extents[i]) return false;
    return true;
  }
};

template <class... I>
  requires(std::is_integral_v<I> && ...)
shape(I...) -> shape<static_cast<int>(sizeof...(I))>;

}  // namespace limbic

LIMBIC_BEGIN

// An axis counted from the front, or from the back when negative, as in PyTorch; index_error outside [-rank, rank).
constexpr int normalize_axis(std::string_view op, int axis, int rank) {
  if (axis < -rank || axis >= rank) fail<index_error>(op, "axis ", axis, " does not exist in a tensor of rank ", rank);
  return axis < 0 ? axis + rank : axis;
}

// The shape two operands broadcast to: aligned at the last axis, an extent of 1 stretches (NumPy's rule).
template <int A, int B>
constexpr shape<(A > B ? A : B)> broadcast(std::string_view op, shape<A> const& a, shape<B> const& b) {
  constexpr int R = A > B ? A : B;
  shape<R> result;
  for (int i = 0; i < R; ++i) {
    std::ptrdiff_t const m = i < R - A ? 1 : a[i - (R - A)];
    std::ptrdiff_t const n = i < R - B ? 1 : b[i - (R - B)];
    if (m != n && m != 1 && n != 1) fail<shape_error>(op, "shapes ", a, " and ", b, " do not broadcast");
    result[i] = m == 1 ? n : m;
  }
  return result;
}

// The shape a reshape means: the extent given as -1 takes what is left. shape_error when the sizes differ.
template <int R, int S> constexpr shape<S> resolve_reshape(shape<R> const& from, shape<S> to) {
  std::ptrdiff_t known = 1;
  int open = -1;
  for (int i = 0; i < S; ++i) {
    if (to[i] == -1 && open < 0) open = i;
    else if (to[i] < 0)
      fail<shape_error>("reshape", "extents must be non-negative, with at most one -1, but came ", to);
    else known *= to[i];
  }
  shape<S> const asked = to;
  if (open >= 0) to[open] = known == 0 ? 0 : from.size() / known;
  if (to.size() != from.size()) fail<shape_error>("reshape", "shape ", from, " does not have the elements of ", asked);
  return to;
}

LIMBIC_END
// ---- limbic/core/memory.hpp --------------------------------------------------------------------------------------
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
// ---- limbic/core/view.hpp ----------------------------------------------------------------------------------------
// limbic/core/view.hpp - a window onto elements that somebody else owns: pointer, extents, strides (in elements)
//
// A view is cheap to copy and never allocates. slice, permute, reshape and broadcast_to give other windows onto the
// same elements. A default-constructed view is null: it stands for an operand that was not given, or for a gradient
// that nobody wants.

namespace limbic {

template <class T, int R, class D = default_device> class view {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  // element_type is const where elements may only be read.
  using value_type = std::remove_const_t<T>;
  using element_type = T;
  using device = D;
  static constexpr int rank = R;

  constexpr view() = default;
  LIMBIC_HD LIMBIC_INLINE constexpr view(T* data, limbic::shape<R> const& extents) : data_(data), shape_(extents) {
    std::ptrdiff_t step = 1;
    for (int i = R - 1; i >= 0; --i) {
      strides_[i] = step;
      step *= shape_[i];
    }
  }
  LIMBIC_HD LIMBIC_INLINE constexpr view(T* data, limbic::shape<R> const& extents, limbic::shape<R> const& strides)
      : data_(data), shape_(extents), strides_(strides) {}
  // A view of const elements from one of mutable ones.
  template <class U>
    requires(std::is_same_v<T, U const>)
  LIMBIC_HD LIMBIC_INLINE constexpr view(view<U, R, D> const& v)
      : data_(v.data()), shape_(v.shape()), strides_(v.strides()) {}

  // The first element; null for a null view.
  LIMBIC_HD LIMBIC_INLINE constexpr T* data() const { return data_; }
  // Extents of all axes.
  LIMBIC_HD LIMBIC_INLINE constexpr limbic::shape<R> const& shape() const { return shape_; }
  // Elements from one index to the next, for each axis.
  LIMBIC_HD LIMBIC_INLINE constexpr limbic::shape<R> const& strides() const { return strides_; }
  // The extent of one axis, counted from the front.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t extent(int axis) const { return shape_[axis]; }
  // The stride of one axis.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t stride(int axis) const { return strides_[axis]; }
  // The number of elements; 1 at rank 0.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t size() const { return shape_.size(); }
  // Whether there is no element.
  LIMBIC_HD LIMBIC_INLINE constexpr bool empty() const { return size() == 0; }
  LIMBIC_HD LIMBIC_INLINE explicit constexpr operator bool() const { return data_ != nullptr; }

  // True when the elements lie one after another in row-major order.
  LIMBIC_HD LIMBIC_INLINE constexpr bool is_contiguous() const {
    std::ptrdiff_t step = 1;
    for (int i = R - 1; i >= 0; --i) {
      if (shape_[i] != 1 && strides_[i] != step) return false;
      step *= shape_[i];
    }
    return true;
  }

  template <class... I>
    requires(sizeof...(I) == R && (std::is_integral_v<I> && ...))
  LIMBIC_HD LIMBIC_INLINE constexpr T& operator()(I... indices) const {
    limbic::shape<R> const at{{static_cast<std::ptrdiff_t>(indices)...}};
    std::ptrdiff_t offset = 0;
    for (int i = 0; i < R; ++i) {
#if LIMBIC_CHECK > 1 && !LIMBIC_ON_GPU
      if (at[i] < 0 || at[i] >= shape_[i])
        limbic::fail<index_error>("view", "element ", at, " lies outside of shape ", shape_);
#endif
      offset += at[i] * strides_[i];
    }
    return data_[offset];
  }

  // The i-th sub-view along the first axis: rows of a matrix, images of a batch.
  LIMBIC_HD LIMBIC_INLINE constexpr view<T, (R > 0 ? R - 1 : 0), D> operator[](std::ptrdiff_t i) const
    requires(R > 0)
  {
    limbic::shape<R - 1> extents, steps;
    for (int k = 1; k < R; ++k) {
      extents[k - 1] = shape_[k];
      steps[k - 1] = strides_[k];
    }
    return {data_ + i * strides_[0], extents, steps};
  }

  // Elements begin, begin + step, ... below end along one axis. A view without data stays one.
  LIMBIC_INLINE constexpr view slice(int axis, std::ptrdiff_t begin, std::ptrdiff_t end,
                                     std::ptrdiff_t step = 1) const {
    axis = normalize_axis("slice", axis, R);
    if (begin < 0 || end < begin || end > shape_[axis] || step < 1)
      fail<index_error>("slice", "range ", begin, " to ", end, " step ", step, " does not lie in axis ", axis, " of ",
                        shape_);
    view v = *this;
    if (data_ != nullptr) v.data_ += begin * strides_[axis];
    v.shape_[axis] = (end - begin + step - 1) / step;
    v.strides_[axis] *= step;
    return v;
  }

  // Axes in another order: axis i of the result is axis order[i] of this.
  LIMBIC_INLINE constexpr view permute(limbic::shape<R> const& order) const {
    view v = *this;
    unsigned seen = 0;
    for (int i = 0; i < R; ++i) {
      int const from = normalize_axis("permute", static_cast<int>(order[i]), R);
      seen |= 1U << from;
      v.shape_[i] = shape_[from];
      v.strides_[i] = strides_[from];
    }
    if (seen != (1U << R) - 1U) fail<argument_error>("permute", "order ", order, " does not name every axis once");
    return v;
  }

  // The last two axes exchanged.
  LIMBIC_INLINE constexpr view transpose() const
    requires(R >= 2)
  {
    view v = *this;
    v.shape_[R - 2] = shape_[R - 1];
    v.shape_[R - 1] = shape_[R - 2];
    v.strides_[R - 2] = strides_[R - 1];
    v.strides_[R - 1] = strides_[R - 2];
    return v;
  }

  // The same elements under another shape; one extent may be -1. Only for contiguous views: copy others first.
  template <int S> LIMBIC_INLINE constexpr view<T, S, D> reshape(limbic::shape<S> const& to) const {
    if (!is_contiguous())
      fail<shape_error>("reshape", "a view of shape ", shape_, " with strides ", strides_, " is not contiguous");
    return {data_, limbic::resolve_reshape(shape_, to)};
  }

  // Stretches extents of 1 and adds leading axes (stride 0) until the shape fits.
  template <int S> LIMBIC_INLINE constexpr view<T, S, D> broadcast_to(limbic::shape<S> const& to) const {
    static_assert(S >= R, "limbic: broadcast_to cannot drop axes");
    limbic::shape<S> steps;
    for (int i = 0; i < S; ++i) {
      int const from = i - (S - R);
      if (from >= 0 && shape_[from] != to[i] && shape_[from] != 1)
        fail<shape_error>("broadcast_to", "shape ", shape_, " does not broadcast to ", to);
      steps[i] = from < 0 || (shape_[from] == 1 && to[i] != 1) ? 0 : strides_[from];
    }
    return {data_, to, steps};
  }

  // An axis of extent 1 inserted before `axis`.
  LIMBIC_INLINE constexpr view<T, R + 1, D> unsqueeze(int axis) const {
    axis = normalize_axis("unsqueeze", axis, R + 1);
    limbic::shape<R + 1> extents, steps;
    for (int i = 0, k = 0; i <= R; ++i) {
      extents[i] = i == axis ? 1 : shape_[k];
      steps[i] = i == axis ? 0 : strides_[k];
      if (i != axis) ++k;
    }
    return {data_, extents, steps};
  }

  // The same elements seen from another device that shares their memory.
  template <class E>
    requires(is_host<D> && is_host<E>)
  LIMBIC_INLINE constexpr view<T, R, E> on(E) const {
    return {data_, shape_, strides_};
  }

 private:
  T* data_ = nullptr;
  limbic::shape<R> shape_;
  limbic::shape<R> strides_;
};

}  // namespace limbic
// ---- limbic/core/tensor.hpp --------------------------------------------------------------------------------------
// limbic/core/tensor.hpp - an owning, contiguous, 64-byte aligned array of static rank and dynamic extents
//
//   tensor<float, 2> a({2, 3});                    zeros
//   tensor<float, 2> b({2, 3}, {1, 2, 3, 4, 5, 6});  row by row
//   tensor<float, 2> c(v);                         the elements of a view, strided or not
//
// Copies are deep. The memory is the one current where the tensor is made (see memory.hpp), and goes back there.

#include <initializer_list>
#include <utility>

namespace limbic {

// Asks for a tensor whose elements are not set.
struct uninitialized_t {};
inline constexpr uninitialized_t uninitialized{};  // tensor(shape, uninitialized): the elements are not set

template <class T, int R, class D = default_device> class tensor {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  static constexpr int rank = R;

  LIMBIC_INLINE tensor() {}
  LIMBIC_INLINE tensor(limbic::shape<R> const& extents, uninitialized_t) { allocate(extents); }
  LIMBIC_INLINE explicit tensor(limbic::shape<R> const& extents, T value = T(0)) {
    allocate(extents);
    fill_elements(D{}, v_.data(), size(), value);
  }
  LIMBIC_INLINE tensor(limbic::shape<R> const& extents, std::initializer_list<T> values) {
    if (static_cast<std::ptrdiff_t>(values.size()) != extents.size())
      fail<shape_error>("tensor", values.size(), " values do not fill shape ", extents);
    allocate(extents);
    copy_elements(D{}, v_.data(), values.begin(), size());
  }
  LIMBIC_INLINE explicit tensor(limbic::view<T const, R, D> const& from) {
    allocate(from.shape());
    if (from.is_contiguous()) copy_elements(D{}, v_.data(), from.data(), size());
    else gather_elements(D{}, v_.data(), from.data(), from.shape(), from.strides());
  }
  LIMBIC_INLINE explicit tensor(limbic::view<T, R, D> const& from) : tensor(limbic::view<T const, R, D>(from)) {}
  LIMBIC_INLINE tensor(tensor const& other) : tensor(limbic::view<T const, R, D>(other.v_)) {}
  LIMBIC_INLINE tensor(tensor&& other) noexcept
      : v_(std::exchange(other.v_, limbic::view<T, R, D>())), owner_(std::exchange(other.owner_, nullptr)) {}
  LIMBIC_INLINE tensor& operator=(tensor const& other) {
    if (this == &other) return *this;
    if (owner_ != nullptr && shape() == other.shape())  // keep the address: optimisers and captured views rely on it
      copy_elements(D{}, v_.data(), other.v_.data(), size());
    else *this = tensor(other);
    return *this;
  }
  LIMBIC_INLINE tensor& operator=(tensor&& other) noexcept {
    std::swap(v_, other.v_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  LIMBIC_INLINE ~tensor() {
    if (owner_ != nullptr) owner_->deallocate(v_.data(), bytes());
  }

  // The first element; the others follow in row-major order.
  LIMBIC_INLINE T* data() { return v_.data(); }
  LIMBIC_INLINE T const* data() const { return v_.data(); }
  // Extents of all axes.
  LIMBIC_INLINE limbic::shape<R> const& shape() const { return v_.shape(); }
  // The extent of one axis, counted from the front.
  LIMBIC_INLINE std::ptrdiff_t extent(int axis) const { return v_.extent(axis); }
  // The number of elements; 1 at rank 0.
  LIMBIC_INLINE std::ptrdiff_t size() const { return v_.size(); }
  // Whether there is no element.
  LIMBIC_INLINE bool empty() const { return size() == 0; }

  // A window onto all elements; it must not outlive the tensor.
  LIMBIC_INLINE limbic::view<T, R, D> view() { return v_; }
  LIMBIC_INLINE limbic::view<T const, R, D> view() const { return v_; }
  LIMBIC_INLINE operator limbic::view<T, R, D>() { return v_; }
  LIMBIC_INLINE operator limbic::view<T const, R, D>() const { return v_; }

  template <class... I>
    requires(sizeof...(I) == R && (std::is_integral_v<I> && ...) && is_host<D>)
  LIMBIC_INLINE T& operator()(I... i) {
    return v_(i...);
  }
  template <class... I>
    requires(sizeof...(I) == R && (std::is_integral_v<I> && ...) && is_host<D>)
  LIMBIC_INLINE T const& operator()(I... i) const {
    return v_(i...);
  }
  // Contiguous elements, so that `for (float x : a)` works on the CPU.
  LIMBIC_INLINE T* begin()
    requires is_host<D>
  {
    return v_.data();
  }
  // Behind the last element.
  LIMBIC_INLINE T* end()
    requires is_host<D>
  {
    return v_.data() + size();
  }
  LIMBIC_INLINE T const* begin() const
    requires is_host<D>
  {
    return v_.data();
  }
  LIMBIC_INLINE T const* end() const
    requires is_host<D>
  {
    return v_.data() + size();
  }

 private:
  LIMBIC_INLINE std::size_t bytes() const { return static_cast<std::size_t>(size()) * sizeof(T); }
  LIMBIC_INLINE void allocate(limbic::shape<R> const& extents) {
    for (int i = 0; i < R; ++i)
      if (extents[i] < 0) fail<shape_error>("tensor", "extents must not be negative, but came ", extents);
    // An empty tensor has no elements, but it is not null: it owns the smallest block.
    memory& from = current_memory(D{});
    v_ = limbic::view<T, R, D>(static_cast<T*>(from.allocate(static_cast<std::size_t>(extents.size()) * sizeof(T))),
                               extents);
    owner_ = &from;
  }

  limbic::view<T, R, D> v_;
  memory* owner_ = nullptr;
};

}  // namespace limbic
// ---- limbic/core/parameter.hpp -----------------------------------------------------------------------------------
// limbic/core/parameter.hpp - what training changes: a value and the gradient that backward passes add up in it
//
// The first contribution after clear_gradient() assigns, later ones add: nobody fills zeros. Two threads that train one
// parameter at the same time race on its gradient: give each thread a copy of the model, and add the gradients.

namespace limbic {

template <class T, int R, class D = default_device> class parameter {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  static constexpr int rank = R;

  tensor<T, R, D> value;  // what the model computes with
  bool trainable = true;  // false: frozen; no gradient is computed, no optimiser touches it

  LIMBIC_INLINE parameter() {}
  LIMBIC_INLINE explicit parameter(limbic::shape<R> const& extents) : value(extents) {}
  LIMBIC_INLINE explicit parameter(tensor<T, R, D> initial) : value(std::move(initial)) {}
  LIMBIC_INLINE parameter(parameter const& other) : value(other.value), trainable(other.trainable) {}
  LIMBIC_INLINE parameter(parameter&&) noexcept = default;
  LIMBIC_INLINE parameter& operator=(parameter const& other) {  // the value; a gradient belongs to its own model
    value = other.value;
    trainable = other.trainable;
    has_gradient_ = false;
    return *this;
  }
  LIMBIC_INLINE parameter& operator=(parameter&&) noexcept = default;
  LIMBIC_INLINE ~parameter() = default;

  // Extents of the value.
  LIMBIC_INLINE limbic::shape<R> const& shape() const { return value.shape(); }
  // Elements of the value.
  LIMBIC_INLINE std::ptrdiff_t size() const { return value.size(); }

  // False until a backward pass has reached this parameter since the gradient was last cleared.
  LIMBIC_INLINE bool has_gradient() const { return has_gradient_; }
  // Forgets the gradient and keeps its memory.
  LIMBIC_INLINE void clear_gradient() const { has_gradient_ = false; }
  // What backward passes have added up since; tape_error where none has been here.
  LIMBIC_INLINE limbic::view<T const, R, D> gradient() const {
    if (!has_gradient_) fail<tape_error>("parameter", "no backward pass has reached this parameter of shape ", shape());
    return gradient_.view();
  }
  // For backward passes and optimisers: storage of the value's shape, unset unless has_gradient().
  LIMBIC_INLINE limbic::view<T, R, D> gradient_storage() const {
    if (gradient_.data() == nullptr || !(gradient_.shape() == value.shape())) {
      gradient_ = tensor<T, R, D>(value.shape(), uninitialized);
      has_gradient_ = false;
    }
    return gradient_.view();
  }
  // For backward passes: the storage now holds a gradient.
  LIMBIC_INLINE void set_has_gradient() const { has_gradient_ = true; }

 private:
  // Mutable, since a model is const while it computes: a backward pass changes gradients, never values.
  mutable tensor<T, R, D> gradient_;
  mutable bool has_gradient_ = false;
};

}  // namespace limbic
// ---- limbic/core/random.hpp --------------------------------------------------------------------------------------
// limbic/core/random.hpp - counter-based random numbers: Philox4x32-10
//
//   Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//
// Word i of a stream is a pure function of (seed, stream, i), so element i of a fill is the same on every device and for
// any number of threads. Uniforms are in [0, 1): 24 bits of one word (float) or 53 bits of two (double). Normals come
// in pairs from two uniforms (Box and Muller 1958), evaluated in double on every device.
//
//   rng random{.seed = 7};
//   random.uniform(a.view());                 each fill continues where the last one stopped
//   rng other = random.split(3);              an independent stream, e.g. one for each epoch or thread

#include <cmath>

LIMBIC_BEGIN

// Four random words.
struct philox_block {
  std::uint32_t word[4];  // any value, equally likely
};

// The four words that belong to a counter.
LIMBIC_HD constexpr philox_block philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  auto const low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  auto const high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::uint32_t c0 = low(counter), c1 = high(counter), c2 = low(stream), c3 = high(stream);
  std::uint32_t k0 = low(seed), k1 = high(seed);
  for (int round = 0; round < 10; ++round) {
    std::uint64_t const p0 = std::uint64_t{0xD2511F53U} * c0;
    std::uint64_t const p1 = std::uint64_t{0xCD9E8D57U} * c2;
    c0 = high(p1) ^ c1 ^ k0;
    c1 = low(p1);
    c2 = high(p0) ^ c3 ^ k1;
    c3 = low(p0);
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

namespace detail {
LIMBIC_HD constexpr double uniform53(std::uint32_t a, std::uint32_t b) {
  return (static_cast<double>(a >> 5) * 67108864.0 + static_cast<double>(b >> 6)) * (1.0 / 9007199254740992.0);
}
}  // namespace detail

// Element i of a fill that starts at `position`. Elements use a whole number of words, so fills can be cut anywhere.
struct uniform_element {
  std::uint64_t seed, stream, position;  // as those of rng
  double low, high;                      // of the interval
  // Element i.
  template <class T> LIMBIC_HD constexpr T at(std::ptrdiff_t i, T) const {
    double u = 0;
    if constexpr (sizeof(T) == 4) {
      auto const n = position + static_cast<std::uint64_t>(i);
      u = static_cast<double>(philox(seed, stream, n / 4).word[n % 4] >> 8) * (1.0 / 16777216.0);
      auto const x = static_cast<T>(low + (high - low) * u);
      return x < static_cast<T>(high) || !(low < high) ? x : static_cast<T>(low);  // rounding must not reach `high`
    } else {
      auto const n = position + 2 * static_cast<std::uint64_t>(i);
      auto const block = philox(seed, stream, n / 4);
      std::uint64_t const first = n % 4;
      auto const next = first < 3 ? block.word[first < 3 ? first + 1 : 0] : philox(seed, stream, n / 4 + 1).word[0];
      u = detail::uniform53(block.word[first], next);
      return low + (high - low) * u;
    }
  }
};

struct normal_element {                  // four words for a pair of elements
  std::uint64_t seed, stream, position;  // as those of rng
  double mean, deviation;                // of the distribution
  // Element i.
  template <class T> LIMBIC_HD T at(std::ptrdiff_t i, T) const {
    auto const block = philox(seed, stream, position / 4 + static_cast<std::uint64_t>(i) / 2);
    double const u = 1.0 - detail::uniform53(block.word[0], block.word[1]);  // in (0, 1]
    double const angle = 6.283185307179586476925 * detail::uniform53(block.word[2], block.word[3]);
    double const radius = ::sqrt(-2.0 * ::log(u));
    return static_cast<T>(mean + deviation * radius * (i % 2 == 0 ? ::cos(angle) : ::sin(angle)));
  }
};

// out[i] = f.at(i) over contiguous memory; a device with other memory overloads it. The generator is long: one copy will do.
template <class D, class T, class F>
  requires is_host<D>
LIMBIC_NOINLINE void generate_elements(D, T* out, std::ptrdiff_t n, F const& f) {
  for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = f.at(i, T());
}

struct rng {
  // Which numbers, which of their independent streams, and the place in it.
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t position = 0;  // words taken so far; with seed and stream, all there is to save

  template <class T, int R, class D> void uniform(view<T, R, D> out, double low = 0, double high = 1) {
    static_assert(std::is_floating_point_v<T>);
    generate_elements(D{}, contiguous("uniform", out), out.size(), uniform_element{seed, stream, position, low, high});
    advance(out.size() * static_cast<std::ptrdiff_t>(sizeof(T) / 4));
  }
  template <class T, int R, class D> void uniform(tensor<T, R, D>& out, double low = 0, double high = 1) {
    uniform(out.view(), low, high);
  }
  template <class T, int R, class D> void normal(view<T, R, D> out, double mean = 0, double deviation = 1) {
    static_assert(std::is_floating_point_v<T>);
    generate_elements(D{}, contiguous("normal", out), out.size(),
                      normal_element{seed, stream, position, mean, deviation});
    advance((out.size() + 1) / 2 * 4);
  }
  template <class T, int R, class D> void normal(tensor<T, R, D>& out, double mean = 0, double deviation = 1) {
    normal(out.view(), mean, deviation);
  }

  // A random order of 0 .. n-1 (Fisher and Yates, from the back).
  template <class I, class D>
    requires(std::is_integral_v<I> && is_host<D>)
  void permutation(view<I, 1, D> out) {
    for (std::ptrdiff_t i = 0; i < out.size(); ++i) out(i) = static_cast<I>(i);
    for (std::ptrdiff_t i = out.size() - 1; i > 0; --i) {
      auto const other = static_cast<std::ptrdiff_t>(below(static_cast<std::uint64_t>(i) + 1));
      std::swap(out(i), out(other));
    }
  }
  template <class I, class D> void permutation(tensor<I, 1, D>& out) { permutation(out.view()); }

  // One uniform integer in [0, n): the high half of a 64x64-bit product (Lemire 2019, without the rejection step: its
  // bias is below n / 2^64).
  std::uint64_t below(std::uint64_t n) {
    auto const block = philox(seed, stream, position / 4);
    advance(4);
    std::uint64_t const word = (std::uint64_t{block.word[1]} << 32) | block.word[0];
    std::uint64_t const nl = n & 0xFFFFFFFFU, nh = n >> 32, wl = word & 0xFFFFFFFFU, wh = word >> 32;
    std::uint64_t const middle = wh * nl + ((wl * nl) >> 32);
    return wh * nh + (middle >> 32) + ((wl * nh + (middle & 0xFFFFFFFFU)) >> 32);
  }
  // One uniform number in [0, 1).
  double uniform() {
    auto const block = philox(seed, stream, position / 4);
    advance(4);
    return detail::uniform53(block.word[0], block.word[1]);
  }
  // One standard normal number.
  double normal() {
    double const x = normal_element{seed, stream, position, 0, 1}.at(0, double());
    advance(4);
    return x;
  }

  // For checkpoints.
  void each(auto&& f) {
    f("seed", seed);
    f("stream", stream);
    f("position", position);
  }

  // An independent stream of the same seed. The same id gives the same stream.
  rng split(std::uint64_t id) const {
    auto const block = philox(seed ^ 0x6C696D626963ULL, stream, id);
    return {.seed = seed, .stream = (std::uint64_t{block.word[1]} << 32) | block.word[0], .position = 0};
  }

 private:
  // Positions stay multiples of four words: every fill starts at a block of its own.
  void advance(std::ptrdiff_t words) { position += (static_cast<std::uint64_t>(words) + 3) / 4 * 4; }
  template <class T, int R, class D> static T* contiguous(std::string_view op, view<T, R, D> const& out) {
    if (!out.is_contiguous()) fail<shape_error>(op, "the view of shape ", out.shape(), " is not contiguous");
    return out.data();
  }
};

LIMBIC_END
// ---- limbic/nn/init.hpp ------------------------------------------------------------------------------------------
// limbic/nn/init.hpp - how parameters start, as torch.nn.init has it
//
//   init::kaiming_uniform(layer.weight, random);      a parameter, a tensor or a contiguous view is filled
//
//   uniform, normal, constant, zeros
//   xavier_uniform, xavier_normal       variance 2 gain^2 / (in + out)         Glorot and Bengio 2010
//   kaiming_uniform, kaiming_normal     variance gain^2 / in, or / out         He et al. 2015, arXiv:1502.01852
//   orthogonal                          orthonormal rows or columns, times gain; Saxe et al. 2014, arXiv:1312.6120
//
// in and out of a weight (out, in, k...) count the k... positions of a kernel too. A uniform distribution of variance
// v reaches to +-sqrt(3 v).

LIMBIC_BEGIN

namespace init {

// What a deviation is computed from: the inputs of a unit, or its outputs.
enum class fan { in, out };
// What follows the layer.
enum class nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

// What a nonlinearity takes from the spread of its input, to be made up for. `slope` is leaky_relu's.
inline double gain(nonlinearity f, double slope = 0.01) {
  switch (f) {
    case nonlinearity::tanh:
      return 5.0 / 3.0;
    case nonlinearity::relu:
      return std::sqrt(2.0);
    case nonlinearity::leaky_relu:
      return std::sqrt(2.0 / (1.0 + slope * slope));
    case nonlinearity::selu:
      return 0.75;
    default:
      return 1.0;
  }
}

namespace detail {

template <class T, int R, class D> view<T, R, D> writable(view<T, R, D> v) { return v; }
template <class T, int R, class D> view<T, R, D> writable(tensor<T, R, D>& t) { return t.view(); }
template <class T, int R, class D> view<T, R, D> writable(parameter<T, R, D>& p) { return p.value.view(); }

struct fans {
  double in = 1, out = 1;
};
template <int R> fans fans_of(std::string_view op, shape<R> const& s) {
  static_assert(R >= 2, "limbic: this initialiser is for weights (out, in, ...), of rank 2 or more");
  double positions = 1;
  for (int a = 2; a < R; ++a) positions *= static_cast<double>(s[a]);
  fans const f{static_cast<double>(s[1]) * positions, static_cast<double>(s[0]) * positions};
  if (!(f.in > 0 && f.out > 0)) fail<shape_error>(op, "a weight of shape ", s, " has no elements");
  return f;
}

}  // namespace detail

template <class W> void uniform(W&& w, rng& random, double low = 0, double high = 1) {
  random.uniform(detail::writable(w), low, high);
}
template <class W> void normal(W&& w, rng& random, double mean = 0, double deviation = 1) {
  random.normal(detail::writable(w), mean, deviation);
}
template <class W> void constant(W&& w, double value) {
  auto const to = detail::writable(w);
  using V = std::remove_const_t<decltype(to)>;
  if (!to.is_contiguous()) fail<shape_error>("constant", "the view of shape ", to.shape(), " is not contiguous");
  fill_elements(typename V::device(), to.data(), to.size(), static_cast<typename V::value_type>(value));
}
template <class W> void zeros(W&& w) { constant(w, 0); }

template <class W> void xavier_uniform(W&& w, rng& random, double g = 1) {
  auto const f = detail::fans_of("xavier_uniform", detail::writable(w).shape());
  double const bound = g * std::sqrt(6.0 / (f.in + f.out));
  uniform(w, random, -bound, bound);
}
template <class W> void xavier_normal(W&& w, rng& random, double g = 1) {
  auto const f = detail::fans_of("xavier_normal", detail::writable(w).shape());
  normal(w, random, 0, g * std::sqrt(2.0 / (f.in + f.out)));
}

struct kaiming_options {
  double slope = 0;                                 // of leaky_relu
  fan mode = fan::in;                               // in keeps the spread of values, out that of gradients
  nonlinearity follows = nonlinearity::leaky_relu;  // what comes behind the layer
};
namespace detail {
template <class W> double kaiming_deviation(std::string_view op, W& w, kaiming_options const& o) {
  auto const f = fans_of(op, writable(w).shape());
  return gain(o.follows, o.slope) / std::sqrt(o.mode == fan::in ? f.in : f.out);
}
}  // namespace detail
template <class W> void kaiming_uniform(W&& w, rng& random, kaiming_options const& o = {}) {
  double const bound = std::sqrt(3.0) * detail::kaiming_deviation("kaiming_uniform", w, o);
  uniform(w, random, -bound, bound);
}
template <class W> void kaiming_normal(W&& w, rng& random, kaiming_options const& o = {}) {
  normal(w, random, 0, detail::kaiming_deviation("kaiming_normal", w, o));
}

// A weight (out, k...) seen as a matrix whose shorter side's vectors are orthonormal, times g. Normal numbers made
// orthogonal by Gram and Schmidt's method run twice, in double: Q of a QR decomposition with a positive diagonal, so
// that every orientation is as likely.
template <class W> void orthogonal(W&& w, rng& random, double g = 1) {
  auto const to = detail::writable(w);
  using V = std::remove_const_t<decltype(to)>;
  using T = typename V::value_type;
  static_assert(V::rank >= 2, "limbic: orthogonal is for weights of rank 2 or more");
  if (!to.is_contiguous()) fail<shape_error>("orthogonal", "the view of shape ", to.shape(), " is not contiguous");
  if (to.size() == 0) fail<shape_error>("orthogonal", "a weight of shape ", to.shape(), " has no elements");
  std::ptrdiff_t const rows = to.extent(0), columns = to.size() / rows;
  bool const wide = rows < columns;
  std::ptrdiff_t const count = wide ? rows : columns, length = wide ? columns : rows;
  tensor<double, 2, scalar> q(shape<2>{{count, length}}, uninitialized);  // the vectors, one a row
  random.normal(q);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    double* const v = q.data() + i * length;
    for (int round = 0; round < 2; ++round)  // the second takes away what rounding left of the others
      for (std::ptrdiff_t j = 0; j < i; ++j) {
        double const* const u = q.data() + j * length;
        double along = 0;
        for (std::ptrdiff_t k = 0; k < length; ++k) along += u[k] * v[k];
        for (std::ptrdiff_t k = 0; k < length; ++k) v[k] -= along * u[k];
      }
    double square = 0;
    for (std::ptrdiff_t k = 0; k < length; ++k) square += v[k] * v[k];
    double const scale = 1 / std::sqrt(square);
    for (std::ptrdiff_t k = 0; k < length; ++k) v[k] *= scale;
  }
  tensor<T, 2, scalar> result(shape<2>{{rows, columns}}, uninitialized);
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < columns; ++j) result(i, j) = static_cast<T>(g * (wide ? q(i, j) : q(j, i)));
  copy_elements(typename V::device(), to.data(), static_cast<T const*>(result.data()), to.size());
}

}  // namespace init

LIMBIC_END
// ---- limbic/backend/parallel.hpp ---------------------------------------------------------------------------------
// limbic/backend/parallel.hpp - work split over threads, in pieces that do not depend on how many threads there are
//
// Threads exist only where the compiler has OpenMP on (LIMBIC_OPENMP). Without it, inside another parallel region, or
// when there is but one piece of work, everything runs in the calling thread. The one header that uses OpenMP.

#if LIMBIC_OPENMP
#include <omp.h>
#endif

LIMBIC_BEGIN

namespace detail {
inline int& thread_limit() {
  static int limit = 0;  // 0: as many as OpenMP would take (OMP_NUM_THREADS, else the number of cores)
  return limit;
}
}  // namespace detail

// At most this many threads work on one verb; 0 leaves it to OpenMP. Set it before the work starts.
inline void set_threads(int n) {
  if (n < 0) fail<argument_error>("set_threads", "the number of threads must not be negative, but is ", n);
  detail::thread_limit() = n;
}

// How many threads a loop may use: what OpenMP says, 1 without it.
inline int threads() {
#if LIMBIC_OPENMP
  if (omp_in_parallel()) return 1;
  return detail::thread_limit() > 0 ? detail::thread_limit() : omp_get_max_threads();
#else
  return 1;
#endif
}

namespace detail {
// f(piece, number of the thread) for every piece, each thread a run of them: with few pieces, the first threads one each.
// All threads form one team, whatever the number of pieces: one of another size would be made and ended for every loop.
template <class F> void each_piece(std::ptrdiff_t pieces, [[maybe_unused]] int team, F const& f) {
#if LIMBIC_OPENMP
#pragma omp parallel num_threads(team)
  {
    int const thread = omp_get_thread_num();
    std::ptrdiff_t const members = omp_get_num_threads(), share = (pieces + members - 1) / members;
    for (std::ptrdiff_t p = thread * share; p < (thread + 1) * share && p < pieces; ++p) f(p, thread);
  }
#else
  for (std::ptrdiff_t p = 0; p < pieces; ++p) f(p, 0);
#endif
}

// What `make` gives, once for each thread, no two on one cache line.
template <class Make> class rooms {
  using room = decltype(std::declval<Make const&>()());
  struct alignas(alignment) place {
    room value;
  };

 public:
  rooms(int count, Make const& make) : rooms(count) {
    for (; made_ < count; ++made_) ::new (static_cast<void*>(places_ + made_)) place{make()};
  }
  ~rooms() {
    while (made_ > 0) places_[--made_].~place();
    from_.deallocate(places_, bytes_);
  }
  rooms(rooms const&) = delete;
  rooms& operator=(rooms const&) = delete;

  room& operator[](int thread) const { return places_[thread].value; }

 private:
  explicit rooms(int count)
      : from_(current_memory(scalar{})),
        bytes_(static_cast<std::size_t>(count) * sizeof(place)),
        places_(static_cast<place*>(from_.allocate(bytes_))) {}

  memory& from_;
  std::size_t bytes_;
  place* places_;
  int made_ = 0;
};
}  // namespace detail

// f(begin, end) over pieces of `grain` items that cover [0, n). The pieces are the same for any number of threads; f
// must not throw. What f takes from the pool is taken as often as threads happen to be in it at once, and a thread knows
// nothing of the memory that its caller uses: kernels take what they need by the second form.
template <class F> void parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, F const& f) {
  if (grain < 1) grain = 1;
  std::ptrdiff_t const pieces = (n + grain - 1) / grain;
  auto const piece = [&](std::ptrdiff_t p) { f(p * grain, (p + 1) * grain < n ? (p + 1) * grain : n); };
  if (int const team = pieces > 1 ? threads() : 1; team > 1)
    return detail::each_piece(pieces, team, [&](std::ptrdiff_t p, int) { piece(p); });
  for (std::ptrdiff_t p = 0; p < pieces; ++p) piece(p);
}

// f(begin, end, room) for pieces that need room to work in. Each thread has its own, from make(), and finds in it what
// its last piece left. The calling thread makes them all before the work starts: from the memory that it uses, the same
// number whatever happens when, and where there is no memory left, its caller hears of it.
template <class Make, class F>
void parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, Make const& make, F const& f) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  std::ptrdiff_t const pieces = (n + grain - 1) / grain;
  auto const piece = [&](std::ptrdiff_t p, auto& room) {
    f(p * grain, (p + 1) * grain < n ? (p + 1) * grain : n, room);
  };
  if (int const team = pieces > 1 ? threads() : 1; team > 1) {
    detail::rooms<Make> const room(pieces < team ? static_cast<int>(pieces) : team, make);
    return detail::each_piece(pieces, team, [&](std::ptrdiff_t p, int thread) { piece(p, room[thread]); });
  }
  auto room = make();
  for (std::ptrdiff_t p = 0; p < pieces; ++p) piece(p, room);
}

LIMBIC_END
// ---- limbic/backend/sink.hpp -------------------------------------------------------------------------------------
// limbic/backend/sink.hpp - where a verb writes: assign, add to what is there, or nowhere
//
// An adjoint writes into sinks: the first contribution to a gradient assigns, later ones add, and a gradient that
// nobody wants is a null view, on which every verb returns at once. Two sinks may be the same memory (mul(x, x)): an
// adjoint therefore writes them one verb at a time, through sink::next after the first.

namespace limbic {

template <class T, int R, class D = default_device> struct sink {
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  static constexpr int rank = R;

  limbic::view<T, R, D> to;  // null: nobody wants it
  bool add = false;          // to what is there, instead of assigning

  constexpr sink() = default;
  LIMBIC_HD LIMBIC_INLINE constexpr sink(limbic::view<T, R, D> const& v, bool accumulate = false)
      : to(v), add(accumulate) {}
  LIMBIC_HD LIMBIC_INLINE explicit constexpr operator bool() const { return static_cast<bool>(to); }
  // Extents, also where the view is null.
  LIMBIC_HD LIMBIC_INLINE constexpr limbic::shape<R> const& shape() const { return to.shape(); }
};

}  // namespace limbic

LIMBIC_BEGIN

// What may stand where a verb reads or writes: views, sinks, tensors.
template <class T, int R, class D> constexpr sink<T, R, D> as_sink(view<T, R, D> v) { return {v}; }
template <class T, int R, class D> constexpr sink<T, R, D> as_sink(sink<T, R, D> s) { return s; }
template <class T, int R, class D> sink<T, R, D> as_sink(tensor<T, R, D>& t) { return {t.view()}; }

// The elements, to be read.
template <class T, int R, class D> constexpr view<T const, R, D> as_view(view<T, R, D> v) { return v; }
template <class T, int R, class D> view<T const, R, D> as_view(tensor<T, R, D> const& t) { return t.view(); }
template <class T, int R, class D> view<T const, R, D> as_view(parameter<T, R, D> const& p) { return p.value.view(); }

LIMBIC_END
// ---- limbic/core/dual.hpp ----------------------------------------------------------------------------------------
// limbic/core/dual.hpp - dual numbers: a value and the derivative along one direction
//
//   dual(v, t) = v + t e,  e^2 = 0        so  f(v + t e) = f(v) + f'(v) t e
//
// T is a number or a SIMD pack. The same op source run on dual<T> yields the derivative of its forward (a Jacobian
// vector product) and of its adjoint (a Hessian-vector product). Comparisons look at the value alone.
//
// Members are plain constexpr: nvcc runs them on the device too, and refuses __host__ __device__ on packs.

namespace limbic {

template <class T> struct dual {
  T value{};    // v
  T tangent{};  // t, the derivative

  constexpr dual() = default;
  LIMBIC_INLINE constexpr dual(T v) : value(v), tangent(T(0)) {}  // a constant: derivative 0
  LIMBIC_INLINE constexpr dual(T v, T t) : value(v), tangent(t) {}
  template <class U>
    requires requires(U u) { T(u); }
  LIMBIC_INLINE explicit constexpr dual(U u) : value(from(u)), tangent(T(0)) {}

  // A pack is filled with its own number type, so that dual<pack>(0) converts without a warning.
  template <class U> static LIMBIC_INLINE constexpr T from(U u) {
    if constexpr (requires { static_cast<typename T::value_type>(u); })
      return T(static_cast<typename T::value_type>(u));
    else return T(u);
  }

  friend LIMBIC_INLINE constexpr dual operator+(dual a) { return a; }
  friend LIMBIC_INLINE constexpr dual operator-(dual a) { return {-a.value, -a.tangent}; }
  friend LIMBIC_INLINE constexpr dual operator+(dual a, dual b) { return {a.value + b.value, a.tangent + b.tangent}; }
  friend LIMBIC_INLINE constexpr dual operator-(dual a, dual b) { return {a.value - b.value, a.tangent - b.tangent}; }
  friend LIMBIC_INLINE constexpr dual operator*(dual a, dual b) {
    return {a.value * b.value, a.tangent * b.value + a.value * b.tangent};
  }
  friend LIMBIC_INLINE constexpr dual operator/(dual a, dual b) {
    T const q = a.value / b.value;
    return {q, (a.tangent - q * b.tangent) / b.value};
  }
  LIMBIC_INLINE constexpr dual& operator+=(dual b) { return *this = *this + b; }
  LIMBIC_INLINE constexpr dual& operator-=(dual b) { return *this = *this - b; }
  LIMBIC_INLINE constexpr dual& operator*=(dual b) { return *this = *this * b; }
  LIMBIC_INLINE constexpr dual& operator/=(dual b) { return *this = *this / b; }

  friend LIMBIC_INLINE constexpr auto operator==(dual a, dual b) { return a.value == b.value; }
  friend LIMBIC_INLINE constexpr auto operator!=(dual a, dual b) { return a.value != b.value; }
  friend LIMBIC_INLINE constexpr auto operator<(dual a, dual b) { return a.value < b.value; }
  friend LIMBIC_INLINE constexpr auto operator<=(dual a, dual b) { return a.value <= b.value; }
  friend LIMBIC_INLINE constexpr auto operator>(dual a, dual b) { return a.value > b.value; }
  friend LIMBIC_INLINE constexpr auto operator>=(dual a, dual b) { return a.value >= b.value; }
};

// Whether T is a dual number.
template <class T> inline constexpr bool is_dual = false;
template <class T> inline constexpr bool is_dual<dual<T>> = true;

// The plain number beneath: base_of<dual<float>> is float.
template <class T> struct base_of_ {
  using type = T;
};
template <class T> struct base_of_<dual<T>> {
  using type = T;
};
// The plain number beneath: base_of<dual<float>> is float.
template <class T> using base_of = typename base_of_<T>::type;

}  // namespace limbic
// ---- limbic/math/pack.hpp ----------------------------------------------------------------------------------------
// limbic/math/pack.hpp - what a SIMD loop loads and stores: packs of numbers, and packs of dual numbers
//
//   lanes<T>::type     the pack: xsimd::batch<float>, dual<xsimd::batch<double>>, ...
//   lanes<T>::width    elements of T a pack holds
//   lanes<T>::load(p), lanes<T>::store(p, v)      width elements of T from/to p (no alignment asked)
//
// A tensor of dual<T> interleaves values and tangents, as std::complex does its parts: xsimd's complex loads and stores
// take them apart and put them together. The one header that includes xsimd.

LIMBIC_BEGIN

// The same number or pack, read once: g++ would read memory again for each product that a loaded pack is a factor of, and
// a filter, which has few products for each load, waits for its loads.
template <class V> LIMBIC_INLINE V in_register(V v) { return v; }

LIMBIC_END

#if LIMBIC_SIMD
#include <complex>
#if LIMBIC_GCC_PRAGMAS  // g++ 12 warns inside its own avx512fintrin.h
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if LIMBIC_GCC_PRAGMAS
#pragma GCC diagnostic pop
#endif

LIMBIC_BEGIN

template <class T> struct lanes {
  using type = xsimd::batch<T>;
  static constexpr std::ptrdiff_t width = static_cast<std::ptrdiff_t>(type::size);
  static LIMBIC_INLINE type load(T const* p) { return type::load_unaligned(p); }
  static LIMBIC_INLINE void store(T* p, type v) { v.store_unaligned(p); }
};

template <class T> struct lanes<dual<T>> {
  // Of values, and of tangents.
  using pack = xsimd::batch<T>;
  using type = dual<pack>;
  static constexpr std::ptrdiff_t width = static_cast<std::ptrdiff_t>(pack::size);
  static LIMBIC_INLINE type load(dual<T> const* p) {
    auto const z = xsimd::batch<std::complex<T>>::load_unaligned(reinterpret_cast<std::complex<T> const*>(p));
    return {z.real(), z.imag()};
  }
  static LIMBIC_INLINE void store(dual<T>* p, type v) {
    xsimd::batch<std::complex<T>>(v.value, v.tangent).store_unaligned(reinterpret_cast<std::complex<T>*>(p));
  }
};

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> in_register(xsimd::batch<T, A> v) {
  LIMBIC_KEEP_IN_REGISTER(v.data);
  return v;
}
template <class T, class A> LIMBIC_INLINE dual<xsimd::batch<T, A>> in_register(dual<xsimd::batch<T, A>> v) {
  return {in_register(v.value), in_register(v.tangent)};
}

// Element types that SIMD loops serve; any other (int64_t, ..., double on 32-bit Arm) runs the scalar loops.
template <class T> inline constexpr bool has_lanes = false;
template <> inline constexpr bool has_lanes<float> = true;
template <> inline constexpr bool has_lanes<double> = XSIMD_WITH_NEON64 || !XSIMD_WITH_NEON;
template <class T> inline constexpr bool has_lanes<dual<T>> = has_lanes<T>;

LIMBIC_END
#endif
// ---- limbic/math/bits.hpp ----------------------------------------------------------------------------------------
// limbic/math/bits.hpp - what the formulas of packs are made of: fused products, limits that keep NaN, whole powers of 2
//
//   fused(a, b, c)  fused_off(a, b, c)            a b + c, c - a b
//   at_least(lo, x)  at_most(hi, x)  clamped      NaN stays NaN
//   to_bits(x)  from_bits<T, A>(u)                a float's bits as unsigned integers, and back
//   to_whole(x, factor, offset)                   round(x factor), as a float and in the low bits of a mantissa
//   power_of_two(t)  scaled(p, k)                 2^k and p 2^k from them
//   widened(x)  narrowed(w)                       a float pack as two double packs, and back

#if LIMBIC_SIMD
#include <cstdint>
#include <type_traits>

LIMBIC_BEGIN
namespace math {

// An AVX-512 register.
template <class V> inline constexpr bool is_512 = XSIMD_WITH_AVX512F && sizeof(V) == 64;

// a * b + c, fused where the machine does: xsimd 8.1 has no fused form for AVX-512.
template <class V> LIMBIC_INLINE V fused(V a, V b, V c) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<V> && sizeof(typename V::value_type) == 4) return _mm512_fmadd_ps(a, b, c);
  else if constexpr (is_512<V>) return _mm512_fmadd_pd(a, b, c);
  else
#endif
    return xsimd::fma(a, b, c);
}

// c - a * b, likewise
template <class V> LIMBIC_INLINE V fused_off(V a, V b, V c) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<V> && sizeof(typename V::value_type) == 4) return _mm512_fnmadd_ps(a, b, c);
  else if constexpr (is_512<V>) return _mm512_fnmadd_pd(a, b, c);
  else
#endif
    return xsimd::fnma(a, b, c);
}

// max(lo, x) and min(hi, x), where NaN stays NaN: x86 returns the second operand if one is NaN, and xsimd's versions
// differ in which they make the second. Elsewhere a select does it.
#if XSIMD_WITH_SSE2
LIMBIC_INLINE __m128 second_max(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
// b where an operand is NaN.
LIMBIC_INLINE __m128 second_min(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
LIMBIC_INLINE __m128d second_max(__m128d a, __m128d b) { return _mm_max_pd(a, b); }
LIMBIC_INLINE __m128d second_min(__m128d a, __m128d b) { return _mm_min_pd(a, b); }
#if XSIMD_WITH_AVX
LIMBIC_INLINE __m256 second_max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
LIMBIC_INLINE __m256 second_min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
LIMBIC_INLINE __m256d second_max(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
LIMBIC_INLINE __m256d second_min(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
#endif
#if XSIMD_WITH_AVX512F
LIMBIC_INLINE __m512 second_max(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
LIMBIC_INLINE __m512 second_min(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
LIMBIC_INLINE __m512d second_max(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
LIMBIC_INLINE __m512d second_min(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
#endif
template <class V> LIMBIC_INLINE V at_least(V lo, V x) { return math::second_max(lo.data, x.data); }
template <class V> LIMBIC_INLINE V at_most(V hi, V x) { return math::second_min(hi.data, x.data); }
#else
template <class V> LIMBIC_INLINE V at_least(V lo, V x) { return xsimd::select(x < lo, lo, x); }
template <class V> LIMBIC_INLINE V at_most(V hi, V x) { return xsimd::select(x > hi, hi, x); }
#endif
template <class V> LIMBIC_INLINE V clamped(V lo, V x, V hi) { return math::at_most(hi, math::at_least(lo, x)); }

// The bits of a float pack as unsigned integers, and back.
template <class T>
using bits_of_t = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T, class A> LIMBIC_INLINE xsimd::batch<bits_of_t<T>, A> to_bits(xsimd::batch<T, A> x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<bits_of_t<T>>(x);
#else
  return xsimd::bitwise_cast<xsimd::batch<bits_of_t<T>, A>>(x);
#endif
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> from_bits(xsimd::batch<bits_of_t<T>, A> x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<T>(x);
#else
  return xsimd::bitwise_cast<xsimd::batch<T, A>>(x);
#endif
}

// n = round(x factor), and the same n in the low bits of t's mantissa, above `offset`:
// 1.5 2^m + offset + n has no room for a fraction (m = 23 or 52), so that adding it rounds.
template <class V> struct whole {
  V n;  // the whole number
  V t;  // its bits
};
template <class T, class A>
LIMBIC_INLINE whole<xsimd::batch<T, A>> to_whole(xsimd::batch<T, A> x, double factor, double offset) {
  using V = xsimd::batch<T, A>;
  V const shift(static_cast<T>((sizeof(T) == 4 ? 0x1.8p23 : 0x1.8p52) + offset));
#if LIMBIC_ABI_FAST  // the compiler would cancel the shift
  V const n = xsimd::nearbyint(x * V(static_cast<T>(factor)));
  return {n, n + shift};
#else
  V const t = math::fused(x, V(static_cast<T>(factor)), shift);
  return {t - shift, t};
#endif
}

// 2^k from the low bits of k's t, made with offset = bias; k must be a normal number's exponent.
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> power_of_two(xsimd::batch<T, A> t) {
  return math::from_bits<T, A>(math::to_bits(t) << (sizeof(T) == 4 ? 23 : 52));
}

// p 2^k, rounded once where it leaves the normal range; k made with offset = 2 bias. In two steps, each a normal power:
// 2^floor(k/2), then 2^ceil(k/2). AVX-512 has an instruction.
template <class T, class A>
LIMBIC_INLINE xsimd::batch<T, A> scaled(xsimd::batch<T, A> p, whole<xsimd::batch<T, A>> k) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<xsimd::batch<T, A>> && sizeof(T) == 4) return _mm512_scalef_ps(p, k.n);
  else if constexpr (is_512<xsimd::batch<T, A>>) return _mm512_scalef_pd(p, k.n);
  else
#endif
  {
    int const m = sizeof(T) == 4 ? 23 : 52;
    auto const u = math::to_bits(k.t);
    auto const half = u >> 1;
    return p * math::from_bits<T, A>(half << m) * math::from_bits<T, A>((u - half) << m);
  }
}

// A float pack as two double packs, and back.
template <class A> struct wide {
  xsimd::batch<double, A> low;   // the first half of the lanes
  xsimd::batch<double, A> high;  // the second half
};
template <class A> LIMBIC_INLINE wide<A> widened(xsimd::batch<float, A> x) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<xsimd::batch<float, A>>) {
    __m512 const r = x.data;
    __m256 const high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(r), 1));
    return {_mm512_cvtps_pd(_mm512_castps512_ps256(r)), _mm512_cvtps_pd(high)};
  } else
#endif
  {
    constexpr std::size_t n = xsimd::batch<double, A>::size;
    alignas(A::alignment()) float v[2 * n];
    alignas(A::alignment()) double w[2 * n];
    x.store_aligned(v);
    for (std::size_t i = 0; i < 2 * n; ++i) w[i] = static_cast<double>(v[i]);
    return {xsimd::batch<double, A>::load_aligned(w), xsimd::batch<double, A>::load_aligned(w + n)};
  }
}
template <class A> LIMBIC_INLINE xsimd::batch<float, A> narrowed(wide<A> x) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_512<xsimd::batch<float, A>>) {
    __m512d const low = _mm512_castps_pd(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low.data)));
    return _mm512_castpd_ps(_mm512_insertf64x4(low, _mm256_castps_pd(_mm512_cvtpd_ps(x.high.data)), 1));
  } else
#endif
  {
    constexpr std::size_t n = xsimd::batch<double, A>::size;
    alignas(A::alignment()) float v[2 * n];
    alignas(A::alignment()) double w[2 * n];
    x.low.store_aligned(w);
    x.high.store_aligned(w + n);
    for (std::size_t i = 0; i < 2 * n; ++i) v[i] = static_cast<float>(w[i]);
    return xsimd::batch<float, A>::load_aligned(v);
  }
}

}  // namespace math
LIMBIC_END
#endif
// ---- limbic/math/base.hpp ----------------------------------------------------------------------------------------
// limbic/math/base.hpp - the lane: what ops are written in, whether one number, a dual number or a SIMD pack of either
//
//   lane_of<V>, number_of<V>, is_pack<V>         what V holds: one lane's type, the plain number, and whether many
//   constant<V>(c)                               the double c, explicitly converted to V's number
//   broadcast<V>(x)                              one lane x in every lane of V
//   select(m, a, b)                              m ? a : b in every lane; both sides are computed
//   both(m, n) either(m, n) no(m)                and, or, not of masks (a bool, or a pack of them)
//   isnan isfinite                               masks
//   abs sign floor min max fma sqrt
//   reduce_add reduce_max reduce_min             all lanes of a pack to one, in a fixed order
//
// NaN stays NaN in every function of this file, on every backend (xsimd's min and max swallow it, std::min too).
// Comparisons are the operators <, <=, >, >=, ==: false where an operand is NaN. Do not use != on packs: xsimd's is
// false for NaN on AVX and true on SSE; no(x == y) is the same everywhere.
//
// Derivatives, where a dual number meets a point without one: abs'(0) = sign'(x) = floor'(x) = 0; min and max take the
// tangent of the operand they return, the first one at a tie. A tangent of 0 stays 0 where the slope is infinite (sqrt
// at 0): what does not vary contributes nothing, rather than 0 * inf = NaN.

#include <limits>

LIMBIC_BEGIN
namespace math {

// ---- types -----------------------------------------------------------------------------------------------------

// What a lane type is made of; the aliases below are how to ask.
template <class V> struct lane_traits {
  // The plain number, the type of one lane, and whether there are many lanes.
  using number = V;
  using lane = V;
  static constexpr bool pack = false;
};
template <class T> struct lane_traits<dual<T>> {
  using number = typename lane_traits<T>::number;
  using lane = dual<typename lane_traits<T>::lane>;
  static constexpr bool pack = lane_traits<T>::pack;
};
#if LIMBIC_SIMD
template <class T, class A> struct lane_traits<xsimd::batch<T, A>> {
  using number = T;
  using lane = T;
  static constexpr bool pack = true;
};
#endif

template <class V> using number_of = typename lane_traits<V>::number;  // dual<batch<float>> -> float
template <class V> using lane_of = typename lane_traits<V>::lane;      // dual<batch<float>> -> dual<float>
template <class V> inline constexpr bool is_pack = lane_traits<V>::pack;

// One plain number.
template <class T> concept plain = std::is_arithmetic_v<T>;

template <class V> LIMBIC_INLINE constexpr V constant(double c) { return V(static_cast<number_of<V>>(c)); }

template <class V> LIMBIC_INLINE constexpr V broadcast(lane_of<V> x) {
  if constexpr (is_dual<V>) return V(decltype(V::value)(x.value), decltype(V::value)(x.tangent));
  else return V(x);
}

// ---- masks -----------------------------------------------------------------------------------------------------

LIMBIC_HD LIMBIC_INLINE constexpr bool both(bool m, bool n) { return m && n; }
LIMBIC_HD LIMBIC_INLINE constexpr bool either(bool m, bool n) { return m || n; }
LIMBIC_HD LIMBIC_INLINE constexpr bool no(bool m) { return !m; }

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T select(bool m, T a, T b) { return m ? a : b; }

#if LIMBIC_SIMD
// What a comparison of packs gives.
template <class T, class A> using mask = xsimd::batch_bool<T, A>;

template <class T, class A> LIMBIC_INLINE mask<T, A> both(mask<T, A> m, mask<T, A> n) { return m & n; }
template <class T, class A> LIMBIC_INLINE mask<T, A> either(mask<T, A> m, mask<T, A> n) { return m | n; }
template <class T, class A> LIMBIC_INLINE mask<T, A> no(mask<T, A> m) { return ~m; }

template <class T, class A>
LIMBIC_INLINE xsimd::batch<T, A> select(mask<T, A> m, xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return xsimd::select(m, a, b);
}
#endif

template <class M, class T> LIMBIC_INLINE constexpr dual<T> select(M m, dual<T> a, dual<T> b) {
  return {math::select(m, a.value, b.value), math::select(m, a.tangent, b.tangent)};
}

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr bool isnan(T x) {
  if constexpr (std::is_floating_point_v<T>) return !(x == x);
  else return false;
}
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr bool isfinite(T x) {
  if constexpr (std::is_floating_point_v<T>) return x - x == T(0);
  else return true;
}
#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE mask<T, A> isnan(xsimd::batch<T, A> x) { return xsimd::isnan(x); }
template <class T, class A> LIMBIC_INLINE mask<T, A> isfinite(xsimd::batch<T, A> x) {
  return x - x == xsimd::batch<T, A>(T(0));
}
#endif
template <class T> LIMBIC_INLINE constexpr auto isnan(dual<T> x) { return math::isnan(x.value); }
template <class T> LIMBIC_INLINE constexpr auto isfinite(dual<T> x) { return math::isfinite(x.value); }

// ---- a * b + c, fused where that is one instruction --------------------------------------------------------------

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T fma(T a, T b, T c) { return a * b + c; }
#if LIMBIC_SIMD
template <class T, class A>
LIMBIC_INLINE xsimd::batch<T, A> fma(xsimd::batch<T, A> a, xsimd::batch<T, A> b, xsimd::batch<T, A> c) {
  return fused(a, b, c);
}
#endif
template <class T> LIMBIC_INLINE constexpr dual<T> fma(dual<T> a, dual<T> b, dual<T> c) {
  return {math::fma(a.value, b.value, c.value),
          math::fma(a.tangent, b.value, math::fma(a.value, b.tangent, c.tangent))};
}

// c0 + c1 x + c2 x^2 + ..., by pairs: (c0 + c1 x) + x^2 ((c2 + c3 x) + x^2 (...)). Half of Horner's chain of dependent
// steps for one more product; x^2 is given, as most callers have it.
template <class V> LIMBIC_INLINE constexpr V polynomial(V, V, double c0) { return math::constant<V>(c0); }
template <class V> LIMBIC_INLINE constexpr V polynomial(V x, V, double c0, double c1) {
  return math::fma(x, math::constant<V>(c1), math::constant<V>(c0));
}
template <class V, class... C> LIMBIC_INLINE constexpr V polynomial(V x, V x2, double c0, double c1, C... c) {
  return math::fma(x2, math::polynomial(x, x2, c...), math::polynomial(x, x2, c0, c1));
}

// ---- abs, sign, floor, min, max ----------------------------------------------------------------------------------

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T abs(T x) {
  if constexpr (std::is_unsigned_v<T>) return x;
  else return x > T(0) ? x : T(0) - x;  // -0 -> 0
}
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T sign(T x) {
  if (x > T(0)) return T(1);
  if constexpr (!std::is_unsigned_v<T>) {
    if (x < T(0)) return static_cast<T>(-1);
  }
  return x;  // 0, -0, NaN
}
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T min(T a, T b) { return a <= b || math::isnan(a) ? a : b; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T max(T a, T b) { return a >= b || math::isnan(a) ? a : b; }
LIMBIC_HD LIMBIC_INLINE float floor(float x) { return ::floorf(x); }
LIMBIC_HD LIMBIC_INLINE double floor(double x) { return ::floor(x); }
LIMBIC_HD LIMBIC_INLINE float sqrt(float x) { return ::sqrtf(x); }
LIMBIC_HD LIMBIC_INLINE double sqrt(double x) { return ::sqrt(x); }

#if LIMBIC_SIMD
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> abs(xsimd::batch<T, A> x) { return xsimd::abs(x); }
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sign(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  return xsimd::select(x > V(T(0)), V(T(1)), xsimd::select(x < V(T(0)), V(T(-1)), x));
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> min(xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return xsimd::select((a <= b) | math::isnan(a), a, b);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> max(xsimd::batch<T, A> a, xsimd::batch<T, A> b) {
  return xsimd::select((a >= b) | math::isnan(a), a, b);
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> floor(xsimd::batch<T, A> x) { return xsimd::floor(x); }
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sqrt(xsimd::batch<T, A> x) { return xsimd::sqrt(x); }
#endif

// slope * tangent, but 0 where the tangent is 0
template <class T> LIMBIC_INLINE constexpr T along(T slope, T tangent) {
  return math::select(tangent == T(0), tangent, slope * tangent);
}

template <class T> LIMBIC_INLINE constexpr dual<T> abs(dual<T> x) {
  T const zero = T(0);
  T const slope = math::select(x.value > zero, T(1), math::select(x.value < zero, -T(1), zero));
  return {math::abs(x.value), slope * x.tangent};
}
template <class T> LIMBIC_INLINE constexpr dual<T> sign(dual<T> x) { return {math::sign(x.value), T(0)}; }
template <class T> LIMBIC_INLINE constexpr dual<T> floor(dual<T> x) { return {math::floor(x.value), T(0)}; }
template <class T> LIMBIC_INLINE constexpr dual<T> min(dual<T> a, dual<T> b) {
  return math::select(math::either(a.value <= b.value, math::isnan(a.value)), a, b);
}
template <class T> LIMBIC_INLINE constexpr dual<T> max(dual<T> a, dual<T> b) {
  return math::select(math::either(a.value >= b.value, math::isnan(a.value)), a, b);
}
template <class T> LIMBIC_INLINE constexpr dual<T> sqrt(dual<T> x) {
  T const y = math::sqrt(x.value);
  return {y, math::along(math::constant<T>(0.5) / y, x.tangent)};
}

// ---- reductions of a pack: halves are folded onto each other ----------------------------------------------------

template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T reduce_add(T x) { return x; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T reduce_max(T x) { return x; }
template <plain T> LIMBIC_HD LIMBIC_INLINE constexpr T reduce_min(T x) { return x; }

#if LIMBIC_SIMD
// All lanes of a pack to one number by f(a, b), by halves.
template <class T, class A, class F> LIMBIC_INLINE T fold_lanes(xsimd::batch<T, A> x, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  x.store_aligned(v);
  using half_pack = xsimd::make_sized_batch_t<T, n / 2>;
  if constexpr (!std::is_void_v<half_pack>) {
    return math::fold_lanes(f(half_pack::load_aligned(v), half_pack::load_aligned(v + n / 2)), f);
  } else {
    for (std::size_t half = n / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) v[i] = f(v[i], v[i + half]);
    return v[0];
  }
}
template <class T, class A, class F> LIMBIC_INLINE dual<T> fold_lanes(dual<xsimd::batch<T, A>> x, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  alignas(A::alignment()) T t[n];
  x.value.store_aligned(v);
  x.tangent.store_aligned(t);
  for (std::size_t half = n / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) {
      dual<T> const y = f(dual<T>(v[i], t[i]), dual<T>(v[i + half], t[i + half]));
      v[i] = y.value;
      t[i] = y.tangent;
    }
  return {v[0], t[0]};
}
template <class T, class A> LIMBIC_INLINE T reduce_add(xsimd::batch<T, A> x) {
  return math::fold_lanes(x, [](auto a, auto b) { return a + b; });
}
template <class T, class A> LIMBIC_INLINE T reduce_max(xsimd::batch<T, A> x) {
  return math::fold_lanes(x, [](auto a, auto b) { return math::max(a, b); });
}
template <class T, class A> LIMBIC_INLINE T reduce_min(xsimd::batch<T, A> x) {
  return math::fold_lanes(x, [](auto a, auto b) { return math::min(a, b); });
}
template <class T, class A> LIMBIC_INLINE dual<T> reduce_add(dual<xsimd::batch<T, A>> x) {
  return {math::reduce_add(x.value), math::reduce_add(x.tangent)};
}
template <class T, class A> LIMBIC_INLINE dual<T> reduce_max(dual<xsimd::batch<T, A>> x) {
  return math::fold_lanes(x, [](dual<T> a, dual<T> b) { return math::max(a, b); });
}
template <class T, class A> LIMBIC_INLINE dual<T> reduce_min(dual<xsimd::batch<T, A>> x) {
  return math::fold_lanes(x, [](dual<T> a, dual<T> b) { return math::min(a, b); });
}

// A function that has no pack form of its own, lane by lane.
template <class T, class A, class F> LIMBIC_INLINE xsimd::batch<T, A> each_lane(xsimd::batch<T, A> x, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  x.store_aligned(v);
  for (std::size_t i = 0; i < n; ++i) v[i] = f(v[i]);
  return xsimd::batch<T, A>::load_aligned(v);
}
template <class T, class A, class F>
LIMBIC_INLINE xsimd::batch<T, A> each_lane(xsimd::batch<T, A> x, xsimd::batch<T, A> y, F f) {
  constexpr std::size_t n = xsimd::batch<T, A>::size;
  alignas(A::alignment()) T v[n];
  alignas(A::alignment()) T w[n];
  x.store_aligned(v);
  y.store_aligned(w);
  for (std::size_t i = 0; i < n; ++i) v[i] = f(v[i], w[i]);
  return xsimd::batch<T, A>::load_aligned(v);
}
#endif

template <class T>
  requires(!is_pack<T>)
LIMBIC_INLINE constexpr dual<T> reduce_add(dual<T> x) {
  return x;
}
template <class T>
  requires(!is_pack<T>)
LIMBIC_INLINE constexpr dual<T> reduce_max(dual<T> x) {
  return x;
}
template <class T>
  requires(!is_pack<T>)
LIMBIC_INLINE constexpr dual<T> reduce_min(dual<T> x) {
  return x;
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/exp.hpp -----------------------------------------------------------------------------------------
// limbic/math/exp.hpp - exp(x) and expm1(x) = e^x - 1
//
//   x = n ln 2 + r,  n whole        e^x     = 2^n e^r
//                                   e^x - 1 = 2^n (e^r - 1) + (2^n - 1)
//   e^r = 1 + r + r^2 q(r),  q fitted for the least relative error of e^r - 1 (Remez)
//
// ln 2 is split in two (Cody and Waite), the first part so short that n times it is exact. For expm1, n is rounded such
// that -0.288 <= r < 0.406: 2^n - 1 then never cancels more than half of what it meets.
//
// exp     overflows to inf and underflows through the subnormal numbers to 0 where std::exp does
// expm1   the same upwards, -1 from about -17 (float) and -37 (double) on; x itself for tiny x, so -0 stays -0
// NaN stays NaN.

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float exp(float x) { return ::expf(x); }
LIMBIC_HD LIMBIC_INLINE double exp(double x) { return ::exp(x); }
LIMBIC_HD LIMBIC_INLINE float expm1(float x) { return ::expm1f(x); }
LIMBIC_HD LIMBIC_INLINE double expm1(double x) { return ::expm1(x); }

// Per number type: exponent bias, the interval outside of which results no longer change, ln 2 in two parts, q.
template <class T> struct exp_terms;
template <> struct exp_terms<float> {
  static constexpr double bias = 127, lowest = -104, lowest_m1 = -20, highest = 89, tiny = 0x1p-26;
  static constexpr double ln2_high = 355.0 / 512, ln2_low = -2.12194440e-4;
  template <class V> static LIMBIC_INLINE constexpr V q(V r, V r2) {  // |r| <= 0.347
    return math::polynomial(r, r2, 0.5, 0.16666542, 0.0416662768, 0.0083667431, 0.00139467255);
  }
  template <class V> static LIMBIC_INLINE constexpr V q_m1(V r, V r2) {  // -0.288 <= r <= 0.406
    return math::polynomial(r, r2, 0.500000179, 0.166665956, 0.041658707, 0.00835723989, 0.00146711664);
  }
};
template <> struct exp_terms<double> {
  static constexpr double bias = 1023, lowest = -746, lowest_m1 = -40, highest = 710, tiny = 0x1p-55;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 1.90821492927058770002e-10;
  template <class V> static LIMBIC_INLINE constexpr V q(V r, V r2) {
    return math::polynomial(r, r2, 0.50000000000000056, 0.16666666666666685, 0.041666666666572177,
                            0.0083333333333142703, 0.001388888893292975, 0.00019841269903852647, 2.4801503714616972e-05,
                            2.755722712580007e-06, 2.7626639427658905e-07, 2.5114760433450846e-08);
  }
  template <class V> static LIMBIC_INLINE constexpr V q_m1(V r, V r2) {
    return math::polynomial(r, r2, 0.49999999999999983, 0.16666666666667337, 0.041666666666692054,
                            0.0083333333326423304, 0.0013888888880876958, 0.00019841272120298749,
                            2.4801585264592932e-05, 2.7554274542617359e-06, 2.7584602762475643e-07,
                            2.6497911304374323e-08);
  }
};

// 1 / ln 2
inline constexpr double log2_e = 1.4426950408889634;

#if LIMBIC_SIMD

// x - n ln 2
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> less_ln2(xsimd::batch<T, A> x, xsimd::batch<T, A> n) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  return math::fused(n, math::constant<V>(-c::ln2_low), math::fused(n, math::constant<V>(-c::ln2_high), x));
}

// exp for arguments between lowest and highest
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> exp_within(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  auto const n = math::to_whole(x, log2_e, 2 * c::bias);
  V const r = math::less_ln2(x, n.n);
  V const r2 = r * r;
  return math::scaled(math::fused(r2, c::q(r, r2), r) + V(T(1)), n);
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> exp(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  return math::exp_within(math::clamped(math::constant<V>(c::lowest), x, math::constant<V>(c::highest)));
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> expm1(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  V const a = math::clamped(math::constant<V>(c::lowest_m1), x, math::constant<V>(c::highest));
  // n may be bias + 1, one more than a power of two may have: 2 (2^(n-1) p + (2^(n-1) - 1/2))
  auto const n = math::to_whole(a - math::constant<V>(0.0589), log2_e, c::bias - 1);
  V const r = math::less_ln2(a, n.n);
  V const r2 = r * r;
  V const p = math::fused(r2, c::q_m1(r, r2), r);
  V const s = math::power_of_two(n.t);
  V const y = math::fused(s, p, s - math::constant<V>(0.5));
  return xsimd::select(xsimd::abs(x) < math::constant<V>(c::tiny), x, y + y);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> exp(dual<T> x) {
  T const y = math::exp(x.value);
  return {y, y * x.tangent};
}
template <class T> LIMBIC_INLINE constexpr dual<T> expm1(dual<T> x) {
  T const y = math::expm1(x.value);
  return {y, (y + T(1)) * x.tangent};
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/erf.hpp -----------------------------------------------------------------------------------------
// limbic/math/erf.hpp - erf(x) = 2/sqrt(pi) int_0^x e^-t^2 dt
//
//   erf |x| = |x| + |x| p(x^2)     |x| < 0.75
//           = 1 - e^q(|x|)         else: q = log erfc, a smooth function; what is taken off 1 is at most 0.29
//
// p is fitted for the least relative error of erf, q for the least of e^q in 1 - e^q (Remez). erf(-0) = -0, erf is +-1
// from 3.9 (float), 5.9 (double) on, NaN stays NaN.
//
//   erf' = 2/sqrt(pi) e^-x^2

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float erf(float x) { return ::erff(x); }
LIMBIC_HD LIMBIC_INLINE double erf(double x) { return ::erf(x); }

#if LIMBIC_SIMD

template <class T> struct erf_terms;
template <> struct erf_terms<float> {
  static constexpr double last = 4;
  template <class V> static LIMBIC_INLINE V p(V z) {
    return math::polynomial(z, z * z, 0.128379166, -0.3761262, 0.112833768, -0.0268346239, 0.00511434581,
                            -0.000674951472);
  }
  template <class V> static LIMBIC_INLINE V q(V t) {
    return math::polynomial(t, t * t, -2.14066804e-05, -1.12843347, -0.635841608, -0.105164841, 0.0228484701,
                            -0.00320581975, 0.000213177394);
  }
};
template <> struct erf_terms<double> {
  static constexpr double last = 6;
  template <class V> static LIMBIC_INLINE V p(V z) {
    return math::polynomial(z, z * z, 0.12837916709551259, -0.37612638903183715, 0.11283791670952481,
                            -0.026866170644402474, 0.0052239776151222113, -0.00085483261690851963,
                            0.00012055288776970888, -1.4924176631220099e-05, 1.6430388134025544e-06,
                            -1.5937599418896211e-07, 1.1463755997866164e-08);
  }
  template <class V> static LIMBIC_INLINE V q(V t) {
    return math::polynomial(t, t * t, -6.4304422352187993e-09, -1.1283791063710082, -0.63661998777553108,
                            -0.10277243483593285, 0.019129904193350852, 0.00020217468485864552, -0.0016785716133549484,
                            0.00055973023611846705, 1.3160066314449682e-05, -0.00010323628866396197,
                            5.9907046574565921e-05, -2.1868520125115789e-05, 5.8503423648014842e-06,
                            -1.1882648296521772e-06, 1.8275381323798336e-07, -2.0713541003468195e-08,
                            1.6352979736705459e-09, -8.0362850334642649e-11, 1.8506489235890082e-12);
  }
};

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> erf(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = erf_terms<T>;
  V const a = math::at_most(math::constant<V>(c::last), xsimd::abs(x));
  V const small = math::fused(a, c::p(a * a), a);
  V const large = V(T(1)) - math::exp_within(c::q(a));
  return xsimd::select(a < math::constant<V>(0.75), small, large) | xsimd::bitofsign(x);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> erf(dual<T> x) {
  T const slope = math::constant<T>(1.1283791670955126) * math::exp(-(x.value * x.value));
  return {math::erf(x.value), slope * x.tangent};
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/log.hpp -----------------------------------------------------------------------------------------
// limbic/math/log.hpp - log(x) and log1p(x) = log(1 + x)
//
//   x = 2^k m,  sqrt(1/2) <= m < sqrt(2),  f = m - 1 (exact)        log x = k ln 2 + log(1 + f)
//   log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R))           s = f / (2 + f),  R = s^2 l(s^2)
//
// l is fitted for the least relative error (Remez). f leads, so the rounding of s only touches a correction; ln 2 is
// split in two (Cody and Waite). For log1p, what 1 + x rounds off is added to f.
//
// log(+-0) = -inf, log(x < 0) = NaN, log(inf) = inf, subnormal numbers are served; log1p(-1) = -inf, log1p(-0) = -0.
// NaN stays NaN.

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float log(float x) { return ::logf(x); }
LIMBIC_HD LIMBIC_INLINE double log(double x) { return ::log(x); }
LIMBIC_HD LIMBIC_INLINE float log1p(float x) { return ::log1pf(x); }
LIMBIC_HD LIMBIC_INLINE double log1p(double x) { return ::log1p(x); }

#if LIMBIC_SIMD

template <class T> struct log_terms;
template <> struct log_terms<float> {
  static constexpr int mantissa = 23;
  static constexpr std::uint32_t one = 0x3f800000, sqrt_half = 0x3f3504f3, whole = 0x4b000000;  // whole: 2^23
  static constexpr double unit = 0x1p23, lift = 0x1p25, lifted = 25;
  template <class V> static LIMBIC_INLINE V l(V z) {
    return math::polynomial(z, z * z, 0.666667759, 0.399775207, 0.298723489);
  }
};
template <> struct log_terms<double> {
  static constexpr int mantissa = 52;
  static constexpr std::uint64_t one = 0x3ff0000000000000, sqrt_half = 0x3fe6a09e667f3bcd, whole = 0x4330000000000000;
  static constexpr double unit = 0x1p52, lift = 0x1p54, lifted = 54;
  template <class V> static LIMBIC_INLINE V l(V z) {
    return math::polynomial(z, z * z, 0.6666666666666734, 0.39999999999413338, 0.28571428742739574, 0.22222198532347912,
                            0.18183566667805054, 0.15313985492257912, 0.14796648715652286);
  }
};

// x = 2^k m for a positive normal x; k is returned less `lifted`
template <class V> struct log_parts {
  V k;  // the exponent
  V m;  // in [sqrt(1/2), sqrt(2))
};
// The parts of x.
template <class T, class A>
LIMBIC_INLINE log_parts<xsimd::batch<T, A>> log_split(xsimd::batch<T, A> x, xsimd::batch<T, A> lifted) {
  using V = xsimd::batch<T, A>;
  using c = log_terms<T>;
  using I = xsimd::batch<bits_of_t<T>, A>;
  I const u = math::to_bits(x) + I(c::one - c::sqrt_half);  // now the exponent steps at sqrt(1/2) instead of 1
  V const k = math::from_bits<T, A>((u >> c::mantissa) | I(c::whole)) -
              (math::constant<V>(c::unit + exp_terms<T>::bias) + lifted);
  I const fraction = u & I((bits_of_t<T>(1) << c::mantissa) - 1);
  return {k, math::from_bits<T, A>(fraction + I(c::sqrt_half))};
}

// k ln 2 + log(1 + f)
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log_join(xsimd::batch<T, A> k, xsimd::batch<T, A> f) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  V const s = f / (f + V(T(2)));
  V const z = s * s;
  V const half = math::constant<V>(0.5) * f * f;
  V const correction = math::fused(s, math::fused(z, log_terms<T>::l(z), half), k * math::constant<V>(c::ln2_low));
  return math::fused(k, math::constant<V>(c::ln2_high), f - (half - correction));
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = log_terms<T>;
  V const zero(T(0)), infinity(std::numeric_limits<T>::infinity()), largest(std::numeric_limits<T>::max());
  auto const subnormal = x < V(std::numeric_limits<T>::min());
  auto const part = math::log_split(xsimd::select(subnormal, x * math::constant<V>(c::lift), x),
                                    xsimd::select(subnormal, math::constant<V>(c::lifted), zero));
  V const y = xsimd::select(x <= largest, math::log_join(part.k, part.m - V(T(1))), x);  // else inf, NaN
  V const edge = xsimd::select(x < zero, V(std::numeric_limits<T>::quiet_NaN()), -infinity);
  return xsimd::select(x <= zero, edge, y);
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> log1p(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  V const zero(T(0)), one(T(1));
  V const infinity(std::numeric_limits<T>::infinity()), largest(std::numeric_limits<T>::max());
  V const u = x + one;
  V const v = u - one;
  V const lost = (one - (u - v)) + (x - v);  // 1 + x = u + lost, exactly
  auto const part = math::log_split(u, zero);
  // 2^(4-k) from the step between the exponents of m and u: normal for every k, as 2^-k is not
  V const scale = math::from_bits<T, A>(math::to_bits(part.m) - math::to_bits(u) + math::to_bits(V(T(16))));
  V const y = math::log_join(part.k, math::fused(lost * scale, math::constant<V>(1.0 / 16), part.m - one));
  V const edge = xsimd::select(x < -one, V(std::numeric_limits<T>::quiet_NaN()), -infinity);
  return xsimd::select(x <= -one, edge, xsimd::select((x <= largest) & (xsimd::abs(x) > zero), y, x));
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> log(dual<T> x) {
  return {math::log(x.value), math::along(T(1) / x.value, x.tangent)};
}
template <class T> LIMBIC_INLINE constexpr dual<T> log1p(dual<T> x) {
  return {math::log1p(x.value), math::along(T(1) / (T(1) + x.value), x.tangent)};
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/pow.hpp -----------------------------------------------------------------------------------------
// limbic/math/pow.hpp - pow(x, y) = x^y
//
// A float pack is served in double, e^(y log |x|), whose error then disappears in the rounding to float; a double pack
// calls the standard library lane by lane. The special values are those of std::pow: pow(x, 0) = pow(1, y) =
// pow(-1, +-inf) = 1, NaN for negative x unless y is whole, the sign of x for odd y, and so on.
//
//   dx' = y x^(y-1)        0 where y = 0; finite at x = 0 for y >= 1, right at negative x for whole y
//   dy' = x^y log x        0 where x = 0 and y >= 0

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float pow(float x, float y) { return ::powf(x, y); }
LIMBIC_HD LIMBIC_INLINE double pow(double x, double y) { return ::pow(x, y); }

#if LIMBIC_SIMD

// |x|^y through packs of double; NaN where it is 0 times inf
template <class A> LIMBIC_INLINE xsimd::batch<float, A> pow_of_abs(xsimd::batch<float, A> x, xsimd::batch<float, A> y) {
  wide<A> const a = math::widened(xsimd::abs(x));
  wide<A> const b = math::widened(y);
  return math::narrowed(wide<A>{math::exp(b.low * math::log(a.low)), math::exp(b.high * math::log(a.high))});
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> pow(xsimd::batch<T, A> x, xsimd::batch<T, A> y) {
  if constexpr (std::is_same_v<T, float> &&
                (XSIMD_WITH_SSE2 || XSIMD_WITH_NEON64)) {  // 32-bit Arm has no packs of double
    using V = xsimd::batch<T, A>;
    V const zero(0.0f), one(1.0f), largest(std::numeric_limits<float>::max());
    V const half = y * V(0.5f);
    auto const whole = xsimd::floor(y) == y;  // +-inf too
    auto const even = xsimd::floor(half) == half;
    V z = math::pow_of_abs(x, y);
    z = xsimd::select(whole & ~even, z | xsimd::bitofsign(x), z);
    z = xsimd::select((x < zero) & (x >= -largest) & ~whole, V(std::numeric_limits<float>::quiet_NaN()), z);
    auto const certain = (y == zero) | (x == one) | ((x == -one) & (xsimd::abs(y) > largest));
    return xsimd::select(certain, one, z);
  } else {
    return math::each_lane(x, y, [](T a, T b) { return math::pow(a, b); });
  }
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> pow(dual<T> x, dual<T> y) {
  T const zero = T(0);
  T const z = math::pow(x.value, y.value);
  T const dx = math::select(y.value == zero, zero, y.value * math::pow(x.value, y.value - T(1)));
  T const dy = math::select(math::both(x.value == zero, y.value >= zero), zero, z * math::log(x.value));
  return {z, math::along(dx, x.tangent) + math::along(dy, y.tangent)};
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/tanh.hpp ----------------------------------------------------------------------------------------
// limbic/math/tanh.hpp - tanh(x) and sigmoid(x) = 1 / (1 + e^-x)
//
//   h = (1 - u) / 2,  u = e^-2|x| = 2^n e^r,   by e^r - 1 as in expm1, so that nothing cancels
//   tanh |x|   = h / (1 - h) = h + h q        q = h / (1/2 + u/2): the quotient only corrects h
//   sigmoid(x) = s / (1 + e) = s - s q        e = e^-|x|,  q = e / (1 + e),  s = e for x < 0, else 1
//
// Nothing overflows, and sigmoid keeps its relative accuracy where it is tiny. |tanh| <= 1 and 0 <= sigmoid <= 1,
// always; tanh(-0) = -0; NaN stays NaN.
//
//   tanh' = 1 - y^2        sigmoid' = y (1 - y)

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float tanh(float x) { return ::tanhf(x); }
LIMBIC_HD LIMBIC_INLINE double tanh(double x) { return ::tanh(x); }

#if LIMBIC_SIMD

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> tanh(xsimd::batch<T, A> x) {
  using V = xsimd::batch<T, A>;
  using c = exp_terms<T>;
  V const half(T(0.5));
  V const a = math::at_most(V(T(20)), xsimd::abs(x)) * V(T(-2));  // tanh is 1 from 9.1 (float), 19.1 (double) on
  auto const n = math::to_whole(a, log2_e, c::bias - 1);
  V const r = math::less_ln2(a, n.n);
  V const r2 = r * r;
  V const p = math::fused(r2, c::q(r, r2), r);
  V const s = math::power_of_two(n.t);  // 2^(n-1), so u/2 = s (1 + p)
  V const h = math::fused_off(s, p, half - s);
  V const q = h / math::fused(s, p, half + s);
  // In double, and where products may round (SSE), with what h rounded off: 2.2 ulp become 1.9.
  if constexpr (sizeof(T) == 4 && sizeof(V) > 16) return math::fused(h, q, h) | xsimd::bitofsign(x);
  else return (h + math::fused(h, q, math::fused_off(s, p, half - s - h))) | xsimd::bitofsign(x);
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> tanh(dual<T> x) {
  T const y = math::tanh(x.value);
  return {y, (T(1) - y * y) * x.tangent};
}

template <class V> LIMBIC_INLINE constexpr V sigmoid(V x) {
  V const e = math::exp(-math::abs(x));
  V const s = math::select(x < V(0), e, V(1));
  return math::fma(s, e / (V(-1) - e), s);
}
template <class T> LIMBIC_INLINE constexpr dual<T> sigmoid(dual<T> x) {
  T const y = math::sigmoid(x.value);
  return {y, y * (T(1) - y) * x.tangent};
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/trig.hpp ----------------------------------------------------------------------------------------
// limbic/math/trig.hpp - sin(x) and cos(x)
//
//   |x| = n pi/2 + r,  n whole, |r| <= pi/4
//   sin r = r + r^3 s(r^2)        cos r = 1 - r^2/2 + r^4 c(r^2)        s, c fitted for the least error (Remez)
//
//   n mod 4       0        1        2        3
//   sin |x|     sin r    cos r   -sin r   -cos r
//   cos |x|     cos r   -sin r   -cos r    sin r
//
// pi/2 is split in four (Cody and Waite), the first three so short that n times them is exact: good for |x| up to 1e4
// (float) or 1e6 (double). A pack with a larger element computes that element by the standard library; the others keep
// their bits. sin(-0) = -0, sin(+-inf) = cos(+-inf) = NaN, NaN stays NaN.

LIMBIC_BEGIN
namespace math {

LIMBIC_HD LIMBIC_INLINE float sin(float x) { return ::sinf(x); }
LIMBIC_HD LIMBIC_INLINE double sin(double x) { return ::sin(x); }
LIMBIC_HD LIMBIC_INLINE float cos(float x) { return ::cosf(x); }
LIMBIC_HD LIMBIC_INLINE double cos(double x) { return ::cos(x); }

#if LIMBIC_SIMD

template <class T> struct trig_terms;
template <> struct trig_terms<float> {
  static constexpr double largest = 1e4;
  static constexpr double pi_half[] = {0x1.92p+0, 0x1.fb4p-12, 0x1.444p-24, 0x1.68c234p-39};
  template <class V> static LIMBIC_INLINE V s(V z) {
    return math::polynomial(z, z * z, -0.166666552, 0.00833217613, -0.000195169807);
  }
  template <class V> static LIMBIC_INLINE V c(V z) {
    return math::polynomial(z, z * z, 0.0416666456, -0.0013887313, 2.4432793e-05);
  }
};
template <> struct trig_terms<double> {
  static constexpr double largest = 1e6;
  static constexpr double pi_half[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
  template <class V> static LIMBIC_INLINE V s(V z) {
    return math::polynomial(z, z * z, -0.16666666666666632, 0.0083333333333223715, -0.00019841269829772099,
                            2.7557313678941751e-06, -2.5050755999279091e-08, 1.5896668469637091e-10);
  }
  template <class V> static LIMBIC_INLINE V c(V z) {
    return math::polynomial(z, z * z, 0.041666666666666595, -0.0013888888888872986, 2.4801587288806106e-05,
                            -2.7557314165515069e-07, 2.0875698895325608e-09, -1.1358432283803217e-11);
  }
};

// sin |x| for quarter = 0, cos |x| for quarter = 1: sin(|x| + quarter pi/2)
template <unsigned quarter, class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sine(xsimd::batch<T, A> a) {
  using V = xsimd::batch<T, A>;
  using c = trig_terms<T>;
  using I = xsimd::batch<bits_of_t<T>, A>;
  auto const n = math::to_whole(a, 0.63661977236758134, 0);  // 2/pi
  V r = a;
  for (double const part : c::pi_half) r = math::fused_off(n.n, math::constant<V>(part), r);
  V const z = r * r;
  V const sin_r = math::fused(r * z, c::s(z), r);
  V const cos_r = math::fused(z * z, c::c(z), V(T(1)) - math::constant<V>(0.5) * z);
  constexpr int top = sizeof(T) * 8 - 1;
  I const turn = math::to_bits(n.t) + I(quarter);
  V const odd = math::from_bits<T, A>((turn << top) | math::to_bits(V(T(1))));  // -1 or 1
  V const sign = math::from_bits<T, A>((turn >> 1) << top);
  return xsimd::select(odd < V(T(0)), cos_r, sin_r) ^ sign;
}

// y, but f(x) where |x| is too large for the split of pi/2
template <class T, class A, class F>
LIMBIC_INLINE xsimd::batch<T, A> unless_large(xsimd::batch<T, A> x, xsimd::batch<T, A> y, F f) {
  auto const large = xsimd::abs(x) > math::constant<xsimd::batch<T, A>>(trig_terms<T>::largest);
  if (xsimd::any(large)) return xsimd::select(large, math::each_lane(x, f), y);
  return y;
}

template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> sin(xsimd::batch<T, A> x) {
  auto const y = math::sine<0>(xsimd::abs(x)) ^ xsimd::bitofsign(x);
  return math::unless_large(x, y, [](T v) { return math::sin(v); });
}
template <class T, class A> LIMBIC_INLINE xsimd::batch<T, A> cos(xsimd::batch<T, A> x) {
  return math::unless_large(x, math::sine<1>(xsimd::abs(x)), [](T v) { return math::cos(v); });
}

#endif

template <class T> LIMBIC_INLINE constexpr dual<T> sin(dual<T> x) {
  return {math::sin(x.value), math::cos(x.value) * x.tangent};
}
template <class T> LIMBIC_INLINE constexpr dual<T> cos(dual<T> x) {
  return {math::cos(x.value), -(math::sin(x.value) * x.tangent)};
}

}  // namespace math
LIMBIC_END
// ---- limbic/math/math.hpp ----------------------------------------------------------------------------------------
// limbic/math/math.hpp - functions of one lane: a number, a dual number, a SIMD pack of either, a CUDA thread's number
//
// An elementwise op is written once in these functions and operators. V is float, double, dual<float>, dual<double>,
// xsimd::batch<float or double>, or a dual of such a pack. Qualify every call (math::exp): an unqualified one on a pack
// finds xsimd's.
//
// Numbers go to <cmath> (or CUDA's). Packs have their own formulas, each told at the top of its file, with selects
// instead of branches: an element's bits depend on its value alone, not on its place in the pack nor on its neighbours.
// Largest error in units of the last place, against long double, over the whole range of arguments; std is glibc 2.36:
//
//              float   std       double   std
//   exp         1.1    0.51        1.1    0.51       as std down to the last subnormal number
//   expm1       1.4    0.79        1.7    0.84
//   log         0.9    0.81        0.9    0.52
//   log1p       1.5    0.80        1.5    0.84
//   tanh        2.0    2.15        2.0    2.16
//   sigmoid     1.8    1.61        1.8    1.60       std: the same formula on numbers
//   erf         1.5    0.89        1.6    1.17
//   sin, cos    2.5    0.57        2.2    0.52       up to |x| = 1e4 (float), 1e6 (double); beyond, std's
//   pow         0.51   0.52        std's
//   sqrt, abs, sign, floor, min, max: exact or correctly rounded
//
// NaN stays NaN, -0 stays -0 where the function has it so, infinities are served. -ffast-math voids all of this.

// ---- limbic/backend/map.hpp --------------------------------------------------------------------------------------
// limbic/backend/map.hpp - elementwise loops
//
//   map(D, out, f, in...)          out = f(in...)      inputs broadcast to out's shape (NumPy's rule)
//   map(D, outs(a, b), f, in...)   a, b = f(in...)     f returns a std::array-like `results`
//
// f is a function object over lanes: the same call serves a number, a dual number and a SIMD pack. It is compiled once
// for each element type, as a function over one contiguous line; the loops over axes are shared by all functions.
// The last few elements of a line go through the same pack code on a padded copy, so that the bits of an element
// depend neither on its position nor on the number of threads. An output may be one of the inputs (same strides).

LIMBIC_BEGIN

// Several values from one function: results{a, b}.
template <class V, int N> struct results {
  V values[N];  // in the order in which they were given
};
template <class V, class... W> results(V, W...) -> results<V, 1 + static_cast<int>(sizeof...(W))>;

// Several outputs of one map.
template <class T, int R, class D, int N> struct output_list {
  sink<T, R, D> sinks[N];  // of one shape
};
template <class First, class... Rest> auto outs(First&& first, Rest&&... rest) {
  auto const s = as_sink(first);
  using S = decltype(s);
  return output_list<typename S::value_type, S::rank, typename S::device, 1 + static_cast<int>(sizeof...(Rest))>{
      {s, as_sink(rest)...}};
}

// What `map` was given to write to: one output or several, as a list.
template <class T, int R, class D, int N> constexpr output_list<T, R, D, N> as_outputs(
    output_list<T, R, D, N> const& o) {
  return o;
}
template <class Out>
  requires requires(Out&& o) { as_sink(o); }
auto as_outputs(Out&& o) {
  return outs(o);
}

namespace detail {

inline constexpr int max_rank = 8;
inline constexpr std::ptrdiff_t block = 256;  // elements of a strided line gathered at a time
inline constexpr std::ptrdiff_t parallel_grain =
    1 << 15;  // elements below which a second thread costs more than it gives

// One contiguous line: out[k][i] = f(in[0][i], ...)[k]
template <class T, int Outs, int Ins>
using line_function = void (*)(void const* f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in);

template <class F, class V, class... In>
LIMBIC_INLINE constexpr auto call(F const& f, In... in) {
  auto const r = f(in...);
  if constexpr (requires { r.values[0]; }) return r;
  else return results<V, 1>{{r}};
}

template <class D, class F, class T, int Outs, int Ins, int... I, int... O>
LIMBIC_INLINE void run_line(F const& f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in,
                            std::integer_sequence<int, I...>, std::integer_sequence<int, O...>) {
  std::ptrdiff_t i = 0;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T>) {
    using L = lanes<T>;
    using V = typename L::type;
    for (; i + L::width <= n; i += L::width) {
      auto const r = call<F, V>(f, L::load(in[I] + i)...);
      (L::store(out[O] + i, add[O] ? L::load(out[O] + i) + r.values[O] : r.values[O]), ...);
    }
    if (i < n) {
      T padded[Ins > 0 ? Ins : 1][L::width] = {};
      T result[Outs][L::width];
      auto const start = [&](T* to, T const* from) {
        for (std::ptrdiff_t k = i; k < n; ++k) to[k - i] = from[k];
      };
      (start(padded[I], in[I]), ...);
      auto const r = call<F, V>(f, L::load(padded[I])...);
      auto const finish = [&](T* to, bool accumulate, T const* from) {
        for (std::ptrdiff_t k = 0; k < n - i; ++k) to[i + k] = accumulate ? to[i + k] + from[k] : from[k];
      };
      (L::store(result[O], r.values[O]), ...);
      (finish(out[O], add[O], result[O]), ...);
    }
  } else
#endif
  {
    for (; i < n; ++i) {
      auto const r = call<F, T>(f, in[I][i]...);
      ((out[O][i] = add[O] ? out[O][i] + r.values[O] : r.values[O]), ...);
    }
  }
}

template <class D, class F, class T, int Outs, int Ins>
void line(void const* f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in) {
  // Copies that no store can change, so that constants and pointers stay in registers.
  F const function = *static_cast<F const*>(f);
  T const* from[Ins > 0 ? Ins : 1];
  T* to[Outs];
  bool onto[Outs];
  for (int k = 0; k < Ins; ++k) from[k] = in[k];
  for (int k = 0; k < Outs; ++k) to[k] = out[k], onto[k] = add[k];
  run_line<D, F, T, Outs, Ins>(function, n, onto, to, from, std::make_integer_sequence<int, Ins>(),
                               std::make_integer_sequence<int, Outs>());
}

// Loops over axes, for any operands: extents once, strides for each operand. Axes that all operands walk through in one
// go are merged, so that contiguous tensors of any rank become one line.
template <int Operands> struct axes {
  int rank = 0;
  std::ptrdiff_t extent[max_rank] = {};
  std::ptrdiff_t stride[Operands][max_rank] = {};

  void append(std::ptrdiff_t n, std::ptrdiff_t const* strides) {
    extent[rank] = n;
    for (int k = 0; k < Operands; ++k) stride[k][rank] = strides[k];
    ++rank;
  }
  // The same, but merged with the axis before it where every operand allows.
  void push(std::ptrdiff_t n, std::ptrdiff_t const* strides) {
    if (n == 1) return;
    bool merges = rank > 0;
    for (int k = 0; merges && k < Operands; ++k) merges = stride[k][rank - 1] == strides[k] * n;
    if (merges) n *= extent[--rank];
    append(n, strides);
  }
};

template <class T, int R, class D>
std::ptrdiff_t broadcast_stride(view<T, R, D> const& v, int axis_from_back) {
  int const axis = R - 1 - axis_from_back;
  return axis < 0 || v.extent(axis) == 1 ? 0 : v.stride(axis);
}

template <class T> void gather_line(T* to, T const* from, std::ptrdiff_t n, std::ptrdiff_t stride) {
  if (stride == 0)
    for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = *from;
  else
    for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = from[i * stride];
}

// One line whose operands may have any stride: blocks of it are brought together, computed, and put back.
template <class T, int Outs, int Ins>
void strided_line(line_function<T, Outs, Ins> run, void const* f, std::ptrdiff_t n, bool const* add, T* const* out,
                  T const* const* in, std::ptrdiff_t const* stride) {
  bool contiguous = true;
  for (int k = 0; k < Outs + Ins; ++k) contiguous = contiguous && (stride[k] == 1 || n == 1);
  if (contiguous) return run(f, n, add, out, in);
  alignas(alignment) T buffers[Outs + Ins][block];
  for (std::ptrdiff_t begin = 0; begin < n; begin += block) {
    std::ptrdiff_t const m = n - begin < block ? n - begin : block;
    T* to[Outs];
    T const* from[Ins > 0 ? Ins : 1];
    for (int k = 0; k < Outs; ++k) {
      std::ptrdiff_t const s = stride[k];
      to[k] = s == 1 ? out[k] + begin : buffers[k];
      if (s != 1 && add[k]) gather_line(buffers[k], out[k] + begin * s, m, s);
    }
    for (int k = 0; k < Ins; ++k) {
      std::ptrdiff_t const s = stride[Outs + k];
      from[k] = s == 1 ? in[k] + begin : buffers[Outs + k];
      if (s == 0 && begin > 0) continue;  // the block holds it already
      if (s != 1) gather_line(buffers[Outs + k], in[k] + begin * s, m, s);
    }
    run(f, m, add, to, from);
    for (int k = 0; k < Outs; ++k)
      if (stride[k] != 1)
        for (std::ptrdiff_t i = 0; i < m; ++i) out[k][(begin + i) * stride[k]] = buffers[k][i];
  }
}

// Where line l (of those along the innermost axis) of each operand starts.
template <int Operands> void line_offsets(axes<Operands> const& loop, std::ptrdiff_t l, std::ptrdiff_t* offset) {
  for (int a = loop.rank - 2; a >= 0 && l > 0; --a) {
    std::ptrdiff_t const at = l % loop.extent[a];
    l /= loop.extent[a];
    for (int k = 0; k < Operands; ++k) offset[k] += at * loop.stride[k][a];
  }
}

inline constexpr std::ptrdiff_t tile_lines = 32, tile_length = 64;

// Transposed reads: the elements of the inputs in `transposed` lie side by side along the axis `across`, not along the
// lines. A tile of lines is brought together at a time, so that every cache line fetched is used whole.
template <class T, int Outs, int Ins>
void map_tiles(line_function<T, Outs, Ins> run, void const* f, axes<Outs + Ins> loop, int across,
               bool const* transposed, bool const* add, T* const* out, T const* const* in) {
  int const inner = loop.rank - 1;
  std::ptrdiff_t const n = loop.extent[inner], width = loop.extent[across],
                       tiles = (width + tile_lines - 1) / tile_lines;
  std::ptrdiff_t stride[Outs + Ins], step[Outs + Ins], jump[Outs + Ins];
  for (int k = 0; k < Outs + Ins; ++k) {
    stride[k] = loop.stride[k][inner];
    step[k] = k >= Outs && transposed[k - Outs] ? 1 : stride[k];  // along a line, once the tile is gathered
    jump[k] = loop.stride[k][across];
    loop.stride[k][across] *= tile_lines;
  }
  loop.extent[across] = tiles;
  std::ptrdiff_t items = 1;
  for (int a = 0; a < inner; ++a) items *= loop.extent[a];
  std::ptrdiff_t const whole = items * tile_lines * n;
  parallel_for(items, whole <= parallel_grain ? items : parallel_grain / 2 / (tile_lines * n) + 1,
               [&](std::ptrdiff_t first, std::ptrdiff_t last) {
                 alignas(alignment) T buffers[Ins][tile_lines][tile_length];
                 for (std::ptrdiff_t item = first; item < last; ++item) {
                   std::ptrdiff_t offset[Outs + Ins] = {};
                   line_offsets(loop, item, offset);
                   std::ptrdiff_t left = item;  // which tile along `across` this is
                   for (int a = inner - 1; a > across; --a) left /= loop.extent[a];
                   std::ptrdiff_t const at = left % tiles * tile_lines,
                                        lines = width - at < tile_lines ? width - at : tile_lines;
                   for (std::ptrdiff_t begin = 0; begin < n; begin += tile_length) {
                     std::ptrdiff_t const m = n - begin < tile_length ? n - begin : tile_length;
                     for (int k = 0; k < Ins; ++k) {
                       if (!transposed[k]) continue;
                       T const* const from = in[k] + offset[Outs + k] + begin * stride[Outs + k];
                       for (std::ptrdiff_t i = 0; i < m; ++i)
                         for (std::ptrdiff_t l = 0; l < lines; ++l) buffers[k][l][i] = from[i * stride[Outs + k] + l];
                     }
                     for (std::ptrdiff_t l = 0; l < lines; ++l) {
                       T* to[Outs];
                       T const* from[Ins];
                       for (int k = 0; k < Outs; ++k) to[k] = out[k] + offset[k] + begin * stride[k] + l * jump[k];
                       for (int k = 0; k < Ins; ++k) {
                         int const o = Outs + k;
                         from[k] = transposed[k] ? buffers[k][l] : in[k] + offset[o] + begin * stride[o] + l * jump[o];
                       }
                       strided_line<T, Outs, Ins>(run, f, m, add, to, from, step);
                     }
                   }
                 }
               });
}

template <class T, int Outs, int Ins>
void map_axes(line_function<T, Outs, Ins> run, void const* f, axes<Outs + Ins> const& loop, bool const* add,
              T* const* out, T const* const* in) {
  int const inner = loop.rank - 1;
  std::ptrdiff_t const n = loop.rank > 0 ? loop.extent[inner] : 1;
  std::ptrdiff_t stride[Outs + Ins];
  for (int k = 0; k < Outs + Ins; ++k) stride[k] = loop.rank > 0 ? loop.stride[k][inner] : 1;
  std::ptrdiff_t lines = 1;
  for (int a = 0; a < inner; ++a) lines *= loop.extent[a];

  if constexpr (Ins > 0) {
    for (int a = inner - 1; a >= 0; --a) {
      bool any = false, transposed[Ins];
      for (int k = 0; k < Ins; ++k) {
        transposed[k] = stride[Outs + k] > 1 && loop.stride[Outs + k][a] == 1;
        any = any || transposed[k];
      }
      if (any && loop.extent[a] >= 4 && n >= 4)
        return map_tiles<T, Outs, Ins>(run, f, loop, a, transposed, add, out, in);
    }
  }

  auto const piece = [&](std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t l = first; l < last; ++l) {
      T* to[Outs];
      T const* from[Ins > 0 ? Ins : 1];
      std::ptrdiff_t offset[Outs + Ins];
      for (int k = 0; k < Outs + Ins; ++k) offset[k] = begin * stride[k];
      line_offsets(loop, l, offset);
      for (int k = 0; k < Outs; ++k) to[k] = out[k] + offset[k];
      for (int k = 0; k < Ins; ++k) from[k] = in[k] + offset[Outs + k];
      strided_line<T, Outs, Ins>(run, f, end - begin, add, to, from, stride);
    }
  };
  if (lines * n <= parallel_grain) piece(0, lines, 0, n);
  else if (lines == 1)
    parallel_for(n, parallel_grain / 2, [&](std::ptrdiff_t b, std::ptrdiff_t e) { piece(0, 1, b, e); });
  else
    parallel_for(lines, (parallel_grain / 2 + n - 1) / n,
                 [&](std::ptrdiff_t b, std::ptrdiff_t e) { piece(b, e, 0, n); });
}

// Shared by all functions: the one at hand comes as a pointer to its options and one to its line.
template <class T, int R, class D, int Outs, class... In>
void map_host(line_function<T, Outs, static_cast<int>(sizeof...(In))> run, void const* f, sink<T, R, D> const* outputs,
              In const&... in) {
  constexpr int Ins = static_cast<int>(sizeof...(In));
  auto const& extents = outputs[0].to.shape();
  if (extents.size() == 0) return;
  axes<Outs + Ins> loop;
  for (int a = 0; a < R; ++a) {
    std::ptrdiff_t strides[Outs + Ins];
    for (int k = 0; k < Outs; ++k) strides[k] = outputs[k].to.stride(a);
    [[maybe_unused]] int k = Outs;
    ((strides[k++] = broadcast_stride(in, R - 1 - a)), ...);
    loop.push(extents[a], strides);
  }
  T* out[Outs];
  bool add[Outs];
  for (int k = 0; k < Outs; ++k) {
    out[k] = outputs[k].to.data();
    add[k] = outputs[k].add;
  }
  T const* from[Ins > 0 ? Ins : 1] = {in.data()...};
  map_axes<T, Outs, Ins>(run, f, loop, add, out, from);
}

template <class T, int R, class D, int S>
void check_map_operand(shape<S> const& out, view<T, R, D> const& in) {
  static_assert(R <= S, "limbic: map: an input has more axes than the output");
  if (!(broadcast("map", out, in.shape()) == out))
    fail<shape_error>("map", "an input of shape ", in.shape(), " does not broadcast to the output ", out);
}

}  // namespace detail

template <class D, class Out, class F, class... In>
  requires is_host<D>
void map(D, Out&& out, F const& f, In const&... in) {
  auto const list = as_outputs(out);
  using S = std::remove_cvref_t<decltype(list.sinks[0])>;
  constexpr int N = sizeof(list.sinks) / sizeof(S);
  if (!list.sinks[0]) return;
  for (auto const& s : list.sinks)
    if (!(s.shape() == list.sinks[0].shape()))
      fail<shape_error>("map", "outputs differ in shape: ", list.sinks[0].shape(), " and ", s.shape());
  (detail::check_map_operand(list.sinks[0].shape(), as_view(in)), ...);
  using T = typename S::value_type;
  detail::map_host<T, S::rank, D, N>(&detail::line<D, F, T, N, static_cast<int>(sizeof...(In))>, &f, list.sinks,
                                     as_view(in)...);
}

// x itself: what a copy maps.
struct identity_function {
  template <class V> constexpr V operator()(V x) const { return x; }
};

// a b
struct multiply_function {
  template <class V> constexpr V operator()(V a, V b) const { return a * b; }
};

// out = in, or out += in: copies between views of any strides.
template <class D, class Out, class In> void copy(D d, Out&& out, In const& in) {
  map(d, out, identity_function{}, in);
}

// The same value whatever is read.
template <class V> struct constant_function {
  V c;  // the value
  template <class U> constexpr U operator()(U) const { return math::broadcast<U>(c); }
};
// out = value everywhere.
template <class D, class T, int R> void fill(D d, view<T, R, D> out, T value) {
  map(d, out, constant_function<T>{value}, view<T const, R, D>(out));
}

LIMBIC_END
// ---- limbic/backend/gemm.hpp -------------------------------------------------------------------------------------
// limbic/backend/gemm.hpp - matrix products
//
//   gemm(D, c, a, b)      c (M, N)  = a (M, K) b (K, N)       sink: assigns or adds
//   gemm(D, c, a, b)      the same for each matrix of a batch: c (B, M, N), an operand may have batch extent 1
//   gemm(D, c, a, packed) b packed once by pack_matrix, used many times (recurrent weights)
//
// Transposes are views (a.transpose()). Structure (Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication", 2008): b is packed into panels three SIMD packs wide, tiles of 96 x 256 of c run in parallel, and a
// register micro-kernel goes over K in blocks of 128. The rows of a are read in place, or, where they lie far apart, from
// a copy of the tile's. Every element of c is one chain of multiply-adds in the order of k for each block, and the blocks
// are added in their order, so its bits depend neither on the threads nor on where it lies in c. A product with a single
// column or a single row is a matrix-vector product and goes through gemv: the same chain where the columns of the matrix
// are contiguous, as in a row times b; dot products, which add in another order, elsewhere (a matrix times a column, a
// row times a transposed b). Scalar loops and dual numbers run the same code, their pack being one element.

LIMBIC_BEGIN

namespace detail {

// What the micro-kernel computes with: W elements of T in a pack.
template <class D, class T> struct kernel_lanes {
  using type = T;
  static constexpr std::ptrdiff_t width = 1, packs = 4, rows = 4;
  static LIMBIC_INLINE constexpr T load(T const* p) { return *p; }
  static LIMBIC_INLINE constexpr void store(T* p, T v) { *p = v; }
};
#if LIMBIC_SIMD
template <class T>
  requires has_lanes<T>
struct kernel_lanes<simd, T> : lanes<T> {
  // 8 x 3 accumulators of 32 registers, 4 x 3 of 16: the rest holds three packs of b and an element of a. Two packs of b
  // would hide the latency of the multiply-adds as well, but take more instructions for each. A dual takes two registers.
  static constexpr std::ptrdiff_t packs = is_dual<T> ? 1 : 3;
  static constexpr std::ptrdiff_t rows = LIMBIC_SIMD_REGISTERS == 32 ? 8 : 4;
};
#endif

inline constexpr std::ptrdiff_t gemm_rows = 96, gemm_columns = 256, gemm_depth = 128;

// Where the micro-kernel finds a: element (i, k) of a group of rows at i * row + k * step, the next group at `group`.
template <class T> struct left_rows {
  T const* data;
  std::ptrdiff_t row, step, group;
};

// The first columns of a tile go to c. Once for all micro-kernels, whose ragged ends would take more code than they do.
template <class T>
LIMBIC_NOINLINE void put_tile(T* c, std::ptrdiff_t ldc, T const* tile, std::ptrdiff_t rows, std::ptrdiff_t width,
                              std::ptrdiff_t columns, bool add) {
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      T const v = tile[i * width + j];
      c[i * ldc + j] = add ? c[i * ldc + j] + v : v;
    }
}

// c (M x N part of a tile) (+)= a b over one block of k. `b` has rows ldb apart, at least packs * width elements each.
template <class D, class T, std::ptrdiff_t M, std::ptrdiff_t P>
LIMBIC_INLINE void micro_kernel(std::ptrdiff_t depth, left_rows<T> a, T const* b, std::ptrdiff_t ldb, T* c,
                                std::ptrdiff_t ldc, std::ptrdiff_t columns, bool add) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  V acc[M][P];
  LIMBIC_UNROLL
  for (std::ptrdiff_t i = 0; i < M; ++i) {
    LIMBIC_UNROLL
    for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = V(0);
  }
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    V right[P];
    LIMBIC_UNROLL
    for (std::ptrdiff_t j = 0; j < P; ++j) right[j] = L::load(b + k * ldb + j * L::width);
    LIMBIC_UNROLL
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      V const left = math::broadcast<V>(a.data[i * a.row + k * a.step]);
      LIMBIC_UNROLL
      for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = math::fma(left, right[j], acc[i][j]);
    }
  }
  if (columns == P * L::width) {
    LIMBIC_UNROLL
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      LIMBIC_UNROLL
      for (std::ptrdiff_t j = 0; j < P; ++j) {
        T* const to = c + i * ldc + j * L::width;
        L::store(to, add ? L::load(to) + acc[i][j] : acc[i][j]);
      }
    }
  } else {
    T tile[M * P * L::width];
    LIMBIC_UNROLL
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      LIMBIC_UNROLL
      for (std::ptrdiff_t j = 0; j < P; ++j) L::store(tile + (i * P + j) * L::width, acc[i][j]);
    }
    put_tile(c, ldc, tile, M, P * L::width, columns, add);
  }
}

// Rows M at a time, then M / 2, ... down to one.
template <class D, class T, std::ptrdiff_t M, std::ptrdiff_t P>
LIMBIC_NOINLINE void micro_rows(std::ptrdiff_t m, std::ptrdiff_t depth, left_rows<T> a, T const* b, std::ptrdiff_t ldb,
                                T* c, std::ptrdiff_t ldc, std::ptrdiff_t columns, bool add) {
  std::ptrdiff_t i = 0;
  for (; i + M <= m; i += M, a.data += a.group)
    micro_kernel<D, T, M, P>(depth, a, b, ldb, c + i * ldc, ldc, columns, add);
  if constexpr (M > 1)
    if (i < m) {
      a.group = M / 2 * a.row;
      micro_rows<D, T, M / 2, P>(m - i, depth, a, b, ldb, c + i * ldc, ldc, columns, add);
    }
}

// The rows of a one after another, `line` elements each, or, where a is transposed, in groups as high as the
// micro-kernel: element (i, k) of a group at k * G + i.
template <class D, class T>
left_rows<T> pack_rows(left_rows<T> a, std::ptrdiff_t m, std::ptrdiff_t depth, std::ptrdiff_t line, T* to) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t G = L::rows;
  if (a.row != 1 || a.step == 1) {
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      T const* const from = a.data + i * a.row;
      T* const at = to + i * line;
      std::ptrdiff_t k = 0;
      if (a.step == 1)
        for (; k + L::width <= depth; k += L::width) L::store(at + k, L::load(from + k));
      for (; k < depth; ++k) at[k] = from[k * a.step];
    }
    return {to, line, 1, G * line};
  }
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    T const* const from = a.data + k * a.step;
    T* at = to + k * G;
    std::ptrdiff_t i = 0;
    for (; i + G <= m; i += G, at += G * depth)
      for (std::ptrdiff_t l = 0; l < G; ++l) at[l] = from[i + l];
    for (std::ptrdiff_t l = 0; i + l < m; ++l) at[l] = from[i + l];
  }
  return {to, 1, G, G * depth};
}

// The columns of a panel of a matrix of n columns: as many packs as the micro-kernel takes or the matrix has, but four
// are two panels of two, not one of three and one of one.
template <class D, class T> constexpr std::ptrdiff_t panel_width(std::ptrdiff_t n) {
  using L = kernel_lanes<D, T>;
  std::ptrdiff_t const packs = n > L::width ? (n + L::width - 1) / L::width : 1;
  return (packs < L::packs ? packs : L::packs == 3 && packs == 4 ? 2 : L::packs) * L::width;
}

// Panel of b: its rows of `width` columns from `first` one after another, zeros beyond the last column.
template <class D, class T>
void pack_panel(view<T const, 2, D> b, std::ptrdiff_t first, std::ptrdiff_t width, T* panel) {
  using L = kernel_lanes<D, T>;
  std::ptrdiff_t const depth = b.extent(0), columns = b.extent(1) - first < width ? b.extent(1) - first : width;
  T const* from = b.data() + first * b.stride(1);
  if (b.stride(1) == 1) {
    std::ptrdiff_t const ldb = b.stride(0);
    std::ptrdiff_t j = 0;
    for (; j + L::width <= columns; j += L::width)
      for (std::ptrdiff_t k = 0; k < depth; ++k) L::store(panel + k * width + j, L::load(from + k * ldb + j));
    if (j < width)
      for (std::ptrdiff_t k = 0; k < depth; ++k) {
        for (std::ptrdiff_t l = j; l < columns; ++l) panel[k * width + l] = from[k * ldb + l];
        for (std::ptrdiff_t l = columns > j ? columns : j; l < width; ++l) panel[k * width + l] = T(0);
      }
    return;
  }
  // Transposed: read a few columns at a time along k, so that both sides stay within a few cache lines.
  constexpr std::ptrdiff_t some = 16;
  std::ptrdiff_t const step = b.stride(0), next = b.stride(1);
  for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += some, panel += some * width, from += some * step) {
    std::ptrdiff_t const count = depth - k0 < some ? depth - k0 : some;
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      T const* const column = from + j * next;
      if (step == 1)
        for (std::ptrdiff_t k = 0; k < count; ++k) panel[k * width + j] = column[k];
      else
        for (std::ptrdiff_t k = 0; k < count; ++k) panel[k * width + j] = column[k * step];
    }
    for (std::ptrdiff_t j = columns; j < width; ++j)
      for (std::ptrdiff_t k = 0; k < count; ++k) panel[k * width + j] = T(0);
  }
}

// micro_rows for the packs that so many columns take.
template <class D, class T, std::ptrdiff_t P = kernel_lanes<D, T>::packs> auto rows_kernel(std::ptrdiff_t columns) {
  using L = kernel_lanes<D, T>;
  if constexpr (P > 1)
    if (columns <= (P - 1) * L::width) return rows_kernel<D, T, P - 1>(columns);
  return &micro_rows<D, T, L::rows, P>;
}

// Elements between the rows of a left operand that is brought together, and of all of them.
template <class T> std::ptrdiff_t left_line(std::ptrdiff_t depth) {
  return (depth < gemm_depth ? depth : gemm_depth) + static_cast<std::ptrdiff_t>(64 / sizeof(T));
}
template <class T> std::ptrdiff_t left_room(std::ptrdiff_t depth) { return gemm_rows * left_line<T>(depth); }

// Panels [p][K][width] of b, or b itself in place of those that are whole packs wide (ldb > 0: its rows are contiguous).
// `workspace`, if any, has left_room elements: enough for one thread.
template <class D, class T>
void gemm_tiles(sink<T, 2, D> c, view<T const, 2, D> a, T const* panels, T const* in_place, std::ptrdiff_t ldb,
                T* workspace) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t M = L::rows, cache_line = static_cast<std::ptrdiff_t>(64 / sizeof(T));
  std::ptrdiff_t const m = c.to.extent(0), n = c.to.extent(1), depth = a.extent(1), row = a.stride(0),
                       step = a.stride(1);
  std::ptrdiff_t const width = panel_width<D, T>(n), per_tile = gemm_columns / width;
  std::ptrdiff_t const panel_count = (n + width - 1) / width;
  std::ptrdiff_t const tile_rows = (m + gemm_rows - 1) / gemm_rows,
                       tile_columns = (panel_count + per_tile - 1) / per_tile;
  std::ptrdiff_t const tiles = tile_rows * tile_columns;
  // A million multiply-adds take some 20 us: less is not worth waking a second thread, least of all on a busy machine.
  std::ptrdiff_t const grain = m * n * depth < (1 << 20) ? tiles : 1;
  // The rows (of a transposed a: the columns) of a large a lie far apart, where they are powers of two on the same few
  // cache sets: what a tile reads of it is brought together first.
  bool const across = row == 1 && step != 1;
  bool const pack_a = (across ? step : row) >= 8 * cache_line && m >= 4 * M && n >= 4 * L::width && depth >= 64;
  std::ptrdiff_t const line = left_line<T>(depth);
  if (threads() > 1) workspace = nullptr;
  auto const room = [&] {
    return pack_a && workspace == nullptr ? tensor<T, 1, D>(shape<1>{{left_room<T>(depth)}}, uninitialized)
                                          : tensor<T, 1, D>();
  };
  parallel_for(tiles, grain, room, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& packed_rows) {
    for (std::ptrdiff_t t = begin; t < end; ++t) {
      std::ptrdiff_t const i0 = t % tile_rows * gemm_rows, rows = m - i0 < gemm_rows ? m - i0 : gemm_rows;
      std::ptrdiff_t const p0 = t / tile_rows * per_tile,
                           p1 = p0 + per_tile < panel_count ? p0 + per_tile : panel_count;
      for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += gemm_depth) {
        std::ptrdiff_t const ks = depth - k0 < gemm_depth ? depth - k0 : gemm_depth;
        left_rows<T> left{a.data() + i0 * row + k0 * step, row, step, M * row};
        if (pack_a) left = pack_rows<D>(left, rows, ks, line, workspace != nullptr ? workspace : packed_rows.data());
        for (std::ptrdiff_t p = p0; p < p1; ++p) {
          std::ptrdiff_t const j = p * width, columns = n - j < width ? n - j : width;
          bool const here = in_place != nullptr && columns % L::width == 0;
          T const* const b =
              here ? in_place + k0 * ldb + j : panels + (in_place != nullptr ? 0 : p) * depth * width + k0 * width;
          rows_kernel<D, T>(columns)(rows, ks, left, b, here ? ldb : width, c.to.data() + i0 * c.to.stride(0) + j,
                                     c.to.stride(0), columns, c.add || k0 > 0);
        }
      }
    }
  });
}

// A pack of n elements that lie `step` apart, zeros after them.
template <class D, class T> LIMBIC_INLINE auto load_part(T const* p, std::ptrdiff_t n, std::ptrdiff_t step) {
  using L = kernel_lanes<D, T>;
  if (step == 1 && n >= L::width) return L::load(p);
  T line[L::width];
  for (std::ptrdiff_t l = 0; l < L::width; ++l) line[l] = l < n ? p[l * step] : T(0);
  return L::load(line);
}

// y (M) (+)= a (M, K) x (K), x contiguous. Rows become dot products, four at a time, each in two accumulators, which
// hides the latency of the multiply-adds. Where the columns are contiguous instead, sums of a run of rows take four
// columns at a time, in the order of k and in the blocks of gemm_tiles, so that a row times b has the bits of that row of
// a larger product.
template <class D, class T>
void gemv(T* y, std::ptrdiff_t y_step, bool add, view<T const, 2, D> a, T const* x) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  std::ptrdiff_t const m = a.extent(0), depth = a.extent(1), row = a.stride(0), step = a.stride(1);
  std::ptrdiff_t const grain = m * depth < (1 << 17) ? m : ((1 << 16) / (depth + 1) + 8) / 8 * 8;
  auto const put = [&](std::ptrdiff_t i, T v, bool adds) { y[i * y_step] = adds ? y[i * y_step] + v : v; };
  if (step == 1 || row != 1) {
    parallel_for(m, grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      auto const dots = [&](auto count, std::ptrdiff_t i) {
        constexpr std::ptrdiff_t N = decltype(count)::value, U = 2;
        T const* const first = a.data() + i * row;
        V acc[N][U];
        LIMBIC_UNROLL
        for (std::ptrdiff_t r = 0; r < N; ++r) acc[r][0] = acc[r][1] = V(0);
        std::ptrdiff_t k = 0;
        for (; step == 1 && k + U * L::width <= depth; k += U * L::width) {
          V const right[U] = {L::load(x + k), L::load(x + k + L::width)};
          LIMBIC_UNROLL
          for (std::ptrdiff_t r = 0; r < N; ++r) {
            LIMBIC_UNROLL
            for (std::ptrdiff_t u = 0; u < U; ++u)
              acc[r][u] = math::fma(L::load(first + r * row + k + u * L::width), right[u], acc[r][u]);
          }
        }
        for (; k < depth; k += L::width) {
          V const right = load_part<D>(x + k, depth - k, 1);
          LIMBIC_UNROLL
          for (std::ptrdiff_t r = 0; r < N; ++r)
            acc[r][0] = math::fma(load_part<D>(first + r * row + k * step, depth - k, step), right, acc[r][0]);
        }
        LIMBIC_UNROLL
        for (std::ptrdiff_t r = 0; r < N; ++r) put(i + r, math::reduce_add(acc[r][0] + acc[r][1]), add);
      };
      std::ptrdiff_t i = begin;
      for (; i + 4 <= end; i += 4) dots(std::integral_constant<std::ptrdiff_t, 4>(), i);
      for (; i < end; ++i) dots(std::integral_constant<std::ptrdiff_t, 1>(), i);
    });
    return;
  }
  // Runs of each column as long as the threads allow, as each column may lie on a page of its own. The pieces may depend
  // on the threads here: an element's bits do not depend on where its piece begins.
  constexpr std::ptrdiff_t run = 4096 / sizeof(T);
  std::ptrdiff_t const share = (m / threads() / 64 + 1) * 64;
  parallel_for(m, grain < share ? share : grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    T sums[run];
    for (std::ptrdiff_t i0 = begin; i0 < end; i0 += run) {
      std::ptrdiff_t const rows = end - i0 < run ? end - i0 : run;
      auto const columns = [&](auto count, std::ptrdiff_t k) {
        constexpr std::ptrdiff_t N = decltype(count)::value;
        T const* const first = a.data() + i0 + k * step;
        V right[N];
        LIMBIC_UNROLL
        for (std::ptrdiff_t u = 0; u < N; ++u) right[u] = math::broadcast<V>(x[k + u]);
        auto const pack = [&](std::ptrdiff_t i, auto const& load) {
          V s = L::load(sums + i);
          LIMBIC_UNROLL
          for (std::ptrdiff_t u = 0; u < N; ++u) s = math::fma(right[u], load(first + u * step + i), s);
          L::store(sums + i, s);
        };
        std::ptrdiff_t i = 0;
        for (; i + L::width <= rows; i += L::width) pack(i, [](T const* p) { return L::load(p); });
        if (i < rows) pack(i, [&](T const* p) { return load_part<D>(p, rows - i, 1); });
      };
      for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += gemm_depth) {
        std::ptrdiff_t const k1 = depth - k0 < gemm_depth ? depth : k0 + gemm_depth;
        for (std::ptrdiff_t i = 0; i < rows; i += L::width) L::store(sums + i, V(0));
        std::ptrdiff_t k = k0;
        for (; k + 4 <= k1; k += 4) columns(std::integral_constant<std::ptrdiff_t, 4>(), k);
        for (; k < k1; ++k) columns(std::integral_constant<std::ptrdiff_t, 1>(), k);
        for (std::ptrdiff_t i = 0; i < rows; ++i) put(i0 + i, sums[i], add || k0 > 0);
      }
    }
  });
}

template <class T, int R, class D> bool rows_contiguous(view<T, R, D> const& v) {
  return v.stride(R - 1) == 1 || v.extent(R - 1) <= 1;
}

template <class C, class A, class B> void check_gemm(C const& c, A const& a, B const& b) {
  if (a[1] != b[0]) fail<shape_error>("gemm", "columns of a ", a, " must equal rows of b ", b);
  if (c[0] != a[0] || c[1] != b[1])
    fail<shape_error>("gemm", "c ", c, " must have the rows of a ", a, " and the columns of b ", b);
}

}  // namespace detail

// b laid out for the micro-kernel. The panels lie in memory of the caller (packed_size elements) or in its own.
template <class T, class D = default_device> class packed_matrix {
 public:
  // The elements of memory that b (K, N) needs.
  static std::ptrdiff_t packed_size(shape<2> const& b) {
    std::ptrdiff_t const width = detail::panel_width<D, T>(b[1]);
    return (b[1] + width - 1) / width * width * b[0];
  }
  packed_matrix() = default;
  explicit packed_matrix(view<T const, 2, D> b) : own_(limbic::shape<1>{{packed_size(b.shape())}}, uninitialized) {
    pack(b, own_.data());
  }
  packed_matrix(view<T const, 2, D> b, T* workspace) { pack(b, workspace); }

  // The shape of b.
  limbic::shape<2> const& shape() const { return shape_; }
  // Where the panels lie, one after another.
  T const* panels() const { return panels_; }

 private:
  LIMBIC_NOINLINE void pack(view<T const, 2, D> b, T* to) {
    std::ptrdiff_t const width = detail::panel_width<D, T>(b.extent(1));
    shape_ = b.shape();
    panels_ = to;
    std::ptrdiff_t const count = (b.extent(1) + width - 1) / width;
    parallel_for(count, b.size() < (1 << 16) ? count : 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t p = begin; p < end; ++p)
        detail::pack_panel<D, T>(b, p * width, width, to + p * b.extent(0) * width);
    });
  }
  limbic::shape<2> shape_;
  T const* panels_ = nullptr;
  tensor<T, 1, D> own_;
};

// `workspace` as below.
template <class D, class C, class A, class T>
  requires is_host<D>
void gemm(D, C&& c, A const& a, packed_matrix<T, D> const& b, T* workspace = nullptr) {
  sink<T, 2, D> const to = as_sink(c);
  view<T const, 2, D> const left = as_view(a);
  if (!to) return;
  detail::check_gemm(to.shape(), left.shape(), b.shape());
  if (!detail::rows_contiguous(to.to)) fail<shape_error>("gemm", "the rows of c must be contiguous");
  if (to.shape().size() == 0) return;
  if (left.extent(1) == 0) {
    if (!to.add) fill(D{}, to.to, T(0));
    return;
  }
  detail::gemm_tiles<D, T>(to, left, b.panels(), nullptr, 0, workspace);
}

// The elements with which one thread (in a piece of a loop, say) multiplies matrices of these shapes and allocates
// nothing: neither is a strided vector, and the rows of the product are contiguous.
template <class D, class T> std::ptrdiff_t gemm_workspace(shape<2> const& a, shape<2> const& b) {
  return packed_matrix<T, D>::packed_size(b) + detail::left_room<T>(a[1]);
}

// `workspace`, if any, has gemm_workspace elements.
template <class D, class T>
  requires is_host<D>
void gemm(D d, sink<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b, T* workspace = nullptr) {
  if (!c) return;
  detail::check_gemm(c.shape(), a.shape(), b.shape());
  if (c.shape().size() == 0) return;
  std::ptrdiff_t const m = a.extent(0), depth = a.extent(1), n = b.extent(1);
  if (depth == 0) {
    if (!c.add) fill(d, c.to, T(0));
    return;
  }
  auto const contiguous_vector = [&](view<T const, 1, D> v, auto const& use) {
    if (v.stride(0) == 1 || v.size() == 1) return use(v.data());
    tensor<T, 1, D> const copied(v);
    use(copied.data());
  };
  if (n == 1) {
    contiguous_vector(b.transpose()[0],
                      [&](T const* x) { detail::gemv<D, T>(c.to.data(), c.to.stride(0), c.add, a, x); });
    return;
  }
  if (m == 1) {
    contiguous_vector(a[0],
                      [&](T const* x) { detail::gemv<D, T>(c.to.data(), c.to.stride(1), c.add, b.transpose(), x); });
    return;
  }
  if (!detail::rows_contiguous(c.to)) {
    if (c.to.stride(0) == 1) return gemm(d, sink<T, 2, D>(c.to.transpose(), c.add), b.transpose(), a.transpose());
    tensor<T, 2, D> product(c.shape(), uninitialized);
    gemm(d, sink<T, 2, D>(product.view()), a, b);
    return copy(d, c, product);
  }
  // A few rows do not repay packing b: its full panels are read where they are, only a ragged last one is packed.
  std::ptrdiff_t const width = detail::panel_width<D, T>(n), last = n / width * width;
  bool const few = b.stride(1) == 1 && m <= 2 * detail::kernel_lanes<D, T>::rows;
  bool const ragged = (n - last) % detail::kernel_lanes<D, T>::width != 0;
  tensor<T, 1, D> own;
  if (workspace == nullptr && (ragged || !few)) {
    std::ptrdiff_t const room = few ? depth * width : packed_matrix<T, D>::packed_size(b.shape());
    own = tensor<T, 1, D>(shape<1>{{room}}, uninitialized);
  }
  T* const panels = workspace != nullptr ? workspace + detail::left_room<T>(depth) : own.data();
  if (!few) return gemm(d, c, a, packed_matrix<T, D>(b, panels), workspace);
  if (ragged) detail::pack_panel<D, T>(b, last, width, panels);
  detail::gemm_tiles<D, T>(c, a, panels, b.data(), b.stride(0), workspace);
}

// Batches: c (B, M, N), a (B or 1, M, K), b (B or 1, K, N). A b shared by all is one product of B * M rows where a and c
// allow it.
template <class D, class T>
  requires is_host<D>
void gemm(D d, sink<T, 3, D> c, view<T const, 3, D> a, view<T const, 3, D> b) {
  if (!c) return;
  std::ptrdiff_t const batch = c.shape()[0];
  if ((a.extent(0) != batch && a.extent(0) != 1) || (b.extent(0) != batch && b.extent(0) != 1))
    fail<shape_error>("gemm", "batches of a ", a.shape(), " and b ", b.shape(), " do not fit c ", c.shape());
  if (b.extent(0) == 1 && a.extent(0) == batch && a.is_contiguous() && c.to.is_contiguous())
    return gemm(d, sink<T, 2, D>(c.to.reshape(shape<2>{{batch * a.extent(1), c.shape()[2]}}), c.add),
                a.reshape(shape<2>{{batch * a.extent(1), a.extent(2)}}), b[0]);
  for (std::ptrdiff_t i = 0; i < batch; ++i)
    gemm(d, sink<T, 2, D>(c.to[i], c.add), a[a.extent(0) == 1 ? 0 : i], b[b.extent(0) == 1 ? 0 : i]);
}

LIMBIC_END
// ---- limbic/backend/reduce.hpp -----------------------------------------------------------------------------------
// limbic/backend/reduce.hpp - folds along axes: out = fold over the reduced axes of f(in...)
//
//   reduce(D, out, combine, f, in...)     combine: sum_of, product_of, max_of, min_of; f: a function of lanes
//   reduce(D, out, combine, in)           f is the identity
//
// The inputs broadcast to one shape; out has the same rank, with extent 1 on the axes that are reduced. Only one fold
// is ever written for all axes: an inner reduced axis runs over packs in four accumulators, an outer one adds line to
// line. Long sums go in fixed pieces (1024 elements along a line, 128 lines on top of one another) whose results are
// folded as a tree, which bounds the rounding error and makes the bits independent of the number of threads.

LIMBIC_BEGIN

struct sum_of {  // a + b
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return V(0); }
  template <class V> constexpr V operator()(V a, V b) const { return a + b; }
};
struct product_of {  // a b
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return V(1); }
  template <class V> constexpr V operator()(V a, V b) const { return a * b; }
};
struct max_of {  // a NaN anywhere gives NaN
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return math::constant<V>(-std::numeric_limits<double>::infinity()); }
  template <class V> constexpr V operator()(V a, V b) const { return math::max(a, b); }
};
struct min_of {  // as max_of
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return math::constant<V>(std::numeric_limits<double>::infinity()); }
  template <class V> constexpr V operator()(V a, V b) const { return math::min(a, b); }
};

namespace detail {

inline constexpr std::ptrdiff_t fold_piece = 1 << 10;  // elements of a line folded at a time
inline constexpr std::ptrdiff_t fold_lines = 128;      // lines folded on top of one another at a time

// Folds numbers as they come as a balanced tree would: the k-th partial result stands for 2^k of them.
template <class T> struct cascade {
  T (*combine)(T a, T b);
  T start;
  T partial[48];
  std::ptrdiff_t count = 0;

  void add(T x) {
    int level = 0;
    for (; (count >> level) & 1; ++level) x = combine(partial[level], x);
    partial[level] = x;
    ++count;
  }
  T result() const {
    T acc = start;
    for (int level = 0; (count >> level) != 0; ++level)
      if ((count >> level) & 1) acc = combine(partial[level], acc);
    return acc;
  }
};

// The lanes of a pack, folded in order.
template <class T, class C> LIMBIC_INLINE constexpr T fold_lanes(C const&, T x) { return x; }
#if LIMBIC_SIMD
template <class T, class C, class V>
  requires(!std::is_same_v<T, V>)
LIMBIC_INLINE T fold_lanes(C const& combine, V x) {
  T parts[lanes<T>::width];
  lanes<T>::store(parts, x);
  T r = parts[0];
  for (std::ptrdiff_t i = 1; i < lanes<T>::width; ++i) r = combine(r, parts[i]);
  return r;
}
#endif

// The fold of one contiguous line of at most fold_piece elements.
template <class D, class C, class F, class T, int Ins, int... I>
LIMBIC_INLINE T fold_line(C const& combine, F const& f, std::ptrdiff_t n, T const* const* in,
                          std::integer_sequence<int, I...>) {
  std::ptrdiff_t i = 0;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T>) {
    using L = lanes<T>;
    using V = typename L::type;
    if (n >= L::width) {
      V acc[4];
      for (auto& a : acc) a = C::template start<V>();
      for (; i + 4 * L::width <= n; i += 4 * L::width)
        for (int k = 0; k < 4; ++k) acc[k] = combine(acc[k], f(L::load(in[I] + i + k * L::width)...));
      for (; i + L::width <= n; i += L::width) acc[0] = combine(acc[0], f(L::load(in[I] + i)...));
      T r = fold_lanes<T>(combine, combine(combine(acc[0], acc[1]), combine(acc[2], acc[3])));
      for (; i < n; ++i) r = combine(r, f(in[I][i]...));
      return r;
    }
  }
#endif
  T r = C::template start<T>();
  for (; i < n; ++i) r = combine(r, f(in[I][i]...));
  return r;
}

// acc[i] = combine(acc[i], f(in...[i])): one line folded onto another.
template <class C, class F> struct fold_onto {
  C combine;
  F f;
  template <class V, class... In> constexpr V operator()(V acc, In... in) const { return combine(acc, f(in...)); }
};

template <class T, int Ins> struct fold_functions {
  T (*line)(void const* f, std::ptrdiff_t n, T const* const* in);
  void (*onto)(void const* f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in);
  T (*combine)(T a, T b);
  T start;
};

template <class D, class C, class F, class T, int Ins>
T fold_line_erased(void const* f, std::ptrdiff_t n, T const* const* in) {
  auto const& fold = *static_cast<fold_onto<C, F> const*>(f);
  return fold_line<D, C, F, T, Ins>(fold.combine, fold.f, n, in, std::make_integer_sequence<int, Ins>());
}
template <class C, class T> T combine_erased(T a, T b) { return C()(a, b); }

// The loops of a fold: kept axes outside, reduced axes inside. Operand 0 is the output.
template <class T, int Ins> struct fold_loops {
  axes<1 + Ins> kept, reduced;  // without the innermost axis
  bool inner_reduced = true;
  std::ptrdiff_t inner = 1;
  std::ptrdiff_t inner_stride[1 + Ins] = {};
};

template <int Operands>
std::ptrdiff_t axes_size(axes<Operands> const& a) {
  std::ptrdiff_t n = 1;
  for (int k = 0; k < a.rank; ++k) n *= a.extent[k];
  return n;
}
template <int Operands>
void axes_offsets(axes<Operands> const& a, std::ptrdiff_t index, std::ptrdiff_t* offset) {
  for (int k = a.rank - 1; k >= 0 && index > 0; --k) {  // no extent is 0 where an index is not
    std::ptrdiff_t const at = index % a.extent[k];
    index /= a.extent[k];
    for (int o = 0; o < Operands; ++o) offset[o] += at * a.stride[o][k];
  }
}

// Points `from` at contiguous copies of the strided lines where needed.
template <class T, int Ins>
void gather_lines(T (&buffers)[Ins][block], T const* const* at, std::ptrdiff_t const* stride, std::ptrdiff_t n,
                  T const** from) {
  for (int k = 0; k < Ins; ++k) {
    from[k] = at[k];
    if (stride[k] == 1 || n == 1) continue;
    gather_line(buffers[k], at[k], n, stride[k]);
    from[k] = buffers[k];
  }
}

template <class T, int Ins>
T fold_one_piece(fold_functions<T, Ins> const& fn, void const* f, std::ptrdiff_t n, T const* const* at,
                 std::ptrdiff_t const* stride) {
  bool contiguous = true;
  for (int k = 0; k < Ins; ++k) contiguous = contiguous && (stride[k] == 1 || n == 1);
  if (contiguous) return fn.line(f, n, at);
  T buffers[Ins][block];
  T acc = fn.start;
  for (std::ptrdiff_t i = 0; i < n; i += block) {
    T const* moved[Ins];
    T const* from[Ins];
    for (int k = 0; k < Ins; ++k) moved[k] = at[k] + i * stride[k];
    std::ptrdiff_t const m = n - i < block ? n - i : block;
    gather_lines<T, Ins>(buffers, moved, stride, m, from);
    acc = fn.combine(acc, fn.line(f, m, from));
  }
  return acc;
}

template <class T, int Ins>
void fold_axes(fold_functions<T, Ins> const& fn, void const* f, fold_loops<T, Ins> const& loop, bool add, T* out,
               T const* const* in) {
  std::ptrdiff_t const outer = axes_size(loop.kept), lines = axes_size(loop.reduced), n = loop.inner;
  auto const locate = [&](std::ptrdiff_t kept, std::ptrdiff_t line, std::ptrdiff_t i, T const** at) {
    std::ptrdiff_t offset[1 + Ins] = {};
    axes_offsets(loop.kept, kept, offset);
    axes_offsets(loop.reduced, line, offset);
    for (int k = 0; k < Ins; ++k) at[k] = in[k] + offset[1 + k] + i * loop.inner_stride[1 + k];
    return out + offset[0] + i * loop.inner_stride[0];
  };

  if (loop.inner_reduced) {
    std::ptrdiff_t const pieces = lines * ((n + fold_piece - 1) / fold_piece),
                         per_line = (n + fold_piece - 1) / fold_piece;
    auto const one = [&](std::ptrdiff_t kept, std::ptrdiff_t p) {
      std::ptrdiff_t const begin = p % per_line * fold_piece, end = begin + fold_piece < n ? begin + fold_piece : n;
      T const* at[Ins];
      locate(kept, p / per_line, begin, at);
      return fold_one_piece<T, Ins>(fn, f, end - begin, at, loop.inner_stride + 1);
    };
    auto const store = [&](std::ptrdiff_t kept, T acc) {
      T const* at[Ins];
      T* const to = locate(kept, 0, 0, at);
      *to = add ? *to + acc : acc;
    };
    if (outer == 1 && pieces > 1 && lines * n > parallel_grain) {  // threads share one long fold
      tensor<T, 1, scalar> parts(shape<1>{{pieces}}, uninitialized);
      std::ptrdiff_t const grain = (parallel_grain / 2 * pieces + lines * n - 1) / (lines * n);
      parallel_for(pieces, grain, [&](std::ptrdiff_t b, std::ptrdiff_t e) {
        for (std::ptrdiff_t p = b; p < e; ++p) parts.data()[p] = one(0, p);
      });
      cascade<T> tree{fn.combine, fn.start, {}};
      for (std::ptrdiff_t p = 0; p < pieces; ++p) tree.add(parts.data()[p]);
      store(0, tree.result());
      return;
    }
    std::ptrdiff_t const grain = outer * lines * n <= parallel_grain ? outer : (parallel_grain / 2) / (lines * n) + 1;
    parallel_for(outer, grain, [&](std::ptrdiff_t b, std::ptrdiff_t e) {
      for (std::ptrdiff_t kept = b; kept < e; ++kept) {
        if (pieces == 1) {
          store(kept, one(kept, 0));
          continue;
        }
        cascade<T> tree{fn.combine, fn.start, {}};
        for (std::ptrdiff_t p = 0; p < pieces; ++p) tree.add(one(kept, p));
        store(kept, tree.result());
      }
    });
    return;
  }

  // The innermost axis is kept: lines are folded on top of one another, a block of columns at a time.
  std::ptrdiff_t const columns = (n + block - 1) / block;
  std::ptrdiff_t const width = n < block ? n : block;
  std::ptrdiff_t const grain =
      outer * lines * n <= parallel_grain ? outer * columns : (parallel_grain / 2) / (lines * width) + 1;
  parallel_for(outer * columns, grain, [&](std::ptrdiff_t b, std::ptrdiff_t e) {
    T total[block], some[block], acc[block];  // of all lines, of fold_lines^2 of them, of fold_lines
    T buffers[Ins][block];
    for (std::ptrdiff_t item = b; item < e; ++item) {
      std::ptrdiff_t const kept = item / columns, begin = item % columns * block;
      std::ptrdiff_t const m = n - begin < block ? n - begin : block;
      for (std::ptrdiff_t i = 0; i < m; ++i) total[i] = some[i] = fn.start;
      for (std::ptrdiff_t first = 0; first < lines; first += fold_lines) {
        for (std::ptrdiff_t i = 0; i < m; ++i) acc[i] = fn.start;
        std::ptrdiff_t const last = first + fold_lines < lines ? first + fold_lines : lines;
        for (std::ptrdiff_t l = first; l < last; ++l) {
          T const* at[Ins];
          T const* from[1 + Ins];
          locate(kept, l, begin, at);
          gather_lines<T, Ins>(buffers, at, loop.inner_stride + 1, m, from + 1);
          from[0] = acc;
          T* to = acc;
          bool const assign = false;
          fn.onto(f, m, &assign, &to, from);
        }
        for (std::ptrdiff_t i = 0; i < m; ++i) some[i] = fn.combine(some[i], acc[i]);
        if (last < lines && last % (fold_lines * fold_lines) != 0) continue;
        for (std::ptrdiff_t i = 0; i < m; ++i) {
          total[i] = fn.combine(total[i], some[i]);
          some[i] = fn.start;
        }
      }
      T const* at[Ins];
      T* const to = locate(kept, 0, begin, at);
      for (std::ptrdiff_t i = 0; i < m; ++i) {
        T& o = to[i * loop.inner_stride[0]];
        o = add ? o + total[i] : total[i];
      }
    }
  });
}

// Shared by all folds: the one at hand comes as pointers to its functions. Operand 0 of the loops is the output.
template <class T, int R, class D, class First, class... In>
void fold_host(fold_functions<T, 1 + static_cast<int>(sizeof...(In))> const& fn, void const* f, sink<T, R, D> const& s,
               First const& first, In const&... in) {
  constexpr int Ins = 1 + static_cast<int>(sizeof...(In));
  shape<R> full = s.shape();
  auto const widen = [&](auto const& v) { full = broadcast("reduce", full, v.shape()); };
  widen(first);
  (widen(in), ...);
  for (int a = 0; a < R; ++a)
    if (s.shape()[a] != full[a] && s.shape()[a] != 1)
      fail<shape_error>("reduce", "the output ", s.shape(), " must have extent 1 or that of the inputs, ", full);
  if (s.shape().size() == 0) return;

  // Neighbouring axes of one kind (reduced: the output has extent 1 there) merge where memory allows; the last one is
  // the line, the others are the loops around it.
  struct {
    std::ptrdiff_t extent;
    bool reduced;
    std::ptrdiff_t stride[1 + Ins];
  } merged[R + 1] = {};  // one more than is used, for g++ 12, which does not see that count <= a
  int count = 0;
  for (int a = 0; a < R; ++a) {
    if (full[a] == 1) continue;
    auto& next = merged[count];
    next.extent = full[a];
    next.reduced = s.shape()[a] == 1;
    next.stride[0] = next.reduced ? 0 : s.to.stride(a);
    int k = 1;
    next.stride[k++] = broadcast_stride(first, R - 1 - a);
    ((next.stride[k++] = broadcast_stride(in, R - 1 - a)), ...);
    bool merges = count > 0 && merged[count - 1].reduced == next.reduced;
    for (int o = 0; merges && o < 1 + Ins; ++o) merges = merged[count - 1].stride[o] == next.stride[o] * next.extent;
    if (merges) {
      next.extent *= merged[count - 1].extent;
      merged[count - 1] = next;
    } else {
      ++count;
    }
  }
  fold_loops<T, Ins> loop;
  for (int a = 0; a + 1 < count; ++a)
    (merged[a].reduced ? loop.reduced : loop.kept).append(merged[a].extent, merged[a].stride);
  if (count > 0) {
    loop.inner_reduced = merged[count - 1].reduced;
    loop.inner = merged[count - 1].extent;
    for (int o = 0; o < 1 + Ins; ++o) loop.inner_stride[o] = merged[count - 1].stride[o];
  }

  T const* from[Ins] = {first.data(), in.data()...};
  fold_axes<T, Ins>(fn, f, loop, s.add, s.to.data(), from);
}

}  // namespace detail

template <class D, class Out, class C, class F, class First, class... In>
  requires(is_host<D> && !std::is_same_v<F, void>)
void reduce(D, Out&& out, C const& combine, F const& f, First const& first, In const&... in) {
  auto const s = as_sink(out);
  if (!s) return;
  using T = typename std::remove_const_t<decltype(s)>::value_type;
  constexpr int Ins = 1 + static_cast<int>(sizeof...(In));
  detail::fold_onto<C, F> const fold{combine, f};
  detail::fold_functions<T, Ins> const fn{&detail::fold_line_erased<D, C, F, T, Ins>,
                                          &detail::line<D, detail::fold_onto<C, F>, T, 1, 1 + Ins>,
                                          &detail::combine_erased<C, T>, C::template start<T>()};
  detail::fold_host(fn, &fold, s, as_view(first), as_view(in)...);
}

template <class D, class Out, class C, class In>
  requires is_host<D>
void reduce(D d, Out&& out, C const& combine, In const& in) {
  reduce(d, out, combine, identity_function{}, in);
}

LIMBIC_END
// ---- limbic/backend/row.hpp --------------------------------------------------------------------------------------
// limbic/backend/row.hpp - work on the rows of tensors: all lines along one axis, each seen whole
//
//   for_each_row(D, axis, f, rows...)      f(row...) for every line along `axis`
//
// The operands agree in all other axes (an extent of 1 stretches); along `axis` each may have its own length, so that
// one number for each row is a row of length 1. A row is contiguous: lines with another stride are gathered before and
// scattered after. f is a function object whose body uses the verbs of a row:
//
//   map(out, f, in...)      out = f(in...), elementwise; an argument that is a number goes to every element
//   sum(x) max(x) min(x) dot(x, y) fold(combine, f, x...)      one number
//   argmax(x) argmin(x)     the first place of the greatest or least (of a NaN, where there is one); x is not empty
//   count(x, f)             for how many places f(x[i], i) is true
//   nth_place(x, k)         the place of the k-th element in ascending order, from 0; equal ones in the order of places
//   place(out, i, v)        v at i, 0 elsewhere
//   generate(out, f)        out[i] = f(i), for what reads elements at other places
//   x.size(), x[i], x.part(first, last)
//
// On a CPU they are SIMD loops, on a GPU one block's cooperation.

#include <tuple>

LIMBIC_BEGIN

template <class T, class D> struct row {
  // What an operand says of itself, but for a rank.
  using value_type = std::remove_const_t<T>;
  using device = D;
  T* data = nullptr;  // null: not given, or not wanted
  std::ptrdiff_t length = 0;
  bool add = false;  // map adds instead of assigning

  // The number of elements, also of a null row.
  constexpr std::ptrdiff_t size() const { return length; }
  constexpr T& operator[](std::ptrdiff_t i) const { return data[i]; }
  // The elements from `first` on, before `last`.
  constexpr row part(std::ptrdiff_t first, std::ptrdiff_t last) const { return {data + first, last - first, add}; }
  explicit constexpr operator bool() const { return data != nullptr; }
  // Writes one element as map does: assigns or adds.
  constexpr void put(std::ptrdiff_t i, value_type v) const { data[i] = add ? data[i] + v : v; }
};

namespace detail {
template <class T> inline constexpr bool is_row = false;
template <class T, class D> inline constexpr bool is_row<row<T, D>> = true;

// A number as an operand of a row's map: a line of it, one block long, read again and again.
template <class A> struct row_operand {
  A value;
  template <class V> LIMBIC_INLINE constexpr V load(std::ptrdiff_t) const { return math::broadcast<V>(value); }
  template <class T> constexpr T at(std::ptrdiff_t) const { return static_cast<T>(value); }
};
template <class T, class D> struct row_operand<row<T, D>> {
  row<T, D> value;
#if LIMBIC_SIMD
  template <class V> LIMBIC_INLINE V load(std::ptrdiff_t i) const {
    return lanes<std::remove_const_t<T>>::load(value.data + i);
  }
#endif
  template <class U> constexpr U at(std::ptrdiff_t i) const { return value.data[i]; }
};

// The last elements of a row as a pack, padded with its last one.
template <class T, class A> LIMBIC_INLINE auto row_tail(row_operand<A> const& operand, std::ptrdiff_t i,
                                                        std::ptrdiff_t n) {
#if LIMBIC_SIMD
  T padded[lanes<T>::width];
  for (std::ptrdiff_t k = 0; k < lanes<T>::width; ++k) padded[k] = operand.template at<T>(i + k < n ? i + k : n - 1);
  return lanes<T>::load(padded);
#else
  (void)n;
  return operand.template at<T>(i);
#endif
}
}  // namespace detail

template <class T, class D, class F, class... A>
  requires is_host<D>
constexpr void map(row<T, D> out, F const& f, A const&... args) {
  if (!out) return;
  std::ptrdiff_t i = 0;
  std::ptrdiff_t const n = out.length;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T>) {
    using L = lanes<T>;
    using V = typename L::type;
    for (; i + L::width <= n; i += L::width) {
      V const v = f(detail::row_operand<A>{args}.template load<V>(i)...);
      L::store(out.data + i, out.add ? L::load(out.data + i) + v : v);
    }
    if (i < n) {
      T tail[L::width];
      L::store(tail, f(detail::row_tail<T>(detail::row_operand<A>{args}, i, n)...));
      for (std::ptrdiff_t k = i; k < n; ++k) out.put(k, tail[k - i]);
    }
  } else
#endif
  {
    for (; i < n; ++i) out.put(i, f(detail::row_operand<A>{args}.template at<T>(i)...));
  }
}

template <class C, class F, class T, class D, class... U>
  requires is_host<D>
constexpr auto fold(C const& combine, F const& f, row<T, D> first, row<U, D>... rest) {
  using E = std::remove_const_t<T>;
  E const* const in[] = {first.data, rest.data...};
  constexpr int Ins = 1 + static_cast<int>(sizeof...(U));
  auto const piece = [&](std::ptrdiff_t i) {
    E const* at[Ins];
    for (int k = 0; k < Ins; ++k) at[k] = in[k] + i;
    std::ptrdiff_t const m = first.length - i < detail::fold_piece ? first.length - i : detail::fold_piece;
    return detail::fold_line<D, C, F, E, Ins>(combine, f, m, at, std::make_integer_sequence<int, Ins>());
  };
  if (first.length <= detail::fold_piece) return piece(0);
  detail::cascade<E> tree{&detail::combine_erased<C, E>, C::template start<E>(), {}};
  for (std::ptrdiff_t i = 0; i < first.length; i += detail::fold_piece) tree.add(piece(i));
  return tree.result();
}
template <class T, class D> constexpr auto sum(row<T, D> x) { return fold(sum_of{}, identity_function{}, x); }
template <class T, class D> constexpr auto max(row<T, D> x) { return fold(max_of{}, identity_function{}, x); }
template <class T, class D> constexpr auto min(row<T, D> x) { return fold(min_of{}, identity_function{}, x); }
template <class T, class U, class D> constexpr auto dot(row<T, D> x, row<U, D> y) {
  return fold(sum_of{}, multiply_function{}, x, y);
}

namespace detail {
template <class T, class D> constexpr std::ptrdiff_t first_place(row<T, D> x, std::remove_const_t<T> v) {
  bool const nan = math::isnan(v);
  std::ptrdiff_t i = 0;
  while (i + 1 < x.length && !(nan ? math::isnan(x[i]) : x[i] == v)) ++i;
  return i;
}
}  // namespace detail

template <class T, class D>
  requires is_host<D>
constexpr std::ptrdiff_t argmax(row<T, D> x) {
  return detail::first_place(x, max(x));
}
template <class T, class D>
  requires is_host<D>
constexpr std::ptrdiff_t argmin(row<T, D> x) {
  return detail::first_place(x, min(x));
}
template <class T, class D, class F>
  requires is_host<D>
constexpr std::ptrdiff_t count(row<T, D> x, F const& f) {
  std::ptrdiff_t n = 0;
  for (std::ptrdiff_t i = 0; i < x.length; ++i) n += f(x[i], i) ? 1 : 0;
  return n;
}

namespace detail {

// Unsigned integers in the order of the numbers: where a number is negative all bits turn, else the sign's alone.
template <class T> constexpr auto order_key(T x) {
  if constexpr (is_dual<T>) {
    return order_key(x.value);
  } else {
    using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    U const bits = std::bit_cast<U>(x + T(0)), sign = U(1) << (8 * sizeof(T) - 1);  // + 0: one zero, not two
    return static_cast<U>((bits & sign) != 0 ? ~bits : bits | sign);
  }
}
template <class U> struct key_at_most {
  U key;
  constexpr bool operator()(auto x, std::ptrdiff_t) const { return order_key(x) <= key; }
};
template <class U> struct key_below {
  U key;
  constexpr bool operator()(auto x, std::ptrdiff_t) const { return order_key(x) < key; }
};
template <class U> struct key_within {
  U key;
  std::ptrdiff_t last;
  constexpr bool operator()(auto x, std::ptrdiff_t i) const { return i <= last && order_key(x) == key; }
};

}  // namespace detail

// By halving the range of keys, then that of places: a count for each bit, and no memory. x holds no NaN, 0 <= k < size.
template <class T, class D> constexpr std::ptrdiff_t nth_place(row<T, D> x, std::ptrdiff_t k) {
  using U = decltype(detail::order_key(x[0]));
  U low = 0, high = static_cast<U>(~U(0));
  while (low < high) {
    U const middle = low + (high - low) / 2;
    if (count(x, detail::key_at_most<U>{middle}) > k) high = middle;
    else low = middle + 1;
  }
  k -= count(x, detail::key_below<U>{low});
  std::ptrdiff_t first = 0, last = x.size() - 1;
  while (first < last) {
    std::ptrdiff_t const middle = first + (last - first) / 2;
    if (count(x, detail::key_within<U>{low, middle}) > k) last = middle;
    else first = middle + 1;
  }
  return first;
}

template <class T, class D>
  requires is_host<D>
constexpr void place(row<T, D> out, std::ptrdiff_t i, T v) {
  if (!out) return;
  if (!out.add)
    for (std::ptrdiff_t k = 0; k < out.length; ++k) out[k] = T(0);
  out[i] = out.add ? out[i] + v : v;
}

template <class T, class D, class F>
  requires is_host<D>
constexpr void generate(row<T, D> out, F const& f) {
  if (!out) return;
  for (std::ptrdiff_t i = 0; i < out.length; ++i) out.put(i, f(i));
}

namespace detail {

inline constexpr std::ptrdiff_t row_group = 32;                // strided rows gathered at a time ...
inline constexpr std::ptrdiff_t row_group_elements = 1 << 15;  // ... unless they are longer than this together

// One operand of for_each_row: where its lines start, and contiguous stand-ins for strided ones.
template <class T, int R, class D> struct row_source {
  view<T, R, D> all;
  bool add = false;
  int axis = 0;
  using E = std::remove_const_t<T>;

  std::ptrdiff_t length() const { return all.extent(axis); }
  bool strided() const { return all.stride(axis) != 1 && length() > 1; }
  // Elements between stand-ins: padded, so that rows of a power of two do not crowd into a few lines of the cache.
  std::ptrdiff_t pitch() const { return (length() + 15) / 16 * 16 + 16; }
  std::ptrdiff_t step(int along) const { return all.extent(along) == 1 ? 0 : all.stride(along); }

  // `count` rows that follow one another along another axis; their stand-ins are filled together, because what is far
  // apart along the row is often close to its neighbours.
  void gather(std::ptrdiff_t const* index, int along, std::ptrdiff_t count, E* scratch) const {
    if (!all || !strided() || (!std::is_const_v<T> && !add)) return;
    T const* const p = start(index);
    std::ptrdiff_t const n = length(), stride = all.stride(axis), next = step(along), apart = pitch();
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t g = 0; g < count; ++g) scratch[g * apart + i] = p[i * stride + g * next];
  }
  row<T, D> at(std::ptrdiff_t const* index, int along, std::ptrdiff_t g, E* scratch) const {
    if (!all) return {nullptr, length(), add};
    if (!strided()) return {start(index) + g * step(along), length(), add};
    return {scratch + g * pitch(), length(), add};
  }
  void finish(std::ptrdiff_t const* index, int along, std::ptrdiff_t count, E const* scratch) const {
    if constexpr (!std::is_const_v<T>) {
      if (!all || !strided()) return;
      T* const p = start(index);
      std::ptrdiff_t const n = length(), stride = all.stride(axis), next = step(along), apart = pitch();
      for (std::ptrdiff_t i = 0; i < n; ++i)
        for (std::ptrdiff_t g = 0; g < count; ++g) p[i * stride + g * next] = scratch[g * apart + i];
    }
  }
  T* start(std::ptrdiff_t const* index) const {
    T* p = all.data();
    for (int a = 0; a < R; ++a)
      if (a != axis && all.extent(a) != 1) p += index[a] * all.stride(a);
    return p;
  }
};

template <class T, int R, class D> row_source<T, R, D> as_rows(view<T, R, D> v, int axis) { return {v, false, axis}; }
template <class T, int R, class D> row_source<T, R, D> as_rows(sink<T, R, D> s, int axis) {
  return {s.to, s.add, axis};
}

// The extents that the operands' rows have in common: 1 along `axis`.
template <int R, class D, class... T> shape<R> common_rows(int axis, row_source<T, R, D> const&... s) {
  shape<R> extents;
  for (int a = 0; a < R; ++a) extents[a] = 1;
  auto const widen = [&](auto const& v) {
    for (int a = 0; a < R; ++a)
      if (a != axis && v && v.extent(a) != 1) extents[a] = v.extent(a);
  };
  auto const check = [&](auto const& v) {
    for (int a = 0; a < R; ++a)
      if (a != axis && v && v.extent(a) != 1 && v.extent(a) != extents[a])
        fail<shape_error>("for_each_row", "an operand of shape ", v.shape(), " does not have the rows of the others");
  };
  (widen(s.all), ...);
  (check(s.all), ...);
  return extents;
}

template <class F, class... S, std::size_t... I>
void for_each_row_host(F const& f, std::ptrdiff_t const* extents, int rank, int axis, std::index_sequence<I...>,
                       S const&... source) {
  std::ptrdiff_t rows = 1;
  for (int a = 0; a < rank; ++a)
    if (a != axis) rows *= extents[a];
  std::ptrdiff_t longest = 1;
  ((longest = source.length() > longest ? source.length() : longest), ...);
  // The rows of a group follow one another along the last axis that is not theirs.
  int along = axis;
  for (int a = 0; a < rank; ++a)
    if (a != axis && extents[a] > 1) along = a;
  std::ptrdiff_t const most = extents[along] < row_group ? extents[along] : row_group;
  std::ptrdiff_t const group = most * longest <= row_group_elements ? most : row_group_elements / longest + 1;
  std::ptrdiff_t const grain = rows * longest <= parallel_grain ? rows : parallel_grain / 2 / longest + 1;
  auto const room = [&] {
    auto const of = [&](auto const& from) {
      using row_room = tensor<typename std::remove_cvref_t<decltype(from)>::E, 1, scalar>;
      return from.strided() ? row_room(shape<1>{{group * from.pitch()}}, uninitialized) : row_room();
    };
    return std::tuple<tensor<typename S::E, 1, scalar>...>(of(source)...);
  };
  parallel_for(rows, grain, room, [&](std::ptrdiff_t begin, std::ptrdiff_t end, auto& scratch) {
    std::ptrdiff_t index[max_rank] = {};
    for (std::ptrdiff_t r = begin; r < end;) {
      std::ptrdiff_t left = r;
      for (int a = rank - 1; a >= 0; --a) {
        if (a == axis) continue;
        index[a] = left % extents[a];
        left /= extents[a];
      }
      std::ptrdiff_t count = group < end - r ? group : end - r;
      if (count > extents[along] - index[along]) count = extents[along] - index[along];
      (source.gather(index, along, count, std::get<I>(scratch).data()), ...);
      for (std::ptrdiff_t g = 0; g < count; ++g) f(source.at(index, along, g, std::get<I>(scratch).data())...);
      (source.finish(index, along, count, std::get<I>(scratch).data()), ...);
      r += count;
    }
  });
}

}  // namespace detail

template <class D, class F, class First, class... Rest>
  requires is_host<D>
void for_each_row(D, int axis, F const& f, First const& first, Rest const&... rest) {
  constexpr int R = First::rank;
  static_assert(((Rest::rank == R) && ...),
                "limbic: for_each_row: all operands have the same rank (unsqueeze the others)");
  axis = normalize_axis("for_each_row", axis, R);
  auto const extents = detail::common_rows(axis, detail::as_rows(first, axis), detail::as_rows(rest, axis)...);
  detail::for_each_row_host(f, extents.extents, R, axis, std::make_index_sequence<1 + sizeof...(Rest)>(),
                            detail::as_rows(first, axis), detail::as_rows(rest, axis)...);
}

LIMBIC_END
// ---- limbic/ops/op.hpp -------------------------------------------------------------------------------------------
// limbic/ops/op.hpp - what an op is, and how it is called with and without a tape
//
// An op is a struct whose members are its options. It says
//
//   name                       what errors call it
//   needs                      the values its adjoint reads: keep::input, keep::output, ... (the tape frees the others)
//   shape_of(x...)             the shape of the result (a std::tuple of shapes when there are several), or an error
//   forward(d, y..., x...)     computes the results from the operands
//   adjoint(d, x..., y..., dy..., dx...)
//                              adds to each dx (a sink) its share of the gradient, from the gradients dy of the results
//
// and, where it is not one operation for each element, flops(shapes of x...), which nn/summary.hpp adds up. It is
// templated on the device d and on the element type, so that the same lines serve numbers, dual numbers, SIMD and CUDA.
// In an adjoint, what `needs` does not name arrives as a view without data but with its shape. Sinks are written in the
// order of the operands, each whole, in a verb of its own (two of them may be one memory); a null sink is not wanted.
// An op with several results handles a null dy (a result that nobody used) as zeros.
//
// An op that is the same function of every element says less: see elementwise.hpp. One that treats every row (line
// along an axis) alike: see rowwise.hpp.

LIMBIC_BEGIN

// A set of operands and results: keep::input | keep::output, or one by one: keep::inputs(0, 2).
struct keep {
  std::uint32_t bits = 0;  // operands in the lower half, results in the upper
  // The usual sets.
  static keep const nothing, input, output;

  // The operands of these places.
  template <class... I> static constexpr keep inputs(I... i) { return {((1U << i) | ... | 0U)}; }
  // The results of these places.
  template <class... I> static constexpr keep outputs(I... i) { return {((1U << (16 + i)) | ... | 0U)}; }
  // Whether operand i is in the set.
  constexpr bool has_input(int i) const { return ((bits >> i) & 1U) != 0; }
  // Whether result i is in the set.
  constexpr bool has_output(int i) const { return ((bits >> (16 + i)) & 1U) != 0; }
  friend constexpr keep operator|(keep a, keep b) { return {a.bits | b.bits}; }
};
inline constexpr keep keep::nothing{0};
inline constexpr keep keep::input{0x0000FFFFU};
inline constexpr keep keep::output{0xFFFF0000U};

// What an op may be applied to: variables on a tape (and then parameters beside them), tensors, views, parameters.
template <class A> concept recorded = requires { typename std::remove_cvref_t<A>::recorded_on; };
// Has a device, an element type and a rank.
template <class A> concept operand = requires {
  typename std::remove_cvref_t<A>::device;
  typename std::remove_cvref_t<A>::value_type;
  std::remove_cvref_t<A>::rank;
};
// The number of axes of an operand.
template <operand A> inline constexpr int rank_of = std::remove_cvref_t<A>::rank;
// The element type of an operand.
template <operand A> using element_of = typename std::remove_cvref_t<A>::value_type;
// The device of an operand.
template <operand A> using device_of = typename std::remove_cvref_t<A>::device;

// An operand that was not given: a null view.
template <operand Like, int R, class T = element_of<Like>> constexpr view<T const, R, device_of<Like>> absent() {
  return {};
}

namespace detail {

template <class S> struct shape_list {
  static constexpr int count = 1;
  static std::tuple<S> of(S const& s) { return {s}; }
};
template <class... S> struct shape_list<std::tuple<S...>> {
  static constexpr int count = sizeof...(S);
  static std::tuple<S...> const& of(std::tuple<S...> const& s) { return s; }
};
// The shapes of all results, as a tuple.
template <class Op, class... S> auto result_shapes(Op const& o, S const&... s) {
  auto const r = o.shape_of(s...);
  return shape_list<std::remove_cvref_t<decltype(r)>>::of(r);
}

// How many of the results the caller sees; the rest (an LSTM's gates) is there for the adjoint only.
template <class Op, class Shapes> constexpr int visible_results() {
  if constexpr (requires { Op::visible; }) return Op::visible;
  else return static_cast<int>(std::tuple_size_v<Shapes>);
}

// The element type of an op: that of its first operand that is not an integer.
template <class... T> struct first_real;
template <class T, class... Rest>
  requires(!std::is_integral_v<T>)
struct first_real<T, Rest...> {
  using type = T;
};
template <class T, class... Rest>
  requires(std::is_integral_v<T>)
struct first_real<T, Rest...> : first_real<Rest...> {};

template <int Visible, class D, class T, int R>
view<T, R, D> view_of_result(tensor<T, R, D>& t, int i) {
  return i < Visible ? t.view() : view<T, R, D>(nullptr, t.shape());
}

template <class Op, class T, class D, int Visible, class Shapes, std::size_t... I, std::size_t... V, class... In>
auto infer_results(Op const& o, Shapes const& shapes, std::index_sequence<I...>, std::index_sequence<V...>,
                   In const&... in) {
  // Results that only an adjoint would read are not computed: they arrive as views without data.
  std::tuple<tensor<T, std::tuple_element_t<V, Shapes>::rank, D>...> out{
      tensor<T, std::tuple_element_t<V, Shapes>::rank, D>(std::get<V>(shapes), uninitialized)...};
  auto const target = [&](auto i) {
    constexpr std::size_t k = decltype(i)::value;
    using S = std::tuple_element_t<k, Shapes>;
    if constexpr (k < static_cast<std::size_t>(Visible)) return std::get<k>(out).view();
    else return view<T, S::rank, D>(nullptr, std::get<k>(shapes));
  };
  o.forward(D{}, target(std::integral_constant<std::size_t, I>())..., in...);
  if constexpr (sizeof...(V) == 1) return std::get<0>(std::move(out));
  else return out;
}

// Applies an op to plain tensors: no tape, no history.
template <class Op, class First, class... Rest> auto infer(Op const& o, First const& first, Rest const&... rest) {
  using T = typename first_real<typename First::value_type, typename Rest::value_type...>::type;
  using D = typename First::device;
  static_assert(((std::is_same_v<typename Rest::device, D>) && ...),
                "limbic: the operands of one op lie on one device");
  auto const shapes = result_shapes(o, first.shape(), rest.shape()...);
  using Shapes = std::remove_cvref_t<decltype(shapes)>;
  constexpr int visible = visible_results<Op, Shapes>();
  return infer_results<Op, T, D, visible>(o, shapes, std::make_index_sequence<std::tuple_size_v<Shapes>>(),
                                          std::make_index_sequence<visible>(), first, rest...);
}

}  // namespace detail

// For an operand without a gradient (a mask, given noise): zeros, should anybody have asked.
template <class D, class T, int R> void no_gradient(D d, sink<T, R, D> dx) {
  if (dx && !dx.add) fill(d, dx.to, T(0));
}

// An elementwise or rowwise op says less: lift, declared where those are explained, makes a whole op of it. This argument
// is what finds it, for ops of any namespace.
struct says_less {};

// The one way into every op. `record` lives in tape/ and is found through the variable, so that programs that only
// infer never include a tape.
template <class Op, operand... A> auto apply(Op const& o, A&&... a) {
  if constexpr (requires { lift(o, says_less{}); }) return apply(lift(o, says_less{}), std::forward<A>(a)...);
  else if constexpr ((recorded<A> || ...)) return record(o, std::forward<A>(a)...);
  else return detail::infer(o, as_view(a)...);
}

LIMBIC_END
// ---- limbic/ops/elementwise.hpp ----------------------------------------------------------------------------------
// limbic/ops/elementwise.hpp - ops that are one function of every element
//
// Such an op says value and slopes, written once for a number, a dual number, a SIMD pack and a CUDA thread:
//
//   value(a, b, ...)        the result; operands broadcast (NumPy's rule)
//   slope(...)              one operand: d value / d a
//   slopes(...)             several: all partial derivatives, results{da, db, ...}
//
// The arguments of slope(s) are what `needs` names: the operands (keep::input), the result (keep::output), the operands
// and then the result (both), or none, with the lane as explicit template argument (keep::nothing).
//
// A rectifier says `static constexpr bool rectifies = true`: guided backpropagation (explain/) treats it apart.
//
// An op whose slope may be infinite says `static constexpr bool unbounded = true`: where no gradient comes in, none goes
// out, rather than 0 * inf = NaN (sqrt at 0, log at 0).

LIMBIC_BEGIN

// An op that says the value of one element.
template <class Op> concept has_value = requires(Op const& o) { o.value(1.0); } || requires(Op const& o) {
  o.value(1.0, 1.0);
} || requires(Op const& o) { o.value(1.0, 1.0, 1.0); };

namespace detail {

template <class Op> struct value_of {
  Op o;
  template <class... V> constexpr auto operator()(V... x) const { return o.value(x...); }
};

// dy * slope, 0 where dy is 0, whatever the slope.
template <class V> constexpr V unless_zero(V dy, V slope) {
  if constexpr (is_dual<V>)
    return {math::along(slope.value, dy.value),
            math::along(slope.value, dy.tangent) + math::along(slope.tangent, dy.value)};
  else return math::along(slope, dy);
}

// Named, because nvcc 13 gets a requires-expression over a pack wrong inside of some function bodies.
template <class Op> concept has_unbounded_slope = requires { Op::unbounded; };
template <class Op, class... K> concept has_slope = requires(Op const& o, K... kept) { o.slope(kept...); };

// dy times the I-th partial derivative.
template <class Op, int I> struct slope_times {
  Op o;
  template <class V, class... K> constexpr V operator()(V dy, K... kept) const {
    if constexpr (has_unbounded_slope<Op>) return unless_zero(dy, partial<V>(kept...));
    else return dy * partial<V>(kept...);
  }

 private:
  template <class V, class... K> constexpr V partial(K... kept) const {
    if constexpr (has_slope<Op, K...>) return o.slope(kept...);
    else if constexpr (sizeof...(K) == 0) return o.template slopes<V>().values[I];
    else return o.slopes(kept...).values[I];
  }
};

// The same elements with axes of extent 1 in front, up to rank R.
template <int R, class T, int S, class D> constexpr view<T, R, D> lead(view<T, S, D> const& v) {
  shape<R> extents, steps;
  for (int i = 0; i < R; ++i) {
    extents[i] = i < R - S ? 1 : v.extent(i - (R - S));
    steps[i] = i < R - S ? 0 : v.stride(i - (R - S));
  }
  return {v.data(), extents, steps};
}

// dx (+)= f(in...), where the operand dx was broadcast: summed over the axes along which it was stretched. An operand
// that never is (Stretches = false) does not compile the sum.
template <bool Stretches = true, class D, class T, int S, int R, class F, class... In>
void spread_back(D d, sink<T, S, D> dx, F const& f, view<T const, R, D> const& dy, In const&... in) {
  if (!dx) return;
  sink<T, R, D> const wide(lead<R>(dx.to), dx.add);
  if constexpr (Stretches)
    if (!(wide.shape() == dy.shape())) return reduce(d, wide, sum_of{}, f, dy, in...);
  map(d, wide, f, dy, in...);
}

// Of a rectifier: what goes back is dy * slope where dy > 0 and what it keeps (x or y, of one sign) is too, else nothing.
template <class Op> struct guided_rectifier {
  Op o;
  template <class V> constexpr V operator()(V dy, V kept) const {
    return math::select(math::either(kept <= V(0), dy <= V(0)), V(0), dy * o.slope(kept));
  }
  void adjoint(auto d, auto x, auto y, auto dy, auto dx) const {
    if constexpr (Op::needs.has_output(0)) spread_back<false>(d, dx, *this, dy, y);
    else spread_back<false>(d, dx, *this, dy, x);
  }
};

}  // namespace detail

template <class Op> struct elementwise_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = Op::needs;
  Op o;  // what says value and slopes

  template <int R> auto shape_of(shape<R> const& x) const { return x; }
  template <int A, int B> auto shape_of(shape<A> const& a, shape<B> const& b) const { return broadcast(name, a, b); }
  template <int A, int B, int C> auto shape_of(shape<A> const& a, shape<B> const& b, shape<C> const& c) const {
    return broadcast(name, broadcast(name, a, b), c);
  }

  void forward(auto d, auto y, auto... x) const { map(d, y, detail::value_of<Op>{o}, x...); }

  void adjoint(auto d, auto x, auto y, auto dy, auto dx) const { share<0>(d, dy, dx, y, x); }
  void adjoint(auto d, auto a, auto b, auto y, auto dy, auto da, auto db) const {
    share<0>(d, dy, da, y, a, b);
    share<1>(d, dy, db, y, a, b);
  }
  void adjoint(auto d, auto a, auto b, auto c, auto y, auto dy, auto da, auto db, auto dc) const {
    share<0>(d, dy, da, y, a, b, c);
    share<1>(d, dy, db, y, a, b, c);
    share<2>(d, dy, dc, y, a, b, c);
  }
  // The same op as guided backpropagation goes back through it.
  auto guided() const
    requires requires { Op::rectifies; }
  {
    return detail::guided_rectifier<Op>{o};
  }

 private:
  template <int I> void share(auto d, auto dy, auto dx, auto y, auto... x) const {
    detail::slope_times<Op, I> const f{o};
    constexpr bool inputs = needs.has_input(0), output = needs.has_output(0), stretches = sizeof...(x) > 1;
    if constexpr (inputs && output) detail::spread_back<stretches>(d, dx, f, dy, x..., y);
    else if constexpr (inputs) detail::spread_back<stretches>(d, dx, f, dy, x...);
    else if constexpr (output) detail::spread_back<stretches>(d, dx, f, dy, y);
    else detail::spread_back<stretches>(d, dx, f, dy);
  }
};

// The whole op that one with a value stands for.
template <has_value Op> constexpr elementwise_op<Op> lift(Op const& o, says_less) { return {o}; }

LIMBIC_END
// ---- limbic/ops/linear.hpp ---------------------------------------------------------------------------------------
// limbic/ops/linear.hpp - affine map of the last axis
//
//   y = x W^T + b        x (..., K), W (N, K) as PyTorch stores it, b (N) or none  ->  (..., N)
//   x' += y' W,   W' += y'^T x,   b' += the sum of y' over all leading axes
//
// One matrix product whatever the number of leading axes; the bias is what the product adds to.

LIMBIC_BEGIN

struct linear_op {
  static constexpr std::string_view name = "linear";
  static constexpr keep needs = keep::inputs(0, 1);

  template <int R> shape<R> shape_of(shape<R> const& x, shape<2> const& weight, shape<1> const& bias) const {
    if (x[R - 1] != weight[1])
      fail<shape_error>(name, "the last axis of x ", x, " must equal columns of the weight ", weight);
    if (bias[0] != 0 && bias[0] != weight[0])
      fail<shape_error>(name, "a bias of shape ", bias, " must have an element for each row of the weight ", weight);
    shape<R> y = x;
    y[R - 1] = weight[0];
    return y;
  }

  // For each element of the result a product and a sum of every input but the first, and the bias.
  template <int R> static double flops(shape<R> const& x, shape<2> const& weight, shape<1> const& bias) {
    double const rows = static_cast<double>(x.size()) / static_cast<double>(weight[1] > 0 ? weight[1] : 1);
    return rows * static_cast<double>(weight[0]) * static_cast<double>(2 * weight[1] - (bias[0] > 0 ? 0 : 1));
  }
  void forward(auto d, auto y, auto x, auto weight, auto bias) const {
    auto const rows = as_matrix(y);
    if (bias) copy(d, rows, bias);
    with_matrix(x, [&](auto m) { gemm(d, as_sink_adding(rows, static_cast<bool>(bias)), m, weight.transpose()); });
  }

  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, auto weight, auto, auto, view<T const, R, D> dy, sink<T, R, D> dx,
               sink<T, 2, D> dweight, sink<T, 1, D> dbias) const {
    auto const g = as_matrix(dy);
    if (dx) gemm(d, sink<T, 2, D>(as_matrix(dx.to), dx.add), g, weight);
    if (dweight) with_matrix(x, [&](auto m) { gemm(d, dweight, g.transpose(), m); });
    detail::spread_back(d, dbias, identity_function{}, g);
  }

 private:
  // All leading axes as one.
  template <class T, int R, class D> static view<T, 2, D> as_matrix(view<T, R, D> const& v) {
    std::ptrdiff_t rows = 1;
    for (int i = 0; i + 1 < R; ++i) rows *= v.extent(i);
    return v.reshape(shape<2>{{rows, v.extent(R - 1)}});
  }
  // The same for an operand: a strided view of one matrix stays as it is, others are copied.
  template <class T, int R, class D, class F> static void with_matrix(view<T const, R, D> const& v, F const& f) {
    if constexpr (R == 2) {
      f(v);
    } else {
      if (v.is_contiguous()) return f(as_matrix(v));
      tensor<T, R, D> const copied(v);
      f(as_matrix(copied.view()));
    }
  }
  template <class T, class D> static sink<T, 2, D> as_sink_adding(view<T, 2, D> v, bool add) { return {v, add}; }
};

namespace functional {

template <operand X, operand W, operand B> auto linear(X&& x, W&& weight, B&& bias) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<W> == 2 && rank_of<B> == 1;
  if constexpr (fit) return apply(linear_op{}, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
  else static_assert(fit, "limbic: linear takes x of rank 1 or more, a weight of rank 2 and a bias of rank 1");
}
template <operand X, operand W> auto linear(X&& x, W&& weight) {
  return linear(std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}

}  // namespace functional

LIMBIC_END
// ---- limbic/nn/linear.hpp ----------------------------------------------------------------------------------------
// limbic/nn/linear.hpp - affine layer: y = x W^T + b
//
//   linear<float> hidden(2, 32, random);                        linear<float> out(32, 2, random, {.bias = false});
//
// shape   x (..., in) -> (..., out); weight (out, in), bias (out), as in torch.nn.Linear
// start   weight and bias uniform in +-1 / sqrt(in), as in PyTorch

LIMBIC_BEGIN

struct linear_options {
  bool bias = true;
};

template <class T, class D = default_device> struct linear {
  parameter<T, 2, D> weight;
  parameter<T, 1, D> bias;  // empty where there is none

  linear() = default;
  linear(std::ptrdiff_t in, std::ptrdiff_t out, rng& random, linear_options const& options = {}) {
    if (in < 1 || out < 1)
      fail<argument_error>("linear", "the numbers of inputs and outputs must be positive, but are ", in, " and ", out);
    weight = parameter<T, 2, D>(shape<2>{{out, in}});
    double const bound = 1 / std::sqrt(static_cast<double>(in));
    init::uniform(weight, random, -bound, bound);
    if (!options.bias) return;
    bias = parameter<T, 1, D>(shape<1>{{out}});
    init::uniform(bias, random, -bound, bound);
  }

  template <operand X> auto operator()(X&& x) const {
    if (bias.size() == 0) return functional::linear(std::forward<X>(x), weight);
    return functional::linear(std::forward<X>(x), weight, bias);
  }

  // Names the parameters: weight, bias.
  void each(auto f) {
    f("weight", weight);
    if (bias.size() > 0) f("bias", bias);
  }
};

LIMBIC_END
// ---- limbic/nn/layer_list.hpp ------------------------------------------------------------------------------------
// limbic/nn/layer_list.hpp - layers whose number is known at run time only
//
// Owns a fixed number of layers, made by a function of their index. Copies are deep. Visited under their indices.

LIMBIC_BEGIN

template <class Layer> class layer_list {
 public:
  // The type of one layer.
  using value_type = Layer;

  layer_list() = default;
  // Begins as an empty list, so that one whose `make` throws gives back what it has.
  template <class Make> layer_list(std::ptrdiff_t count, Make const& make) : layer_list() {
    reserve(count);
    for (; size_ < count; ++size_) ::new (static_cast<void*>(layers_ + size_)) Layer(make(size_));
  }
  layer_list(layer_list const& other) : layer_list(other.size_, [&](std::ptrdiff_t i) { return other[i]; }) {}
  layer_list(layer_list&& other) noexcept { swap(other); }
  layer_list& operator=(layer_list other) noexcept {
    swap(other);
    return *this;
  }
  ~layer_list() {
    for (std::ptrdiff_t i = 0; i < size_; ++i) layers_[i].~Layer();
    if (layers_ != nullptr) from_->deallocate(layers_, bytes_);
  }

  // The number of layers.
  std::ptrdiff_t size() const { return size_; }
  Layer& operator[](std::ptrdiff_t i) { return layers_[i]; }
  Layer const& operator[](std::ptrdiff_t i) const { return layers_[i]; }
  // For range-for, in their order.
  Layer* begin() { return layers_; }
  // Behind the last layer.
  Layer* end() { return layers_ + size_; }
  Layer const* begin() const { return layers_; }
  Layer const* end() const { return layers_ + size_; }

 private:
  void reserve(std::ptrdiff_t count) {
    static_assert(alignof(Layer) <= alignment);
    if (count == 0) return;
    from_ = &current_memory(scalar{});
    bytes_ = static_cast<std::size_t>(count) * sizeof(Layer);
    layers_ = static_cast<Layer*>(from_->allocate(bytes_));
  }
  void swap(layer_list& other) noexcept {
    std::swap(layers_, other.layers_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    std::swap(from_, other.from_);
  }
  Layer* layers_ = nullptr;
  std::ptrdiff_t size_ = 0;
  std::size_t bytes_ = 0;
  memory* from_ = nullptr;
};

LIMBIC_END
// ---- limbic/ops/concatenate.hpp ----------------------------------------------------------------------------------
// limbic/ops/concatenate.hpp - tensors one after another along an axis
//
//   concatenate(axis, a, b, ...)     along an axis they have; the other extents agree
//   stack(axis, a, b, ...)           along a new axis, before `axis` (-1: at the end); all extents agree
//
// adjoint each operand's gradient is its part of y'

LIMBIC_BEGIN

namespace detail {

// An op of N operands gets x..., y, dy, dx... in its adjoint: calls f(operand i's part, dx_i) for each i.
template <class F, class... A, std::size_t... I>
void for_each_sink(F const& f, std::tuple<A const&...> const& all, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I);
  (f(std::get<I>(all), std::get<n + 2 + I>(all)), ...);
}

}  // namespace detail

struct concatenate_op {
  static constexpr std::string_view name = "concatenate";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;

  template <int R, class... S> shape<R> shape_of(shape<R> const& first, S const&... rest) const {
    int const a = normalize_axis(name, axis, R);
    shape<R> y = first;
    auto const join = [&](shape<R> const& x) {
      for (int i = 0; i < R; ++i)
        if (i != a && x[i] != first[i])
          fail<shape_error>(name, "shapes ", first, " and ", x, " differ in more than axis ", axis);
      y[a] += x[a];
    };
    (join(rest), ...);
    return y;
  }
  template <class Y, class... X> void forward(auto d, Y y, X const&... x) const {
    std::ptrdiff_t at = 0;
    (copy(d, next(y, x, at), x), ...);
  }
  template <class... A> void adjoint(auto d, A const&... all) const {
    constexpr std::size_t n = (sizeof...(A) - 2) / 2;
    std::tuple<A const&...> const list(all...);
    std::ptrdiff_t at = 0;
    detail::for_each_sink([&](auto const& x, auto const& dx) { copy(d, dx, next(std::get<n + 1>(list), x, at)); }, list,
                          std::make_index_sequence<n>());
  }

 private:
  // x's part of y, which begins at `at`.
  template <class Y> Y next(Y const& y, auto const& x, std::ptrdiff_t& at) const {
    std::ptrdiff_t const begin = at, n = x.extent(normalize_axis(name, axis, Y::rank));
    at += n;
    return y.slice(axis, begin, at);
  }
};

struct stack_op {
  static constexpr std::string_view name = "stack";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;

  template <int R, class... S> shape<R + 1> shape_of(shape<R> const& first, S const&... rest) const {
    int const a = normalize_axis(name, axis, R + 1);
    auto const check = [&](shape<R> const& x) {
      if (!(x == first)) fail<shape_error>(name, "shapes ", first, " and ", x, " differ");
    };
    (check(rest), ...);
    shape<R + 1> y;
    for (int i = 0, k = 0; i <= R; ++i) y[i] = i == a ? 1 + static_cast<std::ptrdiff_t>(sizeof...(S)) : first[k++];
    return y;
  }
  template <class Y, class... X> void forward(auto d, Y y, X const&... x) const {
    std::ptrdiff_t at = 0;
    (copy(d, next(y, at), x.unsqueeze(axis)), ...);
  }
  template <class... A> void adjoint(auto d, A const&... all) const {
    constexpr std::size_t n = (sizeof...(A) - 2) / 2;
    std::tuple<A const&...> const list(all...);
    std::ptrdiff_t at = 0;
    detail::for_each_sink(
        [&](auto const&, auto const& dx) {
          using S = std::remove_cvref_t<decltype(dx)>;
          auto const part = next(std::get<n + 1>(list), at);
          if (dx)
            copy(d, sink<typename S::value_type, S::rank + 1, typename S::device>(dx.to.unsqueeze(axis), dx.add), part);
        },
        list, std::make_index_sequence<n>());
  }

 private:
  template <class Y> Y next(Y const& y, std::ptrdiff_t& at) const {
    ++at;
    return y.slice(axis, at - 1, at);
  }
};

template <operand First, operand... Rest> auto concatenate(int axis, First&& first, Rest&&... rest) {
  constexpr bool fit = rank_of<First> >= 1 && ((rank_of<Rest> == rank_of<First>) && ...) && sizeof...(Rest) < 16;
  if constexpr (fit)
    return apply(concatenate_op{.axis = axis}, std::forward<First>(first), std::forward<Rest>(rest)...);
  else static_assert(fit, "limbic: concatenate takes up to 16 tensors of one rank, 1 or more");
}
template <operand First, operand... Rest> auto stack(int axis, First&& first, Rest&&... rest) {
  constexpr bool fit = ((rank_of<Rest> == rank_of<First>) && ...) && sizeof...(Rest) < 16;
  if constexpr (fit) return apply(stack_op{.axis = axis}, std::forward<First>(first), std::forward<Rest>(rest)...);
  else static_assert(fit, "limbic: stack takes up to 16 tensors of one rank");
}

LIMBIC_END
// ---- limbic/kernels/lstm.hpp -------------------------------------------------------------------------------------
// limbic/kernels/lstm.hpp - one direction of one LSTM layer, usable alone on views
//
//   gates = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh            rows of W in the order i, f, g, o, each of H
//   c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),  h_t = sigmoid(o) tanh(c_t)
//   Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; names and order as torch.nn.LSTM
//
// T steps, B = batch size, I = input size, H = hidden size; time is the first axis.
//
//   x       (T, B, I), or (1, B, I): one input that every step reads, projected once
//   gates   (T, B, 5H)  what the adjoint needs: i, f, g, o after their nonlinearities, then tanh(c)
//   cells, hidden  (T, B, H)
//
// The input is projected for all steps in one product, W_hh is packed once, and the weight gradients are one product
// over all steps each. Absent operands (initial state, biases, unused gradients) are null views.

LIMBIC_BEGIN

// From the gates before their nonlinearities and c_{t-1}: i, f, g, o, tanh c_t, c_t, h_t.
struct lstm_cell {
  template <class V> constexpr results<V, 7> operator()(V i, V f, V g, V o, V c) const {
    V const input = math::sigmoid(i), forget = math::sigmoid(f), update = math::tanh(g), output = math::sigmoid(o);
    V const cell = math::fma(forget, c, input * update);
    V const squashed = math::tanh(cell);
    return {{input, forget, update, output, squashed, cell, output * squashed}};
  }
};

// From the gradients dh and dc of h_t and c_t to those of the gates before their nonlinearities, and of c_{t-1}.
struct lstm_cell_adjoint {
  template <class V>
  constexpr results<V, 5> operator()(V i, V f, V g, V o, V squashed, V c_before, V dh, V dc) const {
    V const one = V(1);
    V const cell = math::fma(dh * o, one - squashed * squashed, dc);
    return {{cell * g * i * (one - i), cell * c_before * f * (one - f), cell * i * (one - g * g),
             dh * squashed * o * (one - o), cell * f}};
  }
};

// a + b
struct add_function {
  template <class V> constexpr V operator()(V a, V b) const { return a + b; }
};

namespace detail {
// (T, B, F) as (T * B, F); the view must be contiguous.
template <class T, class D> view<T, 2, D> all_steps(view<T, 3, D> const& v) {
  return {v.data(), shape<2>{{v.extent(0) * v.extent(1), v.extent(2)}}};
}
// Columns k * H .. (k + 1) * H.
template <class V> V gate(V const& v, std::ptrdiff_t k, std::ptrdiff_t hidden_size) {
  return v.slice(1, k * hidden_size, (k + 1) * hidden_size);
}
// The order in which steps are taken: forward in time, or backward.
struct time_order {
  std::ptrdiff_t steps;
  bool reverse;
  std::ptrdiff_t at(std::ptrdiff_t s) const { return reverse ? steps - 1 - s : s; }
};
}  // namespace detail

// All steps of one direction: gates (T, B, 4H), cells and hidden (T, B, H) from x (T, B, I), states and weights.
template <class D, class T>
void lstm_forward(D d, view<T, 3, D> gates, view<T, 3, D> cells, view<T, 3, D> hidden, view<T const, 3, D> x,
                  view<T const, 2, D> h_0, view<T const, 2, D> c_0, view<T const, 2, D> w_ih, view<T const, 2, D> w_hh,
                  view<T const, 1, D> b_ih, view<T const, 1, D> b_hh, bool reverse) {
  std::ptrdiff_t const steps = gates.extent(0), batch = gates.extent(1), size = hidden.extent(2);
  bool const repeated = x.extent(0) == 1 && steps != 1;
  tensor<T, 2, D> const projected(shape<2>{{repeated ? batch : 0, 4 * size}}, uninitialized);
  view<T, 2, D> const rows = repeated ? view<T, 2, D>(const_cast<T*>(projected.data()), projected.shape())
                                      : detail::all_steps(gates).slice(1, 0, 4 * size);
  if (b_ih) map(d, rows, add_function{}, b_ih, b_hh);
  gemm(d, sink<T, 2, D>(rows, static_cast<bool>(b_ih)), detail::all_steps(x), w_ih.transpose());

  packed_matrix<T, D> const recurrent(w_hh.transpose());
  tensor<T, 2, D> const zero(shape<2>{{c_0 ? 0 : batch, size}});
  detail::time_order const order{steps, reverse};
  for (std::ptrdiff_t s = 0; s < steps; ++s) {
    std::ptrdiff_t const t = order.at(s);
    view<T, 2, D> const all = gates[t], pre = all.slice(1, 0, 4 * size);
    auto const gate = [&](int k) { return detail::gate(all, k, size); };
    if (repeated) copy(d, pre, projected);
    view<T const, 2, D> const h = s > 0 ? view<T const, 2, D>(hidden[order.at(s - 1)]) : h_0;
    view<T const, 2, D> const c = s > 0 ? view<T const, 2, D>(cells[order.at(s - 1)]) : c_0 ? c_0 : zero.view();
    if (h) gemm(d, sink<T, 2, D>(pre, true), h, recurrent);
    map(d, outs(gate(0), gate(1), gate(2), gate(3), gate(4), cells[t], hidden[t]), lstm_cell{}, gate(0), gate(1),
        gate(2), gate(3), c);
  }
}

// Sinks of the operands; dx is (T, B, I) or (1, B, I) as x is. dy (T, B, H), dh_n and dc_n (B, H) may be null.
template <class D, class T>
void lstm_adjoint(D d, view<T const, 3, D> x, view<T const, 2, D> h_0, view<T const, 2, D> c_0,
                  view<T const, 2, D> w_ih, view<T const, 2, D> w_hh, view<T const, 3, D> gates,
                  view<T const, 3, D> cells, view<T const, 3, D> hidden, view<T const, 3, D> dy,
                  view<T const, 2, D> dh_n, view<T const, 2, D> dc_n, sink<T, 3, D> dx, sink<T, 2, D> dh_0,
                  sink<T, 2, D> dc_0, sink<T, 2, D> dw_ih, sink<T, 2, D> dw_hh, sink<T, 1, D> db_ih,
                  sink<T, 1, D> db_hh, bool reverse) {
  std::ptrdiff_t const steps = gates.extent(0), batch = gates.extent(1), size = hidden.extent(2);
  detail::time_order const order{steps, reverse};
  tensor<T, 3, D> dgates(shape<3>{{steps, batch, 4 * size}}, uninitialized);
  tensor<T, 2, D> dh(shape<2>{{batch, size}}), dc(shape<2>{{batch, size}});
  tensor<T, 2, D> const zero(shape<2>{{c_0 ? 0 : batch, size}});
  packed_matrix<T, D> const back(w_hh);
  if (dh_n) copy(d, dh, dh_n);
  if (dc_n) copy(d, dc, dc_n);
  for (std::ptrdiff_t s = steps - 1; s >= 0; --s) {
    std::ptrdiff_t const t = order.at(s);
    if (dy) copy(d, sink<T, 2, D>(dh.view(), s == steps - 1), dy[t]);
    if (s < steps - 1) gemm(d, sink<T, 2, D>(dh.view(), static_cast<bool>(dy)), dgates.view()[order.at(s + 1)], back);
    auto const gate = [&](int k) { return detail::gate(gates[t], k, size); };
    auto const dgate = [&](int k) { return detail::gate(dgates.view()[t], k, size); };
    view<T const, 2, D> const c = s > 0 ? cells[order.at(s - 1)] : c_0 ? c_0 : zero.view();
    map(d, outs(dgate(0), dgate(1), dgate(2), dgate(3), dc), lstm_cell_adjoint{}, gate(0), gate(1), gate(2), gate(3),
        gate(4), c, dh, dc);
  }

  // Steps that have a predecessor, and their predecessors, are two contiguous ranges.
  view<T const, 3, D> const all = dgates.view();
  auto const range = [&](view<T const, 3, D> v, bool first) {
    std::ptrdiff_t const begin = first == reverse ? 1 : 0;
    return detail::all_steps(v.slice(0, begin, begin + steps - 1));
  };
  if (dh_0) gemm(d, dh_0, all[order.at(0)], back);
  copy(d, dc_0, dc);
  bool const repeated = x.extent(0) == 1 && steps != 1;
  tensor<T, 3, D> summed(shape<3>{{repeated ? 1 : 0, batch, 4 * size}}, uninitialized);
  if (repeated) reduce(d, summed, sum_of{}, all);
  view<T const, 2, D> const dprojected = detail::all_steps(repeated ? view<T const, 3, D>(summed.view()) : all);
  gemm(d, dw_ih, dprojected.transpose(), detail::all_steps(x));
  gemm(d, dw_hh, range(all, false).transpose(), range(hidden, true));
  if (h_0) gemm(d, sink<T, 2, D>(dw_hh.to, true), all[order.at(0)].transpose(), h_0);
  if (db_ih || db_hh) {
    tensor<T, 2, D> db(shape<2>{{1, 4 * size}}, uninitialized);
    reduce(d, db, sum_of{}, dprojected);
    copy(d, db_ih, db.view()[0]);
    copy(d, db_hh, db.view()[0]);
  }
  if (dx) gemm(d, sink<T, 2, D>(detail::all_steps(dx.to), dx.add), dprojected, w_ih);
}

LIMBIC_END
// ---- limbic/ops/lstm.hpp -----------------------------------------------------------------------------------------
// limbic/ops/lstm.hpp - one direction of one LSTM layer over a whole sequence, with its own adjoint
//
//   y, h_n, c_n = lstm(x, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh)      kernels/lstm.hpp has the formulas
//
// shape   x (T, B, I), or (B, T, I) with batch_first; h_0, c_0 (B, H); weight_ih (4H, I), weight_hh (4H, H),
//         biases (4H) -> y (T, B, H) or (B, T, H), h_n (B, H), c_n (B, H)
// options reverse: time runs backward (y stays in the order of x). steps: x has one step, which every one of `steps`
//         steps reads: torch.repeat without the copies
// absent  h_0, c_0 and both biases may be absent (null views): zeros
// adjoint needs the operands, and the gates, cells and hidden states of all steps, kept time first as extra results
//
// nn/lstm.hpp stacks it into layers and two directions.

LIMBIC_BEGIN

struct lstm_op {
  static constexpr std::string_view name = "lstm";
  static constexpr keep needs = keep::inputs(0, 1, 2, 3, 4) | keep::outputs(3, 4, 5);
  static constexpr int visible = 3;  // y, h_n, c_n; then gates, cells, hidden
  bool batch_first = false;
  bool reverse = false;
  std::ptrdiff_t steps = 0;  // 0: as many as x has

  std::tuple<shape<3>, shape<2>, shape<2>, shape<3>, shape<3>, shape<3>> shape_of(
      shape<3> const& x, shape<2> const& h_0, shape<2> const& c_0, shape<2> const& w_ih, shape<2> const& w_hh,
      shape<1> const& b_ih, shape<1> const& b_hh) const {
    std::ptrdiff_t const batch = x[batch_first ? 0 : 1], given = x[batch_first ? 1 : 0], size = w_hh[1];
    std::ptrdiff_t const length = steps > 0 ? steps : given;
    if (steps < 0 || (steps > 0 && given != 1))
      fail<shape_error>(name, "with steps = ", steps, " x must have one time step, but is ", x);
    if (length < 1) fail<shape_error>(name, "a sequence needs at least one step, but x is ", x);
    if (w_hh[0] != 4 * size) fail<shape_error>(name, "weight_hh must be (4 H, H), but is ", w_hh);
    if (w_ih[0] != 4 * size || w_ih[1] != x[2])
      fail<shape_error>(name, "weight_ih must be (", 4 * size, ", ", x[2], ") for x ", x, ", but is ", w_ih);
    for (auto const& b : {b_ih, b_hh})
      if (b[0] != 0 && b[0] != 4 * size)
        fail<shape_error>(name, "a bias must have ", 4 * size, " elements, but has ", b[0]);
    if (b_ih[0] != b_hh[0]) fail<shape_error>(name, "both biases are given, or neither: ", b_ih, " and ", b_hh);
    for (auto const& state : {h_0, c_0})
      if (state.size() != 0 && !(state == shape<2>{{batch, size}}))
        fail<shape_error>(name, "an initial state must be (", batch, ", ", size, "), but is ", state);
    shape<3> const y = batch_first ? shape<3>{{batch, length, size}} : shape<3>{{length, batch, size}};
    return {y,
            {{batch, size}},
            {{batch, size}},
            {{length, batch, 5 * size}},
            {{length, batch, size}},
            {{length, batch, size}}};
  }

  // A step of a sample: 4H (2I - 1 + 2H - 1 + 1) for the gates, 8H with biases, 3H for the cell, H for the state, and 5H
  // nonlinearities.
  double flops(shape<3> const& x, shape<2> const&, shape<2> const&, shape<2> const& w_ih, shape<2> const& w_hh,
               shape<1> const& b_ih, shape<1> const&) const {
    std::ptrdiff_t const size = w_hh[1], a_unit = 4 * (2 * w_ih[1] + 2 * size - 1) + (b_ih[0] > 0 ? 8 : 0) + 3 + 1 + 5;
    std::ptrdiff_t const all = steps > 0 ? x[0] * x[1] * steps : x[0] * x[1];
    return static_cast<double>(all) * static_cast<double>(size * a_unit);
  }
  template <class D, class T>
  void forward(D d, view<T, 3, D> y, view<T, 2, D> h_n, view<T, 2, D> c_n, view<T, 3, D> gates, view<T, 3, D> cells,
               view<T, 3, D> hidden, view<T const, 3, D> x, view<T const, 2, D> h_0, view<T const, 2, D> c_0,
               view<T const, 2, D> w_ih, view<T const, 2, D> w_hh, view<T const, 1, D> b_ih,
               view<T const, 1, D> b_hh) const {
    tensor<T, 3, D> own_gates, own_cells, own_hidden;
    auto const room = [](view<T, 3, D>& v, tensor<T, 3, D>& own) {
      if (v) return;
      own = tensor<T, 3, D>(v.shape(), uninitialized);
      v = own.view();
    };
    room(gates, own_gates), room(cells, own_cells), room(hidden, own_hidden);
    tensor<T, 3, D> own_x;
    lstm_forward(d, gates, cells, hidden, time_first(x, own_x), given(h_0), given(c_0), w_ih, w_hh, given(b_ih),
                 given(b_hh), reverse);
    copy(d, swapped(y), hidden);
    std::ptrdiff_t const last = reverse ? 0 : hidden.extent(0) - 1;
    copy(d, h_n, hidden[last]);
    copy(d, c_n, cells[last]);
  }

  template <class D, class T>
  void adjoint(D d, view<T const, 3, D> x, view<T const, 2, D> h_0, view<T const, 2, D> c_0, view<T const, 2, D> w_ih,
               view<T const, 2, D> w_hh, view<T const, 1, D>, view<T const, 1, D>, view<T const, 3, D>,
               view<T const, 2, D>, view<T const, 2, D>, view<T const, 3, D> gates, view<T const, 3, D> cells,
               view<T const, 3, D> hidden, view<T const, 3, D> dy, view<T const, 2, D> dh_n, view<T const, 2, D> dc_n,
               view<T const, 3, D>, view<T const, 3, D>, view<T const, 3, D>, sink<T, 3, D> dx, sink<T, 2, D> dh_0,
               sink<T, 2, D> dc_0, sink<T, 2, D> dw_ih, sink<T, 2, D> dw_hh, sink<T, 1, D> db_ih,
               sink<T, 1, D> db_hh) const {
    tensor<T, 3, D> own_x, own_dx;
    view<T const, 3, D> const first = time_first(x, own_x);
    sink<T, 3, D> to = dx;
    if (dx && batch_first) {
      own_dx = tensor<T, 3, D>(first.shape(), uninitialized);
      to = sink<T, 3, D>(own_dx.view());
    }
    lstm_adjoint(d, first, given(h_0), given(c_0), w_ih, w_hh, gates, cells, hidden, dy ? swapped(dy) : dy, dh_n, dc_n,
                 to, given(dh_0), given(dc_0), dw_ih, dw_hh, given(db_ih), given(db_hh), reverse);
    if (dx && batch_first) copy(d, dx, swapped(view<T const, 3, D>(own_dx.view())));
  }

 private:
  // Between batch first and time first: the same axes exchanged either way.
  template <class V> V swapped(V const& v) const { return batch_first ? v.permute({{1, 0, 2}}) : v; }
  template <class T, class D> view<T const, 3, D> time_first(view<T const, 3, D> const& x, tensor<T, 3, D>& own) const {
    if (!batch_first && x.is_contiguous()) return x;
    own = tensor<T, 3, D>(shape<3>{{x.extent(batch_first ? 1 : 0), x.extent(batch_first ? 0 : 1), x.extent(2)}},
                          uninitialized);
    copy(D{}, own, swapped(x));
    return own.view();
  }
  // An absent operand has no elements, whether its view is null or not.
  template <class V> static V given(V const& v) { return v.shape().size() == 0 ? V() : v; }
};

LIMBIC_END
// ---- limbic/ops/reshape.hpp --------------------------------------------------------------------------------------
// limbic/ops/reshape.hpp - the same elements, row by row, under another shape
//
//   reshape(x, shape{2, -1})  or  reshape(x, 2, -1)      one extent may be -1: it takes what is left
//   flatten(x)  flatten<1>(x)  flatten<1, 2>(x)          axes from the first to the last given (-1 the very last) as one
//   squeeze(x, axis)                                     without an axis of extent 1
//   unsqueeze(x, axis)                                   an axis of extent 1 before `axis`; -1: at the end
//
// adjoint x' += y' under the shape of x

LIMBIC_BEGIN

template <int S> struct reshape_op {
  static constexpr std::string_view name = "reshape";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<S> to;

  template <int R> shape<S> shape_of(shape<R> const& x) const { return resolve_reshape(x, to); }
  // Results and gradients are contiguous, operands need not be.
  void forward(auto d, auto y, auto x) const { copy(d, y.reshape(x.shape()), x); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { copy(d, dx, dy.reshape(dx.shape())); }
};

template <operand X, int S> auto reshape(X&& x, shape<S> const& to) {
  return apply(reshape_op<S>{to}, std::forward<X>(x));
}
template <operand X, class... I>
  requires(sizeof...(I) > 0 && (std::is_integral_v<I> && ...))
auto reshape(X&& x, I... extents) {
  return reshape(std::forward<X>(x), shape<static_cast<int>(sizeof...(I))>{{static_cast<std::ptrdiff_t>(extents)...}});
}

template <int First = 0, int Last = -1, operand X> auto flatten(X&& x) {
  constexpr int R = rank_of<X>, first = First < 0 ? First + R : First, last = Last < 0 ? Last + R : Last;
  constexpr bool fit = R == 0 || (0 <= first && first <= last && last < R);
  if constexpr (R == 0) {
    return reshape(std::forward<X>(x), shape<1>{{1}});
  } else if constexpr (fit) {
    auto const& from = x.shape();
    shape<R - (last - first)> to;
    to[first] = 1;
    for (int i = 0; i < R; ++i) {
      if (i < first) to[i] = from[i];
      else if (i <= last) to[first] *= from[i];
      else to[i - (last - first)] = from[i];
    }
    return reshape(std::forward<X>(x), to);
  } else {
    static_assert(fit, "limbic: flatten: these axes do not exist");
  }
}

template <operand X> auto squeeze(X&& x, int axis) {
  constexpr int R = rank_of<X>;
  if constexpr (R >= 1) {
    int const a = normalize_axis("squeeze", axis, R);
    auto const& from = x.shape();
    if (from[a] != 1) fail<shape_error>("squeeze", "axis ", axis, " of ", from, " has not extent 1");
    shape<R - 1> to;
    for (int i = 0, k = 0; i < R; ++i)
      if (i != a) to[k++] = from[i];
    return reshape(std::forward<X>(x), to);
  } else {
    static_assert(R >= 1, "limbic: squeeze takes a tensor of rank 1 or more");
  }
}

template <operand X> auto unsqueeze(X&& x, int axis) {
  constexpr int R = rank_of<X>;
  int const a = normalize_axis("unsqueeze", axis, R + 1);
  auto const& from = x.shape();
  shape<R + 1> to;
  for (int i = 0, k = 0; i <= R; ++i) to[i] = i == a ? 1 : from[k++];
  return reshape(std::forward<X>(x), to);
}

LIMBIC_END
// ---- limbic/ops/slice.hpp ----------------------------------------------------------------------------------------
// limbic/ops/slice.hpp - parts of a tensor
//
//   slice(x, axis, begin, end, step = 1)     elements begin, begin + step, ... below end along one axis
//   select(x, axis, index)                   one index along an axis, which is gone
//
// begin, end and index count from the back when negative; an end past the last element is an error.
//
// adjoint x' += y' there, nothing elsewhere

LIMBIC_BEGIN

inline constexpr std::ptrdiff_t to_the_end = std::numeric_limits<std::ptrdiff_t>::max();  // as the end of a range

namespace detail {
// dx (+)= dy on a part of dx, 0 elsewhere.
template <class D, class T, int R, int S, class V>
void write_part(D d, sink<T, R, D> dx, view<T, S, D> part, V const& dy) {
  if (!dx) return;
  if (!dx.add) fill(d, dx.to, T(0));
  copy(d, sink<T, S, D>(part, dx.add), dy);
}
}  // namespace detail

struct slice_op {
  static constexpr std::string_view name = "slice";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;
  std::ptrdiff_t begin = 0, end = to_the_end, step = 1;

  template <int R> shape<R> shape_of(shape<R> const& x) const {
    return cut(view<char const, R, scalar>(nullptr, x)).shape();
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, cut(x)); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { detail::write_part(d, dx, cut(dx.to), dy); }

 private:
  template <class V> V cut(V const& x) const {
    std::ptrdiff_t const n = x.extent(normalize_axis(name, axis, V::rank));
    return x.slice(axis, begin < 0 ? begin + n : begin, end == to_the_end ? n : end < 0 ? end + n : end, step);
  }
};

struct select_op {
  static constexpr std::string_view name = "select";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;
  std::ptrdiff_t index = 0;

  template <int R> shape<R - 1> shape_of(shape<R> const& x) const {
    int const a = normalize_axis(name, axis, R);
    if (index < -x[a] || index >= x[a])
      fail<index_error>(name, "index ", index, " does not lie in axis ", axis, " of ", x);
    shape<R - 1> y;
    for (int i = 0, k = 0; i < R; ++i)
      if (i != a) y[k++] = x[i];
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, pick(x)); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const {
    if (dx) detail::write_part(d, dx, pick(dx.to), dy);
  }

 private:
  template <class T, int R, class D> view<T, R - 1, D> pick(view<T, R, D> const& x) const {
    int const a = axis < 0 ? axis + R : axis;
    shape<R - 1> extents, steps;
    for (int i = 0, k = 0; i < R; ++i) {
      if (i == a) continue;
      extents[k] = x.extent(i);
      steps[k++] = x.stride(i);
    }
    return {x.data() + (index < 0 ? index + x.extent(a) : index) * x.stride(a), extents, steps};
  }
};

template <operand X>
auto slice(X&& x, int axis, std::ptrdiff_t begin, std::ptrdiff_t end = to_the_end, std::ptrdiff_t step = 1) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(slice_op{.axis = axis, .begin = begin, .end = end, .step = step}, std::forward<X>(x));
  else static_assert(fit, "limbic: slice takes a tensor of rank 1 or more");
}
template <operand X> auto select(X&& x, int axis, std::ptrdiff_t index) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(select_op{.axis = axis, .index = index}, std::forward<X>(x));
  else static_assert(fit, "limbic: select takes a tensor of rank 1 or more");
}

LIMBIC_END
// ---- limbic/nn/lstm.hpp ------------------------------------------------------------------------------------------
// limbic/nn/lstm.hpp - long short-term memory: layers and directions of ops/lstm.hpp, named as torch.nn.LSTM names them
//
//   lstm<float> encoder(input_size, hidden_size, random, {.layers = 2, .batch_first = true});
//   auto [y, h_n, c_n] = encoder(x);             // the initial state is zero
//   auto [y, h_n, c_n] = encoder(x, h_0, c_0);
//   auto [y, h_n, c_n] = decoder.repeat(z, 10);  // z (B, I) is the input of each of 10 steps
//
// shape   x (T, B, I), or (B, T, I) with batch_first; y has H * directions features; h_0, c_0, h_n, c_n are
//         (layers * directions, B, H), layer by layer, forward then reverse
// names   weight_ih_l0 (4H, I), weight_hh_l0 (4H, H), bias_ih_l0, bias_hh_l0 (4H), ... weight_ih_l0_reverse, ...
// start   all uniform in +-1 / sqrt(H), as in PyTorch

LIMBIC_BEGIN

struct lstm_options {
  int layers = 1;
  bool bidirectional = false;  // a second run from the back; results side by side
  bool bias = true;            // two of them a layer, as in PyTorch
  bool batch_first = false;
};

template <class T, class D = default_device> class lstm {
 public:
  lstm() = default;
  lstm(std::ptrdiff_t input_size, std::ptrdiff_t hidden_size, rng& random, lstm_options const& options = {})
      : options_(options) {
    if (input_size < 1 || hidden_size < 1 || options.layers < 1)
      fail<argument_error>("lstm", "input size, hidden size and layers must be positive, but are ", input_size, ", ",
                           hidden_size, ", ", options.layers);
    int const directions = options.bidirectional ? 2 : 1;
    double const bound = 1.0 / std::sqrt(static_cast<double>(hidden_size));
    cells_ = layer_list<cell>(options.layers * directions, [&](std::ptrdiff_t k) {
      std::ptrdiff_t const inputs = k < directions ? input_size : hidden_size * directions;
      cell c{parameter<T, 2, D>(shape<2>{{4 * hidden_size, inputs}}),
             parameter<T, 2, D>(shape<2>{{4 * hidden_size, hidden_size}}),
             parameter<T, 1, D>(shape<1>{{options.bias ? 4 * hidden_size : 0}}),
             parameter<T, 1, D>(shape<1>{{options.bias ? 4 * hidden_size : 0}})};
      random.uniform(c.weight_ih.value, -bound, bound);
      random.uniform(c.weight_hh.value, -bound, bound);
      random.uniform(c.bias_ih.value, -bound, bound);
      random.uniform(c.bias_hh.value, -bound, bound);
      return c;
    });
  }

  // What it was made with.
  lstm_options const& options() const { return options_; }

  template <operand X> auto operator()(X const& x) const { return run(x, no_state(), no_state(), 0); }
  template <operand X, operand H, operand C> auto operator()(X const& x, H const& h_0, C const& c_0) const {
    static_assert(rank_of<H> == 3 && rank_of<C> == 3, "limbic: lstm: initial states are (layers * directions, B, H)");
    for (auto const& s : {h_0.shape(), c_0.shape()})
      if (s[0] != cells_.size())
        fail<shape_error>("lstm", "an initial state needs ", cells_.size(), " layers and directions, but is ", s);
    return run(x, h_0, c_0, 0);
  }
  // The same input z (B, I) at each of so many steps, without copies of it.
  template <operand Z> auto repeat(Z const& z, std::ptrdiff_t steps) const {
    static_assert(rank_of<Z> == 2, "limbic: lstm: what is repeated over time is (B, I)");
    if (steps < 1) fail<argument_error>("lstm", "the input must be repeated at least once, not ", steps, " times");
    return run(unsqueeze(z, options_.batch_first ? 1 : 0), no_state(), no_state(), steps);
  }

  // Names the parameters as PyTorch does: weight_ih_l0, ..., bias_hh_l0_reverse.
  void each(auto f) {
    static constexpr std::string_view names[] = {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"};
    std::ptrdiff_t const directions = options_.bidirectional ? 2 : 1;
    for (std::ptrdiff_t k = 0; k < cells_.size(); ++k) {
      auto const named = [&](std::string_view prefix) {
        text name;
        name.add(prefix);
        detail::append(name, k / directions);
        return k % directions == 1 ? name.add("_reverse") : name;
      };
      f(named(names[0]).view(), cells_[k].weight_ih);
      f(named(names[1]).view(), cells_[k].weight_hh);
      if (!options_.bias) continue;
      f(named(names[2]).view(), cells_[k].bias_ih);
      f(named(names[3]).view(), cells_[k].bias_hh);
    }
  }

 private:
  struct cell {
    parameter<T, 2, D> weight_ih, weight_hh;
    parameter<T, 1, D> bias_ih, bias_hh;
  };
  struct no_state {};

  // Row k of the initial states, or nothing.
  template <class X, class S> static auto state(S const& s, std::ptrdiff_t k) {
    if constexpr (std::is_same_v<S, no_state>) return absent<X, 2>();
    else return select(s, 0, k);
  }
  template <class X, class H, class C>
  auto direction(X const& x, H const& h_0, C const& c_0, std::ptrdiff_t k, std::ptrdiff_t steps) const {
    bool const reverse = options_.bidirectional && k % 2 == 1;
    lstm_op const o{.batch_first = options_.batch_first, .reverse = reverse, .steps = steps};
    cell const& p = cells_[k];
    return apply(o, x, state<X>(h_0, k), state<X>(c_0, k), p.weight_ih, p.weight_hh, p.bias_ih, p.bias_hh);
  }
  // Both directions of one layer; the final states are appended to h_n and c_n.
  template <class X, class H, class C, class Y, class S>
  Y layer(X const& x, H const& h_0, C const& c_0, std::ptrdiff_t k, std::ptrdiff_t steps, S& h_n, S& c_n) const {
    auto const append = [](S& all, auto const& one, bool first) {
      all = first ? S(unsqueeze(one, 0)) : S(concatenate(0, all, unsqueeze(one, 0)));
    };
    auto [y, h, c] = direction(x, h_0, c_0, k, steps);
    append(h_n, h, k == 0);
    append(c_n, c, k == 0);
    if (!options_.bidirectional) return y;
    auto [y_back, h_back, c_back] = direction(x, h_0, c_0, k + 1, steps);
    append(h_n, h_back, false);
    append(c_n, c_back, false);
    return concatenate(2, y, y_back);
  }
  template <class X, class H, class C> auto run(X const& x, H const& h_0, C const& c_0, std::ptrdiff_t steps) const {
    static_assert(rank_of<X> == 3, "limbic: lstm: x is (T, B, I), or (B, T, I) with batch_first");
    if (cells_.size() == 0) fail<argument_error>("lstm", "this layer was default-constructed: it has no parameters");
    using Y = std::remove_cvref_t<decltype(std::get<0>(direction(x, h_0, c_0, 0, steps)))>;
    std::ptrdiff_t const directions = options_.bidirectional ? 2 : 1;
    Y h_n, c_n;
    Y y = layer<X, H, C, Y>(x, h_0, c_0, 0, steps, h_n, c_n);
    for (std::ptrdiff_t k = directions; k < cells_.size(); k += directions)
      y = layer<Y, H, C, Y>(y, h_0, c_0, k, 0, h_n, c_n);
    return std::tuple(std::move(y), std::move(h_n), std::move(c_n));
  }

  lstm_options options_;
  layer_list<cell> cells_;
};

LIMBIC_END
// ---- limbic/models/lstm_autoencoder.hpp --------------------------------------------------------------------------
// limbic/models/lstm_autoencoder.hpp - a sequence squeezed through a vector, and unfolded again
//
//   z = latent(h_n of the last layer),  h_n from encoder(x)       x (B, T, F), z (B, Z)
//   y = output(decoder(z at every step))                          y (B, T, F)
//
// Parameters: encoder.* and decoder.* as torch.nn.LSTM, latent.* and output.* as torch.nn.Linear. The decoder reads the
// same vector at every step, so it is projected once instead of being repeated.

LIMBIC_BEGIN

struct lstm_autoencoder_options {
  std::ptrdiff_t input_size = 1;    // F
  std::ptrdiff_t hidden_size = 64;  // H, of both LSTMs
  std::ptrdiff_t latent_size = 42;  // Z
  int layers = 1;                   // each way
};

template <class T, class D = default_device> struct lstm_autoencoder {
  lstm<T, D> encoder;
  linear<T, D> latent;
  lstm<T, D> decoder;
  linear<T, D> output;

  lstm_autoencoder(lstm_autoencoder_options const& o, rng& random)
      : encoder(o.input_size, o.hidden_size, random, {.layers = o.layers, .batch_first = true}),
        latent(o.hidden_size, positive(o.latent_size), random),
        decoder(o.latent_size, o.hidden_size, random, {.layers = o.layers, .batch_first = true}),
        output(o.hidden_size, o.input_size, random) {}

  // (B, T, F) -> (B, Z)
  auto encode(auto const& x) const {
    auto const [y, h_n, c_n] = encoder(x);
    return latent(select(h_n, 0, h_n.extent(0) - 1));
  }
  // (B, Z) -> (B, steps, F)
  auto decode(auto const& z, std::ptrdiff_t steps) const {
    auto const [y, h_n, c_n] = decoder.repeat(z, steps);
    return output(y);
  }
  auto operator()(auto const& x) const { return decode(encode(x), x.extent(1)); }

  // Names the members as a PyTorch module does: encoder, latent, decoder, output.
  void each(auto f) {
    f("encoder", encoder);
    f("latent", latent);
    f("decoder", decoder);
    f("output", output);
  }

 private:
  static std::ptrdiff_t positive(std::ptrdiff_t latent_size) {
    if (latent_size < 1)
      fail<argument_error>("lstm_autoencoder", "the latent size must be positive, but is ", latent_size);
    return latent_size;
  }
};

LIMBIC_END
// ---- limbic/kernels/conv_reader.hpp ------------------------------------------------------------------------------
// limbic/kernels/conv_reader.hpp - how a kernel moves over images, and the pixels that its taps read

LIMBIC_BEGIN

// Rows first, then columns.
struct conv_geometry {
  shape<2> stride{{1, 1}};    // pixels of x from one result to the next
  shape<2> padding{{0, 0}};   // zeros before the first row and column
  shape<2> dilation{{1, 1}};  // pixels of x from one tap to the next
  std::ptrdiff_t groups = 1;  // of channels that do not see one another
};

namespace detail {

// The taps of a kernel: how many channels, rows and columns.
struct conv_taps {
  std::ptrdiff_t channels, rows, columns;
  std::ptrdiff_t count() const { return channels * rows * columns; }
};

// Where an image lies in one that reaches as far as the taps do: from `at` in the one, from `from` in the other.
struct overlap {
  std::ptrdiff_t at, from, count;
};
inline overlap overlap_of(std::ptrdiff_t padding, std::ptrdiff_t extent, std::ptrdiff_t reach) {
  std::ptrdiff_t const at = padding < 0 ? 0 : padding < reach ? padding : reach, from = padding < 0 ? -padding : 0;
  std::ptrdiff_t const left = extent - from < reach - at ? extent - from : reach - at;
  return {at, from < extent ? from : extent, left > 0 ? left : 0};
}

// How many of so many equal items one piece of work takes: all, where there is no million of multiply-adds in them; else a
// quarter of a million at least.
inline std::ptrdiff_t conv_grain(std::ptrdiff_t items, std::ptrdiff_t work) {
  return work < (1 << 20) ? items : (1 << 18) / (work / items + 1) + 1;
}

// n elements that lie `step` apart, one after another.
template <class D, class T> void copy_row(T* to, T const* from, std::ptrdiff_t step, std::ptrdiff_t n) {
  using L = kernel_lanes<D, T>;
  std::ptrdiff_t i = 0;
  if (step == 1)
    for (; i + L::width <= n; i += L::width) L::store(to + i, L::load(from + i));
  for (; i < n; ++i) to[i] = from[i * step];
}

// Pixels that lie `stride` apart in an image, beside one another in a panel.
struct pixel_run {
  std::ptrdiff_t from, at, count;
};

// Gathers pixels of images: for each tap, those that it meets, one after another.
template <class D, class T> class conv_reader {
 public:
  conv_reader(conv_taps taps, conv_geometry const& g, shape<2> const& pixels, view<T const, 4, D> x,
              bool may_read_in_place = true)
      : taps_(taps), g_(g), pixels_(pixels) {
    for (int i = 0; i < 2; ++i)
      reach_[i] = g.stride[i] * (pixels[i] - 1) + g.dilation[i] * ((i == 0 ? taps.rows : taps.columns) - 1) + 1;
    // An image is read where it is if its rows follow one another as those of the result do.
    in_place_ = may_read_in_place && x.stride(3) == 1 && (x.stride(2) == pixels[1] || reach_[0] == 1) &&
                reach_[1] == pixels[1] && g.stride[1] == 1;
    for (int i = 0; i < 2; ++i)
      in_place_ = in_place_ && g.padding[i] <= 0 && reach_[i] - g.padding[i] <= x.extent(2 + i);
    channel_ = in_place_ ? x.stride(1) : reach_.size();
    row_ = in_place_ ? x.stride(2) : reach_[1];
  }
  // Elements that a copy of so many images and channels takes: none where images are read in place.
  std::ptrdiff_t room(std::ptrdiff_t images, std::ptrdiff_t channels) const {
    return in_place_ ? 0 : images * channels * reach_.size() + slack;
  }

  // Some images and channels of x, to be read from now on: in place, or from a copy with zeros around each.
  void read(view<T const, 4, D> x, T* copied) {
    if (in_place_) {
      data_ = x.data() - g_.padding[0] * x.stride(2) - g_.padding[1] * x.stride(3);
      image_ = x.stride(0);
      return;
    }
    data_ = copied;
    image_ = x.extent(1) * channel_;
    std::ptrdiff_t const height = x.extent(2), step = x.stride(3);
    overlap const columns = overlap_of(g_.padding[1], x.extent(3), reach_[1]);
    T* to = copied;
    for (std::ptrdiff_t c = 0; c < x.extent(0) * x.extent(1); ++c)
      for (std::ptrdiff_t r = 0; r < reach_[0]; ++r, to += reach_[1]) {
        std::ptrdiff_t const y = r - g_.padding[0];
        bool const outside = y < 0 || y >= height;
        T const* const from =
            outside ? nullptr
                    : x.data() + c / x.extent(1) * x.stride(0) + c % x.extent(1) * x.stride(1) + y * x.stride(2);
        std::ptrdiff_t const begin = outside ? reach_[1] : columns.at,
                             end = outside ? reach_[1] : begin + columns.count;
        for (std::ptrdiff_t i = 0; i < begin; ++i) to[i] = T(0);
        if (begin < end) copy_row<D>(to + begin, from + columns.from * step, step, end - begin);
        for (std::ptrdiff_t i = end; i < reach_[1]; ++i) to[i] = T(0);
      }
    for (std::ptrdiff_t i = 0; i < slack; ++i) to[i] = T(0);
  }

  // The runs of pixels first .. last - 1 of the results, image after image, `runs` having room for as many.
  std::ptrdiff_t find_runs(std::ptrdiff_t first, std::ptrdiff_t last, pixel_run* runs) const {
    std::ptrdiff_t count = 0;
    for (std::ptrdiff_t p = first; p < last;) {
      std::ptrdiff_t const n = p / pixels_.size(), y = p % pixels_.size() / pixels_[1], x = p % pixels_[1];
      std::ptrdiff_t const some = pixels_[1] - x < last - p ? pixels_[1] - x : last - p;
      std::ptrdiff_t const from = n * image_ + y * g_.stride[0] * row_ + x * g_.stride[1];
      if (count > 0 && in_place_ && runs[count - 1].from + runs[count - 1].count == from) runs[count - 1].count += some;
      else runs[count++] = {from, p - first, some};
      p += some;
    }
    return count;
  }

  // Taps first .. last - 1 of the runs, `line` elements from one tap to the next. Up to `slack` elements are written
  // after the last one of each.
  void gather(std::ptrdiff_t first, std::ptrdiff_t last, pixel_run const* runs, std::ptrdiff_t count, T* to,
              std::ptrdiff_t line) const {
    using L = kernel_lanes<D, T>;
    std::ptrdiff_t j = first % taps_.columns, i = first / taps_.columns % taps_.rows,
                   c = first / (taps_.columns * taps_.rows);
    for (std::ptrdiff_t k = first; k < last; ++k, to += line) {
      T const* const from = data_ + c * channel_ + i * g_.dilation[0] * row_ + j * g_.dilation[1];
      for (pixel_run const* r = runs; r != runs + count; ++r) {
        T const* const pixel = from + r->from;
        T* const at = to + r->at;
        std::ptrdiff_t l = 0;
        if (g_.stride[1] == 1) {
          std::ptrdiff_t const whole = in_place_ ? r->count - L::width + 1 : r->count;
          for (; l < whole; l += L::width) L::store(at + l, L::load(pixel + l));
        }
        for (; l < r->count; ++l) at[l] = pixel[l * g_.stride[1]];
      }
      if (++j == taps_.columns) {
        j = 0;
        if (++i == taps_.rows) i = 0, ++c;
      }
    }
  }

  // Of the only channel of the only image: what the first tap reads for the first pixel, and how far it is from there to the
  // next row of results, row of taps, and tap.
  T const* first() const { return data_; }
  std::ptrdiff_t row_step() const { return g_.stride[0] * row_; }
  std::ptrdiff_t tap_row_step() const { return g_.dilation[0] * row_; }
  std::ptrdiff_t tap_step() const { return g_.dilation[1]; }

  // What packs read and write beyond the pixels that are asked for.
  static constexpr std::ptrdiff_t slack = kernel_lanes<D, T>::width;

 private:
  conv_taps taps_;
  conv_geometry g_;
  shape<2> pixels_, reach_;
  bool in_place_;
  T const* data_ = nullptr;
  std::ptrdiff_t image_ = 0, channel_, row_;  // from one image, channel, row to the next
};

}  // namespace detail

LIMBIC_END
// ---- limbic/kernels/conv_planes.hpp ------------------------------------------------------------------------------
// limbic/kernels/conv_planes.hpp - correlation where each group has one channel (depthwise): packs of neighbouring results
//
// A matrix product would have a row or two. Instead a plane of x is copied with zeros around it, and four rows of results
// at a time stay in registers while the taps go by. The kernel's gradient keeps a pack of sums for each tap.

LIMBIC_BEGIN

namespace detail {

// Whether packs of neighbouring results are worth computing where they stand.
template <class D, class T> bool takes_depthwise(conv_taps const& taps, conv_geometry const& g) {
  return kernel_lanes<D, T>::width > 1 && taps.channels == 1 && g.groups > 1 && g.stride[1] == 1;
}

// One plane of results, P x Q, four rows at a time. Where later rows overwrite it, a pack may reach beyond its row.
template <class D, class T>
void correlate_plane(view<T, 2, D> y, bool add, conv_reader<D, T> const& x, T const* w, conv_taps const& taps) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  std::ptrdiff_t const height = y.extent(0), width = y.extent(1), step = y.stride(1);
  bool const spills = !add && step == 1 && width < L::width && y.stride(0) == width;
  auto const put = [&](std::ptrdiff_t p, std::ptrdiff_t q, V v) {
    T* const at = y.data() + p * y.stride(0) + q * step;
    if (step == 1 && (q + L::width <= width || (spills && p * width + L::width <= height * width)))
      return L::store(at, add ? L::load(at) + v : v);
    T part[L::width];
    L::store(part, v);
    for (std::ptrdiff_t l = 0; l < L::width && q + l < width; ++l)
      at[l * step] = add ? at[l * step] + part[l] : part[l];
  };
  auto const some_rows = [&](auto count, std::ptrdiff_t p) {
    constexpr std::ptrdiff_t R = decltype(count)::value;
    for (std::ptrdiff_t q = 0; q < width; q += L::width) {
      V sums[R];
      for (V& s : sums) s = V(0);
      T const *tap = w, *line = x.first() + p * x.row_step() + q;
      for (std::ptrdiff_t i = 0; i < taps.rows; ++i, line += x.tap_row_step()) {
        T const* from = line;
        for (std::ptrdiff_t j = 0; j < taps.columns; ++j, ++tap, from += x.tap_step()) {
          V const t = math::broadcast<V>(*tap);
          LIMBIC_UNROLL
          for (std::ptrdiff_t r = 0; r < R; ++r) sums[r] = math::fma(t, L::load(from + r * x.row_step()), sums[r]);
        }
      }
      for (std::ptrdiff_t r = 0; r < R; ++r) put(p + r, q, sums[r]);
    }
  };
  std::ptrdiff_t p = 0;
  for (; p + 4 <= height; p += 4) some_rows(std::integral_constant<std::ptrdiff_t, 4>(), p);
  for (; p < height; ++p) some_rows(std::integral_constant<std::ptrdiff_t, 1>(), p);
}

// y (N, G R, P, Q) from x (N, G, H, W) and w (G, R, taps).
template <class D, class T>
void correlate_planes(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 3, D> w, conv_taps const& taps,
                      conv_geometry const& g) {
  std::ptrdiff_t const rows = w.extent(1), planes = x.extent(0) * g.groups;
  conv_reader<D, T> const layout(taps, g, shape<2>{{y.to.extent(2), y.to.extent(3)}}, x, false);
  auto const make = [&] { return tensor<T, 1, D>(shape<1>{{layout.room(1, 1)}}, uninitialized); };
  auto const piece = [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    for (std::ptrdiff_t plane = begin; plane < end; ++plane) {
      std::ptrdiff_t const n = plane / g.groups, group = plane % g.groups;
      reader.read(x.slice(0, n, n + 1).slice(1, group, group + 1), room.data());
      for (std::ptrdiff_t r = 0; r < rows; ++r)
        correlate_plane<D, T>(y.to[n][group * rows + r], y.add, reader, w.data() + (group * rows + r) * taps.count(),
                              taps);
    }
  };
  parallel_for(planes, conv_grain(planes, y.to.size() * taps.count()), make, piece);
}

// sums[k] += dy times what tap k reads, a pack for each tap; four taps at a time. dy has whole packs in its rows, zeros last.
template <class D, class T>
void add_plane_products(T* sums, view<T const, 2, D> dy, conv_reader<D, T> const& x, conv_taps const& taps) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  auto const some_taps = [&](auto count, std::ptrdiff_t k) {
    constexpr std::ptrdiff_t K = decltype(count)::value;
    V all[K];
    T const* read[K];
    for (std::ptrdiff_t i = 0; i < K; ++i) {
      all[i] = L::load(sums + (k + i) * L::width);
      read[i] = x.first() + (k + i) / taps.columns * x.tap_row_step() + (k + i) % taps.columns * x.tap_step();
    }
    for (std::ptrdiff_t p = 0; p < dy.extent(0); ++p) {
      T const* const row = dy.data() + p * dy.stride(0);
      for (std::ptrdiff_t q = 0; q < dy.extent(1); q += L::width) {
        V const slope = L::load(row + q);
        LIMBIC_UNROLL
        for (std::ptrdiff_t i = 0; i < K; ++i) all[i] = math::fma(slope, L::load(read[i] + q), all[i]);
      }
      for (T const*& at : read) at += x.row_step();
    }
    for (std::ptrdiff_t i = 0; i < K; ++i) L::store(sums + (k + i) * L::width, all[i]);
  };
  std::ptrdiff_t k = 0;
  for (; k + 4 <= taps.count(); k += 4) some_taps(std::integral_constant<std::ptrdiff_t, 4>(), k);
  for (; k < taps.count(); ++k) some_taps(std::integral_constant<std::ptrdiff_t, 1>(), k);
}

// dw (G R, 1, kh, kw), image after image.
template <class D, class T>
void correlate_plane_weights(sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy, conv_geometry const& g) {
  using L = kernel_lanes<D, T>;
  conv_taps const taps{1, dw.to.extent(2), dw.to.extent(3)};
  std::ptrdiff_t const depth = taps.count(), rows = dy.extent(1) / g.groups;
  conv_reader<D, T> const layout(taps, g, shape<2>{{dy.extent(2), dy.extent(3)}}, x, false);
  std::ptrdiff_t const height = dy.extent(2), width = dy.extent(3), line = (width + L::width - 1) / L::width * L::width;
  std::ptrdiff_t const gradient_room = height * line, sums_room = rows * depth * L::width;
  auto const make = [&] { return tensor<T, 1, D>(shape<1>{{gradient_room + sums_room + layout.room(1, 1)}}, T(0)); };
  auto const piece = [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    view<T, 2, D> const gradient(room.data(), shape<2>{{height, line}});
    T* const sums = room.data() + gradient_room;
    T* const copied = sums + sums_room;
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      for (std::ptrdiff_t i = 0; i < sums_room; ++i) sums[i] = T(0);
      for (std::ptrdiff_t n = 0; n < x.extent(0); ++n) {
        reader.read(x.slice(0, n, n + 1).slice(1, group, group + 1), copied);
        for (std::ptrdiff_t r = 0; r < rows; ++r) {
          view<T const, 2, D> const from = dy[n][group * rows + r];
          for (std::ptrdiff_t p = 0; p < height; ++p)
            copy_row<D>(gradient.data() + p * line, from.data() + p * from.stride(0), from.stride(1), width);
          add_plane_products<D, T>(sums + r * depth * L::width, gradient, reader, taps);
        }
      }
      for (std::ptrdiff_t r = 0; r < rows * depth; ++r) {
        T& to = dw.to(group * rows + r / depth, 0, r % depth / taps.columns, r % taps.columns);
        T const v = math::reduce_add(L::load(sums + r * L::width));
        to = dw.add ? to + v : v;
      }
    }
  };
  parallel_for(g.groups, conv_grain(g.groups, dy.size() * depth), make, piece);
}

}  // namespace detail

LIMBIC_END
// ---- limbic/kernels/conv_product.hpp -----------------------------------------------------------------------------
// limbic/kernels/conv_product.hpp - correlation as a matrix product whose right operand is never there as a whole
//
// See conv.hpp. A tile of pixels, of several images where they are small, is gathered, 128 taps at a time, into the panels
// that gemm's micro-kernel reads.

LIMBIC_BEGIN

namespace detail {

// How many images share the tiles of pixels: as many as fill one.
inline std::ptrdiff_t images_of_strip(std::ptrdiff_t images, std::ptrdiff_t pixels) {
  std::ptrdiff_t const some = pixels > 0 && pixels < gemm_columns ? gemm_columns / pixels : 1;
  return some < images ? some : images;
}

// How many tiles one piece of work takes: those of whole strips of images, while there are enough for the threads. No
// element's bits depend on it.
inline std::ptrdiff_t tile_grain(std::ptrdiff_t strips, std::ptrdiff_t tiles, std::ptrdiff_t work) {
  std::ptrdiff_t const some = conv_grain(strips, work);
  return some == strips || strips >= 4 * threads() * some ? tiles * some : 1;
}

// y (N, G R, P, Q) from x (N, G C, H, W) and w (G, R, taps), contiguous.
template <class D, class T>
void correlate(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 3, D> w, conv_taps taps, conv_geometry const& g) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t M = L::rows, cache_line = static_cast<std::ptrdiff_t>(64 / sizeof(T));
  shape<2> const pixels{{y.to.extent(2), y.to.extent(3)}};
  std::ptrdiff_t const rows = w.extent(1), depth = taps.count(), images = x.extent(0);
  if (images * rows * pixels.size() == 0) return;
  if constexpr (L::width > 1)
    if (takes_depthwise<D, T>(taps, g)) return correlate_planes<D, T>(y, x, w, taps, g);
  std::ptrdiff_t const strip = images_of_strip(images, pixels.size()), n = strip * pixels.size();
  std::ptrdiff_t const strips = (images + strip - 1) / strip * g.groups;
  conv_reader<D, T> const layout(taps, g, pixels, x);
  std::ptrdiff_t const width = panel_width<D, T>(n), panels = (n + width - 1) / width;
  std::ptrdiff_t const most = gemm_columns / width, tiles = (panels + most - 1) / most,
                       per_tile = (panels + tiles - 1) / tiles;
  std::ptrdiff_t const line = gemm_depth + cache_line, deepest = depth < gemm_depth ? depth : gemm_depth;
  bool const flat = y.to.stride(3) == 1 && (y.to.stride(2) == pixels[1] || pixels[0] == 1), direct = flat && strip == 1;
  bool const pack_w = depth >= 8 * cache_line && rows >= 4 * M;

  std::ptrdiff_t const grain = tile_grain(strips, tiles, images * g.groups * rows * pixels.size() * depth);
  std::ptrdiff_t const image_room = layout.room(strip, taps.channels),
                       panel_room = per_tile * deepest * width + layout.slack, w_room = pack_w ? gemm_rows * line : 0,
                       tile_room = direct ? 0 : rows * per_tile * width;
  auto const make = [&] {
    return tensor<T, 1, D>(shape<1>{{image_room + panel_room + w_room + tile_room}}, uninitialized);
  };
  parallel_for(strips * tiles, grain, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    T* const copied = room.data();
    T* const gathered = copied + image_room;
    T* const packed = gathered + panel_room;
    T* const tile = packed + w_room;
    std::ptrdiff_t here = -1;  // the strip and group that the reader reads
    for (std::ptrdiff_t item = begin; item < end; ++item) {
      std::ptrdiff_t const at = item / tiles, group = at % g.groups, first = at / g.groups * strip;
      std::ptrdiff_t const after = first + strip < images ? first + strip : images,
                           count = (after - first) * pixels.size();
      std::ptrdiff_t const j0 = item % tiles * per_tile * width,
                           j1 = j0 + per_tile * width < count ? j0 + per_tile * width : count;
      if (here != at) {
        here = at;
        reader.read(x.slice(0, first, after).slice(1, group * taps.channels, (group + 1) * taps.channels), copied);
      }
      view<T, 4, D> const result = y.to.slice(0, first, after).slice(1, group * rows, (group + 1) * rows);
      T* const c = direct ? result.data() + j0 : tile;
      std::ptrdiff_t const ldc = direct ? result.stride(1) : per_tile * width;
      for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += gemm_depth) {
        std::ptrdiff_t const k1 = k0 + gemm_depth < depth ? k0 + gemm_depth : depth;
        T* panel = gathered;
        for (std::ptrdiff_t j = j0; j < j1; j += width, panel += deepest * width) {
          pixel_run runs[gemm_columns];
          std::ptrdiff_t const found = reader.find_runs(j, j + width < j1 ? j + width : j1, runs);
          reader.gather(k0, k1, runs, found, panel, width);
        }
        for (std::ptrdiff_t i0 = 0; i0 < rows; i0 += gemm_rows) {
          std::ptrdiff_t const m = rows - i0 < gemm_rows ? rows - i0 : gemm_rows;
          left_rows<T> left{w[group].data() + i0 * depth + k0, depth, 1, M * depth};
          if (pack_w) left = pack_rows<D>(left, m, k1 - k0, line, packed);
          panel = gathered;
          for (std::ptrdiff_t j = j0; j < j1; j += width, panel += deepest * width) {
            std::ptrdiff_t const columns = j1 - j < width ? j1 - j : width;
            rows_kernel<D, T>(columns)(m, k1 - k0, left, panel, width, c + i0 * ldc + (j - j0), ldc, columns,
                                       (direct && y.add) || k0 > 0);
          }
        }
      }
      if (direct) continue;
      for (std::ptrdiff_t j = j0; j < j1;) {  // image by image, row by row where they do not follow one another
        std::ptrdiff_t const p = j % pixels.size(), left = flat ? pixels.size() - p : pixels[1] - p % pixels[1];
        std::ptrdiff_t const some = left < j1 - j ? left : j1 - j, step = result.stride(3);
        T* to = &result(j / pixels.size(), 0, p / pixels[1], p % pixels[1]);
        T const* from = tile + (j - j0);
        for (std::ptrdiff_t o = 0; o < rows; ++o, to += result.stride(1), from += ldc)
          for (std::ptrdiff_t i = 0; i < some; ++i) to[i * step] = y.add ? to[i * step] + from[i] : from[i];
        j += some;
      }
    }
  });
}

// dw (G R, C, kh, kw) from x and dy. Its transpose is computed: taps are the rows, which pixels of x are gathered for, and
// dy, packed once, the right operand.
template <class D, class T>
void correlate_weights(sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy, conv_geometry const& g) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t M = L::rows, cache_line = static_cast<std::ptrdiff_t>(64 / sizeof(T));
  conv_taps const taps{dw.to.extent(1), dw.to.extent(2), dw.to.extent(3)};
  if constexpr (L::width > 1)
    if (takes_depthwise<D, T>(taps, g)) return correlate_plane_weights<D, T>(dw, x, dy, g);
  shape<2> const pixels{{dy.extent(2), dy.extent(3)}};
  std::ptrdiff_t const columns = dy.extent(1) / g.groups, rows = taps.count(), images = x.extent(0);
  std::ptrdiff_t const strip = images_of_strip(images, pixels.size()), depth = strip * pixels.size();
  std::ptrdiff_t const strips = (images + strip - 1) / strip;
  conv_reader<D, T> const layout(taps, g, pixels, x);
  std::ptrdiff_t const width = panel_width<D, T>(columns), panels = (columns + width - 1) / width;
  std::ptrdiff_t const packed_strip = panels * width * depth;
  bool const small = images * g.groups * rows * columns * pixels.size() < (1 << 20);

  tensor<T, 4, D> flat;  // dy with the pixels of a channel one after another
  if (!(dy.stride(3) == 1 && (dy.stride(2) == pixels[1] || pixels[0] == 1))) flat = tensor<T, 4, D>(dy);
  view<T const, 4, D> const from = flat.size() > 0 ? as_view(flat) : dy;
  tensor<T, 1, D> packed(shape<1>{{strips * g.groups * packed_strip}}, uninitialized);
  std::ptrdiff_t const packs = images * g.groups;
  parallel_for(packs, small ? packs : 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t at = begin; at < end; ++at) {
      std::ptrdiff_t const n = at / g.groups, group = at % g.groups;
      view<T const, 2, D> const right(from[n].data() + group * columns * from.stride(1),
                                      shape<2>{{pixels.size(), columns}}, shape<2>{{1, from.stride(1)}});
      T* const to = packed.data() + (n / strip * g.groups + group) * packed_strip + n % strip * pixels.size() * width;
      for (std::ptrdiff_t p = 0; p < panels; ++p) pack_panel<D, T>(right, p * width, width, to + p * depth * width);
    }
  });

  std::ptrdiff_t const blocks = (rows + gemm_rows - 1) / gemm_rows, items = blocks * g.groups;
  std::ptrdiff_t const line = gemm_depth + cache_line, each = taps.rows * taps.columns;
  std::ptrdiff_t const image_room = layout.room(strip, gemm_rows / each + 2),
                       left_room = gemm_rows * line + layout.slack;
  auto const make = [&] {
    return tensor<T, 1, D>(shape<1>{{image_room + left_room + gemm_rows * columns}}, uninitialized);
  };
  parallel_for(items, small ? items : 1, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    T* const copied = room.data();
    T* const gathered = copied + image_room;
    T* const sums = gathered + left_room;
    for (std::ptrdiff_t item = begin; item < end; ++item) {
      std::ptrdiff_t const group = item / blocks, i0 = item % blocks * gemm_rows,
                           i1 = i0 + gemm_rows < rows ? i0 + gemm_rows : rows;
      std::ptrdiff_t const c0 = i0 / each, c1 = (i1 + each - 1) / each, first = group * taps.channels;
      for (std::ptrdiff_t s = 0; s < strips; ++s) {
        std::ptrdiff_t const after = (s + 1) * strip < images ? (s + 1) * strip : images;
        std::ptrdiff_t const count = (after - s * strip) * pixels.size();
        reader.read(x.slice(0, s * strip, after).slice(1, first + c0, first + c1), copied);
        T const* const right = packed.data() + (s * g.groups + group) * packed_strip;
        for (std::ptrdiff_t k0 = 0; k0 < count; k0 += gemm_depth) {
          std::ptrdiff_t const k1 = k0 + gemm_depth < count ? k0 + gemm_depth : count;
          pixel_run runs[gemm_depth];
          std::ptrdiff_t const found = reader.find_runs(k0, k1, runs);
          reader.gather(i0 - c0 * each, i1 - c0 * each, runs, found, gathered, line);
          for (std::ptrdiff_t p = 0; p < panels; ++p) {
            std::ptrdiff_t const some = columns - p * width < width ? columns - p * width : width;
            rows_kernel<D, T>(some)(i1 - i0, k1 - k0, left_rows<T>{gathered, line, 1, M * line},
                                    right + (p * depth + k0) * width, width, sums + p * width, columns, some,
                                    s > 0 || k0 > 0);
          }
        }
      }
      for (std::ptrdiff_t o = 0; o < columns; ++o)
        for (std::ptrdiff_t k = i0; k < i1; ++k) {
          T& to = dw.to(group * columns + o, k / each, k / taps.columns % taps.rows, k % taps.columns);
          T const v = sums[(k - i0) * columns + o];
          to = dw.add ? to + v : v;
        }
    }
  });
}

}  // namespace detail

LIMBIC_END
// ---- limbic/kernels/conv_unfolded.hpp ----------------------------------------------------------------------------
// limbic/kernels/conv_unfolded.hpp - correlation on devices other than a CPU: x unfolded, and the verbs

LIMBIC_BEGIN

namespace detail {

// The pixels that each tap meets: a view (N, C, kh, kw, P, Q) of one group of an image with its padding.
template <class T, class D>
view<T, 6, D> tap_windows(view<T, 4, D> const& x, conv_geometry const& g, shape<2> const& kernel,
                          shape<2> const& pixels) {
  return {x.data(), shape<6>{{x.extent(0), x.extent(1), kernel[0], kernel[1], pixels[0], pixels[1]}},
          shape<6>{{x.stride(0), x.stride(1), g.dilation[0] * x.stride(2), g.dilation[1] * x.stride(3),
                    g.stride[0] * x.stride(2), g.stride[1] * x.stride(3)}}};
}
template <class D, class T> class unfolded_conv {
 public:
  unfolded_conv(D d, shape<4> const& x, shape<4> const& w, shape<4> const& y, conv_geometry const& g)
      : d_(d),
        g_(g),
        kernel_{{w[2], w[3]}},
        pixels_{{y[2], y[3]}},
        images_(x[0]),
        channels_(w[1]),
        rows_(w[0] / g.groups) {
    for (int i = 0; i < 2; ++i) {
      std::ptrdiff_t const reach = g.stride[i] * (pixels_[i] - 1) + g.dilation[i] * (kernel_[i] - 1) + 1;
      inside_[i] = overlap_of(g.padding[i], x[2 + i], reach);
      reach_[2 + i] = reach;
    }
    reach_[0] = images_;
    reach_[1] = channels_;
  }
  // (N, taps, pixels) of one group.
  tensor<T, 3, D> unfold(view<T const, 4, D> x, std::ptrdiff_t group) const {
    tensor<T, 4, D> padded(reach_);
    fill(d_, padded.view(), T(0));
    copy(d_, inside(padded.view(), true), inside(of_group(x, group, channels_), false));
    view<T const, 6, D> const windows = tap_windows(padded.view(), g_, kernel_, pixels_);
    tensor<T, 3, D> taps(shape<3>{{images_, channels_ * kernel_.size(), pixels_.size()}}, uninitialized);
    copy(d_, taps.view().reshape(windows.shape()), windows);
    return taps;
  }
  // What each tap brings (N, taps, pixels), added up where it came from.
  void fold(sink<T, 4, D> x, tensor<T, 3, D> const& taps, std::ptrdiff_t group) const {
    tensor<T, 4, D> padded(reach_);
    fill(d_, padded.view(), T(0));
    auto const to = tap_windows(padded.view(), g_, kernel_, pixels_);
    auto const from = as_view(taps).reshape(to.shape());
    for (std::ptrdiff_t i = 0; i < kernel_[0]; ++i)
      for (std::ptrdiff_t j = 0; j < kernel_[1]; ++j)
        copy(d_, sink<T, 6, D>(to.slice(2, i, i + 1).slice(3, j, j + 1), true),
             from.slice(2, i, i + 1).slice(3, j, j + 1));
    view<T, 4, D> const mine = of_group(x.to, group, channels_);
    if (!x.add) fill(d_, mine, T(0));
    copy(d_, sink<T, 4, D>(inside(mine, false), x.add), inside(as_view(padded), true));
  }
  // y or dy: (N, R, pixels) of one group, contiguous.
  tensor<T, 3, D> results(view<T const, 4, D> y, std::ptrdiff_t group) const {
    view<T const, 4, D> const mine = of_group(y, group, rows_);
    tensor<T, 3, D> out(shape<3>{{images_, rows_, pixels_.size()}}, uninitialized);
    copy(d_, out.view().reshape(mine.shape()), mine);
    return out;
  }
  // w: (R, taps) of one group, contiguous.
  tensor<T, 2, D> weights(view<T const, 4, D> w, std::ptrdiff_t group) const {
    view<T const, 4, D> const mine = w.slice(0, group * rows_, (group + 1) * rows_);
    tensor<T, 2, D> out(shape<2>{{rows_, channels_ * kernel_.size()}}, uninitialized);
    copy(d_, out.view().reshape(mine.shape()), mine);
    return out;
  }
  void put_results(sink<T, 4, D> y, tensor<T, 3, D> const& from, std::ptrdiff_t group) const {
    view<T, 4, D> const to = of_group(y.to, group, rows_);
    copy(d_, sink<T, 4, D>(to, y.add), as_view(from).reshape(to.shape()));
  }

 private:
  template <class V> V of_group(V const& v, std::ptrdiff_t group, std::ptrdiff_t channels) const {
    return v.slice(1, group * channels, (group + 1) * channels);
  }
  template <class V> V inside(V v, bool of_padded) const {
    for (int i = 0; i < 2; ++i) {
      std::ptrdiff_t const begin = of_padded ? inside_[i].at : inside_[i].from;
      v = v.slice(2 + i, begin, begin + inside_[i].count);
    }
    return v;
  }

  D d_;
  conv_geometry g_;
  shape<2> kernel_, pixels_;
  std::ptrdiff_t images_, channels_, rows_;
  shape<4> reach_;
  overlap inside_[2];
};

}  // namespace detail

LIMBIC_END
// ---- limbic/kernels/winograd.hpp ---------------------------------------------------------------------------------
// limbic/kernels/winograd.hpp - 3 x 3 kernels with a quarter of the multiplications
//
//   y = A^T [ (G w G^T) . (B^T x B) ] A       for each tile of 4 x 4 results, from 6 x 6 elements of x
//   w' = G^T [ (A y' A^T) . (B^T x B) ] G
//
// Winograd's minimal filtering F(4 x 4, 3 x 3) with the nodes 0, 1, -1, 2, -2 and infinity (Lavin and Gray 2016, "Fast
// algorithms for convolutional neural networks", arXiv:1509.09308). Over many channels the products of the 36 places are 36
// matrix products. Tiles of a strip of images lie with their channels one after another, so that a pack holds the same
// place of neighbouring channels. In float the root mean square of the error is 1 to 2.5e-6 of the result's (of the plain
// sum: 2e-7), the largest below 1e-5 of the largest result.
//
// conv (conv.hpp) takes this way where it pays: strides and dilations of 1, one group, 32 channels and more on both
// sides, 512 pixels and more in all (transforming the kernel costs as much as some 400), plain numbers, SIMD.

LIMBIC_BEGIN

namespace detail {

inline constexpr std::ptrdiff_t winograd_tile = 4, winograd_patch = 6, winograd_places = 36;

// The one-dimensional transforms; the others are their transposes and products.
template <class V> LIMBIC_INLINE void winograd_b(V const* d, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // B^T
  V const two = V(2), four = V(4), five = V(5);
  V const d1 = d[s], d2 = d[2 * s], d3 = d[3 * s], d4 = d[4 * s];
  V const even = d4 - four * d2, odd = d3 - four * d1, near = d4 - d2, far = two * (d3 - d1);
  o[0] = four * d[0] - five * d2 + d4;
  o[t] = even + odd;
  o[2 * t] = even - odd;
  o[3 * t] = near + far;
  o[4 * t] = near - far;
  o[5 * t] = four * d1 - five * d3 + d[5 * s];
}
template <class V> LIMBIC_INLINE void winograd_a(V const* m, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // A^T
  V const sum = m[s] + m[2 * s], less = m[s] - m[2 * s], sum2 = m[3 * s] + m[4 * s], less2 = m[3 * s] - m[4 * s];
  o[0] = m[0] + sum + sum2;
  o[t] = less + V(2) * less2;
  o[2 * t] = sum + V(4) * sum2;
  o[3 * t] = less + V(8) * less2 + m[5 * s];
}
template <class V> LIMBIC_INLINE void winograd_a_back(V const* y, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // A
  V const even = y[0] + y[2 * s], odd = y[s] + y[3 * s];
  V const even2 = y[0] + V(4) * y[2 * s], odd2 = V(2) * y[s] + V(8) * y[3 * s];
  o[0] = y[0];
  o[t] = even + odd;
  o[2 * t] = even - odd;
  o[3 * t] = even2 + odd2;
  o[4 * t] = even2 - odd2;
  o[5 * t] = y[3 * s];
}
template <class T, class V> LIMBIC_INLINE void winograd_g(V const* g, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // G
  V const sixth = V(T(1) / 6), outer = sixth * (g[0] + g[2 * s]), inner = sixth * g[s];
  V const outer2 = V(T(1) / 24) * g[0] + sixth * g[2 * s], inner2 = V(T(1) / 12) * g[s];
  o[0] = V(T(0.25)) * g[0];
  o[t] = -outer - inner;
  o[2 * t] = inner - outer;
  o[3 * t] = outer2 + inner2;
  o[4 * t] = outer2 - inner2;
  o[5 * t] = g[2 * s];
}
template <class T, class V>
LIMBIC_INLINE void winograd_g_back(V const* u, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // G^T
  V const sixth = V(T(1) / 6), sum = u[s] + u[2 * s], less = u[s] - u[2 * s], sum2 = u[3 * s] + u[4 * s],
          less2 = u[3 * s] - u[4 * s];
  o[0] = V(T(0.25)) * u[0] - sixth * sum + V(T(1) / 24) * sum2;
  o[t] = V(T(1) / 12) * less2 - sixth * less;
  o[2 * t] = sixth * (sum2 - sum) + u[5 * s];
}

template <class D, class T> class winograd {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;

 public:
  static bool pays(shape<4> const& x, shape<4> const& y) {
    return x[1] >= 32 && y[1] >= 32 && y[2] >= 3 && y[3] >= 3 && x[0] * y[2] * y[3] >= 512;
  }

  // For x (N, in, H, W), y (N, out, P, Q) and the zeros before the first row and column of x.
  winograd(shape<4> const& x, shape<4> const& y, shape<2> const& padding)
      : images_(x[0]), in_(x[1]), out_(y[1]), in_room_(whole(x[1])), out_room_(whole(y[1])), padding_(padding) {
    for (int i = 0; i < 2; ++i) {
      tiles_[i] = (y[2 + i] + winograd_tile - 1) / winograd_tile;
      pixels_[i] = y[2 + i];
      extent_[i] = x[2 + i];
    }
  }

  // y (+)= x correlated with w, a view (3, 3, in, out); `turned` takes the kernel from its last tap to its first.
  void correlate(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 4, D> w, bool turned) const {
    tensor<T, 3, D> const u = kernel_places(w, turned);
    std::ptrdiff_t const each = packed_matrix<T, D>::packed_size(shape<2>{{in_, out_}});
    tensor<T, 1, D> packed(shape<1>{{winograd_places * each}}, uninitialized);
    packed_matrix<T, D> right[winograd_places];
    for (std::ptrdiff_t p = 0; p < winograd_places; ++p)
      right[p] = packed_matrix<T, D>(place(as_view(u), p, in_, out_), packed.data() + p * each);

    std::ptrdiff_t const strip = images_of(128), strips = (images_ + strip - 1) / strip;
    struct room {
      tensor<T, 3, D> image, result, v, m;
      tensor<T, 1, D> rows;
    };
    auto const make = [&] {
      return room{patches(in_room_, winograd_patch - winograd_tile), patches(out_room_, 0), places(strip, in_room_),
                  places(strip, out_room_), tensor<T, 1, D>(shape<1>{{left_room<T>(in_)}}, uninitialized)};
    };
    parallel_for(strips, 1, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, room& its) {
      auto& [image, result, v, m, rows] = its;
      for (std::ptrdiff_t s = begin; s < end; ++s) {
        std::ptrdiff_t const first = s * strip, count = images_ - first < strip ? images_ - first : strip;
        std::ptrdiff_t const tiles = count * tiles_.size();
        for (std::ptrdiff_t n = 0; n < count; ++n) read(image, v, x[first + n], n);
        for (std::ptrdiff_t p = 0; p < winograd_places; ++p)
          gemm(D{}, sink<T, 2, D>(place(m.view(), p, tiles, out_)), place(as_view(v), p, tiles, in_), right[p],
               rows.data());
        for (std::ptrdiff_t n = 0; n < count; ++n) {
          for_each_tile(m, result, winograd_tile, n,
                        [](T* at, std::ptrdiff_t apart, T* tile, std::ptrdiff_t row, std::ptrdiff_t column) {
                          V in[6][6], half[4][6], out[4][4];
                          for (int i = 0; i < 36; ++i) in[i / 6][i % 6] = L::load(at + i * apart);
                          for (int j = 0; j < 6; ++j) winograd_a(&in[0][j], 6, &half[0][j], 6);
                          for (int i = 0; i < 4; ++i) winograd_a(&half[i][0], 1, &out[i][0], 1);
                          for (int i = 0; i < 16; ++i) L::store(tile + i / 4 * row + i % 4 * column, out[i / 4][i % 4]);
                        });
          view<T const, 3, D> const inner =
              as_view(result).slice(0, 0, pixels_[0]).slice(1, 0, pixels_[1]).slice(2, 0, out_);
          copy(D{}, sink<T, 3, D>(y.to[first + n], y.add), inner.permute({{2, 0, 1}}));
        }
      }
    });
  }

  // dw (out, in, 3, 3) (+)= the gradient for x and dy.
  void weight_gradient(sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy) const {
    std::ptrdiff_t const strip = images_of(512), strips = (images_ + strip - 1) / strip;
    tensor<T, 3, D> v = places(strip, in_room_), z = places(strip, out_room_);
    tensor<T, 3, D> du(shape<3>{{winograd_places, out_, in_room_}}, uninitialized);
    for (std::ptrdiff_t s = 0; s < strips; ++s) {
      std::ptrdiff_t const first = s * strip, count = images_ - first < strip ? images_ - first : strip;
      std::ptrdiff_t const tiles = count * tiles_.size();
      struct room {
        tensor<T, 3, D> image, gradient;
      };
      auto const make = [&] { return room{patches(in_room_, winograd_patch - winograd_tile), patches(out_room_, 0)}; };
      parallel_for(count, 4, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, room& its) {
        auto& [image, gradient] = its;
        for (std::ptrdiff_t n = begin; n < end; ++n) {
          read(image, v, x[first + n], n);
          copy(D{}, gradient.view().slice(0, 0, pixels_[0]).slice(1, 0, pixels_[1]).slice(2, 0, out_),
               dy[first + n].permute({{1, 2, 0}}));
          for_each_tile(z, gradient, winograd_tile, n,
                        [](T* at, std::ptrdiff_t apart, T const* tile, std::ptrdiff_t row, std::ptrdiff_t column) {
                          V in[4][4], half[6][4], out[6][6];
                          for (int i = 0; i < 16; ++i) in[i / 4][i % 4] = L::load(tile + i / 4 * row + i % 4 * column);
                          for (int j = 0; j < 4; ++j) winograd_a_back(&in[0][j], 4, &half[0][j], 4);
                          for (int i = 0; i < 6; ++i) winograd_a_back(&half[i][0], 1, &out[i][0], 1);
                          for (int i = 0; i < 36; ++i) L::store(at + i * apart, out[i / 6][i % 6]);
                        });
        }
      });
      auto const workspace = [&] {
        return tensor<T, 1, D>(shape<1>{{gemm_workspace<D, T>({{out_, tiles}}, {{tiles, in_}})}}, uninitialized);
      };
      parallel_for(winograd_places, 1, workspace, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& its) {
        for (std::ptrdiff_t p = begin; p < end; ++p)
          gemm(D{}, sink<T, 2, D>(du.view()[p].slice(1, 0, in_), s > 0), place(as_view(z), p, tiles, out_).transpose(),
               place(as_view(v), p, tiles, in_), its.data());
      });
    }
    tensor<T, 4, D> taps(shape<4>{{3, 3, out_, in_room_}}, uninitialized);
    std::ptrdiff_t const apart = out_ * in_room_;
    parallel_for(out_, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin * in_room_; i < end * in_room_; i += L::width) {
        V in[6][6], half[3][6], out[3][3];
        for (int k = 0; k < 36; ++k) in[k / 6][k % 6] = L::load(du.data() + k * apart + i);
        for (int j = 0; j < 6; ++j) winograd_g_back<T>(&in[0][j], 6, &half[0][j], 6);
        for (int k = 0; k < 3; ++k) winograd_g_back<T>(&half[k][0], 1, &out[k][0], 1);
        for (int k = 0; k < 9; ++k) L::store(taps.data() + k * apart + i, out[k / 3][k % 3]);
      }
    });
    copy(D{}, dw, as_view(taps).slice(3, 0, in_).permute({{2, 3, 0, 1}}));
  }

 private:
  static std::ptrdiff_t whole(std::ptrdiff_t channels) { return (channels + L::width - 1) / L::width * L::width; }
  // As many images as have so many tiles.
  std::ptrdiff_t images_of(std::ptrdiff_t tiles) const {
    std::ptrdiff_t const some = (tiles + tiles_.size() - 1) / tiles_.size();
    return some < images_ ? some : images_;
  }
  // The tiles of one image, channels last, and `more` rows and columns; zeros where nothing is written.
  tensor<T, 3, D> patches(std::ptrdiff_t room, std::ptrdiff_t more) const {
    return tensor<T, 3, D>(shape<3>{{winograd_tile * tiles_[0] + more, winograd_tile * tiles_[1] + more, room}}, T(0));
  }
  // The 36 places of each tile of some images.
  tensor<T, 3, D> places(std::ptrdiff_t images, std::ptrdiff_t room) const {
    return tensor<T, 3, D>(shape<3>{{winograd_places, images * tiles_.size(), room}}, uninitialized);
  }
  template <class U>
  static view<U, 2, D> place(view<U, 3, D> const& all, std::ptrdiff_t p, std::ptrdiff_t rows, std::ptrdiff_t columns) {
    return all[p].slice(0, 0, rows).slice(1, 0, columns);
  }
  // f(place 0 of a tile and pack of channels, elements between places, the tile in `image`, its rows' and columns' strides)
  template <class F>
  void for_each_tile(tensor<T, 3, D>& all, tensor<T, 3, D>& image, std::ptrdiff_t step, std::ptrdiff_t n,
                     F const& f) const {
    std::ptrdiff_t const apart = all.extent(1) * all.extent(2), column = image.extent(2),
                         row = image.extent(1) * column;
    T* to = all.data() + n * tiles_.size() * column;
    for (std::ptrdiff_t i = 0; i < tiles_[0]; ++i)
      for (std::ptrdiff_t j = 0; j < tiles_[1]; ++j, to += column)
        for (std::ptrdiff_t c = 0; c < column; c += L::width)
          f(to + c, apart, image.data() + step * (i * row + j * column) + c, row, column);
  }
  // B^T x B of all tiles of the n-th image of a strip, x (in, H, W).
  void read(tensor<T, 3, D>& image, tensor<T, 3, D>& v, view<T const, 3, D> x, std::ptrdiff_t n) const {
    view<T, 3, D> to = image.view().slice(2, 0, in_);
    view<T const, 3, D> from = x.permute({{1, 2, 0}});
    for (int a = 0; a < 2; ++a) {
      overlap const o = overlap_of(padding_[a], extent_[a], to.extent(a));
      to = to.slice(a, o.at, o.at + o.count);
      from = from.slice(a, o.from, o.from + o.count);
    }
    copy(D{}, to, from);
    for_each_tile(v, image, winograd_tile, n,
                  [](T* at, std::ptrdiff_t apart, T const* tile, std::ptrdiff_t row, std::ptrdiff_t column) {
                    V in[6][6], half[6][6], out[6][6];
                    for (int i = 0; i < 36; ++i) in[i / 6][i % 6] = L::load(tile + i / 6 * row + i % 6 * column);
                    for (int j = 0; j < 6; ++j) winograd_b(&in[0][j], 6, &half[0][j], 6);
                    for (int i = 0; i < 6; ++i) winograd_b(&half[i][0], 1, &out[i][0], 1);
                    for (int i = 0; i < 36; ++i) L::store(at + i * apart, out[i / 6][i % 6]);
                  });
  }
  // G w G^T: (36, in, out).
  tensor<T, 3, D> kernel_places(view<T const, 4, D> w, bool turned) const {
    tensor<T, 4, D> taps(shape<4>{{3, 3, in_, out_room_}}, T(0));
    copy(D{}, taps.view().slice(3, 0, out_), w);
    tensor<T, 3, D> u(shape<3>{{winograd_places, in_, out_room_}}, uninitialized);
    std::ptrdiff_t const apart = in_ * out_room_;
    parallel_for(in_, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin * out_room_; i < end * out_room_; i += L::width) {
        V in[3][3], half[6][3], out[6][6];
        for (int k = 0; k < 9; ++k) in[k / 3][k % 3] = L::load(taps.data() + (turned ? 8 - k : k) * apart + i);
        for (int j = 0; j < 3; ++j) winograd_g<T>(&in[0][j], 3, &half[0][j], 3);
        for (int k = 0; k < 6; ++k) winograd_g<T>(&half[k][0], 1, &out[k][0], 1);
        for (int k = 0; k < 36; ++k) L::store(u.data() + k * apart + i, out[k / 6][k % 6]);
      }
    });
    return u;
  }

  std::ptrdiff_t images_, in_, out_, in_room_, out_room_;  // rooms: channels in whole packs
  shape<2> padding_, tiles_, pixels_, extent_;
};

}  // namespace detail

LIMBIC_END
// ---- limbic/kernels/conv.hpp -------------------------------------------------------------------------------------
// limbic/kernels/conv.hpp - images correlated with small kernels, and the two transposes of that, without an unfolded copy
//
//   y[n, o, p, q] = sum over c, i, j of  w[o, c, i, j] x[n, g C + c, s p + d i - a, s q + d j - a]      zeros beyond x
//
//   conv(D, y, x, w, geometry)                   the sum above
//   conv_input_gradient(D, dx, dy, w, geometry)  its transpose in x: dx from dy (also what a transposed convolution computes)
//   conv_weight_gradient(D, dw, x, dy, geometry) its transpose in w
//
// x (N, G C, H, W), w (O, C, kh, kw), y (N, O, P, Q); output channel o belongs to group g = o / (O / G); s, d and a are
// stride, dilation and padding of an axis. How many zeros follow at the far ends is what P and Q say. Results are sinks;
// operands may have any strides.
//
// On a CPU each is a matrix product whose right operand is never there as a whole: a tile of pixels, of several images where
// they are small, is gathered, 128 taps at a time, straight into the panels that gemm's micro-kernel reads (Chetlur et al. 2014, "cuDNN: efficient primitives for
// deep learning", did so on GPUs). The gradient of the input is the same product with the kernel turned round; with a
// stride, one product for each residue of the pixels modulo the stride, with the taps that meet it. Every element is
// one chain of multiply-adds in the order of (c, i, j) (weights: of the images and pixels) in blocks of 128, so its bits
// do not depend on the threads. Kernels of 3 x 3 between many channels take the shorter way of winograd.hpp; where a group has
// one channel, packs of neighbouring results are computed where they stand. Other devices unfold x and go through the verbs.

#include <numeric>

LIMBIC_BEGIN

namespace detail {

template <class X, class W, class Y>
void check_conv(std::string_view name, X const& x, W const& w, Y const& y, conv_geometry const& g) {
  for (int i = 0; i < 2; ++i)
    if (g.stride[i] < 1 || g.dilation[i] < 1 || w[2 + i] < 1)
      fail<argument_error>(name, "stride ", g.stride, ", dilation ", g.dilation, " and kernel ", w,
                           " must be at least 1");
  if (g.groups < 1 || w[1] < 1 || x[1] != g.groups * w[1] || w[0] % g.groups != 0)
    fail<shape_error>(name, "x ", x, " and weight ", w, " do not fit ", g.groups, " groups");
  if (y[0] != x[0] || y[1] != w[0])
    fail<shape_error>(name, "y ", y, " must have the images of x ", x, " and the rows of the weight ", w);
}

// The taps of one axis that meet the pixels of one residue modulo the stride: i = first + m step, m = 0 .. count - 1. From
// the last to the first they are a kernel of their own, with its own dilation and padding.
struct phase_taps {
  std::ptrdiff_t first = 0, step = 1, count = 0, dilation = 1, padding = 0;
};
inline phase_taps taps_of_phase(std::ptrdiff_t phase, std::ptrdiff_t stride, std::ptrdiff_t dilation,
                                std::ptrdiff_t padding, std::ptrdiff_t kernel) {
  std::ptrdiff_t const common = std::gcd(stride, dilation);
  phase_taps t{.step = stride / common, .dilation = dilation / common};
  while (t.first < t.step && (phase + padding - dilation * t.first) % stride != 0) ++t.first;
  if (t.first == t.step || t.first >= kernel) return t;
  t.count = (kernel - t.first + t.step - 1) / t.step;
  t.padding = (t.count - 1) * t.dilation - (phase + padding - dilation * t.first) / stride;
  return t;
}

// Whether the shorter way is there: for packs of plain numbers.
template <class D, class T> inline constexpr bool has_winograd = !is_dual<T> && kernel_lanes<D, T>::width > 1;
// Whether it is open: a plain 3 x 3 kernel, many channels.
template <class D, class T>
bool takes_winograd(shape<4> const& x, shape<4> const& w, shape<4> const& y, conv_geometry const& g) {
  return w[2] == 3 && w[3] == 3 && g.groups == 1 && g.stride.size() == 1 && g.dilation.size() == 1 &&
         winograd<D, T>::pays(x, y);
}

}  // namespace detail

template <class D, class T>
void conv(D d, sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 4, D> w, conv_geometry const& g = {}) {
  if (!y) return;
  detail::check_conv("conv", x.shape(), w.shape(), y.shape(), g);
  if (y.shape().size() == 0) return;
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(x.shape(), w.shape(), y.shape(), g))
        return detail::winograd<D, T>(x.shape(), y.shape(), g.padding)
            .correlate(y, x, w.permute({{2, 3, 1, 0}}), false);
    tensor<T, 4, D> copied;
    if (!w.is_contiguous()) copied = tensor<T, 4, D>(w);
    view<T const, 4, D> const own = w.is_contiguous() ? w : as_view(copied);
    detail::conv_taps const taps{w.extent(1), w.extent(2), w.extent(3)};
    detail::correlate<D, T>(y, x, own.reshape(shape<3>{{g.groups, w.extent(0) / g.groups, taps.count()}}), taps, g);
  } else {
    detail::unfolded_conv<D, T> const by(d, x.shape(), w.shape(), y.shape(), g);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 3, D> const taps = by.unfold(x, group);
      tensor<T, 2, D> const weights = by.weights(w, group);
      tensor<T, 3, D> result(shape<3>{{x.extent(0), weights.extent(0), taps.extent(2)}}, uninitialized);
      gemm(d, as_sink(result), as_view(weights).unsqueeze(0), as_view(taps));
      by.put_results(y, result, group);
    }
  }
}

template <class D, class T>
void conv_input_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> w,
                         conv_geometry const& g = {}) {
  if (!dx) return;
  detail::check_conv("conv_input_gradient", dx.shape(), w.shape(), dy.shape(), g);
  if (dx.shape().size() == 0) return;
  if (dy.size() == 0) {
    if (!dx.add) fill(d, dx.to, T(0));
    return;
  }
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(dy.shape(), w.shape(), dx.shape(), g))
        return detail::winograd<D, T>(dy.shape(), dx.shape(), shape<2>{{2 - g.padding[0], 2 - g.padding[1]}})
            .correlate(dx, dy, w.permute({{2, 3, 0, 1}}), true);
    std::ptrdiff_t const rows = w.extent(1), channels = w.extent(0) / g.groups;
    for (std::ptrdiff_t y = 0; y < g.stride[0] && y < dx.shape()[2]; ++y)
      for (std::ptrdiff_t x = 0; x < g.stride[1] && x < dx.shape()[3]; ++x) {
        auto const v = detail::taps_of_phase(y, g.stride[0], g.dilation[0], g.padding[0], w.extent(2));
        auto const h = detail::taps_of_phase(x, g.stride[1], g.dilation[1], g.padding[1], w.extent(3));
        view<T, 4, D> const to = dx.to.slice(2, y, dx.shape()[2], g.stride[0]).slice(3, x, dx.shape()[3], g.stride[1]);
        if (v.count == 0 || h.count == 0) {
          if (!dx.add) fill(d, to, T(0));
          continue;
        }
        // The kernel turned round, from output to input channels.
        detail::conv_taps const taps{channels, v.count, h.count};
        tensor<T, 3, D> turned(shape<3>{{g.groups, rows, taps.count()}}, uninitialized);
        T* at = turned.data();
        for (std::ptrdiff_t group = 0; group < g.groups; ++group)
          for (std::ptrdiff_t r = 0; r < rows; ++r)
            for (std::ptrdiff_t c = 0; c < channels; ++c)
              for (std::ptrdiff_t i = v.count - 1; i >= 0; --i)
                for (std::ptrdiff_t j = h.count - 1; j >= 0; --j)
                  *at++ = w(group * channels + c, r, v.first + i * v.step, h.first + j * h.step);
        detail::correlate<D, T>(
            sink<T, 4, D>(to, dx.add), dy, as_view(turned), taps,
            {.padding = {{v.padding, h.padding}}, .dilation = {{v.dilation, h.dilation}}, .groups = g.groups});
      }
  } else {
    detail::unfolded_conv<D, T> const by(d, dx.shape(), w.shape(), dy.shape(), g);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 2, D> const weights = by.weights(w, group);
      tensor<T, 3, D> const results = by.results(dy, group);
      tensor<T, 3, D> taps(shape<3>{{dx.shape()[0], weights.extent(1), results.extent(2)}}, uninitialized);
      gemm(d, as_sink(taps), as_view(weights).transpose().unsqueeze(0), as_view(results));
      by.fold(dx, taps, group);
    }
  }
}

template <class D, class T>
void conv_weight_gradient(D d, sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy,
                          conv_geometry const& g = {}) {
  if (!dw) return;
  detail::check_conv("conv_weight_gradient", x.shape(), dw.shape(), dy.shape(), g);
  if (dw.shape().size() == 0) return;
  if (dy.size() == 0) {
    if (!dw.add) fill(d, dw.to, T(0));
    return;
  }
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(x.shape(), dw.shape(), dy.shape(), g))
        return detail::winograd<D, T>(x.shape(), dy.shape(), g.padding).weight_gradient(dw, x, dy);
    detail::correlate_weights<D, T>(dw, x, dy, g);
  } else {
    detail::unfolded_conv<D, T> const by(d, x.shape(), dw.shape(), dy.shape(), g);
    std::ptrdiff_t const rows = dw.shape()[0] / g.groups;
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 3, D> const taps = by.unfold(x, group), results = by.results(dy, group);
      tensor<T, 2, D> sum(shape<2>{{rows, taps.extent(1)}}, uninitialized);
      for (std::ptrdiff_t n = 0; n < x.extent(0); ++n)
        gemm(d, sink<T, 2, D>(sum.view(), n > 0), as_view(results)[n], as_view(taps)[n].transpose());
      view<T, 4, D> const to = dw.to.slice(0, group * rows, (group + 1) * rows);
      copy(d, sink<T, 4, D>(to, dw.add), as_view(sum).reshape(to.shape()));
    }
  }
}

LIMBIC_END
// ---- limbic/ops/per_axis.hpp -------------------------------------------------------------------------------------
// limbic/ops/per_axis.hpp - what ops of signals (N, C, L) and images (N, C, H, W) share: options for each axis
//
//   per_axis<2> const stride = 2;      // {2, 2}
//   {.kernel = {3, 5}}                 // rows, columns

#include <concepts>

LIMBIC_BEGIN

// One number for each of S axes: 2 stands for {2, 2}.
template <int S> struct per_axis {
  shape<S> of;  // the axes in their order
  template <std::integral I> constexpr per_axis(I all) {
    for (int i = 0; i < S; ++i) of[i] = static_cast<std::ptrdiff_t>(all);
  }
  constexpr per_axis(std::ptrdiff_t rows, std::ptrdiff_t columns)
    requires(S == 2)
      : of{{rows, columns}} {}
};

namespace detail {

// A signal (N, C, L) as images of one row.
template <class T, int R, class D> constexpr view<T, 4, D> as_images(view<T, R, D> const& v) {
  static_assert(R == 3 || R == 4);
  if constexpr (R == 4) return v;
  else return v.unsqueeze(2);
}
template <class T, int R, class D> constexpr sink<T, 4, D> as_images(sink<T, R, D> const& s) {
  return {as_images(s.to), s.add};
}

}  // namespace detail

LIMBIC_END
// ---- limbic/ops/conv.hpp -----------------------------------------------------------------------------------------
// limbic/ops/conv.hpp - convolution of signals and images, as networks have it: the kernel is not turned round
//
//   functional::conv2d(x, w, b)                                 x (N, C, H, W), w (O, C / groups, kh, kw), b (O) or none
//   functional::conv2d(x, w, {.stride = 2, .padding = {1, 2}})
//   functional::conv1d(x, w, b, {.padding = same_padding})              x (N, C, L),    w (O, C / groups, k)
//
//   y[n, o, p, q] = b[o] + sum over c, i, j of  w[o, c, i, j] x[n, g C' + c, s p + d i - a, s q + d j - a]
//
// with stride s, dilation d, padding a (zeros), and C' = C / groups channels for each of the groups, of which o is in number
// g. An axis of H becomes floor((H + 2 a - d (k - 1) - 1) / s) + 1. `same_padding` pads so that a stride of 1 keeps the extent; of an
// odd number of zeros the larger half comes last, as in PyTorch.
//
// adjoint  x', w' by the transposed sums (kernels/conv.hpp), b' += the sum of y' over images and positions
// errors   channels that do not fit, a kernel that is longer than the padded axis, `same_padding` with a stride
//
// Options and results are those of torch.nn.functional.conv1d and conv2d. The transposed one is in conv_transpose.hpp.

LIMBIC_BEGIN

// As padding: as many zeros as keep the extent.
inline constexpr std::ptrdiff_t same_padding = -1;

// How a kernel of S axes moves over a signal or an image.
template <int S> struct conv_options {
  per_axis<S> stride = 1, padding = 0, dilation = 1;  // padding: zeros at both ends, or `same_padding`
  std::ptrdiff_t groups = 1;                          // of channels that do not see one another
};

namespace detail {

// The geometry for images; what a signal does not have is a kernel of one row.
template <int S> conv_geometry image_geometry(conv_options<S> const& o, shape<S> const& padding) {
  conv_geometry g{.groups = o.groups};
  for (int i = 0; i < S; ++i) {
    g.stride[2 - S + i] = o.stride.of[i];
    g.padding[2 - S + i] = padding[i];
    g.dilation[2 - S + i] = o.dilation.of[i];
  }
  return g;
}

template <int S> void check_conv_options(std::string_view name, conv_options<S> const& o) {
  for (int i = 0; i < S; ++i) {
    if (o.stride.of[i] < 1 || o.dilation.of[i] < 1)
      fail<argument_error>(name, "stride and dilation must be at least 1, but are ", o.stride.of, " and ",
                           o.dilation.of);
    if (o.padding.of[i] < 0 && o.padding.of[i] != same_padding)
      fail<argument_error>(name, "padding must not be negative, but is ", o.padding.of);
    if (o.padding.of[i] == same_padding && o.stride.of[i] != 1)
      fail<argument_error>(name, "padding `same_padding` is for a stride of 1, but it is ", o.stride.of);
  }
  if (o.groups < 1) fail<argument_error>(name, "there must be at least one group, but groups is ", o.groups);
}

// y = b for each channel, to which a product is then added; nothing where there is no bias.
template <class D, class T, int R> void start_with_bias(D d, view<T, R, D> y, view<T const, 1, D> bias) {
  if (bias) copy(d, as_images(y), bias.unsqueeze(1).unsqueeze(2));
}
template <class D, class T, int R> void bias_gradient(D d, sink<T, 1, D> dbias, view<T const, R, D> dy) {
  if (dbias)
    spread_back(d, sink<T, 3, D>(dbias.to.unsqueeze(1).unsqueeze(2), dbias.add), identity_function{}, as_images(dy));
}

}  // namespace detail

template <int S> struct conv_op {
  static constexpr std::string_view name = S == 1 ? "conv1d" : "conv2d";
  static constexpr keep needs = keep::inputs(0, 1);
  conv_options<S> options;

  shape<S + 2> shape_of(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const& bias) const {
    detail::check_conv_options(name, options);
    if (x[1] != options.groups * w[1] || w[0] % options.groups != 0 || w[0] < 1 || w[1] < 1)
      fail<shape_error>(name, "a weight of shape ", w, " in ", options.groups, " groups does not fit x ", x,
                        ": expected (a multiple of the groups, channels / groups, kernel)");
    if (bias[0] != 0 && bias[0] != w[0])
      fail<shape_error>(name, "a bias of shape ", bias, " must have an element for each row of the weight ", w);
    shape<S + 2> y;
    y[0] = x[0];
    y[1] = w[0];
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const reach = options.dilation.of[i] * (w[2 + i] - 1) + 1;
      std::ptrdiff_t const padded =
          x[2 + i] + (options.padding.of[i] == same_padding ? reach - 1 : 2 * options.padding.of[i]);
      if (w[2 + i] < 1 || reach > padded)
        fail<shape_error>(name, "a kernel of shape ", w, " reaches over ", reach, " elements, the padded axis ", 2 + i,
                          " of x ", x, " has ", padded);
      y[2 + i] = (padded - reach) / options.stride.of[i] + 1;
    }
    return y;
  }
  // For each element of the result a product and a sum of every tap but the first, and the bias.
  double flops(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const& bias) const {
    double const taps = static_cast<double>(w.size()) / static_cast<double>(w[0]);
    return static_cast<double>(shape_of(x, w, bias).size()) * (2 * taps - (bias[0] > 0 ? 0 : 1));
  }
  template <class D, class T>
  void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x, view<T const, S + 2, D> w,
               view<T const, 1, D> bias) const {
    detail::start_with_bias(d, y, bias);
    conv(d, sink<T, 4, D>(detail::as_images(y), static_cast<bool>(bias)), detail::as_images(x), detail::as_images(w),
         geometry(w.shape()));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D> w, view<T const, 1, D>, view<T const, S + 2, D>,
               view<T const, S + 2, D> dy, sink<T, S + 2, D> dx, sink<T, S + 2, D> dw, sink<T, 1, D> dbias) const {
    conv_geometry const g = geometry(w.shape());
    if (dx) conv_input_gradient(d, detail::as_images(dx), detail::as_images(dy), detail::as_images(w), g);
    if (dw) conv_weight_gradient(d, detail::as_images(dw), detail::as_images(x), detail::as_images(dy), g);
    detail::bias_gradient(d, dbias, dy);
  }

 private:
  conv_geometry geometry(shape<S + 2> const& w) const {
    shape<S> padding = options.padding.of;
    for (int i = 0; i < S; ++i)
      if (padding[i] == same_padding) padding[i] = options.dilation.of[i] * (w[2 + i] - 1) / 2;
    return detail::image_geometry(options, padding);
  }
};

namespace detail {
template <int S, operand X, operand W, operand B> auto apply_conv(conv_options<S> const& o, X&& x, W&& w, B&& bias) {
  constexpr bool fit = rank_of<X> == S + 2 && rank_of<W> == S + 2 && rank_of<B> == 1;
  if constexpr (fit) return apply(conv_op<S>{o}, std::forward<X>(x), std::forward<W>(w), std::forward<B>(bias));
  else static_assert(fit, "limbic: conv1d takes x and weight of rank 3, conv2d of rank 4, and a bias of rank 1");
}
}  // namespace detail

namespace functional {

template <operand X, operand W, operand B> auto conv1d(X&& x, W&& weight, B&& bias, conv_options<1> const& o = {}) {
  return limbic::detail::apply_conv<1>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv1d(X&& x, W&& weight, conv_options<1> const& o = {}) {
  return limbic::detail::apply_conv<1>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}
template <operand X, operand W, operand B> auto conv2d(X&& x, W&& weight, B&& bias, conv_options<2> const& o = {}) {
  return limbic::detail::apply_conv<2>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv2d(X&& x, W&& weight, conv_options<2> const& o = {}) {
  return limbic::detail::apply_conv<2>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}

}  // namespace functional

LIMBIC_END
// ---- limbic/ops/conv_transpose.hpp -------------------------------------------------------------------------------
// limbic/ops/conv_transpose.hpp - transposed convolution: each element of x lays a scaled kernel into y
//
//   functional::conv_transpose2d(x, w, b, {.stride = 2})        x (N, C, H, W), w (C, O / groups, kh, kw), b (O) or none
//   functional::conv_transpose1d(x, w, b)                       x (N, C, L),    w (C, O / groups, k)
//
//   y[n, g O' + o, s p + d i - a, s q + d j - a] = b + the sum over c, i, j of  w[c, o, i, j] x[n, c, p, q]
//
// with stride s, dilation d, O' = O / groups; padding a leaves out so many positions of y at both ends, output_padding adds
// some at the far one. It is conv2d's gradient of the input, and conv2d its adjoint. An axis of H becomes
// (H - 1) s - 2 a + d (k - 1) + output_padding + 1.
//
// errors   channels that do not fit, a result without elements, output_padding not below stride or dilation
//
// Options and results are those of torch.nn.functional.conv_transpose1d and conv_transpose2d.

LIMBIC_BEGIN

// How a kernel of S axes is laid into a signal or an image.
template <int S> struct conv_transpose_options {
  per_axis<S> stride = 1, padding = 0, output_padding = 0, dilation = 1;  // positions of y
  std::ptrdiff_t groups = 1;                                              // of channels that do not see one another
};

template <int S> struct conv_transpose_op {
  static constexpr std::string_view name = S == 1 ? "conv_transpose1d" : "conv_transpose2d";
  static constexpr keep needs = keep::inputs(0, 1);
  conv_transpose_options<S> options;

  shape<S + 2> shape_of(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const& bias) const {
    detail::check_conv_options<S>(name, {options.stride, options.padding, options.dilation, options.groups});
    if (x[1] != w[0] || w[0] % options.groups != 0 || w[0] < 1 || w[1] < 1)
      fail<shape_error>(name, "a weight of shape ", w, " in ", options.groups, " groups does not fit x ", x,
                        ": expected (channels, output channels / groups, kernel)");
    shape<S + 2> y;
    y[0] = x[0];
    y[1] = w[1] * options.groups;
    if (bias[0] != 0 && bias[0] != y[1])
      fail<shape_error>(name, "a bias of shape ", bias, " must have an element for each of the ", y[1],
                        " output channels");
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const s = options.stride.of[i], d = options.dilation.of[i], more = options.output_padding.of[i];
      if (options.padding.of[i] < 0 || more < 0 || (more >= s && more >= d))
        fail<argument_error>(name, "output_padding ", options.output_padding.of, " must be less than stride ",
                             options.stride.of, " or dilation ", options.dilation.of, ", and padding ",
                             options.padding.of, " not negative");
      y[2 + i] = (x[2 + i] - 1) * s - 2 * options.padding.of[i] + d * (w[2 + i] - 1) + more + 1;
      if (w[2 + i] < 1 || x[2 + i] < 1 || y[2 + i] < 1)
        fail<shape_error>(name, "x ", x, " and a weight of shape ", w, " with padding ", options.padding.of,
                          " leave no element along axis ", 2 + i);
    }
    return y;
  }
  // Each element of x times a kernel, added to the result.
  double flops(shape<S + 2> const& x, shape<S + 2> const& w, shape<1> const&) const {
    return 2 * static_cast<double>(x.size()) * static_cast<double>(w.size()) / static_cast<double>(w[0]);
  }
  template <class D, class T>
  void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x, view<T const, S + 2, D> w,
               view<T const, 1, D> bias) const {
    detail::start_with_bias(d, y, bias);
    conv_input_gradient(d, sink<T, 4, D>(detail::as_images(y), static_cast<bool>(bias)), detail::as_images(x),
                        detail::as_images(w), geometry());
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D> w, view<T const, 1, D>, view<T const, S + 2, D>,
               view<T const, S + 2, D> dy, sink<T, S + 2, D> dx, sink<T, S + 2, D> dw, sink<T, 1, D> dbias) const {
    if (dx) conv(d, detail::as_images(dx), detail::as_images(dy), detail::as_images(w), geometry());
    if (dw) conv_weight_gradient(d, detail::as_images(dw), detail::as_images(dy), detail::as_images(x), geometry());
    detail::bias_gradient(d, dbias, dy);
  }

 private:
  conv_geometry geometry() const {
    return detail::image_geometry<S>({options.stride, 0, options.dilation, options.groups}, options.padding.of);
  }
};

namespace detail {
template <int S, operand X, operand W, operand B>
auto apply_conv_transpose(conv_transpose_options<S> const& o, X&& x, W&& w, B&& bias) {
  constexpr bool fit = rank_of<X> == S + 2 && rank_of<W> == S + 2 && rank_of<B> == 1;
  if constexpr (fit)
    return apply(conv_transpose_op<S>{o}, std::forward<X>(x), std::forward<W>(w), std::forward<B>(bias));
  else
    static_assert(fit,
                  "limbic: conv_transpose1d takes x and weight of rank 3, conv_transpose2d of rank 4, and a bias "
                  "of rank 1");
}
}  // namespace detail

namespace functional {

template <operand X, operand W, operand B>
auto conv_transpose1d(X&& x, W&& weight, B&& bias, conv_transpose_options<1> const& o = {}) {
  return limbic::detail::apply_conv_transpose<1>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv_transpose1d(X&& x, W&& weight, conv_transpose_options<1> const& o = {}) {
  return limbic::detail::apply_conv_transpose<1>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}
template <operand X, operand W, operand B>
auto conv_transpose2d(X&& x, W&& weight, B&& bias, conv_transpose_options<2> const& o = {}) {
  return limbic::detail::apply_conv_transpose<2>(o, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
}
template <operand X, operand W> auto conv_transpose2d(X&& x, W&& weight, conv_transpose_options<2> const& o = {}) {
  return limbic::detail::apply_conv_transpose<2>(o, std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}

}  // namespace functional

LIMBIC_END
// ---- limbic/nn/conv.hpp ------------------------------------------------------------------------------------------
// limbic/nn/conv.hpp - convolution layers of signals and images, and the transposed ones
//
//   conv2d<float> c(3, 32, 3, random, {.padding = same_padding});          3 -> 32 channels, kernel 3 x 3
//   conv2d<float> wide(32, 32, {1, 7}, random, {.stride = {1, 2}});
//   conv1d<float> s(2, 8, 5, random, {.bias = false});
//   conv_transpose2d<float> up(32, 16, 2, random, {.stride = 2});
//
// shape   x (N, in, H, W) -> (N, out, H', W'), see ops/conv.hpp and ops/conv_transpose.hpp; weight (out, in / groups, kh,
//         kw), transposed (in, out / groups, kh, kw); bias (out): as in torch.nn.Conv2d and torch.nn.ConvTranspose2d
// start   weight and bias uniform in +-1 / sqrt(f), f = weight.extent(1) kh kw, as in PyTorch

LIMBIC_BEGIN

// How a layer's kernel moves, as in conv_options.
template <int S> struct conv_layer_options {
  per_axis<S> stride = 1, padding = 0, dilation = 1;  // padding: zeros at both ends, or `same_padding`
  std::ptrdiff_t groups = 1;                          // of channels that do not see one another
  bool bias = true;
};
// How a layer's kernel is laid, as in conv_transpose_options.
template <int S> struct conv_transpose_layer_options {
  per_axis<S> stride = 1, padding = 0, output_padding = 0, dilation = 1;  // positions of y
  std::ptrdiff_t groups = 1;                                              // of channels that do not see one another
  bool bias = true;
};

namespace detail {

// What both kinds of layers own.
template <int S, class T, class D> struct kernel_and_bias {
  parameter<T, S + 2, D> weight;
  parameter<T, 1, D> bias;  // empty where there is none

  // Names the parameters: weight, bias.
  void each(auto f) {
    f("weight", weight);
    if (bias.size() > 0) f("bias", bias);
  }

 protected:
  kernel_and_bias() = default;
  kernel_and_bias(std::string_view name, std::ptrdiff_t in, std::ptrdiff_t out, std::ptrdiff_t groups, bool transposed,
                  per_axis<S> const& kernel, bool biased, rng& random) {
    if (in < 1 || out < 1 || groups < 1 || in % groups != 0 || out % groups != 0)
      fail<argument_error>(name, "channels must be positive multiples of the groups, but are ", in, " and ", out,
                           " in ", groups, " groups");
    shape<S + 2> extents;
    extents[0] = transposed ? in : out;
    extents[1] = (transposed ? out : in) / groups;
    double fan = static_cast<double>(extents[1]);
    for (int i = 0; i < S; ++i) {
      if (kernel.of[i] < 1) fail<argument_error>(name, "a kernel must be at least 1 long, but is ", kernel.of);
      extents[2 + i] = kernel.of[i];
      fan *= static_cast<double>(kernel.of[i]);
    }
    weight = parameter<T, S + 2, D>(extents);
    init::uniform(weight, random, -1 / std::sqrt(fan), 1 / std::sqrt(fan));
    if (!biased) return;
    bias = parameter<T, 1, D>(shape<1>{{out}});
    init::uniform(bias, random, -1 / std::sqrt(fan), 1 / std::sqrt(fan));
  }
};

}  // namespace detail

// A convolution over S axes: conv1d, conv2d.
template <int S, class T, class D = default_device> struct conv_layer : detail::kernel_and_bias<S, T, D> {
  conv_options<S> options;  // how the kernel moves

  conv_layer() = default;
  conv_layer(std::ptrdiff_t in, std::ptrdiff_t out, per_axis<S> const& kernel, rng& random,
             conv_layer_options<S> const& o = {})
      : detail::kernel_and_bias<S, T, D>(conv_op<S>::name, in, out, o.groups, false, kernel, o.bias, random),
        options{o.stride, o.padding, o.dilation, o.groups} {
    detail::check_conv_options(conv_op<S>::name, options);
  }
  template <operand X> auto operator()(X&& x) const {
    if (this->bias.size() > 0) return detail::apply_conv<S>(options, std::forward<X>(x), this->weight, this->bias);
    return detail::apply_conv<S>(options, std::forward<X>(x), this->weight, absent<X, 1, T>());
  }
};
// A convolution of signals (N, in, L).
template <class T, class D = default_device> using conv1d = conv_layer<1, T, D>;
// A convolution of images (N, in, H, W).
template <class T, class D = default_device> using conv2d = conv_layer<2, T, D>;

// A transposed convolution over S axes: conv_transpose1d, conv_transpose2d.
template <int S, class T, class D = default_device> struct conv_transpose_layer : detail::kernel_and_bias<S, T, D> {
  conv_transpose_options<S> options;  // how the kernel is laid

  conv_transpose_layer() = default;
  conv_transpose_layer(std::ptrdiff_t in, std::ptrdiff_t out, per_axis<S> const& kernel, rng& random,
                       conv_transpose_layer_options<S> const& o = {})
      : detail::kernel_and_bias<S, T, D>(conv_transpose_op<S>::name, in, out, o.groups, true, kernel, o.bias, random),
        options{o.stride, o.padding, o.output_padding, o.dilation, o.groups} {
    detail::check_conv_options<S>(conv_transpose_op<S>::name, {o.stride, o.padding, o.dilation, o.groups});
  }
  template <operand X> auto operator()(X&& x) const {
    if (this->bias.size() > 0)
      return detail::apply_conv_transpose<S>(options, std::forward<X>(x), this->weight, this->bias);
    return detail::apply_conv_transpose<S>(options, std::forward<X>(x), this->weight, absent<X, 1, T>());
  }
};
// A transposed convolution of signals (N, in, L).
template <class T, class D = default_device> using conv_transpose1d = conv_transpose_layer<1, T, D>;
// A transposed convolution of images (N, in, H, W).
template <class T, class D = default_device> using conv_transpose2d = conv_transpose_layer<2, T, D>;

LIMBIC_END
// ---- limbic/nn/mode.hpp ------------------------------------------------------------------------------------------
// limbic/nn/mode.hpp - whether a layer is being trained or used
//
// A property of the call, apart from whether a tape records: what dropout and normalisation do depends on it alone.
//
//   auto operator()(auto const& x, auto mode) const { return out(drop(hidden(x), mode)); }
//
//   net(x, evaluation{});             always the same answer
//   net(t(x), training{random});      random numbers come from here, and from nowhere else
//
// Each is a type, so that a program that only evaluates holds no code for training.

LIMBIC_BEGIN

// The mode of a model in use: nothing is random.
struct evaluation {
  static constexpr bool trains = false;  // which of the two
};
// The mode of a model that learns: dropout draws from `random`.
struct training {
  static constexpr bool trains = true;  // which of the two
  rng& random;                          // moves on with each draw
};

// One of the two modes.
template <class M> concept layer_mode = std::is_same_v<M, evaluation> || std::is_same_v<M, training>;

LIMBIC_END
// ---- limbic/core/dual_view.hpp -----------------------------------------------------------------------------------
// limbic/core/dual_view.hpp - the values, or the tangents, of a tensor of dual numbers as a strided view of plain ones

LIMBIC_BEGIN
namespace detail {

template <class T, int R, class D> auto parts(view<T, R, D> const& v, int part) {
  using N =
      std::conditional_t<std::is_const_v<T>, base_of<std::remove_const_t<T>> const, base_of<std::remove_const_t<T>>>;
  shape<R> steps = v.strides();
  for (int a = 0; a < R; ++a) steps[a] *= 2;
  return view<N, R, D>(reinterpret_cast<N*>(v.data()) + part, v.shape(), steps);
}
template <class T, int R, class D> auto values(view<T, R, D> const& v) { return parts(v, 0); }
template <class T, int R, class D> auto tangents(view<T, R, D> const& v) { return parts(v, 1); }

}  // namespace detail
LIMBIC_END
// ---- limbic/ops/moments.hpp --------------------------------------------------------------------------------------
// limbic/ops/moments.hpp - mean and square distances of one row, as batch_norm and layer_norm need them
//
// The mean is found twice, the second time of what is left over the first: sums of large numbers are rounded, those of
// small ones less. So a large mean costs no digits of a small variance.

LIMBIC_BEGIN
namespace detail {

// The mean of a row that is not empty.
template <class R> constexpr auto row_mean(R x) {
  using T = typename R::value_type;
  T const n = static_cast<T>(static_cast<base_of<T>>(x.size())), first = sum(x) / n;
  T const rest = fold(sum_of{}, [first](auto v) { return v - math::broadcast<decltype(v)>(first); }, x) / n;
  return static_cast<T>(first + rest);
}
// The sum of square distances from m.
template <class R> constexpr auto square_distances(R x, typename R::value_type m) {
  return fold(
      sum_of{},
      [m](auto v) {
        auto const c = v - math::broadcast<decltype(v)>(m);
        return c * c;
      },
      x);
}

}  // namespace detail
LIMBIC_END
// ---- limbic/ops/batch_norm.hpp -----------------------------------------------------------------------------------
// limbic/ops/batch_norm.hpp - channels brought to mean 0 and variance 1 over a batch
//
//   functional::batch_norm(x, running_mean, running_var, weight, bias, {.training = true})
//   functional::batch_norm(x, running_mean, running_var)                 as in use, without weight and bias
//
//   y = (x - m) r w + b,  r = 1 / sqrt(v + eps)         Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1
//
// training: m, v are mean and variance (divided by n) of each channel over images and positions, n elements; then
//
//   running_mean <- (1 - momentum) running_mean + momentum m
//   running_var  <- (1 - momentum) running_var  + momentum v n / (n - 1)
//
// otherwise m, v are running_mean and running_var, which are constants.
//
// shape   x (N, C, ...) -> same; all others (C)
// adjoint w'_c += sum of y' (x - m) r,   b'_c += the sum of y'
//         x' += w r (y' - mean of y' - (x - m) r mean of y' (x - m) r)        in use: x' += w r y'
// domain  the variance is the mean square distance from the mean (of lines, then of their means), so that a large mean
//         costs no digits of a small variance
// errors  training with one element for each channel; an empty batch is no error, and changes nothing
//
// The running statistics change once for each call with training, where the batch is seen first: not when checkpoint()
// computes a segment again, and not in calls on dual numbers, which look at a loss's curvature.
//
// Options, defaults and results are those of torch.nn.functional.batch_norm.

LIMBIC_BEGIN

struct batch_norm_options {
  bool training = false;  // the batch's own statistics
  double momentum = 0.1;  // the share of this batch in the running ones
  double eps = 1e-5;      // added to the variance
};

namespace detail {

// Of each line: its mean, and the sum of square distances from it.
struct line_moments {
  constexpr void operator()(auto x, auto mean, auto squares) const {
    auto const m = row_mean(x);
    mean.put(0, m);
    squares.put(0, square_distances(x, m));
  }
};
struct distance_from {
  template <class V> constexpr V operator()(V x, V mean) const { return x - mean; }
};
struct plus_share {
  double n;
  template <class V> constexpr V operator()(V m, V sum) const { return m + sum / math::constant<V>(n); }
};
// Sums of square distances from a line's own mean become those from the mean of all.
struct shifted_squares {
  double n;  // elements of a line
  template <class V> constexpr V operator()(V squares, V line, V mean) const {
    return squares + math::constant<V>(n) * ((line - mean) * (line - mean));
  }
};
struct share_of {
  double n;
  template <class V> constexpr V operator()(V v) const { return v / math::constant<V>(n); }
};
struct inverse_deviation {
  double n, eps;
  template <class V> constexpr V operator()(V squares) const {
    return V(1) / math::sqrt(squares / math::constant<V>(n) + math::constant<V>(eps));
  }
};
struct toward_batch {
  double momentum, n;
  template <class V> constexpr V operator()(V running, V x) const {
    return math::constant<V>(1 - momentum) * running + math::constant<V>(momentum / n) * x;
  }
};
struct leave_as_is {
  template <class V> constexpr V operator()(V x) const { return x; }
  template <class V> constexpr V operator()(V x, V) const { return x; }
};
// after((before(x, start) - m) s + b); what comes before and after is for `in_place` alone.
template <class Before = leave_as_is, class After = leave_as_is> struct normalize_element {
  Before before{};
  After after{};
  template <class V> constexpr V operator()(V x, V start, V mean, V scale, V shift) const {
    return after(math::fma(before(x, start) - mean, scale, shift));
  }
};
template <class F = normalize_element<>> struct normalize_line {
  F element{};
  constexpr void operator()(auto x, auto start, auto mean, auto inverse, auto weight, auto bias, auto y) const {
    using T = typename decltype(y)::value_type;
    T const scale = weight ? T(inverse[0] * weight[0]) : T(inverse[0]), shift = bias ? T(bias[0]) : T(0);
    map(y, element, x, start ? T(start[0]) : T(0), T(mean[0]), scale, shift);
  }
};
// Of each line: the sum of dy, and of dy (x - m).
struct line_shares {
  constexpr void operator()(auto x, auto dy, auto mean, auto total, auto product) const {
    using T = typename decltype(total)::value_type;
    T const m = mean[0];
    total.put(0, sum(dy));
    product.put(0, fold(sum_of{}, [m](auto g, auto v) { return g * (v - math::broadcast<decltype(v)>(m)); }, dy, x));
  }
};
// dx = s (dy - a - (x - m) b); in use a and b are not given: dx = s dy
struct normalize_line_back {
  double n;
  constexpr void operator()(auto x, auto dy, auto mean, auto inverse, auto weight, auto total, auto product,
                            auto dx) const {
    using T = typename decltype(dx)::value_type;
    T const r = inverse[0], scale = weight ? T(r * weight[0]) : r;
    if (!total) return map(dx, [](auto g, auto s) { return g * s; }, dy, scale);
    T const count = static_cast<T>(static_cast<base_of<T>>(n)), a = total[0] / count, b = r * r * product[0] / count;
    map(
        dx, [](auto g, auto v, auto s, auto m, auto p, auto q) { return s * (g - p - (v - m) * q); }, dy, x, scale,
        T(mean[0]), a, b);
  }
};

// On a tape, which knows whether it computes a segment again; a recording of shapes alone is none.
template <class X> concept taped = requires(X const& x) { x.owner()->recomputes(); };

// Whether a batch is seen for the first time, and so counts.
template <operand X> bool sees_batch_first([[maybe_unused]] X const& x) {
  if constexpr (is_dual<element_of<X>>) return false;
  else if constexpr (taped<X>) return x.size() > 0 && !x.owner()->recomputes();
  else return !recorded<X> && x.shape().size() > 0;
}

}  // namespace detail

// T and D are those of the running statistics.
template <class T, class D> struct batch_norm_op {
  static constexpr std::string_view name = "batch_norm";
  static constexpr keep needs = keep::inputs(0, 1) | keep::outputs(1, 2);
  static constexpr int visible = 1;  // mean and 1 / deviation are for the adjoint
  batch_norm_options options;
  view<T, 1, D> running_mean, running_var;  // read in use, changed in training where they are not null

  template <int R> auto shape_of(shape<R> const& x, shape<1> const& weight, shape<1> const& bias) const {
    shape<1> const channels{{x[1]}};
    for (auto const& s : {running_mean.shape(), running_var.shape()})
      if (s[0] != x[1]) fail<shape_error>(name, "x ", x, " has ", x[1], " channels, but a running statistic is ", s);
    for (auto const& s : {weight, bias})  // what was not given has no element
      if (s[0] != x[1] && s[0] != 0)
        fail<shape_error>(name, "x ", x, " has ", x[1], " channels, but a weight or bias is ", s);
    if (options.training && x.size() == x[1] && x[1] > 0)
      fail<shape_error>(name, "in training each channel must have more than one element, but x is ", x);
    return std::tuple(x, channels, channels);
  }
  // Mean and variance, a quotient and a sum less where they are known; subtract, multiply, add.
  template <int R> double flops(shape<R> const& x, shape<1> const&, shape<1> const&) const {
    return static_cast<double>(x.size()) * (options.training ? 7 : 3);
  }

  template <class U, int R>
  void forward(D d, view<U, R, D> y, view<U, 1, D> mean, view<U, 1, D> inverse, view<U const, R, D> x,
               view<U const, 1, D> weight, view<U const, 1, D> bias) const {
    tensor<U, 2, D> own;  // without a recording nobody has room for the statistics
    if (!mean) {
      own = tensor<U, 2, D>(shape<2>{{2, x.extent(1)}}, uninitialized);
      mean = own.view()[0];
      inverse = own.view()[1];
    }
    tensor<U, R, D> copied;
    if (!x.is_contiguous()) x = (copied = tensor<U, R, D>(x)).view();
    view<U const, 3, D> const lines = by_channel(x);
    if (options.training) measure(d, lines, mean, inverse);
    else recall(d, mean, inverse);
    view<U const, 1, D> const none(nullptr, mean.shape());
    for_each_row(d, along(lines), detail::normalize_line<>{}, lines, beside(none), beside(as_view(mean)),
                 beside(as_view(inverse)), beside(weight), beside(bias), by_channel(y));
  }

  // y = after(norm(before(y, start))) in one pass over y, contiguous; norm as in use, start (C) or null. See nn/fused.hpp.
  template <int R, class Before, class After>
  void in_place(D d, view<T, R, D> y, view<T const, 1, D> start, view<T const, 1, D> weight, view<T const, 1, D> bias,
                Before const& before, After const& after) const {
    (void)shape_of(y.shape(), weight.shape(), bias.shape());
    using element = detail::normalize_element<Before, After>;
    tensor<T, 2, D> own(shape<2>{{2, y.extent(1)}}, uninitialized);
    view<T, 1, D> const mean = own.view()[0], inverse = own.view()[1];
    recall(d, mean, inverse);
    view<T const, 3, D> const lines = by_channel(as_view(y));
    if (lines.extent(2) >= 256 || lines.extent(0) < 4)
      return for_each_row(d, along(lines), detail::normalize_line<element>{{before, after}}, lines, beside(start),
                          beside(as_view(mean)), beside(as_view(inverse)), beside(weight), beside(bias), by_channel(y));
    // Short lines of several images: an image in one line, beside what each of its elements is combined with.
    if (weight) map(d, inverse, multiply_function{}, inverse, weight);
    tensor<T, 3, D> beside_each(shape<3>{{4, y.extent(1), lines.extent(2)}}, T(0));
    view<T const, 1, D> const of_channel[] = {start, as_view(mean), as_view(inverse), bias};
    for (std::ptrdiff_t i = 0; i < 4; ++i)
      if (of_channel[i]) copy(d, beside_each.view()[i], of_channel[i].unsqueeze(1));
    view<T const, 3, D> const each = as_view(beside_each);
    map(d, by_channel(y), element{before, after}, lines, each[0], each[1], each[2], each[3]);
  }

  template <class U, int R>
  void adjoint(D d, view<U const, R, D> x, view<U const, 1, D> weight, view<U const, 1, D>, view<U const, R, D>,
               view<U const, 1, D> mean, view<U const, 1, D> inverse, view<U const, R, D> dy, view<U const, 1, D>,
               view<U const, 1, D>, sink<U, R, D> dx, sink<U, 1, D> dweight, sink<U, 1, D> dbias) const {
    view<U const, 3, D> const lines = by_channel(x), dlines = by_channel(dy);
    std::ptrdiff_t const channels = x.extent(1);
    tensor<U, 2, D> sums;
    view<U const, 1, D> total(nullptr, shape<1>{{channels}}), product = total;
    if (options.training || dweight || dbias) {
      sums = tensor<U, 2, D>(shape<2>{{2, channels}}, uninitialized);
      auto const extents = per_line(lines);
      tensor<U, 3, D> totals(extents, uninitialized), products(extents, uninitialized);
      for_each_row(d, along(lines), detail::line_shares{}, lines, dlines, beside(mean), totals.view(), products.view());
      reduce(d, beside(sums.view()[0]), sum_of{}, totals);
      reduce(d, beside(sums.view()[1]), sum_of{}, products);
      total = sums.view()[0];
      product = sums.view()[1];
    }
    if (dx) {
      view<U const, 1, D> const none(nullptr, shape<1>{{channels}});
      for_each_row(d, along(lines), detail::normalize_line_back{count(lines)}, lines, dlines, beside(mean),
                   beside(inverse), beside(weight), beside(options.training ? total : none),
                   beside(options.training ? product : none), sink<U, 3, D>(by_channel(dx.to), dx.add));
    }
    if (dweight) map(d, dweight, multiply_function{}, product, inverse);
    if (dbias) copy(d, dbias, total);
  }

 private:
  // (N, C, ...) as (N, C, L); contiguous.
  template <class U, int R> static view<U, 3, D> by_channel(view<U, R, D> const& v) {
    std::ptrdiff_t positions = 1;
    for (int a = 2; a < R; ++a) positions *= v.extent(a);
    shape<3> const extents{{v.extent(0), v.extent(1), positions}};
    return v.data() == nullptr ? view<U, 3, D>(nullptr, extents) : v.reshape(extents);
  }
  // (C) as (1, C, 1).
  template <class U> static view<U, 3, D> beside(view<U, 1, D> const& v) {
    return {v.data(), shape<3>{{1, v.extent(0), 1}}};
  }
  // Lines go along the longer of the axes that are not channels.
  template <class U> static int along(view<U, 3, D> const& lines) { return lines.extent(2) >= lines.extent(0) ? 2 : 0; }
  template <class U> static shape<3> per_line(view<U, 3, D> const& lines) {
    shape<3> extents = lines.shape();
    extents[along(lines)] = 1;
    return extents;
  }
  // Elements of a channel; 1 where there are none, to divide by.
  template <class U> static double count(view<U, 3, D> const& lines) {
    std::ptrdiff_t const n = lines.extent(0) * lines.extent(2);
    return n > 0 ? static_cast<double>(n) : 1;
  }

  // The statistics of the batch; and the running ones, moved.
  template <class U>
  void measure(D d, view<U const, 3, D> const& lines, view<U, 1, D> const& mean, view<U, 1, D> const& inverse) const {
    auto const extents = per_line(lines);
    double const n = count(lines);
    tensor<U, 3, D> means(extents, uninitialized), squares(extents, uninitialized);
    if (lines.size() > 0) for_each_row(d, along(lines), detail::line_moments{}, lines, means.view(), squares.view());
    view<U, 3, D> const m = beside(mean), s = beside(inverse);
    double const number = static_cast<double>(extents[0] * extents[2]), of_lines = number > 0 ? number : 1;
    reduce(d, m, sum_of{}, means);
    map(d, m, detail::share_of{of_lines}, m);
    reduce(d, s, sum_of{}, detail::distance_from{}, means, m);
    map(d, m, detail::plus_share{of_lines}, m, s);
    reduce(d, s, sum_of{}, detail::shifted_squares{n / of_lines}, squares, means, m);
    if constexpr (std::is_same_v<T, U>) {
      if (running_mean && lines.size() > 0) {
        map(d, running_mean, detail::toward_batch{options.momentum, 1}, running_mean, mean);
        map(d, running_var, detail::toward_batch{options.momentum, n - 1}, running_var, inverse);
      }
    }
    map(d, inverse, detail::inverse_deviation{n, options.eps}, inverse);
  }
  // The running statistics, of which dual numbers have no tangent.
  template <class U> void recall(D d, view<U, 1, D> const& mean, view<U, 1, D> const& inverse) const {
    if constexpr (std::is_same_v<T, U>) {
      copy(d, mean, running_mean);
      copy(d, inverse, running_var);
    } else {
      for (auto const& v : {mean, inverse}) fill(d, v, U(0));
      copy(d, detail::values(mean), running_mean);
      copy(d, detail::values(inverse), running_var);
    }
    map(d, inverse, detail::inverse_deviation{1, options.eps}, inverse);
  }
};

namespace functional {

template <operand X, class T, class D, operand W, operand B>
auto batch_norm(X&& x, tensor<T, 1, D>& running_mean, tensor<T, 1, D>& running_var, W&& weight, B&& bias,
                batch_norm_options const& o = {}) {
  constexpr bool fit =
      rank_of<X> >= 2 && rank_of<W> == 1 && rank_of<B> == 1 && std::is_same_v<base_of<element_of<X>>, T>;
  if constexpr (fit) {
    batch_norm_op<T, D> op{o, running_mean.view(), running_var.view()};
    if (o.training && !limbic::detail::sees_batch_first(x))
      op.running_mean = view<T, 1, D>(nullptr, running_mean.shape());
    return apply(op, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
  } else {
    static_assert(fit,
                  "limbic: batch_norm takes x (N, C, ...) and statistics, weight and bias (C) of its element type");
  }
}
template <operand X, class T, class D>
auto batch_norm(X&& x, tensor<T, 1, D>& running_mean, tensor<T, 1, D>& running_var, batch_norm_options const& o = {}) {
  return batch_norm(std::forward<X>(x), running_mean, running_var, absent<X, 1>(), absent<X, 1>(), o);
}

}  // namespace functional

LIMBIC_END
// ---- limbic/nn/batch_norm.hpp ------------------------------------------------------------------------------------
// limbic/nn/batch_norm.hpp - batch normalisation layer
//
//   batch_norm<float> norm(32);                          x (N, 32), (N, 32, L) or (N, 32, H, W)
//   batch_norm<float> norm(32, batch_norm_layer_options::keras());
//   norm(x, training{random})      by the batch's statistics, which also enter the running ones
//   norm(x, evaluation{})          by the running statistics
//
// names   weight, bias, running_mean, running_var (C), num_batches_tracked: as in torch.nn.BatchNorm1d and BatchNorm2d.
//         The last three are tensors that belong to the layer: files keep them, optimisers do not see them
// start   weight 1, bias 0, running_mean 0, running_var 1
//
// A call with training changes the running statistics, though the layer is const, as it does in a const model: once for
// each batch, see ops/batch_norm.hpp. Two threads that train one layer race on them, as on its gradients.

LIMBIC_BEGIN

struct batch_norm_layer_options {
  double eps = 1e-5;      // added to the variance
  double momentum = 0.1;  // the share of a batch in the running statistics
  bool affine = true;     // weight and bias

  // What tf.keras.layers.BatchNormalization starts with; its momentum is 1 - this one.
  static constexpr batch_norm_layer_options keras() { return {.eps = 1e-3, .momentum = 0.01}; }
};

template <class T, class D = default_device> struct batch_norm {
  parameter<T, 1, D> weight, bias;  // empty where there are none
  // Of the batches seen in training.
  mutable tensor<T, 1, D> running_mean, running_var;
  mutable tensor<std::int64_t, 0, scalar> num_batches_tracked;  // how many

  batch_norm() = default;
  // By value: as a reference g++ 12 takes what `batch_norm<float> norm{3};` in a struct copies for a dangling pointer.
  explicit batch_norm(std::ptrdiff_t features, batch_norm_layer_options options = {}) : options_(options) {
    if (features < 1) fail<argument_error>("batch_norm", "the number of features must be positive, but is ", features);
    if (!(options.eps >= 0) || !(options.momentum >= 0 && options.momentum <= 1))
      fail<argument_error>("batch_norm", "eps must not be negative and momentum must lie in [0, 1], but they are ",
                           options.eps, " and ", options.momentum);
    shape<1> const channels{{features}};
    if (options.affine) {
      weight = parameter<T, 1, D>(tensor<T, 1, D>(channels, T(1)));
      bias = parameter<T, 1, D>(channels);
    }
    running_mean = tensor<T, 1, D>(channels);
    running_var = tensor<T, 1, D>(channels, T(1));
    num_batches_tracked = tensor<std::int64_t, 0, scalar>(shape<0>{});
  }

  // What it was made with.
  batch_norm_layer_options const& options() const { return options_; }

  template <operand X, layer_mode M> auto operator()(X&& x, M) const {
    batch_norm_options const o{.training = M::trains, .momentum = options_.momentum, .eps = options_.eps};
    bool const counts = M::trains && detail::sees_batch_first(x);
    auto y = weight.size() > 0 ? functional::batch_norm(std::forward<X>(x), running_mean, running_var, weight, bias, o)
                               : functional::batch_norm(std::forward<X>(x), running_mean, running_var, o);
    if (counts) ++num_batches_tracked();
    return y;
  }

  // Names the parameters, if any, and the statistics.
  void each(auto f) {
    if (weight.size() > 0) {
      f("weight", weight);
      f("bias", bias);
    }
    f("running_mean", running_mean);
    f("running_var", running_var);
    f("num_batches_tracked", num_batches_tracked);
  }

 private:
  batch_norm_layer_options options_;
};

LIMBIC_END
// ---- limbic/ops/dropout.hpp --------------------------------------------------------------------------------------
// limbic/ops/dropout.hpp - elements left out at random, the others scaled up
//
//   y = x / (1 - p)    noise >= p          Srivastava et al. 2014
//   y = 0              noise <  p
//
// The noise is given: uniform in [0, 1), of x's shape, so that the op is a function and its adjoint can be checked.
//
// shape   any, noise the same -> same
// adjoint x' += y' / (1 - p) where kept, nothing elsewhere; from the noise alone. The noise gets 0.
// domain  0 <= p < 1

LIMBIC_BEGIN

struct dropout_op {
  static constexpr std::string_view name = "dropout";
  static constexpr keep needs = keep::inputs(1);
  double p = 0.5;

  template <int R> shape<R> shape_of(shape<R> const& x, shape<R> const& noise) const {
    if (!(x == noise)) fail<shape_error>(name, "noise of shape ", noise, " for x of shape ", x);
    return x;
  }
  void forward(auto d, auto y, auto x, auto noise) const { map(d, y, scaled_where_kept{p}, x, noise); }
  void adjoint(auto d, auto, auto noise, auto, auto dy, auto dx, auto dnoise) const {
    map(d, dx, scaled_where_kept{p}, dy, noise);
    no_gradient(d, dnoise);
  }

  struct scaled_where_kept {
    double p;
    template <class V> constexpr V operator()(V x, V noise) const {
      return math::select(noise >= math::constant<V>(p), x * math::constant<V>(1 / (1 - p)), V(0));
    }
  };
};

namespace functional {

template <operand X, operand N> auto dropout(X&& x, N&& noise, double p = 0.5) {
  constexpr bool fit = rank_of<X> == rank_of<N>;
  if (!(p >= 0 && p < 1)) fail<argument_error>("dropout", "p must lie in [0, 1), but is ", p);
  if constexpr (fit) return apply(dropout_op{.p = p}, std::forward<X>(x), std::forward<N>(noise));
  else static_assert(fit, "limbic: dropout takes noise of the shape of x");
}

}  // namespace functional

LIMBIC_END
// ---- limbic/nn/dropout.hpp ---------------------------------------------------------------------------------------
// limbic/nn/dropout.hpp - elements left out at random while training
//
//   dropout drop(0.2);
//   drop(x, training{random})      each element is 0 with probability p, else x / (1 - p)
//   drop(x, evaluation{})          x

LIMBIC_BEGIN

class dropout {
 public:
  explicit dropout(double p = 0.5) : p_(p) {
    if (!(p >= 0 && p < 1)) fail<argument_error>("dropout", "p must lie in [0, 1), but is ", p);
  }
  // The probability that an element is dropped.
  double p() const { return p_; }

  template <operand X, layer_mode M> auto operator()(X&& x, M mode) const {
    using T = base_of<element_of<X>>;
    if constexpr (M::trains) {
      tensor<T, rank_of<X>, device_of<X>> noise(x.shape(), uninitialized);
      mode.random.uniform(noise);
      return functional::dropout(std::forward<X>(x), std::move(noise), p_);
    } else if constexpr (recorded<X>) {
      return std::remove_cvref_t<X>(std::forward<X>(x));
    } else {
      return tensor<element_of<X>, rank_of<X>, device_of<X>>(kept(std::forward<X>(x)));
    }
  }

  // No parameters.
  void each(auto) {}

 private:
  template <class X> static decltype(auto) kept(X&& x) {
    if constexpr (is_tensor_of<X>) return std::forward<X>(x);
    else return as_view(x);
  }
  template <class X> static constexpr bool is_tensor_of =
      std::is_same_v<std::remove_cvref_t<X>, tensor<element_of<X>, rank_of<X>, device_of<X>>>;
  double p_;
};

LIMBIC_END
// ---- limbic/nn/fold.hpp ------------------------------------------------------------------------------------------
// limbic/nn/fold.hpp - a batch norm that becomes part of the layer before it
//
//   conv2d<float> const both = fold(conv, norm);            both(x) is norm(conv(x), evaluation{}) but for rounding
//
//   w' = w s,   b' = (b - m) s + b_n,   s = w_n / sqrt(v + eps)     for each output channel, m and v the running statistics
//
// For convolutions, transposed ones and linear layers (on x of rank 2: of others the norm's channels are another axis). The
// result is a layer of its own, which always has a bias; neither of the two it came from changes.
//
// For use only, as the statistics are fixed in it; and only where the norm follows directly: with an activation between
// them see fused.hpp. A norm in front of a convolution doesn't fold, for the zeros of the padding aren't normalised.
//
// errors  a norm of other channels than the layer's

LIMBIC_BEGIN

namespace detail {

// layer.weight has `blocks` blocks, in each of which the output channels are the axis behind `inputs` others.
template <class Layer, class T, class D>
Layer folded(Layer layer, batch_norm<T, D> const& norm, std::ptrdiff_t blocks, std::ptrdiff_t inputs,
             std::ptrdiff_t channels) {
  if (norm.running_mean.size() != channels)
    fail<shape_error>("fold", "a batch norm of ", norm.running_mean.size(), " channels came behind a layer with ",
                      channels);
  shape<1> const all{{channels}};
  tensor<T, 1, D> scale(all, uninitialized);
  map(D{}, scale, inverse_deviation{1, norm.options().eps}, norm.running_var);
  if (norm.weight.size() > 0) map(D{}, scale, multiply_function{}, scale, norm.weight);
  view<T, 4, D> const weight = layer.weight.value.view().reshape(shape<4>{{blocks, inputs, channels / blocks, -1}});
  map(D{}, weight, multiply_function{}, weight, as_view(scale).reshape(shape<4>{{blocks, 1, channels / blocks, 1}}));
  if (layer.bias.size() == 0) layer.bias = parameter<T, 1, D>(all);
  copy(D{}, layer.bias.value.view(), norm(as_view(layer.bias).unsqueeze(0), evaluation{}).view()[0]);
  return layer;
}

}  // namespace detail

// norm(layer(x), evaluation{}) as one convolution.
template <int S, class T, class D>
conv_layer<S, T, D> fold(conv_layer<S, T, D> const& layer, batch_norm<T, D> const& norm) {
  return detail::folded(layer, norm, 1, 1, layer.weight.shape()[0]);
}
// The same of a transposed convolution.
template <int S, class T, class D>
conv_transpose_layer<S, T, D> fold(conv_transpose_layer<S, T, D> const& layer, batch_norm<T, D> const& norm) {
  std::ptrdiff_t const groups = layer.options.groups;
  return detail::folded(layer, norm, groups, layer.weight.shape()[0] / groups, layer.weight.shape()[1] * groups);
}
// The same of a linear layer.
template <class T, class D> linear<T, D> fold(linear<T, D> const& layer, batch_norm<T, D> const& norm) {
  return detail::folded(layer, norm, 1, 1, layer.weight.shape()[0]);
}

LIMBIC_END
// ---- limbic/nn/fused.hpp -----------------------------------------------------------------------------------------
// limbic/nn/fused.hpp - a convolution and what follows it, in one pass over its result
//
//   fused(x, conv, relu_op{})                relu(conv(x))
//   fused(x, mode, conv, elu_op{}, norm)     norm(elu(conv(x)), mode)
//   fused(x, mode, conv, norm, elu_op{})     elu(norm(conv(x), mode))
//
// The layer is a convolution or a transposed one, the activation any op of one operand that says its value, the norm a
// batch_norm. On plain numbers in evaluation mode the bias, the activation and the norm change the result where it stands,
// in one pass instead of three and without a second and third map of its size. The values are those of the layers one
// after another but for rounding (the bias comes after the sum instead of before). In training mode, and on variables,
// traced operands and dual numbers, the layers are called one after another.
//
// A norm that directly follows its layer may also go into the layer's weights for good: fold.hpp.

LIMBIC_BEGIN

namespace detail {

// Plain numbers of the layer's own type.
template <class X, class T> inline constexpr bool is_plain = !recorded<X> && std::is_same_v<element_of<X>, T>;

template <class Op> concept says_value = requires(Op const& o) { o.value(1.0); };

struct plus_start {
  template <class V> constexpr V operator()(V x, V start) const { return x + start; }
};
template <class Op> struct value_plus_start {
  Op o;
  template <class V> constexpr V operator()(V x, V start) const { return o.value(x + start); }
};

template <operand X, int S, class T, class D> auto without_bias(X&& x, conv_layer<S, T, D> const& layer) {
  return apply_conv<S>(layer.options, std::forward<X>(x), layer.weight, absent<X, 1, T>());
}
template <operand X, int S, class T, class D> auto without_bias(X&& x, conv_transpose_layer<S, T, D> const& layer) {
  return apply_conv_transpose<S>(layer.options, std::forward<X>(x), layer.weight, absent<X, 1, T>());
}

// The elements of a parameter that may not be there.
template <class T, class D> view<T const, 1, D> given(parameter<T, 1, D> const& p) {
  return p.size() > 0 ? as_view(p) : view<T const, 1, D>();
}

// after(norm(before(layer without its bias, bias))).
template <operand X, class Layer, class T, class D, class Before, class After>
auto in_one_pass(X&& x, Layer const& layer, batch_norm<T, D> const& norm, Before const& before, After const& after) {
  auto y = without_bias(std::forward<X>(x), layer);
  batch_norm_op<T, D> const op{{.eps = norm.options().eps}, norm.running_mean.view(), norm.running_var.view()};
  op.in_place(D{}, y.view(), given(layer.bias), given(norm.weight), given(norm.bias), before, after);
  return y;
}

}  // namespace detail

// activation(layer(x))
template <operand X, class Layer, detail::says_value Op> auto fused(X&& x, Layer const& layer, Op const& activation) {
  using W = decltype(layer.weight);
  if constexpr (detail::is_plain<X, typename W::value_type>) {
    using D = typename W::device;
    auto y = detail::without_bias(std::forward<X>(x), layer);
    auto const flat = detail::as_images(y.view());
    if (layer.bias.size() == 0) map(D{}, flat, detail::value_of<Op>{activation}, flat);
    else map(D{}, flat, detail::value_plus_start<Op>{activation}, flat, as_view(layer.bias).unsqueeze(1).unsqueeze(2));
    return y;
  } else {
    return apply(activation, layer(std::forward<X>(x)));
  }
}
// norm(activation(layer(x)), mode)
template <operand X, layer_mode M, class Layer, detail::says_value Op, class T, class D>
auto fused(X&& x, M mode, Layer const& layer, Op const& activation, batch_norm<T, D> const& norm) {
  if constexpr (!M::trains && detail::is_plain<X, T>)
    return detail::in_one_pass(std::forward<X>(x), layer, norm, detail::value_plus_start<Op>{activation},
                               detail::leave_as_is{});
  else return norm(apply(activation, layer(std::forward<X>(x))), mode);
}
// activation(norm(layer(x), mode))
template <operand X, layer_mode M, class Layer, class T, class D, detail::says_value Op>
auto fused(X&& x, M mode, Layer const& layer, batch_norm<T, D> const& norm, Op const& activation) {
  if constexpr (!M::trains && detail::is_plain<X, T>)
    return detail::in_one_pass(std::forward<X>(x), layer, norm, detail::plus_start{}, detail::value_of<Op>{activation});
  else return apply(activation, norm(layer(std::forward<X>(x)), mode));
}

LIMBIC_END
// ---- limbic/ops/gumbel_softmax.hpp -------------------------------------------------------------------------------
// limbic/ops/gumbel_softmax.hpp - a softened draw from a categorical distribution, differentiable in its logits
//
//   z = (x + g) / tau,   g = -log(-log noise)      so that the largest z_j is a draw with probabilities softmax(x)
//   y = softmax(z) along `axis`                     soft; as tau -> 0 it becomes one-hot
//   y = 1 at the first largest z_j, 0 elsewhere     hard: exactly one-hot, with the gradient of the soft y (straight-through)
//
//   s_j = y_j (y'_j - sum_k y_k y'_k),   x'_j += s_j / tau,   tau' -= sum_j s_j log(y_j) / tau       y: the soft one
//
// The last holds since the s_j of a row sum to 0, and keeps the adjoint from needing x or the noise. The noise is given,
// uniform in [0, 1], and gets the gradient 0. Jang, Gu and Poole 2017, arXiv:1611.01144; Maddison, Mnih and Teh 2017,
// arXiv:1611.00712 (the Concrete distribution).
//
//   functional::gumbel_softmax(x, noise, 0.5)                       tau a number ...
//   functional::gumbel_softmax(x, noise, tau, {.hard = true})       ... or of rank 0, with a gradient
//
// shape   x any of rank >= 1, noise the same, tau () -> like x; axis counts from the back when negative
// domain  tau > 0 (else an argument_error; of a tau on a GPU only a number is checked). Noise of 0 or less counts as the
//         smallest number, of 1 or more as the largest below 1: g is finite. Logits of any size; NaN spreads over its
//         row (hard: it stands where the 1 would).

LIMBIC_BEGIN

struct gumbel_softmax_options {
  int axis = -1;
  bool hard = false;
};

namespace detail {

struct gumbel_logit {  // (x + g) / tau
  template <class V> constexpr V operator()(V x, V noise, V tau) const {
    using limits = std::numeric_limits<math::number_of<V>>;
    V const least = math::constant<V>(static_cast<double>(limits::denorm_min()));
    V const most = math::constant<V>(1 - static_cast<double>(limits::epsilon()) / 2);
    V const u = math::select(noise <= V(0), least, math::select(noise >= V(1), most, noise));
    return (x - math::log(-math::log(u))) / tau;
  }
};
struct gumbel_soft_row {
  constexpr void operator()(auto x, auto noise, auto tau, auto y) const {
    map(y, gumbel_logit{}, x, noise, tau[0]);
    map(y, [](auto v, auto m) { return math::exp(v - m); }, y, max(y));
    map(y, [](auto v, auto s) { return v / s; }, y, sum(y));  // sum >= 1: one term is e^0
  }
};
struct gumbel_hard_row {
  constexpr void operator()(auto x, auto noise, auto tau, auto y) const {
    using T = typename decltype(y)::value_type;
    if (y.size() == 0) return;
    map(y, gumbel_logit{}, x, noise, tau[0]);
    std::ptrdiff_t const i = argmax(y);
    T const z = y[i];
    place(y, i, math::select(math::isnan(z), z, T(1)));
  }
};
struct gumbel_adjoint_row {
  constexpr void operator()(auto y, auto tau, auto dy, auto dx) const {
    auto const slope = [](auto p, auto g, auto mean, auto t) { return p * (g - mean) / t; };
    map(dx, slope, y, dy, dot(y, dy), tau[0]);
  }
};
struct gumbel_tau_row {  // a row's share of tau'
  constexpr void operator()(auto y, auto tau, auto dy, auto share) const {
    auto const mean = dot(y, dy);
    auto const term = [mean](auto p, auto g) {
      using V = decltype(p);
      auto const gone = p <= V(0);  // p log p -> 0
      return math::select(gone, V(0), p * math::log(math::select(gone, V(1), p))) * (g - math::broadcast<V>(mean));
    };
    share.put(0, -(fold(sum_of{}, term, y, dy) / tau[0]));
  }
};

// tau as a row of length 1 that every row of a tensor of rank R sees.
template <int R, class T, class D> view<T, R, D> one_for_all(view<T, 0, D> tau) {
  shape<R> ones;
  for (int a = 0; a < R; ++a) ones[a] = 1;
  return {tau.data(), ones};
}

inline void check_temperature(double tau) {
  if (!(tau > 0)) fail<argument_error>("gumbel_softmax", "the temperature must be positive, but is ", tau);
}
template <operand Tau> double plain_number_in(Tau const& tau) {
  if constexpr (recorded<Tau>) return plain_number_in(tau.value());
  else if constexpr (is_dual<element_of<Tau>>) return static_cast<double>(as_view(tau)().value);
  else return static_cast<double>(as_view(tau)());
}

}  // namespace detail

template <bool Hard> struct gumbel_softmax_op {
  static constexpr std::string_view name = "gumbel_softmax";
  static constexpr keep needs = keep::inputs(2) | keep::outputs(Hard ? 1 : 0);
  static constexpr int visible = 1;  // the soft one is there for the adjoint of the hard
  int axis = -1;

  template <int R> auto shape_of(shape<R> const& x, shape<R> const& noise, shape<0> const&) const {
    if (!(x == noise)) fail<shape_error>(name, "noise of shape ", noise, " for logits of shape ", x);
    normalize_axis(name, axis, R);
    if constexpr (Hard) return std::tuple(x, x);
    else return x;
  }

  template <class D, class T, int R>
  void forward(D d, view<T, R, D> y, view<T const, R, D> x, view<T const, R, D> noise, view<T const, 0, D> tau) const {
    for_each_row(d, axis, detail::gumbel_soft_row{}, x, noise, detail::one_for_all<R>(tau), y);
  }
  template <class D, class T, int R> void forward(D d, view<T, R, D> y, view<T, R, D> soft, view<T const, R, D> x,
                                                  view<T const, R, D> noise, view<T const, 0, D> tau) const {
    for_each_row(d, axis, detail::gumbel_hard_row{}, x, noise, detail::one_for_all<R>(tau), y);
    if (soft) forward(d, soft, x, noise, tau);
  }

  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D>, view<T const, R, D>, view<T const, 0, D> tau, view<T const, R, D> y,
               view<T const, R, D> dy, sink<T, R, D> dx, sink<T, R, D> dnoise, sink<T, 0, D> dtau) const {
    auto const t = detail::one_for_all<R>(tau);
    if (dx) for_each_row(d, axis, detail::gumbel_adjoint_row{}, y, t, dy, dx);
    no_gradient(d, dnoise);
    if (!dtau) return;
    auto rows = y.shape();
    rows[normalize_axis(name, axis, R)] = 1;
    tensor<T, R, D> share(rows, uninitialized);
    for_each_row(d, axis, detail::gumbel_tau_row{}, y, t, dy, share.view());
    reduce(d, sink<T, R, D>(detail::one_for_all<R>(dtau.to), dtau.add), sum_of{}, identity_function{}, as_view(share));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, R, D> noise, view<T const, 0, D> tau, view<T const, R, D>,
               view<T const, R, D> soft, view<T const, R, D> dy, view<T const, R, D>, sink<T, R, D> dx,
               sink<T, R, D> dnoise, sink<T, 0, D> dtau) const {
    adjoint(d, x, noise, tau, soft, dy, dx, dnoise, dtau);
  }
};

namespace functional {

template <operand X, operand N, operand Tau>
auto gumbel_softmax(X&& x, N&& noise, Tau&& tau, gumbel_softmax_options const& o = {}) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<N> == rank_of<X> && rank_of<Tau> == 0;
  static_assert(fit, "limbic: gumbel_softmax takes logits of rank >= 1, noise of their shape, and one temperature");
  if constexpr (fit) {
    if constexpr (is_host<device_of<X>>) detail::check_temperature(detail::plain_number_in(tau));
    if (o.hard)
      return apply(gumbel_softmax_op<true>{o.axis}, std::forward<X>(x), std::forward<N>(noise), std::forward<Tau>(tau));
    return apply(gumbel_softmax_op<false>{o.axis}, std::forward<X>(x), std::forward<N>(noise), std::forward<Tau>(tau));
  }
}
template <operand X, operand N>
auto gumbel_softmax(X&& x, N&& noise, double tau, gumbel_softmax_options const& o = {}) {
  detail::check_temperature(tau);
  using T = element_of<X>;
  return gumbel_softmax(std::forward<X>(x), std::forward<N>(noise),
                        tensor<T, 0, device_of<X>>(shape<0>{}, math::constant<T>(tau)), o);
}

}  // namespace functional

LIMBIC_END
// ---- limbic/nn/gumbel_softmax.hpp --------------------------------------------------------------------------------
// limbic/nn/gumbel_softmax.hpp - a choice among categories that can be learned: drawn while training, fixed afterwards
//
//   gumbel_softmax choose(1.0);
//   choose(logits, training{random})     a softened draw (with {.hard = true} exactly one-hot), see ops/gumbel_softmax.hpp
//   choose(logits, evaluation{})         exactly one-hot at the largest logit: the choice that training has come to
//   choose.temperature = schedule(epoch) annealed from soft to sharp: any schedule of optim/schedule.hpp, which are numbers:
//                                        exponential_lr{.learning_rate = 1, .gamma = 0.98}, linear_lr, ...
//
// In evaluation mode too, the gradient is that of the softmax at this temperature.

LIMBIC_BEGIN

struct gumbel_softmax {
  double temperature = 1;
  bool hard = false;  // one-hot draws while training
  int axis = -1;      // of the categories

  explicit gumbel_softmax(double tau = 1, gumbel_softmax_options const& o = {})
      : temperature(tau), hard(o.hard), axis(o.axis) {
    detail::check_temperature(tau);
  }

  template <operand X, layer_mode M> auto operator()(X&& x, M mode) const {
    using T = base_of<element_of<X>>;
    using D = device_of<X>;
    gumbel_softmax_options const o{.axis = axis, .hard = hard || !M::trains};
    tensor<T, rank_of<X>, D> noise(x.shape(), T(0.36787944117144233));  // e^-1: g = 0
    if constexpr (M::trains) mode.random.uniform(noise);
    return functional::gumbel_softmax(std::forward<X>(x), std::move(noise), temperature, o);
  }

  // No parameters.
  void each(auto) {}
};

LIMBIC_END
// ---- limbic/ops/layer_norm.hpp -----------------------------------------------------------------------------------
// limbic/ops/layer_norm.hpp - the last axes of each element of a batch brought to mean 0 and variance 1
//
//   functional::layer_norm(x, shape{H, W}, weight, bias)      over the last two axes; weight and bias (H, W)
//   functional::layer_norm(x, shape{F}, {.eps = 1e-6})        over the last one, without weight and bias
//
//   y = (x - m) r w + b,  r = 1 / sqrt(v + eps)         Ba, Kiros and Hinton 2016, arXiv:1607.06450, eq. 4
//
// m, v: mean and variance (divided by their number) of the elements that one index of the leading axes has.
//
// shape   any whose last axes are the given ones -> same
// adjoint w' += sum of y' (x - m) r,   b' += the sum of y', both over the leading axes
//         x' += r (g - mean of g - (x - m) r mean of g (x - m) r),   g = w y'
// domain  as batch_norm.hpp: a large mean costs no digits of a small variance
//
// Options, defaults and results are those of torch.nn.functional.layer_norm.

LIMBIC_BEGIN

struct layer_norm_options {
  double eps = 1e-5;  // added to the variance
};

namespace detail {

struct layer_norm_row {
  double eps;
  constexpr void operator()(auto x, auto weight, auto bias, auto y, auto mean, auto inverse) const {
    using T = typename decltype(y)::value_type;
    T const m = row_mean(x), n = static_cast<T>(static_cast<base_of<T>>(x.size()));
    T const r = T(1) / math::sqrt(square_distances(x, m) / n + math::constant<T>(eps));
    if (mean) mean.put(0, m);
    if (inverse) inverse.put(0, r);
    if (weight && bias) {
      map(
          y, [](auto v, auto w, auto b, auto c, auto s) { return math::fma((v - c) * s, w, b); }, x, weight, bias, m,
          r);
    } else if (weight) {
      map(y, [](auto v, auto w, auto c, auto s) { return (v - c) * s * w; }, x, weight, m, r);
    } else {
      map(y, [](auto v, auto c, auto s) { return (v - c) * s; }, x, m, r);
    }
  }
};
struct layer_norm_row_back {
  constexpr void operator()(auto x, auto weight, auto mean, auto inverse, auto dy, auto dx) const {
    using T = typename decltype(dx)::value_type;
    T const m = mean[0], r = inverse[0], n = static_cast<T>(static_cast<base_of<T>>(x.size()));
    if (weight) {
      T const a = dot(dy, weight) / n;
      T const b = r * r / n *
                  fold(
                      sum_of{}, [m](auto g, auto w, auto v) { return g * w * (v - math::broadcast<decltype(v)>(m)); },
                      dy, weight, x);
      map(
          dx, [](auto g, auto w, auto v, auto s, auto c, auto p, auto q) { return s * (g * w - p - (v - c) * q); }, dy,
          weight, x, r, m, a, b);
    } else {
      T const a = sum(dy) / n;
      T const b =
          r * r / n * fold(sum_of{}, [m](auto g, auto v) { return g * (v - math::broadcast<decltype(v)>(m)); }, dy, x);
      map(
          dx, [](auto g, auto v, auto s, auto c, auto p, auto q) { return s * (g - p - (v - c) * q); }, dy, x, r, m, a,
          b);
    }
  }
};
struct normalized_times {
  template <class V> constexpr V operator()(V dy, V x, V mean, V inverse) const { return dy * ((x - mean) * inverse); }
};

}  // namespace detail

template <int K> struct layer_norm_op {
  static constexpr std::string_view name = "layer_norm";
  static constexpr keep needs = keep::inputs(0, 1) | keep::outputs(1, 2);
  static constexpr int visible = 1;  // mean and 1 / deviation are for the adjoint
  shape<K> normalized;               // the last axes
  layer_norm_options options;

  template <int R> auto shape_of(shape<R> const& x, shape<K> const& weight, shape<K> const& bias) const {
    std::ptrdiff_t rows = 1;
    for (int a = 0; a < R - K; ++a) rows *= x[a];
    for (int a = 0; a < K; ++a)
      if (x[R - K + a] != normalized[a]) fail<shape_error>(name, "the last axes of x ", x, " must be ", normalized);
    for (auto const& s : {weight, bias})
      if (!(s == normalized) && !(s == shape<K>()))
        fail<shape_error>(name, "weight and bias must have the shape of the last axes, ", normalized, ", but came ", s);
    return std::tuple(x, shape<1>{{rows}}, shape<1>{{rows}});
  }
  // Mean and variance; subtract, multiply twice, add.
  template <int R> double flops(shape<R> const& x, shape<K> const&, shape<K> const&) const {
    return 8 * static_cast<double>(x.size());
  }

  template <class D, class T, int R>
  void forward(D d, view<T, R, D> y, view<T, 1, D> mean, view<T, 1, D> inverse, view<T const, R, D> x,
               view<T const, K, D> weight, view<T const, K, D> bias) const {
    if (x.size() == 0) return;
    tensor<T, R, D> copied_x;
    tensor<T, K, D> copied_weight, copied_bias;
    for_each_row(d, 1, detail::layer_norm_row{options.eps}, rows(whole(x, copied_x)), row(whole(weight, copied_weight)),
                 row(whole(bias, copied_bias)), rows(y), mean.unsqueeze(1), inverse.unsqueeze(1));
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, K, D> weight, view<T const, K, D>, view<T const, R, D>,
               view<T const, 1, D> mean, view<T const, 1, D> inverse, view<T const, R, D> dy, view<T const, 1, D>,
               view<T const, 1, D>, sink<T, R, D> dx, sink<T, K, D> dweight, sink<T, K, D> dbias) const {
    auto const m = mean.unsqueeze(1), r = inverse.unsqueeze(1);
    if (dx && x.size() > 0)
      for_each_row(d, 1, detail::layer_norm_row_back{}, rows(x), row(weight), m, r, rows(dy),
                   sink<T, 2, D>(rows(dx.to), dx.add));
    if (dweight)
      reduce(d, sink<T, 2, D>(row(dweight.to), dweight.add), sum_of{}, detail::normalized_times{}, rows(dy), rows(x), m,
             r);
    if (dbias) reduce(d, sink<T, 2, D>(row(dbias.to), dbias.add), sum_of{}, rows(dy));
  }

 private:
  // As a matrix (rows, normalised elements); contiguous.
  template <class T, int R, class D> view<T, 2, D> rows(view<T, R, D> const& v) const {
    std::ptrdiff_t n = 1;
    for (int a = 0; a < R - K; ++a) n *= v.extent(a);
    return {v.data(), shape<2>{{n, normalized.size()}}};
  }
  template <class T, class D> view<T, 2, D> row(view<T, K, D> const& v) const {
    return {v.data(), shape<2>{{1, normalized.size()}}};
  }
  // Contiguous, if need be as a copy.
  template <class T, int R, class D> static view<T const, R, D> whole(view<T const, R, D> v, tensor<T, R, D>& copied) {
    if (!v || v.is_contiguous()) return v;
    copied = tensor<T, R, D>(v);
    return copied.view();
  }
};

namespace functional {

template <operand X, int K, operand W, operand B>
auto layer_norm(X&& x, shape<K> const& normalized, W&& weight, B&& bias, layer_norm_options const& o = {}) {
  constexpr bool fit = K >= 1 && rank_of<X> >= K && rank_of<W> == K && rank_of<B> == K;
  if constexpr (fit) {
    return apply(layer_norm_op<K>{normalized, o}, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
  } else {
    static_assert(fit, "limbic: layer_norm over k axes takes x of rank k or more, weight and bias of rank k");
  }
}
template <operand X, int K> auto layer_norm(X&& x, shape<K> const& normalized, layer_norm_options const& o = {}) {
  return layer_norm(std::forward<X>(x), normalized, absent<X, K>(), absent<X, K>(), o);
}

}  // namespace functional

LIMBIC_END
// ---- limbic/nn/layer_norm.hpp ------------------------------------------------------------------------------------
// limbic/nn/layer_norm.hpp - layer normalisation
//
//   layer_norm<float> norm(64);                          over the last axis, of 64
//   layer_norm<float, 2> image(shape{28, 28}, {.eps = 1e-6});
//
// names   weight, bias (the normalised shape), as in torch.nn.LayerNorm
// start   weight 1, bias 0

LIMBIC_BEGIN

struct layer_norm_layer_options {
  double eps = 1e-5;   // added to the variance
  bool affine = true;  // weight and bias
};

// Over the last K axes.
template <class T, int K = 1, class D = default_device> struct layer_norm {
  parameter<T, K, D> weight, bias;  // empty where there are none

  layer_norm() = default;
  explicit layer_norm(shape<K> const& normalized, layer_norm_layer_options options = {})
      : normalized_(normalized), options_(options) {
    for (int a = 0; a < K; ++a)
      if (normalized[a] < 1) fail<argument_error>("layer_norm", "extents must be positive, but are ", normalized);
    if (!(options.eps >= 0)) fail<argument_error>("layer_norm", "eps must not be negative, but is ", options.eps);
    if (!options.affine) return;
    weight = parameter<T, K, D>(tensor<T, K, D>(normalized, T(1)));
    bias = parameter<T, K, D>(normalized);
  }
  explicit layer_norm(std::ptrdiff_t features, layer_norm_layer_options options = {})
    requires(K == 1)
      : layer_norm(shape<1>{{features}}, options) {}

  // What it was made with.
  layer_norm_layer_options const& options() const { return options_; }

  template <operand X> auto operator()(X&& x) const {
    layer_norm_options const o{.eps = options_.eps};
    if (weight.size() == 0) return functional::layer_norm(std::forward<X>(x), normalized_, o);
    return functional::layer_norm(std::forward<X>(x), normalized_, weight, bias, o);
  }

  // Names the parameters, if any: weight, bias.
  void each(auto f) {
    if (weight.size() == 0) return;
    f("weight", weight);
    f("bias", bias);
  }

 private:
  shape<K> normalized_;
  layer_norm_layer_options options_;
};

LIMBIC_END
// ---- limbic/ops/reduction.hpp ------------------------------------------------------------------------------------
// limbic/ops/reduction.hpp - how the losses of many elements become the result
//
//   reduction::mean         one number: the sum over the number of elements, samples or weights, as each loss says
//   reduction::sum          one number
//   reduction::none         every element's, or every sample's, own
//   reduction::batchmean    one number: the sum over the first extent (kl_div)
//
// Each is a value of its own type, because the rank of the result depends on it: mse_loss(x, y, reduction::none).

LIMBIC_BEGIN

namespace reduction {
struct mean_t {};       // the type of mean
struct sum_t {};        // the type of sum
struct none_t {};       // the type of none
struct batchmean_t {};  // the type of batchmean
inline constexpr mean_t mean{};
inline constexpr sum_t sum{};
inline constexpr none_t none{};
inline constexpr batchmean_t batchmean{};
}  // namespace reduction

// What every loss takes; kl_div takes batchmean too.
template <class R> concept common_reduction =
    std::is_same_v<R, reduction::mean_t> || std::is_same_v<R, reduction::sum_t> || std::is_same_v<R, reduction::none_t>;
// All four.
template <class R> concept any_reduction = common_reduction<R> || std::is_same_v<R, reduction::batchmean_t>;

// Stands for a weight that is not given, where a later operand is.
struct no_weight_t {};
inline constexpr no_weight_t no_weight{};  // in the place of a weight
// A weight, or no_weight.
template <class W> concept weight_operand = operand<W> || std::is_same_v<std::remove_cvref_t<W>, no_weight_t>;

namespace detail {

template <class R> inline constexpr bool keeps_elements = std::is_same_v<R, reduction::none_t>;

struct divided_by {
  double n;
  template <class V> constexpr V operator()(V x) const { return x / math::constant<V>(n); }
};

}  // namespace detail

LIMBIC_END
// ---- limbic/ops/pointwise_loss.hpp -------------------------------------------------------------------------------
// limbic/ops/pointwise_loss.hpp - losses that compare two tensors element by element
//
// Such a loss says, as an elementwise op does,
//
//   value(x, t, w...)     the loss of one element; weights broadcast
//   slopes(x, t, w...)    its derivative by every operand, results{dx, dt, dw...}
//
// and becomes an op that computes and sums it in one pass, without a temporary; each gradient is one pass too.
//
// shape   input and target alike -> () for a mean or sum, the same for none
// mean    over all elements; over none of them it is NaN, as in PyTorch

LIMBIC_BEGIN

namespace detail {

// dy times the I-th partial derivative, times the share of one element in the result.
template <class Op, int I> struct loss_slope {
  Op o;
  double share;
  template <class V, class... In> constexpr V operator()(V dy, In... in) const {
    return dy * math::constant<V>(share) * o.slopes(in...).values[I];
  }
};

}  // namespace detail

template <class Op, any_reduction R> struct pointwise_loss_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = keep::input;
  Op o;  // what the loss is of one element

  template <int N, int... W> auto shape_of(shape<N> const& x, shape<N> const& target,
                                           shape<W> const&... weights) const {
    if (!(x == target))
      fail<shape_error>(name, "the input ", x, " and the target ", target, " must have the same shape");
    (check_weight(x, weights), ...);
    if constexpr (detail::keeps_elements<R>) return x;
    else return shape<0>{};
  }

  void forward(auto d, auto y, auto x, auto target, auto... weights) const {
    if constexpr (detail::keeps_elements<R>) {
      map(d, y, detail::value_of<Op>{o}, x, target, weights...);
    } else {
      reduce(d, detail::lead<decltype(x)::rank>(y), sum_of{}, detail::value_of<Op>{o}, x, target, weights...);
      if (!std::is_same_v<R, reduction::sum_t>) map(d, y, detail::divided_by{count(x.shape())}, y);
    }
  }

  void adjoint(auto d, auto x, auto t, auto, auto dy, auto dx, auto dt) const {
    share<0>(d, dy, dx, x, t);
    share<1>(d, dy, dt, x, t);
  }
  void adjoint(auto d, auto x, auto t, auto w, auto, auto dy, auto dx, auto dt, auto dw) const {
    share<0>(d, dy, dx, x, t, w);
    share<1>(d, dy, dt, x, t, w);
    share<2>(d, dy, dw, x, t, w);
  }
  template <class X, class S>  // nvcc 13 breaks off at ten `auto` parameters
  void adjoint(auto d, X x, X t, auto w, auto v, auto, auto dy, S dx, S dt, auto dw, auto dv) const {
    share<0>(d, dy, dx, x, t, w, v);
    share<1>(d, dy, dt, x, t, w, v);
    share<2>(d, dy, dw, x, t, w, v);
    share<3>(d, dy, dv, x, t, w, v);
  }

 private:
  template <int N, int W> static void check_weight(shape<N> const& x, shape<W> const& w) {
    if (!(broadcast(name, x, w) == x))
      fail<shape_error>(name, "a weight of shape ", w, " does not broadcast to the input ", x);
  }
  template <int N> static double count(shape<N> const& x) {
    if constexpr (std::is_same_v<R, reduction::mean_t>) return static_cast<double>(x.size());
    else if constexpr (std::is_same_v<R, reduction::batchmean_t>) return static_cast<double>(x[0]);
    else return 1;
  }
  template <int I> void share(auto d, auto dy, auto dx, auto x, auto... more) const {
    if (!dx) return;
    detail::loss_slope<Op, I> const f{o, 1 / count(x.shape())};
    detail::spread_back(d, dx, f, dy.broadcast_to(x.shape()), x, more...);
  }
};

namespace detail {
template <class Op, class R, class X, class Y, class... W> auto pointwise_loss(Op const& o, R, X&& x, Y&& target,
                                                                               W&&... weights) {
  constexpr bool fits = rank_of<X> == rank_of<Y> && ((rank_of<W> <= rank_of<X>) && ...);
  static_assert(fits,
                "limbic: this loss takes an input and a target of the same rank, and weights of at most that rank");
  if constexpr (fits)
    return apply(pointwise_loss_op<Op, R>{o}, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weights)...);
}
}  // namespace detail

LIMBIC_END
// ---- limbic/ops/binary_cross_entropy.hpp -------------------------------------------------------------------------
// limbic/ops/binary_cross_entropy.hpp - cross entropy of independent yes-or-no answers, from logits
//
//   w (-v t log p - (1 - t) log(1 - p)),   p = 1 / (1 + e^-x)
//
// w is the weight, v the pos_weight; both broadcast, both are 1 when not given. -log p = log(1 + e^-x) is computed from
// e^-|x|, so that logits of any size give a finite loss and the right gradient.
//
//   binary_cross_entropy_with_logits(x, t)                         binary_cross_entropy_with_logits(x, t, reduction::sum)
//   binary_cross_entropy_with_logits(x, t, weight)                 ... (x, t, no_weight, pos_weight)
//
// shape   input and target alike, weights broadcast to them; mean: over all elements, whatever the weights
// adjoint x' += w ((1 - t) p - v t (1 - p)) y',  t' += w (v log(1 + e^-x) - log(1 + e^x)) y', and the weights' own
// domain  targets in [0, 1]; NaN stays NaN

LIMBIC_BEGIN

namespace detail {

// p = 1 / (1 + e^-x), 1 - p, and minus their logarithms.
template <class V> struct logistic {
  V p, q, log_p, log_q;
  static constexpr logistic of(V x) {
    auto const positive = x > V(0);
    V const e = math::exp(math::select(positive, -x, x));  // e^-|x|, with a derivative at 0 that is right for all four
    V const one = V(1), near = one / (one + e), far = e * near, small = math::log1p(e);
    return {math::select(positive, near, far), math::select(positive, far, near),
            small + math::select(positive, V(0), -x), small + math::select(positive, x, V(0))};
  }
};

}  // namespace detail

template <bool Weight, bool Positive> struct binary_cross_entropy_op {
  static constexpr std::string_view name = "binary_cross_entropy_with_logits";

  template <class V, class... W> constexpr V value(V x, V t, W... given) const {
    auto const l = detail::logistic<V>::of(x);
    auto const w = weights<V>(given...);
    return w.values[0] * (w.values[1] * t * l.log_p + (V(1) - t) * l.log_q);
  }
  template <class V, class... W> constexpr results<V, 2 + sizeof...(W)> slopes(V x, V t, W... given) const {
    auto const l = detail::logistic<V>::of(x);
    auto const [w, v] = weights<V>(given...).values;
    V const dx = w * ((V(1) - t) * l.p - v * t * l.q), dt = w * (v * l.log_p - l.log_q);
    if constexpr (Weight && Positive) return {{dx, dt, v * t * l.log_p + (V(1) - t) * l.log_q, w * t * l.log_p}};
    else if constexpr (Weight) return {{dx, dt, t * l.log_p + (V(1) - t) * l.log_q}};
    else if constexpr (Positive) return {{dx, dt, t * l.log_p}};
    else return {{dx, dt}};
  }

 private:
  template <class V> static constexpr results<V, 2> weights() { return {{V(1), V(1)}}; }
  template <class V> static constexpr results<V, 2> weights(V w) {
    return Weight ? results<V, 2>{{w, V(1)}} : results<V, 2>{{V(1), w}};
  }
  template <class V> static constexpr results<V, 2> weights(V w, V v) { return {{w, v}}; }
};

template <operand X, operand Y, weight_operand W, weight_operand P, common_reduction R = reduction::mean_t>
auto binary_cross_entropy_with_logits(X&& x, Y&& target, W&& weight, P&& pos_weight, R r = {}) {
  constexpr bool weighted = operand<W>, positive = operand<P>;
  binary_cross_entropy_op<weighted, positive> const o{};
  if constexpr (weighted && positive)
    return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight),
                                  std::forward<P>(pos_weight));
  else if constexpr (weighted)
    return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight));
  else if constexpr (positive)
    return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target), std::forward<P>(pos_weight));
  else return detail::pointwise_loss(o, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto binary_cross_entropy_with_logits(X&& x, Y&& target, W&& weight, R r = {}) {
  return binary_cross_entropy_with_logits(std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight),
                                          no_weight, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto binary_cross_entropy_with_logits(X&& x, Y&& target, R r = {}) {
  return binary_cross_entropy_with_logits(std::forward<X>(x), std::forward<Y>(target), no_weight, no_weight, r);
}

LIMBIC_END
// ---- limbic/ops/class_loss.hpp -----------------------------------------------------------------------------------
// limbic/ops/class_loss.hpp - losses of classifiers: a row of scores for each sample, and the number of its class
//
// Such a loss says, for one sample with scores x, class c, weights w... (none, or one row of them) and the logarithm of
// sum_k e^(x_k), `norm`, where it `normalizes`,
//
//   ignores(c)                             whether the sample counts at all
//   loss(x, c, norm, w...)
//   share(c, w...)                         what it counts in a mean, where it `weighs`; else each counts 1
//   slope(dx, g, x, c, norm, w...)         writes g times the derivative by x
//
// and becomes an op that keeps the norm of each sample rather than all probabilities.
//
// One that depends on the log-probability l of the class alone, and on the class's weight w, says value(l, w) and
// slope(l, w), its derivative by l: detail::of_target makes the rest of it.
//
// shape   scores (N, C, d...), labels (N, d...) of integers in [0, C), weights (C) -> (), or (N, d...) for none
// mean    over the samples, or over their shares; over none of them it is NaN, as in PyTorch
// adjoint of the scores; labels have no gradient, and class weights refuse theirs

LIMBIC_BEGIN

namespace detail {

// log sum_k e^(x_k) in two parts that are not added, so that large logits cost no digits.
template <class T> struct log_norm {
  T largest, log_sum;

  template <class Row> static constexpr log_norm of(Row x) {
    T const m = max(x);
    return {m, math::log(fold(sum_of{}, [m](auto v) { return math::exp(v - math::broadcast<decltype(v)>(m)); }, x))};
  }
  // As a row of two.
  template <class Row> static constexpr log_norm saved(Row norm) { return {norm[0], norm[1]}; }
  template <class Row> constexpr void save(Row norm) const {
    norm.put(0, largest);
    norm.put(1, log_sum);
  }
  // Minus the log-probability of an element of the row.
  template <class V> constexpr V surprise(V x) const {
    return math::broadcast<V>(log_sum) + (math::broadcast<V>(largest) - x);
  }
  template <class V> constexpr V probability(V x) const { return math::exp(-surprise(x)); }
  // At most 0, whatever the rounding.
  constexpr T log_probability(T x) const { return math::min(-surprise(x), T(0)); }
};

// The shape of a tensor of them.
template <int N> constexpr shape<N> norm_shape(shape<N> s) {
  s[1] = 2;
  return s;
}

// The weight of class c, 1 where none are given.
template <class T> constexpr T class_weight(std::ptrdiff_t) { return T(1); }
template <class T, class Row> constexpr T class_weight(std::ptrdiff_t c, Row w) { return w[c]; }

// One element of a row += v, whether the row assigns or adds.
template <class Row, class T> constexpr void add_at(Row to, std::ptrdiff_t i, T v) {
  to.add = true;
  to.put(i, v);
}
template <class Row, class T> constexpr void set_row(Row to, T v) {
  map(to, [](auto value) { return value; }, v);
}

// The loss of a sample whose class has the log-probability l. dl / dx_j = d_jc - p_j.
template <class Op> struct of_target {
  static constexpr std::string_view name = Op::name;
  static constexpr bool normalizes = true, weighs = false;
  Op o;

  constexpr bool ignores(std::ptrdiff_t) const { return false; }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, log_norm<T> norm, auto... w) const {
    return o.value(norm.log_probability(static_cast<T>(x[c])), class_weight<T>(c, w...));
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, log_norm<T> norm, auto... w) const {
    T const own = g * o.slope(norm.log_probability(static_cast<T>(x[c])), class_weight<T>(c, w...));
    map(dx, [norm](auto v, auto scale) { return -(scale * norm.probability(v)); }, x, own);
    add_at(dx, c, own);
  }
};

template <class Op> struct class_forward {
  Op o;
  constexpr void operator()(auto x, auto label, auto loss, auto norm, [[maybe_unused]] auto share, auto... w) const {
    using T = typename decltype(x)::value_type;
    auto const c = static_cast<std::ptrdiff_t>(label[0]);
    bool const counts = !o.ignores(c), known = c >= 0 && c < x.size();  // on a GPU nobody could check labels before
    log_norm<T> n{};
    if constexpr (Op::normalizes) {
      if (counts) n = log_norm<T>::of(x);
      if (norm) n.save(norm);
    }
    T const unknown = math::constant<T>(std::numeric_limits<double>::quiet_NaN());
    loss.put(0, !counts ? T(0) : !known ? unknown : o.loss(x, c, n, w...));
    if constexpr (Op::weighs)
      if (share) share.put(0, !counts ? T(0) : !known ? unknown : o.template share<T>(c, w...));
  }
};

template <class Op> struct class_adjoint {
  Op o;
  double samples;  // what a mean divides by, unless `shares` says it
  constexpr void operator()(auto x, auto label, auto norm, auto shares, auto dy, auto dx, auto... w) const {
    using T = typename decltype(dx)::value_type;
    auto const c = static_cast<std::ptrdiff_t>(label[0]);
    if (o.ignores(c) || c < 0 || c >= dx.size()) return set_row(dx, T(0));
    T g = dy[0] / math::constant<T>(samples);
    if (shares) g = g / shares[0];
    if constexpr (Op::normalizes) o.slope(dx, g, x, c, log_norm<T>::saved(norm), w...);
    else o.slope(dx, g, x, c, log_norm<T>{}, w...);
  }
};

struct divided {
  template <class V> constexpr V operator()(V a, V b) const { return a / b; }
};

// A vector as the only row along axis 1 of a tensor of rank R.
template <int R, class T, class D> constexpr view<T, R, D> along_classes(view<T, 1, D> const& w) {
  shape<R> extents, steps;
  for (int a = 0; a < R; ++a) {
    extents[a] = a == 1 ? w.extent(0) : 1;
    steps[a] = a == 1 ? w.stride(0) : 0;
  }
  return {w.data(), extents, steps};
}

template <class Op, class D, class T, int R> void check_labels(D d, Op const& o, view<T, R, D> const& labels,
                                                               std::ptrdiff_t classes) {
  if constexpr (!is_host<D>) {
    (void)labels;
  } else if constexpr (R > 0) {
    for (std::ptrdiff_t i = 0; i < labels.extent(0); ++i) check_labels(d, o, labels[i], classes);
  } else {
    auto const c = static_cast<std::ptrdiff_t>(*labels.data());
    if ((c < 0 || c >= classes) && !o.ignores(c))
      fail<index_error>(Op::name, "label ", c, " is not one of ", classes, " classes, 0 to ", classes - 1);
  }
}

}  // namespace detail

template <class Op, common_reduction R> struct class_loss_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = (Op::normalizes ? keep::inputs(0, 1, 2) : keep::inputs(1, 2)) | keep::outputs(1, 2);
  static constexpr int visible = 1;                                       // the loss; the rest is for the adjoint
  static constexpr bool averages = std::is_same_v<R, reduction::mean_t>;  // whether a mean is asked for
  Op o;                                                                   // what the loss is of one sample

  template <int N> auto shape_of(shape<N> const& x, shape<N - 1> const& label) const {
    bool fits = label[0] == x[0];
    for (int a = 1; a + 1 < N; ++a) fits = fits && label[a] == x[a + 1];
    if (!fits)
      fail<shape_error>(name, "scores ", x, " need labels of their shape without the classes, but came ", label);
    if constexpr (detail::keeps_elements<R>) return std::tuple(label, detail::norm_shape(x), shape<0>{});
    else return std::tuple(shape<0>{}, detail::norm_shape(x), shape<0>{});
  }
  template <int N> auto shape_of(shape<N> const& x, shape<N - 1> const& label, shape<1> const& weight) const {
    if (weight[0] != x[1]) fail<shape_error>(name, "scores ", x, " need a weight for each class, but came ", weight);
    return shape_of(x, label);
  }

  void forward(auto d, auto y, auto norm, auto shares, auto x, auto label, auto... w) const {
    using T = typename decltype(y)::value_type;
    using D = decltype(d);
    constexpr int N = decltype(x)::rank;
    detail::check_labels(d, o, label, x.extent(1));
    auto const samples = [&](view<T, N - 1, D> losses, view<T, N - 1, D> each_share) {
      for_each_row(d, 1, detail::class_forward<Op>{o}, x, label.unsqueeze(1), losses.unsqueeze(1), norm,
                   each_share.unsqueeze(1), detail::along_classes<N>(w)...);
    };
    if constexpr (detail::keeps_elements<R>) {
      samples(y, {});
    } else {
      tensor<T, N - 1, D> losses(label.shape(), uninitialized);
      if constexpr (averages && Op::weighs) {
        tensor<T, N - 1, D> each_share(label.shape(), uninitialized);
        tensor<T, 0, D> sum(shape<0>{}, uninitialized);
        view<T, 0, D> const to = shares ? shares : sum.view();
        samples(losses, each_share);
        reduce(d, detail::lead<N - 1>(y), sum_of{}, losses);
        reduce(d, detail::lead<N - 1>(to), sum_of{}, each_share);
        map(d, y, detail::divided{}, y, to);
      } else {
        samples(losses, {});
        reduce(d, detail::lead<N - 1>(y), sum_of{}, losses);
        if (averages) map(d, y, detail::divided_by{static_cast<double>(label.size())}, y);
      }
    }
  }

  // Spelled out where `auto` would do: nvcc 13 breaks off at ten `auto` parameters.
  template <class D, class T, class I, int N>
  void adjoint(D d, view<T const, N, D> x, view<I const, N - 1, D> label, auto, view<T const, N, D> norm,
               view<T const, 0, D> shares, auto dy, auto, auto, sink<T, N, D> dx, sink<I, N - 1, D>) const {
    slope(d, x, label, norm, shares, dy, dx);
  }
  template <class D, class T, class I, int N>
  void adjoint(D d, view<T const, N, D> x, view<I const, N - 1, D> label, view<T const, 1, D> w, auto,
               view<T const, N, D> norm, view<T const, 0, D> shares, auto dy, auto, auto, sink<T, N, D> dx,
               sink<I, N - 1, D>, sink<T, 1, D> dw) const {
    if (dw) fail<tape_error>(name, "class weights have no gradient: give them as a tensor, or freeze the parameter");
    slope(d, x, label, norm, shares, dy, dx, w);
  }

 private:
  template <class D, class T, int N>
  void slope(D d, view<T const, N, D> x, auto label, auto norm, auto shares, auto dy, sink<T, N, D> dx,
             auto... w) const {
    if (!dx) return;
    view<T const, N, D> each, divisor;
    if constexpr (detail::keeps_elements<R>) each = dy.unsqueeze(1);
    else each = detail::lead<N>(dy);
    if constexpr (averages && Op::weighs) divisor = detail::lead<N>(shares);
    double const samples = averages && !Op::weighs ? static_cast<double>(label.size()) : 1;
    for_each_row(d, 1, detail::class_adjoint<Op>{o, samples}, x, label.unsqueeze(1), norm, divisor, each, dx,
                 detail::along_classes<N>(w)...);
  }
};

namespace detail {
// Whether X may be the scores for labels Y.
template <class X, class Y>
inline constexpr bool has_labels = rank_of<X> >= 2 && rank_of<Y> == rank_of<X> - 1 && std::is_integral_v<element_of<Y>>;

template <class Op, class R, class X, class Y, class W> auto class_loss(Op const& o, R, X&& x, Y&& label, W&& weight) {
  constexpr bool ranks = rank_of<X> >= 2 && rank_of<Y> == rank_of<X> - 1;
  static_assert(ranks, "limbic: this loss takes scores (N, C, d...) and integer labels (N, d...)");
  static_assert(std::is_integral_v<element_of<Y>>, "limbic: labels are integers");
  if constexpr (has_labels<X, Y>) {
    if constexpr (operand<W>) {
      static_assert(rank_of<W> == 1, "limbic: there is one weight for each class: a tensor of rank 1");
      return apply(class_loss_op<Op, R>{o}, std::forward<X>(x), std::forward<Y>(label), std::forward<W>(weight));
    } else {
      return apply(class_loss_op<Op, R>{o}, std::forward<X>(x), std::forward<Y>(label));
    }
  }
}
}  // namespace detail

LIMBIC_END
// ---- limbic/ops/cross_entropy.hpp --------------------------------------------------------------------------------
// limbic/ops/cross_entropy.hpp - cross entropy of a softmax, from logits
//
//   l_j = log sum_k e^(x_k) - x_j                                     minus the log-probability of class j
//   (1 - e) w_c l_c + (e / C) sum_j w_j l_j                           labels c (integers); e: label_smoothing
//   sum_j w_j q_j l_j,   q = (1 - e) t + e / C                        targets t (probabilities, of x's own type)
//
//   cross_entropy(x, labels)              cross_entropy(x, labels, weight, {.label_smoothing = 0.1}, reduction::sum)
//
// shape   logits (N, C, d...), labels (N, d...) or targets like the logits, weights (C) -> (), or (N, d...) for none
// mean    labels: over the sum of the samples' weights w_c, label smoothing or not; targets: over the samples
// adjoint x'_j += (p_j sum_k a_k - a_j) y',  a: what stands before l_j above, p = e^(-l); targets t'_j += (1 - e) w_j l_j y'
// domain  labels in [0, C), or ignore_index: such a sample counts nowhere; logits of any size; NaN stays NaN

LIMBIC_BEGIN

struct cross_entropy_op {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr bool normalizes = true, weighs = true;
  double label_smoothing = 0.0;
  std::int64_t ignore_index = -100;

  constexpr bool ignores(std::ptrdiff_t c) const { return c == static_cast<std::ptrdiff_t>(ignore_index); }
  template <class T> constexpr T share(std::ptrdiff_t c, auto... w) const { return detail::class_weight<T>(c, w...); }

  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T> norm, auto... w) const {
    T const own =
        math::constant<T>(1 - label_smoothing) * detail::class_weight<T>(c, w...) * norm.surprise(static_cast<T>(x[c]));
    if (!(label_smoothing > 0)) return own;  // a logit of -inf among the others is no harm then
    auto const weighted = [norm](auto v, auto... u) { return (norm.surprise(v) * ... * u); };
    return own + smooth<T>(x.size()) * fold(sum_of{}, weighted, x, w...);
  }
  template <class T> constexpr void slope(auto dx, T g, auto x, std::ptrdiff_t c, detail::log_norm<T> norm,
                                          auto... w) const {
    T const own = g * math::constant<T>(1 - label_smoothing) * detail::class_weight<T>(c, w...);
    T const other = g * smooth<T>(x.size());
    auto const spread = [norm](auto v, auto all, auto each, auto... u) {
      return all * norm.probability(v) - (each * ... * u);
    };
    map(dx, spread, x, own + other * weight_sum<T>(x, w...), other, w...);
    detail::add_at(dx, c, -own);
  }

 private:
  template <class T> constexpr T smooth(std::ptrdiff_t classes) const {
    return math::constant<T>(label_smoothing / static_cast<double>(classes));
  }
  template <class T> static constexpr T weight_sum(auto x) { return math::constant<T>(static_cast<double>(x.size())); }
  template <class T> static constexpr T weight_sum(auto, auto w) { return sum(w); }
};

namespace detail {

// The part of soft targets that differs from labels: a row of them for each sample.
struct soft_row {
  double label_smoothing;
  // w_j q_j
  template <class V> constexpr auto target(std::ptrdiff_t classes) const {
    double const keep = 1 - label_smoothing, rest = label_smoothing / static_cast<double>(classes);
    return [keep, rest](auto t, auto... u) {
      using L = decltype(t);
      L const q = t * math::constant<L>(keep) + math::constant<L>(rest);
      return (q * ... * u);
    };
  }
};
struct soft_forward : soft_row {
  constexpr void operator()(auto x, auto t, auto loss, auto norm, auto... w) const {
    using T = typename decltype(x)::value_type;
    auto const q = target<T>(x.size());
    auto const n = log_norm<T>::of(x);
    loss.put(0, fold(sum_of{}, [q, n](auto v, auto... u) { return q(u...) * n.surprise(v); }, x, t, w...));
    if (norm) n.save(norm);
  }
};
struct soft_adjoint : soft_row {
  double samples;
  constexpr void operator()(auto x, auto t, auto norm, auto dy, auto dx, auto... w) const {
    using T = typename decltype(dx)::value_type;
    auto const q = target<T>(x.size());
    T const g = dy[0] / math::constant<T>(samples);
    T const all = g * fold(sum_of{}, q, t, w...);
    auto const n = log_norm<T>::saved(norm);
    map(
        dx, [q, n](auto v, auto scale, auto every, auto... u) { return every * n.probability(v) - scale * q(u...); }, x,
        g, all, t, w...);
  }
};
struct soft_target_adjoint : soft_row {
  double samples;
  constexpr void operator()(auto x, auto norm, auto dy, auto dt, auto... w) const {
    using T = typename decltype(dt)::value_type;
    T const g = dy[0] * math::constant<T>((1 - label_smoothing) / samples);
    auto const n = log_norm<T>::saved(norm);
    map(dt, [n](auto v, auto scale, auto... u) { return ((scale * n.surprise(v)) * ... * u); }, x, g, w...);
  }
};

}  // namespace detail

// Cross entropy with probabilities as targets.
template <common_reduction R> struct soft_cross_entropy_op {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr keep needs = keep::input | keep::outputs(1);
  static constexpr int visible = 1;  // the loss; the rest is for the adjoint
  double label_smoothing = 0.0;

  template <int N> auto shape_of(shape<N> const& x, shape<N> const& target) const {
    if (!(x == target))
      fail<shape_error>(name, "the logits ", x, " and the target probabilities ", target, " must have the same shape");
    if constexpr (detail::keeps_elements<R>) return std::tuple(samples_of(x), detail::norm_shape(x));
    else return std::tuple(shape<0>{}, detail::norm_shape(x));
  }
  template <int N> auto shape_of(shape<N> const& x, shape<N> const& target, shape<1> const& weight) const {
    if (weight[0] != x[1]) fail<shape_error>(name, "logits ", x, " need a weight for each class, but came ", weight);
    return shape_of(x, target);
  }

  void forward(auto d, auto y, auto norm, auto x, auto t, auto... w) const {
    using T = typename decltype(y)::value_type;
    using D = decltype(d);
    constexpr int N = decltype(x)::rank;
    auto const samples = [&](view<T, N - 1, D> losses) {
      for_each_row(d, 1, detail::soft_forward{{label_smoothing}}, x, t, losses.unsqueeze(1), norm,
                   detail::along_classes<N>(w)...);
    };
    if constexpr (detail::keeps_elements<R>) {
      samples(y);
    } else {
      tensor<T, N - 1, D> losses(samples_of(x.shape()), uninitialized);
      samples(losses);
      reduce(d, detail::lead<N - 1>(y), sum_of{}, losses);
      if (std::is_same_v<R, reduction::mean_t>) map(d, y, detail::divided_by{count(norm)}, y);
    }
  }

  template <class D, class T, int N>  // fewer than ten `auto`: see class_loss.hpp
  void adjoint(D d, view<T const, N, D> x, view<T const, N, D> t, auto, view<T const, N, D> norm, auto dy, auto,
               sink<T, N, D> dx, sink<T, N, D> dt) const {
    slopes(d, x, t, norm, dy, dx, dt);
  }
  template <class D, class T, int N>
  void adjoint(D d, view<T const, N, D> x, view<T const, N, D> t, view<T const, 1, D> w, auto, view<T const, N, D> norm,
               auto dy, auto, sink<T, N, D> dx, sink<T, N, D> dt, sink<T, 1, D> dw) const {
    if (dw) fail<tape_error>(name, "class weights have no gradient: give them as a tensor, or freeze the parameter");
    slopes(d, x, t, norm, dy, dx, dt, w);
  }

 private:
  template <int N> static shape<N - 1> samples_of(shape<N> const& x) {
    shape<N - 1> samples;
    for (int a = 0; a + 1 < N; ++a) samples[a] = x[a == 0 ? 0 : a + 1];
    return samples;
  }
  static double count(auto norm) {
    return std::is_same_v<R, reduction::mean_t> ? static_cast<double>(norm.size() / 2) : 1;
  }
  void slopes(auto d, auto x, auto t, auto norm, auto dy, auto dx, auto dt, auto... w) const {
    constexpr int N = decltype(x)::rank;
    decltype(x) each;
    if constexpr (detail::keeps_elements<R>) each = dy.unsqueeze(1);
    else each = detail::lead<N>(dy);
    detail::soft_row const base{label_smoothing};
    if (dx)
      for_each_row(d, 1, detail::soft_adjoint{base, count(norm)}, x, t, norm, each, dx, detail::along_classes<N>(w)...);
    if (dt)
      for_each_row(d, 1, detail::soft_target_adjoint{base, count(norm)}, x, norm, each, dt,
                   detail::along_classes<N>(w)...);
  }
};

template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto cross_entropy(X&& x, Y&& target, W&& weight, cross_entropy_op const& options = {}, R r = {}) {
  double const e = options.label_smoothing;
  if (!(e >= 0 && e <= 1)) fail<argument_error>("cross_entropy", "label_smoothing must lie in [0, 1], but is ", e);
  if constexpr (std::is_integral_v<element_of<Y>>) {
    return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight));
  } else {
    constexpr bool ranks = rank_of<X> >= 2 && rank_of<Y> == rank_of<X>;
    static_assert(ranks,
                  "limbic: cross_entropy takes logits (N, C, d...) and labels (N, d...) of integers, or probabilities "
                  "(N, C, d...)");
    if constexpr (ranks && operand<W>)
      return apply(soft_cross_entropy_op<R>{e}, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight));
    else if constexpr (ranks) return apply(soft_cross_entropy_op<R>{e}, std::forward<X>(x), std::forward<Y>(target));
  }
}
template <operand X, operand Y, weight_operand W, common_reduction R> auto cross_entropy(X&& x, Y&& target, W&& weight,
                                                                                         R r) {
  return cross_entropy(std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weight), {}, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto cross_entropy(X&& x, Y&& target, cross_entropy_op const& options = {}, R r = {}) {
  return cross_entropy(std::forward<X>(x), std::forward<Y>(target), no_weight, options, r);
}
template <operand X, operand Y, common_reduction R> auto cross_entropy(X&& x, Y&& target, R r) {
  return cross_entropy(std::forward<X>(x), std::forward<Y>(target), no_weight, {}, r);
}

LIMBIC_END
// ---- limbic/ops/focal_loss.hpp -----------------------------------------------------------------------------------
// limbic/ops/focal_loss.hpp - cross entropy that looks away from easy samples; Lin et al. 2017, arXiv:1708.02002, eq. 5
//
// focal_loss: classes, from logits x and a label c
//
//   -alpha w_c (1 - p)^gamma l,   l = log p,  p = softmax(x)_c
//
// shape   logits (N, C, d...), labels (N, d...), per-class weights w (C) -> (), or (N, d...) for none
// mean    over the samples, whatever their weights
// adjoint x'_j += -alpha w_c (1 - p)^gamma (1 - gamma p l / (1 - p)) (d_jc - p_j) y';  l / (1 - p) -> -1 at p = 1
//
// sigmoid_focal_loss: independent yes-or-no answers, from logits x and targets t in [0, 1]
//
//   a m^gamma c,   p = 1 / (1 + e^-x)
//   m = t (1 - p) + (1 - t) p                               how far the answer is off
//   c = -t log p - (1 - t) log(1 - p)                       its cross entropy
//   a = t alpha + (1 - t) (1 - alpha), or 1 where alpha < 0
//
// shape   input and target alike; mean: over all elements
// adjoint x' += a m^gamma (gamma p (1 - p) (1 - 2 t) c / m + (1 - t) p - t (1 - p)) y'
//         t' += (a' m^gamma c + a (gamma m^(gamma-1) (1 - 2 p) c + m^gamma (log(1 - p) - log p))) y',  a' = 2 alpha - 1
//
// domain  gamma >= 0; logits of any size; NaN stays NaN

LIMBIC_BEGIN

namespace detail {
// x^c for x >= 0 and one c for all elements; the usual ones without a logarithm.
template <class V> constexpr V power_of(V x, double c) {
  if (c == 0) return x * V(0) + V(1);
  if (c == 1) return x;
  if (c == 2) return x * x;
  return math::pow(x, math::constant<V>(c));
}
}  // namespace detail

struct focal_loss_op {
  static constexpr std::string_view name = "focal_loss";
  double gamma = 2.0;
  double alpha = 1.0;

  template <class T> constexpr T value(T l, T w) const { return -(scale(l, w) * l); }
  template <class T> constexpr T slope(T l, T w) const {
    T const miss = -math::expm1(l), ratio = miss > T(0) ? l / miss : T(-1);
    return -(scale(l, w) * (T(1) - math::constant<T>(gamma) * math::exp(l) * ratio));
  }

 private:
  // alpha w (1 - p)^gamma
  template <class T> constexpr T scale(T l, T w) const {
    return math::constant<T>(alpha) * w * detail::power_of(-math::expm1(l), gamma);
  }
};

struct sigmoid_focal_loss_op {
  static constexpr std::string_view name = "sigmoid_focal_loss";
  double gamma = 2.0;
  double alpha = 0.25;

  template <class V> constexpr V value(V x, V t) const {
    auto const l = detail::logistic<V>::of(x);
    return balance(t) * detail::power_of(miss(l, t), gamma) * entropy(l, t);
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    auto const l = detail::logistic<V>::of(x);
    V const one = V(1), zero = V(0), g = math::constant<V>(gamma);
    V const a = balance(t), m = miss(l, t), c = entropy(l, t), power = detail::power_of(m, gamma);
    // p (1 - p) / m is at most 1; where m = 0 there is no loss to change
    V const ratio = math::select(m > zero, l.p * l.q / m, zero),
            lower = math::select(m > zero, detail::power_of(m, gamma - 1), zero);
    V const dx = a * power * (g * ratio * (one - t - t) * c + (one - t) * l.p - t * l.q);
    V const da = math::constant<V>(alpha < 0 ? 0 : 2 * alpha - 1);
    V const dt = da * power * c + a * (g * lower * (l.q - l.p) * c + power * (l.log_p - l.log_q));
    return {{dx, dt}};
  }

 private:
  template <class V> constexpr V balance(V t) const {
    return alpha < 0 ? V(1) : t * math::constant<V>(alpha) + (V(1) - t) * math::constant<V>(1 - alpha);
  }
  template <class V> static constexpr V miss(detail::logistic<V> const& l, V t) { return t * l.q + (V(1) - t) * l.p; }
  template <class V> static constexpr V entropy(detail::logistic<V> const& l, V t) {
    return t * l.log_p + (V(1) - t) * l.log_q;
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto sigmoid_focal_loss(X&& x, Y&& target, sigmoid_focal_loss_op const& options = {}, R r = {}) {
  if (!(options.gamma >= 0))
    fail<argument_error>("sigmoid_focal_loss", "gamma must not be negative, but is ", options.gamma);
  if (!(options.alpha <= 1))
    fail<argument_error>("sigmoid_focal_loss", "alpha must be at most 1, but is ", options.alpha);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto sigmoid_focal_loss(X&& x, Y&& target, R r) {
  return sigmoid_focal_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto focal_loss(X&& x, Y&& labels, W&& alpha, focal_loss_op const& options = {}, R r = {}) {
  if (!(options.gamma >= 0)) fail<argument_error>("focal_loss", "gamma must not be negative, but is ", options.gamma);
  return detail::class_loss(detail::of_target<focal_loss_op>{options}, r, std::forward<X>(x), std::forward<Y>(labels),
                            std::forward<W>(alpha));
}
template <operand X, operand Y, weight_operand W, common_reduction R> auto focal_loss(X&& x, Y&& labels, W&& alpha,
                                                                                      R r) {
  return focal_loss(std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(alpha), {}, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto focal_loss(X&& x, Y&& labels, focal_loss_op const& options = {}, R r = {}) {
  return focal_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, options, r);
}
template <operand X, operand Y, common_reduction R> auto focal_loss(X&& x, Y&& labels, R r) {
  return focal_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, {}, r);
}

LIMBIC_END
// ---- limbic/ops/huber_loss.hpp -----------------------------------------------------------------------------------
// limbic/ops/huber_loss.hpp - quadratic near zero, linear far away
//
//   d^2 / 2                     |d| <  delta,  d = x - t      Huber 1964, Ann. Math. Stat. 35, 73
//   delta (|d| - delta / 2)     |d| >= delta
//
// shape   input and target alike; mean: over all elements
// adjoint x' += y' (|d| < delta ? d : delta sign d),  t' the opposite
// domain  delta > 0

LIMBIC_BEGIN

struct huber_loss_op {
  static constexpr std::string_view name = "huber_loss";
  double delta = 1.0;

  template <class V> constexpr V value(V x, V t) const {
    V const d = math::abs(x - t), far = math::constant<V>(delta), half = math::constant<V>(0.5);
    return math::select(d < far, half * d * d, far * (d - half * far));  // NaN is not < far and stays NaN
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const far = math::constant<V>(delta);
    V const d = math::select(math::abs(x - t) < far, x - t, far * math::sign(x - t));
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto huber_loss(X&& x, Y&& target, huber_loss_op const& options = {}, R r = {}) {
  if (!(options.delta > 0)) fail<argument_error>("huber_loss", "delta must be positive, but is ", options.delta);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto huber_loss(X&& x, Y&& target, R r) {
  return huber_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
// ---- limbic/ops/kl_div.hpp ---------------------------------------------------------------------------------------
// limbic/ops/kl_div.hpp - Kullback-Leibler divergence of a target from log-probabilities x
//
//   t (log t - x)        0 where t = 0
//   e^t (t - x)          log_target: the target holds logarithms too; 0 where e^t = 0
//
// shape   input and target alike; mean: over all elements; batchmean: over the first axis, the divergence proper
// adjoint x' += -t y',  t' += (log t - x + 1) y', 0 where t = 0;   log_target: x' += -e^t y',  t' += e^t (t - x + 1) y'
// domain  t >= 0 (a negative t gives NaN); x may be -inf where t = 0; NaN stays NaN

LIMBIC_BEGIN

struct kl_div_op {
  static constexpr std::string_view name = "kl_div";
  bool log_target = false;

  template <class V> constexpr V value(V x, V t) const {
    V const p = probability(t);
    return math::select(p == V(0), nothing(x), p * (logarithm(t) - x));
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const p = probability(t), distance = logarithm(t) - x + V(1);
    return {{-p, math::select(p == V(0), nothing(x), log_target ? p * distance : distance)}};
  }

 private:
  template <class V> constexpr V probability(V t) const { return log_target ? math::exp(t) : t; }
  template <class V> constexpr V logarithm(V t) const { return log_target ? t : math::log(t); }
  // 0, but NaN where x is.
  template <class V> static constexpr V nothing(V x) { return math::select(math::isnan(x), x, V(0)); }
};

template <operand X, operand Y, any_reduction R = reduction::mean_t>
auto kl_div(X&& x, Y&& target, kl_div_op const& options = {}, R r = {}) {
  static_assert(rank_of<X> > 0 || common_reduction<R>,
                "limbic: batchmean divides by the first extent: there must be one");
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, any_reduction R> auto kl_div(X&& x, Y&& target, R r) {
  return kl_div(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
// ---- limbic/ops/l1_loss.hpp --------------------------------------------------------------------------------------
// limbic/ops/l1_loss.hpp - absolute error
//
//   |x - t|
//
// shape   input and target alike; mean: over all elements
// adjoint x' += sign(x - t) y',  t' the opposite; 0 at x = t

LIMBIC_BEGIN

struct l1_loss_op {
  static constexpr std::string_view name = "l1_loss";
  template <class V> constexpr V value(V x, V t) const { return math::abs(x - t); }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const d = math::sign(x - t);
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto l1_loss(X&& x, Y&& target, R r = {}) {
  return detail::pointwise_loss(l1_loss_op{}, r, std::forward<X>(x), std::forward<Y>(target));
}

LIMBIC_END
// ---- limbic/ops/mse_loss.hpp -------------------------------------------------------------------------------------
// limbic/ops/mse_loss.hpp - squared error
//
//   (x - t)^2
//
// shape   input and target alike; mean: over all elements
// adjoint x' += 2 (x - t) y',  t' the opposite

LIMBIC_BEGIN

struct mse_loss_op {
  static constexpr std::string_view name = "mse_loss";
  template <class V> constexpr V value(V x, V t) const { return (x - t) * (x - t); }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const d = (x - t) + (x - t);
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t> auto mse_loss(X&& x, Y&& target, R r = {}) {
  return detail::pointwise_loss(mse_loss_op{}, r, std::forward<X>(x), std::forward<Y>(target));
}

LIMBIC_END
// ---- limbic/ops/nll_loss.hpp -------------------------------------------------------------------------------------
// limbic/ops/nll_loss.hpp - negative log likelihood, from log-probabilities
//
//   -w_c x_c        x: a sample's log-probabilities, c: its class
//
// shape   x (N, C, d...), labels (N, d...), weights (C); a mean divides by the sum of the samples' weights
// adjoint x'_c += -w_c y', 0 elsewhere; from the labels alone, so the tape may free x
// domain  labels in [0, C), or ignore_index: such a sample counts nowhere

LIMBIC_BEGIN

struct nll_loss_op {
  static constexpr std::string_view name = "nll_loss";
  static constexpr bool normalizes = false, weighs = true;
  std::int64_t ignore_index = -100;

  constexpr bool ignores(std::ptrdiff_t c) const { return c == static_cast<std::ptrdiff_t>(ignore_index); }
  template <class T> constexpr T share(std::ptrdiff_t c, auto... w) const { return detail::class_weight<T>(c, w...); }
  template <class T> constexpr T loss(auto x, std::ptrdiff_t c, detail::log_norm<T>, auto... w) const {
    return -(detail::class_weight<T>(c, w...) * x[c]);
  }
  template <class T> constexpr void slope(auto dx, T g, auto, std::ptrdiff_t c, detail::log_norm<T>, auto... w) const {
    detail::set_row(dx, T(0));
    detail::add_at(dx, c, -(g * detail::class_weight<T>(c, w...)));
  }
};

template <operand X, operand Y, weight_operand W, common_reduction R = reduction::mean_t>
auto nll_loss(X&& x, Y&& labels, W&& weight, nll_loss_op const& options = {}, R r = {}) {
  return detail::class_loss(options, r, std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(weight));
}
template <operand X, operand Y, weight_operand W, common_reduction R> auto nll_loss(X&& x, Y&& labels, W&& weight,
                                                                                    R r) {
  return nll_loss(std::forward<X>(x), std::forward<Y>(labels), std::forward<W>(weight), {}, r);
}
template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto nll_loss(X&& x, Y&& labels, nll_loss_op const& options = {}, R r = {}) {
  return nll_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, options, r);
}
template <operand X, operand Y, common_reduction R> auto nll_loss(X&& x, Y&& labels, R r) {
  return nll_loss(std::forward<X>(x), std::forward<Y>(labels), no_weight, {}, r);
}

LIMBIC_END
// ---- limbic/ops/smooth_l1_loss.hpp -------------------------------------------------------------------------------
// limbic/ops/smooth_l1_loss.hpp - absolute error, quadratic near zero
//
//   d^2 / (2 beta)      |d| <  beta,  d = x - t      Girshick 2015, arXiv:1504.08083, eq. 3 (beta = 1)
//   |d| - beta / 2      |d| >= beta
//
// shape   input and target alike; mean: over all elements
// adjoint x' += y' (|d| < beta ? d / beta : sign d),  t' the opposite
// domain  beta >= 0; 0 is l1_loss

LIMBIC_BEGIN

struct smooth_l1_loss_op {
  static constexpr std::string_view name = "smooth_l1_loss";
  double beta = 1.0;

  template <class V> constexpr V value(V x, V t) const {
    V const d = math::abs(x - t), b = math::constant<V>(beta), half = math::constant<V>(0.5);
    return math::select(d < b, half * d * d / b, d - half * b);  // NaN is not < b and stays NaN
  }
  template <class V> constexpr results<V, 2> slopes(V x, V t) const {
    V const b = math::constant<V>(beta);
    V const d = math::select(math::abs(x - t) < b, (x - t) / b, math::sign(x - t));
    return {{d, -d}};
  }
};

template <operand X, operand Y, common_reduction R = reduction::mean_t>
auto smooth_l1_loss(X&& x, Y&& target, smooth_l1_loss_op const& options = {}, R r = {}) {
  if (!(options.beta >= 0)) fail<argument_error>("smooth_l1_loss", "beta must not be negative, but is ", options.beta);
  return detail::pointwise_loss(options, r, std::forward<X>(x), std::forward<Y>(target));
}
template <operand X, operand Y, common_reduction R> auto smooth_l1_loss(X&& x, Y&& target, R r) {
  return smooth_l1_loss(std::forward<X>(x), std::forward<Y>(target), {}, r);
}

LIMBIC_END
// ---- limbic/ops/losses.hpp ---------------------------------------------------------------------------------------
// limbic/ops/losses.hpp - the usual losses; margin_losses.hpp and robust_losses.hpp have the others

// ---- limbic/ops/elu.hpp ------------------------------------------------------------------------------------------
// limbic/ops/elu.hpp - exponential linear unit
//
//   y = x                  x >  0
//   y = alpha (e^x - 1)    x <= 0        Clevert et al. 2016, arXiv:1511.07289, eq. 15
//
// shape   any -> same
// adjoint x' += y' (y > 0 ? 1 : y + alpha)    from y alone, so the tape may free x
// domain  alpha >= 0 (else the sign of y no longer tells the branch); NaN stays NaN

LIMBIC_BEGIN

struct elu_op {
  static constexpr std::string_view name = "elu";
  static constexpr keep needs = keep::output;
  static constexpr bool rectifies = true;
  double alpha = 1.0;

  template <class V> constexpr V value(V x) const {
    // expm1 sees no positive x, so it cannot overflow; NaN is not > 0 and stays NaN
    V const negative = math::constant<V>(alpha) * math::expm1(math::select(x > V(0), V(0), x));
    return math::select(x > V(0), x, negative);
  }
  template <class V> constexpr V slope(V y) const { return math::select(y > V(0), V(1), y + math::constant<V>(alpha)); }
};

template <operand X> auto elu(X&& x, elu_op const& options = {}) {
  if (!(options.alpha >= 0)) fail<argument_error>("elu", "alpha must not be negative, but is ", options.alpha);
  return apply(options, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/gelu.hpp -----------------------------------------------------------------------------------------
// limbic/ops/gelu.hpp - Gaussian error linear unit
//
//   y = x Phi(x),  Phi(x) = (1 + erf(x / sqrt 2)) / 2         Hendrycks and Gimpel 2016, arXiv:1606.08415
//   y = x (1 + t) / 2,  t = tanh(sqrt(2/pi) (x + 0.044715 x^3))      with .approximate = gelu_form::tanh
//
// shape   any -> same
// adjoint x' += y' (Phi(x) + x phi(x)),  phi the normal density; the derivative of the second line for its form
// domain  all finite numbers; NaN stays NaN

LIMBIC_BEGIN

// How the normal distribution is computed: exactly, or by a tanh, as PyTorch's `approximate`.
enum class gelu_form { none, tanh };

struct gelu_op {
  static constexpr std::string_view name = "gelu";
  static constexpr keep needs = keep::input;
  gelu_form approximate = gelu_form::none;  // the form

  template <class V> constexpr V value(V x) const {
    V const half = math::constant<V>(0.5);
    if (approximate == gelu_form::tanh) return half * x * (V(1) + math::tanh(inner(x)));
    return half * x * (V(1) + math::erf(x * math::constant<V>(sqrt_half)));
  }
  template <class V> constexpr V slope(V x) const {
    V const half = math::constant<V>(0.5);
    if (approximate == gelu_form::tanh) {
      V const t = math::tanh(inner(x));
      V const inner_slope = math::constant<V>(sqrt_2_over_pi) * (V(1) + math::constant<V>(3 * cubic) * x * x);
      return half * (V(1) + t) + half * x * (V(1) - t * t) * inner_slope;
    }
    V const density = math::constant<V>(inverse_sqrt_2pi) * math::exp(-half * x * x);
    return half * (V(1) + math::erf(x * math::constant<V>(sqrt_half))) + x * density;
  }

 private:
  static constexpr double sqrt_half = 0.70710678118654752, sqrt_2_over_pi = 0.79788456080286536, cubic = 0.044715,
                          inverse_sqrt_2pi = 0.39894228040143268;
  template <class V> static constexpr V inner(V x) {
    return math::constant<V>(sqrt_2_over_pi) * (x + math::constant<V>(cubic) * x * x * x);
  }
};

template <operand X> auto gelu(X&& x, gelu_op const& options = {}) { return apply(options, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/leaky_relu.hpp -----------------------------------------------------------------------------------
// limbic/ops/leaky_relu.hpp - rectified linear unit that leaks
//
//   y = x                    x >  0
//   y = negative_slope x     x <= 0        Maas, Hannun and Ng 2013
//
// shape   any -> same
// adjoint x' += y' (x > 0 ? 1 : negative_slope)    from x, since the sign of y says nothing for a slope <= 0
// domain  any finite slope; NaN stays NaN

LIMBIC_BEGIN

struct leaky_relu_op {
  static constexpr std::string_view name = "leaky_relu";
  static constexpr keep needs = keep::input;
  static constexpr bool rectifies = true;
  double negative_slope = 0.01;

  template <class V> constexpr V value(V x) const {
    return math::select(x > V(0), x, math::constant<V>(negative_slope) * x);
  }
  template <class V> constexpr V slope(V x) const {
    return math::select(x > V(0), V(1), math::constant<V>(negative_slope));
  }
};

template <operand X> auto leaky_relu(X&& x, leaky_relu_op const& options = {}) {
  if (!math::isfinite(options.negative_slope))
    fail<argument_error>("leaky_relu", "negative_slope must be finite, but is ", options.negative_slope);
  return apply(options, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/rowwise.hpp --------------------------------------------------------------------------------------
// limbic/ops/rowwise.hpp - ops that treat every line along one axis alike
//
// Such an op has an option `axis` and says, with the verbs of backend/row.hpp:
//
//   forward_row(x, y)          y from x
//   adjoint_row(x, y, dy, dx)  what `needs` does not name arrives as a null row

LIMBIC_BEGIN

// An op that says what becomes of one row.
template <class Op> concept has_rows =
    requires { &Op::axis; } && requires(Op const& o, row<double, scalar> r) { o.forward_row(r, r); };

namespace detail {
template <class Op> struct row_forward {
  Op o;
  void constexpr operator()(auto x, auto y) const { o.forward_row(x, y); }
};
template <class Op> struct row_adjoint {
  Op o;
  void constexpr operator()(auto x, auto y, auto dy, auto dx) const { o.adjoint_row(x, y, dy, dx); }
};
}  // namespace detail

template <class Op> struct rowwise_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = Op::needs;
  Op o;  // what says forward_row and adjoint_row

  template <int R> shape<R> shape_of(shape<R> const& x) const {
    normalize_axis(name, o.axis, R);
    return x;
  }
  void forward(auto d, auto y, auto x) const { for_each_row(d, o.axis, detail::row_forward<Op>{o}, x, y); }
  void adjoint(auto d, auto x, auto y, auto dy, auto dx) const {
    if (dx) for_each_row(d, o.axis, detail::row_adjoint<Op>{o}, x, y, dy, dx);
  }
};

template <has_rows Op> constexpr rowwise_op<Op> lift(Op const& o, says_less) { return {o}; }

LIMBIC_END
// ---- limbic/ops/log_softmax.hpp ----------------------------------------------------------------------------------
// limbic/ops/log_softmax.hpp - logarithm of the softmax along one axis
//
//   y_j   = x_j - m - log sum_k e^(x_k - m),  m = max_k x_k     (m cancels; it prevents overflow)
//   x'_j += y'_j - e^(y_j) sum_k y'_k
//
// shape   any of rank >= 1 -> same; axis counts from the back when negative
// domain  all finite numbers; -inf beside finite numbers gives -inf; NaN spreads over its row

LIMBIC_BEGIN

struct log_softmax_op {
  static constexpr std::string_view name = "log_softmax";
  static constexpr keep needs = keep::output;
  int axis = -1;

  constexpr void forward_row(auto x, auto y) const {
    auto const m = max(x);
    auto const total = fold(sum_of{}, [m](auto v) { return math::exp(v - math::broadcast<decltype(v)>(m)); }, x);
    map(y, [](auto v, auto largest, auto log_total) { return v - largest - log_total; }, x, m, math::log(total));
  }
  constexpr void adjoint_row(auto, auto y, auto dy, auto dx) const {
    map(dx, [](auto v, auto g, auto total) { return g - math::exp(v) * total; }, y, dy, sum(dy));
  }
};

template <operand X> auto log_softmax(X&& x, int axis = -1) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(log_softmax_op{.axis = axis}, std::forward<X>(x));
  else static_assert(fit, "limbic: log_softmax takes a tensor of rank 1 or more");
}

LIMBIC_END
// ---- limbic/ops/relu.hpp -----------------------------------------------------------------------------------------
// limbic/ops/relu.hpp - rectified linear units
//
//   relu(x)  = max(x, 0)
//   relu6(x) = min(max(x, 0), 6)       Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10"
//
// shape   any -> same
// adjoint x' += y' where the line rises; 0 at the kinks (x = 0, x = 6), from y alone, so the tape may free x
// domain  all numbers; NaN stays NaN

LIMBIC_BEGIN

struct relu_op {
  static constexpr std::string_view name = "relu";
  static constexpr keep needs = keep::output;
  static constexpr bool rectifies = true;

  template <class V> constexpr V value(V x) const { return math::select(x <= V(0), V(0), x); }
  template <class V> constexpr V slope(V y) const { return math::select(y <= V(0), V(0), V(1)); }
};

struct relu6_op {
  static constexpr std::string_view name = "relu6";
  static constexpr keep needs = keep::output;
  static constexpr bool rectifies = true;

  template <class V> constexpr V value(V x) const {
    return math::select(x <= V(0), V(0), math::select(x >= V(6), V(6), x));
  }
  template <class V> constexpr V slope(V y) const {
    return math::select(math::either(y <= V(0), y >= V(6)), V(0), V(1));
  }
};

template <operand X> auto relu(X&& x) { return apply(relu_op{}, std::forward<X>(x)); }
template <operand X> auto relu6(X&& x) { return apply(relu6_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/sigmoid.hpp --------------------------------------------------------------------------------------
// limbic/ops/sigmoid.hpp - logistic function
//
//   y = 1 / (1 + e^-x)
//
// shape   any -> same
// adjoint x' += y' y (1 - y)    from y alone, so the tape may free x
// domain  all numbers, infinities too; NaN stays NaN

LIMBIC_BEGIN

struct sigmoid_op {
  static constexpr std::string_view name = "sigmoid";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::sigmoid(x); }
  template <class V> constexpr V slope(V y) const { return y * (V(1) - y); }
};

template <operand X> auto sigmoid(X&& x) { return apply(sigmoid_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/silu.hpp -----------------------------------------------------------------------------------------
// limbic/ops/silu.hpp - sigmoid linear unit (swish)
//
//   y = x s,  s = 1 / (1 + e^-x)       Elfwing, Uchibe and Doya 2017, arXiv:1702.03118
//
// shape   any -> same
// adjoint x' += y' s (1 + x (1 - s))
// domain  all finite numbers (far left s underflows to 0, and y with it); NaN stays NaN

LIMBIC_BEGIN

struct silu_op {
  static constexpr std::string_view name = "silu";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V x) const { return x * math::sigmoid(x); }
  template <class V> constexpr V slope(V x) const {
    V const s = math::sigmoid(x);
    return s + x * s * (V(1) - s);  // s first: at -1e4 the product is 0, never 0 times infinity
  }
};

template <operand X> auto silu(X&& x) { return apply(silu_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/softmax.hpp --------------------------------------------------------------------------------------
// limbic/ops/softmax.hpp - softmax along one axis
//
//   y_j   = e^(x_j - m) / sum_k e^(x_k - m),  m = max_k x_k   (m cancels; it prevents overflow)
//   x'_j += y_j (y'_j - sum_k y_k y'_k)
//
// shape   any of rank >= 1 -> same; axis counts from the back when negative

LIMBIC_BEGIN

struct softmax_op {
  static constexpr std::string_view name = "softmax";
  static constexpr keep needs = keep::output;
  int axis = -1;

  constexpr void forward_row(auto x, auto y) const {
    map(y, [](auto v, auto m) { return math::exp(v - m); }, x, max(x));
    map(y, [](auto v, auto s) { return v / s; }, y, sum(y));  // sum >= 1: one term is e^0
  }
  constexpr void adjoint_row(auto, auto y, auto dy, auto dx) const {
    map(dx, [](auto p, auto g, auto mean) { return p * (g - mean); }, y, dy, dot(y, dy));
  }
};

template <operand X> auto softmax(X&& x, int axis = -1) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(softmax_op{.axis = axis}, std::forward<X>(x));
  else static_assert(fit, "limbic: softmax takes a tensor of rank 1 or more");
}

LIMBIC_END
// ---- limbic/ops/softplus.hpp -------------------------------------------------------------------------------------
// limbic/ops/softplus.hpp - smooth rectifier
//
//   y = log(1 + e^(beta x)) / beta      beta x <= threshold
//   y = x                               beta x >  threshold, where the two agree to rounding
//
// shape   any -> same
// adjoint x' += y' / (1 + e^(-beta x)), or y' beyond the threshold
// domain  beta > 0; NaN stays NaN

LIMBIC_BEGIN

struct softplus_op {
  static constexpr std::string_view name = "softplus";
  static constexpr keep needs = keep::input;
  double beta = 1.0;
  double threshold = 20.0;

  template <class V> constexpr V value(V x) const {
    V const z = math::constant<V>(beta) * x, limit = math::constant<V>(threshold);
    V const curve = math::log1p(math::exp(math::min(z, limit))) / math::constant<V>(beta);
    return math::select(z > limit, x, curve);
  }
  template <class V> constexpr V slope(V x) const {
    V const z = math::constant<V>(beta) * x;
    return math::select(z > math::constant<V>(threshold), V(1), math::sigmoid(z));
  }
};

template <operand X> auto softplus(X&& x, softplus_op const& options = {}) {
  if (!(options.beta > 0)) fail<argument_error>("softplus", "beta must be positive, but is ", options.beta);
  return apply(options, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/tanh.hpp -----------------------------------------------------------------------------------------
// limbic/ops/tanh.hpp - hyperbolic tangent
//
//   y = (e^x - e^-x) / (e^x + e^-x)
//
// shape   any -> same
// adjoint x' += y' (1 - y^2)    from y alone, so the tape may free x
// domain  all numbers, infinities too; NaN stays NaN

LIMBIC_BEGIN

struct tanh_op {
  static constexpr std::string_view name = "tanh";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::tanh(x); }
  template <class V> constexpr V slope(V y) const { return V(1) - y * y; }
};

template <operand X> auto tanh(X&& x) { return apply(tanh_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/abs.hpp ------------------------------------------------------------------------------------------
// limbic/ops/abs.hpp - absolute value
//
//   y = |x|
//
// shape   any -> same
// adjoint x' += y' sign(x), 0 at x = 0

LIMBIC_BEGIN

struct abs_op {
  static constexpr std::string_view name = "abs";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V x) const { return math::abs(x); }
  template <class V> constexpr V slope(V x) const { return math::sign(x); }
};

template <operand X> auto abs(X&& x) { return apply(abs_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/number.hpp ---------------------------------------------------------------------------------------
// limbic/ops/number.hpp - plain numbers beside operands
//
// x + 2, 1 - x: the number is an option of the op (a double), so that no tensor is made of it.

LIMBIC_BEGIN

// A number of the language: what may stand beside an operand.
template <class S> concept plain_number = std::is_arithmetic_v<std::remove_cvref_t<S>>;

LIMBIC_END
// ---- limbic/ops/add.hpp ------------------------------------------------------------------------------------------
// limbic/ops/add.hpp - sums
//
//   y = a + b       add_number: y = x + c
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y', b' += y', summed over the axes along which an operand was stretched

LIMBIC_BEGIN

struct add_op {
  static constexpr std::string_view name = "add";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return a + b; }
  template <class V> constexpr auto slopes() const { return results{V(1), V(1)}; }
};
struct add_number_op {
  static constexpr std::string_view name = "add_number";
  static constexpr keep needs = keep::nothing;
  double c = 0;

  template <class V> constexpr V value(V x) const { return x + math::constant<V>(c); }
  template <class V> constexpr auto slopes() const { return results{V(1)}; }
};

template <operand A, operand B> auto add(A&& a, B&& b) {
  return apply(add_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto add(X&& x, C c) {
  return apply(add_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto add(C c, X&& x) { return add(std::forward<X>(x), c); }

LIMBIC_END
// ---- limbic/ops/clamp.hpp ----------------------------------------------------------------------------------------
// limbic/ops/clamp.hpp - values kept between two bounds
//
//   y = min(max(x, min), max)       a bound that is not given does not bind; where min > max, max wins (as PyTorch)
//
// shape   any -> same
// adjoint x' += y' where min <= x <= max
// domain  all numbers; NaN stays NaN

LIMBIC_BEGIN

struct clamp_op {
  static constexpr std::string_view name = "clamp";
  static constexpr keep needs = keep::input;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();

  template <class V> constexpr V value(V x) const {
    V const low = math::constant<V>(min), high = math::constant<V>(max);
    V const above = math::select(x < low, low, x);
    return math::select(above > high, high, above);
  }
  template <class V> constexpr V slope(V x) const {
    return math::select(math::both(x >= math::constant<V>(min), x <= math::constant<V>(max)), V(1), V(0));
  }
};

template <operand X> auto clamp(X&& x, clamp_op const& bounds) {
  if (math::isnan(bounds.min) || math::isnan(bounds.max))
    fail<argument_error>("clamp", "the bounds must be numbers, but are ", bounds.min, " and ", bounds.max);
  return apply(bounds, std::forward<X>(x));
}
template <operand X> auto clamp(X&& x, double min, double max) {
  return clamp(std::forward<X>(x), clamp_op{.min = min, .max = max});
}

LIMBIC_END
// ---- limbic/ops/compare.hpp --------------------------------------------------------------------------------------
// limbic/ops/compare.hpp - comparisons as masks
//
//   equal(a, b)            y = 1 where a == b, else 0; in all of them the second may be a number
//   less(a, b)             y = 1 where a < b, else 0
//   less_equal(a, b)       y = 1 where a <= b, else 0
//   greater(a, b)          y = 1 where a > b, else 0
//   greater_equal(a, b)    y = 1 where a >= b, else 0
//
// shape   broadcast (NumPy's rule)
// adjoint 0: a step has no slope
// domain  all numbers; false where either is NaN

LIMBIC_BEGIN

struct equal_op {
  static constexpr std::string_view name = "equal";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a == b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct less_op {
  static constexpr std::string_view name = "less";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a < b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct less_equal_op {
  static constexpr std::string_view name = "less_equal";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a <= b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct greater_op {
  static constexpr std::string_view name = "greater";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a > b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};
struct greater_equal_op {
  static constexpr std::string_view name = "greater_equal";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return math::select(a >= b, V(1), V(0)); }
  template <class V> constexpr auto slopes() const { return results{V(0), V(0)}; }
};

// x against a number.
template <class Op> struct compare_number_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = keep::nothing;
  double c = 0;  // the number

  template <class V> constexpr V value(V x) const { return Op{}.value(x, math::constant<V>(c)); }
  template <class V> constexpr auto slopes() const { return results{V(0)}; }
};

template <operand A, operand B> auto equal(A&& a, B&& b) {
  return apply(equal_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto equal(X&& x, C c) {
  return apply(compare_number_op<equal_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto less(A&& a, B&& b) {
  return apply(less_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto less(X&& x, C c) {
  return apply(compare_number_op<less_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto less_equal(A&& a, B&& b) {
  return apply(less_equal_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto less_equal(X&& x, C c) {
  return apply(compare_number_op<less_equal_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto greater(A&& a, B&& b) {
  return apply(greater_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto greater(X&& x, C c) {
  return apply(compare_number_op<greater_op>{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand A, operand B> auto greater_equal(A&& a, B&& b) {
  return apply(greater_equal_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto greater_equal(X&& x, C c) {
  return apply(compare_number_op<greater_equal_op>{static_cast<double>(c)}, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/div.hpp ------------------------------------------------------------------------------------------
// limbic/ops/div.hpp - quotients
//
//   y = a / b       div_number: y = x / c       divide_number: y = c / x       reciprocal: y = 1 / x
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' / b, b' -= y' (a / b) / b, summed over the axes along which an operand was stretched
// domain  IEEE 754: 1 / 0 is infinite, 0 / 0 is NaN. Where y' = 0, nothing is added, whatever the slope.

LIMBIC_BEGIN

struct div_op {
  static constexpr std::string_view name = "div";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V a, V b) const { return a / b; }
  template <class V> constexpr auto slopes(V a, V b) const { return results{V(1) / b, -(a / b) / b}; }
};
struct div_number_op {
  static constexpr std::string_view name = "div_number";
  static constexpr keep needs = keep::nothing;
  double c = 1;

  template <class V> constexpr V value(V x) const { return x / math::constant<V>(c); }
  template <class V> constexpr auto slopes() const { return results{V(1) / math::constant<V>(c)}; }
};
struct divide_number_op {
  static constexpr std::string_view name = "divide_number";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;
  double c = 1;

  template <class V> constexpr V value(V x) const { return math::constant<V>(c) / x; }
  template <class V> constexpr V slope(V x) const { return -(math::constant<V>(c) / x) / x; }
};
struct reciprocal_op {
  static constexpr std::string_view name = "reciprocal";
  static constexpr keep needs = keep::output;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return V(1) / x; }
  template <class V> constexpr V slope(V y) const { return -y * y; }
};

template <operand A, operand B> auto div(A&& a, B&& b) {
  return apply(div_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto div(X&& x, C c) {
  return apply(div_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto div(C c, X&& x) {
  return apply(divide_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X> auto reciprocal(X&& x) { return apply(reciprocal_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/exp.hpp ------------------------------------------------------------------------------------------
// limbic/ops/exp.hpp - exponentials
//
//   exp:  y = e^x          expm1:  y = e^x - 1, exact for small x
//
// shape   any -> same
// adjoint x' += y' y,  x' += y' (y + 1)    from y alone, so the tape may free x

LIMBIC_BEGIN

struct exp_op {
  static constexpr std::string_view name = "exp";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::exp(x); }
  template <class V> constexpr V slope(V y) const { return y; }
};
struct expm1_op {
  static constexpr std::string_view name = "expm1";
  static constexpr keep needs = keep::output;

  template <class V> constexpr V value(V x) const { return math::expm1(x); }
  template <class V> constexpr V slope(V y) const { return y + V(1); }
};

template <operand X> auto exp(X&& x) { return apply(exp_op{}, std::forward<X>(x)); }
template <operand X> auto expm1(X&& x) { return apply(expm1_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/hypot.hpp ----------------------------------------------------------------------------------------
// limbic/ops/hypot.hpp - length of the vector (a, b)
//
//   y = sqrt(a^2 + b^2), as m sqrt(1 + (n / m)^2) with m the greater and n the lesser of |a| and |b|: no square overflows,
//   or vanishes
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' a / y,  b' += y' b / y;  0 where y = 0 (of the subgradients the least), in second derivatives too
// domain  all numbers; a NaN in either gives NaN, an infinity beside a number infinity

LIMBIC_BEGIN

struct hypot_op {
  static constexpr std::string_view name = "hypot";
  static constexpr keep needs = keep::input | keep::output;

  template <class V> constexpr V value(V a, V b) const {
    V const x = math::abs(a), y = math::abs(b), m = math::max(x, y), n = math::min(x, y);
    V const ratio = math::select(m == n, V(1), n / m);  // 0 / 0, inf / inf
    return m * math::sqrt(V(1) + ratio * ratio);
  }
  template <class V> constexpr auto slopes(V a, V b, V y) const {
    return results{math::select(y == V(0), V(0), a / y), math::select(y == V(0), V(0), b / y)};
  }
};

template <operand A, operand B> auto hypot(A&& a, B&& b) {
  return apply(hypot_op{}, std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
// ---- limbic/ops/log.hpp ------------------------------------------------------------------------------------------
// limbic/ops/log.hpp - natural logarithms
//
//   log:  y = log x        log1p:  y = log(1 + x), exact for small x
//
// shape   any -> same
// adjoint x' += y' / x,  x' += y' / (1 + x); where y' = 0 nothing is added, whatever the slope
// domain  log 0 = -inf, NaN below

LIMBIC_BEGIN

struct log_op {
  static constexpr std::string_view name = "log";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return math::log(x); }
  template <class V> constexpr V slope(V x) const { return V(1) / x; }
};
struct log1p_op {
  static constexpr std::string_view name = "log1p";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return math::log1p(x); }
  template <class V> constexpr V slope(V x) const { return V(1) / (V(1) + x); }
};

template <operand X> auto log(X&& x) { return apply(log_op{}, std::forward<X>(x)); }
template <operand X> auto log1p(X&& x) { return apply(log1p_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/minimum.hpp --------------------------------------------------------------------------------------
// limbic/ops/minimum.hpp - the lesser and the greater of two
//
//   minimum: y = min(a, b)        maximum: y = max(a, b)
//
// shape   broadcast (NumPy's rule)
// adjoint to the operand that is chosen, half to each at a tie (as PyTorch); summed over the axes along which an operand
//         was stretched
// domain  all numbers; a NaN in either gives NaN

LIMBIC_BEGIN

struct minimum_op {
  static constexpr std::string_view name = "minimum";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V a, V b) const { return math::min(a, b); }
  template <class V> constexpr auto slopes(V a, V b) const {
    V const half = math::constant<V>(0.5), tie = math::select(a == b, half, V(1));
    return results{math::select(a > b, V(0), tie), math::select(a < b, V(0), tie)};
  }
};
struct maximum_op {
  static constexpr std::string_view name = "maximum";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V a, V b) const { return math::max(a, b); }
  template <class V> constexpr auto slopes(V a, V b) const {
    V const half = math::constant<V>(0.5), tie = math::select(a == b, half, V(1));
    return results{math::select(a < b, V(0), tie), math::select(a > b, V(0), tie)};
  }
};

template <operand A, operand B> auto minimum(A&& a, B&& b) {
  return apply(minimum_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand A, operand B> auto maximum(A&& a, B&& b) {
  return apply(maximum_op{}, std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
// ---- limbic/ops/mul.hpp ------------------------------------------------------------------------------------------
// limbic/ops/mul.hpp - products of elements
//
//   y = a b         mul_number: y = c x        square: y = x^2
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' b, b' += y' a, summed over the axes along which an operand was stretched;  x' += 2 x y'

LIMBIC_BEGIN

struct mul_op {
  static constexpr std::string_view name = "mul";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V a, V b) const { return a * b; }
  template <class V> constexpr auto slopes(V a, V b) const { return results{b, a}; }
};
struct mul_number_op {
  static constexpr std::string_view name = "mul_number";
  static constexpr keep needs = keep::nothing;
  double c = 1;

  template <class V> constexpr V value(V x) const { return x * math::constant<V>(c); }
  template <class V> constexpr auto slopes() const { return results{math::constant<V>(c)}; }
};
struct square_op {
  static constexpr std::string_view name = "square";
  static constexpr keep needs = keep::input;

  template <class V> constexpr V value(V x) const { return x * x; }
  template <class V> constexpr V slope(V x) const { return x + x; }
};

template <operand A, operand B> auto mul(A&& a, B&& b) {
  return apply(mul_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto mul(X&& x, C c) {
  return apply(mul_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto mul(C c, X&& x) { return mul(std::forward<X>(x), c); }
template <operand X> auto square(X&& x) { return apply(square_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/sub.hpp ------------------------------------------------------------------------------------------
// limbic/ops/sub.hpp - differences
//
//   y = a - b       subtract_from: y = c - x       neg: y = -x       (x - c is add_number with -c)
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y', b' -= y', summed over the axes along which an operand was stretched

LIMBIC_BEGIN

struct sub_op {
  static constexpr std::string_view name = "sub";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V a, V b) const { return a - b; }
  template <class V> constexpr auto slopes() const { return results{V(1), V(-1)}; }
};
struct subtract_from_op {
  static constexpr std::string_view name = "subtract_from";
  static constexpr keep needs = keep::nothing;
  double c = 0;

  template <class V> constexpr V value(V x) const { return math::constant<V>(c) - x; }
  template <class V> constexpr auto slopes() const { return results{V(-1)}; }
};
struct neg_op {
  static constexpr std::string_view name = "neg";
  static constexpr keep needs = keep::nothing;

  template <class V> constexpr V value(V x) const { return -x; }
  template <class V> constexpr auto slopes() const { return results{V(-1)}; }
};

template <operand A, operand B> auto sub(A&& a, B&& b) {
  return apply(sub_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto sub(X&& x, C c) { return add(std::forward<X>(x), -static_cast<double>(c)); }
template <operand X, plain_number C> auto sub(C c, X&& x) {
  return apply(subtract_from_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X> auto neg(X&& x) { return apply(neg_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/operators.hpp ------------------------------------------------------------------------------------
// limbic/ops/operators.hpp - a + b, a - b, a * b, a / b, -a on tensors, views, parameters and variables
//
// One side may be a plain number. The operators take nothing but the library's own types, so that they never meet a
// type of the user's in an overload set where they would be a better match.

LIMBIC_BEGIN

namespace detail {
template <class A> inline constexpr bool is_array = false;
template <class T, int R, class D> inline constexpr bool is_array<tensor<T, R, D>> = true;
template <class T, int R, class D> inline constexpr bool is_array<view<T, R, D>> = true;
template <class T, int R, class D> inline constexpr bool is_array<parameter<T, R, D>> = true;
}  // namespace detail

// What the operators take: tensors, views, parameters and variables of this library.
template <class A> concept array_operand = operand<A> && (recorded<A> || detail::is_array<std::remove_cvref_t<A>>);

template <array_operand X> auto operator-(X&& x) { return neg(std::forward<X>(x)); }

template <array_operand A, array_operand B> auto operator+(A&& a, B&& b) {
  return add(std::forward<A>(a), std::forward<B>(b));
}
template <array_operand A, array_operand B> auto operator-(A&& a, B&& b) {
  return sub(std::forward<A>(a), std::forward<B>(b));
}
template <array_operand A, array_operand B> auto operator*(A&& a, B&& b) {
  return mul(std::forward<A>(a), std::forward<B>(b));
}
template <array_operand A, array_operand B> auto operator/(A&& a, B&& b) {
  return div(std::forward<A>(a), std::forward<B>(b));
}

template <array_operand X, plain_number C> auto operator+(X&& x, C c) { return add(std::forward<X>(x), c); }
template <array_operand X, plain_number C> auto operator-(X&& x, C c) { return sub(std::forward<X>(x), c); }
template <array_operand X, plain_number C> auto operator*(X&& x, C c) { return mul(std::forward<X>(x), c); }
template <array_operand X, plain_number C> auto operator/(X&& x, C c) { return div(std::forward<X>(x), c); }

template <plain_number C, array_operand X> auto operator+(C c, X&& x) { return add(c, std::forward<X>(x)); }
template <plain_number C, array_operand X> auto operator-(C c, X&& x) { return sub(c, std::forward<X>(x)); }
template <plain_number C, array_operand X> auto operator*(C c, X&& x) { return mul(c, std::forward<X>(x)); }
template <plain_number C, array_operand X> auto operator/(C c, X&& x) { return div(c, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/pow.hpp ------------------------------------------------------------------------------------------
// limbic/ops/pow.hpp - powers
//
//   y = a^b         pow_number: y = x^c        number_pow: y = c^x
//
// shape   broadcast (NumPy's rule)
// adjoint a' += y' b a^(b-1)    nothing where b = 0
//         b' += y' y log a      nothing where a = 0 and b >= 0
//         summed over the axes along which an operand was stretched; where y' = 0 nothing is added
// domain  IEEE 754: NaN for a negative base and an exponent that is not whole

LIMBIC_BEGIN

struct pow_op {
  static constexpr std::string_view name = "pow";
  static constexpr keep needs = keep::input | keep::output;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V a, V b) const { return math::pow(a, b); }
  template <class V> constexpr auto slopes(V a, V b, V y) const {
    V const da = math::select(b == V(0), V(0), b * math::pow(a, b - V(1)));
    V const db = math::select(math::both(a == V(0), b >= V(0)), V(0), y * math::log(a));
    return results{da, db};
  }
};
struct pow_number_op {
  static constexpr std::string_view name = "pow_number";
  static constexpr keep needs = keep::input;
  static constexpr bool unbounded = true;
  double c = 1;

  template <class V> constexpr V value(V x) const { return power(x, c); }
  template <class V> constexpr V slope(V x) const { return c == 0 ? V(0) : math::constant<V>(c) * power(x, c - 1); }

 private:
  // The exponents that programs are full of need no logarithm.
  template <class V> static constexpr V power(V x, double c) {
    if (c == 1) return x;
    if (c == 2) return x * x;
    if (c == 3) return x * x * x;
    if (c == 0.5) return math::sqrt(x);
    if (c == -1) return V(1) / x;
    return math::pow(x, math::constant<V>(c));
  }
};
struct number_pow_op {
  static constexpr std::string_view name = "number_pow";
  static constexpr keep needs = keep::output;
  double c = 1;

  template <class V> constexpr V value(V x) const { return math::pow(math::constant<V>(c), x); }
  template <class V> constexpr V slope(V y) const { return c == 0 ? V(0) : y * math::log(math::constant<V>(c)); }
};

template <operand A, operand B> auto pow(A&& a, B&& b) {
  return apply(pow_op{}, std::forward<A>(a), std::forward<B>(b));
}
template <operand X, plain_number C> auto pow(X&& x, C c) {
  return apply(pow_number_op{static_cast<double>(c)}, std::forward<X>(x));
}
template <operand X, plain_number C> auto pow(C c, X&& x) {
  return apply(number_pow_op{static_cast<double>(c)}, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/sqrt.hpp -----------------------------------------------------------------------------------------
// limbic/ops/sqrt.hpp - square root
//
//   y = x^(1/2)
//
// shape   any -> same
// adjoint x' += y' / (2 y)    from y alone; where y' = 0 nothing is added, at y = 0 too
// domain  x >= 0, NaN below

LIMBIC_BEGIN

struct sqrt_op {
  static constexpr std::string_view name = "sqrt";
  static constexpr keep needs = keep::output;
  static constexpr bool unbounded = true;

  template <class V> constexpr V value(V x) const { return math::sqrt(x); }
  template <class V> constexpr V slope(V y) const { return math::constant<V>(0.5) / y; }
};

template <operand X> auto sqrt(X&& x) { return apply(sqrt_op{}, std::forward<X>(x)); }

LIMBIC_END
// ---- limbic/ops/where.hpp ----------------------------------------------------------------------------------------
// limbic/ops/where.hpp - a choice, element by element
//
//   y = a where mask != 0, else b       the mask has the operands' element type: 0 or 1, as comparisons give it
//
// shape   broadcast of all three (NumPy's rule)
// adjoint a' += y' where chosen, b' += y' elsewhere; exactly 0 at the others, even where y' is infinite. The mask gets 0.

LIMBIC_BEGIN

struct where_op {
  static constexpr std::string_view name = "where";
  static constexpr keep needs = keep::inputs(0);

  template <int M, int A, int B> auto shape_of(shape<M> const& mask, shape<A> const& a, shape<B> const& b) const {
    return broadcast(name, mask, broadcast(name, a, b));
  }
  void forward(auto d, auto y, auto mask, auto a, auto b) const { map(d, y, choose{}, mask, a, b); }
  void adjoint(auto d, auto mask, auto, auto, auto, auto dy, auto dmask, auto da, auto db) const {
    no_gradient(d, dmask);
    detail::spread_back(d, da, chosen<true>{}, dy, mask);
    detail::spread_back(d, db, chosen<false>{}, dy, mask);
  }

  struct choose {
    template <class V> constexpr V operator()(V mask, V a, V b) const { return math::select(mask == V(0), b, a); }
  };
  template <bool First> struct chosen {
    template <class V> constexpr V operator()(V dy, V mask) const {
      return First ? math::select(mask == V(0), V(0), dy) : math::select(mask == V(0), dy, V(0));
    }
  };
};

template <operand M, operand A, operand B> auto where(M&& mask, A&& a, B&& b) {
  return apply(where_op{}, std::forward<M>(mask), std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
// ---- limbic/ops/along.hpp ----------------------------------------------------------------------------------------
// limbic/ops/along.hpp - what sum, mean, max and their kin share: which axis they run over, and what becomes of it
//
//   sum(x, axis)              the axis is gone: rank R - 1
//   sum(x, axis, keepdim)     the axis stays with extent 1: rank R
//   sum(x)                    over all elements: rank 0
//
// An axis counts from the back when negative.

LIMBIC_BEGIN

// Asks to keep the reduced axis, with extent 1.
struct keepdim_t {};
inline constexpr keepdim_t keepdim{};  // as in sum(x, axis, keepdim)

// What is reduced: an axis, which goes or stays, or everything.
enum class over { axis, axis_kept, all };

template <over Kind> struct along {
  int axis = 0;

  // The shape of the result; index_error where there is no such axis.
  template <int R> auto reduced(std::string_view name, shape<R> const& x) const {
    if constexpr (Kind == over::all) {
      return shape<0>();
    } else {
      int const a = normalize_axis(name, axis, R);
      shape<Kind == over::axis ? R - 1 : R> y;
      for (int i = 0, k = 0; i < R; ++i) {
        if (i != a) y[k++] = x[i];
        else if (Kind == over::axis_kept) y[k++] = 1;
      }
      return y;
    }
  }
  // How many elements make one result.
  template <int R> std::ptrdiff_t count(shape<R> const& x) const {
    return Kind == over::all ? x.size() : x[axis < 0 ? axis + R : axis];
  }
  // The result with the rank of the operand and extent 1 where that was reduced: it broadcasts against the operand.
  template <int R, class T, int S, class D> view<T, R, D> wide(view<T, S, D> const& y) const {
    if constexpr (Kind == over::axis) return y.unsqueeze(axis);
    else return detail::lead<R>(y);
  }
  template <int R, class T, int S, class D> sink<T, R, D> wide(sink<T, S, D> const& y) const {
    return {wide<R>(y.to), y.add};
  }
  // The greatest of no elements does not exist.
  template <int R> void check_not_empty(std::string_view name, shape<R> const& x) const {
    if (count(x) != 0) return;
    if (Kind == over::all || reduced(name, x).size() != 0)
      fail<argument_error>(name, "there is nothing to choose from in shape ", x,
                           Kind == over::all ? "" : " along its axis of extent 0");
  }
};

namespace detail {
// A wrong rank is to cost a line, not the whole way down.
template <class Op, operand X> auto apply_along(Op const& o, X&& x) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(o, std::forward<X>(x));
  else static_assert(fit, "limbic: a reduction along an axis takes a tensor of rank 1 or more");
}
}  // namespace detail

LIMBIC_END
// ---- limbic/ops/logsumexp.hpp ------------------------------------------------------------------------------------
// limbic/ops/logsumexp.hpp - the logarithm of a sum of exponentials along an axis, or over all elements
//
//   y = m + log sum_i e^(x_i - m),  m = max_i x_i     (m cancels; it prevents overflow)
//
// shape   see along.hpp
// adjoint x'_i += y' e^(x_i - y)
// domain  all numbers: of nothing but -inf (or of no elements) it is -inf, with gradient 0; NaN stays NaN

LIMBIC_BEGIN

template <over Kind> struct logsumexp_op : along<Kind> {
  static constexpr std::string_view name = "logsumexp";
  static constexpr keep needs = keep::input | keep::output;

  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }

  template <class D, class X> void forward(D d, auto y, X x) const {
    auto const wide = this->template wide<X::rank>(y);
    tensor<typename X::value_type, X::rank, D> largest(wide.shape(), uninitialized);
    reduce(d, largest, max_of{}, x);
    map(d, largest, finite_part{}, largest);
    reduce(d, wide, sum_of{}, shifted_exp{}, x, largest);
    map(d, wide, shifted_log{}, wide, largest);
  }
  template <class D, class X> void adjoint(D d, X x, auto y, auto dy, auto dx) const {
    map(d, dx, share{}, x, this->template wide<X::rank>(y), this->template wide<X::rank>(dy));
  }

  struct finite_part {  // inf - inf would be NaN
    template <class V> constexpr V operator()(V m) const {
      return math::select(math::either(math::isfinite(m), math::isnan(m)), m, V(0));
    }
  };
  struct shifted_exp {
    template <class V> constexpr V operator()(V x, V m) const { return math::exp(x - m); }
  };
  struct shifted_log {
    template <class V> constexpr V operator()(V total, V m) const { return m + math::log(total); }
  };
  struct share {
    template <class V> constexpr V operator()(V x, V y, V dy) const {
      V const lowest = math::constant<V>(-std::numeric_limits<double>::infinity());
      return dy * math::exp(x - math::select(y == lowest, V(0), y));
    }
  };
};

template <operand X> auto logsumexp(X&& x) { return apply(logsumexp_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto logsumexp(X&& x, int axis) {
  return detail::apply_along(logsumexp_op<over::axis>{{axis}}, std::forward<X>(x));
}
template <operand X> auto logsumexp(X&& x, int axis, keepdim_t) {
  return detail::apply_along(logsumexp_op<over::axis_kept>{{axis}}, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/max.hpp ------------------------------------------------------------------------------------------
// limbic/ops/max.hpp - the greatest or least element along an axis, or of all elements, and where it stands
//
//   max: y = max_i x_i        min: y = min_i x_i        argmax, argmin: the first i where it is
//
// shape   see along.hpp; argmax and argmin give int64 and are never recorded
// adjoint x'_i += y' at the first i with x_i = y, nothing elsewhere
// domain  at least one element; a NaN is both the greatest and the least

LIMBIC_BEGIN

namespace detail {

template <bool Greatest> struct extreme_adjoint {
  constexpr void operator()(auto x, auto dy, auto dx) const { place(dx, Greatest ? argmax(x) : argmin(x), dy[0]); }
};
template <bool Greatest> struct extreme_index {
  constexpr void operator()(auto x, auto y) const { y.put(0, Greatest ? argmax(x) : argmin(x)); }
};

template <over Kind, bool Greatest> struct extreme : along<Kind> {
  using combine = std::conditional_t<Greatest, max_of, min_of>;

  template <int R> auto extreme_shape(std::string_view op, shape<R> const& x) const {
    auto const y = this->reduced(op, x);
    this->check_not_empty(op, x);
    return y;
  }
  template <class D, class X> void forward(D d, auto y, X x) const {
    reduce(d, this->template wide<X::rank>(y), combine{}, x);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    if (!dx || x.size() == 0) return;
    if constexpr (Kind == over::all) {  // one row; what a tape holds is contiguous
      shape<1> const line{{x.size()}};
      using S = decltype(dx);
      for_each_row(d, 0, extreme_adjoint<Greatest>{}, x.reshape(line), dy.unsqueeze(0),
                   sink<typename S::value_type, 1, D>(dx.to.reshape(line), dx.add));
    } else {
      for_each_row(d, this->axis, extreme_adjoint<Greatest>{}, x, this->template wide<X::rank>(dy), dx);
    }
  }
};

template <bool Greatest, class D, class T, int R>
tensor<std::int64_t, R - 1, D> extreme_position(std::string_view op, D d, view<T const, R, D> x, int axis) {
  along<over::axis> const r{axis};
  tensor<std::int64_t, R - 1, D> y(r.reduced(op, x.shape()), uninitialized);
  r.check_not_empty(op, x.shape());
  if (x.size() > 0) for_each_row(d, axis, extreme_index<Greatest>{}, x, y.view().unsqueeze(axis));
  return y;
}

}  // namespace detail

template <over Kind> struct max_op : detail::extreme<Kind, true> {
  static constexpr std::string_view name = "max";
  static constexpr keep needs = keep::input;
  template <int R> auto shape_of(shape<R> const& x) const { return this->extreme_shape(name, x); }
};
template <over Kind> struct min_op : detail::extreme<Kind, false> {
  static constexpr std::string_view name = "min";
  static constexpr keep needs = keep::input;
  template <int R> auto shape_of(shape<R> const& x) const { return this->extreme_shape(name, x); }
};

template <operand X> auto max(X&& x) { return apply(max_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto max(X&& x, int axis) {
  return detail::apply_along(max_op<over::axis>{{{axis}}}, std::forward<X>(x));
}
template <operand X> auto max(X&& x, int axis, keepdim_t) {
  return detail::apply_along(max_op<over::axis_kept>{{{axis}}}, std::forward<X>(x));
}

template <operand X> auto min(X&& x) { return apply(min_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto min(X&& x, int axis) {
  return detail::apply_along(min_op<over::axis>{{{axis}}}, std::forward<X>(x));
}
template <operand X> auto min(X&& x, int axis, keepdim_t) {
  return detail::apply_along(min_op<over::axis_kept>{{{axis}}}, std::forward<X>(x));
}

// Tensors, views and parameters: the position is a number, not a value with a gradient.
template <operand X>
  requires(!recorded<X>)
auto argmax(X const& x, int axis = -1) {
  if constexpr (rank_of<X> >= 1) return detail::extreme_position<true>("argmax", device_of<X>{}, as_view(x), axis);
  else static_assert(rank_of<X> >= 1, "limbic: argmax takes a tensor of rank 1 or more");
}
template <operand X>
  requires(!recorded<X>)
auto argmin(X const& x, int axis = -1) {
  if constexpr (rank_of<X> >= 1) return detail::extreme_position<false>("argmin", device_of<X>{}, as_view(x), axis);
  else static_assert(rank_of<X> >= 1, "limbic: argmin takes a tensor of rank 1 or more");
}

LIMBIC_END
// ---- limbic/ops/percentile.hpp -----------------------------------------------------------------------------------
// limbic/ops/percentile.hpp - the value below which q of a hundred elements lie, along an axis or among all elements
//
//   percentile(x, 50)         the median
//   percentile(x, 90, 0)
//
//   y = (1 - w) x_(k) + w x_(k+1),   k = floor(p),  w = p - k,  p = q / 100 (n - 1)
//
// where x_(0) <= x_(1) <= ... are the elements in order: numpy.percentile's default, Hyndman and Fan 1996, definition 7.
// NaN among the elements gives NaN.
//
// shape   see along.hpp
// adjoint x'_i += y' (1 - w) where x_(k) stands, y' w where x_(k+1) stands: a subgradient. Equal elements are in the order
//         of their places, so each of the two has one place.
// domain  0 <= q <= 100, at least one element

LIMBIC_BEGIN

namespace detail {

struct percentile_rows {
  double q;

  // Where the two elements stand, and the weight of the second.
  struct between {
    std::ptrdiff_t first, second;
    double weight;
  };
  constexpr between find(auto x) const {
    std::ptrdiff_t const last = x.size() - 1, greatest = argmax(x);
    if (math::isnan(x[greatest])) return {greatest, greatest, 0};
    double const p = q / 100 * static_cast<double>(last);
    auto const k = static_cast<std::ptrdiff_t>(p);
    double const w = p - static_cast<double>(k);
    std::ptrdiff_t const first = nth_place(x, k);
    return {first, w > 0 ? nth_place(x, k + 1) : first, w};
  }
};
struct percentile_forward : percentile_rows {
  constexpr void operator()(auto x, auto y) const {
    using T = typename decltype(y)::value_type;
    auto const [first, second, w] = find(x);
    T const a = x[first], b = x[second];
    y.put(0, a == b || w == 0 ? a : math::constant<T>(1 - w) * a + math::constant<T>(w) * b);
  }
};
struct percentile_adjoint : percentile_rows {
  constexpr void operator()(auto x, auto dy, auto dx) const {
    using T = typename decltype(dx)::value_type;
    auto const [first, second, w] = find(x);
    T const g = dy[0];
    place(dx, first, math::constant<T>(1 - w) * g);
    dx.add = true;
    if (w > 0) dx.put(second, math::constant<T>(w) * g);
  }
};

}  // namespace detail

template <over Kind> struct percentile_op : along<Kind> {
  static constexpr std::string_view name = "percentile";
  static constexpr keep needs = keep::input;
  double q = 50;

  template <int R> auto shape_of(shape<R> const& x) const {
    auto const y = this->reduced(name, x);
    this->check_not_empty(name, x);
    return y;
  }
  template <class D, class X> void forward(D d, auto y, X x) const {
    if (x.size() == 0) return;
    for_each_row(d, this->axis, detail::percentile_forward{{q}}, x, this->template wide<X::rank>(y));
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    if (!dx || x.size() == 0) return;
    for_each_row(d, this->axis, detail::percentile_adjoint{{q}}, x, this->template wide<X::rank>(dy), dx);
  }
};

namespace detail {
template <over Kind, operand X> auto apply_percentile(X&& x, double q, int axis) {
  if (!(q >= 0 && q <= 100)) fail<argument_error>("percentile", "q must lie in [0, 100], but is ", q);
  return apply_along(percentile_op<Kind>{{axis}, q}, std::forward<X>(x));
}
}  // namespace detail

template <operand X> auto percentile(X&& x, double q) {
  return detail::apply_percentile<over::axis>(reshape(std::forward<X>(x), shape<1>{{x.shape().size()}}), q, 0);
}
template <operand X> auto percentile(X&& x, double q, int axis) {
  return detail::apply_percentile<over::axis>(std::forward<X>(x), q, axis);
}
template <operand X> auto percentile(X&& x, double q, int axis, keepdim_t) {
  return detail::apply_percentile<over::axis_kept>(std::forward<X>(x), q, axis);
}

LIMBIC_END
// ---- limbic/ops/sum.hpp ------------------------------------------------------------------------------------------
// limbic/ops/sum.hpp - sums and means along an axis, or over all elements
//
//   sum: y = sum_i x_i          mean: y = sum_i x_i / n
//
// shape   see along.hpp
// adjoint x'_i += y'          x'_i += y' / n
// domain  of no elements the sum is 0 and the mean NaN

LIMBIC_BEGIN

namespace detail {
struct divide_by {
  double n;
  template <class V> constexpr V operator()(V v) const { return v / math::constant<V>(n); }
};
}  // namespace detail

template <over Kind> struct sum_op : along<Kind> {
  static constexpr std::string_view name = "sum";
  static constexpr keep needs = keep::nothing;

  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
  template <class D, class X> void forward(D d, auto y, X x) const {
    reduce(d, this->template wide<X::rank>(y), sum_of{}, x);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    (void)x;
    copy(d, dx, this->template wide<X::rank>(dy));
  }
};

template <over Kind> struct mean_op : along<Kind> {
  static constexpr std::string_view name = "mean";
  static constexpr keep needs = keep::nothing;

  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
  template <class D, class X> void forward(D d, auto y, X x) const {
    reduce(d, this->template wide<X::rank>(y), sum_of{}, x);
    map(d, y, divided(x), y);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    map(d, dx, divided(x), this->template wide<X::rank>(dy));
  }

 private:
  detail::divide_by divided(auto const& x) const { return {static_cast<double>(this->count(x.shape()))}; }
};

template <operand X> auto sum(X&& x) { return apply(sum_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto sum(X&& x, int axis) {
  return detail::apply_along(sum_op<over::axis>{{axis}}, std::forward<X>(x));
}
template <operand X> auto sum(X&& x, int axis, keepdim_t) {
  return detail::apply_along(sum_op<over::axis_kept>{{axis}}, std::forward<X>(x));
}

template <operand X> auto mean(X&& x) { return apply(mean_op<over::all>{}, std::forward<X>(x)); }
template <operand X> auto mean(X&& x, int axis) {
  return detail::apply_along(mean_op<over::axis>{{axis}}, std::forward<X>(x));
}
template <operand X> auto mean(X&& x, int axis, keepdim_t) {
  return detail::apply_along(mean_op<over::axis_kept>{{axis}}, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/soft_histogram.hpp -------------------------------------------------------------------------------
// limbic/ops/soft_histogram.hpp - how many elements lie in each of equally wide bins, counted so that it has a gradient
//
//   soft_histogram(x, {.bins = 8, .low = -1, .high = 1})          of all elements
//   soft_histogram(x, {.bins = 8, .low = -1, .high = 1}, 1)       of each line along axis 1
//
//   h_i = sum over x of  s((x - e_i) / b) - s((x - e_{i+1}) / b),     e_i = low + i w,   w = (high - low) / bins
//       = K sum over x of  s((x - e_i) / b) s((e_{i+1} - x) / b),     K = 1 - e^(-w/b),  s the logistic sigmoid
//
// The second line is computed: nothing cancels in it. An element counts with a weight between 0 and 1 that changes over a
// few b on either side of an edge; its weights over all bins add up to s((x - low) / b) - s((x - high) / b), nearly 1
// within the range. As b goes to 0, h goes to the counts of data/histogram.hpp (but for elements on an edge, which count
// by half in both bins). The bandwidth b is a fraction of the bins' width, `bandwidth` w.
//
// shape   any -> (bins); along an axis: that axis has `bins` elements in place of its own
// adjoint x' += sum_i h'_i f_i(x) (s((e_{i+1} - x) / b) - s((x - e_i) / b)) / b,   f_i(x): what x adds to h_i
// domain  bins >= 1; low < high, both finite, and apart by a finite number; bandwidth > 0. Infinite elements count nowhere,
//         like those far outside of the range; a NaN makes all bins of its line NaN. Of no elements all heights are 0.
//         normalize divides a line's heights by their sum, so that they sum to 1; NaN where that is 0
// source  the binning of Ustinova and Lempitsky 2016, arXiv:1611.00822, with a logistic kernel

LIMBIC_BEGIN

struct soft_histogram_options {
  std::ptrdiff_t bins = 10;
  double low = 0, high = 1;  // the range, which the bins share evenly
  double bandwidth = 0.1;    // of the edges, in widths of a bin
  bool normalize = false;    // heights that sum to 1
};

namespace detail {

// A bin of soft_histogram: what an element adds to it, and the slope of that.
struct soft_bin {
  double low, high, inverse_bandwidth, scale;
  template <class V> constexpr V above(V x) const {
    return math::sigmoid((x - math::constant<V>(low)) * math::constant<V>(inverse_bandwidth));
  }
  template <class V> constexpr V below(V x) const {
    return math::sigmoid((math::constant<V>(high) - x) * math::constant<V>(inverse_bandwidth));
  }
};
struct soft_bin_height : soft_bin {
  template <class V> constexpr V operator()(V x) const { return math::constant<V>(scale) * above(x) * below(x); }
};
struct soft_bin_slope : soft_bin {
  template <class V> constexpr V operator()(V x, V dy) const {
    V const a = above(x), b = below(x);
    return dy * (math::constant<V>(scale * inverse_bandwidth) * a * b * (b - a));
  }
};

struct soft_bins {
  std::ptrdiff_t bins;
  double low, high, inverse_bandwidth, scale;

  constexpr soft_bin bin(std::ptrdiff_t i) const { return {edge(i), edge(i + 1), inverse_bandwidth, scale}; }
  constexpr double edge(std::ptrdiff_t i) const {
    return i == bins ? high : low + static_cast<double>(i) * ((high - low) / static_cast<double>(bins));
  }
};
struct soft_histogram_forward : soft_bins {
  constexpr void operator()(auto x, auto y) const {
    for (std::ptrdiff_t i = 0; i < bins; ++i) y.put(i, fold(sum_of{}, soft_bin_height{bin(i)}, x));
  }
};
struct soft_histogram_adjoint : soft_bins {
  constexpr void operator()(auto x, auto dy, auto dx) const {
    for (std::ptrdiff_t i = 0; i < bins; ++i) {
      map(dx, soft_bin_slope{bin(i)}, x, dy[i]);
      dx.add = true;
    }
  }
};

}  // namespace detail

struct soft_histogram_op {
  static constexpr std::string_view name = "soft_histogram";
  static constexpr keep needs = keep::input;
  detail::soft_bins bins;
  int axis = 0;

  template <int R> shape<R> shape_of(shape<R> x) const {
    x[normalize_axis(name, axis, R)] = bins.bins;
    return x;
  }
  template <class D, class X> void forward(D d, auto y, X x) const {
    if (x.size() == 0) return fill(d, y, typename X::value_type(0));
    for_each_row(d, axis, detail::soft_histogram_forward{bins}, x, y);
  }
  template <class D, class X> void adjoint(D d, X x, auto, auto dy, auto dx) const {
    if (!dx || x.size() == 0) return;
    for_each_row(d, axis, detail::soft_histogram_adjoint{bins}, x, dy, dx);
  }
};

namespace detail {
// T: the number in which bins are told apart.
template <class T> soft_bins make_soft_bins(soft_histogram_options const& o) {
  constexpr std::string_view name = "soft_histogram";
  if (o.bins < 1) fail<argument_error>(name, "there must be at least one bin, but bins is ", o.bins);
  if (!(o.low < o.high) || !math::isfinite(o.high - o.low))
    fail<argument_error>(name, "low must be less than high and both finite, but the range is ", o.low, " to ", o.high);
  double const inverse = static_cast<double>(o.bins) / (o.high - o.low) / o.bandwidth;
  if (!(o.bandwidth > 0) || !math::isfinite(o.bandwidth) || !math::isfinite(static_cast<T>(inverse)))
    fail<argument_error>(name, "the bandwidth must be positive and not below all numbers, but is ", o.bandwidth,
                         " of a bin's width ", (o.high - o.low) / static_cast<double>(o.bins));
  return {o.bins, o.low, o.high, inverse, -math::expm1(-1 / o.bandwidth)};
}
}  // namespace detail

template <operand X> auto soft_histogram(X&& x, soft_histogram_options const& o, int axis) {
  auto const bins = detail::make_soft_bins<base_of<element_of<X>>>(o);
  auto heights = detail::apply_along(soft_histogram_op{bins, axis}, std::forward<X>(x));
  if (!o.normalize) return heights;
  auto const total = sum(heights, axis, keepdim);
  return div(heights, total);
}
template <operand X> auto soft_histogram(X&& x, soft_histogram_options const& o) {
  return soft_histogram(reshape(std::forward<X>(x), shape<1>{{x.shape().size()}}), o, 0);
}

LIMBIC_END
// ---- limbic/ops/variance.hpp -------------------------------------------------------------------------------------
// limbic/ops/variance.hpp - variance and standard deviation along an axis, or over all elements
//
//   m = sum_i x_i / n        variance: y = sum_i (x_i - m)^2 / (n - correction)        standard_deviation: its root
//
// shape   see along.hpp; correction is an option after the axis: variance(x, 0, {.correction = 0})
// adjoint x'_i += y' 2 (x_i - m) / (n - correction)        x'_i += y' (x_i - m) / ((n - correction) y), 0 where y = 0
// domain  n > correction, else NaN or infinite (as PyTorch); correction 1 (Bessel's) unless given

LIMBIC_BEGIN

struct variance_options {
  double correction = 1;
};

namespace detail {

template <over Kind, bool Root> struct spread : along<Kind> {
  double correction = 1;

  template <class D, class X> void forward(D d, auto y, X x) const {
    auto const wide = this->template wide<X::rank>(y);
    auto const m = mean(d, x, wide.shape());
    reduce(d, wide, sum_of{}, square_distance{}, x, m);
    map(d, wide, finish{degrees(x)}, wide);
  }
  template <class D, class X> void adjoint(D d, X x, auto y, auto dy, auto dx) const {
    if (!dx) return;
    auto const wide = this->template wide<X::rank>(y);
    auto const m = mean(d, x, wide.shape());
    if constexpr (Root) map(d, dx, root_share{degrees(x)}, x, m, wide, this->template wide<X::rank>(dy));
    else map(d, dx, share{degrees(x)}, x, m, this->template wide<X::rank>(dy));
  }

  struct square_distance {
    template <class V> constexpr V operator()(V x, V m) const { return (x - m) * (x - m); }
  };
  struct divided {
    double n;
    template <class V> constexpr V operator()(V v) const { return v / math::constant<V>(n); }
  };
  struct finish {
    double n;
    template <class V> constexpr V operator()(V v) const {
      V const y = v / math::constant<V>(n);
      return Root ? math::sqrt(y) : y;
    }
  };
  struct share {
    double n;
    template <class V> constexpr V operator()(V x, V m, V dy) const {
      return dy * (math::constant<V>(2 / n) * (x - m));
    }
  };
  struct root_share {
    double n;
    template <class V> constexpr V operator()(V x, V m, V y, V dy) const {
      return math::select(y == V(0), V(0), dy * (x - m) / (math::constant<V>(n) * y));
    }
  };

 private:
  double degrees(auto const& x) const {
    double const n = static_cast<double>(this->count(x.shape())) - correction;
    return n > 0 ? n : 0;
  }
  template <class D, class X> auto mean(D d, X x, auto const& extents) const {
    tensor<typename X::value_type, X::rank, D> m(extents, uninitialized);
    reduce(d, m, sum_of{}, x);
    map(d, m, divided{static_cast<double>(this->count(x.shape()))}, m);
    return m;
  }
};

}  // namespace detail

template <over Kind> struct variance_op : detail::spread<Kind, false> {
  static constexpr std::string_view name = "variance";
  static constexpr keep needs = keep::input;
  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
};
template <over Kind> struct standard_deviation_op : detail::spread<Kind, true> {
  static constexpr std::string_view name = "standard_deviation";
  static constexpr keep needs = keep::input | keep::output;
  template <int R> auto shape_of(shape<R> const& x) const { return this->reduced(name, x); }
};

template <operand X> auto variance(X&& x, variance_options const& o = {}) {
  return apply(variance_op<over::all>{{{}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto variance(X&& x, int axis, variance_options const& o = {}) {
  return detail::apply_along(variance_op<over::axis>{{{axis}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto variance(X&& x, int axis, keepdim_t, variance_options const& o = {}) {
  return detail::apply_along(variance_op<over::axis_kept>{{{axis}, o.correction}}, std::forward<X>(x));
}

template <operand X> auto standard_deviation(X&& x, variance_options const& o = {}) {
  return apply(standard_deviation_op<over::all>{{{}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto standard_deviation(X&& x, int axis, variance_options const& o = {}) {
  return detail::apply_along(standard_deviation_op<over::axis>{{{axis}, o.correction}}, std::forward<X>(x));
}
template <operand X> auto standard_deviation(X&& x, int axis, keepdim_t, variance_options const& o = {}) {
  return detail::apply_along(standard_deviation_op<over::axis_kept>{{{axis}, o.correction}}, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/index_select.hpp ---------------------------------------------------------------------------------
// limbic/ops/index_select.hpp - the slices along an axis that a list of indices names, in its order
//
//   index_select(x, 0, indices)          y[i] = x[indices(i)]: an index may come again, or not at all
//
// shape   x (any), indices (K) of integers -> the shape of x, with K along the axis
// adjoint x'[indices(i)] += y'[i], in the order of i; 0 where no index points
// domain  0 <= index < the extent (an error otherwise; on a GPU, which cannot say so, NaN)

LIMBIC_BEGIN

namespace detail {

struct gather_row {
  constexpr void operator()(auto x, auto index, auto y) const {
    using T = typename decltype(y)::value_type;
    for (std::ptrdiff_t i = 0; i < y.size(); ++i) {
      auto const k = static_cast<std::ptrdiff_t>(index[i]);
      y.put(i, k >= 0 && k < x.size() ? T(x[k]) : math::constant<T>(std::numeric_limits<double>::quiet_NaN()));
    }
  }
};
struct scatter_row {
  constexpr void operator()(auto dy, auto index, auto dx) const {
    for (std::ptrdiff_t i = 0; i < dy.size(); ++i) {
      auto const k = static_cast<std::ptrdiff_t>(index[i]);
      if (k >= 0 && k < dx.size()) dx.put(k, dy[i]);
    }
  }
};

// (K) along `axis` of R axes.
template <int R, class T, class D> view<T, R, D> along_axis(view<T, 1, D> const& v, int axis) {
  shape<R> extents, steps;
  for (int a = 0; a < R; ++a) {
    extents[a] = a == axis ? v.extent(0) : 1;
    steps[a] = a == axis ? v.stride(0) : 0;
  }
  return {v.data(), extents, steps};
}

}  // namespace detail

struct index_select_op {
  static constexpr std::string_view name = "index_select";
  static constexpr keep needs = keep::inputs(1);
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;

  template <int R> shape<R> shape_of(shape<R> const& x, shape<1> const& indices) const {
    shape<R> y = x;
    y[normalize_axis(name, axis, R)] = indices[0];
    return y;
  }
  template <class D, class T, int R, class I>
  void forward(D d, view<T, R, D> y, view<T const, R, D> x, view<I const, 1, D> indices) const {
    int const a = normalize_axis(name, axis, R);
    if constexpr (is_host<D>) {
      for (std::ptrdiff_t i = 0; i < indices.size(); ++i) {
        auto const k = static_cast<std::ptrdiff_t>(indices(i));
        if (k < 0 || k >= x.extent(a))
          fail<index_error>(name, "index ", k, " does not lie in axis ", axis, " of ", x.shape());
        copy(d, y.slice(a, i, i + 1), x.slice(a, k, k + 1));
      }
    } else {
      for_each_row(d, a, detail::gather_row{}, x, detail::along_axis<R>(indices, a), y);
    }
  }
  template <class D, class T, int R, class I>
  void adjoint(D d, view<T const, R, D>, view<I const, 1, D> indices, view<T const, R, D>, view<T const, R, D> dy,
               sink<T, R, D> dx, auto) const {
    if (!dx) return;
    int const a = normalize_axis(name, axis, R);
    if (!dx.add) fill(d, dx.to, T(0));
    if constexpr (is_host<D>) {
      for (std::ptrdiff_t i = 0; i < indices.size(); ++i) {
        auto const k = static_cast<std::ptrdiff_t>(indices(i));
        copy(d, sink<T, R, D>(dx.to.slice(a, k, k + 1), true), dy.slice(a, i, i + 1));
      }
    } else {
      for_each_row(d, a, detail::scatter_row{}, dy, detail::along_axis<R>(indices, a), sink<T, R, D>(dx.to, true));
    }
  }
};

template <operand X, operand I> auto index_select(X&& x, int axis, I&& indices) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<I> == 1 && std::is_integral_v<element_of<I>>;
  if constexpr (fit) return apply(index_select_op{.axis = axis}, std::forward<X>(x), std::forward<I>(indices));
  else static_assert(fit, "limbic: index_select takes a tensor of rank 1 or more and a list (K) of integers");
}

LIMBIC_END
// ---- limbic/ops/pad.hpp ------------------------------------------------------------------------------------------
// limbic/ops/pad.hpp - a constant around a tensor
//
//   pad(x, {before...}, {after...}, value = 0)     so many elements before and after each axis
//   pad(x, axis, before, after, value = 0)         along one axis
//
// adjoint x' += the inner part of y'

LIMBIC_BEGIN

template <int R> struct pad_op {
  static constexpr std::string_view name = "pad";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<R> before, after;
  double value = 0;

  shape<R> shape_of(shape<R> const& x) const {
    shape<R> y;
    for (int i = 0; i < R; ++i) {
      if (before[i] < 0 || after[i] < 0)
        fail<argument_error>(name, "widths must not be negative, but are ", before, " and ", after);
      y[i] = before[i] + x[i] + after[i];
    }
    return y;
  }
  template <class D, class T> void forward(D d, view<T, R, D> y, view<T const, R, D> x) const {
    fill(d, y, math::constant<T>(value));
    copy(d, inner(y, x.shape()), x);
  }
  void adjoint(auto d, auto x, auto, auto dy, auto dx) const { copy(d, dx, inner(dy, x.shape())); }

 private:
  template <class V> V inner(V y, shape<R> const& x) const {
    for (int i = 0; i < R; ++i) y = y.slice(i, before[i], before[i] + x[i]);
    return y;
  }
};

template <operand X>
auto pad(X&& x, shape<rank_of<X>> const& before, shape<rank_of<X>> const& after, double value = 0) {
  return apply(pad_op<rank_of<X>>{before, after, value}, std::forward<X>(x));
}
template <operand X> auto pad(X&& x, int axis, std::ptrdiff_t before, std::ptrdiff_t after, double value = 0) {
  constexpr int R = rank_of<X>;
  int const a = normalize_axis("pad", axis, R);
  pad_op<R> o{.before = {}, .after = {}, .value = value};
  o.before[a] = before;
  o.after[a] = after;
  return apply(o, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/repeat.hpp ---------------------------------------------------------------------------------------
// limbic/ops/repeat.hpp - a tensor many times over
//
//   repeat(x, shape{2, 1, 3})          so many times along each axis; more numbers than axes add axes in front
//   broadcast_to(x, shape{4, -1, 3})   extents of 1 stretched, axes added in front; -1 keeps an extent
//   broadcast_to(x, 4, -1, 3)          the same
//
// repeat(x, T, 1, 1) of a (B, F) tensor is (T, B, F): the same input at every time step.
//
// adjoint x' += the sum of y' over all copies

LIMBIC_BEGIN

template <int S> struct repeat_op {
  static constexpr std::string_view name = "repeat";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<S> times;

  template <int R> shape<S> shape_of(shape<R> const& x) const {
    shape<S> y = times;
    for (int i = 0; i < S; ++i) {
      if (times[i] < 0) fail<argument_error>(name, "numbers of copies must not be negative, but are ", times);
      if (i >= S - R) y[i] *= x[i - (S - R)];
    }
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, apart(y, x.shape()), among(x)); }
  template <class D, class T, int R> void adjoint(D d, auto x, auto, auto dy, sink<T, R, D> dx) const {
    if (!dx) return;
    reduce(d, sink<T, 2 * S, D>(among(dx.to), dx.add), sum_of{}, apart(dy, x.shape()));
  }

 private:
  // y with every axis as two: the copies, and the elements of one.
  template <class T, class D, int R> view<T, 2 * S, D> apart(view<T, S, D> const& y, shape<R> const& x) const {
    shape<2 * S> extents, steps;
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const n = i < S - R ? 1 : x[i - (S - R)];
      extents[2 * i] = times[i];
      extents[2 * i + 1] = n;
      steps[2 * i] = y.stride(i) * n;
      steps[2 * i + 1] = y.stride(i);
    }
    return {y.data(), extents, steps};
  }
  // x with an axis of extent 1 before each of its own.
  template <class T, class D, int R> static view<T, 2 * S, D> among(view<T, R, D> const& x) {
    auto const led = detail::lead<S>(x);
    shape<2 * S> extents, steps;
    for (int i = 0; i < S; ++i) {
      extents[2 * i] = 1;
      extents[2 * i + 1] = led.extent(i);
      steps[2 * i + 1] = led.stride(i);
    }
    return {x.data(), extents, steps};
  }
};

template <int S> struct broadcast_to_op {
  static constexpr std::string_view name = "broadcast_to";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<S> to;

  template <int R> shape<S> shape_of(shape<R> const& x) const {
    shape<S> y = to;
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const n = i < S - R ? -1 : x[i - (S - R)];
      if (to[i] == -1 && n >= 0) y[i] = n;
      if (y[i] < 0 || (n >= 0 && n != 1 && n != y[i]))
        fail<shape_error>(name, "shape ", x, " does not broadcast to ", to);
    }
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, x); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { detail::spread_back(d, dx, identity_function{}, dy); }
};

template <operand X, int S> auto repeat(X&& x, shape<S> const& times) {
  constexpr bool fit = S >= rank_of<X> && S <= 4;
  if constexpr (fit) return apply(repeat_op<S>{times}, std::forward<X>(x));
  else static_assert(fit, "limbic: repeat takes a number for every axis of x, and gives at most rank 4");
}
template <operand X, class... I>
  requires(sizeof...(I) > 0 && (std::is_integral_v<I> && ...))
auto repeat(X&& x, I... times) {
  return repeat(std::forward<X>(x), shape<static_cast<int>(sizeof...(I))>{{static_cast<std::ptrdiff_t>(times)...}});
}
template <operand X, int S> auto broadcast_to(X&& x, shape<S> const& to) {
  constexpr bool fit = S >= rank_of<X>;
  if constexpr (fit) return apply(broadcast_to_op<S>{to}, std::forward<X>(x));
  else static_assert(fit, "limbic: broadcast_to cannot drop axes");
}
template <operand X, class... I>
  requires(sizeof...(I) > 0 && (std::is_integral_v<I> && ...))
auto broadcast_to(X&& x, I... to) {
  return broadcast_to(std::forward<X>(x), shape<static_cast<int>(sizeof...(I))>{{static_cast<std::ptrdiff_t>(to)...}});
}

LIMBIC_END
// ---- limbic/ops/transpose.hpp ------------------------------------------------------------------------------------
// limbic/ops/transpose.hpp - axes in another order
//
//   transpose(x)              the last two axes exchanged
//   permute(x, {2, 0, 1})     axis i of the result is axis order[i] of x
//
// shape   the extents in the new order
// adjoint x' += y' with its axes in the old order

LIMBIC_BEGIN

struct transpose_op {
  static constexpr std::string_view name = "transpose";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }

  template <int R> shape<R> shape_of(shape<R> x) const {
    std::swap(x[R - 2], x[R - 1]);
    return x;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, x.transpose()); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { copy(d, dx, dy.transpose()); }
};

template <int R> struct permute_op {
  static constexpr std::string_view name = "permute";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<R> order;

  shape<R> shape_of(shape<R> const& x) const {
    shape<R> y;
    for (int i = 0; i < R; ++i) y[i] = x[from(i)];
    check();
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, x.permute(order)); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const {
    shape<R> inverse;
    for (int i = 0; i < R; ++i) inverse[from(i)] = i;
    copy(d, dx, dy.permute(inverse));
  }

 private:
  int from(int i) const { return normalize_axis(name, static_cast<int>(order[i]), R); }
  void check() const {
    unsigned seen = 0;
    for (int i = 0; i < R; ++i) seen |= 1U << from(i);
    if (seen != (1U << R) - 1U) fail<argument_error>(name, "order ", order, " does not name every axis once");
  }
};

template <operand X> auto transpose(X&& x) {
  constexpr bool fit = rank_of<X> >= 2;
  if constexpr (fit) return apply(transpose_op{}, std::forward<X>(x));
  else static_assert(fit, "limbic: transpose takes a tensor of rank 2 or more");
}
template <operand X> auto permute(X&& x, shape<rank_of<X>> const& order) {
  return apply(permute_op<rank_of<X>>{order}, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/kernels/pool.hpp -------------------------------------------------------------------------------------
// limbic/kernels/pool.hpp - the greatest element, or the sum, of windows that move over images; and back
//
//   max_pool(D, y, index, x, g)             y: the greatest element of each window; index: at which tap it stands (null: not asked)
//   max_pool_gradient(D, dx, dy, index, g)  dx: each dy at the element that its window chose
//   sum_pool(D, y, x, g)                    y: the sum of each window, zeros beyond the image
//   sum_pool_gradient(D, dx, dy, g)         dx: the sum of the dy of all windows that an element lies in
//
// x (N, C, H, W), y (N, C, P, Q); tap (i, j) of a window has the number i kw + j, as a number of x's type. A tap beyond the
// image is never the greatest; a window without any tap inside is -inf. Of equal elements the first is chosen, in rows from
// left to right; the first NaN is greater than all.
//
// On a CPU a plane at a time is copied such that what a tap reads for all windows lies in one line (class pool_plane):
// pooling is then a SIMD loop for each tap, over data that stays in the cache: 64 x 64 planes of 28 x 28, windows of 2 x 2,
// in 2 ms instead of the 11 of strided views. Other devices take these, a tap at a time. Few large windows, and those whose
// extents differ (adaptive pooling), are folded one by one on every device.

LIMBIC_BEGIN

// The part of a window that lies inside of its axis.
struct pool_span {
  std::ptrdiff_t first, count, tap;  // the first element, how many, the number of the first one's tap
};

// How windows lie along one axis.
struct pool_axis {
  std::ptrdiff_t in = 1, out = 1;  // elements, windows
  std::ptrdiff_t kernel = 1;       // taps of a window; adaptive: no fewer than the longest has
  std::ptrdiff_t stride = 1;       // elements from one window to the next
  std::ptrdiff_t padding = 0;      // before the first element
  std::ptrdiff_t dilation = 1;     // elements from one tap to the next
  bool adaptive = false;           // window p goes from floor(p in / out) to ceil((p + 1) in / out)

  // Elements from a window's first tap to its last, both counted.
  std::ptrdiff_t reach() const { return dilation * (kernel - 1) + 1; }
  // The taps of window p that lie inside.
  pool_span span(std::ptrdiff_t p) const {
    if (adaptive) {
      std::ptrdiff_t const first = p * in / out;
      return {first, ((p + 1) * in + out - 1) / out - first, 0};
    }
    std::ptrdiff_t const start = p * stride - padding, tap = start < 0 ? (-start + dilation - 1) / dilation : 0;
    std::ptrdiff_t const inside = start < in ? (in - start + dilation - 1) / dilation : 0;
    std::ptrdiff_t const end = inside < kernel ? inside : kernel;
    return {start + tap * dilation, end > tap ? end - tap : 0, tap};
  }
  // The element that tap i of window p reads, inside or not.
  std::ptrdiff_t element(std::ptrdiff_t p, std::ptrdiff_t i) const {
    return adaptive ? p * in / out + i : p * stride - padding + i * dilation;
  }
};

// How windows lie over an image.
struct pool_geometry {
  pool_axis rows, columns;  // along the height, and along the width

  // Whether windows are folded one by one: more taps than windows.
  bool by_windows() const {
    return rows.adaptive || columns.adaptive || rows.kernel * columns.kernel > rows.out * columns.out;
  }
};

namespace detail {

template <class V> inline V pool_lowest() { return math::constant<V>(-std::numeric_limits<double>::infinity()); }

// Keeps the greater of two, the first one where they are equal; a NaN that is there stays.
struct pool_greater {
  template <class V> constexpr V operator()(V best, V x) const {
    return math::select(math::either(x > best, math::both(math::isnan(x), math::no(math::isnan(best)))), x, best);
  }
};
// The same, and the number of the tap.
struct pool_choose {
  double tap;
  template <class V> constexpr results<V, 2> operator()(V best, V at, V x) const {
    auto const better = math::either(x > best, math::both(math::isnan(x), math::no(math::isnan(best))));
    return {{math::select(better, x, best), math::select(better, math::constant<V>(tap), at)}};
  }
};
// dy where this tap was chosen.
struct pool_return {
  double tap;
  template <class V> constexpr V operator()(V at, V dy) const {
    return math::select(at == math::constant<V>(tap), dy, V(0));
  }
};

// The number of each window's first tap inside, -1 where there is none.
template <class T> tensor<T, 2, scalar> pool_first_taps(pool_geometry const& g) {
  tensor<T, 2, scalar> first(shape<2>{{g.rows.out, g.columns.out}}, uninitialized);
  for (std::ptrdiff_t p = 0; p < g.rows.out; ++p)
    for (std::ptrdiff_t q = 0; q < g.columns.out; ++q) {
      pool_span const r = g.rows.span(p), c = g.columns.span(q);
      std::ptrdiff_t const tap = r.count > 0 && c.count > 0 ? r.tap * g.columns.kernel + c.tap : -1;
      first(p, q) = math::constant<T>(static_cast<double>(tap));
    }
  return first;
}

// A host table where a device can read it.
template <class D, class T, int R> tensor<T, R, D> pool_table(tensor<T, R, scalar> const& from) {
  tensor<T, R, D> to(from.shape(), uninitialized);
  copy_elements(D{}, to.data(), from.data(), from.size());
  return to;
}

// ---- one window at a time ------------------------------------------------------------------------------------------

// f(cell, what the window reads of x, its rows, its columns), for every window that has elements; cell(v) is the window's
// place in v.
template <class X, class F> void pool_each_window(X const& x, pool_geometry const& g, F const& f) {
  auto const reads = [](auto const& v, int axis, pool_span const& s, std::ptrdiff_t step) {
    return v.slice(axis, s.first, s.first + (s.count - 1) * step + 1, step);
  };
  for (std::ptrdiff_t p = 0; p < g.rows.out; ++p)
    for (std::ptrdiff_t q = 0; q < g.columns.out; ++q) {
      pool_span const r = g.rows.span(p), c = g.columns.span(q);
      if (r.count < 1 || c.count < 1) continue;
      auto const cell = [&](auto const& v) { return v.slice(2, p, p + 1).slice(3, q, q + 1); };
      f(cell, reads(reads(x, 2, r, g.rows.dilation), 3, c, g.columns.dilation), r, c);
    }
}

// Which taps the elements of a window are, when these follow one another in one row.
struct pool_taps {
  std::ptrdiff_t columns, kernel, row, column;  // elements and taps of a line of the window; the first element's tap
  constexpr std::ptrdiff_t tap_of(std::ptrdiff_t element) const {
    return (row + element / columns) * kernel + column + element % columns;
  }
  constexpr std::ptrdiff_t element_of(std::ptrdiff_t tap) const {
    return (tap / kernel - row) * columns + tap % kernel - column;
  }
};
template <class T> constexpr std::ptrdiff_t pool_tap_number(T at) {
  if constexpr (is_dual<T>) return static_cast<std::ptrdiff_t>(at.value);
  else return static_cast<std::ptrdiff_t>(at);
}
struct pool_choose_row {
  pool_taps taps;
  constexpr void operator()(auto x, auto y, auto at) const {
    using T = typename decltype(y)::value_type;
    auto const i = argmax(x);
    y.put(0, x[i]);
    if (at) at.put(0, math::constant<T>(static_cast<double>(taps.tap_of(i))));
  }
};
struct pool_return_row {
  pool_taps taps;
  constexpr void operator()(auto at, auto dy, auto dx) const {
    using T = typename decltype(dx)::value_type;
    place(dx, taps.element_of(pool_tap_number(at[0])), static_cast<T>(dy[0]));
  }
};

// (N, C, 1, 1) as one number for each row of (N, C, h w).
template <class T, class D> view<T, 3, D> pool_number(view<T, 4, D> const& v) {
  return {v.data(), shape<3>{{v.extent(0), v.extent(1), 1}}, shape<3>{{v.stride(0), v.stride(1), 1}}};
}
// (N, C, h, w) as (N, C, h w).
template <class T, class D> view<T, 3, D> pool_line(tensor<T, 4, D>& t) {
  return t.view().reshape(shape<3>{{t.extent(0), t.extent(1), t.extent(2) * t.extent(3)}});
}

// ---- one plane at a time, on a CPU -----------------------------------------------------------------------------------

// A plane, padded, its rows sorted by their residue modulo the stride. What a tap reads for all windows is then one line:
// `pitch` elements for each row of windows, of which every stride-th is one. Those between cost less than gathering would.
template <class D, class T> class pool_plane {
 public:
  explicit pool_plane(pool_geometry const& g)
      : g_(g),
        residues_(g.rows.stride < g.rows.reach() ? g.rows.stride : g.rows.reach()),
        lines_(g.rows.out + (g.rows.reach() - 1) / g.rows.stride),
        pitch_((g.columns.out - 1) * g.columns.stride + g.columns.reach()),
        room_(shape<1>{{residues_ * lines_ * pitch_}}, uninitialized) {}
  // Elements of a line that holds all windows, from the first to the last.
  std::ptrdiff_t length() const { return (g_.rows.out - 1) * pitch_ + (g_.columns.out - 1) * g_.columns.stride + 1; }
  std::ptrdiff_t taps() const { return g_.rows.kernel * g_.columns.kernel; }
  // What this tap reads, for all windows.
  T* tap(std::ptrdiff_t number) {
    std::ptrdiff_t const i = number / g_.columns.kernel * g_.rows.dilation;
    return room_.data() + (i % g_.rows.stride * lines_ + i / g_.rows.stride) * pitch_ +
           number % g_.columns.kernel * g_.columns.dilation;
  }
  void gather(view<T const, 2, D> const& x, T border) {
    each_line([&](T* to, std::ptrdiff_t h, std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t c = 0; c < begin; ++c) to[c] = border;
      for (std::ptrdiff_t c = end; c < pitch_; ++c) to[c] = border;
      if (begin >= end) return;
      T const* const from = x.data() + h * x.stride(0) + (begin - g_.columns.padding) * x.stride(1);
      if (x.stride(1) == 1) copy_elements(scalar{}, to + begin, from, end - begin);
      else gather_line(to + begin, from, end - begin, x.stride(1));
    });
  }
  void clear() { fill_elements(scalar{}, room_.data(), room_.size(), T(0)); }
  // What the taps have brought together, to where they read.
  void scatter(sink<T, 2, D> const& dx) {
    view<T, 2, D> const& to = dx.to;
    bool const whole = residues_ == g_.rows.stride && lines_ * g_.rows.stride >= g_.rows.padding + g_.rows.in &&
                       pitch_ >= g_.columns.padding + g_.columns.in;
    if (!dx.add && !whole) fill(D{}, to, T(0));
    each_line([&](T const* from, std::ptrdiff_t h, std::ptrdiff_t begin, std::ptrdiff_t end) {
      if (begin >= end) return;
      T* const at = to.data() + h * to.stride(0) + (begin - g_.columns.padding) * to.stride(1);
      if (!dx.add && to.stride(1) == 1) copy_elements(scalar{}, at, from + begin, end - begin);
      else
        for (std::ptrdiff_t c = 0; c < end - begin; ++c) {
          T& e = at[c * to.stride(1)];
          e = dx.add ? e + from[begin + c] : from[begin + c];
        }
    });
  }
  // (P, Q) to a line, with `between` where no window is; and back.
  void spread(T* line, view<T const, 2, D> const& y, T between) const {
    fill_elements(scalar{}, line, length(), between);
    for (std::ptrdiff_t p = 0; p < g_.rows.out; ++p)
      for (std::ptrdiff_t q = 0; q < g_.columns.out; ++q)
        line[p * pitch_ + q * g_.columns.stride] = y.data()[p * y.stride(0) + q * y.stride(1)];
  }
  void collect(view<T, 2, D> const& y, T const* line) const {
    for (std::ptrdiff_t p = 0; p < g_.rows.out; ++p)
      for (std::ptrdiff_t q = 0; q < g_.columns.out; ++q)
        y.data()[p * y.stride(0) + q * y.stride(1)] = line[p * pitch_ + q * g_.columns.stride];
  }

 private:
  // f(line, the plane's row that it holds, its elements from begin to end that lie inside); lines outside have none.
  template <class F> void each_line(F const& f) {
    std::ptrdiff_t const begin = g_.columns.padding < pitch_ ? g_.columns.padding : pitch_;
    std::ptrdiff_t const last = g_.columns.padding + g_.columns.in, end = last < pitch_ ? last : pitch_;
    for (std::ptrdiff_t a = 0; a < residues_; ++a)
      for (std::ptrdiff_t l = 0; l < lines_; ++l) {
        std::ptrdiff_t const h = l * g_.rows.stride + a - g_.rows.padding;
        bool const inside = h >= 0 && h < g_.rows.in;
        f(room_.data() + (a * lines_ + l) * pitch_, h, inside ? begin : pitch_, inside ? end : pitch_);
      }
  }

  pool_geometry g_;
  std::ptrdiff_t residues_, lines_, pitch_;
  tensor<T, 1, scalar> room_;
};

// f(plane, room for so many lines of windows, image, channel) for every plane; pieces share no memory.
template <class D, class T, class F>
void pool_each_plane(std::ptrdiff_t images, std::ptrdiff_t channels, pool_geometry const& g, int lines, F const& f) {
  std::ptrdiff_t const work = g.rows.in * g.columns.in + g.rows.out * g.columns.out * g.rows.kernel * g.columns.kernel;
  std::ptrdiff_t const planes = images * channels;
  std::ptrdiff_t const grain = planes * work <= parallel_grain ? planes : parallel_grain / 2 / work + 1;
  struct room {
    room(pool_geometry const& g, int lines) : plane(g), line(shape<1>{{lines * plane.length()}}, uninitialized) {}
    pool_plane<D, T> plane;
    tensor<T, 1, scalar> line;
  };
  auto const make = [&] { return room(g, lines); };
  parallel_for(planes, grain, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, room& in) {
    for (std::ptrdiff_t i = begin; i < end; ++i) f(in.plane, in.line.data(), i / channels, i % channels);
  });
}

// ---- one tap at a time, through the verbs ------------------------------------------------------------------------------

// f(windows, what the tap reads of x, its number), for every tap that some window has inside; windows(v) are these in v.
template <class X, class F> void pool_each_tap(X const& x, pool_geometry const& g, F const& f) {
  struct part {
    std::ptrdiff_t begin, end, first;  // windows, and the element that the first reads
  };
  auto const part_of = [](pool_axis const& a, std::ptrdiff_t i) {
    std::ptrdiff_t const before = a.padding - i * a.dilation, last = a.in - 1 + before;
    std::ptrdiff_t const begin = before > 0 ? (before + a.stride - 1) / a.stride : 0;
    std::ptrdiff_t const end = last < 0 ? 0 : last / a.stride + 1 < a.out ? last / a.stride + 1 : a.out;
    return part{begin, end, begin * a.stride - before};
  };
  for (std::ptrdiff_t i = 0; i < g.rows.kernel; ++i)
    for (std::ptrdiff_t j = 0; j < g.columns.kernel; ++j) {
      part const r = part_of(g.rows, i), c = part_of(g.columns, j);
      if (r.begin >= r.end || c.begin >= c.end) continue;
      auto const reads = [](auto const& v, int axis, part const& p, std::ptrdiff_t stride) {
        return v.slice(axis, p.first, p.first + (p.end - p.begin - 1) * stride + 1, stride);
      };
      auto const windows = [&](auto const& v) { return v.slice(2, r.begin, r.end).slice(3, c.begin, c.end); };
      f(windows, reads(reads(x, 2, r, g.rows.stride), 3, c, g.columns.stride), i * g.columns.kernel + j);
    }
}

template <class D, class T>
void max_pool_by_taps(D d, view<T, 4, D> y, view<T, 4, D> index, view<T const, 4, D> x, pool_geometry const& g) {
  fill(d, y, pool_lowest<T>());
  if (index) copy(d, index, pool_table<D>(pool_first_taps<T>(g)));
  pool_each_tap(x, g, [&](auto const& windows, auto const& from, std::ptrdiff_t tap) {
    auto const to = windows(y);
    if (!index) return map(d, to, pool_greater{}, to, from);
    auto const at = windows(index);
    map(d, outs(to, at), pool_choose{static_cast<double>(tap)}, to, at, from);
  });
}
template <class D, class T>
void max_pool_gradient_by_taps(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> index,
                               pool_geometry const& g) {
  if (!dx.add) fill(d, dx.to, T(0));
  pool_each_tap(dx.to, g, [&](auto const& windows, auto const& to, std::ptrdiff_t tap) {
    map(d, sink<T, 4, D>(to, true), pool_return{static_cast<double>(tap)}, windows(index), windows(dy));
  });
}
template <class D, class T>
void sum_pool_by_taps(D d, view<T, 4, D> y, view<T const, 4, D> x, pool_geometry const& g) {
  fill(d, y, T(0));
  pool_each_tap(x, g, [&](auto const& windows, auto const& from, std::ptrdiff_t) {
    copy(d, sink<T, 4, D>(windows(y), true), from);
  });
}
template <class D, class T>
void sum_pool_gradient_by_taps(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, pool_geometry const& g) {
  if (!dx.add) fill(d, dx.to, T(0));
  pool_each_tap(dx.to, g, [&](auto const& windows, auto const& to, std::ptrdiff_t) {
    copy(d, sink<T, 4, D>(to, true), windows(dy));
  });
}

}  // namespace detail

template <class D, class T>
void max_pool(D d, view<T, 4, D> y, view<T, 4, D> index, view<T const, 4, D> x, pool_geometry const& g) {
  using namespace detail;
  if (y.size() == 0) return;
  if (g.by_windows()) {
    fill(d, y, pool_lowest<T>());
    if (index) fill(d, index, T(-1));
    pool_each_window(x, g, [&](auto const& cell, auto const& window, pool_span const& r, pool_span const& c) {
      tensor<T, 4, D> together(window.shape(), uninitialized);
      copy(d, together, window);
      view<T const, 3, D> const elements = pool_line(together);
      for_each_row(d, 2, pool_choose_row{{c.count, g.columns.kernel, r.tap, c.tap}}, elements, pool_number(cell(y)),
                   pool_number(cell(index)));
    });
  } else if constexpr (is_host<D>) {
    auto const first = pool_first_taps<T>(g);
    pool_each_plane<D, T>(x.extent(0), x.extent(1), g, 2,
                          [&](auto& plane, T* room, std::ptrdiff_t n, std::ptrdiff_t c) {
                            std::ptrdiff_t const size = plane.length();
                            T* const to[] = {room, room + size};
                            bool const add[] = {false, false};
                            plane.gather(x[n][c], pool_lowest<T>());
                            fill_elements(scalar{}, to[0], size, pool_lowest<T>());
                            if (index) plane.spread(to[1], first.view().on(d), T(-1));
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              pool_choose const choose{static_cast<double>(k)};
                              pool_greater const greater{};
                              T const* const in[] = {to[0], index ? to[1] : plane.tap(k), plane.tap(k)};
                              if (index) line<D, pool_choose, T, 2, 3>(&choose, size, add, to, in);
                              else line<D, pool_greater, T, 1, 2>(&greater, size, add, to, in);
                            }
                            plane.collect(y[n][c], to[0]);
                            if (index) plane.collect(index[n][c], to[1]);
                          });
  } else {
    max_pool_by_taps(d, y, index, x, g);
  }
}

template <class D, class T>
void max_pool_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> index,
                       pool_geometry const& g) {
  using namespace detail;
  if (!dx || dx.shape().size() == 0) return;
  if (g.by_windows()) {
    if (!dx.add) fill(d, dx.to, T(0));
    pool_each_window(dx.to, g, [&](auto const& cell, auto const& window, pool_span const& r, pool_span const& c) {
      tensor<T, 4, D> together(window.shape(), uninitialized);
      for_each_row(d, 2, pool_return_row{{c.count, g.columns.kernel, r.tap, c.tap}}, pool_number(cell(index)),
                   pool_number(cell(dy)), pool_line(together));
      copy(d, sink<T, 4, D>(window, true), together);
    });
  } else if constexpr (is_host<D>) {
    pool_each_plane<D, T>(dy.extent(0), dy.extent(1), g, 2,
                          [&](auto& plane, T* room, std::ptrdiff_t n, std::ptrdiff_t c) {
                            std::ptrdiff_t const size = plane.length();
                            T const* const in[] = {room, room + size};
                            bool const add = true;
                            plane.spread(room, index[n][c], T(-1));
                            plane.spread(room + size, dy[n][c], T(0));
                            plane.clear();
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              pool_return const back{static_cast<double>(k)};
                              T* const to = plane.tap(k);
                              line<D, pool_return, T, 1, 2>(&back, size, &add, &to, in);
                            }
                            plane.scatter({dx.to[n][c], dx.add});
                          });
  } else {
    max_pool_gradient_by_taps(d, dx, dy, index, g);
  }
}

template <class D, class T> void sum_pool(D d, view<T, 4, D> y, view<T const, 4, D> x, pool_geometry const& g) {
  using namespace detail;
  if (y.size() == 0) return;
  if (g.by_windows()) {
    fill(d, y, T(0));
    pool_each_window(x, g, [&](auto const& cell, auto const& window, pool_span const&, pool_span const&) {
      reduce(d, cell(y), sum_of{}, window);
    });
  } else if constexpr (is_host<D>) {
    pool_each_plane<D, T>(x.extent(0), x.extent(1), g, 1,
                          [&](auto& plane, T* sums, std::ptrdiff_t n, std::ptrdiff_t c) {
                            plane.gather(x[n][c], T(0));
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              identity_function const itself{};
                              bool const add = k > 0;
                              T const* const in = plane.tap(k);
                              line<D, identity_function, T, 1, 1>(&itself, plane.length(), &add, &sums, &in);
                            }
                            plane.collect(y[n][c], sums);
                          });
  } else {
    sum_pool_by_taps(d, y, x, g);
  }
}

template <class D, class T>
void sum_pool_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, pool_geometry const& g) {
  using namespace detail;
  if (!dx || dx.shape().size() == 0) return;
  if (g.by_windows()) {
    if (!dx.add) fill(d, dx.to, T(0));
    pool_each_window(dx.to, g, [&](auto const& cell, auto const& window, pool_span const&, pool_span const&) {
      copy(d, sink<T, 4, D>(window, true), cell(dy));
    });
  } else if constexpr (is_host<D>) {
    pool_each_plane<D, T>(dy.extent(0), dy.extent(1), g, 1,
                          [&](auto& plane, T* shares, std::ptrdiff_t n, std::ptrdiff_t c) {
                            plane.spread(shares, dy[n][c], T(0));
                            plane.clear();
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              identity_function const itself{};
                              bool const add = true;
                              T* const to = plane.tap(k);
                              T const* const in = shares;
                              line<D, identity_function, T, 1, 1>(&itself, plane.length(), &add, &to, &in);
                            }
                            plane.scatter({dx.to[n][c], dx.add});
                          });
  } else {
    sum_pool_gradient_by_taps(d, dx, dy, g);
  }
}

LIMBIC_END
// ---- limbic/ops/pooling.hpp --------------------------------------------------------------------------------------
// limbic/ops/pooling.hpp - what max_pool and avg_pool share: how many windows there are, and where
//
// The rule of ceil_mode is PyTorch's: rounded up, the last window may reach beyond the padding, but it must start inside
// of the axis or of the padding before it.

LIMBIC_BEGIN
namespace detail {

// What was asked for, before an operand is seen.
template <int S> struct pool_rules {
  pool_axis axes[S];  // adaptive ones know `out`
  bool ceil_mode = false;

  shape<S + 2> shape_of(std::string_view name, shape<S + 2> x) const {
    shape<S + 2> const from = x;
    for (int i = 0; i < S; ++i) {
      pool_axis const a = axis(i, from);
      if (a.in < 1) fail<shape_error>(name, "axis ", 2 + i, " of x ", from, " has no elements to choose from");
      if (!axes[i].adaptive && a.reach() > a.in + 2 * a.padding)
        fail<shape_error>(name, "a window reaches over ", a.reach(), " elements, the padded axis ", 2 + i, " of x ",
                          from, " has ", a.in + 2 * a.padding);
      x[2 + i] = a.out;
    }
    return x;
  }
  // Taps of all windows, those outside of the image too.
  double taps(std::string_view name, shape<S + 2> const& x) const {
    double n = static_cast<double>(shape_of(name, x).size());
    for (int i = 0; i < S; ++i) n *= static_cast<double>(axis(i, x).kernel);
    return n;
  }
  // For images; a signal is an image of one row.
  pool_geometry geometry(shape<S + 2> const& x) const {
    if constexpr (S == 1) return {pool_axis{}, axis(0, x)};
    else return {axis(0, x), axis(1, x)};
  }

 private:
  pool_axis axis(int i, shape<S + 2> const& x) const {
    pool_axis a = axes[i];
    a.in = x[2 + i];
    if (!a.adaptive) {
      std::ptrdiff_t const last = a.in + 2 * a.padding - a.reach();  // where the last window may start
      a.out = (last + (ceil_mode ? a.stride - 1 : 0)) / a.stride + 1;
      if (ceil_mode && (a.out - 1) * a.stride >= a.in + a.padding) --a.out;
    } else if (a.in % a.out == 0) {  // windows of one extent, side by side
      a.adaptive = false;
      a.kernel = a.stride = a.in / a.out;
    } else {
      a.kernel = a.in / a.out + 2;
    }
    return a;
  }
};

template <int S>
pool_rules<S> window_rules(std::string_view name, per_axis<S> const& kernel, per_axis<S> const& stride,
                           per_axis<S> const& padding, per_axis<S> const& dilation, bool ceil_mode) {
  pool_rules<S> r;
  r.ceil_mode = ceil_mode;
  for (int i = 0; i < S; ++i) {
    pool_axis& a = r.axes[i];
    a.kernel = kernel.of[i];
    a.stride = stride.of[i] == 0 ? kernel.of[i] : stride.of[i];
    a.padding = padding.of[i];
    a.dilation = dilation.of[i];
    if (a.kernel < 1 || a.stride < 1 || a.dilation < 1)
      fail<argument_error>(name, "kernel, stride and dilation must be at least 1, but are ", kernel.of, ", ", stride.of,
                           " and ", dilation.of);
    if (a.padding < 0 || a.padding > a.reach() / 2)
      fail<argument_error>(name, "padding must lie between 0 and half a window of ", a.reach(), ", but is ", a.padding);
  }
  return r;
}

template <int S> pool_rules<S> adaptive_rules(std::string_view name, per_axis<S> const& windows) {
  pool_rules<S> r;
  for (int i = 0; i < S; ++i) {
    if (windows.of[i] < 1) fail<argument_error>(name, "the number of windows must be at least 1, but is ", windows.of);
    r.axes[i].out = windows.of[i];
    r.axes[i].adaptive = true;
  }
  return r;
}

template <int S, class Op, operand X> auto apply_pool(Op const& o, X&& x) {
  constexpr bool fit = rank_of<X> == S + 2;
  if constexpr (fit) return apply(o, std::forward<X>(x));
  else static_assert(fit, "limbic: pooling in 1d takes signals (N, C, L), in 2d images (N, C, H, W)");
}

}  // namespace detail
LIMBIC_END
// ---- limbic/ops/avg_pool.hpp -------------------------------------------------------------------------------------
// limbic/ops/avg_pool.hpp - the mean of each window
//
//   avg_pool2d(x, 2)                                          x (N, C, H, W); windows of 2 x 2, side by side
//   avg_pool2d(x, 3, {.stride = 2, .padding = 1, .count_include_pad = false})
//   avg_pool1d(x, 2)                                          x (N, C, L)
//   adaptive_avg_pool2d(x, {3, 2})                            as many windows: floor(p H / P) to ceil((p + 1) H / P)
//   adaptive_avg_pool1d(x, 3)                                 the same of signals
//   global_avg_pool(x)                                        (N, C, ...) -> (N, C)
//
//   y[n, c, p, q] = 1 / m  sum over i, j of  x[n, c, s p + i - a, s q + j - a]     stride s, padding a (zeros)
//
// m is the number of elements that the window covers, zeros of the padding among them unless count_include_pad is false,
// but never what lies beyond the padding (ceil_mode); divisor_override puts another number in its place.
//
// shape, errors   as max_pool.hpp
// adjoint         x' += y' / m for every window
//
// Options, defaults and results are those of torch.nn.functional; windows are in kernels/pool.hpp.

LIMBIC_BEGIN

// How windows of S axes move, and what their sum is divided by.
template <int S> struct avg_pool_options {
  per_axis<S> stride = 0;  // 0: that of the kernel, windows side by side
  per_axis<S> padding = 0;
  bool ceil_mode = false;               // also a last window that reaches beyond the end
  bool count_include_pad = true;        // zeros of the padding count as elements
  std::ptrdiff_t divisor_override = 0;  // instead of the number of elements; 0: none
};

template <int S> struct avg_pool_op {
  static constexpr std::string_view name = "avg_pool";
  static constexpr keep needs = keep::nothing;
  detail::pool_rules<S> rules;  // where the windows lie
  bool count_include_pad = true;
  std::ptrdiff_t divisor_override = 0;

  shape<S + 2> shape_of(shape<S + 2> const& x) const { return rules.shape_of(name, x); }
  // A sum over the taps, and a quotient, for each window.
  double flops(shape<S + 2> const& x) const { return rules.taps(name, x); }
  template <class D, class T> void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x) const {
    auto const g = rules.geometry(x.shape());
    view<T, 4, D> const sums = detail::as_images(y);
    sum_pool(d, sums, detail::as_images(x), g);
    map(d, sums, quotient{}, sums, divisors<D, T>(g));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D>, view<T const, S + 2, D> dy,
               sink<T, S + 2, D> dx) const {
    if (!dx) return;
    auto const g = rules.geometry(x.shape());
    tensor<T, S + 2, D> share(dy.shape(), uninitialized);
    map(d, detail::as_images(share.view()), quotient{}, detail::as_images(dy), divisors<D, T>(g));
    sum_pool_gradient(d, detail::as_images(dx), detail::as_images(as_view(share)), g);
  }

  struct quotient {
    template <class V> constexpr V operator()(V sum, V count) const { return sum / count; }
  };

 private:
  // m for each window.
  template <class D, class T> tensor<T, 2, D> divisors(pool_geometry const& g) const {
    auto const covered = [&](pool_axis const& a, std::ptrdiff_t p) {
      if (a.adaptive || !count_include_pad) return a.span(p).count;
      std::ptrdiff_t const start = p * a.stride - a.padding, end = a.in + a.padding;
      return (start + a.kernel < end ? start + a.kernel : end) - start;
    };
    tensor<T, 2, scalar> m(shape<2>{{g.rows.out, g.columns.out}}, uninitialized);
    for (std::ptrdiff_t p = 0; p < g.rows.out; ++p)
      for (std::ptrdiff_t q = 0; q < g.columns.out; ++q)
        m(p, q) = math::constant<T>(
            static_cast<double>(divisor_override != 0 ? divisor_override : covered(g.rows, p) * covered(g.columns, q)));
    return detail::pool_table<D>(m);
  }
};

namespace detail {
template <int S> avg_pool_op<S> make_avg_pool(std::string_view name, per_axis<S> const& kernel,
                                              avg_pool_options<S> const& o) {
  if (o.divisor_override < 0)
    fail<argument_error>(name, "divisor_override must not be negative, but is ", o.divisor_override);
  return {window_rules(name, kernel, o.stride, o.padding, per_axis<S>(1), o.ceil_mode), o.count_include_pad,
          o.divisor_override};
}
}  // namespace detail

template <operand X> auto avg_pool1d(X&& x, per_axis<1> const& kernel, avg_pool_options<1> const& o = {}) {
  return detail::apply_pool<1>(detail::make_avg_pool("avg_pool1d", kernel, o), std::forward<X>(x));
}
template <operand X> auto avg_pool2d(X&& x, per_axis<2> const& kernel, avg_pool_options<2> const& o = {}) {
  return detail::apply_pool<2>(detail::make_avg_pool("avg_pool2d", kernel, o), std::forward<X>(x));
}
template <operand X> auto adaptive_avg_pool1d(X&& x, per_axis<1> const& windows) {
  return detail::apply_pool<1>(avg_pool_op<1>{detail::adaptive_rules("adaptive_avg_pool1d", windows)},
                               std::forward<X>(x));
}
template <operand X> auto adaptive_avg_pool2d(X&& x, per_axis<2> const& windows) {
  return detail::apply_pool<2>(avg_pool_op<2>{detail::adaptive_rules("adaptive_avg_pool2d", windows)},
                               std::forward<X>(x));
}

// The mean of each channel.
template <operand X> auto global_avg_pool(X&& x) {
  constexpr bool fit = rank_of<X> >= 3;
  if constexpr (fit) return mean(flatten<2>(std::forward<X>(x)), 2);
  else static_assert(fit, "limbic: global_avg_pool takes (N, C, L) or (N, C, H, W)");
}

LIMBIC_END
// ---- limbic/ops/interpolate.hpp ----------------------------------------------------------------------------------
// limbic/ops/interpolate.hpp - signals and images in another size
//
//   interpolate(x, {48, 64})                                           to this size; x (N, C, H, W) or (N, C, L)
//   interpolate(x, 48, {.mode = interpolation::bilinear, .align_corners = true})
//   upsample(x, 2, {.mode = interpolation::bilinear})                  so many times larger, along each axis
//
// Element q of an axis of n that becomes m is read at the place s:
//
//   nearest    s = floor(q n / m)
//   bilinear   s = max(0, (q + 1/2) n / m - 1/2)      align_corners: s = q (n - 1) / (m - 1), 0 if m = 1
//              y[q] = (1 - w) x[k] + w x[k + 1],   k = floor(s), w = s - k; beyond the last element, that one
//
// one axis after the other. An element whose weight is 0 is not read, whatever it is.
//
// adjoint x' += the transposed sums
// errors  sizes below 1, an axis without elements, align_corners without bilinear
//
// Options, defaults and results are those of torch.nn.functional.interpolate and upsample (mode linear of signals is
// called bilinear too).

LIMBIC_BEGIN

// How elements between others are found.
enum class interpolation { nearest, bilinear };

struct interpolate_options {
  interpolation mode = interpolation::nearest;
  bool align_corners = false;  // of bilinear: the first and last elements stay where they are
};

namespace detail {

// Where each result reads: first[q] and the one behind it, which has the weight. Results from begin[k] to begin[k + 1] read
// at k first.
template <class D, class T> struct resampling {
  tensor<std::int64_t, 1, D> first, begin;
  tensor<T, 1, D> weight;

  resampling(std::ptrdiff_t in, std::ptrdiff_t out, interpolate_options const& o)
      : first(shape<1>{{out}}, uninitialized),
        begin(shape<1>{{in + 1}}, uninitialized),
        weight(shape<1>{{out}}, uninitialized) {
    tensor<std::int64_t, 1, scalar> k(first.shape()), b(begin.shape(), static_cast<std::int64_t>(out));
    tensor<T, 1, scalar> w(weight.shape());
    for (std::ptrdiff_t q = out - 1; q >= 0; --q) {
      double const at = place(q, in, out, o);
      k(q) = o.mode == interpolation::nearest ? q * in / out : static_cast<std::int64_t>(at);
      if (k(q) > in - 1) k(q) = in - 1;
      if (o.mode == interpolation::bilinear && k(q) < in - 1) w(q) = math::constant<T>(at - static_cast<double>(k(q)));
      for (std::ptrdiff_t i = k(q); i >= 0 && b(i) > q; --i) b(i) = q;
    }
    copy_elements(D{}, first.data(), k.data(), k.size());
    copy_elements(D{}, begin.data(), b.data(), b.size());
    copy_elements(D{}, weight.data(), w.data(), w.size());
  }

 private:
  static double place(std::ptrdiff_t q, std::ptrdiff_t in, std::ptrdiff_t out, interpolate_options const& o) {
    double const n = static_cast<double>(in), m = static_cast<double>(out), i = static_cast<double>(q);
    if (o.align_corners) return out > 1 ? i * (n - 1) / (m - 1) : 0;
    double const s = (i + 0.5) * n / m - 0.5;
    return s > 0 ? s : 0;
  }
};

struct resample_row {
  constexpr void operator()(auto x, auto first, auto weight, auto y) const {
    generate(y, [&](std::ptrdiff_t q) {
      using T = typename decltype(y)::value_type;
      auto const k = static_cast<std::ptrdiff_t>(first[q]);
      T const w = weight[q], a = x[k];
      return w == T(0) ? a : (T(1) - w) * a + w * x[k + 1];
    });
  }
};
struct resample_row_back {
  constexpr void operator()(auto begin, auto weight, auto dy, auto dx) const {
    generate(dx, [&](std::ptrdiff_t i) {
      using T = typename decltype(dx)::value_type;
      auto const limit = [&](std::ptrdiff_t k) { return static_cast<std::ptrdiff_t>(begin[k]); };
      T sum = T(0);
      for (std::ptrdiff_t q = i > 0 ? limit(i - 1) : limit(i); q < limit(i); ++q)
        if (!(weight[q] == T(0))) sum = sum + weight[q] * dy[q];
      for (std::ptrdiff_t q = limit(i); q < limit(i + 1); ++q) sum = sum + (T(1) - weight[q]) * dy[q];
      return sum;
    });
  }
};

// (K) along `axis` of R axes.
template <int R, class T, class D> view<T const, R, D> table_along(tensor<T, 1, D> const& t, int axis) {
  shape<R> extents;
  for (int a = 0; a < R; ++a) extents[a] = a == axis ? t.size() : 1;
  return {t.data(), extents};
}

}  // namespace detail

template <int S> struct interpolate_op {
  static constexpr std::string_view name = "interpolate";
  static constexpr keep needs = keep::nothing;
  shape<S> size;
  interpolate_options options;

  shape<S + 2> shape_of(shape<S + 2> const& x) const {
    shape<S + 2> y = x;
    for (int i = 0; i < S; ++i) {
      if (x[2 + i] < 1) fail<shape_error>(name, "axis ", 2 + i, " of x ", x, " has no elements");
      y[2 + i] = size[i];
    }
    return y;
  }
  // Two products and a sum for each axis; nothing where elements are only copied.
  double flops(shape<S + 2> const& x) const {
    return options.mode == interpolation::nearest ? 0 : 3 * S * static_cast<double>(shape_of(x).size());
  }
  template <class D, class T> void forward(D d, view<T, S + 2, D> y, view<T const, S + 2, D> x) const {
    if constexpr (S == 1) {
      resample(d, 2, y, x);
    } else {
      tensor<T, 4, D> rows(between(x.shape()), uninitialized);
      resample(d, 2, rows.view(), x);
      resample(d, 3, y, as_view(rows));
    }
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D>, view<T const, S + 2, D> dy,
               sink<T, S + 2, D> dx) const {
    if (!dx) return;
    if constexpr (S == 1) {
      resample_back(d, 2, dx, dy);
    } else {
      tensor<T, 4, D> rows(between(x.shape()), uninitialized);
      resample_back(d, 3, as_sink(rows), dy);
      resample_back(d, 2, dx, as_view(rows));
    }
  }

 private:
  shape<4> between(shape<4> x) const {
    x[2] = size[0];
    return x;
  }
  template <class D, class T, int R> void resample(D d, int axis, view<T, R, D> y, view<T const, R, D> x) const {
    detail::resampling<D, T> const r(x.extent(axis), y.extent(axis), options);
    for_each_row(d, axis, detail::resample_row{}, x, detail::table_along<R>(r.first, axis),
                 detail::table_along<R>(r.weight, axis), y);
  }
  template <class D, class T, int R> void resample_back(D d, int axis, sink<T, R, D> dx, view<T const, R, D> dy) const {
    detail::resampling<D, T> const r(dx.shape()[axis], dy.extent(axis), options);
    for_each_row(d, axis, detail::resample_row_back{}, detail::table_along<R>(r.begin, axis),
                 detail::table_along<R>(r.weight, axis), dy, dx);
  }
};

namespace detail {
template <int S>
interpolate_op<S> make_interpolate(std::string_view name, shape<S> const& size, interpolate_options const& o) {
  for (int i = 0; i < S; ++i)
    if (size[i] < 1) fail<argument_error>(name, "sizes must be at least 1, but are ", size);
  if (o.align_corners && o.mode == interpolation::nearest)
    fail<argument_error>(name, "align_corners is an option of bilinear interpolation");
  return {size, o};
}
// 2 for images; what is neither a signal nor an image is refused where the op is applied.
template <operand X> inline constexpr int position_axes = rank_of<X> == 3 ? 1 : 2;
template <class X, class Op> auto apply_interpolate(Op const& o, X&& x) {
  constexpr bool fit = rank_of<X> == 3 || rank_of<X> == 4;
  if constexpr (fit) return apply(o, std::forward<X>(x));
  else static_assert(fit, "limbic: interpolate takes signals (N, C, L) or images (N, C, H, W)");
}
}  // namespace detail

template <operand X>
auto interpolate(X&& x, per_axis<detail::position_axes<X>> const& size, interpolate_options const& o = {}) {
  return detail::apply_interpolate(detail::make_interpolate("interpolate", size.of, o), std::forward<X>(x));
}
template <operand X>
auto upsample(X&& x, per_axis<detail::position_axes<X>> const& scale, interpolate_options const& o = {}) {
  constexpr int S = detail::position_axes<X>;
  interpolate_op<S> op = detail::make_interpolate("upsample", scale.of, o);
  for (int i = 0; i < S; ++i)
    if constexpr (rank_of<X> == S + 2) op.size[i] *= x.shape()[2 + i];
  return detail::apply_interpolate(op, std::forward<X>(x));
}

LIMBIC_END
// ---- limbic/ops/max_pool.hpp -------------------------------------------------------------------------------------
// limbic/ops/max_pool.hpp - the greatest element of each window
//
//   max_pool2d(x, 2)                                    x (N, C, H, W); windows of 2 x 2, side by side
//   max_pool2d(x, {3, 2}, {.stride = 2, .padding = 1})
//   max_pool1d(x, 2)                                    x (N, C, L)
//   max_pool2d_indices(x, 2)                            where it stands in its plane, row W + column, int64
//   adaptive_max_pool2d(x, {3, 2})                      as many windows: floor(p H / P) to ceil((p + 1) H / P)
//   adaptive_max_pool1d(x, 3)                           the same of signals
//   adaptive_max_pool2d_indices(x, {3, 2})              where they stand
//   global_max_pool(x)                                  (N, C, ...) -> (N, C)
//
//   y[n, c, p, q] = max over i, j of  x[n, c, s p + d i - a, s q + d j - a]       stride s, dilation d, padding a
//
// shape   an axis of H becomes floor((H + 2 a - d (k - 1) - 1) / s) + 1; with ceil_mode the division rounds up, but the last
//         window must start inside of the axis or of the padding before it
// adjoint x' += y' at the first of the greatest elements, row by row; nothing elsewhere. The places are kept, not x
// domain  padding is never the greatest; a NaN is greater than all
// errors  a window longer than its padded axis, a padding of more than half a window, an axis without elements
//
// Options, defaults and results are those of torch.nn.functional; windows are in kernels/pool.hpp.

LIMBIC_BEGIN

// How windows of S axes move.
template <int S> struct max_pool_options {
  per_axis<S> stride = 0;  // 0: that of the kernel, windows side by side
  per_axis<S> padding = 0, dilation = 1;
  bool ceil_mode = false;  // also a last window that reaches beyond the end
};

template <int S> struct max_pool_op {
  static constexpr std::string_view name = "max_pool";
  static constexpr keep needs = keep::outputs(1);
  static constexpr int visible = 1;  // the taps that were chosen are for the adjoint
  detail::pool_rules<S> rules;       // where the windows lie

  auto shape_of(shape<S + 2> const& x) const {
    auto const y = rules.shape_of(name, x);
    return std::tuple(y, y);
  }
  // A comparison for every tap of every window.
  double flops(shape<S + 2> const& x) const { return rules.taps(name, x); }
  template <class D, class T>
  void forward(D d, view<T, S + 2, D> y, view<T, S + 2, D> index, view<T const, S + 2, D> x) const {
    max_pool(d, detail::as_images(y), detail::as_images(index), detail::as_images(x), rules.geometry(x.shape()));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, S + 2, D> x, view<T const, S + 2, D>, view<T const, S + 2, D> index,
               view<T const, S + 2, D> dy, view<T const, S + 2, D>, sink<T, S + 2, D> dx) const {
    if (dx)
      max_pool_gradient(d, detail::as_images(dx), detail::as_images(dy), detail::as_images(index),
                        rules.geometry(x.shape()));
  }
};

namespace detail {

template <int S> pool_rules<S> max_pool_rules(std::string_view name, per_axis<S> const& kernel,
                                              max_pool_options<S> const& o) {
  return window_rules(name, kernel, o.stride, o.padding, o.dilation, o.ceil_mode);
}

// The number of a tap becomes the place in its plane that the tap reads.
struct pool_place_row {
  pool_axis rows, columns;
  constexpr void operator()(auto at, auto row, auto place) const {
    auto const p = static_cast<std::ptrdiff_t>(row[0]);
    for (std::ptrdiff_t q = 0; q < at.size(); ++q) {
      std::ptrdiff_t const tap = pool_tap_number(at[q]);
      place.put(q, tap < 0
                       ? -1
                       : rows.element(p, tap / columns.kernel) * columns.in + columns.element(q, tap % columns.kernel));
    }
  }
};

template <int S, class D, class T>
tensor<std::int64_t, S + 2, D> pool_places(D d, pool_rules<S> const& rules, view<T const, S + 2, D> x) {
  auto const extents = rules.shape_of("max_pool", x.shape());
  auto const g = rules.geometry(x.shape());
  tensor<T, S + 2, D> y(extents, uninitialized), index(extents, uninitialized);
  tensor<std::int64_t, S + 2, D> places(extents, uninitialized);
  max_pool(d, as_images(y.view()), as_images(index.view()), as_images(x), g);
  tensor<std::int64_t, 1, scalar> count(shape<1>{{g.rows.out}}, uninitialized);
  for (std::ptrdiff_t p = 0; p < g.rows.out; ++p) count(p) = p;
  auto const numbers = pool_table<D>(count);
  view<std::int64_t const, 4, D> const row(numbers.data(), shape<4>{{1, 1, g.rows.out, 1}});
  if (y.size() > 0)
    for_each_row(d, 3, pool_place_row{g.rows, g.columns}, as_images(as_view(index)), row, as_images(places.view()));
  return places;
}

}  // namespace detail

template <operand X> auto max_pool1d(X&& x, per_axis<1> const& kernel, max_pool_options<1> const& o = {}) {
  return detail::apply_pool<1>(max_pool_op<1>{detail::max_pool_rules("max_pool1d", kernel, o)}, std::forward<X>(x));
}
template <operand X> auto max_pool2d(X&& x, per_axis<2> const& kernel, max_pool_options<2> const& o = {}) {
  return detail::apply_pool<2>(max_pool_op<2>{detail::max_pool_rules("max_pool2d", kernel, o)}, std::forward<X>(x));
}
template <operand X> auto adaptive_max_pool1d(X&& x, per_axis<1> const& windows) {
  return detail::apply_pool<1>(max_pool_op<1>{detail::adaptive_rules("adaptive_max_pool1d", windows)},
                               std::forward<X>(x));
}
template <operand X> auto adaptive_max_pool2d(X&& x, per_axis<2> const& windows) {
  return detail::apply_pool<2>(max_pool_op<2>{detail::adaptive_rules("adaptive_max_pool2d", windows)},
                               std::forward<X>(x));
}

// Tensors, views and parameters: a place is a number, not a value with a gradient. -1 where a window is empty.
template <operand X>
  requires(!recorded<X>)
auto max_pool2d_indices(X const& x, per_axis<2> const& kernel, max_pool_options<2> const& o = {}) {
  static_assert(rank_of<X> == 4, "limbic: max_pool2d_indices takes images (N, C, H, W)");
  return detail::pool_places<2>(device_of<X>{}, detail::max_pool_rules("max_pool2d_indices", kernel, o), as_view(x));
}
template <operand X>
  requires(!recorded<X>)
auto adaptive_max_pool2d_indices(X const& x, per_axis<2> const& windows) {
  static_assert(rank_of<X> == 4, "limbic: adaptive_max_pool2d_indices takes images (N, C, H, W)");
  return detail::pool_places<2>(device_of<X>{}, detail::adaptive_rules("adaptive_max_pool2d_indices", windows),
                                as_view(x));
}

// The greatest of each channel.
template <operand X> auto global_max_pool(X&& x) {
  constexpr bool fit = rank_of<X> >= 3;
  if constexpr (fit) return max(flatten<2>(std::forward<X>(x)), 2);
  else static_assert(fit, "limbic: global_max_pool takes (N, C, L) or (N, C, H, W)");
}

LIMBIC_END
// ---- limbic/ops/matmul.hpp ---------------------------------------------------------------------------------------
// limbic/ops/matmul.hpp - matrix product
//
//   y = a b          (M, K) (K, N) -> (M, N);  with a leading batch axis: (B, M, K) (B or 1, K, N) -> (B, M, N)
//   a' += y' b^T,  b' += a^T y'

LIMBIC_BEGIN

struct matmul_op {
  static constexpr std::string_view name = "matmul";
  static constexpr keep needs = keep::input;

  shape<2> shape_of(shape<2> const& a, shape<2> const& b) const {
    if (a[1] != b[0]) fail<shape_error>(name, "columns of a ", a, " must equal rows of b ", b);
    return {{a[0], b[1]}};
  }
  shape<3> shape_of(shape<3> const& a, shape<3> const& b) const {
    if (a[2] != b[1]) fail<shape_error>(name, "columns of a ", a, " must equal rows of b ", b);
    if (a[0] != b[0] && a[0] != 1 && b[0] != 1) fail<shape_error>(name, "batches of a ", a, " and b ", b, " differ");
    return {{a[0] == 1 ? b[0] : a[0], a[1], b[2]}};
  }

  template <int R> double flops(shape<R> const& a, shape<R> const& b) const {
    return static_cast<double>(shape_of(a, b).size()) * static_cast<double>(2 * b[R - 2] - 1);
  }
  void forward(auto d, auto y, auto a, auto b) const { gemm(d, as_sink(y), a, b); }

  void adjoint(auto d, auto a, auto b, auto, auto dy, auto da, auto db) const {
    product(d, da, dy, b.transpose());
    product(d, db, a.transpose(), dy);
  }

 private:
  template <class D, class T> static void product(D d, sink<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b) {
    gemm(d, c, a, b);
  }
  // A shared operand (batch 1) collects the gradients of all matrices of the batch.
  template <class D, class T> static void product(D d, sink<T, 3, D> c, view<T const, 3, D> a, view<T const, 3, D> b) {
    std::ptrdiff_t const batch = a.extent(0) == 1 ? b.extent(0) : a.extent(0);
    if (!c) return;
    if (c.shape()[0] == batch) return gemm(d, c, a, b);
    for (std::ptrdiff_t i = 0; i < batch; ++i)
      gemm(d, sink<T, 2, D>(c.to[0], c.add || i > 0), a[a.extent(0) == 1 ? 0 : i], b[b.extent(0) == 1 ? 0 : i]);
  }
};

template <operand A, operand B> auto matmul(A&& a, B&& b) {
  constexpr bool fit = rank_of<A> == rank_of<B> && (rank_of<A> == 2 || rank_of<A> == 3);
  // Only one of the two: a wrong rank is to cost a line, not the whole way down to the product.
  if constexpr (fit) return apply(matmul_op{}, std::forward<A>(a), std::forward<B>(b));
  else static_assert(fit, "limbic: matmul takes two tensors of rank 2, or two of rank 3 (batches)");
}

LIMBIC_END
// ---- limbic/kernels/squared_distances.hpp ------------------------------------------------------------------------
// limbic/kernels/squared_distances.hpp - squared Euclidean distances of all pairs of rows, and what goes back
//
//   squared_distances(D, d, a, b)              d_ij   = sum_k (a_ik - b_jk)^2          a (N, F), b (M, F), d (N, M)
//   squared_distances_back(D, da, g, a, b)     da_ik  = 2 sum_j g_ij (a_ik - b_jk)     g (N, M), da (N, F); a sink
//
// The differences are taken before they are multiplied: |a|^2 + |b|^2 - 2 a.b, though a plain matrix product, would lose
// all digits of the distance between rows that are near to one another and far from 0. So d is never negative, exactly
// 0 between equal rows, and exactly symmetric when a is b.
//
// On a CPU both are the loops of a matrix product (see backend/gemm.hpp): one operand packed into panels two SIMD packs
// wide, tiles in parallel, accumulators in registers; an element's bits do not depend on the threads. Other devices get
// them as reductions.

LIMBIC_BEGIN

namespace detail {

// What happens to an accumulator at each step of the inner loop: `left` is one element of the left operand in every lane,
// `right` a pack of the panel, `own` a pack of the row that the result belongs to.
struct add_squared_difference {
  static constexpr bool uses_own = false;
  template <class V> LIMBIC_INLINE constexpr V step(V left, V right, V, V acc) const {
    V const difference = left - right;
    return math::fma(difference, difference, acc);
  }
  template <class V> LIMBIC_INLINE constexpr V finish(V acc) const { return acc; }
};
struct add_weighted_difference {
  static constexpr bool uses_own = true;
  template <class V> LIMBIC_INLINE constexpr V step(V left, V right, V own, V acc) const {
    return math::fma(left, own - right, acc);
  }
  template <class V> LIMBIC_INLINE constexpr V finish(V acc) const { return acc + acc; }
};

// A matrix read element by element.
template <class T> struct strided_matrix {
  T const* data;
  std::ptrdiff_t row, column;
};

// A panel of b is so many packs wide: with the differences beside the sums, three would not fit the registers.
template <class D, class T> inline constexpr std::ptrdiff_t difference_packs =
    kernel_lanes<D, T>::packs == 3 ? 2 : kernel_lanes<D, T>::packs;

// M rows of c, one panel wide.
template <class Rule, std::ptrdiff_t M, class D, class T>
LIMBIC_INLINE void difference_kernel(D, std::ptrdiff_t depth, strided_matrix<T> a, T const* panel,
                                     strided_matrix<T> own, T* c, std::ptrdiff_t ldc, std::ptrdiff_t columns,
                                     bool add) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  constexpr Rule rule;
  constexpr std::ptrdiff_t P = difference_packs<D, T>, W = L::width;
  V acc[M][P], mine[M][P];
  for (std::ptrdiff_t i = 0; i < M; ++i)
    for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = mine[i][j] = V(0);
  if constexpr (Rule::uses_own) {
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      T line[P * W] = {};
      for (std::ptrdiff_t j = 0; j < columns; ++j) line[j] = own.data[i * own.row + j * own.column];
      for (std::ptrdiff_t j = 0; j < P; ++j) mine[i][j] = L::load(line + j * W);
    }
  }
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    V right[P];
    for (std::ptrdiff_t j = 0; j < P; ++j) right[j] = L::load(panel + k * P * W + j * W);
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      V const left = math::broadcast<V>(a.data[i * a.row + k * a.column]);
      for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = rule.step(left, right[j], mine[i][j], acc[i][j]);
    }
  }
  if (columns == P * W) {
    for (std::ptrdiff_t i = 0; i < M; ++i)
      for (std::ptrdiff_t j = 0; j < P; ++j) {
        T* const to = c + i * ldc + j * W;
        V const v = rule.finish(acc[i][j]);
        L::store(to, add ? L::load(to) + v : v);
      }
    return;
  }
  for (std::ptrdiff_t i = 0; i < M; ++i) {
    T line[P * W];
    for (std::ptrdiff_t j = 0; j < P; ++j) L::store(line + j * W, rule.finish(acc[i][j]));
    for (std::ptrdiff_t j = 0; j < columns; ++j) c[i * ldc + j] = add ? c[i * ldc + j] + line[j] : line[j];
  }
}

template <class Rule, std::ptrdiff_t M, class D, class T>
LIMBIC_NOINLINE void difference_rows(D d, std::ptrdiff_t m, std::ptrdiff_t depth, strided_matrix<T> a, T const* panel,
                                     strided_matrix<T> own, T* c, std::ptrdiff_t ldc, std::ptrdiff_t columns,
                                     bool add) {
  std::ptrdiff_t i = 0;
  for (; i + M <= m; i += M)
    difference_kernel<Rule, M>(d, depth, strided_matrix<T>{a.data + i * a.row, a.row, a.column}, panel,
                               strided_matrix<T>{own.data + i * own.row, own.row, own.column}, c + i * ldc, ldc,
                               columns, add);
  if constexpr (M > 1)
    if (i < m)
      difference_rows<Rule, M / 2>(d, m - i, depth, strided_matrix<T>{a.data + i * a.row, a.row, a.column}, panel,
                                   strided_matrix<T>{own.data + i * own.row, own.row, own.column}, c + i * ldc, ldc,
                                   columns, add);
}

// c (N, C) from a (N, K), b (K, C) and, where the rule asks for it, own (N, C).
template <class Rule, class D, class T>
void difference_tiles(D d, sink<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b, view<T const, 2, D> own) {
  if (c.shape().size() == 0) return;
  std::ptrdiff_t const n = c.shape()[0], columns = c.shape()[1], depth = a.extent(1);
  if (depth == 0) {
    if (!c.add) fill(d, c.to, T(0));
    return;
  }
  if (!rows_contiguous(c.to)) {
    tensor<T, 2, D> dense(c.shape(), uninitialized);
    difference_tiles<Rule>(d, sink<T, 2, D>(dense.view()), a, b, own);
    return copy(d, c, dense);
  }
  constexpr std::ptrdiff_t width = difference_packs<D, T> * kernel_lanes<D, T>::width;
  constexpr std::ptrdiff_t rows = kernel_lanes<D, T>::rows / (Rule::uses_own ? 2 : 1);
  std::ptrdiff_t const panels = (columns + width - 1) / width, bands = (n + gemm_rows - 1) / gemm_rows;
  tensor<T, 1, D> packed(shape<1>{{panels * width * depth}}, uninitialized);
  for (std::ptrdiff_t p = 0; p < panels; ++p) pack_panel<D, T>(b, p * width, width, packed.data() + p * depth * width);
  std::ptrdiff_t const grain = n * columns * depth < (1 << 18) ? bands * panels : 1;
  parallel_for(bands * panels, grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t t = begin; t < end; ++t) {
      std::ptrdiff_t const i = t / panels * gemm_rows, m = n - i < gemm_rows ? n - i : gemm_rows;
      std::ptrdiff_t const p = t % panels, j = p * width, some = columns - j < width ? columns - j : width;
      for (std::ptrdiff_t k = 0; k < depth; k += gemm_depth) {
        strided_matrix<T> const left{a.data() + i * a.stride(0) + k * a.stride(1), a.stride(0), a.stride(1)};
        strided_matrix<T> const mine{own ? own.data() + i * own.stride(0) + j * own.stride(1) : left.data,
                                     own.stride(0), own.stride(1)};
        difference_rows<Rule, rows>(d, m, depth - k < gemm_depth ? depth - k : gemm_depth, left,
                                    packed.data() + p * depth * width + k * width, mine,
                                    c.to.data() + i * c.to.stride(0) + j, c.to.stride(0), some, c.add || k > 0);
      }
    }
  });
}

// The same as reductions over a third axis.
struct squared_difference {
  template <class V> constexpr V operator()(V a, V b) const { return (a - b) * (a - b); }
};
struct twice_weighted_difference {
  template <class V> constexpr V operator()(V g, V a, V b) const { return (g + g) * (a - b); }
};
template <class D, class T>
void reduce_squared_distances(D d, sink<T, 2, D> to, view<T const, 2, D> a, view<T const, 2, D> b) {
  reduce(d, sink<T, 3, D>(to.to.unsqueeze(2), to.add), sum_of{}, squared_difference{}, a.unsqueeze(1), b.unsqueeze(0));
}
template <class D, class T>
void reduce_squared_distances_back(D d, sink<T, 2, D> da, view<T const, 2, D> g, view<T const, 2, D> a,
                                   view<T const, 2, D> b) {
  reduce(d, sink<T, 3, D>(da.to.unsqueeze(1), da.add), sum_of{}, twice_weighted_difference{}, g.unsqueeze(2),
         a.unsqueeze(1), b.unsqueeze(0));
}

}  // namespace detail

template <class D, class T>
void squared_distances(D d, sink<T, 2, D> to, view<T const, 2, D> a, view<T const, 2, D> b) {
  if (!to) return;
  if (a.extent(1) != b.extent(1) || !(to.shape() == shape<2>{{a.extent(0), b.extent(0)}}))
    fail<shape_error>("squared_distances", "rows of a ", a.shape(), " and b ", b.shape(), " do not give distances ",
                      to.shape());
  if constexpr (is_host<D>)
    detail::difference_tiles<detail::add_squared_difference>(d, to, a, b.transpose(), view<T const, 2, D>());
  else detail::reduce_squared_distances(d, to, a, b);
}

template <class D, class T>
void squared_distances_back(D d, sink<T, 2, D> da, view<T const, 2, D> g, view<T const, 2, D> a,
                            view<T const, 2, D> b) {
  if (!da) return;
  if (a.extent(1) != b.extent(1) || !(g.shape() == shape<2>{{a.extent(0), b.extent(0)}}) || !(da.shape() == a.shape()))
    fail<shape_error>("squared_distances_back", "gradients ", g.shape(), " do not belong to rows of a ", a.shape(),
                      " and b ", b.shape());
  if constexpr (is_host<D>) detail::difference_tiles<detail::add_weighted_difference>(d, da, g, b, a);
  else detail::reduce_squared_distances_back(d, da, g, a, b);
}

LIMBIC_END
// ---- limbic/ops/pairwise_squared_distances.hpp -------------------------------------------------------------------
// limbic/ops/pairwise_squared_distances.hpp - squared Euclidean distances between rows
//
//   d_ij   = |x_i - y_j|^2                   x_i, y_j: rows, whatever their shape, taken as vectors
//   x'_i  += 2 sum_j d'_ij (x_i - y_j),      y'_j += 2 sum_i d'_ij (y_j - x_i)
//
//   pairwise_squared_distances(x)            y is x: x'_i += 2 sum_j (d'_ij + d'_ji) (x_i - x_j)
//   pairwise_squared_distances(x, y)
//
// shape   (N, ...) -> (N, N);  (N, ...) (M, ...) -> (N, M)
// d is never negative, exactly 0 between equal rows, and symmetric for one operand: see kernels/squared_distances.hpp.
// The root has no derivative at 0; take it, if at all, after adding something.

LIMBIC_BEGIN

namespace detail {

template <int R> constexpr shape<2> row_matrix_shape(shape<R> const& s) {
  std::ptrdiff_t length = 1;
  for (int i = 1; i < R; ++i) length *= s[i];
  return {{s[0], length}};
}
// Rows as vectors without a copy: one step from element to element, or 0 where the axes of a row do not merge into one.
template <class T, int R, class D> constexpr std::ptrdiff_t row_step(view<T, R, D> const& v) {
  std::ptrdiff_t step = 0, next = 0;
  for (int i = R - 1; i > 0; --i) {
    if (v.extent(i) == 1) continue;
    if (v.stride(i) == 0) return 0;
    if (step != 0 && v.stride(i) != next) return 0;
    if (step == 0) step = v.stride(i);
    next = v.stride(i) * v.extent(i);
  }
  return step == 0 ? 1 : step;
}
template <class T, int R, class D> constexpr view<T, 2, D> merged_rows(view<T, R, D> const& v) {
  return {v.data(), row_matrix_shape(v.shape()), shape<2>{{v.stride(0), row_step(v)}}};
}

// (N, ...) read as (N, F).
template <class T, int R, class D> class row_matrix {
 public:
  explicit row_matrix(view<T const, R, D> v) {
    if (row_step(v) == 0) copy_ = tensor<T, R, D>(v);
    rows_ = merged_rows(row_step(v) == 0 ? as_view(copy_) : v);
  }
  view<T const, 2, D> const& rows() const { return rows_; }

 private:
  tensor<T, R, D> copy_;
  view<T const, 2, D> rows_;
};

// f(sink of (N, F)) for a sink of (N, ...).
template <class D, class T, int R, class F> void into_rows(D d, sink<T, R, D> to, F const& f) {
  if (!to) return;
  if (row_step(to.to) != 0) return f(sink<T, 2, D>(merged_rows(to.to), to.add));
  tensor<T, R, D> dense(to.shape(), uninitialized);
  f(sink<T, 2, D>(merged_rows(dense.view())));
  copy(d, to, dense);
}

}  // namespace detail

struct pairwise_squared_distances_op {
  static constexpr std::string_view name = "pairwise_squared_distances";
  static constexpr keep needs = keep::input;

  template <int R> shape<2> shape_of(shape<R> const& x) const { return {{x[0], x[0]}}; }
  template <int R> shape<2> shape_of(shape<R> const& x, shape<R> const& y) const {
    for (int i = 1; i < R; ++i)
      if (x[i] != y[i]) fail<shape_error>(name, "rows of x ", x, " must have the shape of rows of y ", y);
    return {{x[0], y[0]}};
  }

  template <class D, class T, int R> void forward(D d, view<T, 2, D> out, view<T const, R, D> x) const {
    detail::row_matrix<T, R, D> const a(x);
    squared_distances(d, as_sink(out), a.rows(), a.rows());
  }
  template <class D, class T, int R>
  void forward(D d, view<T, 2, D> out, view<T const, R, D> x, view<T const, R, D> y) const {
    squared_distances(d, as_sink(out), detail::row_matrix<T, R, D>(x).rows(), detail::row_matrix<T, R, D>(y).rows());
  }

  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, 2, D>, view<T const, 2, D> g, sink<T, R, D> dx) const {
    detail::row_matrix<T, R, D> const a(x);
    detail::into_rows(d, dx, [&](sink<T, 2, D> da) {
      squared_distances_back(d, da, g, a.rows(), a.rows());
      squared_distances_back(d, sink<T, 2, D>(da.to, true), g.transpose(), a.rows(), a.rows());
    });
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, view<T const, R, D> y, view<T const, 2, D>, view<T const, 2, D> g,
               sink<T, R, D> dx, sink<T, R, D> dy) const {
    detail::row_matrix<T, R, D> const a(x), b(y);
    detail::into_rows(d, dx, [&](sink<T, 2, D> da) { squared_distances_back(d, da, g, a.rows(), b.rows()); });
    detail::into_rows(d, dy,
                      [&](sink<T, 2, D> db) { squared_distances_back(d, db, g.transpose(), b.rows(), a.rows()); });
  }
};

template <operand X> auto pairwise_squared_distances(X&& x) {
  static_assert(rank_of<X> >= 1, "limbic: pairwise_squared_distances takes rows: a tensor of rank 1 or more");
  return apply(pairwise_squared_distances_op{}, std::forward<X>(x));
}
template <operand X, operand Y> auto pairwise_squared_distances(X&& x, Y&& y) {
  static_assert(rank_of<X> >= 1 && rank_of<X> == rank_of<Y>,
                "limbic: pairwise_squared_distances takes two tensors of one rank");
  return apply(pairwise_squared_distances_op{}, std::forward<X>(x), std::forward<Y>(y));
}

LIMBIC_END
// ---- limbic/ops/ops.hpp ------------------------------------------------------------------------------------------
// limbic/ops/ops.hpp - every op of this folder (those of linear algebra are in linalg/)

// activations

// arithmetic

// along an axis, or over all elements

// shapes

// signals and images

// products and layers

// losses
// ---- limbic/infer.hpp --------------------------------------------------------------------------------------------
// limbic/infer.hpp - the core without training: tensors, ops, layers and models, and no tape

