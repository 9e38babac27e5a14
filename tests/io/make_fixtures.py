#!/usr/bin/env python3
"""make_fixtures.py [FOLDER] - writes the files that other programs give: NumPy's arrays, PyTorch's model.

tests/io/data/ holds what it wrote with Debian 12's NumPy 1.24.2 and PyTorch 1.13.1 and with safetensors 0.4.5 from PyPI.
The tests read those files and need none of the three; this script is kept to say where they come from.

  numpy.npz            every dtype, order of bytes, order of axes and version of the format that the reader knows
  compressed.npz       numpy.savez_compressed, which it refuses
  torch.safetensors    the state_dict of an LSTM autoencoder in double precision, its input, its latent vector, its output
"""
import io
import pathlib
import sys
import zipfile

import numpy
import safetensors.torch
import torch


class Autoencoder(torch.nn.Module):
    """As limbic::lstm_autoencoder: the decoder reads the latent vector at every step."""

    def __init__(self, inputs, hidden, latent, layers):
        super().__init__()
        self.encoder = torch.nn.LSTM(inputs, hidden, layers, batch_first=True)
        self.latent = torch.nn.Linear(hidden, latent)
        self.decoder = torch.nn.LSTM(latent, hidden, layers, batch_first=True)
        self.output = torch.nn.Linear(hidden, inputs)

    def encode(self, x):
        return self.latent(self.encoder(x)[1][0][-1])

    def forward(self, x):
        z = self.encode(x)
        return self.output(self.decoder(z.unsqueeze(1).repeat(1, x.shape[1], 1))[0])


def numpy_arrays(path):
    values = numpy.array([[0, 1, 2], [3, 100, 7]])
    arrays = {"b1": values % 2 == 1}
    for name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        arrays[name] = values.astype(name)
        arrays[name][1, 1] = numpy.iinfo(name).max
        arrays[name][0, 0] = numpy.iinfo(name).min
    for name in ("f2", "f4", "f8"):
        arrays[name] = (values / 3).astype(name)
        arrays[name][1] = [numpy.inf, numpy.nan, numpy.finfo(name).tiny / 2]  # the last is subnormal
    for name in ("i2", "u4", "i8", "f2", "f4", "f8"):
        arrays["big_" + name] = arrays[name].astype(">" + name)
    arrays["fortran"] = numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4))
    arrays["fortran_big"] = numpy.asfortranarray(arrays["big_i2"])
    arrays["scalar"] = numpy.float64(2.5)
    arrays["vector"] = numpy.arange(5.0)
    arrays["nothing"] = numpy.zeros((2, 0, 3))
    arrays["rank5"] = numpy.arange(32.0).reshape(2, 2, 2, 2, 2)
    numpy.savez(path, **arrays)
    with zipfile.ZipFile(path, "a") as archive:
        for version in ((2, 0), (3, 0)):
            member = io.BytesIO()
            numpy.lib.format.write_array(member, numpy.arange(5.0), version)
            archive.writestr("version%d.npy" % version[0], member.getvalue())


def torch_model(path):
    torch.manual_seed(7)
    model = Autoencoder(2, 5, 3, 2).double()
    x = torch.randn(4, 6, 2, dtype=torch.float64)
    with torch.no_grad():
        tensors = dict(model.state_dict(), x=x, z=model.encode(x), y=model(x))
    safetensors.torch.save_file(tensors, path, {"format": "pt", "torch": torch.__version__})


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "data"
    numpy_arrays(folder / "numpy.npz")
    numpy.savez_compressed(folder / "compressed.npz", x=numpy.zeros(100))
    torch_model(folder / "torch.safetensors")


if __name__ == "__main__":
    main()
