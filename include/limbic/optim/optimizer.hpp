// limbic/optim/optimizer.hpp - what all optimisers share: the parameters of a model, and what is remembered of each
//
//   adam optimizer(net, {.learning_rate = 1e-3});
//   ...
//   t.backward(loss);
//   optimizer.step();                    reads the gradients, changes the values, clears the gradients
//   optimizer.learning_rate = rate;      every option is a member that may be changed between steps
//
// An optimiser refers to the parameters, so the model must outlive it and stay where it is. Parameters without a
// gradient and frozen ones are left alone, and do not count the step. Element types, ranks and devices may be mixed. To
// train parts of a model with different options, give each part its own optimiser.
//
// A rule (sgd_rule, adam_rule, ...) derives from its options and says
//
//   name, options                           what it is called, and the type of its options
//   each(f)                                 names its options: what training may change as it is, the rest as const
//   states, state_names                     how many tensors of a parameter's size it may keep, and PyTorch's names for them
//   uses(k)                                 whether, with these options, it keeps state k
//   update(d, x, g, state, step)            x: the values, g: the gradient, both as one line; step = 1, 2, ...
//   check()                                 reports options outside of their domain
//
// Everything is allocated when the optimiser is made.
#pragma once

#include <limbic/backend/map.hpp>
#include <limbic/core/visit.hpp>

#include <limits>

LIMBIC_BEGIN

namespace detail {

// A parameter whose type is not known.
struct flat_parameter {
  void* value;
  void const* gradient;  // null where there is none
  std::ptrdiff_t size;
  bool trainable;
};
struct parameter_actions {
  flat_parameter (*look)(void* p);
  void (*clear)(void* p);
};
template <class P> inline constexpr parameter_actions kind_of_parameter{
    [](void* p) {
      auto& q = *static_cast<P*>(p);
      return flat_parameter{q.value.data(), q.has_gradient() ? q.gradient().data() : nullptr, q.size(), q.trainable};
    },
    [](void* p) { static_cast<P*>(p)->clear_gradient(); }};
// The same of a tensor that a model owns (running statistics), which no gradient reaches.
template <class X> inline constexpr parameter_actions kind_of_tensor{[](void* p) {
                                                                       auto& x = *static_cast<X*>(p);
                                                                       return flat_parameter{x.data(), nullptr,
                                                                                             x.size(), false};
                                                                     },
                                                                     [](void*) {}};

// One parameter, and what a rule remembers of it.
struct tracked {
  struct actions {
    void (*update)(void const* rule, tracked& self, flat_parameter const& p);
    void (*destroy)(tracked& self);
  };
  actions const* act;
  parameter_actions const* kind;
  void* parameter;
  std::int64_t steps;
  std::string_view name;  // its characters lie behind the object
  tracked* next;
  // How an optimiser's step changes it: as act says, or along a manifold (riemannian.hpp), whose options lie here.
  void (*step)(void const* rule, tracked& self, flat_parameter const& p);
  alignas(8) unsigned char geometry[16];
};

template <class Rule, class T, class D> struct tracked_as : tracked {
  tensor<T, 1, D> state[Rule::states];

  // The states that the rule uses, as zeros.
  void prepare(Rule const& rule, std::ptrdiff_t size) {
    for (int k = 0; k < Rule::states; ++k)
      if (rule.uses(k) && state[k].data() == nullptr) state[k] = tensor<T, 1, D>(shape<1>{{size}});
  }
  // Before a step: the states that it needs, of the size that the parameter has now.
  void begin_step(Rule const& rule, std::ptrdiff_t size) {
    prepare(rule, size);
    for (auto const& s : state)
      if (s.data() != nullptr && s.size() != size)
        fail<shape_error>("optimizer", "parameter ", name, " had ", s.size(), " elements, and has ", size, " now");
    ++steps;
  }
  static void update(void const* rule, tracked& base, flat_parameter const& p) {
    auto& self = static_cast<tracked_as&>(base);
    auto const& r = *static_cast<Rule const*>(rule);
    shape<1> const line{{p.size}};
    self.begin_step(r, p.size);
    r.update(D{}, view<T, 1, D>(static_cast<T*>(p.value), line),
             view<T const, 1, D>(static_cast<T const*>(p.gradient), line), self.state, self.steps);
  }
  static void destroy(tracked& base) { static_cast<tracked_as&>(base).~tracked_as(); }
  static constexpr tracked::actions act_{&update, &destroy};
};

// The parameters of a model in the order in which it visits them.
template <class Rule> class tracked_list {
 public:
  explicit tracked_list(memory& from) : from_(from) {}
  tracked_list(tracked_list const&) = delete;
  tracked_list& operator=(tracked_list const&) = delete;
  ~tracked_list() {
    while (first_ != nullptr) {
      tracked* const gone = std::exchange(first_, first_->next);
      std::size_t const bytes = sizes_of(gone);
      gone->act->destroy(*gone);
      from_.deallocate(gone, bytes);
    }
  }

  template <class T, int R, class D> void append(std::string_view name, limbic::parameter<T, R, D>& p,
                                                 Rule const& rule) {
    constexpr bool fit = std::is_floating_point_v<T>;
    if constexpr (fit) {
      auto* const s = append<T, D>(name, &p, &kind_of_parameter<limbic::parameter<T, R, D>>);
      if (Rule::needs_gradient && !p.trainable) return;  // a frozen one takes its memory when it thaws
      s->prepare(rule, p.size());
      if (Rule::needs_gradient) (void)p.gradient_storage();  // now, so that it takes no memory that a step would reuse
    } else {
      static_assert(fit, "limbic: what an optimiser trains are floats or doubles");
    }
  }
  template <class T, int R, class D> void append(std::string_view name, tensor<T, R, D>& x, Rule const& rule) {
    append<T, D>(name, &x, &kind_of_tensor<tensor<T, R, D>>)->prepare(rule, x.size());
  }
  tracked* first() const { return first_; }

  // f("NAME.step", std::int64_t&) where steps count, and f("NAME.STATE", tensor of rank 1) for each state that the rule
  // uses; both may be set.
  template <class... Device, class F> void each(Rule const& rule, F& f) {
    dotted_name name;
    for (tracked* s = first_; s != nullptr; s = s->next) {
      std::size_t const before = name.add(s->name);
      if constexpr (Rule::needs_gradient) each_part(name, "step", s->steps, f);
      if (!(each_on<Device>(rule, *s, name, f) || ... ||
            (each_on<scalar>(rule, *s, name, f) || each_on<simd>(rule, *s, name, f))))
        fail<device_error>("optimizer", "what is remembered of parameter ", s->name,
                           " lies on a device that each() was not asked for");
      name.cut(before);
    }
  }

 private:
  template <class T, class D>
  tracked_as<Rule, T, D>* append(std::string_view name, void* parameter, parameter_actions const* kind) {
    using S = tracked_as<Rule, T, D>;
    static_assert(sizeof(S) == sizeof(tracked_as<Rule, float, scalar>), "limbic: tensors of any type have one size");
    auto* const bytes = static_cast<unsigned char*>(from_.allocate(sizeof(S) + name.size()));
    auto* const s = ::new (bytes) S{};
    s->act = &S::act_;
    s->step = S::act_.update;
    s->kind = kind;
    s->parameter = parameter;
    if (!name.empty()) std::memcpy(bytes + sizeof(S), name.data(), name.size());
    s->name = std::string_view(reinterpret_cast<char const*>(bytes + sizeof(S)), name.size());
    *last_ = s;
    last_ = &s->next;
    return s;
  }
  template <class X, class F> static void each_part(dotted_name& name, std::string_view part, X& x, F& f) {
    std::size_t const before = name.add(part);
    f(name.view(), x);
    name.cut(before);
  }
  template <class D, class F> static bool each_on(Rule const& rule, tracked& s, dotted_name& name, F& f) {
    return each_as<float, D>(rule, s, name, f) || each_as<double, D>(rule, s, name, f);
  }
  template <class T, class D, class F>
  static bool each_as(Rule const& rule, tracked& base, dotted_name& name, F& f) {
    using S = tracked_as<Rule, T, D>;
    if (base.act != &S::act_) return false;
    auto& s = static_cast<S&>(base);
    s.prepare(rule, base.kind->look(base.parameter).size);
    for (int k = 0; k < Rule::states; ++k)
      if (rule.uses(k)) each_part(name, Rule::state_names[k], s.state[k], f);
    return true;
  }
  static std::size_t sizes_of(tracked const* s) { return sizeof(tracked_as<Rule, float, scalar>) + s->name.size(); }
  memory& from_;
  tracked* first_ = nullptr;
  tracked** last_ = &first_;
};

}  // namespace detail

