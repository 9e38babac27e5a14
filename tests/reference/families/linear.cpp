// reference/families/linear.cpp - y = x W^T + b
#include "support.hpp"

#include <limbic/ops/linear.hpp>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  bool const with_bias = c.flag("bias", c.find("bias") != nullptr);
  auto const& shape = c.get("input").shape;
  auto const merged = merge_leading(shape, 4);
  return with_rank<1, 4>(merged.size(), [&](auto rank) {
    recording<D> r(c);
    auto const x = r.template variable<rank()>("input", extents_of<rank()>(merged));
    auto const weight = r.template variable<2>("weight");
    auto const out = [&](auto const& y) {
      auto y_shape = shape;
      y_shape.back() = static_cast<std::size_t>(y.extent(rank() - 1));
      r.output("output", y, y_shape, true);
      return r.finish();
    };
    if (with_bias) return out(limbic::functional::linear(x, weight, r.template variable<1>("bias")));
    return out(limbic::functional::linear(x, weight));
  });
}

registration const here{{"linear", {"linear"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
