// Clipping, adding up the gradients of copies, averages of parameters.
#include "../catch.hpp"

#include <limbic/nn/linear.hpp>
#include <limbic/optim/average.hpp>
#include <limbic/optim/gradients.hpp>

#include <cmath>
#include <limits>

using namespace limbic;

namespace {

struct with_statistics {
  parameter<float, 1> weight{shape<1>{{2}}};
  tensor<float, 1> mean{shape<1>{{2}}};
  tensor<std::int64_t, 0, scalar> batches{shape<0>{}};
  void each(auto f) { f("weight", weight), f("mean", mean), f("batches", batches); }
};
template <class D> struct model {
  parameter<double, 2, D> w{shape<2>{{2, 3}}};
  parameter<float, 1, D> b{shape<1>{{4}}};
  parameter<float, 1, D> unused{shape<1>{{2}}};
  void each(auto f) {
    f("w", w);
    f("b", b);
    f("unused", unused);
  }
  void set_gradients(double a, float c) const {
    for (std::ptrdiff_t i = 0; i < 6; ++i) w.gradient_storage().data()[i] = a * static_cast<double>(i - 2);
    for (std::ptrdiff_t i = 0; i < 4; ++i) b.gradient_storage().data()[i] = c;
    w.set_has_gradient();
    b.set_has_gradient();
  }
};

}  // namespace

TEMPLATE_TEST_CASE("gradients are clipped by their common norm", "", scalar, simd) {
  model<TestType> net;
  CHECK(clip_gradient_norm(net, 1) == 0);
  net.set_gradients(1, 2);  // squares 4 1 0 1 4 9, 4 4 4 4
  CHECK(gradient_norm(net) == Approx(std::sqrt(35.0)));
  CHECK(gradient_norm(net, 1) == Approx(17));
  CHECK(gradient_norm(net, 3) == Approx(std::cbrt(8 + 1 + 1 + 8 + 27 + 32)));
  CHECK(gradient_norm(net, std::numeric_limits<double>::infinity()) == 3);
  CHECK(clip_gradient_norm(net, 100) == Approx(std::sqrt(35.0)));
  CHECK(net.w.gradient()(1, 2) == 3);
  double const norm = clip_gradient_norm(net, 0.5);
  CHECK(net.w.gradient()(1, 2) == Approx(3 * 0.5 / (norm + 1e-6)));
  CHECK(net.b.gradient()(1) == Approx(2 * 0.5 / (norm + 1e-6)));
  CHECK(gradient_norm(net) == Approx(0.5).epsilon(1e-6));
  CHECK_FALSE(net.unused.has_gradient());

  net.set_gradients(std::nan(""), 1);
  CHECK(std::isnan(clip_gradient_norm(net, 1)));
  CHECK(std::isnan(net.b.gradient()(0)));
  CHECK_THROWS_AS(clip_gradient_norm(net, -1), argument_error);
  CHECK_THROWS_AS(gradient_norm(net, 0.5), argument_error);
}

TEMPLATE_TEST_CASE("gradients are clipped one by one", "", scalar, simd) {
  model<TestType> net;
  net.set_gradients(1, std::numeric_limits<float>::quiet_NaN());
  clip_gradient_value(net, 1.5);
  CHECK(net.w.gradient()(0, 0) == -1.5);
  CHECK(net.w.gradient()(0, 1) == -1);
  CHECK(net.w.gradient()(1, 2) == 1.5);
  CHECK(std::isnan(net.b.gradient()(3)));
}

TEST_CASE("the gradients of a copy are added, and cleared there") {
  model<simd> net;
  auto const replica = net;
  replica.set_gradients(1, 2);
  add_gradients(net, replica);  // the first assigns
  CHECK(net.w.gradient()(1, 2) == 3);
  CHECK_FALSE(replica.w.has_gradient());
  CHECK_FALSE(net.unused.has_gradient());
  replica.set_gradients(10, 2);
  add_gradients(net, replica);
  CHECK(net.w.gradient()(1, 2) == 33);
  CHECK(net.b.gradient()(0) == 4);
}

TEST_CASE("a moving average takes running statistics along, and leaves counts alone") {
  with_statistics net;
  exponential_moving_average average(net, {.decay = 0.75});
  net.mean(1) = 8;
  net.batches() = 3;
  average.update();
  average.swap();
  CHECK(net.mean(1) == 2);
  CHECK(net.batches() == 3);
  average.swap();
  CHECK(net.mean(1) == 8);
}

TEMPLATE_TEST_CASE("a moving average of the parameters", "", scalar, simd) {
  model<TestType> net;
  net.w.value(0, 0) = 8;
  exponential_moving_average average(net, {.decay = 0.75});
  net.w.value(0, 0) = 16;
  net.b.value(2) = 4;
  average.update();
  average.swap();
  CHECK(net.w.value(0, 0) == 10);
  CHECK(net.b.value(2) == 1);
  average.swap();
  CHECK(net.w.value(0, 0) == 16);
  average.update();
  average.apply();
  CHECK(net.w.value(0, 0) == 11.5);
  CHECK_THROWS_AS(exponential_moving_average(net, {.decay = 2}), argument_error);
  net.w.value(0, 0) = 0;
  exponential_moving_average early(net, {.decay = 0.75, .warm_up = true});
  net.w.value(0, 0) = 11;
  early.update();  // by 2 / 11
  early.swap();
  CHECK(net.w.value(0, 0) == Approx(9));
}
