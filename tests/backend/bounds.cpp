// Verbs read and write nothing outside of their operands: arrays of exactly their size, so that AddressSanitizer sees an
// element too many (the pool's blocks are larger than what is asked of them, and would hide it).
#include "../catch.hpp"

#include <limbic/backend/gemm.hpp>
#include <limbic/backend/row.hpp>

#include <memory>

using namespace limbic;

namespace {

// A matrix on the heap, neither an element less nor one more.
template <class T, class D> struct exact {
  shape<2> extents;
  std::unique_ptr<T[]> elements;
  exact(int rows, int columns, int salt = 0)
      : extents{{rows, columns}}, elements(new T[static_cast<std::size_t>(rows * columns)]) {
    for (int i = 0; i < rows * columns; ++i)
      elements[static_cast<std::size_t>(i)] = T(static_cast<base_of<T>>((i * 7 + salt) % 11 - 5));
  }
  limbic::view<T, 2, D> view() const { return {elements.get(), extents}; }
  limbic::view<T const, 2, D> seen() const { return view(); }
};

struct softmax_like {
  constexpr void operator()(auto x, auto y) const {
    map(y, [](auto v, auto m) { return v - m; }, x, max(x));
    map(y, [](auto v, auto s) { return v + s; }, y, sum(y));
  }
};

template <class D, class T> void check_products() {
  for (int m : {1, 2, 3, 5, 9, 17, 40})
    for (int n : {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 47})
      for (int k : {1, 3, 8, 70}) {
        exact<T, D> const a(m, k), b(k, n, 3), c(m, n), across(n, k, 5);
        gemm(D{}, sink<T, 2, D>(c.view()), a.seen(), b.seen());
        auto const at = [](auto const& e, int i, int j) { return e.view()(i, j); };
        bool same = true;
        for (int i = 0; i < m; ++i)
          for (int j = 0; j < n; ++j) {
            T s(0);
            for (int l = 0; l < k; ++l) s = s + at(a, i, l) * at(b, l, j);
            same = same && at(c, i, j) == s;  // whole numbers: exact in any order
          }
        gemm(D{}, sink<T, 2, D>(c.view(), true), a.seen(), across.seen().transpose());
        gemm(D{}, sink<T, 2, D>(across.view()), b.seen().transpose(), exact<T, D>(k, k).seen());
        INFO(m << " x " << k << " x " << n);
        CHECK(same);
      }
}

template <class D, class T> void check_loops() {
  for (int n : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 257}) {
    exact<T, D> const x(3, n), y(3, n), row(1, n), column(3, 1), turned(n, 3);
    map(D{}, y.view(), multiply_function{}, x.seen(), row.seen());
    map(D{}, y.view(), multiply_function{}, turned.seen().transpose(), column.seen());
    map(D{}, turned.view(), identity_function{}, x.seen().transpose());
    reduce(D{}, row.view(), sum_of{}, x.seen());
    reduce(D{}, column.view(), max_of{}, x.seen());
    reduce(D{}, column.view(), sum_of{}, turned.seen().transpose());
    for_each_row(D{}, 1, softmax_like{}, x.seen(), y.view());
    for_each_row(D{}, 0, softmax_like{}, x.seen(), y.view());
    for_each_row(D{}, 0, softmax_like{}, turned.seen().transpose(), y.view());
    T greatest = x.view()(1, 0);
    for (int i = 1; i < n; ++i) greatest = x.view()(1, i) > greatest ? x.view()(1, i) : greatest;
    reduce(D{}, column.view(), max_of{}, x.seen());
    CHECK(column.view()(1, 0) == greatest);
  }
}

}  // namespace

TEST_CASE("products stay within their operands") {
  check_products<scalar, float>();
  check_products<simd, float>();
  check_products<simd, dual<double>>();
}

TEST_CASE("loops stay within their operands") {
  check_loops<scalar, double>();
  check_loops<simd, float>();
  check_loops<simd, dual<float>>();
}
