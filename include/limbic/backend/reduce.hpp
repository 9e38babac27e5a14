// limbic/backend/reduce.hpp - folds along axes: out = fold over the reduced axes of f(in...)
//
//   reduce(D, out, combine, f, in...)     combine: sum_of, product_of, max_of, min_of; f: a function of lanes
//   reduce(D, out, combine, in)           f is the identity
//
// The inputs broadcast to one shape; out has the same rank, with extent 1 on the axes that are reduced. Only one fold
// is ever written for all axes: an inner reduced axis runs over packs in four accumulators, an outer one adds line to
// line. Long sums go in fixed pieces (1024 elements along a line, 128 lines on top of one another) whose results are
// folded as a tree, which bounds the rounding error and makes the bits independent of the number of threads.
#pragma once

#include <limbic/backend/map.hpp>

#include <limits>

LIMBIC_BEGIN

struct sum_of {  // a + b
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return V(0); }
  template <class V> constexpr V operator()(V a, V b) const { return a + b; }
};
struct product_of {  // a b
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return V(1); }
  template <class V> constexpr V operator()(V a, V b) const { return a * b; }
};
struct max_of {  // a NaN anywhere gives NaN
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return math::constant<V>(-std::numeric_limits<double>::infinity()); }
  template <class V> constexpr V operator()(V a, V b) const { return math::max(a, b); }
};
struct min_of {  // as max_of
  // Where a fold begins: what changes nothing.
  template <class V> static constexpr V start() { return math::constant<V>(std::numeric_limits<double>::infinity()); }
  template <class V> constexpr V operator()(V a, V b) const { return math::min(a, b); }
};

namespace detail {

inline constexpr std::ptrdiff_t fold_piece = 1 << 10;  // elements of a line folded at a time
inline constexpr std::ptrdiff_t fold_lines = 128;      // lines folded on top of one another at a time

// Folds numbers as they come as a balanced tree would: the k-th partial result stands for 2^k of them.
template <class T> struct cascade {
  T (*combine)(T a, T b);
  T start;
  T partial[48];
  std::ptrdiff_t count = 0;

  void add(T x) {
    int level = 0;
    for (; (count >> level) & 1; ++level) x = combine(partial[level], x);
    partial[level] = x;
    ++count;
  }
  T result() const {
    T acc = start;
    for (int level = 0; (count >> level) != 0; ++level)
      if ((count >> level) & 1) acc = combine(partial[level], acc);
    return acc;
  }
};

// The lanes of a pack, folded in order.
template <class T, class C> LIMBIC_INLINE constexpr T fold_lanes(C const&, T x) { return x; }
#if LIMBIC_SIMD
template <class T, class C, class V>
  requires(!std::is_same_v<T, V>)
LIMBIC_INLINE T fold_lanes(C const& combine, V x) {
  T parts[lanes<T>::width];
  lanes<T>::store(parts, x);
  T r = parts[0];
  for (std::ptrdiff_t i = 1; i < lanes<T>::width; ++i) r = combine(r, parts[i]);
  return r;
}
#endif

// The fold of one contiguous line of at most fold_piece elements.
template <class D, class C, class F, class T, int Ins, int... I>
LIMBIC_INLINE T fold_line(C const& combine, F const& f, std::ptrdiff_t n, T const* const* in,
                          std::integer_sequence<int, I...>) {
  std::ptrdiff_t i = 0;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T>) {
    using L = lanes<T>;
    using V = typename L::type;
    if (n >= L::width) {
      V acc[4];
      for (auto& a : acc) a = C::template start<V>();
      for (; i + 4 * L::width <= n; i += 4 * L::width)
        for (int k = 0; k < 4; ++k) acc[k] = combine(acc[k], f(L::load(in[I] + i + k * L::width)...));
      for (; i + L::width <= n; i += L::width) acc[0] = combine(acc[0], f(L::load(in[I] + i)...));
      T r = fold_lanes<T>(combine, combine(combine(acc[0], acc[1]), combine(acc[2], acc[3])));
      for (; i < n; ++i) r = combine(r, f(in[I][i]...));
      return r;
    }
  }
#endif
  T r = C::template start<T>();
  for (; i < n; ++i) r = combine(r, f(in[I][i]...));
  return r;
}

