// limbic/kernels/conv.hpp - images correlated with small kernels, and the two transposes of that, without an unfolded copy
//
//   y[n, o, p, q] = sum over c, i, j of  w[o, c, i, j] x[n, g C + c, s p + d i - a, s q + d j - a]      zeros beyond x
//
//   conv(D, y, x, w, geometry)                   the sum above
//   conv_input_gradient(D, dx, dy, w, geometry)  its transpose in x: dx from dy (also what a transposed convolution computes)
//   conv_weight_gradient(D, dw, x, dy, geometry) its transpose in w
//
// x (N, G C, H, W), w (O, C, kh, kw), y (N, O, P, Q); output channel o belongs to group g = o / (O / G); s, d and a are
// stride, dilation and padding of an axis. How many zeros follow at the far ends is what P and Q say. Results are sinks;
// operands may have any strides.
//
// On a CPU each is a matrix product whose right operand is never there as a whole: a tile of pixels, of several images where
// they are small, is gathered, 128 taps at a time, straight into the panels that gemm's micro-kernel reads (Chetlur et al. 2014, "cuDNN: efficient primitives for
// deep learning", did so on GPUs). The gradient of the input is the same product with the kernel turned round; with a
// stride, one product for each residue of the pixels modulo the stride, with the taps that meet it. Every element is
// one chain of multiply-adds in the order of (c, i, j) (weights: of the images and pixels) in blocks of 128, so its bits
// do not depend on the threads. Kernels of 3 x 3 between many channels take the shorter way of winograd.hpp; where a group has
// one channel, packs of neighbouring results are computed where they stand. Other devices unfold x and go through the verbs.
#pragma once

#include <limbic/kernels/winograd.hpp>

#include <numeric>

LIMBIC_BEGIN

// Rows first, then columns.
struct conv_geometry {
  shape<2> stride{{1, 1}};    // pixels of x from one result to the next
  shape<2> padding{{0, 0}};   // zeros before the first row and column
  shape<2> dilation{{1, 1}};  // pixels of x from one tap to the next
  std::ptrdiff_t groups = 1;  // of channels that do not see one another
};

