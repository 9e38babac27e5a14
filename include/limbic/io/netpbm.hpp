// limbic/io/netpbm.hpp - images of the formats PGM and PPM
//
//   decoded_image const x = decode_netpbm("cat.ppm", read_file("netpbm", "cat.ppm"));
//
//   P2 or P5 (grey), P3 or P6 (red, green, blue); then, between blanks and comments from # to the line's end: width, height,
//   the largest value; then the values, as numbers (P2, P3) or, after one blank, as bytes (P5, P6). The formats: Netpbm's
//   manual, pgm(5), ppm(5).
//
// The largest value is 1 to 255; if it is below 255, values are scaled so that it becomes 255, rounded to nearest. More than
// one image in a file, 16-bit values, and fewer bytes than the header says give io_error with the name.
#pragma once

#include <limbic/io/codecs.hpp>
#include <limbic/io/dtype.hpp>

LIMBIC_BEGIN

namespace detail {

class netpbm_parser {
 public:
  netpbm_parser(std::string_view where, std::span<std::byte const> bytes) : where_(where), text_(as_text(bytes)) {}

  decoded_image parse() {
    if (text_.size() < 2 || text_[0] != 'P' || std::string_view("2356").find(text_[1]) == std::string_view::npos)
      wrong("this is no PGM or PPM image: it does not begin with P2, P3, P5 or P6");
    bool const colour = text_[1] == '3' || text_[1] == '6', bytes = text_[1] >= '5';
    at_ = 2;
    decoded_image image;
    image.width = number("width", 1, 1 << 24);
    image.height = number("height", 1, 1 << 24);
    image.channels = colour ? 3 : 1;
    std::ptrdiff_t const most = number("largest value", 1, 255);
    std::size_t const n = byte_count({image.height, image.width, image.channels}, 1);
    if (bytes) {
      if (at_ == text_.size() || !is_blank(text_[at_])) wrong("after the header one blank must come");
      ++at_;
    }
    std::size_t const left = text_.size() - at_;
    if (bytes ? left != n : left < n)
      wrong("an image of ", image.width, " x ", image.height, " x ", image.channels, " needs ", n, " bytes",
            bytes ? "" : " or more", " after the header, the file has ", left);
    image.pixels.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      std::ptrdiff_t const v = bytes ? static_cast<unsigned char>(text_[at_ + i]) : number("value", 0, most);
      if (v > most) wrong("value ", i, " is ", v, ", the largest is ", most);
      image.pixels[i] = static_cast<std::uint8_t>((v * 255 + most / 2) / most);
    }
    if (!bytes) {
      skip_blanks();
      if (at_ != text_.size()) wrong("after the image come ", text_.size() - at_, " bytes");
    }
    return image;
  }

 private:
  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>("netpbm", where_, ": ", parts...);
  }
  static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  void skip_blanks() {
    while (at_ < text_.size() && (is_blank(text_[at_]) || text_[at_] == '#'))
      at_ = text_[at_] == '#' ? std::min(text_.find('\n', at_), text_.size()) : at_ + 1;
  }
  std::ptrdiff_t number(std::string_view what, std::ptrdiff_t least, std::ptrdiff_t most) {
    std::size_t const before = at_;
    skip_blanks();
    std::size_t const start = at_;
    std::ptrdiff_t n = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && n <= most; ++at_)
      n = 10 * n + text_[at_] - '0';
    if (start == before || at_ == start || n < least || n > most)
      wrong("at byte ", start, " no ", what, " from ", least, " to ", most);
    return n;
  }

  std::string_view where_, text_;
  std::size_t at_ = 0;
};

}  // namespace detail

// `where` is what errors name.
inline decoded_image decode_netpbm(std::string_view where, std::span<std::byte const> bytes) {
  return detail::netpbm_parser(where, bytes).parse();
}

LIMBIC_END
