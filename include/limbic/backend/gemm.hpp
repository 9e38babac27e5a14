// limbic/backend/gemm.hpp - matrix products
//
//   gemm(D, c, a, b)      c (M, N)  = a (M, K) b (K, N)       sink: assigns or adds
//   gemm(D, c, a, b)      the same for each matrix of a batch: c (B, M, N), an operand may have batch extent 1
//   gemm(D, c, a, packed) b packed once by pack_matrix, used many times (recurrent weights)
//
// Transposes are views (a.transpose()). Structure (Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication", 2008): b is packed into panels three SIMD packs wide, tiles of 96 x 256 of c run in parallel, and a
// register micro-kernel goes over K in blocks of 128. The rows of a are read in place, or, where they lie far apart, from
// a copy of the tile's. Every element of c is one chain of multiply-adds in the order of k for each block, and the blocks
// are added in their order, so its bits depend neither on the threads nor on where it lies in c. A product with a single
// column or a single row is a matrix-vector product and goes through gemv: the same chain where the columns of the matrix
// are contiguous, as in a row times b; dot products, which add in another order, elsewhere (a matrix times a column, a
// row times a transposed b). Scalar loops and dual numbers run the same code, their pack being one element.
#pragma once

#include <limbic/backend/map.hpp>

LIMBIC_BEGIN

namespace detail {

// What the micro-kernel computes with: W elements of T in a pack.
template <class D, class T> struct kernel_lanes {
  using type = T;
  static constexpr std::ptrdiff_t width = 1, packs = 4, rows = 4;
  static LIMBIC_INLINE constexpr T load(T const* p) { return *p; }
  static LIMBIC_INLINE constexpr void store(T* p, T v) { *p = v; }
};
#if LIMBIC_SIMD
template <class T>
  requires has_lanes<T>
struct kernel_lanes<simd, T> : lanes<T> {
  // 8 x 3 accumulators of 32 registers, 4 x 3 of 16: the rest holds three packs of b and an element of a. Two packs of b
  // would hide the latency of the multiply-adds as well, but take more instructions for each. A dual takes two registers.
  static constexpr std::ptrdiff_t packs = is_dual<T> ? 1 : 3;
  static constexpr std::ptrdiff_t rows = LIMBIC_SIMD_REGISTERS == 32 ? 8 : 4;
};
#endif

inline constexpr std::ptrdiff_t gemm_rows = 96, gemm_columns = 256, gemm_depth = 128;

// Where the micro-kernel finds a: element (i, k) of a group of rows at i * row + k * step, the next group at `group`.
template <class T> struct left_rows {
  T const* data;
  std::ptrdiff_t row, step, group;
};

// The first columns of a tile go to c. Once for all micro-kernels, whose ragged ends would take more code than they do.
template <class T>
LIMBIC_NOINLINE void put_tile(T* c, std::ptrdiff_t ldc, T const* tile, std::ptrdiff_t rows, std::ptrdiff_t width,
                              std::ptrdiff_t columns, bool add) {
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      T const v = tile[i * width + j];
      c[i * ldc + j] = add ? c[i * ldc + j] + v : v;
    }
}

// c (M x N part of a tile) (+)= a b over one block of k. `b` has rows ldb apart, at least packs * width elements each.
template <class D, class T, std::ptrdiff_t M, std::ptrdiff_t P>
LIMBIC_INLINE void micro_kernel(std::ptrdiff_t depth, left_rows<T> a, T const* b, std::ptrdiff_t ldb, T* c,
                                std::ptrdiff_t ldc, std::ptrdiff_t columns, bool add) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  V acc[M][P];
  LIMBIC_UNROLL
  for (std::ptrdiff_t i = 0; i < M; ++i) {
    LIMBIC_UNROLL
    for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = V(0);
  }
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    V right[P];
    LIMBIC_UNROLL
    for (std::ptrdiff_t j = 0; j < P; ++j) right[j] = L::load(b + k * ldb + j * L::width);
    LIMBIC_UNROLL
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      V const left = math::broadcast<V>(a.data[i * a.row + k * a.step]);
      LIMBIC_UNROLL
      for (std::ptrdiff_t j = 0; j < P; ++j) acc[i][j] = math::fma(left, right[j], acc[i][j]);
    }
  }
  if (columns == P * L::width) {
    LIMBIC_UNROLL
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      LIMBIC_UNROLL
      for (std::ptrdiff_t j = 0; j < P; ++j) {
        T* const to = c + i * ldc + j * L::width;
        L::store(to, add ? L::load(to) + acc[i][j] : acc[i][j]);
      }
    }
  } else {
    T tile[M * P * L::width];
    LIMBIC_UNROLL
    for (std::ptrdiff_t i = 0; i < M; ++i) {
      LIMBIC_UNROLL
      for (std::ptrdiff_t j = 0; j < P; ++j) L::store(tile + (i * P + j) * L::width, acc[i][j]);
    }
    put_tile(c, ldc, tile, M, P * L::width, columns, add);
  }
}

