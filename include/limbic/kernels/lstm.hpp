// limbic/kernels/lstm.hpp - one direction of one LSTM layer, usable alone on views
//
//   gates = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh            rows of W in the order i, f, g, o, each of H
//   c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),  h_t = sigmoid(o) tanh(c_t)
//   Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; names and order as torch.nn.LSTM
//
// T steps, B = batch size, I = input size, H = hidden size; time is the first axis.
//
//   x       (T, B, I), or (1, B, I): one input that every step reads, projected once
//   gates   (T, B, 5H)  what the adjoint needs: i, f, g, o after their nonlinearities, then tanh(c)
//   cells, hidden  (T, B, H)
//
// The input is projected for all steps in one product, W_hh is packed once, and the weight gradients are one product
// over all steps each. Absent operands (initial state, biases, unused gradients) are null views.
#pragma once

#include <limbic/backend/gemm.hpp>
#include <limbic/backend/reduce.hpp>

LIMBIC_BEGIN

// From the gates before their nonlinearities and c_{t-1}: i, f, g, o, tanh c_t, c_t, h_t.
struct lstm_cell {
  template <class V> constexpr results<V, 7> operator()(V i, V f, V g, V o, V c) const {
    V const input = math::sigmoid(i), forget = math::sigmoid(f), update = math::tanh(g), output = math::sigmoid(o);
    V const cell = math::fma(forget, c, input * update);
    V const squashed = math::tanh(cell);
    return {{input, forget, update, output, squashed, cell, output * squashed}};
  }
};

// From the gradients dh and dc of h_t and c_t to those of the gates before their nonlinearities, and of c_{t-1}.
struct lstm_cell_adjoint {
  template <class V>
  constexpr results<V, 5> operator()(V i, V f, V g, V o, V squashed, V c_before, V dh, V dc) const {
    V const one = V(1);
    V const cell = math::fma(dh * o, one - squashed * squashed, dc);
    return {{cell * g * i * (one - i), cell * c_before * f * (one - f), cell * i * (one - g * g),
             dh * squashed * o * (one - o), cell * f}};
  }
};

// a + b
struct add_function {
  template <class V> constexpr V operator()(V a, V b) const { return a + b; }
};

namespace detail {
// (T, B, F) as (T * B, F); the view must be contiguous.
template <class T, class D> view<T, 2, D> all_steps(view<T, 3, D> const& v) {
  return {v.data(), shape<2>{{v.extent(0) * v.extent(1), v.extent(2)}}};
}
// Columns k * H .. (k + 1) * H.
template <class V> V gate(V const& v, std::ptrdiff_t k, std::ptrdiff_t hidden_size) {
  return v.slice(1, k * hidden_size, (k + 1) * hidden_size);
}
// The order in which steps are taken: forward in time, or backward.
struct time_order {
  std::ptrdiff_t steps;
  bool reverse;
  std::ptrdiff_t at(std::ptrdiff_t s) const { return reverse ? steps - 1 - s : s; }
};
}  // namespace detail

// All steps of one direction: gates (T, B, 4H), cells and hidden (T, B, H) from x (T, B, I), states and weights.
template <class D, class T>
void lstm_forward(D d, view<T, 3, D> gates, view<T, 3, D> cells, view<T, 3, D> hidden, view<T const, 3, D> x,
                  view<T const, 2, D> h_0, view<T const, 2, D> c_0, view<T const, 2, D> w_ih, view<T const, 2, D> w_hh,
                  view<T const, 1, D> b_ih, view<T const, 1, D> b_hh, bool reverse) {
  std::ptrdiff_t const steps = gates.extent(0), batch = gates.extent(1), size = hidden.extent(2);
  bool const repeated = x.extent(0) == 1 && steps != 1;
  tensor<T, 2, D> const projected(shape<2>{{repeated ? batch : 0, 4 * size}}, uninitialized);
  view<T, 2, D> const rows = repeated ? view<T, 2, D>(const_cast<T*>(projected.data()), projected.shape())
                                      : detail::all_steps(gates).slice(1, 0, 4 * size);
  if (b_ih) map(d, rows, add_function{}, b_ih, b_hh);
  gemm(d, sink<T, 2, D>(rows, static_cast<bool>(b_ih)), detail::all_steps(x), w_ih.transpose());

  packed_matrix<T, D> const recurrent(w_hh.transpose());
  tensor<T, 2, D> const zero(shape<2>{{c_0 ? 0 : batch, size}});
  detail::time_order const order{steps, reverse};
  for (std::ptrdiff_t s = 0; s < steps; ++s) {
    std::ptrdiff_t const t = order.at(s);
    view<T, 2, D> const all = gates[t], pre = all.slice(1, 0, 4 * size);
    auto const gate = [&](int k) { return detail::gate(all, k, size); };
    if (repeated) copy(d, pre, projected);
    view<T const, 2, D> const h = s > 0 ? view<T const, 2, D>(hidden[order.at(s - 1)]) : h_0;
    view<T const, 2, D> const c = s > 0 ? view<T const, 2, D>(cells[order.at(s - 1)]) : c_0 ? c_0 : zero.view();
    if (h) gemm(d, sink<T, 2, D>(pre, true), h, recurrent);
    map(d, outs(gate(0), gate(1), gate(2), gate(3), gate(4), cells[t], hidden[t]), lstm_cell{}, gate(0), gate(1),
        gate(2), gate(3), c);
  }
}

