// limbic/data/prefetch.hpp - the next batch is prepared while this one trains
//
//   prefetch next(order.size(), [&](std::ptrdiff_t i) { return prepare(order[i]); });       one object for an epoch
//   while (auto* const batch = next()) step(*batch);
//
// Calls make(0), make(1), ... make(count - 1) one after another on a thread of its own, at most two ahead of what was taken;
// the batches come in this order and are the same bits as without a thread. What make uses must not change meanwhile: it
// draws from streams of its own (rng::split), never from one that training draws from, and order is not shuffled before the
// last batch was taken. What the tensors of a batch take comes from host_pool, whatever memory the calling thread uses; once
// the sizes have been seen, nothing comes from the heap.
//
// An error in make is thrown by the call that would have given its batch, and by all after it. The object may be destroyed at
// any time, which waits for the batch being made. Where there are no threads (LIMBIC_THREADS=0) batches are made when asked
// for.
#pragma once

#include <limbic/core/check.hpp>

#include <optional>
#include <utility>

#if LIMBIC_THREADS
#include <condition_variable>
#include <mutex>
#include <thread>
#endif

LIMBIC_BEGIN

template <class Make> class prefetch {
 public:
  // What make gives.
  using batch = std::decay_t<decltype(std::declval<Make&>()(std::ptrdiff_t()))>;

  prefetch(std::ptrdiff_t count, Make make) : count_(count), make_(std::move(make)) {
    if (count < 0) fail<argument_error>("prefetch", "the number of batches must not be negative, but is ", count);
#if LIMBIC_THREADS
    worker_ = std::thread([this] { work(); });
#endif
  }
  prefetch(prefetch const&) = delete;
  prefetch& operator=(prefetch const&) = delete;

#if LIMBIC_THREADS
  ~prefetch() {
    {
      std::lock_guard const hold(lock_);
      stop_ = true;
    }
    changed_.notify_all();
    worker_.join();
  }

  // The next batch, which stays until the next call; null behind the last one.
  batch* operator()() {
    current_.reset();
    std::unique_lock hold(lock_);
    changed_.wait(hold, [&] { return ready_.has_value() || done_; });
    if (!ready_) {
#if LIMBIC_EXCEPTIONS
      if (error_) std::rethrow_exception(error_);
#endif
      return nullptr;
    }
    current_ = std::move(ready_);
    ready_.reset();
    hold.unlock();
    changed_.notify_all();
    return &*current_;
  }

 private:
  void work() {
#if LIMBIC_EXCEPTIONS
    try {
      make_all();
    } catch (...) {
      std::lock_guard const hold(lock_);
      error_ = std::current_exception();
    }
#else
    make_all();
#endif
    {
      std::lock_guard const hold(lock_);
      done_ = true;
    }
    changed_.notify_all();
  }
  void make_all() {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      batch made = make_(i);
      {
        std::unique_lock hold(lock_);
        changed_.wait(hold, [&] { return !ready_ || stop_; });
        if (stop_) return;
        ready_ = std::move(made);
      }
      changed_.notify_all();
    }
  }
#else
  // The next batch, which stays until the next call; null behind the last one.
  batch* operator()() {
    current_.reset();
    if (next_ == count_) return nullptr;
    current_ = make_(next_++);
    return &*current_;
  }

 private:
  std::ptrdiff_t next_ = 0;
#endif

  std::ptrdiff_t count_;
  Make make_;
  std::optional<batch> current_;  // the caller's
#if LIMBIC_THREADS
  std::optional<batch> ready_;  // this and what follows: under the lock
  bool done_ = false, stop_ = false;
#if LIMBIC_EXCEPTIONS
  std::exception_ptr error_;
#endif
  std::mutex lock_;
  std::condition_variable changed_;
  std::thread worker_;  // last, as it uses the others
#endif
};

LIMBIC_END
