// limbic/io/idx.hpp - arrays in the IDX format of the MNIST data, and the data sets that come so
//
//   tensor<std::uint8_t, 3> const x = idx_file("t10k-images-idx3-ubyte").read<std::uint8_t, 3>();
//   image_data const d = read_idx_images("fashion-mnist", {.inflate = my_inflate});
//
//   2 bytes   0                                         the format: LeCun, Cortes, Burges, the MNIST database
//   1 byte    type: 8 u8, 9 i8, 11 i16, 12 i32, 13 f32, 14 f64
//   1 byte    rank R
//   4 R       extents, big-endian
//   the rest  the elements, row by row, big-endian
//
// A data set is a folder with pairs of files STEM-images-idx3-ubyte and STEM-labels-idx1-ubyte (or ".idx3-ubyte"), plain
// or gzip streams with the ending .gz. A stem that ends in "t10k" or "test" is what to test on, any other is trained on; a
// part in two pairs is refused. Images have any size and one channel. The classes are 0 to the largest label trained on.
//
// Errors: a first number that is not as above, extents of 0, more or fewer bytes than the extents say; counts of images
// and labels that differ, labels out of range, a class without an image.
#pragma once

#include <limbic/io/codecs.hpp>
#include <limbic/io/folder.hpp>
#include <limbic/io/image_set.hpp>
#include <limbic/io/npy.hpp>

LIMBIC_BEGIN

// A file that was read and found to be well formed.
class idx_file {
 public:
  explicit idx_file(std::string path, codecs const& with = {})
      : path_(std::move(path)), bytes_(detail::read_unpacked("idx", path_, with)) {
    parse();
  }
  idx_file(idx_file const&) = delete;  // the array lies in bytes_, which a move keeps in place
  idx_file(idx_file&&) noexcept = default;
  idx_file& operator=(idx_file const&) = delete;
  idx_file& operator=(idx_file&&) noexcept = default;
  ~idx_file() = default;

  // The path that it was read from.
  std::string const& path() const { return path_; }
  // The type of the elements in the file.
  dtype type() const { return array_.type; }
  // Extents.
  std::vector<std::ptrdiff_t> const& shape() const { return array_.shape; }
  // The elements as a tensor.
  template <class T, int R, class D = default_device>
    requires(is_host<D>)
  tensor<T, R, D> read() const {
    return detail::read_npy<T, R, D>("idx", detail::shown(path_), array_);
  }

 private:
  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>("idx", detail::shown(path_), ": ", parts...);
  }
  int byte(std::size_t i) const { return std::to_integer<int>(bytes_[i]); }

  void parse() {
    if (bytes_.size() < 4) wrong("an IDX file begins with 4 bytes, the file has ", bytes_.size());
    if (byte(0) != 0 || byte(1) != 0)
      wrong("this is no IDX file: it begins with the bytes ", byte(0), " ", byte(1), ", expected 0 0");
    switch (byte(2)) {
      case 8:
        array_.type = dtype::u8;
        break;
      case 9:
        array_.type = dtype::i8;
        break;
      case 11:
        array_.type = dtype::i16;
        break;
      case 12:
        array_.type = dtype::i32;
        break;
      case 13:
        array_.type = dtype::f32;
        break;
      case 14:
        array_.type = dtype::f64;
        break;
      default:
        wrong("the type of the elements is ", byte(2), ", expected 8, 9, 11, 12, 13 or 14");
    }
    auto const rank = static_cast<std::size_t>(byte(3));
    std::size_t const start = 4 + 4 * rank;
    if (bytes_.size() < start)
      wrong("a header of rank ", rank, " takes ", start, " bytes, the file has ", bytes_.size());
    for (std::size_t k = 0; k < rank; ++k) {
      std::ptrdiff_t n = 0;
      for (std::size_t i = 0; i < 4; ++i) n = 256 * n + byte(4 + 4 * k + i);
      if (n == 0) wrong("axis ", k, " has extent 0");
      array_.shape.push_back(n);
    }
    std::size_t const size = detail::describe(array_.type).size;
    array_.big_endian = size > 1;
    array_.bytes = std::span<std::byte const>(bytes_).subspan(start);
    std::uint64_t const needed = detail::byte_count(array_.shape, size);
    if (needed != array_.bytes.size())
      wrong("shape ", detail::shown(array_.shape), " of ", detail::describe(array_.type).name, " needs ", needed,
            " bytes after the header, the file has ", array_.bytes.size());
  }

  std::string path_;
  std::vector<std::byte> bytes_;
  detail::npy_array array_;
};