// Rows M at a time, then M / 2, ... down to one.
template <class D, class T, std::ptrdiff_t M, std::ptrdiff_t P>
LIMBIC_NOINLINE void micro_rows(std::ptrdiff_t m, std::ptrdiff_t depth, left_rows<T> a, T const* b, std::ptrdiff_t ldb,
                                T* c, std::ptrdiff_t ldc, std::ptrdiff_t columns, bool add) {
  std::ptrdiff_t i = 0;
  for (; i + M <= m; i += M, a.data += a.group)
    micro_kernel<D, T, M, P>(depth, a, b, ldb, c + i * ldc, ldc, columns, add);
  if constexpr (M > 1)
    if (i < m) {
      a.group = M / 2 * a.row;
      micro_rows<D, T, M / 2, P>(m - i, depth, a, b, ldb, c + i * ldc, ldc, columns, add);
    }
}

// The rows of a one after another, `line` elements each, or, where a is transposed, in groups as high as the
// micro-kernel: element (i, k) of a group at k * G + i.
template <class D, class T>
left_rows<T> pack_rows(left_rows<T> a, std::ptrdiff_t m, std::ptrdiff_t depth, std::ptrdiff_t line, T* to) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t G = L::rows;
  if (a.row != 1 || a.step == 1) {
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      T const* const from = a.data + i * a.row;
      T* const at = to + i * line;
      std::ptrdiff_t k = 0;
      if (a.step == 1)
        for (; k + L::width <= depth; k += L::width) L::store(at + k, L::load(from + k));
      for (; k < depth; ++k) at[k] = from[k * a.step];
    }
    return {to, line, 1, G * line};
  }
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    T const* const from = a.data + k * a.step;
    T* at = to + k * G;
    std::ptrdiff_t i = 0;
    for (; i + G <= m; i += G, at += G * depth)
      for (std::ptrdiff_t l = 0; l < G; ++l) at[l] = from[i + l];
    for (std::ptrdiff_t l = 0; i + l < m; ++l) at[l] = from[i + l];
  }
  return {to, 1, G, G * depth};
}

// The columns of a panel of a matrix of n columns: as many packs as the micro-kernel takes or the matrix has, but four
// are two panels of two, not one of three and one of one.
template <class D, class T> constexpr std::ptrdiff_t panel_width(std::ptrdiff_t n) {
  using L = kernel_lanes<D, T>;
  std::ptrdiff_t const packs = n > L::width ? (n + L::width - 1) / L::width : 1;
  return (packs < L::packs ? packs : L::packs == 3 && packs == 4 ? 2 : L::packs) * L::width;
}

// Panel of b: its rows of `width` columns from `first` one after another, zeros beyond the last column.
template <class D, class T>
void pack_panel(view<T const, 2, D> b, std::ptrdiff_t first, std::ptrdiff_t width, T* panel) {
  using L = kernel_lanes<D, T>;
  std::ptrdiff_t const depth = b.extent(0), columns = b.extent(1) - first < width ? b.extent(1) - first : width;
  T const* from = b.data() + first * b.stride(1);
  if (b.stride(1) == 1) {
    std::ptrdiff_t const ldb = b.stride(0);
    std::ptrdiff_t j = 0;
    for (; j + L::width <= columns; j += L::width)
      for (std::ptrdiff_t k = 0; k < depth; ++k) L::store(panel + k * width + j, L::load(from + k * ldb + j));
    if (j < width)
      for (std::ptrdiff_t k = 0; k < depth; ++k) {
        for (std::ptrdiff_t l = j; l < columns; ++l) panel[k * width + l] = from[k * ldb + l];
        for (std::ptrdiff_t l = columns > j ? columns : j; l < width; ++l) panel[k * width + l] = T(0);
      }
    return;
  }
  // Transposed: read a few columns at a time along k, so that both sides stay within a few cache lines.
  constexpr std::ptrdiff_t some = 16;
  std::ptrdiff_t const step = b.stride(0), next = b.stride(1);
  for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += some, panel += some * width, from += some * step) {
    std::ptrdiff_t const count = depth - k0 < some ? depth - k0 : some;
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      T const* const column = from + j * next;
      if (step == 1)
        for (std::ptrdiff_t k = 0; k < count; ++k) panel[k * width + j] = column[k];
      else
        for (std::ptrdiff_t k = 0; k < count; ++k) panel[k * width + j] = column[k * step];
    }
    for (std::ptrdiff_t j = columns; j < width; ++j)
      for (std::ptrdiff_t k = 0; k < count; ++k) panel[k * width + j] = T(0);
  }
}

