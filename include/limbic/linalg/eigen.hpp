// limbic/linalg/eigen.hpp - the one header that includes Eigen (3.3 or newer)
//
// Eigen's own headers are not clean under strict warnings, so its folder belongs on the system include path (-isystem;
// CMake's Eigen3::Eigen sees to it). The pragmas help those whose g++ has it elsewhere.
#pragma once

#include <limbic/config.hpp>

#if LIMBIC_GCC_PRAGMAS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#if LIMBIC_CUDA && !defined(EIGEN_NO_CUDA)
#define EIGEN_NO_CUDA  // the solver runs on the host
#endif
#include <Eigen/Eigenvalues>
#if LIMBIC_GCC_PRAGMAS
#pragma GCC diagnostic pop
#endif
