// reference/families/statistics.cpp - percentiles, histograms, scalers, sliding windows
#include "support.hpp"

#include <limbic/data.hpp>
#include <limbic/ops/percentile.hpp>

namespace {

using namespace reference;

template <class D> result percentiles(call& c) {
  auto const q = c.numbers("q");
  bool const along = c.given("axis");
  int const axis = along ? static_cast<int>(c.integer("axis")) : 0;
  return with_rank<1, 2>(c.get("x").shape.size(), [&](auto rank) {
    auto const x = to_tensor<double, rank, D>(c.get("x"));
    tensor_value all{{q.size()}, {}};  // one after the other: the first axis runs over q
    auto const append = [&](tensor_value const& y) {
      if (all.data.empty()) all.shape.insert(all.shape.end(), y.shape.begin(), y.shape.end());
      all.data.insert(all.data.end(), y.data.begin(), y.data.end());
    };
    for (double const p : q)
      append(along ? to_value(limbic::percentile(x, p, axis)) : to_value(limbic::percentile(x, p)));
    result r;
    r.values["percentiles"] = all;
    return r;
  });
}

template <class D> result histogram(call& c) {
  limbic::histogram_options o{.bins = c.integer("bins")};
  if (c.given("range")) {
    auto const range = c.numbers("range");
    if (range.size() != 2) throw unsupported("the range must be two numbers");
    o.low = range[0];
    o.high = range[1];
  }
  auto const h = limbic::histogram(to_tensor<double, 1, D>(c.get("x")), o);
  std::vector<double> counts, heights;
  for (auto const n : h.counts) {
    counts.push_back(static_cast<double>(n));
    heights.push_back(static_cast<double>(n) / static_cast<double>(h.total()));
  }
  result r;
  r.values["counts"] = to_value(counts);
  r.values["heights"] = to_value(heights);
  r.values["edges"] = to_value(h.edges);
  r.values["density"] = to_value(h.density());
  return r;
}

template <class D, class Scaler> result scaled(call& c, Scaler const& scaler) {
  auto const fresh = scaler.transform(to_tensor<double, 2, D>(c.get("x_new")));
  result r;
  r.values["scaled"] = to_value(scaler.transform(to_tensor<double, 2, D>(c.get("x"))));
  r.values["scaled_new"] = to_value(fresh);
  r.values["unscaled_new"] = to_value(scaler.inverse(fresh));
  return r;
}
template <class D> result min_max(call& c) {
  auto const range = c.numbers("feature_range");
  if (range.size() != 2) throw unsupported("feature_range must be two numbers");
  return scaled<D>(c, limbic::min_max_scaler(to_tensor<double, 2, D>(c.get("x")), {.low = range[0], .high = range[1]}));
}
template <class D> result standard(call& c) {
  return scaled<D>(c, limbic::standard_scaler(to_tensor<double, 2, D>(c.get("x"))));
}

template <class D> result windows(call& c) {
  limbic::window_options const o{.length = c.integer("length"), .stride = c.integer("stride", 1)};
  return with_rank<1, 2>(c.get("x").shape.size(), [&](auto rank) {
    result r;
    r.values["windows"] = to_value(limbic::sliding_windows(to_tensor<double, rank, D>(c.get("x")), o));
    return r;
  });
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "percentile") return percentiles<D>(c);
  if (op == "histogram") return histogram<D>(c);
  if (op == "minmax_scaler") return min_max<D>(c);
  if (op == "standard_scaler") return standard<D>(c);
  return windows<D>(c);
}

registration const all{{"statistics",
                        {"percentile", "histogram", "minmax_scaler", "standard_scaler", "sliding_windows"},
                        run<limbic::scalar>,
                        run<limbic::simd>}};

}  // namespace
