// limbic/information/gram.hpp - Gram matrices of a Gaussian kernel, brought to trace 1, and joined
//
//   rbf_gram(x, sigma)             K_ij = e^(-|x_i - x_j|^2 / (2 sigma^2))      (N, ...) -> (N, N)
//   rbf_gram(x, y, sigma)          the same between rows of x and of y          (N, ...) (M, ...) -> (N, M)
//   normalize_gram(k)              A_ij = K_ij / (n sqrt(K_ii K_jj))            trace 1
//   normalized_rbf_gram(x, sigma)  the two in one: K / n, as the diagonal of K is 1
//   joint(a, b)                    A_ij B_ij / sum_k A_kk B_kk                  trace 1
//
// Rows are taken as vectors, whatever their shape. For Gaussian kernels of one sigma, joint(gram of x, gram of z) is the
// normalised Gram matrix of the rows of x and z concatenated.
//
// Sanchez Giraldo, Rao, Principe: Measures of entropy from data using infinitely divisible kernels, 2015,
// arXiv:1211.2459; Yu et al.: Multivariate extension of matrix-based Renyi's alpha-order entropy functional, 2020,
// arXiv:1808.07912.
//
// domain  sigma > 0, not so small that 1 / sigma^2 overflows; diagonals > 0 in normalize_gram (else NaN). NaN stays NaN.
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/ops/elementwise.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>

LIMBIC_BEGIN

// scale e^(-d / (2 sigma^2)) of a squared distance d; the slope from the result, so that the tape keeps one matrix.
struct gaussian_kernel_op {
  static constexpr std::string_view name = "rbf_gram";
  static constexpr keep needs = keep::output;
  double sigma = 1;
  double scale = 1;  // 1 / n where the matrix is normalised at once

  template <class V> constexpr V value(V d) const {
    return math::constant<V>(scale) * math::exp(math::constant<V>(rate()) * d);
  }
  template <class V> constexpr V slope(V k) const { return math::constant<V>(rate()) * k; }
  // -1 / (2 sigma^2)
  constexpr double rate() const { return -0.5 / (sigma * sigma); }
};

//   y_ij = K_ij / (n sqrt(K_ii K_jj));   K'_ij += y'_ij / (n sqrt(K_ii K_jj)),
//                                        K'_ii -= sum_j (y'_ij y_ij + y'_ji y_ji) / (2 K_ii)
struct normalize_gram_op {
  static constexpr std::string_view name = "normalize_gram";
  static constexpr keep needs = keep::input | keep::output;

  shape<2> shape_of(shape<2> const& k) const {
    detail::check_square(name, k);
    return k;
  }
  template <class D, class T> void forward(D d, view<T, 2, D> y, view<T const, 2, D> k) const {
    auto const self = detail::diagonal(k);
    map(d, y, over_roots{count(k)}, k, self.unsqueeze(1), self);
  }
  template <class D, class T>
  void adjoint(D d, view<T const, 2, D> k, view<T const, 2, D> y, view<T const, 2, D> dy, sink<T, 2, D> dk) const {
    if (!dk) return;
    auto const self = detail::diagonal(k);
    map(d, dk, over_roots{count(k)}, dy, self.unsqueeze(1), self);
    tensor<T, 2, D> sums({k.extent(0), 1}, uninitialized);
    reduce(d, sums, sum_of{}, multiply_function{}, dy, y);
    reduce(d, sink<T, 2, D>(sums.view(), true), sum_of{}, multiply_function{}, dy.transpose(), y.transpose());
    map(d, sink<T, 1, D>(detail::diagonal(dk.to), true), minus_half_quotient{}, sums.view().transpose()[0], self);
  }

  // Public, as nvcc wants the types that reach a kernel.
  struct over_roots {
    double n;
    template <class V> constexpr V operator()(V x, V a, V b) const {
      return x / (math::constant<V>(n) * math::sqrt(a * b));
    }
  };
  struct minus_half_quotient {
    template <class V> constexpr V operator()(V sum, V k) const { return math::constant<V>(-0.5) * sum / k; }
  };

 private:
  template <class K> static double count(K const& k) { return static_cast<double>(k.extent(0)); }
};