namespace detail {

// One part of a data set. Labels below `classes` are in range; 0: all are.
inline image_set read_idx_pair(std::string const& images, std::string const& labels, codecs const& with,
                               std::ptrdiff_t classes) {
  tensor<std::uint8_t, 3> const x = idx_file(images, with).read<std::uint8_t, 3>();
  tensor<std::uint8_t, 1> const y = idx_file(labels, with).read<std::uint8_t, 1>();
  if (x.extent(0) != y.size())
    fail<io_error>("idx", shown(labels), ": ", y.size(), " labels for ", x.extent(0), " images");
  image_set s = allocate_images(x.extent(0), 1, x.extent(1), x.extent(2));
  std::copy(x.begin(), x.end(), s.images.begin());
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) {
    if (classes > 0 && y(i) >= classes)
      fail<io_error>("idx", shown(labels), ": record ", i, " has the label ", y(i), ", expected 0 to ", classes - 1,
                     ", which were trained on");
    s.labels(i) = y(i);
  }
  return s;
}

// What stands before "-images-idx3-ubyte" in a file's name, or nothing.
inline bool idx_stem(std::string_view file, std::string_view& stem, std::string& labels) {
  bool const packed = file.ends_with(".gz");
  std::string_view const plain = packed ? file.substr(0, file.size() - 3) : file;
  for (std::string_view const ending : {"-images-idx3-ubyte", "-images.idx3-ubyte"})
    if (plain.ends_with(ending)) {
      stem = plain.substr(0, plain.size() - ending.size());
      labels = std::string(stem) + "-labels" + ending[7] + "idx1-ubyte";
      return true;
    }
  return false;
}

}  // namespace detail

// The data set in a folder.
inline image_data read_idx_images(std::string const& folder, codecs const& with = {}) {
  constexpr std::string_view who = "idx";
  folder_listing const listing = list_folder(who, folder);
  std::string images[2], labels[2];  // to train on, to test on
  for (auto const& file : listing.files) {
    std::string_view stem;
    std::string beside;
    if (!detail::idx_stem(file, stem, beside)) continue;
    bool const test = stem.ends_with("t10k") || stem.ends_with("test");
    // The same file plain and packed is one: the plain one is read.
    if (images[test] + ".gz" == file) continue;
    if (!images[test].empty())
      fail<io_error>(who, detail::shown(folder), ": '", images[test], "' and '", file, "' are both to ",
                     test ? "test" : "train", " on");
    std::string const packed = beside + ".gz";
    if (!listing.has_file(beside) && !listing.has_file(packed))
      fail<io_error>(who, detail::shown(folder), ": beside '", file, "' there is no '", beside, "'");
    images[test] = file;
    labels[test] = listing.has_file(beside) ? beside : packed;
  }
  if (images[0].empty())
    fail<io_error>(who, detail::shown(folder), ": there is no file STEM-images-idx3-ubyte to train on");
  image_data d;
  auto const part = [&](int p, std::ptrdiff_t classes) {
    return detail::read_idx_pair(detail::joined(folder, images[p]), detail::joined(folder, labels[p]), with, classes);
  };
  d.train = part(0, 0);
  std::int64_t const largest = *std::max_element(d.train.labels.begin(), d.train.labels.end());
  d.classes = detail::numbered_classes(static_cast<std::ptrdiff_t>(largest) + 1);
  if (!images[1].empty()) d.test = part(1, static_cast<std::ptrdiff_t>(largest) + 1);
  return detail::checked(who, folder, std::move(d));
}

LIMBIC_END
