// limbic/io/npz.hpp - arrays by name in one zip archive, as numpy.savez writes it
//
//   npz_file const data("data.npz");
//   tensor<double, 2> const x = data.read<double, 2>("x");        the member x.npy
//   named_view const arrays[] = {{"x", x}, {"y", y}};
//   save_npz("copy.npz", arrays);                                  numpy.load("copy.npz")["x"]
//
// A zip archive without compression (PKWARE's APPNOTE 6.3.10): for each member a local header, its name NAME.npy and its
// bytes; then the central directory, and its end record. The same arrays give the same bytes, as times are all 1980-01-01.
// Checked are all positions, sizes, and every member's CRC-32. Compressed members (numpy.savez_compressed) and archives
// from 4 GiB on (zip64) are refused by name, with io_error.
#pragma once

#include <limbic/io/crc32.hpp>
#include <limbic/io/npy.hpp>

LIMBIC_BEGIN

namespace detail {

inline std::string_view without_npy(std::string_view name) {
  return name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name;
}

// Little-endian numbers of a zip archive.
inline std::uint32_t zip_number(std::span<std::byte const> bytes, std::size_t at, int size) {
  std::uint32_t n = 0;
  for (int i = size; i-- > 0;) n = n << 8 | std::to_integer<std::uint32_t>(bytes[at + static_cast<std::size_t>(i)]);
  return n;
}
inline void append_zip_number(std::string& to, std::uint32_t n, int size) {
  for (int i = 0; i < size; ++i) to += static_cast<char>(static_cast<unsigned char>(n >> 8 * i));
}

inline constexpr std::uint32_t zip_local = 0x04034B50, zip_central = 0x02014B50, zip_end = 0x06054B50;

// What the local header and the central directory say of a member alike.
inline void append_zip_fields(std::string& to, std::string const& name, std::uint32_t crc, std::uint32_t size) {
  bool const ascii = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
  append_zip_number(to, 20, 2);                   // version 2.0 is needed to read it
  append_zip_number(to, ascii ? 0 : 1 << 11, 2);  // the name is UTF-8
  append_zip_number(to, 0, 2);                    // stored
  append_zip_number(to, 0x00210000, 4);           // 1980-01-01, 0:00
  append_zip_number(to, crc, 4);
  append_zip_number(to, size, 4);
  append_zip_number(to, size, 4);
  append_zip_number(to, static_cast<std::uint32_t>(name.size()), 2);
  append_zip_number(to, 0, 2);  // nothing extra
}

}  // namespace detail

// A file that was read and found to be well formed.
class npz_file {
 public:
  explicit npz_file(std::string path) : path_(std::move(path)), bytes_(read_file("npz", path_)) { parse(); }
  npz_file(npz_file const&) = delete;  // the arrays lie in bytes_, which a move keeps in place
  npz_file(npz_file&&) noexcept = default;
  npz_file& operator=(npz_file const&) = delete;
  npz_file& operator=(npz_file&&) noexcept = default;
  ~npz_file() = default;

