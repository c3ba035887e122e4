"""Nulls, intervals and comparisons, from the real programs."""

import csv
import io
import json
import os
import signal

import numpy as np
import pytest
from service import wait_until

SIGNIFICANCE = ("/se", "/interval", "/null_mean", "/null_std", "/p")
DRAWS = {"random_router": 19, "bootstrap": 40}


@pytest.fixture
def drawn_request(short_request):
    return short_request | {"nulls": DRAWS}


def summary(client, job):
    """Rows of result.json by part, layer and quantity."""
    shown = json.loads(client.ok("show", job, "--json"))
    return {
        (rows["part"], rows["layer"], quantity): row
        for rows in shown["summary"]
        for quantity, row in rows["quantities"].items()
    }


def array_bytes(client, job):
    return (client.fetch(job) / "arrays.npz").read_bytes()


def test_a_mean_carries_its_interval_its_null_and_p(common_client, drawn_request):
    job = common_client.submit(drawn_request, "--wait")
    rows = summary(common_client, job)
    row = rows["model", 1, "jacobian_cosine/routed"]
    low, high = row["interval"]
    assert low <= row["mean"] <= high
    assert row["se"] > 0
    null = row["random_router"]
    assert 1 / 20 <= null["p"] <= 1
    assert null["std"] > 0
    with (common_client.fetch(job) / "summary.csv").open() as file:
        lines = [r for r in csv.DictReader(file) if r["layer"] == "1"]
    line = next(r for r in lines if r["quantity"] == "jacobian_cosine/routed")
    assert float(line["interval_low"]) == low
    assert float(line["p"]) == null["p"]
    text = common_client.ok("show", job)
    assert "95 % interval" in text
    assert "(19 draws, p at least 0.05)" in text


def test_without_nulls_there_are_no_arrays_of_them(common_client, short_request):
    off = {"random_router": 0, "bootstrap": 0}
    arrays = common_client.analyze(short_request | {"nulls": off})
    assert arrays
    assert not [n for n in arrays if n.endswith((*SIGNIFICANCE, "_draws"))]


def test_nulls_change_no_other_byte(common_client, short_request, drawn_request):
    drawn = common_client.analyze(drawn_request)
    off = {"random_router": 0, "bootstrap": 0}
    plain = common_client.analyze(short_request | {"nulls": off})
    for name, array in plain.items():
        assert np.array_equal(drawn[name], array, equal_nan=True), name


def test_nulls_are_answered_from_the_cache(client, api, drawn_request):
    first = client.submit(drawn_request, "--wait")
    second = client.submit(drawn_request, "--wait")
    assert not api.job(first).cached
    assert api.job(second).cached
    assert array_bytes(client, first) == array_bytes(client, second)
    other_seed = client.submit(drawn_request | {"seed": 1}, "--wait")
    assert not api.job(other_seed).cached


def test_nulls_can_be_asked_for_later(start_server, make_client, drawn_request):
    at_once = make_client(start_server("once"))
    expected = array_bytes(at_once, at_once.submit(drawn_request, "--wait"))
    later = make_client(start_server("later"))
    off = {"random_router": 0, "bootstrap": 0}
    later.submit(drawn_request | {"nulls": off}, "--wait")
    assert array_bytes(later, later.submit(drawn_request, "--wait")) == expected


def test_the_number_of_workers_changes_no_null(
    start_server, make_client, drawn_request
):
    clients = [make_client(start_server(f"{n}", workers=n)) for n in (1, 2)]
    found = [array_bytes(c, c.submit(drawn_request, "--wait")) for c in clients]
    assert found[0] == found[1]


def test_a_killed_worker_changes_no_null(
    start_server, make_client, api_stubs, long_request
):
    spec = long_request | {"nulls": DRAWS}
    calm = make_client(start_server("calm"))
    expected = array_bytes(calm, calm.submit(spec, "--wait"))
    server = start_server("killed")
    client, api = make_client(server), api_stubs(server.address)
    job = client.submit(spec)
    wait_until(lambda: api.job(job).progress.layers_done_count, "a layer is done")
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: api.state(job) == "SUCCEEDED", "the job succeeds")
    assert array_bytes(client, job) == expected


def test_untrained_models_stand_beside_the_other_nulls(common_client, short_request):
    nulls = {"random_router": 19, "random_weights": 3, "bootstrap": 0}
    job = common_client.submit(short_request | {"nulls": nulls}, "--wait")
    row = summary(common_client, job)["model", 1, "grassmann/routed"]
    assert row["random_weights"]["p"] in (0.25, 0.5, 0.75, 1)
    assert row["random_weights"]["mean"] != row["random_router"]["mean"]
    assert "Random weights" in common_client.ok("show", job)
    arrays = np.load(common_client.fetch(job) / "arrays.npz")
    name = "layer1/grassmann/routed/random_weights_null_mean"
    assert arrays[name] == row["random_weights"]["mean"]


