// limbic/kernels/pool.hpp - the greatest element, or the sum, of windows that move over images; and back
//
//   max_pool(D, y, index, x, g)             y: the greatest element of each window; index: at which tap it stands (null: not asked)
//   max_pool_gradient(D, dx, dy, index, g)  dx: each dy at the element that its window chose
//   sum_pool(D, y, x, g)                    y: the sum of each window, zeros beyond the image
//   sum_pool_gradient(D, dx, dy, g)         dx: the sum of the dy of all windows that an element lies in
//
// x (N, C, H, W), y (N, C, P, Q); tap (i, j) of a window has the number i kw + j, as a number of x's type. A tap beyond the
// image is never the greatest; a window without any tap inside is -inf. Of equal elements the first is chosen, in rows from
// left to right; the first NaN is greater than all.
//
// On a CPU a plane at a time is copied such that what a tap reads for all windows lies in one line (class pool_plane):
// pooling is then a SIMD loop for each tap, over data that stays in the cache: 64 x 64 planes of 28 x 28, windows of 2 x 2,
// in 2 ms instead of the 11 of strided views. Other devices take these, a tap at a time. Few large windows, and those whose
// extents differ (adaptive pooling), are folded one by one on every device.
#pragma once

#include <limbic/backend/row.hpp>

LIMBIC_BEGIN

// The part of a window that lies inside of its axis.
struct pool_span {
  std::ptrdiff_t first, count, tap;  // the first element, how many, the number of the first one's tap
};

// How windows lie along one axis.
struct pool_axis {
  std::ptrdiff_t in = 1, out = 1;  // elements, windows
  std::ptrdiff_t kernel = 1;       // taps of a window; adaptive: no fewer than the longest has
  std::ptrdiff_t stride = 1;       // elements from one window to the next
  std::ptrdiff_t padding = 0;      // before the first element
  std::ptrdiff_t dilation = 1;     // elements from one tap to the next
  bool adaptive = false;           // window p goes from floor(p in / out) to ceil((p + 1) in / out)

  // Elements from a window's first tap to its last, both counted.
  std::ptrdiff_t reach() const { return dilation * (kernel - 1) + 1; }
  // The taps of window p that lie inside.
  pool_span span(std::ptrdiff_t p) const {
    if (adaptive) {
      std::ptrdiff_t const first = p * in / out;
      return {first, ((p + 1) * in + out - 1) / out - first, 0};
    }
    std::ptrdiff_t const start = p * stride - padding, tap = start < 0 ? (-start + dilation - 1) / dilation : 0;
    std::ptrdiff_t const inside = start < in ? (in - start + dilation - 1) / dilation : 0;
    std::ptrdiff_t const end = inside < kernel ? inside : kernel;
    return {start + tap * dilation, end > tap ? end - tap : 0, tap};
  }
  // The element that tap i of window p reads, inside or not.
  std::ptrdiff_t element(std::ptrdiff_t p, std::ptrdiff_t i) const {
    return adaptive ? p * in / out + i : p * stride - padding + i * dilation;
  }
};

// How windows lie over an image.
struct pool_geometry {
  pool_axis rows, columns;  // along the height, and along the width

  // Whether windows are folded one by one: more taps than windows.
  bool by_windows() const {
    return rows.adaptive || columns.adaptive || rows.kernel * columns.kernel > rows.out * columns.out;
  }
};

