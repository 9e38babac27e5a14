// limbic_cuda/linalg.cuh - linalg/ for tensors on a GPU: the solver runs on the host
//
// symmetric_eigen, orthonormalize (with its adjoint) and polar_factor copy their matrices to the host, solve there, and copy
// the results back; they wait for the stream. Everything around them (adjoints, spectral sums) runs on the GPU through
// the verbs.
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/linalg/polar.hpp>
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

template <class T> void orthonormalize(cuda d, view<T, 2, cuda> q, view<T, 2, cuda> r, view<T const, 2, cuda> a) {
  if (a.empty()) return;
  auto const matrix = to_host<scalar>(a);
  tensor<T, 2, scalar> columns(q.shape(), uninitialized);
  tensor<T, 2, scalar> triangle(shape<2>{{r ? a.extent(1) : 0, a.extent(1)}}, uninitialized);
  orthonormalize(scalar{}, columns.view(), r ? triangle.view() : view<T, 2, scalar>(), matrix.view());
  copy(d, q, to_device(columns));
  if (r) copy(d, r, to_device(triangle));
}

template <class T>
void orthonormalize_adjoint(cuda d, sink<T, 2, cuda> da, view<T const, 2, cuda> q, view<T const, 2, cuda> r,
                            view<T const, 2, cuda> dq, view<T const, 2, cuda> dr) {
  if (q.empty()) return;
  auto const columns = to_host<scalar>(q), triangle = to_host<scalar>(r);
  tensor<T, 2, scalar> columns_gradient, triangle_gradient, gradient(q.shape(), uninitialized);
  if (dq) columns_gradient = to_host<scalar>(dq);
  if (dr) triangle_gradient = to_host<scalar>(dr);
  orthonormalize_adjoint(scalar{}, sink<T, 2, scalar>(gradient.view()), columns.view(), triangle.view(),
                         as_view(columns_gradient), as_view(triangle_gradient));
  copy(d, da, to_device(gradient));
}

template <class T> void polar_factor(cuda d, view<T, 2, cuda> u, view<T const, 2, cuda> a) {
  if (a.empty()) return;
  auto const matrix = to_host<scalar>(a);
  tensor<T, 2, scalar> factor(u.shape(), uninitialized);
  polar_factor(scalar{}, factor.view(), matrix.view());
  copy(d, u, to_device(factor));
}

LIMBIC_END
