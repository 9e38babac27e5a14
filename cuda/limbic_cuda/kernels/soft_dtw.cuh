// limbic_cuda/kernels/soft_dtw.cuh - dynamic time warping on a GPU: one block a pair, along anti-diagonals
//
// The cells of an anti-diagonal do not depend on one another: the threads of a block share them, and meet before the
// next. The step from cell to cell is the CPU's (kernels/soft_dtw.hpp). Every block has room for the states of all cells
// and, to go back, for their shares and E. Sums run in a fixed order. Not checked: whether operands are finite.
#pragma once

#include <limbic/kernels/soft_dtw.hpp>
#include <limbic_cuda/backend.cuh>

LIMBIC_BEGIN
namespace detail {

// An operand of rank 3 as plain data; null where there is none.
template <class T> struct strided_cube {
  T* data = nullptr;
  std::ptrdiff_t stride[3] = {};
  __device__ T& at(std::ptrdiff_t a, std::ptrdiff_t b, std::ptrdiff_t c) const {
    return data[a * stride[0] + b * stride[1] + c * stride[2]];
  }
};
template <class T> strided_cube<T> as_cube(view<T, 3, cuda> v) {
  return {v.data(), {v.stride(0), v.stride(1), v.stride(2)}};
}

template <class T> struct dtw_operands {
  std::ptrdiff_t count = 0, tx = 0, ty = 0, channels = 0, reach = 0;
  dtw_pairs pairs;
  strided_cube<T const> x, y, costs;
  strided_cube<T> gx, gy, e;
  T* value = nullptr;
  std::ptrdiff_t value_stride = 1;
  T* room = nullptr;
  std::ptrdiff_t room_of_block = 0;
  bool backward = false;
};

// What one block knows of its pair.
template <class Rule, class T> struct dtw_block {
  using L = kernel_lanes<scalar, T>;
  using state = typename Rule::template state<T>;
  dtw_operands<T> const& o;
  std::ptrdiff_t pair;
  T *states, *shares, *e;

  __device__ bool inside(std::ptrdiff_t i, std::ptrdiff_t j) const {
    return i >= 0 && j >= 0 && i < o.tx && j < o.ty && i - j <= o.reach && j - i <= o.reach;
  }
  __device__ std::ptrdiff_t cell(std::ptrdiff_t i, std::ptrdiff_t j) const { return i * o.ty + j; }
  __device__ state before(std::ptrdiff_t i, std::ptrdiff_t j) const {
    if (i < 0 && j < 0) return Rule::template start<T>();
    return inside(i, j) ? Rule::template load<L>(states + cell(i, j) * Rule::words) : Rule::template border<T>();
  }
  __device__ T cost(std::ptrdiff_t i, std::ptrdiff_t j) const {
    if (o.costs.data != nullptr) return o.costs.at(pair, i, j);
    T sum = T(0);
    for (std::ptrdiff_t c = 0; c < o.channels; ++c) {
      T const difference = o.x.at(o.pairs.x(pair), i, c) - o.y.at(o.pairs.y(pair), j, c);
      sum = math::fma(difference, difference, sum);
    }
    return sum;
  }
  __device__ void forward(Rule const& rule, std::ptrdiff_t i, std::ptrdiff_t j) const {
    T const scaled_cost = math::constant<T>(rule.cost_scale()) * cost(i, j);
    dtw_shares<T> share{};
    state const s =
        Rule::template step<true>(before(i - 1, j - 1), before(i - 1, j), before(i, j - 1), scaled_cost, share);
    Rule::template store<L>(states + cell(i, j) * Rule::words, s);
    if (!o.backward) return;
    T* const to = shares + 3 * cell(i, j);
    to[0] = share.diagonal, to[1] = share.up, to[2] = share.left;
  }
  __device__ void back(std::ptrdiff_t i, std::ptrdiff_t j) const {
    T sum = T(i + 1 == o.tx && j + 1 == o.ty ? 1 : 0);
    if (inside(i, j + 1)) sum += e[cell(i, j + 1)] * shares[3 * cell(i, j + 1) + 2];
    if (inside(i + 1, j + 1)) sum += e[cell(i + 1, j + 1)] * shares[3 * cell(i + 1, j + 1)];
    if (inside(i + 1, j)) sum += e[cell(i + 1, j)] * shares[3 * cell(i + 1, j) + 1];
    e[cell(i, j)] = sum;
  }
  // Element (t, c) of the gradient of x, or of y.
  __device__ T gradient(bool of_x, std::ptrdiff_t t, std::ptrdiff_t c) const {
    std::ptrdiff_t const n = of_x ? o.ty : o.tx;
    T sum = T(0);
    for (std::ptrdiff_t k = n - 1; k >= 0; --k) {
      std::ptrdiff_t const i = of_x ? t : k, j = of_x ? k : t;
      if (!inside(i, j)) continue;
      T const difference = o.x.at(o.pairs.x(pair), i, c) - o.y.at(o.pairs.y(pair), j, c);
      sum = math::fma(e[cell(i, j)], of_x ? difference : -difference, sum);
    }
    return sum + sum;
  }
};

template <class Rule, class T>
__global__ void __launch_bounds__(threads_of_block) dtw_kernel(Rule const rule, dtw_operands<T> const o) {
  std::ptrdiff_t const cells = o.tx * o.ty, diagonals = o.tx + o.ty - 1, step = blockDim.x;
  T* const room = o.room + blockIdx.x * o.room_of_block;
  for (std::ptrdiff_t pair = blockIdx.x; pair < o.count; pair += gridDim.x) {
    dtw_block<Rule, T> const b{o, pair, room, room + Rule::words * cells, room + (Rule::words + 3) * cells};
    auto const low = [&](std::ptrdiff_t k) { return k < o.ty ? 0 : k - o.ty + 1; };
    auto const high = [&](std::ptrdiff_t k) { return k < o.tx ? k : o.tx - 1; };
    for (std::ptrdiff_t k = 0; k < diagonals; ++k) {
      for (std::ptrdiff_t i = low(k) + threadIdx.x; i <= high(k); i += step)
        if (b.inside(i, k - i)) b.forward(rule, i, k - i);
      __syncthreads();
    }
    if (threadIdx.x == 0) o.value[pair * o.value_stride] = rule.value(b.before(o.tx - 1, o.ty - 1));
    if (o.backward) {
      for (std::ptrdiff_t k = diagonals - 1; k >= 0; --k) {
        for (std::ptrdiff_t i = low(k) + threadIdx.x; i <= high(k); i += step)
          if (b.inside(i, k - i)) b.back(i, k - i);
        __syncthreads();
      }
      if (o.e.data != nullptr)
        for (std::ptrdiff_t n = threadIdx.x; n < cells; n += step)
          o.e.at(pair, n / o.ty, n % o.ty) = b.inside(n / o.ty, n % o.ty) ? b.e[n] : T(0);
      if (o.gx.data != nullptr)
        for (std::ptrdiff_t n = threadIdx.x; n < o.tx * o.channels; n += step)
          o.gx.at(pair, n / o.channels, n % o.channels) = b.gradient(true, n / o.channels, n % o.channels);
      if (o.gy.data != nullptr)
        for (std::ptrdiff_t n = threadIdx.x; n < o.ty * o.channels; n += step)
          o.gy.at(pair, n / o.channels, n % o.channels) = b.gradient(false, n / o.channels, n % o.channels);
    }
    __syncthreads();  // the room is free for the next pair
  }
}

template <class Rule, class T>
void launch_dtw(Rule const& rule, dtw_operands<T>& o, view<T, 1, cuda> value, std::ptrdiff_t band) {
  o.count = value.extent(0);
  if (o.count == 0) return;
  o.value = value.data(), o.value_stride = value.stride(0);
  o.reach = dtw_band(o.tx, o.ty, band).reach;
  unsigned const blocks = o.count < 256 ? static_cast<unsigned>(o.count) : 256U;
  o.room_of_block = (Rule::words + (o.backward ? 4 : 0)) * o.tx * o.ty;
  tensor<T, 1, cuda> room(shape<1>{{o.room_of_block * static_cast<std::ptrdiff_t>(blocks)}}, uninitialized);
  o.room = room.data();
  launch("dtw", &dtw_kernel<Rule, T>, blocks, block_threads(o.tx < o.ty ? o.tx : o.ty), rule, o);
}

// A thread an element of a series; it meets every pair, in their order.
template <class T> __global__ void add_pairs_kernel(strided_cube<T> const dx, T const* weights, std::ptrdiff_t stride,
                                                    strided_cube<T const> const gradients, dtw_pairs const pairs,
                                                    bool const of_x, std::ptrdiff_t const count,
                                                    std::ptrdiff_t const steps, std::ptrdiff_t const channels) {
  for (std::ptrdiff_t n = first_item(); n < steps * channels; n += item_step()) {
    std::ptrdiff_t const t = n / channels, c = n % channels;
    for (std::ptrdiff_t p = 0; p < count; ++p) {
      T& to = dx.at(of_x ? pairs.x(p) : pairs.y(p), t, c);
      to = math::fma(weights[p * stride], gradients.at(p, t, c), to);
    }
  }
}

}  // namespace detail

