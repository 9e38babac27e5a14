// parallel/convolutions.cpp - convolutions and their gradients, both ways: the same bits with any number of threads
#include <catch.hpp>
#include <limbic/core/random.hpp>
#include <limbic/kernels/conv.hpp>
#include <limbic/nn/fused.hpp>
#include <limbic/ops/elu.hpp>

#include <cstring>

using namespace limbic;

namespace {

struct outcome {
  tensor<float, 4, simd> y, dx, dw;
};
outcome run(shape<4> const& x, shape<4> const& w, std::ptrdiff_t groups, int count) {
  set_threads(count);
  rng random{.seed = 4};
  auto const drawn = [&](shape<4> const& s) {
    tensor<float, 4, simd> t(s, uninitialized);
    random.normal(t);
    return t;
  };
  tensor<float, 4, simd> const image = drawn(x), kernel = drawn(w), gradient = drawn({{x[0], w[0], x[2], x[3]}});
  outcome o{tensor<float, 4, simd>(gradient.shape()), tensor<float, 4, simd>(x), tensor<float, 4, simd>(w)};
  conv_geometry const g{.padding = {{w[2] / 2, w[3] / 2}}, .groups = groups};
  conv(simd{}, as_sink(o.y), as_view(image), as_view(kernel), g);
  conv_input_gradient(simd{}, as_sink(o.dx), as_view(gradient), as_view(kernel), g);
  conv_weight_gradient(simd{}, as_sink(o.dw), as_view(image), as_view(gradient), g);
  set_threads(0);
  return o;
}
bool same_bits(tensor<float, 4, simd> const& a, tensor<float, 4, simd> const& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("convolutions: the same bits with any number of threads") {
  struct {
    shape<4> x, w;
    std::ptrdiff_t groups;
  } const some[] = {{{{9, 40, 14, 15}}, {{48, 40, 3, 3}}, 1},  // the way of Winograd
                    {{{9, 24, 14, 15}}, {{40, 12, 5, 3}}, 2},
                    {{{33, 16, 5, 5}}, {{64, 16, 3, 3}}, 1},  // several images share a tile
                    {{{5, 90, 21, 19}}, {{90, 1, 3, 5}}, 90},
                    {{{1, 8, 60, 70}}, {{32, 8, 3, 3}}, 1}};
  for (auto const& p : some) {
    outcome const one = run(p.x, p.w, p.groups, 1);
    for (int const count : {2, 3, 5}) {
      outcome const many = run(p.x, p.w, p.groups, count);
      CHECK(same_bits(one.y, many.y));
      CHECK(same_bits(one.dx, many.dx));
      CHECK(same_bits(one.dw, many.dw));
    }
  }
}

TEST_CASE("a convolution with what follows it: the same bits with any number of threads", "[threads]") {
  rng random{.seed = 9};
  conv2d<float, simd> const layer(8, 40, 3, random, {.padding = 1});
  batch_norm<float, simd> const norm(40);
  for (auto const& extents : {shape<4>{{3, 8, 33, 35}}, shape<4>{{70, 8, 5, 5}}}) {  // line by line, image by image
    tensor<float, 4, simd> x(extents);
    random.normal(x);
    set_threads(1);
    auto const alone = fused(x, evaluation{}, layer, elu_op{}, norm);
    for (int const count : {2, 4}) {
      set_threads(count);
      CHECK(same_bits(fused(x, evaluation{}, layer, elu_op{}, norm), alone));
    }
    set_threads(0);
  }
}
