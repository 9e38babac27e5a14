// limbic/backend/map.hpp - elementwise loops
//
//   map(D, out, f, in...)          out = f(in...)      inputs broadcast to out's shape (NumPy's rule)
//   map(D, outs(a, b), f, in...)   a, b = f(in...)     f returns a std::array-like `results`
//
// f is a function object over lanes: the same call serves a number, a dual number and a SIMD pack. It is compiled once
// for each element type, as a function over one contiguous line; the loops over axes are shared by all functions.
// The last few elements of a line go through the same pack code on a padded copy, so that the bits of an element
// depend neither on its position nor on the number of threads. An output may be one of the inputs (same strides).
#pragma once

#include <limbic/backend/parallel.hpp>
#include <limbic/backend/sink.hpp>
#include <limbic/math/math.hpp>

LIMBIC_BEGIN

// Several values from one function: results{a, b}.
template <class V, int N> struct results {
  V values[N];  // in the order in which they were given
};
template <class V, class... W> results(V, W...) -> results<V, 1 + static_cast<int>(sizeof...(W))>;

// Several outputs of one map.
template <class T, int R, class D, int N> struct output_list {
  sink<T, R, D> sinks[N];  // of one shape
};
template <class First, class... Rest> auto outs(First&& first, Rest&&... rest) {
  auto const s = as_sink(first);
  using S = decltype(s);
  return output_list<typename S::value_type, S::rank, typename S::device, 1 + static_cast<int>(sizeof...(Rest))>{
      {s, as_sink(rest)...}};
}

// What `map` was given to write to: one output or several, as a list.
template <class T, int R, class D, int N> constexpr output_list<T, R, D, N> as_outputs(
    output_list<T, R, D, N> const& o) {
  return o;
}
template <class Out>
  requires requires(Out&& o) { as_sink(o); }
auto as_outputs(Out&& o) {
  return outs(o);
}

namespace detail {

inline constexpr int max_rank = 8;
inline constexpr std::ptrdiff_t block = 256;  // elements of a strided line gathered at a time
inline constexpr std::ptrdiff_t parallel_grain =
    1 << 15;  // elements below which a second thread costs more than it gives

// One contiguous line: out[k][i] = f(in[0][i], ...)[k]
template <class T, int Outs, int Ins>
using line_function = void (*)(void const* f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in);

template <class F, class V, class... In>
LIMBIC_INLINE constexpr auto call(F const& f, In... in) {
  auto const r = f(in...);
  if constexpr (requires { r.values[0]; }) return r;
  else return results<V, 1>{{r}};
}

template <class D, class F, class T, int Outs, int Ins, int... I, int... O>
LIMBIC_INLINE void run_line(F const& f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in,
                            std::integer_sequence<int, I...>, std::integer_sequence<int, O...>) {
  std::ptrdiff_t i = 0;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T>) {
    using L = lanes<T>;
    using V = typename L::type;
    for (; i + L::width <= n; i += L::width) {
      auto const r = call<F, V>(f, L::load(in[I] + i)...);
      (L::store(out[O] + i, add[O] ? L::load(out[O] + i) + r.values[O] : r.values[O]), ...);
    }
    if (i < n) {
      T padded[Ins > 0 ? Ins : 1][L::width] = {};
      T result[Outs][L::width];
      auto const start = [&](T* to, T const* from) {
        for (std::ptrdiff_t k = i; k < n; ++k) to[k - i] = from[k];
      };
      (start(padded[I], in[I]), ...);
      auto const r = call<F, V>(f, L::load(padded[I])...);
      auto const finish = [&](T* to, bool accumulate, T const* from) {
        for (std::ptrdiff_t k = 0; k < n - i; ++k) to[i + k] = accumulate ? to[i + k] + from[k] : from[k];
      };
      (L::store(result[O], r.values[O]), ...);
      (finish(out[O], add[O], result[O]), ...);
    }
  } else
#endif
  {
    for (; i < n; ++i) {
      auto const r = call<F, T>(f, in[I][i]...);
      ((out[O][i] = add[O] ? out[O][i] + r.values[O] : r.values[O]), ...);
    }
  }
}

