// The JSON reader takes what RFC 8259 allows and nothing else; numbers come back as the same bits.
#include <limbic/io/json.hpp>

#include "catch.hpp"

#include <bit>
#include <cmath>

using namespace limbic;

namespace {

// What a reader says of one value: its text, or the error.
std::string skipped(std::string const& text) {
  try {
    json_reader json("test", "the text", text);
    std::string const value(json.skip());
    json.end();
    return value;
  } catch (io_error const& e) {
    return e.what();
  }
}
bool refused(std::string const& text) { return skipped(text).starts_with("[test] the text"); }

}  // namespace

TEST_CASE("well-formed values are read") {
  for (char const* s : {"0", "-0", "1.5", "-12e3", "1E+2", "1e-400", "1e999", "null", "true", "false",
                        "\"a\\u00e9\\n\"", "[]", "{}", "[1, [2], {\"a\": [null]}]", "{\"a\":1 , \"b\":{\"a\":2}}"})
    CHECK(skipped(s) == s);
  CHECK(skipped(" \t\r\n7 ") == "7");
}

TEST_CASE("malformed values are refused") {
  for (char const* s : {"",           "+1",    "01",      "1.",       ".5",
                        "1e",         "-",     "nul",     "nan",      "Infinity",
                        "'a'",        "\"a",   "\"\\x\"", "\"\n\"",   "\"\\ud800\"",
                        "[1,]",       "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}",
                        "{\"a\":1,}", "1 2",   "[",       "{",        "{\"a\":1,\"a\":2}"}) {
    INFO(s);
    CHECK(refused(s));
  }
  for (char const* s : {"\xC3\xA4", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    CHECK_FALSE(refused("\"" + std::string(s) + "\""));
  for (char const* s : {"\x80", "\xC3", "\xC3 ", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                        "\xF4\x90\x80\x80", "\xFF", "bi\xE1s"}) {
    INFO(s);
    CHECK(refused("\"" + std::string(s) + "\""));
  }
  CHECK(refused(std::string(100000, '[')));  // no stack is enough for what a file may hold
  json_reader json("test", "the text", "1e999");
  CHECK_THROWS_AS(json.number(), io_error);
}

TEST_CASE("doubles are written so that they come back as the same bits") {
  std::uint64_t bits = 0x9E3779B97F4A7C15;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 6364136223846793005ULL + 1442695040888963407ULL;
    double const x = std::bit_cast<double>(bits);
    std::string text;
    append_json(text, x);
    if (!std::isfinite(x)) {
      REQUIRE(text == "null");
      continue;
    }
    json_reader json("test", "the text", text);
    REQUIRE(std::bit_cast<std::uint64_t>(json.number()) == std::bit_cast<std::uint64_t>(x));
    json.end();
  }
  for (double const x : {0.0, -0.0, 5e-324, 1.7976931348623157e308}) {
    std::string text;
    append_json(text, x);
    json_reader json("test", "the text", text);
    CHECK(std::bit_cast<std::uint64_t>(json.number()) == std::bit_cast<std::uint64_t>(x));
  }
}

TEST_CASE("texts are written so that they come back") {
  std::string s = "quote \" backslash \\ line\n bell \a zero ";
  s += '\0';
  s += "\xC3\xA9";
  std::string text;
  append_json(text, s);
  json_reader json("test", "the text", text);
  CHECK(json.text() == s);
}
