// The tape itself: what it remembers, what it frees, and what it refuses.
#include <limbic/core/random.hpp>
#include <limbic/ops/ops.hpp>
#include <limbic/tape/checkpoint.hpp>
#include <limbic/tape/hessian.hpp>

#include "../catch.hpp"

#include <cmath>
#include <limits>

using namespace limbic;

namespace {

template <class Error, class F> std::string message_of(F&& f) {
  try {
    f();
  } catch (Error const& e) {
    return e.what();
  }
  return "nothing was thrown";
}
bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

struct two_layers {
  parameter<double, 2> w, v;
  auto operator()(auto const& x) const { return sum(square(matmul(tanh(matmul(x, w)), v))); }
  void each(auto f) {
    f("w", w);
    f("v", v);
  }
};
two_layers make_model() {
  rng random{.seed = 5};
  two_layers m{parameter<double, 2>(shape{3, 4}), parameter<double, 2>(shape{4, 2})};
  random.uniform(m.w.value, -1, 1);
  random.uniform(m.v.value, -1, 1);
  return m;
}

}  // namespace

TEST_CASE("a value used several times collects every contribution", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 1>({2}, {3.0, -2.0}));
  auto const y = sum(x * x * x + x * 2.0);  // 3 x^2 + 2
  t.backward(y);
  CHECK(x.gradient()(0) == Approx(29));
  CHECK(x.gradient()(1) == Approx(14));
}

TEST_CASE("the same operand twice in one op", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 2>({2, 2}, {1, 2, 3, 4}));
  t.backward(sum(matmul(x, x)));
  CHECK(x.gradient()(0, 0) == Approx(1 + 2 + 1 + 3));
  CHECK(x.gradient()(1, 1) == Approx(3 + 4 + 2 + 4));
  // One parameter as both operands: its gradient lies outside of the tape, and still both shares add up.
  parameter<double, 2> p(tensor<double, 2>({2, 2}, {1, 2, 3, 4}));
  tape t2;
  auto const one = t2(tensor<double, 2>({2, 2}, {1, 0, 0, 1}));
  t2.backward(sum(matmul(matmul(one, p), p)));
  CHECK(p.gradient()(0, 0) == Approx(7));
  CHECK(p.gradient()(1, 1) == Approx(13));
}

TEST_CASE("parameter gradients: the first contribution assigns, later passes add", "[tape]") {
  parameter<double, 1> p(tensor<double, 1>({1}, {2.0}));
  for (int pass = 1; pass <= 2; ++pass) {
    tape t;
    t.backward(sum(t(tensor<double, 1>({1}, {3.0})) * p));
    CHECK(p.gradient()(0) == 3.0 * pass);
  }
  p.clear_gradient();
  CHECK_THROWS_AS(p.gradient(), tape_error);
  p.trainable = false;
  tape t;
  auto const y = sum(t.variable(tensor<double, 1>({1}, {3.0})) * p);
  t.backward(y);
  CHECK_FALSE(p.has_gradient());
}

TEST_CASE("detach stops the gradient", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 1>({1}, {3.0}));
  t.backward(sum(x * (x * x).detach()));
  CHECK(x.gradient()(0) == 9.0);
}

TEST_CASE("constants cost no nodes", "[tape]") {
  tape t;
  auto const x = t(tensor<double, 1>({3}, {1, 2, 3}));
  auto const y = sum(exp(x) + x);
  CHECK(t.nodes() == 0);
  CHECK(contains(message_of<tape_error>([&] { t.backward(y); }), "tape.variable(x)"));
  CHECK_THROWS_AS(x.gradient(), tape_error);
}

TEST_CASE("a second pass needs retained nodes", "[tape]") {
  tensor<double, 1> const a({2}, {1.0, 2.0});
  tape t;
  auto const x = t.variable(a);
  auto const y = x * x;
  auto const z = sum(y);
  t.backward(z, backward_options{.retain = true});
  CHECK(y.gradient()(1) == 1.0);
  t.backward(z);
  CHECK(y.gradient()(1) == 1.0);  // of this pass
  CHECK(x.gradient()(1) == 8.0);  // leaves add up over passes, as in PyTorch
  CHECK(contains(message_of<tape_error>([&] { t.backward(z); }), "freed"));
  CHECK(contains(message_of<tape_error>([&] { (void)exp(y); }), "freed"));
  auto const again = sum(x * 3.0);  // the leaf itself is still good
  t.backward(again);
  CHECK(x.gradient()(0) == 7.0);
}

TEST_CASE("a variable that outlives its tape says so", "[tape]") {
  variable<float, 1> x, y;
  {
    tape t;
    x = t.variable(tensor<float, 1>({2}, {1.0F, 2.0F}));
    y = exp(x);
  }
  CHECK(contains(message_of<tape_error>([&] { (void)y.value(); }), "the tape of this variable is gone"));
  CHECK(contains(message_of<tape_error>([&] { (void)(x + y); }), "gone"));
  tape other;
  CHECK_THROWS_AS(other.variable(tensor<float, 1>({2})) + y, tape_error);
  variable<float, 1> never;
  CHECK(contains(message_of<tape_error>([&] { (void)never.shape(); }), "never recorded"));
  y = variable<float, 1>();  // frees the tape's last trace; the sanitizers watch
}

