// signal/stft.cpp - Fourier transforms against their definition; short-time ones against NumPy's numbers, identities,
// derivatives, edges
#include "support.hpp"

using namespace signals;

namespace {

constexpr double pi = 3.14159265358979324;

// The largest difference between a transform of 2 x 9 lines and its definition.
template <class T, class D>
double error_of(std::ptrdiff_t n, std::ptrdiff_t p, std::ptrdiff_t q, bool forward, bool imaginary, bool products) {
  auto const a = numbers<T, D>(shape{2, 9, p}, 1), b = numbers<T, D>(shape{2, 9, p}, 2),
             w = numbers<T, D>(shape{2, 9, p}, 3);
  tensor<T, 3, D> re(shape{2, 9, q}), im(shape{2, 9, q});
  // Without an imaginary part in (forward) or out (backward): what goes through half a transform.
  view<T const, 3, D> const b_in = imaginary || !forward ? as_view(b) : view<T const, 3, D>();
  view<T, 3, D> const im_out = imaginary || forward ? im.view() : view<T, 3, D>();
  fft_direction const direction = forward ? fft_direction::forward : fft_direction::backward;
  if (products) detail::fft_by_products(D{}, n, direction, re.view(), im_out, as_view(a), b_in, as_view(w));
  else fft(D{}, n, direction, re.view(), im_out, as_view(a), b_in, as_view(w));
  double worst = 0;
  for (std::ptrdiff_t l = 0; l < 18; ++l)
    for (std::ptrdiff_t k = 0; k < q; ++k) {
      double x = 0, y = 0;
      for (std::ptrdiff_t j = 0; j < p; ++j) {
        double const angle = (forward ? -2 : 2) * pi * static_cast<double>(j * k % n) / static_cast<double>(n);
        double const weight = static_cast<double>(w.data()[l * p + j]),
                     u = weight * static_cast<double>(a.data()[l * p + j]),
                     v = b_in ? weight * static_cast<double>(b.data()[l * p + j]) : 0;
        x += u * std::cos(angle) - v * std::sin(angle);
        y += u * std::sin(angle) + v * std::cos(angle);
      }
      worst = std::max(worst, std::abs(x - static_cast<double>(re.data()[l * q + k])));
      if (im_out) worst = std::max(worst, std::abs(y - static_cast<double>(im.data()[l * q + k])));
    }
  return worst;
}
template <class T, class D> void examine_fft(double tolerance) {
  for (std::ptrdiff_t const n : {1, 2, 3, 4, 5, 6, 8, 15, 22, 32, 49, 64, 97, 120}) {
    CAPTURE(n);
    for (int const which : {0, 1, 2, 3}) {
      CAPTURE(which);
      bool const forward = which % 2 == 0, imaginary = which >= 2;
      CHECK(error_of<T, D>(n, n, n, forward, imaginary, false) < tolerance);
      CHECK(error_of<T, D>(n, forward ? n : n / 2 + 1, forward ? n / 2 + 1 : n, forward, imaginary, false) < tolerance);
      CHECK(error_of<T, D>(n, (n + 2) / 3, (n + 1) / 2, forward, imaginary, false) < tolerance);
    }
  }
}

tensor<double, 1, simd> example() {
  tensor<double, 1, simd> x({20});
  for (std::ptrdiff_t k = 0; k < 20; ++k) {
    auto const i = static_cast<double>(k);
    x(k) = std::sin(0.7 * i) + 0.3 * std::cos(2.1 * i) + 0.01 * i;
  }
  return x;
}

}  // namespace

TEST_CASE("fft: the definition, for any length, real and complex, cut and filled up") {
  examine_fft<double, simd>(1e-13);
  examine_fft<float, simd>(1e-4);
  examine_fft<double, scalar>(1e-13);
  for (std::ptrdiff_t const n : {1, 6, 15})
    for (int const which : {0, 1, 2, 3})
      CHECK(error_of<double, simd>(n, n, n / 2 + 1, which % 2 == 0, which >= 2, true) < 1e-14);
  tensor<double, 3, simd> x(shape{1, 2, 8}), y(shape{1, 2, 5});
  view<double const, 3, simd> const none;
  CHECK_THROWS_AS(fft(simd{}, 7, fft_direction::forward, y.view(), y.view(), as_view(x), none, none), argument_error);
  CHECK_THROWS_AS(
      fft(simd{}, 8, fft_direction::forward, y.view().slice(1, 0, 1), y.view().slice(1, 0, 1), as_view(x), none, none),
      shape_error);
}

