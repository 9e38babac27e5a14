// reference/families/information.cpp - Gram matrices, Renyi's entropy, mutual information
#include "../../symmetric_eigen.hpp"
#include "support.hpp"

#include <limbic/information/mutual_information.hpp>

namespace {

using namespace reference;

// Samples as rows: the axes of one sample are merged where there are more than two.
limbic::shape<3> rows(shape_type const& shape) {
  if (shape.empty()) throw unsupported("a scalar holds no samples");
  limbic::shape<3> extents{{static_cast<std::ptrdiff_t>(shape[0]), 1, 1}};
  for (std::size_t i = 1; i < shape.size(); ++i) extents[i == 1 ? 1 : 2] *= static_cast<std::ptrdiff_t>(shape[i]);
  return extents;
}

template <class D> result rbf_gram(call& c) {
  recording<D> r(c);
  auto const x = r.variable("x", rows(c.get("x").shape));
  auto const gram = limbic::rbf_gram(x, c.number("sigma"));
  r.output("gram", gram, true);
  if (c.expects("normalized")) r.output("normalized", limbic::normalize_gram(gram));
  return r.finish();
}

template <class D> result normalize_gram(call& c) {
  recording<D> r(c);
  r.output("normalized", limbic::normalize_gram(r.template variable<2>("gram")), true);
  return r.finish();
}

template <class D> result renyi_entropy(call& c) {
  recording<D> r(c);
  auto const x = r.variable("x", rows(c.get("x").shape));
  auto const a = limbic::normalized_rbf_gram(x, c.number("sigma"));
  r.output("entropy", limbic::renyi_entropy(a, {.alpha = c.number("alpha")}), true);
  if (c.expects("eigenvalues")) r.value("eigenvalues", limbic::eigenvalues_symmetric(a.value()));
  return r.finish();
}

template <class D> result mutual_information(call& c) {
  recording<D> r(c);
  double const sigma = c.number("sigma");
  limbic::entropy_options const o{.alpha = c.number("alpha")};
  auto const x = r.variable("x", rows(c.get("x").shape));
  auto const z = r.variable("z", rows(c.get("z").shape));
  r.output("mutual_information", limbic::mutual_information(x, z, {.sigma = sigma, .alpha = o.alpha}), true);
  auto const a = limbic::normalized_rbf_gram(x.value(), sigma);
  auto const b = limbic::normalized_rbf_gram(z.value(), sigma);
  if (c.expects("entropy_x")) r.value("entropy_x", limbic::renyi_entropy(a, o));
  if (c.expects("entropy_z")) r.value("entropy_z", limbic::renyi_entropy(b, o));
  if (c.expects("joint_entropy")) r.value("joint_entropy", limbic::joint_entropy(a, b, o));
  return r.finish();
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "rbf_gram") return rbf_gram<D>(c);
  if (op == "normalize_gram") return normalize_gram<D>(c);
  if (op == "renyi_entropy") return renyi_entropy<D>(c);
  return mutual_information<D>(c);
}

registration const here{{"information",
                         {"rbf_gram", "normalize_gram", "renyi_entropy", "mutual_information"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
