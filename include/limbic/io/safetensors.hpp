// limbic/io/safetensors.hpp - tensors by name in one file, as PyTorch and others read and write them
//
//   8 bytes   N, little-endian                       the format: github.com/huggingface/safetensors
//   N bytes   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
//              "__metadata__": {"key": "text", ...}}, blanks at the end
//   the rest  the elements, row-major, little-endian; offsets count from here, without holes or overlaps
//
// Nothing in a file is believed: every size is checked before it is used, and what is wrong gives io_error with the
// file's name, what was expected and what came. Writing goes to a file beside the target, which is renamed when it is
// complete: whatever goes wrong, the target is the old file or the new one.
#pragma once

#include <limbic/io/dtype.hpp>
#include <limbic/io/file.hpp>
#include <limbic/io/json.hpp>

#include <utility>

LIMBIC_BEGIN

// A tensor in a file: its bytes belong to the safetensors_file.
struct tensor_entry {
  std::string name;                         // as the file has it
  limbic::dtype type = limbic::dtype::f32;  // of the elements
  std::vector<std::ptrdiff_t> shape;        // extents; none for a single number
  std::span<std::byte const> bytes;
};

// Texts beside the tensors, under names.
using file_metadata = std::vector<std::pair<std::string, std::string>>;

// A file that was read and found to be well formed.
class safetensors_file {
 public:
  explicit safetensors_file(std::string path) : path_(std::move(path)), bytes_(read_file("safetensors", path_)) {
    parse();
  }
  safetensors_file(safetensors_file const&) = delete;  // the entries point into bytes_, which a move keeps in place
  safetensors_file(safetensors_file&&) noexcept = default;
  safetensors_file& operator=(safetensors_file const&) = delete;
  safetensors_file& operator=(safetensors_file&&) noexcept = default;
  ~safetensors_file() = default;

  // The path that it was read from.
  std::string const& path() const { return path_; }
  std::vector<tensor_entry> const& entries() const { return entries_; }  // in the order of the names
  // The names of all tensors.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (auto const& e : entries_) all.push_back(e.name);
    return all;
  }
  // The texts of `__metadata__`, or the one of a key (empty where there is none).
  file_metadata const& metadata() const { return metadata_; }
  std::string const* metadata(std::string_view key) const {
    for (auto const& [k, value] : metadata_)
      if (k == key) return &value;
    return nullptr;
  }
  // The entry of a name; null where there is none.
  tensor_entry const* find(std::string_view name) const {
    auto const at =
        std::lower_bound(entries_.begin(), entries_.end(), name,
                         [](tensor_entry const& e, std::string_view n) { return std::string_view(e.name) < n; });
    return at != entries_.end() && at->name == name ? &*at : nullptr;
  }

  // The entry, which must exist, be of this shape and of a dtype that turns into T: floats into floats, integers
  // into the same integers.
  template <class T, int R> tensor_entry const& get(std::string_view name, shape<R> const& extents) const {
    auto const& e = get<T, R>(name);
    if (!std::equal(e.shape.begin(), e.shape.end(), extents.extents))
      fail<io_error>("safetensors", detail::shown(path_), ": tensor '", name, "' has shape ", detail::shown(e.shape),
                     ", expected ", extents);
    return e;
  }

  // Copies a tensor of exactly this shape into a contiguous view.
  template <class T, int R, class D>
    requires(is_host<D>)
  void read(std::string_view name, view<T, R, D> const& to) const {
    if (!to.is_contiguous())
      fail<argument_error>("safetensors", "the view that '", name, "' is read into must be contiguous");
    auto const& e = get<T, R>(name, to.shape());
    detail::convert(e.type, e.bytes, to.data());
  }
  template <class T, int R, class D = default_device>
    requires(is_host<D>)
  tensor<T, R, D> read(std::string_view name) const {
    auto const& e = get<T, R>(name);
    shape<R> extents;
    for (int i = 0; i < R; ++i) extents[i] = e.shape[static_cast<std::size_t>(i)];
    tensor<T, R, D> t(extents, uninitialized);
    detail::convert(e.type, e.bytes, t.data());
    return t;
  }

 private:
  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>("safetensors", detail::shown(path_), ": ", parts...);
  }

  template <class T, int R> tensor_entry const& get(std::string_view name) const {
    auto const* e = find(name);
    if (e == nullptr) wrong("there is no tensor '", name, "'");
    if (e->shape.size() != static_cast<std::size_t>(R))
      wrong("tensor '", name, "' has shape ", detail::shown(e->shape), ", expected rank ", R);
    if (!detail::converts<T>(e->type))
      wrong("tensor '", name, "' holds ", detail::describe(e->type).name, ", expected ", detail::accepted<T>());
    return *e;
  }

  void parse() {
    if (bytes_.size() < 8) wrong("a safetensors file has at least 8 bytes, this one ", bytes_.size());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    if (length > bytes_.size() - 8)
      wrong("the header should be ", length, " bytes long, the file has ", bytes_.size(), " in all");
    auto const size = static_cast<std::size_t>(length);
    std::string_view const json(reinterpret_cast<char const*>(bytes_.data()) + 8, size);
    std::span<std::byte const> const body(bytes_.data() + 8 + size, bytes_.size() - 8 - size);

    json_reader parser("safetensors", detail::shown(path_) + ": the header", json);
    parser.object([&](std::string const& name) {
      if (name == "__metadata__")
        parser.object([&](std::string const& key) { metadata_.emplace_back(key, parser.text()); });
      else entries_.push_back(entry(parser, name, body));
    });
    parser.end();

    // In the order of their bytes the tensors must lie one after the other, and fill the file.
    std::sort(entries_.begin(), entries_.end(), [](tensor_entry const& a, tensor_entry const& b) {
      return a.bytes.data() != b.bytes.data() ? a.bytes.data() < b.bytes.data() : a.bytes.size() < b.bytes.size();
    });
    std::byte const* expected = body.data();
    for (auto const& e : entries_) {
      if (e.bytes.data() != expected)
        wrong("tensor '", e.name, "' begins at offset ", e.bytes.data() - body.data(), ", expected ",
              expected - body.data());
      expected += e.bytes.size();
    }
    std::ptrdiff_t const used = expected - body.data();
    if (used != static_cast<std::ptrdiff_t>(body.size()))
      wrong("the tensors take ", used, " bytes, the file has ", body.size(), " for them");
    std::sort(entries_.begin(), entries_.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
  }

  static std::vector<std::uint64_t> whole_numbers(json_reader& parser) {
    std::vector<std::uint64_t> list;
    parser.array([&] { list.push_back(parser.whole()); });
    return list;
  }
  tensor_entry entry(json_reader& parser, std::string const& name, std::span<std::byte const> body) const {
    tensor_entry e;
    e.name = name;
    std::string type;
    std::vector<std::uint64_t> extents, offsets;
    int seen = 0;
    parser.object([&](std::string const& key) {
      if (key == "dtype") type = parser.text(), seen |= 1;
      else if (key == "shape") extents = whole_numbers(parser), seen |= 2;
      else if (key == "data_offsets") offsets = whole_numbers(parser), seen |= 4;
      else wrong("tensor '", name, "' has '", key, "', expected dtype, shape and data_offsets alone");
    });
    if (seen != 7) wrong("tensor '", name, "' needs dtype, shape and data_offsets");
    auto const known = std::find_if(std::begin(detail::dtypes), std::end(detail::dtypes),
                                    [&](auto const& d) { return d.name == type; });
    if (known == std::end(detail::dtypes)) wrong("tensor '", name, "' has the unknown dtype '", type, "'");
    e.type = static_cast<dtype>(known - std::begin(detail::dtypes));
    for (auto const n : extents) {
      if (n > static_cast<std::uint64_t>(PTRDIFF_MAX)) wrong("tensor '", name, "' has an extent of ", n);
      e.shape.push_back(static_cast<std::ptrdiff_t>(n));
    }
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > body.size())
      wrong("the data of tensor '", name, "' must lie within the ", body.size(), " bytes that follow the header");
    std::uint64_t const needed = detail::byte_count(e.shape, known->size);
    if (offsets[1] - offsets[0] != needed)
      wrong("tensor '", name, "' of shape ", detail::shown(e.shape), " needs ", needed, " bytes, its offsets give ",
            offsets[1] - offsets[0]);
    e.bytes = body.subspan(static_cast<std::size_t>(offsets[0]), static_cast<std::size_t>(needed));
    return e;
  }

  std::string path_;
  std::vector<std::byte> bytes_;
  std::vector<tensor_entry> entries_;
  file_metadata metadata_;
};

