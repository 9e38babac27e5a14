// limbic/ops/matmul.hpp - matrix product
//
//   y = a b          (M, K) (K, N) -> (M, N);  with a leading batch axis: (B, M, K) (B or 1, K, N) -> (B, M, N)
//   a' += y' b^T,  b' += a^T y'
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

struct matmul_op {
  static constexpr std::string_view name = "matmul";
  static constexpr keep needs = keep::input;

  shape<2> shape_of(shape<2> const& a, shape<2> const& b) const {
    if (a[1] != b[0]) fail<shape_error>(name, "columns of a ", a, " must equal rows of b ", b);
    return {{a[0], b[1]}};
  }
  shape<3> shape_of(shape<3> const& a, shape<3> const& b) const {
    if (a[2] != b[1]) fail<shape_error>(name, "columns of a ", a, " must equal rows of b ", b);
    if (a[0] != b[0] && a[0] != 1 && b[0] != 1) fail<shape_error>(name, "batches of a ", a, " and b ", b, " differ");
    return {{a[0] == 1 ? b[0] : a[0], a[1], b[2]}};
  }

  template <int R> double flops(shape<R> const& a, shape<R> const& b) const {
    return static_cast<double>(shape_of(a, b).size()) * static_cast<double>(2 * b[R - 2] - 1);
  }
  void forward(auto d, auto y, auto a, auto b) const { gemm(d, as_sink(y), a, b); }

  void adjoint(auto d, auto a, auto b, auto, auto dy, auto da, auto db) const {
    product(d, da, dy, b.transpose());
    product(d, db, a.transpose(), dy);
  }

 private:
  template <class D, class T> static void product(D d, sink<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b) {
    gemm(d, c, a, b);
  }
  // A shared operand (batch 1) collects the gradients of all matrices of the batch.
  template <class D, class T> static void product(D d, sink<T, 3, D> c, view<T const, 3, D> a, view<T const, 3, D> b) {
    std::ptrdiff_t const batch = a.extent(0) == 1 ? b.extent(0) : a.extent(0);
    if (!c) return;
    if (c.shape()[0] == batch) return gemm(d, c, a, b);
    for (std::ptrdiff_t i = 0; i < batch; ++i)
      gemm(d, sink<T, 2, D>(c.to[0], c.add || i > 0), a[a.extent(0) == 1 ? 0 : i], b[b.extent(0) == 1 ? 0 : i]);
  }
};

template <operand A, operand B> auto matmul(A&& a, B&& b) {
  constexpr bool fit = rank_of<A> == rank_of<B> && (rank_of<A> == 2 || rank_of<A> == 3);
  // Only one of the two: a wrong rank is to cost a line, not the whole way down to the product.
  if constexpr (fit) return apply(matmul_op{}, std::forward<A>(a), std::forward<B>(b));
  else static_assert(fit, "limbic: matmul takes two tensors of rank 2, or two of rank 3 (batches)");
}

LIMBIC_END
