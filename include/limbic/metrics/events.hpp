// limbic/metrics/events.hpp - detected events against true ones, each matched once within a tolerance
//
//   auto const r = match_events(true_times, detected_times, 0.05);
//   r.precision, r.recall, r.f1             shares of the detections that are right, of the events that were found, and both
//   r.mean_absolute_error, r.mean_error     how far matches lie apart; how late they are
//   r.matches(k, 0), r.matches(k, 1)        true event and its detection
//
// Pairs with |t_i - d_j| <= tolerance are taken in ascending order of that distance, then of i, then of j; a pair is kept when
// both are free. That is greedy, nearest first, and not the matching of most pairs: two events may be matched where three
// could be, but a detection never gives up the event beside it for one further away. With K matches of n events and m
// detections
//
//   precision = K / m      recall = K / n      f1 = 2 K / (n + m)      errors: means over the matches of |d - t| and d - t
//
// and 0 where that divides by 0. Times need not be sorted, and there may be none. Costs O((n + m + P) log) for P pairs within
// the tolerance.
//
// shape   true_times (n), detected_times (m)
// domain  finite times; 0 <= tolerance, finite
#pragma once

#include <limbic/metrics/operands.hpp>

#include <algorithm>

LIMBIC_BEGIN

// What match_events found.
struct event_report {
  tensor<std::int64_t, 2, scalar> matches;  // (K, 2): true event, detection; in ascending order of the event
  std::int64_t true_positives = 0;          // matches
  std::int64_t false_positives = 0;         // detections without an event
  std::int64_t false_negatives = 0;         // events without a detection
  double precision = 0;                     // share of the detections that are matched
  double recall = 0;                        // share of the events that are matched
  double f1 = 0;                            // harmonic mean of both
  double mean_absolute_error = 0;           // mean distance of the matches
  double mean_error = 0;                    // mean of detected minus true time; positive: late
};

namespace detail {

inline event_report match_times(number_list const& truth, number_list const& detected, double tolerance) {
  constexpr std::string_view name = "match_events";
  require_all_finite(name, "true times", truth);
  require_all_finite(name, "detected times", detected);
  if (!(tolerance >= 0) || !math::isfinite(tolerance))
    fail<argument_error>(name, "the tolerance must be finite and not negative, but is ", tolerance);

  struct candidate {
    double distance;
    std::size_t event, detection;
  };
  std::vector<candidate> candidates;
  std::vector<std::size_t> order(detected.size());
  for (std::size_t j = 0; j < order.size(); ++j) order[j] = j;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return detected[a] < detected[b]; });
  for (std::size_t i = 0; i < truth.size(); ++i) {
    auto from = std::partition_point(order.begin(), order.end(),
                                     [&](std::size_t j) { return truth[i] - detected[j] > tolerance; });
    for (; from != order.end() && detected[*from] - truth[i] <= tolerance; ++from)
      candidates.push_back({math::abs(truth[i] - detected[*from]), i, *from});
  }
  std::sort(candidates.begin(), candidates.end(), [](candidate const& a, candidate const& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return a.event != b.event ? a.event < b.event : a.detection < b.detection;
  });

  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> detection_of(truth.size(), none);
  std::vector<char> taken(detected.size(), 0);
  std::ptrdiff_t count = 0;
  for (auto const& c : candidates) {
    if (detection_of[c.event] != none || taken[c.detection] != 0) continue;
    detection_of[c.event] = c.detection;
    taken[c.detection] = 1;
    ++count;
  }

  event_report r;
  r.matches = tensor<std::int64_t, 2, scalar>(shape<2>{{count, 2}});
  double const found = static_cast<double>(count), n = to_double(truth.size()), m = to_double(detected.size());
  std::ptrdiff_t k = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (detection_of[i] == none) continue;
    double const late = detected[detection_of[i]] - truth[i];
    r.mean_error += ratio(late, found);
    r.mean_absolute_error += ratio(math::abs(late), found);
    r.matches(k, 0) = static_cast<std::int64_t>(i);
    r.matches(k, 1) = static_cast<std::int64_t>(detection_of[i]);
    ++k;
  }
  r.true_positives = count;
  r.false_positives = static_cast<std::int64_t>(detected.size()) - count;
  r.false_negatives = static_cast<std::int64_t>(truth.size()) - count;
  r.precision = ratio(found, m);
  r.recall = ratio(found, n);
  r.f1 = ratio(2 * found, n + m);
  return r;
}

}  // namespace detail

template <detail::metric_scores T, detail::metric_scores E>
event_report match_events(T const& true_times, E const& detected_times, double tolerance) {
  return detail::match_times(detail::numbers_of(true_times), detail::numbers_of(detected_times), tolerance);
}

LIMBIC_END
