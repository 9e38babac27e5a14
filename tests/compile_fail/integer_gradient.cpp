// Labels are integers; they enter a tape as constants.
// expect: limbic: integers have no gradient
#include <limbic/tape/record.hpp>

void f(limbic::tape& t, limbic::tensor<std::int64_t, 1> const& labels) {
#ifdef LIMBIC_BAD
  auto const x = t.variable(labels);
#else
  auto const x = t(labels);
#endif
  (void)x;
}