namespace detail {

template <class V> inline V pool_lowest() { return math::constant<V>(-std::numeric_limits<double>::infinity()); }

// Keeps the greater of two, the first one where they are equal; a NaN that is there stays.
struct pool_greater {
  template <class V> constexpr V operator()(V best, V x) const {
    return math::select(math::either(x > best, math::both(math::isnan(x), math::no(math::isnan(best)))), x, best);
  }
};
// The same, and the number of the tap.
struct pool_choose {
  double tap;
  template <class V> constexpr results<V, 2> operator()(V best, V at, V x) const {
    auto const better = math::either(x > best, math::both(math::isnan(x), math::no(math::isnan(best))));
    return {{math::select(better, x, best), math::select(better, math::constant<V>(tap), at)}};
  }
};
// dy where this tap was chosen.
struct pool_return {
  double tap;
  template <class V> constexpr V operator()(V at, V dy) const {
    return math::select(at == math::constant<V>(tap), dy, V(0));
  }
};

// The number of each window's first tap inside, -1 where there is none.
template <class T> tensor<T, 2, scalar> pool_first_taps(pool_geometry const& g) {
  tensor<T, 2, scalar> first(shape<2>{{g.rows.out, g.columns.out}}, uninitialized);
  for (std::ptrdiff_t p = 0; p < g.rows.out; ++p)
    for (std::ptrdiff_t q = 0; q < g.columns.out; ++q) {
      pool_span const r = g.rows.span(p), c = g.columns.span(q);
      std::ptrdiff_t const tap = r.count > 0 && c.count > 0 ? r.tap * g.columns.kernel + c.tap : -1;
      first(p, q) = math::constant<T>(static_cast<double>(tap));
    }
  return first;
}

// A host table where a device can read it.
template <class D, class T, int R> tensor<T, R, D> pool_table(tensor<T, R, scalar> const& from) {
  tensor<T, R, D> to(from.shape(), uninitialized);
  copy_elements(D{}, to.data(), from.data(), from.size());
  return to;
}

// ---- one window at a time ------------------------------------------------------------------------------------------

// f(cell, what the window reads of x, its rows, its columns), for every window that has elements; cell(v) is the window's
// place in v.
template <class X, class F> void pool_each_window(X const& x, pool_geometry const& g, F const& f) {
  auto const reads = [](auto const& v, int axis, pool_span const& s, std::ptrdiff_t step) {
    return v.slice(axis, s.first, s.first + (s.count - 1) * step + 1, step);
  };
  for (std::ptrdiff_t p = 0; p < g.rows.out; ++p)
    for (std::ptrdiff_t q = 0; q < g.columns.out; ++q) {
      pool_span const r = g.rows.span(p), c = g.columns.span(q);
      if (r.count < 1 || c.count < 1) continue;
      auto const cell = [&](auto const& v) { return v.slice(2, p, p + 1).slice(3, q, q + 1); };
      f(cell, reads(reads(x, 2, r, g.rows.dilation), 3, c, g.columns.dilation), r, c);
    }
}

// Which taps the elements of a window are, when these follow one another in one row.
struct pool_taps {
  std::ptrdiff_t columns, kernel, row, column;  // elements and taps of a line of the window; the first element's tap
  constexpr std::ptrdiff_t tap_of(std::ptrdiff_t element) const {
    return (row + element / columns) * kernel + column + element % columns;
  }
  constexpr std::ptrdiff_t element_of(std::ptrdiff_t tap) const {
    return (tap / kernel - row) * columns + tap % kernel - column;
  }
};
template <class T> constexpr std::ptrdiff_t pool_tap_number(T at) {
  if constexpr (is_dual<T>) return static_cast<std::ptrdiff_t>(at.value);
  else return static_cast<std::ptrdiff_t>(at);
}
struct pool_choose_row {
  pool_taps taps;
  constexpr void operator()(auto x, auto y, auto at) const {
    using T = typename decltype(y)::value_type;
    auto const i = argmax(x);
    y.put(0, x[i]);
    if (at) at.put(0, math::constant<T>(static_cast<double>(taps.tap_of(i))));
  }
};
struct pool_return_row {
  pool_taps taps;
  constexpr void operator()(auto at, auto dy, auto dx) const {
    using T = typename decltype(dx)::value_type;
    place(dx, taps.element_of(pool_tap_number(at[0])), static_cast<T>(dy[0]));
  }
};

// (N, C, 1, 1) as one number for each row of (N, C, h w).
template <class T, class D> view<T, 3, D> pool_number(view<T, 4, D> const& v) {
  return {v.data(), shape<3>{{v.extent(0), v.extent(1), 1}}, shape<3>{{v.stride(0), v.stride(1), 1}}};
}
// (N, C, h, w) as (N, C, h w).
template <class T, class D> view<T, 3, D> pool_line(tensor<T, 4, D>& t) {
  return t.view().reshape(shape<3>{{t.extent(0), t.extent(1), t.extent(2) * t.extent(3)}});
}

// ---- one plane at a time, on a CPU -----------------------------------------------------------------------------------

// A plane, padded, its rows sorted by their residue modulo the stride. What a tap reads for all windows is then one line:
// `pitch` elements for each row of windows, of which every stride-th is one. Those between cost less than gathering would.
template <class D, class T> class pool_plane {
 public:
  explicit pool_plane(pool_geometry const& g)
      : g_(g),
        residues_(g.rows.stride < g.rows.reach() ? g.rows.stride : g.rows.reach()),
        lines_(g.rows.out + (g.rows.reach() - 1) / g.rows.stride),
        pitch_((g.columns.out - 1) * g.columns.stride + g.columns.reach()),
        room_(shape<1>{{residues_ * lines_ * pitch_}}, uninitialized) {}
  // Elements of a line that holds all windows, from the first to the last.
  std::ptrdiff_t length() const { return (g_.rows.out - 1) * pitch_ + (g_.columns.out - 1) * g_.columns.stride + 1; }
  std::ptrdiff_t taps() const { return g_.rows.kernel * g_.columns.kernel; }
  // What this tap reads, for all windows.
  T* tap(std::ptrdiff_t number) {
    std::ptrdiff_t const i = number / g_.columns.kernel * g_.rows.dilation;
    return room_.data() + (i % g_.rows.stride * lines_ + i / g_.rows.stride) * pitch_ +
           number % g_.columns.kernel * g_.columns.dilation;
  }
  void gather(view<T const, 2, D> const& x, T border) {
    each_line([&](T* to, std::ptrdiff_t h, std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t c = 0; c < begin; ++c) to[c] = border;
      for (std::ptrdiff_t c = end; c < pitch_; ++c) to[c] = border;
      if (begin >= end) return;
      T const* const from = x.data() + h * x.stride(0) + (begin - g_.columns.padding) * x.stride(1);
      if (x.stride(1) == 1) copy_elements(scalar{}, to + begin, from, end - begin);
      else gather_line(to + begin, from, end - begin, x.stride(1));
    });
  }
  void clear() { fill_elements(scalar{}, room_.data(), room_.size(), T(0)); }
  // What the taps have brought together, to where they read.
  void scatter(sink<T, 2, D> const& dx) {
    view<T, 2, D> const& to = dx.to;
    bool const whole = residues_ == g_.rows.stride && lines_ * g_.rows.stride >= g_.rows.padding + g_.rows.in &&
                       pitch_ >= g_.columns.padding + g_.columns.in;
    if (!dx.add && !whole) fill(D{}, to, T(0));
    each_line([&](T const* from, std::ptrdiff_t h, std::ptrdiff_t begin, std::ptrdiff_t end) {
      if (begin >= end) return;
      T* const at = to.data() + h * to.stride(0) + (begin - g_.columns.padding) * to.stride(1);
      if (!dx.add && to.stride(1) == 1) copy_elements(scalar{}, at, from + begin, end - begin);
      else
        for (std::ptrdiff_t c = 0; c < end - begin; ++c) {
          T& e = at[c * to.stride(1)];
          e = dx.add ? e + from[begin + c] : from[begin + c];
        }
    });
  }
  // (P, Q) to a line, with `between` where no window is; and back.
  void spread(T* line, view<T const, 2, D> const& y, T between) const {
    fill_elements(scalar{}, line, length(), between);
    for (std::ptrdiff_t p = 0; p < g_.rows.out; ++p)
      for (std::ptrdiff_t q = 0; q < g_.columns.out; ++q)
        line[p * pitch_ + q * g_.columns.stride] = y.data()[p * y.stride(0) + q * y.stride(1)];
  }
  void collect(view<T, 2, D> const& y, T const* line) const {
    for (std::ptrdiff_t p = 0; p < g_.rows.out; ++p)
      for (std::ptrdiff_t q = 0; q < g_.columns.out; ++q)
        y.data()[p * y.stride(0) + q * y.stride(1)] = line[p * pitch_ + q * g_.columns.stride];
  }

