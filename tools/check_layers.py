#!/usr/bin/env python3
"""Checks the include law: which folder of include/limbic may include which.

Why: the library stays small to read and to compile only as long as the arrows point one way. Nothing in the language
stops `ops/` from including the tape; this script does.

It checks that
  - a folder includes only what LAW allows (and the includes form no cycle of files);
  - the inference spine never reaches the tape, the optimisers or the search;
  - Eigen, xsimd and OpenMP are touched only by the folders that own them;
  - no spine reaches a standard header that is slow to compile or large to link;
  - compiler macros are read in config.hpp alone, and no header hides its own warnings.
"""
import argparse
import pathlib
import re
import sys

CORE = ["config", "core"]
LOOPS = CORE + ["math", "backend", "kernels"]
OPS = LOOPS + ["ops"]

# folder -> the folders it may include (itself is always allowed). To allow an arrow, add it here.
LAW = {
    "config": [],
    "core": ["config"],
    "math": CORE,
    "backend": CORE + ["math"],
    "kernels": CORE + ["math", "backend"],
    "ops": LOOPS,
    "tape": OPS,
    "nn": OPS,
    "linalg": OPS,
    "information": OPS + ["linalg"],
    "manifold": OPS + ["linalg"],
    "optim": OPS + ["linalg", "manifold"],
    "search": OPS + ["linalg", "manifold", "optim", "io"],
    "signal": OPS + ["linalg"],
    "models": OPS + ["nn", "linalg", "signal"],
    "explain": OPS + ["tape", "nn", "linalg"],
    "metrics": CORE + ["math"],
    "io": CORE,
    "data": CORE + ["math"],
}

# (spine, folders it must never reach, directly or not)
NEVER_REACHED = [("infer.hpp", ["tape", "optim", "search"])]

# third-party or language feature -> (pattern in the source, folders that may use it)
OWNERS = {
    "Eigen": (re.compile(r'#\s*include\s*[<"](unsupported/)?Eigen/'), ["linalg"]),
    "xsimd": (re.compile(r'#\s*include\s*[<"]xsimd/'), ["math", "backend"]),
    "OpenMP": (re.compile(r'#\s*include\s*[<"]omp\.h|#\s*pragma\s+omp|_Pragma\s*\(\s*"omp'), ["backend"]),
}

# Never below a spine: what each costs to compile is in ARCHITECTURE.md.
HEAVY = {"random", "memory_resource", "iostream", "functional", "regex", "ranges"}

COMPILER_MACRO = re.compile(
    r"\b(__GNUC__|__clang__|__clang_major__|_MSC_VER|__NVCC__|__CUDACC__|__CUDA_ARCH__|__CUDACC_\w+__|_OPENMP"
    r"|__AVX\w*__|__SSE\w*__|__FMA__|__ARM_\w+|__aarch64__|__x86_64__|__FAST_MATH__|__OPTIMIZE__|NDEBUG"
    r"|__SANITIZE_\w+__|__cpp_\w+|__has_include|__has_builtin|__has_feature)\b")
SYSTEM_HEADER = re.compile(r"#\s*pragma\s+(GCC|clang)\s+system_header")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def code_lines(text):
    """The lines of a file with comments blanked, so that only code is judged."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token  # includes and _Pragma are written with quotes
        return re.sub(r"[^\n]", " ", token)

    return re.sub(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'""", blank, text, flags=re.S).split("\n")


def folder_of(path, root):
    """"core" for core/shape.hpp, "config" for config.hpp, "" for a spine."""
    relative = path.relative_to(root)
    if len(relative.parts) > 1:
        return relative.parts[0]
    return "config" if relative.name == "config.hpp" else ""


def includes_of(path, root, lines):
    """Yields (line number, kind, value): ("own", path) or ("outside", name)."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        name = match.group(2)
        if name.startswith("limbic/"):
            yield number, "own", root.parent / name
        elif match.group(1) == '"' and (path.parent / name).exists():
            yield number, "own", (path.parent / name).resolve()
        else:
            yield number, "outside", name


def check(root):
    problems = []
    files = sorted(root.rglob("*.hpp"))
    own, outside = {}, {}
    for path in files:
        where = path.relative_to(root)
        folder = folder_of(path, root)
        lines = code_lines(path.read_text(encoding="utf-8"))
        own[path], outside[path] = [], set()
        if folder and folder not in LAW:
            problems.append(f"{where}: the folder {folder}/ is not in the law (tools/check_layers.py)")
        if not any(line.strip() == "#pragma once" for line in lines):
            problems.append(f"{where}: no #pragma once")
        for number, kind, value in includes_of(path, root, lines):
            if kind == "outside":
                outside[path].add(value)
                continue
            if not value.exists():
                problems.append(f"{where}:{number}: includes {value.relative_to(root.parent)}, which does not exist")
                continue
            own[path].append(value)
            target = folder_of(value, root)
            if folder and not target:
                problems.append(f"{where}:{number}: includes the spine {value.name}")
            elif folder and target != folder and target not in LAW.get(folder, [target]):
                problems.append(f"{where}:{number}: {folder}/ may not include {target}/ ({value.relative_to(root)})")
        for number, line in enumerate(lines, 1):
            for owner, (pattern, allowed) in OWNERS.items():
                if pattern.search(line) and folder not in allowed:
                    problems.append(f"{where}:{number}: {owner} is used outside {' and '.join(allowed)}")
            if SYSTEM_HEADER.search(line):
                problems.append(f"{where}:{number}: #pragma system_header hides warnings from users")
            macro = COMPILER_MACRO.search(line)
            if macro and folder != "config":
                problems.append(f"{where}:{number}: {macro.group(0)} is read outside config.hpp")

    def reach(start):
        """Every file reached from start, with the file through which it was reached first."""
        through, stack = {start: None}, [start]
        while stack:
            path = stack.pop()
            for target in own.get(path, []):
                if target not in through:
                    through[target] = path
                    stack.append(target)
        return through

    def chain(through, path):
        names = []
        while path is not None:
            names.append(str(path.relative_to(root)))
            path = through[path]
        return " <- ".join(names)

    for spine, folders in NEVER_REACHED:
        if (root / spine).exists():
            through = reach(root / spine)
            for path in sorted(through):
                if folder_of(path, root) in folders:
                    problems.append(f"{spine} reaches {chain(through, path)}")
    for spine in [path for path in files if not folder_of(path, root)]:
        through = reach(spine)
        for path in sorted(through):
            for name in sorted(outside.get(path, set()) & HEAVY):
                problems.append(f"{spine.name} reaches <{name}>: {chain(through, path)}")

    state = {}

    def cycle(path, trail):
        """Depth-first search for a file that includes itself through others."""
        state[path] = "open"
        for target in own.get(path, []):
            if state.get(target) == "open":
                names = [str(p.relative_to(root)) for p in trail[trail.index(target):] + [target]]
                problems.append("cycle: " + " -> ".join(names))
            elif target not in state:
                cycle(target, trail + [target])
        state[path] = "done"

    for path in files:
        if path not in state:
            cycle(path, [path])
    return len(files), problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).resolve().parent.parent / "include" / "limbic"
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=default, help="the folder include/limbic")
    arguments = parser.parse_args()
    if not arguments.root.is_dir():
        parser.error(f"no folder {arguments.root}")
    count, problems = check(arguments.root.resolve())
    for problem in problems:
        print(problem)
    print(f"layers: {count} headers, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
