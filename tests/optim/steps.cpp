// Optimisers against plain loops over numbers, on a quadratic; what is skipped, what is refused, what is allocated.
#include "../catch.hpp"

#include <limbic/nn/linear.hpp>
#include <limbic/optim/optim.hpp>

#include <cmath>
#include <map>
#include <string>
#include <vector>

using namespace limbic;

namespace {

// Two parameters of different rank, device and type; f = sum a x^2 / 2 - b x with a = 1, 2, ... and b = 1.
template <class T, class D> struct model {
  parameter<T, 2, D> w{shape<2>{{3, 5}}};
  parameter<T, 1, D> b{shape<1>{{7}}};
  model() {
    rng random{.seed = 11};
    random.uniform(w.value, -1, 1);
    random.uniform(b.value, -1, 1);
  }
  void each(auto f) {
    f("w", w);
    f("b", b);
  }
  void compute_gradients() const {
    visit_parameters(*this, [](std::string_view, auto const& p) {
      auto const g = p.gradient_storage();
      for (std::ptrdiff_t i = 0; i < p.size(); ++i) g.data()[i] = static_cast<T>(i + 1) * p.value.data()[i] - T(1);
      p.set_has_gradient();
    });
  }
  std::vector<double> values() const {
    std::vector<double> all;
    visit_parameters(*this, [&](std::string_view, auto const& p) {
      for (T x : p.value) all.push_back(static_cast<double>(x));
    });
    return all;
  }
};

struct element {
  double x, a, m = 0, v = 0, other = 0, buffer = 0;
  double gradient() const { return a * x - 1; }
};

// 20 steps of the optimiser, and of `plain`, which changes one element given its gradient and the number of the step.
template <class Optimizer, class T, class D, class Options, class F>
void compare(Options const& options, F const& plain, double tolerance) {
  model<T, D> net;
  std::vector<element> elements;
  for (double x : net.values())
    elements.push_back({x, elements.size() < 15 ? double(elements.size() + 1) : double(elements.size() - 14)});
  Optimizer optimizer(net, options);
  for (int t = 1; t <= 20; ++t) {
    net.compute_gradients();
    if (t == 10) optimizer.learning_rate /= 2;
    optimizer.step();
    for (auto& e : elements) plain(e, e.gradient(), t, optimizer.learning_rate);
  }
  auto const got = net.values();
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(got[i] == Approx(elements[i].x).epsilon(tolerance).margin(tolerance));
  CHECK_FALSE(net.w.has_gradient());
}

// Every memory request while it lives.
struct counting : memory {
  int requests = 0;
  void* allocate(std::size_t bytes) override {
    ++requests;
    return host_pool().allocate(bytes);
  }
  void deallocate(void* p, std::size_t bytes) noexcept override { host_pool().deallocate(p, bytes); }
};

}  // namespace

TEMPLATE_TEST_CASE("sgd", "", scalar, simd) {
  using D = TestType;
  for (auto const& o :
       {sgd_options{.learning_rate = 0.02}, sgd_options{.learning_rate = 0.02, .momentum = 0.9, .dampening = 0.3},
        sgd_options{.learning_rate = 0.02, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true}})
    compare<sgd, double, D>(
        o,
        [&](element& e, double g, int t, double rate) {
          g += o.weight_decay * e.x;
          if (o.momentum != 0) {
            e.buffer = t == 1 ? g : o.momentum * e.buffer + (1 - o.dampening) * g;
            g = o.nesterov ? g + o.momentum * e.buffer : e.buffer;
          }
          e.x -= rate * g;
        },
        1e-13);
}

TEMPLATE_TEST_CASE("adam and adamw", "", scalar, simd) {
  using D = TestType;
  auto const plain = [](auto const& o, bool decoupled) {
    return [&o, decoupled](element& e, double g, int t, double rate) {
      if (decoupled) e.x *= 1 - rate * o.weight_decay;
      else g += o.weight_decay * e.x;
      e.m = o.betas[0] * e.m + (1 - o.betas[0]) * g;
      e.v = o.betas[1] * e.v + (1 - o.betas[1]) * g * g;
      e.other = std::max(e.other, e.v);
      double const u = (o.amsgrad ? e.other : e.v) / (1 - std::pow(o.betas[1], t));
      e.x -= rate * (e.m / (1 - std::pow(o.betas[0], t))) / (std::sqrt(u) + o.eps);
    };
  };
  for (auto const& o : {adam_options{.learning_rate = 0.05},
                        adam_options{.learning_rate = 0.05, .betas = {0.8, 0.99}, .eps = 1e-6, .weight_decay = 0.1},
                        adam_options{.learning_rate = 0.05, .amsgrad = true}})
    compare<adam, double, D>(o, plain(o, false), 1e-12);
  for (auto const& o : {adamw_options{.learning_rate = 0.05},
                        adamw_options{.learning_rate = 0.05, .weight_decay = 0.1, .amsgrad = true}})
    compare<adamw, double, D>(o, plain(o, true), 1e-12);
  adam_options const o{.learning_rate = 0.05};
  compare<adam, float, D>(o, plain(o, false), 2e-5);
}