template <class Rule, class T>
void dtw_of_series(cuda, Rule const& rule, view<T, 1, cuda> value, view<T, 3, cuda> gx, view<T, 3, cuda> gy,
                   view<T const, 3, cuda> x, view<T const, 3, cuda> y, dtw_pairs const& pairs, std::ptrdiff_t band) {
  detail::dtw_operands<T> o;
  o.tx = x.extent(1), o.ty = y.extent(1), o.channels = x.extent(2);
  o.pairs = pairs;
  o.x = detail::as_cube(x), o.y = detail::as_cube(y), o.gx = detail::as_cube(gx), o.gy = detail::as_cube(gy);
  o.backward = gx || gy;
  detail::launch_dtw(rule, o, value, band);
}

template <class Rule, class T>
void dtw_of_costs(cuda, Rule const& rule, view<T, 1, cuda> value, view<T, 3, cuda> e, view<T const, 3, cuda> costs,
                  std::ptrdiff_t band) {
  detail::dtw_operands<T> o;
  o.tx = costs.extent(1), o.ty = costs.extent(2);
  o.costs = detail::as_cube(costs), o.e = detail::as_cube(e);
  o.backward = static_cast<bool>(e);
  detail::launch_dtw(rule, o, value, band);
}

template <class T>
void add_pair_gradients(cuda, view<T, 3, cuda> dx, view<T const, 1, cuda> weights, view<T const, 3, cuda> gradients,
                        dtw_pairs const& pairs, std::ptrdiff_t (dtw_pairs::*of)(std::ptrdiff_t) const) {
  std::ptrdiff_t const steps = dx.extent(1), channels = dx.extent(2), count = weights.extent(0);
  if (count == 0 || steps * channels == 0) return;
  detail::launch("add_pair_gradients", &detail::add_pairs_kernel<T>, detail::blocks_for(steps * channels),
                 detail::threads_of_block, detail::as_cube(dx), weights.data(), weights.stride(0),
                 detail::as_cube(gradients), pairs, of == &dtw_pairs::x, count, steps, channels);
}

LIMBIC_END
