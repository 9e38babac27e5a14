// limbic/ops/elementwise.hpp - ops that are one function of every element
//
// Such an op says value and slopes, written once for a number, a dual number, a SIMD pack and a CUDA thread:
//
//   value(a, b, ...)        the result; operands broadcast (NumPy's rule)
//   slope(...)              one operand: d value / d a
//   slopes(...)             several: all partial derivatives, results{da, db, ...}
//
// The arguments of slope(s) are what `needs` names: the operands (keep::input), the result (keep::output), the operands
// and then the result (both), or none, with the lane as explicit template argument (keep::nothing).
//
// A rectifier says `static constexpr bool rectifies = true`: guided backpropagation (explain/) treats it apart.
//
// An op whose slope may be infinite says `static constexpr bool unbounded = true`: where no gradient comes in, none goes
// out, rather than 0 * inf = NaN (sqrt at 0, log at 0).
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

// An op that says the value of one element.
template <class Op> concept has_value = requires(Op const& o) { o.value(1.0); } || requires(Op const& o) {
  o.value(1.0, 1.0);
} || requires(Op const& o) { o.value(1.0, 1.0, 1.0); };

namespace detail {

template <class Op> struct value_of {
  Op o;
  template <class... V> constexpr auto operator()(V... x) const { return o.value(x...); }
};

// dy * slope, 0 where dy is 0, whatever the slope.
template <class V> constexpr V unless_zero(V dy, V slope) {
  if constexpr (is_dual<V>)
    return {math::along(slope.value, dy.value),
            math::along(slope.value, dy.tangent) + math::along(slope.tangent, dy.value)};
  else return math::along(slope, dy);
}

// Named, because nvcc 13 gets a requires-expression over a pack wrong inside of some function bodies.
template <class Op> concept has_unbounded_slope = requires { Op::unbounded; };
template <class Op, class... K> concept has_slope = requires(Op const& o, K... kept) { o.slope(kept...); };

// dy times the I-th partial derivative.
template <class Op, int I> struct slope_times {
  Op o;
  template <class V, class... K> constexpr V operator()(V dy, K... kept) const {
    if constexpr (has_unbounded_slope<Op>) return unless_zero(dy, partial<V>(kept...));
    else return dy * partial<V>(kept...);
  }

 private:
  template <class V, class... K> constexpr V partial(K... kept) const {
    if constexpr (has_slope<Op, K...>) return o.slope(kept...);
    else if constexpr (sizeof...(K) == 0) return o.template slopes<V>().values[I];
    else return o.slopes(kept...).values[I];
  }
};

// The same elements with axes of extent 1 in front, up to rank R.
template <int R, class T, int S, class D> constexpr view<T, R, D> lead(view<T, S, D> const& v) {
  shape<R> extents, steps;
  for (int i = 0; i < R; ++i) {
    extents[i] = i < R - S ? 1 : v.extent(i - (R - S));
    steps[i] = i < R - S ? 0 : v.stride(i - (R - S));
  }
  return {v.data(), extents, steps};
}

// dx (+)= f(in...), where the operand dx was broadcast: summed over the axes along which it was stretched. An operand
// that never is (Stretches = false) does not compile the sum.
template <bool Stretches = true, class D, class T, int S, int R, class F, class... In>
void spread_back(D d, sink<T, S, D> dx, F const& f, view<T const, R, D> const& dy, In const&... in) {
  if (!dx) return;
  sink<T, R, D> const wide(lead<R>(dx.to), dx.add);
  if constexpr (Stretches)
    if (!(wide.shape() == dy.shape())) return reduce(d, wide, sum_of{}, f, dy, in...);
  map(d, wide, f, dy, in...);
}

// Of a rectifier: what goes back is dy * slope where dy > 0 and what it keeps (x or y, of one sign) is too, else nothing.
template <class Op> struct guided_rectifier {
  Op o;
  template <class V> constexpr V operator()(V dy, V kept) const {
    return math::select(math::either(kept <= V(0), dy <= V(0)), V(0), dy * o.slope(kept));
  }
  void adjoint(auto d, auto x, auto y, auto dy, auto dx) const {
    if constexpr (Op::needs.has_output(0)) spread_back<false>(d, dx, *this, dy, y);
    else spread_back<false>(d, dx, *this, dy, x);
  }
};

}  // namespace detail

template <class Op> struct elementwise_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = Op::needs;
  Op o;  // what says value and slopes

  template <int R> auto shape_of(shape<R> const& x) const { return x; }
  template <int A, int B> auto shape_of(shape<A> const& a, shape<B> const& b) const { return broadcast(name, a, b); }
  template <int A, int B, int C> auto shape_of(shape<A> const& a, shape<B> const& b, shape<C> const& c) const {
    return broadcast(name, broadcast(name, a, b), c);
  }

  void forward(auto d, auto y, auto... x) const { map(d, y, detail::value_of<Op>{o}, x...); }

  void adjoint(auto d, auto x, auto y, auto dy, auto dx) const { share<0>(d, dy, dx, y, x); }
  void adjoint(auto d, auto a, auto b, auto y, auto dy, auto da, auto db) const {
    share<0>(d, dy, da, y, a, b);
    share<1>(d, dy, db, y, a, b);
  }
  void adjoint(auto d, auto a, auto b, auto c, auto y, auto dy, auto da, auto db, auto dc) const {
    share<0>(d, dy, da, y, a, b, c);
    share<1>(d, dy, db, y, a, b, c);
    share<2>(d, dy, dc, y, a, b, c);
  }
  // The same op as guided backpropagation goes back through it.
  auto guided() const
    requires requires { Op::rectifies; }
  {
    return detail::guided_rectifier<Op>{o};
  }

 private:
  template <int I> void share(auto d, auto dy, auto dx, auto y, auto... x) const {
    detail::slope_times<Op, I> const f{o};
    constexpr bool inputs = needs.has_input(0), output = needs.has_output(0), stretches = sizeof...(x) > 1;
    if constexpr (inputs && output) detail::spread_back<stretches>(d, dx, f, dy, x..., y);
    else if constexpr (inputs) detail::spread_back<stretches>(d, dx, f, dy, x...);
    else if constexpr (output) detail::spread_back<stretches>(d, dx, f, dy, y);
    else detail::spread_back<stretches>(d, dx, f, dy);
  }
};

// The whole op that one with a value stands for.
template <has_value Op> constexpr elementwise_op<Op> lift(Op const& o, says_less) { return {o}; }

LIMBIC_END
