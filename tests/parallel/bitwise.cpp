// Results do not depend on the number of threads, and threads that work side by side share nothing but the pool.
// The thread sanitizer runs this folder; the sizes lie above the grain from which a verb uses threads.
#include "catch.hpp"

#include <limbic/core/random.hpp>
#include <limbic/ops/elu.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic/tape/record.hpp>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

template <class T, int R, class D> void append(std::vector<unsigned char>& to, limbic::view<T const, R, D> v) {
  auto const* const first = reinterpret_cast<unsigned char const*>(v.data());
  to.insert(to.end(), first, first + static_cast<std::size_t>(v.size()) * sizeof(T));
}

// The bytes of the values and of all gradients of softmax(elu(x w + b)).
template <class T, class D> std::vector<unsigned char> train_once(std::ptrdiff_t rows, std::uint64_t seed) {
  limbic::rng random{.seed = seed};
  limbic::tensor<T, 2, D> x(limbic::shape<2>{{rows, 150}});
  limbic::parameter<T, 2, D> w(limbic::shape<2>{{150, 130}});
  random.normal(x);
  random.normal(w.value);
  limbic::tape t;
  auto const input = t.variable(x);
  auto const y = limbic::softmax(limbic::elu(limbic::matmul(input, w)));
  limbic::tensor<T, 2, D> slope(y.shape());
  random.normal(slope);
  t.backward(y, slope);
  std::vector<unsigned char> bytes;
  append(bytes, y.value());
  append(bytes, input.gradient());
  append(bytes, w.gradient());
  return bytes;
}

}  // namespace

TEMPLATE_TEST_CASE("results are the same bits for 1, 2 and 4 threads", "[threads]", limbic::scalar, limbic::simd) {
  limbic::set_threads(1);
  auto const of_float = train_once<float, TestType>(700, 5);
  auto const of_double = train_once<double, TestType>(300, 6);
  for (int threads : {2, 4}) {
    limbic::set_threads(threads);
    CHECK(train_once<float, TestType>(700, 5) == of_float);
    CHECK(train_once<double, TestType>(300, 6) == of_double);
  }
  limbic::set_threads(0);
}

TEST_CASE("a matrix times a vector is the same bits for 1, 2 and 3 threads", "[threads]") {
  using namespace limbic;
  rng random{.seed = 3};
  tensor<float, 2> rows({1500, 260}), columns({260, 1500}), x({260, 1});
  random.normal(rows);
  random.normal(columns);
  random.normal(x);
  auto const product = [&](int threads, view<float const, 2> a) {
    set_threads(threads);
    std::vector<unsigned char> bytes;
    append(bytes, as_view(matmul(a, x)));
    return bytes;
  };
  for (view<float const, 2> const a : {as_view(rows), as_view(columns).transpose()})
    for (int threads : {2, 3}) CHECK(product(threads, a) == product(1, a));
  set_threads(0);
}

TEST_CASE("models trained in threads side by side equal those trained one after another", "[threads]") {
  limbic::set_threads(1);
  std::vector<std::vector<unsigned char>> alone, together(4);
  for (std::uint64_t i = 0; i < 4; ++i) alone.push_back(train_once<float, limbic::default_device>(64, i));
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i)
    threads.emplace_back([i, &together] {
      for (int again = 0; again < 3; ++again) together[i] = train_once<float, limbic::default_device>(64, i);
    });
  for (auto& thread : threads) thread.join();
  CHECK(together == alone);
  limbic::set_threads(0);
}

TEST_CASE("memory may be given back by another thread than the one that took it", "[threads]") {
  std::vector<std::unique_ptr<limbic::tensor<float, 1>>> tensors(64);
  std::thread maker([&] {
    for (std::size_t i = 0; i < tensors.size(); ++i)
      tensors[i] =
          std::make_unique<limbic::tensor<float, 1>>(limbic::shape<1>{{static_cast<std::ptrdiff_t>(100 * i)}}, 1.0F);
  });
  maker.join();
  float sum = 0;
  for (auto& t : tensors) {
    for (float x : *t) sum += x;
    t.reset();
  }
  CHECK(sum == 100.0F * 63 * 64 / 2);
}
