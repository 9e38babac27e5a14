// limbic/data/batches.hpp - which samples train together
//
//   batches order(135, 32);                     135 samples in batches of 32: five, the last of 7
//   for (int epoch = 0; epoch < 100; ++epoch) {
//     order.shuffle(random);
//     for (auto const& chosen : order) step(take(x, chosen));
//   }
//
// A batch is a view of indices; take() copies the samples (along the first axis) that they name.
#pragma once

#include <limbic/core/random.hpp>

LIMBIC_BEGIN

struct batch_options {
  bool drop_last = false;  // leave out a last batch that is not full
};

class batches {
 public:
  // The samples of one batch, as numbers of rows.
  using indices = view<std::int64_t const, 1, scalar>;

  batches(std::ptrdiff_t samples, std::ptrdiff_t size, batch_options const& options = {}) : size_(size) {
    if (samples < 1 || size < 1)
      fail<argument_error>("batches", "samples and batch size must be positive, but are ", samples, " and ", size);
    count_ = options.drop_last ? samples / size : (samples + size - 1) / size;
    order_ = tensor<std::int64_t, 1, scalar>(shape<1>{{samples}}, uninitialized);
    for (std::ptrdiff_t i = 0; i < samples; ++i) order_(i) = i;
  }

  // Another order, the same for the same state of `random`.
  void shuffle(rng& random) { random.permutation(order_); }

  // For checkpoints in the middle of an epoch: between epochs the next shuffle() depends on the random stream alone.
  void each(auto&& f) {
    f("order", order_);
    f("batch_size", std::as_const(size_));
  }

  // The number of batches.
  std::ptrdiff_t size() const { return count_; }
  indices operator[](std::ptrdiff_t i) const {
    std::ptrdiff_t const begin = i * size_, end = begin + size_ < order_.size() ? begin + size_ : order_.size();
    return {order_.data() + begin, shape<1>{{end - begin}}};
  }

  // Over the batches of one epoch.
  class iterator {
   public:
    iterator(batches const& of, std::ptrdiff_t at) : of_(&of), at_(at) {}
    indices operator*() const { return (*of_)[at_]; }
    iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(iterator const&) const = default;

   private:
    batches const* of_;
    std::ptrdiff_t at_;
  };
  // For range-for: one batch after another.
  iterator begin() const { return {*this, 0}; }
  // Behind the last batch.
  iterator end() const { return {*this, count_}; }

 private:
  std::ptrdiff_t size_, count_ = 0;
  tensor<std::int64_t, 1, scalar> order_;
};

// The samples of x that the indices name, in their order.
template <class T, int R, class D>
  requires(R >= 1 && is_host<D>)
tensor<T, R, D> take(view<T const, R, D> const& x, batches::indices const& which) {
  shape<R> extents = x.shape();
  extents[0] = which.size();
  tensor<T, R, D> result(extents, uninitialized);
  std::ptrdiff_t const n = which.size() > 0 ? result.size() / which.size() : 0;
  for (std::ptrdiff_t i = 0; i < which.size(); ++i) {
    if (which(i) < 0 || which(i) >= x.extent(0))
      fail<index_error>("take", "sample ", which(i), " does not exist in shape ", x.shape());
    auto const from = x[static_cast<std::ptrdiff_t>(which(i))];
    if (from.is_contiguous()) copy_elements(D{}, result.data() + i * n, from.data(), n);
    else gather_elements(D{}, result.data() + i * n, from.data(), from.shape(), from.strides());
  }
  return result;
}
template <class T, int R, class D> auto take(tensor<T, R, D> const& x, batches::indices const& which) {
  return take(x.view(), which);
}

LIMBIC_END
