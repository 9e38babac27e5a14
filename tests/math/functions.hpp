// tests/math/functions.hpp - the functions of one argument, each as the library has it for a number and for a pack, in
// long double, and with the error its header promises
#pragma once

#include <limbic/math/math.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace functions {

// n is a whole number of packs.
template <class T> using loop = void (*)(T const* x, T* y, std::ptrdiff_t n);

template <class T> struct entry {
  char const* name;
  T (*number)(T);
  loop<T> pack;
  long double (*exact)(long double);
  double low, high;  // where random arguments come from
  double bound;      // units in the last place, packs
};

#if LIMBIC_SIMD
inline constexpr bool packs = true;
template <class T> inline constexpr std::ptrdiff_t width = limbic::lanes<T>::width;
#define LIMBIC_TEST_LOOP(f)                                                                                        \
  [](T const* x, T* y, std::ptrdiff_t n) {                                                                         \
    using lanes = limbic::lanes<T>;                                                                                \
    for (std::ptrdiff_t i = 0; i < n; i += lanes::width) lanes::store(y + i, limbic::math::f(lanes::load(x + i))); \
  }
#else
inline constexpr bool packs = false;
template <class T> inline constexpr std::ptrdiff_t width = 1;
#define LIMBIC_TEST_LOOP(f)                                              \
  [](T const* x, T* y, std::ptrdiff_t n) {                               \
    for (std::ptrdiff_t i = 0; i < n; ++i) y[i] = limbic::math::f(x[i]); \
  }
#endif
#define LIMBIC_TEST_ENTRY(f, exact, low, high, float_bound, double_bound)                                          \
  entry<T> {                                                                                                       \
    #f, [](T x) { return limbic::math::f(x); }, LIMBIC_TEST_LOOP(f),                                               \
        [](long double x) -> long double { return exact; }, low, high, sizeof(T) == 4 ? float_bound : double_bound \
  }

// The bounds stand in the table of limbic/math/math.hpp too.
template <class T> std::vector<entry<T>> all() {
  return {
      LIMBIC_TEST_ENTRY(exp, std::exp(x), -746, 710, 1.1, 1.1),
      LIMBIC_TEST_ENTRY(expm1, std::expm1(x), -40, 40, 1.4, 1.7),
      LIMBIC_TEST_ENTRY(log, std::log(x), 0, 10, 0.9, 0.9),
      LIMBIC_TEST_ENTRY(log1p, std::log1p(x), -1, 10, 1.5, 1.5),
      LIMBIC_TEST_ENTRY(sqrt, std::sqrt(x), 0, 10, 0.51, 0.51),
      LIMBIC_TEST_ENTRY(tanh, std::tanh(x), -5, 5, 2.0, 2.0),
      LIMBIC_TEST_ENTRY(sigmoid, x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)), -40, 40, 1.8, 1.8),
      LIMBIC_TEST_ENTRY(erf, std::erf(x), -6, 6, 1.5, 1.6),
      LIMBIC_TEST_ENTRY(sin, std::sin(x), -1000, 1000, 2.5, 2.2),
      LIMBIC_TEST_ENTRY(cos, std::cos(x), -1000, 1000, 2.5, 2.2),
      LIMBIC_TEST_ENTRY(abs, std::abs(x), -10, 10, 0, 0),
      LIMBIC_TEST_ENTRY(floor, std::floor(x), -10, 10, 0, 0),
  };
}

template <class T> std::vector<T> special_values() {
  using limits = std::numeric_limits<T>;
  std::vector<T> x{T(0),
                   T(1),
                   T(0.5),
                   T(2),
                   T(3),
                   T(10),
                   T(100),
                   T(1e4),
                   T(1e10),
                   limits::denorm_min(),
                   limits::min(),
                   limits::max(),
                   limits::epsilon(),
                   limits::infinity(),
                   limits::quiet_NaN()};
  x.push_back(std::nextafter(limits::min(), T(0)));
  x.push_back(std::nextafter(T(1), T(0)));
  std::size_t const n = x.size();
  for (std::size_t i = 0; i < n; ++i) x.push_back(-x[i]);
  while (x.size() % static_cast<std::size_t>(width<T>)) x.push_back(T(1));
  return x;
}

template <class T> T from_bits(std::uint64_t bits) {
  T x{};
  if constexpr (sizeof(T) == 4) {
    auto const low = static_cast<std::uint32_t>(bits);
    std::memcpy(&x, &low, 4);
  } else {
    std::memcpy(&x, &bits, 8);
  }
  return x;
}
template <class T> bool same_bits(T a, T b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// NaN, an infinity, a zero (each with its sign, but for NaN), or a number with its sign
enum class kind { nan, infinite, minus_infinite, zero, minus_zero, positive, negative };
template <class T> kind kind_of(T x) {
  if (std::isnan(x)) return kind::nan;
  if (std::isinf(x)) return x > 0 ? kind::infinite : kind::minus_infinite;
  if (x == 0) return std::signbit(x) ? kind::minus_zero : kind::zero;
  return x > 0 ? kind::positive : kind::negative;
}

// |y - exact| in units of the last place of exact, as T has it
template <class T> double error_in_ulp(T y, long double exact) {
  int exponent = 0;
  std::frexp(std::max(std::abs(exact), static_cast<long double>(std::numeric_limits<T>::min())), &exponent);
  return static_cast<double>(
      std::ldexp(std::abs(static_cast<long double>(y) - exact), std::numeric_limits<T>::digits - exponent));
}

// A small generator of bits (splitmix64).
struct bits {
  std::uint64_t state = 1;
  std::uint64_t operator()() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double uniform(double low, double high) {
    return low + (high - low) * 0x1p-53 * static_cast<double>((*this)() >> 11);
  }
};

}  // namespace functions
