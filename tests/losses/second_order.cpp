// Hessian-vector products of the losses against differences of their gradients.
#include "support.hpp"

#include <limbic/tape/hessian.hpp>

using namespace limbic;

namespace {

template <class F, int R, class D> void check_hessian(F const& f, tensor<double, R, D> const& x) {
  tensor<double, R, D> v(x.shape());
  rng random{.seed = 77};
  random.uniform(v, -1, 1);
  auto const gradient_at = [&](double h) {
    tensor<double, R, D> moved = x;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) moved.data()[i] += h * v.data()[i];
    tape t;
    auto const y = t.variable(moved);
    t.backward(f(y));
    return tensor<double, R, D>(y.gradient());
  };
  auto const hv = hessian_vector_product(f, x, v);
  auto const above = gradient_at(1e-5), below = gradient_at(-1e-5);
  for (std::ptrdiff_t i = 0; i < x.size(); ++i)
    CHECK(hv.data()[i] == Approx((above.data()[i] - below.data()[i]) / 2e-5).epsilon(1e-6).margin(1e-8));
}

}  // namespace

TEMPLATE_TEST_CASE("losses hold for dual numbers", "", scalar, simd) {
  using D = TestType;
  auto const x = random_tensor<D>(shape{5, 3}, 1), t = random_tensor<D>(shape{5, 3}, 2, 0.1, 0.9);
  tensor<std::int64_t, 1, D> const y({5}, {0, 1, 2, 2, 1});
  tensor<double, 1, D> const w({3}, {0.5, 1, 2});
  check_hessian([&](auto const& v) { return mse_loss(v, t); }, x);
  check_hessian([&](auto const& v) { return huber_loss(v, t, {.delta = 0.7}, reduction::sum); }, x);
  check_hessian([&](auto const& v) { return binary_cross_entropy_with_logits(v, t); }, x);
  check_hessian([&](auto const& v) { return sigmoid_focal_loss(v, t, {.gamma = 1.5}); }, x);
  check_hessian([&](auto const& v) { return kl_div(v, t, reduction::batchmean); }, x);
  check_hessian([&](auto const& v) { return cross_entropy(v, y, w, {.label_smoothing = 0.1}); }, x);
  check_hessian([&](auto const& v) { return cross_entropy(v, t, w); }, x);
  check_hessian([&](auto const& v) { return focal_loss(v, y, w); }, x);
  check_hessian([&](auto const& v) { return nll_loss(v, y); }, x);
}