template <class Rule> class optimizer : public Rule {
 public:
  template <class Model>
  explicit optimizer(Model& model, typename Rule::options const& o = {}) : Rule{o}, list_(current_memory(scalar{})) {
    Rule::check();
    visit_parameters(model, [&](std::string_view path, auto& p) { list_.append(path, p, *this); });
  }

  // One step of every parameter that has a gradient; the gradients are cleared.
  void step() {
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next) {
      auto const p = s->kind->look(s->parameter);
      if (p.gradient == nullptr) continue;
      if (p.trainable) s->step(static_cast<Rule const*>(this), *s, p);
      s->kind->clear(s->parameter);
    }
  }

  // Forgets all gradients without a step.
  void clear_gradients() {
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next) s->kind->clear(s->parameter);
  }

  // For checkpoints (io/checkpoint.hpp): the rule's name, its options, then "NAME.step" and "NAME.exp_avg", ... of each
  // parameter. States on other devices than the CPU are visited where the device is named: each<cuda>(f).
  template <class... Device, class F> void each(F&& f) {
    f("rule", Rule::name);
    Rule::each(f);
    list_.template each<Device...>(*this, f);
  }

 protected:
  detail::tracked* find(void const* parameter) {
    detail::tracked* s = list_.first();
    while (s != nullptr && s->parameter != parameter) s = s->next;
    return s;
  }

 private:
  detail::tracked_list<Rule> list_;
};

namespace detail {

// 0 for a subnormal number. Where gradients stay 0 a running mean fades without ever reaching 0, and arithmetic with
// subnormal numbers takes many times as long; what they would still move is far below any parameter's last digit.
template <class V> constexpr V without_subnormals(V x) {
  V const least = math::constant<V>(static_cast<double>(std::numeric_limits<math::number_of<V>>::min()));
  return math::select(math::abs(x) < least, V(0), x);
}

// What every rule asks of its options.
inline void check_option(std::string_view op, std::string_view option, double value, bool good,
                         std::string_view domain) {
  if (!good) fail<argument_error>(op, option, " must be ", domain, ", but is ", value);
}
}  // namespace detail

LIMBIC_END
