"""An averaged Jacobian by automatic differentiation: vmap(jacrev).

usage: averaged_jacobian.py FOLDER [--chunk N]

FOLDER is what `moeprobe-bench jacobian --dump` wrote; its result is compared.
"""

import argparse
import pathlib

import measurement
import numpy as np
import torch
from torch.func import jacrev, vmap

CHUNK_FLOATS = 1 << 20  # of the Jacobians held at once


def load(folder, name):
    return torch.from_numpy(np.load(folder / f"{name}.npy"))


def averaged_jacobian(expert, x, chunk):
    """Mean of the Jacobians at the rows of `x`, [d, d]."""
    jacobians = vmap(jacrev(expert))
    total = torch.zeros(x.shape[1], x.shape[1])
    for tokens in x.split(chunk):
        total += jacobians(tokens).sum(0)
    return total / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--chunk", type=int, help="tokens at a time")
    arguments = parser.parse_args()
    gate, up, down, x, ours = (
        load(arguments.folder, name) for name in ("gate", "up", "down", "x", "jacobian")
    )
    chunk = arguments.chunk or max(1, CHUNK_FLOATS // x.shape[1] ** 2)

    def expert(token):
        return down @ (torch.nn.functional.silu(gate @ token) * (up @ token))

    averaged_jacobian(expert, x[:chunk], chunk)  # to warm up
    results = []
    seconds = measurement.seconds(
        lambda: results.append(averaged_jacobian(expert, x, chunk))
    )
    error = (ours - results[0]).norm() / results[0].norm()
    measurement.print_figure(
        {
            "peer": "torch.func vmap(jacrev)",
            "seconds": seconds,
            "relative_error": error.item(),
            "threads": torch.get_num_threads(),
        }
    )


if __name__ == "__main__":
    main()
