// 21_soft_dtw - two sequences of different tempo: how far apart they are, how they align, and their common shape
//
// Dynamic time warping compares sequences after stretching time in the way that suits them best. Soft-DTW averages over
// all such ways, so it has a gradient everywhere: here it finds the sequence that is nearest to five warped copies of one
// shape (a barycenter), which no copy and no plain mean is.
//
//   21_soft_dtw                     shows it
//   21_soft_dtw alignment.svg       draws the alignment too (needs gnuplot)
//
// Before: 20_wavelets.cpp    next: 22_manifolds.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/limbic.hpp>
#include <limbic/signal.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using limbic::shape;
using limbic::tensor;

// A pulse and a smaller one after it, time running as t^warp; `steps` samples.
tensor<double, 1> pulses(std::ptrdiff_t steps, double warp) {
  tensor<double, 1> x(shape{steps});
  for (std::ptrdiff_t i = 0; i < steps; ++i) {
    double const t = std::pow(static_cast<double>(i) / static_cast<double>(steps - 1), warp);
    auto const bump = [&](double at, double width) { return std::exp(-(t - at) * (t - at) / (2 * width * width)); };
    x(i) = bump(0.3, 0.06) + 0.5 * bump(0.65, 0.1);
  }
  return x;
}

int main(int argc, char** argv) {
  // Unequal lengths, one runs ahead of the other.
  auto const slow = pulses(60, 1.6), fast = pulses(48, 0.8);
  double const hard = limbic::dtw(slow, fast)();
  std::printf("DTW %.4f\n", hard);
  for (double const gamma : {0.001, 0.01, 0.1, 1.0})
    std::printf("soft-DTW, gamma %5.3f: %9.4f\n", gamma, limbic::soft_dtw(slow, fast, {.gamma = gamma})());
  check(std::abs(limbic::soft_dtw(slow, fast, {.gamma = 1e-6})() - hard) < 1e-3, "a small gamma comes near to DTW");
  check(limbic::soft_dtw(slow, slow)() < 0, "soft-DTW of equal sequences is negative: every alignment counts");
  check(limbic::soft_dtw_divergence(slow, slow)() == 0, "its divergence is 0 there");

  // The best alignment brings both summits together.
  auto const path = limbic::dtw_path(slow, fast);
  auto const summit = [](auto const& x) { return std::max_element(x.begin(), x.end()) - x.begin(); };
  bool met = false;
  for (std::ptrdiff_t k = 0; k < path.extent(0); ++k) {
    met = met || (path(k, 0) == summit(slow) && path(k, 1) == summit(fast));
    if (k % 12 == 0)
      std::printf("  step %2td: sample %2lld with sample %2lld\n", k, static_cast<long long>(path(k, 0)),
                  static_cast<long long>(path(k, 1)));
  }
  check(met, "the summits are aligned");

  // How much each cell (i, j) takes part in alignments is the gradient with respect to its cost.
  {
    limbic::tape t;
    auto const costs = t.variable(limbic::pairwise_squared_distances(slow, fast));
    t.backward(limbic::soft_dtw_from_costs(costs, {.gamma = 0.01}));
    auto const e = costs.gradient();
    std::printf("share of the cell of both summits: %.3f\n", e(summit(slow), summit(fast)));
    check(std::abs(e(0, 0) - 1) < 1e-12 && std::abs(e(59, 47) - 1) < 1e-12, "every alignment meets both ends");
  }

  // The barycenter of five copies: gradient descent on the sum of soft-DTW from their mean on.
  std::ptrdiff_t const copies = 5, steps = 50;
  tensor<double, 3> all(shape{copies, steps, std::ptrdiff_t{1}});
  limbic::parameter<double, 3> center(shape{std::ptrdiff_t{1}, steps, std::ptrdiff_t{1}});
  for (std::ptrdiff_t k = 0; k < copies; ++k) {
    auto const x = pulses(steps, 0.6 + 0.3 * static_cast<double>(k));
    for (std::ptrdiff_t i = 0; i < steps; ++i) {
      all(k, i, 0) = x(i);
      center.value(0, i, 0) += x(i) / static_cast<double>(copies);
    }
  }
  auto const height = [&] { return *std::max_element(center.value.begin(), center.value.end()); };
  auto const mean_distance = [&] { return limbic::mean(limbic::dtw(center.value, all))(); };
  double const mean_height = height(), mean_far = mean_distance();
  double norm = 0;
  for (int step = 0; step < 300; ++step) {
    limbic::tape t;
    t.backward(limbic::mean(limbic::soft_dtw(center, t(all), {.gamma = 0.02})));
    auto const g = center.gradient();
    norm = 0;
    for (std::ptrdiff_t i = 0; i < steps; ++i) {
      norm += g(0, i, 0) * g(0, i, 0);
      center.value(0, i, 0) -= 0.1 * g(0, i, 0);
    }
    norm = std::sqrt(norm);
    center.clear_gradient();
    if (step == 0) std::printf("gradient at the mean: %.4f\n", norm);
  }
  std::printf("gradient at the barycenter: %.6f\n", norm);
  std::printf("summit: mean %.3f, barycenter %.3f, copies 1; mean DTW to the copies: %.4f, %.4f\n", mean_height,
              height(), mean_far, mean_distance());
  check(height() > 0.85 && mean_height < 0.75, "the barycenter keeps the summit that the mean flattens");
  check(mean_distance() < 0.5 * mean_far, "and is nearer to the copies");

  if (argc < 2) return 0;
  // The slow sequence above the fast one; a line for every step of the path.
  std::vector<double> upper(slow.begin(), slow.end()), lower(fast.begin(), fast.end()), x, y, to_x, to_y;
  for (double& v : upper) v += 1.5;
  for (std::ptrdiff_t k = 0; k < path.extent(0); ++k) {
    auto const i = static_cast<std::size_t>(path(k, 0)), j = static_cast<std::size_t>(path(k, 1));
    x.push_back(static_cast<double>(i)), y.push_back(upper[i]);
    to_x.push_back(static_cast<double>(j)), to_y.push_back(lower[j]);
  }
  plot p("The best alignment of two sequences (dynamic time warping)", "sample", "rows 1.5 apart");
  p.segments("", x, y, to_x, to_y).line("", upper).line("", lower);
  return p.rows({"fast", "slow"}, 1.5).save(argv[1]) ? 0 : 1;
}
