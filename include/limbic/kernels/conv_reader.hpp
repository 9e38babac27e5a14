// limbic/kernels/conv_reader.hpp - how a kernel moves over images, and the pixels that its taps read
#pragma once

#include <limbic/backend/gemm.hpp>

LIMBIC_BEGIN

// Rows first, then columns.
struct conv_geometry {
  shape<2> stride{{1, 1}};    // pixels of x from one result to the next
  shape<2> padding{{0, 0}};   // zeros before the first row and column
  shape<2> dilation{{1, 1}};  // pixels of x from one tap to the next
  std::ptrdiff_t groups = 1;  // of channels that do not see one another
};

namespace detail {

// The taps of a kernel: how many channels, rows and columns.
struct conv_taps {
  std::ptrdiff_t channels, rows, columns;
  std::ptrdiff_t count() const { return channels * rows * columns; }
};

// Where an image lies in one that reaches as far as the taps do: from `at` in the one, from `from` in the other.
struct overlap {
  std::ptrdiff_t at, from, count;
};
inline overlap overlap_of(std::ptrdiff_t padding, std::ptrdiff_t extent, std::ptrdiff_t reach) {
  std::ptrdiff_t const at = padding < 0 ? 0 : padding < reach ? padding : reach, from = padding < 0 ? -padding : 0;
  std::ptrdiff_t const left = extent - from < reach - at ? extent - from : reach - at;
  return {at, from < extent ? from : extent, left > 0 ? left : 0};
}

// How many of so many equal items one piece of work takes: all, where there is no million of multiply-adds in them; else a
// quarter of a million at least.
inline std::ptrdiff_t conv_grain(std::ptrdiff_t items, std::ptrdiff_t work) {
  return work < (1 << 20) ? items : (1 << 18) / (work / items + 1) + 1;
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
    std::ptrdiff_t const height = x.extent(2), step = x.stride(3);
    overlap const columns = overlap_of(g_.padding[1], x.extent(3), reach_[1]);
    T* to = copied;
    for (std::ptrdiff_t c = 0; c < x.extent(0) * x.extent(1); ++c)
      for (std::ptrdiff_t r = 0; r < reach_[0]; ++r, to += reach_[1]) {
        std::ptrdiff_t const y = r - g_.padding[0];
        bool const outside = y < 0 || y >= height;
        T const* const from =
            outside ? nullptr
                    : x.data() + c / x.extent(1) * x.stride(0) + c % x.extent(1) * x.stride(1) + y * x.stride(2);
        std::ptrdiff_t const begin = outside ? reach_[1] : columns.at,
                             end = outside ? reach_[1] : begin + columns.count;
        for (std::ptrdiff_t i = 0; i < begin; ++i) to[i] = T(0);
        if (begin < end) copy_row<D>(to + begin, from + columns.from * step, step, end - begin);
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
  conv_taps taps_;
  conv_geometry g_;
  shape<2> pixels_, reach_;
  bool in_place_;
  T const* data_ = nullptr;
  std::ptrdiff_t image_ = 0, channel_, row_;  // from one image, channel, row to the next
};

}  // namespace detail

LIMBIC_END
