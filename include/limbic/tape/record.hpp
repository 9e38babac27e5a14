// limbic/tape/record.hpp - an op applied to variables: computes it, and notes how to go back
#pragma once

#include <limbic/core/dual_view.hpp>
#include <limbic/tape/tape.hpp>

LIMBIC_BEGIN

namespace detail {

// An error that names the op, where one of these values is not finite. Out of line, and whatever the rank: every op calls it.
template <class T>
LIMBIC_COLD void look_for_anomaly(std::string_view op, std::string_view what, int number, T const* x,
                                  std::ptrdiff_t const* extents, int rank) {
  std::ptrdiff_t size = 1;
  for (int i = 0; i < rank; ++i) size *= extents[i];
  for (std::ptrdiff_t i = 0; x != nullptr && i < size; ++i) {
    bool finite = true;
    if constexpr (is_dual<T>) finite = math::isfinite(x[i].value) && math::isfinite(x[i].tangent);
    else finite = math::isfinite(x[i]);
    if (finite) continue;
    text shape;
    for (int k = 0; k < rank; ++k) append_integer(shape.add(k > 0 ? ", " : ""), extents[k]);
    fail<anomaly_error>(op, what, " ", number, ", (", shape.view(), "), is not finite at element ", i);
  }
}
template <class T, class D, int R>
void require_no_anomaly(std::string_view op, std::string_view what, int number, void const* x, slot_of<R> const* s) {
  if constexpr (is_host<D> && !std::is_integral_v<T>) {
    std::ptrdiff_t const* extents = nullptr;
    if constexpr (R > 0) extents = s->extents.extents;
    look_for_anomaly(op, what, number, static_cast<T const*>(x), extents, R);
  }
}

template <class E, int R> struct operand_type {
  using element = E;
  static constexpr int rank = R;
};

template <class Op, class T, class D, class Ins, class Outs> struct op_node;

// A node: the op's options, the slots it read and the slots it made.
template <class Op, class T, class D, class... E, int... RI, int... RO>
struct op_node<Op, T, D, std::tuple<operand_type<E, RI>...>, std::integer_sequence<int, RO...>> : node {
  [[no_unique_address]] Op op;
  std::tuple<slot_of<RI>*...> in;
  std::tuple<slot_of<RO>*...> out;

  static void backward(tape& t, node& base, backward_options o) {
    auto& n = static_cast<op_node&>(base);
    n.walk(t, o, std::index_sequence_for<E...>(), std::make_index_sequence<sizeof...(RO)>());
  }
  static void mark(node& base) {
    auto& n = static_cast<op_node&>(base);
    std::apply(
        [&](auto*... i) {
          bool const leads = ((!i->has(slot::parameter) && i->has(slot::pruned)) || ...);
          std::apply([&](auto*... o) { (o->lead(leads), ...); }, n.out);
        },
        n.in);
  }
  static void forget(node& base) {
    std::apply([](auto*... o) { ((o->flags &= ~std::uint32_t{slot::assigned}), ...); },
               static_cast<op_node&>(base).out);
  }
  static constexpr node_kind kind{Op::name, &backward, &mark, &forget};

