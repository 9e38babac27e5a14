// Operands of one op lie on one device; a view crosses with `on`.
// expect: limbic: the operands of one op lie on one device
#include <limbic/ops/matmul.hpp>

void f() {
  limbic::tensor<float, 2, limbic::scalar> const a({2, 3});
#ifdef LIMBIC_BAD
  limbic::tensor<float, 2, limbic::simd> const b({3, 4});
#else
  limbic::tensor<float, 2, limbic::scalar> const b({3, 4});
#endif
  limbic::matmul(a, b);
}
