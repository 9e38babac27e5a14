// limbic/optim/average.hpp - a moving average of the parameters, often better than where training ends
//
//   average = decay average + (1 - decay) value          Polyak and Juditsky 1992, with forgetting
//
//   exponential_moving_average average(net, {.decay = 0.999});
//   ... optimizer.step(); average.update(); ...
//   average.swap();      // the model holds the averages, to be evaluated or saved; again: back to training
//
// The average starts as a copy of the parameters. The model must outlive it and stay where it is.
#pragma once

#include <limbic/optim/optimizer.hpp>

LIMBIC_BEGIN

struct average_options {
  double decay = 0.999;
};

struct average_rule : average_options {
  using options = average_options;
  // Whether it wants room for gradients.
  static constexpr bool needs_gradient = false;
  static constexpr int states = 1;
  static constexpr std::string_view state_names[] = {"average"};
  // What the next update does: begin with a copy, follow, exchange average and value, or put the average in place.
  enum { start, follow, exchange, put } action = start;

  bool uses(int) const { return true; }

  struct toward {
    double decay;
    template <class V> constexpr V operator()(V average, V x) const {
      return math::constant<V>(decay) * average + math::constant<V>(1 - decay) * x;
    }
  };
  struct exchanged {
    template <class V> constexpr results<V, 2> operator()(V a, V b) const { return {{b, a}}; }
  };
  template <class D, class T>
  void update(D d, view<T, 1, D> x, view<T const, 1, D>, tensor<T, 1, D>* state, std::int64_t) const {
    auto& average = state[0];
    if (action == start) copy(d, average, x);
    if (action == follow) map(d, average, toward{decay}, average, x);
    if (action == exchange) map(d, outs(x, average), exchanged{}, x, average);
    if (action == put) copy(d, x, average);
  }
};

class exponential_moving_average {
 public:
  template <class Model>
  explicit exponential_moving_average(Model& model, average_options const& o = {})
      : rule_{o}, list_(current_memory(scalar{})) {
    detail::check_option("exponential_moving_average", "decay", o.decay, o.decay >= 0 && o.decay <= 1, "in [0, 1]");
    visit_parameters(model, [&](std::string_view name, auto& p) { list_.append(name, p, rule_); });
    run(average_rule::start);
  }
  double decay() const { return rule_.decay; }

  // For checkpoints: the averages, or the model's parameters while these are swapped.
  template <class... Device, class F> void each(F&& f) {
    f("decay", std::as_const(rule_.decay));
    list_.template each<Device...>(rule_, f);
  }

  void update() { run(average_rule::follow); }  // after each step
  void swap() { run(average_rule::exchange); }  // averages into the model, its parameters here
  void apply() { run(average_rule::put); }      // averages into the model for good

 private:
  void run(decltype(average_rule::action) action) {
    rule_.action = action;
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next)
      s->act->update(&rule_, *s, s->kind->look(s->parameter));
  }
  average_rule rule_;
  detail::tracked_list<average_rule> list_;
};

LIMBIC_END
