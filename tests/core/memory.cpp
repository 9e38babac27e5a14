// Memory resources: the pool, the caller's buffer, and which one a thread uses.
#include <limbic/core/tensor.hpp>

#include "../catch.hpp"

#include <thread>
#include <vector>

using namespace limbic;

TEST_CASE("the pool gives a freed block back for any size of its bucket", "[memory]") {
  memory& pool = host_pool();
  for (std::size_t bytes :
       {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{1000}, std::size_t{4096}, std::size_t{100'000}}) {
    void* const p = pool.allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(p) % alignment == 0);
    std::memset(p, 0xAB, bytes);
    pool.deallocate(p, bytes);
    void* const q = pool.allocate(bytes);
    CHECK(p == q);
    pool.deallocate(q, bytes);
  }
}

TEST_CASE("every size fits its bucket, with at most a quarter lost", "[memory]") {
  std::vector<unsigned char> bytes(1 << 20);
  for (std::size_t n = 1; n < 3000; n += 7) {
    fixed_buffer buffer(bytes.data(), bytes.size());
    std::size_t const before = buffer.untouched();
    void* const p = buffer.allocate(n);
    std::size_t const taken = before - buffer.untouched();
    CHECK(taken >= n);
    CHECK(taken <= (n < 64 ? 64 : n + n / 4 + 64));
    buffer.deallocate(p, n);
    CHECK(buffer.allocate(n) == p);
  }
}

TEST_CASE("tensors come from a fixed buffer and go back to it", "[memory]") {
  alignas(64) static unsigned char bytes[4096];
  fixed_buffer buffer(bytes, sizeof bytes);
  tensor<float, 1> outlives;
  {
    use_memory use(buffer);
    tensor<float, 1> const a({100});
    CHECK(reinterpret_cast<unsigned char const*>(a.data()) >= bytes);
    CHECK(reinterpret_cast<unsigned char const*>(a.data()) < bytes + sizeof bytes);
    for (int i = 0; i < 1000; ++i) tensor<float, 1> const again({100});
    outlives = tensor<float, 1>({10});
    CHECK_THROWS_AS((tensor<float, 1>({2000})), memory_error);
    std::thread([] {
      tensor<float, 1> const other({10});  // another thread has its own choice
      CHECK((reinterpret_cast<unsigned char const*>(other.data()) < bytes ||
             reinterpret_cast<unsigned char const*>(other.data()) >= bytes + sizeof bytes));
    }).join();
  }
  tensor<float, 1> const pooled({100});
  CHECK((reinterpret_cast<unsigned char const*>(pooled.data()) < bytes ||
         reinterpret_cast<unsigned char const*>(pooled.data()) >= bytes + sizeof bytes));
  outlives = tensor<float, 1>();  // back to the buffer, although it is no longer the current memory
  CHECK(outlives.size() == 0);
}

TEST_CASE("an unaligned buffer is aligned first", "[memory]") {
  alignas(64) static unsigned char bytes[1024];
  fixed_buffer buffer(bytes + 1, 1000);
  void* const p = buffer.allocate(10);
  CHECK(reinterpret_cast<std::uintptr_t>(p) % 64 == 0);
  fixed_buffer tiny(bytes + 1, 10);
  CHECK_THROWS_AS(tiny.allocate(1), memory_error);
}

TEST_CASE("tensors may be freed by another thread than made them", "[memory]") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 2000; ++i) {
        tensor<float, 1> a(shape{1 + i % 500}, static_cast<float>(i));
        tensor<float, 1> b = std::move(a);
        if (b(0) != static_cast<float>(i)) std::abort();
      }
    });
  for (auto& t : threads) t.join();
}
