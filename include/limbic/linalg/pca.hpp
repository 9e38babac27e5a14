// limbic/linalg/pca.hpp - principal components: the few directions in which rows of numbers vary most
//
//   pca const p(x, 3);                   the leading three
//   auto z = p.project(y);               z = (y - mean) components^T          coordinates; eigenfaces' weights
//   auto back = p.reconstruct(z);        z components + mean                  what they stand for
//   p.explained_variance                 variance of each coordinate over x's rows, descending
//   p.explained_variance_ratio           the same as a share of the variance of all columns together
//
//   x - mean = U diag(s) V^T,   components: the first k rows of V^T,   explained_variance_i = s_i^2 / (n - 1)
//
// In each component the entry of largest magnitude is positive (of entries equal to rounding, the first), so that the
// signs are no accident of a solver.
//
// Sequences. All axes but the last are rows: the steps of sequences (T, C) are projected before they are warped by
//
//   pca const p(all_steps, 2);
//   auto distance = soft_dtw(p.project(a), p.project(b), {.gamma = 0.1});     a (Ta, C), b (Tb, C)
//
// shape   x (..., d), n rows in all -> mean (d), components (k, d), explained_variance (k), explained_variance_ratio (k);
//         project (..., d) -> (..., k), reconstruct (..., k) -> (..., d)
// adjoint project and reconstruct are compositions of ops, with the components as constants: the pca must live until the
//         backward pass. Fitting is a helper without one.
// domain  n >= 2, 1 <= k <= min(n, d), finite numbers whose squares do not overflow in double. Where all rows are equal
//         the variances and ratios are 0 and the components any orthonormal ones.
//
// Fitted in double whatever T is, from the smaller of (x - mean)(x - mean)^T and (x - mean)^T (x - mean): of few images of
// many pixels (eigenfaces; Turk and Pentland 1991) the first, whose eigenvectors u give the rows u^T (x - mean), which
// are then made orthonormal. So components whose s_i is below 1e-8 s_1 are noise; their variances are right to 1e-16 of
// the largest.
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/linalg/qr.hpp>
#include <limbic/ops/linear.hpp>
#include <limbic/ops/sub.hpp>

LIMBIC_BEGIN

namespace detail {

// The rows of x as doubles, less their mean, which is returned.
template <class D, class T, int R>
tensor<double, 1, D> centre_rows(view<double, 2, D> rows, tensor<T, R, D> const& x) {
  std::ptrdiff_t const n = rows.extent(0), d = rows.extent(1);
  tensor<double, 1, D> mean(shape<1>{{d}});
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < d; ++j) {
      double const v = static_cast<double>(x.data()[i * d + j]);
      if (!math::isfinite(v))
        fail<argument_error>("pca", "row ", i, " of column ", j, " is ", v, ": not a finite number");
      mean(j) += v;
    }
  for (double& m : mean) m /= static_cast<double>(n);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < d; ++j) rows(i, j) = static_cast<double>(x.data()[i * d + j]) - mean(j);
  return mean;
}

// The sign by which the entry of largest magnitude becomes positive.
template <class D> double sign_of_largest(row<double, D> v) {
  double largest = 0;
  for (std::ptrdiff_t j = 0; j < v.size(); ++j) largest = math::max(largest, math::abs(v[j]));
  std::ptrdiff_t j = 0;
  while (math::abs(v[j]) < (1 - 1e-8) * largest) ++j;
  return v[j] < 0 ? -1 : 1;
}

}  // namespace detail

