// limbic/ops/repeat.hpp - a tensor many times over
//
//   repeat(x, shape{2, 1, 3})          so many times along each axis; more numbers than axes add axes in front
//   broadcast_to(x, shape{4, -1, 3})   extents of 1 stretched, axes added in front; -1 keeps an extent
//   broadcast_to(x, 4, -1, 3)          the same
//
// repeat(x, T, 1, 1) of a (B, F) tensor is (T, B, F): the same input at every time step.
//
// adjoint x' += the sum of y' over all copies
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

template <int S> struct repeat_op {
  static constexpr std::string_view name = "repeat";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<S> times;

  template <int R> shape<S> shape_of(shape<R> const& x) const {
    shape<S> y = times;
    for (int i = 0; i < S; ++i) {
      if (times[i] < 0) fail<argument_error>(name, "numbers of copies must not be negative, but are ", times);
      if (i >= S - R) y[i] *= x[i - (S - R)];
    }
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, apart(y, x.shape()), among(x)); }
  template <class D, class T, int R> void adjoint(D d, auto x, auto, auto dy, sink<T, R, D> dx) const {
    if (!dx) return;
    reduce(d, sink<T, 2 * S, D>(among(dx.to), dx.add), sum_of{}, apart(dy, x.shape()));
  }

 private:
  // y with every axis as two: the copies, and the elements of one.
  template <class T, class D, int R> view<T, 2 * S, D> apart(view<T, S, D> const& y, shape<R> const& x) const {
    shape<2 * S> extents, steps;
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const n = i < S - R ? 1 : x[i - (S - R)];
      extents[2 * i] = times[i];
      extents[2 * i + 1] = n;
      steps[2 * i] = y.stride(i) * n;
      steps[2 * i + 1] = y.stride(i);
    }
    return {y.data(), extents, steps};
  }
  // x with an axis of extent 1 before each of its own.
  template <class T, class D, int R> static view<T, 2 * S, D> among(view<T, R, D> const& x) {
    auto const led = detail::lead<S>(x);
    shape<2 * S> extents, steps;
    for (int i = 0; i < S; ++i) {
      extents[2 * i] = 1;
      extents[2 * i + 1] = led.extent(i);
      steps[2 * i + 1] = led.stride(i);
    }
    return {x.data(), extents, steps};
  }
};

template <int S> struct broadcast_to_op {
  static constexpr std::string_view name = "broadcast_to";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  shape<S> to;

  template <int R> shape<S> shape_of(shape<R> const& x) const {
    shape<S> y = to;
    for (int i = 0; i < S; ++i) {
      std::ptrdiff_t const n = i < S - R ? -1 : x[i - (S - R)];
      if (to[i] == -1 && n >= 0) y[i] = n;
      if (y[i] < 0 || (n >= 0 && n != 1 && n != y[i]))
        fail<shape_error>(name, "shape ", x, " does not broadcast to ", to);
    }
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, x); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { detail::spread_back(d, dx, identity_function{}, dy); }
};

template <operand X, int S> auto repeat(X&& x, shape<S> const& times) {
  constexpr bool fit = S >= rank_of<X> && S <= 4;
  if constexpr (fit) return apply(repeat_op<S>{times}, std::forward<X>(x));
  else static_assert(fit, "limbic: repeat takes a number for every axis of x, and gives at most rank 4");
}
template <operand X, class... I>
  requires(sizeof...(I) > 0 && (std::is_integral_v<I> && ...))
auto repeat(X&& x, I... times) {
  return repeat(std::forward<X>(x), shape<static_cast<int>(sizeof...(I))>{{static_cast<std::ptrdiff_t>(times)...}});
}
template <operand X, int S> auto broadcast_to(X&& x, shape<S> const& to) {
  constexpr bool fit = S >= rank_of<X>;
  if constexpr (fit) return apply(broadcast_to_op<S>{to}, std::forward<X>(x));
  else static_assert(fit, "limbic: broadcast_to cannot drop axes");
}
template <operand X, class... I>
  requires(sizeof...(I) > 0 && (std::is_integral_v<I> && ...))
auto broadcast_to(X&& x, I... to) {
  return broadcast_to(std::forward<X>(x), shape<static_cast<int>(sizeof...(I))>{{static_cast<std::ptrdiff_t>(to)...}});
}

LIMBIC_END
