// limbic/tape/arena.hpp - memory that grows only, and goes back all at once: what a tape writes its records into
#pragma once

#include <limbic/core/memory.hpp>

LIMBIC_BEGIN

class arena {
 public:
  explicit arena(memory& from) : from_(from) {}
  arena(arena const&) = delete;
  arena& operator=(arena const&) = delete;
  ~arena() {
    while (last_ != nullptr) {
      block* const before = last_->before;
      from_.deallocate(last_, last_->bytes);
      last_ = before;
    }
  }

  // Room of so many bytes, aligned.
  void* take(std::size_t bytes, std::size_t align = alignof(void*)) {
    auto at = (reinterpret_cast<std::uintptr_t>(next_) + align - 1) / align * align;
    if (next_ == nullptr || at + bytes > reinterpret_cast<std::uintptr_t>(end_)) {
      grow(bytes + align);
      at = (reinterpret_cast<std::uintptr_t>(next_) + align - 1) / align * align;
    }
    used_ += at + bytes - reinterpret_cast<std::uintptr_t>(next_);
    next_ = reinterpret_cast<unsigned char*>(at + bytes);
    return reinterpret_cast<void*>(at);
  }
  // An object in such room; it is never destroyed.
  template <class T, class... A> T* make(A&&... a) {
    static_assert(std::is_trivially_destructible_v<T>, "limbic: what lies on a tape must be trivially destructible");
    return ::new (take(sizeof(T), alignof(T))) T{std::forward<A>(a)...};
  }

  // Bytes taken.
  std::size_t used() const { return used_; }
  // Where the blocks come from.
  memory& source() const { return from_; }

 private:
  struct block {
    block* before;
    std::size_t bytes;
  };
  static constexpr std::size_t first_block = 4096, largest_block = std::size_t{1} << 20;

  void grow(std::size_t needed) {
    std::size_t const usual = last_ == nullptr               ? first_block
                              : last_->bytes < largest_block ? 2 * last_->bytes
                                                             : largest_block;
    std::size_t const bytes = needed + sizeof(block) > usual ? needed + sizeof(block) : usual;
    auto* const b = ::new (from_.allocate(bytes)) block{last_, bytes};
    last_ = b;
    next_ = reinterpret_cast<unsigned char*>(b + 1);
    end_ = reinterpret_cast<unsigned char*>(b) + bytes;
  }

  memory& from_;
  block* last_ = nullptr;
  unsigned char* next_ = nullptr;
  unsigned char* end_ = nullptr;
  std::size_t used_ = 0;
};

LIMBIC_END
