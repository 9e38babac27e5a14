// limbic/core/parameter.hpp - what training changes: a value and the gradient that backward passes add up in it
//
// The first contribution after clear_gradient() assigns, later ones add: nobody fills zeros. Two threads that train one
// parameter at the same time race on its gradient: give each thread a copy of the model, and add the gradients.
#pragma once

#include <limbic/core/tensor.hpp>

namespace limbic {

template <class T, int R, class D = default_device> class parameter {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  static constexpr int rank = R;

  tensor<T, R, D> value;  // what the model computes with
  bool trainable = true;  // false: frozen; no gradient is computed, no optimiser touches it

  LIMBIC_INLINE parameter() {}
  LIMBIC_INLINE explicit parameter(limbic::shape<R> const& extents) : value(extents) {}
  LIMBIC_INLINE explicit parameter(tensor<T, R, D> initial) : value(std::move(initial)) {}
  LIMBIC_INLINE parameter(parameter const& other) : value(other.value), trainable(other.trainable) {}
  LIMBIC_INLINE parameter(parameter&&) noexcept = default;
  LIMBIC_INLINE parameter& operator=(parameter const& other) {  // the value; a gradient belongs to its own model
    value = other.value;
    trainable = other.trainable;
    has_gradient_ = false;
    return *this;
  }
  LIMBIC_INLINE parameter& operator=(parameter&&) noexcept = default;
  LIMBIC_INLINE ~parameter() = default;

  // Extents of the value.
  LIMBIC_INLINE limbic::shape<R> const& shape() const { return value.shape(); }
  // Elements of the value.
  LIMBIC_INLINE std::ptrdiff_t size() const { return value.size(); }

  // False until a backward pass has reached this parameter since the gradient was last cleared.
  LIMBIC_INLINE bool has_gradient() const { return has_gradient_; }
  // Forgets the gradient and keeps its memory.
  LIMBIC_INLINE void clear_gradient() const { has_gradient_ = false; }
  // What backward passes have added up since; tape_error where none has been here.
  LIMBIC_INLINE limbic::view<T const, R, D> gradient() const {
    if (!has_gradient_) fail<tape_error>("parameter", "no backward pass has reached this parameter of shape ", shape());
    return gradient_.view();
  }
  // For backward passes and optimisers: storage of the value's shape, unset unless has_gradient().
  LIMBIC_INLINE limbic::view<T, R, D> gradient_storage() const {
    if (gradient_.data() == nullptr || !(gradient_.shape() == value.shape())) {
      gradient_ = tensor<T, R, D>(value.shape(), uninitialized);
      has_gradient_ = false;
    }
    return gradient_.view();
  }
  // For backward passes: the storage now holds a gradient.
  LIMBIC_INLINE void set_has_gradient() const { has_gradient_ = true; }

 private:
  // Mutable, since a model is const while it computes: a backward pass changes gradients, never values.
  mutable tensor<T, R, D> gradient_;
  mutable bool has_gradient_ = false;
};

}  // namespace limbic
