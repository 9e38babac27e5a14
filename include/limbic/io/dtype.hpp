// limbic/io/dtype.hpp - element types as files name them, and what turns into what
//
//   dtype_of<float>                      dtype::f32
//   named_view("x", x)                   what a file is told to write: name, type, shape, and where the elements lie
//   detail::convert(type, bytes, to)     the elements of a file as T: floats of any width into floats, rounded to nearest;
//                                        integers and truth values into themselves alone, as nothing else keeps them exact
//
// f16 is IEEE 754 binary16; bf16 the upper half of a float.
#pragma once

#include <limbic/core/tensor.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

LIMBIC_BEGIN

enum class dtype { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

namespace detail {

static_assert(std::endian::native == std::endian::little, "limbic: the bytes of files are used as they are");

struct dtype_info {
  std::string_view name;  // in safetensors
  std::size_t size;
};
inline constexpr dtype_info dtypes[] = {{"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"U16", 2}, {"I16", 2},
                                        {"F16", 2},  {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},
                                        {"U64", 8},  {"I64", 8},  {"F64", 8}};
constexpr dtype_info const& describe(dtype type) { return dtypes[static_cast<int>(type)]; }

template <class T> constexpr dtype find_dtype() {
  if constexpr (std::is_same_v<T, bool>) {
    return dtype::boolean;
  } else if constexpr (std::is_floating_point_v<T> && sizeof(T) <= 8) {
    return sizeof(T) == 4 ? dtype::f32 : dtype::f64;
  } else {
    static_assert(std::is_integral_v<T>, "limbic: files hold numbers of 1 to 8 bytes");
    constexpr dtype with_sign[] = {dtype::i8, dtype::i16, dtype::i32, dtype::i64};
    constexpr dtype without[] = {dtype::u8, dtype::u16, dtype::u32, dtype::u64};
    return (std::is_signed_v<T> ? with_sign : without)[std::bit_width(sizeof(T)) - 1];
  }
}

}  // namespace detail

template <class T> inline constexpr dtype dtype_of = detail::find_dtype<std::remove_const_t<T>>();

namespace detail {

// Extents that are known at run time only, as messages show them.
inline std::string shown(std::vector<std::ptrdiff_t> const& shape) {
  std::string s = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) s += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return s + ")";
}

// The number of bytes, or UINT64_MAX where that does not fit: no file has that many.
inline std::uint64_t byte_count(std::vector<std::ptrdiff_t> const& shape, std::size_t element) {
  std::uint64_t n = element;
  bool empty = false, huge = false;
  for (auto const extent : shape) {
    if (extent == 0) empty = true;
    if (extent < 0) huge = true;
    if (extent <= 0 || huge) continue;
    huge = n > UINT64_MAX / static_cast<std::uint64_t>(extent);
    n *= static_cast<std::uint64_t>(extent);
  }
  return empty ? 0 : huge ? UINT64_MAX : n;
}

inline float half_to_float(std::uint16_t h) {
  std::uint32_t const sign = std::uint32_t{h & 0x8000U} << 16;
  std::uint32_t const exponent = (h >> 10) & 31U;
  std::uint32_t mantissa = h & 0x3FFU;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
  if (exponent > 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  float const small = static_cast<float>(mantissa) * 0x1p-24F;  // subnormal, exact in float
  return sign != 0 ? -small : small;
}

inline float bfloat_to_float(std::uint16_t b) { return std::bit_cast<float>(std::uint32_t{b} << 16); }

template <class T> constexpr bool converts(dtype type) {
  if (!std::is_floating_point_v<T>) return type == dtype_of<T>;
  return type == dtype::f32 || type == dtype::f64 || type == dtype::f16 || type == dtype::bf16;
}
// What `converts` asks for, as messages say it.
template <class T> constexpr std::string_view accepted() {
  return std::is_floating_point_v<T> ? "F64, F32, F16 or BF16" : describe(dtype_of<T>).name;
}

template <class From, class T, class Function>
void convert_each(std::span<std::byte const> bytes, T* to, Function f) {
  std::size_t const n = bytes.size() / sizeof(From);
  for (std::size_t i = 0; i < n; ++i) {
    From x;
    std::memcpy(&x, bytes.data() + i * sizeof(From), sizeof(From));  // a file aligns nothing
    to[i] = static_cast<T>(f(x));
  }
}

// Requires converts<T>(type).
template <class T> void convert(dtype type, std::span<std::byte const> bytes, T* to) {
  if constexpr (std::is_same_v<T, bool>) {
    convert_each<unsigned char>(bytes, to, [](unsigned char x) { return x != 0; });  // a bool of 2 would be undefined
  } else if (type == dtype_of<T>) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  } else if constexpr (std::is_floating_point_v<T>) {
    switch (type) {
      case dtype::f64:
        return convert_each<double>(bytes, to, [](double x) { return x; });
      case dtype::f32:
        return convert_each<float>(bytes, to, [](float x) { return x; });
      case dtype::f16:
        return convert_each<std::uint16_t>(bytes, to, half_to_float);
      default:
        return convert_each<std::uint16_t>(bytes, to, bfloat_to_float);
    }
  }
}

}  // namespace detail

// A tensor to be written: contiguous elements that somebody else owns.
struct named_view {
  std::string name;                         // in the file
  limbic::dtype type = limbic::dtype::f32;  // of the elements
  std::vector<std::ptrdiff_t> shape;        // extents
  void const* data = nullptr;               // row-major, contiguous

  named_view() = default;
  template <class T, int R, class D>
    requires(is_host<D>)
  named_view(std::string with_name, view<T, R, D> const& v)
      : name(std::move(with_name)), type(dtype_of<T>), shape(v.shape().extents, v.shape().extents + R), data(v.data()) {
    if (!v.is_contiguous())
      fail<argument_error>("named_view", "the view '", name, "' must be contiguous to be written");
  }
  template <class T, int R, class D> named_view(std::string with_name, tensor<T, R, D> const& t)
      : named_view(std::move(with_name), t.view()) {}

  // The bytes of all elements.
  std::span<std::byte const> bytes() const {
    return {static_cast<std::byte const*>(data),
            static_cast<std::size_t>(detail::byte_count(shape, detail::describe(type).size))};
  }
};

LIMBIC_END
