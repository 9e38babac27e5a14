// limbic/ops/lstm.hpp - one direction of one LSTM layer over a whole sequence, with its own adjoint
//
//   y, h_n, c_n = lstm(x, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh)      kernels/lstm.hpp has the formulas
//
// shape   x (T, B, I), or (B, T, I) with batch_first; h_0, c_0 (B, H); weight_ih (4H, I), weight_hh (4H, H),
//         biases (4H) -> y (T, B, H) or (B, T, H), h_n (B, H), c_n (B, H)
// options reverse: time runs backward (y stays in the order of x). steps: x has one step, which every one of `steps`
//         steps reads: torch.repeat without the copies
// absent  h_0, c_0 and both biases may be absent (null views): zeros
// adjoint needs the operands, and the gates, cells and hidden states of all steps, kept time first as extra results
//
// nn/lstm.hpp stacks it into layers and two directions.
#pragma once

#include <limbic/kernels/lstm.hpp>
#include <limbic/ops/op.hpp>

LIMBIC_BEGIN

struct lstm_op {
  static constexpr std::string_view name = "lstm";
  static constexpr keep needs = keep::inputs(0, 1, 2, 3, 4) | keep::outputs(3, 4, 5);
  static constexpr int visible = 3;  // y, h_n, c_n; then gates, cells, hidden
  bool batch_first = false;
  bool reverse = false;
  std::ptrdiff_t steps = 0;  // 0: as many as x has

  std::tuple<shape<3>, shape<2>, shape<2>, shape<3>, shape<3>, shape<3>> shape_of(
      shape<3> const& x, shape<2> const& h_0, shape<2> const& c_0, shape<2> const& w_ih, shape<2> const& w_hh,
      shape<1> const& b_ih, shape<1> const& b_hh) const {
    std::ptrdiff_t const batch = x[batch_first ? 0 : 1], given = x[batch_first ? 1 : 0], size = w_hh[1];
    std::ptrdiff_t const length = steps > 0 ? steps : given;
    if (steps < 0 || (steps > 0 && given != 1))
      fail<shape_error>(name, "with steps = ", steps, " x must have one time step, but is ", x);
    if (length < 1) fail<shape_error>(name, "a sequence needs at least one step, but x is ", x);
    if (w_hh[0] != 4 * size) fail<shape_error>(name, "weight_hh must be (4 H, H), but is ", w_hh);
    if (w_ih[0] != 4 * size || w_ih[1] != x[2])
      fail<shape_error>(name, "weight_ih must be (", 4 * size, ", ", x[2], ") for x ", x, ", but is ", w_ih);
    for (auto const& b : {b_ih, b_hh})
      if (b[0] != 0 && b[0] != 4 * size)
        fail<shape_error>(name, "a bias must have ", 4 * size, " elements, but has ", b[0]);
    if (b_ih[0] != b_hh[0]) fail<shape_error>(name, "both biases are given, or neither: ", b_ih, " and ", b_hh);
    for (auto const& state : {h_0, c_0})
      if (state.size() != 0 && !(state == shape<2>{{batch, size}}))
        fail<shape_error>(name, "an initial state must be (", batch, ", ", size, "), but is ", state);
    shape<3> const y = batch_first ? shape<3>{{batch, length, size}} : shape<3>{{length, batch, size}};
    return {y,
            {{batch, size}},
            {{batch, size}},
            {{length, batch, 5 * size}},
            {{length, batch, size}},
            {{length, batch, size}}};
  }