 private:
  template <std::size_t... I, std::size_t... O>
  void walk(tape& t, backward_options o, std::index_sequence<I...>, std::index_sequence<O...>) {
    bool const reached = (std::get<O>(out)->has(slot::assigned) || ...);
    if (reached) {
      void const* written[sizeof...(I) + 1] = {};
      std::size_t count = 0;
      auto const sink_of = [&](auto e, auto* s) {
        using U = typename decltype(e)::element;
        auto const to = t.template gradient_sink<U, decltype(e)::rank, D>(s, written);
        if (to) written[count++] = to.to.data();
        return to;
      };
      // Brace initialisation: sinks are made in the order of the operands.
      std::tuple<sink<E, RI, D>...> const sinks{sink_of(operand_type<E, RI>(), std::get<I>(in))...};
      auto const adjoint = [&](auto const& of) {
        of.adjoint(D{}, t.template value_view<E, D>(std::get<I>(in), Op::needs.has_input(I))...,
                   t.template value_view<T, D>(std::get<O>(out), Op::needs.has_output(O))...,
                   t.template gradient_view<T, D>(std::get<O>(out))..., std::get<I>(sinks)...);
      };
      if constexpr (requires { op.guided(); }) {
        if (o.guided) adjoint(op.guided());
        else adjoint(op);
      } else {
        adjoint(op);
      }
      if (t.detects_anomaly())
        (require_no_anomaly<E, D>(Op::name, "the gradient of operand", static_cast<int>(I) + 1,
                                  std::get<I>(sinks).to.data(), std::get<I>(in)),
         ...);
      (t.template mark_assigned<E, RI, D>(std::get<I>(in)), ...);
    }
    if (o.retain) return;
    (void(Op::needs.has_input(I) ? t.unuse(std::get<I>(in)) : void()), ...);
    (finish_result(t, std::get<O>(out), Op::needs.has_output(O)), ...);
  }
  // What is left then are handles: somebody may still ask for this gradient.
  static void finish_result(tape& t, slot* s, bool kept) {
    s->flags |= slot::spent;
    if (s->uses == (kept ? 1U : 0U)) t.release_gradient(s);
    if (kept) t.unuse(s);
  }
};

// A parameter<T> met by dual variables: its gradient's tangent goes to where the direction says.
template <class T, int R, class D> struct lift_node : node {
  slot_of<R>* out;
  T* result;
  static void backward(tape& t, node& base, backward_options) {
    auto& n = static_cast<lift_node&>(base);
    if (!n.out->has(slot::assigned)) return;
    auto const g = t.template gradient_view<dual<T>, D>(n.out);
    copy(D{}, sink<T, R, D>(view<T, R, D>(n.result, n.out->extents), true), tangents(g));
    n.out->flags |= slot::spent;
  }
  static void mark(node&) {}
  static void forget(node& base) { static_cast<lift_node&>(base).out->flags &= ~std::uint32_t{slot::assigned}; }
  static constexpr node_kind kind{"lift", &backward, &mark, &forget};
};

// Plain numbers as dual ones, with the given tangent or none.
template <class T, int R, class D>
void lift_values(D d, view<dual<T>, R, D> to, view<T const, R, D> from, T const* tangent) {
  copy(d, values(to), from);
  if (tangent != nullptr) copy(d, tangents(to), view<T const, R, D>(tangent, from.shape()));
  else fill(d, tangents(to), T(0));
}

// The element type an operand has on a tape of T: integers stay, plain numbers become dual beside dual ones.
template <class T, class E> using entered_element = std::conditional_t<std::is_integral_v<E>, E, T>;

// Integers have no lanes to map over.
template <class D, class E, int R> void copy_values(D d, view<E, R, D> to, view<E const, R, D> from) {
  if constexpr (!std::is_integral_v<E>) copy(d, to, from);
  else if (from.is_contiguous()) copy_elements(d, to.data(), from.data(), from.size());
  else gather_elements(d, to.data(), from.data(), from.shape(), from.strides());
}

template <class T, class E, int R, class D>
slot_of<R>* enter_view(tape& t, view<E const, R, D> v, bool temporary, std::uint32_t flags) {
  auto* const s = t.make_slot(v.shape(), flags);
  using U = entered_element<T, E>;
  if (!v) return s;
  if constexpr (std::is_same_v<U, E>) {
    if (!temporary && v.is_contiguous())
      s->value = const_cast<E*>(v.data());  // read only: a leaf's value is never written
    else copy_values(D{}, t.template allocate_value<E, D>(s), v);
  } else {
    static_assert(std::is_same_v<U, dual<E>>, "limbic: the operands of one op have one element type");
    lift_values(D{}, t.template allocate_value<U, D>(s), v, static_cast<E const*>(nullptr));
  }
  return s;
}
template <class T, class U, int R, class D> slot_of<R>* enter_operand(tape& t, variable<U, R, D> const& v) {
  static_assert(std::is_same_v<entered_element<T, U>, U>, "limbic: the operands of one op have one element type");
  auto* const s = v.checked_slot("record");
  if (v.owner() != &t) fail<tape_error>("record", "the operands of one op lie on different tapes");
  if (s->has(slot::spent) && s->has(slot::wants)) fail<tape_error>("record", tape::spent_text);
  return s;
}
template <class T, class U, int R, class D> slot_of<R>* enter_operand(tape& t, parameter<U, R, D> const& p) {
  if constexpr (std::is_same_v<T, U>) {
    auto* const s = t.make_slot(p.shape(), slot::parameter | (p.trainable ? std::uint32_t{slot::wants} : 0U));
    s->value = const_cast<U*>(p.value.data());
    s->owner = &p;
    return s;
  } else {
    static_assert(std::is_same_v<T, dual<U>>, "limbic: parameters and variables have one element type");
    direction const* d = t.directions();
    while (d != nullptr && d->parameter != &p) d = d->next;
    auto* const s = t.make_slot(p.shape(), d != nullptr ? std::uint32_t{slot::wants} : 0U);
    lift_values(D{}, t.template allocate_value<T, D>(s), p.value.view(),
                d != nullptr ? static_cast<U const*>(d->tangent) : nullptr);
    if (d != nullptr) {
      auto* const n = t.memory_of_nodes().template make<lift_node<U, R, D>>(node{nullptr, &lift_node<U, R, D>::kind}, s,
                                                                            static_cast<U*>(d->result));
      t.append(n);
    }
    return s;
  }
}
template <class A> concept trained = requires { std::remove_cvref_t<A>::trainable; };
template <class T, operand A>
  requires(!recorded<A> && !trained<A>)
auto enter_operand(tape& t, A&& a) {
  constexpr bool temporary =
      !std::is_lvalue_reference_v<A> && !requires { a.strides(); };  // a view refers to what lives elsewhere
  return enter_view<T>(t, as_view(a), temporary, 0);
}

// The first variable among the operands: it knows the tape and the device.
template <class First, class... Rest> decltype(auto) first_recorded(First const& first, Rest const&... rest) {
  if constexpr (recorded<First>) return (first);
  else return first_recorded(rest...);
}

// dual<T> if any variable holds dual numbers, else the type of the first variable that is not an integer.
template <class... A> struct recorded_element {
  template <class A1> static constexpr bool dual_variable = recorded<A1> && is_dual<element_of<A1>>;
  static auto pick() {
    if constexpr ((dual_variable<A> || ...)) return pick_if<true, A...>();
    else return pick_if<false, A...>();
  }
  template <bool Dual, class First, class... Rest> static auto pick_if() {
    if constexpr (recorded<First> && !std::is_integral_v<element_of<First>> && (!Dual || is_dual<element_of<First>>))
      return element_of<First>();
    else if constexpr (sizeof...(Rest) > 0) return pick_if<Dual, Rest...>();
    else return element_of<First>();
  }
  using type = decltype(pick());
};

template <class Op, class T, class D, class... E, int... RI, class Shapes, std::size_t... O, std::size_t... V>
auto record_slots(tape& t, Op const& o, Shapes const& shapes, std::index_sequence<O...>, std::index_sequence<V...>,
                  std::tuple<operand_type<E, RI>...>, slot_of<RI>*... in) {
  constexpr std::size_t visible = sizeof...(V);
  bool const wants = (in->has(slot::wants) || ...);
  std::tuple<slot_of<std::tuple_element_t<O, Shapes>::rank>*...> const out{
      t.make_slot(std::get<O>(shapes), wants ? std::uint32_t{slot::wants} : 0U)...};
  // Results for the adjoint only are not computed when there will be none.
  auto const target = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
    auto* const s = std::get<K>(out);
    if (K < visible || wants) return t.template allocate_value<T, D>(s);
    return view<T, std::tuple_element_t<K, Shapes>::rank, D>(nullptr, s->extents);
  };
  o.forward(D{}, target(std::integral_constant<std::size_t, O>())..., t.template value_view<E, D>(in)...);
  if (t.detects_anomaly()) {
    int number = 0;
    (require_no_anomaly<E, D>(Op::name, "operand", ++number, in->value, in), ...);
    number = 0;
    (require_no_anomaly<T, D>(Op::name, "result", ++number, std::get<V>(out)->value, std::get<V>(out)), ...);
  }
  if (wants) {
    using N = op_node<Op, T, D, std::tuple<operand_type<E, RI>...>,
                      std::integer_sequence<int, std::tuple_element_t<O, Shapes>::rank...>>;
    static_assert(std::is_trivially_destructible_v<Op>, "limbic: the options of an op must be trivially destructible");
    auto* const n = ::new (t.memory_of_nodes().take(sizeof(N), alignof(N))) N{{nullptr, &N::kind}, o, {in...}, out};
    std::size_t i = 0;
    ((Op::needs.has_input(static_cast<int>(i++)) ? t.use(in) : void()), ...);
    ((Op::needs.has_output(static_cast<int>(O)) ? t.use(std::get<O>(out)) : void()), ...);
    t.append(n);
  }
  if constexpr (visible == 1) return variable<T, std::tuple_element_t<0, Shapes>::rank, D>(t, std::get<0>(out));
  else
    return std::tuple<variable<T, std::tuple_element_t<V, Shapes>::rank, D>...>{
        variable<T, std::tuple_element_t<V, Shapes>::rank, D>(t, std::get<V>(out))...};
}

}  // namespace detail

