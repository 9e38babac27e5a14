// limbic/data/injections.hpp - known transients laid upon a recording, to judge what removes noise or detects events
//
//   auto const r = inject(x, transient, {.count = 12, .level = 3, .apart = 50, .seed = 7});      x (N), transient (L)
//   auto const r = inject(x, transient, mixing, {...});                                          x (N, C), mixing (C)
//   r.signal                     x + r.source, in channel c x + mixing(c) r.source
//   r.source                     (N): the transients alone: what a denoiser should find (metrics/signal_quality.hpp)
//   r.onsets                     (count), ascending: the first sample of each, as match_events takes them (metrics/events.hpp)
//
//   r.source(onset + j) = a transient(j),   10 log10(a^2 mean transient^2 / P) = level
//
// P is the mean over channels of x's variance, so that a level of 0 dB is a transient as strong, while it lasts, as the
// recording. Transients do not overlap: the room that they leave is shared out at random, and at least `apart` samples lie
// between two. The same seed gives the same places.
//
// domain  count >= 1, apart >= 0, a finite level; x with at least one element, finite, not constant; a transient that is
//         finite and not all 0; finite mixing, a number for each channel; all transients must fit into x
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/math/base.hpp>

#include <algorithm>
#include <cmath>

LIMBIC_BEGIN

struct injection_options {
  std::ptrdiff_t count = 1;  // of the transients
  double level = 0;          // in dB above the recording's variance
  std::ptrdiff_t apart = 0;  // samples between two transients, at least
  std::uint64_t seed = 0;    // of their places
};
// A recording with transients, and what is known of them.
template <class T, int R, class D> struct injections {
  tensor<T, R, D> signal;            // all that was recorded, and the transients
  tensor<T, 1, D> source;            // the transients alone
  tensor<double, 1, scalar> onsets;  // their first samples
};

namespace detail {

template <class T, int R, class D> void check_injected(std::string_view what, tensor<T, R, D> const& x) {
  for (std::ptrdiff_t i = 0; i < x.size(); ++i)
    if (!math::isfinite(x.data()[i])) fail<argument_error>("inject", what, " holds ", x.data()[i], " at ", i);
}

// The first sample of each: sorted draws from the room that is left, pushed apart.
inline tensor<double, 1, scalar> onsets_within(std::ptrdiff_t samples, std::ptrdiff_t length,
                                               injection_options const& o) {
  if (o.count < 1 || o.apart < 0)
    fail<argument_error>("inject", "count must be positive and apart not negative, but are ", o.count, " and ",
                         o.apart);
  std::ptrdiff_t const step = length + o.apart;
  if (length > samples || step > samples || (samples - length) / step < o.count - 1)
    fail<argument_error>("inject", o.count, " transients of ", length, " samples, ", o.apart,
                         " apart, do not fit into ", samples);
  auto const room = static_cast<double>(samples - length - (o.count - 1) * step + 1);
  tensor<double, 1, scalar> onsets(shape<1>{{o.count}});
  rng random{.seed = o.seed};
  random.uniform(onsets, 0, room);
  std::sort(onsets.begin(), onsets.end());
  for (std::ptrdiff_t k = 0; k < o.count; ++k)
    onsets(k) = std::floor(std::min(onsets(k), room - 1)) + static_cast<double>(k * step);
  return onsets;
}

// Mean over the columns of x (N, C) of their variances. From the first sample on: a constant has exactly none.
template <class T, class D> double mean_variance(view<T const, 2, D> x) {
  auto const n = static_cast<double>(x.extent(0));
  double total = 0;
  for (std::ptrdiff_t c = 0; c < x.extent(1); ++c) {
    auto const above_first = [&](std::ptrdiff_t t) {
      return static_cast<double>(x(t, c)) - static_cast<double>(x(0, c));
    };
    double mean = 0;
    for (std::ptrdiff_t t = 0; t < x.extent(0); ++t) mean += above_first(t) / n;
    for (std::ptrdiff_t t = 0; t < x.extent(0); ++t) total += (above_first(t) - mean) * (above_first(t) - mean) / n;
  }
  return total / static_cast<double>(x.extent(1));
}

}  // namespace detail

template <class T, class D>
injections<T, 2, D> inject(tensor<T, 2, D> const& x, tensor<T, 1, D> const& transient, tensor<T, 1, D> const& mixing,
                           injection_options const& o) {
  static_assert(std::is_floating_point_v<T> && is_host<D>, "limbic: inject takes real numbers on a CPU");
  constexpr std::string_view name = "inject";
  std::ptrdiff_t const samples = x.extent(0), channels = x.extent(1), length = transient.size();
  if (mixing.size() != channels)
    fail<shape_error>(name, "mixing needs a number for each channel of ", x.shape(), ", but is ", mixing.shape());
  if (x.size() == 0 || length == 0)
    fail<argument_error>(name, "there must be samples in x ", x.shape(), " and in the transient ", transient.shape());
  if (!math::isfinite(o.level)) fail<argument_error>(name, "the level must be finite, but is ", o.level);
  detail::check_injected("x", x);
  detail::check_injected("the transient", transient);
  detail::check_injected("mixing", mixing);
  double const variance = detail::mean_variance(x.view());
  double power = 0;
  for (T const w : transient) power += static_cast<double>(w) * static_cast<double>(w) / static_cast<double>(length);
  if (!(variance > 0) || !(power > 0))
    fail<argument_error>(name, "a level needs powers to compare, but ", variance > 0 ? "the transient" : "x",
                         " has none");

  injections<T, 2, D> r{x, tensor<T, 1, D>(shape<1>{{samples}}), detail::onsets_within(samples, length, o)};
  double const a = std::sqrt(std::pow(10, o.level / 10) * variance / power);
  for (double const onset : r.onsets)
    for (std::ptrdiff_t j = 0; j < length; ++j)
      r.source(static_cast<std::ptrdiff_t>(onset) + j) = static_cast<T>(a * static_cast<double>(transient(j)));
  for (std::ptrdiff_t t = 0; t < samples; ++t)
    for (std::ptrdiff_t c = 0; c < channels; ++c) r.signal(t, c) += mixing(c) * r.source(t);
  return r;
}

template <class T, class D>
injections<T, 1, D> inject(tensor<T, 1, D> const& x, tensor<T, 1, D> const& transient,
                           injection_options const& o = {}) {
  tensor<T, 2, D> const column(x.view().unsqueeze(1));
  auto r = inject(column, transient, tensor<T, 1, D>(shape<1>{{1}}, T(1)), o);
  return {tensor<T, 1, D>(r.signal.view().transpose()[0]), std::move(r.source), std::move(r.onsets)};
}

LIMBIC_END
