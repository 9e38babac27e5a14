#!/usr/bin/env python3
"""make_block_fixtures.py [FILE] - writes what PyTorch computes with the building blocks of limbic/blocks.hpp, and back.

tests/models/data/blocks.safetensors is what it wrote with Debian 12's PyTorch 1.13.1 and with safetensors 0.4.5 from PyPI.
The tests read that file and need neither; this script is kept to say where it comes from. The modules are written out, with
the names that torchvision gives them. For each block NAME, in double precision:

  NAME.state.*                     its state_dict, whose running statistics are not what they started as
  NAME.x, NAME.cotangent           the input, and the gradient of the result
  NAME.eval.y, NAME.train.y        the result by running statistics, and by the batch's
  NAME.eval.gradient.x, NAME.eval.gradient.p.*, NAME.train. ...       of the input, and of all parameters
  NAME.after.*                     the state_dict after the call in training mode: buffers only
"""
import pathlib
import sys

import safetensors.torch
import torch
from torch import nn
from torch.nn import functional

EPS = 1e-3  # of the units of inception modules, as torchvision has it


def conv(inputs, outputs, kernel, stride=1, bias=False, padding=None):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if padding is None else padding, bias=bias)


class Residual(nn.Module):
    """A BasicBlock, or with a width a Bottleneck."""

    def __init__(self, inputs, outputs, stride=1, shortcut="projection", width=None):
        super().__init__()
        shapes = ([(inputs, outputs, 3, stride), (outputs, outputs, 3, 1)] if width is None else
                  [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)])
        for i, shape in enumerate(shapes, 1):
            setattr(self, f"conv{i}", conv(*shape))
            setattr(self, f"bn{i}", nn.BatchNorm2d(shape[1]))
        self.count, self.stride, self.more = len(shapes), stride, outputs - inputs
        self.shortcut = "identity" if stride == 1 and inputs == outputs else shortcut
        if self.shortcut == "projection":
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = y.relu()
        if self.shortcut == "projection":
            x = self.downsample(x)
        elif self.shortcut == "zero_pad":
            x = functional.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.more))
        return (x + y).relu()


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, 4 * growth, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), conv(4 * growth, growth, 3)

    def forward(self, x):
        return self.conv2(self.norm2(self.conv1(self.norm1(x).relu())).relu())


class DenseBlock(nn.Module):
    def __init__(self, inputs, layers, growth):
        super().__init__()
        self.count = layers
        for i in range(layers):
            setattr(self, f"denselayer{i + 1}", DenseLayer(inputs + i * growth, growth))

    def forward(self, x):
        features = [x]
        for i in range(self.count):
            features.append(getattr(self, f"denselayer{i + 1}")(torch.cat(features, 1)))
        return torch.cat(features, 1)


class DenseNet(nn.Module):
    """A block and a transition."""

    def __init__(self, inputs, layers, growth, theta):
        super().__init__()
        self.block = DenseBlock(inputs, layers, growth)
        channels = inputs + layers * growth
        self.transition = nn.Sequential()
        self.transition.add_module("norm", nn.BatchNorm2d(channels))
        self.transition.add_module("relu", nn.ReLU())
        self.transition.add_module("conv", conv(channels, int(theta * channels), 1))
        self.transition.add_module("pool", nn.AvgPool2d(2, 2))

    def forward(self, x):
        return self.transition(self.block(x))


class BasicConv2d(nn.Module):
    def __init__(self, inputs, outputs, kernel, norm=True, eps=EPS, padding=None):
        super().__init__()
        self.conv = conv(inputs, outputs, kernel, bias=not norm, padding=padding)
        if norm:
            self.bn = nn.BatchNorm2d(outputs, eps=eps)
        self.norm = norm

    def forward(self, x):
        x = self.conv(x)
        return (self.bn(x) if self.norm else x).relu()


class Inception(nn.Module):
    def __init__(self, inputs, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj, two_3x3=False, norm=True):
        super().__init__()
        self.branch1 = BasicConv2d(inputs, ch1x1, 1, norm)
        self.branch2 = nn.Sequential(BasicConv2d(inputs, ch3x3red, 1, norm), BasicConv2d(ch3x3red, ch3x3, 3, norm))
        last = ([BasicConv2d(ch5x5red, ch5x5, 3, norm), BasicConv2d(ch5x5, ch5x5, 3, norm)] if two_3x3 else
                [BasicConv2d(ch5x5red, ch5x5, 5, norm)])
        self.branch3 = nn.Sequential(BasicConv2d(inputs, ch5x5red, 1, norm), *last)
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), BasicConv2d(inputs, pool_proj, 1, norm))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """Without dropout, which is random."""

    def __init__(self, inputs, classes, windows, channels, hidden):
        super().__init__()
        self.conv = BasicConv2d(inputs, channels, 1)
        self.fc1, self.fc2 = nn.Linear(channels * windows, hidden), nn.Linear(hidden, classes)

    def forward(self, x):
        return self.fc2(self.fc1(self.conv(functional.avg_pool2d(x, 5, 3)).flatten(1)).relu())


