// limbic/signal/lattice.hpp - orthogonal filters from rotation angles, so that a model can learn its wavelet
//
//   auto const f = lattice_filters(angles, x)      (K) -> (4, 2K), rows dec_lo, dec_hi, rec_lo, rec_hi: dwt(x, f)
//   auto const f = lattice_filters(angles, x, {.vanishing_moment = true})      (K) -> (4, 2K + 2)
//   lattice_angles<float>("db4")                   the angles of a wavelet, to start from
//
//   rec_lo's even and odd taps as polynomials:  (p, q)_0 = (cos a_0, sin a_0)
//   (p, q)_k = (p_{k-1} cos a_k - z q_{k-1} sin a_k,  p_{k-1} sin a_k + z q_{k-1} cos a_k)
//
// Every choice of angles reconstructs perfectly, and every orthogonal pair of filters of this length comes from one
// (Vaidyanathan and Hoang 1988, doi:10.1109/29.1491). With .vanishing_moment one more angle is added that brings the sum to
// pi/4: then rec_lo sums to sqrt(2), and a constant signal has no details.
//
// x       only says where the filters are recorded (a parameter alone is not): its values do not matter, it gets no gradient.
//         Leave it out when the angles are a variable or when nothing records.
// adjoint the rotations undone one by one; a_k' += sum (q' p - p' q) after the k-th
#pragma once

#include <limbic/ops/op.hpp>
#include <limbic/signal/wavelet.hpp>

#include <cmath>

LIMBIC_BEGIN

namespace detail {

struct rotate_function {
  template <class V> constexpr results<V, 2> operator()(V p, V q, V angle) const {
    V const c = math::cos(angle), s = math::sin(angle);
    return {{c * p - s * q, s * p + c * q}};
  }
};
struct rotate_back_function {
  template <class V> constexpr results<V, 2> operator()(V p, V q, V angle) const {
    V const c = math::cos(angle), s = math::sin(angle);
    return {{c * p + s * q, c * q - s * p}};
  }
};
struct turn_function {
  template <class V> constexpr V operator()(V p, V q, V dp, V dq) const { return dq * p - dp * q; }
};
struct signed_sum_function {  // of what one tap gets from the four filters
  double sign;
  template <class V> constexpr V operator()(V dec_lo, V dec_hi, V rec_lo, V rec_hi) const {
    return dec_lo + rec_lo + math::constant<V>(sign) * (dec_hi + rec_hi);
  }
};
struct negate_function {
  template <class V> constexpr V operator()(V x) const { return V(0) - x; }
};
struct rest_of_quarter_function {
  template <class V> constexpr V operator()(V sum) const { return math::constant<V>(0.78539816339744830962) - sum; }
};

// Taps 0, 2, ... (odd = 0) or 1, 3, ... (odd = 1) of one row, forwards or from the end.
template <class T, class D> view<T, 1, D> taps_of(view<T, 2, D> const& f, int row, int odd, bool reverse = false) {
  std::ptrdiff_t const n = f.extent(1) / 2, step = 2 * f.stride(1);
  T* const first = f.data() + row * f.stride(0) + odd * f.stride(1);
  return {reverse ? first + (n - 1) * step : first, shape<1>{{n}}, shape<1>{{reverse ? -step : step}}};
}

}  // namespace detail

struct lattice_options {
  bool vanishing_moment = false;  // one more angle, so that constant signals have no details
};

struct lattice_op {
  static constexpr std::string_view name = "lattice_filters";
  static constexpr keep needs = keep::inputs(0) | keep::output;
  bool vanishing_moment = false;  // as in lattice_options

  template <class... Beside> shape<2> shape_of(shape<1> const& angles, Beside const&...) const {
    std::ptrdiff_t const n = angles[0] + (vanishing_moment ? 1 : 0);
    if (n < 1) fail<shape_error>(name, "at least one angle is needed");
    return {{4, 2 * n}};
  }

  template <class D, class T>
  void forward(D d, view<T, 2, D> y, view<T const, 1, D> given, auto const&...) const {
    std::ptrdiff_t const n = y.extent(1) / 2;
    tensor<T, 1, D> const angles = all_angles(d, given);
    tensor<T, 2, D> filter(shape<2>{{2, n}}, T(0)), delayed(shape<2>{{2, n}}, T(0));
    view<T, 1, D> const p = filter.view()[0], q = filter.view()[1];
    fill(d, p.slice(0, 0, 1), T(1));
    for (std::ptrdiff_t k = 0; k < n; ++k) {
      copy(d, delayed.view()[0], p);
      copy(d, delayed.view()[1].slice(0, 1, n), q.slice(0, 0, n - 1));
      map(d, outs(p, q), detail::rotate_function{}, delayed.view()[0], delayed.view()[1],
          angles.view().slice(0, k, k + 1));
    }
    using detail::taps_of;
    copy(d, taps_of(y, 2, 0), p);
    copy(d, taps_of(y, 2, 1), q);
    copy(d, taps_of(y, 0, 0, true), q);
    copy(d, taps_of(y, 0, 1, true), p);
    map(d, taps_of(y, 1, 0), detail::negate_function{}, p);
    copy(d, taps_of(y, 1, 1), q);
    copy(d, taps_of(y, 3, 0, true), q);
    map(d, taps_of(y, 3, 1, true), detail::negate_function{}, p);
  }

