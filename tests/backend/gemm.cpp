// Products against three plain loops: every transpose, ragged tiles, adding, batches, packed and caller-owned buffers.
#include <limbic/backend/gemm.hpp>
#include <limbic/core/random.hpp>

#include "../catch.hpp"

#include <cmath>
#include <vector>

using namespace limbic;

namespace {

template <class T, class D> tensor<T, 2, D> noise(std::ptrdiff_t m, std::ptrdiff_t n, std::uint64_t seed) {
  tensor<double, 2, scalar> u(shape{m, n});
  rng random{.seed = seed};
  random.uniform(u, -1, 1);
  tensor<T, 2, D> t(shape{m, n});
  for (std::ptrdiff_t i = 0; i < t.size(); ++i) t.data()[i] = T(static_cast<base_of<T>>(u.data()[i]));
  return t;
}
#if LIMBIC_SIMD
constexpr std::ptrdiff_t lanes_of_float = lanes<float>::width;
#else
constexpr std::ptrdiff_t lanes_of_float = 4;
#endif

template <class T> double number(T x) {
  if constexpr (is_dual<T>) return x.value;
  else return static_cast<double>(x);
}

// The largest error of c = before + a b, whatever the strides.
template <class T, class D> double check(view<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b, bool add) {
  tensor<T, 2, D> const before(c);
  gemm(D{}, sink<T, 2, D>(c, add), a, b);
  double worst = 0;
  for (std::ptrdiff_t i = 0; i < c.extent(0); ++i)
    for (std::ptrdiff_t j = 0; j < c.extent(1); ++j) {
      double want = add ? number(before(i, j)) : 0.0;
      for (std::ptrdiff_t k = 0; k < a.extent(1); ++k) want += number(a(i, k)) * number(b(k, j));
      double const error = std::abs(number(c(i, j)) - want);
      worst = error > worst || error != error ? error : worst;
    }
  return worst;
}

// A matrix m x n seen through one of five memory layouts.
template <class T, class D> struct laid_out {
  tensor<T, 2, D> data;
  view<T, 2, D> v;
  laid_out(int layout, std::ptrdiff_t m, std::ptrdiff_t n, std::uint64_t seed)
      : data(layout == 1   ? noise<T, D>(n, m, seed)
             : layout == 2 ? noise<T, D>(m, n + 3, seed)
             : layout == 3 ? noise<T, D>(n, m + 3, seed)
             : layout == 4 ? noise<T, D>(m, 2 * n + 1, seed)
                           : noise<T, D>(m, n, seed)) {
    v = data.view();
    if (layout == 1) v = v.transpose();
    if (layout == 2) v = v.slice(1, 0, n);
    if (layout == 3) v = v.slice(1, 0, m).transpose();
    if (layout == 4) v = v.slice(1, 0, 2 * n, 2);
  }
};

template <class T, class D> void all_layouts(std::vector<std::ptrdiff_t> const& sizes, double tolerance) {
  for (std::ptrdiff_t m : sizes)
    for (std::ptrdiff_t n : sizes)
      for (std::ptrdiff_t k : sizes)
        for (int layout = 0; layout < 5; ++layout) {
          laid_out<T, D> const a(layout, m, k, 1), b((layout * 2) % 5, k, n, 2), c((layout * 3) % 5, m, n, 3);
          CAPTURE(m, n, k, layout);
          REQUIRE(check<T, D>(c.v, a.v, b.v, layout % 2 == 0) <= tolerance * (1 + static_cast<double>(k)));
        }
}

}  // namespace