// acc[i] = combine(acc[i], f(in...[i])): one line folded onto another.
template <class C, class F> struct fold_onto {
  C combine;
  F f;
  template <class V, class... In> constexpr V operator()(V acc, In... in) const { return combine(acc, f(in...)); }
};

template <class T, int Ins> struct fold_functions {
  T (*line)(void const* f, std::ptrdiff_t n, T const* const* in);
  void (*onto)(void const* f, std::ptrdiff_t n, bool const* add, T* const* out, T const* const* in);
  T (*combine)(T a, T b);
  T start;
};

template <class D, class C, class F, class T, int Ins>
T fold_line_erased(void const* f, std::ptrdiff_t n, T const* const* in) {
  auto const& fold = *static_cast<fold_onto<C, F> const*>(f);
  return fold_line<D, C, F, T, Ins>(fold.combine, fold.f, n, in, std::make_integer_sequence<int, Ins>());
}
template <class C, class T> T combine_erased(T a, T b) { return C()(a, b); }

// The loops of a fold: kept axes outside, reduced axes inside. Operand 0 is the output.
template <class T, int Ins> struct fold_loops {
  axes<1 + Ins> kept, reduced;  // without the innermost axis
  bool inner_reduced = true;
  std::ptrdiff_t inner = 1;
  std::ptrdiff_t inner_stride[1 + Ins] = {};
};

template <int Operands>
std::ptrdiff_t axes_size(axes<Operands> const& a) {
  std::ptrdiff_t n = 1;
  for (int k = 0; k < a.rank; ++k) n *= a.extent[k];
  return n;
}
template <int Operands>
void axes_offsets(axes<Operands> const& a, std::ptrdiff_t index, std::ptrdiff_t* offset) {
  for (int k = a.rank - 1; k >= 0 && index > 0; --k) {  // no extent is 0 where an index is not
    std::ptrdiff_t const at = index % a.extent[k];
    index /= a.extent[k];
    for (int o = 0; o < Operands; ++o) offset[o] += at * a.stride[o][k];
  }
}

// Points `from` at contiguous copies of the strided lines where needed.
template <class T, int Ins>
void gather_lines(T (&buffers)[Ins][block], T const* const* at, std::ptrdiff_t const* stride, std::ptrdiff_t n,
                  T const** from) {
  for (int k = 0; k < Ins; ++k) {
    from[k] = at[k];
    if (stride[k] == 1 || n == 1) continue;
    gather_line(buffers[k], at[k], n, stride[k]);
    from[k] = buffers[k];
  }
}

template <class T, int Ins>
T fold_one_piece(fold_functions<T, Ins> const& fn, void const* f, std::ptrdiff_t n, T const* const* at,
                 std::ptrdiff_t const* stride) {
  bool contiguous = true;
  for (int k = 0; k < Ins; ++k) contiguous = contiguous && (stride[k] == 1 || n == 1);
  if (contiguous) return fn.line(f, n, at);
  T buffers[Ins][block];
  T acc = fn.start;
  for (std::ptrdiff_t i = 0; i < n; i += block) {
    T const* moved[Ins];
    T const* from[Ins];
    for (int k = 0; k < Ins; ++k) moved[k] = at[k] + i * stride[k];
    std::ptrdiff_t const m = n - i < block ? n - i : block;
    gather_lines<T, Ins>(buffers, moved, stride, m, from);
    acc = fn.combine(acc, fn.line(f, m, from));
  }
  return acc;
}

