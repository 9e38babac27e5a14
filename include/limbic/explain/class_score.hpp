// limbic/explain/class_score.hpp - the sum of what a model says for one class of each sample
//
//   y = sum_n model(x)[n, c_n]
//
// Samples do not see one another in evaluation mode, so the gradient of y with respect to anything a sample became is that
// of its own logit.
//
// shape   x (N, ...) -> logits (N, C); c (N)
// errors  classes that are not in [0, C)
#pragma once

#include <limbic/nn/mode.hpp>
#include <limbic/ops/nll_loss.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/tape/record.hpp>

LIMBIC_BEGIN
namespace detail {

// What a model makes of an operand, whether it takes a mode or not.
template <class Model, class X> auto evaluated(Model const& model, X const& x) {
  if constexpr (requires { model(x, evaluation{}); }) return model(x, evaluation{});
  else return model(x);
}
template <class T, class D>
variable<T, 0, D> class_score(variable<T, 2, D> const& logits, tensor<std::int64_t, 1, D> const& classes) {
  return -nll_loss(logits, classes, reduction::sum);
}

}  // namespace detail
LIMBIC_END
