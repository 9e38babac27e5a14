#!/usr/bin/env python3
"""Builds the API reference into build/docs/html, after checking that no public name lacks a description.

    python3 tools/docs.py              the check, then Doxygen; fails when either has something to say
    python3 tools/docs.py --check      the check alone, which needs no Doxygen [--root FOLDER: another include/limbic]
    python3 tools/docs.py --filter F   the header F as Doxygen is to read it (docs/Doxyfile calls this)

The headers hold plain comments; tools/declarations.py says which of them describes what. Formulas and columns are shown
as they stand, and what Doxygen or Markdown would take for a command is text.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

import declarations

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "limbic"
OUT = ROOT / "build" / "docs"


def headers_of(root):
    return sorted([*root.rglob("*.hpp"), *root.rglob("*.cuh")])


# ---- comments as Doxygen reads them ---------------------------------------------------------------------------------
def escaped(text):
    """Prose without a meaning in Markdown or Doxygen, but for code between backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\@&#<>*$%\"]|::(?=\w))", escape, part) for part in parts)


def escape(match):
    return "".join("\\" + c for c in match.group()) if match.group() != "::" else "\\::"


def paragraphs(lines):
    block = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def as_doxygen(lines):
    """Lines of a comment as lines of a Doxygen comment."""
    result = []
    for block in paragraphs(lines):
        result.append("")
        if declarations.is_formula(block):
            result += ["@code{.unparsed}", *block, "@endcode"]
        else:
            result += [escaped(line.strip()) for line in block]
    return result[1:]


def head_as_doxygen(header):
    return [f"@brief {escaped(header.title)}", "", *as_doxygen(header.head[1:])] if header.title else as_doxygen(header.head)


def filtered(path, root):
    header = declarations.Header(path, root)
    text, position, out = header.text, 0, []

    def comment(lines):
        return "".join(f"/// {line}".rstrip() + "\n" for line in lines)

    out.append(comment(["@file", *head_as_doxygen(header)]) + "\n")
    done = set()
    for d in header.declarations:
        if not d.description or d.offset in done or not d.public:
            continue
        done.add(d.offset)
        lines = head_as_doxygen(header) if d.description == header.head_description() else as_doxygen(d.description)
        out.append(text[position:d.offset].rstrip(" "))
        out.append("\n" + comment(lines))
        position = d.offset
    out.append(text[position:])
    return "".join(out)


# ---- the check ------------------------------------------------------------------------------------------------------
def check(roots):
    headers = [(path, declarations.Header(path, root)) for root in roots for path in headers_of(root)]
    # Overloads and specialisations for another device, in a file of their own, mean the same.
    described = {d.qualified for _, header in headers for d in header.declarations if d.description}
    count, missing = 0, []
    for path, header in headers:
        where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if not header.title:
            missing.append(f"{where}:1: the head comment does not say what the file is: // limbic/... - ...")
        for d in filter(declarations.is_public, header.declarations):
            count += 1
            if d.qualified not in described:
                missing.append(f"{where}:{d.line}: {d.kind} {d.qualified} has no description")
    for line in missing:
        print(line)
    print(f"docs: {count} public names, {len(missing)} without a description")
    return not missing


# ---- pages ----------------------------------------------------------------------------------------------------------
def page_of_ops():
    """One line for each function that applies an op, from the head of its file."""
    rows = []
    for folder in ("ops", "linalg", "information"):
        for path in sorted((INCLUDE / folder).glob("*.hpp")):
            header = declarations.Header(path, INCLUDE)
            ops = {d.name for d in header.declarations if d.kind == "class" and d.name.endswith("_op")}
            names = dict.fromkeys(d.qualified for d in header.declarations
                                  if d.kind == "function" and declarations.is_public(d) and not declarations.is_member(d) and
                                  (d.name + "_op" in ops or d.name == path.stem))
            if ops and names:
                # Doxygen 1.9.8 takes functional::linear for the layer: such names point to their namespace.
                links = ", ".join(f'\\ref {name if name.count("::") == 1 else name.rsplit("::", 1)[0]} '
                                  f'"{name.removeprefix("limbic::")}"' for name in names)
                rows.append(f"| {links} | {escaped(header.title)} |")
    return "# Ops {#ops}\n\nWhat can be called on tensors, views, parameters and variables. The file of each says the formula, " \
           "the shapes, the adjoint and the domain.\n\n| call | what |\n|---|---|\n" + "\n".join(rows) + "\n"


def build():
    doxygen = shutil.which("doxygen")
    if doxygen is None:
        print("docs: no doxygen here (sh tools/setup.sh ci)")
        return False
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    (OUT / "ops.md").write_text(page_of_ops(), encoding="utf-8")
    # By another name: Doxygen takes every README.md for the main page.
    shutil.copy(ROOT / "cuda" / "README.md", OUT / "cuda.md")
    done = subprocess.run([doxygen, "docs/Doxyfile"], cwd=ROOT, capture_output=True, text=True)
    warnings = [line.removeprefix(f"{ROOT}/") for line in done.stderr.splitlines() if line.strip()]
    for line in warnings:
        print(line)
    pages = len(list((OUT / "html").glob("*.html")))
    print(f"docs: {pages} pages in {(OUT / 'html').relative_to(ROOT)}, {len(warnings)} warnings")
    return done.returncode == 0 and not warnings and pages > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="build nothing")
    parser.add_argument("--root", type=pathlib.Path, help="the folder to check instead of include/limbic and cuda/limbic_cuda")
    parser.add_argument("--filter", type=pathlib.Path, metavar="F", help="print one header for Doxygen")
    arguments = parser.parse_args()
    if arguments.filter:
        sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(filtered(arguments.filter, INCLUDE))
        return 0
    roots = [arguments.root.resolve()] if arguments.root else [INCLUDE, ROOT / "cuda" / "limbic_cuda"]
    good = check(roots)
    if not arguments.check:
        good = build() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
