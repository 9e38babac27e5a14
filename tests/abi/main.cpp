// Links two objects that were compiled for different instruction sets, and hands both the same tensors.
#include <limbic/core/random.hpp>

#include <cmath>
#include <cstdio>

double train_v3(limbic::tensor<float, 2> const& x, limbic::tensor<float, 2> const& target);
double train_v4(limbic::tensor<float, 2> const& x, limbic::tensor<float, 2> const& target);

int main() {
  limbic::rng random{.seed = 3};
  limbic::tensor<float, 2> x({64, 5}), target({64, 3});
  random.normal(x);
  for (std::ptrdiff_t i = 0; i < 64; ++i) target(i, x(i, 0) > 0 ? 0 : x(i, 1) > 0 ? 1 : 2) = 1;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    std::puts("linked; this machine runs neither half");
    return 0;
  }
  double const v3 = train_v3(x, target);
  double const v4 = __builtin_cpu_supports("avx512f") ? train_v4(x, target) : v3;
  std::printf("error after training: v3 %.6f, v4 %.6f\n", v3, v4);
  return v3 < 0.05 && std::fabs(v3 - v4) < 1e-4 ? 0 : 1;
}
