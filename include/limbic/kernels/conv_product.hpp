// limbic/kernels/conv_product.hpp - correlation as a matrix product whose right operand is never there as a whole
//
// See conv.hpp. A tile of pixels, of several images where they are small, is gathered, 128 taps at a time, into the panels
// that gemm's micro-kernel reads.
#pragma once

#include <limbic/kernels/conv_planes.hpp>

LIMBIC_BEGIN

namespace detail {

// How many images share the tiles of pixels: as many as fill one.
inline std::ptrdiff_t images_of_strip(std::ptrdiff_t images, std::ptrdiff_t pixels) {
  std::ptrdiff_t const some = pixels > 0 && pixels < gemm_columns ? gemm_columns / pixels : 1;
  return some < images ? some : images;
}

// How many tiles one piece of work takes: those of whole strips of images, while there are enough for the threads. No
// element's bits depend on it.
inline std::ptrdiff_t tile_grain(std::ptrdiff_t strips, std::ptrdiff_t tiles, std::ptrdiff_t work) {
  std::ptrdiff_t const some = conv_grain(strips, work);
  return some == strips || strips >= 4 * threads() * some ? tiles * some : 1;
}

// y (N, G R, P, Q) from x (N, G C, H, W) and w (G, R, taps), contiguous.
template <class D, class T>
void correlate(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 3, D> w, conv_taps taps, conv_geometry const& g) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t M = L::rows, cache_line = static_cast<std::ptrdiff_t>(64 / sizeof(T));
  shape<2> const pixels{{y.to.extent(2), y.to.extent(3)}};
  std::ptrdiff_t const rows = w.extent(1), depth = taps.count(), images = x.extent(0);
  if (images * rows * pixels.size() == 0) return;
  if constexpr (L::width > 1)
    if (takes_depthwise<D, T>(taps, g)) return correlate_planes<D, T>(y, x, w, taps, g);
  std::ptrdiff_t const strip = images_of_strip(images, pixels.size()), n = strip * pixels.size();
  std::ptrdiff_t const strips = (images + strip - 1) / strip * g.groups;
  conv_reader<D, T> const layout(taps, g, pixels, x);
  std::ptrdiff_t const width = panel_width<D, T>(n), panels = (n + width - 1) / width;
  std::ptrdiff_t const most = gemm_columns / width, tiles = (panels + most - 1) / most,
                       per_tile = (panels + tiles - 1) / tiles;
  std::ptrdiff_t const line = gemm_depth + cache_line, deepest = depth < gemm_depth ? depth : gemm_depth;
  bool const flat = y.to.stride(3) == 1 && (y.to.stride(2) == pixels[1] || pixels[0] == 1), direct = flat && strip == 1;
  bool const pack_w = depth >= 8 * cache_line && rows >= 4 * M;

