// examples/common/progress.hpp - how far a long piece of work has come, on stderr
//
//   progress bar("training", 900);
//   ... bar.advance();          from any thread
//
// On a terminal one line is drawn again and again, with the time that is left; elsewhere (a log) a line every quarter.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

class progress {
  using clock = std::chrono::steady_clock;

 public:
  progress(std::string what, long total) : what_(std::move(what)), total_(std::max(total, 1L)) {
#if defined(__unix__) || defined(__APPLE__)
    terminal_ = isatty(STDERR_FILENO) == 1;
#endif
  }
  progress(progress const&) = delete;
  progress& operator=(progress const&) = delete;
  ~progress() {
    if (terminal_ && drawn_ != clock::time_point())
      std::fputs("\r\033[K", stderr);  // what follows begins on a clean line
  }

  void advance(long steps = 1) {
    std::lock_guard const lock(mutex_);
    done_ = std::min(done_ + steps, total_);
    auto const now = clock::now();
    if (terminal_) {
      if (now - drawn_ < std::chrono::milliseconds(100) && done_ < total_) return;
      drawn_ = now;
      constexpr long width = 30;
      std::string const filled(static_cast<std::size_t>(width * done_ / total_), '#');
      std::fprintf(stderr, "\r%s [%-30s] %3ld %%, %s left \033[K", what_.c_str(), filled.c_str(), percent(),
                   left(now).c_str());
      std::fflush(stderr);
    } else if (percent() / 25 > quarter_) {
      quarter_ = percent() / 25;
      std::fprintf(stderr, "%s %3ld %%, %s left\n", what_.c_str(), percent(), left(now).c_str());
    }
  }

 private:
  long percent() const { return 100 * done_ / total_; }
  std::string left(clock::time_point now) const {
    double const passed = std::chrono::duration<double>(now - began_).count();
    auto const seconds =
        static_cast<long>(passed / static_cast<double>(done_) * static_cast<double>(total_ - done_) + 0.5);
    return seconds < 60 ? std::to_string(seconds) + " s"
                        : std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  }

  std::string what_;
  long total_, done_ = 0, quarter_ = 0;
  bool terminal_ = false;
  clock::time_point began_ = clock::now(), drawn_{};
  std::mutex mutex_;
};
