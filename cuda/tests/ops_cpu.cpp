// tests/ops_cpu.cpp - every op on the CPU, in double: what ops.cu compares with
#include "ops.hpp"

std::vector<compare::outcome> compare::ops_on_cpu() {
  recorder all;
  all_ops(all);
  return all.outcomes;
}
