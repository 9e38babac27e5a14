#!/usr/bin/env python3
"""Checks that every op is compiled for CUDA: forward and adjoint, in float and in double.

Why: an op that only the CPU's tests call may hold something nvcc refuses (a lambda as a functor, a private functor, a
type local to a function), and nobody notices before somebody needs it on a GPU.

An op is a struct in ops/, linalg/, information/ or signal/ with `static constexpr std::string_view name = "..."`. Each name must
be called in cuda/tests/ops.hpp: s.check("name", ...). With --object, the object file that nvcc made of cuda/tests/ops.cu
is searched too: it must hold a tape's node of each struct on `cuda`, for float and for double, so that a call under a
wrong name does not pass.
"""
import argparse
import pathlib
import re
import subprocess
import sys

FOLDERS = ["ops", "linalg", "information", "signal"]
NODE_TYPES = ["float", "double"]

# A struct's head (with its template line or not), or the name within: a choice of several stands for several ops.
TOKEN = re.compile(r'\bstruct\s+(?P<struct>\w+)(?:\s*:\s*[^{;]+)?\s*\{|static\s+constexpr\s+std::string_view\s+name\s*=\s*(?P<name>[^;]*"[^;]*);')
CALL = re.compile(r's\.check\(\s*"(\w+)"')


def ops_of(root):
    """{struct: (op names, file)} of all ops."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((root / "include" / "limbic" / folder).glob("*.hpp")):
            struct = None
            text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
            for match in TOKEN.finditer(text):
                if match.group("struct"):
                    struct = match.group("struct")
                elif struct:
                    found[struct] = (re.findall(r'"(\w+)"', match.group("name")), path.relative_to(root))
    return found


def check_source(ops, text):
    called = set(CALL.findall(text))
    problems = []
    for name, struct, path in sorted((name, struct, path) for struct, (names, path) in ops.items() for name in names):
        if name not in called:
            problems.append(f'{path}: {struct}: no s.check("{name}", ...) in cuda/tests/ops.hpp')
    for name in sorted(called - {name for names, _ in ops.values() for name in names}):
        problems.append(f'cuda/tests/ops.hpp: s.check("{name}", ...) names no op')
    return problems


def check_symbols(ops, symbols):
    """`symbols`: demangled names, one a line."""
    nodes = [line for line in symbols.splitlines() if "op_node<" in line and "limbic::cuda" in line and "::backward(" in line]
    problems = []
    for struct, (names, path) in sorted(ops.items()):
        of_op = re.compile(rf"::{struct}\b")
        for number in NODE_TYPES:
            on_gpu = re.compile(rf"\b{number}, limbic::cuda\b")
            if not any(of_op.search(line) and on_gpu.search(line) for line in nodes):
                problems.append(f"{path}: {struct} ({names[0]}): no node on cuda for {number} in the object file")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=default, help="the repository")
    parser.add_argument("--object", type=pathlib.Path, help="the object file, or the program, that nvcc made of cuda/tests/ops.cu")
    arguments = parser.parse_args()
    source = arguments.root / "cuda" / "tests" / "ops.hpp"
    if not source.is_file():
        parser.error(f"no file {source}")
    ops = ops_of(arguments.root.resolve())
    problems = check_source(ops, source.read_text(encoding="utf-8"))
    if arguments.object:
        nm = subprocess.run(["nm", "-C", str(arguments.object)], capture_output=True, text=True)
        if nm.returncode != 0:
            parser.error(f"nm could not read {arguments.object}: {nm.stderr.strip()}")
        problems += check_symbols(ops, nm.stdout)
    for problem in problems:
        print(problem)
    print(f"cuda ops: {len(ops)} ops, {len(problems)} problems")
    return 1 if problems or not ops else 0


if __name__ == "__main__":
    sys.exit(main())