//   y = a o b / t, t = sum_k a_kk b_kk;   a'_ij += b_ij (y'_ij - c delta_ij) / t,  c = sum_ij y'_ij y_ij;  b' likewise
struct joint_op {
  static constexpr std::string_view name = "joint";
  static constexpr keep needs = keep::input | keep::output;

  shape<2> shape_of(shape<2> const& a, shape<2> const& b) const {
    detail::check_square(name, a);
    if (!(a == b)) fail<shape_error>(name, "Gram matrices a ", a, " and b ", b, " must be of the same samples");
    return a;
  }
  template <class D, class T> void forward(D d, view<T, 2, D> y, view<T const, 2, D> a, view<T const, 2, D> b) const {
    tensor<T, 1, D> const t = trace(d, a, b);
    map(d, y, product_over{}, a, b, t);
  }
  template <class D, class T>
  void adjoint(D d, view<T const, 2, D> a, view<T const, 2, D> b, view<T const, 2, D> y, view<T const, 2, D> dy,
               sink<T, 2, D> da, sink<T, 2, D> db) const {
    tensor<T, 1, D> const t = trace(d, a, b);
    tensor<T, 2, D> c({1, 1}, uninitialized);
    reduce(d, c, sum_of{}, multiply_function{}, dy, y);
    share(d, da, b, dy, as_view(c)[0], as_view(t));
    share(d, db, a, dy, as_view(c)[0], as_view(t));
  }

  // Public, as nvcc wants the types that reach a kernel.
  struct product_over {
    template <class V> constexpr V operator()(V a, V b, V t) const { return a * b / t; }
  };
  struct minus_product_over {
    template <class V> constexpr V operator()(V a, V b, V t) const { return V(0) - a * b / t; }
  };

 private:
  template <class D, class T> static tensor<T, 1, D> trace(D d, view<T const, 2, D> a, view<T const, 2, D> b) {
    tensor<T, 1, D> t(shape<1>{{1}}, uninitialized);
    reduce(d, t, sum_of{}, multiply_function{}, detail::diagonal(a), detail::diagonal(b));
    return t;
  }
  template <class D, class T>
  static void share(D d, sink<T, 2, D> to, view<T const, 2, D> other, view<T const, 2, D> dy, view<T const, 1, D> c,
                    view<T const, 1, D> t) {
    if (!to) return;
    map(d, to, product_over{}, other, dy, t);
    map(d, sink<T, 1, D>(detail::diagonal(to.to), true), minus_product_over{}, detail::diagonal(other), c, t);
  }
};

namespace detail {
// A kernel width that the element type can compute with.
template <class T> gaussian_kernel_op gaussian_kernel(std::string_view op, double sigma, double scale = 1) {
  gaussian_kernel_op const k{.sigma = sigma, .scale = scale};
  if (!(sigma > 0) || !math::isfinite(sigma))
    fail<argument_error>(op, "sigma must be positive and finite, but is ", sigma);
  if (!math::isfinite(static_cast<base_of<T>>(k.rate())))
    fail<argument_error>(op, "sigma ", sigma, " is so small that 1 / sigma^2 overflows");
  return k;
}
}  // namespace detail

template <operand X> auto rbf_gram(X&& x, double sigma) {
  return apply(detail::gaussian_kernel<element_of<X>>("rbf_gram", sigma),
               pairwise_squared_distances(std::forward<X>(x)));
}
template <operand X, operand Y> auto rbf_gram(X&& x, Y&& y, double sigma) {
  return apply(detail::gaussian_kernel<element_of<X>>("rbf_gram", sigma),
               pairwise_squared_distances(std::forward<X>(x), std::forward<Y>(y)));
}

template <operand X> auto normalized_rbf_gram(X&& x, double sigma) {
  double const n = static_cast<double>(x.shape()[0]);
  return apply(detail::gaussian_kernel<element_of<X>>("normalized_rbf_gram", sigma, n > 0 ? 1 / n : 1),
               pairwise_squared_distances(std::forward<X>(x)));
}

template <operand K> auto normalize_gram(K&& k) {
  static_assert(rank_of<K> == 2, "limbic: normalize_gram takes a matrix");
  return apply(normalize_gram_op{}, std::forward<K>(k));
}

template <operand A, operand B> auto joint(A&& a, B&& b) {
  static_assert(rank_of<A> == 2 && rank_of<B> == 2, "limbic: joint takes two matrices");
  return apply(joint_op{}, std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
