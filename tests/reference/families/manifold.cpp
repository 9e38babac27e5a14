// reference/families/manifold.cpp - geometry of the manifolds, and descent along them by the optimiser
#include "support.hpp"

#include <limbic/manifold.hpp>
#include <limbic/ops/sum.hpp>

namespace {

using namespace reference;

// What every manifold is asked for: a point x, another y, any matrix, and a tangent vector at x.
template <int R, class D> struct given {
  limbic::tensor<double, R, D> x, y, euclidean, tangent;
  explicit given(call& c)
      : x(to_tensor<double, R, D>(c.get("x"))),
        y(to_tensor<double, R, D>(c.get("y"))),
        euclidean(to_tensor<double, R, D>(c.get("euclidean"))),
        tangent(to_tensor<double, R, D>(c.get("tangent"))) {}
};

template <class M, int R, class D> result common(call& c, M const& m, given<R, D> const& g) {
  m.check(g.x), m.check(g.y);
  result r;
  r.values["project"] = to_value(m.project(g.x, g.euclidean));
  r.values["transport"] = to_value(m.transport(g.x, g.y, g.tangent));
  if (c.expects("gradient")) r.values["gradient"] = to_value(m.gradient(g.x, g.euclidean));
  if (c.expects("retract")) r.values["retract"] = to_value(m.retract(g.x, g.tangent));
  if (c.expects("exp")) r.values["exp"] = to_value(m.exp(g.x, g.tangent));
  if (c.expects("inner")) r.values["inner"] = to_value(m.inner(g.x, g.tangent, g.tangent));
  return r;
}
template <class M, int R, class D> void logarithm(result& r, M const& m, given<R, D> const& g) {
  r.values["log"] = to_value(m.log(g.x, g.y));
  r.values["dist"] = to_value(m.distance(g.x, g.y));
}

// What the attributes say of the shape must be so.
void read_shape(call& c, shape_type const& shape, std::string const& first, std::string const& second) {
  if (c.size(first) != shape[0] || (!second.empty() && c.size(second) != shape[1]))
    throw unsupported("the shape " + to_string(shape) + " is not what the attributes say");
}

template <class D> result sphere(call& c) {
  given<1, D> const g(c);
  read_shape(c, c.get("x").shape, "n", "");
  auto r = common(c, limbic::sphere{}, g);
  logarithm(r, limbic::sphere{}, g);
  return r;
}
template <class D> result oblique(call& c) {
  given<2, D> const g(c);
  read_shape(c, c.get("x").shape, "n", "m");
  auto r = common(c, limbic::oblique{}, g);
  logarithm(r, limbic::oblique{}, g);
  return r;
}
template <class D> result stiefel(call& c) {
  using limbic::retraction, limbic::stiefel_metric;
  given<2, D> const g(c);
  read_shape(c, c.get("x").shape, "n", "p");
  limbic::stiefel const euclidean, canonical({.metric = stiefel_metric::canonical});
  auto r = common(c, euclidean, g);
  r.values["gradient_canonical"] = to_value(canonical.gradient(g.x, g.euclidean));
  r.values["retract_qr"] = to_value(euclidean.retract(g.x, g.tangent));
  r.values["retract_polar"] = to_value(limbic::stiefel({.retraction = retraction::polar}).retract(g.x, g.tangent));
  r.values["exp_euclidean"] = to_value(euclidean.exp(g.x, g.tangent));
  r.values["exp_canonical"] = to_value(canonical.exp(g.x, g.tangent));
  return r;
}
template <class D> result grassmann(call& c) {
  using limbic::retraction;
  given<2, D> const g(c);
  read_shape(c, c.get("x").shape, "n", "p");
  limbic::grassmann const m;
  auto r = common(c, m, g);
  logarithm(r, m, g);
  r.values["retract_polar"] = to_value(m.retract(g.x, g.tangent));
  r.values["retract_qr"] = to_value(limbic::grassmann({.retraction = retraction::qr}).retract(g.x, g.tangent));
  return r;
}
template <class D> result spd(call& c) {
  given<2, D> const g(c);
  read_shape(c, c.get("x").shape, "n", "n");
  limbic::spd const m;
  auto r = common(c, m, g);
  logarithm(r, m, g);
  r.values["parallel_transport"] = to_value(m.parallel_transport(g.x, g.y, g.tangent));
  return r;
}
template <class D> result positive(call& c) {
  auto const& shape = c.get("x").shape;
  auto const wanted = c.numbers("shape");
  if (!std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(),
                  [](std::size_t a, double b) { return static_cast<double>(a) == b; }))
    throw unsupported("the shape " + to_string(shape) + " is not what the attributes say");
  return with_rank<1, 2>(shape.size(), [&](auto rank) {
    given<rank(), D> const g(c);
    limbic::positive const m;
    auto r = common(c, m, g);
    logarithm(r, m, g);
    r.values["parallel_transport"] = to_value(m.parallel_transport(g.x, g.y, g.tangent));
    return r;
  });
}

template <class D> struct point {
  limbic::parameter<double, 2, D> x;
  void each(auto f) { f("x", x); }
};

// f(x) = -tr(x^T A x diag(N)) / 2
template <class M, class D> result descent(call& c, M const& m) {
  auto const a = to_tensor<double, 2, D>(c.get("A"));
  auto const weights = to_tensor<double, 1, D>(c.get("N"));
  point<D> model{limbic::parameter<double, 2, D>(to_tensor<double, 2, D>(c.get("x")))};
  limbic::riemannian_sgd optimizer(model, {.learning_rate = c.number("lr")});
  optimizer.on(model.x, m);
  auto const steps = c.size("steps");
  std::vector<double> points, values;
  for (std::size_t k = 0; k <= steps; ++k) {
    limbic::tape t;
    auto const moved = limbic::matmul(t(a), model.x);
    auto const value = -0.5 * limbic::sum(moved * model.x * weights);
    points.insert(points.end(), model.x.value.begin(), model.x.value.end());
    values.push_back(value.item());
    t.backward(value);
    optimizer.step();
  }
  auto const& shape = c.get("x").shape;
  result r;
  r.values["trajectory"] = {{steps + 1, shape[0], shape[1]}, points};
  r.values["values"] = to_value(values);
  return r;
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "sphere") return sphere<D>(c);
  if (op == "oblique") return oblique<D>(c);
  if (op == "stiefel") return stiefel<D>(c);
  if (op == "grassmann") return grassmann<D>(c);
  if (op == "spd") return spd<D>(c);
  if (op == "positive") return positive<D>(c);
  auto const where = c.text("manifold"), how = c.text("retraction");
  if (where == "sphere" && how == "(x+v)/|x+v|") return descent<limbic::oblique, D>(c, {});  // x is one column
  auto const by = how == "qr" ? limbic::retraction::qr : limbic::retraction::polar;
  if (how != "qr" && how != "polar") throw unsupported("the retraction '" + how + "' does not exist here");
  if (where == "stiefel") return descent<limbic::stiefel, D>(c, limbic::stiefel({.retraction = by}));
  if (where == "grassmann") return descent<limbic::grassmann, D>(c, limbic::grassmann({.retraction = by}));
  throw unsupported("descent on '" + where + "' does not exist here");
}

registration const here{{"manifold",
                         {"sphere", "oblique", "stiefel", "grassmann", "spd", "positive", "riemannian_descent"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