  std::ptrdiff_t const grain = tile_grain(strips, tiles, images * g.groups * rows * pixels.size() * depth);
  std::ptrdiff_t const image_room = layout.room(strip, taps.channels),
                       panel_room = per_tile * deepest * width + layout.slack, w_room = pack_w ? gemm_rows * line : 0,
                       tile_room = direct ? 0 : rows * per_tile * width;
  auto const make = [&] {
    return tensor<T, 1, D>(shape<1>{{image_room + panel_room + w_room + tile_room}}, uninitialized);
  };
  parallel_for(strips * tiles, grain, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    T* const copied = room.data();
    T* const gathered = copied + image_room;
    T* const packed = gathered + panel_room;
    T* const tile = packed + w_room;
    std::ptrdiff_t here = -1;  // the strip and group that the reader reads
    for (std::ptrdiff_t item = begin; item < end; ++item) {
      std::ptrdiff_t const at = item / tiles, group = at % g.groups, first = at / g.groups * strip;
      std::ptrdiff_t const after = first + strip < images ? first + strip : images,
                           count = (after - first) * pixels.size();
      std::ptrdiff_t const j0 = item % tiles * per_tile * width,
                           j1 = j0 + per_tile * width < count ? j0 + per_tile * width : count;
      if (here != at) {
        here = at;
        reader.read(x.slice(0, first, after).slice(1, group * taps.channels, (group + 1) * taps.channels), copied);
      }
      view<T, 4, D> const result = y.to.slice(0, first, after).slice(1, group * rows, (group + 1) * rows);
      T* const c = direct ? result.data() + j0 : tile;
      std::ptrdiff_t const ldc = direct ? result.stride(1) : per_tile * width;
      for (std::ptrdiff_t k0 = 0; k0 < depth; k0 += gemm_depth) {
        std::ptrdiff_t const k1 = k0 + gemm_depth < depth ? k0 + gemm_depth : depth;
        T* panel = gathered;
        for (std::ptrdiff_t j = j0; j < j1; j += width, panel += deepest * width) {
          pixel_run runs[gemm_columns];
          std::ptrdiff_t const found = reader.find_runs(j, j + width < j1 ? j + width : j1, runs);
          reader.gather(k0, k1, runs, found, panel, width);
        }
        for (std::ptrdiff_t i0 = 0; i0 < rows; i0 += gemm_rows) {
          std::ptrdiff_t const m = rows - i0 < gemm_rows ? rows - i0 : gemm_rows;
          left_rows<T> left{w[group].data() + i0 * depth + k0, depth, 1, M * depth};
          if (pack_w) left = pack_rows<D>(left, m, k1 - k0, line, packed);
          panel = gathered;
          for (std::ptrdiff_t j = j0; j < j1; j += width, panel += deepest * width) {
            std::ptrdiff_t const columns = j1 - j < width ? j1 - j : width;
            rows_kernel<D, T>(columns)(m, k1 - k0, left, panel, width, c + i0 * ldc + (j - j0), ldc, columns,
                                       (direct && y.add) || k0 > 0);
          }
        }
      }
      if (direct) continue;
      for (std::ptrdiff_t j = j0; j < j1;) {  // image by image, row by row where they do not follow one another
        std::ptrdiff_t const p = j % pixels.size(), left = flat ? pixels.size() - p : pixels[1] - p % pixels[1];
        std::ptrdiff_t const some = left < j1 - j ? left : j1 - j, step = result.stride(3);
        T* to = &result(j / pixels.size(), 0, p / pixels[1], p % pixels[1]);
        T const* from = tile + (j - j0);
        for (std::ptrdiff_t o = 0; o < rows; ++o, to += result.stride(1), from += ldc)
          for (std::ptrdiff_t i = 0; i < some; ++i) to[i * step] = y.add ? to[i * step] + from[i] : from[i];
        j += some;
      }
    }
  });
}

