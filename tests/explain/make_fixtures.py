#!/usr/bin/env python3
"""make_fixtures.py [FILE] - writes a small network of PyTorch, images, and what Grad-CAM and guided backpropagation say of them.

tests/explain/data/explain.safetensors is what it wrote with Debian 12's PyTorch 1.13.1 and with safetensors 0.4.5 from PyPI. The
tests read that file and need neither; this script is kept to say where it comes from. Grad-CAM is by the definition, from
gradients that autograd gives of a layer's result; guided backpropagation by activations whose backward is the guided one.
"""
import pathlib
import sys

import safetensors.torch
import torch
from torch import nn
from torch.nn import functional

GUIDED = False


class Guided(torch.autograd.Function):
    @staticmethod
    def forward(context, x, plain):
        y = plain(x)
        context.save_for_backward(y)
        return y

    @staticmethod
    def backward(context, dy):
        (y,) = context.saved_tensors
        return torch.where((y > 0) & (dy > 0), dy, torch.zeros_like(dy)), None


def rectified(x, plain):
    return Guided.apply(x, plain) if GUIDED else plain(x)


class Net(nn.Module):
    """Two convolutions, an ELU and a ReLU, batch norm between, an ELU before the logits."""

    def __init__(self):
        super().__init__()
        self.c1, self.norm = nn.Conv2d(2, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.c2 = nn.Conv2d(5, 7, 3)
        self.hidden, self.out = nn.Linear(7 * 3 * 2, 8), nn.Linear(8, 4)
        self.seen = {}

    def forward(self, x):
        self.seen["c1"] = self.c1(x)
        self.seen["elu"] = rectified(self.seen["c1"], functional.elu)
        self.seen["norm"] = self.norm(self.seen["elu"])
        self.seen["max_pool"] = functional.max_pool2d(self.seen["norm"], 2)
        self.seen["c2"] = self.c2(self.seen["max_pool"])
        self.seen["relu"] = rectified(self.seen["c2"], torch.relu)
        return self.out(rectified(self.hidden(self.seen["relu"].flatten(1)), functional.elu))


def main():
    global GUIDED
    torch.manual_seed(5)
    net = Net().double()
    with torch.no_grad():
        for _ in range(3):  # running statistics that are not what they started as
            net(torch.randn(8, 2, 10, 9, dtype=torch.float64))
    net.eval()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    x = torch.randn(4, 2, 10, 9, dtype=torch.float64, requires_grad=True)
    classes = torch.tensor([2, 0, 3, 2])
    score = net(x)[torch.arange(4), classes].sum()
    tensors = {"x": x.detach(), "classes": classes}
    layers = ["c1", "elu", "norm", "max_pool", "c2", "relu"]
    for layer, g in zip(layers, torch.autograd.grad(score, [net.seen[n] for n in layers])):
        weights = g.mean((2, 3), keepdim=True)
        tensors["grad_cam." + layer] = torch.relu((weights * net.seen[layer]).sum(1)).detach()
    GUIDED = True
    score = net(x)[torch.arange(4), classes].sum()
    (guided,) = torch.autograd.grad(score, x)
    tensors["guided"] = guided
    size = tuple(x.shape[2:])
    wide = functional.interpolate(tensors["grad_cam.relu"].unsqueeze(1), size, mode="bilinear", align_corners=False)
    tensors["guided_grad_cam"] = guided * wide
    here = pathlib.Path(__file__).parent / "data" / "explain.safetensors"
    path = sys.argv[1] if len(sys.argv) > 1 else here
    tensors = {name: value.contiguous() for name, value in dict(state, **tensors).items()}
    safetensors.torch.save_file(tensors, path, {"format": "pt", "torch": torch.__version__})


if __name__ == "__main__":
    main()
