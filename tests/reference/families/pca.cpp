// reference/families/pca.cpp - principal components: what is fitted, coordinates, reconstructions
#include "support.hpp"

#include "../../symmetric_eigen.hpp"

#include <limbic/linalg/pca.hpp>

#include <cmath>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  auto const x = to_tensor<double, 2, D>(c.get("x"));
  limbic::pca const p(x, c.integer("components"));
  auto const scores = p.project(x);
  std::vector<double> singular;
  for (double const v : p.explained_variance) singular.push_back(std::sqrt(v * static_cast<double>(x.extent(0) - 1)));
  result r;
  r.values["mean"] = to_value(p.mean);
  r.values["components"] = to_value(p.components);
  r.values["explained_variance"] = to_value(p.explained_variance);
  r.values["explained_variance_ratio"] = to_value(p.explained_variance_ratio);
  r.values["singular_values"] = to_value(singular);
  r.values["scores"] = to_value(scores);
  r.values["reconstruction"] = to_value(p.reconstruct(scores));
  r.values["scores_new"] = to_value(p.project(to_tensor<double, 2, D>(c.get("x_new"))));
  return r;
}

registration const all{{"pca", {"pca"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
