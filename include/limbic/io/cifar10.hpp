// limbic/io/cifar10.hpp - CIFAR-10 in its binary version
//
//   image_data const d = read_cifar10("cifar-10-batches-bin");
//
// Krizhevsky 2009, "Learning multiple layers of features from tiny images": files of records of 3073 bytes, a label 0 to 9
// and 32 x 32 pixels of red, then of green, then of blue, row by row. Trained on are all files data_batch_*.bin, in the
// order of their names; tested on is test_batch.bin, which may be missing.
//
// Errors: a file that is no whole number of records, or empty; a label above 9; a class without an image.
#pragma once

#include <limbic/io/folder.hpp>
#include <limbic/io/image_set.hpp>

LIMBIC_BEGIN

namespace detail {

inline image_set read_cifar10_files(std::string const& folder, std::vector<std::string> const& names) {
  constexpr std::size_t pixels = 3 * 32 * 32, record = 1 + pixels;
  std::vector<std::vector<std::byte>> files;
  std::size_t n = 0;
  for (auto const& name : names) {
    std::string const path = joined(folder, name);
    auto const& bytes = files.emplace_back(read_file("cifar10", path));
    if (bytes.empty() || bytes.size() % record != 0)
      fail<io_error>("cifar10", shown(path), ": ", bytes.size(), " bytes are not a whole number of records of ", record,
                     " bytes: record ", bytes.size() / record, " is incomplete");
    n += bytes.size() / record;
  }
  image_set s = allocate_images(static_cast<std::ptrdiff_t>(n), 3, 32, 32);
  std::uint8_t* to = s.images.data();
  std::int64_t* label = s.labels.data();
  for (std::size_t f = 0; f < files.size(); ++f)
    for (std::size_t at = 0; at < files[f].size(); at += record, to += pixels) {
      *label = std::to_integer<std::int64_t>(files[f][at]);
      if (*label > 9)
        fail<io_error>("cifar10", shown(joined(folder, names[f])), ": record ", at / record, " has the label ", *label,
                       ", expected 0 to 9");
      ++label;
      std::memcpy(to, files[f].data() + at + 1, pixels);
    }
  return s;
}

}  // namespace detail

inline image_data read_cifar10(std::string const& folder) {
  folder_listing const listing = list_folder("cifar10", folder);
  std::vector<std::string> train;
  for (auto const& file : listing.files)
    if (file.starts_with("data_batch_") && file.ends_with(".bin")) train.push_back(file);
  if (train.empty()) fail<io_error>("cifar10", detail::shown(folder), ": there is no file data_batch_*.bin");
  image_data d;
  d.classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  d.train = detail::read_cifar10_files(folder, train);
  if (listing.has_file("test_batch.bin")) d.test = detail::read_cifar10_files(folder, {"test_batch.bin"});
  return detail::checked("cifar10", folder, std::move(d));
}

LIMBIC_END
