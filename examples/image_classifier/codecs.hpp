// examples/image_classifier/codecs.hpp - gzip by zlib, PNG by libpng, JPEG by libjpeg, where the build has found them
//
//   limbic::read_images(folder, image_codecs)
//   encode_png(height, width, channels, pixels)       the file's bytes; empty without libpng
//
// A build without one of them throws missing_codec when a file asks for it.
#pragma once

#include <limbic/io/codecs.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef CODECS_ZLIB
#include <zlib.h>
#endif
#ifdef CODECS_PNG
#include <png.h>
#endif
#ifdef CODECS_JPEG
#include <csetjmp>
#include <cstdio>
// below <cstdio>, which it needs
#include <jpeglib.h>
#endif

struct missing_codec : std::runtime_error {
  explicit missing_codec(std::string const& library)
      : std::runtime_error("this program was built without " + library +
                           ": install it (sh tools/setup.sh run) and build again") {}
};

namespace codec {

using bytes = std::span<std::byte const>;

inline unsigned char const* data_of(bytes b) { return reinterpret_cast<unsigned char const*>(b.data()); }

inline bool inflate(bytes from, std::vector<std::byte>& to) {
#ifdef CODECS_ZLIB
  z_stream z{};
  z.next_in = const_cast<Bytef*>(data_of(from));
  z.avail_in = static_cast<uInt>(from.size());
  if (from.size() != z.avail_in || inflateInit2(&z, 32 + 15) != Z_OK) return false;
  int state = Z_OK;
  std::size_t size = 0;
  while (state == Z_OK) {
    to.resize(std::max<std::size_t>(std::size_t{1} << 16, 2 * size));
    std::size_t const room = std::min<std::size_t>(to.size() - size, std::size_t{1} << 30);
    z.next_out = reinterpret_cast<Bytef*>(to.data() + size);
    z.avail_out = static_cast<uInt>(room);
    state = ::inflate(&z, Z_NO_FLUSH);
    size += room - z.avail_out;
  }
  inflateEnd(&z);
  to.resize(size);
  return state == Z_STREAM_END;
#else
  (void)from, (void)to;
  throw missing_codec("zlib");
#endif
}

#ifdef CODECS_PNG
inline bool decode_png(bytes from, limbic::decoded_image& to) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, from.data(), from.size()) == 0) return false;
  bool const coloured = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = coloured ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  to = {.height = image.height, .width = image.width, .channels = coloured ? 3 : 1, .pixels = {}};
  png_color const black{0, 0, 0};  // behind what is transparent
  // More pixels than a file of this size can hold: a damaged header must not ask for absurd memory.
  if (static_cast<double>(image.height) * image.width > 4096.0 * static_cast<double>(from.size())) {
    png_image_free(&image);
    return false;
  }
  to.pixels.resize(PNG_IMAGE_SIZE(image));
  return png_image_finish_read(&image, &black, to.pixels.data(), 0, nullptr) != 0;
}
#endif

#ifdef CODECS_JPEG
struct jpeg_failure : jpeg_error_mgr {
  std::jmp_buf back;
};
// Nothing with a destructor lives between setjmp and longjmp: the pixels are the caller's.
inline bool read_jpeg(jpeg_decompress_struct& file, jpeg_failure& failure, bytes from, limbic::decoded_image& to) {
  if (setjmp(failure.back) != 0) return false;
  jpeg_create_decompress(&file);
  jpeg_mem_src(&file, data_of(from), static_cast<unsigned long>(from.size()));
  jpeg_read_header(&file, TRUE);
  file.out_color_space = file.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&file);
  to.height = file.output_height;
  to.width = file.output_width;
  to.channels = file.output_components;
  std::size_t const line = static_cast<std::size_t>(to.width) * static_cast<std::size_t>(to.channels);
  to.pixels.resize(line * file.output_height);
  while (file.output_scanline < file.output_height) {
    JSAMPROW row = to.pixels.data() + line * file.output_scanline;
    jpeg_read_scanlines(&file, &row, 1);
  }
  jpeg_finish_decompress(&file);
  return failure.num_warnings == 0;  // of a truncated file libjpeg makes up the rest, with a warning
}
inline bool decode_jpeg(bytes from, limbic::decoded_image& to) {
  jpeg_decompress_struct file{};
  jpeg_failure failure{};
  file.err = jpeg_std_error(&failure);
  failure.error_exit = [](j_common_ptr c) { std::longjmp(static_cast<jpeg_failure*>(c->err)->back, 1); };
  failure.output_message = [](j_common_ptr) {};
  bool const good = read_jpeg(file, failure, from, to);
  jpeg_destroy_decompress(&file);
  return good;
}
#endif

inline bool decode([[maybe_unused]] bytes from, [[maybe_unused]] limbic::decoded_image& to) {
  [[maybe_unused]] auto const begins = [&](std::initializer_list<int> magic) {
    return from.size() > magic.size() && std::equal(magic.begin(), magic.end(), data_of(from));
  };
  if (begins({0x89, 'P', 'N', 'G'})) {
#ifdef CODECS_PNG
    return decode_png(from, to);
#else
    throw missing_codec("libpng");
#endif
  }
  if (begins({0xFF, 0xD8, 0xFF})) {
#ifdef CODECS_JPEG
    return decode_jpeg(from, to);
#else
    throw missing_codec("libjpeg");
#endif
  }
  return false;
}

}  // namespace codec

inline constexpr limbic::codecs image_codecs{.inflate = codec::inflate, .decode = codec::decode};

// Pixels row by row, 1 channel (grey) or 3.
inline std::string encode_png([[maybe_unused]] std::ptrdiff_t height, [[maybe_unused]] std::ptrdiff_t width,
                              [[maybe_unused]] std::ptrdiff_t channels,
                              [[maybe_unused]] std::vector<std::uint8_t> const& pixels) {
  std::string file;
#ifdef CODECS_PNG
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  file.resize(size);
  bool const good = png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) != 0;
  file.resize(good ? size : 0);
#endif
  return file;
}
