// A matrix times a batch of matrices: the ranks are part of the types.
// expect: limbic: matmul takes two tensors of rank 2, or two of rank 3 (batches)
// at most: 12 lines
#include <limbic/ops/matmul.hpp>

void f() {
  limbic::tensor<float, 2> const a({2, 3});
#ifdef LIMBIC_BAD
  limbic::tensor<float, 3> const b({3, 4, 1});
#else
  limbic::tensor<float, 2> const b({3, 4});
#endif
  limbic::matmul(a, b);
}
