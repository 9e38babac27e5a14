#!/usr/bin/env python3
"""test_12_arrays.py PROGRAM - arrays and a state_dict from Python to limbic and back.

The half that needs NumPy, or PyTorch and safetensors, is skipped with a message where they are not installed
(Debian: python3-numpy, python3-torch; safetensors comes from PyPI).
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
    import safetensors.torch
except ImportError:
    torch = None

PROGRAM = None
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "tests" / "io" / "data"
sys.path.insert(0, str(FIXTURES.parent))


class Arrays(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_on(self, source, ending):
        target = pathlib.Path(self.folder.name) / ("out" + ending)
        ran = subprocess.run([PROGRAM, source, target], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return target

    def test_without_arguments(self):
        shown = subprocess.run([PROGRAM], capture_output=True, text=True)
        self.assertEqual(shown.returncode, 0, shown.stdout + shown.stderr)

    @unittest.skipUnless(numpy, "NumPy is not installed")
    def test_numpy_to_limbic_and_back(self):
        x = numpy.random.default_rng(3).normal(size=(57, 4))
        for stored in (x, numpy.asfortranarray(x), x.astype(">f8"), x.astype("f4"), x.astype("f2")):
            source = pathlib.Path(self.folder.name) / "in.npz"
            numpy.savez(source, x=stored)
            with numpy.load(self.run_on(source, ".npz")) as got:
                exact = stored.astype("f8")
                self.assertEqual(sorted(got), ["counts", "high", "median", "rounded", "scaled", "truth"])
                numpy.testing.assert_allclose(got["scaled"], (exact - exact.mean(0)) / exact.std(0), atol=1e-12)
                numpy.testing.assert_allclose(got["median"], numpy.percentile(exact, 50, axis=0), rtol=1e-14)
                numpy.testing.assert_allclose(got["high"], numpy.percentile(exact, 90, axis=0), rtol=1e-14)
                numpy.testing.assert_array_equal(got["counts"], numpy.histogram(exact, 7)[0])
                numpy.testing.assert_array_equal(got["rounded"], numpy.array([[[0.1, 1], [2, -3]]], "f4"))
                self.assertEqual(got["truth"].tolist(), [True, False])
                self.assertEqual([got[k].dtype for k in ("scaled", "counts", "rounded", "truth")],
                                 ["float64", "int64", "float32", "bool"])

    def test_the_stored_state_dict_comes_back_as_it_was(self):
        self.run_on(FIXTURES / "torch.safetensors", ".safetensors")

    @unittest.skipUnless(torch, "PyTorch and safetensors are not both installed")
    def test_pytorch_to_limbic_and_back(self):
        from make_fixtures import Autoencoder, torch_model
        source = pathlib.Path(self.folder.name) / "in.safetensors"
        torch_model(source)
        expected = safetensors.torch.load_file(source)
        got = safetensors.torch.load_file(self.run_on(source, ".safetensors"))
        self.assertEqual(sorted(got), sorted(expected))
        for name in got:
            torch.testing.assert_close(got[name], expected[name], rtol=0, atol=1e-12 if name in "xyz" else 0)
        x, z, y = (got.pop(name) for name in "xzy")
        model = Autoencoder(2, 5, 3, 2).double()
        model.load_state_dict(got, strict=True)
        with torch.no_grad():
            torch.testing.assert_close(model(x), y, rtol=0, atol=1e-6)
            torch.testing.assert_close(model.encode(x), z, rtol=0, atol=1e-6)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