template <class D, class F, class T, int Outs, int Ins>
void line(void const* f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in) {
  // Copies that no store can change, so that constants and pointers stay in registers.
  F const function = *static_cast<F const*>(f);
  T const* from[Ins > 0 ? Ins : 1];
  T* to[Outs];
  bool onto[Outs];
  for (int k = 0; k < Ins; ++k) from[k] = in[k];
  for (int k = 0; k < Outs; ++k) to[k] = out[k], onto[k] = add[k];
  run_line<D, F, T, Outs, Ins>(function, n, onto, to, from, std::make_integer_sequence<int, Ins>(),
                               std::make_integer_sequence<int, Outs>());
}

// Loops over axes, for any operands: extents once, strides for each operand. Axes that all operands walk through in one
// go are merged, so that contiguous tensors of any rank become one line.
template <int Operands> struct axes {
  int rank = 0;
  std::ptrdiff_t extent[max_rank] = {};
  std::ptrdiff_t stride[Operands][max_rank] = {};

  void append(std::ptrdiff_t n, std::ptrdiff_t const* strides) {
    extent[rank] = n;
    for (int k = 0; k < Operands; ++k) stride[k][rank] = strides[k];
    ++rank;
  }
  // The same, but merged with the axis before it where every operand allows.
  void push(std::ptrdiff_t n, std::ptrdiff_t const* strides) {
    if (n == 1) return;
    bool merges = rank > 0;
    for (int k = 0; merges && k < Operands; ++k) merges = stride[k][rank - 1] == strides[k] * n;
    if (merges) n *= extent[--rank];
    append(n, strides);
  }
};

template <class T, int R, class D>
std::ptrdiff_t broadcast_stride(view<T, R, D> const& v, int axis_from_back) {
  int const axis = R - 1 - axis_from_back;
  return axis < 0 || v.extent(axis) == 1 ? 0 : v.stride(axis);
}

template <class T> void gather_line(T* to, T const* from, std::ptrdiff_t n, std::ptrdiff_t stride) {
  if (stride == 0)
    for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = *from;
  else
    for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = from[i * stride];
}

// One line whose operands may have any stride: blocks of it are brought together, computed, and put back.
template <class T, int Outs, int Ins>
void strided_line(line_function<T, Outs, Ins> run, void const* f, std::ptrdiff_t n, bool const* add, T* const* out,
                  T const* const* in, std::ptrdiff_t const* stride) {
  bool contiguous = true;
  for (int k = 0; k < Outs + Ins; ++k) contiguous = contiguous && (stride[k] == 1 || n == 1);
  if (contiguous) return run(f, n, add, out, in);
  alignas(alignment) T buffers[Outs + Ins][block];
  for (std::ptrdiff_t begin = 0; begin < n; begin += block) {
    std::ptrdiff_t const m = n - begin < block ? n - begin : block;
    T* to[Outs];
    T const* from[Ins > 0 ? Ins : 1];
    for (int k = 0; k < Outs; ++k) {
      std::ptrdiff_t const s = stride[k];
      to[k] = s == 1 ? out[k] + begin : buffers[k];
      if (s != 1 && add[k]) gather_line(buffers[k], out[k] + begin * s, m, s);
    }
    for (int k = 0; k < Ins; ++k) {
      std::ptrdiff_t const s = stride[Outs + k];
      from[k] = s == 1 ? in[k] + begin : buffers[Outs + k];
      if (s == 0 && begin > 0) continue;  // the block holds it already
      if (s != 1) gather_line(buffers[Outs + k], in[k] + begin * s, m, s);
    }
    run(f, m, add, to, from);
    for (int k = 0; k < Outs; ++k)
      if (stride[k] != 1)
        for (std::ptrdiff_t i = 0; i < m; ++i) out[k][(begin + i) * stride[k]] = buffers[k][i];
  }
}

// Where line l (of those along the innermost axis) of each operand starts.
template <int Operands> void line_offsets(axes<Operands> const& loop, std::ptrdiff_t l, std::ptrdiff_t* offset) {
  for (int a = loop.rank - 2; a >= 0 && l > 0; --a) {
    std::ptrdiff_t const at = l % loop.extent[a];
    l /= loop.extent[a];
    for (int k = 0; k < Operands; ++k) offset[k] += at * loop.stride[k][a];
  }
}

inline constexpr std::ptrdiff_t tile_lines = 32, tile_length = 64;

