// What a user's first program does, through whichever door it came: trains a step, or infers where there is no tape.
#ifdef CONSUMER_INFERS
#include <limbic/infer.hpp>
#else
#include <limbic/limbic.hpp>
#endif
#ifdef CONSUMER_EIGEN
#include <limbic/information.hpp>
#endif

#include <cstdio>

#ifdef EXPECTED_SIMD
static_assert(LIMBIC_SIMD == EXPECTED_SIMD);
#endif
#ifdef EXPECTED_OPENMP
static_assert(LIMBIC_OPENMP == EXPECTED_OPENMP);
#endif

struct network {
  limbic::linear<float> hidden, out;
  explicit network(limbic::rng& random) : hidden(2, 8, random), out(8, 1, random) {}
  auto operator()(auto const& x) const { return out(limbic::tanh(hidden(x))); }
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

int main() {
  limbic::rng random{.seed = 1};
  network net(random);
  limbic::tensor<float, 2> const x({2, 2}, {0, 1, 1, 1});
  float const before = net(x)(0, 0);
#ifndef CONSUMER_INFERS
  limbic::adam optimizer(net, {.learning_rate = 0.05});
  limbic::tape t;
  t.backward(limbic::sum(net(t(x))));
  optimizer.step();
  if (!(net(x)(0, 0) < before)) return 1;
#endif
#ifdef CONSUMER_EIGEN
  if (!(limbic::mutual_information(x, x)() > 0)) return 1;
#endif
  if (!(before == before)) return 1;
  std::printf("limbic %d.%d.%d\n", LIMBIC_VERSION_MAJOR, LIMBIC_VERSION_MINOR, LIMBIC_VERSION_PATCH);
  return 0;
}
