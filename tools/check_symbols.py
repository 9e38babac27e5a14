#!/usr/bin/env python3
"""Shows that objects built with different instruction sets link safely.

Why: an inline function is a weak symbol, and the linker keeps one copy for the whole program. When a file built for
AVX-512 and one built for AVX2 share such a symbol, the program may run AVX-512 code on a machine without it. limbic
keeps its code in an inline namespace that names the instruction set, so that no such symbol is shared.

The tool compiles tests/abi/train.cpp for x86-64-v3 without and x86-64-v4 with OpenMP, links both with
tests/abi/main.cpp, runs it, and disassembles every weak symbol that both objects define: none may hold vector code
(ymm, zmm or mask registers, or any instruction in VEX or EVEX encoding).
"""
import argparse
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VARIANTS = [("v3", ["-march=x86-64-v3"]), ("v4", ["-march=x86-64-v4", "-fopenmp"])]
WIDE = re.compile(r"%[yz]mm|%k[0-7]\b|\{%k|\{1to")


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"symbols: {' '.join(str(part) for part in command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def weak_symbols(path):
    symbols = set()
    for line in run(["nm", "-f", "posix", path]).splitlines():
        fields = line.split()
        if len(fields) >= 3 and fields[1] in "WVu":
            symbols.add(fields[0])
    return symbols


def vector_code(path):
    """symbol -> its first instruction that needs AVX or more."""
    found, symbol = {}, None
    for line in run(["objdump", "-d", "--no-show-raw-insn", "-w", path]).splitlines():
        head = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        if head:
            symbol = head.group(1)
            continue
        parts = line.split("\t")
        if symbol is None or len(parts) < 2:
            continue
        instruction = parts[1].strip()
        vex = re.match(r"v[a-z]", instruction) and not re.match(r"ver[rw]\b|vm[a-z]+\b(?!.*%xmm)", instruction)
        if (vex or WIDE.search(instruction)) and symbol not in found:
            found[symbol] = instruction
    return found


def demangle(symbol):
    return run(["c++filt", symbol]).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--source", type=pathlib.Path, default=ROOT / "tests" / "abi" / "train.cpp")
    parser.add_argument("--main", type=pathlib.Path, default=ROOT / "tests" / "abi" / "main.cpp")
    parser.add_argument("--flag", action="append", default=["-O2"], help="one more compiler flag, as --flag=-O3")
    parser.add_argument("--list", action="store_true", help="print every shared weak symbol")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        print("symbols: skipped, this is not x86-64")
        return 0
    common = [arguments.compiler, "-std=c++20", *arguments.flag, f"-I{ROOT / 'include'}"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        objects = []
        for name, flags in VARIANTS:
            objects.append(folder / f"{name}.o")
            run([*common, *flags, f"-DLIMBIC_ABI_ENTRY=train_{name}", "-c", arguments.source, "-o", objects[-1]])
        run([*common, arguments.main, *objects, "-fopenmp", "-o", folder / "both"])
        print(run([folder / "both"]).strip())
        shared = weak_symbols(objects[0]) & weak_symbols(objects[1])
        vector = [vector_code(path) for path in objects]
    if arguments.list:
        for symbol in sorted(shared):
            print(f"  shared: {demangle(symbol)}")
    bad = sorted(symbol for symbol in shared if any(symbol in codes for codes in vector))
    for symbol in bad:
        code = next(codes[symbol] for codes in vector if symbol in codes)
        print(f"  vector code in both objects: {demangle(symbol)}\n      {code}")
    print(f"symbols: {len(shared)} weak symbols shared, {len(bad)} of them with vector code")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
