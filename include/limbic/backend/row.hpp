// limbic/backend/row.hpp - work on the rows of tensors: all lines along one axis, each seen whole
//
//   for_each_row(D, axis, f, rows...)      f(row...) for every line along `axis`
//
// The operands agree in all other axes (an extent of 1 stretches); along `axis` each may have its own length, so that
// one number for each row is a row of length 1. A row is contiguous: lines with another stride are gathered before and
// scattered after. f is a function object whose body uses the verbs of a row:
//
//   map(out, f, in...)      out = f(in...), elementwise; an argument that is a number goes to every element
//   sum(x) max(x) min(x) dot(x, y) fold(combine, f, x...)      one number
//   argmax(x) argmin(x)     the first place of the greatest or least (of a NaN, where there is one); x is not empty
//   count(x, f)             for how many places f(x[i], i) is true
//   nth_place(x, k)         the place of the k-th element in ascending order, from 0; equal ones in the order of places
//   place(out, i, v)        v at i, 0 elsewhere
//   generate(out, f)        out[i] = f(i), for what reads elements at other places
//   x.size(), x[i], x.part(first, last)
//
// On a CPU they are SIMD loops, on a GPU one block's cooperation.
#pragma once

#include <limbic/backend/reduce.hpp>

#include <bit>
#include <tuple>

LIMBIC_BEGIN

template <class T, class D> struct row {
  // What an operand says of itself, but for a rank.
  using value_type = std::remove_const_t<T>;
  using device = D;
  T* data = nullptr;  // null: not given, or not wanted
  std::ptrdiff_t length = 0;
  bool add = false;  // map adds instead of assigning

  // The number of elements, also of a null row.
  constexpr std::ptrdiff_t size() const { return length; }
  constexpr T& operator[](std::ptrdiff_t i) const { return data[i]; }
  // The elements from `first` on, before `last`.
  constexpr row part(std::ptrdiff_t first, std::ptrdiff_t last) const { return {data + first, last - first, add}; }
  explicit constexpr operator bool() const { return data != nullptr; }
  // Writes one element as map does: assigns or adds.
  constexpr void put(std::ptrdiff_t i, value_type v) const { data[i] = add ? data[i] + v : v; }
};

namespace detail {
template <class T> inline constexpr bool is_row = false;
template <class T, class D> inline constexpr bool is_row<row<T, D>> = true;

// A number as an operand of a row's map: a line of it, one block long, read again and again.
template <class A> struct row_operand {
  A value;
  template <class V> LIMBIC_INLINE constexpr V load(std::ptrdiff_t) const { return math::broadcast<V>(value); }
  template <class T> constexpr T at(std::ptrdiff_t) const { return static_cast<T>(value); }
};
template <class T, class D> struct row_operand<row<T, D>> {
  row<T, D> value;
#if LIMBIC_SIMD
  template <class V> LIMBIC_INLINE V load(std::ptrdiff_t i) const {
    return lanes<std::remove_const_t<T>>::load(value.data + i);
  }
#endif
  template <class U> constexpr U at(std::ptrdiff_t i) const { return value.data[i]; }
};

// The last elements of a row as a pack, padded with its last one.
template <class T, class A> LIMBIC_INLINE auto row_tail(row_operand<A> const& operand, std::ptrdiff_t i,
                                                        std::ptrdiff_t n) {
#if LIMBIC_SIMD
  T padded[lanes<T>::width];
  for (std::ptrdiff_t k = 0; k < lanes<T>::width; ++k) padded[k] = operand.template at<T>(i + k < n ? i + k : n - 1);
  return lanes<T>::load(padded);
#else
  (void)n;
  return operand.template at<T>(i);
#endif
}
}  // namespace detail

template <class T, class D, class F, class... A>
  requires is_host<D>
