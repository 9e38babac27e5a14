// limbic_cuda/backend.cuh - the verbs of backend/ as launches
//
//   map, reduce, for_each_row, gemm, packed_matrix      the same calls with the tag `cuda`, found through it
//
// Functors come as kernel arguments by value and are named types, as nvcc wants. Operands come as plain structs of
// pointers, extents and strides: axes are merged on the host, so that one kernel serves every rank and every view.
// Results do not depend on timing: folds run in an order that the shapes decide, and nothing is added atomically. They
// differ from the CPU's in the last bits, as sums are taken in another order and a * b + c is fused.
//
// A row is one block's work: its threads call the row's functor together, and each verb of a row (map, fold, put, ...)
// starts and ends where all of them meet. So these verbs may not stand in a branch that only some threads take, or in a lambda
// that map runs.
#pragma once

#include <limbic/backend/gemm.hpp>
#include <limbic/backend/row.hpp>
#include <limbic_cuda/memory.cuh>

LIMBIC_BEGIN

// ---- map -----------------------------------------------------------------------------------------------------------

namespace detail {

template <class T, int Outs, int Ins> struct map_operands {
  axes<Outs + Ins> loop;
  std::ptrdiff_t size = 1;
  T* out[Outs] = {};
  bool add[Outs] = {};
  T const* in[Ins > 0 ? Ins : 1] = {};
};

// Where item i of the loops lies in each operand.
template <int Operands>
__device__ void locate_item(axes<Operands> const& loop, std::ptrdiff_t i, std::ptrdiff_t (&offset)[Operands]) {
#pragma unroll 1
  for (int a = loop.rank - 1; a >= 0; --a) {
    std::ptrdiff_t at = i;
    if (a > 0) {
      at = i % loop.extent[a];
      i /= loop.extent[a];
    }
    for (int k = 0; k < Operands; ++k) offset[k] += at * loop.stride[k][a];
  }
}

template <class F, class T, int Outs, int Ins, int... I, int... O>
__device__ void map_item(F const& f, map_operands<T, Outs, Ins> const& m, std::ptrdiff_t i,
                         std::integer_sequence<int, I...>, std::integer_sequence<int, O...>) {
  std::ptrdiff_t offset[Outs + Ins] = {};
  locate_item(m.loop, i, offset);
  auto const r = call<F, T>(f, m.in[I][offset[Outs + I]]...);
  auto const put = [](T& to, bool add, T value) { to = add ? to + value : value; };
  (put(m.out[O][offset[O]], m.add[O], r.values[O]), ...);
}

template <class F, class T, int Outs, int Ins>
__global__ void __launch_bounds__(threads_of_block) map_kernel(F const f, map_operands<T, Outs, Ins> const m) {
  for (std::ptrdiff_t i = first_item(); i < m.size; i += item_step())
    map_item(f, m, i, std::make_integer_sequence<int, Ins>(), std::make_integer_sequence<int, Outs>());
}

}  // namespace detail

template <class Out, class F, class... In> void map(cuda, Out&& out, F const& f, In const&... in) {
  auto const list = as_outputs(out);
  using S = std::remove_cvref_t<decltype(list.sinks[0])>;
  using T = typename S::value_type;
  constexpr int R = S::rank, Outs = static_cast<int>(sizeof(list.sinks) / sizeof(S)),
                Ins = static_cast<int>(sizeof...(In));
  if (!list.sinks[0]) return;
  auto const& extents = list.sinks[0].shape();
  for (auto const& s : list.sinks)
    if (!(s.shape() == extents)) fail<shape_error>("map", "outputs differ in shape: ", extents, " and ", s.shape());
  (detail::check_map_operand(extents, as_view(in)), ...);
  if (extents.size() == 0) return;

  detail::map_operands<T, Outs, Ins> m;
  m.size = extents.size();
  for (int a = 0; a < R; ++a) {
    std::ptrdiff_t strides[Outs + Ins];
    for (int k = 0; k < Outs; ++k) strides[k] = list.sinks[k].to.stride(a);
    [[maybe_unused]] int k = Outs;
    ((strides[k++] = detail::broadcast_stride(as_view(in), R - 1 - a)), ...);
    m.loop.push(extents[a], strides);
  }
  for (int k = 0; k < Outs; ++k) {
    m.out[k] = list.sinks[k].to.data();
    m.add[k] = list.sinks[k].add;
  }
  [[maybe_unused]] int k = 0;
  ((m.in[k++] = as_view(in).data()), ...);
  detail::launch("map", &detail::map_kernel<F, T, Outs, Ins>, detail::blocks_for(m.size), detail::threads_of_block, f,
                 m);
}

