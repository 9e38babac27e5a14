#!/usr/bin/env python3
"""test_11_checkpoint.py PROGRAM - stops a training run in every way, and compares what it ends with, bit for bit.

The example shows resuming within one process; here are fresh processes, SIGKILL at any moment, and a full disk.
"""
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None
EPOCHS = 100


class Checkpoint(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "run.safetensors"

    def run_until(self, epochs, path=None, **options):
        return subprocess.run([PROGRAM, path or self.path, str(epochs)], capture_output=True, text=True, **options)

    def undisturbed(self):
        path = self.path.with_name("whole.safetensors")
        self.assertEqual(self.run_until(EPOCHS, path).returncode, 0)
        return path.read_bytes()

    def test_without_arguments(self):
        shown = subprocess.run([PROGRAM], capture_output=True, text=True)
        self.assertEqual(shown.returncode, 0, shown.stdout + shown.stderr)

    def test_fresh_processes_end_with_the_same_bytes(self):
        for epochs in (1, EPOCHS // 2, EPOCHS):
            self.assertEqual(self.run_until(epochs).returncode, 0)
        self.assertEqual(self.path.read_bytes(), self.undisturbed())

    def test_kills_lose_nothing(self):
        moments = random.Random(3)
        kills = 0
        for _ in range(200):
            process = subprocess.Popen([PROGRAM, self.path, str(EPOCHS)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            time.sleep(moments.uniform(0.005, 0.1))
            process.send_signal(signal.SIGKILL)
            said = process.communicate()[1]
            self.assertIn(process.returncode, (0, -signal.SIGKILL), said)  # a damaged file would end it with an error
            kills += process.returncode != 0
            if process.returncode == 0:
                break
        self.assertEqual(self.run_until(EPOCHS).returncode, 0)
        self.assertGreater(kills, 0)
        self.assertEqual(self.path.read_bytes(), self.undisturbed())

    def test_a_full_disk_leaves_the_old_file(self):
        self.assertEqual(self.run_until(3).returncode, 0)
        before = self.path.read_bytes()

        def nearly_full():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as on a full disk the write fails, instead of the process
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) - 1, len(before) - 1))

        self.assertNotEqual(self.run_until(4, preexec_fn=nearly_full).returncode, 0)
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder.name), [self.path.name])  # and no part beside it

    def test_a_damaged_file_is_refused(self):
        self.assertEqual(self.run_until(2).returncode, 0)
        good = self.path.read_bytes()
        places = random.Random(5)
        for size in [0, 7, 8, 100, len(good) - 1] + [places.randrange(len(good)) for _ in range(10)]:
            self.path.write_bytes(good[:size])
            self.assertNotEqual(self.run_until(3).returncode, 0, f"cut to {size} bytes")
            self.assertEqual(self.path.read_bytes(), good[:size])
        for place in [places.randrange(len(good)) for _ in range(30)]:
            bad = bytearray(good)
            bad[place] ^= 1 << places.randrange(8)
            self.path.write_bytes(bad)
            ran = self.run_until(3)
            self.assertNotEqual(ran.returncode, 0, f"byte {place} changed")
            self.assertIn("run.safetensors", ran.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