TEST_CASE("operands of two tapes do not mix", "[tape]") {
  tape a, b;
  auto const x = a.variable(tensor<double, 1>({1}, {1.0}));
  auto const y = b.variable(tensor<double, 1>({1}, {1.0}));
  CHECK(contains(message_of<tape_error>([&] { (void)(x + y); }), "different tapes"));
  CHECK_THROWS_AS(b.backward(sum(x)), tape_error);
}

TEST_CASE("cotangents and seeds", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 1>({2}, {1.0, 2.0}));
  auto const y = x * x;
  CHECK_THROWS_AS(t.backward(y), shape_error);
  CHECK_THROWS_AS(t.backward(y, tensor<double, 1>({3})), shape_error);
  CHECK_THROWS_AS(t.backward(), tape_error);
  t.seed(y, tensor<double, 1>({2}, {1.0, 10.0}));
  t.seed(x * 3.0, tensor<double, 1>({2}, {1.0, 1.0}));
  t.backward();
  CHECK(x.gradient()(0) == 5.0);
  CHECK(x.gradient()(1) == 43.0);
}

TEST_CASE("views and temporaries as operands", "[tape]") {
  tensor<double, 2> const a({2, 3}, {1, 2, 3, 4, 5, 6});
  tape t;
  auto const x = t.variable(a.view().transpose());                   // strided: copied
  auto const y = x * tensor<double, 2>({3, 2}, {1, 1, 1, 1, 1, 2});  // a temporary: moved onto the tape
  t.backward(sum(y));
  CHECK(x.shape() == shape{3, 2});
  CHECK(x.value()(0, 1) == 4.0);
  CHECK(x.gradient()(2, 1) == 2.0);
}

TEST_CASE("gradients of chosen inputs touch nothing else", "[tape]") {
  auto const m = make_model();
  tape t;
  auto const x = t.variable(tensor<double, 2>({1, 3}, {0.1, 0.2, 0.3}));
  auto const y = t.variable(tensor<double, 2>({1, 3}, {1.0, 1.0, 1.0}));
  auto const loss = m(x * y);
  auto const [gx, gy] = gradients(loss, x, y);
  CHECK_FALSE(m.w.has_gradient());
  CHECK_FALSE(x.has_gradient());
  CHECK(gx(0, 0) != 0.0);
  CHECK(gx(0, 1) == Approx(gy(0, 1) / 0.2));
  t.backward(loss);
  CHECK(m.w.has_gradient());
  CHECK(x.gradient()(0, 0) == Approx(gx(0, 0)));
}

TEST_CASE("a recomputed segment gives the same bits and remembers nothing", "[tape]") {
  auto const m = make_model();
  tensor<double, 2> const a({5, 3}, 0.3);
  auto const segment = [&](auto const& x) { return tanh(matmul(tanh(matmul(x, m.w)), m.v)); };
  tensor<double, 2> first, second;
  std::size_t nodes[2];
  for (int k = 0; k < 2; ++k) {
    clear_gradients(m);
    tape t;
    auto const x = t.variable(a);
    auto const y = k == 0 ? segment(x) : checkpoint(segment, x);
    nodes[k] = t.nodes();
    t.backward(sum(y * y));
    (k == 0 ? first : second) = tensor<double, 2>(m.w.gradient());
  }
  CHECK(nodes[1] == 1);
  CHECK(nodes[0] == 4);
  for (std::ptrdiff_t i = 0; i < first.size(); ++i) CHECK(first.data()[i] == second.data()[i]);
}

TEST_CASE("gradients of values on the way, before and behind one another", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 1>({2}, {1.0, 2.0}));
  auto const y = square(x);
  auto const z = y * 3.0;
  auto const loss = sum(square(z));
  auto const [gx, gy, gz] = gradients(loss, x, y, z);
  CHECK(gz(1) == 2 * 12.0);
  CHECK(gy(1) == 3 * 24.0);
  CHECK(gx(1) == 4 * 72.0);
  CHECK(gradients(loss, y)(1) == 72.0);  // once more, and x is no longer asked for
  CHECK_FALSE(x.has_gradient());
}

TEST_CASE("gradients through a recomputed segment touch no parameter in it", "[tape]") {
  auto const m = make_model();
  tape t;
  auto const x = t.variable(tensor<double, 2>({1, 3}, {0.1, 0.2, 0.3}));
  auto const g = gradients(checkpoint([&](auto const& v) { return m(v); }, x), x);
  CHECK_FALSE(m.w.has_gradient());
  CHECK(g(0, 0) == gradients(m(x), x)(0, 0));
}