constexpr void map(row<T, D> out, F const& f, A const&... args) {
  if (!out) return;
  std::ptrdiff_t i = 0;
  std::ptrdiff_t const n = out.length;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T>) {
    using L = lanes<T>;
    using V = typename L::type;
    for (; i + L::width <= n; i += L::width) {
      V const v = f(detail::row_operand<A>{args}.template load<V>(i)...);
      L::store(out.data + i, out.add ? L::load(out.data + i) + v : v);
    }
    if (i < n) {
      T tail[L::width];
      L::store(tail, f(detail::row_tail<T>(detail::row_operand<A>{args}, i, n)...));
      for (std::ptrdiff_t k = i; k < n; ++k) out.put(k, tail[k - i]);
    }
  } else
#endif
  {
    for (; i < n; ++i) out.put(i, f(detail::row_operand<A>{args}.template at<T>(i)...));
  }
}

template <class C, class F, class T, class D, class... U>
  requires is_host<D>
constexpr auto fold(C const& combine, F const& f, row<T, D> first, row<U, D>... rest) {
  using E = std::remove_const_t<T>;
  E const* const in[] = {first.data, rest.data...};
  constexpr int Ins = 1 + static_cast<int>(sizeof...(U));
  auto const piece = [&](std::ptrdiff_t i) {
    E const* at[Ins];
    for (int k = 0; k < Ins; ++k) at[k] = in[k] + i;
    std::ptrdiff_t const m = first.length - i < detail::fold_piece ? first.length - i : detail::fold_piece;
    return detail::fold_line<D, C, F, E, Ins>(combine, f, m, at, std::make_integer_sequence<int, Ins>());
  };
  if (first.length <= detail::fold_piece) return piece(0);
  detail::cascade<E> tree{&detail::combine_erased<C, E>, C::template start<E>(), {}};
  for (std::ptrdiff_t i = 0; i < first.length; i += detail::fold_piece) tree.add(piece(i));
  return tree.result();
}
template <class T, class D> constexpr auto sum(row<T, D> x) { return fold(sum_of{}, identity_function{}, x); }
template <class T, class D> constexpr auto max(row<T, D> x) { return fold(max_of{}, identity_function{}, x); }
template <class T, class D> constexpr auto min(row<T, D> x) { return fold(min_of{}, identity_function{}, x); }
template <class T, class U, class D> constexpr auto dot(row<T, D> x, row<U, D> y) {
  return fold(sum_of{}, multiply_function{}, x, y);
}

namespace detail {
template <class T, class D> constexpr std::ptrdiff_t first_place(row<T, D> x, std::remove_const_t<T> v) {
  bool const nan = math::isnan(v);
  std::ptrdiff_t i = 0;
  while (i + 1 < x.length && !(nan ? math::isnan(x[i]) : x[i] == v)) ++i;
  return i;
}
}  // namespace detail

template <class T, class D>
  requires is_host<D>
constexpr std::ptrdiff_t argmax(row<T, D> x) {
  return detail::first_place(x, max(x));
}
template <class T, class D>
  requires is_host<D>
constexpr std::ptrdiff_t argmin(row<T, D> x) {
  return detail::first_place(x, min(x));
}
template <class T, class D, class F>
  requires is_host<D>
constexpr std::ptrdiff_t count(row<T, D> x, F const& f) {
  std::ptrdiff_t n = 0;
  for (std::ptrdiff_t i = 0; i < x.length; ++i) n += f(x[i], i) ? 1 : 0;
  return n;
}

namespace detail {

// Unsigned integers in the order of the numbers: where a number is negative all bits turn, else the sign's alone.
template <class T> constexpr auto order_key(T x) {
  if constexpr (is_dual<T>) {
    return order_key(x.value);
  } else {
    using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    U const bits = std::bit_cast<U>(x + T(0)), sign = U(1) << (8 * sizeof(T) - 1);  // + 0: one zero, not two
    return static_cast<U>((bits & sign) != 0 ? ~bits : bits | sign);
  }
}
template <class U> struct key_at_most {
  U key;
  constexpr bool operator()(auto x, std::ptrdiff_t) const { return order_key(x) <= key; }
};
template <class U> struct key_below {
  U key;
  constexpr bool operator()(auto x, std::ptrdiff_t) const { return order_key(x) < key; }
};
template <class U> struct key_within {
  U key;
  std::ptrdiff_t last;
  constexpr bool operator()(auto x, std::ptrdiff_t i) const { return i <= last && order_key(x) == key; }
};

}  // namespace detail

