// limbic/search/gaussian_process.hpp - regression by a Gaussian process, in double
//
//   k(x, x') = amplitude c(r),   r^2 = sum_d (x_d - x'_d)^2 / length_scale_d^2
//     rbf        c = exp(-r^2 / 2)
//     matern52   c = (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r)
//   K = k(X, X) + noise I
//   mean(x)     = k(x, X) K^-1 y
//   variance(x) = k(x, x) - k(x, X) K^-1 k(X, x)            of the function itself: without noise; never below 0
//   log p(y)    = -(y^T K^-1 y + log det K + n log 2 pi) / 2
//
// shape   x (n, d), y (n); predict: x (m, d) -> mean (m), variance (m); n >= 1
// amplitude and noise are variances. There is no mean function: centre and scale y before.
//
// Repeated and noisy observations are what noise is for. Where K is not positive definite in double (points that repeat or
// nearly so, and little noise), a jitter is added to its diagonal: 1e-12 of the mean of the diagonal, then tenfold up to
// 1e-2; jitter() says how much. More means numbers that make no sense, and is an argument_error.
//
// fit_gaussian_process() chooses the hyperparameters that make log p(y) plus the logarithm of their priors greatest:
// log-normal priors, weak enough to be overruled by ten or twenty points, which keep fewer points from answering with
// noise or flatness alone. Their scales are meant for y of mean 0 and variance 1, and x in the unit cube. The gradient is
// analytic, with respect to the logarithms; several fixed starts, each minimised by minimize.hpp.
//
// Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", chapters 2 and 5
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/linalg/cholesky.hpp>
#include <limbic/search/minimize.hpp>

#include <limits>
#include <utility>
#include <vector>

LIMBIC_BEGIN

// The covariance of two points.
enum class gp_kernel { rbf, matern52 };

struct gp_options {
  gp_kernel kernel = gp_kernel::rbf;  // the covariance
  double amplitude = 1;
  std::vector<double> length_scale = {1};  // one for all dimensions, or one each
  double noise = 0;
};

// Mean and variance of the function at some points.
struct gp_prediction {
  tensor<double, 1> mean, variance;
};

