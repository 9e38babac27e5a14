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
//   options                                 their type
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
struct parameter_kind {
  flat_parameter (*look)(void* p);
  void (*clear)(void* p);
};
template <class P> inline constexpr parameter_kind kind_of_parameter{
    [](void* p) {
      auto& q = *static_cast<P*>(p);
      return flat_parameter{q.value.data(), q.has_gradient() ? q.gradient().data() : nullptr, q.size(), q.trainable};
    },
    [](void* p) { static_cast<P*>(p)->clear_gradient(); }};

// One parameter, and what a rule remembers of it.
struct tracked {
  struct actions {
    void (*update)(void const* rule, tracked& self, flat_parameter const& p);
    void (*destroy)(tracked& self);
  };
  actions const* act;
  parameter_kind const* kind;
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
    static_assert(std::is_floating_point_v<T>, "limbic: what an optimiser trains are floats or doubles");
    using S = tracked_as<Rule, T, D>;
    static_assert(sizeof(S) == sizeof(tracked_as<Rule, float, scalar>), "limbic: tensors of any type have one size");
    auto* const bytes = static_cast<unsigned char*>(from_.allocate(sizeof(S) + name.size()));
    auto* const s = ::new (bytes) S{};
    s->act = &S::act_;
    s->step = S::act_.update;
    s->kind = &kind_of_parameter<limbic::parameter<T, R, D>>;
    s->parameter = &p;
    if (!name.empty()) std::memcpy(bytes + sizeof(S), name.data(), name.size());
    s->name = std::string_view(reinterpret_cast<char const*>(bytes + sizeof(S)), name.size());
    *last_ = s;
    last_ = &s->next;
    if (Rule::needs_gradient && !p.trainable) return;  // a frozen one takes its memory when it thaws
    s->prepare(rule, p.size());
    if (Rule::needs_gradient) (void)p.gradient_storage();  // now, so that it takes no memory that a step would reuse
  }
  tracked* first() const { return first_; }

 private:
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
    visit_parameters(model, [&](std::string_view name, auto& p) { list_.append(name, p, *this); });
  }

  void step() {
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next) {
      auto const p = s->kind->look(s->parameter);
      if (p.gradient == nullptr) continue;
      if (p.trainable) s->step(static_cast<Rule const*>(this), *s, p);
      s->kind->clear(s->parameter);
    }
  }

  void clear_gradients() {
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next) s->kind->clear(s->parameter);
  }

  // For checkpoints: f(parameter's name, step) and then f(parameter's name, state's name, tensor) for each state that these
  // options use, for each parameter; step is a std::int64_t&, the tensor of rank 1, both may be set. The states of
  // parameters on devices other than the CPU are visited where the device is named: each_state<cuda>(f).
  template <class... Device, class F> void each_state(F&& f) {
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next) {
      f(s->name, s->steps);
      (visit_one<Device>(*s, f), ..., void());
      visit_one<scalar>(*s, f);
      visit_one<simd>(*s, f);
    }
  }

 protected:
  detail::tracked* find(void const* parameter) {
    detail::tracked* s = list_.first();
    while (s != nullptr && s->parameter != parameter) s = s->next;
    return s;
  }

 private:
  template <class D, class F> void visit_one(detail::tracked& s, F& f) {
    visit_as<float, D>(s, f);
    visit_as<double, D>(s, f);
  }
  template <class T, class D, class F> void visit_as(detail::tracked& base, F& f) {
    using S = detail::tracked_as<Rule, T, D>;
    if (base.act != &S::act_) return;
    auto& s = static_cast<S&>(base);
    s.prepare(*this, base.kind->look(base.parameter).size);
    for (int k = 0; k < Rule::states; ++k)
      if (Rule::uses(k)) f(base.name, Rule::state_names[k], s.state[k]);
  }
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
