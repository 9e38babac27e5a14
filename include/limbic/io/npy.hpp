// limbic/io/npy.hpp - one array in NumPy's own format
//
//   tensor<float, 2> const x = npy_file("x.npy").read<float, 2>();
//   save_npy("y.npy", y);                               numpy.load("y.npy")
//
//   6 bytes   \x93NUMPY                                  the format: NEP 1, numpy.lib.format
//   2 bytes   version: 1.0, 2.0 or 3.0
//   2 or 4    N, little-endian (2 bytes in version 1)
//   N bytes   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, blanks and a line end
//   the rest  the elements
//
// Read are all versions, both orders of axes and both orders of bytes, and b1, i1 to i8, u1 to u8, f2, f4, f8. Written is
// version 1.0, row-major, little-endian. What turns into what: io/dtype.hpp. A file that is not as it says gives io_error.
#pragma once

#include <limbic/io/dtype.hpp>
#include <limbic/io/file.hpp>

LIMBIC_BEGIN

namespace detail {

// What NumPy calls each dtype; it has no bf16.
inline constexpr std::string_view npy_names[] = {"b1", "u1", "i1", "u2", "i2", "f2", "",
                                                 "u4", "i4", "f4", "u8", "i8", "f8"};

// An array within bytes that somebody else owns, found to be well formed.
struct npy_array {
  dtype type = dtype::f64;
  std::vector<std::ptrdiff_t> shape;
  bool fortran_order = false;  // the first axis lies closest
  bool big_endian = false;
  std::span<std::byte const> bytes;
};

// Reads the header: a Python dict of three entries in any order, with any blanks.
class npy_parser {
 public:
  // Errors begin with `who` and `where`, the file and perhaps the member of an archive.
  npy_parser(std::string_view who, std::string const& where, std::span<std::byte const> bytes)
      : who_(who), where_(where), bytes_(bytes) {}

  npy_array parse() {
    std::string_view const all(reinterpret_cast<char const*>(bytes_.data()), bytes_.size());
    if (!all.starts_with("\x93NUMPY")) wrong("this is no array of NumPy: it does not begin with \\x93NUMPY");
    if (all.size() < 10) wrong("the file ends within its header");
    int const version = byte(6);
    if (version < 1 || version > 3 || byte(7) != 0)
      wrong("the format's version is ", version, ".", byte(7), ", expected 1.0, 2.0 or 3.0");
    std::size_t const start = version == 1 ? 10 : 12;
    if (all.size() < start) wrong("the file ends within its header");
    std::uint64_t length = 0;
    for (std::size_t i = start; i-- > 8;) length = 256 * length + static_cast<std::uint64_t>(byte(i));
    if (length > all.size() - start)
      wrong("the header should be ", length, " bytes long, the file has ", all.size(), " in all");
    text_ = all.substr(start, static_cast<std::size_t>(length));
    dictionary();

    a_.bytes = bytes_.subspan(start + static_cast<std::size_t>(length));
    std::uint64_t const needed = byte_count(a_.shape, describe(a_.type).size);
    if (needed != a_.bytes.size())
      wrong("shape ", shown(a_.shape), " of ", describe(a_.type).name, " needs ", needed, " bytes, the file has ",
            a_.bytes.size());
    return std::move(a_);
  }