 private:
  // f(line, the plane's row that it holds, its elements from begin to end that lie inside); lines outside have none.
  template <class F> void each_line(F const& f) {
    std::ptrdiff_t const begin = g_.columns.padding < pitch_ ? g_.columns.padding : pitch_;
    std::ptrdiff_t const last = g_.columns.padding + g_.columns.in, end = last < pitch_ ? last : pitch_;
    for (std::ptrdiff_t a = 0; a < residues_; ++a)
      for (std::ptrdiff_t l = 0; l < lines_; ++l) {
        std::ptrdiff_t const h = l * g_.rows.stride + a - g_.rows.padding;
        bool const inside = h >= 0 && h < g_.rows.in;
        f(room_.data() + (a * lines_ + l) * pitch_, h, inside ? begin : pitch_, inside ? end : pitch_);
      }
  }

  pool_geometry g_;
  std::ptrdiff_t residues_, lines_, pitch_;
  tensor<T, 1, scalar> room_;
};

// f(plane, room for so many lines of windows, image, channel) for every plane; pieces share no memory.
template <class D, class T, class F>
void pool_each_plane(std::ptrdiff_t images, std::ptrdiff_t channels, pool_geometry const& g, int lines, F const& f) {
  std::ptrdiff_t const work = g.rows.in * g.columns.in + g.rows.out * g.columns.out * g.rows.kernel * g.columns.kernel;
  std::ptrdiff_t const planes = images * channels;
  std::ptrdiff_t const grain = planes * work <= parallel_grain ? planes : parallel_grain / 2 / work + 1;
  struct room {
    room(pool_geometry const& g, int lines) : plane(g), line(shape<1>{{lines * plane.length()}}, uninitialized) {}
    pool_plane<D, T> plane;
    tensor<T, 1, scalar> line;
  };
  auto const make = [&] { return room(g, lines); };
  parallel_for(planes, grain, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, room& in) {
    for (std::ptrdiff_t i = begin; i < end; ++i) f(in.plane, in.line.data(), i / channels, i % channels);
  });
}

