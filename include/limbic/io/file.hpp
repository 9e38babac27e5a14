// limbic/io/file.hpp - whole files: read at once, replaced at once
//
//   read_file("csv", path)                the bytes of a file, or io_error
//   write_file("summary", path, text)     the target becomes the new file, or stays what it was
//
// The first argument is what errors begin with. Writing goes to a file beside the target, which is forced to the disk and
// renamed when it is complete: a full disk or a kill at any moment leaves the old file or the new one, never a part.
#pragma once

#include <limbic/core/check.hpp>

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#if LIMBIC_POSIX
#include <unistd.h>
#endif

LIMBIC_BEGIN

namespace detail {
// A path as a message shows it: its end, where the name is, so that the rest of the message has room.
inline std::string shown(std::string const& path) {
  constexpr std::size_t most = 160;
  return path.size() <= most ? path : "..." + path.substr(path.size() - most);
}
}  // namespace detail

// The whole file. Read in pieces, so that a size that the system reports wrongly cannot ask for absurd memory.
inline std::vector<std::byte> read_file(std::string_view who, std::string const& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) fail<io_error>(who, detail::shown(path), ": the file cannot be opened");
  std::vector<std::byte> bytes;
  std::size_t size = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(std::size_t{1} << 16, size + size / 2));
    std::size_t const wanted = bytes.size() - size;
    std::size_t const came = std::fread(bytes.data() + size, 1, wanted, file);
    size += came;
    if (came < wanted) break;
  }
  bool const broken = std::ferror(file) != 0;
  std::fclose(file);
  if (broken) fail<io_error>(who, detail::shown(path), ": the file cannot be read");
  bytes.resize(size);
  return bytes;
}

// Replaces a file by the concatenation of some pieces, or leaves it as it was.
inline void write_file(std::string_view who, std::string const& path,
                       std::span<std::span<std::byte const> const> pieces) {
#if LIMBIC_POSIX
  std::string const beside = path + "." + std::to_string(getpid()) + ".part";
#else
  std::string const beside = path + ".part";
#endif
  std::FILE* const file = std::fopen(beside.c_str(), "wb");
  if (file == nullptr)
    fail<io_error>(who, detail::shown(path), ": the file cannot be written, its folder must exist and be writable");
  bool good = true;
  for (auto const piece : pieces)
    good = good && (piece.empty() || std::fwrite(piece.data(), 1, piece.size(), file) == piece.size());
  good = std::fflush(file) == 0 && good;
#if LIMBIC_POSIX
  good = good && fsync(fileno(file)) == 0;  // the data must be on the disk before the name points to them
#endif
  good = std::fclose(file) == 0 && good;
#if !LIMBIC_POSIX
  if (good) std::remove(path.c_str());  // elsewhere rename refuses to replace
#endif
  if (good && std::rename(beside.c_str(), path.c_str()) == 0) return;
  std::remove(beside.c_str());
  fail<io_error>(who, detail::shown(path),
                 good ? ": the file cannot be replaced" : ": the file cannot be written completely");
}
inline void write_file(std::string_view who, std::string const& path, std::string_view contents) {
  std::span<std::byte const> const piece = std::as_bytes(std::span(contents.data(), contents.size()));
  write_file(who, path, std::span(&piece, 1));
}

LIMBIC_END
