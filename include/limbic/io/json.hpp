// limbic/io/json.hpp - JSON (RFC 8259), read in one pass and written piece by piece; there is no tree of values
//
//   json_reader json("settings", path, text);
//   json.object([&](std::string const& key) {
//     if (key == "rate") rate = json.number();
//     else if (key == "sizes") json.array([&] { sizes.push_back(json.whole()); });
//     else json.skip();                                every member must be read
//   });
//   json.end();
//
// What is malformed gives io_error: "[settings] PATH is malformed at byte 17, expected ...". An object with a key twice is
// refused. Numbers are read and written by <charconv>: the shortest text that gives the same double again.
#pragma once

#include <limbic/core/check.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

LIMBIC_BEGIN

class json_reader {
 public:
  // Errors begin with `who`, then name `what`; the text must outlive the reader.
  json_reader(std::string_view who, std::string what, std::string_view json)
      : who_(who), what_(std::move(what)), json_(json) {}

  // Calls member(key) for each member of an object; member must read the value. A key twice is an error.
  template <class Member> void object(Member&& member) {
    expect('{');
    std::vector<std::string> keys;
    if (!accept('}')) {
      do {
        keys.push_back(text());
        expect(':');
        member(keys.back());
      } while (accept(','));
      expect('}');
    }
    std::sort(keys.begin(), keys.end());
    auto const twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) fail<io_error>(who_, what_, " has '", *twice, "' twice");
  }

  // Calls element() for each element of an array; it must read the value.
  template <class Element> void array(Element&& element) {
    expect('[');
    if (accept(']')) return;
    do element();
    while (accept(','));
    expect(']');
  }

  // A text; io_error where another value stands.
  std::string text() {
    expect('"');
    std::string s;
    for (;;) {
      char const c = next();
      if (c == '"') return s;
      if (static_cast<unsigned char>(c) < 0x20) wrong("no control character in a text");
      if (c != '\\') {
        s += c;
        if (static_cast<unsigned char>(c) >= 0x80) append_rest(s, static_cast<unsigned char>(c));
        continue;
      }
      char const e = next();
      switch (e) {
        case '"':
        case '\\':
        case '/':
          s += e;
          break;
        case 'b':
          s += '\b';
          break;
        case 'f':
          s += '\f';
          break;
        case 'n':
          s += '\n';
          break;
        case 'r':
          s += '\r';
          break;
        case 't':
          s += '\t';
          break;
        case 'u':
          append_utf8(s, code_point());
          break;
        default:
          wrong("an escape sequence of JSON");
      }
    }
  }

  // A number without sign, fraction and exponent.
  std::uint64_t whole() {
    skip_blanks();
    std::size_t const start = at_;
    std::uint64_t n = 0;
    while (at_ < json_.size() && digit(json_[at_])) {
      auto const d = static_cast<std::uint64_t>(json_[at_] - '0');
      if (n > (UINT64_MAX - d) / 10) wrong("a smaller number");
      n = n * 10 + d;
      ++at_;
    }
    if (at_ == start || (json_[start] == '0' && at_ > start + 1)) wrong("a whole number");
    return n;
  }
  // A number; io_error where another value stands.
  double number() {
    std::string_view const s = number_text();
    double x = 0;
    auto const [stop, problem] = std::from_chars(s.data(), s.data() + s.size(), x);
    if (problem != std::errc() || stop != s.data() + s.size()) wrong("a number that fits");
    return x;
  }

  // Whether the next value begins a text, a number, ...; nothing is read.
  char peek() {
    skip_blanks();
    return at_ < json_.size() ? json_[at_] : '\0';
  }
  // Reads a word (null, true, false) where it stands next.
  bool word(std::string_view w) {
    skip_blanks();
    if (json_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }

  // Any value, which must be well formed; its own text.
  std::string_view skip() {
    char const first = peek();
    std::size_t const start = at_;
    if (++depth_ > 64) wrong("less than 64 levels");
    if (first == '{') object([&](std::string const&) { skip(); });
    else if (first == '[') array([&] { skip(); });
    else if (first == '"') text();
    else if (first == '-' || digit(first)) number_text();
    else if (!word("null") && !word("true") && !word("false")) wrong("a value");
    --depth_;
    return json_.substr(start, at_ - start);
  }

  // Refuses anything that follows.
  void end() {
    skip_blanks();
    if (at_ != json_.size()) wrong("its end");
  }

 private:
  [[noreturn]] LIMBIC_COLD void wrong(std::string_view expected) {
    fail<io_error>(who_, what_, " is malformed at byte ", at_, ", expected ", expected);
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  void skip_blanks() {
    while (at_ < json_.size() && (json_[at_] == ' ' || json_[at_] == '\n' || json_[at_] == '\r' || json_[at_] == '\t'))
      ++at_;
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) wrong(std::string_view(&c, 1));
  }
  char next() {
    if (at_ >= json_.size()) wrong("the end of a text");
    return json_[at_++];
  }
  // -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
  std::string_view number_text() {
    skip_blanks();
    std::size_t const start = at_;
    auto const take = [&](char c) { return at_ < json_.size() && json_[at_] == c ? (++at_, true) : false; };
    auto const digits = [&] {
      std::size_t const from = at_;
      while (at_ < json_.size() && digit(json_[at_])) ++at_;
      if (at_ == from) wrong("a number");
      return json_[from] == '0' && at_ > from + 1;
    };
    take('-');
    if (digits()) wrong("no zero before a number");
    if (take('.')) digits();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      digits();
    }
    return json_.substr(start, at_ - start);
  }
  unsigned hex4() {
    unsigned n = 0;
    for (int i = 0; i < 4; ++i) {
      char const c = next();
      n *= 16;
      if (digit(c)) n += static_cast<unsigned>(c - '0');
      else if (c >= 'a' && c <= 'f') n += static_cast<unsigned>(c - 'a') + 10;
      else if (c >= 'A' && c <= 'F') n += static_cast<unsigned>(c - 'A') + 10;
      else wrong("four hexadecimal digits");
    }
    return n;
  }
  // Characters beyond 16 bits come as two escapes.
  unsigned code_point() {
    unsigned const high = hex4();
    if (high >= 0xDC00 && high < 0xE000) wrong("the first half of a surrogate pair");
    if (high < 0xD800 || high >= 0xDC00) return high;
    if (next() != '\\' || next() != 'u') wrong("the second half of a surrogate pair");
    unsigned const low = hex4();
    if (low < 0xDC00 || low >= 0xE000) wrong("the second half of a surrogate pair");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }
  // What follows the first byte of a character of several: UTF-8 in its shortest form (RFC 3629, section 4).
  void append_rest(std::string& s, unsigned first) {
    int const more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    unsigned code = first & (0x3FU >> more);
    bool good = first >= 0xC2 && first <= 0xF4;
    for (int i = 0; i < more && good; ++i) {
      char const c = next();
      good = (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
      code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
      s += c;
    }
    bool const longer = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (!good || longer || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) wrong("a text in UTF-8");
  }
  static void append_utf8(std::string& s, unsigned c) {
    auto const byte = [&](unsigned b) { s += static_cast<char>(static_cast<unsigned char>(b)); };
    if (c < 0x80) {
      byte(c);
    } else if (c < 0x800) {
      byte(0xC0 | (c >> 6)), byte(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      byte(0xE0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F));
    } else {
      byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3F)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F));
    }
  }

  std::string_view who_;
  std::string what_;
  std::string_view json_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

inline void append_json(std::string& json, std::string_view s) {
  json += '"';
  for (char const c : s) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20) {
      json += "\\u00";
      json += "0123456789abcdef"[byte >> 4];
      json += "0123456789abcdef"[byte & 15];
    } else {
      json += c;
    }
  }
  json += '"';
}

// JSON has no NaN and no infinity: they become null.
inline void append_json(std::string& json, double x) {
  if (!(x - x == 0)) {
    json += "null";
    return;
  }
  char digits[32];
  json.append(digits, std::to_chars(digits, digits + sizeof digits, x).ptr);
}

LIMBIC_END