template <class T, int Ins>
void fold_axes(fold_functions<T, Ins> const& fn, void const* f, fold_loops<T, Ins> const& loop, bool add, T* out,
               T const* const* in) {
  std::ptrdiff_t const outer = axes_size(loop.kept), lines = axes_size(loop.reduced), n = loop.inner;
  auto const locate = [&](std::ptrdiff_t kept, std::ptrdiff_t line, std::ptrdiff_t i, T const** at) {
    std::ptrdiff_t offset[1 + Ins] = {};
    axes_offsets(loop.kept, kept, offset);
    axes_offsets(loop.reduced, line, offset);
    for (int k = 0; k < Ins; ++k) at[k] = in[k] + offset[1 + k] + i * loop.inner_stride[1 + k];
    return out + offset[0] + i * loop.inner_stride[0];
  };

  if (loop.inner_reduced) {
    std::ptrdiff_t const pieces = lines * ((n + fold_piece - 1) / fold_piece),
                         per_line = (n + fold_piece - 1) / fold_piece;
    auto const one = [&](std::ptrdiff_t kept, std::ptrdiff_t p) {
      std::ptrdiff_t const begin = p % per_line * fold_piece, end = begin + fold_piece < n ? begin + fold_piece : n;
      T const* at[Ins];
      locate(kept, p / per_line, begin, at);
      return fold_one_piece<T, Ins>(fn, f, end - begin, at, loop.inner_stride + 1);
    };
    auto const store = [&](std::ptrdiff_t kept, T acc) {
      T const* at[Ins];
      T* const to = locate(kept, 0, 0, at);
      *to = add ? *to + acc : acc;
    };
    if (outer == 1 && pieces > 1 && lines * n > parallel_grain) {  // threads share one long fold
      tensor<T, 1, scalar> parts(shape<1>{{pieces}}, uninitialized);
      std::ptrdiff_t const grain = (parallel_grain / 2 * pieces + lines * n - 1) / (lines * n);
      parallel_for(pieces, grain, [&](std::ptrdiff_t b, std::ptrdiff_t e) {
        for (std::ptrdiff_t p = b; p < e; ++p) parts.data()[p] = one(0, p);
      });
      cascade<T> tree{fn.combine, fn.start, {}};
      for (std::ptrdiff_t p = 0; p < pieces; ++p) tree.add(parts.data()[p]);
      store(0, tree.result());
      return;
    }
    std::ptrdiff_t const grain = outer * lines * n <= parallel_grain ? outer : (parallel_grain / 2) / (lines * n) + 1;
    parallel_for(outer, grain, [&](std::ptrdiff_t b, std::ptrdiff_t e) {
      for (std::ptrdiff_t kept = b; kept < e; ++kept) {
        if (pieces == 1) {
          store(kept, one(kept, 0));
          continue;
        }
        cascade<T> tree{fn.combine, fn.start, {}};
        for (std::ptrdiff_t p = 0; p < pieces; ++p) tree.add(one(kept, p));
        store(kept, tree.result());
      }
    });
    return;
  }

  // The innermost axis is kept: lines are folded on top of one another, a block of columns at a time.
  std::ptrdiff_t const columns = (n + block - 1) / block;
  std::ptrdiff_t const width = n < block ? n : block;
  std::ptrdiff_t const grain =
      outer * lines * n <= parallel_grain ? outer * columns : (parallel_grain / 2) / (lines * width) + 1;
  parallel_for(outer * columns, grain, [&](std::ptrdiff_t b, std::ptrdiff_t e) {
    T total[block], some[block], acc[block];  // of all lines, of fold_lines^2 of them, of fold_lines
    T buffers[Ins][block];
    for (std::ptrdiff_t item = b; item < e; ++item) {
      std::ptrdiff_t const kept = item / columns, begin = item % columns * block;
      std::ptrdiff_t const m = n - begin < block ? n - begin : block;
      for (std::ptrdiff_t i = 0; i < m; ++i) total[i] = some[i] = fn.start;
      for (std::ptrdiff_t first = 0; first < lines; first += fold_lines) {
        for (std::ptrdiff_t i = 0; i < m; ++i) acc[i] = fn.start;
        std::ptrdiff_t const last = first + fold_lines < lines ? first + fold_lines : lines;
        for (std::ptrdiff_t l = first; l < last; ++l) {
          T const* at[Ins];
          T const* from[1 + Ins];
          locate(kept, l, begin, at);
          gather_lines<T, Ins>(buffers, at, loop.inner_stride + 1, m, from + 1);
          from[0] = acc;
          T* to = acc;
          bool const assign = false;
          fn.onto(f, m, &assign, &to, from);
        }
        for (std::ptrdiff_t i = 0; i < m; ++i) some[i] = fn.combine(some[i], acc[i]);
        if (last < lines && last % (fold_lines * fold_lines) != 0) continue;
        for (std::ptrdiff_t i = 0; i < m; ++i) {
          total[i] = fn.combine(total[i], some[i]);
          some[i] = fn.start;
        }
      }
      T const* at[Ins];
      T* const to = locate(kept, 0, begin, at);
      for (std::ptrdiff_t i = 0; i < m; ++i) {
        T& o = to[i * loop.inner_stride[0]];
        o = add ? o + total[i] : total[i];
      }
    }
  });
}

