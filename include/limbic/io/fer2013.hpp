// limbic/io/fer2013.hpp - faces and their expressions in one table of text, FER-2013
//
//   image_data const d = read_fer2013("fer2013.csv");
//
// Goodfellow et al. 2013, "Challenges in representation learning: a report on three machine learning contests". The first
// line names the columns, in any order and case:
//
//   emotion    0 to 6: angry, disgust, fear, happy, sad, surprise, neutral
//   pixels     the grey values 0 to 255 of a square image, row by row, between blanks; or a column for each, with names
//              that begin with "pixel"
//   usage      Training, PublicTest (here: validation) or PrivateTest (here: test); all is trained on without this column
//
// Errors name the line, counted from 1: a field too many or too few, what is no number from 0 to 255, a count of pixels that
// is no square or another than in the line before, a label out of range, an unknown usage; a class without an image.
#pragma once

#include <limbic/io/file.hpp>
#include <limbic/io/image_set.hpp>

LIMBIC_BEGIN

namespace detail {

// Goes through the bytes once: the table has 300 MB, and a column for each pixel would be 80 million strings.
class fer2013_parser {
 public:
  explicit fer2013_parser(std::string const& path) : path_(path), bytes_(read_file("fer2013", path)) {}

  image_data parse() {
    rest_ = {reinterpret_cast<char const*>(bytes_.data()), bytes_.size()};
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    while (!rest_.empty() && (rest_.back() == '\n' || rest_.back() == '\r')) rest_.remove_suffix(1);
    if (rest_.empty()) fail<io_error>("fer2013", shown(path_), ": the file is empty");
    columns(next_line());
    while (!rest_.empty()) row(next_line());
    image_data d;
    d.classes = {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"};
    image_set* const parts[] = {&d.train, &d.validation, &d.test};
    for (std::size_t p = 0; p < 3; ++p) {
      if (labels_[p].empty()) continue;
      *parts[p] = allocate_images(static_cast<std::ptrdiff_t>(labels_[p].size()), 1, side_, side_);
      std::copy(pixels_[p].begin(), pixels_[p].end(), parts[p]->images.begin());
      std::copy(labels_[p].begin(), labels_[p].end(), parts[p]->labels.begin());
    }
    return checked("fer2013", path_, std::move(d));
  }

 private:
  enum class role { emotion, pixels, usage, other };

  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(Parts const&... parts) const {
    fail<io_error>("fer2013", shown(path_), ", line ", line_, ": ", parts...);
  }

  std::string_view next_line() {
    ++line_;
    std::size_t const end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  // The field before the next comma, without blanks and quotes around it; `more`: there is another one.
  static std::string_view next_field(std::string_view& line, bool& more) {
    std::size_t const end = std::min(line.find(','), line.size());
    std::string_view s = line.substr(0, end);
    more = end < line.size();
    line.remove_prefix(more ? end + 1 : end);
    while (!s.empty() && (s.front() == ' ' || s.front() == '"')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '"')) s.remove_suffix(1);
    return s;
  }

  void columns(std::string_view line) {
    int emotions = 0, pixels = 0, usages = 0;
    for (bool more = true; more;) {
      std::string name(next_field(line, more));
      for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      role r = role::other;
      if (name == "emotion") r = role::emotion, ++emotions;
      else if (name.starts_with("pixel")) r = role::pixels, ++pixels;
      else if (name == "usage") r = role::usage, ++usages;
      roles_.push_back(r);
    }
    if (emotions != 1 || pixels < 1 || usages > 1)
      wrong("the columns must be one 'emotion', one or more 'pixels' and at most one 'usage', but there are ", emotions,
            ", ", pixels, " and ", usages);
  }

  // The number at the front of s, which is taken off.
  int number(std::string_view& s, int most, std::string_view what) const {
    int n = 0;
    std::size_t i = 0;
    for (; i < s.size() && s[i] >= '0' && s[i] <= '9' && n <= most; ++i) n = 10 * n + (s[i] - '0');
    if (i == 0 || n > most || (i < s.size() && s[i] != ' '))
      wrong("'", s.substr(0, std::min<std::size_t>(s.find(' '), 20)), "' is no ", what, ", expected 0 to ", most);
    s.remove_prefix(i);
    return n;
  }

  void row(std::string_view line) {
    row_.clear();
    std::size_t part = 0, column = 0;
    int label = 0;
    for (bool more = true; more; ++column) {
      std::string_view field = next_field(line, more);
      if (column >= roles_.size()) wrong("more fields than the ", roles_.size(), " columns");
      switch (roles_[column]) {
        case role::emotion:
          label = number(field, 6, "emotion");
          if (!field.empty()) wrong("the emotion is followed by '", field.substr(0, 20), "'");
          break;
        case role::pixels:
          do {
            row_.push_back(static_cast<std::uint8_t>(number(field, 255, "grey value")));
            while (field.starts_with(' ')) field.remove_prefix(1);
          } while (!field.empty());
          break;
        case role::usage:
          if (field == "Training") part = 0;
          else if (field == "PublicTest") part = 1;
          else if (field == "PrivateTest") part = 2;
          else wrong("the usage '", field.substr(0, 20), "' is none of Training, PublicTest, PrivateTest");
          break;
        case role::other:
          break;
      }
    }
    if (column != roles_.size()) wrong(column, " fields, but there are ", roles_.size(), " columns");
    auto const n = static_cast<std::ptrdiff_t>(row_.size());
    if (side_ == 0) {
      std::ptrdiff_t side = 1;
      while (side * side < n) ++side;
      if (side * side != n) wrong(n, " pixels are no square image");
      side_ = side;
    }
    if (n != side_ * side_) wrong(n, " pixels, but there were ", side_ * side_, " in the lines before");
    labels_[part].push_back(label);
    pixels_[part].insert(pixels_[part].end(), row_.begin(), row_.end());
  }

  std::string const& path_;
  std::vector<std::byte> bytes_;
  std::string_view rest_;  // what was not read yet
  std::size_t line_ = 0;
  std::vector<role> roles_;  // of the columns
  std::vector<std::uint8_t> row_;
  std::ptrdiff_t side_ = 0;
  std::vector<std::uint8_t> pixels_[3];  // train, validation, test
  std::vector<std::int64_t> labels_[3];
};

}  // namespace detail

inline image_data read_fer2013(std::string const& path) { return detail::fer2013_parser(path).parse(); }

LIMBIC_END
