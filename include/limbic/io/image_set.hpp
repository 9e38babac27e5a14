// limbic/io/image_set.hpp - labelled images, as every reader gives them
//
//   image_data const d = read_images(folder, codecs);          io/read_images.hpp
//   d.train.images                                             (N, C, H, W), as the file has them: 0 to 255
//   take(d.train.images, chosen), take(d.train.labels, chosen) data/batches.hpp
//
// Within a data set all images have one shape, every label names a class, and every class has an image to train on: a
// reader refuses other files.
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/io/file.hpp>

LIMBIC_BEGIN

// Images and what each shows.
struct image_set {
  tensor<std::uint8_t, 4> images;  // (N, C, H, W)
  tensor<std::int64_t, 1> labels;  // (N), in [0, number of classes)
  std::vector<std::string> files;  // (N) where each image is a file of its own; else empty
  // The number of images.
  std::ptrdiff_t size() const { return labels.size(); }
};

// A data set: parts that it does not have are empty.
struct image_data {
  image_set train, validation, test;  // as its authors divided it; all in `train` where they did not
  std::vector<std::string> classes;   // their names
};

namespace detail {

inline std::vector<std::string> numbered_classes(std::ptrdiff_t count) {
  std::vector<std::string> names;
  for (std::ptrdiff_t c = 0; c < count; ++c) names.push_back(std::to_string(c));
  return names;
}

inline image_set allocate_images(std::ptrdiff_t n, std::ptrdiff_t channels, std::ptrdiff_t height,
                                 std::ptrdiff_t width) {
  return {tensor<std::uint8_t, 4>(shape<4>{{n, channels, height, width}}, uninitialized),
          tensor<std::int64_t, 1>(shape<1>{{n}}, uninitialized),
          {}};
}

// What holds between the parts of a data set; each part alone was checked where it was read.
inline image_data checked(std::string_view who, std::string const& path, image_data d) {
  auto const n = static_cast<std::ptrdiff_t>(d.classes.size());
  std::vector<bool> shown_to(d.classes.size(), false);
  for (std::int64_t const label : d.train.labels) shown_to[static_cast<std::size_t>(label)] = true;
  for (std::size_t c = 0; c < shown_to.size(); ++c)
    if (!shown_to[c])
      fail<io_error>(who, shown(path), ": class ", c, " ('", d.classes[c], "') of ", n, " has no image to train on");
  for (image_set const* const part : {&d.validation, &d.test})
    for (int axis = 1; axis < 4; ++axis)
      if (part->size() > 0 && part->images.extent(axis) != d.train.images.extent(axis))
        fail<io_error>(who, shown(path), ": images of shape ", part->images.shape(),
                       " cannot be tested after training on ", d.train.images.shape());
  return d;
}

}  // namespace detail

LIMBIC_END
