// tests/ops.hpp - every op, called once or more: forward and adjoint
//
// Every op of include/limbic/ops, linalg, information and signal stands here under its own name: tools/check_cuda_ops.py compares. ops.cu
// runs the list on a GPU in float and in double, ops_cpu.cpp on the CPU in double. Without a GPU this shows that they
// compile and link; with one, that they agree.
#pragma once

#include "compare.hpp"

#include <limbic/information/mutual_information.hpp>
#include <limbic/linalg/polar.hpp>
#include <limbic/linalg/spectral_function.hpp>
#include <limbic/losses.hpp>
#include <limbic/ops/lstm.hpp>
#include <limbic/ops/ops.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>
#include <limbic/signal.hpp>

namespace compare {

using namespace limbic;

// A host tensor where the variable x is, as a constant.
template <class X, int R> auto constant_like(X const& x, reals<R> const& c) {
  return (*x.owner())(placed<typename X::value_type, typename X::device>(c));
}

template <class Suite> void activations(Suite& s) {
  auto const x = numbers(shape{5, 7}, -4, 4);
  s.check("elu", [](auto const& v) { return elu(v, {.alpha = 0.75}); }, x);
  s.check("gelu", [](auto const& v) { return gelu(v); }, x);
  s.check("leaky_relu", [](auto const& v) { return leaky_relu(v); }, x);
  s.check("relu", [](auto const& v) { return relu(v); }, x);
  s.check("relu6", [](auto const& v) { return relu6(v); }, x);
  s.check("sigmoid", [](auto const& v) { return sigmoid(v); }, x);
  s.check("silu", [](auto const& v) { return silu(v); }, x);
  s.check("softplus", [](auto const& v) { return softplus(v); }, x);
  s.check("tanh", [](auto const& v) { return tanh(v); }, x);
  s.check("softmax", [](auto const& v) { return softmax(v, 0); }, x);
  s.check("log_softmax", [](auto const& v) { return log_softmax(v); }, x);
  s.check(
      "gumbel_softmax",
      [](auto const& v, auto const& u, auto const& t) { return functional::gumbel_softmax(v, u, t, {.axis = 0}); }, x,
      numbers(x.shape(), 0, 1), numbers(shape<0>{}, 0.5, 2));
  s.check(
      "gumbel_softmax",
      [](auto const& v, auto const& u) { return functional::gumbel_softmax(v, u, 0.5, {.hard = true}); }, x,
      numbers(x.shape(), 0, 1));
}

template <class Suite> void arithmetic(Suite& s) {
  auto const x = numbers(shape{3, 4, 5});
  auto const row = numbers(shape{1, 4, 1});
  auto const positive = numbers(shape{3, 4, 5}, 0.5, 3);
  auto const powers = numbers(shape{1, 1, 5});
  auto const mask = numbers(shape{3, 4, 5}, 0, 1);
  s.check("abs", [](auto const& v) { return abs(v); }, x);
  s.check("add", [](auto const& a, auto const& b) { return add(a, b); }, x, row);
  s.check("add_number", [](auto const& v) { return v + 0.75; }, x);
  s.check("hypot", [](auto const& a, auto const& b) { return hypot(a, b); }, row, x);
  s.check("sub", [](auto const& a, auto const& b) { return sub(a, b); }, row, x);
  s.check("subtract_from", [](auto const& v) { return 1 - v; }, x);
  s.check("neg", [](auto const& v) { return -v; }, x);
  s.check("mul", [](auto const& a, auto const& b) { return mul(a, b); }, x, row);
  s.check("mul", [](auto const& v) { return mul(v, v); }, x);  // two sinks, one memory
  s.check("mul_number", [](auto const& v) { return v * 1.5; }, x);
  s.check("square", [](auto const& v) { return square(v); }, x);
  s.check("div", [](auto const& a, auto const& b) { return div(a, b); }, row, positive);
  s.check("div_number", [](auto const& v) { return v / 1.5; }, x);
  s.check("divide_number", [](auto const& v) { return 1.5 / v; }, positive);
  s.check("reciprocal", [](auto const& v) { return reciprocal(v); }, positive);
  s.check("exp", [](auto const& v) { return exp(v); }, x);
  s.check("expm1", [](auto const& v) { return expm1(v); }, x);
  s.check("log", [](auto const& v) { return log(v); }, positive);
  s.check("log1p", [](auto const& v) { return log1p(v); }, positive);
  s.check("sqrt", [](auto const& v) { return sqrt(v); }, positive);
  s.check("pow", [](auto const& a, auto const& b) { return pow(a, b); }, positive, powers);
  s.check("pow_number", [](auto const& v) { return pow(v, 2.5); }, positive);
  s.check("number_pow", [](auto const& v) { return pow(2.5, v); }, x);
  s.check("clamp", [](auto const& v) { return clamp(v, -1, 1.25); }, x);
  s.check("minimum", [](auto const& a, auto const& b) { return minimum(a, b); }, x, row);
  s.check("maximum", [](auto const& a, auto const& b) { return maximum(a, b); }, x, row);
  s.check(
      "where", [](auto const& m, auto const& a, auto const& b) { return where(greater(m, 0.5), a, b); }, mask, x, row);
  s.check("equal", [](auto const& a, auto const& b) { return equal(a, b); }, x, x);
  s.check("less", [](auto const& a, auto const& b) { return less(a, b); }, x, row);
  s.check("less_equal", [](auto const& a, auto const& b) { return less_equal(a, b); }, x, row);
  s.check("greater", [](auto const& a, auto const& b) { return greater(a, b); }, x, row);
  s.check("greater_equal", [](auto const& a, auto const& b) { return greater_equal(a, b); }, x, row);
}

template <class Suite> void reductions(Suite& s) {
  auto const x = numbers(shape{3, 300, 5});
  s.check("sum", [](auto const& v) { return sum(v); }, x);
  s.check("sum", [](auto const& v) { return sum(v, 1); }, x);
  s.check("mean", [](auto const& v) { return mean(v, -1); }, x);
  s.check("max", [](auto const& v) { return max(v); }, x);
  s.check("max", [](auto const& v) { return max(v, 1); }, x);
  s.check("min", [](auto const& v) { return min(v, 1, keepdim); }, x);
  s.check("percentile", [](auto const& v) { return percentile(v, 40, 1); }, x);
  s.check("percentile", [](auto const& v) { return percentile(v, 95); }, x);
  s.check("soft_histogram", [](auto const& v) { return soft_histogram(v, {.bins = 6, .low = -1}, 1); }, x);
  s.check("soft_histogram", [](auto const& v) { return soft_histogram(v, {.low = -1, .bandwidth = 0.5}); }, x);
  s.check("logsumexp", [](auto const& v) { return logsumexp(v, 1); }, x);
  s.check("variance", [](auto const& v) { return variance(v, 1); }, x);
  s.check("standard_deviation", [](auto const& v) { return standard_deviation(v, 1); }, x);
}

template <class Suite> void shapes(Suite& s) {
  auto const x = numbers(shape{3, 4, 5});
  auto const y = numbers(shape{3, 2, 5});
  auto const z = numbers(shape{3, 4, 5});
  s.check("concatenate", [](auto const& a, auto const& b) { return concatenate(1, a, b); }, x, y);
  s.check("stack", [](auto const& a, auto const& b) { return stack(-1, a, b); }, x, z);
  s.check("pad", [](auto const& v) { return pad(v, 1, 2, 1, 0.5); }, x);
  s.check("repeat", [](auto const& v) { return repeat(v, 2, 1, 3); }, x);
  s.check("broadcast_to", [](auto const& v) { return broadcast_to(v, 2, 3, 4, 5); }, x);
  s.check("reshape", [](auto const& v) { return reshape(v, 6, -1); }, x);
  s.check("slice", [](auto const& v) { return slice(v, 2, 1, 5, 2); }, x);
  s.check("select", [](auto const& v) { return select(v, 1, -1); }, x);
  s.check("transpose", [](auto const& v) { return transpose(v); }, x);
  s.check("permute", [](auto const& v) { return permute(v, {{2, 0, 1}}); }, x);
  s.check("index_select", [](auto const& v, auto const& i) { return index_select(v, 1, i); }, x, indices(shape{6}, 4));
}

template <class Suite> void products(Suite& s) {
  auto const a = numbers(shape{67, 33});
  auto const b = numbers(shape{33, 70});
  auto const batch = numbers(shape{3, 6, 5});
  auto const shared = numbers(shape{1, 5, 4});
  auto const x = numbers(shape{2, 7, 5});
  auto const weight = numbers(shape{6, 5});
  auto const bias = numbers(shape{6});
  s.check("matmul", [](auto const& l, auto const& r) { return matmul(l, r); }, a, b);
  s.check("matmul", [](auto const& l, auto const& r) { return matmul(l, r); }, batch, shared);
  s.check(
      "linear", [](auto const& v, auto const& w, auto const& c) { return functional::linear(v, w, c); }, x, weight,
      bias);
  s.check("linear", [](auto const& v, auto const& w) { return functional::linear(v, w); }, x, weight);
  s.check(
      "dropout", [](auto const& v, auto const& n) { return functional::dropout(v, n, 0.25); }, batch,
      numbers(shape{3, 6, 5}, 0, 1));
  s.check("pairwise_squared_distances", [](auto const& v) { return pairwise_squared_distances(v); }, a);
  s.check(
      "pairwise_squared_distances", [](auto const& v, auto const& w) { return pairwise_squared_distances(v, w); }, x,
      numbers(shape{4, 7, 5}));
}

template <class Suite> void convolutions(Suite& s) {
  auto const x = numbers(shape{2, 4, 5, 7}), w = numbers(shape{6, 2, 3, 2}), back = numbers(shape{4, 3, 3, 2});
  auto const b = numbers(shape{6});
  conv_options<2> const o{.stride = {2, 1}, .padding = {2, 1}, .dilation = {1, 2}, .groups = 2};
  s.check("conv2d", [=](auto const&... v) { return functional::conv2d(v..., o); }, x, w, b);
  s.check(
      "conv2d", [=](auto const&... v) { return functional::conv2d(v..., {.padding = same_padding, .groups = 2}); }, x,
      w);
  s.check(
      "conv1d", [](auto const&... v) { return functional::conv1d(v...); }, numbers(shape{2, 3, 8}),
      numbers(shape{4, 3, 3}), numbers(shape{4}));
  conv_transpose_options<2> const up{.stride = {3, 2}, .padding = {1, 0}, .output_padding = {2, 0}, .groups = 2};
  s.check("conv_transpose2d", [=](auto const&... v) { return functional::conv_transpose2d(v..., up); }, x, back, b);
  s.check(
      "conv_transpose1d", [](auto const&... v) { return functional::conv_transpose1d(v..., {.dilation = 2}); },
      numbers(shape{2, 3, 4}), numbers(shape{3, 2, 3}));
}

template <class Suite> void images(Suite& s) {
  auto const x = numbers(shape{2, 3, 9, 8});
  auto const signal = numbers(shape{2, 3, 20});
  s.check("max_pool", [](auto const& v) { return max_pool2d(v, 2); }, x);
  s.check(
      "max_pool",
      [](auto const& v) { return max_pool2d(v, {3, 2}, {.stride = {2, 1}, .padding = 1, .ceil_mode = true}); }, x);
  s.check("max_pool", [](auto const& v) { return max_pool1d(v, 2, {.stride = 3, .dilation = 2}); }, signal);
  s.check("max_pool", [](auto const& v) { return adaptive_max_pool2d(v, {2, 3}); }, x);
  s.check("avg_pool", [](auto const& v) { return avg_pool2d(v, 3, {.stride = 2, .padding = 1}); }, x);
  s.check("avg_pool", [](auto const& v) { return adaptive_avg_pool2d(v, {2, 3}); }, x);
  s.check("avg_pool", [](auto const& v) { return avg_pool1d(v, 2, {.count_include_pad = false}); }, signal);
  s.check("interpolate", [](auto const& v) { return upsample(v, 2); }, x);
  s.check("interpolate", [](auto const& v) { return interpolate(v, {5, 20}, {.mode = interpolation::bilinear}); }, x);
  s.check(
      "interpolate",
      [](auto const& v) { return interpolate(v, 33, {.mode = interpolation::bilinear, .align_corners = true}); },
      signal);
}

// Statistics where the variable x is.
template <class X> auto statistic_like(X const& x, double value) {
  using T = typename X::value_type;
  return tensor<T, 1, typename X::device>(shape<1>{{x.shape()[1]}}, static_cast<T>(value));
}

template <class Suite> void norms(Suite& s) {
  auto const x = numbers(shape{4, 3, 5, 6});
  auto const flat = numbers(shape{40, 3});
  auto const weight = numbers(shape{3});
  auto const bias = numbers(shape{3});
  for (bool const training : {true, false}) {
    auto const norm = [=](auto const& v, auto const&... p) {
      auto mean = statistic_like(v, 0.25), var = statistic_like(v, 1.5);
      return functional::batch_norm(v, mean, var, p..., {.training = training});
    };
    s.check("batch_norm", norm, x, weight, bias);
    s.check("batch_norm", norm, flat);
  }
  s.check(
      "layer_norm",
      [](auto const& v, auto const& w, auto const& b) { return functional::layer_norm(v, w.shape(), w, b); }, x,
      numbers(shape{5, 6}), numbers(shape{5, 6}));
  s.check("layer_norm", [](auto const& v) { return functional::layer_norm(v, shape{6}); }, x);
}

template <class Suite> void sequences(Suite& s) {
  std::ptrdiff_t const steps = 4, batch = 3, inputs = 2, hidden = 5;
  auto const h = numbers(shape{batch, hidden});
  auto const c = numbers(shape{batch, hidden});
  auto const w_ih = numbers(shape{4 * hidden, inputs});
  auto const w_hh = numbers(shape{4 * hidden, hidden});
  auto const b_ih = numbers(shape{4 * hidden});
  auto const b_hh = numbers(shape{4 * hidden});
  s.check(
      "lstm", [](auto const&... v) { return apply(lstm_op{}, v...); }, numbers(shape{steps, batch, inputs}), h, c, w_ih,
      w_hh, b_ih, b_hh);
  s.check(
      "lstm", [](auto const&... v) { return apply(lstm_op{.batch_first = true, .reverse = true}, v...); },
      numbers(shape{batch, steps, inputs}), h, c, w_ih, w_hh, b_ih, b_hh);
  s.check(
      "lstm", [](auto const&... v) { return apply(lstm_op{.steps = 4}, v...); }, numbers(shape{1, batch, inputs}), h, c,
      w_ih, w_hh, b_ih, b_hh);
}

template <class Suite> void losses(Suite& s) {
  auto const x = numbers(shape{6, 5});
  auto const y = numbers(shape{6, 5});
  auto const p = numbers(shape{6, 5}, 0.1, 0.9);
  auto const weight = numbers(shape{5}, 0.5, 2);
  auto const positive = numbers(shape{1, 5}, 0.5, 2);
  s.check("mse_loss", [](auto const& v, auto const& t) { return mse_loss(v, t); }, x, y);
  s.check("l1_loss", [](auto const& v, auto const& t) { return l1_loss(v, t, reduction::sum); }, x, y);
  s.check("smooth_l1_loss", [](auto const& v, auto const& t) { return smooth_l1_loss(v, t); }, x, y);
  s.check("huber_loss", [](auto const& v, auto const& t) { return huber_loss(v, t); }, x, y);
  s.check("kl_div", [](auto const& v, auto const& t) { return kl_div(v, t, reduction::batchmean); }, x, p);
  s.check(
      "binary_cross_entropy_with_logits",
      [](auto const& v, auto const& t) { return binary_cross_entropy_with_logits(v, t, reduction::none); }, x, p);
  s.check(
      "binary_cross_entropy_with_logits",
      [](auto const& v, auto const& t, auto const& w, auto const& q) {
        return binary_cross_entropy_with_logits(v, t, w, q);
      },
      x, p, weight, positive);
  s.check("sigmoid_focal_loss", [](auto const& v, auto const& t) { return sigmoid_focal_loss(v, t); }, x, p);

  auto const scores = numbers(shape{6, 5, 3});
  auto const classes = indices(shape{6, 3}, 5);
  s.check(
      "cross_entropy",
      [](auto const& v, auto const& c) { return cross_entropy(v, c, {.label_smoothing = 0.1, .ignore_index = 2}); },
      scores, classes);
  s.check(
      "cross_entropy",
      [w = weight](auto const& v, auto const& c) {
        return cross_entropy(v, c, constant_like(v, w), {.label_smoothing = 0.1}, reduction::sum);
      },
      scores, classes);
  s.check("cross_entropy", [](auto const& v, auto const& t) { return cross_entropy(v, t); }, x, p);
  s.check("nll_loss", [](auto const& v, auto const& c) { return nll_loss(v, c); }, scores, classes);
  s.check("focal_loss", [](auto const& v, auto const& c) { return focal_loss(v, c); }, scores, classes);
}

template <class Suite> void margins(Suite& s) {
  auto const x = numbers(shape{6, 4});
  auto const w = numbers(shape{5, 4});
  auto const z = numbers(shape{6, 5});
  auto const classes = indices(shape{6}, 5);
  auto const margin = [&](auto const& m) {
    return [m](auto const& v, auto const& u, auto const& c) { return margin_loss(v, u, c, m); };
  };
  s.check("no_margin", margin(no_margin{}), x, w, classes);
  s.check("am_softmax_margin", margin(am_softmax_margin{}), x, w, classes);
  s.check("arcface_margin", margin(arcface_margin{.beyond_pi = beyond_pi::linear}), x, w, classes);
  s.check("sphereface_margin", margin(sphereface_margin{}), x, w, classes);
  s.check("l_softmax_margin", margin(l_softmax_margin{}), x, w, classes);
  s.check("soft_margin", margin(soft_margin{}), x, w, classes);
  s.check("double_additive_margin", margin(double_additive_margin{}), x, w, classes);
  s.check("dynamic_additive_margin", margin(dynamic_additive_margin{}), x, w, classes);
  s.check(
      "pairwise_cosine_similarity", [](auto const& v, auto const& u) { return pairwise_cosine_similarity(v, u); }, x,
      w);
  s.check("mam_softmax", [](auto const& v, auto const& c) { return mam_softmax_loss(v, c); }, z, classes);
}

template <class Suite> void hard_data(Suite& s) {
  auto const x = numbers(shape{6, 5});
  auto const weight = numbers(shape{5}, 1, 3);
  auto const classes = indices(shape{6}, 5);
  auto const score = numbers(shape{6}), answer = numbers(shape{6}, 0, 1);
  s.check(
      "generalized_cross_entropy", [](auto const& v, auto const& c) { return generalized_cross_entropy(v, c); }, x,
      classes);
  s.check(
      "truncated_generalized_cross_entropy",
      [](auto const& v, auto const& c) { return truncated_generalized_cross_entropy(v, c, {.k = 0.2}); }, x, classes);
  s.check(
      "symmetric_cross_entropy", [](auto const& v, auto const& c) { return symmetric_cross_entropy(v, c); }, x,
      classes);
  s.check("active_passive_loss", [](auto const& v, auto const& c) { return active_passive_loss(v, c); }, x, classes);
  s.check(
      "mixed_cross_entropy",
      [](auto const& v, auto const& c) { return mixed_cross_entropy(v, c, {.iteration = 1, .total_iterations = 2}); },
      x, classes);
  s.check(
      "dynamically_weighted_balanced_loss",
      [w = weight](auto const& v, auto const& c) {
        return dynamically_weighted_balanced_loss(v, c, constant_like(v, w));
      },
      x, classes);
  s.check("brier_loss", [](auto const& v, auto const& c) { return brier_loss(v, c); }, x, classes);
  s.check("wrong_norm", [](auto const& v, auto const& c) { return wrong_norm(v, c); }, x, classes);
  s.check(
      "wrong_norm", [](auto const& v, auto const& c) { return wrong_norm(v, c, {weight_form::difference}); }, x,
      classes);
  s.check("small_loss_weights", [](auto const& v) { return small_loss_mean(v, 0.5); }, score);
  s.check(
      "real_world_weighted_cross_entropy",
      [](auto const& v, auto const& t) { return real_world_weighted_cross_entropy(v, t, {.w_fn = 2}); }, score, answer);
  s.check("ramp_loss", [](auto const& v, auto const& t) { return ramp_loss(v, t); }, score, answer);
  s.check("unhinged_loss", [](auto const& v, auto const& t) { return unhinged_loss(v, t); }, score, answer);
}

template <class Suite> void signals(Suite& s) {
  auto const a = numbers(shape{3, 20, 2});
  auto const b = numbers(shape{3, 20, 2});
  s.check("lag_correlation", [](auto const& v, auto const& w) { return lag_correlation(v, w, {.max_lag = 7}); }, a, b);
  s.check(
      "lag_correlation",
      [](auto const& v, auto const& w) {
        return lag_soft_max(lag_correlation(v, w, {.max_lag = 7, .normalization = lag_normalization::full}));
      },
      a, b);
  auto const series = numbers(shape{2, 30});
  for (stft_padding const mode : {stft_padding::reflect, stft_padding::constant})
    s.check("stft", [=](auto const& v) { return stft_magnitude(v, {.n_fft = 9, .pad_mode = mode}); }, series);
  s.check("cwt", [](auto const& v) { return scalogram(v, tensor<double, 1, scalar>({3}, {1.5, 2, 4})); }, series);
  s.check(
      "pair_logits", [](auto const&... v) { return pair_logits(v...); }, numbers(shape{6}), numbers(shape<0>{}),
      numbers(shape<0>{}), numbers(shape<0>{}));
}

template <class Suite> void matrices(Suite& s) {
  auto const samples = numbers(shape{6, 3});
  auto const symmetric = [](auto const& v) { return v + transpose(v); };
  auto const five = numbers(shape{5, 5});
  s.check("eigenvalues_symmetric", [&](auto const& v) { return eigenvalues_symmetric(symmetric(v)); }, five);
  s.check(
      "eigh",
      [&](auto const& v) {
        auto const [values, vectors] = eigh(symmetric(v));
        return matmul(vectors * values, transpose(vectors));  // the signs of vectors are free
      },
      five);
  s.check(
      "spectral_sum", [](auto const& v) { return renyi_entropy(normalized_rbf_gram(v, 1.5), {.alpha = 1.5}); },
      samples);
  s.check(
      "qr",
      [](auto const& v) {
        auto const [q, r] = qr(v);
        return matmul(q, r * r);
      },
      samples);
  s.check("polar", [](auto const& v) { return polar(v); }, samples);
  s.check("spectral_function", [&](auto const& v) { return expm_symmetric(symmetric(v)); }, five);
  s.check("renyi_entropy", [](auto const& v) { return renyi_entropy(normalized_rbf_gram(v, 1.5)); }, samples);
  s.check("rbf_gram", [](auto const& v) { return rbf_gram(v, 1.5); }, samples);
  s.check("normalize_gram", [](auto const& v) { return normalize_gram(exp(v)); }, five);
  s.check("joint", [](auto const& v) { return joint(exp(v), normalized_rbf_gram(v, 1.5)); }, five);
  s.check(
      "mutual_information", [](auto const& v) { return mutual_information(v, square(v), {.sigma = 1.5}); }, samples);
  s.check("shannon_entropy", [](auto const& v) { return shannon_entropy(softmax(v)); }, samples);
}

template <class Suite> void wavelets(Suite& s) {
  auto const x = numbers(shape{2, 9, 3});
  auto const a = numbers(shape{2, 6, 3}), b = numbers(shape{2, 6, 3});
  auto const filters = numbers(shape{4, 6});
  auto const even = numbers(shape{2, 8, 3}), even_too = numbers(shape{2, 8, 3});
  auto const angles = numbers(shape{3});
  auto const levels = numbers(shape{1, 1, 3}, 0.25, 0.75);
  for (int m = 0; m < 9; ++m) {
    auto const mode = static_cast<extension>(m);
    s.check("dwt", [=](auto const& v) { return dwt(v, "db3", {.mode = mode, .axis = 1}); }, x);
    s.check("dwt", [=](auto const& v, auto const& f) { return dwt(v, f, {.mode = mode, .axis = 1}); }, x, filters);
  }
  for (extension const mode : {extension::symmetric, extension::periodization}) {
    std::ptrdiff_t const length = mode == extension::symmetric ? 7 : 11;
    idwt_options const o{.mode = mode, .axis = 1, .length = length};
    s.check("idwt", [=](auto const& v, auto const& w) { return idwt(v, w, "db3", o); }, a, b);
    s.check("idwt", [=](auto const& v, auto const& w, auto const& f) { return idwt(v, w, f, o); }, a, b, filters);
  }
  s.check("swt", [](auto const& v) { return swt(v, "db3", 2, 1)[0]; }, even);
  s.check("swt", [](auto const& v, auto const& f) { return swt(v, f, 2, 1)[0]; }, even, filters);
  s.check(
      "iswt",
      [](auto const& v, auto const& w) {
        return apply(iswt_op<false>{1, 2}, v, w,
                     wavelet("db3").filters<element_of<decltype(v)>, device_of<decltype(v)>>());
      },
      even, even_too);
  s.check(
      "iswt", [](auto const& v, auto const& w, auto const& f) { return apply(iswt_op<true>{1, 2}, v, w, f); }, even,
      even_too, filters);
  s.check("lattice_filters", [](auto const& v) { return lattice_filters(v); }, angles);
  s.check(
      "lattice_filters", [](auto const& v, auto const& w) { return lattice_filters(v, w, {.vanishing_moment = true}); },
      angles, x);
  for (thresholding const kind : {thresholding::soft, thresholding::hard, thresholding::garrote}) {
    s.check("threshold_number", [=](auto const& v) { return threshold(v, 0.5, kind); }, x);
    s.check("threshold", [=](auto const& v, auto const& t) { return threshold(v, t, kind); }, x, levels);
  }
}

template <class Suite> void warping(Suite& s) {
  auto const x = numbers(shape{4, 7, 2}), y = numbers(shape{4, 9, 2}), one = numbers(shape{1, 5, 2});
  auto const costs = numbers(shape{3, 6, 70}, 0, 3);
  auto const pairs = indices(shape{6, 2}, 4);
  s.check("soft_dtw", [](auto const& a, auto const& b) { return soft_dtw(a, b, {.gamma = 0.5, .band = 3}); }, x, y);
  s.check("soft_dtw", [](auto const& a, auto const& b) { return soft_dtw(a, b, {.gamma = 0.1}); }, one, y);
  s.check("dtw", [](auto const& a, auto const& b) { return dtw(a, b); }, x, y);
  s.check("soft_dtw_from_costs", [](auto const& d) { return soft_dtw_from_costs(d, {.gamma = 0.5}); }, costs);
  s.check("dtw_from_costs", [](auto const& d) { return dtw_from_costs(d, {.band = 1}); }, costs);
  s.check("soft_dtw_pairwise", [](auto const& a, auto const& b) { return soft_dtw_pairwise(a, b); }, x, y);
  s.check(
      "soft_dtw_pairwise", [](auto const& a, auto const& b, auto const& p) { return soft_dtw_pairwise(a, b, p); }, x, y,
      pairs);
  s.check("dtw_pairwise", [](auto const& a) { return dtw_pairwise(a, a); }, x);
}

template <class Suite> void all_ops(Suite& s) {
  random_numbers() = rng{.seed = 2026};  // the same inputs for all
  activations(s);
  arithmetic(s);
  reductions(s);
  shapes(s);
  products(s);
  convolutions(s);
  images(s);
  norms(s);
  sequences(s);
  losses(s);
  margins(s);
  hard_data(s);
  signals(s);
  matrices(s);
  wavelets(s);
  warping(s);
}

}  // namespace compare
