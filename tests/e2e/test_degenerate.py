"""Models and texts without the usual answer: NaN with a warning, or the limit."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import service
from safetensors.numpy import load_file, save_file

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "fixtures/mixtral"
PROBES = {
    "routing": {},
    "jacobian": {"average": ["routed", "all"]},
    "pca": {},
    "spectra": {"tokens_per_expert": "all"},
    "router_term": {"tokens": 16},
}
NONE = {"random_router": 0, "permutations": 0, "bootstrap": 0}


def experts_alike(tensors):
    """All experts are the first, and the router has no preference."""
    for name in tensors:
        if ".experts." in name:
            head, _, tail = name.partition(".experts.")
            first = f"{head}.experts.0.{tail.partition('.')[2]}"
            tensors[name] = tensors[first].copy()
        elif "block_sparse_moe.gate" in name:
            tensors[name] = np.zeros_like(tensors[name])


def neurons_permuted(tensors):
    order = np.random.default_rng(0).permutation(40)
    for name in tensors:
        if ".w1." in name or ".w3." in name:
            tensors[name] = tensors[name][order].copy()
        elif ".w2." in name:
            tensors[name] = tensors[name][:, order].copy()


def states_equal(tensors):
    name = "model.embed_tokens.weight"
    tensors[name] = np.tile(tensors[name][:1], (len(tensors[name]), 1))


def one_expert(tensors):
    for name in list(tensors):
        if ".experts." in name and ".experts.0." not in name:
            del tensors[name]
        elif "block_sparse_moe.gate" in name:
            tensors[name] = tensors[name][:1].copy()


CHANGES = {
    "alike": (experts_alike, {}),
    "permuted": (neurons_permuted, {}),
    "equal": (states_equal, {}),
    "one": (one_expert, {"num_local_experts": 1, "num_experts_per_tok": 1}),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model root with the fixture and what has been made of it."""
    root = tmp_path_factory.mktemp("models")
    shutil.copytree(FIXTURE, root / "plain")
    for name, (change, settings) in CHANGES.items():
        tensors = load_file(FIXTURE / "model.safetensors")
        change(tensors)
        (root / name).mkdir()
        save_file(tensors, root / name / "model.safetensors")
        config = json.loads((FIXTURE / "config.json").read_text()) | settings
        (root / name / "config.json").write_text(json.dumps(config))
    return root


@pytest.fixture(scope="module")
def analyze(models, tmp_path_factory):
    """Returns the arrays and the warnings of a job."""
    with service.Server(tmp_path_factory.mktemp("data"), [models]) as server:
        client = service.Client(server.address, tmp_path_factory.mktemp("client"))

        def run(model, tokens="all", sequence_length=64, **options):
            request = {
                "kind": "analyze",
                "model": model,
                "data": {
                    "ids": str(FIXTURE / "ids.npy"),
                    "tokens": tokens,
                    "sequence_length": sequence_length,
                },
                "probes": PROBES,
                "nulls": NONE,
            }
            folder = client.fetch(client.submit(request | options, "--wait"))
            warnings = json.loads((folder / "result.json").read_text())["warnings"]
            with np.load(folder / "arrays.npz") as arrays:
                return dict(arrays), [str(w) for w in warnings]

        yield run


def test_identical_experts_are_aligned_and_at_no_distance(analyze):
    found, warnings = analyze("alike")
    alignment = found["layer0/jacobian_cosine/all"]
    np.testing.assert_allclose(alignment, np.ones((6, 6)), atol=1e-6)
    # Ties go to the lowest index: the first two have every token, at half.
    assert found["layer0/expert_count"].tolist() == [128 * 2, 128 * 2, 0, 0, 0, 0] or (
        found["layer0/expert_count"][2:].sum() == 0
    )
    assert found["layer0/grassmann/routed"][0, 1] < 1e-6
    assert found["layer0/jacobian_cosine/routed"][0, 1] == pytest.approx(1, abs=1e-6)
    assert found["layer0/router_term_ratio"].max() < 1e-6
    for name in (
        "jacobian_cosine/routed",
        "grassmann/routed",
        "stable_rank",
        "singular_value_decay",
        "leading_singular_value",
        "pca/routed/effective_rank",
    ):
        rows = found[f"layer0/{name}"][2:]
        assert np.isnan(rows).all(), name
    for expert in range(2, 6):
        assert any(
            f"layer 0, expert {expert}: no token" in w and "spectra" in w
            for w in warnings
        ), warnings


def test_permuted_neurons_change_nothing(analyze):
    plain, _ = analyze("plain")
    permuted, _ = analyze("permuted")
    assert plain.keys() == permuted.keys()
    for name in plain:
        quantity = name.partition("/")[2]
        if quantity.startswith(
            ("jacobian_", "singular_", "stable_rank", "leading_", "router_term_ratio")
        ):
            np.testing.assert_allclose(
                permuted[name], plain[name], rtol=1e-3, atol=1e-4, err_msg=name
            )


def test_equal_hidden_states_have_no_subspaces(analyze):
    found, warnings = analyze("equal", layers=[0])
    assert np.isnan(found["layer0/pca/all/effective_rank"]).all()
    distances = found["layer0/grassmann/routed"]
    assert np.isnan(distances[~np.eye(6, dtype=bool)]).all(), distances
    assert any("layer 0" in w for w in warnings)
    # Functions are still there, at the one state there is.
    used = found["layer0/expert_count"] > 0
    assert np.isfinite(found["layer0/stable_rank"][used]).all()
    assert np.isnan(found["layer0/stable_rank"][~used]).all()
    assert np.all(found["layer0/singular_values_std"][used] < 1e-4)


def test_fewer_tokens_than_the_subspace_needs(analyze):
    found, warnings = analyze("plain", tokens=4, sequence_length=4, layers=[0])
    distances = found["layer0/grassmann/routed"]
    assert np.isnan(distances[~np.eye(6, dtype=bool)]).all(), distances
    for expert in range(6):
        assert any(f"expert {expert}" in w for w in warnings), warnings
    unused = found["layer0/expert_count"] == 0
    assert np.isnan(found["layer0/leading_singular_value"][unused]).all()
    assert np.isfinite(found["layer0/leading_singular_value"][~unused]).all()


def test_one_expert_has_no_pairs_and_no_router_term(analyze):
    found, _ = analyze("one", layers=[0])
    assert found["layer0/jacobian_cosine/routed"].tolist() == [[pytest.approx(1)]]
    assert found["layer0/router_term_ratio"].max() < 1e-6
    assert np.isfinite(found["layer0/stable_rank"]).all()
