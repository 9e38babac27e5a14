// A scalar has no axis to sum along: its rank is part of its type.
// expect: limbic: a reduction along an axis takes a tensor of rank 1 or more
// at most: 12 lines
#include <limbic/ops/sum.hpp>

#ifdef LIMBIC_BAD
constexpr int rank = 0;
#else
constexpr int rank = 1;
#endif
void f(limbic::tensor<float, rank> const& x) { limbic::sum(x, 0); }
