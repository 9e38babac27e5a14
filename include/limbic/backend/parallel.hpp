// limbic/backend/parallel.hpp - work split over threads, in pieces that do not depend on how many threads there are
//
// Threads exist only where the compiler has OpenMP on (LIMBIC_OPENMP). Without it, inside another parallel region, or
// when there is but one piece of work, everything runs in the calling thread. The one header that uses OpenMP.
#pragma once

#include <limbic/core/check.hpp>

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

// f(begin, end) over pieces of `grain` items that cover [0, n). The pieces are the same for any number of threads; f
// must not throw.
template <class F> void parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, F const& f) {
  if (grain < 1) grain = 1;
  std::ptrdiff_t const pieces = (n + grain - 1) / grain;
  auto const piece = [&](std::ptrdiff_t p) { f(p * grain, (p + 1) * grain < n ? (p + 1) * grain : n); };
#if LIMBIC_OPENMP
  if (int const t = pieces > 1 ? threads() : 1; t > 1) {
#pragma omp parallel for schedule(static) num_threads(t)
    for (std::ptrdiff_t p = 0; p < pieces; ++p) piece(p);
    return;
  }
#endif
  for (std::ptrdiff_t p = 0; p < pieces; ++p) piece(p);
}

LIMBIC_END
