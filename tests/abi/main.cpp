// Links two objects that were compiled for different instruction sets, and hands both the same tensor.
#include <limbic/core/tensor.hpp>

#include <cmath>
#include <cstdio>

double train_v3(limbic::tensor<float, 3> const& x);
double train_v4(limbic::tensor<float, 3> const& x);

int main() {
  limbic::tensor<float, 3> x({32, 10, 1});
  for (std::ptrdiff_t i = 0; i < 32; ++i)
    for (std::ptrdiff_t j = 0; j < 10; ++j) x(i, j, 0) = std::sin(0.4F * static_cast<float>(i + j));
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    std::puts("linked; this machine runs neither half");
    return 0;
  }
  double const v3 = train_v3(x);
  double const v4 = __builtin_cpu_supports("avx512f") ? train_v4(x) : v3;
  std::printf("loss after training: v3 %.6f, v4 %.6f\n", v3, v4);
  return v3 < 0.2 && std::fabs(v3 - v4) < 0.01 ? 0 : 1;
}
