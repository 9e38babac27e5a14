// tests/ops.cu - every op on a GPU, in float and in double, against the CPU
#include "ops.hpp"

#include <limbic_cuda/kernels/soft_dtw.cuh>
#include <limbic_cuda/linalg.cuh>

int main() {
  if (limbic::device_count() == 0) return compare::skipped();
  compare::judge judge(compare::ops_on_cpu());
  compare::all_ops(judge);
  return judge.report();
}
