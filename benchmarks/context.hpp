// What a result needs beside its numbers: the machine, the compiler, and the versions of the peers.
#pragma once

#include <limbic/config.hpp>

#include <benchmark/benchmark.h>

#include <fstream>
#include <string>

namespace bench {

inline int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string line; std::getline(cpu, line);)
    if (line.rfind("model name", 0) == 0) {
      benchmark::AddCustomContext("cpu", line.substr(line.find(": ") + 2));
      break;
    }
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", "clang " __clang_version__);
#elif defined(__GNUC__)
  benchmark::AddCustomContext("compiler", "g++ " __VERSION__);
#endif
#ifdef EIGEN_WORLD_VERSION
  benchmark::AddCustomContext("eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
                                           "." + std::to_string(EIGEN_MINOR_VERSION));
#endif
#ifdef TORCH_VERSION
  benchmark::AddCustomContext("libtorch", TORCH_VERSION);
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace bench
