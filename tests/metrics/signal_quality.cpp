// metrics/signal_quality.cpp - measures by hand, bands against sines and Parseval's identity, and what is refused
#include "support.hpp"

#include <cmath>

using namespace metrics_test;

namespace {

constexpr double two_pi = 6.283185307179586;

// Two channels of T samples: a sine of amplitude a at frequency f in the first, of 2 a in the second.
numbers_2d sines(std::ptrdiff_t length, double rate, double f, double a) {
  numbers_2d x(shape<2>{{length, 2}});
  for (std::ptrdiff_t t = 0; t < length; ++t)
    for (std::ptrdiff_t c = 0; c < 2; ++c)
      x(t, c) = a * static_cast<double>(c + 1) * std::sin(two_pi * f * static_cast<double>(t) / rate + 0.3);
  return x;
}

}  // namespace

TEST_CASE("signal measures, by hand") {
  auto const x = numbers({1, 2, 3, 4}), y = numbers({1, 2, 3, 2});
  CHECK(mean_squared_error(x, y) == 1);
  CHECK(mean_absolute_error(x, y) == 0.5);
  CHECK(snr(x, y) == about(10 * std::log10(30.0 / 4)));
  CHECK(r2_score(x, y) == about(1 - 4.0 / 5));
  CHECK(snr(x, x) == infinity);
  CHECK(r2_score(x, x) == 1);
  CHECK(r2_score(numbers({0.1, 0.1, 0.1}), numbers({0.1, 0.1, 0.2})) == 0);
  CHECK(r2_score(numbers({0.1, 0.1, 0.1}), numbers({0.1, 0.1, 0.1})) == 1);
  tensor<float, 2, simd> const a({2, 2}, {1, 2, 3, 4}), b({2, 2}, {1, 3, 2, 2});
  CHECK(mean_absolute_error(a.view(), b.view().transpose()) == 0.5);  // strided, float
}

TEST_CASE("the error in a band is that of the frequencies in it") {
  numbers_2d const x = sines(200, 100, 10, 1);
  numbers_2d y = x;
  auto const slow = sines(200, 100, 4, 0.5), fast = sines(200, 100, 20, 0.25);
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) y.data()[i] += slow.data()[i] + fast.data()[i] + 3;
  auto const in = [&](double low, double high) { return band_mse(x, y, {.rate = 100, .low = low, .high = high}); };
  // a sine of amplitude a has the power a^2 / 2; amplitudes a and 2 a on average 5 a^2 / 4
  CHECK(in(3, 5) == Approx(1.25 * 0.25).epsilon(1e-10));
  CHECK(in(19, 21) == Approx(1.25 * 0.0625).epsilon(1e-10));
  CHECK(in(0, 0.1) == Approx(9).epsilon(1e-10));
  CHECK(in(8, 12) == Approx(0).margin(1e-20));  // both hold the clean sine
  CHECK(in(2, 4) == Approx(0).margin(1e-20));   // 4 lies in [4, 20), not in [2, 4)
  CHECK(in(4, 20) == Approx(1.25 * 0.25).epsilon(1e-10));
}

TEST_CASE("bands from end to end add up to the mean squared error") {
  for (std::ptrdiff_t const length : {1, 2, 3, 16, 31, 64}) {
    rng random{.seed = static_cast<std::uint64_t>(length)};
    auto const x = random_numbers(length, 1000, random), y = random_numbers(length, 1000, random);
    double const all = mean_squared_error(x, y);
    CHECK(band_mse(x, y) == about(all));
    CHECK(band_mse(x, y, {.rate = 6, .high = 3}) == about(all));  // with the greatest frequency, 3
    if (length < 16) continue;
    double sum = 0;
    for (int b = 0; b < 3; ++b) sum += band_mse(x, y, {.rate = 6, .low = 1.0 * b, .high = b + 1.0});
    CHECK(sum == about(all));
  }
}

TEST_CASE("what signal measures refuse") {
  auto const x = numbers({1, 2, 3, 4});
  CHECK_THROWS_AS(mean_squared_error(x, numbers({1, 2})), shape_error);
  CHECK_THROWS_AS(mean_squared_error(numbers({}), numbers({})), argument_error);
  CHECK_THROWS_AS(mean_absolute_error(x, numbers({1, 2, not_a_number, 4})), argument_error);
  CHECK_THROWS_AS(r2_score(numbers({1, 2, infinity, 4}), x), argument_error);
  CHECK_THROWS_WITH(snr(numbers({0, 0, 0, 0}), x), "[snr] the clean signal must not be 0 everywhere");
  CHECK_THROWS_AS(band_mse(x, x, {.rate = 0}), argument_error);
  CHECK_THROWS_AS(band_mse(x, x, {.low = -1}), argument_error);
  CHECK_THROWS_AS(band_mse(x, x, {.low = 0.3, .high = 0.3}), argument_error);
  CHECK_THROWS_AS(band_mse(x, x, {.low = 0.3, .high = not_a_number}), argument_error);
  CHECK_THROWS_AS(band_mse(x, x, {.low = 0.3, .high = 0.4}), argument_error);  // frequencies are 0, 1/4, 1/2
}
