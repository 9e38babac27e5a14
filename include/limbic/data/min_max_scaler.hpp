// limbic/data/min_max_scaler.hpp - every column stretched to a given range
//
//   min_max_scaler<float> scaler(train);              to [0, 1]; or (train, {.low = -1, .high = 1})
//   auto a = scaler.transform(train), b = scaler.transform(test);      b may lie outside of the range
//   auto c = scaler.inverse(b);
//
//   y = (x - min) / (max - min) (high - low) + low    min, max: of the column in what the scaler was made from
//
// A constant column is divided by 1, as in scikit-learn's MinMaxScaler.
//
// shape   (..., C) with C columns; of rank 1: one column
// domain  at least one row, finite numbers (in transform NaN stays NaN); low < high
#pragma once

#include <limbic/data/columns.hpp>

LIMBIC_BEGIN

struct min_max_options {
  double low = 0;
  double high = 1;
};

template <class T> class min_max_scaler {
  static_assert(std::is_floating_point_v<T>, "limbic: min_max_scaler scales real numbers");

 public:
  template <int R, class D>
    requires(R >= 1 && is_host<D>)
  explicit min_max_scaler(view<T const, R, D> const& x, min_max_options const& options = {}) : options_(options) {
    if (!(options.low < options.high))
      fail<argument_error>("min_max_scaler", "low must be less than high, but the range is ", options.low, " to ",
                           options.high);
    std::ptrdiff_t const width = detail::columns_of(x.shape());
    tensor<T, R, D> const own = detail::finite_columns("min_max_scaler", x);
    min_ = tensor<T, 1, scalar>(shape<1>{{width}});
    max_ = tensor<T, 1, scalar>(shape<1>{{width}});
    for (std::ptrdiff_t i = 0; i < own.size(); ++i) {
      T const v = own.data()[i];
      std::ptrdiff_t const c = i % width;
      if (i < width || v < min_(c)) min_(c) = v;
      if (i < width || v > max_(c)) max_(c) = v;
    }
  }
  template <int R, class D> explicit min_max_scaler(view<T, R, D> const& x, min_max_options const& options = {})
    requires(!std::is_const_v<T>)
      : min_max_scaler(view<T const, R, D>(x), options) {}
  template <int R, class D>
  explicit min_max_scaler(tensor<T, R, D> const& x, min_max_options const& options = {})
      : min_max_scaler(x.view(), options) {}

  // Scaled values, of the same shape.
  template <int R, class D> tensor<T, R, D> transform(view<T const, R, D> const& x) const {
    return detail::map_columns("transform", min_.size(), x,
                               [this](T v, std::ptrdiff_t c) { return (v - min_(c)) / range(c) * reach() + low(); });
  }
  template <int R, class D> tensor<T, R, D> transform(tensor<T, R, D> const& x) const { return transform(x.view()); }

  // Values as they were before transform.
  template <int R, class D> tensor<T, R, D> inverse(view<T const, R, D> const& y) const {
    return detail::map_columns("inverse", min_.size(), y,
                               [this](T v, std::ptrdiff_t c) { return (v - low()) / reach() * range(c) + min_(c); });
  }
  template <int R, class D> tensor<T, R, D> inverse(tensor<T, R, D> const& y) const { return inverse(y.view()); }

  // Of each column.
  view<T const, 1, scalar> minimum() const { return min_.view(); }
  // The largest value of each feature.
  view<T const, 1, scalar> maximum() const { return max_.view(); }

  // For checkpoints: the state, and as const the options.
  void each(auto&& f) {
    f("minimum", min_);
    f("maximum", max_);
    f("low", std::as_const(options_.low));
    f("high", std::as_const(options_.high));
  }

 private:
  T range(std::ptrdiff_t c) const { return max_(c) > min_(c) ? max_(c) - min_(c) : T(1); }
  T low() const { return static_cast<T>(options_.low); }
  T reach() const { return static_cast<T>(options_.high - options_.low); }

  min_max_options options_;
  tensor<T, 1, scalar> min_, max_;
};

template <class T, int R, class D> min_max_scaler(view<T, R, D> const&, min_max_options const& = {})
    -> min_max_scaler<std::remove_const_t<T>>;
template <class T, int R, class D> min_max_scaler(tensor<T, R, D> const&, min_max_options const& = {})
    -> min_max_scaler<T>;

LIMBIC_END