// Transposed reads: the elements of the inputs in `transposed` lie side by side along the axis `across`, not along the
// lines. A tile of lines is brought together at a time, so that every cache line fetched is used whole.
template <class T, int Outs, int Ins>
void map_tiles(line_function<T, Outs, Ins> run, void const* f, axes<Outs + Ins> loop, int across,
               bool const* transposed, bool const* add, T* const* out, T const* const* in) {
  int const inner = loop.rank - 1;
  std::ptrdiff_t const n = loop.extent[inner], width = loop.extent[across],
                       tiles = (width + tile_lines - 1) / tile_lines;
  std::ptrdiff_t stride[Outs + Ins], step[Outs + Ins], jump[Outs + Ins];
  for (int k = 0; k < Outs + Ins; ++k) {
    stride[k] = loop.stride[k][inner];
    step[k] = k >= Outs && transposed[k - Outs] ? 1 : stride[k];  // along a line, once the tile is gathered
    jump[k] = loop.stride[k][across];
    loop.stride[k][across] *= tile_lines;
  }
  loop.extent[across] = tiles;
  std::ptrdiff_t items = 1;
  for (int a = 0; a < inner; ++a) items *= loop.extent[a];
  std::ptrdiff_t const whole = items * tile_lines * n;
  parallel_for(items, whole <= parallel_grain ? items : parallel_grain / 2 / (tile_lines * n) + 1,
               [&](std::ptrdiff_t first, std::ptrdiff_t last) {
                 alignas(alignment) T buffers[Ins][tile_lines][tile_length];
                 for (std::ptrdiff_t item = first; item < last; ++item) {
                   std::ptrdiff_t offset[Outs + Ins] = {};
                   line_offsets(loop, item, offset);
                   std::ptrdiff_t left = item;  // which tile along `across` this is
                   for (int a = inner - 1; a > across; --a) left /= loop.extent[a];
                   std::ptrdiff_t const at = left % tiles * tile_lines,
                                        lines = width - at < tile_lines ? width - at : tile_lines;
                   for (std::ptrdiff_t begin = 0; begin < n; begin += tile_length) {
                     std::ptrdiff_t const m = n - begin < tile_length ? n - begin : tile_length;
                     for (int k = 0; k < Ins; ++k) {
                       if (!transposed[k]) continue;
                       T const* const from = in[k] + offset[Outs + k] + begin * stride[Outs + k];
                       for (std::ptrdiff_t i = 0; i < m; ++i)
                         for (std::ptrdiff_t l = 0; l < lines; ++l) buffers[k][l][i] = from[i * stride[Outs + k] + l];
                     }
                     for (std::ptrdiff_t l = 0; l < lines; ++l) {
                       T* to[Outs];
                       T const* from[Ins];
                       for (int k = 0; k < Outs; ++k) to[k] = out[k] + offset[k] + begin * stride[k] + l * jump[k];
                       for (int k = 0; k < Ins; ++k) {
                         int const o = Outs + k;
                         from[k] = transposed[k] ? buffers[k][l] : in[k] + offset[o] + begin * stride[o] + l * jump[o];
                       }
                       strided_line<T, Outs, Ins>(run, f, m, add, to, from, step);
                     }
                   }
                 }
               });
}

template <class T, int Outs, int Ins>
void map_axes(line_function<T, Outs, Ins> run, void const* f, axes<Outs + Ins> const& loop, bool const* add,
              T* const* out, T const* const* in) {
  int const inner = loop.rank - 1;
  std::ptrdiff_t const n = loop.rank > 0 ? loop.extent[inner] : 1;
  std::ptrdiff_t stride[Outs + Ins];
  for (int k = 0; k < Outs + Ins; ++k) stride[k] = loop.rank > 0 ? loop.stride[k][inner] : 1;
  std::ptrdiff_t lines = 1;
  for (int a = 0; a < inner; ++a) lines *= loop.extent[a];

  if constexpr (Ins > 0) {
    for (int a = inner - 1; a >= 0; --a) {
      bool any = false, transposed[Ins];
      for (int k = 0; k < Ins; ++k) {
        transposed[k] = stride[Outs + k] > 1 && loop.stride[Outs + k][a] == 1;
        any = any || transposed[k];
      }
      if (any && loop.extent[a] >= 4 && n >= 4)
        return map_tiles<T, Outs, Ins>(run, f, loop, a, transposed, add, out, in);
    }
  }

  auto const piece = [&](std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t l = first; l < last; ++l) {
      T* to[Outs];
      T const* from[Ins > 0 ? Ins : 1];
      std::ptrdiff_t offset[Outs + Ins];
      for (int k = 0; k < Outs + Ins; ++k) offset[k] = begin * stride[k];
      line_offsets(loop, l, offset);
      for (int k = 0; k < Outs; ++k) to[k] = out[k] + offset[k];
      for (int k = 0; k < Ins; ++k) from[k] = in[k] + offset[Outs + k];
      strided_line<T, Outs, Ins>(run, f, end - begin, add, to, from, stride);
    }
  };
  if (lines * n <= parallel_grain) piece(0, lines, 0, n);
  else if (lines == 1)
    parallel_for(n, parallel_grain / 2, [&](std::ptrdiff_t b, std::ptrdiff_t e) { piece(0, 1, b, e); });
  else
    parallel_for(lines, (parallel_grain / 2 + n - 1) / n,
                 [&](std::ptrdiff_t b, std::ptrdiff_t e) { piece(b, e, 0, n); });
}

