// examples/common/check.hpp - says what an example has shown, and ends it with exit code 1 where that does not hold
#pragma once

#include <cstdio>
#include <cstdlib>

inline void check(bool holds, char const* what) {
  std::printf("%s %s\n", holds ? "[ok]" : "[NOT SO]", what);
  if (!holds) std::exit(1);
}