// By halving the range of keys, then that of places: a count for each bit, and no memory. x holds no NaN, 0 <= k < size.
template <class T, class D> constexpr std::ptrdiff_t nth_place(row<T, D> x, std::ptrdiff_t k) {
  using U = decltype(detail::order_key(x[0]));
  U low = 0, high = static_cast<U>(~U(0));
  while (low < high) {
    U const middle = low + (high - low) / 2;
    if (count(x, detail::key_at_most<U>{middle}) > k) high = middle;
    else low = middle + 1;
  }
  k -= count(x, detail::key_below<U>{low});
  std::ptrdiff_t first = 0, last = x.size() - 1;
  while (first < last) {
    std::ptrdiff_t const middle = first + (last - first) / 2;
    if (count(x, detail::key_within<U>{low, middle}) > k) last = middle;
    else first = middle + 1;
  }
  return first;
}

template <class T, class D>
  requires is_host<D>
constexpr void place(row<T, D> out, std::ptrdiff_t i, T v) {
  if (!out) return;
  if (!out.add)
    for (std::ptrdiff_t k = 0; k < out.length; ++k) out[k] = T(0);
  out[i] = out.add ? out[i] + v : v;
}

template <class T, class D, class F>
  requires is_host<D>
constexpr void generate(row<T, D> out, F const& f) {
  if (!out) return;
  for (std::ptrdiff_t i = 0; i < out.length; ++i) out.put(i, f(i));
}

