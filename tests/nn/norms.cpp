// Normalising layers: names, what files keep and optimisers do not see, and when the running statistics change.
#include <limbic/core/visit.hpp>
#include <limbic/io/model.hpp>
#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/layer_norm.hpp>
#include <limbic/ops/mul.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/tape/checkpoint.hpp>
#include <limbic/tape/hessian.hpp>

#include "../catch.hpp"
#include "../scratch.hpp"

#include <string>
#include <vector>

using namespace limbic;

namespace {

struct model {
  batch_norm<double> norm{3};
  void each(auto f) { f("norm", norm); }
};

template <class M> std::vector<std::string> state_names(M const& m) {
  std::vector<std::string> names;
  visit_state(m, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  return names;
}
tensor<double, 2> some(std::uint64_t seed) {
  rng random{.seed = seed};
  tensor<double, 2> x({8, 3});
  random.normal(x, 2, 3);
  return x;
}

}  // namespace

TEST_CASE("batch_norm: names as PyTorch's, and statistics that are no parameters") {
  model const m;
  CHECK(state_names(m) == std::vector<std::string>{"norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
                                                   "norm.num_batches_tracked"});
  CHECK(parameter_count(m) == 6);
  CHECK(parameter_count(batch_norm<float>(4, {.affine = false})) == 0);
  CHECK(batch_norm_layer_options::keras().eps == 1e-3);
  CHECK(batch_norm_layer_options::keras().momentum == 0.01);
  CHECK_THROWS_AS(batch_norm<float>(0), argument_error);
  CHECK_THROWS_AS(batch_norm<float>(2, {.momentum = 2}), argument_error);
  CHECK_THROWS_AS(batch_norm<float>(2, {.eps = -1}), argument_error);
}

TEST_CASE("batch_norm: training follows the batches, evaluation reads what they left, files keep it") {
  rng random{.seed = 1};
  model m;
  auto const x = some(3), y = some(4);
  tensor<double, 2> const* const batches[] = {&x, &y};
  (void)m.norm(x, training{random});  // without a tape: the mode decides
  (void)m.norm(y, training{random});
  CHECK(m.norm.num_batches_tracked() == 2);
  for (std::ptrdiff_t c = 0; c < 3; ++c) {
    double mean = 0, var = 1;
    for (auto const* batch : batches) {
      double s = 0, q = 0;
      for (std::ptrdiff_t i = 0; i < 8; ++i) s += (*batch)(i, c) / 8;
      for (std::ptrdiff_t i = 0; i < 8; ++i) q += ((*batch)(i, c) - s) * ((*batch)(i, c) - s) / 7;
      mean = 0.9 * mean + 0.1 * s;
      var = 0.9 * var + 0.1 * q;
    }
    CHECK(m.norm.running_mean(c) == Approx(mean));
    CHECK(m.norm.running_var(c) == Approx(var));
    auto const z = m.norm(x, evaluation{});
    CHECK(z(5, c) == Approx((x(5, c) - mean) / std::sqrt(var + 1e-5)));
  }
  CHECK(m.norm.num_batches_tracked() == 2);

  scratch const file;
  save(m, file);
  model copy;
  load(copy, file);
  CHECK(copy.norm.num_batches_tracked() == 2);
  CHECK(copy.norm.running_var(2) == m.norm.running_var(2));
  auto const a = m.norm(x, evaluation{}), b = copy.norm(x, evaluation{});
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) CHECK(a.data()[i] == b.data()[i]);
}

TEST_CASE("batch_norm: each batch counts once") {
  rng random{.seed = 1};
  batch_norm<double> plain(3), again(3);
  auto const x = some(5), weights = some(6);
  auto const step = [&](batch_norm<double> const& norm, bool recompute) {
    tape t;
    auto const v = t.variable(x);
    auto const f = [&](auto const& u) { return norm(u, training{random}); };
    t.backward(recompute ? checkpoint(f, v) : f(v), weights);
    return tensor<double, 2>(v.gradient());
  };
  auto const g = step(plain, false), h = step(again, true);
  for (std::ptrdiff_t i = 0; i < g.size(); ++i) CHECK(g.data()[i] == h.data()[i]);
  CHECK(again.num_batches_tracked() == 1);
  for (std::ptrdiff_t c = 0; c < 3; ++c) {
    CHECK(again.running_mean(c) == plain.running_mean(c));
    CHECK(again.running_var(c) == plain.running_var(c));
    CHECK(again.weight.gradient()(c) == plain.weight.gradient()(c));
  }
  // A product with the Hessian looks, and leaves no trace.
  tensor<double, 1> const direction({6}, 1.0);
  tensor<double, 1> product({6});
  auto const loss = [&](auto& t) { return sum(square(plain(t(x), training{random}))); };
  hessian_vector_product(plain, loss, direction.view(), product.view());
  for (double p : product) CHECK(p == Approx(16).epsilon(1e-4));  // twice the batch, as every channel has variance 1
  CHECK(plain.num_batches_tracked() == 1);
}

TEST_CASE("batch_norm: a frozen layer in use hands gradients on") {
  rng random{.seed = 1};
  model m;
  (void)m.norm(some(7), training{random});
  set_trainable(m, false);
  auto const x = some(8);
  tape t;
  auto const v = t.variable(x);
  t.backward(m.norm(v, evaluation{}), tensor<double, 2>(x.shape(), 1.0));
  for (std::ptrdiff_t c = 0; c < 3; ++c)
    CHECK(v.gradient()(2, c) == Approx(1 / std::sqrt(m.norm.running_var(c) + 1e-5)));
  CHECK_FALSE(m.norm.weight.has_gradient());
}

TEST_CASE("layer_norm: a layer over one axis and over two") {
  layer_norm<double> const one(3);
  CHECK(state_names(one) == std::vector<std::string>{"weight", "bias"});
  CHECK(parameter_count(layer_norm<double, 2>(shape{2, 3}, {.affine = false})) == 0);
  auto const y = one(some(9));
  for (std::ptrdiff_t i = 0; i < 8; ++i) CHECK(y(i, 0) + y(i, 1) + y(i, 2) == Approx(0).margin(1e-12));
  layer_norm<double, 2> const two(shape{8, 3});
  auto const z = two(some(9));
  double squares = 0;
  for (double v : z) squares += v * v;
  CHECK(squares == Approx(24).epsilon(1e-4));
  CHECK_THROWS_AS(layer_norm<double>(0), argument_error);
  CHECK_THROWS_AS(two(tensor<double, 2>({3, 8})), shape_error);
}
