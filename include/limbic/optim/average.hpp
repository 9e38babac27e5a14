// limbic/optim/average.hpp - a moving average of the parameters, often better than where training ends
//
//   average = d average + (1 - d) value          Polyak and Juditsky 1992, with forgetting
//   d = decay                                    warm_up: min(decay, (1 + n) / (10 + n)) in update n = 1, 2, ...
//
//   exponential_moving_average average(net, {.decay = 0.999});
//   ... optimizer.step(); average.update(); ...
//   average.swap();      // the model holds the averages, to be evaluated or saved; again: back to training
//
// The average starts as a copy of the parameters; with warm_up it soon forgets where they started, as in TensorFlow's
// ExponentialMovingAverage with num_updates. Tensors of floating point that the model owns beside its parameters, the
// running statistics of batch_norm, are averaged alike: they must fit the averaged parameters. The model must outlive it and
// stay where it is.
#pragma once

#include <limbic/optim/optimizer.hpp>

LIMBIC_BEGIN

struct average_options {
  double decay = 0.999;
  bool warm_up = false;  // the first updates forget faster
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
      return average + math::constant<V>(1 - decay) * (x - average);  // what does not change stays to the last bit
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
    visit_state(model, [&](std::string_view name, auto& x) {
      if constexpr (std::is_floating_point_v<typename std::remove_cvref_t<decltype(x)>::value_type>)
        list_.append(name, x, rule_);
    });
    run(average_rule::start);
  }
  double decay() const { return decay_; }  // as it was given

  // For checkpoints: the averages, or the model's own values while these are swapped.
  template <class... Device, class F> void each(F&& f) {
    f("decay", std::as_const(decay_));
    f("updates", updates_);
    list_.template each<Device...>(rule_, f);
  }

  // After each step.
  void update() {
    ++updates_;
    auto const n = static_cast<double>(updates_);
    double const early = (1 + n) / (10 + n);
    rule_.decay = rule_.warm_up && early < decay_ ? early : decay_;
    run(average_rule::follow);
  }
  void swap() { run(average_rule::exchange); }  // averages into the model, its parameters here
  void apply() { run(average_rule::put); }      // averages into the model for good

 private:
  void run(decltype(average_rule::action) action) {
    rule_.action = action;
    for (detail::tracked* s = list_.first(); s != nullptr; s = s->next)
      s->act->update(&rule_, *s, s->kind->look(s->parameter));
  }
  average_rule rule_;
  double decay_ = rule_.decay;
  std::int64_t updates_ = 0;
  detail::tracked_list<average_rule> list_;
};

LIMBIC_END
