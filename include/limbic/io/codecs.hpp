// limbic/io/codecs.hpp - what limbic does not decode itself: functions of the program that do
//
//   image_data const d = read_images("mnist", {.inflate = my_inflate, .decode = my_decode});
//
// limbic links no zlib, libpng or libjpeg. A program that has them hands over plain functions of bytes:
//
//   inflate   gzip and zlib streams, told apart by their header (zlib's inflateInit2 with 32 + 15 window bits does so):
//             true, and all bytes in `to`; false where the stream is damaged or ends early
//   decode    an image file, PNG or JPEG say: true, and its pixels in `to`; false where it cannot be decoded
//
// A reader that needs one that is not there says so, with the file's name. A failure becomes io_error with the name too.
#pragma once

#include <limbic/io/file.hpp>

LIMBIC_BEGIN

// An image as decoders give it.
struct decoded_image {
  std::ptrdiff_t height = 0, width = 0, channels = 0;  // 1 channel: grey; 3: red, green, blue
  std::vector<std::uint8_t> pixels;                    // height x width x channels, row by row, from the top left
};

struct codecs {
  bool (*inflate)(std::span<std::byte const> from, std::vector<std::byte>& to) = nullptr;
  bool (*decode)(std::span<std::byte const> from, decoded_image& to) = nullptr;
};

namespace detail {

// A file's bytes, unpacked if they are a gzip stream: none of the formats in io/ begins like one.
inline std::vector<std::byte> read_unpacked(std::string_view who, std::string const& path, codecs const& with) {
  std::vector<std::byte> bytes = read_file(who, path);
  if (bytes.size() < 2 || bytes[0] != std::byte{0x1F} || bytes[1] != std::byte{0x8B}) return bytes;
  if (with.inflate == nullptr) fail<io_error>(who, shown(path), ": the file is compressed, and codecs has no inflate");
  std::vector<std::byte> unpacked;
  if (!with.inflate(bytes, unpacked))
    fail<io_error>(who, shown(path), ": the compressed data are damaged, or end early");
  return unpacked;
}

// Files as text.
inline std::string_view as_text(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace detail

LIMBIC_END
