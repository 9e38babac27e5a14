// signal/scalogram.cpp - continuous wavelet transforms against NumPy's and PyWavelets' numbers, identities, derivatives, edges
#include "support.hpp"

using namespace signals;

namespace {

constexpr double pi = 3.14159265358979324;

tensor<double, 1, simd> tone(double frequency, double amplitude, std::ptrdiff_t n) {
  tensor<double, 1, simd> x({n});
  for (std::ptrdiff_t i = 0; i < n; ++i) x(i) = amplitude * std::cos(2 * pi * frequency * static_cast<double>(i));
  return x;
}

}  // namespace

TEST_CASE("scalogram: numbers of NumPy and PyWavelets") {
  tensor<double, 1, simd> x({64});
  for (std::ptrdiff_t i = 0; i < 64; ++i) x(i) = std::cos(0.5 * static_cast<double>(i)) + (i == 40 ? 2 : 0);
  auto const m = scalogram(x, tensor<double, 1, simd>({2}, {4, 12}));
  REQUIRE(m.shape() == shape<2>{{2, 64}});
  // sum_j x_j conj(psi((j - i) / s)) / sqrt(s),  psi(t) = pi^(-1/4) e^(6 i t - t^2 / 2): eq. 2 of Torrence and Compo, which
  // has no cut at frequency 0 (e^-18).
  std::ptrdiff_t const at[] = {0, 10, 31, 40, 63};
  double const direct[2][5] = {
      {0.311918705973576, 0.00732657359655172, 0.059288182974357, 0.751383513030443, 0.304602164006858},
      {1.74260561364182, 2.68077243133874, 3.38517866005545, 3.38500101336871, 1.78332312296398}};
  for (std::ptrdiff_t s = 0; s < 2; ++s)
    for (int k = 0; k < 5; ++k) CHECK(std::abs(m(s, at[k]) - direct[s][k]) < 2e-9);
  // pywt.cwt(x, 12, 'cmor2.0-0.9549...', precision=16) has wavelets of another constant, in steps, averaged over a sample.
  double const stepped[5] = {0.887507110724228, 1.38934749490685, 1.77667768848373, 1.78256713557849,
                             0.966354041037365};
  for (int k = 0; k < 5; ++k)
    CHECK(std::abs(m(1, at[k]) - stepped[k] * std::sqrt(2 * pi) * std::pow(pi, -0.25)) < 0.09);
}

TEST_CASE("scalogram: tones, impulses, energy") {
  // A tone is the greatest at the scale of its own frequency, in both normalizations.
  tensor<double, 1, scalar> f({41});
  for (std::ptrdiff_t i = 0; i < 41; ++i) f(i) = 0.02 * std::pow(2.0, static_cast<double>(i) / 20);
  for (cwt_normalization const n : {cwt_normalization::l1, cwt_normalization::l2})
    for (std::ptrdiff_t const own : {5, 20, 33}) {
      cwt_options const o{.sampling_period = 0.5, .normalization = n};
      auto const m = scalogram(tone(0.5 * f(own), 3, 2000), morlet_scales(f, o), o);
      std::ptrdiff_t most = 0;
      for (std::ptrdiff_t s = 0; s < 41; ++s)
        if (m(s, 1000) > m(most, 1000)) most = s;
      CHECK(most == own);
      if (n == cwt_normalization::l1) CHECK(m(own, 1000) == Approx(3).epsilon(1e-10));
    }
  // The transform of an impulse is the wavelet: of unit energy, pi^(-1/4) / sqrt(s) at its middle.
  tensor<double, 1, simd> impulse({401});
  impulse(200) = 1;
  auto const [re, im] = cwt(impulse, tensor<float, 1, scalar>({2}, {8, 20}));
  for (std::ptrdiff_t s = 0; s < 2; ++s) {
    double energy = 0;
    double const scale = s == 0 ? 8 : 20;
    for (std::ptrdiff_t i = 0; i < 401; ++i) {
      double const t = static_cast<double>(200 - i) / scale,
                   size = std::pow(pi, -0.25) / std::sqrt(scale) * std::exp(-t * t / 2);
      CHECK(std::abs(re(s, i) - size * std::cos(6 * t)) < 2e-9);
      CHECK(std::abs(im(s, i) + size * std::sin(6 * t)) < 2e-9);
      energy += re(s, i) * re(s, i) + im(s, i) * im(s, i);
    }
    CHECK(energy == Approx(1).epsilon(1e-8));
  }
}

TEST_CASE("scalogram: derivatives") {
  tensor<double, 1, scalar> const scales({3}, {1, 2.5, 6});
  auto const x = numbers<double, simd>(shape{2, 11}), v = numbers<double, simd>(shape{2, 11}, 1);
  CHECK(check_gradient([&](auto const& s) { return scalogram(s, scales); }, x).passed);
  CHECK(check_gradient([&](auto const& s) { return std::get<1>(cwt(s, scales, {.omega0 = 5})); }, x).passed);
  auto const power = [&](auto const& s) {
    return sum(scalogram_power(s, scales, {.normalization = cwt_normalization::l1}));
  };
  tape t;
  auto const p = t.variable(v);
  t.backward(power(p));  // quadratic: H v is the gradient at v
  CHECK(apart(hessian_vector_product(power, x, v), p.gradient()) < 1e-12);
}

TEST_CASE("scalogram: shapes, views, devices, errors") {
  tensor<double, 1, scalar> const scales({3}, {4, 5, 9});
  auto const x = numbers<double, simd>(shape{2, 3, 50});
  auto const m = scalogram(x, scales);
  REQUIRE(m.shape() == shape<4>{{2, 3, 3, 50}});
  CHECK(apart(scalogram(x.view()[1][2], scales), tensor<double, 2, simd>(m.view()[1][2])) == 0);
  tensor<double, 3, simd> const turned(x.view().permute({{2, 0, 1}}));
  CHECK(apart(scalogram(turned.view().permute({{1, 2, 0}}), scales), m) == 0);
  CHECK(apart(scalogram(tensor<double, 3, scalar>(x.view().on(scalar{})), scales), m) < 1e-14);
  tensor<float, 3, simd> single(x.shape());
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) single.data()[i] = static_cast<float>(x.data()[i]);
  CHECK(apart(scalogram(single, scales), m) < 2e-6);
  tensor<double, 1, simd> const one({1}, {2});
  CHECK(scalogram(one, scales).shape() == shape<2>{{3, 1}});
  CHECK(scalogram(x, tensor<double, 1, scalar>(shape{0})).shape() == shape<4>{{2, 3, 0, 50}});
  CHECK(scalogram(tensor<double, 2, simd>(shape{0, 5}), scales).shape() == shape<3>{{0, 3, 5}});

  CHECK_THROWS_AS(scalogram(tensor<double, 1, simd>(shape{0}), scales), shape_error);
  CHECK_THROWS_WITH(scalogram(x, tensor<double, 1, scalar>({1}, {-2})),
                    "[cwt] scales must be positive and finite, but one is -2");
  CHECK_THROWS_AS(scalogram(x, tensor<double, 1, scalar>({1}, {1e300})), argument_error);
  CHECK_THROWS_AS(scalogram(x, scales, {.omega0 = 0}), argument_error);
  CHECK_THROWS_AS(scalogram(x, scales, {.sampling_period = -1}), argument_error);
}
