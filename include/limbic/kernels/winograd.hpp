// limbic/kernels/winograd.hpp - 3 x 3 kernels with a quarter of the multiplications
//
//   y = A^T [ (G w G^T) . (B^T x B) ] A       for each tile of 4 x 4 results, from 6 x 6 elements of x
//   w' = G^T [ (A y' A^T) . (B^T x B) ] G
//
// Winograd's minimal filtering F(4 x 4, 3 x 3) with the nodes 0, 1, -1, 2, -2 and infinity (Lavin and Gray 2016, "Fast
// algorithms for convolutional neural networks", arXiv:1509.09308). Over many channels the products of the 36 places are 36
// matrix products. Tiles of a strip of images lie with their channels one after another, so that a pack holds the same
// place of neighbouring channels. In float the root mean square of the error is 1 to 2.5e-6 of the result's (of the plain
// sum: 2e-7), the largest below 1e-5 of the largest result.
//
// conv (conv.hpp) takes this way where it pays: strides and dilations of 1, one group, 32 channels and more on both
// sides, 512 pixels and more in all (transforming the kernel costs as much as some 400), plain numbers, SIMD.
#pragma once

#include <limbic/kernels/conv_reader.hpp>

LIMBIC_BEGIN

namespace detail {

inline constexpr std::ptrdiff_t winograd_tile = 4, winograd_patch = 6, winograd_places = 36;

// The one-dimensional transforms; the others are their transposes and products.
template <class V> LIMBIC_INLINE void winograd_b(V const* d, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // B^T
  V const two = V(2), four = V(4), five = V(5);
  V const d1 = d[s], d2 = d[2 * s], d3 = d[3 * s], d4 = d[4 * s];
  V const even = d4 - four * d2, odd = d3 - four * d1, near = d4 - d2, far = two * (d3 - d1);
  o[0] = four * d[0] - five * d2 + d4;
  o[t] = even + odd;
  o[2 * t] = even - odd;
  o[3 * t] = near + far;
  o[4 * t] = near - far;
  o[5 * t] = four * d1 - five * d3 + d[5 * s];
}
template <class V> LIMBIC_INLINE void winograd_a(V const* m, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // A^T
  V const sum = m[s] + m[2 * s], less = m[s] - m[2 * s], sum2 = m[3 * s] + m[4 * s], less2 = m[3 * s] - m[4 * s];
  o[0] = m[0] + sum + sum2;
  o[t] = less + V(2) * less2;
  o[2 * t] = sum + V(4) * sum2;
  o[3 * t] = less + V(8) * less2 + m[5 * s];
}
template <class V> LIMBIC_INLINE void winograd_a_back(V const* y, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // A
  V const even = y[0] + y[2 * s], odd = y[s] + y[3 * s];
  V const even2 = y[0] + V(4) * y[2 * s], odd2 = V(2) * y[s] + V(8) * y[3 * s];
  o[0] = y[0];
  o[t] = even + odd;
  o[2 * t] = even - odd;
  o[3 * t] = even2 + odd2;
  o[4 * t] = even2 - odd2;
  o[5 * t] = y[3 * s];
}
template <class T, class V> LIMBIC_INLINE void winograd_g(V const* g, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // G
  V const sixth = V(T(1) / 6), outer = sixth * (g[0] + g[2 * s]), inner = sixth * g[s];
  V const outer2 = V(T(1) / 24) * g[0] + sixth * g[2 * s], inner2 = V(T(1) / 12) * g[s];
  o[0] = V(T(0.25)) * g[0];
  o[t] = -outer - inner;
  o[2 * t] = inner - outer;
  o[3 * t] = outer2 + inner2;
  o[4 * t] = outer2 - inner2;
  o[5 * t] = g[2 * s];
}
template <class T, class V>
LIMBIC_INLINE void winograd_g_back(V const* u, std::ptrdiff_t s, V* o, std::ptrdiff_t t) {  // G^T
  V const sixth = V(T(1) / 6), sum = u[s] + u[2 * s], less = u[s] - u[2 * s], sum2 = u[3 * s] + u[4 * s],
          less2 = u[3 * s] - u[4 * s];
  o[0] = V(T(0.25)) * u[0] - sixth * sum + V(T(1) / 24) * sum2;
  o[t] = V(T(1) / 12) * less2 - sixth * less;
  o[2 * t] = sixth * (sum2 - sum) + u[5 * s];
}

template <class D, class T> class winograd {
  using L = kernel_lanes<D, T>;
  using V = typename L::type;

 public:
  static bool pays(shape<4> const& x, shape<4> const& y) {
    return x[1] >= 32 && y[1] >= 32 && y[2] >= 3 && y[3] >= 3 && x[0] * y[2] * y[3] >= 512;
  }

  // For x (N, in, H, W), y (N, out, P, Q) and the zeros before the first row and column of x.
  winograd(shape<4> const& x, shape<4> const& y, shape<2> const& padding)
      : images_(x[0]), in_(x[1]), out_(y[1]), in_room_(whole(x[1])), out_room_(whole(y[1])), padding_(padding) {
    for (int i = 0; i < 2; ++i) {
      tiles_[i] = (y[2 + i] + winograd_tile - 1) / winograd_tile;
      pixels_[i] = y[2 + i];
      extent_[i] = x[2 + i];
    }
  }

  // y (+)= x correlated with w, a view (3, 3, in, out); `turned` takes the kernel from its last tap to its first.
  void correlate(sink<T, 4, D> y, view<T const, 4, D> x, view<T const, 4, D> w, bool turned) const {
    tensor<T, 3, D> const u = kernel_places(w, turned);
    std::ptrdiff_t const each = packed_matrix<T, D>::packed_size(shape<2>{{in_, out_}});
    tensor<T, 1, D> packed(shape<1>{{winograd_places * each}}, uninitialized);
    packed_matrix<T, D> right[winograd_places];
    for (std::ptrdiff_t p = 0; p < winograd_places; ++p)
      right[p] = packed_matrix<T, D>(place(as_view(u), p, in_, out_), packed.data() + p * each);

    std::ptrdiff_t const strip = images_of(128), strips = (images_ + strip - 1) / strip;
    struct room {
      tensor<T, 3, D> image, result, v, m;
      tensor<T, 1, D> rows;
    };
    auto const make = [&] {
      return room{patches(in_room_, winograd_patch - winograd_tile), patches(out_room_, 0), places(strip, in_room_),
                  places(strip, out_room_), tensor<T, 1, D>(shape<1>{{left_room<T>(in_)}}, uninitialized)};
    };
    parallel_for(strips, 1, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, room& its) {
      auto& [image, result, v, m, rows] = its;
      for (std::ptrdiff_t s = begin; s < end; ++s) {
        std::ptrdiff_t const first = s * strip, count = images_ - first < strip ? images_ - first : strip;
        std::ptrdiff_t const tiles = count * tiles_.size();
        for (std::ptrdiff_t n = 0; n < count; ++n) read(image, v, x[first + n], n);
        for (std::ptrdiff_t p = 0; p < winograd_places; ++p)
          gemm(D{}, sink<T, 2, D>(place(m.view(), p, tiles, out_)), place(as_view(v), p, tiles, in_), right[p],
               rows.data());
        for (std::ptrdiff_t n = 0; n < count; ++n) {
          for_each_tile(m, result, winograd_tile, n,
                        [](T* at, std::ptrdiff_t apart, T* tile, std::ptrdiff_t row, std::ptrdiff_t column) {
                          V in[6][6], half[4][6], out[4][4];
                          for (int i = 0; i < 36; ++i) in[i / 6][i % 6] = L::load(at + i * apart);
                          for (int j = 0; j < 6; ++j) winograd_a(&in[0][j], 6, &half[0][j], 6);
                          for (int i = 0; i < 4; ++i) winograd_a(&half[i][0], 1, &out[i][0], 1);
                          for (int i = 0; i < 16; ++i) L::store(tile + i / 4 * row + i % 4 * column, out[i / 4][i % 4]);
                        });
          view<T const, 3, D> const inner =
              as_view(result).slice(0, 0, pixels_[0]).slice(1, 0, pixels_[1]).slice(2, 0, out_);
          copy(D{}, sink<T, 3, D>(y.to[first + n], y.add), inner.permute({{2, 0, 1}}));
        }
      }
    });
  }

