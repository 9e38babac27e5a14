// reference/families/ica_metrics.cpp - estimated sources matched to true ones
#include "support.hpp"

#include <limbic/metrics/matched_correlation.hpp>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  auto const kind = c.text("correlation");
  if (kind != "pearson" && kind != "spearman") throw unsupported("the correlation '" + kind + "' does not exist here");
  auto const m =
      limbic::matched_correlation(to_tensor<double, 2, D>(c.get("sources")),
                                  to_tensor<double, 2, D>(c.get("estimates")), {.spearman = kind == "spearman"});
  result r;
  r.values["correlation"] = to_value(m.correlation);
  r.values["assignment"] = to_value(m.assignment);
  r.values["sign"] = to_value(m.sign);
  r.values["matched"] = to_value(m.matched);
  r.values["mean_correlation"] = to_value(m.mean);
  return r;
}

registration const here{{"ica_metrics", {"matched_correlation"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
