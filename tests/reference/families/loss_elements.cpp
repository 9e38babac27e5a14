// reference/families/loss_elements.cpp - losses that compare two tensors element by element
#include "loss.hpp"

#include <limbic/ops/binary_cross_entropy.hpp>
#include <limbic/ops/focal_loss.hpp>
#include <limbic/ops/huber_loss.hpp>
#include <limbic/ops/kl_div.hpp>
#include <limbic/ops/l1_loss.hpp>
#include <limbic/ops/mse_loss.hpp>
#include <limbic/ops/smooth_l1_loss.hpp>

namespace {

using namespace reference;

// These losses take any rank. To keep this file quick to build they run as matrices: the first axis (what batchmean
// divides by), and all others as one.
limbic::shape<2> first_and_rest(shape_type const& shape) {
  std::ptrdiff_t const first = shape.empty() ? 1 : static_cast<std::ptrdiff_t>(shape[0]);
  std::ptrdiff_t rest = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) rest *= static_cast<std::ptrdiff_t>(shape[i]);
  return {{first, rest}};
}

template <class D, class F> result compare_with(call& c, std::string const& input, F const& f) {
  recording<D> r(c);
  auto const& shape = c.get(input).shape;
  if (c.get("target").shape != shape)
    throw unsupported("a target of shape " + to_string(c.get("target").shape) + " for an input of shape " +
                      to_string(shape));
  auto const extents = first_and_rest(shape);
  auto const x = r.variable(input, extents);
  auto const target = r.variable("target", extents);
  return with_reduction(c, [&](auto reduction) { return finish(r, f(x, target, reduction), shape); });
}

// A weight, broadcast by NumPy's rule to the shape of the logits: as (1, last) or in full.
template <class D> limbic::tensor<double, 2, D> weight_like(call& c, std::string const& name, shape_type const& shape) {
  auto const& w = c.get(name);
  if (c.differentiates(name)) throw unsupported("a gradient of '" + name + "' is not computed here");
  if (w.shape.size() > shape.size()) throw unsupported("'" + name + "' has more axes than the logits");
  std::size_t count = 1;
  for (auto const n : shape) count *= n;
  array full;
  full.name = name;
  full.shape = shape;
  full.data.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t left = i, from = 0, step = 1;
    for (std::size_t d = shape.size(); d-- > 0;) {
      std::size_t const at = left % shape[d];
      left /= shape[d];
      std::size_t const lead = shape.size() - w.shape.size();
      if (d < lead) continue;
      std::size_t const n = w.shape[d - lead];
      if (n != 1 && n != shape[d]) throw unsupported("'" + name + "' does not broadcast to the logits");
      from += (n == 1 ? 0 : at) * step;
      step *= n;
    }
    full.data[i] = w.data[from];
  }
  auto const extents = first_and_rest(shape);
  // One weight for each column is given as such, so that the library broadcasts it.
  bool const columns = w.shape.size() == 1 && shape.size() == 2;
  return columns ? to_tensor<double, D>(w, limbic::shape<2>{{1, extents[1]}}) : to_tensor<double, D>(full, extents);
}

template <class D> result binary_cross_entropy(call& c) {
  bool const weighted = c.flag("weight", c.find("weight") != nullptr);
  bool const positive = c.flag("pos_weight", c.find("pos_weight") != nullptr);
  auto const& shape = c.get("logits").shape;
  return compare_with<D>(c, "logits", [&](auto const& x, auto const& t, auto reduction) {
    using limbic::binary_cross_entropy_with_logits, limbic::no_weight;
    if (weighted && positive)
      return binary_cross_entropy_with_logits(x, t, weight_like<D>(c, "weight", shape),
                                              weight_like<D>(c, "pos_weight", shape), reduction);
    if (weighted) return binary_cross_entropy_with_logits(x, t, weight_like<D>(c, "weight", shape), reduction);
    if (positive)
      return binary_cross_entropy_with_logits(x, t, no_weight, weight_like<D>(c, "pos_weight", shape), reduction);
    return binary_cross_entropy_with_logits(x, t, reduction);
  });
}

template <class D> result kl_div(call& c) {
  limbic::kl_div_op const o{.log_target = c.flag("log_target")};
  if (c.text("reduction", "mean") == "batchmean") {
    recording<D> r(c);
    auto const extents = first_and_rest(c.get("input").shape);
    auto const x = r.variable("input", extents);
    return finish(r, limbic::kl_div(x, r.variable("target", extents), o, limbic::reduction::batchmean), {});
  }
  return compare_with<D>(
      c, "input", [&](auto const& x, auto const& t, auto reduction) { return limbic::kl_div(x, t, o, reduction); });
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "mse")
    return compare_with<D>(
        c, "input", [](auto const& x, auto const& t, auto reduction) { return limbic::mse_loss(x, t, reduction); });
  if (op == "l1")
    return compare_with<D>(
        c, "input", [](auto const& x, auto const& t, auto reduction) { return limbic::l1_loss(x, t, reduction); });
  if (op == "smooth_l1") {
    limbic::smooth_l1_loss_op const o{.beta = c.number("beta", 1.0)};
    return compare_with<D>(c, "input", [&](auto const& x, auto const& t, auto reduction) {
      return limbic::smooth_l1_loss(x, t, o, reduction);
    });
  }
  if (op == "huber") {
    limbic::huber_loss_op const o{.delta = c.number("delta", 1.0)};
    return compare_with<D>(c, "input", [&](auto const& x, auto const& t, auto reduction) {
      return limbic::huber_loss(x, t, o, reduction);
    });
  }
  if (op == "sigmoid_focal") {
    limbic::sigmoid_focal_loss_op const o{.gamma = c.number("gamma", 2.0), .alpha = c.number("alpha", -1.0)};
    return compare_with<D>(c, "logits", [&](auto const& x, auto const& t, auto reduction) {
      return limbic::sigmoid_focal_loss(x, t, o, reduction);
    });
  }
  if (op == "kl_div") return kl_div<D>(c);
  return binary_cross_entropy<D>(c);
}

registration const here{{"loss",
                         {"mse", "l1", "smooth_l1", "huber", "sigmoid_focal", "kl_div", "bce_with_logits"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