// Sinks of the operands; dx is (T, B, I) or (1, B, I) as x is. dy (T, B, H), dh_n and dc_n (B, H) may be null.
template <class D, class T>
void lstm_adjoint(D d, view<T const, 3, D> x, view<T const, 2, D> h_0, view<T const, 2, D> c_0,
                  view<T const, 2, D> w_ih, view<T const, 2, D> w_hh, view<T const, 3, D> gates,
                  view<T const, 3, D> cells, view<T const, 3, D> hidden, view<T const, 3, D> dy,
                  view<T const, 2, D> dh_n, view<T const, 2, D> dc_n, sink<T, 3, D> dx, sink<T, 2, D> dh_0,
                  sink<T, 2, D> dc_0, sink<T, 2, D> dw_ih, sink<T, 2, D> dw_hh, sink<T, 1, D> db_ih,
                  sink<T, 1, D> db_hh, bool reverse) {
  std::ptrdiff_t const steps = gates.extent(0), batch = gates.extent(1), size = hidden.extent(2);
  detail::time_order const order{steps, reverse};
  tensor<T, 3, D> dgates(shape<3>{{steps, batch, 4 * size}}, uninitialized);
  tensor<T, 2, D> dh(shape<2>{{batch, size}}), dc(shape<2>{{batch, size}});
  tensor<T, 2, D> const zero(shape<2>{{c_0 ? 0 : batch, size}});
  packed_matrix<T, D> const back(w_hh);
  if (dh_n) copy(d, dh, dh_n);
  if (dc_n) copy(d, dc, dc_n);
  for (std::ptrdiff_t s = steps - 1; s >= 0; --s) {
    std::ptrdiff_t const t = order.at(s);
    if (dy) copy(d, sink<T, 2, D>(dh.view(), s == steps - 1), dy[t]);
    if (s < steps - 1) gemm(d, sink<T, 2, D>(dh.view(), static_cast<bool>(dy)), dgates.view()[order.at(s + 1)], back);
    auto const gate = [&](int k) { return detail::gate(gates[t], k, size); };
    auto const dgate = [&](int k) { return detail::gate(dgates.view()[t], k, size); };
    view<T const, 2, D> const c = s > 0 ? cells[order.at(s - 1)] : c_0 ? c_0 : zero.view();
    map(d, outs(dgate(0), dgate(1), dgate(2), dgate(3), dc), lstm_cell_adjoint{}, gate(0), gate(1), gate(2), gate(3),
        gate(4), c, dh, dc);
  }

  // Steps that have a predecessor, and their predecessors, are two contiguous ranges.
  view<T const, 3, D> const all = dgates.view();
  auto const range = [&](view<T const, 3, D> v, bool first) {
    std::ptrdiff_t const begin = first == reverse ? 1 : 0;
    return detail::all_steps(v.slice(0, begin, begin + steps - 1));
  };
  if (dh_0) gemm(d, dh_0, all[order.at(0)], back);
  copy(d, dc_0, dc);
  bool const repeated = x.extent(0) == 1 && steps != 1;
  tensor<T, 3, D> summed(shape<3>{{repeated ? 1 : 0, batch, 4 * size}}, uninitialized);
  if (repeated) reduce(d, summed, sum_of{}, all);
  view<T const, 2, D> const dprojected = detail::all_steps(repeated ? view<T const, 3, D>(summed.view()) : all);
  gemm(d, dw_ih, dprojected.transpose(), detail::all_steps(x));
  gemm(d, dw_hh, range(all, false).transpose(), range(hidden, true));
  if (h_0) gemm(d, sink<T, 2, D>(dw_hh.to, true), all[order.at(0)].transpose(), h_0);
  if (db_ih || db_hh) {
    tensor<T, 2, D> db(shape<2>{{1, 4 * size}}, uninitialized);
    reduce(d, db, sum_of{}, dprojected);
    copy(d, db_ih, db.view()[0]);
    copy(d, db_hh, db.view()[0]);
  }
  if (dx) gemm(d, sink<T, 2, D>(detail::all_steps(dx.to), dx.add), dprojected, w_ih);
}

LIMBIC_END
