// limbic/optim/riemannian.hpp - gradient descent along manifolds, for models that mix them with ordinary parameters
//
//   riemannian_adam optimizer(net, {.learning_rate = 1e-2});
//   optimizer.on(net.filter, stiefel{}).on(net.direction, sphere{});         the other parameters are Euclidean
//   ...
//   t.backward(loss);
//   optimizer.step();
//
//   G    = gradient(x, g + weight_decay x)                 the Euclidean gradient g made tangent
//   way  = what sgd or adam would do from 0 with G         (below)
//   y    = retract(x, way),  momentum = parallel_transport(x, y, momentum), or transport where that is not closed
//
//   riemannian_sgd    as sgd: momentum, dampening, nesterov                   Bonnabel 2013
//   riemannian_adam   as adam, but the mean square v is that of |G|_x, one number for each component of the manifold
//                     (a matrix, a row of a sphere, a positive number)        Becigneul and Ganea 2019, alg. 1a
//
// A parameter that was put on no manifold gets sgd's or adam's own step, to the bit. The states have the same names and
// sizes as theirs, so checkpoints are written the same way (on() is called again after loading; it changes no state). A model
// whose parameters lie on different manifolds is the product of them: nothing else is to be said.
//
// `on` checks that the parameter's value lies on the manifold, and steps keep it there. Memory: what a step needs comes
// from the current memory, which after the first step means not from the heap; spd with momentum is the exception (Eigen).
#pragma once

#include <limbic/manifold/manifold.hpp>
#include <limbic/optim/adam.hpp>
#include <limbic/optim/sgd.hpp>

LIMBIC_BEGIN

namespace detail {

struct plus_multiple {  // x + c y
  double c;
  template <class V> constexpr V operator()(V x, V y) const { return x + math::constant<V>(c) * y; }
};

struct adam_tangent_step {
  adam_step f;
  template <class V> constexpr results<V, 3> operator()(V gradient, V square, V m, V v) const {
    V const first = f.mean(m, gradient), second = f.mean_square(v, square, V(1));
    return {{-f.way(first, second), first, second}};
  }
  template <class V> constexpr results<V, 4> operator()(V gradient, V square, V m, V v, V largest) const {
    V const first = f.mean(m, gradient), second = f.mean_square(v, square, V(1));
    V const top = math::max(largest, second);
    return {{-f.way(first, top), first, second, top}};
  }
};

// way (as a line): the step in the tangent space at x, from the tangent gradient.
template <class M, class T, int R, class D>
void tangent_step(sgd_rule const& rule, M const&, view<T const, R, D>, tensor<T, R, D> const& gradient,
                  tensor<T, R, D>& way, tensor<T, 1, D>* state, std::int64_t step) {
  shape<1> const line{{way.size()}};
  fill(D{}, way.view(), T(0));
  rule.update(D{}, view<T, 1, D>(way.data(), line), view<T const, 1, D>(gradient.data(), line), state, step);
}
template <class O, class M, class T, int R, class D>
void tangent_step(adam_rule<O, false> const& rule, M const& m, view<T const, R, D> x, tensor<T, R, D> const& gradient,
                  tensor<T, R, D>& way, tensor<T, 1, D>* state, std::int64_t step) {
  shape<1> const line{{way.size()}};
  auto const square = m.squared_norms(x, gradient);
  view<T, 1, D> const to(way.data(), line);
  view<T const, 1, D> const g(gradient.data(), line), s(square.data(), line);
  adam_tangent_step const f{rule.at(step)};
  if (rule.amsgrad) map(D{}, outs(to, state[0], state[1], state[2]), f, g, s, state[0], state[1], state[2]);
  else map(D{}, outs(to, state[0], state[1]), f, g, s, state[0], state[1]);
}

template <class Rule, class M, class T, int R, class D>
void step_along(void const* rule, tracked& base, flat_parameter const& flat) {
  auto& self = static_cast<tracked_as<Rule, T, D>&>(base);
  auto const& r = *static_cast<Rule const*>(rule);
  M m;
  std::memcpy(static_cast<void*>(&m), base.geometry, sizeof m);
  auto& p = *static_cast<parameter<T, R, D>*>(base.parameter);
  view<T const, R, D> const x(p.value.view()), g(static_cast<T const*>(flat.gradient), p.shape());
  self.begin_step(r, flat.size);

  auto gradient = [&] {
    if (r.weight_decay == 0) return m.gradient(x, g);
    tensor<T, R, D> whole(p.shape(), uninitialized);
    map(D{}, whole, plus_multiple{r.weight_decay}, g, x);
    return m.gradient(x, whole);
  }();
  tensor<T, R, D> way(p.shape(), uninitialized);
  tangent_step(r, m, x, gradient, way, self.state, self.steps);
  auto const y = m.retract(x, way);
  if (self.state[0].data() != nullptr) {  // the momentum of either rule
    view<T, R, D> const momentum(self.state[0].data(), p.shape());
    if constexpr (requires { m.do_parallel_transport(x, as_view(y), as_view(momentum)); })
      copy(D{}, momentum, m.parallel_transport(x, y, momentum));
    else copy(D{}, momentum, m.transport(x, y, momentum));
  }
  copy(D{}, p.value, y);
}

}  // namespace detail

template <class Rule> class riemannian : public optimizer<Rule> {
 public:
  using optimizer<Rule>::optimizer;

  // Puts a parameter of the model on a manifold.
  template <class T, int R, class D, class M> riemannian& on(parameter<T, R, D> const& p, M const& m) {
    static_assert(std::is_base_of_v<manifold<M>, M>, "limbic: on(parameter, manifold)");
    static_assert(std::is_trivially_copyable_v<M> && sizeof(M) <= sizeof(detail::tracked{}.geometry));
    detail::tracked* const s = this->find(&p);
    if (s == nullptr)
      fail<argument_error>("riemannian", "a parameter of shape ", p.shape(), " to be put on ", M::name,
                           " does not belong to the optimiser's model");
    m.check(p.value);
    std::memcpy(s->geometry, static_cast<void const*>(&m), sizeof m);
    s->step = &detail::step_along<Rule, M, T, R, D>;
    return *this;
  }
};

using riemannian_sgd = riemannian<sgd_rule>;
using riemannian_adam = riemannian<adam_rule<adam_options, false>>;

LIMBIC_END
