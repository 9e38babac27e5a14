// limbic/ops/op.hpp - what an op is, and how it is called with and without a tape
//
// An op is a struct whose members are its options. It says
//
//   name                       what errors call it
//   needs                      the values its adjoint reads: keep::input, keep::output, ... (the tape frees the others)
//   shape_of(x...)             the shape of the result (a std::tuple of shapes when there are several), or an error
//   forward(d, y..., x...)     computes the results from the operands
//   adjoint(d, x..., y..., dy..., dx...)
//                              adds to each dx (a sink) its share of the gradient, from the gradients dy of the results
//
// and, where it is not one operation for each element, flops(shapes of x...), which nn/summary.hpp adds up. It is
// templated on the device d and on the element type, so that the same lines serve numbers, dual numbers, SIMD and CUDA.
// In an adjoint, what `needs` does not name arrives as a view without data but with its shape. Sinks are written in the
// order of the operands, each whole, in a verb of its own (two of them may be one memory); a null sink is not wanted.
// An op with several results handles a null dy (a result that nobody used) as zeros.
//
// An op that is the same function of every element says less: see elementwise.hpp. One that treats every row (line
// along an axis) alike: see rowwise.hpp.
#pragma once

#include <limbic/backend/gemm.hpp>
#include <limbic/backend/row.hpp>

LIMBIC_BEGIN

// A set of operands and results: keep::input | keep::output, or one by one: keep::inputs(0, 2).
struct keep {
  std::uint32_t bits = 0;  // operands in the lower half, results in the upper
  // The usual sets.
  static keep const nothing, input, output;

  // The operands of these places.
  template <class... I> static constexpr keep inputs(I... i) { return {((1U << i) | ... | 0U)}; }
  // The results of these places.
  template <class... I> static constexpr keep outputs(I... i) { return {((1U << (16 + i)) | ... | 0U)}; }
  // Whether operand i is in the set.
  constexpr bool has_input(int i) const { return ((bits >> i) & 1U) != 0; }
  // Whether result i is in the set.
  constexpr bool has_output(int i) const { return ((bits >> (16 + i)) & 1U) != 0; }
  friend constexpr keep operator|(keep a, keep b) { return {a.bits | b.bits}; }
};
inline constexpr keep keep::nothing{0};
inline constexpr keep keep::input{0x0000FFFFU};
inline constexpr keep keep::output{0xFFFF0000U};

// What an op may be applied to: variables on a tape (and then parameters beside them), tensors, views, parameters.
template <class A> concept recorded = requires { typename std::remove_cvref_t<A>::recorded_on; };
// Has a device, an element type and a rank.
template <class A> concept operand = requires {
  typename std::remove_cvref_t<A>::device;
  typename std::remove_cvref_t<A>::value_type;
  std::remove_cvref_t<A>::rank;
};
// The number of axes of an operand.
template <operand A> inline constexpr int rank_of = std::remove_cvref_t<A>::rank;
// The element type of an operand.
template <operand A> using element_of = typename std::remove_cvref_t<A>::value_type;
// The device of an operand.
template <operand A> using device_of = typename std::remove_cvref_t<A>::device;

// An operand that was not given: a null view.
template <operand Like, int R, class T = element_of<Like>> constexpr view<T const, R, device_of<Like>> absent() {
  return {};
}

namespace detail {

template <class S> struct shape_list {
  static constexpr int count = 1;
  static std::tuple<S> of(S const& s) { return {s}; }
};
template <class... S> struct shape_list<std::tuple<S...>> {
  static constexpr int count = sizeof...(S);
  static std::tuple<S...> const& of(std::tuple<S...> const& s) { return s; }
};
// The shapes of all results, as a tuple.
template <class Op, class... S> auto result_shapes(Op const& o, S const&... s) {
  auto const r = o.shape_of(s...);
  return shape_list<std::remove_cvref_t<decltype(r)>>::of(r);
}

// How many of the results the caller sees; the rest (an LSTM's gates) is there for the adjoint only.
template <class Op, class Shapes> constexpr int visible_results() {
  if constexpr (requires { Op::visible; }) return Op::visible;
  else return static_cast<int>(std::tuple_size_v<Shapes>);
}

// The element type of an op: that of its first operand that is not an integer.
template <class... T> struct first_real;
template <class T, class... Rest>
  requires(!std::is_integral_v<T>)
struct first_real<T, Rest...> {
  using type = T;
};
template <class T, class... Rest>
  requires(std::is_integral_v<T>)
struct first_real<T, Rest...> : first_real<Rest...> {};

template <int Visible, class D, class T, int R>
view<T, R, D> view_of_result(tensor<T, R, D>& t, int i) {
  return i < Visible ? t.view() : view<T, R, D>(nullptr, t.shape());
}

template <class Op, class T, class D, int Visible, class Shapes, std::size_t... I, std::size_t... V, class... In>
auto infer_results(Op const& o, Shapes const& shapes, std::index_sequence<I...>, std::index_sequence<V...>,
                   In const&... in) {
  // Results that only an adjoint would read are not computed: they arrive as views without data.
  std::tuple<tensor<T, std::tuple_element_t<V, Shapes>::rank, D>...> out{
      tensor<T, std::tuple_element_t<V, Shapes>::rank, D>(std::get<V>(shapes), uninitialized)...};
  auto const target = [&](auto i) {
    constexpr std::size_t k = decltype(i)::value;
    using S = std::tuple_element_t<k, Shapes>;
    if constexpr (k < static_cast<std::size_t>(Visible)) return std::get<k>(out).view();
    else return view<T, S::rank, D>(nullptr, std::get<k>(shapes));
  };
  o.forward(D{}, target(std::integral_constant<std::size_t, I>())..., in...);
  if constexpr (sizeof...(V) == 1) return std::get<0>(std::move(out));
  else return out;
}

// Applies an op to plain tensors: no tape, no history.
template <class Op, class First, class... Rest> auto infer(Op const& o, First const& first, Rest const&... rest) {
  using T = typename first_real<typename First::value_type, typename Rest::value_type...>::type;
  using D = typename First::device;
  static_assert(((std::is_same_v<typename Rest::device, D>) && ...),
                "limbic: the operands of one op lie on one device");
  auto const shapes = result_shapes(o, first.shape(), rest.shape()...);
  using Shapes = std::remove_cvref_t<decltype(shapes)>;
  constexpr int visible = visible_results<Op, Shapes>();
  return infer_results<Op, T, D, visible>(o, shapes, std::make_index_sequence<std::tuple_size_v<Shapes>>(),
                                          std::make_index_sequence<visible>(), first, rest...);
}

}  // namespace detail

// For an operand without a gradient (a mask, given noise): zeros, should anybody have asked.
template <class D, class T, int R> void no_gradient(D d, sink<T, R, D> dx) {
  if (dx && !dx.add) fill(d, dx.to, T(0));
}

// An elementwise or rowwise op says less: lift, declared where those are explained, makes a whole op of it. This argument
// is what finds it, for ops of any namespace.
struct says_less {};

// The one way into every op. `record` lives in tape/ and is found through the variable, so that programs that only
// infer never include a tape.
template <class Op, operand... A> auto apply(Op const& o, A&&... a) {
  if constexpr (requires { lift(o, says_less{}); }) return apply(lift(o, says_less{}), std::forward<A>(a)...);
  else if constexpr ((recorded<A> || ...)) return record(o, std::forward<A>(a)...);
  else return detail::infer(o, as_view(a)...);
}

LIMBIC_END