// micro_rows for the packs that so many columns take.
template <class D, class T, std::ptrdiff_t P = kernel_lanes<D, T>::packs> auto rows_kernel(std::ptrdiff_t columns) {
  using L = kernel_lanes<D, T>;
  if constexpr (P > 1)
    if (columns <= (P - 1) * L::width) return rows_kernel<D, T, P - 1>(columns);
  return &micro_rows<D, T, L::rows, P>;
}

// Elements between the rows of a left operand that is brought together, and of all of them.
template <class T> std::ptrdiff_t left_line(std::ptrdiff_t depth) {
  return (depth < gemm_depth ? depth : gemm_depth) + static_cast<std::ptrdiff_t>(64 / sizeof(T));
}
template <class T> std::ptrdiff_t left_room(std::ptrdiff_t depth) { return gemm_rows * left_line<T>(depth); }

// Panels [p][K][width] of b, or b itself in place of those that are whole packs wide (ldb > 0: its rows are contiguous).
// `workspace`, if any, has left_room elements: enough for one thread.
template <class D, class T>
void gemm_tiles(sink<T, 2, D> c, view<T const, 2, D> a, T const* panels, T const* in_place, std::ptrdiff_t ldb,
                T* workspace) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t M = L::rows, cache_line = static_cast<std::ptrdiff_t>(64 / sizeof(T));
  std::ptrdiff_t const m = c.to.extent(0), n = c.to.extent(1), depth = a.extent(1), row = a.stride(0),
                       step = a.stride(1);
  std::ptrdiff_t const width = panel_width<D, T>(n), per_tile = gemm_columns / width;
  std::ptrdiff_t const panel_count = (n + width - 1) / width;
  std::ptrdiff_t const tile_rows = (m + gemm_rows - 1) / gemm_rows,
                       tile_columns = (panel_count + per_tile - 1) / per_tile;
  std::ptrdiff_t const tiles = tile_rows * tile_columns;
  // A million multiply-adds take some 20 us: less is not worth waking a second thread, least of all on a busy machine.
  std::ptrdiff_t const grain = m * n * depth < (1 << 20) ? tiles : 1;
  // The rows (of a transposed a: the columns) of a large a lie far apart, where they are powers of two on the same few
  // cache sets: what a tile reads of it is brought together first.
  bool const across = row == 1 && step != 1;
  bool const pack_a = (across ? step : row) >= 8 * cache_line && m >= 4 * M && n >= 4 * L::width && depth >= 64;
  std::ptrdiff_t const line = left_line<T>(depth);
  if (threads() > 1) workspace = nullptr;
  auto const room = [&] {
    return pack_a && workspace == nullptr ? tensor<T, 1, D>(shape<1>{{left_room<T>(depth)}}, uninitialized)
                                          : tensor<T, 1, D>();
  };
  parallel_for(tiles, grain, room, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& packed_rows) {
    for (std::ptrdiff_t t = begin; t < end; ++t) {
      std::ptrdiff_t const i0 = t % tile_rows * gemm_rows, rows = m - i0 < gemm_rows ? m - i0 : gemm_rows;
      std::ptrdiff_t const p0 = t / tile_rows * per_tile,
                           p1 = p0 + per_tile < panel_count ? p0 + per_tile : panel_count;
      for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += gemm_depth) {
        std::ptrdiff_t const ks = depth - k0 < gemm_depth ? depth - k0 : gemm_depth;
        left_rows<T> left{a.data() + i0 * row + k0 * step, row, step, M * row};
        if (pack_a) left = pack_rows<D>(left, rows, ks, line, workspace != nullptr ? workspace : packed_rows.data());
        for (std::ptrdiff_t p = p0; p < p1; ++p) {
          std::ptrdiff_t const j = p * width, columns = n - j < width ? n - j : width;
          bool const here = in_place != nullptr && columns % L::width == 0;
          T const* const b =
              here ? in_place + k0 * ldb + j : panels + (in_place != nullptr ? 0 : p) * depth * width + k0 * width;
          rows_kernel<D, T>(columns)(rows, ks, left, b, here ? ldb : width, c.to.data() + i0 * c.to.stride(0) + j,
                                     c.to.stride(0), columns, c.add || k0 > 0);
        }
      }
    }
  });
}

