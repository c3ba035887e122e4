"""Singular values of token Jacobians in full: svdvals of vmap(jacrev).

usage: spectra.py FOLDER [--tokens N]

FOLDER is what `moeprobe-bench spectra --dump` wrote; its result is compared.
"""

import argparse
import pathlib

import measurement
import numpy as np
import torch
from torch.func import jacrev, vmap


def load(folder, name):
    return torch.from_numpy(np.load(folder / f"{name}.npy"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=1, help="how many to time")
    arguments = parser.parse_args()
    gate, up, down, x, ours = (
        load(arguments.folder, name) for name in ("gate", "up", "down", "x", "values")
    )
    x, ours = x[: arguments.tokens], ours[: arguments.tokens]

    def expert(token):
        return down @ (torch.nn.functional.silu(gate @ token) * (up @ token))

    results = []
    seconds = measurement.seconds(
        lambda: results.append(torch.linalg.svdvals(vmap(jacrev(expert))(x)))
    )
    theirs = results[0][:, : ours.shape[1]]
    measurement.print_figure(
        {
            "peer": "torch.linalg.svdvals of torch.func vmap(jacrev)",
            "seconds_per_token": seconds / len(x),
            "relative_error": ((ours - theirs) / theirs).abs().max().item(),
            "threads": torch.get_num_threads(),
        }
    )


if __name__ == "__main__":
    main()
