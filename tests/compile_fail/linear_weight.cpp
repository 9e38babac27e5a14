// The weight of a linear map is a matrix.
// expect: limbic: linear takes x of rank 1 or more, a weight of rank 2 and a bias of rank 1
// at most: 16 lines
#include <limbic/ops/linear.hpp>

void f(limbic::tensor<float, 3> const& x) {
#ifdef LIMBIC_BAD
  limbic::tensor<float, 1> const weight({4});
#else
  limbic::tensor<float, 2> const weight({5, 4});
#endif
  limbic::functional::linear(x, weight);
}