 private:
  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>(who_, where_, ": ", parts...);
  }
  [[noreturn]] LIMBIC_COLD void malformed(std::string_view expected) const {
    wrong("the header is malformed at its byte ", at_, ", expected ", expected);
  }
  int byte(std::size_t i) const { return std::to_integer<int>(bytes_[i]); }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool accept(std::string_view word) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word)) malformed(word);
  }
  std::string_view quoted() {
    char quote = '\'';
    if (!accept("'")) expect("\""), quote = '"';
    std::size_t const end = text_.find(quote, at_);
    if (end == text_.npos) malformed("a closing quote");
    auto const s = text_.substr(at_, end - at_);
    at_ = end + 1;
    return s;
  }

  void dictionary() {
    int seen = 0;
    auto const once = [&](int bit) {
      if ((seen & bit) != 0) malformed("every key once");
      seen |= bit;
    };
    expect("{");
    while (!accept("}")) {
      std::string_view const key = quoted();
      expect(":");
      if (key == "descr") once(1), description();
      else if (key == "fortran_order") once(2), truth();
      else if (key == "shape") once(4), extents();
      else malformed("descr, fortran_order or shape as a key");
      if (accept(",")) continue;
      expect("}");
      break;
    }
    skip_blanks();
    if (at_ != text_.size()) malformed("the end of the header");
    if (seen != 7) wrong("the header needs descr, fortran_order and shape");
  }
  void description() {
    if (accept("[")) wrong("a structured dtype cannot be read, expected a plain number");
    std::string_view const name = quoted();
    auto const known =
        name.size() == 3 ? std::find(std::begin(npy_names), std::end(npy_names), name.substr(1)) : std::end(npy_names);
    if (known == std::end(npy_names) || std::string_view("<>|=").find(name[0]) == std::string_view::npos)
      wrong("the dtype '", name.substr(0, 40), "' cannot be read, expected b1, i1 to i8, u1 to u8, f2, f4 or f8");
    a_.type = static_cast<dtype>(known - std::begin(npy_names));
    a_.big_endian = name[0] == '>' && describe(a_.type).size > 1;
  }
  void truth() {
    a_.fortran_order = accept("True");
    if (!a_.fortran_order) expect("False");
  }
  void extents() {
    expect("(");
    while (!accept(")")) {
      a_.shape.push_back(extent());
      if (accept(",")) continue;
      expect(")");
      if (a_.shape.size() == 1) malformed("a comma: (5) is no tuple");
      break;
    }
  }
  std::ptrdiff_t extent() {
    skip_blanks();
    std::size_t const start = at_;
    std::ptrdiff_t n = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      int const digit = text_[at_] - '0';
      if (n > (PTRDIFF_MAX - digit) / 10) malformed("a smaller number");
      n = n * 10 + digit;
    }
    if (at_ == start) malformed("a number");
    accept("L");  // as Python 2 wrote large ones
    return n;
  }

  std::string_view who_;
  std::string const& where_;
  std::span<std::byte const> bytes_;
  std::string_view text_;
  std::size_t at_ = 0;
  npy_array a_;
};

// The elements row by row, which `to` has room for.
template <class T> void read_npy(std::string_view who, std::string const& where, npy_array const& a, T* to) {
  if (!converts<T>(a.type))
    fail<io_error>(who, where, ": the array holds ", describe(a.type).name, ", expected ", accepted<T>());
  std::size_t const size = describe(a.type).size;
  std::span<std::byte const> bytes = a.bytes;
  std::vector<std::byte> turned;
  if (a.big_endian) {
    turned.assign(bytes.begin(), bytes.end());
    auto const step = static_cast<std::ptrdiff_t>(size);
    for (auto first = turned.begin(); first != turned.end(); first += step) std::reverse(first, first + step);
    bytes = turned;
  }
  if (!a.fortran_order || a.shape.size() < 2) return convert(a.type, bytes, to);

  auto const count = static_cast<std::ptrdiff_t>(bytes.size() / size);
  tensor<T, 1, scalar> stored(shape<1>{{count}}, uninitialized);
  convert(a.type, bytes, stored.data());
  std::vector<std::ptrdiff_t> at(a.shape.size(), 0);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    std::ptrdiff_t from = 0;
    for (std::size_t k = a.shape.size(); k-- > 0;) from = from * a.shape[k] + at[k];
    to[i] = stored(from);
    for (std::size_t k = a.shape.size(); k-- > 0 && ++at[k] == a.shape[k];) at[k] = 0;
  }
}
template <class T, int R, class D>
tensor<T, R, D> read_npy(std::string_view who, std::string const& where, npy_array const& a) {
  if (a.shape.size() != static_cast<std::size_t>(R))
    fail<io_error>(who, where, ": the array has shape ", shown(a.shape), ", expected rank ", R);
  shape<R> extents;
  for (int i = 0; i < R; ++i) extents[i] = a.shape[static_cast<std::size_t>(i)];
  tensor<T, R, D> result(extents, uninitialized);
  read_npy(who, where, a, result.data());
  return result;
}