// ---- one block's fold ----------------------------------------------------------------------------------------------

namespace detail {

// A power of two that suits `length` items: idle threads would only wait.
inline unsigned block_threads(std::ptrdiff_t length) {
  unsigned n = 32;
  while (n < threads_of_block && static_cast<std::ptrdiff_t>(n) < length) n *= 2;
  return n;
}

// One value of each thread, folded in a fixed order; every thread gets the result. All threads of the block must come.
template <class C, class T> LIMBIC_HD T fold_block(C const& combine, T mine) {
#if LIMBIC_ON_GPU
  alignas(16) __shared__ unsigned char bytes[threads_of_block * sizeof(T)];
  T* const parts = reinterpret_cast<T*>(bytes);
  __syncthreads();  // the result of the fold before has been read
  parts[threadIdx.x] = mine;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] = combine(parts[threadIdx.x], parts[threadIdx.x + half]);
    __syncthreads();
  }
  return parts[0];
#else
  (void)combine;
  return mine;
#endif
}

}  // namespace detail

// ---- reduce --------------------------------------------------------------------------------------------------------

namespace detail {

// Item (o, p) folds piece p of what output o folds. With one piece the item writes the output, else it writes
// partial[o * pieces + p], and a second launch folds those.
template <class T, int Ins> struct reduce_operands {
  axes<1 + Ins> kept, reduced;  // operand 0 is the output
  std::ptrdiff_t outputs = 1, length = 1, piece = 1, pieces = 1;
  T* out = nullptr;
  bool add = false, alone = false;
  T* partial = nullptr;
  T const* in[Ins] = {};
};

template <class C, class F, class T, int Ins, int... I>
__device__ T fold_items(C const& combine, F const& f, reduce_operands<T, Ins> const& r,
                        std::ptrdiff_t const (&base)[1 + Ins], std::ptrdiff_t first, std::ptrdiff_t last,
                        std::ptrdiff_t step, std::integer_sequence<int, I...>) {
  T acc = C::template start<T>();
#pragma unroll 1
  for (std::ptrdiff_t i = first; i < last; i += step) {
    std::ptrdiff_t offset[1 + Ins];
    for (int k = 0; k < 1 + Ins; ++k) offset[k] = base[k];
    locate_item(r.reduced, i, offset);
    acc = combine(acc, static_cast<T>(f(r.in[I][offset[1 + I]]...)));
  }
  return acc;
}

template <class T, int Ins>
__device__ void put_fold(reduce_operands<T, Ins> const& r, std::ptrdiff_t o, std::ptrdiff_t p, std::ptrdiff_t offset,
                         T value) {
  if (r.pieces > 1) {
    r.partial[o * r.pieces + p] = value;
  } else {
    T& to = r.out[offset];
    to = r.add ? to + value : value;
  }
}

// An item is the work of a whole block, for long folds of neighbouring elements, or of one thread (`alone`), for short
// folds and for columns: neighbouring threads then serve neighbouring outputs.
template <class C, class F, class T, int Ins>
__global__ void __launch_bounds__(threads_of_block)
    reduce_kernel(C const combine, F const f, reduce_operands<T, Ins> const r) {
  std::ptrdiff_t const items = r.outputs * r.pieces;
  std::ptrdiff_t const lane = r.alone ? 0 : threadIdx.x, lanes_of_item = r.alone ? 1 : blockDim.x;
  for (std::ptrdiff_t item = r.alone ? first_item() : blockIdx.x; item < items;
       item += r.alone ? item_step() : gridDim.x) {
    std::ptrdiff_t const o = r.alone ? item % r.outputs : item / r.pieces,
                         p = r.alone ? item / r.outputs : item % r.pieces;
    std::ptrdiff_t const begin = p * r.piece, end = begin + r.piece < r.length ? begin + r.piece : r.length;
    std::ptrdiff_t base[1 + Ins] = {};
    locate_item(r.kept, o, base);
    T value = fold_items(combine, f, r, base, begin + lane, end, lanes_of_item, std::make_integer_sequence<int, Ins>());
    if (!r.alone) value = fold_block(combine, value);
    if (lane == 0) put_fold(r, o, p, base[0], value);
  }
}

inline constexpr std::ptrdiff_t block_piece = 1 << 16;  // elements that one block folds
inline constexpr std::ptrdiff_t thread_piece = 256;     // elements that one thread folds

template <class C, class F, class T, int Ins>
void launch_reduce(C const& combine, F const& f, reduce_operands<T, Ins>& r, bool columns) {
  r.alone = r.length <= 32 || (columns && r.outputs >= 32);
  r.piece = r.alone ? thread_piece : block_piece;
  r.pieces = (r.length + r.piece - 1) / r.piece;
  if (r.pieces < 1) r.pieces = 1;  // a fold of nothing is its start
  tensor<T, 1, cuda> partial;
  if (r.pieces > 1) {
    partial = tensor<T, 1, cuda>(shape<1>{{r.outputs * r.pieces}}, uninitialized);
    r.partial = partial.data();
  }
  std::ptrdiff_t const items = r.outputs * r.pieces;
  unsigned const blocks = r.alone ? blocks_for(items) : blocks_for(items, 1);
  unsigned const threads = r.alone ? threads_of_block : block_threads(r.length);
  launch("reduce", &reduce_kernel<C, F, T, Ins>, blocks, threads, combine, f, r);
  if (r.pieces == 1) return;

  // The pieces of an output lie side by side: fold them the same way, into where the output is.
  reduce_operands<T, 1> rest;
  rest.outputs = r.outputs;
  rest.length = r.pieces;
  rest.out = r.out;
  rest.add = r.add;
  rest.in[0] = r.partial;
  for (int a = 0; a < r.kept.rank; ++a) {
    std::ptrdiff_t below = r.pieces;
    for (int b = a + 1; b < r.kept.rank; ++b) below *= r.kept.extent[b];
    std::ptrdiff_t const strides[2] = {r.kept.stride[0][a], below};
    rest.kept.append(r.kept.extent[a], strides);
  }
  std::ptrdiff_t const along[2] = {0, 1};
  rest.reduced.append(r.pieces, along);
  launch_reduce(combine, identity_function{}, rest, false);
}

}  // namespace detail

