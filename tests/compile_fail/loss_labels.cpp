// Labels are integers, one for each sample.
// expect: limbic: labels are integers
// at most: 16 lines
#include <limbic/ops/nll_loss.hpp>

void f() {
  limbic::tensor<float, 2> const x({4, 3});
#ifdef LIMBIC_BAD
  limbic::tensor<float, 1> const labels({4});
#else
  limbic::tensor<std::int64_t, 1> const labels({4});
#endif
  limbic::nll_loss(x, labels);
}
