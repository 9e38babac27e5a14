// Batches prepared on a thread are those prepared without one; errors arrive, and nothing hangs.
#include "catch.hpp"

#include <limbic/data/augment.hpp>
#include <limbic/data/prefetch.hpp>

#include <atomic>
#include <chrono>
#include <cstring>

using namespace limbic;

namespace {

struct labelled_batch {
  tensor<float, 4> x;
  tensor<std::int64_t, 1> y;
};

struct data_source {
  tensor<std::uint8_t, 4> images;
  tensor<std::int64_t, 1> labels;
  batches order;
  rng stream;

  data_source() : images(shape<4>{{50, 1, 9, 8}}), labels(shape<1>{{50}}), order(50, 8), stream{.seed = 4} {
    for (auto& v : images) v = static_cast<std::uint8_t>(stream.below(256));
    for (std::ptrdiff_t i = 0; i < 50; ++i) labels(i) = i % 10;
  }
  labelled_batch make(std::ptrdiff_t i, std::uint64_t epoch) const {
    return {augment(images, order[i], {.pad = 1, .erase = 0.5}, stream.split(epoch)), take(labels, order[i])};
  }
};

bool same_bits(labelled_batch const& a, labelled_batch const& b) {
  return a.x.shape() == b.x.shape() && a.y.shape() == b.y.shape() &&
         std::memcmp(a.x.data(), b.x.data(), static_cast<std::size_t>(a.x.size()) * sizeof(float)) == 0 &&
         std::equal(a.y.begin(), a.y.end(), b.y.begin());
}

}  // namespace

TEST_CASE("prefetched batches are the same bits, in the same order", "[threads]") {
  data_source source;
  rng shuffling{.seed = 9};
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    source.order.shuffle(shuffling);
    prefetch next(source.order.size(), [&](std::ptrdiff_t i) { return source.make(i, epoch); });
    std::ptrdiff_t i = 0;
    while (auto* const batch = next()) {
      REQUIRE(same_bits(*batch, source.make(i++, epoch)));
      batch->x(0, 0, 0, 0) = -1;  // the batch is the caller's
    }
    CHECK(i == source.order.size());
    CHECK(next() == nullptr);
  }
  prefetch none(0, [](std::ptrdiff_t i) { return i; });
  CHECK(none() == nullptr);
  CHECK_THROWS_AS(prefetch(-1, [](std::ptrdiff_t i) { return i; }), argument_error);
}

TEST_CASE("prefetch: batches are made ahead, by two at most", "[threads]") {
  std::atomic<int> made = 0;
  prefetch next(100, [&](std::ptrdiff_t i) {
    ++made;
    return i;
  });
  for (int taken = 0; taken < 100; ++taken) {
    REQUIRE(made <= taken + 2);
    REQUIRE(*next() == taken);
  }
  // Without anybody asking: the first two.
  made = 0;
  prefetch ahead(100, [&](std::ptrdiff_t i) {
    ++made;
    return i;
  });
  auto const late = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (made < 2 && std::chrono::steady_clock::now() < late) std::this_thread::yield();
  CHECK(made == 2);
}

TEST_CASE("prefetch: an error comes where its batch would, after those before it", "[threads]") {
  prefetch next(10, [](std::ptrdiff_t i) {
    if (i == 3) fail<io_error>("make", "batch ", i, " cannot be read");
    return i;
  });
  for (std::ptrdiff_t i = 0; i < 3; ++i) REQUIRE(*next() == i);
  CHECK_THROWS_AS(next(), io_error);
  CHECK_THROWS_AS(next(), io_error);
}

TEST_CASE("prefetch: destroyed at any moment", "[threads]") {
  for (int taken = 0; taken < 4; ++taken)
    for (int repeat = 0; repeat < 50; ++repeat) {
      prefetch next(3, [](std::ptrdiff_t i) { return tensor<float, 1>(shape<1>{{100 + i}}); });
      for (int i = 0; i < taken; ++i) REQUIRE(next() != nullptr);
    }
  for (int repeat = 0; repeat < 50; ++repeat)
    prefetch fails(3, [](std::ptrdiff_t i) -> std::ptrdiff_t { fail<io_error>("make", "batch ", i); });
}
