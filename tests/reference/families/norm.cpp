// reference/families/norm.cpp - batch and layer normalisation
#include "support.hpp"

#include <limbic/ops/batch_norm.hpp>
#include <limbic/ops/layer_norm.hpp>

namespace {

using namespace reference;

template <class D> result batch(call& c) {
  return with_rank<2, 4>(c.get("input").shape.size(), [&](auto rank) {
    recording<D> r(c);
    auto const x = r.template variable<rank()>("input");
    auto mean = to_tensor<double, 1, D>(c.get("running_mean")), var = to_tensor<double, 1, D>(c.get("running_var"));
    limbic::batch_norm_options const o{
        .training = c.flag("training"), .momentum = c.number("momentum"), .eps = c.number("eps")};
    if (c.flag("affine"))
      r.output("output",
               limbic::functional::batch_norm(x, mean, var, r.template variable<1>("weight"),
                                              r.template variable<1>("bias"), o),
               true);
    else r.output("output", limbic::functional::batch_norm(x, mean, var, o), true);
    r.value("running_mean_after", mean);
    r.value("running_var_after", var);
    return r.finish();
  });
}

template <class D, int K> result layer_over(call& c, limbic::shape<K> const& normalized) {
  return with_rank<K, 4>(c.get("input").shape.size(), [&](auto rank) {
    recording<D> r(c);
    auto const x = r.template variable<rank()>("input");
    limbic::layer_norm_options const o{.eps = c.number("eps")};
    if (c.flag("affine"))
      r.output("output",
               limbic::functional::layer_norm(x, normalized, r.template variable<K>("weight"),
                                              r.template variable<K>("bias"), o),
               true);
    else r.output("output", limbic::functional::layer_norm(x, normalized, o), true);
    return r.finish();
  });
}
template <class D> result layer(call& c) {
  auto const axes = c.numbers("normalized_shape");
  return with_rank<1, 3>(axes.size(), [&](auto k) {
    limbic::shape<k()> normalized;
    for (int a = 0; a < k(); ++a) normalized[a] = static_cast<std::ptrdiff_t>(axes[static_cast<std::size_t>(a)]);
    return layer_over<D, k()>(c, normalized);
  });
}

registration const batch_here{{"batch_norm", {"batch_norm"}, batch<limbic::scalar>, batch<limbic::simd>}};
registration const layer_here{{"layer_norm", {"layer_norm"}, layer<limbic::scalar>, layer<limbic::simd>}};

}  // namespace
