// A training run goes on from its file with the same bits, and a file that does not fit changes nothing.
#include <limbic/data/batches.hpp>
#include <limbic/io/checkpoint.hpp>
#include <limbic/limbic.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

using namespace limbic;

namespace {

struct network {
  linear<float> hidden, out;
  dropout drop{0.3};
  tensor<double, 1> running{{2}};
  explicit network(rng& random) : hidden(3, 8, random), out(8, 1, random) {}
  auto operator()(auto const& x, auto mode) const { return out(drop(tanh(hidden(x)), mode)); }
  void each(auto f) { f("hidden", hidden), f("out", out), f("running", running); }
};

enum class phase { warm, main };

// What changes in training, apart from the optimiser. The seed is where a run begins: loading replaces what came of it.
struct common_parts {
  rng random;
  network net;
  exponential_moving_average average;
  reduce_on_plateau plateau{0.05, {.factor = 0.5, .patience = 1}};
  early_stopping stop{{.patience = 3}};
  batches order{20, 6};
  std::int64_t epoch = 0;
  float smallest = std::numeric_limits<float>::infinity();
  phase now = phase::warm;
  std::string label = "new";
  std::vector<double> losses;

  explicit common_parts(std::uint64_t seed) : random{.seed = seed}, net(random), average(net, {.decay = 0.9}) {}

  void each(auto f) {
    f("random", random), f("net", net), f("average", average), f("plateau", plateau), f("stop", stop);
    f("order", order), f("epoch", epoch), f("smallest", smallest), f("phase", now), f("label", label);
    f("losses", losses);
  }

  // The gradients of one batch.
  void backward(batches::indices const& chosen) {
    tensor<float, 2> x({20, 3}), y({20, 1});
    rng data{.seed = 99};
    data.normal(x), data.normal(y);
    tape t;
    auto const loss = mse_loss(net(t(take(x, chosen)), training{random}), take(y, chosen));
    losses.push_back(static_cast<double>(loss.item()));
    t.backward(loss);
  }
  double after_epoch() {
    ++epoch;
    net.running(0) += 0.1;
    smallest = std::min(smallest, static_cast<float>(losses.back()));
    now = phase::main;
    label = "epoch \"" + std::to_string(epoch) + "\"\n";
    stop(losses.back());
    if (epoch == 2) net.hidden.bias.trainable = false;
    return plateau.step(losses.back());
  }
};

template <class Optimizer> struct run : common_parts {
  Optimizer optimizer;
  run(std::uint64_t seed, typename Optimizer::options const& options) : common_parts(seed), optimizer(net, options) {}
  void each(auto f) {
    common_parts::each(f);
    f("optimizer", optimizer);
  }
  void train(int epochs) {
    for (int e = 0; e < epochs; ++e) {
      order.shuffle(random);
      for (auto const& chosen : order) {
        backward(chosen);
        optimizer.step();
        average.update();
      }
      optimizer.learning_rate = after_epoch();
    }
  }
};

template <class T> void save_state(T& object, std::string const& path) {
  training_state state;
  state("", object).save(path);
}
template <class T> void load_state(T& object, std::string const& path) {
  training_state state;
  state("", object).load(path);
}

template <class Optimizer> void resume(typename Optimizer::options const& options) {
  scratch const file, other;
  run<Optimizer> whole(1, options), first(1, options), second(2, options);
  whole.train(6);
  save_state(whole, file);
  std::string const expected = file.read();

  first.train(3);
  save_state(first, file);
  second.train(1);  // what it remembers is replaced
  load_state(second, file);
  save_state(second, file);
  CHECK(file.read() != expected);
  second.train(3);
  save_state(second, file);
  CHECK(file.read() == expected);
}

struct numbers {
  double d[6];
  float f;
  std::uint64_t u;
  std::int64_t i;
  bool b;
  std::string s;
  std::vector<std::uint64_t> list;
  std::vector<float> none;
  void each(auto g) {
    g("d", d), g("f", f), g("u", u), g("i", i), g("b", b), g("s", s), g("list", list), g("none", none);
  }
};

}  // namespace

TEST_CASE("a resumed run ends with the same bits") {
  SECTION("sgd") { resume<sgd>({.learning_rate = 0.05}); }
  SECTION("sgd with momentum") { resume<sgd>({.learning_rate = 0.05, .momentum = 0.9, .dampening = 0.1}); }
  SECTION("adam") { resume<adam>({.learning_rate = 0.05}); }
  SECTION("amsgrad") { resume<adam>({.learning_rate = 0.05, .amsgrad = true}); }
  SECTION("adamw") { resume<adamw>({.learning_rate = 0.05}); }
  SECTION("rmsprop") { resume<rmsprop>({.learning_rate = 0.05, .momentum = 0.5, .centered = true}); }
}

TEST_CASE("numbers keep every bit") {
  scratch const file;
  double const inf = std::numeric_limits<double>::infinity(), least = std::numeric_limits<double>::denorm_min();
  numbers a{{0.1, -0.0, inf, least, 1.7976931348623157e308, std::nan("")},
            0.1F,
            UINT64_MAX,
            INT64_MIN,
            true,
            "\"\\\n\x01 ü",
            {1, UINT64_MAX},
            {}};
  numbers b{{}, 0, 0, 0, false, "", {}, {1, 2, 3}};
  save_state(a, file);
  load_state(b, file);
  CHECK(std::memcmp(a.d, b.d, sizeof a.d) == 0);
  CHECK(b.f == 0.1F);
  CHECK(b.u == UINT64_MAX);
  CHECK(b.i == INT64_MIN);
  CHECK(b.b);
  CHECK(b.s == a.s);
  CHECK(b.list == a.list);
  CHECK(b.none.empty());
}

