// tests/symmetric_eigen.hpp - Eigen's solver, compiled once for all programs: in every file that asks for eigenvalues it
// would take longer than everything else together
#pragma once

#include <limbic/linalg/eigh.hpp>

// TEMPLATE is `extern template` here, and `template` in symmetric_eigen.cpp.
#define LIMBIC_TEST_SOLVER(TEMPLATE, D, T) \
  TEMPLATE void symmetric_eigen<D, T>(D, view<T, 1, D>, view<T, 2, D>, view<T const, 2, D>);
#define LIMBIC_TEST_SOLVERS(TEMPLATE)          \
  LIMBIC_BEGIN                                 \
  LIMBIC_TEST_SOLVER(TEMPLATE, scalar, double) \
  LIMBIC_TEST_SOLVER(TEMPLATE, scalar, float)  \
  LIMBIC_TEST_SOLVER(TEMPLATE, simd, double)   \
  LIMBIC_TEST_SOLVER(TEMPLATE, simd, float)    \
  LIMBIC_END

LIMBIC_TEST_SOLVERS(extern template)
