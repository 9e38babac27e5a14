// A convolution with what follows it: in one pass, and with a batch norm in its weights, both against layer after layer.
#include <limbic/core/visit.hpp>
#include <limbic/nn/fold.hpp>
#include <limbic/nn/fused.hpp>
#include <limbic/ops/elu.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/tape/record.hpp>

#include "../catch.hpp"

#include <cmath>
#include <limits>
#include <string>

using namespace limbic;

namespace {

template <class T> constexpr double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-12;

// Both are NaN in the same places and else close, measured by the largest element of b.
template <class A, class B> void check_close(A const& a, B const& b, double most) {
  REQUIRE(a.shape() == b.shape());
  double scale = 1, difference = 0;
  int nans = 0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    double const u = static_cast<double>(a.data()[i]), v = static_cast<double>(b.data()[i]);
    if (std::isnan(u) != std::isnan(v)) ++nans;
    if (std::isnan(v)) continue;
    scale = std::fmax(scale, std::fabs(v));
    difference = std::fmax(difference, std::fabs(u - v));
  }
  CHECK(nans == 0);
  CHECK(difference <= most * scale);
}

// A norm that has seen something.
template <class T> batch_norm<T> used_norm(std::ptrdiff_t channels, bool affine, rng& random) {
  batch_norm<T> norm(channels, {.eps = 1e-3, .affine = affine});
  random.normal(norm.running_mean, T(0.5), T(2));
  random.uniform(norm.running_var, T(0.2), T(3));
  if (affine) {
    random.normal(norm.weight.value, T(-0.5), T(1));
    random.normal(norm.bias.value);
  }
  return norm;
}

template <class T, int R> tensor<T, R> some(shape<R> const& extents, rng& random) {
  tensor<T, R> x(extents);
  random.normal(x);
  return x;
}

template <class Layer, class T, int R>
void check_fold(Layer const& layer, tensor<T, R> const& x, std::ptrdiff_t channels, bool affine, rng& random) {
  auto const norm = used_norm<T>(channels, affine, random);
  Layer const before = layer, both = fold(layer, norm);
  CHECK(both.bias.size() == channels);
  check_close(both(x), norm(layer(x), evaluation{}), tolerance<T>);
  check_close(layer.weight.value, before.weight.value, 0);
  CHECK(layer.bias.size() == before.bias.size());
  auto const other = used_norm<T>(channels + 1, affine, random);
  CHECK_THROWS_AS(fold(layer, other), shape_error);
}

template <class Layer, class T, int R>
void check_fused(Layer const& layer, tensor<T, R> const& x, bool affine, rng& random) {
  auto const norm = used_norm<T>(layer(x).shape()[1], affine, random);
  evaluation const use;
  elu_op const bent{.alpha = 0.75};
  check_close(fused(x, layer, relu_op{}), relu(layer(x)), tolerance<T>);
  check_close(fused(x, use, layer, bent, norm), norm(elu(layer(x), bent), use), tolerance<T>);
  check_close(fused(x, use, layer, norm, bent), elu(norm(layer(x), use), bent), tolerance<T>);
  CHECK(norm.num_batches_tracked() == 0);
}

template <class T> void check_images() {
  rng random{.seed = 11};
  conv2d<T> const plain(2, 5, 3, random, {.padding = same_padding}), bare(2, 5, 3, random, {.bias = false});
  conv2d<T> const grouped(4, 6, {3, 2}, random, {.stride = {2, 1}, .padding = 1, .groups = 2});
  conv2d<T> const depthwise(6, 6, 3, random, {.padding = 1, .groups = 6}), wide(32, 33, 3, random, {.padding = 1});
  for (auto const& size : {shape<2>{{7, 5}}, shape<2>{{3, 3}}, shape<2>{{16, 19}}})
    for (std::ptrdiff_t const images : {0, 1, 3, 20}) {
      CAPTURE(size[0], images);
      check_fused(plain, some<T>(shape{images, 2, size[0], size[1]}, random), true, random);
      check_fused(bare, some<T>(shape{images, 2, size[0], size[1]}, random), false, random);
      check_fused(grouped, some<T>(shape{images, 4, size[0], size[1]}, random), true, random);
      check_fused(depthwise, some<T>(shape{images, 6, size[0], size[1]}, random), true, random);
    }
  check_fused(wide, some<T>(shape{2, 32, 17, 18}, random), true, random);  // Winograd's way
}

}  // namespace

TEST_CASE("fold: a batch norm in the weights of the layer before it") {
  rng random{.seed = 3};
  auto const x = some<double>(shape{3, 4, 7, 5}, random);
  for (bool const bias : {true, false})
    for (bool const affine : {true, false}) {
      CAPTURE(bias, affine);
      conv2d<double> const plain(4, 6, 3, random, {.padding = same_padding, .bias = bias});
      conv2d<double> const grouped(4, 6, {3, 2}, random, {.stride = 2, .padding = 1, .groups = 2, .bias = bias});
      check_fold(plain, x, 6, affine, random);
      check_fold(grouped, x, 6, affine, random);
      conv_transpose2d<double> const up(4, 6, 3, random, {.stride = 2, .groups = 2, .bias = bias});
      check_fold(up, x, 6, affine, random);
    }
  check_fold(conv1d<double>(4, 3, 5, random), some<double>(shape{2, 4, 9}, random), 3, true, random);
  check_fold(conv_transpose1d<double>(4, 3, 5, random), some<double>(shape{2, 4, 9}, random), 3, true, random);
  check_fold(linear<double>(4, 3, random, {.bias = false}), some<double>(shape{5, 4}, random), 3, true, random);
  conv2d<float> const single(4, 6, 3, random);
  check_fold(single, some<float>(shape{2, 4, 6, 6}, random), 6, true, random);
  CHECK_THROWS_WITH(fold(single, batch_norm<float>(4)), "[fold] a batch norm of 4 channels came behind a layer with 6");
}

