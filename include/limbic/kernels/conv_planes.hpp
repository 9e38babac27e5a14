// limbic/kernels/conv_planes.hpp - correlation where each group has one channel (depthwise): packs of neighbouring results
//
// A matrix product would have a row or two. Instead a plane of x is copied with zeros around it, and four rows of results
// at a time stay in registers while the taps go by. The kernel's gradient keeps a pack of sums for each tap.
#pragma once

#include <limbic/kernels/conv_reader.hpp>

LIMBIC_BEGIN

namespace detail {

// Whether packs of neighbouring results are worth computing where they stand.
template <class D, class T> bool takes_depthwise(conv_taps const& taps, conv_geometry const& g) {
  return kernel_lanes<D, T>::width > 1 && taps.channels == 1 && g.groups > 1 && g.stride[1] == 1;
}

// One plane of results, P x Q, four rows at a time. Where later rows overwrite it, a pack may reach beyond its row.
template <class D, class T>
void correlate_plane(view<T, 2, D> y, bool add, conv_reader<D, T> const& x, T const* w, conv_taps const& taps) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  std::ptrdiff_t const height = y.extent(0), width = y.extent(1), step = y.stride(1);
  bool const spills = !add && step == 1 && width < L::width && y.stride(0) == width;
  auto const put = [&](std::ptrdiff_t p, std::ptrdiff_t q, V v) {
    T* const at = y.data() + p * y.stride(0) + q * step;
    if (step == 1 && (q + L::width <= width || (spills && p * width + L::width <= height * width)))
      return L::store(at, add ? L::load(at) + v : v);
    T part[L::width];
    L::store(part, v);
    for (std::ptrdiff_t l = 0; l < L::width && q + l < width; ++l)
      at[l * step] = add ? at[l * step] + part[l] : part[l];
  };
  auto const some_rows = [&](auto count, std::ptrdiff_t p) {
    constexpr std::ptrdiff_t R = decltype(count)::value;
    for (std::ptrdiff_t q = 0; q < width; q += L::width) {
      V sums[R];
      for (V& s : sums) s = V(0);
      T const *tap = w, *line = x.first() + p * x.row_step() + q;
      for (std::ptrdiff_t i = 0; i < taps.rows; ++i, line += x.tap_row_step()) {
        T const* from = line;
        for (std::ptrdiff_t j = 0; j < taps.columns; ++j, ++tap, from += x.tap_step()) {
          V const t = math::broadcast<V>(*tap);
          LIMBIC_UNROLL
          for (std::ptrdiff_t r = 0; r < R; ++r) sums[r] = math::fma(t, L::load(from + r * x.row_step()), sums[r]);
        }
      }
      for (std::ptrdiff_t r = 0; r < R; ++r) put(p + r, q, sums[r]);
    }
  };
  std::ptrdiff_t p = 0;
  for (; p + 4 <= height; p += 4) some_rows(std::integral_constant<std::ptrdiff_t, 4>(), p);
  for (; p < height; ++p) some_rows(std::integral_constant<std::ptrdiff_t, 1>(), p);
}

// y (N, G R, P, Q) from x (N, G, H, W) and w (G, R, taps).
template <class D, class T>
void correlate_planes(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 3, D> w, conv_taps const& taps,
                      conv_geometry const& g) {
  std::ptrdiff_t const rows = w.extent(1), planes = x.extent(0) * g.groups;
  conv_reader<D, T> const layout(taps, g, shape<2>{{y.to.extent(2), y.to.extent(3)}}, x, false);
  auto const make = [&] { return tensor<T, 1, D>(shape<1>{{layout.room(1, 1)}}, uninitialized); };
  auto const piece = [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    for (std::ptrdiff_t plane = begin; plane < end; ++plane) {
      std::ptrdiff_t const n = plane / g.groups, group = plane % g.groups;
      reader.read(x.slice(0, n, n + 1).slice(1, group, group + 1), room.data());
      for (std::ptrdiff_t r = 0; r < rows; ++r)
        correlate_plane<D, T>(y.to[n][group * rows + r], y.add, reader, w.data() + (group * rows + r) * taps.count(),
                              taps);
    }
  };
  parallel_for(planes, conv_grain(planes, y.to.size() * taps.count()), make, piece);
}

