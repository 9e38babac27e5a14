// soft-DTW and DTW: gradients against differences, second order, edges, long sequences, threads
#include "soft_dtw_support.hpp"

#include <limbic/ops/pairwise_squared_distances.hpp>
#include <limbic/signal/downsample.hpp>
#include <limbic/tape/gradient_check.hpp>
#include <limbic/tape/hessian.hpp>

#include <algorithm>
#include <cstring>

using namespace limbic;
using warping::series;

namespace {

struct soft {
  soft_dtw_options o;
  template <class X, class Y> auto operator()(X const& x, Y const& y) const { return soft_dtw(x, y, o); }
};
struct hard {
  template <class X, class Y> auto operator()(X const& x, Y const& y) const { return dtw(x, y, {.band = 2}); }
};
struct divergence {
  template <class X, class Y> auto operator()(X const& x, Y const& y) const {
    return soft_dtw_divergence(x, y, {.gamma = 0.5});
  }
};
struct matrix {
  template <class X, class Y> auto operator()(X const& x, Y const& y) const {
    return soft_dtw_pairwise(x, y, {.gamma = 0.5, .band = 2});
  }
};
struct within {
  template <class X> auto operator()(X const& x) const { return soft_dtw_pairwise(x, x, {.gamma = 0.5}); }
};
struct itself {
  template <class X> auto operator()(X const& x) const { return soft_dtw(x, x, {.gamma = 0.5}); }
};
struct from_costs {
  template <class X> auto operator()(X const& costs) const {
    return soft_dtw_from_costs(costs, {.gamma = 0.5, .band = 3});
  }
};
// Any differentiable distance: here |x_i - y_j|^4.
struct other_distance {
  template <class X, class Y> auto operator()(X const& x, Y const& y) const {
    return soft_dtw_from_costs(square(pairwise_squared_distances(x, y)), {.gamma = 0.5});
  }
};
struct shorter {
  template <class X, class Y> auto operator()(X const& x, Y const& y) const {
    return soft_dtw(downsample(x, 3), downsample(y, 3));
  }
};

template <class F, class... X> void check(F const& f, X const&... x) {
  auto const report = check_gradient(f, x...);
  INFO(report.message.view());
  CHECK(report.passed);
}

// Gradients of sum(w soft_dtw) with respect to x and y, as bytes or doubles.
template <class T, class D> std::vector<double> gradients_of(shape<3> const& sx, shape<3> const& sy, double gamma) {
  tape t;
  auto const x = t.variable(series<T, D>(sx, 1)), y = t.variable(series<T, D>(sy, 2));
  t.backward(sum(soft_dtw(x, y, {.gamma = gamma})));
  std::vector<double> all;
  for (auto const& v : {x.gradient(), y.gradient()})
    for (std::ptrdiff_t i = 0; i < v.size(); ++i) all.push_back(static_cast<double>(v.data()[i]));
  return all;
}
// The most bytes that a value and gradient of one pair hold at a time.
struct peak : memory {
  std::size_t now = 0, most = 0;
  void* allocate(std::size_t bytes) override {
    most = std::max(most, now += bytes);
    return host_pool().allocate(bytes);
  }
  void deallocate(void* p, std::size_t bytes) noexcept override {
    now -= bytes;
    host_pool().deallocate(p, bytes);
  }
};
template <class D> double bytes_of(std::ptrdiff_t length, std::ptrdiff_t band) {
  peak all;
  use_memory const use(all);
  {
    tape t;
    auto const x = t.variable(series<float, D>(shape{length, 1}, 1));
    t.backward(soft_dtw(x, series<float, D>(shape{length, 1}, 2), {.gamma = 0.5, .band = band}));
  }
  return static_cast<double>(all.most);
}
double worst(std::vector<double> const& got, std::vector<double> const& want) {  // relative to the largest
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::abs(want[i]));
    error = std::max(error, std::isfinite(got[i]) ? std::abs(got[i] - want[i]) : 1e300);
  }
  return error / largest;
}

}  // namespace

TEMPLATE_TEST_CASE("soft-DTW and DTW: gradients", "", scalar, simd) {
  using D = TestType;
  auto const x = series<double, D>(shape{3, 5, 2}, 1), y = series<double, D>(shape{3, 7, 2}, 2),
             one = series<double, D>(shape{1, 6, 2}, 3);
  check(soft{{.gamma = 1}}, x, y);
  check(soft{{.gamma = 0.1, .band = 1}}, x, y);
  check(soft{{.gamma = 10}}, one, y);
  check(soft{{.gamma = 0.3}}, x, one);
  check(soft{{.gamma = 1}}, series<double, D>(shape{1}, 4), series<double, D>(shape{6}, 5));
  check(soft{{.gamma = 1}}, series<double, D>(shape{5, 3}, 4), series<double, D>(shape{1, 3}, 5));
  check(hard(), x, y);
  check(divergence(), x, y);
  check(matrix(), x, y);
  check(within(), x);
  check(itself(), x);
  check(from_costs(), series<double, D>(shape{2, 6, 7}, 6));
  check(from_costs(), series<double, D>(shape{7, 4}, 6));
  check(other_distance(), series<double, D>(shape{5, 2}, 4), series<double, D>(shape{6, 2}, 5));
  check(shorter(), x, y);
}