namespace detail {

template <class X, class W, class Y>
void check_conv(std::string_view name, X const& x, W const& w, Y const& y, conv_geometry const& g) {
  for (int i = 0; i < 2; ++i)
    if (g.stride[i] < 1 || g.dilation[i] < 1 || w[2 + i] < 1)
      fail<argument_error>(name, "stride ", g.stride, ", dilation ", g.dilation, " and kernel ", w,
                           " must be at least 1");
  if (g.groups < 1 || w[1] < 1 || x[1] != g.groups * w[1] || w[0] % g.groups != 0)
    fail<shape_error>(name, "x ", x, " and weight ", w, " do not fit ", g.groups, " groups");
  if (y[0] != x[0] || y[1] != w[0])
    fail<shape_error>(name, "y ", y, " must have the images of x ", x, " and the rows of the weight ", w);
}

// The taps of a kernel: how many channels, rows and columns.
struct conv_taps {
  std::ptrdiff_t channels, rows, columns;
  std::ptrdiff_t count() const { return channels * rows * columns; }
};

// How many images share the tiles of pixels: as many as fill one.
inline std::ptrdiff_t images_of_strip(std::ptrdiff_t images, std::ptrdiff_t pixels) {
  std::ptrdiff_t const some = pixels > 0 && pixels < gemm_columns ? gemm_columns / pixels : 1;
  return some < images ? some : images;
}

// n elements that lie `step` apart, one after another.
template <class D, class T> void copy_row(T* to, T const* from, std::ptrdiff_t step, std::ptrdiff_t n) {
  using L = kernel_lanes<D, T>;
  std::ptrdiff_t i = 0;
  if (step == 1)
    for (; i + L::width <= n; i += L::width) L::store(to + i, L::load(from + i));
  for (; i < n; ++i) to[i] = from[i * step];
}

// Pixels that lie `stride` apart in an image, beside one another in a panel.
struct pixel_run {
  std::ptrdiff_t from, at, count;
};

// Gathers pixels of images: for each tap, those that it meets, one after another.
template <class D, class T> class conv_reader {
 public:
  conv_reader(conv_taps taps, conv_geometry const& g, shape<2> const& pixels, view<T const, 4, D> x,
              bool may_read_in_place = true)
      : taps_(taps), g_(g), pixels_(pixels) {
    for (int i = 0; i < 2; ++i)
      reach_[i] = g.stride[i] * (pixels[i] - 1) + g.dilation[i] * ((i == 0 ? taps.rows : taps.columns) - 1) + 1;
    // An image is read where it is if its rows follow one another as those of the result do.
    in_place_ = may_read_in_place && x.stride(3) == 1 && (x.stride(2) == pixels[1] || reach_[0] == 1) &&
                reach_[1] == pixels[1] && g.stride[1] == 1;
    for (int i = 0; i < 2; ++i)
      in_place_ = in_place_ && g.padding[i] <= 0 && reach_[i] - g.padding[i] <= x.extent(2 + i);
    channel_ = in_place_ ? x.stride(1) : reach_.size();
    row_ = in_place_ ? x.stride(2) : reach_[1];
  }
  // Elements that a copy of so many images and channels takes: none where images are read in place.
  std::ptrdiff_t room(std::ptrdiff_t images, std::ptrdiff_t channels) const {
    return in_place_ ? 0 : images * channels * reach_.size() + slack;
  }

  // Some images and channels of x, to be read from now on: in place, or from a copy with zeros around each.
  void read(view<T const, 4, D> x, T* copied) {
    if (in_place_) {
      data_ = x.data() - g_.padding[0] * x.stride(2) - g_.padding[1] * x.stride(3);
      image_ = x.stride(0);
      return;
    }
    data_ = copied;
    image_ = x.extent(1) * channel_;
    std::ptrdiff_t const height = x.extent(2), width = x.extent(3), left = clamp(g_.padding[1], reach_[1]);
    std::ptrdiff_t const right = clamp(g_.padding[1] + width, reach_[1]), step = x.stride(3);
    T* to = copied;
    for (std::ptrdiff_t c = 0; c < x.extent(0) * x.extent(1); ++c)
      for (std::ptrdiff_t r = 0; r < reach_[0]; ++r, to += reach_[1]) {
        std::ptrdiff_t const y = r - g_.padding[0];
        bool const outside = y < 0 || y >= height;
        T const* const from =
            outside ? nullptr
                    : x.data() + c / x.extent(1) * x.stride(0) + c % x.extent(1) * x.stride(1) + y * x.stride(2);
        std::ptrdiff_t const begin = outside ? reach_[1] : left, end = outside ? reach_[1] : right;
        for (std::ptrdiff_t i = 0; i < begin; ++i) to[i] = T(0);
        if (begin < end) copy_row<D>(to + begin, from + (begin - g_.padding[1]) * step, step, end - begin);
        for (std::ptrdiff_t i = end; i < reach_[1]; ++i) to[i] = T(0);
      }
    for (std::ptrdiff_t i = 0; i < slack; ++i) to[i] = T(0);
  }

  // The runs of pixels first .. last - 1 of the results, image after image, `runs` having room for as many.
  std::ptrdiff_t find_runs(std::ptrdiff_t first, std::ptrdiff_t last, pixel_run* runs) const {
    std::ptrdiff_t count = 0;
    for (std::ptrdiff_t p = first; p < last;) {
      std::ptrdiff_t const n = p / pixels_.size(), y = p % pixels_.size() / pixels_[1], x = p % pixels_[1];
      std::ptrdiff_t const some = pixels_[1] - x < last - p ? pixels_[1] - x : last - p;
      std::ptrdiff_t const from = n * image_ + y * g_.stride[0] * row_ + x * g_.stride[1];
      if (count > 0 && in_place_ && runs[count - 1].from + runs[count - 1].count == from) runs[count - 1].count += some;
      else runs[count++] = {from, p - first, some};
      p += some;
    }
    return count;
  }

  // Taps first .. last - 1 of the runs, `line` elements from one tap to the next. Up to `slack` elements are written
  // after the last one of each.
  void gather(std::ptrdiff_t first, std::ptrdiff_t last, pixel_run const* runs, std::ptrdiff_t count, T* to,
              std::ptrdiff_t line) const {
    using L = kernel_lanes<D, T>;
    std::ptrdiff_t j = first % taps_.columns, i = first / taps_.columns % taps_.rows,
                   c = first / (taps_.columns * taps_.rows);
    for (std::ptrdiff_t k = first; k < last; ++k, to += line) {
      T const* const from = data_ + c * channel_ + i * g_.dilation[0] * row_ + j * g_.dilation[1];
      for (pixel_run const* r = runs; r != runs + count; ++r) {
        T const* const pixel = from + r->from;
        T* const at = to + r->at;
        std::ptrdiff_t l = 0;
        if (g_.stride[1] == 1) {
          std::ptrdiff_t const whole = in_place_ ? r->count - L::width + 1 : r->count;
          for (; l < whole; l += L::width) L::store(at + l, L::load(pixel + l));
        }
        for (; l < r->count; ++l) at[l] = pixel[l * g_.stride[1]];
      }
      if (++j == taps_.columns) {
        j = 0;
        if (++i == taps_.rows) i = 0, ++c;
      }
    }
  }

  // Of the only channel of the only image: what the first tap reads for the first pixel, and how far it is from there to the
  // next row of results, row of taps, and tap.
  T const* first() const { return data_; }
  std::ptrdiff_t row_step() const { return g_.stride[0] * row_; }
  std::ptrdiff_t tap_row_step() const { return g_.dilation[0] * row_; }
  std::ptrdiff_t tap_step() const { return g_.dilation[1]; }

  // What packs read and write beyond the pixels that are asked for.
  static constexpr std::ptrdiff_t slack = kernel_lanes<D, T>::width;

 private:
  static std::ptrdiff_t clamp(std::ptrdiff_t v, std::ptrdiff_t top) { return v < 0 ? 0 : v > top ? top : v; }

  conv_taps taps_;
  conv_geometry g_;
  shape<2> pixels_, reach_;
  bool in_place_;
  T const* data_ = nullptr;
  std::ptrdiff_t image_ = 0, channel_, row_;  // from one image, channel, row to the next
};

// How many tiles one piece of work takes: all, where there is no million of multiply-adds in them; else those of whole
// strips of images, while there are enough for the threads, a quarter of a million at least. No element's bits depend on it.
inline std::ptrdiff_t conv_grain(std::ptrdiff_t strips, std::ptrdiff_t tiles, std::ptrdiff_t work) {
  if (work < (1 << 20)) return strips * tiles;
  std::ptrdiff_t const some = (1 << 18) / (work / strips + 1) + 1;
  return strips >= 4 * threads() * some ? tiles * some : 1;
}

// ---- one channel in a group (depthwise): too few rows for a matrix product -------------------------------------------

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
inline std::ptrdiff_t planes_grain(std::ptrdiff_t planes, std::ptrdiff_t work) {
  return work < (1 << 20) ? planes : (1 << 18) / (work / planes + 1) + 1;
}

// y (N, G R, P, Q) from x (N, G, H, W) and w (G, R, taps).
template <class D, class T>
void correlate_planes(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 3, D> w, conv_taps const& taps,
                      conv_geometry const& g) {
  std::ptrdiff_t const rows = w.extent(1), planes = x.extent(0) * g.groups;
  conv_reader<D, T> const layout(taps, g, shape<2>{{y.to.extent(2), y.to.extent(3)}}, x, false);
  auto const piece = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    conv_reader<D, T> reader = layout;
    tensor<T, 1, D> room(shape<1>{{reader.room(1, 1)}}, uninitialized);
    for (std::ptrdiff_t plane = begin; plane < end; ++plane) {
      std::ptrdiff_t const n = plane / g.groups, group = plane % g.groups;
      reader.read(x.slice(0, n, n + 1).slice(1, group, group + 1), room.data());
      for (std::ptrdiff_t r = 0; r < rows; ++r)
        correlate_plane<D, T>(y.to[n][group * rows + r], y.add, reader, w.data() + (group * rows + r) * taps.count(),
                              taps);
    }
  };
  parallel_for(planes, planes_grain(planes, y.to.size() * taps.count()), piece);
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
  auto const piece = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    conv_reader<D, T> reader = layout;
    std::ptrdiff_t const image_room = reader.room(1, 1), sums_room = rows * depth * L::width;
    std::ptrdiff_t const height = dy.extent(2), width = dy.extent(3),
                         line = (width + L::width - 1) / L::width * L::width;
    tensor<T, 1, D> room(shape<1>{{image_room + sums_room}}, uninitialized);
    tensor<T, 2, D> gradient(shape<2>{{height, line}}, T(0));
    T* const sums = room.data() + image_room;
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      for (std::ptrdiff_t i = 0; i < sums_room; ++i) sums[i] = T(0);
      for (std::ptrdiff_t n = 0; n < x.extent(0); ++n) {
        reader.read(x.slice(0, n, n + 1).slice(1, group, group + 1), room.data());
        for (std::ptrdiff_t r = 0; r < rows; ++r) {
          view<T const, 2, D> const from = dy[n][group * rows + r];
          for (std::ptrdiff_t p = 0; p < height; ++p)
            copy_row<D>(gradient.data() + p * line, from.data() + p * from.stride(0), from.stride(1), width);
          add_plane_products<D, T>(sums + r * depth * L::width, as_view(gradient), reader, taps);
        }
      }
      for (std::ptrdiff_t r = 0; r < rows * depth; ++r) {
        T& to = dw.to(group * rows + r / depth, 0, r % depth / taps.columns, r % taps.columns);
        T const v = math::reduce_add(L::load(sums + r * L::width));
        to = dw.add ? to + v : v;
      }
    }
  };
  parallel_for(g.groups, planes_grain(g.groups, dy.size() * depth), piece);
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

  std::ptrdiff_t const grain = conv_grain(strips, tiles, images * g.groups * rows * pixels.size() * depth);
  parallel_for(strips * tiles, grain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    conv_reader<D, T> reader = layout;
    std::ptrdiff_t const image_room = reader.room(strip, taps.channels),
                         panel_room = per_tile * deepest * width + reader.slack, w_room = pack_w ? gemm_rows * line : 0,
                         tile_room = direct ? 0 : rows * per_tile * width;
    tensor<T, 1, D> room(shape<1>{{image_room + panel_room + w_room + tile_room}}, uninitialized);
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
  parallel_for(items, small ? items : 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    conv_reader<D, T> reader = layout;
    std::ptrdiff_t const image_room = reader.room(strip, gemm_rows / each + 2),
                         left_room = gemm_rows * line + reader.slack;
    tensor<T, 1, D> room(shape<1>{{image_room + left_room + gemm_rows * columns}}, uninitialized);
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

// The taps of one axis that meet the pixels of one residue modulo the stride: i = first + m step, m = 0 .. count - 1. From
// the last to the first they are a kernel of their own, with its own dilation and padding.
struct phase_taps {
  std::ptrdiff_t first = 0, step = 1, count = 0, dilation = 1, padding = 0;
};
inline phase_taps taps_of_phase(std::ptrdiff_t phase, std::ptrdiff_t stride, std::ptrdiff_t dilation,
                                std::ptrdiff_t padding, std::ptrdiff_t kernel) {
  std::ptrdiff_t const common = std::gcd(stride, dilation);
  phase_taps t{.step = stride / common, .dilation = dilation / common};
  while (t.first < t.step && (phase + padding - dilation * t.first) % stride != 0) ++t.first;
  if (t.first == t.step || t.first >= kernel) return t;
  t.count = (kernel - t.first + t.step - 1) / t.step;
  t.padding = (t.count - 1) * t.dilation - (phase + padding - dilation * t.first) / stride;
  return t;
}

// Whether the shorter way is there: for packs of plain numbers.
template <class D, class T> inline constexpr bool has_winograd = !is_dual<T> && kernel_lanes<D, T>::width > 1;
// Whether it is open: a plain 3 x 3 kernel, many channels.
template <class D, class T>
bool takes_winograd(shape<4> const& x, shape<4> const& w, shape<4> const& y, conv_geometry const& g) {
  return w[2] == 3 && w[3] == 3 && g.groups == 1 && g.stride.size() == 1 && g.dilation.size() == 1 &&
         winograd<D, T>::pays(x, y);
}

// ---- other devices: x unfolded, and the verbs --------------------------------------------------------------------------

// The pixels that each tap meets: a view (N, C, kh, kw, P, Q) of one group of an image with its padding.
template <class T, class D>
view<T, 6, D> tap_windows(view<T, 4, D> const& x, conv_geometry const& g, shape<2> const& kernel,
                          shape<2> const& pixels) {
  return {x.data(), shape<6>{{x.extent(0), x.extent(1), kernel[0], kernel[1], pixels[0], pixels[1]}},
          shape<6>{{x.stride(0), x.stride(1), g.dilation[0] * x.stride(2), g.dilation[1] * x.stride(3),
                    g.stride[0] * x.stride(2), g.stride[1] * x.stride(3)}}};
}
// Where an image lies in one that reaches as far as the taps do: from `at` in the one, from `from` in the other.
struct overlap {
  std::ptrdiff_t at, from, count;
};
inline overlap overlap_of(std::ptrdiff_t padding, std::ptrdiff_t extent, std::ptrdiff_t reach) {
  std::ptrdiff_t const at = padding < 0 ? 0 : padding < reach ? padding : reach, from = padding < 0 ? -padding : 0;
  std::ptrdiff_t const left = extent - from < reach - at ? extent - from : reach - at;
  return {at, from < extent ? from : extent, left > 0 ? left : 0};
}

template <class D, class T> class unfolded_conv {
 public:
  unfolded_conv(D d, shape<4> const& x, shape<4> const& w, shape<4> const& y, conv_geometry const& g)
      : d_(d),
        g_(g),
        kernel_{{w[2], w[3]}},
        pixels_{{y[2], y[3]}},
        images_(x[0]),
        channels_(w[1]),
        rows_(w[0] / g.groups) {
    for (int i = 0; i < 2; ++i) {
      std::ptrdiff_t const reach = g.stride[i] * (pixels_[i] - 1) + g.dilation[i] * (kernel_[i] - 1) + 1;
      inside_[i] = overlap_of(g.padding[i], x[2 + i], reach);
      reach_[2 + i] = reach;
    }
    reach_[0] = images_;
    reach_[1] = channels_;
  }
  // (N, taps, pixels) of one group.
  tensor<T, 3, D> unfold(view<T const, 4, D> x, std::ptrdiff_t group) const {
    tensor<T, 4, D> padded(reach_);
    fill(d_, padded.view(), T(0));
    copy(d_, inside(padded.view(), true), inside(of_group(x, group, channels_), false));
    view<T const, 6, D> const windows = tap_windows(padded.view(), g_, kernel_, pixels_);
    tensor<T, 3, D> taps(shape<3>{{images_, channels_ * kernel_.size(), pixels_.size()}}, uninitialized);
    copy(d_, taps.view().reshape(windows.shape()), windows);
    return taps;
  }
  // What each tap brings (N, taps, pixels), added up where it came from.
  void fold(sink<T, 4, D> x, tensor<T, 3, D> const& taps, std::ptrdiff_t group) const {
    tensor<T, 4, D> padded(reach_);
    fill(d_, padded.view(), T(0));
    auto const to = tap_windows(padded.view(), g_, kernel_, pixels_);
    auto const from = as_view(taps).reshape(to.shape());
    for (std::ptrdiff_t i = 0; i < kernel_[0]; ++i)
      for (std::ptrdiff_t j = 0; j < kernel_[1]; ++j)
        copy(d_, sink<T, 6, D>(to.slice(2, i, i + 1).slice(3, j, j + 1), true),
             from.slice(2, i, i + 1).slice(3, j, j + 1));
    view<T, 4, D> const mine = of_group(x.to, group, channels_);
    if (!x.add) fill(d_, mine, T(0));
    copy(d_, sink<T, 4, D>(inside(mine, false), x.add), inside(as_view(padded), true));
  }
  // y or dy: (N, R, pixels) of one group, contiguous.
  tensor<T, 3, D> results(view<T const, 4, D> y, std::ptrdiff_t group) const {
    view<T const, 4, D> const mine = of_group(y, group, rows_);
    tensor<T, 3, D> out(shape<3>{{images_, rows_, pixels_.size()}}, uninitialized);
    copy(d_, out.view().reshape(mine.shape()), mine);
    return out;
  }
  // w: (R, taps) of one group, contiguous.
  tensor<T, 2, D> weights(view<T const, 4, D> w, std::ptrdiff_t group) const {
    view<T const, 4, D> const mine = w.slice(0, group * rows_, (group + 1) * rows_);
    tensor<T, 2, D> out(shape<2>{{rows_, channels_ * kernel_.size()}}, uninitialized);
    copy(d_, out.view().reshape(mine.shape()), mine);
    return out;
  }
  void put_results(sink<T, 4, D> y, tensor<T, 3, D> const& from, std::ptrdiff_t group) const {
    view<T, 4, D> const to = of_group(y.to, group, rows_);
    copy(d_, sink<T, 4, D>(to, y.add), as_view(from).reshape(to.shape()));
  }

 private:
  template <class V> V of_group(V const& v, std::ptrdiff_t group, std::ptrdiff_t channels) const {
    return v.slice(1, group * channels, (group + 1) * channels);
  }
  template <class V> V inside(V v, bool of_padded) const {
    for (int i = 0; i < 2; ++i) {
      std::ptrdiff_t const begin = of_padded ? inside_[i].at : inside_[i].from;
      v = v.slice(2 + i, begin, begin + inside_[i].count);
    }
    return v;
  }

  D d_;
  conv_geometry g_;
  shape<2> kernel_, pixels_;
  std::ptrdiff_t images_, channels_, rows_;
  shape<4> reach_;
  overlap inside_[2];
};

}  // namespace detail

template <class D, class T>
void conv(D d, sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 4, D> w, conv_geometry const& g = {}) {
  if (!y) return;
  detail::check_conv("conv", x.shape(), w.shape(), y.shape(), g);
  if (y.shape().size() == 0) return;
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(x.shape(), w.shape(), y.shape(), g))
        return detail::winograd<D, T>(x.shape(), y.shape(), g.padding)
            .correlate(y, x, w.permute({{2, 3, 1, 0}}), false);
    tensor<T, 4, D> copied;
    if (!w.is_contiguous()) copied = tensor<T, 4, D>(w);
    view<T const, 4, D> const own = w.is_contiguous() ? w : as_view(copied);
    detail::conv_taps const taps{w.extent(1), w.extent(2), w.extent(3)};
    detail::correlate<D, T>(y, x, own.reshape(shape<3>{{g.groups, w.extent(0) / g.groups, taps.count()}}), taps, g);
  } else {
    detail::unfolded_conv<D, T> const by(d, x.shape(), w.shape(), y.shape(), g);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 3, D> const taps = by.unfold(x, group);
      tensor<T, 2, D> const weights = by.weights(w, group);
      tensor<T, 3, D> result(shape<3>{{x.extent(0), weights.extent(0), taps.extent(2)}}, uninitialized);
      gemm(d, as_sink(result), as_view(weights).unsqueeze(0), as_view(taps));
      by.put_results(y, result, group);
    }
  }
}

