// limbic/ops/pointwise_loss.hpp - losses that compare two tensors element by element
//
// Such a loss says, as an elementwise op does,
//
//   value(x, t, w...)     the loss of one element; weights broadcast
//   slopes(x, t, w...)    its derivative by every operand, results{dx, dt, dw...}
//
// and becomes an op that computes and sums it in one pass, without a temporary; each gradient is one pass too.
//
// shape   input and target alike -> () for a mean or sum, the same for none
// mean    over all elements; over none of them it is NaN, as in PyTorch
#pragma once

#include <limbic/ops/reduction.hpp>

LIMBIC_BEGIN

namespace detail {

// dy times the I-th partial derivative, times the share of one element in the result.
template <class Op, int I> struct loss_slope {
  Op o;
  double share;
  template <class V, class... In> constexpr V operator()(V dy, In... in) const {
    return dy * math::constant<V>(share) * o.slopes(in...).values[I];
  }
};

}  // namespace detail

template <class Op, any_reduction R> struct pointwise_loss_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = keep::input;
  Op o;  // what the loss is of one element

  template <int N, int... W> auto shape_of(shape<N> const& x, shape<N> const& target,
                                           shape<W> const&... weights) const {
    if (!(x == target))
      fail<shape_error>(name, "the input ", x, " and the target ", target, " must have the same shape");
    (check_weight(x, weights), ...);
    if constexpr (detail::keeps_elements<R>) return x;
    else return shape<0>{};
  }

  void forward(auto d, auto y, auto x, auto target, auto... weights) const {
    if constexpr (detail::keeps_elements<R>) {
      map(d, y, detail::value_of<Op>{o}, x, target, weights...);
    } else {
      reduce(d, detail::lead<decltype(x)::rank>(y), sum_of{}, detail::value_of<Op>{o}, x, target, weights...);
      if (!std::is_same_v<R, reduction::sum_t>) map(d, y, detail::divided_by{count(x.shape())}, y);
    }
  }

  void adjoint(auto d, auto x, auto t, auto, auto dy, auto dx, auto dt) const {
    share<0>(d, dy, dx, x, t);
    share<1>(d, dy, dt, x, t);
  }
  void adjoint(auto d, auto x, auto t, auto w, auto, auto dy, auto dx, auto dt, auto dw) const {
    share<0>(d, dy, dx, x, t, w);
    share<1>(d, dy, dt, x, t, w);
    share<2>(d, dy, dw, x, t, w);
  }
  template <class X, class S>  // nvcc 13 breaks off at ten `auto` parameters
  void adjoint(auto d, X x, X t, auto w, auto v, auto, auto dy, S dx, S dt, auto dw, auto dv) const {
    share<0>(d, dy, dx, x, t, w, v);
    share<1>(d, dy, dt, x, t, w, v);
    share<2>(d, dy, dw, x, t, w, v);
    share<3>(d, dy, dv, x, t, w, v);
  }

 private:
  template <int N, int W> static void check_weight(shape<N> const& x, shape<W> const& w) {
    if (!(broadcast(name, x, w) == x))
      fail<shape_error>(name, "a weight of shape ", w, " does not broadcast to the input ", x);
  }
  template <int N> static double count(shape<N> const& x) {
    if constexpr (std::is_same_v<R, reduction::mean_t>) return static_cast<double>(x.size());
    else if constexpr (std::is_same_v<R, reduction::batchmean_t>) return static_cast<double>(x[0]);
    else return 1;
  }
  template <int I> void share(auto d, auto dy, auto dx, auto x, auto... more) const {
    if (!dx) return;
    detail::loss_slope<Op, I> const f{o, 1 / count(x.shape())};
    detail::spread_back(d, dx, f, dy.broadcast_to(x.shape()), x, more...);
  }
};

namespace detail {
template <class Op, class R, class X, class Y, class... W> auto pointwise_loss(Op const& o, R, X&& x, Y&& target,
                                                                               W&&... weights) {
  constexpr bool fits = rank_of<X> == rank_of<Y> && ((rank_of<W> <= rank_of<X>) && ...);
  static_assert(fits,
                "limbic: this loss takes an input and a target of the same rank, and weights of at most that rank");
  if constexpr (fits)
    return apply(pointwise_loss_op<Op, R>{o}, std::forward<X>(x), std::forward<Y>(target), std::forward<W>(weights)...);
}
}  // namespace detail

LIMBIC_END
