// signal/stationary.cpp - stationary transforms, thresholds, learned filters
#include "support.hpp"

using namespace signals;

TEST_CASE("swt: reconstructs, moves with the signal, and has gradients") {
  auto const x = numbers<double, simd>(shape{2, 24});
  for (char const* name : {"haar", "db4", "bior2.2", "coif3", "rbio3.5"}) {
    auto const bands = swt(x, name, 3);
    REQUIRE(bands.size() == 3);
    CHECK(apart(iswt(bands, name), x) < 1e-14);
    CHECK(apart(iswt(swt(x, name, 1, 0), name, 0), x) < 1e-14);
  }
  tensor<double, 2, simd> moved(x.shape());
  for (std::ptrdiff_t b = 0; b < 2; ++b)
    for (std::ptrdiff_t i = 0; i < 24; ++i) moved(b, (i + 5) % 24) = x(b, i);
  auto const before = swt(x, "db4", 2), after = swt(moved, "db4", 2);
  bool same = true;
  for (std::ptrdiff_t i = 0; i < 24; ++i)
    same = same && std::get<1>(before[0])(1, i) == std::get<1>(after[0])(1, (i + 5) % 24);
  CHECK(same);

  auto const f = numbers<double, simd>(shape{4, 4}, 3);
  auto const there = check_gradient(
      [](auto const& v, auto const& w) {
        auto const bands = swt(v, w, 2, 0);
        return square(std::get<0>(bands[0])) + std::get<1>(bands[1]) * std::get<1>(bands[0]);
      },
      numbers<double, simd>(shape{4, 2}), f);
  CHECK(there.passed);
  auto const back = check_gradient(
      [](auto const& a, auto const& b, auto const& w) {
        using X = std::remove_cvref_t<decltype(a)>;
        std::vector<std::tuple<X, X>> const bands{{a, b}, {a, b}};
        return square(iswt(bands, w, 0));
      },
      numbers<double, simd>(shape{4, 2}), numbers<double, simd>(shape{4, 2}, 1), f);
  CHECK(back.passed);
  CHECK_THROWS_AS(swt(x, "db4", 0), argument_error);
  CHECK_THROWS_AS(swt(x, "db4", 4), shape_error);
  CHECK_THROWS_AS(swt(x, "db4", 3, 2), index_error);
  CHECK_THROWS_AS(iswt(std::vector<std::tuple<tensor<double, 2, simd>, tensor<double, 2, simd>>>(), "db4"),
                  argument_error);
}

TEST_CASE("threshold: values, kinks, gradients, NaN") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  tensor<double, 1, simd> const x({7}, {-3, -2, -1, 0, 1, 2, nan});
  auto const soft = threshold(x, 2), hard = threshold(x, 2, thresholding::hard),
             garrote = threshold(x, 2, thresholding::garrote);
  CHECK(soft(0) == -1);
  CHECK(soft(1) == 0);
  CHECK(hard(0) == -3);
  CHECK(hard(1) == -2);
  CHECK(hard(4) == 0);
  CHECK(garrote(0) == Approx(-3 + 4 / 3.0));
  CHECK(garrote(3) == 0);
  CHECK(std::isnan(soft(6)));
  CHECK(std::isnan(hard(6)));
  CHECK(std::isnan(garrote(6)));
  CHECK_THROWS_AS(threshold(x, -1), argument_error);
  CHECK_THROWS_AS(threshold(x, nan), argument_error);
  for (thresholding const kind : {thresholding::soft, thresholding::garrote}) {
    auto const r =
        check_gradient([=](auto const& v, auto const& t) { return threshold(v, t, kind); },
                       numbers<double, simd>(shape{3, 11}) * 3.0, tensor<double, 2, simd>({3, 1}, {0.5, 1, 0.25}));
    CHECK(r.passed);
  }
  tape t;
  auto const v = t.variable(tensor<double, 1, simd>({3}, {0, 2, -2}));
  t.backward(threshold(v, 2, thresholding::garrote), tensor<double, 1, simd>({3}, {1, 1, 1}));
  for (int i = 0; i < 3; ++i) CHECK(v.gradient()(i) == 0);  // also at 0, where t / x is infinite
}

TEST_CASE("noise level and universal threshold") {
  tensor<double, 1, simd> const odd({3}, {-3, 1, 2}), even({4}, {1, -2, 4, 8});
  CHECK(noise_level(odd) == Approx(2 / 0.6744897501960817));
  CHECK(noise_level(even) == Approx(3 / 0.6744897501960817));
  CHECK(universal_threshold(2, 100) == Approx(2 * std::sqrt(2 * std::log(100.0))));
  CHECK_THROWS_AS(noise_level(tensor<double, 1, simd>({0})), shape_error);
  tensor<double, 1, simd> z({20001});
  rng random{.seed = 1};
  random.normal(z, 0, 1.5);
  CHECK(noise_level(z) == Approx(1.5).epsilon(0.02));
}

TEST_CASE("lattice: any angles reconstruct, those of a wavelet give it back, and they can be learned") {
  auto const angles = numbers<double, simd>(shape{4}, 2);
  auto const f = lattice_filters(angles);
  REQUIRE(f.shape() == shape<2>{{4, 8}});
  auto const x = numbers<double, simd>(shape{2, 21});
  auto const [a, b] = dwt(x, f);
  CHECK(apart(idwt(a, b, f, {.length = 21}), x) < 1e-14);
  auto const g = lattice_filters(angles, x, {.vanishing_moment = true});
  REQUIRE(g.shape() == shape<2>{{4, 10}});
  double low = 0, high = 0;
  for (int k = 0; k < 10; ++k) low += g(2, k), high += g(1, k);
  CHECK(low == Approx(std::sqrt(2.0)));
  CHECK(std::abs(high) < 1e-14);
  for (int i = 0; i <= 73; ++i) {
    wavelet const w(wavelet_name(i));
    auto const again = lattice_filters(lattice_angles<double, simd>(w));
    CAPTURE(std::string(w.name()));
    CHECK(apart(again, w.filters<double, simd>()) < (w.length() <= 24 ? 1e-12 : 1e-9));
  }
  CHECK_THROWS_AS((lattice_angles<double, simd>("bior2.2")), argument_error);
  CHECK_THROWS_AS(lattice_filters(tensor<double, 1, simd>(shape{0})), shape_error);
  for (bool const moment : {false, true}) {
    auto const r =
        check_gradient([=](auto const& v) { return lattice_filters(v, {.vanishing_moment = moment}); }, angles);
    CAPTURE(r.message.c_str());
    CHECK(r.passed);
  }

  // A parameter, a signal, a few steps: the details become fewer.
  parameter<double, 1, simd> p(lattice_angles<double, simd>("haar"));
  tensor<double, 2, simd> smooth({1, 64});
  for (std::ptrdiff_t i = 0; i < 64; ++i) smooth(0, i) = std::sin(0.35 * static_cast<double>(i));
  p.value = numbers<double, simd>(shape{3}, 4);
  double first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    tape t;
    auto const v = t(smooth);
    auto const bands = dwt(v, lattice_filters(p, v), {.mode = extension::periodization});
    auto const loss = sum(square(std::get<1>(bands)));
    t.backward(loss);
    last = loss.value()();
    if (step == 0) first = last;
    for (std::ptrdiff_t i = 0; i < 3; ++i) p.value(i) -= 0.01 * p.gradient()(i);
    p.clear_gradient();
  }
  CHECK(last < 0.05 * first);
}
