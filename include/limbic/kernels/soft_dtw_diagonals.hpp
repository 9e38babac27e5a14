// limbic/kernels/soft_dtw_diagonals.hpp - dynamic time warping of one pair: a pack is neighbours along an anti-diagonal
//
// The cells with i + j = k depend on those of k - 1 and k - 2 only. Everything of a diagonal lies at its row i, so that
// left, up and diagonal neighbours are packs at i and i - 1; y is reversed, so that y_{k-i} follows x_i. The last pack of a
// diagonal reaches beyond it: what it leaves there is overwritten by what a border holds.
#pragma once

#include <limbic/kernels/soft_dtw_step.hpp>

LIMBIC_BEGIN
namespace detail {

// Rows first .. last of diagonal k that take part; first > last where there is none.
struct dtw_diagonal {
  std::ptrdiff_t k, first, last;
  dtw_diagonal(dtw_band const& b, std::ptrdiff_t number)
      : k(number), first(0), last(number < b.tx ? number : b.tx - 1) {
    if (k >= b.ty) first = k - b.ty + 1;
    if (k > b.reach && first < (k - b.reach + 1) / 2) first = (k - b.reach + 1) / 2;
    if (last > (k + b.reach) / 2) last = (k + b.reach) / 2;
  }
};

template <class D, class T> class dtw_series_diagonals {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  static constexpr std::ptrdiff_t W = L::width;

  dtw_series_diagonals(view<T const, 3, D> x, view<T const, 3, D> y, view<T, 3, D> gx, view<T, 3, D> gy,
                       dtw_pairs const& pairs)
      : all_x_(x),
        all_y_(y),
        all_gx_(gx),
        all_gy_(gy),
        pairs_(pairs),
        tx_(x.extent(1)),
        ty_(y.extent(1)),
        channels_(x.extent(2)),
        x_(room(tx_)),
        y_(room(ty_)),
        gx_(room(gx ? tx_ : -W)),
        gy_(room(gy ? ty_ : -W)) {}
  void load(std::ptrdiff_t p) {
    view<T const, 2, D> const x = all_x_[pairs_.x(p)], y = all_y_[pairs_.y(p)];
    out_x_ = all_gx_ ? all_gx_[p] : view<T, 2, D>();
    out_y_ = all_gy_ ? all_gy_[p] : view<T, 2, D>();
    fill(scalar{}, gx_.view(), T(0));
    fill(scalar{}, gy_.view(), T(0));
    for (std::ptrdiff_t c = 0; c < channels_; ++c) {
      for (std::ptrdiff_t i = 0; i < tx_; ++i) x_.data()[c * (tx_ + W) + i] = x(i, c);
      for (std::ptrdiff_t j = 0; j < ty_; ++j) y_.data()[c * (ty_ + W) + ty_ - 1 - j] = y(j, c);
    }
  }
  V cost(dtw_diagonal const& d, std::ptrdiff_t i) const {
    T const *x = x_.data() + i, *y = y_.data() + i + ty_ - 1 - d.k;
    V sum(0);
    for (std::ptrdiff_t c = 0; c < channels_; ++c, x += tx_ + W, y += ty_ + W) {
      V const difference = L::load(x) - L::load(y);
      sum = math::fma(difference, difference, sum);
    }
    return sum;
  }
  void gradients(dtw_diagonal const& d, T const* e) {
    for (std::ptrdiff_t c = 0; c < channels_; ++c)
      for (std::ptrdiff_t i = d.first; i <= d.last; i += W) {
        std::ptrdiff_t const x = c * (tx_ + W) + i, y = c * (ty_ + W) + i + ty_ - 1 - d.k;
        V const share = L::load(e + i), difference = L::load(x_.data() + x) - L::load(y_.data() + y);
        if (out_x_) L::store(gx_.data() + x, math::fma(share, difference, L::load(gx_.data() + x)));
        if (out_y_) L::store(gy_.data() + y, math::fma(share, -difference, L::load(gy_.data() + y)));
      }
  }
  void finish() const {
    for (std::ptrdiff_t c = 0; c < channels_; ++c) {
      for (std::ptrdiff_t i = 0; out_x_ && i < tx_; ++i) out_x_(i, c) = twice(gx_.data()[c * (tx_ + W) + i]);
      for (std::ptrdiff_t j = 0; out_y_ && j < ty_; ++j) out_y_(j, c) = twice(gy_.data()[c * (ty_ + W) + ty_ - 1 - j]);
    }
  }

 private:
  tensor<T, 1, scalar> room(std::ptrdiff_t steps) const {
    return tensor<T, 1, scalar>(shape<1>{{(steps + W) * channels_ + W}});
  }
  static T twice(T v) { return v + v; }

  view<T const, 3, D> all_x_, all_y_;
  view<T, 3, D> all_gx_, all_gy_;
  view<T, 2, D> out_x_, out_y_;  // of the pair
  dtw_pairs pairs_;
  std::ptrdiff_t tx_, ty_, channels_;
  tensor<T, 1, scalar> x_, y_, gx_, gy_;  // [channel][step], W more steps of 0; y reversed
};

template <class D, class T> class dtw_cost_diagonals {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;

  dtw_cost_diagonals(view<T const, 3, D> costs, view<T, 3, D> e) : all_costs_(costs), all_e_(e) {}
  void load(std::ptrdiff_t p) {
    costs_ = all_costs_[p];
    if (!all_e_) return;
    e_ = all_e_[p];
    fill(D{}, e_, T(0));
  }
  V cost(dtw_diagonal const& d, std::ptrdiff_t i) const {
    T lane[L::width] = {};
    for (std::ptrdiff_t w = 0; w < L::width && i + w <= d.last; ++w) lane[w] = costs_(i + w, d.k - i - w);
    return L::load(lane);
  }
  void gradients(dtw_diagonal const& d, T const* e) {
    for (std::ptrdiff_t i = d.first; i <= d.last; ++i) e_(i, d.k - i) = e[i];
  }
  void finish() const {}

 private:
  view<T const, 3, D> all_costs_;
  view<T, 3, D> all_e_;
  view<T const, 2, D> costs_;  // of the pair
  view<T, 2, D> e_;
};

template <class Rule, class D, class T> class dtw_diagonals {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  using state = typename Rule::template state<V>;
  static constexpr std::ptrdiff_t W = L::width;

  // Whether a pair gives packs enough to do, and its shares fit.
  static bool suit(dtw_band const& band) {
    std::ptrdiff_t const shorter = band.tx < band.ty ? band.tx : band.ty;
    return W > 1 && shorter >= W && longest(band) >= W &&
           3 * shares_row(band) * (band.tx + band.ty) * static_cast<std::ptrdiff_t>(sizeof(T)) <= 4 * shares_bytes;
  }

  dtw_diagonals(Rule const& rule, dtw_band const& band, bool backward)
      : rule_(rule), band_(band), count_(band.tx + band.ty - 1), ld_(shares_row(band)), gap_(band.tx + 3 * W) {
    auto const room = [](std::ptrdiff_t n) { return tensor<T, 1, scalar>(shape<1>{{n}}, uninitialized); };
    states_ = room(3 * Rule::words * gap_);
    if (!backward) return;
    shares_ = room(3 * ld_ * (count_ + 2) + W);
    e_ = room(3 * gap_);
  }

  template <class Source> T forward(Source const& source) {
    for (std::ptrdiff_t k = -2; k < 0; ++k)
      for (std::ptrdiff_t i = -W; i + W <= band_.tx + 2 * W; i += W) store(k, i, Rule::template border<V>());
    // Before the first cell: row -1 of diagonal -2. One lane of a pack that starts there; the others are a border.
    store(-2, -1, Rule::template start<V>());
    for (std::ptrdiff_t i = 0; i < 2 * W && i < band_.tx + W; i += W) store(-2, i, Rule::template border<V>());
    if (shares_.empty()) run<false>(source);
    else run<true>(source);
    T lane[W];
    L::store(lane, rule_.value(load(count_ - 1, band_.tx - 1)));
    return lane[0];
  }

  template <class Source> void backward(Source& source) {
    fill(scalar{}, e_.view(), T(0));
    for (std::ptrdiff_t m = 0; m < 2; ++m)  // two diagonals beyond the last
      fill(scalar{}, shares_.view().slice(0, 3 * ld_ * (count_ + m), 3 * ld_ * (count_ + m + 1)), T(0));
    for (std::ptrdiff_t k = count_ - 1; k >= 0; --k) {
      dtw_diagonal const d(band_, k), next(band_, k + 1), after(band_, k + 2);
      T* const e = e_row(k);
      T const *const e1 = e_row(k + 1), *const e2 = e_row(k + 2);
      for (std::ptrdiff_t i = d.first; i <= d.last; i += W) {
        V const corner = L::load(e2 + i + 1) * L::load(share(after, 0, i + 1));
        V const above = math::fma(L::load(e1 + i + 1), L::load(share(next, 1, i + 1)), corner);
        L::store(e + i, math::fma(L::load(e1 + i), L::load(share(next, 2, i)), above));
      }
      if (k == count_ - 1) e[band_.tx - 1] = T(1);
      L::store(e + d.first - W, V(0));
      L::store(e + d.last + 1, V(0));
      source.gradients(d, e);
    }
    source.finish();
  }

 private:
  static std::ptrdiff_t longest(dtw_band const& b) {
    std::ptrdiff_t const shorter = b.tx < b.ty ? b.tx : b.ty;
    return b.reach + 1 < shorter ? b.reach + 1 : shorter;
  }
  static std::ptrdiff_t shares_row(dtw_band const& b) { return longest(b) + 3 * W; }

  // Three diagonals of states and of E, row i at W + i.
  T* at(std::ptrdiff_t k, std::ptrdiff_t i) { return states_.data() + (k + 3) % 3 * Rule::words * gap_ + W + i; }
  state load(std::ptrdiff_t k, std::ptrdiff_t i) { return Rule::template load<L>(at(k, i), gap_); }
  void store(std::ptrdiff_t k, std::ptrdiff_t i, state const& s) { Rule::template store<L>(at(k, i), s, gap_); }
  T* e_row(std::ptrdiff_t k) { return e_.data() + k % 3 * gap_ + W; }
  // Share n (diagonal, up, left) of the cell in row i.
  T* share(dtw_diagonal const& d, std::ptrdiff_t n, std::ptrdiff_t i) {
    return shares_.data() + (3 * d.k + n) * ld_ + W + i - d.first;
  }

  template <bool Shares, class Source> void run(Source const& source) {
    V const scale = math::constant<V>(rule_.cost_scale());
    for (std::ptrdiff_t k = 0; k < count_; ++k) {
      dtw_diagonal const d(band_, k);
      for (std::ptrdiff_t i = d.first; i <= d.last; i += W) {
        dtw_shares<V> s;
        store(k, i,
              Rule::template step<Shares>(load(k - 2, i - 1), load(k - 1, i - 1), load(k - 1, i),
                                          scale * source.cost(d, i), s));
        if constexpr (Shares) {
          L::store(share(d, 0, i), s.diagonal);
          L::store(share(d, 1, i), s.up);
          L::store(share(d, 2, i), s.left);
        }
      }
      store(k, d.first - W, Rule::template border<V>());
      store(k, d.last + 1, Rule::template border<V>());
      if constexpr (Shares)
        for (std::ptrdiff_t n = 0; n < 3; ++n) {
          L::store(share(d, n, d.first) - W, V(0));
          L::store(share(d, n, d.last + 1), V(0));
        }
    }
  }

  Rule rule_;
  dtw_band band_;
  std::ptrdiff_t count_, ld_, gap_;
  tensor<T, 1, scalar> states_, shares_, e_;
};

}  // namespace detail
LIMBIC_END