// ---- one tap at a time, through the verbs ------------------------------------------------------------------------------

// f(windows, what the tap reads of x, its number), for every tap that some window has inside; windows(v) are these in v.
template <class X, class F> void pool_each_tap(X const& x, pool_geometry const& g, F const& f) {
  struct part {
    std::ptrdiff_t begin, end, first;  // windows, and the element that the first reads
  };
  auto const part_of = [](pool_axis const& a, std::ptrdiff_t i) {
    std::ptrdiff_t const before = a.padding - i * a.dilation, last = a.in - 1 + before;
    std::ptrdiff_t const begin = before > 0 ? (before + a.stride - 1) / a.stride : 0;
    std::ptrdiff_t const end = last < 0 ? 0 : last / a.stride + 1 < a.out ? last / a.stride + 1 : a.out;
    return part{begin, end, begin * a.stride - before};
  };
  for (std::ptrdiff_t i = 0; i < g.rows.kernel; ++i)
    for (std::ptrdiff_t j = 0; j < g.columns.kernel; ++j) {
      part const r = part_of(g.rows, i), c = part_of(g.columns, j);
      if (r.begin >= r.end || c.begin >= c.end) continue;
      auto const reads = [](auto const& v, int axis, part const& p, std::ptrdiff_t stride) {
        return v.slice(axis, p.first, p.first + (p.end - p.begin - 1) * stride + 1, stride);
      };
      auto const windows = [&](auto const& v) { return v.slice(2, r.begin, r.end).slice(3, c.begin, c.end); };
      f(windows, reads(reads(x, 2, r, g.rows.stride), 3, c, g.columns.stride), i * g.columns.kernel + j);
    }
}

