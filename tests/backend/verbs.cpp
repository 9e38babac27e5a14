// map, reduce and for_each_row against plain loops: strides, broadcasting, tails, empty axes, adding, both devices.
#include <limbic/backend/row.hpp>
#include <limbic/core/random.hpp>

#include "../catch.hpp"

#include <cmath>
#include <limits>
#include <vector>

using namespace limbic;

namespace {

struct weighted {  // a function of two lanes that is not symmetric
  template <class V> constexpr V operator()(V a, V b) const { return a * V(2) - b; }
};
struct both_ways {
  template <class V> constexpr results<V, 2> operator()(V a, V b) const { return {{a + b, a - b}}; }
};
struct curve {
  template <class V> constexpr V operator()(V x) const { return math::tanh(x) * x + math::exp(x); }
};
struct square_of {
  template <class V> constexpr V operator()(V a) const { return a * a; }
};

template <class T, int R, class D> tensor<T, R, D> noise(shape<R> const& s, std::uint64_t seed) {
  tensor<T, R, D> t(s);
  rng random{.seed = seed};
  random.uniform(t, -1, 1);
  return t;
}
template <class V> double at(V const& v, std::ptrdiff_t i, std::ptrdiff_t j, std::ptrdiff_t k) {
  return static_cast<double>(v(v.extent(0) == 1 ? 0 : i, v.extent(1) == 1 ? 0 : j, v.extent(2) == 1 ? 0 : k));
}

// Windows onto one array, the same extents in memory orders that the loops treat differently.
template <class T, class D> std::vector<view<T, 3, D>> windows(tensor<T, 3, D>& big, shape<3> const& s) {
  auto const all = big.view();
  auto const cut = [&](auto v) { return v.slice(0, 0, s[0]).slice(1, 0, s[1]).slice(2, 0, s[2]); };
  return {view<T, 3, D>(big.data(), s), cut(all), cut(all.permute({{2, 1, 0}})), cut(all.slice(2, 0, all.extent(2), 2)),
          cut(all.permute({{1, 0, 2}}))};
}

}  // namespace

TEMPLATE_TEST_CASE("map reads and writes any strides", "[map]", (std::pair<float, scalar>), (std::pair<float, simd>),
                   (std::pair<double, scalar>), (std::pair<double, simd>)) {
  using T = typename TestType::first_type;
  using D = typename TestType::second_type;
  auto a_data = noise<T, 3, D>(shape{40, 40, 40}, 1), b_data = noise<T, 3, D>(shape{40, 40, 40}, 2);
  for (auto const& s :
       {shape{1, 1, 1}, shape{3, 5, 17}, shape{2, 1, 16}, shape{7, 3, 1}, shape{2, 0, 3}, shape{1, 1, 20}}) {
    for (auto const& a : windows(a_data, s))
      for (auto const& b : windows(b_data, s)) {
        auto c_data = noise<T, 3, D>(shape{40, 40, 40}, 3);
        for (bool add : {false, true})
          for (auto const& c : windows(c_data, s)) {
            tensor<T, 3, D> const before(c);
            map(D{}, sink<T, 3, D>(c, add), weighted{}, a, b);
            double worst = 0;
            for (std::ptrdiff_t i = 0; i < s[0]; ++i)
              for (std::ptrdiff_t j = 0; j < s[1]; ++j)
                for (std::ptrdiff_t k = 0; k < s[2]; ++k) {
                  double const want =
                      2 * at(a, i, j, k) - at(b, i, j, k) + (add ? static_cast<double>(before(i, j, k)) : 0.0);
                  worst = std::max(worst, std::abs(static_cast<double>(c(i, j, k)) - want));
                }
            REQUIRE(worst <= 8 * static_cast<double>(std::numeric_limits<T>::epsilon()));
          }
      }
  }
}

TEMPLATE_TEST_CASE("map broadcasts scalars, rows and columns, and has several outputs", "[map]", scalar, simd) {
  using D = TestType;
  auto const a = noise<double, 3, D>(shape{4, 1, 300}, 1);
  auto const b = noise<double, 2, D>(shape{5, 1}, 2);
  tensor<double, 3, D> sum({4, 5, 300}), difference({4, 5, 300}, 1.0);
  map(D{}, outs(sum, sink<double, 3, D>(difference.view(), true)), both_ways{}, a, b);
  for (std::ptrdiff_t i = 0; i < 4; ++i)
    for (std::ptrdiff_t j = 0; j < 5; ++j)
      for (std::ptrdiff_t k = 0; k < 300; ++k) {
        REQUIRE(sum(i, j, k) == a(i, 0, k) + b(j, 0));
        REQUIRE(difference(i, j, k) == a(i, 0, k) - b(j, 0) + 1.0);
      }
  tensor<double, 3, D> wrong({4, 5, 3});
  CHECK_THROWS_AS(map(D{}, wrong, both_ways{}, a, b), shape_error);
  map(D{}, sink<double, 3, D>(), weighted{}, a, a);  // nobody wants it
}

TEMPLATE_TEST_CASE("an element's bits do not depend on where it lies", "[map]", float, double) {
  using T = TestType;
  auto const a = noise<T, 1, simd>(shape{100}, 5);
  tensor<T, 1, simd> whole({100});
  map(simd{}, whole, curve{}, a);
  for (std::ptrdiff_t n = 1; n < 100; ++n)
    for (std::ptrdiff_t start : {std::ptrdiff_t{0}, 100 - n}) {
      tensor<T, 1, simd> part(shape{n});
      map(simd{}, part, curve{}, a.view().slice(0, start, start + n));
      for (std::ptrdiff_t i = 0; i < n; ++i) REQUIRE(part(i) == whole(start + i));
    }
}