TEST_CASE("soft-DTW: gradients of listed pairs that share series") {
  auto const x = series<double, simd>(shape{3, 5, 2}, 1), y = series<double, simd>(shape{4, 4, 2}, 2);
  tensor<std::int64_t, 2> const pairs({5, 2}, {2, 3, 0, 0, 2, 1, 2, 3, 1, 0});
  check([&](auto const& a, auto const& b) { return soft_dtw_pairwise(a, b, pairs, {.gamma = 0.5}); }, x, y);
}

TEST_CASE("soft-DTW: Hessian-vector products are differences of gradients") {
  auto const x = series<double, simd>(shape{2, 12, 2}, 1), v = series<double, simd>(shape{2, 12, 2}, 3);
  auto const y = series<double, simd>(shape{2, 9, 2}, 2);
  auto const examine = [&](auto const& f) {
    auto const hv = hessian_vector_product(f, x, v);
    auto const gradient_at = [&](double step) {
      auto moved = x;
      for (std::ptrdiff_t i = 0; i < x.size(); ++i) moved.data()[i] += step * v.data()[i];
      tape t;
      auto const p = t.variable(moved);
      t.backward(f(p));
      return tensor<double, 3>(p.gradient());
    };
    double const h = 1e-6;
    auto const above = gradient_at(h), below = gradient_at(-h);
    double error = 0;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i)
      error = std::max(error, std::abs(hv.data()[i] - (above.data()[i] - below.data()[i]) / (2 * h)));
    CHECK(error < 1e-7);
  };
  examine([&](auto const& p) { return sum(soft_dtw(p, y, {.gamma = 0.5})); });
  examine([&](auto const& p) { return sum(soft_dtw_pairwise(p, y, {.gamma = 0.5, .band = 1})); });
  examine([&](auto const& p) { return sum(soft_dtw_from_costs(square(p) + 0.1, {.gamma = 0.5})); });
}

TEST_CASE("soft-DTW: gradients in float, and in long sequences computed in blocks") {
  // 170 x 170 shares of a pack do not fit in what is kept at a time; a single lane's do.
  shape<3> const sx{{3, 170, 2}}, sy{{3, 163, 2}};
  for (double const gamma : {0.1, 1.0}) {
    auto const exact = gradients_of<double, scalar>(sx, sy, gamma);
    CHECK(worst(gradients_of<double, simd>(sx, sy, gamma), exact) < 1e-12);
    CHECK(worst(gradients_of<float, simd>(sx, sy, gamma), exact) < 1e-4);
    CHECK(worst(gradients_of<float, scalar>(sx, sy, gamma), exact) < 1e-4);
  }
  // small gamma: what is right is decided by the last bits of costs; finite all the same
  auto const hard_cases = gradients_of<float, simd>({{3, 40, 2}}, {{3, 33, 2}}, 1e-3);
  CHECK(worst(hard_cases, hard_cases) == 0);
}

TEST_CASE("soft-DTW: finite gradients for equal series and ties") {
  for (double const gamma : {1e-6, 1e-3, 1.0, 10.0, 1e6}) {
    tape t;
    auto const x = t.variable(tensor<float, 2>(shape{6, 1}, 1.5F)), y = t.variable(tensor<float, 2>(shape{6, 1}, 1.5F));
    t.backward(soft_dtw(x, y, {.gamma = gamma}));
    for (std::ptrdiff_t i = 0; i < 6; ++i) CHECK((x.gradient()(i, 0) == 0 && y.gradient()(i, 0) == 0));
  }
  // E sums to the expected length of an alignment; of 2 x 2 equal numbers: (2 + 3 + 3) / 3
  tape t;
  auto const costs = t.variable(tensor<double, 2>({2, 2}, {1, 1, 1, 1}));
  t.backward(soft_dtw_from_costs(costs, {.gamma = 1e6}));
  auto const e = costs.gradient();
  CHECK(e(0, 0) == Approx(1));
  CHECK(e(1, 1) == Approx(1));
  CHECK(e(0, 1) == Approx(1.0 / 3));
}

TEST_CASE("soft-DTW: the same bits for 1, 2 and 4 threads, and anywhere in a batch", "[threads]") {
  shape<3> const sx{{50, 40, 2}}, sy{{50, 44, 2}};
  set_threads(1);
  auto const one = gradients_of<float, simd>(sx, sy, 0.5);
  for (int threads : {2, 4}) {
    set_threads(threads);
    CHECK(gradients_of<float, simd>(sx, sy, 0.5) == one);
  }
  set_threads(0);
  // series 37 alone
  auto const x = series<float, simd>(sx, 1), y = series<float, simd>(sy, 2);
  tape t;
  auto const a = t.variable(tensor<float, 2>(x.view()[37])), b = t.variable(tensor<float, 2>(y.view()[37]));
  t.backward(soft_dtw(a, b, {.gamma = 0.5}));
  bool same = true;
  for (std::ptrdiff_t i = 0; i < 80; ++i)
    same = same && static_cast<double>(a.gradient().data()[i]) == one[static_cast<std::size_t>(37 * 80 + i)];
  CHECK(same);
}

TEMPLATE_TEST_CASE("soft-DTW: a band takes memory in proportion to the length, not to its square", "", scalar, simd) {
  double const least = bytes_of<TestType>(2048, 8), most = bytes_of<TestType>(16384, 8);
  CHECK(most < 12 * least);               // of 8 times the length, not 64 times
  CHECK(most < 4.0 * 16384 * 16384 / 8);  // far from a matrix of costs
}
