// Spaces: types, branches, the cube, features, and what they refuse.
#include <limbic/core/random.hpp>
#include <limbic/search/space.hpp>

#include "catch.hpp"

#include <set>

using namespace limbic;

namespace {

struct example {
  search_space space;
  search_parameter<std::int64_t> latent = space.integer("latent", 1, 64);
  search_parameter<double> rate = space.log_real("rate", 1e-4, 1e-1);
  search_parameter<double> dropout = space.real("dropout", 0, 0.5);
  search_parameter<std::int64_t> width = space.log_integer("width", 1, 1024);
  search_parameter<std::string> transform = space.categorical("transform", {"none", "wavelet", "pca"});
  search_branch wavelet = space.when(transform, "wavelet"), pca = space.when(transform, "pca");
  search_parameter<std::string> family = space.categorical("family", {"haar", "db4"}, wavelet);
  search_parameter<std::int64_t> level = space.integer("level", 1, 5, wavelet);
  search_parameter<double> shape = space.real("shape", -1, 1, space.when(family, "db4"));
  search_parameter<std::int64_t> components = space.integer("components", 2, 9, pca);
};

std::string message_of(auto const& f) {
  try {
    f();
  } catch (argument_error const& e) {
    return e.what();
  }
  return "nothing was refused";
}
bool mentions(std::string const& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a candidate is read by handle and by name") {
  example const e;
  auto const c = e.space.make({{"latent", 42}, {"rate", 1e-3}, {"dropout", 0}, {"width", 7}, {"transform", "none"}});
  CHECK(c[e.latent] == 42);
  CHECK(c[e.rate] == 1e-3);
  CHECK(c[e.dropout] == 0);
  CHECK(c[e.transform] == "none");
  CHECK(c.integer("latent") == 42);
  CHECK(c.real("rate") == 1e-3);
  CHECK(c.category("transform") == "none");
  CHECK(!c.has("level"));
  CHECK(!c.has(e.level));
  CHECK(c.has(e.latent));
  CHECK(c.json() == R"({"latent":42,"rate":0.001,"dropout":0,"width":7,"transform":"none"})");
  auto const wrong = message_of([&] { (void)c[e.level]; });
  CHECK(mentions(wrong, "'level' belongs to the branch transform = wavelet"));
  CHECK(mentions(message_of([&] { (void)c.real("latent"); }), "'latent' is integer, not real"));
  CHECK(mentions(message_of([&] { (void)c.integer("latnt"); }), "no parameter 'latnt'; there are 'latent'"));
}

TEST_CASE("branches within branches") {
  example const e;
  auto const c = e.space.make({{"latent", 1},
                               {"rate", 1e-4},
                               {"dropout", 0.5},
                               {"width", 1024},
                               {"transform", "wavelet"},
                               {"family", "db4"},
                               {"level", 5},
                               {"shape", -0.25}});
  CHECK(c[e.family] == "db4");
  CHECK(c[e.shape] == -0.25);
  CHECK(!c.has(e.components));
  std::vector<named_value> values = c.values();
  CHECK(e.space.make(values) == c);
  values.pop_back();
  CHECK(mentions(message_of([&] { e.space.make(values); }), "'shape' has no value"));
  values.emplace_back("components", 3);
  CHECK(mentions(message_of([&] { e.space.make(values); }), "'shape' has no value"));
  values.emplace_back("shape", 0);
  CHECK(mentions(message_of([&] { e.space.make(values); }), "transform = pca, which is not taken"));
}

TEST_CASE("to the cube and back, for random points of every branch") {
  example const e;
  rng random{.seed = 4};
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> u(e.space.size());
    for (double& x : u) x = random.uniform();
    auto const c = e.space.from_cube(u);
    auto const back = e.space.from_cube(e.space.to_cube(c));
    // Integers and categories exactly, reals but for rounding.
    auto const a = c.values(), b = back.values();
    REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      REQUIRE(a[k].name == b[k].name);
      if (auto const* x = std::get_if<double>(&a[k].value))
        REQUIRE(std::get<double>(b[k].value) == Approx(*x).epsilon(1e-12).margin(1e-14));
      else REQUIRE(a[k].value == b[k].value);
    }
    REQUIRE(e.space.make(a) == c);
    seen.insert(c[e.transform] + (c.has(e.family) ? c[e.family] : ""));
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("cells of the cube: every integer and category has its share, the ends belong to it") {
  search_space s;
  auto const n = s.integer("n", -1, 2);
  auto const k = s.categorical("k", {"a", "b", "c"});
  auto const w = s.log_integer("w", 1, 4);
  std::size_t count[4] = {}, category[3] = {};
  for (int i = 0; i < 1200; ++i) {
    double const u = (i + 0.5) / 1200;
    auto const c = s.from_cube(std::vector{u, u, u});
    ++count[c[n] + 1];
    ++category[c[k][0] - 'a'];
  }
  for (auto const x : count) CHECK(x == 300);
  for (auto const x : category) CHECK(x == 400);
  CHECK(s.from_cube(std::vector{0.0, 0.0, 0.0})[n] == -1);
  CHECK(s.from_cube(std::vector{1.0, 1.0, 1.0})[n] == 2);
  CHECK(s.from_cube(std::vector{1.0, 1.0, 1.0})[w] == 4);
  CHECK(s.from_cube(std::vector{1.0, 1.0, 1.0})[k] == "c");
  CHECK_THROWS_AS(s.from_cube(std::vector{1.1, 0.0, 0.0}), argument_error);
  CHECK_THROWS_AS(s.from_cube(std::vector{0.0}), shape_error);
}

TEST_CASE("features: places in [0, 1], one category hot, other branches constant, flat within a cell") {
  example const e;
  CHECK(e.space.features() == 4 + 3 + 2 + 1 + 1 + 1);
  auto const f = e.space.encode(
      e.space.make({{"latent", 64}, {"rate", 1e-4}, {"dropout", 0.25}, {"width", 32}, {"transform", "none"}}));
  double const hot = std::sqrt(0.5);
  std::vector<double> const want{1, 0, 0.5, 0.5, hot, 0, 0, 0, 0, 0.5, 0.5, 0.5};
  REQUIRE(f.size() == want.size());
  for (std::size_t i = 0; i < f.size(); ++i) CHECK(f[i] == Approx(want[i]).margin(1e-15));

  search_space one;
  one.integer("n", 0, 10);
  CHECK(one.encode(one.from_cube(std::vector{0.46})) == one.encode(one.from_cube(std::vector{0.54})));
  CHECK(one.encode(one.from_cube(std::vector{0.46})) != one.encode(one.from_cube(std::vector{0.56})));
}

TEST_CASE("a small space is enumerated, branch by branch") {
  search_space s;
  auto const k = s.categorical("k", {"a", "b"});
  s.integer("n", 1, 3, s.when(k, "b"));
  s.real("fixed", 2, 2, s.when(k, "a"));
  s.integer("last", 0, 1);
  auto const all = s.enumerate(8);
  REQUIRE(all);
  CHECK(all->size() == 2 + 3 * 2);
  std::set<std::string> texts;
  for (auto const& c : *all) texts.insert(c.json());
  CHECK(texts.size() == 8);
  CHECK(texts.count(R"({"k":"a","fixed":2,"last":1})") == 1);
  CHECK(texts.count(R"({"k":"b","n":3,"last":0})") == 1);
  CHECK(!s.enumerate(7));
  s.real("r", 0, 1, s.when(k, "b"));
  CHECK(!s.enumerate(1000));
}

TEST_CASE("the text of a space says all of it") {
  example const e;
  CHECK(e.space.json() == example().space.json());
  CHECK(
      mentions(e.space.json(), R"({"name":"level","type":"integer","low":1,"high":5,"when":["transform","wavelet"]})"));
  CHECK(mentions(e.space.json(), R"({"name":"rate","type":"log_real","low":1e-04,"high":0.1})"));
  search_space s;
  s.real("a \"quoted\" name", 0, 0.1);
  CHECK(s.json() == R"([{"name":"a \"quoted\" name","type":"real","low":0,"high":0.1}])");
}

