// What is put one after another has one rank.
// expect: limbic: concatenate takes up to 16 tensors of one rank, 1 or more
// at most: 12 lines
#include <limbic/ops/concatenate.hpp>

void f(limbic::tensor<float, 2> const& a) {
#ifdef LIMBIC_BAD
  limbic::tensor<float, 1> const b({3});
#else
  limbic::tensor<float, 2> const b({3, 3});
#endif
  limbic::concatenate(0, a, b);
}
