// signal/transforms.cpp - discrete transforms: transposes, gradients, second order, views, devices, levels, errors
#include "support.hpp"

using namespace signals;

namespace {

struct both_bands {  // both bands weighted, so that all of their gradients are looked at
  extension mode;
  int axis;
  template <class X, class F> auto operator()(X const& x, F const& f) const {
    auto const [a, b] = dwt(x, f, {.mode = mode, .axis = axis});
    return mul(a, a) * 0.5 + b;
  }
};
struct inverse {
  extension mode;
  int axis;
  std::ptrdiff_t length;
  template <class A, class B, class F> auto operator()(A const& a, B const& b, F const& f) const {
    return square(idwt(a, b, f, {.mode = mode, .axis = axis, .length = length}));
  }
};

template <class T, class D> void compare_with_verbs(extension mode) {
  filter_line line = detail::dwt_line(mode, 1, 6);
  auto const x = numbers<T, D>(shape{2, 5, 3});
  auto const f = numbers<T, D>(shape{2, 6}, 1);
  shape<3> const extents{{2, dwt_length(5, 6, mode), 3}};
  tensor<T, 3, D> a(extents), b(extents), a2(extents, T(1)), b2(extents, T(1));
  analysis(D{}, as_sink(a), as_sink(b), as_view(x), as_view(f), line);
  detail::line_span const s = detail::check_line("test", line, a.shape(), x.shape(), f.shape());
  detail::analyse_by_taps(D{}, line, s, as_sink(a2), sink<T, 3, D>(b2.view(), true), as_view(x), as_view(f));
  CHECK(apart(a, a2) < 1e-14);
  CHECK(apart(b2, b + 1.0) < 1e-14);
  tensor<T, 3, D> y(x.shape()), y2(x.shape());
  synthesis(D{}, as_sink(y), as_view(a), as_view(b), as_view(f), line);
  detail::synthesise_by_taps(D{}, line, s, as_sink(y2), as_view(a), as_view(b), as_view(f));
  CHECK(apart(y, y2) < 1e-13 * (1 + largest(y)));
  tensor<T, 2, D> g(f.shape()), g2(f.shape());
  filter_gradients(D{}, as_sink(g), as_view(x), as_view(a), as_view(b), line);
  detail::filter_gradients_by_taps(D{}, line, s, as_sink(g2), as_view(x), as_view(a), as_view(b));
  CHECK(apart(g, g2) < 1e-13 * (1 + largest(g)));
}

}  // namespace

TEST_CASE("dwt: <A x, y> = <x, A' y> and the gradient of filters, in every mode") {
  for (extension const mode : all_modes) {
    CAPTURE(static_cast<int>(mode));
    for (std::ptrdiff_t const n : {1, 2, 3, 7, 16}) {
      auto const x = numbers<double, simd>(shape{n, 3});
      auto const f = numbers<double, simd>(shape{4, 6}, 7);
      tape t;
      auto const v = t.variable(x), w = t.variable(f);
      auto const [a, b] = dwt(v, w, {.mode = mode, .axis = 0});
      auto const ca = numbers<double, simd>(a.shape(), 1), cb = numbers<double, simd>(b.shape(), 2);
      t.seed(a, ca);
      t.seed(b, cb);
      double const forward = dot(tensor<double, 2, simd>(a.value()), ca) + dot(tensor<double, 2, simd>(b.value()), cb);
      t.backward();
      tensor<double, 2, simd> const dx(v.gradient()), df(w.gradient());
      CHECK(dot(x, dx) == Approx(forward).epsilon(1e-12).margin(1e-13));
      CHECK(dot(f, df) == Approx(forward).epsilon(1e-12).margin(1e-13));  // linear in the filters as well
      for (int r = 2; r < 4; ++r)
        for (int k = 0; k < 6; ++k) CHECK(df(r, k) == 0);  // what reconstructs has no part in it
    }
  }
}