template <class Out, class C, class F, class First, class... In>
void reduce(cuda, Out&& out, C const& combine, F const& f, First const& first, In const&... in) {
  auto const s = as_sink(out);
  if (!s) return;
  using S = std::remove_const_t<decltype(s)>;
  using T = typename S::value_type;
  constexpr int R = S::rank, Ins = 1 + static_cast<int>(sizeof...(In));
  shape<R> full = s.shape();
  auto const widen = [&](auto const& v) { full = broadcast("reduce", full, v.shape()); };
  widen(as_view(first));
  (widen(as_view(in)), ...);
  for (int a = 0; a < R; ++a)
    if (s.shape()[a] != full[a] && s.shape()[a] != 1)
      fail<shape_error>("reduce", "the output ", s.shape(), " must have extent 1 or that of the inputs, ", full);
  if (s.shape().size() == 0) return;

  detail::reduce_operands<T, Ins> r;
  bool columns = false;  // the innermost axis is kept
  for (int a = 0; a < R; ++a) {
    if (full[a] == 1) continue;
    bool const reduced = s.shape()[a] == 1;
    std::ptrdiff_t strides[1 + Ins] = {reduced ? 0 : s.to.stride(a),
                                       detail::broadcast_stride(as_view(first), R - 1 - a)};
    [[maybe_unused]] int k = 2;
    ((strides[k++] = detail::broadcast_stride(as_view(in), R - 1 - a)), ...);
    (reduced ? r.reduced : r.kept).push(full[a], strides);
    (reduced ? r.length : r.outputs) *= full[a];
    columns = !reduced;
  }
  r.out = s.to.data();
  r.add = s.add;
  r.in[0] = as_view(first).data();
  [[maybe_unused]] int k = 1;
  ((r.in[k++] = as_view(in).data()), ...);
  detail::launch_reduce(combine, f, r, columns);
}

template <class Out, class C, class In> void reduce(cuda d, Out&& out, C const& combine, In const& in) {
  reduce(d, out, combine, identity_function{}, in);
}

// ---- rows ----------------------------------------------------------------------------------------------------------

