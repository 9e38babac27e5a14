// limbic/information/entropy.hpp - Shannon's entropy, and Renyi's of a Gram matrix; natural logarithms
//
//   shannon_entropy(p)         H = -sum_i p_i log p_i along the last axis, 0 log 0 = 0
//   renyi_entropy(a, {.alpha}) S = log(sum_i l_i^alpha) / (1 - alpha),  l_i the eigenvalues of a
//                              alpha = 2 (the default): -log |a|_F^2, without eigenvalues
//                              alpha = 1: the limit -sum_i l_i log l_i (von Neumann)
//   joint_entropy(a, b, {.alpha})   renyi_entropy(joint(a, b))
//
// shape   p (..., C) -> (...);  a (n, n) -> a number
// adjoint exact, and finite where eigenvalues repeat or vanish (see linalg/spectral_sum.hpp)
// domain  p >= 0 (a negative entry gives NaN); nothing checks that p sums to 1. The slope at p = 0 would be infinite and
//         is taken as 0: what is multiplied by p on its way back (softmax) has that limit.
//         a: symmetric, positive semidefinite, trace 1 (normalize_gram), n >= 1. alpha > 0, finite. Eigenvalues up to
//         4 rounding units are 0 but for rounding (negative ones too) and count as 0, with slope 0: along positive
//         semidefinite matrices an eigenvalue 0 does not move to first order. NaN in a gives NaN.
//         Near alpha = 1 the quotient loses |log10 |1 - alpha|| digits; within 3e-8 of 1 the limit is taken, which is
//         then the nearer one. Sums underflow where n^(1 - alpha) does: alpha < 100 for n < 1000 in double.
#pragma once

#include <limbic/information/gram.hpp>
#include <limbic/linalg/spectral_sum.hpp>

LIMBIC_BEGIN

struct entropy_options {
  double alpha = 2;
};

namespace detail {

// -p log p, and its slope -(log p + 1), 0 at p = 0.
struct entropy_term {
  template <class V> constexpr V value(V p) const {
    V const q = math::select(p == V(0), V(1), p);
    return V(0) - q * math::log(q);
  }
  template <class V> constexpr V slope(V p) const {
    auto const zero = p == V(0);
    return math::select(zero, V(0), V(-1) - math::log(math::select(zero, V(1), p)));
  }
};

// l^alpha, and its slope, 0 at l = 0 even where alpha < 1.
struct power_term {
  double alpha;
  template <class V> constexpr V value(V l) const { return math::select(l == V(0), V(0), power(l, alpha)); }
  template <class V> constexpr V slope(V l) const {
    return math::select(l == V(0), V(0), math::constant<V>(alpha) * power(l, alpha - 1));
  }

 private:
  template <class V> static constexpr V power(V l, double exponent) {
    return math::pow(math::select(l == V(0), V(1), l), math::constant<V>(exponent));
  }
};

// A function of eigenvalues that takes those up to `least` as 0. NaN stays NaN.
template <class Term> struct of_positive {
  Term term;
  double least;
  template <class V> constexpr V value(V l) const { return term.value(clipped(l)); }
  template <class V> constexpr V slope(V l) const { return term.slope(clipped(l)); }

 private:
  template <class V> constexpr V clipped(V l) const { return math::select(l <= math::constant<V>(least), V(0), l); }
};

template <class T> constexpr double least_eigenvalue =
    4 * static_cast<double>(std::numeric_limits<base_of<T>>::epsilon());

}  // namespace detail

struct shannon_entropy_op {
  static constexpr std::string_view name = "shannon_entropy";
  static constexpr keep needs = keep::input;

