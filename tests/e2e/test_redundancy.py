"""Which experts are close: against full decompositions of the files' weights."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

RANK = 5


@pytest.fixture
def weights(root):
    return load_file(root / "tests/fixtures/mixtral/model.safetensors")


def expert_weights(weights, layer, expert):
    prefix = f"model.layers.{layer}.block_sparse_moe.experts.{expert}."
    return [weights[f"{prefix}{name}.weight"] for name in ("w1", "w3", "w2")]


def subspaces(weights, layer, side):
    """The leading singular vectors [RANK, d] of every expert, and their energy."""
    for expert in range(6):
        gate, up, down = expert_weights(weights, layer, expert)
        x = np.concatenate([gate, up]) if side == "input" else down.T
        _, values, right = np.linalg.svd(x.astype(np.float64))
        yield right[:RANK], (values[:RANK] ** 2).sum() / (values**2).sum()


def report(short_request, **options):
    return short_request | {
        "probes": {
            "jacobian": {"average": ["all"]},
            "pca": {},
            "redundancy": {"rank": RANK} | options,
        },
    }


def upper(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


def test_overlap_of_weights_is_that_of_full_decompositions(
    common_client, short_request, weights
):
    arrays = common_client.analyze(report(short_request))
    for side in ("input", "output"):
        bases, energies = zip(*subspaces(weights, 1, side), strict=True)
        overlap = [[((a @ b.T) ** 2).sum() / RANK for b in bases] for a in bases]
        found = arrays[f"layer1/weight_overlap/{side}"]
        assert np.allclose(found, overlap, atol=1e-5)
        energy = arrays[f"layer1/weight_overlap/{side}_energy"]
        assert np.allclose(energy, energies, rtol=1e-5)
    assert arrays["layer1/weight_overlap/floor"] == RANK / 32


def test_pairs_are_in_the_order_of_their_mean_rank(common_client, short_request):
    arrays = common_client.analyze(report(short_request))
    alignment = upper(arrays["layer2/jacobian_cosine/all"])
    similarity = upper(arrays["layer2/output_similarity"])
    ranks = sum((-x).argsort().argsort() for x in (alignment, similarity))
    order = np.argsort(ranks, kind="stable")
    pairs = np.stack(np.triu_indices(6, 1), axis=1)
    assert np.array_equal(arrays["layer2/redundancy_pairs"], pairs[order])
    columns = [
        alignment,
        similarity,
        upper(arrays["layer2/grassmann/routed"]),
        upper(arrays["layer2/weight_overlap/input"]),
    ]
    scores = np.stack(columns, axis=1)[order]
    assert np.array_equal(arrays["layer2/redundancy_scores"], scores)


def test_a_report_takes_up_what_another_job_computed(client, api, short_request):
    probes = {"jacobian": {"average": ["all", "routed"]}, "pca": {}}
    client.submit(short_request | {"probes": probes}, "--wait")
    later = client.analyze(report(short_request))
    alone = client.analyze(report(short_request, tokens=255))
    for name, array in alone.items():
        if ("output" in name and "weight" not in name) or "redundancy" in name:
            continue
        assert np.array_equal(later[name], array, equal_nan=True), name


def test_a_report_without_other_probes_has_no_numbers_of_theirs(
    common_client, short_request
):
    probes = {"redundancy": {"rank": RANK, "weights": False}}
    arrays = common_client.analyze(short_request | {"probes": probes})
    assert not any("weight_overlap" in name for name in arrays)
    scores = arrays["layer0/redundancy_scores"]
    assert np.isnan(scores[:, [0, 2, 3]]).all()
    assert (np.diff(scores[:, 1]) <= 0).all()


def test_a_dense_layer_has_no_pair(common_client, root):
    arrays = common_client.analyze(
        {
            "kind": "analyze",
            "model": "tiny-llama",
            "data": {
                "text": str(root / "examples/texts/jargon.txt"),
                "tokens": 256,
                "sequence_length": 64,
            },
            "probes": {"redundancy": {"rank": 4}},
        }
    )
    assert arrays["layer0/redundancy_pairs"].shape == (0, 2)
    assert arrays["layer0/redundancy_scores"].shape == (0, 4)


def test_the_closest_pairs_are_shown(common_client, short_request):
    job = common_client.submit(report(short_request), "--wait")
    table = common_client.ok("show", job)
    assert "Similarity is not importance" in table
    listed = common_client.ok("redundancy", job, "--layer", 1, "--top", 3, "--json")
    (layer,) = json.loads(listed)
    assert layer["layer"] == 1
    assert len(layer["pairs"]) == 3
    assert set(layer["pairs"][0]["experts"]) <= set(range(6))
    status, _, errors = common_client.run("redundancy", job, "--layer", 7)
    assert status == 1
    assert "no redundancy report of layer 7" in errors