// A line along an axis, wherever its elements lie: `step` apart. Elements are read by x[i], and written by map and put
// only, where the threads of the block meet.
template <class T> struct row<T, cuda> {
  using value_type = std::remove_const_t<T>;
  using device = cuda;
  T* data = nullptr;
  std::ptrdiff_t length = 0;
  std::ptrdiff_t step = 1;  // from one element to the next
  bool add = false;         // map adds instead of assigning

  LIMBIC_HD constexpr std::ptrdiff_t size() const { return length; }
  LIMBIC_HD constexpr value_type operator[](std::ptrdiff_t i) const { return data[i * step]; }
  // The elements from `first` on, before `last`.
  LIMBIC_HD constexpr row part(std::ptrdiff_t first, std::ptrdiff_t last) const {
    return {data + first * step, last - first, step, add};
  }
  LIMBIC_HD explicit constexpr operator bool() const { return data != nullptr; }
  // Writes one element as map does: assigns or adds.
  LIMBIC_HD void put(std::ptrdiff_t i, value_type v) const {
#if LIMBIC_ON_GPU
    __syncthreads();  // who still had to read the element has read it
    if (threadIdx.x == 0) store(i, v);
    __syncthreads();
#else
    store(i, v);
#endif
  }
  // What one thread writes.
  LIMBIC_HD constexpr void store(std::ptrdiff_t i, value_type v) const {
    T& to = data[i * step];
    to = add ? to + v : v;
  }
};

namespace detail {

// Element i of what stands in a row's map: of a row, or a number that is every element.
template <class T, class A> LIMBIC_HD constexpr T row_element(A const& a, [[maybe_unused]] std::ptrdiff_t i) {
  if constexpr (is_row<A>) return static_cast<T>(a[i]);
  else return static_cast<T>(a);
}

}  // namespace detail

// The verbs of a row exist on the host in name only, as the functors that call them are written for both.
template <class T, class F, class... A> LIMBIC_HD void map([[maybe_unused]] row<T, cuda> out,
                                                           [[maybe_unused]] F const& f,
                                                           [[maybe_unused]] A const&... args) {
#if LIMBIC_ON_GPU
  if (!out) return;
  __syncthreads();  // who still had to read the old elements has read them
#pragma unroll 1
  for (std::ptrdiff_t i = threadIdx.x; i < out.length; i += blockDim.x)
    out.store(i, f(detail::row_element<T>(args, i)...));
  __syncthreads();
#endif
}

template <class C, class F, class T, class... U>
LIMBIC_HD std::remove_const_t<T> fold(C const& combine, [[maybe_unused]] F const& f,
                                      [[maybe_unused]] row<T, cuda> first, [[maybe_unused]] row<U, cuda>... rest) {
  using E = std::remove_const_t<T>;
  E mine = C::template start<E>();
#if LIMBIC_ON_GPU
#pragma unroll 1
  for (std::ptrdiff_t i = threadIdx.x; i < first.length; i += blockDim.x)
    mine = combine(mine, static_cast<E>(f(first[i], rest[i]...)));
#endif
  return detail::fold_block(combine, mine);
}

namespace detail {

struct least_index {
  template <class I> LIMBIC_HD constexpr I operator()(I a, I b) const { return a < b ? a : b; }
};

// The first place of v (of a NaN, when v is one).
template <class T> LIMBIC_HD std::ptrdiff_t first_place([[maybe_unused]] row<T, cuda> x,
                                                        [[maybe_unused]] std::remove_const_t<T> v) {
  std::ptrdiff_t mine = x.length - 1;
#if LIMBIC_ON_GPU
  bool const nan = math::isnan(v);
  for (std::ptrdiff_t i = threadIdx.x; i < mine; i += blockDim.x)
    if (nan ? math::isnan(x[i]) : x[i] == v) mine = i;
#endif
  return fold_block(least_index{}, mine);
}

}  // namespace detail

template <class T> LIMBIC_HD std::ptrdiff_t argmax(row<T, cuda> x) { return detail::first_place(x, max(x)); }
template <class T> LIMBIC_HD std::ptrdiff_t argmin(row<T, cuda> x) { return detail::first_place(x, min(x)); }

namespace detail {
struct add_counts {
  template <class I> LIMBIC_HD constexpr I operator()(I a, I b) const { return a + b; }
};
}  // namespace detail

