// limbic/core/view.hpp - a window onto elements that somebody else owns: pointer, extents, strides (in elements)
//
// A view is cheap to copy and never allocates. slice, permute, reshape and broadcast_to give other windows onto the
// same elements. A default-constructed view is null: it stands for an operand that was not given, or for a gradient
// that nobody wants.
#pragma once

#include <limbic/core/device.hpp>
#include <limbic/core/shape.hpp>

namespace limbic {

template <class T, int R, class D = default_device> class view {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  // element_type is const where elements may only be read.
  using value_type = std::remove_const_t<T>;
  using element_type = T;
  using device = D;
  static constexpr int rank = R;

  constexpr view() = default;
  LIMBIC_HD LIMBIC_INLINE constexpr view(T* data, limbic::shape<R> const& extents) : data_(data), shape_(extents) {
    std::ptrdiff_t step = 1;
    for (int i = R - 1; i >= 0; --i) {
      strides_[i] = step;
      step *= shape_[i];
    }
  }
  LIMBIC_HD LIMBIC_INLINE constexpr view(T* data, limbic::shape<R> const& extents, limbic::shape<R> const& strides)
      : data_(data), shape_(extents), strides_(strides) {}
  // A view of const elements from one of mutable ones.
  template <class U>
    requires(std::is_same_v<T, U const>)
  LIMBIC_HD LIMBIC_INLINE constexpr view(view<U, R, D> const& v)
      : data_(v.data()), shape_(v.shape()), strides_(v.strides()) {}

  // The first element; null for a null view.
  LIMBIC_HD LIMBIC_INLINE constexpr T* data() const { return data_; }
  // Extents of all axes.
  LIMBIC_HD LIMBIC_INLINE constexpr limbic::shape<R> const& shape() const { return shape_; }
  // Elements from one index to the next, for each axis.
  LIMBIC_HD LIMBIC_INLINE constexpr limbic::shape<R> const& strides() const { return strides_; }
  // The extent of one axis, counted from the front.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t extent(int axis) const { return shape_[axis]; }
  // The stride of one axis.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t stride(int axis) const { return strides_[axis]; }
  // The number of elements; 1 at rank 0.
  LIMBIC_HD LIMBIC_INLINE constexpr std::ptrdiff_t size() const { return shape_.size(); }
  // Whether there is no element.
  LIMBIC_HD LIMBIC_INLINE constexpr bool empty() const { return size() == 0; }
  LIMBIC_HD LIMBIC_INLINE explicit constexpr operator bool() const { return data_ != nullptr; }

  // True when the elements lie one after another in row-major order.
  LIMBIC_HD LIMBIC_INLINE constexpr bool is_contiguous() const {
    std::ptrdiff_t step = 1;
    for (int i = R - 1; i >= 0; --i) {
      if (shape_[i] != 1 && strides_[i] != step) return false;
      step *= shape_[i];
    }
    return true;
  }

  template <class... I>
    requires(sizeof...(I) == R && (std::is_integral_v<I> && ...))
  LIMBIC_HD LIMBIC_INLINE constexpr T& operator()(I... indices) const {
    limbic::shape<R> const at{{static_cast<std::ptrdiff_t>(indices)...}};
    std::ptrdiff_t offset = 0;
    for (int i = 0; i < R; ++i) {
#if LIMBIC_CHECK > 1 && !LIMBIC_ON_GPU
      if (at[i] < 0 || at[i] >= shape_[i])
        limbic::fail<index_error>("view", "element ", at, " lies outside of shape ", shape_);
#endif
      offset += at[i] * strides_[i];
    }
    return data_[offset];
  }

  // The i-th sub-view along the first axis: rows of a matrix, images of a batch.
  LIMBIC_HD LIMBIC_INLINE constexpr view<T, (R > 0 ? R - 1 : 0), D> operator[](std::ptrdiff_t i) const
    requires(R > 0)
  {
    limbic::shape<R - 1> extents, steps;
    for (int k = 1; k < R; ++k) {
      extents[k - 1] = shape_[k];
      steps[k - 1] = strides_[k];
    }
    return {data_ + i * strides_[0], extents, steps};
  }

  // Elements begin, begin + step, ... below end along one axis. A view without data stays one.
  LIMBIC_INLINE constexpr view slice(int axis, std::ptrdiff_t begin, std::ptrdiff_t end,
                                     std::ptrdiff_t step = 1) const {
    axis = normalize_axis("slice", axis, R);
    if (begin < 0 || end < begin || end > shape_[axis] || step < 1)
      fail<index_error>("slice", "range ", begin, " to ", end, " step ", step, " does not lie in axis ", axis, " of ",
                        shape_);
    view v = *this;
    if (data_ != nullptr) v.data_ += begin * strides_[axis];
    v.shape_[axis] = (end - begin + step - 1) / step;
    v.strides_[axis] *= step;
    return v;
  }

  // Axes in another order: axis i of the result is axis order[i] of this.
  LIMBIC_INLINE constexpr view permute(limbic::shape<R> const& order) const {
    view v = *this;
    unsigned seen = 0;
    for (int i = 0; i < R; ++i) {
      int const from = normalize_axis("permute", static_cast<int>(order[i]), R);
      seen |= 1U << from;
      v.shape_[i] = shape_[from];
      v.strides_[i] = strides_[from];
    }
    if (seen != (1U << R) - 1U) fail<argument_error>("permute", "order ", order, " does not name every axis once");
    return v;
  }

  // The last two axes exchanged.
  LIMBIC_INLINE constexpr view transpose() const
    requires(R >= 2)
  {
    view v = *this;
    v.shape_[R - 2] = shape_[R - 1];
    v.shape_[R - 1] = shape_[R - 2];
    v.strides_[R - 2] = strides_[R - 1];
    v.strides_[R - 1] = strides_[R - 2];
    return v;
  }

  // The same elements under another shape; one extent may be -1. Only for contiguous views: copy others first.
  template <int S> LIMBIC_INLINE constexpr view<T, S, D> reshape(limbic::shape<S> const& to) const {
    if (!is_contiguous())
      fail<shape_error>("reshape", "a view of shape ", shape_, " with strides ", strides_, " is not contiguous");
    return {data_, limbic::resolve_reshape(shape_, to)};
  }

  // Stretches extents of 1 and adds leading axes (stride 0) until the shape fits.
  template <int S> LIMBIC_INLINE constexpr view<T, S, D> broadcast_to(limbic::shape<S> const& to) const {
    static_assert(S >= R, "limbic: broadcast_to cannot drop axes");
    limbic::shape<S> steps;
    for (int i = 0; i < S; ++i) {
      int const from = i - (S - R);
      if (from >= 0 && shape_[from] != to[i] && shape_[from] != 1)
        fail<shape_error>("broadcast_to", "shape ", shape_, " does not broadcast to ", to);
      steps[i] = from < 0 || (shape_[from] == 1 && to[i] != 1) ? 0 : strides_[from];
    }
    return {data_, to, steps};
  }

  // An axis of extent 1 inserted before `axis`.
  LIMBIC_INLINE constexpr view<T, R + 1, D> unsqueeze(int axis) const {
    axis = normalize_axis("unsqueeze", axis, R + 1);
    limbic::shape<R + 1> extents, steps;
    for (int i = 0, k = 0; i <= R; ++i) {
      extents[i] = i == axis ? 1 : shape_[k];
      steps[i] = i == axis ? 0 : strides_[k];
      if (i != axis) ++k;
    }
    return {data_, extents, steps};
  }

  // The same elements seen from another device that shares their memory.
  template <class E>
    requires(is_host<D> && is_host<E>)
  LIMBIC_INLINE constexpr view<T, R, E> on(E) const {
    return {data_, shape_, strides_};
  }

 private:
  T* data_ = nullptr;
  limbic::shape<R> shape_;
  limbic::shape<R> strides_;
};

}  // namespace limbic
