// limbic/ops/reduction.hpp - how the losses of many elements become the result
//
//   reduction::mean         one number: the sum over the number of elements, samples or weights, as each loss says
//   reduction::sum          one number
//   reduction::none         every element's, or every sample's, own
//   reduction::batchmean    one number: the sum over the first extent (kl_div)
//
// Each is a value of its own type, because the rank of the result depends on it: mse_loss(x, y, reduction::none).
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

namespace reduction {
struct mean_t {};       // the type of mean
struct sum_t {};        // the type of sum
struct none_t {};       // the type of none
struct batchmean_t {};  // the type of batchmean
inline constexpr mean_t mean{};
inline constexpr sum_t sum{};
inline constexpr none_t none{};
inline constexpr batchmean_t batchmean{};
}  // namespace reduction

// What every loss takes; kl_div takes batchmean too.
template <class R> concept common_reduction =
    std::is_same_v<R, reduction::mean_t> || std::is_same_v<R, reduction::sum_t> || std::is_same_v<R, reduction::none_t>;
// All four.
template <class R> concept any_reduction = common_reduction<R> || std::is_same_v<R, reduction::batchmean_t>;

// Stands for a weight that is not given, where a later operand is.
struct no_weight_t {};
inline constexpr no_weight_t no_weight{};  // in the place of a weight
// A weight, or no_weight.
template <class W> concept weight_operand = operand<W> || std::is_same_v<std::remove_cvref_t<W>, no_weight_t>;

namespace detail {

template <class R> inline constexpr bool keeps_elements = std::is_same_v<R, reduction::none_t>;

struct divided_by {
  double n;
  template <class V> constexpr V operator()(V x) const { return x / math::constant<V>(n); }
};

}  // namespace detail

LIMBIC_END
