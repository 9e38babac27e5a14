// tests/matrix_support.hpp - what the tests of linalg and information share: random tensors, distances, differences of gradients
#pragma once

#include "catch.hpp"

#include <limbic/core/random.hpp>
#include <limbic/tape/gradient_check.hpp>
#include <limbic/tape/hessian.hpp>

#include <cmath>

namespace {

template <class T, int R, class D> limbic::tensor<T, R, D> random_tensor(limbic::shape<R> const& s,
                                                                         std::uint64_t seed = 1) {
  limbic::tensor<T, R, D> x(s);
  limbic::rng random{.seed = seed};
  random.normal(x);
  return x;
}

// The largest |a - b|, relative to the largest |b| where that exceeds 1. NaN where either holds one.
template <class A, class B> double distance(A const& a, B const& b) {
  auto const x = limbic::as_view(a);
  auto const y = limbic::as_view(b);
  REQUIRE(x.shape() == y.shape());
  limbic::tensor<typename decltype(x)::value_type, decltype(x)::rank, limbic::scalar> const p(x.on(limbic::scalar{}));
  limbic::tensor<typename decltype(y)::value_type, decltype(y)::rank, limbic::scalar> const q(y.on(limbic::scalar{}));
  double worst = 0, scale = 1;
  for (std::ptrdiff_t i = 0; i < p.size(); ++i) {
    double const d = std::abs(static_cast<double>(p.data()[i]) - static_cast<double>(q.data()[i]));
    if (!(d <= worst)) worst = d;
    scale = std::fmax(scale, std::abs(static_cast<double>(q.data()[i])));
  }
  return worst / scale;
}

// The derivative of f's gradient along v by central differences: what a Hessian-vector product must be.
template <class F, class T, int R, class D>
limbic::tensor<T, R, D> difference_of_gradients(F const& f, limbic::tensor<T, R, D> const& x,
                                                limbic::tensor<T, R, D> const& v, double h = 1e-5) {
  auto const gradient = [&](double t) {
    limbic::tensor<T, R, D> at(x);
    for (std::ptrdiff_t i = 0; i < at.size(); ++i) at.data()[i] += static_cast<T>(t) * v.data()[i];
    limbic::tape tape;
    auto const p = tape.variable(at);
    tape.backward(f(p));
    return limbic::tensor<T, R, D>(p.gradient());
  };
  auto above = gradient(h);
  auto const below = gradient(-h);
  for (std::ptrdiff_t i = 0; i < above.size(); ++i)
    above.data()[i] = (above.data()[i] - below.data()[i]) / static_cast<T>(2 * h);
  return above;
}

}  // namespace
