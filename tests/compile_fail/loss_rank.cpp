// A loss between tensors of different rank would broadcast, and hide a mistake.
// expect: limbic: this loss takes an input and a target of the same rank
// at most: 14 lines
#include <limbic/ops/mse_loss.hpp>

void f() {
  limbic::tensor<float, 2> const x({4, 1});
#ifdef LIMBIC_BAD
  limbic::tensor<float, 1> const target({4});
#else
  limbic::tensor<float, 2> const target({4, 1});
#endif
  limbic::mse_loss(x, target);
}
