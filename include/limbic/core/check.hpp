// limbic/core/check.hpp - errors: what was expected, what came, and which op says so
//
//   fail<shape_error>("matmul", "columns of a ", a.shape(), " must equal rows of b ", b.shape());
//   -> shape_error: [matmul] columns of a (32, 64) must equal rows of b (128, 10)
//
// With exceptions the error is thrown. Without them (-fno-exceptions, firmware) the same text reaches the handler set
// by set_error_handler, then the program aborts. Messages are built in a fixed buffer: failing allocates nothing here.
//
//   name      of each type of error, what the handler is told: "shape_error"
#pragma once

#include <limbic/config.hpp>

#include <cstdlib>
#include <exception>
#include <string_view>
#include <type_traits>

namespace limbic {

// The text of an error, cut at its capacity.
class text {
 public:
  LIMBIC_INLINE constexpr text() = default;
  // What was added so far, ended by a zero.
  LIMBIC_INLINE constexpr char const* c_str() const { return data_; }
  // The same as a view.
  LIMBIC_INLINE constexpr std::string_view view() const { return {data_, size_}; }

  // At the end; what has no room is dropped.
  LIMBIC_INLINE constexpr text& add(char c) {
    if (size_ + 1 < capacity) data_[size_++] = c;
    return *this;
  }
  LIMBIC_INLINE constexpr text& add(std::string_view s) {
    for (char c : s) add(c);
    return *this;
  }

 private:
  static constexpr std::size_t capacity = 480;
  char data_[capacity] = {};
  std::size_t size_ = 0;
};

// The base of every error limbic reports. The types are shared by all translation units, however they were compiled.
class error : public std::exception {
 public:
  LIMBIC_INLINE explicit error(text const& t) : text_(t) {}
  char const* what() const noexcept override { return text_.c_str(); }

 private:
  text text_;
};

struct shape_error : error {  // extents that do not fit together
  static constexpr std::string_view name = "shape_error";
  using error::error;
};
struct argument_error : error {  // an option or an argument outside its domain
  static constexpr std::string_view name = "argument_error";
  using error::error;
};
struct index_error : error {  // an index, a label or an axis out of range
  static constexpr std::string_view name = "index_error";
  using error::error;
};
struct tape_error : error {  // a use that the tape's state does not allow
  static constexpr std::string_view name = "tape_error";
  using error::error;
};
struct anomaly_error : error {  // a value or a gradient that is not finite, where a tape was told to look for them
  static constexpr std::string_view name = "anomaly_error";
  using error::error;
};
struct memory_error : error {  // no memory left
  static constexpr std::string_view name = "memory_error";
  using error::error;
};
struct device_error : error {  // a GPU that is missing, or that refused or failed what it was asked to do
  static constexpr std::string_view name = "device_error";
  using error::error;
};
struct io_error : error {  // a file that can't be read, written or understood
  static constexpr std::string_view name = "io_error";
  using error::error;
};

// What set_error_handler takes: a function of the name of the error type and of the message.
using error_handler = void (*)(char const* kind, char const* message);

}  // namespace limbic

LIMBIC_BEGIN

namespace detail {

template <class T> concept has_extents = requires(T const& s) {
  T::rank;
  s[0];
};

template <class I> void append_integer(text& t, I value) {
  char digits[24];
  int n = 0;
  bool negative = false;
  if constexpr (std::is_signed_v<I>) negative = value < 0;
  auto left = negative ? 0ULL - static_cast<unsigned long long>(value) : static_cast<unsigned long long>(value);
  do {
    digits[n++] = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (negative) t.add('-');
  while (n > 0) t.add(digits[--n]);
}

// Six significant digits are enough for a message; <cstdio> would cost firmware more than this loop.
inline void append_real(text& t, double value) {
  if (value != value) {
    t.add("nan");
    return;
  }
  if (value < 0) t.add('-');
  double left = value < 0 ? -value : value;
  if (left > 1.7976931348623157e308) {
    t.add("inf");
    return;
  }
  int exponent = 0;
  if (left >= 1e6 || (left > 0 && left < 1e-4)) {
    while (left >= 10) left /= 10, ++exponent;
    while (left < 1) left *= 10, --exponent;
    if (left > 9.9999995) left = 1, ++exponent;  // 1e-9 must not come out as 9.999999e-10
  }
  auto const whole = static_cast<unsigned long long>(left);
  append_integer(t, whole);
  auto fraction = static_cast<unsigned long long>((left - static_cast<double>(whole)) * 1e6 + 0.5);
  if (fraction >= 1000000) fraction = 999999;
  if (fraction > 0) {
    t.add('.');
    for (unsigned long long scale = 100000; scale > 0 && fraction > 0; scale /= 10) {
      t.add(static_cast<char>('0' + fraction / scale));
      fraction %= scale;
    }
  }
  if (exponent != 0) {
    t.add('e');
    append_integer(t, exponent);
  }
}

// Text and shapes are most of what messages are made of: one copy of each loop, not one for each message.
LIMBIC_COLD inline void append_text(text& t, std::string_view s) { t.add(s); }
template <class T> LIMBIC_COLD void append_extents(text& t, T const& extents) {
  t.add('(');
  for (int i = 0; i < T::rank; ++i) {
    if (i > 0) append_text(t, ", ");
    append_integer(t, extents[i]);
  }
  t.add(')');
}

template <class T> void append(text& t, T const& part) {
  if constexpr (std::is_same_v<T, bool>) {
    append_text(t, part ? "true" : "false");
  } else if constexpr (std::is_same_v<T, char>) {
    t.add(part);
  } else if constexpr (std::is_integral_v<T>) {
    append_integer(t, part);
  } else if constexpr (std::is_floating_point_v<T>) {
    append_real(t, static_cast<double>(part));
  } else if constexpr (has_extents<T>) {
    append_extents(t, part);
  } else {
    append_text(t, part);
  }
}

inline error_handler& current_error_handler() {
  static error_handler handler = nullptr;
  return handler;
}

template <class Error> [[noreturn]] LIMBIC_COLD void raise(text const& t) {
#if LIMBIC_EXCEPTIONS
  throw Error(t);
#else
  if (auto const handler = current_error_handler()) handler(Error::name.data(), t.c_str());
  std::abort();
#endif
}

}  // namespace detail

// Where errors go when exceptions are off; a null pointer restores a plain abort. Returns the handler before.
inline error_handler set_error_handler(error_handler handler) {
  error_handler const before = detail::current_error_handler();
  detail::current_error_handler() = handler;
  return before;
}

// Reports an error of the given type: "[op] parts...". Parts are text, numbers and shapes.
template <class Error, class... Parts>
[[noreturn]] LIMBIC_COLD void fail(std::string_view op, Parts const&... parts) {
  text t;
  t.add('[');
  detail::append_text(t, op);
  detail::append_text(t, "] ");
  (detail::append(t, parts), ...);
  detail::raise<Error>(t);
}

LIMBIC_END