class DoubleConv(nn.Module):
    def __init__(self, inputs, outputs, padding, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=not norm)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=padding, bias=not norm)
        if norm:
            self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.norm = norm

    def convs(self, x):
        x = self.conv1(x)
        x = self.conv2((self.bn1(x) if self.norm else x).relu())
        return (self.bn2(x) if self.norm else x).relu()

    def forward(self, x):
        return self.convs(x)


class Up(DoubleConv):
    def __init__(self, inputs, skip, outputs, padding, norm):
        super().__init__(skip + outputs, outputs, padding, norm)
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, 2)

    def forward(self, x, skip):
        x = self.up(x)
        top, left = ((s - t) // 2 for s, t in zip(skip.shape[2:], x.shape[2:]))
        middle = skip[:, :, top:top + x.shape[2], left:left + x.shape[3]]
        return self.convs(torch.cat([middle, x], 1))


class UNet(nn.Module):
    """One step down, and up again."""

    def __init__(self, inputs, width, padding, norm):
        super().__init__()
        self.down = DoubleConv(inputs, width, padding, norm)
        self.bottom = DoubleConv(width, 2 * width, padding, norm)
        self.up = Up(2 * width, width, width, padding, norm)

    def forward(self, x):
        skip = self.down(x)
        return self.up(self.bottom(functional.max_pool2d(skip, 2)), skip)


# Inputs (N, C, H, W), with odd sizes where a stride or a window meets them.
BLOCKS = {
    "residual.identity": (Residual(3, 3), (2, 3, 5, 4)),
    "residual.projection": (Residual(3, 4, 2), (2, 3, 7, 6)),
    "residual.zero_pad": (Residual(3, 5, 2, "zero_pad"), (2, 3, 7, 5)),
    "bottleneck.identity": (Residual(8, 8, width=2), (2, 8, 4, 5)),
    "bottleneck.projection": (Residual(3, 8, 2, width=2), (2, 3, 7, 6)),
    "dense": (DenseNet(3, 3, 2, 0.5), (2, 3, 7, 5)),
    "inception.one_5x5": (Inception(3, 2, 2, 3, 1, 2, 2), (2, 3, 7, 5)),
    "inception.two_3x3": (Inception(3, 2, 2, 3, 1, 2, 2, True, False), (2, 3, 5, 6)),
    "auxiliary": (InceptionAux(2, 4, 2 * 1, 3, 5), (5, 2, 9, 6)),
    "unet.same": (UNet(2, 3, 1, True), (2, 2, 7, 10)),
    "unet.valid": (UNet(1, 2, 0, False), (1, 1, 21, 18)),
}


def record(tensors, name, block, shape):
    block.double()
    with torch.no_grad():
        for _ in range(3):  # running statistics that are not what they started as
            block(torch.randn(shape, dtype=torch.float64))
        for key, value in block.named_parameters():
            if value.ndim == 1:  # scales and offsets, too
                value.copy_(torch.rand_like(value) + (0.5 if key.endswith("weight") else -0.5))
    for key, value in block.state_dict().items():
        tensors[f"{name}.state.{key}"] = value.clone()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    for mode in ("eval", "train"):
        block.train(mode == "train")
        y = block(x)
        if mode == "eval":
            cotangent = torch.randn_like(y)
        keys, parameters = zip(*block.named_parameters())
        gradients = torch.autograd.grad((y * cotangent).sum(), (x,) + parameters)
        tensors[f"{name}.{mode}.y"] = y.detach().contiguous()
        for key, gradient in zip(("x",) + tuple("p." + k for k in keys), gradients):
            tensors[f"{name}.{mode}.gradient.{key}"] = gradient.contiguous()
    for key, value in block.named_buffers():
        tensors[f"{name}.after.{key}"] = value.clone()
    tensors[f"{name}.x"], tensors[f"{name}.cotangent"] = x.detach(), cotangent


def main():
    torch.manual_seed(12)
    tensors = {}
    for name, (block, shape) in BLOCKS.items():
        record(tensors, name, block, shape)
    here = pathlib.Path(__file__).parent / "data" / "blocks.safetensors"
    path = sys.argv[1] if len(sys.argv) > 1 else here
    safetensors.torch.save_file(tensors, path, {"format": "pt", "torch": torch.__version__})


if __name__ == "__main__":
    main()