TEMPLATE_TEST_CASE("rmsprop", "", scalar, simd) {
  using D = TestType;
  for (auto const& o : {rmsprop_options{.learning_rate = 0.01},
                        rmsprop_options{.learning_rate = 0.01, .alpha = 0.9, .weight_decay = 0.05, .momentum = 0.8},
                        rmsprop_options{.learning_rate = 0.01, .centered = true},
                        rmsprop_options{.learning_rate = 0.01, .momentum = 0.5, .centered = true}})
    compare<rmsprop, double, D>(
        o,
        [&](element& e, double g, int, double rate) {
          g += o.weight_decay * e.x;
          e.v = o.alpha * e.v + (1 - o.alpha) * g * g;
          e.m = o.alpha * e.m + (1 - o.alpha) * g;
          double const way = g / (std::sqrt(o.centered ? e.v - e.m * e.m : e.v) + o.eps);
          e.buffer = o.momentum * e.buffer + way;
          e.x -= rate * (o.momentum > 0 ? e.buffer : way);
        },
        1e-9);
}

TEST_CASE("a step leaves alone what is frozen or has no gradient, and does not count there") {
  model<float, simd> net;
  adam optimizer(net, {.learning_rate = 0.1});
  net.compute_gradients();
  net.b.trainable = false;
  auto const before = net.values();
  optimizer.step();
  auto const after = net.values();
  CHECK(after[0] != before[0]);
  CHECK(after[20] == before[20]);
  CHECK_FALSE(net.b.has_gradient());
  optimizer.step();
  CHECK(net.values() == after);
  std::map<std::string, std::int64_t> steps;
  optimizer.each([&](std::string_view name, auto& x) {
    if constexpr (std::is_same_v<decltype(x), std::int64_t&>) steps[std::string(name)] = x;
  });
  CHECK(steps == std::map<std::string, std::int64_t>{{"w.step", 1}, {"b.step", 0}});
}

TEST_CASE("steps after the first allocate nothing; the optimiser gives everything back") {
  counting all;
  {
    use_memory const use(all);
    model<float, simd> net;
    adam first(net, {.amsgrad = true});
    rmsprop second(net, {.momentum = 0.5, .centered = true});
    sgd third(net, {.momentum = 0.5});
    net.compute_gradients();
    int const before = all.requests;
    for (int i = 0; i < 3; ++i) {
      net.compute_gradients();
      first.step();
      net.compute_gradients();
      second.step();
      net.compute_gradients();
      third.step();
    }
    CHECK(all.requests == before);
  }
}

TEST_CASE("an optimiser's state, copied to another, continues with the same bits") {
  model<float, simd> a, b;
  adam first(a, {.learning_rate = 0.1});
  for (int i = 0; i < 3; ++i) a.compute_gradients(), first.step();
  std::map<std::string, std::vector<float>> saved;
  std::map<std::string, std::int64_t> steps;
  first.each([&](std::string_view name, auto& x) {
    if constexpr (std::is_same_v<decltype(x), std::int64_t&>) steps[std::string(name)] = x;
    else if constexpr (is_tensor<std::remove_cvref_t<decltype(x)>>) saved[std::string(name)].assign(x.begin(), x.end());
  });
  CHECK(saved.count("w.exp_avg_sq") == 1);
  CHECK(saved.size() == 4);

  b = a;
  adam second(b, {.learning_rate = 0.1});
  second.each([&](std::string_view n, auto& x) {
    std::string const name(n);
    if constexpr (std::is_same_v<decltype(x), std::int64_t&>) x = steps.at(name);
    else if constexpr (is_tensor<std::remove_cvref_t<decltype(x)>>)
      std::copy(saved.at(name).begin(), saved.at(name).end(), x.begin());
  });
  for (int i = 0; i < 3; ++i) {
    a.compute_gradients(), first.step();
    b.compute_gradients(), second.step();
  }
  CHECK(a.values() == b.values());
}

TEST_CASE("options outside of their domain") {
  model<float, simd> net;
  CHECK_THROWS_AS(adam(net, {.learning_rate = -1}), argument_error);
  CHECK_THROWS_WITH(adam(net, {.betas = {0.9, 1}}), "[adam] beta2 must be in [0, 1), but is 1");
  CHECK_THROWS_AS(sgd(net, {.nesterov = true}), argument_error);
  CHECK_THROWS_AS(rmsprop(net, {.alpha = std::nan("")}), argument_error);
}

TEMPLATE_TEST_CASE("running means that fade end at 0, not among the subnormal numbers", "", scalar, simd) {
  parameter<float, 1, TestType> p({3});
  adam first(p);
  sgd second(p, {.momentum = 0.5});
  auto const step = [&](auto& optimizer, float g) {
    for (int i = 0; i < 3; ++i) p.gradient_storage()(i) = g;
    p.set_has_gradient();
    optimizer.step();
  };
  step(first, 1);
  step(second, 1);
  for (int i = 0; i < 1100; ++i) step(first, 0), step(second, 0);
  int seen = 0;
  first.each([&](std::string_view name, auto& x) {
    if constexpr (is_tensor<std::remove_cvref_t<decltype(x)>>)
      if (name == "exp_avg") seen += x(0) == 0;
  });
  second.each([&](std::string_view, auto& x) {
    if constexpr (is_tensor<std::remove_cvref_t<decltype(x)>>) seen += x(2) == 0;
  });
  CHECK(seen == 2);
}
