// From the second training step on nothing is taken from the heap: replaced operator new and malloc count.
#include <limbic/limbic.hpp>
#include <limbic/models/emosynthnet.hpp>
#include <limbic/signal/scalogram.hpp>
#include <limbic/signal/stft.hpp>
#include <limbic/signal/swt.hpp>

#include "../catch.hpp"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNT_MALLOC 0  // the sanitizers bring their own
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNT_MALLOC 0
#else
#define COUNT_MALLOC 1
#endif
#else
#define COUNT_MALLOC 1
#endif

namespace {
long allocations = 0;
}

#if COUNT_MALLOC
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t n) {
  ++allocations;
  return __libc_malloc(n);
}
void* aligned_alloc(std::size_t align, std::size_t n) {
  ++allocations;
  return __libc_memalign(align, n);
}
int posix_memalign(void** p, std::size_t align, std::size_t n) {
  ++allocations;
  *p = __libc_memalign(align, n);
  return *p == nullptr ? 12 : 0;
}
}
#endif

using namespace limbic;

namespace {
template <class F> long allocations_of(F&& f) {
  long const before = allocations;
  f();
  return allocations - before;
}
}  // namespace

TEST_CASE("the count can see an allocation", "[allocations]") {
#if COUNT_MALLOC
  CHECK(allocations_of([] { std::free(std::malloc(10'000)); }) >= 1);
  CHECK(allocations_of([] { ::operator delete(::operator new(10'000)); }) >= 1);
  CHECK(allocations_of([] { ::operator delete(::operator new(10'000, std::align_val_t(64)), std::align_val_t(64)); }) >=
        1);
#endif
}

TEST_CASE("a training step of the autoencoder takes nothing from the heap", "[allocations]") {
  rng random{.seed = 1};
  lstm_autoencoder<float> net({.input_size = 1, .hidden_size = 16, .latent_size = 5}, random);
  adam optimizer(net, {.learning_rate = 1e-3});
  tensor<float, 3> x({8, 10, 1});
  random.uniform(x);
  auto const step = [&] {
    tape t;
    auto const loss = mse_loss(net(t(x)), t(x));
    t.backward(loss);
    clip_gradient_norm(net, 1.0);
    optimizer.step();
    return loss.item();
  };
  float const first = step();
  float last = 0;
  CHECK(allocations_of([&] {
          for (int i = 0; i < 100; ++i) last = step();
        }) == 0);
  CHECK(last < first);
}

TEST_CASE("a training step of EmoSynthNet takes nothing from the heap", "[allocations]") {
  rng random{.seed = 2};
  emosynthnet<float> net({.channels = 1, .classes = 3, .size = 16, .width = 1}, random);
  adam optimizer(net, {.learning_rate = 1e-3});
  tensor<float, 4> x({4, 1, 16, 16});
  random.normal(x);
  tensor<std::int64_t, 1> const labels(shape{4}, {0, 1, 2, 0});
  auto const step = [&] {
    tape t;
    t.backward(cross_entropy(net(t(x), training{random}), labels));
    optimizer.step();
  };
  step();
  CHECK(allocations_of([&] {
          for (int i = 0; i < 5; ++i) step();
        }) == 0);
}

TEST_CASE("inference takes nothing from the heap the second time", "[allocations]") {
  rng random{.seed = 1};
  lstm_autoencoder<float> net({.input_size = 2, .hidden_size = 16, .latent_size = 5, .layers = 2}, random);
  tensor<float, 3> x({3, 7, 2}, 0.5F);
  (void)net(x);
  CHECK(allocations_of([&] { (void)net(x); }) == 0);
}

TEST_CASE("transforms take nothing from the heap the second time", "[allocations]") {
  tensor<float, 2> const x({4, 256}, 0.5F);
  tensor<double, 1, scalar> const scales({2}, {4, 8});
  wavelet const w("db4");
  auto const step = [&] {
    tape t;
    auto const v = t.variable(x);
    auto const bands = wavedec(v, w, {.level = 3});
    auto const [a, b] = swt(v, w, 2).back();
    t.backward(sum(square(waverec(bands, w))) + sum(a * b) + sum(stft_power(v, {.n_fft = 64})) +
               sum(scalogram(v, scales)));
    return waverec(wavedec(x, w, {.level = 3}), w);
  };
  (void)step();
  CHECK(allocations_of([&] { (void)step(); }) == 0);
}