TEMPLATE_TEST_CASE("reduce along every set of axes", "[reduce]", (std::pair<float, scalar>), (std::pair<float, simd>),
                   (std::pair<double, simd>), (std::pair<dual<double>, simd>)) {
  using T = typename TestType::first_type;
  using D = typename TestType::second_type;
  auto const number = [](T x) {
    if constexpr (is_dual<T>) return x.value;
    else return static_cast<double>(x);
  };
  tensor<T, 3, D> data({40, 40, 40});
  auto const values = noise<double, 1, scalar>(shape{40 * 40 * 40}, 6);
  for (std::ptrdiff_t i = 0; i < data.size(); ++i) data.data()[i] = T(static_cast<base_of<T>>(values(i)));
  for (auto const& s : {shape{3, 5, 17}, shape{1, 7, 1}, shape{30, 1, 19}, shape{2, 0, 3}, shape{6, 37, 2}})
    for (auto const& v : windows(data, s))
      for (int set = 0; set < 8; ++set) {
        shape<3> kept = s;
        for (int axis = 0; axis < 3; ++axis)
          if ((set >> axis) & 1) kept[axis] = 1;
        tensor<T, 3, D> total(kept, T(base_of<T>(1))), top(kept);
        reduce(D{}, sink<T, 3, D>(total.view(), true), sum_of{}, square_of{}, view<T const, 3, D>(v));
        reduce(D{}, top, max_of{}, view<T const, 3, D>(v));
        for (std::ptrdiff_t i = 0; i < kept[0]; ++i)
          for (std::ptrdiff_t j = 0; j < kept[1]; ++j)
            for (std::ptrdiff_t k = 0; k < kept[2]; ++k) {
              double want = 1, largest = -std::numeric_limits<double>::infinity();
              for (std::ptrdiff_t a = kept[0] == s[0] ? i : 0; a < (kept[0] == s[0] ? i + 1 : s[0]); ++a)
                for (std::ptrdiff_t b = kept[1] == s[1] ? j : 0; b < (kept[1] == s[1] ? j + 1 : s[1]); ++b)
                  for (std::ptrdiff_t c = kept[2] == s[2] ? k : 0; c < (kept[2] == s[2] ? k + 1 : s[2]); ++c) {
                    double const x = number(v(a, b, c));
                    want += x * x;
                    largest = std::max(largest, x);
                  }
              REQUIRE(number(total(i, j, k)) == Approx(want).epsilon(1e-5));
              REQUIRE(number(top(i, j, k)) == largest);
            }
      }
}

TEMPLATE_TEST_CASE("long sums keep their accuracy, and a NaN anywhere shows", "[reduce]", scalar, simd) {
  using D = TestType;
  std::ptrdiff_t const n = 1 << 22;
  tensor<float, 2, D> ones(shape{n, 1}, 0.1F);
  tensor<float, 2, D> total({1, 1});
  reduce(D{}, total, sum_of{}, ones);
  CHECK(total(0, 0) == Approx(0.1 * static_cast<double>(n)).epsilon(1e-5));
  tensor<float, 2, D> tall(shape{n / 4, 4}, 0.1F), columns({1, 4});
  reduce(D{}, columns, sum_of{}, tall);
  CHECK(columns(0, 3) == Approx(0.1 * static_cast<double>(n / 4)).epsilon(1e-5));
  for (std::ptrdiff_t where : {std::ptrdiff_t{0}, n / 2, n - 1}) {
    ones.data()[where] = std::numeric_limits<float>::quiet_NaN();
    reduce(D{}, total, max_of{}, ones);
    CHECK(std::isnan(total(0, 0)));
    reduce(D{}, total, min_of{}, ones);
    CHECK(std::isnan(total(0, 0)));
    ones.data()[where] = 0.1F;
  }
}

namespace {
struct centre {
  template <class X, class Y, class M> constexpr void operator()(X x, Y y, M mean) const {
    auto const m = sum(x) / static_cast<typename X::value_type>(x.size());
    map(y, [](auto v, auto c) { return v - c; }, x, m);
    mean.put(0, m);
  }
};
}  // namespace

TEMPLATE_TEST_CASE("for_each_row along every axis, strided or not", "[row]", scalar, simd) {
  using D = TestType;
  auto const x = noise<double, 3, D>(shape{4, 5, 37}, 7);
  for (int axis = -3; axis < 3; ++axis) {
    int const a = axis < 0 ? axis + 3 : axis;
    shape<3> one = x.shape();
    one[a] = 1;
    tensor<double, 3, D> y(x.shape(), 1.0), mean(one);
    for_each_row(D{}, axis, centre{}, as_view(x), sink<double, 3, D>(y.view(), true), mean.view());
    for (std::ptrdiff_t i = 0; i < 4; ++i)
      for (std::ptrdiff_t j = 0; j < 5; ++j)
        for (std::ptrdiff_t k = 0; k < 37; ++k) {
          double want = 0;
          for (std::ptrdiff_t l = 0; l < x.extent(a); ++l)
            want += a == 0 ? x(l, j, k) : a == 1 ? x(i, l, k) : x(i, j, l);
          want /= static_cast<double>(x.extent(a));
          REQUIRE(mean(a == 0 ? 0 : i, a == 1 ? 0 : j, a == 2 ? 0 : k) == Approx(want).margin(1e-14));
          REQUIRE(y(i, j, k) == Approx(x(i, j, k) - want + 1).margin(1e-14));
        }
  }
  tensor<double, 3, D> wrong({4, 4, 37});
  CHECK_THROWS_AS(for_each_row(D{}, 2, centre{}, as_view(x), wrong.view(), wrong.view()), shape_error);
}
