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
#pragma once

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
