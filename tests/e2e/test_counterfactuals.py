"""Other gates for the same experts, from the real programs."""

import pathlib

import counterfactuals
import numpy as np
import pytest
from tolerances import assert_agree

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
NAMES = sorted(p.parent.name for p in FIXTURES.glob("*/counterfactual.npz"))
PROBES = {
    "routing": {},
    "jacobian": {},
    "pca": {
        "conventions": ["routed", "all_tokens", "sample_weighted"],
        "angles": True,
    },
    "router_term": {"tokens": 64, "at": "first"},
}
OFF = {"random_router": 0, "bootstrap": 0}


def request(name, routing=None, **changes):
    expected = np.load(FIXTURES / name / "expected.npz")
    spec = {
        "kind": "analyze",
        "model": name,
        "data": {
            "ids": str(FIXTURES / name / "ids.npy"),
            "sequence_length": int(expected["sequence_length"]),
            "skip_first": int(expected["skip_first"]),
        },
        "probes": PROBES,
        "nulls": OFF,
    }
    return spec | ({"routing": routing} if routing else {}) | changes


@pytest.mark.parametrize("rule", counterfactuals.RULES)
@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_transformers(common_client, name, rule):
    answers = np.load(FIXTURES / name / "counterfactual.npz")
    wanted = {
        array.removeprefix(f"{rule}/"): answers[array]
        for array in answers
        if array.startswith(f"{rule}/")
    }
    found = common_client.analyze(request(name, counterfactuals.RULES[rule]))
    assert_agree(found, wanted)


def same_arrays(left, right):
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.tobytes() == right[name].tobytes(), name


def test_the_models_own_rule_changes_no_byte(start_server, make_client):
    rules = [
        {},
        {"select": "top_k", "top_k": 2, "temperature": 1.0, "normalize": "model"},
        {"top_k": 2, "normalize": "always", "forward": "own"},
    ]
    client = make_client(start_server("one"))
    own = client.analyze(request("mixtral"))
    for rule in rules:
        other = make_client(start_server(f"server-{len(str(rule))}"))
        same_arrays(other.analyze(request("mixtral", rule)), own)


def test_the_models_own_rule_is_answered_from_the_cache(client, api):
    client.submit(request("mixtral"), "--wait")
    job = client.submit(request("mixtral", {"top_k": 2, "forward": "own"}), "--wait")
    assert api.job(job).cached
    job = client.submit(request("mixtral", {"top_k": 3}), "--wait")
    assert not api.job(job).cached


def test_a_baseline_keeps_its_own_gates(client):
    changed = client.analyze(
        request("mixtral", {"select": "all"}, baseline="mixtral-fused")
    )
    own = client.analyze(request("mixtral", baseline="mixtral-fused"))
    assert any(n.startswith("baseline/layer1/expert_count") for n in own)
    for name, array in own.items():
        if name.startswith("baseline/"):
            assert np.array_equal(changed[name], array, equal_nan=True), name
    assert not np.array_equal(
        changed["layer0/expert_count"], own["layer0/expert_count"]
    )


@pytest.mark.parametrize("forward", ["changed", "own"])
@pytest.mark.parametrize("temperature", [1e-30, 1e30])
def test_gates_saturate_without_nan(common_client, forward, temperature):
    routing = {"select": "all", "temperature": temperature, "forward": forward}
    found = common_client.analyze(request("mixtral", routing))
    assert np.isfinite(found["nll"])
    for quantity in ("gate_mean", "routing_entropy", "jacobian_cosine/routed"):
        assert np.all(np.isfinite(found[f"layer1/{quantity}"])), quantity
    gates = found["layer1/gate_mean"]
    assert np.isclose(gates.sum(), 1)
    if temperature > 1:
        assert np.allclose(gates, 1 / 6)


def test_all_experts_by_top_k_or_all(common_client):
    by_number = common_client.analyze(
        request("olmoe-clipped", {"top_k": 8, "temperature": 0.7})
    )
    soft = common_client.analyze(
        request("olmoe-clipped", {"select": "all", "temperature": 0.7})
    )
    same_arrays(by_number, soft)


def test_what_cannot_be_followed_is_refused(common_client):
    for routing, words in [
        ({"top_k": 7}, "routing.top_k: 7 is out of range, expected 1 to 6"),
        ({"select": "all", "top_k": 2}, "no meaning where select is all"),
        ({"temperature": 0}, "a number above 0"),
    ]:
        path = common_client.write_request(request("mixtral", routing))
        status, _, errors = common_client.run("submit", path)
        assert status != 0
        assert words in errors
        assert f"{path.name}:1:" in errors
    path = common_client.write_request(request("qwen3", {"top_k": 1}))
    assert "the model is dense" in common_client.run("submit", path)[2]
