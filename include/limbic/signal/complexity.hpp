// limbic/signal/complexity.hpp - what a branch costs, counted: floating-point operations, parameters, filter length
//
//   complexity c = count_parameters(model);                                the elements of all its parameters
//   c += count_linear(rows, 32, 2);                                        x (rows, 32) -> (rows, 2)
//   c += count_lstm(batch, steps, 4, 32, {.layers = 2});
//   c += count_dwt(128, 8, {.levels = 3, .series = channels});
//   loss = loss + complexity_penalty(c, {.flops = 1e-9, .parameters = 1e-5, .filter_length = 1e-3});
//
//   C(c, theta) = w_flops FLOPs + w_parameters parameters + w_filter_length filter length
//
// Counted is one forward pass as its formula says: a product or a sum is one operation, a multiply-add therefore two, and
// so is one call of a sigmoid, a tanh, ... one operation. Copies, comparisons, padding and indices are none. Parameters
// come from the model alone, so that layers which share them count them once; filter lengths add up over transforms. All
// three are exact as long as they stay below 2^53. A count has no gradient: C is a number. (nn/summary.hpp lists a whole
// model, op by op.)
//
//   linear   as ops/linear.hpp says
//   lstm     as ops/lstm.hpp says, for each direction; a further layer reads H directions
//   dwt      each level: two filters, 2F - 1 for a coefficient; n -> floor((n + F - 1) / 2), periodization ceil(n / 2);
//            stationary: n -> n
#pragma once

#include <limbic/core/visit.hpp>
#include <limbic/ops/linear.hpp>
#include <limbic/ops/lstm.hpp>

LIMBIC_BEGIN

struct complexity {
  double flops = 0, parameters = 0, filter_length = 0;  // multiplications and additions; numbers learned; taps

  complexity& operator+=(complexity const& o) {
    flops += o.flops;
    parameters += o.parameters;
    filter_length += o.filter_length;
    return *this;
  }
  friend complexity operator+(complexity a, complexity const& b) { return a += b; }
};
// What each unit of a complexity costs.
struct complexity_weights {
  double flops = 0, parameters = 0, filter_length = 0;  // of one each
};
struct count_lstm_options {
  int layers = 1;
  bool bidirectional = false;  // twice the work, and twice the inputs from the second layer on
  bool bias = true;            // two for each gate
};
struct count_dwt_options {
  int levels = 1;  // of the transform
  bool periodization = false;
  bool stationary = false;    // swt
  std::ptrdiff_t series = 1;  // channels times batch
};

namespace detail {
template <class... N> void check_counts(std::string_view name, N... n) {
  auto const check = [&](std::ptrdiff_t size) {
    if (size < 1) fail<argument_error>(name, "sizes must be positive, but one is ", size);
  };
  (check(static_cast<std::ptrdiff_t>(n)), ...);
}
}  // namespace detail

template <class Model> complexity count_parameters(Model const& model) {
  return {.parameters = static_cast<double>(parameter_count(model))};
}

inline complexity count_linear(std::ptrdiff_t rows, std::ptrdiff_t in, std::ptrdiff_t out, bool bias = true) {
  detail::check_counts("count_linear", rows, in, out);
  return {.flops = linear_op::flops(shape{rows, in}, shape{out, in}, shape{bias ? out : 0})};
}

inline complexity count_lstm(std::ptrdiff_t batch, std::ptrdiff_t steps, std::ptrdiff_t in, std::ptrdiff_t hidden,
                             count_lstm_options const& o = {}) {
  detail::check_counts("count_lstm", batch, steps, in, hidden, o.layers);
  std::ptrdiff_t const directions = o.bidirectional ? 2 : 1;
  double total = 0;
  for (int layer = 0; layer < o.layers; ++layer) {
    std::ptrdiff_t const inputs = layer == 0 ? in : hidden * directions;
    total += static_cast<double>(directions) * lstm_op{}.flops(shape{steps, batch, inputs}, {}, {},
                                                               shape{4 * hidden, inputs}, shape{4 * hidden, hidden},
                                                               shape{o.bias ? 4 * hidden : 0}, {});
  }
  return {.flops = total};
}

inline complexity count_dwt(std::ptrdiff_t length, std::ptrdiff_t filter, count_dwt_options const& o = {}) {
  detail::check_counts("count_dwt", length, filter, o.levels, o.series);
  complexity c{.filter_length = static_cast<double>(filter)};
  for (int level = 0; level < o.levels; ++level) {
    if (!o.stationary) length = o.periodization ? (length + 1) / 2 : (length + filter - 1) / 2;
    c.flops += static_cast<double>(o.series) * static_cast<double>(2 * length * (2 * filter - 1));
  }
  return c;
}

inline double complexity_penalty(complexity const& c, complexity_weights const& w) {
  return w.flops * c.flops + w.parameters * c.parameters + w.filter_length * c.filter_length;
}

LIMBIC_END
