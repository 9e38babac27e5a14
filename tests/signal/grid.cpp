// signal/grid.cpp - every wavelet, every extension, every length from 1 to 64: back where it came from
#include "support.hpp"

using namespace signals;

namespace {

// The error that a family's filters leave, in units of the largest sample of the extended signal. Filters that are right
// to the last digit lose what the sums over L taps round; dmey loses what its cut-off filter lacks: at most the sum over its error's taps (filters.cpp).
template <class T> double allowed(wavelet const& w) {
  double const rounding = (std::is_same_v<T, float> ? 0x1p-24 : 0x1p-53) * (8 + 2 * w.length());
  return w.name() == "dmey" ? 6.668e-3 + rounding : rounding;
}
// `smooth` goes on along a straight line, antireflect turns about its ends: both leave the range of the signal.
double spread(extension mode, std::ptrdiff_t n, int taps) {
  if (mode == extension::smooth) return 1 + 2.0 * taps;
  if (mode == extension::antireflect) return 3 + 4.0 * taps / static_cast<double>(n);
  return 1;
}

template <class T, class D> void whole_grid() {
  for (int i = 0; i < wavelet_count; ++i) {
    wavelet const w(wavelet_name(i));
    std::string failed;
    for (extension const mode : all_modes) {
      for (std::ptrdiff_t n = 1; n <= 64; ++n) {
        auto const x = numbers<T, D>(shape{n}, static_cast<std::uint64_t>(i));
        auto const [a, b] = dwt(x, w, {.mode = mode});
        auto const y = idwt(a, b, w, {.mode = mode, .length = n});
        bool const same = a.extent(0) == dwt_length(n, w.length(), mode) && y.extent(0) == n &&
                          apart(x, y) <= allowed<T>(w) * spread(mode, n, w.length());
        if (!same)
          failed += " " + std::to_string(static_cast<int>(mode)) + "/" + std::to_string(n) + ": " +
                    std::to_string(apart(x, y) / allowed<T>(w));
      }
    }
    CAPTURE(std::string(w.name()));
    CHECK(failed == "");
  }
}

}  // namespace

TEST_CASE("dwt: the grid in double, scalar") { whole_grid<double, scalar>(); }
TEST_CASE("dwt: the grid in double, simd") { whole_grid<double, simd>(); }
TEST_CASE("dwt: the grid in float, simd") { whole_grid<float, simd>(); }

TEST_CASE("dmey: the signal that comes back worst, and a constant") {
  wavelet const w("dmey");
  std::ptrdiff_t const n = 128;
  auto const error_of = [&](tensor<double, 1> const& x) {
    auto const [a, b] = dwt(x, w, {.mode = extension::periodization});
    return apart(x, idwt(a, b, w, {.mode = extension::periodization}));
  };
  // What an impulse comes back with is the error filter; the signs of its taps are what it weighs most.
  tensor<double, 1> impulse(shape{n}), worst(shape{n});
  impulse(64) = 1;
  auto const [a, b] = dwt(impulse, w, {.mode = extension::periodization});
  auto const back = idwt(a, b, w, {.mode = extension::periodization});
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    worst(i) = back(i) - impulse(i) < 0 ? -1 : 1;
  }
  CHECK(error_of(worst) == Approx(6.6677e-3).epsilon(1e-4));
  CHECK(error_of(tensor<double, 1>(shape{n}, 1.0)) < 1e-6);  // where the filter's sum is right
}