  // dw (out, in, 3, 3) (+)= the gradient for x and dy.
  void weight_gradient(sink<T, 4, D> dw, view<T const, 4, D> x, view<T const, 4, D> dy) const {
    std::ptrdiff_t const strip = images_of(512), strips = (images_ + strip - 1) / strip;
    tensor<T, 3, D> v = places(strip, in_room_), z = places(strip, out_room_);
    tensor<T, 3, D> du(shape<3>{{winograd_places, out_, in_room_}}, uninitialized);
    for (std::ptrdiff_t s = 0; s < strips; ++s) {
      std::ptrdiff_t const first = s * strip, count = images_ - first < strip ? images_ - first : strip;
      std::ptrdiff_t const tiles = count * tiles_.size();
      struct room {
        tensor<T, 3, D> image, gradient;
      };
      auto const make = [&] { return room{patches(in_room_, winograd_patch - winograd_tile), patches(out_room_, 0)}; };
      parallel_for(count, 4, make, [&](std::ptrdiff_t begin, std::ptrdiff_t end, room& its) {
        auto& [image, gradient] = its;
        for (std::ptrdiff_t n = begin; n < end; ++n) {
          read(image, v, x[first + n], n);
          copy(D{}, gradient.view().slice(0, 0, pixels_[0]).slice(1, 0, pixels_[1]).slice(2, 0, out_),
               dy[first + n].permute({{1, 2, 0}}));
          for_each_tile(z, gradient, winograd_tile, n,
                        [](T* at, std::ptrdiff_t apart, T const* tile, std::ptrdiff_t row, std::ptrdiff_t column) {
                          V in[4][4], half[6][4], out[6][6];
                          for (int i = 0; i < 16; ++i) in[i / 4][i % 4] = L::load(tile + i / 4 * row + i % 4 * column);
                          for (int j = 0; j < 4; ++j) winograd_a_back(&in[0][j], 4, &half[0][j], 4);
                          for (int i = 0; i < 6; ++i) winograd_a_back(&half[i][0], 1, &out[i][0], 1);
                          for (int i = 0; i < 36; ++i) L::store(at + i * apart, out[i / 6][i % 6]);
                        });
        }
      });
      auto const workspace = [&] {
        return tensor<T, 1, D>(shape<1>{{gemm_workspace<D, T>({{out_, tiles}}, {{tiles, in_}})}}, uninitialized);
      };
      parallel_for(winograd_places, 1, workspace, [&](std::ptrdiff_t begin, std::ptrdiff_t end, tensor<T, 1, D>& its) {
        for (std::ptrdiff_t p = begin; p < end; ++p)
          gemm(D{}, sink<T, 2, D>(du.view()[p].slice(1, 0, in_), s > 0), place(as_view(z), p, tiles, out_).transpose(),
               place(as_view(v), p, tiles, in_), its.data());
      });
    }
    tensor<T, 4, D> taps(shape<4>{{3, 3, out_, in_room_}}, uninitialized);
    std::ptrdiff_t const apart = out_ * in_room_;
    parallel_for(out_, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin * in_room_; i < end * in_room_; i += L::width) {
        V in[6][6], half[3][6], out[3][3];
        for (int k = 0; k < 36; ++k) in[k / 6][k % 6] = L::load(du.data() + k * apart + i);
        for (int j = 0; j < 6; ++j) winograd_g_back<T>(&in[0][j], 6, &half[0][j], 6);
        for (int k = 0; k < 3; ++k) winograd_g_back<T>(&half[k][0], 1, &out[k][0], 1);
        for (int k = 0; k < 9; ++k) L::store(taps.data() + k * apart + i, out[k / 3][k % 3]);
      }
    });
    copy(D{}, dw, as_view(taps).slice(3, 0, in_).permute({{2, 3, 0, 1}}));
  }

 private:
  static std::ptrdiff_t whole(std::ptrdiff_t channels) { return (channels + L::width - 1) / L::width * L::width; }
  // As many images as have so many tiles.
  std::ptrdiff_t images_of(std::ptrdiff_t tiles) const {
    std::ptrdiff_t const some = (tiles + tiles_.size() - 1) / tiles_.size();
    return some < images_ ? some : images_;
  }
  // The tiles of one image, channels last, and `more` rows and columns; zeros where nothing is written.
  tensor<T, 3, D> patches(std::ptrdiff_t room, std::ptrdiff_t more) const {
    return tensor<T, 3, D>(shape<3>{{winograd_tile * tiles_[0] + more, winograd_tile * tiles_[1] + more, room}}, T(0));
  }
  // The 36 places of each tile of some images.
  tensor<T, 3, D> places(std::ptrdiff_t images, std::ptrdiff_t room) const {
    return tensor<T, 3, D>(shape<3>{{winograd_places, images * tiles_.size(), room}}, uninitialized);
  }
  template <class U>
  static view<U, 2, D> place(view<U, 3, D> const& all, std::ptrdiff_t p, std::ptrdiff_t rows, std::ptrdiff_t columns) {
    return all[p].slice(0, 0, rows).slice(1, 0, columns);
  }
  // f(place 0 of a tile and pack of channels, elements between places, the tile in `image`, its rows' and columns' strides)
  template <class F>
  void for_each_tile(tensor<T, 3, D>& all, tensor<T, 3, D>& image, std::ptrdiff_t step, std::ptrdiff_t n,
                     F const& f) const {
    std::ptrdiff_t const apart = all.extent(1) * all.extent(2), column = image.extent(2),
                         row = image.extent(1) * column;
    T* to = all.data() + n * tiles_.size() * column;
    for (std::ptrdiff_t i = 0; i < tiles_[0]; ++i)
      for (std::ptrdiff_t j = 0; j < tiles_[1]; ++j, to += column)
        for (std::ptrdiff_t c = 0; c < column; c += L::width)
          f(to + c, apart, image.data() + step * (i * row + j * column) + c, row, column);
  }
  // B^T x B of all tiles of the n-th image of a strip, x (in, H, W).
  void read(tensor<T, 3, D>& image, tensor<T, 3, D>& v, view<T const, 3, D> x, std::ptrdiff_t n) const {
    view<T, 3, D> to = image.view().slice(2, 0, in_);
    view<T const, 3, D> from = x.permute({{1, 2, 0}});
    for (int a = 0; a < 2; ++a) {
      overlap const o = overlap_of(padding_[a], extent_[a], to.extent(a));
      to = to.slice(a, o.at, o.at + o.count);
      from = from.slice(a, o.from, o.from + o.count);
    }
    copy(D{}, to, from);
    for_each_tile(v, image, winograd_tile, n,
                  [](T* at, std::ptrdiff_t apart, T const* tile, std::ptrdiff_t row, std::ptrdiff_t column) {
                    V in[6][6], half[6][6], out[6][6];
                    for (int i = 0; i < 36; ++i) in[i / 6][i % 6] = L::load(tile + i / 6 * row + i % 6 * column);
                    for (int j = 0; j < 6; ++j) winograd_b(&in[0][j], 6, &half[0][j], 6);
                    for (int i = 0; i < 6; ++i) winograd_b(&half[i][0], 1, &out[i][0], 1);
                    for (int i = 0; i < 36; ++i) L::store(at + i * apart, out[i / 6][i % 6]);
                  });
  }
  // G w G^T: (36, in, out).
  tensor<T, 3, D> kernel_places(view<T const, 4, D> w, bool turned) const {
    tensor<T, 4, D> taps(shape<4>{{3, 3, in_, out_room_}}, T(0));
    copy(D{}, taps.view().slice(3, 0, out_), w);
    tensor<T, 3, D> u(shape<3>{{winograd_places, in_, out_room_}}, uninitialized);
    std::ptrdiff_t const apart = in_ * out_room_;
    parallel_for(in_, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin * out_room_; i < end * out_room_; i += L::width) {
        V in[3][3], half[6][3], out[6][6];
        for (int k = 0; k < 9; ++k) in[k / 3][k % 3] = L::load(taps.data() + (turned ? 8 - k : k) * apart + i);
        for (int j = 0; j < 3; ++j) winograd_g<T>(&in[0][j], 3, &half[0][j], 3);
        for (int k = 0; k < 6; ++k) winograd_g<T>(&half[k][0], 1, &out[k][0], 1);
        for (int k = 0; k < 36; ++k) L::store(u.data() + k * apart + i, out[k / 6][k % 6]);
      }
    });
    return u;
  }

  std::ptrdiff_t images_, in_, out_, in_room_, out_room_;  // rooms: channels in whole packs
  shape<2> padding_, tiles_, pixels_, extent_;
};

}  // namespace detail

LIMBIC_END
