// limbic/data/standard_scaler.hpp - every column shifted to mean 0 and scaled to standard deviation 1
//
//   standard_scaler scaler(train);
//   auto a = scaler.transform(train), b = scaler.transform(test);
//   auto c = scaler.inverse(b);
//
//   y = (x - mean) / deviation    mean, deviation: of the column in what the scaler was made from; the sum of squares over n
//
// A constant column is divided by 1, as in scikit-learn's StandardScaler; so is one whose deviation is no more than what
// rounding leaves of it (n epsilon variance + (n mean epsilon)^2, as there). Sums run in double, the mean first.
//
// shape   (..., C) with C columns; of rank 1: one column
// domain  at least one row, finite numbers (in transform NaN stays NaN)
#pragma once

#include <limbic/data/columns.hpp>

#include <cmath>
#include <limits>

LIMBIC_BEGIN

template <class T> class standard_scaler {
  static_assert(std::is_floating_point_v<T>, "limbic: standard_scaler scales real numbers");

 public:
  template <int R, class D>
    requires(R >= 1 && is_host<D>)
  explicit standard_scaler(view<T const, R, D> const& x) {
    std::ptrdiff_t const width = detail::columns_of(x.shape());
    tensor<T, R, D> const own = detail::finite_columns("standard_scaler", x);
    double const n = static_cast<double>(own.size() / width);
    tensor<double, 1, scalar> mean(shape<1>{{width}}), square(shape<1>{{width}});
    for (std::ptrdiff_t i = 0; i < own.size(); ++i) mean(i % width) += static_cast<double>(own.data()[i]) / n;
    for (std::ptrdiff_t i = 0; i < own.size(); ++i) {
      double const d = static_cast<double>(own.data()[i]) - mean(i % width);
      square(i % width) += d * d / n;
    }
    mean_ = tensor<T, 1, scalar>(mean.shape());
    deviation_ = tensor<T, 1, scalar>(mean.shape());
    for (std::ptrdiff_t c = 0; c < width; ++c) {
      constexpr double eps = std::numeric_limits<double>::epsilon();
      double const rounding = n * mean(c) * eps;
      bool const constant = square(c) <= n * eps * square(c) + rounding * rounding;
      mean_(c) = static_cast<T>(mean(c));
      deviation_(c) = constant ? T(1) : static_cast<T>(std::sqrt(square(c)));
    }
  }
  template <int R, class D> explicit standard_scaler(view<T, R, D> const& x)
    requires(!std::is_const_v<T>)
      : standard_scaler(view<T const, R, D>(x)) {}
  template <int R, class D> explicit standard_scaler(tensor<T, R, D> const& x) : standard_scaler(x.view()) {}

  // Scaled values, of the same shape.
  template <int R, class D> tensor<T, R, D> transform(view<T const, R, D> const& x) const {
    return detail::map_columns("transform", mean_.size(), x,
                               [this](T v, std::ptrdiff_t c) { return (v - mean_(c)) / deviation_(c); });
  }
  template <int R, class D> tensor<T, R, D> transform(tensor<T, R, D> const& x) const { return transform(x.view()); }

  // Values as they were before transform.
  template <int R, class D> tensor<T, R, D> inverse(view<T const, R, D> const& y) const {
    return detail::map_columns("inverse", mean_.size(), y,
                               [this](T v, std::ptrdiff_t c) { return v * deviation_(c) + mean_(c); });
  }
  template <int R, class D> tensor<T, R, D> inverse(tensor<T, R, D> const& y) const { return inverse(y.view()); }

  // Of each column; the deviation is what columns are divided by.
  view<T const, 1, scalar> mean() const { return mean_.view(); }
  view<T const, 1, scalar> deviation() const { return deviation_.view(); }

  // For checkpoints.
  void each(auto&& f) {
    f("mean", mean_);
    f("deviation", deviation_);
  }

 private:
  tensor<T, 1, scalar> mean_, deviation_;
};

template <class T, int R, class D> standard_scaler(view<T, R, D> const&) -> standard_scaler<std::remove_const_t<T>>;
template <class T, int R, class D> standard_scaler(tensor<T, R, D> const&) -> standard_scaler<T>;

LIMBIC_END
