// reference/families/loss.hpp - what the two halves of the losses share
#pragma once

#include "support.hpp"

#include <limbic/ops/reduction.hpp>

namespace reference {

// Calls f with the library's reduction of the name that the case gives.
template <class F> result with_reduction(call& c, F const& f) {
  auto const name = c.text("reduction", "mean");
  if (name == "mean") return f(limbic::reduction::mean);
  if (name == "sum") return f(limbic::reduction::sum);
  if (name == "none") return f(limbic::reduction::none);
  throw unsupported("the reduction '" + name + "' does not exist here");
}

// The loss under the shape that the case gives it: a scalar, or `each` for none.
template <class D, class Y> result finish(recording<D>& r, Y const& loss, shape_type const& each) {
  r.output("loss", loss, Y::rank == 0 ? shape_type{} : each, true);
  return r.finish();
}

}  // namespace reference
