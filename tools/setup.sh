#!/bin/sh
# sh tools/setup.sh run|test|bench|ci - installs what is missing for one purpose, on Debian 12 and 13
#
#   run    the compiler, CMake, Ninja and the libraries and gnuplot of the examples
#   test   run, plus Catch2 and Python
#   bench  test, plus Google Benchmark
#   ci     bench, plus clang with its sanitizers and OpenMP, clang-format and Doxygen
#
# When nothing is missing it touches nothing: no network, no root.
set -eu

purpose=${1:-}
case $purpose in
  run) level=1 ;;
  test) level=2 ;;
  bench) level=3 ;;
  ci) level=4 ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    [ "$purpose" = --help ] || [ "$purpose" = -h ] && exit 0
    exit 2
    ;;
esac

missing=
need() { missing="$missing $1"; }
have() { command -v "$1" >/dev/null 2>&1; }
header() { for folder in /usr/include /usr/local/include; do [ -e "$folder/$1" ] && return 0; done; return 1; }
matches() { for path in "$@"; do [ -e "$path" ] && return 0; done; return 1; }

have g++ || need g++
have cmake || need cmake
have ninja || need ninja-build
header eigen3/Eigen/Core || need libeigen3-dev
header xsimd/xsimd.hpp || need libxsimd-dev
header CLI/CLI.hpp || need libcli11-dev
header nlohmann/json.hpp || need nlohmann-json3-dev
header zlib.h || need zlib1g-dev
header png.h || need libpng-dev
header jpeglib.h || need libjpeg-dev
have gnuplot || need gnuplot-nox
if [ "$level" -ge 2 ]; then
  header catch2/catch.hpp || header catch2/catch_all.hpp || need catch2
  have python3 || need python3
fi
if [ "$level" -ge 3 ]; then
  header benchmark/benchmark.h || need libbenchmark-dev
fi
if [ "$level" -ge 4 ]; then
  have clang++ || need clang
  matches /usr/lib/llvm-*/lib/clang/*/include/omp.h || need libomp-dev
  matches /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.tsan* || need libclang-rt-dev
  have clang-format-19 || need clang-format-19
  have doxygen || need doxygen
  have pkg-config || need pkgconf
fi

[ -z "$missing" ] && exit 0

if ! have apt-get; then
  echo "setup: this system has no apt-get; install the equivalents of:$missing" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! have sudo; then
    echo "setup: run as root, or install:$missing" >&2
    exit 1
  fi
  as_root="sudo env"
fi

echo "setup: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  # shellcheck disable=SC2086 # the list of packages is meant to be split
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >"$log" 2>&1
}
$as_root apt-get update -qq </dev/null >"$log" 2>&1 || cat "$log" >&2
if ! install; then
  cat "$log" >&2
  echo "setup: apt-get could not install:$missing" >&2
  exit 1
fi