// dw (G R, C, kh, kw) from x and dy. Its transpose is computed: taps are the rows, which pixels of x are gathered for, and
// dy, packed once, the right operand.
template <class D, class T>
void correlate_weights(sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy, conv_geometry const& g) {
  using L = kernel_lanes<D, T>;
  constexpr std::ptrdiff_t M = L::rows, cache_line = static_cast<std::ptrdiff_t>(64 / sizeof(T));
  conv_taps const taps{dw.to.extent(1), dw.to.extent(2), dw.to.extent(3)};
  if constexpr (L::width > 1)
    if (takes_depthwise<D, T>(taps, g)) return correlate_plane_weights<D, T>(dw, x, dy, g);
  shape<2> const pixels{{dy.extent(2), dy.extent(3)}};
  std::ptrdiff_t const columns = dy.extent(1) / g.groups, rows = taps.count(), images = x.extent(0);
  std::ptrdiff_t const strip = images_of_strip(images, pixels.size()), depth = strip * pixels.size();
  std::ptrdiff_t const strips = (images + strip - 1) / strip;
  conv_reader<D, T> const layout(taps, g, pixels, x);
  std::ptrdiff_t const width = panel_width<D, T>(columns), panels = (columns + width - 1) / width;
  std::ptrdiff_t const packed_strip = panels * width * depth;
  bool const small = images * g.groups * rows * columns * pixels.size() < (1 << 20);

  tensor<T, 4, D> flat;  // dy with the pixels of a channel one after another
  if (!(dy.stride(3) == 1 && (dy.stride(2) == pixels[1] || pixels[0] == 1))) flat = tensor<T, 4, D>(dy);
  view<T const, 4, D> const from = flat.size() > 0 ? as_view(flat) : dy;
  tensor<T, 1, D> packed(shape<1>{{strips * g.groups * packed_strip}}, uninitialized);
  std::ptrdiff_t const packs = images * g.groups;
  parallel_for(packs, small ? packs : 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t at = begin; at < end; ++at) {
      std::ptrdiff_t const n = at / g.groups, group = at % g.groups;
      view<T const, 2, D> const right(from[n].data() + group * columns * from.stride(1),
                                      shape<2>{{pixels.size(), columns}}, shape<2>{{1, from.stride(1)}});
      T* const to = packed.data() + (n / strip * g.groups + group) * packed_strip + n % strip * pixels.size() * width;
      for (std::ptrdiff_t p = 0; p < panels; ++p) pack_panel<D, T>(right, p * width, width, to + p * depth * width);
    }
  });

  std::ptrdiff_t const blocks = (rows + gemm_rows - 1) / gemm_rows, items = blocks * g.groups;
  std::ptrdiff_t const line = gemm_depth + cache_line, each = taps.rows * taps.columns;
  std::ptrdiff_t const image_room = layout.room(strip, gemm_rows / each + 2),
                       left_room = gemm_rows * line + layout.slack;
  auto const make = [&] {
    return tensor<T, 1, D>(shape<1>{{image_room + left_room + gemm_rows * columns}}, uninitialized);
  };
  parallel_for(items, small ? items : 1, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& room) {
    conv_reader<D, T> reader = layout;
    T* const copied = room.data();
    T* const gathered = copied + image_room;
    T* const sums = gathered + left_room;
    for (std::ptrdiff_t item = begin; item < end; ++item) {
      std::ptrdiff_t const group = item / blocks, i0 = item % blocks * gemm_rows,
                           i1 = i0 + gemm_rows < rows ? i0 + gemm_rows : rows;
      std::ptrdiff_t const c0 = i0 / each, c1 = (i1 + each - 1) / each, first = group * taps.channels;
      for (std::ptrdiff_t s = 0; s < strips; ++s) {
        std::ptrdiff_t const after = (s + 1) * strip < images ? (s + 1) * strip : images;
        std::ptrdiff_t const count = (after - s * strip) * pixels.size();
        reader.read(x.slice(0, s * strip, after).slice(1, first + c0, first + c1), copied);
        T const* const right = packed.data() + (s * g.groups + group) * packed_strip;
        for (std::ptrdiff_t k0 = 0; k0 < count; k0 += gemm_depth) {
          std::ptrdiff_t const k1 = k0 + gemm_depth < count ? k0 + gemm_depth : count;
          pixel_run runs[gemm_depth];
          std::ptrdiff_t const found = reader.find_runs(k0, k1, runs);
          reader.gather(i0 - c0 * each, i1 - c0 * each, runs, found, gathered, line);
          for (std::ptrdiff_t p = 0; p < panels; ++p) {
            std::ptrdiff_t const some = columns - p * width < width ? columns - p * width : width;
            rows_kernel<D, T>(some)(i1 - i0, k1 - k0, left_rows<T>{gathered, line, 1, M * line},
                                    right + (p * depth + k0) * width, width, sums + p * width, columns, some,
                                    s > 0 || k0 > 0);
          }
        }
      }
      for (std::ptrdiff_t o = 0; o < columns; ++o)
        for (std::ptrdiff_t k = i0; k < i1; ++k) {
          T& to = dw.to(group * columns + o, k / each, k / taps.columns % taps.rows, k % taps.columns);
          T const v = sums[(k - i0) * columns + o];
          to = dw.add ? to + v : v;
        }
    }
  });
}

}  // namespace detail

LIMBIC_END
