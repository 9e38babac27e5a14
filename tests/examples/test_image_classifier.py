#!/usr/bin/env python3
"""test_image_classifier.py PROGRAM - runs image_classifier and checks what it writes, says and refuses.

The saved model is evaluated again here, by a few lines that share nothing with the library.
"""
import csv
import gzip
import json
import math
import os
import pathlib
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

PROGRAM = None
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIGITS = ROOT / "examples" / "data" / "digits8x8"
QUICK = ["--width", "8", "--learning-rate", "3e-3", "--epochs"]
RESULTS = ["model.safetensors", "predictions.csv", "report.html", "summary.json"]


def read_digits():
    images = (DIGITS / "digits-images-idx3-ubyte").read_bytes()[16:]
    labels = (DIGITS / "digits-labels-idx1-ubyte").read_bytes()[8:]
    return [images[64 * i:64 * i + 64] for i in range(len(labels))], list(labels)


def idx(array, *extents):
    return struct.pack(f">HBB{len(extents)}I", 0, 8, len(extents), *extents) + bytes(array)


def png(pixels, height, width):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + bytes(pixels[width * i:width * i + width]) for i in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def read_safetensors(path):
    """{name: (shape, [numbers])} and the metadata."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        body = data[8 + length + begin:8 + length + end]
        tensors[name] = (entry["shape"], list(struct.unpack(f"<{len(body) // 4}f", body)) if entry["dtype"] == "F32" else None)
    return tensors, metadata


def convolve(planes, n, tensors, name):
    """3 x 3 without bias, batch norm, ReLU, of planes of n x n."""
    (outputs, inputs, _, _), w = tensors[f"{name}.conv.weight"]
    weight, bias, mean, var = (tensors[f"{name}.bn.{k}"][1] for k in ("weight", "bias", "running_mean", "running_var"))
    result = []
    for o in range(outputs):
        scale = weight[o] / math.sqrt(var[o] + 1e-5)
        plane = []
        for y in range(n):
            for x in range(n):
                s = 0.0
                for i in range(inputs):
                    for dy in range(max(0, 1 - y), min(3, n + 1 - y)):
                        for dx in range(max(0, 1 - x), min(3, n + 1 - x)):
                            s += w[((o * inputs + i) * 3 + dy) * 3 + dx] * planes[i][(y + dy - 1) * n + x + dx - 1]
                plane.append(max(0.0, (s - mean[o]) * scale + bias[o]))
        result.append(plane)
    return result


def halve(planes, n):
    return [[max(p[2 * y * n + 2 * x], p[2 * y * n + 2 * x + 1], p[(2 * y + 1) * n + 2 * x], p[(2 * y + 1) * n + 2 * x + 1])
             for y in range(n // 2) for x in range(n // 2)] for p in planes]


def affine(tensors, prefix, x):
    (rows, columns), w = tensors[f"{prefix}.weight"]
    b = tensors[f"{prefix}.bias"][1]
    return [b[r] + sum(w[r * columns + k] * x[k] for k in range(columns)) for r in range(rows)]


def cosines(tensors, about, x):
    (rows, columns), w = tensors["out.weight"]
    rows = [w[r * columns:(r + 1) * columns] for r in range(rows)]
    return [about["training"]["scale"] * sum(a * b for a, b in zip(r, x)) / math.hypot(*r) / math.hypot(*x) for r in rows]


def probabilities(tensors, about, pixels):
    planes = [[about["factor"][0] * v + about["offset"][0] for v in pixels]]
    planes = halve(convolve(convolve(planes, 8, tensors, "c1"), 8, tensors, "c2"), 8)
    planes = halve(convolve(convolve(planes, 4, tensors, "c3"), 4, tensors, "c4"), 4)
    hidden = [max(0.0, v) for v in affine(tensors, "hidden", [v for p in planes for v in p])]
    z = cosines(tensors, about, hidden) if about["settings"]["head"] == "cosine" else affine(tensors, "out", hidden)
    e = [math.exp(v - max(z)) for v in z]
    return [v / sum(e) for v in e]


def png_size(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", data[16:24])


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.out = self.scratch / "out"

    def run_it(self, command, *arguments, out=None):
        return subprocess.run([PROGRAM, command, "--out", str(out or self.out), *map(str, arguments)],
                              capture_output=True, text=True, timeout=500)

    def passes(self, command, *arguments, **options):
        done = self.run_it(command, *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def summary(self, out=None):
        return json.loads(((out or self.out) / "summary.json").read_text())

    def rows(self, out=None):
        with open((out or self.out) / "predictions.csv", newline="") as file:
            return list(csv.DictReader(file))

    def idx_folder(self, train=600, test=60, packed=True):
        """The digits as a set with a test part, as MNIST's files are."""
        images, labels = read_digits()
        folder = self.scratch / "set"
        folder.mkdir()
        for name, part in (("train", slice(0, train)), ("t10k", slice(train, train + test))):
            n = len(labels[part])
            for kind, data in (("images-idx3", idx(b"".join(images[part]), n, 8, 8)), ("labels-idx1", idx(labels[part], n))):
                path = folder / f"{name}-{kind}-ubyte{'.gz' if packed else ''}"
                path.write_bytes(gzip.compress(data) if packed else data)
        return folder

    def refuses(self, says, *arguments, code=2, command="train", out=None):
        done = self.run_it(command, *arguments, out=out)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("image_classifier: "), done.stderr)
        if out is None and code == 2:
            self.assertFalse(self.out.exists())


