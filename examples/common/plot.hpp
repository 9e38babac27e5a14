// examples/common/plot.hpp - pictures as SVG, drawn by gnuplot
//
//   plot p("Training", "epoch", "mean squared error");
//   p.log_y().line("loss", losses).points("seeds", x, y).band("mean and deviation", x, low, high);
//   p.image(x, y, z);                   a heat map: z, row by row, has a number for each y and each x
//   p.save("loss.svg");                 or p.svg(), to be put into a page
//
// gnuplot (Debian: gnuplot-nox) is a program beside this one: where it is missing, svg() is empty and save() says so and
// returns false. Points that are not finite are left out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

class plot {
 public:
  using numbers = std::vector<double>;

  plot(std::string title, std::string x_label, std::string y_label) {
    settings_ = "set title " + quoted(title) + "\nset xlabel " + quoted(x_label) + "\nset ylabel " + quoted(y_label) +
                "\nset grid back lc rgb '#dddddd' lt 1\nset border 3 lc rgb '#888888'\nset tics nomirror\n"
                "set autoscale xfix\nset linetype 5 lc rgb '#d55e00'\n"
                "set key outside top right\nset style fill transparent solid 0.2 noborder\n";
  }

  plot& log_y() { return set("set logscale y\nset format y '%g'\nunset mytics"); }
  // For curves that are shifted apart: names at 0, step, 2 step, ... of the y axis instead of numbers and of a legend.
  plot& rows(std::vector<std::string> const& names, double step) {
    std::string tics;
    for (std::size_t i = 0; i < names.size(); ++i)
      tics += (i == 0 ? "" : ", ") + in_quotes(names[i]) + " " + text(step * static_cast<double>(i));
    return set("set ytics noenhanced (" + tics + ")\nset offsets 0, 0, graph 0.04, graph 0.04\nunset key");
  }

  // y over x, or over 0, 1, 2, ...; the label names it in the legend, an empty one keeps it out.
  plot& line(std::string const& label, numbers const& x, numbers const& y) {
    return draw({&x, &y}, "with lines lw 2", label);
  }
  plot& line(std::string const& label, numbers const& y) { return line(label, counted(y), y); }
  plot& marked_line(std::string const& label, numbers const& x, numbers const& y) {
    return draw({&x, &y}, "with linespoints lw 2 pt 7 ps 0.6", label);
  }
  // Grey, for what is only to be compared with.
  plot& dashed(std::string const& label, numbers const& x, numbers const& y) {
    return draw({&x, &y}, "with lines lw 1 dt 2 lc rgb '#888888'", label);
  }
  plot& points(std::string const& label, numbers const& x, numbers const& y) {
    return draw({&x, &y}, "with points pt 7 ps 0.5", label);
  }
  // Points with a bar from low to high.
  plot& intervals(std::string const& label, numbers const& x, numbers const& y, numbers const& low,
                  numbers const& high) {
    return draw({&x, &y, &low, &high}, "with yerrorbars pt 7 ps 0.7 lw 1.5", label);
  }
  // From each point (x, y) to its (to_x, to_y), grey and thin.
  plot& segments(std::string const& label, numbers const& x, numbers const& y, numbers const& to_x,
                 numbers const& to_y) {
    return draw({&x, &y, &to_x, &to_y}, "using 1:2:($3-$1):($4-$2) with vectors nohead lw 0.7 lc rgb '#aaaaaa'", label);
  }
  plot& band(std::string const& label, numbers const& x, numbers const& low, numbers const& high) {
    return draw({&x, &low, &high}, "with filledcurves", label);
  }
  // A heat map of evenly spaced x and y: z[i * x.size() + j] lies at (x[j], y[i]). Pixels that are not finite stay blank.
  plot& image(numbers const& x, numbers const& y, numbers const& z) {
    numbers across, up;
    for (double const b : y)
      for (double const a : x) across.push_back(a), up.push_back(b);
    set("set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725')\n"
        "set autoscale fix\nset style fill solid\nset key outside bottom center horizontal\nunset grid");
    return draw({&across, &up, &z}, "using 1:2:3 with image", "", true);
  }
  // For images side by side, at x = 1, 2, ...: x and y in one unit, nothing along y.
  plot& side_by_side() { return set("set size ratio -1\nunset key\nunset border\nunset ytics\nset xtics 1 scale 0"); }
  plot& vertical_line(std::string const& label, double x) {
    set("set arrow from " + text(x) + ", graph 0 to " + text(x) + ", graph 1 nohead dt 3 lw 1.5 lc rgb '#555555'");
    return set("set label " + quoted(label) + " at " + text(x) + ", graph 0.04 offset 0.5,0 tc rgb '#555555'");
  }