TEST_CASE("float products on SIMD", "[gemm]") { all_layouts<float, simd>({0, 1, 2, 7, 8, 16, 17, 33, 70}, 1e-7); }
TEST_CASE("double products on SIMD", "[gemm]") { all_layouts<double, simd>({0, 1, 5, 8, 9, 31, 40}, 1e-15); }
TEST_CASE("products in plain C++", "[gemm]") { all_layouts<double, scalar>({0, 1, 3, 4, 9, 33}, 1e-15); }
TEST_CASE("products of dual numbers", "[gemm]") {
  all_layouts<dual<double>, simd>({1, 3, 9, 17}, 1e-15);
  // The derivative of a b along (a', b') is a' b + a b'.
  auto a = noise<dual<double>, simd>(9, 12, 1), b = noise<dual<double>, simd>(12, 10, 2);
  auto const ta = noise<double, simd>(9, 12, 3), tb = noise<double, simd>(12, 10, 4);
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) a.data()[i].tangent = ta.data()[i];
  for (std::ptrdiff_t i = 0; i < b.size(); ++i) b.data()[i].tangent = tb.data()[i];
  tensor<dual<double>, 2, simd> c({9, 10});
  gemm(simd{}, sink<dual<double>, 2, simd>(c.view()), as_view(a), as_view(b));
  for (std::ptrdiff_t i = 0; i < 9; ++i)
    for (std::ptrdiff_t j = 0; j < 10; ++j) {
      double want = 0;
      for (std::ptrdiff_t k = 0; k < 12; ++k) want += ta(i, k) * b(k, j).value + a(i, k).value * tb(k, j);
      REQUIRE(c(i, j).tangent == Approx(want).margin(1e-13));
    }
}

TEST_CASE("tiles, blocks of depth and large transposed operands", "[gemm]") {
  for (int layout : {0, 1, 3}) {
    laid_out<float, simd> const a(layout, 203, 301, 1), b(layout, 301, 277, 2), c(0, 203, 277, 3);
    CHECK(check<float, simd>(c.v, a.v, b.v, true) < 2e-4);
  }
}

TEST_CASE("every remainder of rows, panels and blocks of depth", "[gemm]") {
  constexpr std::ptrdiff_t width = lanes_of_float, depth = detail::gemm_depth;
  auto const edges = [](std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
    for (int layout = 0; layout < 2; ++layout) {  // plain, transposed: of a, and of b the other
      laid_out<float, simd> const a(layout, m, k, 1), b(1 - layout, k, n, 2), b_too(layout, k, n, 2), c(0, m, n, 3);
      CAPTURE(m, n, k, layout);
      REQUIRE(check<float, simd>(c.v, a.v, b.v, layout == 0) <= 1e-7 * (1 + static_cast<double>(k)));
      REQUIRE(check<float, simd>(c.v, a.v, b_too.v, layout == 1) <= 1e-7 * (1 + static_cast<double>(k)));
    }
  };
  for (std::ptrdiff_t m = 1; m <= 17; ++m)
    for (std::ptrdiff_t n : {width, 2 * width + 1, 3 * width, 3 * width + 1, 4 * width, 4 * width + 1})
      for (std::ptrdiff_t k : {1, 20}) edges(m, n, k);
  for (std::ptrdiff_t m : {3, 8, 33, 97})  // 33 and 97: the rows are brought together, one tile and two
    for (std::ptrdiff_t n : {5 * width, 5 * width + 3})
      for (std::ptrdiff_t k : {depth - 1, depth, depth + 1, 2 * depth + 1}) edges(m, n, k);
}

TEST_CASE("a matrix times a vector, by rows and by columns", "[gemm]") {
  constexpr std::ptrdiff_t width = lanes_of_float;
  for (std::ptrdiff_t k : {std::ptrdiff_t(1), width - 1, width, 2 * width, 3 * width + 1, std::ptrdiff_t(300)})
    for (std::ptrdiff_t m : {1, 2, 3, 4, 5, 7, 8, 33, 1023, 1024, 1030, 2100})
      for (int layout : {0, 1, 3, 4}) {
        laid_out<float, simd> const a(layout, m, k, 1), x(layout, k, 1, 2), y(layout == 4 ? 4 : 0, m, 1, 3);
        CAPTURE(m, k, layout);
        REQUIRE(check<float, simd>(y.v, a.v, x.v, layout == 0) <= 1e-7 * (1 + static_cast<double>(k)));
        REQUIRE(check<float, simd>(y.v.transpose(), x.v.transpose(), a.v.transpose(), layout == 1) <=
                1e-7 * (1 + static_cast<double>(k)));
      }
  // The bits of y(i) depend neither on the rows beside it nor on its place in a block.
  for (int layout : {0, 1}) {
    laid_out<float, simd> const a(layout, 1100, 300, 1), x(0, 300, 1, 2);
    tensor<float, 2, simd> whole({1100, 1});
    gemm(simd{}, sink<float, 2, simd>(whole.view()), view<float const, 2, simd>(a.v), view<float const, 2, simd>(x.v));
    for (std::ptrdiff_t first : {1, 5, 1000, 1099}) {
      tensor<float, 2, simd> part(shape{1100 - first, 1});
      gemm(simd{}, sink<float, 2, simd>(part.view()), view<float const, 2, simd>(a.v.slice(0, first, 1100)),
           view<float const, 2, simd>(x.v));
      for (std::ptrdiff_t i = first; i < 1100; ++i) REQUIRE(part(i - first, 0) == whole(i, 0));
    }
  }
}

