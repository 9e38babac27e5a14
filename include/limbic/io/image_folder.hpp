// limbic/io/image_folder.hpp - labelled images as files, one folder for each class
//
//   image_data const d = read_image_folder("faces", {.decode = my_decode});
//
//   faces/anger/S010_004_00000017.png          all to train on: the layout of CK+ as it is passed around ("CK+48"), where
//   faces/happy/S010_006_00000013.png          the first four letters of a file's name are the subject
//
//   faces/train/1/train_00001_aligned.jpg      in parts: the layout of RAF-DB as it is passed around; that of its authors is
//   faces/test/7/test_0001_aligned.jpg         read by io/raf_db.hpp
//
// There are parts where there is a folder `train`; the others are `test`, and `validation`, `valid` or `val`. Classes are the
// folders of what is trained on, and files are read, both in the order of their names, byte by byte. Names that begin with a
// dot are left out, and files whose ending is not .pgm, .ppm, .pnm, .png, .jpg, .jpeg or .bmp, in any case. The first three
// are decoded here, the others by codecs.decode. All images have one size and one number of channels.
//
// Errors: no folders, a class without an image, a class in a part that was not trained on, an image that cannot be decoded
// or has another size than the first.
#pragma once

#include <limbic/io/folder.hpp>
#include <limbic/io/image_set.hpp>
#include <limbic/io/netpbm.hpp>

LIMBIC_BEGIN

namespace detail {

enum class image_kind { none, netpbm, other };

inline image_kind image_kind_of(std::string_view file) {
  std::size_t const dot = file.rfind('.');
  if (dot == file.npos) return image_kind::none;
  std::string ending(file.substr(dot + 1));
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (std::string_view const known : {"pgm", "ppm", "pnm"})
    if (ending == known) return image_kind::netpbm;
  for (std::string_view const known : {"png", "jpg", "jpeg", "bmp"})
    if (ending == known) return image_kind::other;
  return image_kind::none;
}

inline decoded_image read_image(std::string const& path, codecs const& with) {
  constexpr std::string_view who = "image_folder";
  auto const bytes = read_file(who, path);
  if (image_kind_of(path) == image_kind::netpbm) return decode_netpbm(shown(path), bytes);
  if (with.decode == nullptr) fail<io_error>(who, shown(path), ": the image is compressed, and codecs has no decode");
  decoded_image x;
  if (!with.decode(bytes, x))
    fail<io_error>(who, shown(path), ": the image is damaged, or of a kind that is not decoded");
  if (x.height < 1 || x.width < 1 || x.channels < 1 ||
      byte_count({x.height, x.width, x.channels}, 1) != x.pixels.size())
    fail<io_error>(who, shown(path), ": the decoder gave ", x.pixels.size(), " values for an image of ", x.width, " x ",
                   x.height, " x ", x.channels);
  return x;
}

// The images in files, which are labelled and at least one.
inline image_set load_images(std::vector<std::string> files, std::vector<std::int64_t> const& labels,
                             codecs const& with) {
  auto const n = static_cast<std::ptrdiff_t>(files.size());
  image_set s;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    std::string const& path = files[static_cast<std::size_t>(i)];
    decoded_image const x = read_image(path, with);
    if (i == 0) s = allocate_images(n, x.channels, x.height, x.width);
    auto const to = s.images.view()[i];
    if (!(to.shape() == shape<3>{{x.channels, x.height, x.width}}))
      fail<io_error>("image_folder", shown(path), ": ", x.width, " x ", x.height, " x ", x.channels,
                     ", but the images before have ", to.extent(2), " x ", to.extent(1), " x ", to.extent(0),
                     " (width, height, channels)");
    std::uint8_t const* from = x.pixels.data();
    for (std::ptrdiff_t p = 0; p < x.height * x.width; ++p)
      for (std::ptrdiff_t c = 0; c < x.channels; ++c) to.data()[c * x.height * x.width + p] = *from++;
    s.labels(i) = labels[static_cast<std::size_t>(i)];
  }
  s.files = std::move(files);
  return s;
}

// The part in a folder; classes are found there if there are none yet.
inline image_set read_image_classes(std::string const& folder, codecs const& with, std::vector<std::string>& classes) {
  constexpr std::string_view who = "image_folder";
  auto const listing = list_folder(who, folder);
  if (listing.folders.empty()) fail<io_error>(who, shown(folder), ": there is no folder of a class in it");
  if (classes.empty()) classes = listing.folders;
  std::vector<std::string> files;
  std::vector<std::int64_t> labels;
  for (auto const& name : listing.folders) {
    auto const known = std::lower_bound(classes.begin(), classes.end(), name);
    if (known == classes.end() || *known != name)
      fail<io_error>(who, shown(folder), ": the class '", name, "' was not trained on");
    std::size_t const before = files.size();
    for (auto const& file : list_folder(who, joined(folder, name)).files)
      if (image_kind_of(file) != image_kind::none) files.push_back(joined(joined(folder, name), file));
    if (files.size() == before) fail<io_error>(who, shown(joined(folder, name)), ": there is no image of this class");
    labels.resize(files.size(), known - classes.begin());
  }
  return load_images(std::move(files), labels, with);
}

}  // namespace detail

inline image_data read_image_folder(std::string const& folder, codecs const& with = {}) {
  auto const listing = list_folder("image_folder", folder);
  image_data d;
  if (!listing.has_folder("train")) {
    d.train = detail::read_image_classes(folder, with, d.classes);
  } else {
    d.train = detail::read_image_classes(detail::joined(folder, "train"), with, d.classes);
    for (std::string_view const name : {"validation", "valid", "val"})
      if (listing.has_folder(name) && d.validation.size() == 0)
        d.validation = detail::read_image_classes(detail::joined(folder, name), with, d.classes);
    if (listing.has_folder("test"))
      d.test = detail::read_image_classes(detail::joined(folder, "test"), with, d.classes);
  }
  return detail::checked("image_folder", folder, std::move(d));
}

LIMBIC_END
