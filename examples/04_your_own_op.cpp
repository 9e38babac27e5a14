// 04_your_own_op - an op that the library lacks, in your own code: nothing has to be registered
//
// Before: 03_training_loop.cpp    next: 05_sequence.cpp
#include "common/check.hpp"

#include <limbic/limbic.hpp>

#include <cmath>

namespace mine {

// 1. An elementwise op is a value and a slope. V is a number, a dual number or a SIMD pack: use math:: functions, and
//    select() instead of if. Options are double.
//
//    Mish: y = x tanh(softplus(x)), Misra 2019, arXiv:1908.08681
struct mish_op {
  static constexpr std::string_view name = "mish";
  static constexpr auto needs = limbic::keep::input;  // what slope() is given: the tape keeps that and nothing else

  // tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2), e = e^x. From 20 on it is 1 to the last bit of a double.
  template <class V> constexpr V value(V x) const { return x * ratio(x); }
  template <class V> constexpr V slope(V x) const {
    V const r = ratio(x);
    return r + x * (V(1) - r * r) * limbic::math::sigmoid(x);
  }

 private:
  template <class V> static constexpr V ratio(V x) {
    namespace math = limbic::math;
    V const e = math::exp(math::select(x > V(20), V(20), x)), n = e * e + V(2) * e;
    return n / (n + V(2));
  }
};

// What users call. apply() does the rest: inference, recording, SIMD, dual numbers.
template <limbic::operand X> auto mish(X&& x) { return limbic::apply(mish_op{}, std::forward<X>(x)); }

// 2. Any other op says its shape, how it is computed by the library's verbs, and its adjoint, which adds to sinks.
//
//    y = x A x, one number for each row of x: quadratic(x (N, C), a (C, C)) -> (N)
struct quadratic_op {
  static constexpr std::string_view name = "quadratic";
  static constexpr auto needs = limbic::keep::input;

  limbic::shape<1> shape_of(limbic::shape<2> const& x, limbic::shape<2> const& a) const {
    if (a[0] != x[1] || a[1] != x[1])
      limbic::fail<limbic::shape_error>(name, "a must be square with the columns of x ", x, ", but is ", a);
    return {{x[0]}};
  }
  template <class D, class T>
  void forward(D d, limbic::view<T, 1, D> y, limbic::view<T const, 2, D> x, limbic::view<T const, 2, D> a) const {
    limbic::tensor<T, 2, D> xa(x.shape(), limbic::uninitialized);
    product(d, limbic::as_sink(xa), x, a);
    limbic::reduce(d, y.unsqueeze(1), limbic::sum_of{}, times{}, xa, x);
  }
  //    x' += y' x (A + A^T),  A' += x^T diag(y') x
  template <class D, class T>
  void adjoint(D d, limbic::view<T const, 2, D> x, limbic::view<T const, 2, D> a, limbic::view<T const, 1, D>,
               limbic::view<T const, 1, D> dy, limbic::sink<T, 2, D> dx, limbic::sink<T, 2, D> da) const {
    limbic::tensor<T, 2, D> scaled(x.shape(), limbic::uninitialized);
    limbic::map(d, scaled, times{}, x, dy.unsqueeze(1));
    product(d, dx, scaled, a);  // into a sink that nobody wants, nothing is written
    product(d, limbic::sink<T, 2, D>(dx.to, true), scaled, a.transpose());  // the second one adds
    product(d, da, limbic::as_view(scaled).transpose(), x);
  }

 private:
  struct times {  // a named function object: a GPU's compiler refuses lambdas here
    template <class V> constexpr V operator()(V p, V q) const { return p * q; }
  };
  template <class D, class T>
  static void product(D d, limbic::sink<T, 2, D> to, std::type_identity_t<limbic::view<T const, 2, D>> left,
                      std::type_identity_t<limbic::view<T const, 2, D>> right) {
    limbic::gemm(d, to, left, right);
  }
};
template <limbic::operand X, limbic::operand A> auto quadratic(X&& x, A&& a) {
  return limbic::apply(quadratic_op{}, std::forward<X>(x), std::forward<A>(a));
}

}  // namespace mine

int main() {
  limbic::rng random{.seed = 1};
  limbic::tensor<double, 2> x({5, 3}), a({3, 3});
  random.uniform(x, -3, 3);
  random.uniform(a, -1, 1);

  double const at_one = mine::mish(limbic::tensor<double, 1>({1}, {1.0}))(0);
  std::printf("mish(1) = %.15f\n", at_one);
  check(std::abs(at_one - std::tanh(std::log1p(std::exp(1.0)))) < 1e-15, "the value is right");

  auto const mish = limbic::check_gradient([](auto const& z) { return mine::mish(z); }, x);
  std::printf("mish: worst error of the gradient %.2g of what is allowed\n", mish.worst);
  check(mish.passed, "mish has the right slope");

  auto const quadratic =
      limbic::check_gradient([](auto const& z, auto const& m) { return mine::quadratic(z, m); }, x, a);
  std::printf("quadratic: worst error of the gradient %.2g of what is allowed\n", quadratic.worst);
  check(quadratic.passed, "quadratic has the right adjoint, for both operands");

  // It is an op like any other: on the SIMD device, in a model, under a tape, and for second derivatives.
  limbic::tensor<double, 2> direction(x.shape(), 1.0);
  auto const hv =
      limbic::hessian_vector_product([](auto const& z) { return limbic::sum(mine::mish(z)); }, x, direction);
  auto const slope_at = [](double p) { return mine::mish_op{}.slope(p); };
  double const difference = (slope_at(x(0, 0) + 1e-5) - slope_at(x(0, 0) - 1e-5)) / 2e-5;
  check(std::abs(hv(0, 0) - difference) < 1e-8, "second derivatives come for free");
}
