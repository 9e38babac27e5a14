// limbic/math/pack.hpp - what a SIMD loop loads and stores: packs of numbers, and packs of dual numbers
//
//   lanes<T>::type     the pack: xsimd::batch<float>, dual<xsimd::batch<double>>, ...
//   lanes<T>::width    elements of T a pack holds
//   lanes<T>::load(p), lanes<T>::store(p, v)      width elements of T from/to p (no alignment asked)
//
// A tensor of dual<T> interleaves values and tangents, as std::complex does its parts: xsimd's complex loads and stores
// take them apart and put them together. The one header that includes xsimd.
#pragma once

#include <limbic/core/dual.hpp>

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
