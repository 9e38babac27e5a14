// Values and slopes of the activations where they are most easily taken another way, and far out.
#include "../catch.hpp"

#include <limbic/ops/elu.hpp>
#include <limbic/ops/gelu.hpp>
#include <limbic/ops/leaky_relu.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sigmoid.hpp>
#include <limbic/ops/silu.hpp>
#include <limbic/ops/softplus.hpp>
#include <limbic/ops/tanh.hpp>
#include <limbic/tape/record.hpp>

using namespace limbic;

namespace kinks {

struct point {
  double x, y, slope;
};

template <class D, class T, class F> void check(char const* name, F const& f, std::initializer_list<point> points) {
  for (point const& p : points) {
    tape t;
    tensor<T, 1, D> const at({1}, static_cast<T>(p.x));
    auto const x = t.variable(at);
    auto const y = f(x);
    t.backward(y);
    INFO(name << " at " << p.x);
    CHECK(static_cast<double>(y.item()) == Approx(p.y).epsilon(1e-6).margin(1e-12));
    CHECK(static_cast<double>(x.gradient()(0)) == Approx(p.slope).epsilon(1e-6).margin(1e-12));
  }
}

template <class D, class T> void check_all() {
  check<D, T>("relu", [](auto const& x) { return relu(x); }, {{0, 0, 0}, {-0.0, 0, 0}, {1e4, 1e4, 1}, {-1e4, 0, 0}});
  check<D, T>("relu6", [](auto const& x) { return relu6(x); },
              {{0, 0, 0}, {6, 6, 0}, {3, 3, 1}, {1e4, 6, 0}, {-1e4, 0, 0}});
  check<D, T>("leaky_relu", [](auto const& x) { return leaky_relu(x, {.negative_slope = 0.2}); },
              {{0, 0, 0.2}, {1e4, 1e4, 1}, {-1e4, -2e3, 0.2}});
  check<D, T>("leaky_relu, rising to the left", [](auto const& x) { return leaky_relu(x, {.negative_slope = -1}); },
              {{-2, 2, -1}});
  check<D, T>("elu", [](auto const& x) { return elu(x, {.alpha = 0.5}); },
              {{0, 0, 0.5}, {1e4, 1e4, 1}, {-1e4, -0.5, 0}});
  check<D, T>("silu", [](auto const& x) { return silu(x); }, {{0, 0, 0.5}, {1e4, 1e4, 1}, {-1e4, 0, 0}});
  check<D, T>("gelu", [](auto const& x) { return gelu(x); }, {{0, 0, 0.5}, {1e4, 1e4, 1}, {-1e4, 0, 0}});
  check<D, T>("gelu tanh", [](auto const& x) { return gelu(x, {.approximate = gelu_form::tanh}); },
              {{0, 0, 0.5}, {1e4, 1e4, 1}, {-1e4, 0, 0}});
  check<D, T>("sigmoid", [](auto const& x) { return sigmoid(x); }, {{0, 0.5, 0.25}, {1e4, 1, 0}, {-1e4, 0, 0}});
  check<D, T>("tanh", [](auto const& x) { return limbic::tanh(x); }, {{0, 0, 1}, {1e4, 1, 0}, {-1e4, -1, 0}});
  check<D, T>("softplus", [](auto const& x) { return softplus(x, {.beta = 2}); },
              {{0, 0.34657359027997264, 0.5}, {1e4, 1e4, 1}, {-1e4, 0, 0}, {10.5, 10.5, 1}});
}

TEST_CASE("kinks and extremes") {
  check_all<scalar, double>();
  check_all<simd, double>();
  check_all<simd, float>();
}

}  // namespace kinks