// Writes the tensors and the metadata; the same arguments give the same bytes. The target is replaced as a whole.
inline void save_safetensors(std::string const& path, std::span<named_view const> tensors,
                             file_metadata const& metadata = {}) {
  // Large elements first, so that every tensor is aligned to its elements, as other readers ask.
  std::vector<named_view const*> order;
  for (auto const& t : tensors) order.push_back(&t);
  std::sort(order.begin(), order.end(), [](auto const* a, auto const* b) {
    auto const left = detail::describe(a->type).size, right = detail::describe(b->type).size;
    return left != right ? left > right : a < b;  // else in the order given
  });

  std::vector<std::string_view> names{"__metadata__"};
  for (auto const* t : order) names.push_back(t->name);
  std::sort(names.begin(), names.end());
  auto const twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    fail<argument_error>("safetensors", "every tensor needs a name of its own, '", *twice, "' is taken");

  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (auto const& [key, value] : metadata) {
      if (json.back() != '{') json += ',';
      append_json(json, key);
      json += ':';
      append_json(json, value);
    }
    json += '}';
  }
  std::vector<std::span<std::byte const>> pieces(2);
  std::uint64_t offset = 0;
  for (auto const* t : order) {
    if (json.back() != '{') json += ',';
    append_json(json, t->name);
    json += ":{\"dtype\":\"";
    json += detail::describe(t->type).name;
    json += "\",\"shape\":[";
    for (std::size_t i = 0; i < t->shape.size(); ++i) json += (i > 0 ? "," : "") + std::to_string(t->shape[i]);
    auto const size = detail::byte_count(t->shape, detail::describe(t->type).size);
    if (size > static_cast<std::uint64_t>(PTRDIFF_MAX) || (t->data == nullptr && size > 0))
      fail<argument_error>("safetensors", "the view '", t->name, "' of shape ", detail::shown(t->shape),
                           " has no elements to write");
    json += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + size) + "]}";
    offset += size;
    pieces.emplace_back(static_cast<std::byte const*>(t->data), static_cast<std::size_t>(size));
  }
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  std::uint64_t const length = json.size();
  pieces[0] = std::as_bytes(std::span(&length, 1));
  pieces[1] = std::as_bytes(std::span(json.data(), json.size()));
  write_file("safetensors", path, pieces);
}

LIMBIC_END
