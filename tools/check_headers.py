#!/usr/bin/env python3
"""Compiles every header of include/limbic alone, and twice in one file, with strict warnings.

Why: a header that leans on what its includer happened to include first breaks in the user's program, not in ours.
The file compiled is two #include lines of the same header, so a missing #pragma once shows as well.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
         "-isystem", "/usr/include/eigen3"]


def compile_alone(compiler, header, extra):
    name = header.relative_to(ROOT / "include")
    source = f"#include <{name}>\n#include <{name}>\n"
    command = [compiler, *FLAGS, *extra, f"-I{ROOT / 'include'}", "-x", "c++", "-"]
    started = time.monotonic()
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    return name, done.returncode, done.stderr, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("headers", nargs="*", type=pathlib.Path, help="headers to compile; default: all of them")
    parser.add_argument("--compiler", action="append", help="may be repeated; default: g++")
    parser.add_argument("--flag", action="append", default=[], help="one more compiler flag, as --flag=-DX=1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--slowest", type=int, default=0, metavar="N", help="also print the N slowest headers")
    arguments = parser.parse_args()
    headers = [path.resolve() for path in arguments.headers] or sorted((ROOT / "include" / "limbic").rglob("*.hpp"))
    failed = 0
    for compiler in arguments.compiler or ["g++"]:
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            results = list(pool.map(lambda header: compile_alone(compiler, header, arguments.flag), headers))
        bad = [result for result in results if result[1] != 0]
        for name, _, errors, _ in bad:
            print(f"{compiler}: {name} does not compile alone")
            print("\n".join("  " + line for line in errors.splitlines()[:15]))
        for name, _, _, seconds in sorted(results, key=lambda result: -result[3])[:arguments.slowest]:
            print(f"{compiler}: {seconds:5.2f} s {name}")
        print(f"headers: {compiler}: {len(results) - len(bad)} passed, {len(bad)} failed")
        failed += len(bad)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