def test_curve_shows_every_outcome_of_a_claim(common_client, short_request):
    probes = {"pca": {"conventions": ["routed", "sample_weighted"], "components": 2}}
    nulls = {"random_router": 19, "permutations": 19, "bootstrap": 40}
    request = short_request | {"probes": probes, "nulls": nulls}
    job = common_client.submit(request, "--wait")
    rows = list(csv.DictReader(io.StringIO(common_client.ok("curve", job, "--csv"))))
    layers = {row["layer"] for row in rows}
    distances = [row for row in rows if row["claim"] == "grassmann"]
    assert len(distances) == 2 * 2 * len(layers)
    scores = [float(row["z"]) for row in distances]
    assert scores == sorted(scores)
    for row in distances:
        z = (float(row["mean"]) - float(row["null_mean"])) / float(row["null_std"])
        assert z == pytest.approx(float(row["z"]))
    claims = json.loads(common_client.ok("curve", job, "--json"))
    assert {claim["claim"] for claim in claims} == {row["claim"] for row in rows}
    assert "above its null in" in common_client.ok("curve", job)


def test_curve_says_what_a_job_lacks(common_client, short_request):
    request = short_request | {"nulls": {"random_router": 0, "bootstrap": 0}}
    job = common_client.submit(request, "--wait")
    status, _, errors = common_client.run("curve", job)
    assert status == 1
    assert "examples/specification.yaml" in errors


def test_compare_a_job_with_itself_finds_nothing(common_client, drawn_request):
    job = common_client.submit(drawn_request, "--wait")
    rows = json.loads(common_client.ok("compare", job, job, "--json"))
    differences = {row["difference"] for row in rows}
    assert differences <= {0, None}
    drawn = [row for row in rows if "p" in row]
    assert drawn
    assert all(row["p"] == 1 and row["same_windows"] for row in drawn)


def test_compare_two_layers_of_a_job(common_client, drawn_request):
    job = common_client.submit(drawn_request, "--wait")
    rows = json.loads(common_client.ok("compare", f"{job}@0", f"{job}@2", "--json"))
    means = summary(common_client, job)
    cosine = next(r for r in rows if r["quantity"] == "jacobian_cosine/routed")
    expected = (
        means["model", 2, "jacobian_cosine/routed"]["mean"]
        - means["model", 0, "jacobian_cosine/routed"]["mean"]
    )
    assert cosine["difference"] == pytest.approx(expected)
    assert cosine["interval"][0] <= cosine["difference"] <= cosine["interval"][1]
    assert cosine["same_windows"]
    table = common_client.ok("compare", f"{job}@0", f"{job}@2")
    assert "layers 0 and 2" in table
    assert "the same windows" in table


def test_compare_two_corpora_takes_them_for_independent(common_client, root):
    texts = [
        {"text": str(root / f"examples/texts/{name}.txt"), "tokens": 512}
        for name in ("jargon", "king-james")
    ]
    spec = {
        "kind": "analyze",
        "model": "tiny-mixtral",
        "layers": [0],
        "data": [text | {"sequence_length": 64} for text in texts],
        "nulls": DRAWS,
    }
    job = common_client.submit(spec, "--wait")
    sides = (f"{job}:data0/model", f"{job}:data1/model")
    text = common_client.ok("compare", *sides, "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["part_b"] for row in rows} == {"data1/model"}
    assert {row["same_windows"] for row in rows} <= {"", "false"}
    assert "independent" in common_client.ok("compare", *sides)


def test_compare_says_what_is_wrong(common_client, drawn_request):
    job = common_client.submit(drawn_request, "--wait")
    for sides, reason in (
        ((job, "987"), "987"),
        ((job, f"{job}@1"), "names a layer"),
        ((f"{job}:data7", f"{job}:data7"), "in common"),
        ((job, "17@x"), "17@x"),
    ):
        status, _, message = common_client.run("compare", *sides)
        assert status != 0
        assert reason in message


def test_a_baseline_of_another_depth_stands_at_equal_depth(common_client, root):
    spec = {
        "kind": "analyze",
        "model": "mixtral",
        "baseline": "tiny-llama",
        "layers": [0, 1, 2],
        "data": {
            "ids": str(root / "tests/fixtures/mixtral/ids.npy"),
            "sequence_length": 64,
        },
        "nulls": {"random_router": 0, "bootstrap": 0},
    }
    job = common_client.submit(spec, "--wait")
    probed = {
        layer for part, layer, _ in summary(common_client, job) if part == "baseline"
    }
    depths = json.loads(common_client.ok("show", job, "--json"))["provenance"]
    counts = {p["part"]: p["layer_count"] for p in depths}
    last = counts["model"] - 1
    beside = [int(layer * (counts["baseline"] - 1) / last + 0.5) for layer in (0, 1, 2)]
    assert probed - {-1} == set(beside)
    table = common_client.ok("show", job)
    assert "layer (baseline)" in table
    assert f"2 ({beside[2]})" in table
