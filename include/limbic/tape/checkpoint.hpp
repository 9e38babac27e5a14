// limbic/tape/checkpoint.hpp - a segment that is computed again instead of being remembered
//
//   auto y = checkpoint([&](auto const& a) { return block(a); }, x);
//
// Forward, f runs on plain views and leaves nothing behind but its result. Backward, it runs once more on a tape of its
// own: memory for the time of one forward pass. f is called with views and with variables, must be trivially
// destructible (capture references), and must compute the same both times: noise is drawn outside of it. A batch_norm inside
// of it counts its batch the first time only.
#pragma once

#include <limbic/tape/record.hpp>

LIMBIC_BEGIN

namespace detail {

template <class F, class T, class D, int RO, int... RI> struct checkpoint_node : node {
  F f;
  slot_of<RO>* out;
  std::tuple<slot_of<RI>*...> in;

  static void backward(tape& t, node& base, backward_options o) {
    auto& n = static_cast<checkpoint_node&>(base);
    if (n.out->has(slot::assigned)) n.repeat(t, o.guided, std::make_index_sequence<sizeof...(RI)>());
    if (o.retain) return;
    std::apply([&](auto*... i) { (t.unuse(i), ...); }, n.in);
    n.out->flags |= slot::spent;
    if (n.out->uses == 0) t.release_gradient(n.out);
  }
  static void mark(node& base) {
    auto& n = static_cast<checkpoint_node&>(base);
    std::apply([&](auto*... i) { n.out->lead((i->has(slot::pruned) || ...)); }, n.in);
  }
  static void forget(node& base) { static_cast<checkpoint_node&>(base).out->flags &= ~std::uint32_t{slot::assigned}; }
  static constexpr node_kind kind{"checkpoint", &backward, &mark, &forget};

 private:
  template <std::size_t... I> void repeat(tape& t, bool guided, std::index_sequence<I...>) {
    tape again(t.memory_of_nodes().source());
    again.directions() = t.directions();
    again.set_recomputes();
    again.detect_anomaly(t.detects_anomaly());
    std::tuple<variable<T, RI, D>...> const x{again.variable(t.template value_view<T, D>(std::get<I>(in)))...};
    {
      auto const y = std::apply(f, x);
      if (!y.wants_gradient()) return;
      again.seed(y, t.template gradient_view<T, D>(out));
    }
    if (t.prunes()) {  // no parameter in the segment is to get a gradient either
      std::apply([](auto const&... v) { ((v.checked_slot("checkpoint")->flags |= slot::chosen), ...); }, x);
      again.backward_to_chosen({.guided = guided});
    } else {
      again.backward({.guided = guided});
    }
    auto const give = [&](auto* s, auto const& v) {
      using V = std::remove_cvref_t<decltype(v)>;
      auto const to = t.template gradient_sink<T, V::rank, D>(s, nullptr);
      if (!to) return;
      if (v.has_gradient()) copy(D{}, to, v.gradient());
      else if (!to.add) fill(D{}, to.to, T(0));
      t.template mark_assigned<T, V::rank, D>(s);
    };
    (give(std::get<I>(in), std::get<I>(x)), ...);
  }
};

}  // namespace detail

template <class F, class T, class D, int... R> auto checkpoint(F const& f, variable<T, R, D> const&... x) {
  static_assert(std::is_trivially_destructible_v<F>, "limbic: checkpoint: capture by reference");
  tape& t = *detail::first_recorded(x...).owner();
  (void)std::tuple(detail::enter_operand<T>(t, x)...);  // the same checks as any op's
  auto const y = f(x.value()...);
  constexpr int RO = std::remove_cvref_t<decltype(y)>::rank;
  auto* const out = t.make_slot(y.shape(), detail::slot::wants);
  copy(D{}, t.template allocate_value<T, D>(out), y);
  using N = detail::checkpoint_node<F, T, D, RO, R...>;
  auto* const n = ::new (t.memory_of_nodes().take(sizeof(N), alignof(N)))
      N{{nullptr, &N::kind}, f, out, {detail::enter_operand<T>(t, x)...}};
  (t.use(detail::enter_operand<T>(t, x)), ...);
  t.append(n);
  return variable<T, RO, D>(t, out);
}

LIMBIC_END
