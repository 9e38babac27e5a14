// reference/families/activation.cpp - elementwise activations, softmax and log_softmax
#include "support.hpp"

#include <limbic/ops/elu.hpp>
#include <limbic/ops/gelu.hpp>
#include <limbic/ops/leaky_relu.hpp>
#include <limbic/ops/log_softmax.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sigmoid.hpp>
#include <limbic/ops/silu.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic/ops/softplus.hpp>
#include <limbic/ops/tanh.hpp>

namespace {

using namespace reference;

// An elementwise op takes any rank; from the fourth axis on, the first ones are merged to keep this file quick to build.
constexpr int most_axes = 3;

template <class D, class Op> result elementwise(call& c, Op const& op) {
  auto const& shape = c.get("input").shape;
  auto const merged = shape.empty() ? shape_type{1} : merge_leading(shape, most_axes);
  return with_rank<1, most_axes>(merged.size(), [&](auto rank) {
    recording<D> r(c);
    r.output("output", op(r.template variable<rank()>("input", extents_of<rank()>(merged))), shape, true);
    return r.finish();
  });
}

// Along one axis: with more than four axes, those before and those after it are merged.
template <class D, class Op> result along_axis(call& c, Op const& op) {
  auto const& shape = c.get("input").shape;
  auto const rank = static_cast<std::int64_t>(shape.size());
  auto const dim = c.integer("dim");
  auto merged = shape;
  auto axis = dim;
  if (rank > 4 && dim >= -rank && dim < rank) {
    merged = {1, 1, 1};
    axis = 1;
    for (std::int64_t i = 0, at = dim < 0 ? dim + rank : dim; i < rank; ++i)
      merged[i < at ? 0 : i == at ? 1 : 2] *= shape[static_cast<std::size_t>(i)];
  }
  return with_rank<1, 4>(merged.size(), [&](auto axes) {
    recording<D> r(c);
    auto const x = r.template variable<axes()>("input", extents_of<axes()>(merged));
    r.output("output", op(x, static_cast<int>(axis)), shape, true);
    return r.finish();
  });
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "elu") {
    limbic::elu_op const o{.alpha = c.number("alpha", 1.0)};
    return elementwise<D>(c, [&](auto const& x) { return limbic::elu(x, o); });
  }
  if (op == "relu") return elementwise<D>(c, [](auto const& x) { return limbic::relu(x); });
  if (op == "relu6") return elementwise<D>(c, [](auto const& x) { return limbic::relu6(x); });
  if (op == "leaky_relu") {
    limbic::leaky_relu_op const o{.negative_slope = c.number("negative_slope", 0.01)};
    return elementwise<D>(c, [&](auto const& x) { return limbic::leaky_relu(x, o); });
  }
  if (op == "silu") return elementwise<D>(c, [](auto const& x) { return limbic::silu(x); });
  if (op == "gelu") {
    auto const form = c.text("approximate", "none");
    if (form != "none" && form != "tanh") throw unsupported("gelu approximated by '" + form + "' does not exist here");
    limbic::gelu_op const o{.approximate = form == "tanh" ? limbic::gelu_form::tanh : limbic::gelu_form::none};
    return elementwise<D>(c, [&](auto const& x) { return limbic::gelu(x, o); });
  }
  if (op == "sigmoid") return elementwise<D>(c, [](auto const& x) { return limbic::sigmoid(x); });
  if (op == "tanh") return elementwise<D>(c, [](auto const& x) { return limbic::tanh(x); });
  if (op == "softplus") {
    limbic::softplus_op const o{.beta = c.number("beta", 1.0), .threshold = c.number("threshold", 20.0)};
    return elementwise<D>(c, [&](auto const& x) { return limbic::softplus(x, o); });
  }
  if (op == "softmax") return along_axis<D>(c, [](auto const& x, int axis) { return limbic::softmax(x, axis); });
  return along_axis<D>(c, [](auto const& x, int axis) { return limbic::log_softmax(x, axis); });
}

registration const here{
    {"activation",
     {"elu", "relu", "relu6", "leaky_relu", "silu", "gelu", "sigmoid", "tanh", "softplus", "softmax", "log_softmax"},
     run<limbic::scalar>,
     run<limbic::simd>}};

}  // namespace