TEST_CASE("stft: NumPy's numbers") {
  // x = sin(.7 i) + .3 cos(2.1 i) + .01 i;  abs(rfft(window * sliding_window_view(pad(x), n)[::hop]))
  double const reflected[] = {2.36611358203923,  0.659776691742161, 0.55837148358625,  0.0597766917421613,
                              0.049370614866727, 0.381390906741696, 1.99547057832174,  0.95168198549689,
                              0.547055645957167, 0.323406979715737, 0.219213164939329, 1.64344656111696,
                              1.32625071798245,  0.341867602339492, 0.325236698710166};
  auto const m = stft_magnitude(example(), {.n_fft = 8, .hop_length = 3});
  REQUIRE(m.shape() == shape<2>{{7, 5}});
  for (std::ptrdiff_t k = 0; k < 15; ++k) CHECK(m(3 * (k / 5), k % 5) == Approx(reflected[k]).epsilon(1e-13));
  // An odd n_fft, a shorter window, zeros beyond the ends, divided by sqrt(n_fft).
  double const zeros[] = {0.386531711584954, 0.305804236827229, 0.124463718357284, 0.0219063285681449,
                          0.159424581912735, 0.387964340297818, 0.387285928616908, 0.196043978371544,
                          0.524264849407502, 0.512999066060368, 0.380874465829861, 0.132939578590227};
  auto const o = stft_magnitude(
      example(),
      {.n_fft = 7, .hop_length = 4, .win_length = 5, .pad_mode = stft_padding::constant, .normalized = true});
  REQUIRE(o.shape() == shape<2>{{5, 4}});
  for (std::ptrdiff_t k = 0; k < 12; ++k) CHECK(o(2 * (k / 4), k % 4) == Approx(zeros[k]).epsilon(1e-13));
  CHECK(apart(stft_power(example(), {.n_fft = 8, .hop_length = 3}), m * m) < 1e-14);
  auto const [re, im] = stft(example(), {.n_fft = 8, .hop_length = 3});
  CHECK(re(0, 1) == Approx(-0.659776691742161).epsilon(1e-13));
  CHECK(std::abs(im(0, 1)) < 1e-14);  // a reflected frame is even about its middle, which is n_fft / 2 samples in
}

TEST_CASE("stft: energy, pure tones, any window") {
  // Parseval, frame by frame: sum_j (w_j x_j)^2 = 1/n (P_0 + 2 P_1 + ... + P_{n/2}, once if n is even)
  auto const x = numbers<double, simd>(shape{200});
  for (std::ptrdiff_t const n : {16, 15, 64}) {
    auto const w = hann_window<double, simd>(n);
    auto const p = stft_power(x, w, {.n_fft = n, .hop_length = 7, .center = false});
    REQUIRE(p.extent(0) == 1 + (200 - n) / 7);
    for (std::ptrdiff_t f = 0; f < p.extent(0); ++f) {
      double energy = 0, spectrum = 0;
      for (std::ptrdiff_t j = 0; j < n; ++j) energy += w(j) * w(j) * x(7 * f + j) * x(7 * f + j);
      for (std::ptrdiff_t k = 0; k <= n / 2; ++k) spectrum += (k == 0 || 2 * k == n ? 1 : 2) * p(f, k);
      CHECK(spectrum == Approx(static_cast<double>(n) * energy).epsilon(1e-12));
    }
  }
  tensor<float, 1, simd> tone({4096});
  for (std::ptrdiff_t i = 0; i < 4096; ++i)
    tone(i) = static_cast<float>(std::cos(2 * pi * 12 * static_cast<double>(i) / 256));
  auto const m = stft_magnitude(tone, {.n_fft = 256});
  REQUIRE(m.shape() == shape<2>{{65, 129}});
  for (std::ptrdiff_t f = 2; f < 63; ++f)
    for (std::ptrdiff_t k = 0; k < 129; ++k)  // half of the window's sum at its bin, half of that beside it
      CHECK(std::abs(m(f, k) - (k == 12 ? 64 : k == 11 || k == 13 ? 32 : 0)) < 1e-3F);
  CHECK(hann_window<double, simd>(1)(0) == 1);
  CHECK(apart(hann_window<double, simd>(4), tensor<double, 1, simd>({4}, {0, 0.5, 1, 0.5})) < 1e-15);
  CHECK(apart(hann_window<double, simd>(5, false), tensor<double, 1, simd>({5}, {0, 0.5, 1, 0.5, 0})) < 1e-15);
}

