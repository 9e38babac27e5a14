// limbic/ops/pairwise_cosine_similarity.hpp - cosines of the angles between rows, and the lengths of the rows
//
//   u_i = x_i / |x_i|,  v_j = w_j / |w_j|          0 for a row of zeros, whose cosines are 0
//   c_ij = u_i . v_j
//
//   pairwise_cosine_similarity(x, w)                              c
//   auto const [c, a, b] = cosines_and_lengths(x, w)              c, |x_i| as (N, 1) and |w_j| as (1, C)
//
// shape   x (N, D), w (C, D) -> (N, C)
// adjoint u'_i = sum_j c'_ij v_j,  x'_i += (u'_i - u_i (u_i . u'_i)) / |x_i| + u_i |x_i|';  w alike. 0 for a row of zeros
// domain  lengths from the least to the greatest number: squares are taken of x_k / max |x|. NaN stays NaN
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

namespace detail {

// A row divided by its length.
struct unit_row {
  constexpr void operator()(auto x, auto unit, auto length) const {
    using T = typename decltype(unit)::value_type;
    T const most = fold(max_of{}, [](auto v) { return math::abs(v); }, x);
    if (most == T(0) || x.size() == 0) {
      map(unit, [](auto v) { return v; }, T(0));
      return length.put(0, T(0));
    }
    auto const square = [most](auto v) {
      auto const part = v / math::broadcast<decltype(v)>(most);
      return part * part;
    };
    T const relative = math::sqrt(fold(sum_of{}, square, x));  // 1 or more: one part is 1
    map(unit, [](auto v, auto by, auto again) { return v / by / again; }, x, most, relative);
    length.put(0, most * relative);
  }
};
struct unit_row_adjoint {
  constexpr void operator()(auto unit, auto length, auto dunit, auto dlength, auto dx) const {
    using T = typename decltype(dx)::value_type;
    T const size = length[0];
    if (size == T(0)) return map(dx, [](auto v) { return v; }, T(0));
    T along = dlength ? T(dlength[0]) : T(0);
    if (!dunit) return map(dx, [](auto u, auto g) { return u * g; }, unit, along);
    along = along - dot(unit, dunit) / size;
    map(dx, [](auto u, auto du, auto n, auto g) { return du / n + u * g; }, unit, dunit, size, along);
  }
};

}  // namespace detail

struct pairwise_cosine_similarity_op {
  static constexpr std::string_view name = "pairwise_cosine_similarity";
  static constexpr keep needs = keep::outputs(1, 2, 3, 4);
  static constexpr int visible = 3;  // cosines and lengths; the unit rows are for the adjoint

  auto shape_of(shape<2> const& x, shape<2> const& w) const {
    if (x[1] != w[1]) fail<shape_error>(name, "rows of x ", x, " must be as long as rows of the weight ", w);
    return std::tuple(shape<2>{{x[0], w[0]}}, shape<2>{{x[0], 1}}, shape<2>{{1, w[0]}}, x, w);
  }

  template <class D, class T>
  void forward(D d, view<T, 2, D> cosines, view<T, 2, D> lengths_x, view<T, 2, D> lengths_w, view<T, 2, D> units_x,
               view<T, 2, D> units_w, view<T const, 2, D> x, view<T const, 2, D> w) const {
    tensor<T, 2, D> room_x, room_w;
    view<T, 2, D> const u = place_for(units_x, room_x), v = place_for(units_w, room_w);
    for_each_row(d, 1, detail::unit_row{}, x, u, lengths_x);
    for_each_row(d, 1, detail::unit_row{}, w, v, lengths_w.transpose());
    gemm(d, as_sink(cosines), as_view(u), as_view(v.transpose()));
  }

  template <class D, class T>  // spelled out: nvcc 13 breaks off at ten `auto` parameters
  void adjoint(D d, view<T const, 2, D>, view<T const, 2, D>, view<T const, 2, D>, view<T const, 2, D> lengths_x,
               view<T const, 2, D> lengths_w, view<T const, 2, D> u, view<T const, 2, D> v, view<T const, 2, D> dc,
               view<T const, 2, D> dlengths_x, view<T const, 2, D> dlengths_w, view<T const, 2, D>, view<T const, 2, D>,
               sink<T, 2, D> dx, sink<T, 2, D> dw) const {
    back(d, dc, u, v, lengths_x, dlengths_x, dx);
    back(d, dc.transpose(), v, u, lengths_w.transpose(), dlengths_w.transpose(), dw);
  }

 private:
  template <class T, class D> static view<T, 2, D> place_for(view<T, 2, D> given, tensor<T, 2, D>& room) {
    if (given) return given;
    room = tensor<T, 2, D>(given.shape(), uninitialized);
    return room.view();
  }
  template <class D, class T>
  static void back(D d, view<T const, 2, D> dc, view<T const, 2, D> u, view<T const, 2, D> v,
                   view<T const, 2, D> length, view<T const, 2, D> dlength, sink<T, 2, D> dx) {
    if (!dx) return;
    tensor<T, 2, D> du;
    if (dc) {
      du = tensor<T, 2, D>(u.shape(), uninitialized);
      gemm(d, as_sink(du), dc, v);
    }
    view<T const, 2, D> const g = dc ? as_view(du) : view<T const, 2, D>(nullptr, u.shape());
    for_each_row(d, 1, detail::unit_row_adjoint{}, u, length, g, dlength, dx);
  }
};

template <operand X, operand W> auto cosines_and_lengths(X&& x, W&& w) {
  constexpr bool fit = rank_of<X> == 2 && rank_of<W> == 2;
  if constexpr (fit) return apply(pairwise_cosine_similarity_op{}, std::forward<X>(x), std::forward<W>(w));
  else static_assert(fit, "limbic: cosines are taken between the rows of two matrices");
}
template <operand X, operand W> auto pairwise_cosine_similarity(X&& x, W&& w) {
  return std::get<0>(cosines_and_lengths(std::forward<X>(x), std::forward<W>(w)));
}

LIMBIC_END