template <class T, class D = default_device> struct pca {
  static_assert(std::is_floating_point_v<T> && is_host<D>, "limbic: pca is fitted to real numbers on a CPU");

  tensor<T, 1, D> mean;                      // (d), of the rows
  tensor<T, 2, D> components;                // (k, d), orthonormal rows
  tensor<T, 1, D> explained_variance;        // (k), descending
  tensor<T, 1, D> explained_variance_ratio;  // (k), of the whole variance

  template <int R>
    requires(R >= 2)
  pca(view<T const, R, D> const& x, std::ptrdiff_t count) {
    std::ptrdiff_t const d = x.extent(R - 1), n = d == 0 ? 0 : x.size() / d, least = n < d ? n : d;
    if (d > 0 && n < 2) fail<argument_error>("pca", "a variance needs at least two rows, but x is ", x.shape());
    if (count < 1 || count > least)
      fail<argument_error>("pca", "the number of components must lie between 1 and ", least, " for x ", x.shape(),
                           ", but is ", count);
    tensor<double, 2, D> rows(shape<2>{{n, d}}, uninitialized);
    auto const middle = detail::centre_rows<D>(rows.view(), tensor<T, R, D>(x));

    view<double const, 2, D> const c = as_view(rows);
    bool const wide = n < d;
    tensor<double, 2, D> products(shape<2>{{least, least}}, uninitialized), vectors(products.shape(), uninitialized);
    tensor<double, 1, D> values(shape<1>{{least}}, uninitialized);
    gemm(D{}, sink<double, 2, D>(products.view()), wide ? c : c.transpose(), wide ? c.transpose() : c);
    double total = 0;
    for (std::ptrdiff_t i = 0; i < least; ++i) total += products(i, i);
    if (!math::isfinite(total)) fail<argument_error>("pca", "squares of elements of x ", x.shape(), " overflow");
    symmetric_eigen(D{}, values.view(), vectors.view(), as_view(products));

    tensor<double, 2, D> leading(shape<2>{{count, least}}, uninitialized), axes(shape<2>{{d, count}}, uninitialized);
    for (std::ptrdiff_t k = 0; k < count; ++k)
      for (std::ptrdiff_t i = 0; i < least; ++i) leading(k, i) = vectors(i, least - 1 - k);
    if (wide) {
      tensor<double, 2, D> images(shape<2>{{count, d}}, uninitialized);
      gemm(D{}, sink<double, 2, D>(images.view()), as_view(leading), c);
      orthonormalize(D{}, axes.view(), view<double, 2, D>(), as_view(images).transpose());
      leading = tensor<double, 2, D>(axes.view().transpose());
    }

    mean = tensor<T, 1, D>(middle.shape(), uninitialized);
    components = tensor<T, 2, D>(shape<2>{{count, d}}, uninitialized);
    explained_variance = explained_variance_ratio = tensor<T, 1, D>(shape<1>{{count}});
    for (std::ptrdiff_t j = 0; j < d; ++j) mean(j) = static_cast<T>(middle(j));
    for (std::ptrdiff_t k = 0; k < count; ++k) {
      double const sign = detail::sign_of_largest(detail::row_of(leading.view(), k));
      double const square = math::max(values(least - 1 - k), 0.0);  // rounding may leave less
      for (std::ptrdiff_t j = 0; j < d; ++j) components(k, j) = static_cast<T>(sign * leading(k, j));
      explained_variance(k) = static_cast<T>(square / static_cast<double>(n - 1));
      explained_variance_ratio(k) = static_cast<T>(total > 0 ? square / total : 0);
    }
  }
  template <int R>
  pca(view<T, R, D> const& x, std::ptrdiff_t count)
    requires(R >= 2 && !std::is_const_v<T>)
      : pca(view<T const, R, D>(x), count) {}
  template <int R>
    requires(R >= 2)
  pca(tensor<T, R, D> const& x, std::ptrdiff_t count) : pca(x.view(), count) {}

  // The coordinates of rows along the components.
  template <operand X> auto project(X&& x) const {
    check_rows("project", x.shape(), components.extent(1));
    return functional::linear(sub(std::forward<X>(x), mean), components);
  }
  // The rows that have these coordinates, and nothing beyond the components.
  template <operand Z> auto reconstruct(Z&& z) const {
    check_rows("reconstruct", z.shape(), components.extent(0));
    return functional::linear(std::forward<Z>(z), components.view().transpose(), mean);
  }

  // Names what a file must hold: mean, components, explained_variance, explained_variance_ratio.
  void each(auto f) {
    f("mean", mean);
    f("components", components);
    f("explained_variance", explained_variance);
    f("explained_variance_ratio", explained_variance_ratio);
  }

 private:
  template <int R> static void check_rows(std::string_view name, shape<R> const& x, std::ptrdiff_t width) {
    static_assert(R >= 1, "limbic: pca projects rows: tensors of rank 1 or more");
    if (x[R - 1] != width) fail<shape_error>(name, "the last axis must have ", width, " elements, but came ", x);
  }
};

LIMBIC_END
