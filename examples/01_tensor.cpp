// 01_tensor - what a tensor is: a rank known to the compiler, extents known at run time, elements in one row
//
// Before: 00_first.cpp    next: 02_gradient.cpp
#include "common/check.hpp"

#include <limbic/infer.hpp>

using limbic::shape, limbic::tensor;

int main() {
  tensor<float, 2> const a({2, 3}, {1, 2, 3, 4, 5, 6});  // row by row; a rank mistake would not compile
  tensor<float, 1> const row({3}, {10, 20, 30});

  // Ops take tensors and give tensors. Operands broadcast as in NumPy.
  auto const b = a + row;
  std::printf("a + row =\n");
  for (int i = 0; i < 2; ++i) std::printf("  %g %g %g\n", double(b(i, 0)), double(b(i, 1)), double(b(i, 2)));
  check(b(1, 2) == 36, "an operand stretches to the shape of the other");

  check(limbic::sum(a)() == 21, "a sum over all elements has rank 0: one number");
  check(limbic::max(a, 1).shape() == shape{2}, "max(a, 1) is the greatest of each row");

  // Views are windows onto elements that somebody else owns: cheap, and never a copy.
  auto const turned = a.view().transpose();
  check(turned.shape() == shape{3, 2} && &turned(2, 0) == &a(0, 2), "a transposed view shows the same elements");
  auto const second_column = a.view().slice(1, 1, 2);
  check(limbic::sum(second_column)() == 7, "ops take views too, strided or not");

  // Matrix products; wrong extents say what was expected.
  auto const square = limbic::matmul(a, turned);
  check(square(0, 1) == 32, "a times its transpose");
  try {
    (void)limbic::matmul(a, a);
    check(false, "a mistake in the extents is an error");
  } catch (limbic::shape_error const& e) {
    std::printf("%s\n", e.what());
  }

  // The device is part of the type too: plain loops, SIMD loops, and (in limbic_cuda/) a GPU.
  tensor<double, 1, limbic::scalar> const plain({4}, {-1, 0, 1, 2});
  auto const y = limbic::elu(plain, {.alpha = 0.5});
  check(y(0) > -0.5 && y(3) == 2, "the same op on the scalar device");
}