template <class D, class T>
void max_pool_by_taps(D d, view<T, 4, D> y, view<T, 4, D> index, view<T const, 4, D> x, pool_geometry const& g) {
  fill(d, y, pool_lowest<T>());
  if (index) copy(d, index, pool_table<D>(pool_first_taps<T>(g)));
  pool_each_tap(x, g, [&](auto const& windows, auto const& from, std::ptrdiff_t tap) {
    auto const to = windows(y);
    if (!index) return map(d, to, pool_greater{}, to, from);
    auto const at = windows(index);
    map(d, outs(to, at), pool_choose{static_cast<double>(tap)}, to, at, from);
  });
}
template <class D, class T>
void max_pool_gradient_by_taps(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> index,
                               pool_geometry const& g) {
  if (!dx.add) fill(d, dx.to, T(0));
  pool_each_tap(dx.to, g, [&](auto const& windows, auto const& to, std::ptrdiff_t tap) {
    map(d, sink<T, 4, D>(to, true), pool_return{static_cast<double>(tap)}, windows(index), windows(dy));
  });
}
template <class D, class T>
void sum_pool_by_taps(D d, view<T, 4, D> y, view<T const, 4, D> x, pool_geometry const& g) {
  fill(d, y, T(0));
  pool_each_tap(x, g, [&](auto const& windows, auto const& from, std::ptrdiff_t) {
    copy(d, sink<T, 4, D>(windows(y), true), from);
  });
}
template <class D, class T>
void sum_pool_gradient_by_taps(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, pool_geometry const& g) {
  if (!dx.add) fill(d, dx.to, T(0));
  pool_each_tap(dx.to, g, [&](auto const& windows, auto const& to, std::ptrdiff_t) {
    copy(d, sink<T, 4, D>(to, true), windows(dy));
  });
}

}  // namespace detail

template <class D, class T>
void max_pool(D d, view<T, 4, D> y, view<T, 4, D> index, view<T const, 4, D> x, pool_geometry const& g) {
  using namespace detail;
  if (y.size() == 0) return;
  if (g.by_windows()) {
    fill(d, y, pool_lowest<T>());
    if (index) fill(d, index, T(-1));
    pool_each_window(x, g, [&](auto const& cell, auto const& window, pool_span const& r, pool_span const& c) {
      tensor<T, 4, D> together(window.shape(), uninitialized);
      copy(d, together, window);
      view<T const, 3, D> const elements = pool_line(together);
      for_each_row(d, 2, pool_choose_row{{c.count, g.columns.kernel, r.tap, c.tap}}, elements, pool_number(cell(y)),
                   pool_number(cell(index)));
    });
  } else if constexpr (is_host<D>) {
    auto const first = pool_first_taps<T>(g);
    pool_each_plane<D, T>(x.extent(0), x.extent(1), g, 2,
                          [&](auto& plane, T* room, std::ptrdiff_t n, std::ptrdiff_t c) {
                            std::ptrdiff_t const size = plane.length();
                            T* const to[] = {room, room + size};
                            bool const add[] = {false, false};
                            plane.gather(x[n][c], pool_lowest<T>());
                            fill_elements(scalar{}, to[0], size, pool_lowest<T>());
                            if (index) plane.spread(to[1], first.view().on(d), T(-1));
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              pool_choose const choose{static_cast<double>(k)};
                              pool_greater const greater{};
                              T const* const in[] = {to[0], index ? to[1] : plane.tap(k), plane.tap(k)};
                              if (index) line<D, pool_choose, T, 2, 3>(&choose, size, add, to, in);
                              else line<D, pool_greater, T, 1, 2>(&greater, size, add, to, in);
                            }
                            plane.collect(y[n][c], to[0]);
                            if (index) plane.collect(index[n][c], to[1]);
                          });
  } else {
    max_pool_by_taps(d, y, index, x, g);
  }
}

