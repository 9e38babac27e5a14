// limbic/ops/rowwise.hpp - ops that treat every line along one axis alike
//
// Such an op has an option `axis` and says, with the verbs of backend/row.hpp:
//
//   forward_row(x, y)          y from x
//   adjoint_row(x, y, dy, dx)  what `needs` does not name arrives as a null row
#pragma once

#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

// An op that says what becomes of one row.
template <class Op> concept has_rows =
    requires { &Op::axis; } && requires(Op const& o, row<double, scalar> r) { o.forward_row(r, r); };

namespace detail {
template <class Op> struct row_forward {
  Op o;
  void constexpr operator()(auto x, auto y) const { o.forward_row(x, y); }
};
template <class Op> struct row_adjoint {
  Op o;
  void constexpr operator()(auto x, auto y, auto dy, auto dx) const { o.adjoint_row(x, y, dy, dx); }
};
}  // namespace detail

template <class Op> struct rowwise_op {
  static constexpr std::string_view name = Op::name;
  static constexpr keep needs = Op::needs;
  Op o;  // what says forward_row and adjoint_row

  template <int R> shape<R> shape_of(shape<R> const& x) const {
    normalize_axis(name, o.axis, R);
    return x;
  }
  void forward(auto d, auto y, auto x) const { for_each_row(d, o.axis, detail::row_forward<Op>{o}, x, y); }
  void adjoint(auto d, auto x, auto y, auto dy, auto dx) const {
    if (dx) for_each_row(d, o.axis, detail::row_adjoint<Op>{o}, x, y, dy, dx);
  }
};

template <has_rows Op> constexpr rowwise_op<Op> lift(Op const& o, says_less) { return {o}; }

LIMBIC_END
