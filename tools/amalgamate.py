#!/usr/bin/env python3
"""Writes single_include/limbic/limbic.hpp and infer.hpp: each spine of the library as one file.

Why: people who drop a library into a firmware tree or paste it into a compiler's web page want one file. The output is
the headers, each after those it includes: no formatter, no clock, no absolute path, so that the same
sources give the same bytes, and --check (run by the tests) can tell that somebody forgot to run this.

A header is inserted where it is reached first. If that place is inside an #if, a later reach from outside of it would
find nothing when the condition is false, so such a header is refused: include it before the #if as well.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPINES = ["limbic.hpp", "infer.hpp"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
DIRECTIVE = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)")


class Refused(Exception):
    pass


class Amalgam:
    def __init__(self, include):
        self.include = include
        self.out = []
        self.placed = {}  # header -> the stack of conditions under which it was inserted
        self.standard = set()  # system headers that were included outside every #if
        self.conditions = []  # the stack of open #if, each as "file:line #if ..."

    def resolve(self, path, mark, name):
        """The library's own file that an include names, or None for anybody else's."""
        if name.startswith("limbic/"):
            target = self.include / name
            if not target.exists():
                raise Refused(f"{self.name(path)} includes {name}, which does not exist")
            return target
        if mark == '"' and (path.parent / name).exists():
            return (path.parent / name).resolve()
        return None

    def name(self, path):
        return path.relative_to(self.include).as_posix()

    def insert(self, path):
        self.placed[path] = list(self.conditions)
        lines = path.read_text(encoding="utf-8").splitlines()
        first = self.first_code(lines)
        # What a file includes before its first line of code comes before the file, so that its opening comment stays
        # with the code it explains.
        for number, line in enumerate(lines[:first], 1):
            target = self.own_include(path, line)
            if target is not None:
                self.reach(path, number, target)
        self.out.append(f"// ---- {self.name(path)} " + "-" * max(0, 108 - len(self.name(path))) + "\n")
        depth = len(self.conditions)
        for number, line in enumerate(lines, 1):
            if line.strip() == "#pragma once":
                continue
            directive = DIRECTIVE.match(line)
            if directive:
                place = f"{self.name(path)}:{number} {line.strip()}"
                if directive.group(1).startswith("if"):
                    self.conditions.append(place)
                elif directive.group(1) == "endif":
                    self.conditions.pop()
                else:  # another branch of the same #if is another condition
                    self.conditions[-1] = place
            target = self.own_include(path, line)
            if target is not None:
                self.reach(path, number, target)
                continue
            if INCLUDE.match(line) and not self.conditions:
                if line.strip() in self.standard:
                    continue
                self.standard.add(line.strip())
            self.out.append(line.rstrip() + "\n")
        if len(self.conditions) != depth:
            raise Refused(f"{self.name(path)}: #if and #endif do not match")

    @staticmethod
    def first_code(lines):
        """The index of the first line that is neither blank, a comment, an #include nor #pragma once."""
        for index, line in enumerate(lines):
            text = line.strip()
            if text and not text.startswith("//") and text != "#pragma once" and not INCLUDE.match(line):
                return index
        return len(lines)

    def own_include(self, path, line):
        include = INCLUDE.match(line)
        return self.resolve(path, include.group(1), include.group(2)) if include else None

    def reach(self, path, number, target):
        if target not in self.placed:
            self.insert(target)
            return
        under = self.placed[target]
        if under != self.conditions[:len(under)]:
            raise Refused(f"{self.name(path)}:{number} reaches {self.name(target)}, which was already inserted inside "
                          f"{under[-1]}: include it before that #if")


def amalgamate(include, spine):
    amalgam = Amalgam(include)
    amalgam.insert(include / "limbic" / spine)
    text = "".join(amalgam.out)
    text = re.sub(r"\n{3,}", "\n\n", text)
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8").rstrip().splitlines()
    head = [f"limbic/{spine} in one file, written by tools/amalgamate.py from include/limbic/{spine}.",
            "Do not edit: change the headers and run the tool.", "", *licence]
    comment = "".join(("// " + line).rstrip() + "\n" for line in head)
    return f"{comment}#pragma once\n\n{text}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file would change")
    parser.add_argument("--include", type=pathlib.Path, default=ROOT / "include", help="the folder that holds limbic/")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "single_include" / "limbic")
    arguments = parser.parse_args()
    include = arguments.include.resolve()
    problems = 0
    for spine in SPINES:
        try:
            text = amalgamate(include, spine)
        except (Refused, OSError) as problem:
            print(f"amalgamate: {spine}: {problem}")
            problems += 1
            continue
        target = arguments.out / spine
        current = target.read_text(encoding="utf-8") if target.exists() else None
        if arguments.check:
            if current != text:
                print(f"amalgamate: {spine} is stale: run python3 tools/amalgamate.py")
                problems += 1
        elif current != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        print(f"amalgamate: {spine}: {len(text.splitlines())} lines")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