namespace detail {

inline constexpr std::ptrdiff_t row_group = 32;                // strided rows gathered at a time ...
inline constexpr std::ptrdiff_t row_group_elements = 1 << 15;  // ... unless they are longer than this together

// One operand of for_each_row: where its lines start, and contiguous stand-ins for strided ones.
template <class T, int R, class D> struct row_source {
  view<T, R, D> all;
  bool add = false;
  int axis = 0;
  using E = std::remove_const_t<T>;

  std::ptrdiff_t length() const { return all.extent(axis); }
  bool strided() const { return all.stride(axis) != 1 && length() > 1; }
  // Elements between stand-ins: padded, so that rows of a power of two do not crowd into a few lines of the cache.
  std::ptrdiff_t pitch() const { return (length() + 15) / 16 * 16 + 16; }
  std::ptrdiff_t step(int along) const { return all.extent(along) == 1 ? 0 : all.stride(along); }

  // `count` rows that follow one another along another axis; their stand-ins are filled together, because what is far
  // apart along the row is often close to its neighbours.
  void gather(std::ptrdiff_t const* index, int along, std::ptrdiff_t count, E* scratch) const {
    if (!all || !strided() || (!std::is_const_v<T> && !add)) return;
    T const* const p = start(index);
    std::ptrdiff_t const n = length(), stride = all.stride(axis), next = step(along), apart = pitch();
    for (std::ptrdiff_t i = 0; i < n; ++i)
      for (std::ptrdiff_t g = 0; g < count; ++g) scratch[g * apart + i] = p[i * stride + g * next];
  }
  row<T, D> at(std::ptrdiff_t const* index, int along, std::ptrdiff_t g, E* scratch) const {
    if (!all) return {nullptr, length(), add};
    if (!strided()) return {start(index) + g * step(along), length(), add};
    return {scratch + g * pitch(), length(), add};
  }
  void finish(std::ptrdiff_t const* index, int along, std::ptrdiff_t count, E const* scratch) const {
    if constexpr (!std::is_const_v<T>) {
      if (!all || !strided()) return;
      T* const p = start(index);
      std::ptrdiff_t const n = length(), stride = all.stride(axis), next = step(along), apart = pitch();
      for (std::ptrdiff_t i = 0; i < n; ++i)
        for (std::ptrdiff_t g = 0; g < count; ++g) p[i * stride + g * next] = scratch[g * apart + i];
    }
  }
  T* start(std::ptrdiff_t const* index) const {
    T* p = all.data();
    for (int a = 0; a < R; ++a)
      if (a != axis && all.extent(a) != 1) p += index[a] * all.stride(a);
    return p;
  }
};

template <class T, int R, class D> row_source<T, R, D> as_rows(view<T, R, D> v, int axis) { return {v, false, axis}; }
template <class T, int R, class D> row_source<T, R, D> as_rows(sink<T, R, D> s, int axis) {
  return {s.to, s.add, axis};
}

// The extents that the operands' rows have in common: 1 along `axis`.
template <int R, class D, class... T> shape<R> common_rows(int axis, row_source<T, R, D> const&... s) {
  shape<R> extents;
  for (int a = 0; a < R; ++a) extents[a] = 1;
  auto const widen = [&](auto const& v) {
    for (int a = 0; a < R; ++a)
      if (a != axis && v && v.extent(a) != 1) extents[a] = v.extent(a);
  };
  auto const check = [&](auto const& v) {
    for (int a = 0; a < R; ++a)
      if (a != axis && v && v.extent(a) != 1 && v.extent(a) != extents[a])
        fail<shape_error>("for_each_row", "an operand of shape ", v.shape(), " does not have the rows of the others");
  };
  (widen(s.all), ...);
  (check(s.all), ...);
  return extents;
}

template <class F, class... S, std::size_t... I>
void for_each_row_host(F const& f, std::ptrdiff_t const* extents, int rank, int axis, std::index_sequence<I...>,
                       S const&... source) {
  std::ptrdiff_t rows = 1;
  for (int a = 0; a < rank; ++a)
    if (a != axis) rows *= extents[a];
  std::ptrdiff_t longest = 1;
  ((longest = source.length() > longest ? source.length() : longest), ...);
  // The rows of a group follow one another along the last axis that is not theirs.
  int along = axis;
  for (int a = 0; a < rank; ++a)
    if (a != axis && extents[a] > 1) along = a;
  std::ptrdiff_t const most = extents[along] < row_group ? extents[along] : row_group;
  std::ptrdiff_t const group = most * longest <= row_group_elements ? most : row_group_elements / longest + 1;
  std::ptrdiff_t const grain = rows * longest <= parallel_grain ? rows : parallel_grain / 2 / longest + 1;
  auto const room = [&] {
    auto const of = [&](auto const& from) {
      using row_room = tensor<typename std::remove_cvref_t<decltype(from)>::E, 1, scalar>;
      return from.strided() ? row_room(shape<1>{{group * from.pitch()}}, uninitialized) : row_room();
    };
    return std::tuple<tensor<typename S::E, 1, scalar>...>(of(source)...);
  };
  parallel_for(rows, grain, room, [&](std::ptrdiff_t begin, std::ptrdiff_t end, auto& scratch) {
    std::ptrdiff_t index[max_rank] = {};
    for (std::ptrdiff_t r = begin; r < end;) {
      std::ptrdiff_t left = r;
      for (int a = rank - 1; a >= 0; --a) {
        if (a == axis) continue;
        index[a] = left % extents[a];
        left /= extents[a];
      }
      std::ptrdiff_t count = group < end - r ? group : end - r;
      if (count > extents[along] - index[along]) count = extents[along] - index[along];
      (source.gather(index, along, count, std::get<I>(scratch).data()), ...);
      for (std::ptrdiff_t g = 0; g < count; ++g) f(source.at(index, along, g, std::get<I>(scratch).data())...);
      (source.finish(index, along, count, std::get<I>(scratch).data()), ...);
      r += count;
    }
  });
}

}  // namespace detail

template <class D, class F, class First, class... Rest>
  requires is_host<D>
void for_each_row(D, int axis, F const& f, First const& first, Rest const&... rest) {
  constexpr int R = First::rank;
  static_assert(((Rest::rank == R) && ...),
                "limbic: for_each_row: all operands have the same rank (unsqueeze the others)");
  axis = normalize_axis("for_each_row", axis, R);
  auto const extents = detail::common_rows(axis, detail::as_rows(first, axis), detail::as_rows(rest, axis)...);
  detail::for_each_row_host(f, extents.extents, R, axis, std::make_index_sequence<1 + sizeof...(Rest)>(),
                            detail::as_rows(first, axis), detail::as_rows(rest, axis)...);
}

LIMBIC_END
