// limbic/ops/small_loss.hpp - learning from the samples of smallest loss, as wrong labels make it large
//
//   auto const each = cross_entropy(x, labels, reduction::none);                              any loss of every sample
//   double const keep = small_loss_keep_ratio({.noise_ratio = 0.2, .epoch = e, .max_epoch = 10});
//   small_loss_mean(each, keep)                            the mean of the samples kept
//   small_loss_weights(each, keep)                         1 for those kept, 0 for the others; without a gradient
//   selected_mean(other, small_loss_weights(each, keep))   chosen by one model's losses for another: co-teaching
//
//   A(e) = 1 - min(T e / max_epoch, T)                     T: the noise_ratio; Han et al. 2018, arXiv:1804.06872
//   max(1, floor(A N + 1e-9)) samples are kept; the 1e-9 keeps a count that rounding put just below a whole number
//
// shape   losses (N) -> (N) weights, () mean
// adjoint of the losses kept; what is left out has the gradient 0, also if its loss is infinite
// domain  at least one sample; 0 <= T <= 1, 0 <= e, max_epoch > 0; among equal losses the first is kept;
//         a NaN among them makes all weights NaN
#pragma once

#include <limbic/ops/operators.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/ops/where.hpp>

LIMBIC_BEGIN

// Where training stands, and how many labels may be wrong.
struct small_loss_schedule {
  double noise_ratio = 0.2;     // T
  std::int64_t epoch = 0;       // e
  std::int64_t max_epoch = 10;  // from when on 1 - T are kept
};

// The part of the samples to keep at an epoch.
inline double small_loss_keep_ratio(small_loss_schedule const& s) {
  if (!(s.noise_ratio >= 0 && s.noise_ratio <= 1))
    fail<argument_error>("small_loss", "noise_ratio must lie in [0, 1], but is ", s.noise_ratio);
  if (!(s.epoch >= 0 && s.max_epoch > 0))
    fail<argument_error>("small_loss", "epoch must not be negative and max_epoch positive, but they are ", s.epoch,
                         " and ", s.max_epoch);
  double const share = s.noise_ratio * static_cast<double>(s.epoch) / static_cast<double>(s.max_epoch);
  return 1 - math::min(share, s.noise_ratio);
}

namespace detail {
struct smallest_row {
  double keep;
  constexpr void operator()(auto x, auto y) const {
    using T = typename decltype(y)::value_type;
    if (math::isnan(max(x))) return map(y, [](auto v) { return v; }, max(x));
    auto const kept = static_cast<std::ptrdiff_t>(keep * static_cast<double>(x.size()) + 1e-9);
    auto const last = nth_place(x, kept < 1 ? 0 : kept - 1);
    auto const key = order_key(x[last]);
    using U = decltype(order_key(x[last]));
    map(y, [](auto v) { return v; }, T(0));
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      U const other = order_key(x[i]);
      if (other < key || (other == key && i <= last)) y.put(i, T(1));
    }
  }
};
}  // namespace detail

struct small_loss_weights_op {
  static constexpr std::string_view name = "small_loss_weights";
  static constexpr keep needs = keep::nothing;
  double keep_ratio = 1.0;  // A

  shape<1> shape_of(shape<1> const& losses) const {
    if (losses[0] < 1) fail<shape_error>(name, "there must be a sample, but came ", losses);
    return losses;
  }
  void forward(auto d, auto y, auto x) const { for_each_row(d, 0, detail::smallest_row{keep_ratio}, x, y); }
  void adjoint(auto d, auto, auto, auto, auto dx) const { no_gradient(d, dx); }
};

template <operand X> auto small_loss_weights(X&& losses, double keep_ratio) {
  static_assert(rank_of<X> == 1, "limbic: samples are chosen among losses (N)");
  if (!(keep_ratio >= 0 && keep_ratio <= 1))
    fail<argument_error>("small_loss_weights", "keep_ratio must lie in [0, 1], but is ", keep_ratio);
  return apply(small_loss_weights_op{keep_ratio}, std::forward<X>(losses));
}

// The mean of the losses whose weight is 1.
template <operand X, operand V> auto selected_mean(X const& losses, V const& weights) {
  static_assert(rank_of<X> == 1 && rank_of<V> == 1, "limbic: samples are chosen among losses (N) by weights (N)");
  if (!(losses.shape() == weights.shape()))
    fail<shape_error>("selected_mean", "losses ", losses.shape(), " and weights ", weights.shape(),
                      " must have the same shape");
  return sum(where(weights, losses, weights * 0.0)) / sum(weights);
}
template <operand X> auto small_loss_mean(X const& losses, double keep_ratio) {
  return selected_mean(losses, small_loss_weights(losses, keep_ratio));
}

LIMBIC_END
