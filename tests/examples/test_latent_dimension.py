#!/usr/bin/env python3
"""test_latent_dimension.py PROGRAM - runs latent_dimension and checks what it writes, says and refuses.

The saved model is evaluated again here, by a few lines that share nothing with the library.
"""
import csv
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "examples" / "data" / "airline-passengers.csv"
QUICK = ["--epochs", "2", "--final-epochs", "3", "--hidden", "8", "--repetitions", "2"]
RESULTS = ["model.safetensors", "report.html", "summary.json", "trials.jsonl"]


def read_safetensors(path):
    """{name: (shape, [numbers])} and the metadata."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert entry["dtype"] == "F32"
        body = data[8 + length + begin:8 + length + end]
        tensors[name] = (entry["shape"], list(struct.unpack(f"<{len(body) // 4}f", body)))
    return tensors, metadata


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class Lstm:
    def __init__(self, tensors, prefix):
        get = lambda name: tensors[f"{prefix}.{name}"]
        (rows, self.inputs), self.w_ih = get("weight_ih_l0")
        self.size = rows // 4
        self.w_hh = get("weight_hh_l0")[1]
        self.bias = [a + b for a, b in zip(get("bias_ih_l0")[1], get("bias_hh_l0")[1])]

    def __call__(self, steps):
        h, c, states = [0.0] * self.size, [0.0] * self.size, []
        for x in steps:
            gate = [self.bias[r] + sum(self.w_ih[r * self.inputs + k] * x[k] for k in range(self.inputs))
                    + sum(self.w_hh[r * self.size + k] * h[k] for k in range(self.size)) for r in range(4 * self.size)]
            n = self.size
            for j in range(n):
                c[j] = sigmoid(gate[n + j]) * c[j] + sigmoid(gate[j]) * math.tanh(gate[2 * n + j])
            h = [sigmoid(gate[3 * n + j]) * math.tanh(c[j]) for j in range(n)]
            states.append(h)
        return states


def affine(tensors, prefix, x):
    (rows, columns), w = tensors[f"{prefix}.weight"]
    b = tensors[f"{prefix}.bias"][1]
    return [b[r] + sum(w[r * columns + k] * x[k] for k in range(columns)) for r in range(rows)]


def mean_squared_error(tensors, window):
    with open(DATA, newline="") as file:
        series = [float(row["Passengers"]) for row in csv.DictReader(file)]
    low, high = min(series), max(series)
    series = [(v - low) / (high - low) for v in series]
    encoder, decoder = Lstm(tensors, "encoder"), Lstm(tensors, "decoder")
    total = count = 0
    for k in range(len(series) - window + 1):
        piece = series[k:k + window]
        z = affine(tensors, "latent", encoder([[v] for v in piece])[-1])
        for v, h in zip(piece, decoder([z] * window)):
            total += (affine(tensors, "output", h)[0] - v) ** 2
            count += 1
    return total / count


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.out = self.scratch / "out"

    def run_it(self, *arguments, out=None, env=None):
        command = [PROGRAM, "--out", str(out or self.out), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=500, env={**os.environ, **(env or {})})

    def passes(self, *arguments, **options):
        done = self.run_it(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def summary(self, out=None):
        return json.loads(((out or self.out) / "summary.json").read_text())


class Results(Case):
    def test_files(self):
        done = self.passes("--latent", "2,5", "--seed", "7", *QUICK)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), RESULTS)
        summary = self.summary()
        self.assertEqual([(t["latent"], t["repetition"]) for t in summary["trials"]], [(2, 0), (2, 1), (5, 0), (5, 1)])
        for t in summary["trials"]:
            self.assertEqual(sorted(t), ["latent", "mse", "mutual_information", "repetition", "seconds"])
            for key in ("mse", "mutual_information", "seconds"):
                self.assertTrue(math.isfinite(t[key]) and t[key] > 0, t)
        means = {n: statistics.mean(t["mutual_information"] for t in summary["trials"] if t["latent"] == n) for n in (2, 5)}
        self.assertEqual(summary["chosen_latent"], max(means, key=means.get))
        for size in summary["sizes"]:
            self.assertAlmostEqual(size["mutual_information"], means[size["latent"]], delta=1e-12)
        variances = [statistics.variance(t["mutual_information"] for t in summary["trials"] if t["latent"] == n) for n in (2, 5)]
        deviation = statistics.mean(variances) ** 0.5
        self.assertAlmostEqual(summary["standard_deviation_of_seeds"], deviation, delta=1e-12)
        near = [n for n in means if means[n] >= max(means.values()) - deviation / 2 ** 0.5]
        self.assertEqual(summary["smallest_within_one_standard_error"], min(near))
        self.assertEqual(summary["seed"], 7)

        tensors, metadata = read_safetensors(self.out / "model.safetensors")
        z = summary["chosen_latent"]
        self.assertEqual({name: shape for name, (shape, _) in tensors.items()}, {
            "encoder.weight_ih_l0": [32, 1], "encoder.weight_hh_l0": [32, 8], "encoder.bias_ih_l0": [32],
            "encoder.bias_hh_l0": [32], "latent.weight": [z, 8], "latent.bias": [z],
            "decoder.weight_ih_l0": [32, z], "decoder.weight_hh_l0": [32, 8], "decoder.bias_ih_l0": [32],
            "decoder.bias_hh_l0": [32], "output.weight": [1, 8], "output.bias": [1]})
        self.assertEqual(metadata["latent_size"], str(z))
        self.assertAlmostEqual(summary["final_mse"], mean_squared_error(tensors, 10), delta=1e-6)
        self.assertIn("training 100 %", done.stderr)  # not a terminal: lines, and few of them
        self.assertLess(len(done.stderr.splitlines()), 12)
        self.check_report(summary)
        self.assertNotIn("\r", done.stderr)

    def check_report(self, summary):
        page = (self.out / "report.html").read_text()
        self.assertIn(f"Latent size {summary['chosen_latent']} has the largest", page)
        self.assertIsNone(re.search(r'(src|href)="(?!#)', page.replace("xlink:href='#", "")), "nothing may be loaded")
        pictures = len(re.findall("<svg", page))
        self.assertEqual(pictures, 3 if shutil.which("gnuplot") else 0)
        self.assertEqual(page.count("<tr"), 3 + len(summary["settings"]))

    def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(self):
        outputs = []
        for k, threads in enumerate([1, 2, 4, 1]):
            out = self.scratch / str(k)
            self.passes("--latent", "3,2,6", "--threads", threads, "--layers", "2", *QUICK, out=out)
            summary = self.summary(out)
            for t in summary["trials"]:
                del t["seconds"]
            outputs.append((summary, (out / "model.safetensors").read_bytes()))
        for other in outputs[1:]:
            self.assertEqual(outputs[0], other)
        self.passes("--latent", "3,2,6", "--seed", "1", "--layers", "2", *QUICK)
        self.assertNotEqual(outputs[0][1], (self.out / "model.safetensors").read_bytes())

    def test_a_trial_does_not_depend_on_the_others(self):
        self.passes("--latent", "2,3", *QUICK)
        trials = self.summary()["trials"]
        self.passes("--latent", "3", *QUICK)  # and results are replaced
        second = self.summary()["trials"][0]
        first = [t for t in trials if t["latent"] == 3][0]
        for key in ("latent", "mse", "mutual_information"):
            self.assertEqual(first[key], second[key])

    def test_training_reaches_what_pytorch_reaches(self):
        self.passes("--latent", "42", "--final-epochs", "100", "--repetitions", "1")
        summary = self.summary()
        self.assertLessEqual(summary["final_mse"], 0.0070)
        self.assertEqual(summary["final_mse"], summary["trials"][0]["mse"])  # the same budget: the same model
        self.assertTrue(0.3 < summary["trials"][0]["mutual_information"] < 0.5, summary)
        self.assertIsNone(summary["standard_deviation_of_seeds"])  # one seed tells nothing of it

    def test_the_latent_vector_repeated_for_each_step_shares_more(self):
        self.passes("--latent", "42", "--final-epochs", "1", "--repetitions", "1", "--repeat-latent")
        self.assertTrue(0.45 < self.summary()["trials"][0]["mutual_information"] < 0.6, self.summary())

    def test_a_search_tries_as_many_sizes_as_asked_for(self):
        for count in (1, 3, 6):
            self.passes("--sizes", count, *QUICK)
            sizes = [t["latent"] for t in self.summary()["trials"]][::2]
            self.assertEqual((len(sizes), len(set(sizes))), (count, count))
            self.assertTrue(all(1 <= n <= 64 for n in sizes), sizes)
        self.passes("--sizes", 3, "--max-latent", 3, *QUICK)
        self.assertEqual(sorted(t["latent"] for t in self.summary()["trials"]), [1, 1, 2, 2, 3, 3])

    def test_another_series(self):
        path = self.scratch / "two.csv"
        path.write_text("t,value\n" + "".join(f"{t},{math.sin(t / 3)}\n" for t in range(40)))
        self.passes("--data", path, "--column", "value", "--window", "40", "--latent", "2", *QUICK)
        self.assertEqual(self.summary()["settings"]["windows"], 1)

    def test_help(self):
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--out", "--data", "--latent", "--epochs", "--seed", "--threads", "--resume", "--repeat-latent"):
            self.assertIn(option, done.stdout)


class Resume(Case):
    SLOW = ["--sizes", "5", "--repetitions", "2", "--epochs", "40", "--final-epochs", "150", "--hidden", "16"]

    def outcome(self, out):
        summary = self.summary(out)
        for t in summary["trials"]:
            del t["seconds"]
        return summary, (out / "model.safetensors").read_bytes()

    def undisturbed(self):
        out = self.scratch / "undisturbed"
        self.passes(*self.SLOW, "--threads", 1, out=out)
        return self.outcome(out)

    def stop(self, how, after, *arguments):
        """Runs until `after` seconds have passed; returns the exit code, or None where the program was faster."""
        program = subprocess.Popen([PROGRAM, "--out", str(self.out), *map(str, arguments)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            program.communicate(timeout=after)
            return None
        except subprocess.TimeoutExpired:
            program.send_signal(how)
            self.said = program.communicate()[1]
            return program.returncode

    def test_killed_again_and_again(self):
        expected = self.undisturbed()
        kills = 0
        for k in range(60):  # longer and longer, so that it comes to an end on a machine of any speed
            killed = self.stop(signal.SIGKILL, 0.05 * 1.15 ** k, *self.SLOW, "--resume", "--threads", 1 + k % 2)
            if killed is None:
                break
            self.assertEqual(killed, -signal.SIGKILL)
            kills += 1
        self.assertGreaterEqual(kills, 4)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), RESULTS)
        self.assertEqual(self.outcome(self.out), expected)

    def test_a_polite_stop_keeps_every_epoch(self):
        expected = self.undisturbed()
        code = self.stop(signal.SIGINT, 0.15, *self.SLOW, "--threads", 2)
        self.assertIn(code, (130, None))
        if code == 130:
            self.assertIn("--resume", self.said)
            self.assertTrue(any((self.out / "checkpoints").iterdir()))
        self.passes(*self.SLOW, "--resume")
        self.assertEqual(self.outcome(self.out), expected)

    def test_a_finished_run(self):
        self.passes("--latent", "2,3", *QUICK)
        expected = self.outcome(self.out)
        self.passes("--latent", "2,3", *QUICK, "--resume")
        self.assertEqual(self.outcome(self.out), expected)

    def test_without_it_an_unfinished_run_is_set_aside(self):
        self.passes("--latent", "2,3", *QUICK)
        expected = self.outcome(self.out)
        log = (self.out / "trials.jsonl").read_bytes()
        (self.out / "checkpoints").mkdir()  # as a run leaves it that did not end
        done = self.passes("--latent", "2,3", *QUICK)
        self.assertIn("set aside", done.stderr)
        self.assertEqual((self.out / "trials.jsonl.old").read_bytes(), log)
        self.assertEqual(self.outcome(self.out), expected)

    def refused(self, says, *arguments):
        before = {p: p.read_bytes() for p in self.out.rglob("*") if p.is_file()}
        done = self.run_it("--resume", *arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(says, done.stderr.splitlines()[-1])
        self.assertEqual(before, {p: p.read_bytes() for p in self.out.rglob("*") if p.is_file()})

    def test_other_options_are_refused(self):
        self.passes("--sizes", "2", *QUICK)
        self.refused('"seed":1', "--sizes", "2", *QUICK, "--seed", "1")
        self.refused('"epochs":5', "--sizes", "2", "--epochs", "5", *QUICK[2:])
        self.refused('"high":7', "--sizes", "2", *QUICK, "--max-latent", "7")
        self.refused('"name"', "--latent", "64,3", *QUICK)
        changed = self.scratch / "changed.csv"
        changed.write_text(DATA.read_text().replace("432", "433"))
        self.refused('"data"', "--sizes", "2", *QUICK, "--data", changed)
        same_name = self.scratch / "elsewhere" / DATA.name
        same_name.parent.mkdir()
        same_name.write_text(changed.read_text())
        self.refused('"crc32"', "--sizes", "2", *QUICK, "--data", same_name)

    def test_damaged_files_are_refused(self):
        self.passes("--latent", "2", *QUICK)
        log = self.out / "trials.jsonl"
        lines = log.read_text().splitlines(keepends=True)
        log.write_text(lines[0] + lines[1].replace("trial", "tribe") + lines[1])
        self.refused("line 2", "--latent", "2", *QUICK)
        log.write_text("something else\n")
        self.refused("trials.jsonl", "--latent", "2", *QUICK)
        log.write_text(lines[0])
        (self.out / "checkpoints").mkdir(exist_ok=True)
        (self.out / "checkpoints" / "2-0.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
        self.refused("2-0.safetensors", "--latent", "2", *QUICK)


class BadInput(Case):
    def refuses(self, says, *arguments, out=None):
        done = self.run_it(*arguments, out=out)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("latent_dimension: "), done.stderr)
        self.assertEqual(done.stdout, "")
        if out is None:
            self.assertFalse(self.out.exists())

    def refuses_data(self, says, contents, *arguments):
        path = self.scratch / "data.csv"
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        self.refuses(says, "--data", path, *arguments)

    def test_data(self):
        self.refuses("none.csv: the file cannot be opened", "--data", self.scratch / "none.csv")
        self.refuses("cannot be read", "--data", self.scratch)
        good = "Month,Passengers\n" + "".join(f"m,{k}\n" for k in range(20))
        self.refuses_data("data.csv: the file is empty", "")
        self.refuses_data("line 22: 1 field", good + "m\n")
        self.refuses_data("line 22: column 'Passengers': 'x' is not a number", good + "m,x\n")
        self.refuses_data("line 22: column 'Passengers': nan is not a finite number", good + "m,nan\n")
        self.refuses_data("line 22: column 'Passengers': inf is not a finite number", good + "m,inf\n")
        self.refuses_data("line 22: column 'Passengers' is empty", good + "m,\n")
        self.refuses_data("line 22: a quoted field is not closed", good + 'm,"1\n')
        self.refuses_data("not text", good.encode() + b"m,\0\n")
        self.refuses_data("no column 'Passengers'; there are 'a', 'b'", "a,b\n1,2\n")
        self.refuses("no column 'Riders'", "--column", "Riders")
        self.refuses_data("'Passengers' of", "Month,Passengers\n" + "m,7\n" * 20)
        self.refuses_data("is constant", "Month,Passengers\n" + "m,7\n" * 20)

    def test_options(self):
        self.refuses("145 steps do not fit into the 144 rows", "--window", "145")
        for option in ("--latent", "--window", "--epochs", "--final-epochs", "--hidden", "--layers", "--batch", "--sizes",
                       "--repetitions", "--max-latent"):
            self.refuses(option, option, "0")
            self.refuses(option, option, "-3")
            self.refuses(option, option, "many")
        self.refuses("--latent", "--latent", "8,0,2")
        self.refuses("2 is given twice", "--latent", "2,8,2")
        self.refuses("there are only 4 sizes", "--sizes", "5", "--max-latent", "4")
        self.refuses("--learning-rate", "--learning-rate", "0")
        self.refuses("--seed", "--seed", "-1")
        self.refuses("--threads", "--threads", "-1")
        self.refuses("--speed", "--speed", "9")
        done = subprocess.run([PROGRAM], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--out is required", done.stderr)

    def test_folder(self):
        plain = self.scratch / "file"
        plain.write_text("x")
        self.refuses("cannot be made", out=plain / "below")
        self.refuses("--out", out=plain)
        self.assertEqual(plain.read_text(), "x")
        if os.geteuid() != 0:
            closed = self.scratch / "closed"
            closed.mkdir(mode=0o500)
            self.refuses("cannot be written", out=closed)
        taken = self.scratch / "taken"
        (taken / "summary.json").mkdir(parents=True)
        self.refuses("is a folder", out=taken)
        self.assertEqual([p.name for p in taken.iterdir()], ["summary.json"])

    def test_earlier_results_survive_a_mistake(self):
        self.passes("--latent", "2", *QUICK)
        results = RESULTS[:3]
        before = {name: (self.out / name).read_bytes() for name in results}
        log = (self.out / "trials.jsonl").read_bytes()
        self.assertEqual(self.run_it("--window", "999").returncode, 2)
        self.assertEqual((self.out / "trials.jsonl").read_bytes(), log)
        self.assertEqual(self.run_it("--latent", "2", "--learning-rate", "1e30", *QUICK).returncode, 1)
        self.assertEqual((self.out / "trials.jsonl.old").read_bytes(), log)
        # As if the disk were full: files may not grow beyond 2000 bytes, and SIGXFSZ stays ignored, as Python has it.
        done = subprocess.run([PROGRAM, "--out", str(self.out), "--latent", "3", *QUICK], capture_output=True, text=True,
                              restore_signals=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)))
        self.assertEqual(done.returncode, 2)
        self.assertIn("written completely", done.stderr)
        self.assertEqual(before, {name: (self.out / name).read_bytes() for name in results})
        self.assertEqual([p.name for p in self.out.glob("*.new")], [])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