  // The path that it was read from.
  std::string const& path() const { return path_; }
  // In the order of the file, without ".npy".
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (auto const& m : members_) all.push_back(m.name);
    return all;
  }
  // Whether there is an array of this name.
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  // The type of the elements of an array.
  dtype type(std::string_view name) const { return get(name).array.type; }
  // Extents of an array.
  std::vector<std::ptrdiff_t> const& shape(std::string_view name) const { return get(name).array.shape; }

  // `name` with or without ".npy".
  template <class T, int R, class D = default_device>
    requires(is_host<D>)
  tensor<T, R, D> read(std::string_view name) const {
    auto const& m = get(name);
    return detail::read_npy<T, R, D>("npz", where(m.name), m.array);
  }

 private:
  struct member {
    std::string name;
    detail::npy_array array;
  };

  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>("npz", detail::shown(path_), ": ", parts...);
  }
  std::string where(std::string const& name) const { return detail::shown(path_) + ": '" + name + "'"; }

  member const* find(std::string_view name) const {
    for (auto const& m : members_)
      if (m.name == detail::without_npy(name)) return &m;
    return nullptr;
  }
  member const& get(std::string_view name) const {
    if (auto const* const m = find(name)) return *m;
    std::string known;
    for (auto const& m : members_) known += (known.empty() ? "'" : ", '") + m.name + "'";
    wrong("there is no array '", name, "'; there are ", known.empty() ? "none" : known);
  }

  std::uint32_t number(std::size_t at, int size) const { return detail::zip_number(bytes_, at, size); }

  // The place of the end record: the last one whose comment reaches to the end of the file.
  std::size_t find_end() const {
    for (std::size_t comment = 0; comment <= 0xFFFF && comment + 22 <= bytes_.size(); ++comment) {
      std::size_t const at = bytes_.size() - 22 - comment;
      if (number(at, 4) == detail::zip_end && number(at + 20, 2) == comment) return at;
    }
    wrong("this is no zip archive, or its end is missing");
  }

  void parse() {
    std::size_t const end = find_end();
    std::uint32_t const count = number(end + 10, 2), size = number(end + 12, 4), start = number(end + 16, 4);
    if (count == 0xFFFF || size == 0xFFFFFFFF || start == 0xFFFFFFFF)
      wrong("this is a zip64 archive, of 4 GiB or 65535 members and more, which cannot be read");
    if (number(end + 4, 4) != 0 || number(end + 8, 2) != count) wrong("the archive has several parts");
    if (start > end || size != end - start)
      wrong("the directory should be the ", size, " bytes from ", start, " to the end record at ", end);
    std::size_t at = start;
    for (std::uint32_t i = 0; i < count; ++i) at = entry(at, start, end);
    if (at != end) wrong("the directory has bytes beyond its ", count, " members");
    for (auto const& m : members_)
      if (find(m.name) != &m) wrong("two members are called '", m.name, "'");
  }

  // Reads the entry of the directory at `at`; returns the place of the next.
  std::size_t entry(std::size_t at, std::size_t start, std::size_t end) {
    if (end - at < 46 || number(at, 4) != detail::zip_central) wrong("the directory is malformed at byte ", at);
    std::size_t const length = number(at + 28, 2);
    std::size_t const next = at + 46 + length + number(at + 30, 2) + number(at + 32, 2);
    if (next > end) wrong("the directory is malformed at byte ", at);
    auto const text = [&](std::size_t from) {
      return std::string(reinterpret_cast<char const*>(bytes_.data()) + from, length);
    };
    std::string const file = text(at + 46);
    std::string const name(detail::without_npy(file));
    std::uint32_t const flags = number(at + 8, 2), method = number(at + 10, 2), crc = number(at + 16, 4),
                        size = number(at + 24, 4), local = number(at + 42, 4);
    if ((flags & 1U) != 0) wrong("'", name, "' is encrypted");
    if (method != 0)
      wrong("'", name, "' is compressed (method ", method,
            "): write it with numpy.savez instead of numpy.savez_compressed");
    if (size == 0xFFFFFFFF || local == 0xFFFFFFFF) wrong("'", name, "' has 4 GiB or more (zip64) and cannot be read");
    if (number(at + 20, 4) != size) wrong("'", name, "' is stored, but its two sizes differ");
    if (local > start || start - local < 30 || number(local, 4) != detail::zip_local)
      wrong("'", name, "' should begin at byte ", local, ", where no member begins");
    std::size_t const body = std::size_t{local} + 30 + number(local + 26, 2) + number(local + 28, 2);
    if (number(local + 26, 2) != length || body > start || size > start - body || text(std::size_t{local} + 30) != file)
      wrong("'", name, "' of ", size, " bytes does not lie at byte ", local, " as the directory says");
    std::span<std::byte const> const bytes(bytes_.data() + body, size);
    if (crc32(bytes) != crc) wrong("'", name, "' is damaged: its CRC-32 is not the one that the directory says");
    members_.push_back({name, detail::npy_parser("npz", where(name), bytes).parse()});
    return next;
  }

  std::string path_;
  std::vector<std::byte> bytes_;
  std::vector<member> members_;
};

// Writes the arrays in their order; the target is replaced as a whole.
inline void save_npz(std::string const& path, std::span<named_view const> arrays) {
  constexpr std::uint64_t most = 0xFFFFFFFE;
  std::vector<std::string> headers;  // for each array: local header, name and npy header
  std::vector<std::span<std::byte const>> pieces;
  std::string directory;
  std::uint64_t offset = 0;
  headers.reserve(arrays.size());
  for (auto const& v : arrays) {
    for (auto const* before = arrays.data(); before != &v; ++before)
      if (before->name == v.name)
        fail<argument_error>("npz", "every array needs a name of its own, '", v.name, "' is taken");
    std::string const start = detail::npy_header(v), file = v.name + ".npy";
    auto const elements = v.bytes();
    std::uint64_t const size = start.size() + elements.size();
    if (offset > most || size > most || file.size() > 0xFFFF || arrays.size() >= 0xFFFF)
      fail<argument_error>("npz", "'", v.name, "' takes the archive beyond 4 GiB or 65534 arrays: use safetensors");
    std::uint32_t const crc = crc32(elements, crc32(std::as_bytes(std::span(start))));

    detail::append_zip_number(directory, detail::zip_central, 4);
    detail::append_zip_number(directory, 20, 2);
    detail::append_zip_fields(directory, file, crc, static_cast<std::uint32_t>(size));
    detail::append_zip_number(directory, 0, 4);  // no comment, first disk
    detail::append_zip_number(directory, 0, 2);
    detail::append_zip_number(directory, 0, 4);
    detail::append_zip_number(directory, static_cast<std::uint32_t>(offset), 4);
    directory += file;

    std::string& local = headers.emplace_back();
    detail::append_zip_number(local, detail::zip_local, 4);
    detail::append_zip_fields(local, file, crc, static_cast<std::uint32_t>(size));
    local += file;
    local += start;
    pieces.push_back(std::as_bytes(std::span(local)));
    pieces.push_back(elements);
    offset += local.size() + elements.size();
  }
  if (offset > most || directory.size() > most)
    fail<argument_error>("npz", "the arrays take ", offset,
                         " bytes, an archive holds less than 4 GiB: use safetensors");
  auto const count = static_cast<std::uint32_t>(arrays.size());
  auto const size = static_cast<std::uint32_t>(directory.size());
  detail::append_zip_number(directory, detail::zip_end, 4);
  detail::append_zip_number(directory, 0, 4);  // one disk
  detail::append_zip_number(directory, count, 2);
  detail::append_zip_number(directory, count, 2);
  detail::append_zip_number(directory, size, 4);
  detail::append_zip_number(directory, static_cast<std::uint32_t>(offset), 4);
  detail::append_zip_number(directory, 0, 2);
  pieces.push_back(std::as_bytes(std::span(directory)));
  write_file("npz", path, pieces);
}

LIMBIC_END
