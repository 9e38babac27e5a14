#!/usr/bin/env python3
"""Compares README.md and ARCHITECTURE.md with the repository: a document that nobody checks is soon wrong.

- A fenced block below `<!-- from PATH -->` must stand in that file, line by line.
- Every folder of include/limbic stands in the table of ARCHITECTURE.md, with what it may include, and no other.
- Every path in backticks that looks like one of this repository's exists.
- README.md has one-line commands below `## Run` and `## Test`.
- The examples with a number name themselves, the one before and the one after, and README.md names the last one.
"""
import importlib.util
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENTS = ["README.md", "ARCHITECTURE.md"]
TOP = {"cmake", "cuda", "benchmarks", "tests", "examples", "tools", "include", "docs", ".ci"}
GENERATED = {"single_include", "build", "out"}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def law():
    spec = importlib.util.spec_from_file_location("check_layers", ROOT / "tools" / "check_layers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.LAW


class Documents(unittest.TestCase):
    def test_code_is_that_of_the_files(self):
        found = 0
        for name in DOCUMENTS:
            text = read(name)
            for path, code in re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", text, re.S):
                found += 1
                self.assertIn(code.strip("\n"), read(path), f"{name}: a block differs from {path}")
        self.assertGreaterEqual(found, 3)

    def test_the_table_of_folders(self):
        rows = dict(re.findall(r"^\| `(\w+)(?:/|\.hpp)` \|.*\| ([^|]*) \|$", read("ARCHITECTURE.md"), re.M))
        folders = {p.name for p in (ROOT / "include" / "limbic").iterdir() if p.is_dir() and any(p.rglob("*.hpp"))}
        self.assertEqual(set(rows), folders | {"config"})
        allowed = law()

        def closure(folder):
            """What the table lets a folder include, through those it names."""
            names = [n for n in re.split(r",\s*", rows[folder].strip()) if n != "nothing"]
            return set(names).union(*(closure(n) for n in names))

        for folder in rows:
            self.assertLessEqual(closure(folder), set(allowed[folder]), folder)

    def test_paths_exist(self):
        for name in DOCUMENTS:
            for quoted in re.findall(r"`([\w./*<>-]+)`", read(name)):
                first = quoted.split("/")[0]
                if any(c in quoted for c in "*<>") or "NAME" in quoted or first in GENERATED:
                    continue
                if first in TOP and "/" in quoted:
                    self.assertTrue((ROOT / quoted).exists(), f"{name}: {quoted}")
                elif re.fullmatch(r"\w+/(\w+\.hpp)?", quoted) and first not in TOP:
                    self.assertTrue((ROOT / "include" / "limbic" / quoted).exists(), f"{name}: {quoted}")

    def test_the_course(self):
        names = sorted(p.name for p in (ROOT / "examples").glob("[0-9]*.cpp"))
        self.assertGreater(len(names), 10)
        for before, name, after in zip([None] + names, names, names[1:] + [None]):
            head = read(f"examples/{name}").split("#include")[0]
            self.assertTrue(head.startswith(f"// {name[:-4]} - "), name)
            self.assertEqual(re.findall(r"[Bb]efore: (\S+\.cpp)", head), [before] if before else [], name)
            following = re.findall(r"[Nn]ext: (\S+\.cpp)", head)
            if following != ["latent_dimension/main.cpp"]:  # which is where the first part ends
                self.assertEqual(following, [after] if after else [], name)
        self.assertIn(f"`examples/{names[-1]}`", read("README.md"))

    def test_commands(self):
        text = read("README.md")
        for heading in ("Run", "Test"):
            match = re.search(rf"^## {heading}\n\n```\w*\n(.*?)```", text, re.S | re.M)
            self.assertIsNotNone(match, heading)
            self.assertEqual(len(match.group(1).strip().splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
