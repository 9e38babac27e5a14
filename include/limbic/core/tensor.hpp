// limbic/core/tensor.hpp - an owning, contiguous, 64-byte aligned array of static rank and dynamic extents
//
//   tensor<float, 2> a({2, 3});                    zeros
//   tensor<float, 2> b({2, 3}, {1, 2, 3, 4, 5, 6});  row by row
//   tensor<float, 2> c(v);                         the elements of a view, strided or not
//
// Copies are deep. The memory is the one current where the tensor is made (see memory.hpp), and goes back there.
#pragma once

#include <limbic/core/memory.hpp>
#include <limbic/core/view.hpp>

#include <initializer_list>
#include <utility>

namespace limbic {

// Asks for a tensor whose elements are not set.
struct uninitialized_t {};
inline constexpr uninitialized_t uninitialized{};  // tensor(shape, uninitialized): the elements are not set

template <class T, int R, class D = default_device> class tensor {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  static constexpr int rank = R;

  LIMBIC_INLINE tensor() {}
  LIMBIC_INLINE tensor(limbic::shape<R> const& extents, uninitialized_t) { allocate(extents); }
  LIMBIC_INLINE explicit tensor(limbic::shape<R> const& extents, T value = T(0)) {
    allocate(extents);
    fill_elements(D{}, v_.data(), size(), value);
  }
  LIMBIC_INLINE tensor(limbic::shape<R> const& extents, std::initializer_list<T> values) {
    if (static_cast<std::ptrdiff_t>(values.size()) != extents.size())
      fail<shape_error>("tensor", values.size(), " values do not fill shape ", extents);
    allocate(extents);
    copy_elements(D{}, v_.data(), values.begin(), size());
  }
  LIMBIC_INLINE explicit tensor(limbic::view<T const, R, D> const& from) {
    allocate(from.shape());
    if (from.is_contiguous()) copy_elements(D{}, v_.data(), from.data(), size());
    else gather_elements(D{}, v_.data(), from.data(), from.shape(), from.strides());
  }
  LIMBIC_INLINE explicit tensor(limbic::view<T, R, D> const& from) : tensor(limbic::view<T const, R, D>(from)) {}
  LIMBIC_INLINE tensor(tensor const& other) : tensor(limbic::view<T const, R, D>(other.v_)) {}
  LIMBIC_INLINE tensor(tensor&& other) noexcept
      : v_(std::exchange(other.v_, limbic::view<T, R, D>())), owner_(std::exchange(other.owner_, nullptr)) {}
  LIMBIC_INLINE tensor& operator=(tensor const& other) {
    if (this == &other) return *this;
    if (owner_ != nullptr && shape() == other.shape())  // keep the address: optimisers and captured views rely on it
      copy_elements(D{}, v_.data(), other.v_.data(), size());
    else *this = tensor(other);
    return *this;
  }
  LIMBIC_INLINE tensor& operator=(tensor&& other) noexcept {
    std::swap(v_, other.v_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  LIMBIC_INLINE ~tensor() {
    if (owner_ != nullptr) owner_->deallocate(v_.data(), bytes());
  }

  // The first element; the others follow in row-major order.
  LIMBIC_INLINE T* data() { return v_.data(); }
  LIMBIC_INLINE T const* data() const { return v_.data(); }
  // Extents of all axes.
  LIMBIC_INLINE limbic::shape<R> const& shape() const { return v_.shape(); }
  // The extent of one axis, counted from the front.
  LIMBIC_INLINE std::ptrdiff_t extent(int axis) const { return v_.extent(axis); }
  // The number of elements; 1 at rank 0.
  LIMBIC_INLINE std::ptrdiff_t size() const { return v_.size(); }
  // Whether there is no element.
  LIMBIC_INLINE bool empty() const { return size() == 0; }

  // A window onto all elements; it must not outlive the tensor.
  LIMBIC_INLINE limbic::view<T, R, D> view() { return v_; }
  LIMBIC_INLINE limbic::view<T const, R, D> view() const { return v_; }
  LIMBIC_INLINE operator limbic::view<T, R, D>() { return v_; }
  LIMBIC_INLINE operator limbic::view<T const, R, D>() const { return v_; }

  template <class... I>
    requires(sizeof...(I) == R && (std::is_integral_v<I> && ...) && is_host<D>)
  LIMBIC_INLINE T& operator()(I... i) {
    return v_(i...);
  }
  template <class... I>
    requires(sizeof...(I) == R && (std::is_integral_v<I> && ...) && is_host<D>)
  LIMBIC_INLINE T const& operator()(I... i) const {
    return v_(i...);
  }
  // Contiguous elements, so that `for (float x : a)` works on the CPU.
  LIMBIC_INLINE T* begin()
    requires is_host<D>
  {
    return v_.data();
  }
  // Behind the last element.
  LIMBIC_INLINE T* end()
    requires is_host<D>
  {
    return v_.data() + size();
  }
  LIMBIC_INLINE T const* begin() const
    requires is_host<D>
  {
    return v_.data();
  }
  LIMBIC_INLINE T const* end() const
    requires is_host<D>
  {
    return v_.data() + size();
  }

 private:
  LIMBIC_INLINE std::size_t bytes() const { return static_cast<std::size_t>(size()) * sizeof(T); }
  LIMBIC_INLINE void allocate(limbic::shape<R> const& extents) {
    for (int i = 0; i < R; ++i)
      if (extents[i] < 0) fail<shape_error>("tensor", "extents must not be negative, but came ", extents);
    // An empty tensor has no elements, but it is not null: it owns the smallest block.
    memory& from = current_memory(D{});
    v_ = limbic::view<T, R, D>(static_cast<T*>(from.allocate(static_cast<std::size_t>(extents.size()) * sizeof(T))),
                               extents);
    owner_ = &from;
  }

  limbic::view<T, R, D> v_;
  memory* owner_ = nullptr;
};

}  // namespace limbic
