// manifold/staying.cpp - a hundred thousand steps: nothing leaves its manifold, and no step keeps memory
#include "support.hpp"

using namespace limbic;

namespace {

// What is given back each step, the pool hands out again: nothing comes from the heap.
struct counting : memory {
  long requests = 0, returned = 0;
  void* allocate(std::size_t bytes) override { return ++requests, host_pool().allocate(bytes); }
  void deallocate(void* p, std::size_t bytes) noexcept override { ++returned, host_pool().deallocate(p, bytes); }
};

// Steps of changing direction and size; the residual after the first half and at the end.
template <class T, class M> void stay(M const& m, std::ptrdiff_t n, std::ptrdiff_t p, int steps, double bound) {
  INFO(M::name << (std::is_same_v<T, float> ? " float" : " double"));
  rng random{.seed = 77};
  parameter<T, 2, scalar> x(m.template random<T, scalar>(random, shape<2>{{n, p}}));
  riemannian_sgd optimizer(x, {.learning_rate = 0.3, .momentum = 0.9});
  optimizer.on(x, m);
  double worst[2] = {0, 0};
  for (int k = 0; k < steps; ++k) {
    auto const g = x.gradient_storage();
    for (std::ptrdiff_t i = 0; i < x.size(); ++i)  // turns round and round
      g.data()[i] = static_cast<T>((k * 7 + static_cast<int>(i) * 5) % 11 - 5) / T(10);
    x.set_has_gradient();
    optimizer.step();
    if (k % 500 == 499) worst[2 * k / steps] = std::fmax(worst[2 * k / steps], m.residual(x.value));
  }
  CHECK(worst[1] <= bound);
  CHECK(worst[1] <= 2 * worst[0] + static_cast<double>(std::numeric_limits<T>::epsilon()));  // it does not grow
  CHECK(m.residual(x.value) <= bound);
}

}  // namespace

TEST_CASE("10^5 steps on Stiefel, by each retraction") {
  for (auto const how : {retraction::qr, retraction::polar, retraction::cayley}) {
    stay<float>(stiefel({.retraction = how}), 3, 2, 100'000, 2e-6);
    stay<double>(stiefel({.retraction = how}), 3, 2, 100'000, 1e-13);
  }
}
TEST_CASE("10^5 steps on spheres") {  // Grassmann's retractions are Stiefel's
  stay<float>(oblique(), 3, 2, 100'000, 2e-6);
  stay<double>(sphere(), 2, 3, 100'000, 1e-13);
}

TEST_CASE("a step asks the current memory, the same each time, and gives all back") {
  counting all;
  {
    use_memory const use(all);
    rng random{.seed = 3};
    parameter<float, 2, scalar> x(stiefel().random<float, scalar>(random, shape{6, 2}));
    riemannian_adam optimizer(x, {.learning_rate = 0.1});
    optimizer.on(x, stiefel());
    auto const step = [&] {
      fill(scalar{}, x.gradient_storage(), 0.1F);
      x.set_has_gradient();
      optimizer.step();
      return all.requests - all.returned;
    };
    long const before = step();
    for (int k = 0; k < 3; ++k) CHECK(step() == before);
  }
  CHECK(all.requests == all.returned);
}