TEST_CASE("stft: derivatives") {
  for (int const which : {0, 1, 2, 3, 4}) {
    CAPTURE(which);
    stft_options const o{.n_fft = which == 1   ? 5
                                  : which == 4 ? 1
                                               : 6,
                         .hop_length = which == 2 ? 8 : 2,
                         .win_length = which == 0 ? 4 : 0,
                         .center = which != 2,
                         .pad_mode = which == 3 ? stft_padding::constant : stft_padding::reflect,
                         .normalized = which == 0};
    auto const x = numbers<double, simd>(shape{2, 14});
    auto const power = check_gradient([&](auto const& v) { return stft_power(v, o); }, x);
    CAPTURE(power.message.c_str());
    CHECK(power.passed);
    CHECK(check_gradient([&](auto const& v) { return stft_magnitude(v, o); }, x).passed);
    CHECK(check_gradient([&](auto const& v) { return std::get<1>(stft(v, o)); }, x).passed);
  }
  // Second derivatives: power is quadratic, H v is the gradient at v; of the magnitude, differences.
  auto const x = numbers<double, simd>(shape{30}), v = numbers<double, simd>(shape{30}, 1);
  auto const gradient_at = [](auto const& f, auto const& at) {
    tape t;
    auto const p = t.variable(at);
    t.backward(f(p));
    return tensor<double, 1, simd>(p.gradient());
  };
  auto const power = [](auto const& s) { return sum(stft_power(s, {.n_fft = 8})); };
  CHECK(apart(hessian_vector_product(power, x, v), gradient_at(power, v)) < 1e-12);
  auto const length = [](auto const& s) { return sum(stft_magnitude(s, {.n_fft = 8})); };
  double const h = 1e-5;
  auto const differences = (gradient_at(length, x + v * h) - gradient_at(length, x - v * h)) / (2 * h);
  CHECK(apart(hessian_vector_product(length, x, v), differences) < 1e-6 * largest(differences));
  // Where the magnitude is 0 so are its derivatives.
  tensor<double, 1, simd> const silence({30});
  CHECK(largest(gradient_at(length, silence)) == 0);
  CHECK(apart(hessian_vector_product(length, silence, v), silence) == 0);
}

TEST_CASE("stft: shapes, views, devices, NaN, errors") {
  stft_options const o{.n_fft = 12, .hop_length = 5};
  auto const x = numbers<double, simd>(shape{3, 2, 40});
  auto const m = stft_magnitude(x, o);
  REQUIRE(m.shape() == shape<4>{{3, 2, 9, 7}});
  for (std::ptrdiff_t b = 0; b < 3; ++b)  // a frame's bits do not depend on its neighbours
    for (std::ptrdiff_t c = 0; c < 2; ++c)
      CHECK(apart(stft_magnitude(x.view()[b][c], o), tensor<double, 2, simd>(m.view()[b][c])) == 0);
  tensor<double, 3, simd> const turned(x.view().permute({{2, 0, 1}}));
  CHECK(apart(stft_magnitude(turned.view().permute({{1, 2, 0}}), o), m) == 0);
  tensor<double, 3, scalar> const plain(x.view().on(scalar{}));
  CHECK(apart(stft_magnitude(plain, o), m) < 1e-14);
  CHECK(stft_magnitude(x, {.n_fft = 40, .center = false}).shape() == shape<4>{{3, 2, 1, 21}});  // one frame
  CHECK(stft_magnitude(tensor<double, 2, simd>(shape{0, 40}), o).shape() == shape<3>{{0, 9, 7}});
  // Gradients of strided operands.
  tape t;
  auto const v = t.variable(x), w = t.variable(turned);
  t.backward(sum(stft_power(v, o) + stft_power(permute(w, {{1, 2, 0}}), o)));
  CHECK(apart(v.gradient(), tensor<double, 3, simd>(w.gradient().permute({{1, 2, 0}}))) < 1e-13);

  auto broken = numbers<float, simd>(shape{64});
  auto const clean = stft_magnitude(broken, {.n_fft = 8, .hop_length = 8, .center = false});
  broken(19) = std::numeric_limits<float>::quiet_NaN();
  auto const some = stft_magnitude(broken, {.n_fft = 8, .hop_length = 8, .center = false});
  for (std::ptrdiff_t f = 0; f < 8; ++f)
    for (std::ptrdiff_t k = 0; k < 5; ++k) CHECK((f == 2 ? std::isnan(some(f, k)) : some(f, k) == clean(f, k)));

  CHECK_THROWS_WITH(stft(x, {.n_fft = 41, .center = false}), "[stft] a frame has 41 samples, but x is (3, 2, 40)");
  CHECK_THROWS_WITH(stft(x, {.n_fft = 80}),
                    "[stft] to reflect n_fft / 2 = 40 samples the signal must be longer, but x is (3, 2, 40)");
  CHECK(std::get<0>(stft(x, {.n_fft = 80, .pad_mode = stft_padding::constant})).extent(2) == 3);
  CHECK_THROWS_AS(stft(x, {}), argument_error);
  CHECK_THROWS_AS(stft(x, {.n_fft = 8, .hop_length = -1}), argument_error);
  CHECK_THROWS_AS(stft(x, {.n_fft = 8, .win_length = 9}), argument_error);
  CHECK_THROWS_AS(stft(x, {.n_fft = 8, .win_length = -1}), argument_error);
  CHECK_THROWS_AS((hann_window<float, simd>(-1)), argument_error);
}
