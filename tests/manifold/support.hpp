// tests/manifold/support.hpp - what every manifold must do, written once
#pragma once

#include "../catch.hpp"

#include <limbic/manifold.hpp>

#include <cmath>
#include <string>

namespace {

template <class A> double largest(A const& a) {
  double most = 0;
  for (auto const x : a) {
    double const size = std::abs(static_cast<double>(x));
    if (!(size <= most)) most = size;  // NaN stays
  }
  return most;
}

struct expected {
  int order = 2;             // retract agrees with exp up to v^order
  double tolerance = 1e-13;  // of rounding, relative to numbers of the size of 1
  double step = 0.3;         // the length of vectors
  bool log = true;           // has a logarithm
  bool parallel = true;      // has a parallel transport
};

// Projection, metric, retraction, exponential, logarithm, distance and transports at random points.
template <class T, class D, int R, class M>
void examine_manifold(M const& m, limbic::shape<R> const& s, expected const& e = {}) {
  using limbic::tensor;
  INFO(M::name << (std::is_same_v<T, float> ? " float" : " double") << " size " << s.size());
  limbic::rng random{.seed = 17};
  auto const x = m.template random<T, D>(random, s), y = m.template random<T, D>(random, s);
  tensor<T, R, D> a(s), b(s);
  random.normal(a), random.normal(b);
  auto const tangent = [&](tensor<T, R, D> const& at, tensor<T, R, D> const& from) {
    tensor<T, R, D> v = m.project(at, from);
    double const size = m.norm(at, v);
    bool const some = size > 1e3 * e.tolerance;  // a manifold of one point has no directions, but rounding
    return tensor<T, R, D>(v * (some ? e.step / size : 0));
  };
  auto const u = tangent(x, a), v = tangent(x, b);
  double const tiny = e.tolerance;

  m.check(x), m.check(y);
  CHECK(m.residual(x) <= tiny);
  // idempotent, and the gradient is what pairs with every tangent vector as g does
  CHECK(largest(m.project(x, u) - u) <= tiny);
  double pairs = 0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i)
    pairs += static_cast<double>(a.data()[i]) * static_cast<double>(v.data()[i]);
  CHECK(m.inner(x, m.gradient(x, a), v) == Approx(pairs).margin(20 * tiny));
  CHECK(m.inner(x, u, v) == Approx(m.inner(x, v, u)).margin(tiny));
  CHECK(m.norm(x, v) * m.norm(x, v) == Approx(m.inner(x, v, v)).margin(tiny));
  auto const squares = m.squared_norms(x, v);
  CHECK(squares.shape() == s);
  if (M::metric_over == limbic::component::whole && x.size() > 0)
    CHECK(static_cast<double>(squares.data()[0]) == Approx(m.inner(x, v, v)).margin(tiny));

  // steps end on the manifold, and agree to the order that is said: halving the step divides the error by 2^(order + 1)
  auto const end = m.exp(x, v);
  CHECK(m.residual(end) <= tiny);
  CHECK(m.residual(m.retract(x, v)) <= tiny);
  auto const apart = [&](double h) { return largest(m.exp(x, v * h) - m.retract(x, v * h)); };
  CHECK(largest(m.retract(x, v * 0.0) - x) <= tiny);
  if (apart(0.5) > 1000 * tiny) CHECK(apart(0.5) / apart(0.25) > 0.75 * std::pow(2, e.order + 1));

  auto const moved = m.transport(x, y, v);
  CHECK(largest(m.project(y, moved) - moved) <= 4 * tiny);
  if constexpr (requires { m.do_log(limbic::as_view(x), limbic::as_view(y)); }) {
    auto const between = m.log(x, y);
    CHECK(largest(m.project(x, between) - between) <= 20 * tiny);
    CHECK(m.distance(m.exp(x, between), y) <= 50 * tiny);
    CHECK(largest(m.log(x, end) - v) <= 50 * tiny);
    CHECK(m.distance(x, y) == Approx(m.distance(y, x)).margin(20 * tiny));
    CHECK(m.distance(x, end) == Approx(m.norm(x, v)).margin(20 * tiny));
    CHECK(m.distance(x, x) <= 20 * std::sqrt(tiny) * std::sqrt(tiny));
  } else {
    CHECK_FALSE(e.log);
  }
  if constexpr (requires { m.do_parallel_transport(limbic::as_view(x), limbic::as_view(y), limbic::as_view(v)); }) {
    auto const p = m.parallel_transport(x, y, u), q = m.parallel_transport(x, y, v);
    CHECK(largest(m.project(y, p) - p) <= 50 * tiny);
    CHECK(m.inner(y, p, q) == Approx(m.inner(x, u, v)).margin(50 * tiny));
    // along itself a geodesic's direction stays its direction
    auto const along = m.parallel_transport(x, y, m.log(x, y));
    CHECK(largest(along + m.log(y, x)) <= 200 * tiny);
  } else {
    CHECK_FALSE(e.parallel);
  }
}

template <class T> constexpr double rounding = std::is_same_v<T, float> ? 2e-6 : 1e-14;

}  // namespace
