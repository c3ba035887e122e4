"""How much sooner another probe of the same text is done.

usage: second_probe.py MODEL LAYER TOKENS

MODEL is a model directory. A job probes subspaces at LAYER; a second one asks
for routing there, and starts from the hidden states that the first one left.
Needs build/release.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import service  # noqa: E402

PROBES = ({"pca": {}}, {"routing": {}})


def seconds_of(client, request):
    begin = time.perf_counter()
    client.ok("submit", client.write_request(request), "--wait")
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("layer", type=int)
    parser.add_argument("tokens", type=int)
    arguments = parser.parse_args()
    model = arguments.model.resolve()
    vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ids = np.random.default_rng(0).integers(0, vocabulary, arguments.tokens)
        np.save(folder / "ids.npy", ids.astype(np.int32))
        request = {
            "kind": "analyze",
            "model": model.name,
            "precision": "bfloat16",
            "layers": [arguments.layer],
            "data": {"ids": str(folder / "ids.npy"), "tokens": arguments.tokens},
            "nulls": {"random_router": 0, "bootstrap": 0},
        }
        with service.Server(folder / "data", [model.parent], threads=None) as server:
            client = service.Client(server.address, folder)
            first, second = (
                seconds_of(client, request | {"probes": probes}) for probes in PROBES
            )
    figure = {
        "benchmark": "second_probe",
        "first_seconds": first,
        "seconds": second,
        "times_faster": first / second,
    }
    print(json.dumps(figure))


if __name__ == "__main__":
    main()
