// limbic/backend/parallel.hpp - work split over threads, in pieces that do not depend on how many threads there are
//
// Threads exist only where the compiler has OpenMP on (LIMBIC_OPENMP). Without it, inside another parallel region, or
// when there is but one piece of work, everything runs in the calling thread. The one header that uses OpenMP.
#pragma once

#include <limbic/core/memory.hpp>

#include <utility>

#if LIMBIC_OPENMP
#include <omp.h>
#endif

LIMBIC_BEGIN

namespace detail {
inline int& thread_limit() {
  static int limit = 0;  // 0: as many as OpenMP would take (OMP_NUM_THREADS, else the number of cores)
  return limit;
}
}  // namespace detail

// At most this many threads work on one verb; 0 leaves it to OpenMP. Set it before the work starts.
inline void set_threads(int n) {
  if (n < 0) fail<argument_error>("set_threads", "the number of threads must not be negative, but is ", n);
  detail::thread_limit() = n;
}

// How many threads a loop may use: what OpenMP says, 1 without it.
inline int threads() {
#if LIMBIC_OPENMP
  if (omp_in_parallel()) return 1;
  return detail::thread_limit() > 0 ? detail::thread_limit() : omp_get_max_threads();
#else
  return 1;
#endif
}

namespace detail {
// f(piece, number of the thread) for every piece, each thread a run of them: with few pieces, the first threads one each.
// All threads form one team, whatever the number of pieces: one of another size would be made and ended for every loop.
template <class F> void each_piece(std::ptrdiff_t pieces, [[maybe_unused]] int team, F const& f) {
#if LIMBIC_OPENMP
#pragma omp parallel num_threads(team)
  {
    int const thread = omp_get_thread_num();
    std::ptrdiff_t const members = omp_get_num_threads(), share = (pieces + members - 1) / members;
    for (std::ptrdiff_t p = thread * share; p < (thread + 1) * share && p < pieces; ++p) f(p, thread);
  }
#else
  for (std::ptrdiff_t p = 0; p < pieces; ++p) f(p, 0);
#endif
}

// What `make` gives, once for each thread, no two on one cache line.
template <class Make> class rooms {
  using room = decltype(std::declval<Make const&>()());
  struct alignas(alignment) place {
    room value;
  };

 public:
  rooms(int count, Make const& make) : rooms(count) {
    for (; made_ < count; ++made_) ::new (static_cast<void*>(places_ + made_)) place{make()};
  }
  ~rooms() {
    while (made_ > 0) places_[--made_].~place();
    from_.deallocate(places_, bytes_);
  }
  rooms(rooms const&) = delete;
  rooms& operator=(rooms const&) = delete;

  room& operator[](int thread) const { return places_[thread].value; }

 private:
  explicit rooms(int count)
      : from_(current_memory(scalar{})),
        bytes_(static_cast<std::size_t>(count) * sizeof(place)),
        places_(static_cast<place*>(from_.allocate(bytes_))) {}

  memory& from_;
  std::size_t bytes_;
  place* places_;
  int made_ = 0;
};
}  // namespace detail

// f(begin, end) over pieces of `grain` items that cover [0, n). The pieces are the same for any number of threads; f
// must not throw. What f takes from the pool is taken as often as threads happen to be in it at once, and a thread knows
// nothing of the memory that its caller uses: kernels take what they need by the second form.
template <class F> void parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, F const& f) {
  if (grain < 1) grain = 1;
  std::ptrdiff_t const pieces = (n + grain - 1) / grain;
  auto const piece = [&](std::ptrdiff_t p) { f(p * grain, (p + 1) * grain < n ? (p + 1) * grain : n); };
  if (int const team = pieces > 1 ? threads() : 1; team > 1)
    return detail::each_piece(pieces, team, [&](std::ptrdiff_t p, int) { piece(p); });
  for (std::ptrdiff_t p = 0; p < pieces; ++p) piece(p);
}

// f(begin, end, room) for pieces that need room to work in. Each thread has its own, from make(), and finds in it what
// its last piece left. The calling thread makes them all before the work starts: from the memory that it uses, the same
// number whatever happens when, and where there is no memory left, its caller hears of it.
template <class Make, class F>
void parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, Make const& make, F const& f) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  std::ptrdiff_t const pieces = (n + grain - 1) / grain;
  auto const piece = [&](std::ptrdiff_t p, auto& room) {
    f(p * grain, (p + 1) * grain < n ? (p + 1) * grain : n, room);
  };
  if (int const team = pieces > 1 ? threads() : 1; team > 1) {
    detail::rooms<Make> const room(pieces < team ? static_cast<int>(pieces) : team, make);
    return detail::each_piece(pieces, team, [&](std::ptrdiff_t p, int thread) { piece(p, room[thread]); });
  }
  auto room = make();
  for (std::ptrdiff_t p = 0; p < pieces; ++p) piece(p, room);
}

LIMBIC_END