template <class D, class T>
void conv_input_gradient(D d, sink<T, 4, D> dx, view<T const, 4, D> dy, view<T const, 4, D> w,
                         conv_geometry const& g = {}) {
  if (!dx) return;
  detail::check_conv("conv_input_gradient", dx.shape(), w.shape(), dy.shape(), g);
  if (dx.shape().size() == 0) return;
  if (dy.size() == 0) {
    if (!dx.add) fill(d, dx.to, T(0));
    return;
  }
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(dy.shape(), w.shape(), dx.shape(), g))
        return detail::winograd<D, T>(dy.shape(), dx.shape(), shape<2>{{2 - g.padding[0], 2 - g.padding[1]}})
            .correlate(dx, dy, w.permute({{2, 3, 0, 1}}), true);
    std::ptrdiff_t const rows = w.extent(1), channels = w.extent(0) / g.groups;
    for (std::ptrdiff_t y = 0; y < g.stride[0] && y < dx.shape()[2]; ++y)
      for (std::ptrdiff_t x = 0; x < g.stride[1] && x < dx.shape()[3]; ++x) {
        auto const v = detail::taps_of_phase(y, g.stride[0], g.dilation[0], g.padding[0], w.extent(2));
        auto const h = detail::taps_of_phase(x, g.stride[1], g.dilation[1], g.padding[1], w.extent(3));
        view<T, 4, D> const to = dx.to.slice(2, y, dx.shape()[2], g.stride[0]).slice(3, x, dx.shape()[3], g.stride[1]);
        if (v.count == 0 || h.count == 0) {
          if (!dx.add) fill(d, to, T(0));
          continue;
        }
        // The kernel turned round, from output to input channels.
        detail::conv_taps const taps{channels, v.count, h.count};
        tensor<T, 3, D> turned(shape<3>{{g.groups, rows, taps.count()}}, uninitialized);
        T* at = turned.data();
        for (std::ptrdiff_t group = 0; group < g.groups; ++group)
          for (std::ptrdiff_t r = 0; r < rows; ++r)
            for (std::ptrdiff_t c = 0; c < channels; ++c)
              for (std::ptrdiff_t i = v.count - 1; i >= 0; --i)
                for (std::ptrdiff_t j = h.count - 1; j >= 0; --j)
                  *at++ = w(group * channels + c, r, v.first + i * v.step, h.first + j * h.step);
        detail::correlate<D, T>(
            sink<T, 4, D>(to, dx.add), dy, as_view(turned), taps,
            {.padding = {{v.padding, h.padding}}, .dilation = {{v.dilation, h.dilation}}, .groups = g.groups});
      }
  } else {
    detail::unfolded_conv<D, T> const by(d, dx.shape(), w.shape(), dy.shape(), g);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 2, D> const weights = by.weights(w, group);
      tensor<T, 3, D> const results = by.results(dy, group);
      tensor<T, 3, D> taps(shape<3>{{dx.shape()[0], weights.extent(1), results.extent(2)}}, uninitialized);
      gemm(d, as_sink(taps), as_view(weights).transpose().unsqueeze(0), as_view(results));
      by.fold(dx, taps, group);
    }
  }
}

