// signal/support.hpp - what the tests of transforms share
#pragma once

#include <catch.hpp>
#include <limbic/limbic.hpp>
#include <limbic/signal.hpp>

#include <cmath>
#include <string>

namespace signals {

using namespace limbic;

template <class T, class D, int R> tensor<T, R, D> numbers(shape<R> const& s, std::uint64_t stream = 0) {
  tensor<T, R, D> x(s);
  rng random{.seed = 5, .stream = stream};
  random.uniform(x, -1, 1);
  return x;
}
inline constexpr extension all_modes[] = {extension::zero,          extension::constant,    extension::symmetric,
                                          extension::reflect,       extension::periodic,    extension::smooth,
                                          extension::antisymmetric, extension::antireflect, extension::periodization};

template <class X, class Y> double dot(X const& x, Y const& y) {
  double sum = 0;
  for (std::ptrdiff_t i = 0; i < x.size(); ++i)
    sum += static_cast<double>(x.data()[i]) * static_cast<double>(y.data()[i]);
  return sum;
}
template <class X> double largest(X const& x) {
  double most = 0;
  for (auto v : x) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}
// The largest difference; NaN where one is.
template <class X, class Y> double apart(X const& x, Y const& y) {
  double worst = x.size() == y.size() ? 0 : 1e300;
  for (std::ptrdiff_t i = 0; i < x.size() && i < y.size(); ++i) {
    double const d = std::abs(static_cast<double>(x.data()[i]) - static_cast<double>(y.data()[i]));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

}  // namespace signals
