// limbic/kernels/soft_dtw_lanes.hpp - dynamic time warping of a pack of pairs: each lane is a pair
//
// Rows are done in tiles of four, whose costs and gradients are small products with the operands in registers, and in
// twos where cells depend on cells. Shares are kept `shares_bytes` at a time: of longer sequences a first pass keeps
// single rows, from which blocks of rows are computed again.
#pragma once

#include <limbic/kernels/soft_dtw_step.hpp>

LIMBIC_BEGIN
namespace detail {

inline constexpr std::ptrdiff_t dtw_rows = 4;  // of a tile

// ---- where costs come from, and gradients go: W pairs at a time --------------------------------------------------
// A tile is [row][column][lane], rows `ld` apart.

template <class D, class T> class dtw_series_source {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  static constexpr std::ptrdiff_t W = L::width;

  dtw_series_source(view<T const, 3, D> x, view<T const, 3, D> y, view<T, 3, D> gx, view<T, 3, D> gy,
                    dtw_pairs const& pairs)
      : in_x_(x),
        in_y_(y),
        out_x_(gx),
        out_y_(gy),
        pairs_(pairs),
        tx_(x.extent(1)),
        ty_(y.extent(1)),
        channels_(x.extent(2)),
        x_(room(tx_)),
        y_(room(ty_)),
        gx_(room(gx ? tx_ : 0)),
        gy_(room(gy ? ty_ : 0)) {}

  // Pairs first .. first + W - 1; those from `end` on are the last one again.
  void load(std::ptrdiff_t first, std::ptrdiff_t end) {
    interleave(x_.data(), in_x_, first, end, [&](std::ptrdiff_t p) { return pairs_.x(p); });
    interleave(y_.data(), in_y_, first, end, [&](std::ptrdiff_t p) { return pairs_.y(p); });
    fill(scalar{}, gy_.view(), T(0));
  }

  template <std::ptrdiff_t R>
  void costs(std::ptrdiff_t i, std::ptrdiff_t begin, std::ptrdiff_t end, V scale, T* tile, std::ptrdiff_t ld) const {
    T const* const x = x_.data() + i * channels_ * W;
    std::ptrdiff_t j = begin;
    for (; j + 4 <= end; j += 4) cost_columns<R, 4>(x, j, scale, tile, ld);
    for (; j < end; ++j) cost_columns<R, 1>(x, j, scale, tile, ld);
  }
  // Some columns at a time, so that their E and y stay in the first cache while the channels go by; columns from the last
  // to the first, and rows too: the order in which E comes.
  template <std::ptrdiff_t R>
  void gradients(std::ptrdiff_t i, std::ptrdiff_t begin, std::ptrdiff_t end, T const* tile, std::ptrdiff_t ld) {
    if (gy_.empty()) gradient_columns<R, false>(i, begin, end, tile, ld);
    else gradient_columns<R, true>(i, begin, end, tile, ld);
  }
  void finish(std::ptrdiff_t first, std::ptrdiff_t end) const {
    spread(out_x_, gx_.data(), first, end);
    spread(out_y_, gy_.data(), first, end);
  }

 private:
  tensor<T, 1, scalar> room(std::ptrdiff_t steps) const {
    return tensor<T, 1, scalar>(shape<1>{{steps * channels_ * W}}, uninitialized);
  }
  template <std::ptrdiff_t R, std::ptrdiff_t J>
  LIMBIC_INLINE void cost_columns(T const* x, std::ptrdiff_t j, V scale, T* tile, std::ptrdiff_t ld) const {
    V sum[R][J];
    for (std::ptrdiff_t r = 0; r < R; ++r)
      for (std::ptrdiff_t k = 0; k < J; ++k) sum[r][k] = V(0);
    T const* const y = y_.data() + j * channels_ * W;
    for (std::ptrdiff_t c = 0; c < channels_; ++c)
      for (std::ptrdiff_t r = 0; r < R; ++r) {
        V const left = L::load(x + (r * channels_ + c) * W);
        for (std::ptrdiff_t k = 0; k < J; ++k) {
          V const difference = left - L::load(y + (k * channels_ + c) * W);
          sum[r][k] = math::fma(difference, difference, sum[r][k]);
        }
      }
    for (std::ptrdiff_t r = 0; r < R; ++r)
      for (std::ptrdiff_t k = 0; k < J; ++k) L::store(tile + r * ld + (j + k) * W, scale * sum[r][k]);
  }
  template <std::ptrdiff_t R, bool WithY>
  void gradient_columns(std::ptrdiff_t i, std::ptrdiff_t begin, std::ptrdiff_t end, T const* tile, std::ptrdiff_t ld) {
    constexpr std::ptrdiff_t columns = 24;
    for (std::ptrdiff_t last = end; last > begin; last -= columns) {
      std::ptrdiff_t const from = last - columns > begin ? last - columns : begin;
      std::ptrdiff_t c = 0;
      for (; c + 2 <= channels_; c += 2) gradient_channels<R, 2, WithY>(i, c, from, last, last == end, tile, ld);
      if (c < channels_) gradient_channels<R, 1, WithY>(i, c, from, last, last == end, tile, ld);
    }
  }
  template <std::ptrdiff_t R, std::ptrdiff_t C, bool WithY>
  LIMBIC_INLINE void gradient_channels(std::ptrdiff_t i, std::ptrdiff_t c, std::ptrdiff_t begin, std::ptrdiff_t end,
                                       bool starts, T const* tile, std::ptrdiff_t ld) {
    bool const with_x = !gx_.empty();
    V x[R][C], sum[R][C];
    for (std::ptrdiff_t r = 0; r < R; ++r)
      for (std::ptrdiff_t k = 0; k < C; ++k) {
        std::ptrdiff_t const at = ((i + r) * channels_ + c + k) * W;
        x[r][k] = L::load(x_.data() + at);
        sum[r][k] = with_x && !starts ? L::load(gx_.data() + at) : V(0);
      }
    for (std::ptrdiff_t j = end - 1; j >= begin; --j) {
      std::ptrdiff_t const at = (j * channels_ + c) * W;
      V y[C], back[C];
      for (std::ptrdiff_t k = 0; k < C; ++k) {
        y[k] = L::load(y_.data() + at + k * W);
        if constexpr (WithY) back[k] = L::load(gy_.data() + at + k * W);
      }
      for (std::ptrdiff_t r = R - 1; r >= 0; --r) {
        V const e = L::load(tile + r * ld + j * W);
        for (std::ptrdiff_t k = 0; k < C; ++k) {
          V const difference = x[r][k] - y[k];
          sum[r][k] = math::fma(e, difference, sum[r][k]);
          if constexpr (WithY) back[k] = math::fma(e, -difference, back[k]);
        }
      }
      if constexpr (WithY)
        for (std::ptrdiff_t k = 0; k < C; ++k) L::store(gy_.data() + at + k * W, back[k]);
    }
    if (with_x)
      for (std::ptrdiff_t r = 0; r < R; ++r)
        for (std::ptrdiff_t k = 0; k < C; ++k) L::store(gx_.data() + ((i + r) * channels_ + c + k) * W, sum[r][k]);
  }
  template <class F>
  static void interleave(T* to, view<T const, 3, D> from, std::ptrdiff_t first, std::ptrdiff_t end, F const& series) {
    T const* at[W];
    for (std::ptrdiff_t w = 0; w < W; ++w)
      at[w] = from.data() + series(first + w < end ? first + w : end - 1) * from.stride(0);
    for (std::ptrdiff_t t = 0; t < from.extent(1); ++t)
      for (std::ptrdiff_t c = 0; c < from.extent(2); ++c, to += W) {
        std::ptrdiff_t const offset = t * from.stride(1) + c * from.stride(2);
        for (std::ptrdiff_t w = 0; w < W; ++w) to[w] = at[w][offset];
      }
  }
  static void spread(view<T, 3, D> to, T const* from, std::ptrdiff_t first, std::ptrdiff_t end) {
    if (!to) return;
    std::ptrdiff_t const lanes_used = end - first < W ? end - first : W;
    T* const base = to.data() + first * to.stride(0);
    for (std::ptrdiff_t t = 0; t < to.extent(1); ++t)
      for (std::ptrdiff_t c = 0; c < to.extent(2); ++c, from += W) {
        T* const at = base + t * to.stride(1) + c * to.stride(2);
        for (std::ptrdiff_t w = 0; w < lanes_used; ++w) at[w * to.stride(0)] = from[w] + from[w];
      }
  }

  view<T const, 3, D> in_x_, in_y_;
  view<T, 3, D> out_x_, out_y_;
  dtw_pairs pairs_;
  std::ptrdiff_t tx_, ty_, channels_;
  tensor<T, 1, scalar> x_, y_, gx_, gy_;  // [step][channel][lane]
};

template <class D, class T> class dtw_cost_source {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  static constexpr std::ptrdiff_t W = L::width;

  dtw_cost_source(view<T const, 3, D> costs, view<T, 3, D> e) : costs_(costs), e_(e) {}

  void load(std::ptrdiff_t first, std::ptrdiff_t end) {
    used_ = end - first < W ? end - first : W;
    first_ = first;
  }
  template <std::ptrdiff_t R>
  void costs(std::ptrdiff_t i, std::ptrdiff_t begin, std::ptrdiff_t end, V scale, T* tile, std::ptrdiff_t ld) const {
    for (std::ptrdiff_t r = 0; r < R; ++r)
      for (std::ptrdiff_t j = begin; j < end; ++j) {
        T* const to = tile + r * ld + j * W;
        T const* const from =
            costs_.data() + first_ * costs_.stride(0) + (i + r) * costs_.stride(1) + j * costs_.stride(2);
        for (std::ptrdiff_t w = 0; w < W; ++w) to[w] = from[(w < used_ ? w : used_ - 1) * costs_.stride(0)];
        L::store(to, scale * L::load(to));
      }
  }
  template <std::ptrdiff_t R>
  void gradients(std::ptrdiff_t i, std::ptrdiff_t begin, std::ptrdiff_t end, T const* tile, std::ptrdiff_t ld) const {
    for (std::ptrdiff_t r = 0; r < R; ++r)
      for (std::ptrdiff_t j = 0; j < e_.extent(2); ++j) {
        T* const to = e_.data() + first_ * e_.stride(0) + (i + r) * e_.stride(1) + j * e_.stride(2);
        bool const inside = j >= begin && j < end;
        for (std::ptrdiff_t w = 0; w < used_; ++w) to[w * e_.stride(0)] = inside ? tile[r * ld + j * W + w] : T(0);
      }
  }
  void finish(std::ptrdiff_t, std::ptrdiff_t) const {}

 private:
  view<T const, 3, D> costs_;
  view<T, 3, D> e_;
  std::ptrdiff_t first_ = 0, used_ = 0;
};

// ---- the recursion: W pairs at a time ----------------------------------------------------------------------------

template <class Rule, class D, class T> class dtw_recursion {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  using state = typename Rule::template state<V>;
  static constexpr std::ptrdiff_t W = L::width, words = Rule::words * W;

  dtw_recursion(Rule const& rule, dtw_band const& band, bool backward) : rule_(rule), band_(band) {
    auto const room = [](std::ptrdiff_t n) { return tensor<T, 1, scalar>(shape<1>{{n}}, uninitialized); };
    tile_ = room(dtw_rows * band.ty * W);
    row_ = room((band.ty + 1) * words);
    block_ = band.tx;
    if (!backward) return;
    std::ptrdiff_t const bytes_of_row = band.width() * 3 * W * static_cast<std::ptrdiff_t>(sizeof(T));
    std::ptrdiff_t rows = shares_bytes / bytes_of_row / dtw_rows * dtw_rows;
    while (rows < dtw_rows || rows * rows < band.tx) rows += dtw_rows;  // long rows: as many kept rows as a block has
    if (rows < band.tx) block_ = rows;
    shares_ = room(block_ * band.width() * 3 * W);
    kept_ = room((blocks() - 1) * row_.size());
    e_row_ = room((band.ty + 1) * W);
  }

  template <class Source> V forward(Source& source) {
    for (std::ptrdiff_t j = 0; j <= band_.ty; ++j)
      Rule::template store<L>(slot(j - 1), j == 0 ? Rule::template start<V>() : Rule::template border<V>());
    if (shares_.empty()) {
      rows<false>(source, 0, band_.tx);
    } else {
      std::ptrdiff_t const last = (blocks() - 1) * block_;
      for (std::ptrdiff_t b = 0; b < blocks() - 1; ++b) {
        copy_elements(scalar{}, kept_.data() + b * row_.size(), row_.data(), row_.size());
        rows<false>(source, b * block_, (b + 1) * block_);
      }
      rows<true>(source, last, band_.tx);
    }
    return rule_.value(Rule::template load<L>(slot(band_.ty - 1)));
  }

  template <class Source> void backward(Source& source) {
    fill(scalar{}, e_row_.view(), T(0));
    L::store(e_row_.data() + band_.ty * W, V(1));
    for (std::ptrdiff_t b = blocks() - 1; b >= 0; --b) {
      std::ptrdiff_t const begin = b * block_, end = begin + block_ < band_.tx ? begin + block_ : band_.tx;
      if (b < blocks() - 1) {
        copy_elements(scalar{}, row_.data(), kept_.data() + b * row_.size(), row_.size());
        rows<true>(source, begin, end);
      }
      for (std::ptrdiff_t i = begin + (end - begin - 1) / dtw_rows * dtw_rows; i >= begin; i -= dtw_rows) {
        if (end - i >= dtw_rows) back_tile<dtw_rows>(source, i, begin);
        else
          for (std::ptrdiff_t k = end - 1; k >= i; --k) back_tile<1>(source, k, begin);
      }
    }
  }

 private:
  std::ptrdiff_t blocks() const { return (band_.tx + block_ - 1) / block_; }
  T* slot(std::ptrdiff_t j) { return row_.data() + (j + 1) * words; }
  T* shares(std::ptrdiff_t row, std::ptrdiff_t column) {
    return shares_.data() + (row * band_.width() + column) * 3 * W;
  }

  // Rows begin .. end - 1; their shares at rows 0, 1, ... of the block.
  template <bool Shares, class Source> void rows(Source& source, std::ptrdiff_t begin, std::ptrdiff_t end) {
    V const scale = math::constant<V>(rule_.cost_scale());
    std::ptrdiff_t const ld = band_.ty * W;
    std::ptrdiff_t i = begin;
    for (; i + dtw_rows <= end; i += dtw_rows) {
      source.template costs<dtw_rows>(i, band_.begin(i), band_.end(i + dtw_rows - 1), scale, tile_.data(), ld);
      for (std::ptrdiff_t r = 0; r < dtw_rows; r += 2)
        row_pair<Shares>(i + r, true, tile_.data() + r * ld, ld, i + r - begin);
    }
    for (; i < end; ++i) {
      source.template costs<1>(i, band_.begin(i), band_.end(i), scale, tile_.data(), ld);
      row_pair<Shares>(i, false, tile_.data(), ld, i - begin);
    }
  }
  // Rows i and, where `both`, i + 1 with costs `ld` further. The second runs a column behind the first: two chains of
  // dependent steps at a time instead of one. row_ goes from row i - 1 to the last of them.
  template <bool Shares>
  void row_pair(std::ptrdiff_t i, bool both, T const* costs, std::ptrdiff_t ld, std::ptrdiff_t shares_row) {
    std::ptrdiff_t const begin = band_.begin(i), end = band_.end(i);
    std::ptrdiff_t const begin2 = both ? band_.begin(i + 1) : end, end2 = both ? band_.end(i + 1) : end - 1;
    state const border = Rule::template border<V>();
    state corner = Rule::template load<L>(slot(begin - 1));  // of row i - 1
    state above = border, above2 = border, left = border;    // of row i, a column and two before; of row i + 1
    if (i == 0) Rule::template store<L>(slot(-1), border);
    T* to = Shares ? shares(shares_row, 0) : nullptr;
    T* to2 = Shares && both ? shares(shares_row + 1, 0) : nullptr;
    T const* const costs2 = costs + ld;
    std::ptrdiff_t j = begin;
    for (; j <= begin2 && j < end; ++j) {  // the first row alone
      state const up = Rule::template load<L>(slot(j)), r = step<Shares>(corner, up, above, costs + j * W, to);
      Rule::template store<L>(slot(j), r);
      corner = up, above2 = above, above = r;
    }
    for (; j < end; ++j) {
      state const up = Rule::template load<L>(slot(j)), r = step<Shares>(corner, up, above, costs + j * W, to);
      left = step<Shares>(above2, above, left, costs2 + (j - 1) * W, to2);
      Rule::template store<L>(slot(j - 1), left);
      corner = up, above2 = above, above = r;
    }
    for (; j <= end2; ++j) {  // the second alone
      if (j > begin2) {
        left = step<Shares>(above2, above, left, costs2 + (j - 1) * W, to2);
        Rule::template store<L>(slot(j - 1), left);
      }
      above2 = above, above = border;
    }
  }
  template <bool Shares>
  static LIMBIC_INLINE state step(state const& diagonal, state const& up, state const& left, T const* cost, T*& to) {
    dtw_shares<V> share;
    state const r = Rule::template step<Shares>(diagonal, up, left, L::load(cost), share);
    if constexpr (Shares) {
      L::store(to, share.diagonal);
      L::store(to + W, share.up);
      L::store(to + 2 * W, share.left);
      to += 3 * W;
    }
    return r;
  }

  // e_row holds what the rows below hand on, column j at j + 1; E of the tile goes to the source.
  template <std::ptrdiff_t R, class Source> void back_tile(Source& source, std::ptrdiff_t i,
                                                           std::ptrdiff_t block_begin) {
    std::ptrdiff_t const ld = band_.ty * W, begin = band_.begin(i), end = band_.end(i + R - 1);
    for (std::ptrdiff_t r = R - 1; r >= 0; --r) {
      std::ptrdiff_t const first = band_.begin(i + r), last = band_.end(i + r);
      T* const tile = tile_.data() + r * ld;
      for (std::ptrdiff_t j = begin; j < first; ++j) L::store(tile + j * W, V(0));
      for (std::ptrdiff_t j = last; j < end; ++j) L::store(tile + j * W, V(0));
      V right(0), left(0), from_corner(0);  // E one column on, the share of it that comes here, that of the diagonal
      T const* share = shares(i + r - block_begin, last - first);
      for (std::ptrdiff_t j = last - 1; j >= first; --j) {
        share -= 3 * W;
        T* const below = e_row_.data() + (j + 1) * W;
        V const e = math::fma(right, left, L::load(below));
        L::store(tile + j * W, e);
        L::store(below, math::fma(e, L::load(share + W), from_corner));
        from_corner = e * L::load(share);
        left = L::load(share + 2 * W);
        right = e;
      }
      L::store(e_row_.data() + first * W, from_corner);
    }
    source.template gradients<R>(i, begin, end, tile_.data(), ld);
  }

  Rule rule_;
  dtw_band band_;
  std::ptrdiff_t block_ = 0;  // rows whose shares are kept at a time
  tensor<T, 1, scalar> tile_, row_, shares_, kept_, e_row_;
};

}  // namespace detail
LIMBIC_END
