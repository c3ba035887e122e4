"""The numbers, from the real programs, against independent answers."""

import json
import pathlib

import numpy as np
import pytest
from service import Client, Server
from tolerances import assert_agree

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
NAMES = sorted(p.parent.name for p in FIXTURES.glob("*/expected.npz"))
ALL_PROBES = {
    "routing": {},
    "jacobian": {"average": ["all", "routed", "gate"]},
    "pca": {
        "conventions": ["routed", "all_tokens", "sample_weighted"],
        "components": 5,
        "angles": True,
    },
    "spectra": {"tokens_per_expert": "all", "top": 64},
    "router_term": {"tokens": 64, "at": "first"},
}


def request(model, data):
    return {
        "kind": "analyze",
        "model": model,
        "data": data | {"tokens": "all"},
        "probes": ALL_PROBES,
        "nulls": {"random_router": 0, "bootstrap": 0},
        "nll": True,
    }


@pytest.mark.parametrize("name", NAMES)
def test_fixture(common_client, name):
    wanted = np.load(FIXTURES / name / "expected.npz")
    data = {
        "ids": str(FIXTURES / name / "ids.npy"),
        "sequence_length": int(wanted["sequence_length"]),
        "skip_first": int(wanted["skip_first"]),
    }
    assert_agree(common_client.analyze(request(name, data)), wanted)


def test_singular_values_of_averages_agree_with_their_norms(common_client, root):
    data = {"ids": str(root / "tests/fixtures/mixtral/ids.npy")}
    arrays = common_client.analyze(request("mixtral", data | {"sequence_length": 64}))
    for weighting in ("all", "routed", "gate"):
        values = arrays[f"layer1/jacobian_mean_singular_values/{weighting}"]
        norms = arrays[f"layer1/jacobian_norm/{weighting}"]
        assert np.allclose(np.sqrt((values**2).sum(1)), norms, rtol=1e-5)


def test_spectra_are_sampled_by_the_seed(common_client, short_request):
    spec = short_request | {"layers": [1]}

    def values(tokens, seed=0):
        probes = {"spectra": {"tokens_per_expert": tokens, "top": 3}}
        arrays = common_client.analyze(spec | {"probes": probes, "seed": seed})
        return arrays["layer1/singular_values_mean"]

    assert values(4).shape == (6, 3)
    assert not np.array_equal(values(4, seed=1), values(4, seed=2))
    assert np.allclose(values(4), values("all"), rtol=0.5)
    assert np.array_equal(values(100000), values("all"))


def test_baseline_is_probed_on_the_same_text(common_client, root):
    text = str(root / "examples/texts/jargon.txt")
    data = {"text": text, "tokens": 512, "sequence_length": 64}
    spec = {"kind": "analyze", "data": data, "nll": True}
    both = common_client.analyze(
        spec | {"model": "tiny-mixtral", "baseline": "tiny-llama"}
    )
    alone = common_client.analyze(spec | {"model": "tiny-llama"})
    assert alone
    for name, array in alone.items():
        assert np.array_equal(both[f"baseline/{name}"], array, equal_nan=True), name


def test_several_data_sets_are_numbered(common_client, root):
    sets = [
        {
            "text": str(root / f"examples/texts/{name}.txt"),
            "tokens": 256,
            "sequence_length": 64,
        }
        for name in ("king-james", "jargon")
    ]
    arrays = common_client.analyze(
        {"kind": "analyze", "model": "tiny-mixtral", "data": sets}
    )
    prefixes = {name.split("/")[0] for name in arrays}
    assert prefixes == {"data0", "data1"}


def test_only_layers_that_are_asked_for_are_probed(common_client, short_request):
    arrays = common_client.analyze(short_request | {"layers": [1]})
    layers = {name.split("/")[0] for name in arrays}
    assert layers == {"layer1"}


def test_a_trained_model_predicts_its_text(common_client, root):
    data = {"text": str(root / "examples/texts/king-james.txt"), "tokens": 2048}
    data["sequence_length"] = 128  # what they were trained on
    for model in ("tiny-mixtral", "tiny-llama"):
        arrays = common_client.analyze(
            {"kind": "analyze", "model": model, "data": data, "nll": True}
        )
        assert arrays["nll"] < 3.6, model