class gaussian_process {
 public:
  gaussian_process(view<double const, 2> x, view<double const, 1> y, gp_options options)
      : options_(std::move(options)), x_(x), alpha_({y.size(), 1}, uninitialized), y_(y) {
    check();
    std::ptrdiff_t const n = size();
    scaled_ = scaled(x_.view());
    tensor<double, 2> k = kernel(x_);
    double mean = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      k(i, i) += options_.noise;
      mean += k(i, i) / static_cast<double>(n);
    }
    factor_ = tensor<double, 2>(k.shape(), uninitialized);
    for (double wanted = 0; !cholesky(factor_.view(), k);) {
      wanted = wanted > 0 ? 10 * wanted : 1e-12 * mean;
      if (!(wanted < 2e-2 * mean))
        fail<argument_error>("gaussian_process", "the covariance of ", n,
                             " points is not positive definite, even with ", jitter_, " on its diagonal");
      for (std::ptrdiff_t i = 0; i < n; ++i) k(i, i) += wanted - jitter_;
      jitter_ = wanted;
    }
    for (std::ptrdiff_t i = 0; i < n; ++i) alpha_(i, 0) = y_(i);
    solve_lower(factor_, alpha_.view());
    for (std::ptrdiff_t i = 0; i < n; ++i)
      log_marginal_ -= 0.5 * alpha_(i, 0) * alpha_(i, 0) + std::log(factor_(i, i)) + 0.91893853320467274178;
    solve_lower_transposed(factor_, alpha_.view());
  }
  gaussian_process(tensor<double, 2> const& x, tensor<double, 1> const& y, gp_options options)
      : gaussian_process(x.view(), y.view(), std::move(options)) {}

  // The number of points, N.
  std::ptrdiff_t size() const { return x_.extent(0); }
  // Numbers of a point.
  std::ptrdiff_t dimensions() const { return x_.extent(1); }
  // The points (N, D).
  tensor<double, 2> const& points() const { return x_; }
  // The values (N).
  tensor<double, 1> const& values() const { return y_; }
  // What it was made with.
  gp_options const& options() const { return options_; }
  // What had to be added to the diagonal, for the Cholesky factor to exist.
  double jitter() const { return jitter_; }
  // Logarithm of the probability of the values, given the hyperparameters.
  double log_marginal_likelihood() const { return log_marginal_; }

  // Mean and variance at points (M, D).
  gp_prediction predict(view<double const, 2> x) const {
    if (x.extent(1) != dimensions())
      fail<shape_error>("gaussian_process", "points of ", dimensions(), " numbers are needed, but came ", x.shape());
    tensor<double, 2> k = kernel(x);  // (n, m)
    std::ptrdiff_t const n = size(), m = x.extent(0);
    gp_prediction p{tensor<double, 1>({m}), tensor<double, 1>({m}, options_.amplitude)};
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = 0; j < m; ++j) p.mean(j) += k(i, j) * alpha_(i, 0);
    solve_lower(factor_, k.view());
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t j = 0; j < m; ++j) p.variance(j) -= k(i, j) * k(i, j);
    for (std::ptrdiff_t j = 0; j < m; ++j) p.variance(j) = p.variance(j) < 0 ? 0 : p.variance(j);
    return p;
  }
  gp_prediction predict(tensor<double, 2> const& x) const { return predict(x.view()); }

  // k(X, x): (n, m), without noise.
  tensor<double, 2> kernel(view<double const, 2> x) const {
    tensor<double, 2> const to = scaled(x);
    tensor<double, 2> k({size(), x.extent(0)}, uninitialized);
    for (std::ptrdiff_t i = 0; i < size(); ++i)
      for (std::ptrdiff_t j = 0; j < x.extent(0); ++j) k(i, j) = covariance(squared_distance(i, to, j)).value;
    return k;
  }
  tensor<double, 2> kernel(tensor<double, 2> const& x) const { return kernel(x.view()); }

  // The derivatives of log p(y) with respect to log amplitude, log noise, and the logarithm of each dimension's length
  // scale: of K those are k, noise I, and (for each pair) -2 dk/d(r^2) times the share of that dimension in r^2;
  //   d log p = tr((a a^T - K^-1) dK) / 2,  a = K^-1 y
  std::vector<double> log_marginal_gradient() const {
    std::ptrdiff_t const n = size(), d = dimensions();
    tensor<double, 2> inverse({n, n});
    for (std::ptrdiff_t i = 0; i < n; ++i) inverse(i, i) = 1;
    solve_lower(factor_, inverse.view());
    solve_lower_transposed(factor_, inverse.view());
    std::vector<double> g(static_cast<std::size_t>(d) + 2);
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      for (std::ptrdiff_t j = 0; j <= i; ++j) {
        double const w = (alpha_(i, 0) * alpha_(j, 0) - inverse(i, j)) * (i == j ? 0.5 : 1);
        auto const [value, slope] = covariance(squared_distance(i, scaled_, j));
        g[0] += w * value;
        if (i == j) g[1] += w * options_.noise;
        else
          for (std::ptrdiff_t c = 0; c < d; ++c) {
            double const share = scaled_(i, c) - scaled_(j, c);
            g[static_cast<std::size_t>(c) + 2] += w * slope * share * share;
          }
      }
    }
    return g;
  }

 private:
  void check() {
    auto const positive = [](double v) { return v > 0 && std::isfinite(v); };
    auto& scales = options_.length_scale;
    if (x_.extent(0) < 1 || x_.extent(0) != y_.size())
      fail<shape_error>("gaussian_process", "points of shape ", x_.shape(), " do not go with ", y_.size(), " values");
    if (scales.size() == 1) scales.resize(static_cast<std::size_t>(dimensions()), scales[0]);
    if (static_cast<std::ptrdiff_t>(scales.size()) != dimensions())
      fail<argument_error>("gaussian_process", scales.size(), " length scales do not go with points of shape ",
                           x_.shape());
    if (!positive(options_.amplitude))
      fail<argument_error>("gaussian_process", "amplitude must be positive, but is ", options_.amplitude);
    if (!(options_.noise >= 0) || !std::isfinite(options_.noise))
      fail<argument_error>("gaussian_process", "noise must be non-negative, but is ", options_.noise);
    for (double const l : scales)
      if (!positive(l)) fail<argument_error>("gaussian_process", "length scales must be positive, but there is ", l);
    for (double const v : x_)
      if (!std::isfinite(v)) fail<argument_error>("gaussian_process", "a point holds ", v);
    for (double const v : y_)
      if (!std::isfinite(v)) fail<argument_error>("gaussian_process", "a value is ", v);
  }
  // The points over the length scales.
  tensor<double, 2> scaled(view<double const, 2> x) const {
    tensor<double, 2> to(x.shape(), uninitialized);
    for (std::ptrdiff_t i = 0; i < x.extent(0); ++i)
      for (std::ptrdiff_t c = 0; c < x.extent(1); ++c)
        to(i, c) = x(i, c) / options_.length_scale[static_cast<std::size_t>(c)];
    return to;
  }
  double squared_distance(std::ptrdiff_t i, tensor<double, 2> const& to, std::ptrdiff_t j) const {
    std::ptrdiff_t const d = dimensions();
    double const *const a = scaled_.data() + i * d, *const b = to.data() + j * d;
    double sum = 0;
    for (std::ptrdiff_t c = 0; c < d; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
    return sum;
  }
  struct value_and_slope {
    double value, slope;  // k, and -2 dk/d(r^2)
  };
  value_and_slope covariance(double squared) const {
    double const a = options_.amplitude;
    if (options_.kernel == gp_kernel::rbf) {
      double const k = a * std::exp(-0.5 * squared);
      return {k, k};
    }
    double const r = std::sqrt(5 * squared), e = a * std::exp(-r);
    return {e * (1 + r + 5.0 / 3 * squared), 5.0 / 3 * e * (1 + r)};
  }

  gp_options options_;
  tensor<double, 2> x_, scaled_, factor_, alpha_;  // alpha: (n, 1)
  tensor<double, 1> y_;
  double jitter_ = 0, log_marginal_ = 0;
};

