"""Repeats and margins, from the real programs, against transformers' routing."""

import itertools
import pathlib

import numpy as np
import oracle
import pytest
import torch
from service import Client

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
NAMES = sorted(p.parent.name for p in FIXTURES.glob("*/expected.npz"))
ROUNDING = 1e-4  # how far logits may be off; ten times what they are


@pytest.fixture(scope="module", params=NAMES)
def fixture(request):
    return FIXTURES / request.param


@pytest.fixture(scope="module")
def options(fixture):
    expected = np.load(fixture / "expected.npz")
    return {k: int(expected[k]) for k in ("sequence_length", "skip_first")}


@pytest.fixture(scope="module")
def found(fixture, options, common_server, tmp_path_factory):
    client = Client(common_server.address, tmp_path_factory.mktemp("client"))
    return client.analyze(
        {
            "kind": "analyze",
            "model": fixture.name,
            "data": {"ids": str(fixture / "ids.npy"), "tokens": "all"} | options,
            "probes": {"routing": {}},
        }
    )


@pytest.fixture(scope="module")
def routing(fixture, options):
    """By layer: logits [W, S, E] and choices [W, S, k] of the counted tokens."""
    ids = torch.as_tensor(np.load(fixture / "ids.npy").astype(np.int64))
    windows = ids.view(-1, options["sequence_length"])
    model, seen, _ = oracle.run_model(fixture, windows)
    layers = []
    for layer, (inputs, _) in zip(model.model.layers, seen, strict=True):
        block = oracle.Block(oracle.mlp_of(layer))
        tempered, _, chosen = block.route(inputs.double())
        logits = tempered * block.temperature
        layers.append(
            [
                t.view(*windows.shape, -1)[:, options["skip_first"] :].numpy()
                for t in (logits, chosen)
            ]
        )
    return layers


def repeat_rate(chosen, depth):
    """Share of neighbours with a common expert among their first `depth`."""
    tops = [[set(token[:depth]) for token in window] for window in chosen]
    pairs = [p for window in tops for p in itertools.pairwise(window)]
    return sum(not a.isdisjoint(b) for a, b in pairs) / len(pairs)


def test_repeat_rates(found, routing):
    for index, (_, chosen) in enumerate(routing):
        wanted = [repeat_rate(chosen, depth) for depth in (1, 2)]
        assert found[f"layer{index}/repeat_rate"] == pytest.approx(wanted, abs=1e-12)


def test_margins(found, routing):
    for index, (logits, chosen) in enumerate(routing):
        histogram = found[f"layer{index}/margin_histogram"]
        edges = found[f"layer{index}/margin_edges"]
        assert np.array_equal(edges, [*np.arange(64) / 16, np.inf])
        k, experts = chosen.shape[-1], logits.shape[-1]
        if k == experts:
            assert not histogram.any()
            continue
        ordered = np.sort(logits.reshape(-1, experts))[:, ::-1]
        margins = ordered[:, k - 1] - ordered[:, k]
        assert histogram.sum() == len(margins)
        below = np.cumsum(histogram)
        for edge, count in zip(edges[1:], below, strict=False):
            # Margins at an edge may fall on either side of it.
            sure, possible = (margins < edge + s * ROUNDING for s in (-1, 1))
            assert sure.sum() <= count <= possible.sum(), (index, edge)