// Shared by all folds: the one at hand comes as pointers to its functions. Operand 0 of the loops is the output.
template <class T, int R, class D, class First, class... In>
void fold_host(fold_functions<T, 1 + static_cast<int>(sizeof...(In))> const& fn, void const* f, sink<T, R, D> const& s,
               First const& first, In const&... in) {
  constexpr int Ins = 1 + static_cast<int>(sizeof...(In));
  shape<R> full = s.shape();
  auto const widen = [&](auto const& v) { full = broadcast("reduce", full, v.shape()); };
  widen(first);
  (widen(in), ...);
  for (int a = 0; a < R; ++a)
    if (s.shape()[a] != full[a] && s.shape()[a] != 1)
      fail<shape_error>("reduce", "the output ", s.shape(), " must have extent 1 or that of the inputs, ", full);
  if (s.shape().size() == 0) return;

  // Neighbouring axes of one kind (reduced: the output has extent 1 there) merge where memory allows; the last one is
  // the line, the others are the loops around it.
  struct {
    std::ptrdiff_t extent;
    bool reduced;
    std::ptrdiff_t stride[1 + Ins];
  } merged[R + 1] = {};  // one more than is used, for g++ 12, which does not see that count <= a
  int count = 0;
  for (int a = 0; a < R; ++a) {
    if (full[a] == 1) continue;
    auto& next = merged[count];
    next.extent = full[a];
    next.reduced = s.shape()[a] == 1;
    next.stride[0] = next.reduced ? 0 : s.to.stride(a);
    int k = 1;
    next.stride[k++] = broadcast_stride(first, R - 1 - a);
    ((next.stride[k++] = broadcast_stride(in, R - 1 - a)), ...);
    bool merges = count > 0 && merged[count - 1].reduced == next.reduced;
    for (int o = 0; merges && o < 1 + Ins; ++o) merges = merged[count - 1].stride[o] == next.stride[o] * next.extent;
    if (merges) {
      next.extent *= merged[count - 1].extent;
      merged[count - 1] = next;
    } else {
      ++count;
    }
  }
  fold_loops<T, Ins> loop;
  for (int a = 0; a + 1 < count; ++a)
    (merged[a].reduced ? loop.reduced : loop.kept).append(merged[a].extent, merged[a].stride);
  if (count > 0) {
    loop.inner_reduced = merged[count - 1].reduced;
    loop.inner = merged[count - 1].extent;
    for (int o = 0; o < 1 + Ins; ++o) loop.inner_stride[o] = merged[count - 1].stride[o];
  }

  T const* from[Ins] = {first.data(), in.data()...};
  fold_axes<T, Ins>(fn, f, loop, s.add, s.to.data(), from);
}

}  // namespace detail

template <class D, class Out, class C, class F, class First, class... In>
  requires(is_host<D> && !std::is_same_v<F, void>)
void reduce(D, Out&& out, C const& combine, F const& f, First const& first, In const&... in) {
  auto const s = as_sink(out);
  if (!s) return;
  using T = typename std::remove_const_t<decltype(s)>::value_type;
  constexpr int Ins = 1 + static_cast<int>(sizeof...(In));
  detail::fold_onto<C, F> const fold{combine, f};
  detail::fold_functions<T, Ins> const fn{&detail::fold_line_erased<D, C, F, T, Ins>,
                                          &detail::line<D, detail::fold_onto<C, F>, T, 1, 1 + Ins>,
                                          &detail::combine_erased<C, T>, C::template start<T>()};
  detail::fold_host(fn, &fold, s, as_view(first), as_view(in)...);
}

template <class D, class Out, class C, class In>
  requires is_host<D>
void reduce(D d, Out&& out, C const& combine, In const& in) {
  reduce(d, out, combine, identity_function{}, in);
}

LIMBIC_END
