// limbic/io/mat.hpp - numeric arrays by name in a MAT file of MATLAB 5 to 7
//
//   mat_file const data("train_32x32.mat", {.inflate = my_inflate});
//   auto const x = data.read<std::uint8_t, 4>("X");            indices in MATLAB's order: X(i, j, k, l) is x(i-1, ...)
//   auto const y = data.integers("y");                         whatever type they are stored as
//
//   128 bytes   text, version 0x0100, "IM" (little-endian)     the format: MathWorks, MAT-File Format, chapter 1
//   then        elements: type and size (4 bytes each), data, padding to 8 bytes; up to 4 bytes of data lie in the tag:
//               15 compressed: a zlib stream of one element, without padding
//               14 matrix: flags, extents, name, and the numbers, the first axis closest; small integers of any class are
//               stored as the shortest type that holds them
//
// What is no real, full numeric array (text, cells, structs, sparse or complex numbers) is left out. Refused with io_error
// are version 7.3 (HDF5), big-endian files, sizes that do not fit together, an array whose name is there twice.
#pragma once

#include <limbic/io/codecs.hpp>
#include <limbic/io/npy.hpp>

LIMBIC_BEGIN

// A file that was read and found to be well formed.
class mat_file {
 public:
  explicit mat_file(std::string path, codecs const& with = {}) : path_(std::move(path)) {
    store_.push_back(read_file("mat", path_));
    parse(with);
  }
  mat_file(mat_file const&) = delete;  // the arrays lie in store_, which a move keeps in place
  mat_file(mat_file&&) noexcept = default;
  mat_file& operator=(mat_file const&) = delete;
  mat_file& operator=(mat_file&&) noexcept = default;
  ~mat_file() = default;