// sums[k] += dy times what tap k reads, a pack for each tap; four taps at a time. dy has whole packs in its rows, zeros last.
template <class D, class T>
void add_plane_products(T* sums, view<T const, 2, D> dy, conv_reader<D, T> const& x, conv_taps const& taps) {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  auto const some_taps = [&](auto count, std::ptrdiff_t k) {
    constexpr std::ptrdiff_t K = decltype(count)::value;
    V all[K];
    T const* read[K];
    for (std::ptrdiff_t i = 0; i < K; ++i) {
      all[i] = L::load(sums + (k + i) * L::width);
      read[i] = x.first() + (k + i) / taps.columns * x.tap_row_step() + (k + i) % taps.columns * x.tap_step();
    }
    for (std::ptrdiff_t p = 0; p < dy.extent(0); ++p) {
      T const* const row = dy.data() + p * dy.stride(0);
      for (std::ptrdiff_t q = 0; q < dy.extent(1); q += L::width) {
        V const slope = L::load(row + q);
        LIMBIC_UNROLL
        for (std::ptrdiff_t i = 0; i < K; ++i) all[i] = math::fma(slope, L::load(read[i] + q), all[i]);
      }
      for (T const*& at : read) at += x.row_step();
    }
    for (std::ptrdiff_t i = 0; i < K; ++i) L::store(sums + (k + i) * L::width, all[i]);
  };
  std::ptrdiff_t k = 0;
  for (; k + 4 <= taps.count(); k += 4) some_taps(std::integral_constant<std::ptrdiff_t, 4>(), k);
  for (; k < taps.count(); ++k) some_taps(std::integral_constant<std::ptrdiff_t, 1>(), k);
}

// dw (G R, 1, kh, kw), image after image.
template <class D, class T>
void correlate_plane_weights(sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy, conv_geometry const& g) {
  using L = kernel_lanes<D, T>;
  conv_taps const taps{1, dw.to.extent(2), dw.to.extent(3)};
  std::ptrdiff_t const depth = taps.count(), rows = dy.extent(1) / g.groups;
  conv_reader<D, T> const layout(taps, g, shape<2>{{dy.extent(2), dy.extent(3)}}, x, false);
  std::ptrdiff_t const height = dy.extent(2), width = dy.extent(3), line = (width + L::width - 1) / L::width * L::width;
  std::ptrdiff_t const gradient_room = height * line, sums_room = rows * depth * L::width;
  auto const make = [&] { return tensor<T, 1, D>(shape<1>{{gradient_room + sums_room + layout.room(1, 1)}}, T(0)); };
  auto const piece = [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    view<T, 2, D> const gradient(room.data(), shape<2>{{height, line}});
    T* const sums = room.data() + gradient_room;
    T* const copied = sums + sums_room;
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      for (std::ptrdiff_t i = 0; i < sums_room; ++i) sums[i] = T(0);
      for (std::ptrdiff_t n = 0; n < x.extent(0); ++n) {
        reader.read(x.slice(0, n, n + 1).slice(1, group, group + 1), copied);
        for (std::ptrdiff_t r = 0; r < rows; ++r) {
          view<T const, 2, D> const from = dy[n][group * rows + r];
          for (std::ptrdiff_t p = 0; p < height; ++p)
            copy_row<D>(gradient.data() + p * line, from.data() + p * from.stride(0), from.stride(1), width);
          add_plane_products<D, T>(sums + r * depth * L::width, gradient, reader, taps);
        }
      }
      for (std::ptrdiff_t r = 0; r < rows * depth; ++r) {
        T& to = dw.to(group * rows + r / depth, 0, r % depth / taps.columns, r % taps.columns);
        T const v = math::reduce_add(L::load(sums + r * L::width));
        to = dw.add ? to + v : v;
      }
    }
  };
  parallel_for(g.groups, conv_grain(g.groups, dy.size() * depth), make, piece);
}

}  // namespace detail

LIMBIC_END