template <class D, class T>
void conv_weight_gradient(D d, sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy,
                          conv_geometry const& g = {}) {
  if (!dw) return;
  detail::check_conv("conv_weight_gradient", x.shape(), dw.shape(), dy.shape(), g);
  if (dw.shape().size() == 0) return;
  if (dy.size() == 0) {
    if (!dw.add) fill(d, dw.to, T(0));
    return;
  }
  if constexpr (is_host<D>) {
    if constexpr (detail::has_winograd<D, T>)
      if (detail::takes_winograd<D, T>(x.shape(), dw.shape(), dy.shape(), g))
        return detail::winograd<D, T>(x.shape(), dy.shape(), g.padding).weight_gradient(dw, x, dy);
    detail::correlate_weights<D, T>(dw, x, dy, g);
  } else {
    detail::unfolded_conv<D, T> const by(d, x.shape(), dw.shape(), dy.shape(), g);
    std::ptrdiff_t const rows = dw.shape()[0] / g.groups;
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
      tensor<T, 3, D> const taps = by.unfold(x, group), results = by.results(dy, group);
      tensor<T, 2, D> sum(shape<2>{{rows, taps.extent(1)}}, uninitialized);
      for (std::ptrdiff_t n = 0; n < x.extent(0); ++n)
        gemm(d, sink<T, 2, D>(sum.view(), n > 0), as_view(results)[n], as_view(taps)[n].transpose());
      view<T, 4, D> const to = dw.to.slice(0, group * rows, (group + 1) * rows);
      copy(d, sink<T, 4, D>(to, dw.add), as_view(sum).reshape(to.shape()));
    }
  }
}

LIMBIC_END
