// limbic/io/append_file.hpp - a file that only grows, by pieces that are there whole or not at all
//
//   append_file log("search_log", path);       opened, or made; nobody else may append meanwhile
//   log.contents()                             what it held when it was opened
//   log.truncate(size);                        drops what is behind; on the disk with the next piece
//   log.append("one line\n");                  on the disk when this returns
//
// A piece that cannot be written completely (a full disk) is taken off again, and io_error says so: what was there before
// stays. After a crash the end of the file may be a part of a piece: its reader has to know whole ones. Where there is no
// POSIX, two programs are not kept apart, and pieces reach the system, not surely the disk.
#pragma once

#include <limbic/io/file.hpp>

#include <cerrno>
#include <utility>

#if LIMBIC_POSIX
#include <fcntl.h>
#include <sys/file.h>
#endif

LIMBIC_BEGIN

class append_file {
 public:
  append_file(std::string_view who, std::string path) : who_(who), path_(std::move(path)) {
#if LIMBIC_POSIX
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file_ < 0)
      fail<io_error>(who_, detail::shown(path_), ": the file cannot be opened, its folder must exist and be writable");
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {  // file systems without locks: as it comes
      close();
      fail<io_error>(who_, detail::shown(path_), ": another program is writing to the file");
    }
#else
    if (std::FILE* const f = std::fopen(path_.c_str(), "ab")) std::fclose(f);
#endif
    auto const bytes = read_file(who_, path_);
    contents_.assign(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    size_ = contents_.size();
    if (size_ == 0) keep_name();
  }
  append_file(append_file const&) = delete;
  append_file& operator=(append_file const&) = delete;
  ~append_file() { close(); }

  // The path that it was opened with.
  std::string const& path() const { return path_; }
  std::string const& contents() const { return contents_; }

  void truncate(std::size_t size) {
    if (!cut(size)) fail<io_error>(who_, detail::shown(path_), ": the file cannot be cut to ", size, " bytes");
    contents_.resize(size < contents_.size() ? size : contents_.size());
  }

  void append(std::string_view piece) {
    if (broken_) fail<io_error>(who_, detail::shown(path_), ": the file ends in a part that could not be taken off");
    if (write(piece)) {
      size_ += piece.size();
      return;
    }
    broken_ = !cut(size_);
    fail<io_error>(who_, detail::shown(path_), ": nothing can be added to the file (is the disk full?)");
  }

 private:
#if LIMBIC_POSIX
  // The name of a new file, too, has to be on the disk.
  void keep_name() const {
    std::size_t const slash = path_.find_last_of('/');
    std::string const folder = slash == path_.npos ? "." : path_.substr(0, slash + 1);
    int const f = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (f < 0) return;
    ::fsync(f);
    ::close(f);
  }
  bool write(std::string_view piece) {
    while (!piece.empty()) {
      auto const n = ::write(file_, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      piece.remove_prefix(static_cast<std::size_t>(n));
    }
    return ::fsync(file_) == 0;
  }
  bool cut(std::size_t size) {
    if (::ftruncate(file_, static_cast<off_t>(size)) != 0) return false;
    size_ = size;
    return true;
  }
  void close() {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
  }
  int file_ = -1;
#else
  void keep_name() const {}
  bool write(std::string_view piece) {
    std::FILE* const f = std::fopen(path_.c_str(), "ab");
    if (f == nullptr) return false;
    bool const good = std::fwrite(piece.data(), 1, piece.size(), f) == piece.size();
    return std::fclose(f) == 0 && good;
  }
  bool cut(std::size_t size) {
    auto const bytes = read_file(who_, path_);
    if (bytes.size() > size)
      write_file(who_, path_, std::string_view(reinterpret_cast<char const*>(bytes.data()), size));
    size_ = size;
    return true;
  }
  void close() {}
#endif

  std::string_view who_;
  std::string path_, contents_;
  std::size_t size_ = 0;
  bool broken_ = false;
};

LIMBIC_END