// Shared by all functions: the one at hand comes as a pointer to its options and one to its line.
template <class T, int R, class D, int Outs, class... In>
void map_host(line_function<T, Outs, static_cast<int>(sizeof...(In))> run, void const* f, sink<T, R, D> const* outputs,
              In const&... in) {
  constexpr int Ins = static_cast<int>(sizeof...(In));
  auto const& extents = outputs[0].to.shape();
  if (extents.size() == 0) return;
  axes<Outs + Ins> loop;
  for (int a = 0; a < R; ++a) {
    std::ptrdiff_t strides[Outs + Ins];
    for (int k = 0; k < Outs; ++k) strides[k] = outputs[k].to.stride(a);
    [[maybe_unused]] int k = Outs;
    ((strides[k++] = broadcast_stride(in, R - 1 - a)), ...);
    loop.push(extents[a], strides);
  }
  T* out[Outs];
  bool add[Outs];
  for (int k = 0; k < Outs; ++k) {
    out[k] = outputs[k].to.data();
    add[k] = outputs[k].add;
  }
  T const* from[Ins > 0 ? Ins : 1] = {in.data()...};
  map_axes<T, Outs, Ins>(run, f, loop, add, out, from);
}

template <class T, int R, class D, int S>
void check_map_operand(shape<S> const& out, view<T, R, D> const& in) {
  static_assert(R <= S, "limbic: map: an input has more axes than the output");
  if (!(broadcast("map", out, in.shape()) == out))
    fail<shape_error>("map", "an input of shape ", in.shape(), " does not broadcast to the output ", out);
}

}  // namespace detail

template <class D, class Out, class F, class... In>
  requires is_host<D>
void map(D, Out&& out, F const& f, In const&... in) {
  auto const list = as_outputs(out);
  using S = std::remove_cvref_t<decltype(list.sinks[0])>;
  constexpr int N = sizeof(list.sinks) / sizeof(S);
  if (!list.sinks[0]) return;
  for (auto const& s : list.sinks)
    if (!(s.shape() == list.sinks[0].shape()))
      fail<shape_error>("map", "outputs differ in shape: ", list.sinks[0].shape(), " and ", s.shape());
  (detail::check_map_operand(list.sinks[0].shape(), as_view(in)), ...);
  using T = typename S::value_type;
  detail::map_host<T, S::rank, D, N>(&detail::line<D, F, T, N, static_cast<int>(sizeof...(In))>, &f, list.sinks,
                                     as_view(in)...);
}

// x itself: what a copy maps.
struct identity_function {
  template <class V> constexpr V operator()(V x) const { return x; }
};

// a b
struct multiply_function {
  template <class V> constexpr V operator()(V a, V b) const { return a * b; }
};

// out = in, or out += in: copies between views of any strides.
template <class D, class Out, class In> void copy(D d, Out&& out, In const& in) {
  map(d, out, identity_function{}, in);
}

// The same value whatever is read.
template <class V> struct constant_function {
  V c;  // the value
  template <class U> constexpr U operator()(U) const { return math::broadcast<U>(c); }
};
// out = value everywhere.
template <class D, class T, int R> void fill(D d, view<T, R, D> out, T value) {
  map(d, out, constant_function<T>{value}, view<T const, R, D>(out));
}

LIMBIC_END
