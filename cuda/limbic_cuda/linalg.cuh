// limbic_cuda/linalg.cuh - linalg/ for tensors on a GPU: the solver runs on the host
//
// symmetric_eigen copies the matrix to the host, solves it there with Eigen, and copies values and vectors back; it
// waits for the stream. Everything around it (adjoints, spectral sums) runs on the GPU through the verbs.
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic_cuda/backend.cuh>

LIMBIC_BEGIN

template <class T> void symmetric_eigen(cuda d, view<T, 1, cuda> values, view<T, 2, cuda> vectors,
                                        view<T const, 2, cuda> a) {
  if (a.extent(0) == 0) return;
  auto const matrix = to_host<scalar>(a);
  tensor<T, 1, scalar> l(values.shape(), uninitialized);
  tensor<T, 2, scalar> v(shape<2>{{vectors ? a.extent(0) : 0, a.extent(1)}}, uninitialized);
  symmetric_eigen(scalar{}, l.view(), vectors ? v.view() : view<T, 2, scalar>(), matrix.view());
  copy(d, values, to_device(l));
  if (vectors) copy(d, vectors, to_device(v));
}

LIMBIC_END
