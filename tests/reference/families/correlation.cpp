// reference/families/correlation.cpp - correlation at all lags, its soft maximum, the objective made of it
#include "support.hpp"

#include <limbic/signal/correlation_objective.hpp>
#include <limbic/signal/regularizers.hpp>

namespace {

using namespace reference;

limbic::lag_normalization normalization(call& c) {
  auto const text = c.text("normalization", "overlap");
  if (text == "overlap") return limbic::lag_normalization::overlap;
  if (text == "full") return limbic::lag_normalization::full;
  throw unsupported("the normalization '" + text + "' does not exist here");
}

// grad_a and grad_b are of the surrogate alone, grad_rho_a and grad_rho_b of <rho, cotangent>.
template <class D, int R> result lagged(call& c) {
  limbic::lag_correlation_options const o{.max_lag = static_cast<std::ptrdiff_t>(c.integer("max_lag")),
                                          .normalization = normalization(c)};
  double const beta = c.number("beta");
  c.given("channels");  // the arrays say it
  auto const* cotangent = c.cotangent("rho");
  if (cotangent == nullptr) throw unsupported("a cotangent of rho is needed");
  result r;
  for (bool const surrogate : {false, true}) {
    limbic::tape t;
    auto const a = t.variable(to_tensor<double, R, D>(c.get("a"))), b = t.variable(to_tensor<double, R, D>(c.get("b")));
    auto const rho = limbic::lag_correlation(a, b, o);
    auto const best = limbic::lag_soft_max(rho, {.beta = beta});
    r.values["rho"] = to_value(rho.value());
    r.values["surrogate"] = to_value(best.value());
    if (surrogate) t.backward(best);
    else t.backward(rho, to_tensor<double, D>(*cotangent, rho.shape()));
    std::string const prefix = surrogate ? "grad_" : "grad_rho_";
    r.grads[prefix + "a"] = to_value(a.gradient());
    r.grads[prefix + "b"] = to_value(b.gradient());
  }
  return r;
}

template <class D> result objective(call& c) {
  if (auto const text = c.text("regularizer"); text != "mean over series of sum_t |z(t+1)-z(t)|^2")
    throw unsupported("the regulariser '" + text + "' does not exist here");
  limbic::correlation_objective_options const o{.max_lag = static_cast<std::ptrdiff_t>(c.integer("max_lag")),
                                                .beta = c.number("beta"),
                                                .lambda = c.number("lambda"),
                                                .normalization = normalization(c)};
  recording<D> r(c);
  auto const z = r.template variable<3>("z");
  auto const pairs = to_tensor<std::int64_t, 2, D>(c.get("pairs"));
  r.output("objective", limbic::correlation_objective(z, pairs, limbic::series_regularizer(z, {.smoothness = 1}), o),
           true);
  return r.finish();
}

template <class D> result run(call& c) {
  if (c.op() == "correlation_objective") return objective<D>(c);
  if (c.get("a").shape.size() == 1) return lagged<D, 1>(c);
  return lagged<D, 2>(c);
}

registration const here{
    {"correlation", {"lagged_correlation", "correlation_objective"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
