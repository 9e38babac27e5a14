// The one place where the tests compile Eigen's solver.
#include "symmetric_eigen.hpp"

LIMBIC_TEST_SOLVERS(template)
