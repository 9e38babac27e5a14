// limbic/linalg/spectral_function.hpp - functions of a symmetric matrix: exponential, logarithm, square root, any other
//
//   y   = V diag(f(l)) V^T,   a = V diag(l) V^T
//   a' += V (D o (V^T y' V)) V^T,   D_ij = (f(l_i) - f(l_j)) / (l_i - l_j),  f'(l) where the two meet
//
// which is also how y moves with a (Daleckii and Krein 1951). It is exact whether eigenvalues repeat or not.
//
//   expm_symmetric(a)     logm_symmetric(a)     sqrtm_symmetric(a)     spectral_function(a, f)
//
// f is a struct with value(l) and slope(l), templated on the lane; with divided(a, b), where the quotient above has a form
// that does not cancel, it is used instead. Without one, two eigenvalues meet where they differ by less than the cube
// root of the rounding unit, relatively.
//
// shape   (n, n) -> same
// domain  a is taken to be symmetric: its lower triangle is read, and gradients are those among symmetric matrices. log and
//         sqrt need positive eigenvalues (sqrt: not negative): NaN otherwise. NaN and infinity: all NaN.
// second  order: by dual eigenvectors, which lose digits where eigenvalues nearly meet (gap^-2 roundings)
// device and work space: as in linalg/eigh.hpp
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

namespace detail {

template <class F> struct divided_value {
  F f;
  double near;
  template <class V> constexpr V operator()(V a, V b, V w) const {
    if constexpr (requires { f.divided(a, b); }) {
      return f.divided(a, b) * w;
    } else {
      V const gap = b - a;
      auto const meet = math::abs(gap) <= math::constant<V>(near) * math::max(math::abs(a), math::abs(b));
      V const middle = f.slope(math::constant<V>(0.5) * (a + b));
      return math::select(meet, middle, (f.value(b) - f.value(a)) / math::select(meet, V(1), gap)) * w;
    }
  }
};

// out (+)= v (D o (v^T x v)) v^T; only the symmetric part of x counts.
template <class F, class D, class T>
void spectral_slope(D d, F const& f, sink<T, 2, D> out, view<T const, 1, D> l, view<T const, 2, D> v,
                    view<T const, 2, D> x) {
  tensor<T, 2, D> w(v.shape(), uninitialized), inner(v.shape(), uninitialized), left(v.shape(), uninitialized);
  congruence(d, w.view(), v, x);
  map(d, inner, half_sum{}, w, w.view().transpose());
  double const near = math::pow(static_cast<double>(std::numeric_limits<base_of<T>>::epsilon()), 1.0 / 3);
  map(d, inner, divided_value<F>{f, near}, l.unsqueeze(1), l, inner);
  gemm(d, sink<T, 2, D>(left.view()), v, as_view(inner));
  gemm(d, out, as_view(left), v.transpose());
}

}  // namespace detail

template <class F> struct spectral_function_op {
  static constexpr std::string_view name = "spectral_function";
  static constexpr keep needs = keep::outputs(1, 2);
  static constexpr int visible = 1;  // values and vectors are there for the adjoint
  F f;

  std::tuple<shape<2>, shape<1>, shape<2>> shape_of(shape<2> const& a) const {
    detail::check_square(name, a);
    return {a, shape<1>{{a[0]}}, a};
  }

  template <class D, class T> void forward(D d, view<T, 2, D> y, view<T, 1, D> l, view<T, 2, D> v,
                                           view<T const, 2, D> a) const {
    tensor<T, 1, D> own_l;
    tensor<T, 2, D> own_v;
    if (!l) l = (own_l = tensor<T, 1, D>(l.shape(), uninitialized)).view();
    if (!v) v = (own_v = tensor<T, 2, D>(v.shape(), uninitialized)).view();
    symmetric_eigen(d, l, v, a);
    if constexpr (is_dual<T>) {
      using U = base_of<T>;
      tensor<U, 1, D> const at(detail::values(l));
      tensor<U, 2, D> const basis(detail::values(v));
      write(d, detail::values(y), as_view(at), as_view(basis));
      tensor<U, 2, D> const along(detail::tangents(a));
      tensor<U, 2, D> moves(a.shape(), uninitialized);
      detail::spectral_slope(d, f, sink<U, 2, D>(moves.view()), as_view(at), as_view(basis), as_view(along));
      copy(d, detail::tangents(y), moves);
    } else {
      write(d, y, view<T const, 1, D>(l), view<T const, 2, D>(v));
    }
  }

  template <class D, class T>
  void adjoint(D d, view<T const, 2, D>, view<T const, 2, D>, view<T const, 1, D> l, view<T const, 2, D> v,
               view<T const, 2, D> dy, view<T const, 1, D>, view<T const, 2, D>, sink<T, 2, D> da) const {
    if (da) detail::spectral_slope(d, f, da, l, v, dy);
  }

 private:
  template <class D, class T, class Y>
  void write(D d, Y y, view<T const, 1, D> l, view<T const, 2, D> v) const {
    tensor<T, 1, D> of(l.shape(), uninitialized);
    tensor<T, 2, D> left(v.shape(), uninitialized);
    map(d, of, detail::value_of<F>{f}, l);
    map(d, left, multiply_function{}, v, of);
    tensor<T, 2, D> whole(v.shape(), uninitialized);
    gemm(d, sink<T, 2, D>(whole.view()), as_view(left), v.transpose());
    copy(d, y, whole);
  }
};

template <operand A, class F> auto spectral_function(A&& a, F const& f) {
  static_assert(rank_of<A> == 2, "limbic: spectral_function takes a matrix");
  return apply(spectral_function_op<F>{f}, std::forward<A>(a));
}

namespace detail {

struct exp_of_eigenvalue {
  template <class V> constexpr V value(V l) const { return math::exp(l); }
  template <class V> constexpr V slope(V l) const { return math::exp(l); }
  template <class V> constexpr V divided(V a, V b) const {
    V const gap = b - a;
    auto const meet = gap == V(0);
    return math::exp(a) * math::select(meet, V(1), math::expm1(gap) / math::select(meet, V(1), gap));
  }
};
struct log_of_eigenvalue {
  template <class V> constexpr V value(V l) const { return math::log(l); }
  template <class V> constexpr V slope(V l) const { return V(1) / l; }
  template <class V> constexpr V divided(V a, V b) const {
    V const gap = (b - a) / a;
    auto const meet = gap == V(0);
    return math::select(meet, V(1), math::log1p(gap) / math::select(meet, V(1), gap)) / a;
  }
};
struct sqrt_of_eigenvalue {
  template <class V> constexpr V value(V l) const { return math::sqrt(l); }
  template <class V> constexpr V slope(V l) const { return math::constant<V>(0.5) / math::sqrt(l); }
  template <class V> constexpr V divided(V a, V b) const { return V(1) / (math::sqrt(a) + math::sqrt(b)); }
};

}  // namespace detail

template <operand A> auto expm_symmetric(A&& a) {
  return spectral_function(std::forward<A>(a), detail::exp_of_eigenvalue{});
}
template <operand A> auto logm_symmetric(A&& a) {
  return spectral_function(std::forward<A>(a), detail::log_of_eigenvalue{});
}
template <operand A> auto sqrtm_symmetric(A&& a) {
  return spectral_function(std::forward<A>(a), detail::sqrt_of_eigenvalue{});
}

LIMBIC_END
