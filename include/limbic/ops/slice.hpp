// limbic/ops/slice.hpp - parts of a tensor
//
//   slice(x, axis, begin, end, step = 1)     elements begin, begin + step, ... below end along one axis
//   select(x, axis, index)                   one index along an axis, which is gone
//
// begin, end and index count from the back when negative; an end past the last element is an error.
//
// adjoint x' += y' there, nothing elsewhere
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

inline constexpr std::ptrdiff_t to_the_end = std::numeric_limits<std::ptrdiff_t>::max();  // as the end of a range

namespace detail {
// dx (+)= dy on a part of dx, 0 elsewhere.
template <class D, class T, int R, int S, class V>
void write_part(D d, sink<T, R, D> dx, view<T, S, D> part, V const& dy) {
  if (!dx) return;
  if (!dx.add) fill(d, dx.to, T(0));
  copy(d, sink<T, S, D>(part, dx.add), dy);
}
}  // namespace detail

struct slice_op {
  static constexpr std::string_view name = "slice";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;
  std::ptrdiff_t begin = 0, end = to_the_end, step = 1;

  template <int R> shape<R> shape_of(shape<R> const& x) const {
    return cut(view<char const, R, scalar>(nullptr, x)).shape();
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, cut(x)); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const { detail::write_part(d, dx, cut(dx.to), dy); }

 private:
  template <class V> V cut(V const& x) const {
    std::ptrdiff_t const n = x.extent(normalize_axis(name, axis, V::rank));
    return x.slice(axis, begin < 0 ? begin + n : begin, end == to_the_end ? n : end < 0 ? end + n : end, step);
  }
};

struct select_op {
  static constexpr std::string_view name = "select";
  static constexpr keep needs = keep::nothing;
  static constexpr double flops(auto const&...) { return 0; }
  int axis = 0;
  std::ptrdiff_t index = 0;

  template <int R> shape<R - 1> shape_of(shape<R> const& x) const {
    int const a = normalize_axis(name, axis, R);
    if (index < -x[a] || index >= x[a])
      fail<index_error>(name, "index ", index, " does not lie in axis ", axis, " of ", x);
    shape<R - 1> y;
    for (int i = 0, k = 0; i < R; ++i)
      if (i != a) y[k++] = x[i];
    return y;
  }
  void forward(auto d, auto y, auto x) const { copy(d, y, pick(x)); }
  void adjoint(auto d, auto, auto, auto dy, auto dx) const {
    if (dx) detail::write_part(d, dx, pick(dx.to), dy);
  }

 private:
  template <class T, int R, class D> view<T, R - 1, D> pick(view<T, R, D> const& x) const {
    int const a = axis < 0 ? axis + R : axis;
    shape<R - 1> extents, steps;
    for (int i = 0, k = 0; i < R; ++i) {
      if (i == a) continue;
      extents[k] = x.extent(i);
      steps[k++] = x.stride(i);
    }
    return {x.data() + (index < 0 ? index + x.extent(a) : index) * x.stride(a), extents, steps};
  }
};

template <operand X>
auto slice(X&& x, int axis, std::ptrdiff_t begin, std::ptrdiff_t end = to_the_end, std::ptrdiff_t step = 1) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(slice_op{.axis = axis, .begin = begin, .end = end, .step = step}, std::forward<X>(x));
  else static_assert(fit, "limbic: slice takes a tensor of rank 1 or more");
}
template <operand X> auto select(X&& x, int axis, std::ptrdiff_t index) {
  constexpr bool fit = rank_of<X> >= 1;
  if constexpr (fit) return apply(select_op{.axis = axis, .index = index}, std::forward<X>(x));
  else static_assert(fit, "limbic: select takes a tensor of rank 1 or more");
}

LIMBIC_END
