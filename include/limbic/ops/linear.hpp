// limbic/ops/linear.hpp - affine map of the last axis
//
//   y = x W^T + b        x (..., K), W (N, K) as PyTorch stores it, b (N) or none  ->  (..., N)
//   x' += y' W,   W' += y'^T x,   b' += the sum of y' over all leading axes
//
// One matrix product whatever the number of leading axes; the bias is what the product adds to.
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct linear_op {
  static constexpr std::string_view name = "linear";
  static constexpr keep needs = keep::inputs(0, 1);

  template <int R> shape<R> shape_of(shape<R> const& x, shape<2> const& weight, shape<1> const& bias) const {
    if (x[R - 1] != weight[1])
      fail<shape_error>(name, "the last axis of x ", x, " must equal columns of the weight ", weight);
    if (bias[0] != 0 && bias[0] != weight[0])
      fail<shape_error>(name, "a bias of shape ", bias, " must have an element for each row of the weight ", weight);
    shape<R> y = x;
    y[R - 1] = weight[0];
    return y;
  }

  // For each element of the result a product and a sum of every input but the first, and the bias.
  template <int R> static double flops(shape<R> const& x, shape<2> const& weight, shape<1> const& bias) {
    double const rows = static_cast<double>(x.size()) / static_cast<double>(weight[1] > 0 ? weight[1] : 1);
    return rows * static_cast<double>(weight[0]) * static_cast<double>(2 * weight[1] - (bias[0] > 0 ? 0 : 1));
  }
  void forward(auto d, auto y, auto x, auto weight, auto bias) const {
    auto const rows = as_matrix(y);
    if (bias) copy(d, rows, bias);
    with_matrix(x, [&](auto m) { gemm(d, as_sink_adding(rows, static_cast<bool>(bias)), m, weight.transpose()); });
  }

  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> x, auto weight, auto, auto, view<T const, R, D> dy, sink<T, R, D> dx,
               sink<T, 2, D> dweight, sink<T, 1, D> dbias) const {
    auto const g = as_matrix(dy);
    if (dx) gemm(d, sink<T, 2, D>(as_matrix(dx.to), dx.add), g, weight);
    if (dweight) with_matrix(x, [&](auto m) { gemm(d, dweight, g.transpose(), m); });
    detail::spread_back(d, dbias, identity_function{}, g);
  }

 private:
  // All leading axes as one.
  template <class T, int R, class D> static view<T, 2, D> as_matrix(view<T, R, D> const& v) {
    std::ptrdiff_t rows = 1;
    for (int i = 0; i + 1 < R; ++i) rows *= v.extent(i);
    return v.reshape(shape<2>{{rows, v.extent(R - 1)}});
  }
  // The same for an operand: a strided view of one matrix stays as it is, others are copied.
  template <class T, int R, class D, class F> static void with_matrix(view<T const, R, D> const& v, F const& f) {
    if constexpr (R == 2) {
      f(v);
    } else {
      if (v.is_contiguous()) return f(as_matrix(v));
      tensor<T, R, D> const copied(v);
      f(as_matrix(copied.view()));
    }
  }
  template <class T, class D> static sink<T, 2, D> as_sink_adding(view<T, 2, D> v, bool add) { return {v, add}; }
};

namespace functional {

template <operand X, operand W, operand B> auto linear(X&& x, W&& weight, B&& bias) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<W> == 2 && rank_of<B> == 1;
  if constexpr (fit) return apply(linear_op{}, std::forward<X>(x), std::forward<W>(weight), std::forward<B>(bias));
  else static_assert(fit, "limbic: linear takes x of rank 1 or more, a weight of rank 2 and a bias of rank 1");
}
template <operand X, operand W> auto linear(X&& x, W&& weight) {
  return linear(std::forward<X>(x), std::forward<W>(weight), absent<X, 1>());
}

}  // namespace functional

LIMBIC_END
