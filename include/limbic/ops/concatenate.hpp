// limbic/ops/concatenate.hpp - tensors one after another along an axis
//
//   concatenate(axis, a, b, ...)     along an axis they have; the other extents agree
//   stack(axis, a, b, ...)           along a new axis, before `axis` (-1: at the end); all extents agree
//
// adjoint each operand's gradient is its part of y'
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

namespace detail {

// An op of N operands gets x..., y, dy, dx... in its adjoint: calls f(operand i's part, dx_i) for each i.
template <class F, class... A, std::size_t... I>
void for_each_sink(F const& f, std::tuple<A const&...> const& all, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I);
  (f(std::get<I>(all), std::get<n + 2 + I>(all)), ...);
}

}  // namespace detail

struct concatenate_op {
  static constexpr std::string_view name = "concatenate";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;

  template <int R, class... S> shape<R> shape_of(shape<R> const& first, S const&... rest) const {
    int const a = normalize_axis(name, axis, R);
    shape<R> y = first;
    auto const join = [&](shape<R> const& x) {
      for (int i = 0; i < R; ++i)
        if (i != a && x[i] != first[i])
          fail<shape_error>(name, "shapes ", first, " and ", x, " differ in more than axis ", axis);
      y[a] += x[a];
    };
    (join(rest), ...);
    return y;
  }
  template <class Y, class... X> void forward(auto d, Y y, X const&... x) const {
    std::ptrdiff_t at = 0;
    (copy(d, next(y, x, at), x), ...);
  }
  template <class... A> void adjoint(auto d, A const&... all) const {
    constexpr std::size_t n = (sizeof...(A) - 2) / 2;
    std::tuple<A const&...> const list(all...);
    std::ptrdiff_t at = 0;
    detail::for_each_sink([&](auto const& x, auto const& dx) { copy(d, dx, next(std::get<n + 1>(list), x, at)); }, list,
                          std::make_index_sequence<n>());
  }

 private:
  // x's part of y, which begins at `at`.
  template <class Y> Y next(Y const& y, auto const& x, std::ptrdiff_t& at) const {
    std::ptrdiff_t const begin = at, n = x.extent(normalize_axis(name, axis, Y::rank));
    at += n;
    return y.slice(axis, begin, at);
  }
};

struct stack_op {
  static constexpr std::string_view name = "stack";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;

  template <int R, class... S> shape<R + 1> shape_of(shape<R> const& first, S const&... rest) const {
    int const a = normalize_axis(name, axis, R + 1);
    auto const check = [&](shape<R> const& x) {
      if (!(x == first)) fail<shape_error>(name, "shapes ", first, " and ", x, " differ");
    };
    (check(rest), ...);
    shape<R + 1> y;
    for (int i = 0, k = 0; i <= R; ++i) y[i] = i == a ? 1 + static_cast<std::ptrdiff_t>(sizeof...(S)) : first[k++];
    return y;
  }
  template <class Y, class... X> void forward(auto d, Y y, X const&... x) const {
    std::ptrdiff_t at = 0;
    (copy(d, next(y, at), x.unsqueeze(axis)), ...);
  }
  template <class... A> void adjoint(auto d, A const&... all) const {
    constexpr std::size_t n = (sizeof...(A) - 2) / 2;
    std::tuple<A const&...> const list(all...);
    std::ptrdiff_t at = 0;
    detail::for_each_sink(
        [&](auto const&, auto const& dx) {
          using S = std::remove_cvref_t<decltype(dx)>;
          auto const part = next(std::get<n + 1>(list), at);
          if (dx)
            copy(d, sink<typename S::value_type, S::rank + 1, typename S::device>(dx.to.unsqueeze(axis), dx.add), part);
        },
        list, std::make_index_sequence<n>());
  }

 private:
  template <class Y> Y next(Y const& y, std::ptrdiff_t& at) const {
    ++at;
    return y.slice(axis, at - 1, at);
  }
};

template <operand First, operand... Rest> auto concatenate(int axis, First&& first, Rest&&... rest) {
  constexpr bool fit = rank_of<First> >= 1 && ((rank_of<Rest> == rank_of<First>) && ...) && sizeof...(Rest) < 16;
  if constexpr (fit)
    return apply(concatenate_op{.axis = axis}, std::forward<First>(first), std::forward<Rest>(rest)...);
  else static_assert(fit, "limbic: concatenate takes up to 16 tensors of one rank, 1 or more");
}
template <operand First, operand... Rest> auto stack(int axis, First&& first, Rest&&... rest) {
  constexpr bool fit = ((rank_of<Rest> == rank_of<First>) && ...) && sizeof...(Rest) < 16;
  if constexpr (fit) return apply(stack_op{.axis = axis}, std::forward<First>(first), std::forward<Rest>(rest)...);
  else static_assert(fit, "limbic: stack takes up to 16 tensors of one rank");
}

LIMBIC_END