// The part of a file that lies before the elements; with it the elements begin at a multiple of 64 bytes.
inline std::string npy_header(named_view const& v) {
  auto const size = byte_count(v.shape, describe(v.type).size);
  if (size > static_cast<std::uint64_t>(PTRDIFF_MAX) || (v.data == nullptr && size > 0))
    fail<argument_error>("save_npy", "the view '", v.name, "' of shape ", shown(v.shape), " has no elements to write");
  std::string_view const name = npy_names[static_cast<int>(v.type)];
  if (name.empty()) fail<argument_error>("save_npy", "NumPy has no dtype ", describe(v.type).name);
  std::string extents;
  for (auto const n : v.shape) extents += std::to_string(n) + (v.shape.size() == 1 ? "," : ", ");
  if (v.shape.size() > 1) extents.resize(extents.size() - 2);
  std::string text = "{'descr': '";
  text += describe(v.type).size > 1 ? '<' : '|';
  text += name;
  text += "', 'fortran_order': False, 'shape': (" + extents + "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  if (text.size() > 0xFFFF) fail<argument_error>("save_npy", "rank ", v.shape.size(), " does not fit into the header");
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(text.size() % 256);
  start += static_cast<char>(text.size() / 256);
  return start + text;
}

}  // namespace detail

// A file that was read and found to be well formed.
class npy_file {
 public:
  explicit npy_file(std::string path)
      : path_(std::move(path)),
        bytes_(read_file("npy", path_)),
        array_(detail::npy_parser("npy", detail::shown(path_), bytes_).parse()) {}
  npy_file(npy_file const&) = delete;  // the array lies in bytes_, which a move keeps in place
  npy_file(npy_file&&) noexcept = default;
  npy_file& operator=(npy_file const&) = delete;
  npy_file& operator=(npy_file&&) noexcept = default;
  ~npy_file() = default;

  // The path that it was read from.
  std::string const& path() const { return path_; }
  // The type of the elements in the file.
  dtype type() const { return array_.type; }
  // Extents.
  std::vector<std::ptrdiff_t> const& shape() const { return array_.shape; }

  // The elements as a tensor; shape_error for another rank.
  template <class T, int R, class D = default_device>
    requires(is_host<D>)
  tensor<T, R, D> read() const {
    return detail::read_npy<T, R, D>("npy", detail::shown(path_), array_);
  }
  // The elements row by row, for a rank that is known at run time only.
  template <class T> tensor<T, 1, scalar> elements() const {
    auto const size = detail::describe(array_.type).size;
    tensor<T, 1, scalar> all(limbic::shape<1>{{static_cast<std::ptrdiff_t>(array_.bytes.size() / size)}},
                             uninitialized);
    detail::read_npy("npy", detail::shown(path_), array_, all.data());
    return all;
  }

 private:
  std::string path_;
  std::vector<std::byte> bytes_;
  detail::npy_array array_;
};

// Replaces the file as a whole.
template <class T, int R, class D>
  requires(is_host<D>)
void save_npy(std::string const& path, view<T, R, D> const& x) {
  named_view const v(path, x);
  std::string const header = detail::npy_header(v);
  std::span<std::byte const> const pieces[] = {std::as_bytes(std::span(header)), v.bytes()};
  write_file("npy", path, pieces);
}
template <class T, int R, class D> void save_npy(std::string const& path, tensor<T, R, D> const& x) {
  save_npy(path, x.view());
}

LIMBIC_END
