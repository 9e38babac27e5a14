"""What benchmarks/spectra.cpp is compared with: NumPy, SciPy and PyWavelets, the same problems, one thread.

Prints the least and the median wall time of a call in microseconds, and the least for each frame, or each scale of a line.
Needs numpy, scipy and PyWavelets (pip). OMP_NUM_THREADS=1.
"""
import time

import numpy as np
import pywt
import scipy.fft


def measure(f, budget=1.0):
    f()
    times, end = [], time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.perf_counter()
        f()
        times.append((time.perf_counter() - start) * 1e6)
    return min(times), float(np.median(times))


def report(name, f, items):
    least, median = measure(f)
    print(f"{name:45s} {least:9.0f} {median:9.0f} {least / items:9.3f}", flush=True)


def stft(rfft, x, window, hop):
    n = len(window)
    padded = np.pad(x, ((0, 0), (n // 2, n // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n, axis=-1)[:, ::hop]
    return np.abs(rfft(frames * window, axis=-1))


def scalogram(x, scales, omega0=6.0):
    n = x.shape[-1]
    length = scipy.fft.next_fast_len(int(n + 6 * scales[-1]) + 1)
    w = 2 * np.pi * np.fft.fftfreq(length)
    h = np.sqrt(2 * np.pi * scales)[:, None] * np.pi**-0.25 * np.exp(-0.5 * (scales[:, None] * w - omega0) ** 2) * (w > 0)
    return np.abs(scipy.fft.ifft(scipy.fft.fft(x, length)[:, None] * h.astype(x.dtype))[..., :n])


random = np.random.default_rng(0)
scales = 2 * 2 ** (np.arange(32) / 6)
for dtype in (np.float32, np.float64):
    name = np.dtype(dtype).name
    x = random.standard_normal((64, 4096)).astype(dtype)
    for n in (64, 256, 400, 512, 1024):
        window = (np.sin(np.pi * np.arange(n) / n) ** 2).astype(dtype)
        frames = 64 * (4096 // (n // 4) + 1)
        report(f"stft {name} {n} scipy.fft", lambda: stft(scipy.fft.rfft, x, window, n // 4), frames)
        report(f"stft {name} {n} numpy.fft", lambda: stft(np.fft.rfft, x, window, n // 4), frames)
    for n in (1024, 4096, 16384):
        x = random.standard_normal((4, n)).astype(dtype)
        report(f"scalogram {name} {n} scipy.fft", lambda: scalogram(x, scales), 4 * 32)
        report(f"scalogram {name} {n} pywt", lambda: np.abs(pywt.cwt(x, scales, "cmor2.0-0.95492966", method="fft")[0]), 4 * 32)
    x = random.standard_normal((64, 4096)).astype(dtype)
    report(f"wavedec {name} db4 pywt", lambda: pywt.wavedec(x, "db4", mode="symmetric", level=5, axis=-1), 64)
