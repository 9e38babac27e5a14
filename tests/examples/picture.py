#!/usr/bin/env python3
"""picture.py PROGRAM - an example draws its picture when it is given a path, and says so when it cannot.

The picture must be a well-formed SVG with curves, a title and the names of both axes. Exit code 77, a skipped test, where
gnuplot is missing (Debian: gnuplot-nox).
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = None
SVG = "{http://www.w3.org/2000/svg}"


class Picture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def draw(self, path, environment=None):
        return subprocess.run([PROGRAM, path], capture_output=True, text=True, env=environment)

    def test_a_picture_is_drawn(self):
        path = self.folder / "picture.svg"
        ran = self.draw(path)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)
        text = path.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("<svg"), text[:80])
        root = xml.etree.ElementTree.fromstring(text)
        self.assertEqual(root.tag, SVG + "svg")
        # gnuplot draws each curve as a group of its own, named gnuplot_plot_1, 2, ...
        curves = [g for g in root.iter(SVG + "g") if g.get("id", "").startswith("gnuplot_plot_")]
        self.assertGreaterEqual(len(curves), 2)
        for curve in curves:
            drawn = [e for e in curve.iter() if e.tag in (SVG + "path", SVG + "use", SVG + "circle", SVG + "polygon", SVG + "image")]
            self.assertTrue(drawn, curve.get("id"))
        words = [t for t in ("".join(e.itertext()).strip() for e in root.iter(SVG + "text")) if any(map(str.isalpha, t))]
        self.assertGreaterEqual(len(words), 3, "title and axes have names")

    def test_what_cannot_be_drawn_is_said(self):
        nowhere = self.folder / "missing" / "picture.svg"
        no_gnuplot = {"PATH": str(self.folder)}
        for path, environment in ((nowhere, None), (self.folder / "picture.svg", no_gnuplot)):
            ran = self.draw(path, environment)
            self.assertEqual(ran.returncode, 1, ran.stdout)
            self.assertIn("was not drawn", ran.stderr)
            self.assertFalse(path.exists())


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if shutil.which("gnuplot") is None:
        print("skipped: gnuplot is not installed (Debian: gnuplot-nox)")
        sys.exit(77)
    unittest.main()
