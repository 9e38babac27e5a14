#!/usr/bin/env python3
"""Compiles each tests/compile_fail/*.cpp twice: as it is (must compile) and with -DLIMBIC_BAD (must not).

Why: a mistake in a rank should end in one readable line, and only a test keeps it so. A test that only has to fail to
compile rots, since it also fails for a missing include; the good half, in the same file, shows that it does not.

Each file states with `// expect: TEXT` what the compiler must say about the bad half (the line may be repeated; each
TEXT must occur; `ONE | OTHER` where compilers differ), and may bound how much it says with `// at most: N lines`, not
counting source lines that are quoted with their number (g++ 14 quotes one for each step of an instantiation, g++ 12 none).
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def compile_it(compiler, path, extra):
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-isystem", "/usr/include/eigen3", *extra,
               f"-I{ROOT / 'include'}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return done.returncode, done.stderr


def judge(compiler, path, extra):
    """The problems of one pair, as text."""
    text = path.read_text(encoding="utf-8")
    expected = [line.strip() for line in re.findall(r"//\s*expect:(.*)", text)]
    limit = re.search(r"//\s*at most:\s*(\d+) lines", text)
    if not expected or "LIMBIC_BAD" not in text:
        return ["states no `// expect:` text or has no LIMBIC_BAD half"]
    problems = []
    code, errors = compile_it(compiler, path, extra)
    if code != 0:
        problems.append("the good half does not compile:\n" + "\n".join(errors.splitlines()[:12]))
    code, errors = compile_it(compiler, path, [*extra, "-DLIMBIC_BAD"])
    if code == 0:
        return problems + ["the bad half compiles"]
    for line in expected:
        if not any(text in errors for text in line.split(" | ")):
            problems.append(f"the compiler does not say {line!r}:\n" + "\n".join(errors.splitlines()[:12]))
    lines = [line for line in errors.splitlines() if not re.match(r" *\d* \|", line)]
    if limit and len(lines) > int(limit.group(1)):
        problems.append(f"{len(lines)} lines of errors, more than {limit.group(1)}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="default: tests/compile_fail/*.cpp")
    parser.add_argument("--compiler", action="append", help="may be repeated; default: g++")
    parser.add_argument("--flag", action="append", default=[], help="one more compiler flag, as --flag=-DX=1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    files = arguments.files or sorted((ROOT / "tests" / "compile_fail").glob("*.cpp"))
    pairs = [(compiler, path) for compiler in arguments.compiler or ["g++"] for path in files]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda pair: judge(*pair, arguments.flag), pairs))
    failed = 0
    for (compiler, path), problems in zip(pairs, results):
        failed += bool(problems)
        for problem in problems:
            print(f"{pathlib.Path(compiler).name}: {path.name}: {problem}")
    print(f"compile_fail: {len(pairs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
