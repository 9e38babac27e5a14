// An element of a matrix has two indices.
// expect: no match for call | no matching function for call
#include <limbic/core/tensor.hpp>

float f(limbic::tensor<float, 2> const& a) {
#ifdef LIMBIC_BAD
  return a(1);
#else
  return a(1, 2);
#endif
}
