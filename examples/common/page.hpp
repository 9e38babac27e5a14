// examples/common/page.hpp - a page for people: headings, text, pictures and tables in one file of HTML, nothing to load
//
//   page p("Title");                     p.add_style(".chosen{background:#eef6ee}");
//   p.text("What was found.");
//   p.heading("Training");               p.picture(a_plot);
//   p.raw("<table>...</table>\n");       made of escaped(...) and number("%.3f", x)
//   p.settings({{"seed", "0"}});
//   p.html()
#pragma once

#include "plot.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

inline std::string number(char const* format, double x) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, x);
  return buffer;
}
inline std::string escaped(std::string const& s) {
  std::string out;
  for (char const c : s)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}

// Of bytes, for pictures in a page.
inline std::string base64(std::string const& bytes) {
  constexpr char const* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned long three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? digits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

class page {
 public:
  explicit page(std::string title) : title_(std::move(title)) {}

  void add_style(std::string const& rules) { style_ += rules + "\n"; }
  void heading(std::string const& s) { body_ += "<h2>" + escaped(s) + "</h2>\n"; }
  void text(std::string const& s) { body_ += "<p>" + escaped(s) + "</p>\n"; }
  void picture(plot const& p) {
    std::string const svg = p.svg();
    if (svg.empty()) text("(No picture: gnuplot is missing or failed.)");
    else body_ += "<figure>" + svg + "</figure>\n";
  }
  void raw(std::string const& html) { body_ += html; }
  void settings(std::vector<std::pair<std::string, std::string>> const& all) {
    heading("Settings");
    body_ += "<table>\n";
    for (auto const& [name, value] : all)
      body_ += "<tr><td>" + escaped(name) + "</td><td>" + escaped(value) + "</td></tr>\n";
    body_ += "</table>\n";
  }

  std::string html() const {
    return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
           "content=\"width=device-width\"><title>" +
           escaped(title_) +
           "</title>\n<style>\n"
           "body{font:16px/1.5 system-ui,sans-serif;max-width:880px;margin:2em auto;padding:0 "
           "1em;color:#222;background:#fff}\n"
           "svg{max-width:100%;height:auto}table{border-collapse:collapse;margin:1em 0}\n"
           "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid "
           "#ddd}td:first-child,th:first-child{text-align:left}\n" +
           style_ + "</style></head><body>\n<h1>" + escaped(title_) + "</h1>\n" + body_ + "</body></html>\n";
  }

 private:
  std::string title_, style_, body_;
};