template <class T, class F>
LIMBIC_HD std::ptrdiff_t count([[maybe_unused]] row<T, cuda> x, [[maybe_unused]] F const& f) {
  std::ptrdiff_t mine = 0;
#if LIMBIC_ON_GPU
  for (std::ptrdiff_t i = threadIdx.x; i < x.length; i += blockDim.x) mine += f(x[i], i) ? 1 : 0;
#endif
  return detail::fold_block(detail::add_counts{}, mine);
}

template <class T> LIMBIC_HD void place([[maybe_unused]] row<T, cuda> out, [[maybe_unused]] std::ptrdiff_t at,
                                        [[maybe_unused]] T v) {
#if LIMBIC_ON_GPU
  if (!out) return;
  __syncthreads();  // who still had to read the old elements has read them
  for (std::ptrdiff_t i = threadIdx.x; i < out.length; i += blockDim.x)
    if (i == at || !out.add) out.store(i, i == at ? v : T(0));
  __syncthreads();
#endif
}

template <class T, class F> LIMBIC_HD void generate([[maybe_unused]] row<T, cuda> out, [[maybe_unused]] F const& f) {
#if LIMBIC_ON_GPU
  if (!out) return;
  __syncthreads();  // who still had to read the old elements has read them
  for (std::ptrdiff_t i = threadIdx.x; i < out.length; i += blockDim.x) out.store(i, f(i));
  __syncthreads();
#endif
}

namespace detail {

// Where the rows of one operand lie, whatever its type.
struct row_place {
  void* data = nullptr;
  std::ptrdiff_t length = 0, step = 1;
  bool add = false;
  std::ptrdiff_t stride[max_rank] = {};  // along the other axes; 0 where the operand is stretched
};
template <int Operands> struct row_places {
  std::ptrdiff_t count = 1;
  int rank = 0;
  std::ptrdiff_t extent[max_rank] = {};
  row_place of[Operands];
};

template <class T, int N> __device__ row<T, cuda> row_at(row_places<N> const& all, int operand, std::ptrdiff_t r) {
  row_place const& place = all.of[operand];
  row<T, cuda> x;
  x.length = place.length;
  x.step = place.step;
  x.add = place.add;
  if (place.data == nullptr) return x;
  std::ptrdiff_t offset = 0;
#pragma unroll 1
  for (int a = all.rank - 1; a >= 0; --a) {
    offset += r % all.extent[a] * place.stride[a];
    r /= all.extent[a];
  }
  x.data = static_cast<T*>(place.data) + offset;
  return x;
}

template <class... T, class F, int N, int... I>
__device__ void run_row(F const& f, row_places<N> const& rows, std::ptrdiff_t r, std::integer_sequence<int, I...>) {
  f(row_at<T>(rows, I, r)...);
}
template <class F, class... T>
__global__ void __launch_bounds__(threads_of_block)
    rows_kernel(F const f, __grid_constant__ row_places<sizeof...(T)> const rows) {
  for (std::ptrdiff_t r = blockIdx.x; r < rows.count; r += gridDim.x)
    run_row<T...>(f, rows, r, std::make_integer_sequence<int, sizeof...(T)>());
}

template <class T, int R> row_place place_rows(row_source<T, R, cuda> const& s) {
  row_place place;
  place.data = const_cast<std::remove_const_t<T>*>(s.all.data());
  place.length = s.length();
  place.step = s.all.stride(s.axis);
  place.add = s.add;
  for (int a = 0; a < R; ++a)
    if (a != s.axis && s.all.extent(a) != 1) place.stride[a] = s.all.stride(a);
  return place;
}

template <class F, class... T, int R> void launch_rows(F const& f, int axis, row_source<T, R, cuda> const&... source) {
  auto const extents = common_rows(axis, source...);
  row_places<sizeof...(T)> rows{.rank = R, .of = {place_rows(source)...}};
  for (int a = 0; a < R; ++a) rows.extent[a] = extents[a];
  rows.count = extents.size();
  if (rows.count == 0) return;
  std::ptrdiff_t longest = 1;
  ((longest = source.length() > longest ? source.length() : longest), ...);
  launch("for_each_row", &rows_kernel<F, T...>, blocks_for(rows.count, 1), block_threads(longest), f, rows);
}

}  // namespace detail

