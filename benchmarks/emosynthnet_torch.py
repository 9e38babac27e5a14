#!/usr/bin/env python3
"""emosynthnet_torch.py [WIDTH BATCH] - a training step of EmoSynthNet in PyTorch, as bench_emosynthnet measures it.

One thread, float, 28 x 28 images, Adam. Prints the median and the least of eleven steps after one that is not counted, and
the most memory the process ever had.
"""
import pathlib
import resource
import statistics
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "models"))
from make_fixtures import EmoSynthNet  # noqa: E402


def main():
    width, batch = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (32, 64)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = EmoSynthNet(channels=1, classes=10, size=28, width=width)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    x, labels = torch.randn(batch, 1, 28, 28), torch.arange(batch) % 10
    times = []
    for _ in range(12):
        began = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), labels).backward()
        optimizer.step()
        times.append(time.perf_counter() - began)
    times = times[1:]
    print(
        f"width {width}, batch {batch}: median {1e3 * statistics.median(times):.0f} ms, least {1e3 * min(times):.0f} ms, "
        f"{batch / statistics.median(times):.1f} images/s, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, PyTorch {torch.__version__}"
    )


if __name__ == "__main__":
    main()