// Found by ops/op.hpp through the variables among the operands.
template <class Op, class... A> auto record(Op const& o, A&&... a) {
  using T = typename detail::recorded_element<A...>::type;
  auto const& first = detail::first_recorded(a...);
  using D = device_of<decltype(first)>;
  static_assert((std::is_same_v<device_of<A>, D> && ...), "limbic: the operands of one op lie on one device");
  tape* const t = first.checked_slot("record") != nullptr ? first.owner() : nullptr;
  auto const shapes = detail::result_shapes(o, a.shape()...);  // errors come before anything is noted
  using Shapes = std::remove_cvref_t<decltype(shapes)>;
  return detail::record_slots<Op, T, D>(
      *t, o, shapes, std::make_index_sequence<std::tuple_size_v<Shapes>>(),
      std::make_index_sequence<static_cast<std::size_t>(detail::visible_results<Op, Shapes>())>(),
      std::tuple<detail::operand_type<detail::entered_element<T, element_of<A>>, rank_of<A>>...>(),
      detail::enter_operand<T>(*t, std::forward<A>(a))...);
}

template <class X> auto tape::enter(X&& x, std::uint32_t flags) {
  using E = element_of<X>;
  constexpr int R = rank_of<X>;
  using D = device_of<X>;
  static_assert(!recorded<X>, "limbic: this is a variable already");
  constexpr bool temporary = !std::is_lvalue_reference_v<X> && !requires { x.strides(); };
  return limbic::variable<E, R, D>(*this, detail::enter_view<E>(*this, as_view(x), temporary, flags));
}

