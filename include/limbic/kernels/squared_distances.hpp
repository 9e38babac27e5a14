// limbic/kernels/squared_distances.hpp - squared Euclidean distances of all pairs of rows, and what goes back
//
//   squared_distances(D, d, a, b)              d_ij   = sum_k (a_ik - b_jk)^2          a (N, F), b (M, F), d (N, M)
//   squared_distances_back(D, da, g, a, b)     da_ik  = 2 sum_j g_ij (a_ik - b_jk)     g (N, M), da (N, F); a sink
//
// The differences are taken before they are multiplied: |a|^2 + |b|^2 - 2 a.b, though a plain matrix product, would lose
// all digits of the distance between rows that are near to one another and far from 0. So d is never negative, exactly
// 0 between equal rows, and exactly symmetric when a is b.
//
// On a CPU both are the loops of a matrix product (see backend/gemm.hpp): one operand packed into panels two SIMD packs
// wide, tiles in parallel, accumulators in registers; an element's bits do not depend on the threads. Other devices get
// them as reductions.
#pragma once

#include <limbic/backend/gemm.hpp>
#include <limbic/backend/reduce.hpp>

LIMBIC_BEGIN

namespace detail {

// What happens to an accumulator at each step of the inner loop: `left` is one element of the left operand in every lane,
// `right` a pack of the panel, `own` a pack of the row that the result belongs to.
struct add_squared_difference {
  static constexpr bool uses_own = false;
  template <class V> LIMBIC_INLINE constexpr V step(V left, V right, V, V acc) const {
    V const difference = left - right;
    return math::fma(difference, difference, acc);
  }
  template <class V> LIMBIC_INLINE constexpr V finish(V acc) const { return acc; }
};
struct add_weighted_difference {
  static constexpr bool uses_own = true;
  template <class V> LIMBIC_INLINE constexpr V step(V left, V right, V own, V acc) const {
    return math::fma(left, own - right, acc);
  }
  template <class V> LIMBIC_INLINE constexpr V finish(V acc) const { return acc + acc; }
};

// A matrix read element by element.
template <class T> struct strided_matrix {
  T const* data;
  std::ptrdiff_t row, column;
};

// A panel of b is so many packs wide: with the differences beside the sums, three would not fit the registers.
template <class D, class T> inline constexpr std::ptrdiff_t difference_packs =
    kernel_lanes<D, T>::packs == 3 ? 2 : kernel_lanes<D, T>::packs;

// M rows of c, one panel wide.
template <class Rule, std::ptrdiff_t M, class D, class T>
LIMBIC_INLINE void difference_kernel(D, std::ptrdiff_t depth, strided_matrix<T> a, T const* panel,
                                     strided_matrix<T> own, T* c, std::ptrdiff_t ldc, std::ptrdiff_t columns,
                                     bool add) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  constexpr Rule rule;
  constexpr std::ptrdiff_t P = difference_packs<D, T>, W = L::width;
  V acc[M][P], mine[M][P];
  for (std::ptrdiff_t i = 0; i < M; ++i)
    for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = mine[i][j] = V(0);
  if constexpr (Rule::uses_own) {
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      T line[P * W] = {};
      for (std::ptrdiff_t j = 0; j < columns; ++j) line[j] = own.data[i * own.row + j * own.column];
      for (std::ptrdiff_t j = 0; j < P; ++j) mine[i][j] = L::load(line + j * W);
    }
  }
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    V right[P];
    for (std::ptrdiff_t j = 0; j < P; ++j) right[j] = L::load(panel + k * P * W + j * W);
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      V const left = math::broadcast<V>(a.data[i * a.row + k * a.column]);
      for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = rule.step(left, right[j], mine[i][j], acc[i][j]);
    }
  }
  if (columns == P * W) {
    for (std::ptrdiff_t i = 0; i < M; ++i)
      for (std::ptrdiff_t j = 0; j < P; ++j) {
        T* const to = c + i * ldc + j * W;
        V const v = rule.finish(acc[i][j]);
        L::store(to, add ? L::load(to) + v : v);
      }
    return;
  }
  for (std::ptrdiff_t i = 0; i < M; ++i) {
    T line[P * W];
    for (std::ptrdiff_t j = 0; j < P; ++j) L::store(line + j * W, rule.finish(acc[i][j]));
    for (std::ptrdiff_t j = 0; j < columns; ++j) c[i * ldc + j] = add ? c[i * ldc + j] + line[j] : line[j];
  }
}

template <class Rule, std::ptrdiff_t M, class D, class T>
LIMBIC_NOINLINE void difference_rows(D d, std::ptrdiff_t m, std::ptrdiff_t depth, strided_matrix<T> a, T const* panel,
                                     strided_matrix<T> own, T* c, std::ptrdiff_t ldc, std::ptrdiff_t columns,
                                     bool add) {
  std::ptrdiff_t i = 0;
  for (; i + M <= m; i += M)
    difference_kernel<Rule, M>(d, depth, strided_matrix<T>{a.data + i * a.row, a.row, a.column}, panel,
                               strided_matrix<T>{own.data + i * own.row, own.row, own.column}, c + i * ldc, ldc,
                               columns, add);
  if constexpr (M > 1)
    if (i < m)
      difference_rows<Rule, M / 2>(d, m - i, depth, strided_matrix<T>{a.data + i * a.row, a.row, a.column}, panel,
                                   strided_matrix<T>{own.data + i * own.row, own.row, own.column}, c + i * ldc, ldc,
                                   columns, add);
}

