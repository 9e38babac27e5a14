// limbic/io/read_images.hpp - a data set of images, whatever its format
//
//   image_data const d = read_images("data/mnist", {.inflate = my_inflate, .decode = my_decode});
//   image_format const f = find_image_format("data/mnist");              image_format::idx
//
//   idx       a folder with files *-images-idx3-ubyte, plain or .gz      MNIST, Fashion-MNIST, 8x8 digits: io/idx.hpp
//   cifar10   a folder with files data_batch_*.bin                       io/cifar10.hpp
//   svhn      a folder with a file train_32x32.mat                       io/svhn.hpp
//   fer2013   a file *.csv, or a folder with fer2013.csv,                io/fer2013.hpp
//             icml_face_data.csv or train.csv, in this order
//   raf_db    a folder with the folders EmoLabel and Image               io/raf_db.hpp
//   folder    any other folder with folders in it                        CK+ and your own: io/image_folder.hpp
#pragma once

#include <limbic/io/cifar10.hpp>
#include <limbic/io/fer2013.hpp>
#include <limbic/io/idx.hpp>
#include <limbic/io/image_folder.hpp>
#include <limbic/io/raf_db.hpp>
#include <limbic/io/svhn.hpp>

LIMBIC_BEGIN

enum class image_format { idx, cifar10, svhn, fer2013, raf_db, folder };

namespace detail {

inline constexpr std::string_view fer2013_names[] = {"fer2013.csv", "icml_face_data.csv", "train.csv"};

inline image_format image_format_of(std::string const& path, folder_listing const& listing) {
  std::string_view stem;
  std::string labels;
  for (auto const& file : listing.files) {
    if (idx_stem(file, stem, labels)) return image_format::idx;
    if (file.starts_with("data_batch_") && file.ends_with(".bin")) return image_format::cifar10;
  }
  if (listing.has_file("train_32x32.mat")) return image_format::svhn;
  for (auto const name : fer2013_names)
    if (listing.has_file(name)) return image_format::fer2013;
  if (listing.has_folder("EmoLabel") && listing.has_folder("Image")) return image_format::raf_db;
  if (!listing.folders.empty()) return image_format::folder;
  fail<io_error>("read_images", shown(path), ": no data set is known by what is in this folder: ", listing.files.size(),
                 " files, ", listing.files.empty() ? "no" : listing.files.front(),
                 " first, and no folder; expected *-images-idx3-ubyte, data_batch_*.bin, train_32x32.mat, fer2013.csv, "
                 "or a folder for each class");
}

}  // namespace detail

// By the names of the files alone; io_error where they say nothing.
inline image_format find_image_format(std::string const& path) {
  if (path.ends_with(".csv")) return image_format::fer2013;
  return detail::image_format_of(path, list_folder("read_images", path));
}

// What find_image_format finds there, read.
inline image_data read_images(std::string const& path, codecs const& with = {}) {
  if (path.ends_with(".csv")) return read_fer2013(path);
  folder_listing const listing = list_folder("read_images", path);
  switch (detail::image_format_of(path, listing)) {
    case image_format::idx:
      return read_idx_images(path, with);
    case image_format::cifar10:
      return read_cifar10(path);
    case image_format::svhn:
      return read_svhn(path, with);
    case image_format::raf_db:
      return read_raf_db(path, with);
    case image_format::folder:
      return read_image_folder(path, with);
    case image_format::fer2013:
      break;
  }
  auto const there = [&](std::string_view name) { return listing.has_file(name); };
  auto const name = std::find_if(std::begin(detail::fer2013_names), std::end(detail::fer2013_names), there);
  return read_fer2013(detail::joined(path, *name));
}

LIMBIC_END