template <class F, class First, class... Rest>
void for_each_row(cuda, int axis, F const& f, First const& first, Rest const&... rest) {
  constexpr int R = First::rank;
  static_assert(((Rest::rank == R) && ...),
                "limbic: for_each_row: all operands have the same rank (unsqueeze the others)");
  axis = normalize_axis("for_each_row", axis, R);
  detail::launch_rows(f, axis, detail::as_rows(first, axis), detail::as_rows(rest, axis)...);
}

// ---- gemm ----------------------------------------------------------------------------------------------------------

namespace detail {

inline constexpr int gemm_tile = 64, gemm_step = 16, gemm_each = 4;  // tiles of 64 x 64, 4 x 4 elements a thread

template <class T> struct gemm_operands {
  std::ptrdiff_t batch = 1, m = 0, n = 0, k = 0;
  T* c = nullptr;
  T const* a = nullptr;
  T const* b = nullptr;
  bool add = false;
  std::ptrdiff_t c_stride[3] = {}, a_stride[3] = {}, b_stride[3] = {};  // batch, row, column
};

// One block a tile of c. Every element is one chain of multiply-adds in the order of k.
template <class T> __global__ void __launch_bounds__(threads_of_block) gemm_kernel(gemm_operands<T> const g) {
  constexpr int threads = static_cast<int>(threads_of_block), lanes_of_tile = gemm_tile / gemm_each;
  constexpr int loads = gemm_tile * gemm_step / threads;
  static_assert(lanes_of_tile * lanes_of_tile == threads);
  alignas(16) __shared__ unsigned char a_bytes[sizeof(T) * gemm_step * (gemm_tile + 1)];  // + 1: columns in other banks
  alignas(16) __shared__ unsigned char b_bytes[sizeof(T) * gemm_step * (gemm_tile + 1)];
  auto* const a_tile = reinterpret_cast<T(*)[gemm_tile + 1]>(a_bytes);
  auto* const b_tile = reinterpret_cast<T(*)[gemm_tile + 1]>(b_bytes);
  int const thread = static_cast<int>(threadIdx.x), row = thread / lanes_of_tile, column = thread % lanes_of_tile;
  bool const a_along_k = g.a_stride[2] == 1,
             b_along_k = g.b_stride[1] == 1;  // neighbours in memory to neighbouring threads

  std::ptrdiff_t const tile_rows = (g.m + gemm_tile - 1) / gemm_tile, tile_columns = (g.n + gemm_tile - 1) / gemm_tile;
  std::ptrdiff_t const tiles = tile_rows * tile_columns * g.batch;
  for (std::ptrdiff_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    std::ptrdiff_t const matrix = tile / (tile_rows * tile_columns), within = tile % (tile_rows * tile_columns);
    std::ptrdiff_t const i0 = within / tile_columns * gemm_tile, j0 = within % tile_columns * gemm_tile;
    T const* const a = g.a + matrix * g.a_stride[0];
    T const* const b = g.b + matrix * g.b_stride[0];
    T* const c = g.c + matrix * g.c_stride[0];

    T acc[gemm_each][gemm_each];
    for (int i = 0; i < gemm_each; ++i)
      for (int j = 0; j < gemm_each; ++j) acc[i][j] = T(0);

    for (std::ptrdiff_t k0 = 0; k0 < g.k; k0 += gemm_step) {
      for (int l = 0; l < loads; ++l) {
        int const e = thread + l * threads;
        int const ak = a_along_k ? e % gemm_step : e / gemm_tile, ai = a_along_k ? e / gemm_step : e % gemm_tile;
        int const bk = b_along_k ? e % gemm_step : e / gemm_tile, bj = b_along_k ? e / gemm_step : e % gemm_tile;
        bool const a_inside = i0 + ai < g.m && k0 + ak < g.k, b_inside = j0 + bj < g.n && k0 + bk < g.k;
        a_tile[ak][ai] = a_inside ? a[(i0 + ai) * g.a_stride[1] + (k0 + ak) * g.a_stride[2]] : T(0);
        b_tile[bk][bj] = b_inside ? b[(k0 + bk) * g.b_stride[1] + (j0 + bj) * g.b_stride[2]] : T(0);
      }
      __syncthreads();
      // Zeros beyond k would turn an infinity into NaN: the last step is shorter.
      int const depth = g.k - k0 < gemm_step ? static_cast<int>(g.k - k0) : gemm_step;
      for (int k = 0; k < depth; ++k) {
        T left[gemm_each], right[gemm_each];
        for (int i = 0; i < gemm_each; ++i) left[i] = a_tile[k][row + i * lanes_of_tile];
        for (int j = 0; j < gemm_each; ++j) right[j] = b_tile[k][column + j * lanes_of_tile];
        for (int i = 0; i < gemm_each; ++i)
          for (int j = 0; j < gemm_each; ++j) acc[i][j] = math::fma(left[i], right[j], acc[i][j]);
      }
      __syncthreads();
    }

    for (int i = 0; i < gemm_each; ++i)
      for (int j = 0; j < gemm_each; ++j) {
        std::ptrdiff_t const y = i0 + row + i * lanes_of_tile, x = j0 + column + j * lanes_of_tile;
        if (y >= g.m || x >= g.n) continue;
        T& to = c[y * g.c_stride[1] + x * g.c_stride[2]];
        to = g.add ? to + acc[i][j] : acc[i][j];
      }
  }
}

template <class T> void launch_gemm(gemm_operands<T> const& g) {
  if (g.batch == 0 || g.m == 0 || g.n == 0) return;
  std::ptrdiff_t const tiles = (g.m + gemm_tile - 1) / gemm_tile * ((g.n + gemm_tile - 1) / gemm_tile) * g.batch;
  launch("gemm", &gemm_kernel<T>, blocks_for(tiles, 1), threads_of_block, g);
}

}  // namespace detail