// c (N, C) from a (N, K), b (K, C) and, where the rule asks for it, own (N, C).
template <class Rule, class D, class T>
void difference_tiles(D d, sink<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b, view<T const, 2, D> own) {
  if (c.shape().size() == 0) return;
  std::ptrdiff_t const n = c.shape()[0], columns = c.shape()[1], depth = a.extent(1);
  if (depth == 0) {
    if (!c.add) fill(d, c.to, T(0));
    return;
  }
  if (!rows_contiguous(c.to)) {
    tensor<T, 2, D> dense(c.shape(), uninitialized);
    difference_tiles<Rule>(d, sink<T, 2, D>(dense.view()), a, b, own);
    return copy(d, c, dense);
  }
  constexpr std::ptrdiff_t width = difference_packs<D, T> * kernel_lanes<D, T>::width;
  constexpr std::ptrdiff_t rows = kernel_lanes<D, T>::rows / (Rule::uses_own ? 2 : 1);
  std::ptrdiff_t const panels = (columns + width - 1) / width, bands = (n + gemm_rows - 1) / gemm_rows;
  tensor<T, 1, D> packed(shape<1>{{panels * width * depth}}, uninitialized);
  for (std::ptrdiff_t p = 0; p < panels; ++p) pack_panel<D, T>(b, p * width, width, packed.data() + p * depth * width);
  std::ptrdiff_t const grain = n * columns * depth < (1 << 18) ? bands * panels : 1;
  parallel_for(bands * panels, grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t t = begin; t < end; ++t) {
      std::ptrdiff_t const i = t / panels * gemm_rows, m = n - i < gemm_rows ? n - i : gemm_rows;
      std::ptrdiff_t const p = t % panels, j = p * width, some = columns - j < width ? columns - j : width;
      for (std::ptrdiff_t k = 0; k < depth; k += gemm_depth) {
        strided_matrix<T> const left{a.data() + i * a.stride(0) + k * a.stride(1), a.stride(0), a.stride(1)};
        strided_matrix<T> const mine{own ? own.data() + i * own.stride(0) + j * own.stride(1) : left.data,
                                     own.stride(0), own.stride(1)};
        difference_rows<Rule, rows>(d, m, depth - k < gemm_depth ? depth - k : gemm_depth, left,
                                    packed.data() + p * depth * width + k * width, mine,
                                    c.to.data() + i * c.to.stride(0) + j, c.to.stride(0), some, c.add || k > 0);
      }
    }
  });
}

// The same as reductions over a third axis.
struct squared_difference {
  template <class V> constexpr V operator()(V a, V b) const { return (a - b) * (a - b); }
};
struct twice_weighted_difference {
  template <class V> constexpr V operator()(V g, V a, V b) const { return (g + g) * (a - b); }
};
template <class D, class T>
void reduce_squared_distances(D d, sink<T, 2, D> to, view<T const, 2, D> a, view<T const, 2, D> b) {
  reduce(d, sink<T, 3, D>(to.to.unsqueeze(2), to.add), sum_of{}, squared_difference{}, a.unsqueeze(1), b.unsqueeze(0));
}
template <class D, class T>
void reduce_squared_distances_back(D d, sink<T, 2, D> da, view<T const, 2, D> g, view<T const, 2, D> a,
                                   view<T const, 2, D> b) {
  reduce(d, sink<T, 3, D>(da.to.unsqueeze(1), da.add), sum_of{}, twice_weighted_difference{}, g.unsqueeze(2),
         a.unsqueeze(1), b.unsqueeze(0));
}

}  // namespace detail

template <class D, class T>
void squared_distances(D d, sink<T, 2, D> to, view<T const, 2, D> a, view<T const, 2, D> b) {
  if (!to) return;
  if (a.extent(1) != b.extent(1) || !(to.shape() == shape<2>{{a.extent(0), b.extent(0)}}))
    fail<shape_error>("squared_distances", "rows of a ", a.shape(), " and b ", b.shape(), " do not give distances ",
                      to.shape());
  if constexpr (is_host<D>)
    detail::difference_tiles<detail::add_squared_difference>(d, to, a, b.transpose(), view<T const, 2, D>());
  else detail::reduce_squared_distances(d, to, a, b);
}

template <class D, class T>
void squared_distances_back(D d, sink<T, 2, D> da, view<T const, 2, D> g, view<T const, 2, D> a,
                            view<T const, 2, D> b) {
  if (!da) return;
  if (a.extent(1) != b.extent(1) || !(g.shape() == shape<2>{{a.extent(0), b.extent(0)}}) || !(da.shape() == a.shape()))
    fail<shape_error>("squared_distances_back", "gradients ", g.shape(), " do not belong to rows of a ", a.shape(),
                      " and b ", b.shape());
  if constexpr (is_host<D>) detail::difference_tiles<detail::add_weighted_difference>(d, da, g, b, a);
  else detail::reduce_squared_distances_back(d, da, g, a, b);
}

LIMBIC_END
