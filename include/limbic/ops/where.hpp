// limbic/ops/where.hpp - a choice, element by element
//
//   y = a where mask != 0, else b       the mask has the operands' element type: 0 or 1, as comparisons give it
//
// shape   broadcast of all three (NumPy's rule)
// adjoint a' += y' where chosen, b' += y' elsewhere; exactly 0 at the others, even where y' is infinite. The mask gets 0.
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

struct where_op {
  static constexpr std::string_view name = "where";
  static constexpr keep needs = keep::inputs(0);

  template <int M, int A, int B> auto shape_of(shape<M> const& mask, shape<A> const& a, shape<B> const& b) const {
    return broadcast(name, mask, broadcast(name, a, b));
  }
  void forward(auto d, auto y, auto mask, auto a, auto b) const { map(d, y, choose{}, mask, a, b); }
  void adjoint(auto d, auto mask, auto, auto, auto, auto dy, auto dmask, auto da, auto db) const {
    no_gradient(d, dmask);
    detail::spread_back(d, da, chosen<true>{}, dy, mask);
    detail::spread_back(d, db, chosen<false>{}, dy, mask);
  }

  struct choose {
    template <class V> constexpr V operator()(V mask, V a, V b) const { return math::select(mask == V(0), b, a); }
  };
  template <bool First> struct chosen {
    template <class V> constexpr V operator()(V dy, V mask) const {
      return First ? math::select(mask == V(0), V(0), dy) : math::select(mask == V(0), dy, V(0));
    }
  };
};

template <operand M, operand A, operand B> auto where(M&& mask, A&& a, B&& b) {
  return apply(where_op{}, std::forward<M>(mask), std::forward<A>(a), std::forward<B>(b));
}

LIMBIC_END
