#!/usr/bin/env python3
"""make_fixtures.py [FILE] - writes the state_dict of an EmoSynthNet that PyTorch made, its input, results and gradients.

tests/models/data/emosynthnet.safetensors is what it wrote with Debian 12's PyTorch 1.13.1 and with safetensors 0.4.5 from
PyPI. The tests read that file and need neither; this script is kept to say where it comes from. The smallest network there is:
one channel in its first unit, images of 16 x 16, double precision.
"""
import pathlib
import sys

import safetensors.torch
import torch
from torch import nn
from torch.nn import functional


def unit(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ELU(), nn.BatchNorm2d(outputs))


def block(*channels):
    return nn.ModuleList(unit(a, b) for a, b in zip(channels, channels[1:]))


class Module(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()

        def convolution(a, b, kernel):
            return nn.Conv2d(a, b, kernel, padding=kernel // 2)

        self.a1, self.a2 = convolution(inputs, 2 * width, 1), convolution(2 * width, 3 * width, 5)
        self.a3, self.b1 = convolution(3 * width, 3 * width, 5), convolution(inputs, 2 * width, 1)
        self.c1, self.c2 = convolution(inputs, 4 * width, 1), convolution(4 * width, 6 * width, 3)
        self.c3 = convolution(6 * width, 6 * width, 3)

    def forward(self, x):
        a = self.a2(self.a1(x).relu()).relu()
        b = self.b1(functional.max_pool2d(x, 3, 1, 1)).relu()
        c = self.c2(self.c1(x).relu()).relu()
        return torch.cat([self.a3(a).relu(), a, b, self.c3(c).relu() + c], 1)


class EmoSynthNet(nn.Module):
    def __init__(self, channels, classes, size, width):
        super().__init__()
        w = width
        self.b1, self.b2 = block(channels, w, 2 * w, 2 * w, 2 * w), block(2 * w, 4 * w, 4 * w, 4 * w, 4 * w)
        self.b3, self.b4 = block(4 * w, 8 * w, 8 * w, 8 * w, 8 * w), block(8 * w, 16 * w, 16 * w, 16 * w)
        self.s1, self.s2 = Module(channels, w), Module(14 * w, w)
        self.t1, self.t2 = nn.ConvTranspose2d(16 * w, 16 * w, 3), nn.ConvTranspose2d((16 + 28) * w, 8 * w, 3)
        self.d1 = nn.Linear(8 * w * (size // 16 * 4 + 12) ** 2, 4 * w)
        self.d2, self.d3 = nn.Linear(4 * w, 2 * w), nn.Linear(2 * w, classes)

    def forward(self, x):
        y = x
        for units, skip in ((self.b1, True), (self.b2, False), (self.b3, True), (self.b4, False)):
            second = y = units[1](units[0](y))
            for one in units[2:]:
                y = one(y)
            y = functional.avg_pool2d(second + y if skip else y, 2)
        y = functional.elu(self.t1(y))
        first = self.s1(x)
        side = functional.avg_pool2d(torch.cat([first, self.s2(first)], 1), 7)
        y = torch.cat([y, functional.adaptive_avg_pool2d(side, y.shape[2:])], 1)
        y = functional.elu(self.t2(functional.interpolate(y, scale_factor=2)))
        y = functional.interpolate(y, scale_factor=2).flatten(1)
        return self.d3(functional.elu(self.d2(functional.elu(self.d1(y)))))


def main():
    here = pathlib.Path(__file__).parent / "data" / "emosynthnet.safetensors"
    torch.manual_seed(11)
    net = EmoSynthNet(channels=1, classes=3, size=16, width=1).double()
    with torch.no_grad():
        for _ in range(3):  # running statistics that are not what they started as
            net(torch.randn(8, 1, 16, 16, dtype=torch.float64))
    state = {name: value.clone() for name, value in net.state_dict().items()}
    x = torch.randn(3, 1, 16, 16, dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn(3, 3, dtype=torch.float64)
    tensors = {"x": x.detach(), "cotangent": cotangent}
    for mode in ("eval", "train"):
        net.train(mode == "train")
        logits = net(x)
        wanted = dict(net.named_parameters())
        names = ["b1.0.0.weight", "b3.1.2.weight", "s1.c3.weight", "s2.a1.bias", "t2.weight"]
        gradients = torch.autograd.grad((logits * cotangent).sum(), [x] + [wanted[n] for n in names])
        tensors[mode + ".logits"] = logits.detach()
        for name, gradient in zip(["x"] + names, gradients):
            tensors[mode + ".gradient." + name] = gradient
    path = sys.argv[1] if len(sys.argv) > 1 else here
    safetensors.torch.save_file(dict(state, **tensors), path, {"format": "pt", "torch": torch.__version__})


if __name__ == "__main__":
    main()