// A pack of n elements that lie `step` apart, zeros after them.
template <class D, class T> LIMBIC_INLINE auto load_part(T const* p, std::ptrdiff_t n, std::ptrdiff_t step) {
  using L = kernel_lanes<D, T>;
  if (step == 1 && n >= L::width) return L::load(p);
  T line[L::width];
  for (std::ptrdiff_t l = 0; l < L::width; ++l) line[l] = l < n ? p[l * step] : T(0);
  return L::load(line);
}

// y (M) (+)= a (M, K) x (K), x contiguous. Rows become dot products, four at a time, each in two accumulators, which
// hides the latency of the multiply-adds. Where the columns are contiguous instead, sums of a run of rows take four
// columns at a time, in the order of k and in the blocks of gemm_tiles, so that a row times b has the bits of that row of
// a larger product.
template <class D, class T>
void gemv(T* y, std::ptrdiff_t y_step, bool add, view<T const, 2, D> a, T const* x) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  std::ptrdiff_t const m = a.extent(0), depth = a.extent(1), row = a.stride(0), step = a.stride(1);
  std::ptrdiff_t const grain = m * depth < (1 << 17) ? m : ((1 << 16) / (depth + 1) + 8) / 8 * 8;
  auto const put = [&](std::ptrdiff_t i, T v, bool adds) { y[i * y_step] = adds ? y[i * y_step] + v : v; };
  if (step == 1 || row != 1) {
    parallel_for(m, grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      auto const dots = [&](auto count, std::ptrdiff_t i) {
        constexpr std::ptrdiff_t N = decltype(count)::value, U = 2;
        T const* const first = a.data() + i * row;
        V acc[N][U];
        LIMBIC_UNROLL
        for (std::ptrdiff_t r = 0; r < N; ++r) acc[r][0] = acc[r][1] = V(0);
        std::ptrdiff_t k = 0;
        for (; step == 1 && k + U * L::width <= depth; k += U * L::width) {
          V const right[U] = {L::load(x + k), L::load(x + k + L::width)};
          LIMBIC_UNROLL
          for (std::ptrdiff_t r = 0; r < N; ++r) {
            LIMBIC_UNROLL
            for (std::ptrdiff_t u = 0; u < U; ++u)
              acc[r][u] = math::fma(L::load(first + r * row + k + u * L::width), right[u], acc[r][u]);
          }
        }
        for (; k < depth; k += L::width) {
          V const right = load_part<D>(x + k, depth - k, 1);
          LIMBIC_UNROLL
          for (std::ptrdiff_t r = 0; r < N; ++r)
            acc[r][0] = math::fma(load_part<D>(first + r * row + k * step, depth - k, step), right, acc[r][0]);
        }
        LIMBIC_UNROLL
        for (std::ptrdiff_t r = 0; r < N; ++r) put(i + r, math::reduce_add(acc[r][0] + acc[r][1]), add);
      };
      std::ptrdiff_t i = begin;
      for (; i + 4 <= end; i += 4) dots(std::integral_constant<std::ptrdiff_t, 4>(), i);
      for (; i < end; ++i) dots(std::integral_constant<std::ptrdiff_t, 1>(), i);
    });
    return;
  }
  // Runs of each column as long as the threads allow, as each column may lie on a page of its own. The pieces may depend
  // on the threads here: an element's bits do not depend on where its piece begins.
  constexpr std::ptrdiff_t run = 4096 / sizeof(T);
  std::ptrdiff_t const share = (m / threads() / 64 + 1) * 64;
  parallel_for(m, grain < share ? share : grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    T sums[run];
    for (std::ptrdiff_t i0 = begin; i0 < end; i0 += run) {
      std::ptrdiff_t const rows = end - i0 < run ? end - i0 : run;
      auto const columns = [&](auto count, std::ptrdiff_t k) {
        constexpr std::ptrdiff_t N = decltype(count)::value;
        T const* const first = a.data() + i0 + k * step;
        V right[N];
        LIMBIC_UNROLL
        for (std::ptrdiff_t u = 0; u < N; ++u) right[u] = math::broadcast<V>(x[k + u]);
        auto const pack = [&](std::ptrdiff_t i, auto const& load) {
          V s = L::load(sums + i);
          LIMBIC_UNROLL
          for (std::ptrdiff_t u = 0; u < N; ++u) s = math::fma(right[u], load(first + u * step + i), s);
          L::store(sums + i, s);
        };
        std::ptrdiff_t i = 0;
        for (; i + L::width <= rows; i += L::width) pack(i, [](T const* p) { return L::load(p); });
        if (i < rows) pack(i, [&](T const* p) { return load_part<D>(p, rows - i, 1); });
      };
      for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += gemm_depth) {
        std::ptrdiff_t const k1 = depth - k0 < gemm_depth ? depth : k0 + gemm_depth;
        for (std::ptrdiff_t i = 0; i < rows; i += L::width) L::store(sums + i, V(0));
        std::ptrdiff_t k = k0;
        for (; k + 4 <= k1; k += 4) columns(std::integral_constant<std::ptrdiff_t, 4>(), k);
        for (; k < k1; ++k) columns(std::integral_constant<std::ptrdiff_t, 1>(), k);
        for (std::ptrdiff_t i = 0; i < rows; ++i) put(i0 + i, sums[i], add || k0 > 0);
      }
    }
  });
}

