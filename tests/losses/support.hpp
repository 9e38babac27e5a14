// tests/losses/support.hpp - random inputs, and a check that a loss and its gradients hold on a device
#pragma once

#include "../catch.hpp"

#include <limbic/ops/losses.hpp>
#include <limbic/tape/gradient_check.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace {

template <class D, int R> limbic::tensor<double, R, D> random_tensor(limbic::shape<R> const& s, std::uint64_t seed,
                                                                     double low = -2, double high = 2) {
  limbic::tensor<double, R, D> t(s);
  limbic::rng random{.seed = seed};
  random.uniform(t, low, high);
  return t;
}

// f(input, target, reduction): the gradients of all reductions at once.
template <class D, int R, class F> void check_loss(F const& f, limbic::tensor<double, R, D> const& x,
                                                   limbic::tensor<double, R, D> const& t) {
  auto const report = limbic::check_gradient(
      [&](auto const& a, auto const& b) {
        return std::tuple(f(a, b, limbic::reduction::mean), f(a, b, limbic::reduction::sum),
                          f(a, b, limbic::reduction::none));
      },
      x, t);
  INFO(report.message.view());
  CHECK(report.passed);
}

// mean = sum / n and sum = the sum of none, and none is `plain` element by element.
template <class D, int R, class F, class G>
void check_values(F const& f, G const& plain, limbic::tensor<double, R, D> const& x,
                  limbic::tensor<double, R, D> const& t) {
  auto const each = f(x, t, limbic::reduction::none);
  static_assert(std::remove_cvref_t<decltype(each)>::rank == R);
  double total = 0;
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
    double const want = plain(x.data()[i], t.data()[i]);
    CHECK(each.data()[i] == Approx(want).epsilon(1e-12).margin(1e-14));
    total += want;
  }
  CHECK(*f(x, t, limbic::reduction::sum).data() == Approx(total).epsilon(1e-12).margin(1e-13));
  CHECK(*f(x, t, limbic::reduction::mean).data() ==
        Approx(total / static_cast<double>(x.size())).epsilon(1e-12).margin(1e-14));
}

}  // namespace