  // The path that it was read from.
  std::string const& path() const { return path_; }
  // The arrays' names, in the order of the file.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (auto const& a : arrays_) all.push_back(a.name);
    return all;
  }
  // Whether there is an array of this name.
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  // The type that the numbers of an array are stored as.
  dtype type(std::string_view name) const { return get(name).array.type; }
  // Extents of an array, at least 2 of them.
  std::vector<std::ptrdiff_t> const& shape(std::string_view name) const { return get(name).array.shape; }
  // The numbers as they are stored, the first axis closest.
  std::span<std::byte const> bytes(std::string_view name) const { return get(name).array.bytes; }

  // The array as a tensor.
  template <class T, int R, class D = default_device>
    requires(is_host<D>)
  tensor<T, R, D> read(std::string_view name) const {
    auto const& a = get(name);
    return detail::read_npy<T, R, D>("mat", where(a), a.array);
  }

  // All numbers of an array as integers, in the order they are stored in.
  tensor<std::int64_t, 1> integers(std::string_view name) const {
    auto const& a = get(name);
    std::size_t const size = detail::describe(a.array.type).size;
    tensor<std::int64_t, 1> all(limbic::shape<1>{{static_cast<std::ptrdiff_t>(a.array.bytes.size() / size)}},
                                uninitialized);
    for (std::ptrdiff_t i = 0; i < all.size(); ++i) {
      double const x = number(a.array.type, a.array.bytes.data() + static_cast<std::size_t>(i) * size);
      if (!(x >= -0x1p53 && x <= 0x1p53) || static_cast<double>(static_cast<std::int64_t>(x)) != x)
        fail<io_error>("mat", where(a), ": number ", i, " is ", x, ", expected an integer");
      all(i) = static_cast<std::int64_t>(x);
    }
    return all;
  }

 private:
  struct member {
    std::string name;
    detail::npy_array array;
  };
  // One element: its type, its data, and how many bytes it takes with tag and padding.
  struct element {
    std::uint32_t type = 0;
    std::span<std::byte const> data;
    std::size_t taken = 0;
  };
  static constexpr std::uint32_t type_i8 = 1, type_i32 = 5, type_u32 = 6, type_matrix = 14, type_compressed = 15;

  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>("mat", detail::shown(path_), ": ", parts...);
  }
  std::string where(member const& a) const { return detail::shown(path_) + ": '" + a.name + "'"; }

  member const* find(std::string_view name) const {
    for (auto const& a : arrays_)
      if (a.name == name) return &a;
    return nullptr;
  }
  member const& get(std::string_view name) const {
    if (auto const* const a = find(name)) return *a;
    std::string known;
    for (auto const& a : arrays_) known += (known.empty() ? "'" : ", '") + a.name + "'";
    wrong("there is no numeric array '", name, "'; there are ", known.empty() ? "none" : known);
  }

  template <class T> static double as_double(std::byte const* p) {
    T x;
    std::memcpy(&x, p, sizeof(T));  // a file aligns nothing
    return static_cast<double>(x);
  }
  static double number(dtype type, std::byte const* p) {
    switch (type) {
      case dtype::i8:
        return as_double<std::int8_t>(p);
      case dtype::u8:
        return as_double<std::uint8_t>(p);
      case dtype::i16:
        return as_double<std::int16_t>(p);
      case dtype::u16:
        return as_double<std::uint16_t>(p);
      case dtype::i32:
        return as_double<std::int32_t>(p);
      case dtype::u32:
        return as_double<std::uint32_t>(p);
      case dtype::i64:
        return as_double<std::int64_t>(p);
      case dtype::u64:
        return as_double<std::uint64_t>(p);
      case dtype::f32:
        return as_double<float>(p);
      default:
        return as_double<double>(p);
    }
  }
  static std::uint32_t word(std::span<std::byte const> bytes, std::size_t at) {
    std::uint32_t x;
    std::memcpy(&x, bytes.data() + at, 4);
    return x;
  }

  element next(std::span<std::byte const> from, std::string_view what) const {
    if (from.size() < 8) wrong(what, " ends within a tag: ", from.size(), " bytes are left");
    std::uint32_t const first = word(from, 0);
    if (std::size_t const size = first >> 16; size > 0) {
      if (size > 4) wrong(what, " has a short element of ", size, " bytes, at most 4 are possible");
      return {first & 0xFFFFU, from.subspan(4, size), 8};
    }
    std::size_t const size = word(from, 4), left = from.size() - 8;
    if (size > left) wrong(what, " has an element of ", size, " bytes where ", left, " are left");
    std::size_t const padding = first == type_compressed ? 0 : (8 - size % 8) % 8;
    return {first, from.subspan(8, size), 8 + std::min(size + padding, left)};
  }

  void parse(codecs const& with) {
    std::span<std::byte const> const all = store_[0];
    std::string_view const text = detail::as_text(all);
    if (text.starts_with("MATLAB 7.3 MAT-file"))
      wrong("version 7.3 is HDF5, which cannot be read: in MATLAB, save with -v7");
    if (all.size() < 128) wrong("a MAT file begins with 128 bytes, the file has ", all.size());
    if (text.substr(126, 2) == "MI") wrong("the file is big-endian, expected little-endian");
    if (text.substr(124, 4) != std::string_view("\x00\x01IM", 4))
      wrong("this is no MAT file of version 5: the bytes 124 to 127 are not 0 1 I M");
    for (std::size_t at = 128; at < all.size();) {
      element e = next(all.subspan(at), "the file");
      at += e.taken;
      if (e.type == type_compressed) {
        if (with.inflate == nullptr) wrong("the file is compressed, and codecs has no inflate");
        std::vector<std::byte> unpacked;
        if (!with.inflate(e.data, unpacked))
          wrong("the compressed data that end at byte ", at, " are damaged, or end early");
        store_.push_back(std::move(unpacked));
        e = next(store_.back(), "a compressed element");
      }
      if (e.type == type_matrix) matrix(e.data);
    }
  }

  void matrix(std::span<std::byte const> data) {
    auto const part = [&](std::string_view what) {
      element const e = next(data, what);
      data = data.subspan(e.taken);
      return e;
    };
    element const flags = part("an array");
    if (flags.type != type_u32 || flags.data.size() != 8) wrong("an array does not begin with its flags");
    std::uint32_t const kind = word(flags.data, 0) & 0xFFU;
    bool const complex = (word(flags.data, 0) & 0x800U) != 0;
    if (kind < 6 || kind > 15 || complex) return;

    element const extents = part("an array");
    if (extents.type != type_i32 || extents.data.size() < 8 || extents.data.size() % 4 != 0)
      wrong("an array has no extents");
    element const name = part("an array");
    if (name.type != type_i8) wrong("an array has no name");
    member m;
    m.name = detail::as_text(name.data);
    if (find(m.name) != nullptr) wrong("there are two arrays '", m.name, "'");
    for (std::size_t i = 0; i < extents.data.size(); i += 4)
      m.array.shape.push_back(static_cast<std::int32_t>(word(extents.data, i)));

    element const numbers = part("an array");
    constexpr dtype types[] = {dtype::i8,  dtype::u8,  dtype::i16, dtype::u16, dtype::i32, dtype::u32, dtype::f32,
                               dtype::f64, dtype::f64, dtype::f64, dtype::f64, dtype::i64, dtype::u64};
    bool const known =
        (numbers.type >= 1 && numbers.type <= 7) || numbers.type == 9 || numbers.type == 12 || numbers.type == 13;
    if (!known) wrong("'", m.name, "' has numbers of the type ", numbers.type, ", which is none");
    m.array.type = numbers.type == 9 ? dtype::f64 : types[numbers.type - 1];
    m.array.fortran_order = true;
    m.array.bytes = numbers.data;
    for (auto const n : m.array.shape)
      if (n < 1) return;  // an array without elements: nobody reads it
    std::uint64_t const needed = detail::byte_count(m.array.shape, detail::describe(m.array.type).size);
    if (needed != numbers.data.size())
      wrong("'", m.name, "' of shape ", detail::shown(m.array.shape), " needs ", needed, " bytes of ",
            detail::describe(m.array.type).name, ", the file has ", numbers.data.size());
    arrays_.push_back(std::move(m));
  }

  std::string path_;
  std::vector<std::vector<std::byte>> store_;  // the file, then what was compressed in it
  std::vector<member> arrays_;
};

LIMBIC_END