template <class T, int R, class D> bool rows_contiguous(view<T, R, D> const& v) {
  return v.stride(R - 1) == 1 || v.extent(R - 1) <= 1;
}

template <class C, class A, class B> void check_gemm(C const& c, A const& a, B const& b) {
  if (a[1] != b[0]) fail<shape_error>("gemm", "columns of a ", a, " must equal rows of b ", b);
  if (c[0] != a[0] || c[1] != b[1])
    fail<shape_error>("gemm", "c ", c, " must have the rows of a ", a, " and the columns of b ", b);
}

}  // namespace detail

// b laid out for the micro-kernel. The panels lie in memory of the caller (packed_size elements) or in its own.
template <class T, class D = default_device> class packed_matrix {
 public:
  // The elements of memory that b (K, N) needs.
  static std::ptrdiff_t packed_size(shape<2> const& b) {
    std::ptrdiff_t const width = detail::panel_width<D, T>(b[1]);
    return (b[1] + width - 1) / width * width * b[0];
  }
  packed_matrix() = default;
  explicit packed_matrix(view<T const, 2, D> b) : own_(limbic::shape<1>{{packed_size(b.shape())}}, uninitialized) {
    pack(b, own_.data());
  }
  packed_matrix(view<T const, 2, D> b, T* workspace) { pack(b, workspace); }

  // The shape of b.
  limbic::shape<2> const& shape() const { return shape_; }
  // Where the panels lie, one after another.
  T const* panels() const { return panels_; }

 private:
  LIMBIC_NOINLINE void pack(view<T const, 2, D> b, T* to) {
    std::ptrdiff_t const width = detail::panel_width<D, T>(b.extent(1));
    shape_ = b.shape();
    panels_ = to;
    std::ptrdiff_t const count = (b.extent(1) + width - 1) / width;
    parallel_for(count, b.size() < (1 << 16) ? count : 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t p = begin; p < end; ++p)
        detail::pack_panel<D, T>(b, p * width, width, to + p * b.extent(0) * width);
    });
  }
  limbic::shape<2> shape_;
  T const* panels_ = nullptr;
  tensor<T, 1, D> own_;
};

// `workspace` as below.
template <class D, class C, class A, class T>
  requires is_host<D>
void gemm(D, C&& c, A const& a, packed_matrix<T, D> const& b, T* workspace = nullptr) {
  sink<T, 2, D> const to = as_sink(c);
  view<T const, 2, D> const left = as_view(a);
  if (!to) return;
  detail::check_gemm(to.shape(), left.shape(), b.shape());
  if (!detail::rows_contiguous(to.to)) fail<shape_error>("gemm", "the rows of c must be contiguous");
  if (to.shape().size() == 0) return;
  if (left.extent(1) == 0) {
    if (!to.add) fill(D{}, to.to, T(0));
    return;
  }
  detail::gemm_tiles<D, T>(to, left, b.panels(), nullptr, 0, workspace);
}

