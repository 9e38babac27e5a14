// tests/scratch.hpp - files that are gone when a test ends, and what a file is refused for
#pragma once

#include <limbic/core/check.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <unistd.h>

// A name in the folder for temporary files, another one for each object; there is a file once something writes it.
struct scratch {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("limbic_test_" + std::to_string(getpid()) + "_" + std::to_string(count++));
  scratch() = default;
  explicit scratch(std::string_view contents) { write(contents); }
  scratch(scratch const&) = delete;
  ~scratch() { std::filesystem::remove(path); }

  operator std::string() const { return path.string(); }
  void write(std::string_view bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
  std::string read() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  static inline int count = 0;
};

// A folder of such files, gone with all that is in it.
struct scratch_folder {
  scratch const name;
  scratch_folder() { std::filesystem::create_directories(name.path); }
  scratch_folder(scratch_folder const&) = delete;
  ~scratch_folder() { std::filesystem::remove_all(name.path); }

  operator std::string() const { return name.path.string(); }
  // Writes a file, and the folders on the way to it.
  void write(std::string const& file, std::string_view bytes) const {
    std::filesystem::create_directories((name.path / file).parent_path());
    std::ofstream(name.path / file, std::ios::binary) << bytes;
  }
};

// The message of the io_error that f gives, or "".
template <class F>
  requires requires(F const& f) { f(); }
std::string refusal(F const& f) {
  try {
    f();
    return "";
  } catch (limbic::io_error const& e) {
    return e.what();
  }
}
inline bool mentions(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
