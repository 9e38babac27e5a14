// A margin takes features and weights as matrices, and labels.
// expect: limbic: a margin takes features (N, D), weights (C, D) and integer labels (N)
// at most: 16 lines
#include <limbic/ops/arcface_margin.hpp>

void f() {
  limbic::tensor<float, 2> const x({4, 3}), weight({5, 3});
#ifdef LIMBIC_BAD
  limbic::tensor<float, 1> const labels({4});
#else
  limbic::tensor<std::int64_t, 1> const labels({4});
#endif
  limbic::margin_loss(x, weight, labels, limbic::arcface_margin{});
}