def test_bfloat16_changes_the_loss_a_little(common_client, root):
    data = {"text": str(root / "examples/texts/king-james.txt"), "tokens": 2048}
    spec = {
        "kind": "analyze",
        "model": "tiny-mixtral",
        "data": data | {"sequence_length": 128},
        "probes": {"routing": {}},
        "nll": True,
    }
    losses = [
        common_client.analyze(spec | {"precision": p})["nll"]
        for p in ("float32", "bfloat16")
    ]
    assert 0 < abs(losses[1] - losses[0]) < 0.01


@pytest.fixture(scope="module")
def shared_server(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with Server(folder, [shared / "fixtures"], threads=2) as server:
        yield server


@pytest.fixture
def shared_client(shared_server, tmp_path):
    return Client(shared_server.address, tmp_path)


@pytest.mark.parametrize(
    "family", ["mistral", "mixtral", "olmoe", "qwen2", "qwen2_moe", "qwen3_moe"]
)
def test_random_checkpoint(shared, shared_client, family):
    folder = shared / f"fixtures/random-{family}"
    data = {"ids": str(folder / "ids.npy"), "sequence_length": 128}
    arrays = shared_client.analyze(request(folder.name, data))
    assert_agree(arrays, np.load(folder / "expected.npz"))


@pytest.mark.parametrize("name", ["trained-mixtral", "trained-llama"])
def test_trained_checkpoint(shared, shared_client, name):
    ids = shared / "fixtures/trained-mixtral/wikitext.ids.npy"
    data = {"ids": str(ids), "sequence_length": 256}
    arrays = shared_client.analyze(request(name, data))
    wanted = np.load(shared / f"fixtures/{name}/wikitext.expected.npz")
    assert_agree(arrays, wanted)


def test_alignments_of_a_trained_checkpoint_carry_intervals_and_nulls(
    shared, shared_client
):
    ids = shared / "fixtures/trained-mixtral/wikitext.ids.npy"
    spec = request("trained-mixtral", {"ids": str(ids), "sequence_length": 256})
    spec |= {"layers": [0], "probes": {"jacobian": {}, "pca": {}}, "nll": False}
    arrays = shared_client.analyze(spec | {"nulls": {}})
    wanted = np.load(shared / "fixtures/trained-mixtral/wikitext.expected.npz")
    for quantity in (
        "jacobian_cosine/routed",
        "jacobian_cosine/gate",
        "grassmann/routed",
    ):
        matrix = wanted[f"layer0/{quantity}"]
        mean = matrix[np.triu_indices_from(matrix, 1)].mean()
        low, high = arrays[f"layer0/{quantity}/interval"]
        assert low < mean < high, quantity
        assert 0 < arrays[f"layer0/{quantity}/p"] <= 1
    # Subspaces are further apart than a random router's, but not by much.
    assert 0.5 < arrays["layer0/grassmann/routed/null_mean"] / mean < 1


def test_equal_experts_give_the_dense_models_loss(shared, shared_client):
    ids = shared / "fixtures/trained-mixtral/wikitext.ids.npy"
    data = {"ids": str(ids), "tokens": "all", "sequence_length": 256}
    spec = {"kind": "analyze", "data": data, "nll": True, "probes": {"routing": {}}}
    moe, dense = (
        shared_client.analyze(spec | {"model": name})["nll"]
        for name in ("exact-mixtral", "trained-llama")
    )
    assert abs(moe - dense) < 1e-5


def test_text_becomes_the_known_ids(shared, shared_client):
    known = np.load(shared / "fixtures/trained-mixtral/wikitext.ids.npy")
    cut = {"tokens": len(known), "sequence_length": 256}
    text = {"text": str(shared / "data/text/wikitext2.test.raw.txt")}
    ids = {"ids": str(shared / "fixtures/trained-mixtral/wikitext.ids.npy")}
    jobs = [
        shared_client.submit(
            {
                "kind": "analyze",
                "model": "trained-mixtral",
                "data": source | cut,
                "probes": {"routing": {}},
            },
            "--wait",
        )
        for source in (ids, text)
    ]
    results = [
        json.loads((shared_client.fetch(job) / "result.json").read_text())
        for job in jobs
    ]
    assert find(results[0], "first_token_ids") == known[:16].tolist()
    for key in ("first_token_ids", "data_fingerprint", "token_count"):
        assert find(results[0], key) == find(results[1], key), key


def find(tree, key):
    """The first value under `key`, however deep."""
    if isinstance(tree, dict) and key in tree:
        return tree[key]
    children = tree.values() if isinstance(tree, dict) else tree
    for child in children if isinstance(tree, (dict, list)) else ():
        if (value := find(child, key)) is not None:
            return value
    return None
