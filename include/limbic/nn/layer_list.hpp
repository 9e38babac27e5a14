// limbic/nn/layer_list.hpp - layers whose number is known at run time only
//
// Owns a fixed number of layers, made by a function of their index. Copies are deep. Visited under their indices.
#pragma once

#include <limbic/core/memory.hpp>

#include <utility>

LIMBIC_BEGIN

template <class Layer> class layer_list {
 public:
  // The type of one layer.
  using value_type = Layer;

  layer_list() = default;
  // Begins as an empty list, so that one whose `make` throws gives back what it has.
  template <class Make> layer_list(std::ptrdiff_t count, Make const& make) : layer_list() {
    reserve(count);
    for (; size_ < count; ++size_) ::new (static_cast<void*>(layers_ + size_)) Layer(make(size_));
  }
  layer_list(layer_list const& other) : layer_list(other.size_, [&](std::ptrdiff_t i) { return other[i]; }) {}
  layer_list(layer_list&& other) noexcept { swap(other); }
  layer_list& operator=(layer_list other) noexcept {
    swap(other);
    return *this;
  }
  ~layer_list() {
    for (std::ptrdiff_t i = 0; i < size_; ++i) layers_[i].~Layer();
    if (layers_ != nullptr) from_->deallocate(layers_, bytes_);
  }

  // The number of layers.
  std::ptrdiff_t size() const { return size_; }
  Layer& operator[](std::ptrdiff_t i) { return layers_[i]; }
  Layer const& operator[](std::ptrdiff_t i) const { return layers_[i]; }
  // For range-for, in their order.
  Layer* begin() { return layers_; }
  // Behind the last layer.
  Layer* end() { return layers_ + size_; }
  Layer const* begin() const { return layers_; }
  Layer const* end() const { return layers_ + size_; }

 private:
  void reserve(std::ptrdiff_t count) {
    static_assert(alignof(Layer) <= alignment);
    if (count == 0) return;
    from_ = &current_memory(scalar{});
    bytes_ = static_cast<std::size_t>(count) * sizeof(Layer);
    layers_ = static_cast<Layer*>(from_->allocate(bytes_));
  }
  void swap(layer_list& other) noexcept {
    std::swap(layers_, other.layers_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    std::swap(from_, other.from_);
  }
  Layer* layers_ = nullptr;
  std::ptrdiff_t size_ = 0;
  std::size_t bytes_ = 0;
  memory* from_ = nullptr;
};

LIMBIC_END