// The elements with which one thread (in a piece of a loop, say) multiplies matrices of these shapes and allocates
// nothing: neither is a strided vector, and the rows of the product are contiguous.
template <class D, class T> std::ptrdiff_t gemm_workspace(shape<2> const& a, shape<2> const& b) {
  return packed_matrix<T, D>::packed_size(b) + detail::left_room<T>(a[1]);
}

// `workspace`, if any, has gemm_workspace elements.
template <class D, class T>
  requires is_host<D>
void gemm(D d, sink<T, 2, D> c, view<T const, 2, D> a, view<T const, 2, D> b, T* workspace = nullptr) {
  if (!c) return;
  detail::check_gemm(c.shape(), a.shape(), b.shape());
  if (c.shape().size() == 0) return;
  std::ptrdiff_t const m = a.extent(0), depth = a.extent(1), n = b.extent(1);
  if (depth == 0) {
    if (!c.add) fill(d, c.to, T(0));
    return;
  }
  auto const contiguous_vector = [&](view<T const, 1, D> v, auto const& use) {
    if (v.stride(0) == 1 || v.size() == 1) return use(v.data());
    tensor<T, 1, D> const copied(v);
    use(copied.data());
  };
  if (n == 1) {
    contiguous_vector(b.transpose()[0],
                      [&](T const* x) { detail::gemv<D, T>(c.to.data(), c.to.stride(0), c.add, a, x); });
    return;
  }
  if (m == 1) {
    contiguous_vector(a[0],
                      [&](T const* x) { detail::gemv<D, T>(c.to.data(), c.to.stride(1), c.add, b.transpose(), x); });
    return;
  }
  if (!detail::rows_contiguous(c.to)) {
    if (c.to.stride(0) == 1) return gemm(d, sink<T, 2, D>(c.to.transpose(), c.add), b.transpose(), a.transpose());
    tensor<T, 2, D> product(c.shape(), uninitialized);
    gemm(d, sink<T, 2, D>(product.view()), a, b);
    return copy(d, c, product);
  }
  // A few rows do not repay packing b: its full panels are read where they are, only a ragged last one is packed.
  std::ptrdiff_t const width = detail::panel_width<D, T>(n), last = n / width * width;
  bool const few = b.stride(1) == 1 && m <= 2 * detail::kernel_lanes<D, T>::rows;
  bool const ragged = (n - last) % detail::kernel_lanes<D, T>::width != 0;
  tensor<T, 1, D> own;
  if (workspace == nullptr && (ragged || !few)) {
    std::ptrdiff_t const room = few ? depth * width : packed_matrix<T, D>::packed_size(b.shape());
    own = tensor<T, 1, D>(shape<1>{{room}}, uninitialized);
  }
  T* const panels = workspace != nullptr ? workspace + detail::left_room<T>(depth) : own.data();
  if (!few) return gemm(d, c, a, packed_matrix<T, D>(b, panels), workspace);
  if (ragged) detail::pack_panel<D, T>(b, last, width, panels);
  detail::gemm_tiles<D, T>(c, a, panels, b.data(), b.stride(0), workspace);
}

// Batches: c (B, M, N), a (B or 1, M, K), b (B or 1, K, N). A b shared by all is one product of B * M rows where a and c
// allow it.
template <class D, class T>
  requires is_host<D>
void gemm(D d, sink<T, 3, D> c, view<T const, 3, D> a, view<T const, 3, D> b) {
  if (!c) return;
  std::ptrdiff_t const batch = c.shape()[0];
  if ((a.extent(0) != batch && a.extent(0) != 1) || (b.extent(0) != batch && b.extent(0) != 1))
    fail<shape_error>("gemm", "batches of a ", a.shape(), " and b ", b.shape(), " do not fit c ", c.shape());
  if (b.extent(0) == 1 && a.extent(0) == batch && a.is_contiguous() && c.to.is_contiguous())
    return gemm(d, sink<T, 2, D>(c.to.reshape(shape<2>{{batch * a.extent(1), c.shape()[2]}}), c.add),
                a.reshape(shape<2>{{batch * a.extent(1), a.extent(2)}}), b[0]);
  for (std::ptrdiff_t i = 0; i < batch; ++i)
    gemm(d, sink<T, 2, D>(c.to[i], c.add), a[a.extent(0) == 1 ? 0 : i], b[b.extent(0) == 1 ? 0 : i]);
}

LIMBIC_END
