// limbic/linalg/eigh.hpp - eigenvalues and eigenvectors of a symmetric matrix, as ops
//
//   a = V diag(l) V^T      l ascending, column k of V belongs to l_k         (torch.linalg.eigh)
//
//   eigenvalues_symmetric(a)   l (n)          a' += V diag(l') V^T           (torch.linalg.eigvalsh)
//   eigh(a)                    {l (n), V (n, n)}
//                              a' += V (diag(l') + F o skew(V^T V')) V^T,   F_ij = 1 / (l_j - l_i), 0 where equal
//
// shape   (n, n) -> (n), (n, n); n may be 0
// domain  a is taken to be symmetric: only its lower triangle is read, and gradients are those among symmetric matrices.
//         NaN or infinity in the lower triangle: all results are NaN.
//
// Repeated eigenvalues. "Equal" means closer than n eps max|l|, which is what rounding leaves of equal ones. Where some
// are equal, the single values and vectors have no derivative, but what is symmetric in them has one, and the
// adjoints above give it: for sums over all eigenvalues exactly, for projectors onto whole eigenspaces exactly (the
// zero in F leaves out only rotations within an eigenspace, which such functions do not see). A spectral function
// sum f(l_i) is better taken by spectral_sum, which is exact to second order however near the eigenvalues lie.
//
// Dual numbers. Along da the values move by l'_i = v_i^T da v_i and the vectors by V Omega, Omega_ij = v_i^T da v_j /
// (l_j - l_i), 0 where equal. Of equal eigenvalues the eigenspace is first turned so that da is diagonal in it: their
// tangents are the eigenvalues of da restricted to it, ascending: the derivatives along t > 0 of the sorted values.
//
// Signs of vectors are what the solver leaves. The solver is Eigen's (tridiagonal QR); it takes its work space from the
// heap at each call. Its results do not depend on the number of threads.
#pragma once

#include <limbic/core/dual_view.hpp>
#include <limbic/linalg/eigen.hpp>
#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

namespace detail {

template <class T, class D> view<T, 1, D> diagonal(view<T, 2, D> const& m) {
  return {m.data(), shape<1>{{m.extent(0) < m.extent(1) ? m.extent(0) : m.extent(1)}},
          shape<1>{{m.stride(0) + m.stride(1)}}};
}

inline void check_square(std::string_view op, shape<2> const& a) {
  if (a[0] != a[1]) fail<shape_error>(op, "a square matrix is needed, but came ", a);
}

// Eigenvalues closer than this are equal.
template <class T> T eigenvalue_tolerance(std::ptrdiff_t n) {
  return static_cast<T>(n) * std::numeric_limits<T>::epsilon();
}

struct magnitude {
  template <class V> constexpr V operator()(V x) const { return math::abs(x); }
};
struct half_sum {
  template <class V> constexpr V operator()(V a, V b) const { return math::constant<V>(0.5) * (a + b); }
};
struct quotient_or_zero {  // x / (b - a), 0 where a and b are equal
  double tolerance;
  template <class V> constexpr V operator()(V x, V a, V b, V largest) const {
    V const gap = b - a;
    auto const equal = math::abs(gap) <= math::constant<V>(tolerance) * largest;
    return math::select(equal, V(0), x / math::select(equal, V(1), gap));
  }
};
struct skew_over_gap {  // half of m - m^T, over the gap
  quotient_or_zero over;
  template <class V> constexpr V operator()(V m, V transposed, V a, V b, V largest) const {
    return over(math::constant<V>(0.5) * (m - transposed), a, b, largest);
  }
};

}  // namespace detail

// values (n), vectors (n, n) or null, from the lower triangle of a: the one function that calls the solver. A device
// with other memory overloads it by copying there and back.
template <class D, class T>
  requires(is_host<D> && std::is_floating_point_v<T>)
void symmetric_eigen(D, view<T, 1, D> values, view<T, 2, D> vectors, view<T const, 2, D> a) {
  std::ptrdiff_t const n = a.extent(0);
  if (n == 0) return;
  bool finite = true;
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j <= i; ++j) finite = finite && math::isfinite(a(i, j));
  if (!finite) {  // the solver would iterate until it gives up
    fill(D{}, values, std::numeric_limits<T>::quiet_NaN());
    if (vectors) fill(D{}, vectors, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<matrix const, 0, strides> const from(a.data(), n, n, strides(a.stride(1), a.stride(0)));
  Eigen::SelfAdjointEigenSolver<matrix> const solver(from,
                                                     vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success)
    fail<argument_error>("eigh", "the iteration for a matrix of shape ", a.shape(), " did not converge");
  for (std::ptrdiff_t i = 0; i < n; ++i) values(i) = solver.eigenvalues()[i];
  if (!vectors) return;
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j) vectors(i, j) = solver.eigenvectors()(i, j);
}

