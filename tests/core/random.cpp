// Philox: known answers, independence of how a fill is cut, distributions.
#include <limbic/core/random.hpp>

#include "../catch.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace limbic;

TEST_CASE("Philox4x32-10 gives Random123's known answers", "[random]") {
  auto const is = [](philox_block b, std::uint32_t w, std::uint32_t x, std::uint32_t y, std::uint32_t z) {
    return b.word[0] == w && b.word[1] == x && b.word[2] == y && b.word[3] == z;
  };
  CHECK(is(philox(0, 0, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  CHECK(is(philox(~0ULL, ~0ULL, ~0ULL), 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  CHECK(is(philox(0x299f31d0a4093822ULL, 0x0370734413198a2eULL, 0x85a308d3243f6a88ULL), 0xd16cfe09, 0x94fdcceb,
           0x5001e420, 0x24126ea1));
}

TEST_CASE("a fill continues where the last one stopped, and streams differ", "[random]") {
  tensor<double, 1> whole({40}), first({20}), second({20});
  rng a{.seed = 3}, b{.seed = 3};
  a.uniform(whole);
  b.uniform(first);
  b.uniform(second);
  CHECK(a.position == b.position);
  CHECK(std::equal(first.begin(), first.end(), whole.begin()));
  CHECK(std::equal(second.begin(), second.end(), whole.begin() + 20));
  tensor<double, 1> other({40});
  rng c = a.split(1), d = a.split(2), again = a.split(1);
  c.uniform(whole);
  d.uniform(other);
  CHECK_FALSE(std::equal(whole.begin(), whole.end(), other.begin()));
  again.uniform(other);
  CHECK(std::equal(whole.begin(), whole.end(), other.begin()));
}

TEST_CASE("the same numbers on every device", "[random]") {
  tensor<float, 1, scalar> a({33});
  tensor<float, 1, simd> b({33});
  rng r{.seed = 4}, s{.seed = 4};
  r.normal(a);
  s.normal(b);
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
}

TEST_CASE("uniforms stay in range; moments of uniform and normal", "[random]") {
  std::ptrdiff_t const n = 200'000;
  tensor<float, 1> u(shape{n});
  tensor<double, 1> z(shape{n});
  rng r{.seed = 9};
  r.uniform(u, -2.0, 3.0);
  double mean = 0;
  for (float x : u) {
    REQUIRE((x >= -2.0F && x < 3.0F));
    mean += static_cast<double>(x) / static_cast<double>(n);
  }
  CHECK(mean == Approx(0.5).margin(0.02));
  r.normal(z, 1.0, 2.0);
  double m = 0, v = 0, k = 0;
  for (double x : z) m += x / static_cast<double>(n);
  for (double x : z) v += (x - m) * (x - m) / static_cast<double>(n);
  for (double x : z) k += std::pow((x - m) / 2, 4) / static_cast<double>(n);
  CHECK(m == Approx(1.0).margin(0.02));
  CHECK(v == Approx(4.0).epsilon(0.02));
  CHECK(k == Approx(3.0).epsilon(0.05));
}

TEST_CASE("permutations hold every index once, and every order occurs", "[random]") {
  rng r{.seed = 10};
  tensor<std::int64_t, 1> p({1000});
  r.permutation(p);
  std::vector<std::int64_t> sorted(p.begin(), p.end());
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 1000; ++i) REQUIRE(sorted[static_cast<std::size_t>(i)] == i);
  int counts[6] = {};
  tensor<int, 1> three({3});
  for (int i = 0; i < 6000; ++i) {
    r.permutation(three);
    ++counts[three(0) * 2 + (three(1) > three(2) ? 1 : 0)];
  }
  for (int c : counts) CHECK(c == Approx(1000).margin(150));
  tensor<int, 1> none({0});
  r.permutation(none);
}

TEST_CASE("a strided view cannot be filled", "[random]") {
  tensor<float, 2> a({4, 4});
  rng r;
  CHECK_THROWS_AS(r.uniform(a.view().transpose()), shape_error);
}
