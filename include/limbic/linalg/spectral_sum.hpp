// limbic/linalg/spectral_sum.hpp - a function of the eigenvalues of a symmetric matrix, summed: entropies, log det, ...
//
//   y   = sum_i f(l_i) = tr f(a),      a = V diag(l) V^T
//   a' += y' V diag(f'(l)) V^T
//
// f is a struct with value(l) and slope(l), templated on the lane as in an elementwise op. The adjoint is exact whether
// eigenvalues repeat or not: V diag(f') V^T does not depend on the choice of vectors within an eigenspace.
//
// Dual numbers: y moves by sum_i f'(l_i) (V^T da V)_ii, and the gradient (Daleckii and Krein, 1951) by
//   V (D o (V^T da V)) V^T,   D_ij = (f'(l_j) - f'(l_i)) / (l_j - l_i),  f''(l) where the two meet
// f'' comes from slope at a dual number. Two eigenvalues meet where they differ by less than the cube root of the
// rounding unit, relatively: there the middle's f'' has fewer wrong digits than the quotient.
//
// shape   (n, n) -> a number; 0 for n = 0
// domain, reading, device and work space: as in linalg/eigh.hpp
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

namespace detail {

template <class F> struct scaled_slope {
  F f;
  template <class V> constexpr V operator()(V l, V dy) const { return f.slope(l) * dy; }
};

template <class F> struct divided_slope {
  F f;
  double near;
  template <class V> constexpr V operator()(V a, V b, V w, V dy) const {
    V const gap = b - a;
    auto const meet = math::abs(gap) <= math::constant<V>(near) * math::max(math::abs(a), math::abs(b));
    V const curvature = f.slope(dual<V>(math::constant<V>(0.5) * (a + b), V(1))).tangent;
    return math::select(meet, curvature, (f.slope(b) - f.slope(a)) / math::select(meet, V(1), gap)) * w * dy;
  }
};

}  // namespace detail

template <class F> struct spectral_sum_op {
  static constexpr std::string_view name = "spectral_sum";
  static constexpr keep needs = keep::outputs(1, 2);
  static constexpr int visible = 1;  // values and vectors are there for the adjoint; beside dual vectors runs V^T da V
  F f;

  std::tuple<shape<0>, shape<1>, shape<2>> shape_of(shape<2> const& a) const {
    detail::check_square(name, a);
    return {shape<0>{}, shape<1>{{a[0]}}, a};
  }

  template <class D, class T> void forward(D d, view<T, 0, D> y, view<T, 1, D> l, view<T, 2, D> v,
                                           view<T const, 2, D> a) const {
    tensor<T, 1, D> own;
    if (!l) {
      own = tensor<T, 1, D>(l.shape(), uninitialized);
      l = own.view();
    }
    if constexpr (is_dual<T>) {
      using U = base_of<T>;
      tensor<U, 1, D> at(l.shape(), uninitialized);
      tensor<U, 2, D> basis(a.shape(), uninitialized), w(a.shape(), uninitialized);
      symmetric_eigen(d, at.view(), basis.view(), detail::values(a));
      detail::congruence(d, w.view(), as_view(basis), detail::tangents(a));
      copy(d, detail::values(l), at);
      copy(d, detail::tangents(l), detail::diagonal(as_view(w)));
      if (v) {
        copy(d, detail::values(v), basis);
        copy(d, detail::tangents(v), w);
      }
    } else {
      symmetric_eigen(d, l, v, a);
    }
    reduce(d, y.unsqueeze(0), sum_of{}, detail::value_of<F>{f}, view<T const, 1, D>(l));
  }

  template <class D, class T>
  void adjoint(D d, view<T const, 2, D>, view<T const, 0, D>, view<T const, 1, D> l, view<T const, 2, D> v,
               view<T const, 0, D> dy, view<T const, 1, D>, view<T const, 2, D>, sink<T, 2, D> da) const {
    if (!da) return;
    using U = base_of<T>;
    tensor<U, 2, D> left(v.shape(), uninitialized);
    tensor<U, 1, D> slopes(l.shape(), uninitialized);
    if constexpr (is_dual<T>) {
      tensor<U, 1, D> const at(detail::values(l));
      tensor<U, 2, D> const basis(detail::values(v));
      auto const product = [&](view<U, 2, D> to) {
        gemm(d, sink<U, 2, D>(to, da.add), as_view(left), as_view(basis).transpose());
      };
      map(d, slopes, detail::scaled_slope<F>{f}, at, detail::values(dy));
      map(d, left, multiply_function{}, basis, slopes);
      product(detail::values(da.to));

      tensor<U, 2, D> inner(v.shape(), uninitialized);
      double const near = math::pow(static_cast<double>(std::numeric_limits<U>::epsilon()), 1.0 / 3);
      map(d, inner, detail::divided_slope<F>{f, near}, at.view().unsqueeze(1), at, detail::tangents(v),
          detail::values(dy));
      map(d, sink<U, 1, D>(detail::diagonal(inner.view()), true), detail::scaled_slope<F>{f}, at, detail::tangents(dy));
      gemm(d, sink<U, 2, D>(left.view()), as_view(basis), as_view(inner));
      product(detail::tangents(da.to));
    } else {
      map(d, slopes, detail::scaled_slope<F>{f}, l, dy);
      map(d, left, multiply_function{}, v, slopes);
      gemm(d, da, as_view(left), v.transpose());
    }
  }
};

template <operand A, class F> auto spectral_sum(A&& a, F const& f) {
  static_assert(rank_of<A> == 2, "limbic: spectral_sum takes a matrix");
  return apply(spectral_sum_op<F>{f}, std::forward<A>(a));
}

LIMBIC_END
