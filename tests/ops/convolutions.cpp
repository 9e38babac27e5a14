// Convolutions through the examination, and against the sums that define them.
#include "harness.hpp"

#include <limbic/core/random.hpp>
#include <limbic/ops/conv_transpose.hpp>

using namespace examination;
using namespace limbic;

namespace convolutions {

options const sums{.ulps = 32};

TEST_CASE("conv2d") {
  examine<4, 4, 1>(
      "conv2d", [](auto const& x, auto const& w, auto const& b) { return functional::conv2d(x, w, b, {.padding = 1}); },
      {{at(2, 3, 5, 7), at(4, 3, 3, 3), at(4)},
       {at(1, 1, 1, 1), at(1, 1, 3, 3), at(1)},
       {at(0, 2, 3, 3), at(2, 2, 3, 3), at(2)}},
      sums);
  examine<4, 4>(
      "conv2d with strides, groups and gaps",
      [](auto const& x, auto const& w) {
        return functional::conv2d(x, w, {.stride = {2, 3}, .padding = {2, 1}, .dilation = {2, 1}, .groups = 2});
      },
      {{at(2, 4, 6, 9), at(6, 2, 3, 2)}}, sums);
}

TEST_CASE("conv1d") {
  examine<3, 3, 1>(
      "conv1d",
      [](auto const& x, auto const& w, auto const& b) {
        return functional::conv1d(x, w, b, {.padding = same_padding});
      },
      {{at(2, 3, 11), at(4, 3, 4), at(4)}, {at(1, 1, 1), at(1, 1, 5), at(1)}}, sums);
}

TEST_CASE("transposed convolutions") {
  examine<4, 4, 1>(
      "conv_transpose2d",
      [](auto const& x, auto const& w, auto const& b) {
        return functional::conv_transpose2d(
            x, w, b, {.stride = {2, 1}, .padding = {1, 0}, .output_padding = {1, 0}, .groups = 2});
      },
      {{at(2, 4, 3, 5), at(4, 2, 3, 2), at(4)}, {at(1, 2, 1, 1), at(2, 1, 3, 3), at(2)}}, sums);
  examine<3, 3>(
      "conv_transpose1d",
      [](auto const& x, auto const& w) { return functional::conv_transpose1d(x, w, {.stride = 3, .dilation = 2}); },
      {{at(2, 2, 4), at(2, 3, 2)}}, sums);
}

struct problem {
  shape<4> x, w;
  conv_geometry geometry;
  shape<2> after;  // zeros at the far ends
  shape<4> y() const {
    shape<4> s{{x[0], w[0], 0, 0}};
    for (int i = 0; i < 2; ++i)
      s[2 + i] =
          (x[2 + i] + geometry.padding[i] + after[i] - geometry.dilation[i] * (w[2 + i] - 1) - 1) / geometry.stride[i] +
          1;
    return s;
  }
};

// The defining sum, term by term; each of the three results from the other two operands.
void correlate_plainly(problem const& p, tensor<double, 4> const& x, tensor<double, 4> const& w,
                       tensor<double, 4> const& dy, tensor<double, 4>& y, tensor<double, 4>& dx,
                       tensor<double, 4>& dw) {
  auto const& g = p.geometry;
  std::ptrdiff_t const rows = p.w[0] / g.groups;
  for (std::ptrdiff_t n = 0; n < y.extent(0); ++n)
    for (std::ptrdiff_t o = 0; o < y.extent(1); ++o)
      for (std::ptrdiff_t r = 0; r < y.extent(2); ++r)
        for (std::ptrdiff_t q = 0; q < y.extent(3); ++q)
          for (std::ptrdiff_t c = 0; c < p.w[1]; ++c)
            for (std::ptrdiff_t i = 0; i < p.w[2]; ++i)
              for (std::ptrdiff_t j = 0; j < p.w[3]; ++j) {
                std::ptrdiff_t const a = g.stride[0] * r + g.dilation[0] * i - g.padding[0],
                                     b = g.stride[1] * q + g.dilation[1] * j - g.padding[1], k = o / rows * p.w[1] + c;
                if (a < 0 || b < 0 || a >= p.x[2] || b >= p.x[3]) continue;
                y(n, o, r, q) += w(o, c, i, j) * x(n, k, a, b);
                dx(n, k, a, b) += w(o, c, i, j) * dy(n, o, r, q);
                dw(o, c, i, j) += dy(n, o, r, q) * x(n, k, a, b);
              }
}

double difference(tensor<double, 4> const& a, tensor<double, 4> const& b) {
  double most = 0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
  return most;
}

// Whole numbers of few digits: every plain sum is exact, in whatever order it is taken.
template <class D> void check_against_the_sum(problem const& p, rng& random, double tolerance = 0) {
  auto const drawn = [&](shape<4> const& s) {
    tensor<double, 4, D> t(s, uninitialized);
    random.uniform(t);
    for (double& v : t) v = std::floor(16 * v) - 8;
    return t;
  };
  tensor<double, 4, D> const x = drawn(p.x), w = drawn(p.w), dy = drawn(p.y());
  tensor<double, 4, D> y(dy.shape(), -1), dx(x.shape(), -1), dw(w.shape(), -1);
  auto const plain = [](tensor<double, 4, D> const& t) { return tensor<double, 4>(t.view().on(default_device{})); };
  tensor<double, 4> y2(dy.shape(), 0), dx2(x.shape(), 0), dw2(w.shape(), 0);
  correlate_plainly(p, plain(x), plain(w), plain(dy), y2, dx2, dw2);
  for (bool const add : {false, true}) {  // the second time the same comes on top
    conv(D{}, sink<double, 4, D>(y.view(), add), as_view(x), as_view(w), p.geometry);
    conv_input_gradient(D{}, sink<double, 4, D>(dx.view(), add), as_view(dy), as_view(w), p.geometry);
    conv_weight_gradient(D{}, sink<double, 4, D>(dw.view(), add), as_view(x), as_view(dy), p.geometry);
  }
  for (auto* t : {&y2, &dx2, &dw2})
    for (double& v : *t) v *= 2;
  CHECK(difference(plain(y), y2) <= tolerance);
  CHECK(difference(plain(dx), dx2) <= tolerance);
  CHECK(difference(plain(dw), dw2) <= tolerance);
}

TEST_CASE("kernels, strides, paddings, gaps and groups are the sum that defines them") {
  rng random{.seed = 9};
  for (std::ptrdiff_t const stride : {1, 2, 3})
    for (std::ptrdiff_t const padding : {0, 1, 4})
      for (std::ptrdiff_t const dilation : {1, 2, 3})
        for (std::ptrdiff_t const kernel : {1, 2, 3})
          for (std::ptrdiff_t const groups : {1, 2, 4}) {
            problem const p{
                {{2, 4, 8, 9}},
                {{8, 4 / groups, kernel, 3}},
                {.stride = {{stride, 2}}, .padding = {{padding, 1}}, .dilation = {{dilation, 1}}, .groups = groups},
                {{padding, 2}}};
            check_against_the_sum<scalar>(p, random);
            check_against_the_sum<simd>(p, random);
          }
}

TEST_CASE("many channels, many pixels, one pixel: blocks, tiles and their ragged ends") {
  rng random{.seed = 10};
  problem const some[] = {{{{2, 70, 13, 15}}, {{101, 70, 3, 3}}, {.padding = {{1, 1}}}, {{1, 1}}},
                          {{{1, 150, 17, 16}}, {{100, 150, 1, 1}}, {}, {{0, 0}}},
                          {{{3, 5, 1, 300}}, {{7, 5, 1, 11}}, {.padding = {{0, 5}}}, {{0, 5}}},
                          {{{9, 33, 1, 1}}, {{65, 33, 1, 1}}, {}, {{0, 0}}},
                          {{{1, 2, 40, 40}}, {{3, 2, 11, 11}}, {.stride = {{4, 4}}}, {{0, 0}}}};
  for (auto const& p : some) {
    check_against_the_sum<scalar>(p, random);
    check_against_the_sum<simd>(p, random);
  }
}

TEST_CASE("a channel in each group, and several results of it: narrow, wide, high and low planes") {
  rng random{.seed = 13};
  problem const some[] = {
      {{{2, 5, 9, 14}}, {{10, 1, 3, 3}}, {.padding = {{1, 1}}, .groups = 5}, {{1, 1}}},
      {{{1, 3, 7, 35}}, {{3, 1, 5, 3}}, {.stride = {{2, 1}}, .padding = {{2, 0}}, .groups = 3}, {{1, 0}}},
      {{{3, 4, 1, 16}}, {{4, 1, 1, 4}}, {.padding = {{0, 3}}, .dilation = {{1, 2}}, .groups = 4}, {{0, 3}}},
      {{{2, 6, 12, 3}}, {{6, 1, 2, 3}}, {.padding = {{0, 1}}, .groups = 6}, {{1, 1}}},
      {{{1, 2, 6, 8}}, {{2, 1, 1, 1}}, {.groups = 2}, {{0, 0}}}};
  for (auto const& p : some) check_against_the_sum<simd>(p, random);
}

TEST_CASE("3 x 3 kernels between many channels: the way of Winograd") {
  rng random{.seed = 11};
  for (std::ptrdiff_t const padding : {0, 1, 2, 4}) {  // 4: rows of nothing but zeros, and a crop on the way back
    problem const p{{{3, 37, 15, 17}}, {{45, 37, 3, 3}}, {.padding = {{padding, 1}}}, {{padding, 2}}};
    check_against_the_sum<simd>(p, random, 1e-7);
  }
  check_against_the_sum<simd>({{{20, 32, 6, 7}}, {{32, 32, 3, 3}}, {.padding = {{1, 1}}}, {{1, 1}}}, random, 1e-7);
}

TEST_CASE("the way of Winograd in float, beside the plain sum in double") {
  rng random{.seed = 12};
  shape<4> const images{{4, 64, 14, 14}}, kernels{{48, 64, 3, 3}}, results{{4, 48, 14, 14}};
  conv_geometry const g{.padding = {{1, 1}}};
  auto const drawn = [&](shape<4> const& s) {
    tensor<float, 4, simd> t(s, uninitialized);
    random.normal(t);
    return t;
  };
  tensor<float, 4, simd> const x = drawn(images), w = drawn(kernels), dy = drawn(results);
  tensor<float, 4, simd> y(results), dx(images), dw(kernels);
  conv(simd{}, as_sink(y), as_view(x), as_view(w), g);
  conv_input_gradient(simd{}, as_sink(dx), as_view(dy), as_view(w), g);
  conv_weight_gradient(simd{}, as_sink(dw), as_view(x), as_view(dy), g);
  auto const precise = [](tensor<float, 4, simd> const& t) {
    tensor<double, 4, scalar> d(t.shape(), uninitialized);
    for (std::ptrdiff_t i = 0; i < t.size(); ++i) d.data()[i] = static_cast<double>(t.data()[i]);
    return d;
  };
  tensor<double, 4, scalar> const x2 = precise(x), w2 = precise(w), dy2 = precise(dy);
  tensor<double, 4, scalar> y2(results), dx2(images), dw2(kernels);
  conv(scalar{}, as_sink(y2), as_view(x2), as_view(w2), g);
  conv_input_gradient(scalar{}, as_sink(dx2), as_view(dy2), as_view(w2), g);
  conv_weight_gradient(scalar{}, as_sink(dw2), as_view(x2), as_view(dy2), g);
  auto const error = [&](tensor<float, 4, simd> const& got, tensor<double, 4, scalar> const& expected) {
    double sum = 0, size = 0;
    for (std::ptrdiff_t i = 0; i < got.size(); ++i) {
      double const e = expected.data()[i], d = static_cast<double>(got.data()[i]) - e;
      sum += d * d;
      size += e * e;
    }
    return std::sqrt(sum / size);
  };
  for (double const e : {error(y, y2), error(dx, dx2), error(dw, dw2)}) {
    CHECK(e < 3e-6);
    CHECK(e > 3e-7);  // a plain sum would be below: this way was taken
  }
}

TEST_CASE("convolutions that cannot be") {
  tensor<float, 4> const x(shape<4>{{2, 4, 5, 5}}), w(shape<4>{{6, 2, 3, 3}}), large(shape<4>{{6, 4, 7, 3}});
  CHECK_THROWS_WITH(functional::conv2d(x, w),
                    "[conv2d] a weight of shape (6, 2, 3, 3) in 1 groups does not fit x (2, 4, 5, 5): expected (a "
                    "multiple of the groups, channels / groups, kernel)");
  CHECK_THROWS_AS(functional::conv2d(x, w, tensor<float, 1>({5}), {.groups = 2}), shape_error);
  CHECK_THROWS_WITH(functional::conv2d(x, large, {.padding = {0, 1}}),
                    "[conv2d] a kernel of shape (6, 4, 7, 3) reaches over 7 elements, the padded axis 2 of x (2, 4, 5, "
                    "5) has 5");
  CHECK_THROWS_AS(functional::conv2d(x, w, {.stride = 0, .groups = 2}), argument_error);
  CHECK_THROWS_AS(functional::conv2d(x, w, {.padding = -2, .groups = 2}), argument_error);
  CHECK_THROWS_AS(functional::conv2d(x, w, {.stride = 2, .padding = same_padding, .groups = 2}), argument_error);
  CHECK_THROWS_AS(functional::conv_transpose2d(x, w), shape_error);
  tensor<float, 4> const back(shape<4>{{4, 2, 3, 3}});
  CHECK_THROWS_AS(functional::conv_transpose2d(x, back, {.stride = 2, .output_padding = 2}), argument_error);
  CHECK_THROWS_AS(functional::conv_transpose2d(x, back, {.padding = 4}), shape_error);
  tensor<float, 4> y(shape<4>{{2, 6, 3, 3}});
  CHECK_THROWS_AS(conv(default_device{}, as_sink(y), as_view(x), as_view(w)), shape_error);
}

}  // namespace convolutions