TEST_CASE("fused: what layer after layer computes, of images") {
  check_images<float>();
  check_images<double>();
}

TEST_CASE("fused: signals, transposed convolutions, views") {
  rng random{.seed = 4};
  check_fused(conv1d<double>(3, 4, 5, random), some<double>(shape{2, 3, 21}, random), true, random);
  check_fused(conv_transpose2d<double>(3, 4, 3, random, {.stride = 2, .bias = false}),
              some<double>(shape{2, 3, 5, 4}, random), true, random);
  conv2d<double> const layer(3, 4, 3, random);
  auto const norm = used_norm<double>(4, true, random);
  auto const x = some<double>(shape{2, 6, 5, 3}, random);
  auto const window = x.view().permute({{0, 3, 1, 2}});
  check_close(fused(window, evaluation{}, layer, elu_op{}, norm), norm(elu(layer(window)), evaluation{}), 1e-12);
  CHECK_THROWS_AS(fused(window, evaluation{}, layer, elu_op{}, batch_norm<double>(3)), shape_error);
  CHECK_THROWS_AS(fused(window, evaluation{}, layer, batch_norm<double>(5), elu_op{}), shape_error);
}

TEST_CASE("fused: NaN and infinity come out where they did") {
  rng random{.seed = 5};
  conv2d<float> layer(2, 5, 3, random, {.padding = same_padding});
  auto norm = used_norm<float>(5, true, random);
  auto x = some<float>(shape{2, 2, 7, 6}, random);
  float const nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  auto const same = [&] {
    evaluation const use;
    check_close(fused(x, layer, relu_op{}), relu(layer(x)), 1e-5);
    auto const a = fused(x, use, layer, elu_op{}, norm), b = norm(elu(layer(x)), use);
    int differ = 0, infinite = 0, nans = 0;
    for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
      float const u = a.data()[i], v = b.data()[i];
      infinite += std::isinf(v) ? 1 : 0;
      nans += std::isnan(v) ? 1 : 0;
      if (std::isinf(u) != std::isinf(v) || std::isnan(u) != std::isnan(v)) ++differ;
    }
    CHECK(differ == 0);
    return infinite + 1000 * nans;
  };
  CHECK(same() == 0);
  x(0, 1, 3, 3) = nan;
  CHECK(same() == 5 * 9 * 1000);
  x(1, 0, 2, 2) = -infinity;
  CHECK(same() > 5 * 9 * 1000);
  layer.bias.value(2) = nan;
  CHECK(same() >= (2 * 42 + 4 * 9) * 1000);
  norm.running_var(0) = -1;
  CHECK(same() >= (2 * 2 * 42) * 1000);
}

TEST_CASE("fused: variables and training take the layers one after another") {
  rng random{.seed = 6};
  conv2d<double> const layer(2, 3, 3, random, {.padding = 1});
  auto const x = some<double>(shape{4, 2, 5, 6}, random);
  auto const gradients = [&](auto const& call) {
    clear_gradients(layer);
    tape t;
    auto const v = t.variable(x);
    auto const y = call(v);
    t.backward(sum(y));
    return std::tuple(tensor<double, 4>(y.value()), tensor<double, 4>(v.gradient()),
                      tensor<double, 4>(layer.weight.gradient()));
  };
  auto const start = used_norm<double>(3, true, random);
  auto const check = [&](auto mode, bool norm_first) {
    batch_norm<double> const one = start, two = start;
    auto const a = gradients([&](auto const& v) {
      return norm_first ? fused(v, mode, layer, one, elu_op{}) : fused(v, mode, layer, elu_op{}, one);
    });
    auto const b =
        gradients([&](auto const& v) { return norm_first ? elu(two(layer(v), mode)) : two(elu(layer(v)), mode); });
    check_close(std::get<0>(a), std::get<0>(b), 0);
    check_close(std::get<1>(a), std::get<1>(b), 0);
    check_close(std::get<2>(a), std::get<2>(b), 0);
    check_close(one.running_mean, two.running_mean, 0);
    check_close(one.running_var, two.running_var, 0);
    CHECK(one.num_batches_tracked() == two.num_batches_tracked());
    // And without a tape.
    check_close(fused(x, mode, layer, one, elu_op{}), elu(two(layer(x), mode)), 1e-12);
    CHECK(one.num_batches_tracked() == two.num_batches_tracked());
  };
  for (bool const norm_first : {true, false}) {
    check(evaluation{}, norm_first);
    check(training{random}, norm_first);
  }
  auto const a = gradients([&](auto const& v) { return fused(v, layer, relu_op{}); });
  auto const b = gradients([&](auto const& v) { return relu(layer(v)); });
  check_close(std::get<2>(a), std::get<2>(b), 0);
}