namespace detail {

// w = v^T m v
template <class D, class T>
void congruence(D d, view<T, 2, D> w, view<T const, 2, D> v, view<T const, 2, D> m) {
  tensor<T, 2, D> half(m.shape(), uninitialized);
  gemm(d, sink<T, 2, D>(half.view()), m, v);
  gemm(d, sink<T, 2, D>(w), v.transpose(), as_view(half));
}

// Turns the vectors of equal eigenvalues so that w = v^T da v is diagonal among them. True when there were any.
template <class D, class T>
bool turn_equal(D d, view<T const, 1, D> values, view<T, 2, D> vectors, view<T const, 2, D> w) {
  std::ptrdiff_t const n = values.size();
  T const tolerance = eigenvalue_tolerance<T>(n) * math::max(math::abs(values(0)), math::abs(values(n - 1)));
  bool turned = false;
  for (std::ptrdiff_t begin = 0, end; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && values(end) - values(end - 1) <= tolerance) ++end;
    if (end - begin < 2) continue;
    std::ptrdiff_t const m = end - begin;
    tensor<T, 1, D> moves({m}, uninitialized);
    tensor<T, 2, D> turn({m, m}, uninitialized), result({n, m}, uninitialized);
    symmetric_eigen(d, moves.view(), turn.view(), w.slice(0, begin, end).slice(1, begin, end));
    gemm(d, sink<T, 2, D>(result.view()), view<T const, 2, D>(vectors.slice(1, begin, end)), as_view(turn));
    copy(d, vectors.slice(1, begin, end), result);
    turned = true;
  }
  return turned;
}

}  // namespace detail

template <class D, class T>
  requires is_host<D>
void symmetric_eigen(D d, view<dual<T>, 1, D> values, view<dual<T>, 2, D> vectors, view<dual<T> const, 2, D> a) {
  std::ptrdiff_t const n = a.extent(0);
  if (n == 0) return;
  tensor<T, 1, D> l({n}, uninitialized);
  tensor<T, 2, D> v(a.shape(), uninitialized), w(a.shape(), uninitialized);
  symmetric_eigen(d, l.view(), v.view(), detail::values(a));
  detail::congruence(d, w.view(), as_view(v), detail::tangents(a));
  if (detail::turn_equal(d, as_view(l), v.view(), as_view(w)))
    detail::congruence(d, w.view(), as_view(v), detail::tangents(a));
  copy(d, detail::values(values), l);
  copy(d, detail::tangents(values), detail::diagonal(as_view(w)));
  if (!vectors) return;
  T const largest = math::max(math::abs(l(0)), math::abs(l(n - 1)));
  tensor<T, 0, D> const scale(shape<0>{}, largest);
  map(d, w, detail::quotient_or_zero{detail::eigenvalue_tolerance<T>(n)}, w, l.view().unsqueeze(1), l, scale);
  copy(d, detail::values(vectors), v);
  tensor<T, 2, D> moves(a.shape(), uninitialized);
  gemm(d, sink<T, 2, D>(moves.view()), as_view(v), as_view(w));
  copy(d, detail::tangents(vectors), moves);
}

namespace detail {

// a' (+)= v (diag(dl) + F o skew(v^T dv)) v^T; null dl or dv count as zeros.
template <class D, class T>
void eigen_adjoint(D d, view<T const, 1, D> l, view<T const, 2, D> v, view<T const, 1, D> dl, view<T const, 2, D> dv,
                   sink<T, 2, D> da) {
  if (!da) return;
  tensor<T, 2, D> left(v.shape(), uninitialized);
  if (dv) {
    tensor<T, 2, D> m(v.shape(), uninitialized), inner(v.shape(), uninitialized);
    tensor<T, 1, D> largest(shape<1>{{1}}, uninitialized);
    gemm(d, sink<T, 2, D>(m.view()), v.transpose(), dv);
    reduce(d, largest, max_of{}, magnitude{}, l);
    map(d, inner, skew_over_gap{{eigenvalue_tolerance<base_of<T>>(l.size())}}, m, m.view().transpose(), l.unsqueeze(1),
        l, largest);
    if (dl) copy(d, sink<T, 1, D>(diagonal(inner.view()), true), dl);
    gemm(d, sink<T, 2, D>(left.view()), v, as_view(inner));
  } else {
    map(d, left, multiply_function{}, v, dl);
  }
  gemm(d, da, as_view(left), v.transpose());
}

}  // namespace detail

struct eigenvalues_symmetric_op {
  static constexpr std::string_view name = "eigenvalues_symmetric";
  static constexpr keep needs = keep::outputs(1);
  static constexpr int visible = 1;  // the vectors are there for the adjoint

  std::tuple<shape<1>, shape<2>> shape_of(shape<2> const& a) const {
    detail::check_square(name, a);
    return {shape<1>{{a[0]}}, a};
  }
  void forward(auto d, auto l, auto v, auto a) const { symmetric_eigen(d, l, v, a); }
  void adjoint(auto d, auto, auto l, auto v, auto dl, auto dv, auto da) const {
    detail::eigen_adjoint(d, l, v, dl, dv, da);
  }
};

struct eigh_op {
  static constexpr std::string_view name = "eigh";
  static constexpr keep needs = keep::output;

  std::tuple<shape<1>, shape<2>> shape_of(shape<2> const& a) const {
    detail::check_square(name, a);
    return {shape<1>{{a[0]}}, a};
  }
  void forward(auto d, auto l, auto v, auto a) const { symmetric_eigen(d, l, v, a); }
  void adjoint(auto d, auto, auto l, auto v, auto dl, auto dv, auto da) const {
    detail::eigen_adjoint(d, l, v, dl, dv, da);
  }
};

template <operand A> auto eigenvalues_symmetric(A&& a) {
  static_assert(rank_of<A> == 2, "limbic: eigenvalues_symmetric takes a matrix");
  return apply(eigenvalues_symmetric_op{}, std::forward<A>(a));
}

// auto const [values, vectors] = eigh(a);
template <operand A> auto eigh(A&& a) {
  static_assert(rank_of<A> == 2, "limbic: eigh takes a matrix");
  return apply(eigh_op{}, std::forward<A>(a));
}

LIMBIC_END