namespace detail {

template <class T, int R, class D, class... X>
auto gradients_by(bool guided, variable<T, R, D> const& y, X const&... x) {
  if (y.size() != 1) fail<shape_error>("gradients", "a value of shape ", y.shape(), " is not a scalar");
  struct marks {  // gone again whatever happens
    slot* of[sizeof...(X)];
    void change(std::uint32_t on) const {
      for (slot* const s : of) s->flags = (s->flags & ~std::uint32_t{slot::chosen | slot::assigned}) | on;
    }
    ~marks() { change(0); }
  } const marked{{x.checked_slot("gradients")...}};
  marked.change(slot::chosen);
  tape* const t = y.owner();
  tensor<T, R, D> const one(y.shape(), T(1));
  t->seed(y, one);
  t->backward_to_chosen({.retain = true, .guided = guided});
  auto const take = [](auto const& v) {
    using V = std::remove_cvref_t<decltype(v)>;
    return v.checked_slot("gradients")->has(slot::assigned) ? tensor<typename V::value_type, V::rank, D>(v.gradient())
                                                            : tensor<typename V::value_type, V::rank, D>(v.shape());
  };
  std::tuple<tensor<typename X::value_type, X::rank, D>...> result{take(x)...};
  if constexpr (sizeof...(X) == 1) return std::get<0>(std::move(result));
  else return result;
}

}  // namespace detail

// The gradients of a scalar with respect to chosen variables, as tensors; nothing else gets one, no parameter is touched
// (what backward() had left in the chosen ones is cleared). The tape stays usable.
template <class T, int R, class D, class... X> auto gradients(variable<T, R, D> const& y, X const&... x) {
  return detail::gradients_by(false, y, x...);
}

LIMBIC_END