// log(v) is normal with this mean and deviation.
struct log_normal_prior {
  double mean = 0, deviation = 1;  // of log(v)
};

struct gp_fit_options {
  gp_kernel kernel = gp_kernel::matern52;  // as in gp_options
  log_normal_prior amplitude = {0.5, 1};
  log_normal_prior length_scale = {-0.5, 0.8};  // 0.6 of the cube
  log_normal_prior noise = {-12, 3};
  double least_noise = 1e-7;  // variance
  int starts = 3;
  minimize_options minimize = {};
};

inline gaussian_process fit_gaussian_process(view<double const, 2> x, view<double const, 1> y,
                                             gp_fit_options const& options = {}) {
  auto const d = static_cast<std::size_t>(x.extent(1));
  auto const prior = [&](std::size_t i) -> log_normal_prior const& {
    return i == 0 ? options.amplitude : i == 1 ? options.noise : options.length_scale;
  };
  auto const at = [&](std::vector<double> const& v) {
    gp_options o{.kernel = options.kernel, .amplitude = std::exp(v[0]), .length_scale = {}, .noise = std::exp(v[1])};
    for (std::size_t c = 0; c < d; ++c) o.length_scale.push_back(std::exp(v[c + 2]));
    if (d == 0) o.length_scale = {};
    return gaussian_process(x, y, std::move(o));
  };
  std::vector<double> low(d + 2), high(d + 2), v(d + 2), best;
  for (std::size_t i = 0; i < v.size(); ++i) {
    low[i] = prior(i).mean - 5 * prior(i).deviation;
    high[i] = prior(i).mean + 5 * prior(i).deviation;
  }
  low[1] = std::max(low[1], std::log(options.least_noise));
  high[1] = std::max(high[1], low[1]);
  auto const objective = [&](std::vector<double> const& p, std::vector<double>& gradient) {
    gaussian_process const gp = at(p);
    gradient = gp.log_marginal_gradient();
    double value = -gp.log_marginal_likelihood();
    for (std::size_t i = 0; i < p.size(); ++i) {
      double const z = (p[i] - prior(i).mean) / prior(i).deviation;
      value += 0.5 * z * z;
      gradient[i] = -gradient[i] + z / prior(i).deviation;
    }
    return value;
  };
  // Starts lie around the middle of the priors, in turn with short and with long scales; their noise is 1 % of the
  // variance, as the prior has it, 14 %: noise and short scales are two explanations that data may have.
  double least = std::numeric_limits<double>::infinity();
  for (int start = 0; start < std::max(1, options.starts); ++start) {
    double const away = 0.75 * static_cast<double>((start + 1) / 2) * (start % 2 == 0 ? 1 : -1);
    double const noise[] = {-4.6, options.noise.mean, -2};
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] = i == 0 ? prior(i).mean : i == 1 ? noise[start % 3] : prior(i).mean + away * prior(i).deviation;
    double const value = minimize(v, low, high, options.minimize, objective);
    if (value < least) least = value, best = v;
  }
  if (best.empty()) fail<argument_error>("gaussian_process", "no hyperparameters give a finite likelihood");
  return at(best);
}
inline gaussian_process fit_gaussian_process(tensor<double, 2> const& x, tensor<double, 1> const& y,
                                             gp_fit_options const& options = {}) {
  return fit_gaussian_process(x.view(), y.view(), options);
}

LIMBIC_END