class Results(Case):
    def test_digits(self):
        done = self.passes("train", *QUICK, "12", "--threads", "2")
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), RESULTS)
        self.assertIn("images/s", done.stderr)
        self.assertNotIn("\r", done.stderr)
        summary, rows = self.summary(), self.rows()
        for key in ("test_accuracy", "parameters", "flops", "epochs", "seconds", "seed", "best_epoch", "classes"):
            self.assertIn(key, summary)
        self.assertGreaterEqual(summary["test_accuracy"], 0.95)
        self.assertEqual((summary["epochs"], summary["seed"]), (12, 0))
        self.assertEqual(summary["settings"]["training_images"], 1170)
        tensors, metadata = read_safetensors(self.out / "model.safetensors")
        trained = [s for name, (s, _) in tensors.items() if name.endswith(("weight", "bias"))]
        self.assertEqual(summary["parameters"], sum(math.prod(s) for s in trained))
        self.assertEqual(json.loads(metadata["image_classifier"])["epochs"], 12)
        self.check_predictions(summary, rows, 497)
        self.check_report(summary, rows)
        # Every class has its share of the test part.
        images, labels = read_digits()
        for c in range(10):
            share = sum(r["label"] == str(c) for r in rows) / labels.count(c)
            self.assertAlmostEqual(share, 497 / 1797, delta=0.01)
        # A saved model gives the same, with the same part to test.
        again = self.scratch / "again"
        self.passes("evaluate", "--model-file", self.out / "model.safetensors", "--threads", "1", out=again)
        self.assertEqual(sorted(p.name for p in again.iterdir()), [n for n in RESULTS if n != "model.safetensors"])
        self.assertEqual((again / "predictions.csv").read_bytes(), (self.out / "predictions.csv").read_bytes())
        second = self.summary(again)
        for s in (summary, second):
            del s["seconds"]
        self.assertEqual(summary, second)

    def check_predictions(self, summary, rows, count):
        self.assertEqual([int(r["index"]) for r in rows], list(range(count)))
        self.assertEqual(list(rows[0])[:3], ["index", "label", "predicted"])
        columns = [f"p_{name}" for name in summary["classes"]]
        self.assertEqual(list(rows[0])[3:], columns)
        right = 0
        for r in rows:
            p = [float(r[name]) for name in columns]
            self.assertAlmostEqual(sum(p), 1, delta=1e-5)
            self.assertEqual(p[int(r["predicted"])], max(p))
            right += r["label"] == r["predicted"]
        self.assertEqual(summary["test_accuracy"], right / count)

    def check_report(self, summary, rows):
        page = (self.out / "report.html").read_text()
        self.assertIsNone(re.search(r'(src|href)="(?!#|data:)', page.replace("xlink:href='#", "")), "nothing may be loaded")
        self.assertEqual(len(re.findall("<svg", page)), 2 if shutil.which("gnuplot") else 0)
        wrong = sum(r["label"] != r["predicted"] for r in rows)
        self.assertEqual(page.count("&rarr;"), min(wrong, 24))
        with_png = 'alt="pixels' in page  # a build without libpng has no pictures
        self.assertEqual(page.count('alt="Grad-CAM'), (min(wrong, 24) + 10) * with_png)
        self.assertEqual(page.count('alt="guided Grad-CAM'), 10 * with_png)
        self.assertEqual(len(re.findall("<td style=", page)), 100)
        self.assertIn(f"{497 - wrong} of 497 test images", page)

    def test_a_set_with_a_test_part_and_the_model_computed_anew(self):
        folder = self.idx_folder()
        for loss in ([], ["--loss", "am_softmax", "--scale", "8"]):
            self.passes("train", "--data", folder, *QUICK, "3", "--threads", "1", *loss)
            summary, rows = self.summary(), self.rows()
            self.check_predictions(summary, rows, 60)
            images, labels = read_digits()
            self.assertEqual([int(r["label"]) for r in rows], labels[600:660])
            tensors, metadata = read_safetensors(self.out / "model.safetensors")
            self.assertEqual("out.bias" in tensors, not loss)
            about = json.loads(metadata["image_classifier"])
            for i in (0, 1, 59):
                expected = probabilities(tensors, about, images[600 + i])
                for c, p in enumerate(expected):
                    self.assertAlmostEqual(float(rows[i][f"p_{c}"]), p, delta=1e-4)

    def test_margins(self):
        outcomes = set()
        for loss, own in (("soft_margin", 0.5), ("normalized_softmax", 0), ("am_softmax", 0.35), ("arcface", 0.5),
                          ("dynamic_additive", 0.2)):
            self.passes("train", "--loss", loss, "--class-weights", *QUICK, "6", "--threads", "1")
            summary = self.summary()
            self.assertGreaterEqual(summary["test_accuracy"], 0.8, loss)
            self.assertEqual(summary["training"]["margin"], own)
            self.assertEqual(summary["settings"]["head"], "linear" if loss == "soft_margin" else "cosine")
            outcomes.add((self.out / "predictions.csv").read_bytes())
            again = self.scratch / "again"
            self.passes("evaluate", "--model-file", self.out / "model.safetensors", "--threads", "1", out=again)
            self.assertEqual((again / "predictions.csv").read_bytes(), (self.out / "predictions.csv").read_bytes())
        self.assertEqual(len(outcomes), 5)
        # A margin of nothing is the softmax of cosines.
        results = []
        for loss in (["normalized_softmax"], ["am_softmax", "--margin", "0"], ["am_softmax", "--margin", "0.1"]):
            self.passes("train", "--loss", *loss, *QUICK, "1", "--threads", "1")
            results.append([[float(r[f"p_{c}"]) for c in range(10)] for r in self.rows()])
        difference = [max(abs(a - b) for x, y in zip(results[0], r) for a, b in zip(x, y)) for r in results[1:]]
        self.assertLess(difference[0], 1e-3)
        self.assertGreater(difference[1], 1e-2)

    def test_a_cosine_head_of_emosynthnet(self):
        folder = self.scratch / "large"
        for k in range(3):
            (folder / str(k)).mkdir(parents=True)
            for n in range(10):
                (folder / str(k) / f"{n}.pgm").write_bytes(b"P5 16 16 255\n" + bytes([90 * k + n] * 256))
        self.passes("train", "--data", folder, "--model", "emosynthnet", "--width", "1", "--loss", "arcface", "--epochs",
                    "1", "--batch", "8", "--validation", "0")
        tensors, metadata = read_safetensors(self.out / "model.safetensors")
        self.assertNotIn("d3.bias", tensors)
        self.assertEqual(self.summary()["parameters"],
                         sum(math.prod(s) for n, (s, _) in tensors.items() if n.endswith(("weight", "bias"))))

    def test_fewer_images_to_train_on(self):
        parts = []
        for options in ([], ["--imbalance", "20"], ["--train-images", "200"], ["--imbalance", "20", "--train-images", "200"]):
            said = self.passes("train", *QUICK, "1", "--threads", "1", *options).stdout
            self.assertIn("130 to validate, 497 to test", said)
            parts.append((self.summary()["settings"]["training_images"], [r["label"] for r in self.rows()]))
        self.assertEqual([n for n, _ in parts[:1] + parts[2:]], [1170, 200, 200])
        images, labels = read_digits()
        tail = sum(labels.count(k) / 1797 * 1170 * 20 ** (-k / 9) for k in range(10))
        self.assertAlmostEqual(parts[1][0], tail, delta=10)
        for _, tested in parts:
            self.assertEqual(tested, parts[0][1])

    def test_a_folder_of_images_and_other_losses(self):
        images, labels = read_digits()
        for k, name in enumerate(("zero", 'one, "1"')):
            folder = self.scratch / "faces" / name
            folder.mkdir(parents=True)
            for n, i in enumerate([i for i in range(500) if labels[i] == k][:20]):
                (folder / f"{n:02}.png").write_bytes(png([15 * v for v in images[i]], 8, 8))
        for loss in ("mam_sce", "focal"):
            weights = ["--class-weights"] if loss == "focal" else []
            self.passes("train", "--data", self.scratch / "faces", "--loss", loss, *QUICK, "8", "--flip", "0.5", "--pad",
                        "1", "--validation", "0", "--average", "0.5", "--scaling", "unit", "--batch", "8", *weights)
            summary = self.summary()
            self.check_predictions(summary, self.rows(), 8)
            self.assertGreaterEqual(summary["test_accuracy"], 0.75)
            self.assertEqual(summary["classes"], ['one, "1"', "zero"])

    def test_evaluation_is_stopped(self):
        images, labels = read_digits()
        n = 200 * len(labels)
        folder = self.idx_folder()
        self.passes("train", "--data", folder, *QUICK, "1")
        for name, data in (("images-idx3", idx(b"".join(images) * 200, n, 8, 8)), ("labels-idx1", idx(labels * 200, n))):
            (folder / f"t10k-{name}-ubyte.gz").unlink()
            (folder / f"t10k-{name}-ubyte").write_bytes(data)
        again = self.scratch / "again"
        program = subprocess.Popen([PROGRAM, "evaluate", "--out", str(again), "--data", str(folder), "--threads", "1",
                                    "--model-file", str(self.out / "model.safetensors")], stderr=subprocess.PIPE, text=True)
        while not again.exists():  # it has begun
            self.assertIsNone(program.poll())
        program.send_signal(signal.SIGINT)
        said = program.communicate()[1]
        self.assertEqual((program.returncode, said), (130, "image_classifier: stopped\n"))
        self.assertEqual(list(again.iterdir()), [])

    def test_summary(self):
        done = subprocess.run([PROGRAM, "summary", "--model", "emosynthnet", "--size", "48", "--classes", "7"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("parameters", done.stdout.splitlines()[-1])
        self.assertGreater(len(done.stdout.splitlines()), 60)

    def test_help(self):
        for command in ("train", "evaluate", "explain", "summary"):
            done = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("--model", done.stdout)


    def test_several_sets(self):
        folder = self.idx_folder()
        said = self.passes("train", "--data", "digits", "--data", folder, *QUICK, "4", "--threads", "1").stdout
        self.assertIn("1710 images to train with, 190 to validate, 557 to test", said)  # 1170 + 540, 130 + 60, 497 + 60
        self.assertEqual(self.summary()["settings"]["data"], "digits + set")
        images, labels = read_digits()
        self.assertEqual([int(r["label"]) for r in self.rows()][497:], labels[600:660])
        self.assertGreater(self.summary()["test_accuracy"], 0.9)
        again = self.scratch / "again"
        self.passes("evaluate", "--model-file", self.out / "model.safetensors", "--data", "digits", "--data", folder, out=again)
        self.assertEqual((again / "predictions.csv").read_bytes(), (self.out / "predictions.csv").read_bytes())
        # Folds are of both.
        self.passes("train", "--data", folder, "--data", "digits", "--folds", "2", *QUICK, "1", "--threads", "1", out=again)
        self.assertEqual([int(r["label"]) for r in self.rows(again)], labels[:600] + labels)

    def test_sets_that_do_not_fit(self):
        folder = self.idx_folder()
        images, labels = read_digits()
        for name, classes, size in (("three", 3, 8), ("large", 10, 9)):
            for k in range(classes):
                (self.scratch / name / str(k)).mkdir(parents=True)
                for n in range(5):
                    (self.scratch / name / str(k) / f"{n}.pgm").write_bytes(b"P5 %d %d 255\n" % (size, size) + bytes(size * size))
        for name, says in (("three", "its 3 classes are not the 10 of"), ("large", "its images are 1 x 9 x 9, but those of")):
            done = self.run_it("train", "--data", folder, "--data", self.scratch / name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{name}: {says} {folder}", done.stderr)
            self.assertFalse(self.out.exists())

    def test_protocol(self):
        def used(*options):
            self.passes("train", "--protocol", "thesis", *options, *QUICK[:2], "--epochs", "1", "--threads", "1")
            summary = self.summary()
            t = summary["training"]
            return [summary["settings"]["scaling"], *(t[k] for k in ("batch", "learning_rate", "class_weights", "zoom", "shear",
                                                                      "flip", "patience"))]
        self.assertEqual(used(), ["emosynthnet", 64, 1e-3, True, 0.2, 0.2, 0.2, 15])
        self.assertEqual(used("--loss", "mam_sce", "--flip", "0", "--batch", "32", "--scaling", "unit"),
                         ["unit", 32, 1e-3, False, 0.2, 0.2, 0, 15])
        self.assertEqual(used("--class-weights=false")[3], False)
        self.assertEqual(self.run_it("train", "--protocol", "other").returncode, 2)


class FineTuning(Case):
    HIDDEN = "hidden.weight"

    def setUp(self):
        super().setUp()
        self.base = self.scratch / "base"
        self.passes("train", *QUICK, "8", "--threads", "1", out=self.base)
        self.model = self.base / "model.safetensors"

    def tuned(self, *options):
        """What a training says that cannot change anything, and the tensors it ends with."""
        said = self.passes("train", "--width", "8", "--epochs", "1", "--threads", "1", "--learning-rate", "1e-30", *options).stdout
        return said, read_safetensors(self.out / "model.safetensors")[0]

    def test_weights(self):
        start = read_safetensors(self.model)[0]
        said, whole = self.tuned("--init-from", self.model)
        self.assertNotIn("but for the last layer", said)
        for name in (self.HIDDEN, "c1.conv.weight", "out.weight", "out.bias"):
            self.assertEqual(whole[name], start[name])
        for options in (["--new-head"], ["--loss", "arcface"]):
            said, tensors = self.tuned("--init-from", self.model, *options)
            self.assertIn("but for the last layer", said)
            self.assertEqual(tensors[self.HIDDEN], start[self.HIDDEN])
            self.assertNotEqual(tensors["out.weight"], start["out.weight"])
        self.assertGreater(self.summary(self.base)["test_accuracy"], 0.9)
        self.assertNotEqual(self.tuned()[1][self.HIDDEN], start[self.HIDDEN])

    def test_other_classes_and_frozen_features(self):
        images, labels = read_digits()
        for k in range(3):
            folder = self.scratch / "three" / str(k)
            folder.mkdir(parents=True)
            for n, i in enumerate([i for i in range(600) if labels[i] == k][:20]):
                (folder / f"{n:02}.pgm").write_bytes(b"P5 8 8 255\n" + bytes(images[i]))
        start = read_safetensors(self.model)[0]
        options = ["--init-from", self.model, "--data", self.scratch / "three", *QUICK, "5", "--threads", "1", "--batch", "8",
                   "--freeze-features", "--average", "0.5"]
        said = self.passes("train", *options).stdout
        self.assertIn("but for the last layer", said)
        tensors = read_safetensors(self.out / "model.safetensors")[0]
        self.assertEqual(tensors[self.HIDDEN], start[self.HIDDEN])
        self.assertEqual(tensors["out.weight"][0], [3, 32])
        summary = self.summary()
        self.assertTrue(summary["settings"]["freeze_features"])
        self.assertGreaterEqual(summary["test_accuracy"], 0.9)

    def test_stopped(self):
        options = ["train", *QUICK, "300", "--patience", "300", "--threads", "1", "--init-from", self.model, "--freeze-features"]
        program = subprocess.Popen([PROGRAM, *map(str, options), "--out", str(self.out)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        while not (self.out / "checkpoint.safetensors").exists():
            self.assertIsNone(program.poll())
        program.send_signal(signal.SIGINT)
        self.assertIn("--resume", program.communicate()[1])
        options[options.index("300")] = "1"
        self.passes(*options, "--resume")
        self.assertEqual(read_safetensors(self.out / "model.safetensors")[0][self.HIDDEN],
                         read_safetensors(self.model)[0][self.HIDDEN])

    def test_what_does_not_fit(self):
        def refuses(says, *options):
            done = self.run_it("train", *options)
            self.assertEqual(done.returncode, 2, done.stderr)
            for text in says:
                self.assertIn(text, done.stderr)
            self.assertFalse(self.out.exists())
        refuses(["model.safetensors", "width is 8"], "--init-from", self.model, "--width", "4")
        refuses(["nowhere.safetensors"], *QUICK, "1", "--init-from", self.scratch / "nowhere.safetensors")
        refuses(["--init-from"], "--new-head")
        refuses(["--init-from"], "--freeze-features")
        other = self.scratch / "other.safetensors"
        other.write_bytes(self.model.read_bytes().replace(b'"hidden.weight"', b'"hidden.Weight"'))
        refuses(["other.safetensors", "'hidden.weight'"], *QUICK, "1", "--init-from", other)


class Folds(Case):
    QUICK = ["--folds", "3", *QUICK, "3", "--threads", "1"]

    def test_all_are_tested_once(self):
        said = self.passes("train", *self.QUICK).stdout
        self.assertIn("in the mean of 3 folds", said)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), [n for n in RESULTS if n != "model.safetensors"])
        images, labels = read_digits()
        rows, summary = self.rows(), self.summary()
        self.assertEqual([int(r["label"]) for r in rows], labels)
        right = sum(r["label"] == r["predicted"] for r in rows)
        self.assertEqual(summary["test_accuracy"], right / 1797)
        folds = summary["folds"]
        self.assertEqual(len(folds["accuracy"]), 3)
        self.assertEqual(round(sum(folds["accuracy"]) * 599), right)
        self.assertAlmostEqual(folds["mean"], statistics.mean(folds["accuracy"]), delta=1e-12)
        self.assertAlmostEqual(folds["deviation"], statistics.stdev(folds["accuracy"]), delta=1e-12)
        self.assertEqual((folds["epochs"], summary["epochs"]), ([3, 3, 3], 9))
        self.assertIn("<h2>Folds</h2>", (self.out / "report.html").read_text())
        # Three networks made these answers: none of them knows what it is asked.
        self.assertLess(max(folds["accuracy"]), 1)
        self.assertGreater(min(folds["accuracy"]), 0.6)

    def test_a_test_part_of_its_own_is_left_alone(self):
        self.passes("train", "--data", self.idx_folder(), *self.QUICK)
        self.assertEqual([int(r["label"]) for r in self.rows()], read_digits()[1][:600])

    def test_stopped(self):
        out = self.scratch / "undisturbed"
        self.passes("train", *self.QUICK, out=out)
        third = self.out / "fold3.checkpoint.safetensors"
        for wait in (self.out / "fold1.checkpoint.safetensors", third):
            program = subprocess.Popen([PROGRAM, "train", "--out", str(self.out), "--resume", *self.QUICK],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not wait.exists() and program.poll() is None:
                time.sleep(0.01)
            program.kill()
            self.assertEqual(program.wait(), -signal.SIGKILL)
        self.passes("train", "--resume", *self.QUICK)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), sorted(p.name for p in out.iterdir()))
        for name in ("predictions.csv", "summary.json"):
            a, b = ((folder / name).read_text() for folder in (self.out, out))
            self.assertEqual(re.sub('"seconds": .*', "", a), re.sub('"seconds": .*', "", b))

    def test_too_few_or_too_many(self):
        for folds, says in (("1", "at least 2"), ("179", "fewer than the 179 folds"), ("-1", "--folds")):
            done = self.run_it("train", "--folds", folds)
            self.assertEqual(done.returncode, 2)
            self.assertIn(says, done.stderr)
            self.assertFalse(self.out.exists())


class Explain(Case):
    def test_pictures_and_refusals(self):
        self.passes("train", *QUICK, "2")
        model, out = self.out / "model.safetensors", self.scratch / "why"
        predicted = [int(r["predicted"]) for r in self.rows()]

        def explain(*options):
            self.passes("explain", "--model-file", model, *options, out=out)
            return json.loads((out / "explanations.json").read_text())

        chosen = explain("--index", "3,14", "--class", "7", "--layer", "c2.bn")
        self.assertEqual(chosen["layer"], "c2.bn")
        self.assertEqual([e["index"] for e in chosen["images"]], [3, 14])
        for e in chosen["images"]:
            self.assertEqual((e["explained"], e["predicted"]), ("7", str(predicted[e["index"]])))
        files = [name for e in chosen["images"] for name in e["files"].values()]
        if files:  # a build without libpng says so and has none
            self.assertEqual(len(files), 8)
            sizes = {kind: png_size(out / f"3-{kind}.png") for kind in ("pixels", "grad_cam", "guided_grad_cam")}
            self.assertEqual(sizes, {"pixels": (8, 8), "grad_cam": (112, 112), "guided_grad_cam": (8, 8)})
            first = (out / "3-grad_cam.png").read_bytes()
            self.assertNotEqual(first, (out / "14-grad_cam.png").read_bytes())
            explain("--index", "3", "--class", "7")
            self.assertNotEqual(first, (out / "3-grad_cam.png").read_bytes(), "another layer, another picture")
        page = (out / "explanations.html").read_text()
        self.assertIsNone(re.search(r'(src|href)="(?!#|data:)', page), "nothing may be loaded")

        every = explain()["images"]
        self.assertEqual([e["explained"] for e in every], [e["predicted"] for e in every])
        self.assertEqual(len({e["label"] for e in every}), 10)

        again = self.scratch / "never"
        for message, *options in (["c1.conv, c1.bn, relu", "--layer", "c9"], ["label, 0, 1, 2", "--class", "ten"],
                                  ["497", "--index", "497"]):
            self.refuses(message, "--model-file", model, *options, command="explain", out=again)
        self.assertFalse(again.exists())


class Resume(Case):
    SLOW = [*QUICK, "10", "--average", "0.9", "--seed", "3"]

    def outcome(self, out):
        summary = self.summary(out)
        del summary["seconds"]
        return summary, (out / "model.safetensors").read_bytes(), (out / "predictions.csv").read_bytes()

    def stop(self, how, after, *arguments):
        """Runs until `after` seconds have passed; returns the exit code, or None where the program was faster."""
        program = subprocess.Popen([PROGRAM, "train", "--out", str(self.out), *map(str, arguments)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            program.communicate(timeout=after)
            return None
        except subprocess.TimeoutExpired:
            program.send_signal(how)
            self.said = program.communicate()[1]
            return program.returncode

    def test_stopped_again_and_again(self):
        out = self.scratch / "undisturbed"
        self.passes("train", *self.SLOW, "--threads", 1, out=out)
        expected = self.outcome(out)
        stops = 0
        for k in range(40):  # longer and longer, so that it comes to an end on a machine of any speed
            how = signal.SIGINT if k % 3 == 2 else signal.SIGKILL
            code = self.stop(how, 0.3 * 1.15 ** k, *self.SLOW, "--resume", "--threads", 1 + k % 2)
            if code is None:
                break
            if code == 0:  # the stop came when all was done
                break
            self.assertEqual(code, 130 if how == signal.SIGINT else -signal.SIGKILL, self.said)
            if code == 130:
                self.assertIn("--resume", self.said)
            stops += 1
        self.assertGreaterEqual(stops, 2)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), RESULTS)
        self.assertEqual(self.outcome(self.out), expected)

    def test_other_options_are_refused_and_an_unfinished_run_is_set_aside(self):
        while self.stop(signal.SIGKILL, 1, *QUICK, "1000", "--patience", "1000") is not None:
            if (self.out / "checkpoint.safetensors").exists():
                break
        kept = (self.out / "checkpoint.safetensors").read_bytes()
        for says, options in (("seed", ["--seed", "1"]), ("batch", ["--batch", "32"]), ("scaling", ["--scaling", "unit"])):
            done = self.run_it("train", "--resume", *QUICK, "2", "--patience", "1000", *options)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("checkpoint.safetensors", done.stderr)
            self.assertEqual((self.out / "checkpoint.safetensors").read_bytes(), kept)
        (self.out / "checkpoint.safetensors").write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        done = self.run_it("train", "--resume", *QUICK, "2", "--patience", "1000")
        self.assertEqual(done.returncode, 2)
        self.assertIn("damaged", done.stderr)
        done = self.passes("train", *QUICK, "1")
        self.assertIn("set aside", done.stderr)
        self.assertTrue((self.out / "checkpoint.safetensors.old").exists())


class BadInput(Case):
    def test_data(self):
        self.refuses("nowhere", "--data", self.scratch / "nowhere")
        folder = self.idx_folder()
        images = folder / "train-images-idx3-ubyte.gz"
        whole = images.read_bytes()
        images.write_bytes(whole[:-20])
        self.refuses("train-images-idx3-ubyte.gz", "--data", folder)
        images.write_bytes(gzip.compress(gzip.decompress(whole)[:-1]))
        self.refuses("train-images-idx3-ubyte.gz", "--data", folder)
        images.write_bytes(whole)
        labels = folder / "train-labels-idx1-ubyte.gz"
        data = gzip.decompress(labels.read_bytes())
        labels.write_bytes(gzip.compress(data[:8] + bytes(v if v != 7 else 8 for v in data[8:])))
        self.refuses("no image to train on", "--data", folder)
        faces = self.scratch / "faces" / "one"
        faces.mkdir(parents=True)
        (faces / "a.png").write_bytes(png([0] * 64, 8, 8)[:-30])
        self.refuses("a.png", "--data", faces.parent)
        (faces / "a.png").rename(faces / "a.jpg")
        (faces / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image at all")
        self.refuses("a.jpg", "--data", faces.parent)

    def test_options(self):
        self.refuses("16 x 16 or larger", "--model", "emosynthnet")
        for option in ("--epochs", "--batch", "--width", "--patience", "--learning-rate"):
            self.refuses(option, option, "0")
            self.refuses(option, option, "many")
        for option, value in (("--loss", "best"), ("--model", "big"), ("--zoom", "1"), ("--flip", "2"), ("--seed", "-1"),
                              ("--validation", "1"), ("--scaling", "none"), ("--speed", "9")):
            self.refuses(option, option, value)
        self.refuses("--class-weights", "--loss", "mam", "--class-weights")
        self.refuses("--margin: cross_entropy has none", "--margin", "0.2")
        self.refuses("--margin", "--loss", "arcface", "--margin", "4")
        self.refuses("--scale: mam takes no cosines", "--loss", "mam", "--scale", "8")
        self.refuses("1170", "--train-images", "1171")
        self.refuses("leave none of class", "--train-images", "9")
        self.refuses("--imbalance", "--imbalance", "0.5")

    def test_model_files(self):
        self.passes("train", *QUICK, "1")
        model = self.out / "model.safetensors"
        again = self.scratch / "again"
        self.refuses("none.safetensors", "--model-file", self.scratch / "none.safetensors", command="evaluate", out=again)
        cut = self.scratch / "cut.safetensors"
        cut.write_bytes(model.read_bytes()[:-5])
        self.refuses("cut.safetensors", "--model-file", cut, command="evaluate", out=again)
        cut.write_bytes(model.read_bytes().replace(b"image_classifier", b"imageXclassifier"))
        self.refuses("cut.safetensors", "--model-file", cut, command="evaluate", out=again)
        folder = self.scratch / "other"
        for k in range(3):
            (folder / str(k)).mkdir(parents=True)
            for n in range(5):
                (folder / str(k) / f"{n}.pgm").write_bytes(b"P5 8 8 255\n" + bytes([40 * k] * 64))
        self.refuses("classes", "--model-file", model, "--data", folder, command="evaluate", out=again)
        self.assertFalse(again.exists())

    def test_a_loss_that_is_no_number(self):
        done = self.run_it("train", "--learning-rate", "1e30", *QUICK[:2], "--epochs", "5")
        self.assertEqual(done.returncode, 1)
        self.assertIn("in epoch 1, batch", done.stderr)
        self.assertRegex(done.stderr, r"\[[a-z0-9_]+\] \w+ \d, \(.*\), is not finite")
        self.assertFalse((self.out / "summary.json").exists())

    def test_folder(self):
        plain = self.scratch / "file"
        plain.write_text("x")
        self.refuses("cannot be made", out=plain / "below")
        taken = self.scratch / "taken"
        (taken / "summary.json").mkdir(parents=True)
        self.refuses("is a folder", out=taken)
        if os.geteuid() != 0:
            closed = self.scratch / "closed"
            closed.mkdir(mode=0o500)
            self.refuses("cannot be written", out=closed)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
