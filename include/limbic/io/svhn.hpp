// limbic/io/svhn.hpp - house numbers, cropped to their digits: SVHN, format 2
//
//   image_data const d = read_svhn("svhn", {.inflate = my_inflate});
//
// Netzer et al. 2011, "Reading digits in natural images with unsupervised feature learning". A folder with
// train_32x32.mat and, perhaps, test_32x32.mat; in each X (H, W, 3, N) of u8, and y of N labels 1 to 10, where 10 stands
// for the digit 0: here the class is the digit.
//
// Errors: those of mat_file; X or y missing or of another shape; a label out of range, a class without an image.
#pragma once

#include <limbic/io/folder.hpp>
#include <limbic/io/image_set.hpp>
#include <limbic/io/mat.hpp>

LIMBIC_BEGIN

namespace detail {

inline image_set read_svhn_part(std::string const& path, codecs const& with) {
  mat_file const file(path, with);
  auto const s = file.shape("X");
  if (file.type("X") != dtype::u8 || (s.size() != 3 && s.size() != 4) || s[2] != 3)
    fail<io_error>("svhn", shown(path), ": X has shape ", shown(s), " of ", describe(file.type("X")).name,
                   ", expected (H, W, 3, N) of U8");
  std::ptrdiff_t const n = s.size() == 4 ? s[3] : 1;  // MATLAB drops a last extent of 1
  auto const y = file.integers("y");
  if (y.size() != n) fail<io_error>("svhn", shown(path), ": ", y.size(), " labels for ", n, " images");
  view<std::uint8_t const, 4> const x(reinterpret_cast<std::uint8_t const*>(file.bytes("X").data()),
                                      {{n, s[2], s[0], s[1]}}, {{s[0] * s[1] * s[2], s[0] * s[1], 1, s[0]}});
  image_set set{tensor<std::uint8_t, 4>(x), tensor<std::int64_t, 1>(y.shape(), uninitialized), {}};
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    if (y(i) < 0 || y(i) > 10)
      fail<io_error>("svhn", shown(path), ": record ", i, " has the label ", y(i), ", expected 1 to 10");
    set.labels(i) = y(i) % 10;  // copies of the data that already write 0 exist
  }
  return set;
}

}  // namespace detail

inline image_data read_svhn(std::string const& folder, codecs const& with = {}) {
  image_data d;
  d.classes = detail::numbered_classes(10);
  d.train = detail::read_svhn_part(detail::joined(folder, "train_32x32.mat"), with);
  if (list_folder("svhn", folder).has_file("test_32x32.mat"))
    d.test = detail::read_svhn_part(detail::joined(folder, "test_32x32.mat"), with);
  return detail::checked("svhn", folder, std::move(d));
}

LIMBIC_END