  // The picture, from "<svg" on; empty where gnuplot is missing or fails.
  std::string svg() const {
    if (commands_.empty()) return {};
    std::string const picture = temporary_file(), script = temporary_file();
    write(script, "set terminal svg size 860,420 dynamic font 'sans-serif,13' background rgb 'white'\nset output '" +
                      picture + "'\n" + data_ + settings_ + commands_ + "\n");
    bool const drawn = std::system(("gnuplot '" + script + "' >/dev/null 2>&1").c_str()) == 0;
    std::string const all = drawn ? read(picture) : std::string();
    std::remove(picture.c_str());
    std::remove(script.c_str());
    std::size_t const begin = all.find("<svg");
    return begin == std::string::npos ? std::string() : all.substr(begin);
  }

  bool save(std::string const& path) const {
    std::string const picture = svg();
    bool const good = !picture.empty() && write(path, picture);
    if (!good)
      std::fprintf(stderr, "%s was not drawn: %s\n", path.c_str(),
                   picture.empty() ? "gnuplot is missing or failed (Debian: gnuplot-nox)" : "it cannot be written");
    return good;
  }

 private:
  static std::string text(double x) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.9g", x);
    return buffer;
  }
  // In gnuplot's single quotes only the quote itself is special; its markup (_ ^ {}) is switched off where it begins.
  static std::string quoted(std::string const& s) { return in_quotes(s) + " noenhanced"; }
  static std::string in_quotes(std::string const& s) {
    std::string out = "'";
    for (char const c : s) out += c == '\'' ? std::string("''") : std::string(1, c == '\n' ? ' ' : c);
    return out + "'";
  }
  static numbers counted(numbers const& y) {
    numbers x(y.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
    return x;
  }

  plot& set(std::string const& command) {
    settings_ += command + "\n";
    return *this;
  }
  plot& draw(std::initializer_list<numbers const*> columns, std::string const& style, std::string const& label,
             bool blanks = false) {
    std::string const name = "$d" + std::to_string(count_++);
    std::size_t rows = (*columns.begin())->size();
    for (auto const* column : columns) rows = std::min(rows, column->size());
    data_ += name + " << EOD\n";
    std::size_t drawn = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      bool const whole =
          std::all_of(columns.begin(), columns.end(), [&](auto const* c) { return std::isfinite((*c)[i]); });
      if (!whole && !blanks) continue;
      for (auto const* column : columns) data_ += text((*column)[i]) + " ";
      data_ += "\n";
      drawn += whole ? 1 : 0;
    }
    data_ += "EOD\n";
    if (drawn == 0) return *this;  // gnuplot takes an empty data set for an error
    commands_ += (commands_.empty() ? "plot " : ", ") + name + " " + style +
                 (label.empty() ? " notitle" : " title " + quoted(label));
    return *this;
  }

  static std::string temporary_file() {
    char const* const folder = std::getenv("TMPDIR");
    std::string path = std::string(folder != nullptr ? folder : "/tmp") + "/limbic_plot_XXXXXX";
    int const file = mkstemp(path.data());
    if (file >= 0) close(file);
    return path;
  }
  static bool write(std::string const& path, std::string const& text) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return false;
    bool const good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    return std::fclose(file) == 0 && good;
  }
  static std::string read(std::string const& path) {
    std::string all;
    if (std::FILE* const file = std::fopen(path.c_str(), "rb")) {
      char buffer[4096];
      for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) all.append(buffer, n);
      std::fclose(file);
    }
    return all;
  }

  std::string settings_, data_, commands_;
  int count_ = 0;
};