// On a GPU b is read where it lies: it must outlive this, and not change.
template <class T> class packed_matrix<T, cuda> {
 public:
  static std::ptrdiff_t packed_size(shape<2> const&) { return 0; }
  packed_matrix() = default;
  explicit packed_matrix(view<T const, 2, cuda> b, T* = nullptr) : b_(b) {}

  limbic::shape<2> const& shape() const { return b_.shape(); }
  // The matrix itself: nothing is packed on a GPU.
  view<T const, 2, cuda> matrix() const { return b_; }

 private:
  view<T const, 2, cuda> b_;
};

template <class T> void gemm(cuda, sink<T, 2, cuda> c, view<T const, 2, cuda> a, view<T const, 2, cuda> b,
                             T* = nullptr) {
  if (!c) return;
  detail::check_gemm(c.shape(), a.shape(), b.shape());
  detail::gemm_operands<T> g;
  g.m = a.extent(0), g.n = b.extent(1), g.k = a.extent(1);
  g.c = c.to.data(), g.a = a.data(), g.b = b.data();
  g.add = c.add;
  for (int i = 0; i < 2; ++i) {
    g.c_stride[1 + i] = c.to.stride(i);
    g.a_stride[1 + i] = a.stride(i);
    g.b_stride[1 + i] = b.stride(i);
  }
  detail::launch_gemm(g);
}

template <class C, class A, class T> void gemm(cuda d, C&& c, A const& a, packed_matrix<T, cuda> const& b) {
  gemm(d, sink<T, 2, cuda>(as_sink(c)), view<T const, 2, cuda>(as_view(a)), b.matrix());
}

// Batches: c (B, M, N), a (B or 1, M, K), b (B or 1, K, N).
template <class T> void gemm(cuda, sink<T, 3, cuda> c, view<T const, 3, cuda> a, view<T const, 3, cuda> b) {
  if (!c) return;
  std::ptrdiff_t const batch = c.shape()[0];
  if ((a.extent(0) != batch && a.extent(0) != 1) || (b.extent(0) != batch && b.extent(0) != 1))
    fail<shape_error>("gemm", "batches of a ", a.shape(), " and b ", b.shape(), " do not fit c ", c.shape());
  shape<2> const ms{{a.extent(1), a.extent(2)}}, ns{{b.extent(1), b.extent(2)}}, cs{{c.shape()[1], c.shape()[2]}};
  detail::check_gemm(cs, ms, ns);
  detail::gemm_operands<T> g;
  g.batch = batch, g.m = ms[0], g.n = ns[1], g.k = ms[1];
  g.c = c.to.data(), g.a = a.data(), g.b = b.data();
  g.add = c.add;
  for (int i = 0; i < 3; ++i) {
    g.c_stride[i] = c.to.stride(i);
    g.a_stride[i] = i == 0 && a.extent(0) == 1 ? 0 : a.stride(i);
    g.b_stride[i] = i == 0 && b.extent(0) == 1 ? 0 : b.stride(i);
  }
  detail::launch_gemm(g);
}

LIMBIC_END
