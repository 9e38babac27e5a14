// limbic/core/short_list.hpp - up to N values in the list itself: a std::vector that never allocates
//
//   short_list<tensor<float, 2>, 63> bands;
//   bands.emplace_back(shape{2, 8});  bands[0], bands.back(), for (auto const& b : bands)
//
// More than N values are an argument_error.
#pragma once

#include <limbic/core/check.hpp>

#include <cstddef>
#include <new>
#include <utility>

LIMBIC_BEGIN

template <class T, std::size_t N> class short_list {
 public:
  using value_type = T;  // of the list

  short_list() = default;
  // `count` values as T() makes them.
  explicit short_list(std::size_t count) {
    while (size_ < count) emplace_back();
  }
  short_list(short_list const& o) {
    for (T const& v : o) emplace_back(v);
  }
  short_list(short_list&& o) noexcept {
    for (T& v : o) emplace_back(std::move(v));
  }
  short_list& operator=(short_list o) noexcept {
    clear();
    for (T& v : o) emplace_back(std::move(v));
    return *this;
  }
  ~short_list() { clear(); }

  // One more value, at the end, from the arguments of its constructor.
  template <class... A> T& emplace_back(A&&... arguments) {
    if (size_ == N) fail<argument_error>("short_list", "there is room for ", N, " values only");
    T* const at = ::new (static_cast<void*>(data() + size_)) T(std::forward<A>(arguments)...);
    ++size_;
    return *at;
  }
  // The last value goes.
  void pop_back() { data()[--size_].~T(); }
  // No value is left.
  void clear() {
    while (size_ > 0) pop_back();
  }

  std::size_t size() const { return size_; }         // values
  bool empty() const { return size_ == 0; }          // no value
  T* data() { return reinterpret_cast<T*>(room_); }  // the first value
  T const* data() const { return reinterpret_cast<T const*>(room_); }
  T& operator[](std::size_t i) { return data()[i]; }
  T const& operator[](std::size_t i) const { return data()[i]; }
  T& front() { return data()[0]; }  // the first value
  T const& front() const { return data()[0]; }
  T& back() { return data()[size_ - 1]; }  // the last value
  T const& back() const { return data()[size_ - 1]; }
  T* begin() { return data(); }  // for loops over all values
  T const* begin() const { return data(); }
  T* end() { return data() + size_; }  // behind the last value
  T const* end() const { return data() + size_; }

 private:
  alignas(T) unsigned char room_[N * sizeof(T)];
  std::size_t size_ = 0;
};

LIMBIC_END