  template <int R> shape<R - 1> shape_of(shape<R> const& p) const {
    shape<R - 1> s;
    for (int i = 0; i < R - 1; ++i) s[i] = p[i];
    return s;
  }
  template <class D, class T, int R> void forward(D d, view<T, R - 1, D> h, view<T const, R, D> p) const {
    reduce(d, h.unsqueeze(R - 1), sum_of{}, detail::value_of<detail::entropy_term>{}, p);
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, R, D> p, view<T const, R - 1, D>, view<T const, R - 1, D> dh,
               sink<T, R, D> dp) const {
    map(d, dp, detail::scaled_slope<detail::entropy_term>{}, p, dh.unsqueeze(R - 1));
  }
};

// S_2 = -log sum_ij a_ij^2;  a'_ij -= 2 S' a_ij / sum a^2 = 2 S' a_ij e^S
struct collision_entropy_op {
  static constexpr std::string_view name = "renyi_entropy";
  static constexpr keep needs = keep::input | keep::output;

  shape<0> shape_of(shape<2> const& a) const {
    detail::check_square(name, a);
    return {};
  }
  template <class D, class T> void forward(D d, view<T, 0, D> s, view<T const, 2, D> a) const {
    view<T, 2, D> const wide = s.unsqueeze(0).unsqueeze(0);
    reduce(d, wide, sum_of{}, square{}, a);
    map(d, s, minus_log{}, view<T const, 0, D>(s));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, 2, D> a, view<T const, 0, D> s, view<T const, 0, D> ds, sink<T, 2, D> da) const {
    if (!da) return;
    tensor<T, 0, D> factor(shape<0>{}, uninitialized);
    map(d, factor, minus_twice_exp{}, s, ds);
    map(d, da, multiply_function{}, a, factor);
  }

  // Public, as nvcc wants the types that reach a kernel.
  struct square {
    template <class V> constexpr V operator()(V x) const { return x * x; }
  };
  struct minus_log {
    template <class V> constexpr V operator()(V x) const { return V(0) - math::log(x); }
  };
  struct minus_twice_exp {
    template <class V> constexpr V operator()(V s, V ds) const { return math::constant<V>(-2) * math::exp(s) * ds; }
  };
};

// log(x) / (1 - alpha)
struct scaled_log_op {
  static constexpr std::string_view name = "renyi_entropy";
  static constexpr keep needs = keep::input;
  double alpha = 2;
  template <class V> constexpr V value(V x) const { return math::log(x) / math::constant<V>(1 - alpha); }
  template <class V> constexpr V slope(V x) const { return V(1) / (math::constant<V>(1 - alpha) * x); }
};

template <operand P> auto shannon_entropy(P&& p) {
  static_assert(rank_of<P> >= 1, "limbic: shannon_entropy takes probabilities along the last axis of a tensor");
  return apply(shannon_entropy_op{}, std::forward<P>(p));
}

template <operand A> auto renyi_entropy(A&& a, entropy_options const& options = {}) {
  static_assert(rank_of<A> == 2, "limbic: renyi_entropy takes a matrix");
  double const alpha = options.alpha;
  if (!(alpha > 0) || !math::isfinite(alpha))
    fail<argument_error>("renyi_entropy", "alpha must be positive and finite, but is ", alpha);
  if (a.shape()[0] == 0)
    fail<shape_error>("renyi_entropy", "a Gram matrix of at least one sample is needed, but came ", a.shape());
  constexpr double least = detail::least_eigenvalue<element_of<A>>;
  if (alpha == 2) return apply(collision_entropy_op{}, std::forward<A>(a));
  if (math::abs(alpha - 1) < 3e-8)
    return spectral_sum(std::forward<A>(a), detail::of_positive<detail::entropy_term>{{}, least});
  return apply(scaled_log_op{alpha},
               spectral_sum(std::forward<A>(a), detail::of_positive<detail::power_term>{{alpha}, least}));
}

template <operand A, operand B> auto joint_entropy(A&& a, B&& b, entropy_options const& options = {}) {
  return renyi_entropy(joint(std::forward<A>(a), std::forward<B>(b)), options);
}

LIMBIC_END
