// tests/ops.cu - forward and adjoint of every op on a GPU, in float and in double, against the CPU
//
// Every op of include/limbic/ops and linalg stands here under its own name: tools/check_cuda_ops.py compares. Without a
// GPU this shows that they compile and link; with one, that they agree.
#include "compare.hpp"

#include <limbic/ops/losses.hpp>
#include <limbic/ops/lstm.hpp>
#include <limbic/ops/ops.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>

namespace {

using namespace limbic;
using compare::indices;
using compare::numbers;
using compare::suite;

template <class T> void activations(suite& s) {
  auto const x = numbers(shape{5, 7}, -4, 4);
  s.check<T>("elu", [](auto const& v) { return elu(v, {.alpha = 0.75}); }, x);
  s.check<T>("gelu", [](auto const& v) { return gelu(v); }, x);
  s.check<T>("leaky_relu", [](auto const& v) { return leaky_relu(v); }, x);
  s.check<T>("relu", [](auto const& v) { return relu(v); }, x);
  s.check<T>("relu6", [](auto const& v) { return relu6(v); }, x);
  s.check<T>("sigmoid", [](auto const& v) { return sigmoid(v); }, x);
  s.check<T>("silu", [](auto const& v) { return silu(v); }, x);
  s.check<T>("softplus", [](auto const& v) { return softplus(v); }, x);
  s.check<T>("tanh", [](auto const& v) { return tanh(v); }, x);
  s.check<T>("softmax", [](auto const& v) { return softmax(v, 0); }, x);
  s.check<T>("log_softmax", [](auto const& v) { return log_softmax(v); }, x);
}

template <class T> void arithmetic(suite& s) {
  auto const x = numbers(shape{3, 4, 5});
  auto const row = numbers(shape{1, 4, 1});
  auto const positive = numbers(shape{3, 4, 5}, 0.5, 3);
  auto const powers = numbers(shape{1, 1, 5});
  auto const mask = numbers(shape{3, 4, 5}, 0, 1);
  s.check<T>("abs", [](auto const& v) { return abs(v); }, x);
  s.check<T>("add", [](auto const& a, auto const& b) { return add(a, b); }, x, row);
  s.check<T>("add_number", [](auto const& v) { return v + 0.75; }, x);
  s.check<T>("sub", [](auto const& a, auto const& b) { return sub(a, b); }, row, x);
  s.check<T>("subtract_from", [](auto const& v) { return 1 - v; }, x);
  s.check<T>("neg", [](auto const& v) { return -v; }, x);
  s.check<T>("mul", [](auto const& a, auto const& b) { return mul(a, b); }, x, row);
  s.check<T>("mul", [](auto const& v) { return mul(v, v); }, x);  // two sinks, one memory
  s.check<T>("mul_number", [](auto const& v) { return v * 1.5; }, x);
  s.check<T>("square", [](auto const& v) { return square(v); }, x);
  s.check<T>("div", [](auto const& a, auto const& b) { return div(a, b); }, row, positive);
  s.check<T>("div_number", [](auto const& v) { return v / 1.5; }, x);
  s.check<T>("divide_number", [](auto const& v) { return 1.5 / v; }, positive);
  s.check<T>("reciprocal", [](auto const& v) { return reciprocal(v); }, positive);
  s.check<T>("exp", [](auto const& v) { return exp(v); }, x);
  s.check<T>("expm1", [](auto const& v) { return expm1(v); }, x);
  s.check<T>("log", [](auto const& v) { return log(v); }, positive);
  s.check<T>("log1p", [](auto const& v) { return log1p(v); }, positive);
  s.check<T>("sqrt", [](auto const& v) { return sqrt(v); }, positive);
  s.check<T>("pow", [](auto const& a, auto const& b) { return pow(a, b); }, positive, powers);
  s.check<T>("pow_number", [](auto const& v) { return pow(v, 2.5); }, positive);
  s.check<T>("number_pow", [](auto const& v) { return pow(2.5, v); }, x);
  s.check<T>("clamp", [](auto const& v) { return clamp(v, -1, 1.25); }, x);
  s.check<T>("minimum", [](auto const& a, auto const& b) { return minimum(a, b); }, x, row);
  s.check<T>("maximum", [](auto const& a, auto const& b) { return maximum(a, b); }, x, row);
  s.check<T>("where", [](auto const& m, auto const& a, auto const& b) { return where(greater(m, 0.5), a, b); }, mask, x, row);
  s.check<T>("equal", [](auto const& a, auto const& b) { return equal(a, b); }, x, x);
  s.check<T>("less", [](auto const& a, auto const& b) { return less(a, b); }, x, row);
  s.check<T>("less_equal", [](auto const& a, auto const& b) { return less_equal(a, b); }, x, row);
  s.check<T>("greater", [](auto const& a, auto const& b) { return greater(a, b); }, x, row);
  s.check<T>("greater_equal", [](auto const& a, auto const& b) { return greater_equal(a, b); }, x, row);
}

template <class T> void reductions(suite& s) {
  auto const x = numbers(shape{3, 300, 5});
  s.check<T>("sum", [](auto const& v) { return sum(v); }, x);
  s.check<T>("sum", [](auto const& v) { return sum(v, 1); }, x);
  s.check<T>("mean", [](auto const& v) { return mean(v, -1); }, x);
  s.check<T>("max", [](auto const& v) { return max(v); }, x);
  s.check<T>("max", [](auto const& v) { return max(v, 1); }, x);
  s.check<T>("min", [](auto const& v) { return min(v, 1, keepdim); }, x);
  s.check<T>("logsumexp", [](auto const& v) { return logsumexp(v, 1); }, x);
  s.check<T>("variance", [](auto const& v) { return variance(v, 1); }, x);
  s.check<T>("standard_deviation", [](auto const& v) { return standard_deviation(v, 1); }, x);
}

template <class T> void shapes(suite& s) {
  auto const x = numbers(shape{3, 4, 5});
  auto const y = numbers(shape{3, 2, 5});
  auto const z = numbers(shape{3, 4, 5});
  s.check<T>("concatenate", [](auto const& a, auto const& b) { return concatenate(1, a, b); }, x, y);
  s.check<T>("stack", [](auto const& a, auto const& b) { return stack(-1, a, b); }, x, z);
  s.check<T>("pad", [](auto const& v) { return pad(v, 1, 2, 1, 0.5); }, x);
  s.check<T>("repeat", [](auto const& v) { return repeat(v, 2, 1, 3); }, x);
  s.check<T>("broadcast_to", [](auto const& v) { return broadcast_to(v, 2, 3, 4, 5); }, x);
  s.check<T>("reshape", [](auto const& v) { return reshape(v, 6, -1); }, x);
  s.check<T>("slice", [](auto const& v) { return slice(v, 2, 1, 5, 2); }, x);
  s.check<T>("select", [](auto const& v) { return select(v, 1, -1); }, x);
  s.check<T>("transpose", [](auto const& v) { return transpose(v); }, x);
  s.check<T>("permute", [](auto const& v) { return permute(v, {{2, 0, 1}}); }, x);
}

template <class T> void products(suite& s) {
  auto const a = numbers(shape{67, 33});
  auto const b = numbers(shape{33, 70});
  auto const batch = numbers(shape{3, 6, 5});
  auto const shared = numbers(shape{1, 5, 4});
  auto const x = numbers(shape{2, 7, 5});
  auto const weight = numbers(shape{6, 5});
  auto const bias = numbers(shape{6});
  s.check<T>("matmul", [](auto const& l, auto const& r) { return matmul(l, r); }, a, b);
  s.check<T>("matmul", [](auto const& l, auto const& r) { return matmul(l, r); }, batch, shared);
  s.check<T>("linear", [](auto const& v, auto const& w, auto const& c) { return functional::linear(v, w, c); }, x, weight, bias);
  s.check<T>("linear", [](auto const& v, auto const& w) { return functional::linear(v, w); }, x, weight);
  s.check<T>("dropout", [](auto const& v, auto const& n) { return functional::dropout(v, n, 0.25); }, batch, numbers(shape{3, 6, 5}, 0, 1));
  s.check<T>("pairwise_squared_distances", [](auto const& v) { return pairwise_squared_distances(v); }, a);
  s.check<T>("pairwise_squared_distances", [](auto const& v, auto const& w) { return pairwise_squared_distances(v, w); }, x, numbers(shape{4, 7, 5}));
}

template <class T> void sequences(suite& s) {
  std::ptrdiff_t const steps = 4, batch = 3, inputs = 2, hidden = 5;
  auto const h = numbers(shape{batch, hidden});
  auto const c = numbers(shape{batch, hidden});
  auto const w_ih = numbers(shape{4 * hidden, inputs});
  auto const w_hh = numbers(shape{4 * hidden, hidden});
  auto const b_ih = numbers(shape{4 * hidden});
  auto const b_hh = numbers(shape{4 * hidden});
  s.check<T>("lstm", [](auto const&... v) { return apply(lstm_op{}, v...); }, numbers(shape{steps, batch, inputs}), h, c, w_ih, w_hh, b_ih, b_hh);
  s.check<T>("lstm", [](auto const&... v) { return apply(lstm_op{.batch_first = true, .reverse = true}, v...); },
             numbers(shape{batch, steps, inputs}), h, c, w_ih, w_hh, b_ih, b_hh);
  s.check<T>("lstm", [](auto const&... v) { return apply(lstm_op{.steps = 4}, v...); }, numbers(shape{1, batch, inputs}), h, c, w_ih, w_hh, b_ih, b_hh);
}

template <class T> void losses(suite& s) {
  auto const x = numbers(shape{6, 5});
  auto const y = numbers(shape{6, 5});
  auto const p = numbers(shape{6, 5}, 0.1, 0.9);
  auto const weight = numbers(shape{5}, 0.5, 2);
  auto const positive = numbers(shape{1, 5}, 0.5, 2);
  s.check<T>("mse_loss", [](auto const& v, auto const& t) { return mse_loss(v, t); }, x, y);
  s.check<T>("l1_loss", [](auto const& v, auto const& t) { return l1_loss(v, t, reduction::sum); }, x, y);
  s.check<T>("smooth_l1_loss", [](auto const& v, auto const& t) { return smooth_l1_loss(v, t); }, x, y);
  s.check<T>("huber_loss", [](auto const& v, auto const& t) { return huber_loss(v, t); }, x, y);
  s.check<T>("kl_div", [](auto const& v, auto const& t) { return kl_div(v, t, reduction::batchmean); }, x, p);
  s.check<T>("binary_cross_entropy_with_logits", [](auto const& v, auto const& t) { return binary_cross_entropy_with_logits(v, t, reduction::none); }, x, p);
  s.check<T>("binary_cross_entropy_with_logits", [](auto const& v, auto const& t, auto const& w, auto const& q) {
    return binary_cross_entropy_with_logits(v, t, w, q); }, x, p, weight, positive);
  s.check<T>("sigmoid_focal_loss", [](auto const& v, auto const& t) { return sigmoid_focal_loss(v, t); }, x, p);
}

template <class T> void all(suite& s) {
  activations<T>(s);
  arithmetic<T>(s);
  reductions<T>(s);
  shapes<T>(s);
  products<T>(s);
  sequences<T>(s);
  losses<T>(s);
}

}  // namespace

int main() {
  if (device_count() == 0) return compare::skipped();
  suite s(true);
  all<float>(s);
  all<double>(s);
  return s.report();
}
