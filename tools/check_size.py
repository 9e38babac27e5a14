#!/usr/bin/env python3
"""Measures what including limbic costs: the size of a program that trains, and the time to compile the spine.

Why: "dependency-light" is a number. Limits: a stripped static program that trains the LSTM autoencoder
(tests/abi/autoencoder.cpp) under 1 MB; `#include <limbic/limbic.hpp>` compiles in at most the time of
`#include <Eigen/Dense>`, as the median of several runs, taken in turns so that both see the same machine. The time is
the compiler's own processor time, which other work on the machine disturbs least.
"""
import argparse
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 1_000_000


def compile_seconds(compiler, line):
    """Processor time of one compilation of a file that has this line alone, to an object file."""
    command = [compiler, "-std=c++20", "-O0", "-march=native", f"-I{ROOT / 'include'}", "-isystem",
               "/usr/include/eigen3", "-x", "c++", "-c", "-", "-o", "/dev/null"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=line + "\n", capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"size: {line}\n{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--source", type=pathlib.Path, default=ROOT / "tests" / "abi" / "autoencoder.cpp")
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    failed = 0

    if arguments.source.exists():
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "train"
            command = [arguments.compiler, "-std=c++20", "-O2", "-march=native", "-static", "-s", "-ffunction-sections",
                       "-fdata-sections", "-Wl,--gc-sections", f"-I{ROOT / 'include'}", str(arguments.source), "-o",
                       str(program)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"size: {arguments.source.name} does not build\n{done.stderr}")
            size = program.stat().st_size
            if subprocess.run([str(program)], capture_output=True).returncode != 0:
                sys.exit(f"size: {arguments.source.name} does not run")
        failed += size >= LIMIT
        print(f"size: static, stripped {arguments.source.name}: {size} bytes (limit {LIMIT})")
    else:
        print(f"size: no {arguments.source}")
        failed += 1

    lines = ["#include <limbic/limbic.hpp>", "#include <Eigen/Dense>"]
    times = {line: [] for line in lines}
    for _ in range(arguments.runs):
        for line in lines:
            times[line].append(compile_seconds(arguments.compiler, line))
    ours, eigen = (statistics.median(times[line]) for line in lines)
    failed += ours > eigen
    print(f"size: compile limbic.hpp {ours:.2f} s, Eigen/Dense {eigen:.2f} s, ratio {ours / eigen:.2f} (limit 1.00)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
