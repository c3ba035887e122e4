"""Merged and ablated experts: the real programs, from request to arrays."""

import numpy as np

KINDS = ["average", "replace", "ablate"]


def edited(short_request, **options):
    return short_request | {
        "probes": {
            "jacobian": {"average": ["routed"]},
            "redundancy": {"tokens": 32, "rank": 4},
            "interventions": {"pairs": 5, "tokens": 128} | options,
        },
    }


def test_interventions_add_to_the_loss_of_the_model(common_client, short_request):
    arrays = common_client.analyze(edited(short_request, tokens=10**6))
    for layer in range(3):
        prefix = f"layer{layer}/intervention_"
        assert np.isclose(arrays[f"{prefix}nll"], arrays["nll"], rtol=1e-6)
        pairs = arrays[f"{prefix}pairs"]
        ranked = np.sort(arrays[f"layer{layer}/redundancy_pairs"], axis=1)
        # The three closest, the last, and one between.
        chosen = ranked[[0, 1, 2, 8, 14]]
        assert np.array_equal(np.sort(pairs, axis=1), chosen)
        counts = arrays[f"{prefix}scores"].shape
        assert counts == (5, 4)
        for kind in KINDS:
            assert np.all(arrays[f"{prefix}delta_nll/{kind}"] != 0)
            correlation = arrays[f"{prefix}rank_correlation/{kind}"]
            assert np.isnan(correlation[2])  # no subspaces were compared
            assert np.all(np.abs(correlation[[0, 1, 3]]) <= 1)


def test_interventions_are_answered_from_the_cache(client, api, short_request):
    first = client.analyze(edited(short_request))
    again = client.submit(edited(short_request), "--wait")
    assert "cached" in client.ok("show", again)
    # Another number of tokens: the rest is there, interventions are not.
    other = client.analyze(edited(short_request, tokens=64))
    assert other["layer0/intervention_nll"] != first["layer0/intervention_nll"]
    for name, array in other.items():
        if "intervention" not in name:
            assert np.array_equal(array, first[name], equal_nan=True), name


def test_a_baseline_is_not_edited(common_client, root):
    arrays = common_client.analyze(
        {
            "kind": "analyze",
            "model": "tiny-mixtral",
            "baseline": "tiny-llama",
            "data": {
                "text": str(root / "examples/texts/jargon.txt"),
                "tokens": 256,
                "sequence_length": 64,
            },
            "layers": [0],
            "probes": {
                "redundancy": {"tokens": 32, "rank": 4},
                "interventions": {"pairs": 2, "kinds": ["ablate"], "tokens": 64},
            },
        }
    )
    assert arrays["layer0/intervention_pairs"].shape == (2, 2)
    assert not any("baseline/layer0/interv" in name for name in arrays)


def test_interventions_need_something_to_rank_pairs_by(common_client, short_request):
    request = short_request | {"probes": {"interventions": {}}}
    path = common_client.write_request(request)
    status, _, errors = common_client.run("submit", path)
    assert status == 2
    assert "probes.interventions: pairs of experts are ranked by" in errors