TEST_CASE("an element's bits depend neither on its place nor on the rows beside it", "[gemm]") {
  auto const a = noise<float, simd>(40, 300, 1), b = noise<float, simd>(300, 50, 2);
  tensor<float, 2, simd> whole({40, 50});
  gemm(simd{}, sink<float, 2, simd>(whole.view()), as_view(a), as_view(b));
  for (std::ptrdiff_t rows : {1, 2, 5, 17, 39}) {
    tensor<float, 2, simd> part(shape{rows, 50});
    gemm(simd{}, sink<float, 2, simd>(part.view()), a.view().slice(0, 0, rows), as_view(b));
    for (std::ptrdiff_t i = 0; i < part.size(); ++i) REQUIRE(part.data()[i] == whole.data()[i]);
  }
  tensor<float, 2, simd> columns({40, 9});
  gemm(simd{}, sink<float, 2, simd>(columns.view()), as_view(a), b.view().slice(1, 20, 29));
  for (std::ptrdiff_t i = 0; i < 40; ++i)
    for (std::ptrdiff_t j = 0; j < 9; ++j) REQUIRE(columns(i, j) == whole(i, 20 + j));
}

TEST_CASE("packed operands and a workspace of the caller give the same bits", "[gemm]") {
  struct {
    std::ptrdiff_t rows, depth, columns;
    bool transposed;
  } const some[] = {{35, 40, 45, true},
                    {120, 300, 100, true},  // the rows of a lie far apart
                    {3, 40, 45, false}};    // only the ragged last panel of b is packed
  set_threads(1);
  for (auto const& p : some) {
    auto const a = noise<float, simd>(p.rows, p.depth, 1);
    auto const b = p.transposed ? noise<float, simd>(p.columns, p.depth, 2) : noise<float, simd>(p.depth, p.columns, 2);
    auto const right = p.transposed ? as_view(b).transpose() : as_view(b);
    tensor<float, 2, simd> first({p.rows, p.columns}), second(first.shape()), third(first.shape());
    gemm(simd{}, sink<float, 2, simd>(first.view()), as_view(a), right);
    gemm(simd{}, second, a, packed_matrix<float, simd>(right));
    tensor<float, 1, simd> workspace(shape{gemm_workspace<simd, float>(a.shape(), right.shape())});
    gemm(simd{}, sink<float, 2, simd>(third.view()), as_view(a), right, workspace.data());
    for (std::ptrdiff_t i = 0; i < first.size(); ++i) {
      REQUIRE(first.data()[i] == second.data()[i]);
      REQUIRE(first.data()[i] == third.data()[i]);
    }
  }
  set_threads(0);
}

TEST_CASE("batches, with shared operands", "[gemm]") {
  auto const data = noise<double, simd>(60, 5, 1);
  view<double const, 3, simd> const a(data.data(), shape{3, 4, 5}), b(data.data() + 60, shape{3, 5, 6}),
      b1(data.data() + 60, shape{1, 5, 6});
  for (auto const& right : {b, b1}) {
    tensor<double, 3, simd> c({3, 4, 6});
    gemm(simd{}, sink<double, 3, simd>(c.view()), a, right);
    for (std::ptrdiff_t i = 0; i < 3; ++i) {
      tensor<double, 2, simd> one({4, 6});
      gemm(simd{}, sink<double, 2, simd>(one.view()), a[i], right[right.extent(0) == 1 ? 0 : i]);
      for (std::ptrdiff_t k = 0; k < one.size(); ++k) REQUIRE(c.data()[i * 24 + k] == Approx(one.data()[k]));
    }
  }
}

TEST_CASE("shapes that do not fit", "[gemm]") {
  tensor<float, 2> const a({3, 4}), b({5, 6});
  tensor<float, 2> c({3, 6});
  CHECK_THROWS_WITH(gemm(default_device{}, sink<float, 2>(c.view()), as_view(a), as_view(b)),
                    "[gemm] columns of a (3, 4) must equal rows of b (5, 6)");
}
