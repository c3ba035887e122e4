"""One job of many cells, from the real programs."""

import csv
import json
import os
import signal

import numpy as np
import pytest
from service import wait_until

OFF = {"random_router": 0, "bootstrap": 0}
PROBES = {"routing": {}, "jacobian": {"average": ["routed"]}, "pca": {}}


@pytest.fixture
def small_request(short_request):
    return short_request | {"probes": PROBES, "nulls": OFF}


def part(arrays, prefix):
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def assert_same_bytes(left, right):
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.tobytes() == right[name].tobytes(), name


def test_each_cell_is_what_a_request_of_its_own_gives(
    start_server, make_client, small_request
):
    settings = [0.5, 1, 2]
    sweep = {"sweep": {"routing.temperature": settings}}
    swept = make_client(start_server("swept")).analyze(small_request | sweep)
    alone = make_client(start_server("alone"))
    for i, temperature in enumerate(settings):
        routing = {"routing": {"temperature": temperature}}
        cell = part(swept, f"sweep{i}/")
        assert_same_bytes(cell, alone.analyze(small_request | routing))
    assert len(swept) == 3 * len(cell)


def test_cells_are_the_product_of_the_axes(common_client, small_request):
    sweep = {"routing.top_k": [1, 3], "routing.normalize": ["model", "always"]}
    folder = common_client.fetch(
        common_client.submit(small_request | {"sweep": sweep}, "--wait")
    )
    result = json.loads((folder / "result.json").read_text())
    assert result["request"]["sweep"] == sweep
    assert [c["prefix"] for c in result["cells"]] == [f"sweep{i}/" for i in range(4)]
    assert [tuple(c["settings"].values()) for c in result["cells"]] == [
        (1, "model"),
        (1, "always"),
        (3, "model"),
        (3, "always"),
    ]
    parts = {p["part"] for p in result["provenance"]}
    assert parts == {f"sweep{i}/model" for i in range(4)}
    assert all("nll" in p for p in result["provenance"])
    with (folder / "summary.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        i = int(row["part"].removeprefix("sweep")[0])
        assert row["routing.top_k"] == str(sweep["routing.top_k"][i // 2])
        assert row["routing.normalize"] == sweep["routing.normalize"][i % 2]


def test_curves_are_shown(common_client, small_request):
    spec = small_request | {"sweep": {"routing.temperature": [0.25, 4]}}
    text = common_client.ok("show", common_client.submit(spec, "--wait"))
    assert "routing.temperature: 0.25, 4.0" in text
    lines = text.splitlines()
    at = lines.index("Jacobian cosine, routed")
    assert max(map(len, lines[at:])) <= 100
    assert lines[at + 2].split() == ["temperature", "0", "1", "2"]
    assert [line.split()[0] for line in lines[at + 3 : at + 5]] == ["0.25", "4.0"]
    assert "Next-token loss, nats" in lines


def test_cells_share_what_they_have_in_common(client, api, small_request):
    """Subspaces of another size need no new averages, and no new baseline."""
    spec = small_request | {
        "baseline": "llama-biased",
        "sweep": {"probes.pca.components": [2, 3, 4]},
    }
    job = client.submit(spec, "--wait")
    events = list(api.watch(job))
    layers = [e.layer for e in events if e.layer]
    assert len(layers) == len(set(layers)) == 3 * (3 + 2)
    last = [e.progress for e in events if e.HasField("progress")][-1]
    assert last.layer_count == 3 * (3 + 2)
    folder = client.fetch(job)
    with np.load(folder / "arrays.npz") as stored:
        arrays = dict(stored)
    cells = [part(arrays, f"sweep{i}/") for i in range(3)]
    for cell in cells[1:]:
        for name, array in cell.items():
            if "pca" in name or "grassmann" in name:
                continue
            assert array.tobytes() == cells[0][name].tobytes(), name
    result = json.loads((folder / "result.json").read_text())
    assert len(result["provenance"]) == 6
    for provenance in result["provenance"]:
        assert provenance["token_count"] > 0
        assert provenance["environment"], provenance["part"]
    # All that cells need is known: the second time nothing runs.
    assert api.job(client.submit(spec, "--wait")).cached


def test_a_baseline_is_computed_once(client, api, small_request):
    spec = small_request | {
        "baseline": "llama-biased",
        "sweep": {"routing.temperature": [0.5, 2]},
    }
    job = client.submit(spec, "--wait")
    phases = [e.progress.phase for e in api.watch(job) if e.HasField("progress")]
    baseline = [p for p in phases if p.startswith("llama-biased, layer 0")]
    assert len(baseline) == len(set(baseline))
    with np.load(client.fetch(job) / "arrays.npz") as stored:
        arrays = dict(stored)
    assert_same_bytes(
        part(arrays, "sweep0/baseline/"), part(arrays, "sweep1/baseline/")
    )


def test_windows_and_data_can_be_swept(common_client, root):
    text = str(root / "examples/texts/jargon.txt")
    arrays = common_client.analyze(
        {
            "kind": "analyze",
            "model": "tiny-mixtral",
            "data": {"text": text, "tokens": 256},
            "probes": {"routing": {}},
            "sweep": {"data.sequence_length": [64, 128]},
        }
    )
    for cell in ("sweep0", "sweep1"):
        assert arrays[f"{cell}/layer0/expert_count"].sum() == 256 * 2


def test_a_killed_worker_goes_on_at_its_cell_and_layer(
    start_server, make_client, api_stubs, long_request
):
    spec = long_request | {
        "probes": PROBES,
        "nulls": OFF,
        "sweep": {"routing.temperature": [0.5, 2]},
    }
    calm = make_client(start_server("calm"))
    undisturbed = calm.analyze(spec)

    server = start_server("killed")
    client, api = make_client(server), api_stubs(server.address)
    job = client.submit(spec)
    for event in api.watch(job):
        if event.layer.startswith("sweep1/layer1/"):
            break
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    final = ("SUCCEEDED", "FAILED", "CANCELLED")
    wait_until(lambda: api.state(job) in final, "the end")
    assert api.state(job) == "SUCCEEDED", api.job(job).error
    assert api.deaths(job) == 1
    with np.load(client.fetch(job) / "arrays.npz") as arrays:
        assert_same_bytes(dict(arrays), undisturbed)
    phases = [e.progress.phase for e in api.watch(job) if e.HasField("progress")]
    # Neither the first cell nor the first layer of the second ran again: it had
    # been spilled before the layer that was waited for.
    assert sum("layer 0 (" in p and "attention" in p for p in phases) <= 2


def test_sweeps_that_make_no_sense_are_refused(common_client, small_request):
    for sweep, words in [
        ({"routing.temprature": [1]}, 'did you mean "routing.temperature"?'),
        ({"routing.top_k": [2, 7]}, "sweep.routing.top_k[1]: 7 is out of range"),
        ({"routing.temperature": [0]}, "sweep.routing.temperature[0]"),
        ({"seed": list(range(65))}, "65 cells, expected at most 64"),
        ({"probes.spectra.top": [4]}, "the request does not run this probe"),
    ]:
        path = common_client.write_request(small_request | {"sweep": sweep})
        status, _, errors = common_client.run("submit", path)
        assert status != 0
        assert words in errors
        assert f"{path.name}:1:" in errors
