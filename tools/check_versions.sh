#!/bin/sh
# sh tools/check_versions.sh [COMPILER...] - what docs/compatibility.md says of this system, made again
#
# For each compiler (default: g++ and clang++), with warnings as errors: every header alone; all of them together in C++20
# and C++23, for plain x86-64 and for this machine; the tests of TESTS (default: core;backend;math;tape;nn;optim;io).
set -u
cd "$(dirname "$0")/.."
case ${1:-} in -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
[ $# -gt 0 ] || set -- g++ clang++
tests=${TESTS:-core;backend;math;tape;nn;optim;io}
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
failed=0

defined() { # FILE MACRO...: their values, joined by dots; nothing where there is no such file
  file=/usr/include/$1 values=
  shift
  [ -f "$file" ] || return
  for macro in "$@"; do values=$values.$(sed -n "s/^# *define $macro \{1,\}\([0-9]\{1,\}\).*/\1/p" "$file" | head -n 1); done
  echo "${values#.}"
}
eigen_3="EIGEN_WORLD_VERSION EIGEN_MAJOR_VERSION EIGEN_MINOR_VERSION"
eigen_5="EIGEN_MAJOR_VERSION EIGEN_MINOR_VERSION EIGEN_PATCH_VERSION"
catch="CATCH_VERSION_MAJOR CATCH_VERSION_MINOR CATCH_VERSION_PATCH"
echo "system: $(. /etc/os-release && echo "$PRETTY_NAME"), $(cmake --version | head -n 1)"
# shellcheck disable=SC2086 # the list of macros is meant to be split
echo "xsimd $(defined xsimd/config/xsimd_config.hpp XSIMD_VERSION_MAJOR XSIMD_VERSION_MINOR XSIMD_VERSION_PATCH)," \
  "Eigen $(if [ -f /usr/include/eigen3/Eigen/Version ]; then defined eigen3/Eigen/Version $eigen_5
           else defined eigen3/Eigen/src/Core/util/Macros.h $eigen_3; fi)," \
  "Catch2 $(defined catch2/catch_version_macros.hpp $catch)$(defined catch2/catch.hpp $catch)"

try() { # WHAT COMMAND...
  what=$1; shift
  if "$@" >"$log" 2>&1; then
    echo "passed: $compiler: $what: $(tail -n 1 "$log")"
  else
    tail -n 30 "$log"
    echo "FAILED: $compiler: $what"
    failed=$((failed + 1))
  fi
}
run_tests() {
  build=build/versions/$(basename "$compiler")
  cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_CXX_FLAGS="-O1 -march=native" -DLIMBIC_TESTS="$tests" -DLIMBIC_BUILD_EXAMPLES=OFF \
    -DLIMBIC_BUILD_BENCHMARKS=OFF &&
    cmake --build "$build" && ctest --test-dir "$build" --output-on-failure | grep '100% tests passed'
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log together=$folder/together.cpp
(cd include && find limbic -name '*.hpp' | sort | sed 's/.*/#include <&>/') >"$together"
for compiler in "$@"; do
  command -v "$compiler" >/dev/null 2>&1 || { echo "absent: $compiler"; continue; }
  echo "compiler: $("$compiler" --version | head -n 1)"
  try "headers alone" python3 tools/check_headers.py --jobs "$jobs" --compiler "$compiler"
  for flags in "-std=c++20" "-std=c++2b" "-std=c++20 -march=native" "-std=c++2b -march=native"; do
    # shellcheck disable=SC2086 # the flags are meant to be split
    try "headers together, $flags" "$compiler" $flags -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
      -Iinclude -isystem /usr/include/eigen3 "$together"
  done
  [ "$tests" = none ] || try "tests ($tests)" run_tests
done
echo "$failed failed"
[ "$failed" -eq 0 ]
