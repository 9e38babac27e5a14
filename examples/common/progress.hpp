// examples/common/progress.hpp - how far a long piece of work has come, on stderr
//
//   progress bar("training", 900);
//   ... bar.advance();          from any thread
//   progress bar("training", 54000, "images/s", 1000);      1000 were done before; with how many it does in a second
//   ... bar.name("epoch 2");
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
  progress(std::string what, long total, std::string unit = "", long done = 0)
      : what_(std::move(what)), unit_(std::move(unit)), total_(std::max(total, 1L)), done_(done), before_(done) {
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

  void name(std::string what) {
    std::lock_guard const lock(mutex_);
    what_ = std::move(what);
  }
  void advance(long steps = 1) {
    std::lock_guard const lock(mutex_);
    done_ = std::min(done_ + steps, total_);
    auto const now = clock::now();
    if (terminal_) {
      if (now - drawn_ < std::chrono::milliseconds(100) && done_ < total_) return;
      drawn_ = now;
      constexpr long width = 20;
      std::string const filled(static_cast<std::size_t>(width * done_ / total_), '#');
      std::fprintf(stderr, "\r%s [%-20s] %3ld %%, %s%s left \033[K", what_.c_str(), filled.c_str(), percent(),
                   rate(now).c_str(), left(now).c_str());
      std::fflush(stderr);
    } else if (percent() / 25 > quarter_) {
      quarter_ = percent() / 25;
      std::fprintf(stderr, "%s %3ld %%, %s%s left\n", what_.c_str(), percent(), rate(now).c_str(), left(now).c_str());
    }
  }

 private:
  long percent() const { return 100 * done_ / total_; }
  double a_second(clock::time_point now) const {
    double const passed = std::chrono::duration<double>(now - began_).count();
    return static_cast<double>(done_ - before_) / std::max(passed, 1e-9);
  }
  std::string rate(clock::time_point now) const {
    return unit_.empty() ? "" : std::to_string(static_cast<long>(a_second(now) + 0.5)) + " " + unit_ + ", ";
  }
  std::string left(clock::time_point now) const {
    auto const seconds = static_cast<long>(static_cast<double>(total_ - done_) / std::max(a_second(now), 1e-9) + 0.5);
    return seconds < 60 ? std::to_string(seconds) + " s"
                        : std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  }

  std::string what_, unit_;
  long total_, done_, before_, quarter_ = 0;
  bool terminal_ = false;
  clock::time_point began_ = clock::now(), drawn_{};
  std::mutex mutex_;
};