TEST_CASE("a checkpoint that does not fit is refused, and nothing has changed") {
  scratch const file;
  rng random{.seed = 1};
  network net(random), other(random);
  adam optimizer(net);
  std::int64_t epoch = 7;
  std::int64_t const size = 8;
  std::vector<double> losses{1, 2};
  training_state state;
  state("net", net)("optimizer", optimizer)("epoch", epoch)("losses", losses)("size", size);
  state.save(file);

  // Each list differs in one thing; all begin with the model, which a hasty reader would have changed already.
  auto const refused = [&](auto const& add) {
    float const before = other.hidden.weight.value(0, 0);
    training_state wrong;
    wrong("net", other);
    add(wrong);
    std::string const said = refusal([&] { wrong.load(file); });
    CHECK(other.hidden.weight.value(0, 0) == before);
    CAPTURE(said);
    CHECK(mentions(said, std::string(file)));
    return said;
  };
  adam same(other);
  CHECK(mentions(refused([&](auto& s) { s("optimizer", same)("epoch", epoch)("losses", losses); }),
                 "it holds 'size', which is not expected"));
  CHECK(mentions(refused([&](auto& s) { s("optimizer", same)("losses", losses)("size", size); }),
                 "it holds 'epoch', which is not expected"));
  std::int64_t more = 0;
  CHECK(mentions(
      refused([&](auto& s) { s("optimizer", same)("epoch", epoch)("losses", losses)("size", size)("more", more); }),
      "there is no 'more', expected a whole number"));
  std::int64_t const larger = 9;
  CHECK(mentions(refused([&](auto& s) { s("optimizer", same)("epoch", epoch)("losses", losses)("size", larger); }),
                 "'size' is 8, expected 9"));
  bool truth = true;
  CHECK(mentions(refused([&](auto& s) { s("optimizer", same)("epoch", truth)("losses", losses)("size", size); }),
                 "'epoch' is '7', expected true or false"));
  std::vector<float> floats;
  CHECK(mentions(refused([&](auto& s) { s("optimizer", same)("epoch", epoch)("losses", floats)("size", size); }),
                 "tensor 'losses' holds F64, expected F32"));
  std::vector<double> const others{1, 3};
  CHECK(mentions(refused([&](auto& s) { s("optimizer", same)("epoch", epoch)("losses", others)("size", size); }),
                 "tensor 'losses' has other elements than expected"));
  adamw of_another_rule(other);
  CHECK(mentions(refused([&](auto& s) { s("optimizer", of_another_rule)("epoch", epoch); }),
                 "'optimizer.rule' is adam, expected adamw"));
  adam with_other_options(other, {.betas = {0.9, 0.99}});
  CHECK(mentions(refused([&](auto& s) { s("optimizer", with_other_options); }),
                 "'optimizer.beta2' is 0.999, expected 0.99"));
  CHECK(epoch == 7);
  CHECK(losses == std::vector<double>{1, 2});

  network larger_net(random);
  larger_net.out.weight = parameter<float, 2>({1, 9});
  training_state larger_list;
  larger_list("net", larger_net);
  CHECK(mentions(refusal([&] { larger_list.load(file, {.allow_extra = true}); }),
                 "tensor 'net.out.weight' has shape (1, 8), expected (1, 9)"));

  training_state part;
  part("net", other).load(file, {.allow_extra = true});
  CHECK(other.hidden.weight.value(0, 0) == net.hidden.weight.value(0, 0));
}

TEST_CASE("files that are no checkpoints, or damaged") {
  scratch const file;
  double x = 1.5;
  tensor<float, 1> t({2}, {1, 2});
  training_state state;
  state("x", x)("t", t);
  CHECK(mentions(refusal([&] { state.load(file); }), "cannot be opened"));
  state.save(file);
  std::string const good = file.read();
  x = 2;
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::ofstream(file, std::ios::binary) << good.substr(0, size);
    CHECK_THROWS_AS(state.load(file), io_error);
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    std::ofstream(file, std::ios::binary) << bad;
    CHECK_THROWS_AS(state.load(file), io_error);
  }
  CHECK(x == 2);
  std::ofstream(file, std::ios::binary) << good;
  state.load(file);
  CHECK(x == 1.5);

  named_view const views[] = {{"t", t}};
  save_safetensors(file, views, {{"x", "1.5"}});
  CHECK(mentions(refusal([&] { state.load(file); }), "this is no checkpoint"));
}

TEST_CASE("names of a checkpoint must differ") {
  scratch const file;
  double x = 1;
  training_state twice, reserved;
  twice("x", x)("x", x);
  CHECK_THROWS_WITH(twice.save(file), "[checkpoint] every member needs a name of its own, 'x' is taken");
  reserved("format", x);
  CHECK_THROWS_AS(reserved.save(file), argument_error);
}
