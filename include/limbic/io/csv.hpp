// limbic/io/csv.hpp - tables of text: fields separated by commas, one row a line
//
//   csv_file const table("airline-passengers.csv");
//   tensor<float, 1> const passengers = table.numbers<float>("Passengers");
//
// As RFC 4180 has it: the first line names the columns, every row has as many fields, fields may be "quoted" (a quote
// inside is written twice; separators and line ends inside are kept), lines end in LF or CRLF. A byte order mark and
// empty lines at the end are skipped. What is wrong gives io_error with the file's name and the line, counted from 1.
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/io/file.hpp>

#include <charconv>
#include <cmath>

LIMBIC_BEGIN

struct csv_options {
  char separator = ',';  // between the fields of a row
  bool header = true;    // false: the first line is a row, and columns are named "0", "1", ...
};

// What a field that holds no finite number becomes: empty, "nan", "inf", "NA".
enum class missing {
  refuse,  // an error that names the line
  nan      // NaN
};

class csv_file {
 public:
  explicit csv_file(std::string path, csv_options const& options = {}) : path_(std::move(path)) {
    auto const bytes = read_file("csv", path_);
    parse(std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size()), options);
  }

  // The path that it was read from.
  std::string const& path() const { return path_; }
  // The names of the columns.
  std::vector<std::string> const& columns() const { return columns_; }
  // The number of rows, without that of names.
  std::ptrdiff_t rows() const { return static_cast<std::ptrdiff_t>(lines_.size()); }

  // The place of a column, or an error that says which there are.
  std::ptrdiff_t find(std::string_view name) const {
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (columns_[c] == name) return static_cast<std::ptrdiff_t>(c);
    std::string known;
    for (auto const& c : columns_) known += (known.empty() ? "'" : ", '") + c + "'";
    fail<io_error>("csv", detail::shown(path_), ": no column '", name, "'; there are ", known);
  }
  // The text of one field; index_error outside of the table.
  std::string const& field(std::ptrdiff_t row, std::ptrdiff_t column) const {
    auto const width = static_cast<std::ptrdiff_t>(columns_.size());
    if (row < 0 || row >= rows() || column < 0 || column >= width)
      fail<index_error>("csv", "field (", row, ", ", column, ") does not lie in a table of ", rows(), " rows and ",
                        width, " columns");
    return fields_[static_cast<std::size_t>(row * width + column)];
  }

  // A column of numbers.
  template <class T, class D = default_device>
    requires(std::is_floating_point_v<T> && is_host<D>)
  tensor<T, 1, D> numbers(std::string_view column, missing policy = missing::refuse) const {
    std::ptrdiff_t const c = find(column);
    tensor<T, 1, D> result(shape<1>{{rows()}}, uninitialized);
    for (std::ptrdiff_t r = 0; r < rows(); ++r) result(r) = static_cast<T>(number(r, c, policy));
    return result;
  }

 private:
  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(std::size_t line, Parts const&... parts) const {
    fail<io_error>("csv", detail::shown(path_), ", line ", line, ": ", parts...);
  }

  static std::string_view trimmed(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    return s;
  }
  double number(std::ptrdiff_t row, std::ptrdiff_t column, missing policy) const {
    std::string_view const s = trimmed(field(row, column));
    std::size_t const line = lines_[static_cast<std::size_t>(row)];
    std::string const& name = columns_[static_cast<std::size_t>(column)];
    double x = 0;
    char const* const end = s.data() + s.size();
    auto const [stop, problem] = std::from_chars(s.data() + (s.starts_with('+') ? 1 : 0), end, x);
    bool const absent = s.empty() || s == "NA" || s == "N/A" || s == "null";
    bool const read = !absent && stop == end && problem == std::errc();
    if (problem == std::errc::result_out_of_range && stop == end)
      wrong(line, "column '", name, "': ", s, " does not fit into a number");
    if (!read && !absent) wrong(line, "column '", name, "': '", s.substr(0, 40), "' is not a number");
    if (read && std::isfinite(x)) return x;
    if (policy == missing::nan) return std::numeric_limits<double>::quiet_NaN();
    if (s.empty()) wrong(line, "column '", name, "' is empty");
    wrong(line, "column '", name, "': ", s, " is not a finite number");
  }

  void parse(std::string_view s, csv_options const& options) {
    if (s.starts_with("\xEF\xBB\xBF")) s.remove_prefix(3);
    while (!s.empty() && (s.back() == '\n' || s.back() == '\r')) s.remove_suffix(1);
    if (s.empty()) fail<io_error>("csv", detail::shown(path_), ": the file is empty");
    if (s.find('\0') != s.npos) fail<io_error>("csv", detail::shown(path_), ": this is not text: it holds a zero byte");
    bool named = !options.header;
    std::size_t line = 1;
    std::vector<std::string> row;
    for (std::size_t at = 0; at <= s.size();) {
      std::size_t const first = line;
      row.clear();
      bool more = true;
      while (more) {
        row.emplace_back();
        if (at < s.size() && s[at] == '"') at = quoted(s, at, line, row.back());
        else
          while (at < s.size() && !ends_field(s[at], options)) row.back() += s[at++];
        if (at < s.size() && !ends_field(s[at], options)) wrong(line, "after a closing quote a field must end");
        more = at < s.size() && s[at] == options.separator;
        if (more) ++at;
      }
      if (at < s.size() && s[at] == '\r') ++at;
      if (at < s.size() && s[at] == '\n') ++at;
      else if (at == s.size()) at = s.size() + 1;
      ++line;
      take(row, first, named);
    }
    if (!named) fail<io_error>("csv", detail::shown(path_), ": the file has no line that names its columns");
  }
  static bool ends_field(char c, csv_options const& options) {
    return c == options.separator || c == '\n' || c == '\r';
  }

  // Reads a quoted field that begins at `at`; returns the place after it.
  std::size_t quoted(std::string_view s, std::size_t at, std::size_t& line, std::string& to) const {
    std::size_t const first = line;
    for (++at;; ++at) {
      if (at == s.size()) wrong(first, "a quoted field is not closed");
      if (s[at] == '"' && (at + 1 == s.size() || s[at + 1] != '"')) return at + 1;
      if (s[at] == '"') ++at;
      if (s[at] == '\n') ++line;
      to += s[at];
    }
  }
  void take(std::vector<std::string>& row, std::size_t line, bool& named) {
    if (columns_.empty()) {
      for (std::size_t c = 0; c < row.size(); ++c)
        columns_.push_back(named ? std::to_string(c) : std::string(trimmed(row[c])));
      if (!named) {
        named = true;
        return;
      }
    }
    if (row.size() != columns_.size())
      wrong(line, row.size(), row.size() == 1 ? " field, but there are " : " fields, but there are ", columns_.size(),
            " columns");
    for (auto& f : row) fields_.push_back(std::move(f));
    lines_.push_back(line);
  }

  std::string path_;
  std::vector<std::string> columns_;
  std::vector<std::string> fields_;  // row by row
  std::vector<std::size_t> lines_;   // where each row begins in the file
};

LIMBIC_END