  // A step of a sample: 4H (2I - 1 + 2H - 1 + 1) for the gates, 8H with biases, 3H for the cell, H for the state, and 5H
  // nonlinearities.
  double flops(shape<3> const& x, shape<2> const&, shape<2> const&, shape<2> const& w_ih, shape<2> const& w_hh,
               shape<1> const& b_ih, shape<1> const&) const {
    std::ptrdiff_t const size = w_hh[1], a_unit = 4 * (2 * w_ih[1] + 2 * size - 1) + (b_ih[0] > 0 ? 8 : 0) + 3 + 1 + 5;
    std::ptrdiff_t const all = steps > 0 ? x[0] * x[1] * steps : x[0] * x[1];
    return static_cast<double>(all) * static_cast<double>(size * a_unit);
  }
  template <class D, class T>
  void forward(D d, view<T, 3, D> y, view<T, 2, D> h_n, view<T, 2, D> c_n, view<T, 3, D> gates, view<T, 3, D> cells,
               view<T, 3, D> hidden, view<T const, 3, D> x, view<T const, 2, D> h_0, view<T const, 2, D> c_0,
               view<T const, 2, D> w_ih, view<T const, 2, D> w_hh, view<T const, 1, D> b_ih,
               view<T const, 1, D> b_hh) const {
    tensor<T, 3, D> own_gates, own_cells, own_hidden;
    auto const room = [](view<T, 3, D>& v, tensor<T, 3, D>& own) {
      if (v) return;
      own = tensor<T, 3, D>(v.shape(), uninitialized);
      v = own.view();
    };
    room(gates, own_gates), room(cells, own_cells), room(hidden, own_hidden);
    tensor<T, 3, D> own_x;
    lstm_forward(d, gates, cells, hidden, time_first(x, own_x), given(h_0), given(c_0), w_ih, w_hh, given(b_ih),
                 given(b_hh), reverse);
    copy(d, swapped(y), hidden);
    std::ptrdiff_t const last = reverse ? 0 : hidden.extent(0) - 1;
    copy(d, h_n, hidden[last]);
    copy(d, c_n, cells[last]);
  }

  template <class D, class T>
  void adjoint(D d, view<T const, 3, D> x, view<T const, 2, D> h_0, view<T const, 2, D> c_0, view<T const, 2, D> w_ih,
               view<T const, 2, D> w_hh, view<T const, 1, D>, view<T const, 1, D>, view<T const, 3, D>,
               view<T const, 2, D>, view<T const, 2, D>, view<T const, 3, D> gates, view<T const, 3, D> cells,
               view<T const, 3, D> hidden, view<T const, 3, D> dy, view<T const, 2, D> dh_n, view<T const, 2, D> dc_n,
               view<T const, 3, D>, view<T const, 3, D>, view<T const, 3, D>, sink<T, 3, D> dx, sink<T, 2, D> dh_0,
               sink<T, 2, D> dc_0, sink<T, 2, D> dw_ih, sink<T, 2, D> dw_hh, sink<T, 1, D> db_ih,
               sink<T, 1, D> db_hh) const {
    tensor<T, 3, D> own_x, own_dx;
    view<T const, 3, D> const first = time_first(x, own_x);
    sink<T, 3, D> to = dx;
    if (dx && batch_first) {
      own_dx = tensor<T, 3, D>(first.shape(), uninitialized);
      to = sink<T, 3, D>(own_dx.view());
    }
    lstm_adjoint(d, first, given(h_0), given(c_0), w_ih, w_hh, gates, cells, hidden, dy ? swapped(dy) : dy, dh_n, dc_n,
                 to, given(dh_0), given(dc_0), dw_ih, dw_hh, given(db_ih), given(db_hh), reverse);
    if (dx && batch_first) copy(d, dx, swapped(view<T const, 3, D>(own_dx.view())));
  }

 private:
  // Between batch first and time first: the same axes exchanged either way.
  template <class V> V swapped(V const& v) const { return batch_first ? v.permute({{1, 0, 2}}) : v; }
  template <class T, class D> view<T const, 3, D> time_first(view<T const, 3, D> const& x, tensor<T, 3, D>& own) const {
    if (!batch_first && x.is_contiguous()) return x;
    own = tensor<T, 3, D>(shape<3>{{x.extent(batch_first ? 1 : 0), x.extent(batch_first ? 0 : 1), x.extent(2)}},
                          uninitialized);
    copy(D{}, own, swapped(x));
    return own.view();
  }
  // An absent operand has no elements, whether its view is null or not.
  template <class V> static V given(V const& v) { return v.shape().size() == 0 ? V() : v; }
};

LIMBIC_END
