// reference/families/event_detection.cpp - detected events against true ones
#include "support.hpp"

#include <limbic/metrics/events.hpp>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  if (c.number("zero_division") != 0) throw unsupported("0 over 0 is 0 here");
  auto const e = limbic::match_events(to_tensor<double, 1, D>(c.get("true_times")),
                                      to_tensor<double, 1, D>(c.get("detected_times")), c.number("tolerance"));
  auto const count = [](std::int64_t n) { return to_value(static_cast<double>(n)); };
  result r;
  r.values["matches"] = to_value(e.matches);
  r.values["true_positives"] = count(e.true_positives);
  r.values["false_positives"] = count(e.false_positives);
  r.values["false_negatives"] = count(e.false_negatives);
  r.values["precision"] = to_value(e.precision);
  r.values["recall"] = to_value(e.recall);
  r.values["f1"] = to_value(e.f1);
  r.values["mean_absolute_error"] = to_value(e.mean_absolute_error);
  r.values["mean_error"] = to_value(e.mean_error);
  return r;
}

registration const here{{"event_detection", {"event_detection"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
