// Transposed reads go in tiles: elements of large permuted operands, one by one.
#include "../catch.hpp"

#include <limbic/ops/add.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic/ops/transpose.hpp>
#include <limbic/tape/record.hpp>

using namespace limbic;

namespace tiles {

template <class T, class D> tensor<T, 3, D> counted(shape<3> const& s) {
  tensor<T, 3, D> x(s);
  T k = 0;
  for (T& v : x) v = k++;
  return x;
}

TEMPLATE_TEST_CASE("permuted copies of more than one tile", "", scalar, simd) {
  auto const x = counted<double, TestType>({{3, 70, 135}});
  auto const y = permute(x, {2, 0, 1});
  auto const z = transpose(x);
  bool same = true;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 70; ++j)
      for (int k = 0; k < 135; ++k) same = same && y(k, i, j) == x(i, j, k) && z(i, k, j) == x(i, j, k);
  CHECK(same);
}

TEMPLATE_TEST_CASE("transposed operands beside others, and sinks that add", "", scalar, simd) {
  auto const a = counted<float, TestType>({{2, 70, 66}}), b = counted<float, TestType>({{2, 66, 70}});
  auto const y = add(a.view().transpose(), b);
  bool same = true;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 66; ++j)
      for (int k = 0; k < 70; ++k) same = same && y(i, j, k) == a(i, k, j) + b(i, j, k);
  CHECK(same);

  tape t;
  auto const x = t.variable(a);
  auto const once = transpose(x), twice = transpose(x);
  t.backward(add(once, twice), b);
  same = true;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 70; ++j)
      for (int k = 0; k < 66; ++k) same = same && x.gradient()(i, j, k) == 2 * b(i, k, j);
  CHECK(same);
}

TEMPLATE_TEST_CASE("rows that lie across memory, more than one group of them", "", scalar, simd) {
  auto x = counted<double, TestType>({{2, 5, 77}});
  for (double& v : x) v = v / 100 - 4;
  auto const y = softmax(x, 1);
  auto const z = softmax(permute(x, {0, 2, 1}), 2);
  bool same = true;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 5; ++j)
      for (int k = 0; k < 77; ++k) same = same && y(i, j, k) == z(i, k, j);
  CHECK(same);
}

}  // namespace tiles
