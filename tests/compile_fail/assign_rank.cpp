// A matrix does not become a vector by assignment.
// expect: no match for | no viable overloaded
#include <limbic/core/tensor.hpp>

void f(limbic::tensor<float, 2> const& a) {
#ifdef LIMBIC_BAD
  limbic::tensor<float, 1> b;
#else
  limbic::tensor<float, 2> b;
#endif
  b = a;
}
