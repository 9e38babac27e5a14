// reference/families/softdtw.cpp - soft-DTW, hard DTW and its path, the divergence, many pairs
#include "support.hpp"

#include <limbic/ops/pairwise_squared_distances.hpp>
#include <limbic/signal/soft_dtw.hpp>

namespace {

using namespace reference;

template <class Options> Options with_band(call& c, Options o) {
  if (c.given("band")) o.band = static_cast<std::ptrdiff_t>(c.integer("band"));
  if (auto const cost = c.text("cost", "squared_euclidean"); cost != "squared_euclidean")
    throw unsupported("the cost '" + cost + "' does not exist here");
  return o;
}

template <class D> result soft_dtw(call& c) {
  auto const o = with_band(c, limbic::soft_dtw_options{.gamma = c.number("gamma")});
  recording<D> r(c);
  auto const x = r.template variable<2>("x"), y = r.template variable<2>("y");
  r.output("value", limbic::soft_dtw(x, y, o), true);
  auto all = r.finish();

  // The same through the matrix of costs, whose gradient is E.
  limbic::tape t;
  auto const costs = t.variable(limbic::pairwise_squared_distances(x.value(), y.value()));
  auto const value = limbic::soft_dtw_from_costs(costs, o);
  t.backward(value);
  all.values["D"] = to_value(costs.value());
  all.grads["D"] = to_value(costs.gradient());
  return all;
}

template <class D> result dtw(call& c) {
  auto const o = with_band(c, limbic::dtw_options{});
  recording<D> r(c);
  auto const x = r.template variable<2>("x"), y = r.template variable<2>("y");
  r.output("value", limbic::dtw(x, y, o), true);
  auto const path = limbic::dtw_path(x.value(), y.value(), o);
  std::vector<double> cells;
  for (auto const i : path) cells.push_back(static_cast<double>(i));
  auto all = r.finish();
  all.values["path"] = {shape_of(path.shape()), cells};
  return all;
}

template <class D> result divergence(call& c) {
  auto const o = with_band(c, limbic::soft_dtw_options{.gamma = c.number("gamma")});
  recording<D> r(c);
  auto const x = r.template variable<2>("x"), y = r.template variable<2>("y");
  r.output("value", limbic::soft_dtw_divergence(x, y, o), true);
  return r.finish();
}

template <class D> result pairwise(call& c) {
  auto const o = with_band(c, limbic::soft_dtw_options{.gamma = c.number("gamma")});
  recording<D> r(c);
  auto const z = r.template variable<3>("z");
  auto const pairs = to_tensor<std::int64_t, 2, D>(c.get("pairs"));
  r.output("distances", limbic::soft_dtw_pairwise(z, z, pairs, o), true);
  return r.finish();
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "soft_dtw") return soft_dtw<D>(c);
  if (op == "dtw") return dtw<D>(c);
  if (op == "soft_dtw_divergence") return divergence<D>(c);
  return pairwise<D>(c);
}

registration const here{{"softdtw",
                         {"soft_dtw", "dtw", "soft_dtw_divergence", "soft_dtw_pairwise"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