TEST_CASE("the first value or gradient that is not finite is named on demand", "[tape]") {
  tape t;
  t.detect_anomaly();
  auto const x = t.variable(tensor<double, 1>({3}, {1.0, 0.0, -1.0}));
  CHECK_THROWS_WITH(log(x), "[log] result 1, (3), is not finite at element 1");
  auto const root = sum(sqrt(abs(x)));
  CHECK_THROWS_WITH(t.backward(root), "[sqrt] the gradient of operand 1, (3), is not finite at element 1");
  tensor<double, 1> const infinite({3}, std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH(x * infinite, "[mul] operand 2, (3), is not finite at element 0");
  t.detect_anomaly(false);
  CHECK_FALSE(std::isfinite(sum(log(x)).item()));
  tangent_tape dual;
  dual.detect_anomaly();
  tensor<double, 1> const zero({1}, 0.0), one({1}, 1.0);
  auto const d = dual.variable(zero, one);
  CHECK_THROWS_AS(sqrt(d), anomaly_error);  // the value is 0, its tangent infinite
}

TEST_CASE("gradients that end in an error leave nothing on the tape", "[tape]") {
  parameter<double, 1> const w(tensor<double, 1>({2}, {0.0, 3.0}));
  tape t;
  t.detect_anomaly();
  auto const x = t.variable(tensor<double, 1>({2}, {1.0, 1.0}));
  auto const y = x * w;
  auto const root = sum(sqrt(y)), good = sum(square(y));  // the pass comes to the square first, then to the root of 0
  CHECK_THROWS_AS(gradients(root + good, x), anomaly_error);
  CHECK_THROWS_WITH(gradients(y, x), "[gradients] a value of shape (2) is not a scalar");
  CHECK(gradients(good, x)(1) == 18.0);
  t.backward(good);
  CHECK(x.gradient()(1) == 18.0);
  CHECK(w.gradient()(1) == 6.0);
}

TEST_CASE("a backward pass that ends in an error frees what it has done, and no more", "[tape]") {
  parameter<double, 1> const w(tensor<double, 1>({2}, {0.0, 3.0}));
  tape t;
  t.detect_anomaly();
  auto const x = t.variable(tensor<double, 1>({2}, {1.0, 1.0}));
  auto const y = x * w;
  auto const good = sum(square(y));
  auto const root = exp(sqrt(y));
  auto const bad = sum(square(root));
  std::size_t const nodes = t.nodes();
  CHECK_THROWS_AS(t.backward(bad), anomaly_error);
  CHECK(t.nodes() == nodes - 3);  // all but the root and what lies before it
  CHECK(root.value()(0) == 1.0);
  CHECK(contains(message_of<tape_error>([&] { t.backward(bad); }), "freed the nodes"));
  t.backward(good);
  CHECK(root.value()(0) == 1.0);
  CHECK(x.gradient()(1) == 18.0);
  CHECK(w.gradient()(1) == 6.0);
  CHECK(t.nodes() == 0);
}

TEST_CASE("gradients of a variable that is named twice", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 1>({2}, {1.0, 2.0}));
  auto const [first, second] = gradients(sum(square(x)), x, x);
  CHECK(first(1) == 4.0);
  CHECK(second(1) == 4.0);
}

TEST_CASE("Hessian-vector products of a model against differences of gradients", "[tape]") {
  auto m = make_model();
  tensor<double, 2> const a({5, 3}, 0.3);
  std::ptrdiff_t const n = parameter_count(m);
  tensor<double, 1> v(shape{n}), hv(shape{n}), above(shape{n}), below(shape{n});
  rng random{.seed = 8};
  random.uniform(v, -1, 1);
  hessian_vector_product(m, [&](auto& t) { return m(t(a)); }, as_view(v), hv.view());
  double const h = 1e-5;
  auto const gradient_at = [&](double step, tensor<double, 1>& out) {
    two_layers moved = m;
    std::ptrdiff_t i = 0;
    visit_parameters(moved, [&](std::string_view, auto& p) {
      for (double& x : p.value) x += step * v(i++);
    });
    tape t;
    t.backward(moved(t(a)));
    i = 0;
    visit_parameters(moved, [&](std::string_view, auto const& p) {
      for (std::ptrdiff_t k = 0; k < p.size(); ++k) out(i++) = p.gradient().data()[k];
    });
  };
  gradient_at(h, above);
  gradient_at(-h, below);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    CHECK(hv(i) == Approx((above(i) - below(i)) / (2 * h)).epsilon(1e-6).margin(1e-8));
  CHECK_FALSE(m.w.has_gradient());
  CHECK_THROWS_AS(
      hessian_vector_product(m, [&](auto& t) { return m(t(a)); }, as_view(v).slice(0, 0, 3), hv.view()), shape_error);
}

TEST_CASE("ten million small nodes: no recursion, at most 128 bytes each", "[tape]") {
  tape t;
  auto const x = t.variable(tensor<double, 0>({}, {1.0}));
  auto y = x * 1.0;
  std::size_t const before = t.bytes();
  int const n = 10'000'000;
  for (int i = 0; i < n; ++i) y = y * x;
  double const bytes = static_cast<double>(t.bytes() - before) / n;
  t.backward(y);
  double const with_gradients = static_cast<double>(t.bytes() - before) / n;
  CAPTURE(bytes, with_gradients);
  CHECK(with_gradients <= 128.0);
  CHECK(x.gradient()() == n + 1.0);
}