template <class D, class T>
void max_pool_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> index,
                       pool_geometry const& g) {
  using namespace detail;
  if (!dx || dx.shape().size() == 0) return;
  if (g.by_windows()) {
    if (!dx.add) fill(d, dx.to, T(0));
    pool_each_window(dx.to, g, [&](auto const& cell, auto const& window, pool_span const& r, pool_span const& c) {
      tensor<T, 4, D> together(window.shape(), uninitialized);
      for_each_row(d, 2, pool_return_row{{c.count, g.columns.kernel, r.tap, c.tap}}, pool_number(cell(index)),
                   pool_number(cell(dy)), pool_line(together));
      copy(d, sink<T, 4, D>(window, true), together);
    });
  } else if constexpr (is_host<D>) {
    pool_each_plane<D, T>(dy.extent(0), dy.extent(1), g, 2,
                          [&](auto& plane, T* room, std::ptrdiff_t n, std::ptrdiff_t c) {
                            std::ptrdiff_t const size = plane.length();
                            T const* const in[] = {room, room + size};
                            bool const add = true;
                            plane.spread(room, index[n][c], T(-1));
                            plane.spread(room + size, dy[n][c], T(0));
                            plane.clear();
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              pool_return const back{static_cast<double>(k)};
                              T* const to = plane.tap(k);
                              line<D, pool_return, T, 1, 2>(&back, size, &add, &to, in);
                            }
                            plane.scatter({dx.to[n][c], dx.add});
                          });
  } else {
    max_pool_gradient_by_taps(d, dx, dy, index, g);
  }
}

template <class D, class T> void sum_pool(D d, view<T, 4, D> y, view<T const, 4, D> x, pool_geometry const& g) {
  using namespace detail;
  if (y.size() == 0) return;
  if (g.by_windows()) {
    fill(d, y, T(0));
    pool_each_window(x, g, [&](auto const& cell, auto const& window, pool_span const&, pool_span const&) {
      reduce(d, cell(y), sum_of{}, window);
    });
  } else if constexpr (is_host<D>) {
    pool_each_plane<D, T>(x.extent(0), x.extent(1), g, 1,
                          [&](auto& plane, T* sums, std::ptrdiff_t n, std::ptrdiff_t c) {
                            plane.gather(x[n][c], T(0));
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              identity_function const itself{};
                              bool const add = k > 0;
                              T const* const in = plane.tap(k);
                              line<D, identity_function, T, 1, 1>(&itself, plane.length(), &add, &sums, &in);
                            }
                            plane.collect(y[n][c], sums);
                          });
  } else {
    sum_pool_by_taps(d, y, x, g);
  }
}

template <class D, class T>
void sum_pool_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, pool_geometry const& g) {
  using namespace detail;
  if (!dx || dx.shape().size() == 0) return;
  if (g.by_windows()) {
    if (!dx.add) fill(d, dx.to, T(0));
    pool_each_window(dx.to, g, [&](auto const& cell, auto const& window, pool_span const&, pool_span const&) {
      copy(d, sink<T, 4, D>(window, true), cell(dy));
    });
  } else if constexpr (is_host<D>) {
    pool_each_plane<D, T>(dy.extent(0), dy.extent(1), g, 1,
                          [&](auto& plane, T* shares, std::ptrdiff_t n, std::ptrdiff_t c) {
                            plane.spread(shares, dy[n][c], T(0));
                            plane.clear();
                            for (std::ptrdiff_t k = 0; k < plane.taps(); ++k) {
                              identity_function const itself{};
                              bool const add = true;
                              T* const to = plane.tap(k);
                              T const* const in = shares;
                              line<D, identity_function, T, 1, 1>(&itself, plane.length(), &add, &to, &in);
                            }
                            plane.scatter({dx.to[n][c], dx.add});
                          });
  } else {
    sum_pool_gradient_by_taps(d, dx, dy, g);
  }
}

LIMBIC_END