TEST_CASE("a space refuses what makes no sense") {
  search_space s;
  double const infinity = std::numeric_limits<double>::infinity();
  auto const k = s.categorical("k", {"a", "b"});
  CHECK(mentions(message_of([&] { s.integer("n", 3, 2); }), "low bound of 3 above its high bound of 2"));
  CHECK(mentions(message_of([&] { s.real("x", 1, 0); }), "'x'"));
  CHECK(mentions(message_of([&] { s.real("x", 0, infinity); }), "finite"));
  CHECK(mentions(message_of([&] { s.real("x", std::nan(""), 1); }), "finite"));
  CHECK(mentions(message_of([&] { s.real("x", -1.7e308, 1.7e308); }), "finite"));
  CHECK(mentions(message_of([&] { s.log_real("x", 0, 1); }), "logarithm"));
  CHECK(mentions(message_of([&] { s.log_integer("x", 0, 5); }), "logarithm"));
  CHECK(mentions(message_of([&] { s.integer("x", 0, INT64_MAX); }), "2^53"));
  CHECK(mentions(message_of([&] { s.real("k", 0, 1); }), "two parameters named 'k'"));
  CHECK(mentions(message_of([&] { s.real("", 0, 1); }), "name"));
  CHECK(mentions(message_of([&] { s.categorical("c", {}); }), "no categories"));
  CHECK(mentions(message_of([&] { s.categorical("c", {"a", "a"}); }), "'a' twice"));
  CHECK(mentions(message_of([&] { s.when(k, "z"); }), "no category 'z'"));
  CHECK(s.size() == 1);
  s.integer("n", 1, 3);
  CHECK(mentions(message_of([&] { s.make({{"k", "c"}, {"n", 1}}); }), "one of 'a', 'b', but is 'c'"));
  CHECK(mentions(message_of([&] { s.make({{"k", 1}, {"n", 1}}); }), "but is a number"));
  CHECK(mentions(message_of([&] { s.make({{"k", "a"}, {"n", 4}}); }), "between 1 and 3, but is 4"));
  CHECK(mentions(message_of([&] { s.make({{"k", "a"}, {"n", 1.5}}); }), "1.5"));
  CHECK(mentions(message_of([&] { s.make({{"k", "a"}, {"n", std::nan("")}}); }), "nan"));
  CHECK(mentions(message_of([&] { s.make({{"k", "a"}, {"n", "1"}}); }), "its value is a text"));
  CHECK(mentions(message_of([&] { s.make({{"k", "a"}, {"n", 1}, {"n", 2}}); }), "given twice"));
}
