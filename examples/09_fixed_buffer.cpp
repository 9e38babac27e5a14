// 09_fixed_buffer - training without a heap: everything lies in one buffer that the caller owns
//
// For microcontrollers, and wherever memory must be known beforehand. The program replaces operator new, so that a
// single allocation would be seen.
//
// Before: 08_information.cpp    next: 10_search.cpp
#include "common/check.hpp"

#include <limbic/limbic.hpp>

#include <cmath>
#include <new>

namespace {

long allocations = 0;
alignas(limbic::alignment) unsigned char room[96 * 1024];

struct network {
  limbic::linear<float> hidden, out;
  explicit network(limbic::rng& random) : hidden(1, 16, random), out(16, 1, random) {}
  auto operator()(auto const& x) const { return out(limbic::tanh(hidden(x))); }
  void each(auto f) { f("hidden", hidden), f("out", out); }
};

// The mean squared error of a fit of sin(x); `used` becomes the bytes that were needed.
float train(std::size_t& used) {
  limbic::fixed_buffer memory(room, sizeof room);
  limbic::use_memory const use(memory);  // for this scope and thread

  limbic::rng random{.seed = 4};
  limbic::tensor<float, 2> x({32, 1}), y({32, 1});
  for (int i = 0; i < 32; ++i) {
    x(i, 0) = static_cast<float>(i) / 5 - 3.1F;
    y(i, 0) = std::sin(x(i, 0));
  }
  network net(random);
  limbic::adam optimizer(net, {.learning_rate = 1e-2});
  float error = 0;
  std::size_t after_first = 0;
  for (int step = 0; step < 2000; ++step) {
    limbic::tape t;
    auto const loss = limbic::mse_loss(net(t(x)), y);
    error = loss.item();
    t.backward(loss);
    optimizer.step();
    if (step == 0) after_first = memory.untouched();
  }
  check(memory.untouched() == after_first, "the second step needs no byte more than the first");
  used = sizeof room - memory.untouched();
  return error;
}

}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* p = std::malloc(bytes)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t) { return operator new(bytes); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

int main() {
  std::size_t used = 0;
  long const before = allocations;
  float const error = train(used);
  std::printf("2000 steps in %zu bytes, error %.2g, %ld allocations\n", used, static_cast<double>(error),
              allocations - before);
  check(allocations == before, "nothing came from the heap");
  check(error < 1e-3F, "and the network has learned the sine");

  // A buffer that is too small is an error with numbers in it, not a crash.
  try {
    limbic::fixed_buffer tiny(room, 256);
    limbic::use_memory const use(tiny);
    limbic::tensor<float, 1> const large(limbic::shape{1000});
    check(false, "256 bytes do not hold 1000 numbers");
  } catch (limbic::memory_error const& e) {
    std::printf("%s\n", e.what());
  }
}
