// A build without a pool: whatever the number of threads, every byte comes from the buffer that the caller named.
#include <limbic/limbic.hpp>
#include <limbic/signal/soft_dtw.hpp>
#include <limbic/signal/stft.hpp>
#include <limbic/signal/swt.hpp>

#include "../catch.hpp"

#include <vector>

static_assert(LIMBIC_POOL == 0);

using namespace limbic;

namespace {

struct buffer {
  explicit buffer(std::size_t size) : bytes(size), from(bytes.data(), size) {}
  std::vector<unsigned char> bytes;
  fixed_buffer from;
};

// Runs a step three times on several threads. Only the first may take what the buffer has not handed out before: how the
// threads meet has no part in it.
template <class Step> void check_memory(Step const& step) {
  set_threads(4);
  buffer room(std::size_t(1) << 28);
  {
    use_memory const use(room.from);
    step();
    std::size_t const untouched = room.from.untouched();
    step();
    step();
    CHECK(room.from.untouched() == untouched);
  }
  set_threads(0);
}

template <int R> tensor<float, R> normal(shape<R> const& extents) {
  rng random{.seed = 4};
  tensor<float, R> x(extents);
  random.normal(x);
  return x;
}

}  // namespace

TEST_CASE("no pool, threads: convolutions of every way, with gradients") {
  struct {
    shape<4> x, w;
    int groups;
  } const some[] = {{{{9, 40, 14, 15}}, {{48, 40, 3, 3}}, 1},    // Winograd
                    {{{9, 144, 9, 15}}, {{160, 144, 3, 3}}, 1},  // Winograd: rows far apart are brought together
                    {{{9, 24, 14, 15}}, {{40, 12, 5, 3}}, 2},    // a product
                    {{{33, 16, 5, 5}}, {{64, 16, 3, 3}}, 1},     // several images share a tile
                    {{{5, 90, 21, 19}}, {{90, 1, 3, 5}}, 90}};   // channel by channel
  for (auto const& p : some)
    check_memory([&] {
      tape t;
      auto const x = t.variable(normal(p.x)), w = t.variable(normal(p.w));
      t.backward(sum(square(functional::conv2d(x, w, {.padding = 1, .groups = p.groups}))));
    });
}

TEST_CASE("no pool, threads: products, rows of other axes, pooling") {
  check_memory([] {
    tape t;
    auto const a = t.variable(normal(shape{300, 520})), b = t.variable(normal(shape{520, 260}));
    t.backward(sum(square(matmul(a, b))) + sum(square(matmul(transpose(b), transpose(a)))));
  });
  check_memory([] {
    tape t;
    auto const x = t.variable(normal(shape{64, 50, 33}));
    t.backward(sum(square(softmax(x, 1))) + sum(square(log_softmax(x, 0))));
  });
  check_memory([] {
    tape t;
    auto const x = t.variable(normal(shape{8, 16, 33, 35}));
    t.backward(sum(max_pool2d(x, 3, {.stride = 2})) + sum(square(avg_pool2d(x, 3, {.stride = 1}))));
  });
}

TEST_CASE("no pool, threads: transforms and soft-DTW") {
  check_memory([] {
    wavelet const w("db4");
    tape t;
    auto const x = t.variable(normal(shape{60, 2048}));
    auto const [a, b] = swt(x, w, 2).back();
    t.backward(sum(square(waverec(wavedec(x, w, {.level = 3}), w))) + sum(a * b) + sum(stft_power(x, {.n_fft = 64})));
  });
  for (std::ptrdiff_t const pairs : {3, 40, 43})
    check_memory([&] {
      tape t;
      auto const x = t.variable(normal(shape<3>{{pairs, 70, 2}})), y = t.variable(normal(shape<3>{{pairs, 80, 2}}));
      t.backward(sum(soft_dtw(x, y)));
    });
}

TEST_CASE("no pool, threads: a buffer that does not hold their rooms is an error of the caller's") {
  buffer small(5000);
  use_memory const use(small.from);
  int pieces = 0;
  auto const loop = [&] {
    parallel_for(
        8, 1, [] { return tensor<float, 1>(shape{512}); },  // 2 KB for each thread
        [&](std::ptrdiff_t, std::ptrdiff_t, tensor<float, 1>&) { ++pieces; });
  };
  set_threads(4);
  CHECK_THROWS_AS(loop(), memory_error);
  CHECK(pieces == 0);
  set_threads(1);
  loop();  // the rooms that had been made were given back
  CHECK(pieces == 8);
  set_threads(0);
}