  template <class D, class T>
  void adjoint(D d, view<T const, 1, D> given, view<T const, 2, D> y, view<T const, 2, D> dy,
               sink<T, 1, D> dangles) const {
    if (!dangles) return;
    std::ptrdiff_t const n = y.extent(1) / 2;
    tensor<T, 1, D> const angles = all_angles(d, given);
    tensor<T, 1, D> turns(angles.shape(), uninitialized);
    tensor<T, 2, D> filter(shape<2>{{2, n}}, uninitialized), change(filter.shape(), uninitialized),
        turned(filter.shape(), uninitialized);
    using detail::taps_of;
    copy(d, filter.view()[0], taps_of(y, 2, 0));
    copy(d, filter.view()[1], taps_of(y, 2, 1));
    map(d, change.view()[0], detail::signed_sum_function{-1}, taps_of(dy, 0, 1, true), taps_of(dy, 1, 0),
        taps_of(dy, 2, 0), taps_of(dy, 3, 1, true));
    map(d, change.view()[1], detail::signed_sum_function{1}, taps_of(dy, 0, 0, true), taps_of(dy, 1, 1),
        taps_of(dy, 2, 1), taps_of(dy, 3, 0, true));
    for (std::ptrdiff_t k = n - 1; k >= 0; --k) {
      reduce(d, turns.view().slice(0, k, k + 1), sum_of{}, detail::turn_function{}, filter.view()[0], filter.view()[1],
             change.view()[0], change.view()[1]);
      for (view<T, 2, D> const v : {filter.view(), change.view()}) {
        map(d, outs(turned.view()[0], turned.view()[1]), detail::rotate_back_function{}, v[0], v[1],
            angles.view().slice(0, k, k + 1));
        copy(d, v[0], turned.view()[0]);
        copy(d, v[1].slice(0, 0, n - 1), turned.view()[1].slice(0, 1, n));
        fill(d, v[1].slice(0, n - 1, n), T(0));
      }
    }
    if (!vanishing_moment) return copy(d, dangles, turns);
    view<T const, 1, D> const last = turns.view().slice(0, n - 1, n);
    copy(d, dangles, turns.view().slice(0, 0, n - 1));
    map(d, sink<T, 1, D>(dangles.to, true), detail::negate_function{}, last);
  }
  template <class D, class T, int R>
  void adjoint(D d, view<T const, 1, D> given, view<T const, R, D>, view<T const, 2, D> y, view<T const, 2, D> dy,
               sink<T, 1, D> dangles, sink<T, R, D> beside) const {
    adjoint(d, given, y, dy, dangles);
    no_gradient(d, beside);
  }

 private:
  template <class D, class T> tensor<T, 1, D> all_angles(D d, view<T const, 1, D> given) const {
    std::ptrdiff_t const n = given.size();
    tensor<T, 1, D> all(shape<1>{{n + (vanishing_moment ? 1 : 0)}}, uninitialized);
    copy(d, all.view().slice(0, 0, n), given);
    if (vanishing_moment) {
      view<T, 1, D> const last = all.view().slice(0, n, n + 1);
      reduce(d, last, sum_of{}, identity_function{}, given);
      map(d, last, detail::rest_of_quarter_function{}, last);
    }
    return all;
  }
};

template <operand A> auto lattice_filters(A&& angles, lattice_options const& o = {}) {
  constexpr bool fit = rank_of<A> == 1;
  if constexpr (fit) return apply(lattice_op{o.vanishing_moment}, std::forward<A>(angles));
  else static_assert(fit, "limbic: lattice_filters takes angles of rank 1");
}
template <operand A, operand X> auto lattice_filters(A&& angles, X const& beside, lattice_options const& o = {}) {
  constexpr bool fit = rank_of<A> == 1;
  if constexpr (fit) return apply(lattice_op{o.vanishing_moment}, std::forward<A>(angles), beside);
  else static_assert(fit, "limbic: lattice_filters takes angles of rank 1");
}

// The angles that give an orthogonal wavelet (all but bior, rbio and dmey). Leave out the last for .vanishing_moment.
template <class T = float, class D = default_device>
  requires is_host<D>
tensor<T, 1, D> lattice_angles(wavelet const& w) {
  if (!w.orthogonal() || w.name() == "dmey")
    fail<argument_error>("lattice_angles", "the filters of '", w.name(), "' are not orthogonal");
  std::ptrdiff_t const n = w.length() / 2;
  tensor<double, 2, scalar> f(shape<2>{{2, n}}, uninitialized);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (int odd = 0; odd < 2; ++odd) f(odd, i) = w.rec_lo()[static_cast<std::size_t>(2 * i + odd)];
  tensor<T, 1, D> angles(shape<1>{{n}}, uninitialized);
  for (std::ptrdiff_t k = n - 1; k >= 0; --k) {
    // The first tap of q and the last of p are to vanish; both say the same angle: the larger taps say it best.
    double const first = std::hypot(f(0, 0), f(1, 0)), last = std::hypot(f(0, k), f(1, k));
    double const a = k == 0 || first >= last ? std::atan2(f(1, 0), f(0, 0)) : std::atan2(-f(0, k), f(1, k));
    double const c = std::cos(a), s = std::sin(a);
    angles(k) = static_cast<T>(a);
    for (std::ptrdiff_t i = 0; i <= k; ++i) {
      double const p = f(0, i), q = f(1, i);
      f(0, i) = c * p + s * q;
      if (i > 0) f(1, i - 1) = c * q - s * p;
    }
  }
  return angles;
}

LIMBIC_END