TEST_CASE("dwt, idwt: gradients with respect to signal and filters against differences") {
  for (extension const mode : {extension::smooth, extension::antireflect, extension::periodization}) {
    CAPTURE(static_cast<int>(mode));
    auto const f = numbers<double, simd>(shape{4, 4}, 3);
    auto const r = check_gradient(both_bands{mode, 1}, numbers<double, simd>(shape{2, 5}), f);
    CHECK(r.passed);
    bool const periodic = mode == extension::periodization;
    for (std::ptrdiff_t const length : {0, periodic ? 7 : 5}) {
      auto const a = numbers<double, simd>(shape{4, 2}, 1), b = numbers<double, simd>(shape{4, 2}, 2);
      auto const q = check_gradient(inverse{mode, 0, length}, a, b, f);
      CAPTURE(q.message.c_str());
      CHECK(q.passed);
    }
  }
}

TEST_CASE("dwt: Hessian-vector products") {
  auto const x = numbers<double, simd>(shape{2, 7}), v = numbers<double, simd>(shape{2, 7}, 1);
  auto const loss = [](auto const& s) {
    auto const bands = wavedec(s, "db2", {.level = 1});
    return sum(square(mul(bands[1], bands[1]))) + sum(exp(bands[0]));
  };
  auto const hv = hessian_vector_product(loss, x, v);
  auto const gradient_at = [&](double step) {
    tape t;
    auto const p = t.variable(x + v * step);
    t.backward(loss(p));
    return tensor<double, 2, simd>(p.gradient());
  };
  double const h = 1e-5;
  auto const want = (gradient_at(h) - gradient_at(-h)) / (2 * h);
  CHECK(largest(hv) > 0.1);
  CHECK(apart(hv, want) < 1e-7 * largest(want));
}

TEST_CASE("dwt: loops and verbs agree") {
  for (extension const mode : all_modes) {
    CAPTURE(static_cast<int>(mode));
    compare_with_verbs<double, simd>(mode);
  }
}

TEST_CASE("dwt: strided views, other axes, empty batches, simd and scalar, float and double") {
  auto const x = numbers<double, simd>(shape{3, 37, 4});
  auto const along = dwt(x, "sym4", {.axis = 1});
  tensor<double, 3, simd> const turned(x.view().permute({{0, 2, 1}}));
  auto const last = dwt(turned, "sym4");
  CHECK(apart(std::get<0>(along), tensor<double, 3, simd>(std::get<0>(last).view().permute({{0, 2, 1}}))) == 0);
  auto const view = dwt(x.view().permute({{0, 2, 1}}), "sym4");
  CHECK(apart(std::get<1>(view), std::get<1>(last)) == 0);
  auto const back = idwt(std::get<0>(along), std::get<1>(along), "sym4", {.axis = -2, .length = 37});
  CHECK(apart(back, x) < 1e-14);

  tensor<double, 3, scalar> const plain(x.view().on(scalar{}));
  CHECK(apart(std::get<1>(dwt(plain, "sym4", {.axis = 1})), std::get<1>(along)) < 1e-15);
  tensor<float, 3, simd> single(x.shape());
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) single.data()[i] = static_cast<float>(x.data()[i]);
  CHECK(apart(std::get<1>(dwt(single, "sym4", {.axis = 1})), std::get<1>(along)) < 1e-6);

  tensor<double, 2, simd> const none({0, 9});
  auto const [a, b] = dwt(none, "db2");
  CHECK(a.shape() == shape<2>{{0, 6}});
  CHECK(idwt(a, b, "db2").shape() == shape<2>{{0, 10}});
}

TEST_CASE("dwt: NaN reaches the coefficients that read it, and no others") {
  auto x = numbers<float, simd>(shape{40});
  auto const [clean, details] = dwt(x, "db2", {.mode = extension::zero});
  x(20) = std::numeric_limits<float>::quiet_NaN();
  auto const [a, b] = dwt(x, "db2", {.mode = extension::zero});
  int bad = 0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    bool const reads = 2 * i + 1 - 3 <= 20 && 20 <= 2 * i + 1;
    CHECK(std::isnan(a(i)) == reads);
    CHECK(std::isnan(b(i)) == reads);
    if (!reads) CHECK((a(i) == clean(i) && b(i) == details(i)));
    bad += reads;
  }
  CHECK(bad == 2);
}

