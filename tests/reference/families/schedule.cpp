// reference/families/schedule.cpp - learning rates from epoch to epoch; nothing here depends on the backend
#include "support.hpp"

#include <limbic/optim/schedule.hpp>

namespace {

using namespace reference;

// One of two names for an option.
template <class E> E choice(call& c, std::string const& name, char const* first, E a, char const* second, E b) {
  auto const given = c.text(name, first);
  if (given != first && given != second) throw unsupported(name + " '" + given + "' does not exist here");
  return given == first ? a : b;
}

result plateau(call& c) {
  limbic::plateau_options o;
  o.mode = choice(c, "mode", "min", limbic::goal::min, "max", limbic::goal::max);
  o.factor = c.number("factor", o.factor);
  o.patience = static_cast<int>(c.integer("patience", o.patience));
  o.threshold = c.number("threshold", o.threshold);
  o.threshold_mode =
      choice(c, "threshold_mode", "rel", limbic::threshold_mode::rel, "abs", limbic::threshold_mode::abs);
  o.cooldown = static_cast<int>(c.integer("cooldown", o.cooldown));
  o.min_lr = c.number("min_lr", o.min_lr);
  o.eps = c.number("eps", o.eps);
  limbic::reduce_on_plateau schedule(c.number("base_lr"), o);
  auto const& metrics = c.get("metrics").data;
  if (metrics.size() != c.size("epochs")) throw unsupported("there must be a metric for each epoch");
  std::vector<double> rates;
  for (auto const m : metrics) {
    rates.push_back(schedule.learning_rate);
    schedule.step(m);
  }
  result r;
  r.values["lr"] = to_value(rates);
  return r;
}

template <class Schedule> result every_epoch(call& c, Schedule const& schedule) {
  std::vector<double> rates;
  for (std::size_t e = 0, n = c.size("epochs"); e < n; ++e) rates.push_back(schedule(static_cast<std::int64_t>(e)));
  result r;
  r.values["lr"] = to_value(rates);
  return r;
}

result run(call& c) {
  auto const& op = c.op();
  if (op == "reducelronplateau") return plateau(c);
  double const rate = c.number("base_lr");
  if (op == "steplr")
    return every_epoch(c, limbic::step_lr{.learning_rate = rate,
                                          .step_size = static_cast<int>(c.integer("step_size")),
                                          .gamma = c.number("gamma", 0.1)});
  if (op == "exponentiallr")
    return every_epoch(c, limbic::exponential_lr{.learning_rate = rate, .gamma = c.number("gamma")});
  if (op == "cosineannealinglr")
    return every_epoch(c, limbic::cosine_annealing_lr{
                              .learning_rate = rate, .T_max = c.integer("T_max"), .eta_min = c.number("eta_min", 0.0)});
  auto const list = c.numbers("milestones");
  limbic::tensor<std::int64_t, 1, limbic::scalar> milestones(
      limbic::shape<1>{{static_cast<std::ptrdiff_t>(list.size())}});
  for (std::size_t i = 0; i < list.size(); ++i) milestones(i) = static_cast<std::int64_t>(list[i]);
  return every_epoch(c, limbic::multistep_lr(rate, std::as_const(milestones).view(), c.number("gamma", 0.1)));
}

registration const here{
    {"schedule", {"steplr", "multisteplr", "exponentiallr", "cosineannealinglr", "reducelronplateau"}, run, run}};

}  // namespace