TEST_CASE("wavedec, waverec: levels and lengths") {
  for (std::ptrdiff_t const n : {50, 51, 64, 77}) {
    for (extension const mode : {extension::symmetric, extension::periodization, extension::reflect}) {
      auto const x = numbers<double, simd>(shape{2, n});
      auto const bands = wavedec(x, "db3", {.mode = mode});
      CHECK(bands.size() == static_cast<std::size_t>(max_level(n, 6)) + 1);
      auto const y = waverec(bands, "db3", {.mode = mode, .length = n});
      CHECK(y.extent(1) == n);
      CHECK(apart(x, y) < 1e-14);
      CHECK(waverec(bands, "db3", {.mode = mode}).extent(1) == n + n % 2);
    }
  }
  CHECK(max_level(1024, 2) == 10);
  CHECK(max_level(48, 8) == 2);
  CHECK(max_level(50, 102) == 0);
  CHECK(max_level(1, 2) == 0);
  // On a tape, from filters that want a gradient and signals that do not.
  auto const x = numbers<double, simd>(shape{1, 33});
  tape t;
  auto const f = t.variable(wavelet("db2").filters<double, simd>());
  auto const back = waverec(wavedec(x, f, {.level = 2}), f, {.length = 33});
  t.backward(sum(square(back)));
  CHECK(apart(tensor<double, 2, simd>(back.value()), x) < 1e-14);
  CHECK(f.has_gradient());
  tape u;
  auto const g = u.variable(wavelet("db2").filters<double, simd>());
  auto const again = waverec(wavedec(x, "db2", {.level = 2}), g, {.length = 33});  // the bands are temporaries
  u.backward(sum(again));
  CHECK(apart(tensor<double, 2, simd>(again.value()), x) < 1e-14);
}

TEST_CASE("dwt: errors") {
  auto const x = numbers<float, simd>(shape{2, 16});
  tensor<float, 2, simd> const empty({2, 0}), odd({4, 5}), three({3, 4});
  CHECK_THROWS_AS(dwt(x, "db4", {.axis = 2}), index_error);
  CHECK_THROWS_AS(dwt(empty, "db4"), shape_error);
  CHECK_THROWS_AS(dwt(x, odd), shape_error);
  CHECK_THROWS_AS(dwt(x, three), shape_error);
  CHECK_THROWS_AS(dwt(x, "nothing"), argument_error);
  CHECK_THROWS_WITH(extension_mode("mirror"), Catch::Contains("mirror") && Catch::Contains("antireflect"));
  CHECK(extension_mode("periodization") == extension::periodization);
  auto const [a, b] = dwt(x, "db4");
  CHECK_THROWS_AS(idwt(a, x, "db4"), shape_error);
  CHECK_THROWS_AS(idwt(a, b, "db4", {.length = 12}), argument_error);
  CHECK_THROWS_AS(idwt(a, b, "db20"), shape_error);
  CHECK_THROWS_AS(wavedec(x, "db4", {.level = 0}), argument_error);
  CHECK_THROWS_AS(wavedec(x, "db4", {.level = -2}), argument_error);
  CHECK_THROWS_WITH(wavedec(x, "db4", {.level = 3}), Catch::Contains("16 samples and 8 taps allow for 1"));
  CHECK(wavedec(x, "db4", {.level = 3, .beyond_max_level = true}).size() == 4);
  CHECK_THROWS_AS(wavedec(x, "db20"), argument_error);  // shorter than the filter
  CHECK_THROWS_AS(waverec(std::vector<tensor<float, 2, simd>>(1), "db4"), argument_error);
}
